#!/usr/bin/env bash
# Restarts three brokers and two name servers one after the other under the load of every kind of client: leaving before they stop, which
# must fail no send, lose nothing and deliver nothing twice that was confirmed; then, beside it, stopped at once, which shows what the
# leaving is worth.
#   tests/Chaos/rolling.sh [seconds between route polls; 30 as stock clients] [more options of the rolling command]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
poll="${1:-30}"
shift || true

./run.sh --build-only
dotnet build tests/Chaos -c Release --nologo -v quiet
run() { dotnet tests/Chaos/bin/Release/net10.0/GrayMQ.Chaos.dll rolling --command build/graymq/graymq --route-poll "$poll" "$@"; }
run "$@"
run --plain "$@" || true
