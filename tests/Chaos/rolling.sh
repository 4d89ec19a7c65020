#!/usr/bin/env bash
# Restarts each of three brokers under load: leaving before they stop, which must fail no send and lose nothing; then, beside it, stopped at
# once, which shows what the leaving is worth.
#   tests/Chaos/rolling.sh [seconds between a producer's route polls; 30 as stock clients]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
poll="${1:-30}"

./run.sh --build-only
dotnet build tests/Chaos -c Release --nologo -v quiet
run() { dotnet tests/Chaos/bin/Release/net10.0/GrayMQ.Chaos.dll rolling --command build/graymq/graymq --route-poll "$poll" "$@"; }
run
run --plain || true
