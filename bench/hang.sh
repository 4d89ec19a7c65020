#!/usr/bin/env bash
# One consumer of three hangs with messages in hand: the backlog of each queue over time, for plain pull and for pop.
#   bench/hang.sh [OUTPUT]    writes OUTPUT.csv and OUTPUT.svg (default: hang)
set -euo pipefail
output="$(realpath "${1:-hang}")"
source "$(dirname "${BASH_SOURCE[0]}")/servers.sh"

start server 19876 19911 0 broker.brokerName=broker-a flushDiskType=ASYNC_FLUSH
load hang --broker 127.0.0.1:19911 --queues 8 --invisible 15 --output "$output"
