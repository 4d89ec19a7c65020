#!/usr/bin/env bash
# Measures a standalone server beside a bare echo, in one run: the figures of docs/PERFORMANCE.md.
#   bench/measure.sh [seconds] [ASYNC_FLUSH|SYNC_FLUSH]
set -euo pipefail
seconds="${1:-10}"
flush="${2:-ASYNC_FLUSH}"
source "$(dirname "${BASH_SOURCE[0]}")/servers.sh"

start server 19876 19911 19080 broker.brokerName=broker-a "flushDiskType=$flush"
run=(--broker 127.0.0.1:19911 --http-port 19080 --seconds "$seconds" --warm-up "$(( seconds < 5 ? 1 : 3 ))")
load compare "${run[@]}"
load compare-pop --queues 8 "${run[@]}"
