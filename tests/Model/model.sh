#!/usr/bin/env bash
# Asks a standalone server for random things and compares its answers with a simple model, with each way of flushing. Ends with an
# error when they differ, and says with which seed and at which step.
#   tests/Model/model.sh [STEPS | Nm for N minutes] [seed]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
length="${1:-10000}"
seed="${2:-$RANDOM}"

case "$length" in
  *m) length=(--minutes "${length%m}") ;;
  *) length=(--steps "$length") ;;
esac

./run.sh --build-only
dotnet build tests/Model -c Release --nologo -v quiet
for flush in ASYNC_FLUSH SYNC_FLUSH; do
  dotnet tests/Model/bin/Release/net10.0/GrayMQ.Model.dll \
    --command build/graymq/graymq --flush "$flush" "${length[@]}" --seed "$seed"
done
