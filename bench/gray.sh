#!/usr/bin/env bash
# What a gray topic and an open release of another group cost sends, pulls and pops that have nothing to do with them, in instructions.
#   bench/gray.sh [seconds] [more options of the load's gray command]
set -euo pipefail
seconds="${1:-5}"
shift || true
source "$(dirname "${BASH_SOURCE[0]}")/servers.sh"

graymq() {
  build/graymq/graymq "$@" --namesrv 127.0.0.1:19796 >&2
}

start with 19796 19831 0 grpcPort=0 flushDiskType=ASYNC_FLUSH brokerName=broker-a
start without 19806 19841 0 grpcPort=0 flushDiskType=ASYNC_FLUSH brokerName=broker-a
graymq topic create Orders --queues 6
graymq group create order-service
graymq gray topic enable Orders --wait
graymq gray open order-service
graymq gray rule add order-service --client '*@v2'
load gray --broker 127.0.0.1:19831 --without 127.0.0.1:19841 --seconds "$seconds" "$@"
