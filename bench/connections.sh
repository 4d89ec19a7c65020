#!/usr/bin/env bash
# Connections opened and left one after the other, most of them with something that is no request. Fails when the server's memory grows, a
# connection stays open, or the log gets more than one line for each.
#   bench/connections.sh [COUNT]    1000000 unless told
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
count="${1:-1000000}"
store="$(mktemp -d)"
log="$store/server.log"

./run.sh --build-only >&2
dotnet build bench/Load -c Release --nologo -v quiet

build/graymq/graymq standalone --store "$store/data" --namesrv-port 19876 --broker-port 19911 --http-port 0 >"$log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null; rm -rf "$store"' EXIT

for _ in $(seq 200); do
  grep -q "is ready" "$log" && break
  kill -0 "$server" 2>/dev/null || { cat "$log"; exit 1; }
  sleep 0.05
done

before="$(wc -l < "$log")"
dotnet bench/Load/bin/Release/net10.0/Load.dll connections --broker 127.0.0.1:19911 --count "$count"
lines="$(( $(wc -l < "$log") - before ))"
echo "$count connections, $lines lines in the log"
[ "$lines" -le "$count" ]
