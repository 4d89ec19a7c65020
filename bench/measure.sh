#!/usr/bin/env bash
# Measures a standalone server beside a bare echo, in one run: the figures of docs/PERFORMANCE.md.
#   bench/measure.sh [seconds] [ASYNC_FLUSH|SYNC_FLUSH] [more options of the load's commands]
set -euo pipefail
seconds="${1:-10}"
flush="${2:-ASYNC_FLUSH}"
options=("${@:3}")
source "$(dirname "${BASH_SOURCE[0]}")/servers.sh"

# Of short runs the figures mean nothing anyway.
rounds=3 warm_up=3 fill=fill_memory
[ "$seconds" -ge 5 ] || rounds=1 warm_up=1 fill=true
settings=(broker.brokerName=broker-a "flushDiskType=$flush")
run=(--broker 127.0.0.1:19911 --http-port 19080 --seconds "$seconds" --warm-up "$warm_up" "${options[@]}")

"$fill"
start sends 19876 19911 19080 "${settings[@]}"
load compare --rounds "$rounds" "${run[@]}"

# What was sent above takes gigabytes: one store at a time.
stop
"$fill"
start pops 19876 19911 19080 "${settings[@]}"
load compare-pop --queues 8 "${run[@]}"
