#!/usr/bin/env bash
# One consumer of three hangs with messages in hand: the backlog of each queue over time, for plain pull and for pop.
#   bench/hang.sh [OUTPUT]    writes OUTPUT.csv and OUTPUT.svg (default: hang)
set -euo pipefail
output="$(realpath "${1:-hang}")"
cd "$(dirname "${BASH_SOURCE[0]}")/.."
store="$(mktemp -d)"
log="$store/server.log"

./run.sh --build-only >&2
dotnet build bench/Load -c Release --nologo -v quiet

build/graymq/graymq standalone --store "$store/data" --namesrv-port 19876 --broker-port 19911 --http-port 0 \
  --set broker.brokerName=broker-a --set flushDiskType=ASYNC_FLUSH >"$log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null; rm -rf "$store"' EXIT

for _ in $(seq 200); do
  grep -q "is ready" "$log" && break
  kill -0 "$server" 2>/dev/null || { cat "$log"; exit 1; }
  sleep 0.05
done

dotnet bench/Load/bin/Release/net10.0/Load.dll hang --broker 127.0.0.1:19911 --queues 8 --invisible 15 --output "$output"
