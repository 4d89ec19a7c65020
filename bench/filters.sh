#!/usr/bin/env bash
# What 1,000 groups with conditions of their own cost a broker, with the filter index and without, in one run.
#   bench/filters.sh [seconds] [more options of the load's filters command]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
seconds="${1:-30}"
shift || true
store="$(mktemp -d)"
servers=()

./run.sh --build-only >&2
dotnet build bench/Load -c Release --nologo -v quiet >&2
trap 'kill "${servers[@]}" 2>/dev/null; wait "${servers[@]}" 2>/dev/null; rm -rf "$store"' EXIT

# start NAME NAMESRV-PORT BROKER-PORT on|off
start() {
  build/graymq/graymq standalone --store "$store/$1" --namesrv-port "$2" --broker-port "$3" --http-port 0 \
    --set flushDiskType=ASYNC_FLUSH --set "filterIndex=$4" >"$store/$1.log" 2>&1 &
  servers+=("$!")
  for _ in $(seq 600); do
    grep -q "is ready" "$store/$1.log" && return
    kill -0 "${servers[-1]}" 2>/dev/null || break
    sleep 0.05
  done
  cat "$store/$1.log"
  exit 1
}

start on 19776 19811 on
start off 19786 19821 off
dotnet bench/Load/bin/Release/net10.0/Load.dll filters --broker 127.0.0.1:19811 --without 127.0.0.1:19821 \
  --topic Trades --size 256 --seconds "$seconds" "$@"
