#!/usr/bin/env bash
# Kills a standalone server under load N times with each way of flushing; ends with an error when anything was lost.
#   tests/Chaos/kill.sh [N] [seed]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
rounds="${1:-50}"
seed="${2:-$RANDOM}"

./run.sh --build-only
dotnet build tests/Chaos -c Release --nologo -v quiet
for flush in SYNC_FLUSH ASYNC_FLUSH; do
  for what in kill kill-pop kill-filter; do
    dotnet tests/Chaos/bin/Release/net10.0/GrayMQ.Chaos.dll "$what" \
      --command build/graymq/graymq --flush "$flush" --rounds "$rounds" --seed "$seed"
  done
done
