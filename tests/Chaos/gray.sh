#!/usr/bin/env bash
# Gray releases one after the other under a steady load, with brokers, name servers and clients killed: every message has to be consumed, by
# the right side and by none of both. Then, beside it, the same joins, leaves and kills without gray, to compare what is consumed twice.
#   tests/Chaos/gray.sh [seconds; 600] [seed] [log]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/install.sh
seconds="${1:-600}"
seed="${2:-$RANDOM}"
log="${3:-gray.log}"

install_packages "$(postgres_package)"
./run.sh --build-only
dotnet build tests/Chaos -c Release --nologo -v quiet
run() {
  dotnet tests/Chaos/bin/Release/net10.0/GrayMQ.Chaos.dll gray --command build/graymq/graymq --seconds "$seconds" --seed "$seed" "$@"
}
run --log "$log"
run --without-gray
