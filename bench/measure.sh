#!/usr/bin/env bash
# Measures a standalone server beside a bare echo, in one run: the figures of docs/PERFORMANCE.md.
#   bench/measure.sh [seconds] [ASYNC_FLUSH|SYNC_FLUSH]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
seconds="${1:-10}"
flush="${2:-ASYNC_FLUSH}"
store="$(mktemp -d)"
log="$store/server.log"

./run.sh --build-only >&2
dotnet build bench/Load -c Release --nologo -v quiet

build/graymq/graymq standalone --store "$store/data" --namesrv-port 19876 --broker-port 19911 --http-port 19080 \
  --set broker.brokerName=broker-a --set "flushDiskType=$flush" >"$log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null; rm -rf "$store"' EXIT

for _ in $(seq 200); do
  grep -q "is ready" "$log" && break
  kill -0 "$server" 2>/dev/null || { cat "$log"; exit 1; }
  sleep 0.05
done

dotnet bench/Load/bin/Release/net10.0/Load.dll compare \
  --broker 127.0.0.1:19911 --http-port 19080 --seconds "$seconds" --warm-up "$(( seconds < 5 ? 1 : 3 ))"

dotnet bench/Load/bin/Release/net10.0/Load.dll compare-pop --queues 8 \
  --broker 127.0.0.1:19911 --http-port 19080 --seconds "$seconds" --warm-up "$(( seconds < 5 ? 1 : 3 ))"
