#!/usr/bin/env bash
# What a gray topic and an open release of another group cost sends, pulls and pops that have nothing to do with them, in instructions.
#   bench/gray.sh [seconds] [more options of the load's gray command]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
seconds="${1:-5}"
shift || true
store="$(mktemp -d)"
servers=()

./run.sh --build-only >&2
dotnet build bench/Load -c Release --nologo -v quiet >&2
trap 'kill "${servers[@]}" 2>/dev/null; wait "${servers[@]}" 2>/dev/null; rm -rf "$store"' EXIT

# start NAME NAMESRV-PORT BROKER-PORT
start() {
  build/graymq/graymq standalone --store "$store/$1" --namesrv-port "$2" --broker-port "$3" --http-port 0 --set grpcPort=0 \
    --set flushDiskType=ASYNC_FLUSH --set brokerName=broker-a >"$store/$1.log" 2>&1 &
  servers+=("$!")
  for _ in $(seq 600); do
    grep -q "is ready" "$store/$1.log" && return
    kill -0 "${servers[-1]}" 2>/dev/null || break
    sleep 0.05
  done
  cat "$store/$1.log"
  exit 1
}

graymq() {
  build/graymq/graymq "$@" --namesrv 127.0.0.1:19796 >&2
}

start with 19796 19831
start without 19806 19841
graymq topic create Orders --queues 6
graymq group create order-service
graymq gray topic enable Orders --wait
graymq gray open order-service
graymq gray rule add order-service --client '*@v2'
dotnet bench/Load/bin/Release/net10.0/Load.dll gray --broker 127.0.0.1:19831 --without 127.0.0.1:19841 --seconds "$seconds" "$@"
