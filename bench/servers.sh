# Builds the server and the load, and starts servers whose folder goes with them. Sourced by the scripts beside it.
cd "$(dirname "${BASH_SOURCE[0]}")/.."
store="$(mktemp -d)"
zeros="$(mktemp)"
servers=()
trap 'set +e; kill "${servers[@]}" 2>/dev/null; wait "${servers[@]}" 2>/dev/null; rm -rf "$store" "$zeros"' EXIT

./run.sh --build-only >&2
dotnet build bench/Load -c Release --nologo -v quiet >&2

# Leaves no memory free: the page cache has it, as it has wherever a broker has run for a while. In a virtual machine the first touch of memory
# that was free is dear, for the host takes it back and gives it anew, and the broker, which fills memory fast, would pay for that.
fill_memory() {
  truncate -s "$(awk '/^MemTotal:/ { print $2 }' /proc/meminfo)K" "$zeros"
  head -c "$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo)K" "$zeros" >/dev/null
}

# start NAME NAMESRV-PORT BROKER-PORT HTTP-PORT KEY=VALUE...: returns when the server is ready
start() {
  local log="$store/$1.log" ports=(--namesrv-port "$2" --broker-port "$3" --http-port "$4") settings=() setting
  for setting in "${@:5}"; do
    settings+=(--set "$setting")
  done

  build/graymq/graymq standalone --store "$store/$1" "${ports[@]}" "${settings[@]}" >"$log" 2>&1 &
  servers+=("$!")
  for _ in $(seq 600); do
    grep -q "is ready" "$log" && return
    kill -0 "${servers[-1]}" 2>/dev/null || break
    sleep 0.05
  done
  cat "$log"
  exit 1
}

# Stops the servers that run, and removes their stores.
stop() {
  kill "${servers[@]}"
  wait "${servers[@]}" || true
  servers=()
  rm -rf "${store:?}"/*
}

load() {
  dotnet bench/Load/bin/Release/net10.0/Load.dll "$@"
}
