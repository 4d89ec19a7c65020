#!/usr/bin/env bash
# Gray releases one after the other under a steady load, with brokers, name servers and clients killed: every message has to be consumed, by
# the right side and by none of both. Then, beside it, the same joins, leaves and kills without gray, to compare what is consumed twice.
#   tests/Chaos/gray.sh [seconds; 600] [seed] [folder]     keeps there what happened (soak.log), the servers' logs, and their data
#   tests/Chaos/gray.sh smoke       one promotion and one withdrawal, and nobody is killed
#   tests/Chaos/gray.sh plot LOG    draws the first promotion of a log into docs/gray-promotion.svg
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/install.sh
what="${1:-600}"
seed="${2:-$RANDOM}"
folder="${3:-}"

chaos() { dotnet tests/Chaos/bin/Release/net10.0/GrayMQ.Chaos.dll "$@"; }
run() { chaos gray --command build/graymq/graymq --seed "$seed" "$@"; }

dotnet build tests/Chaos -c Release --nologo -v quiet
if [ "$what" = plot ]; then
  chaos gray-plot "$2" docs/gray-promotion.svg
  exit
fi

install_packages "$(postgres_package)"
./run.sh --build-only
if [ "$what" = smoke ]; then
  run --seconds 1 --no-kills
  exit
fi

# What the first run finds is worth comparing all the more.
failed=0
run --seconds "$what" ${folder:+--folder "$folder"} || failed=1
run --seconds "$what" --without-gray || failed=1
exit "$failed"
