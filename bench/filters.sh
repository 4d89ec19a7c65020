#!/usr/bin/env bash
# What 1,000 groups with conditions of their own cost a broker, with the filter index and without, in one run.
#   bench/filters.sh [seconds] [more options of the load's filters command]
set -euo pipefail
seconds="${1:-30}"
shift || true
source "$(dirname "${BASH_SOURCE[0]}")/servers.sh"

start on 19776 19811 0 flushDiskType=ASYNC_FLUSH filterIndex=on
start off 19786 19821 0 flushDiskType=ASYNC_FLUSH filterIndex=off
load filters --broker 127.0.0.1:19811 --without 127.0.0.1:19821 --topic Trades --size 256 --seconds "$seconds" "$@"
