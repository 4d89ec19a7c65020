#!/usr/bin/env bash
# Takes the place of a broker with a long log under load, on a topic that it alone has: for how long nobody is answered.
#   tests/Chaos/takeover.sh [MiB of log; 10240] [more options of the take-over command]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
log="${1:-10240}"
shift || true

./run.sh --build-only
dotnet build tests/Chaos -c Release --nologo -v quiet
dotnet tests/Chaos/bin/Release/net10.0/GrayMQ.Chaos.dll take-over --command build/graymq/graymq --log-mib "$log" "$@"
