#!/usr/bin/env bash
# One broker of three leaves under load and comes back, with its warm-up and without: its part of the sends by second beside the configured
# curve, drawn as stock producers make it by their polls, and how long its first sends take.
#   tests/Chaos/warmup.sh [--plot docs/warmup.svg] [more options of the warmup command]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

./run.sh --build-only
dotnet build tests/Chaos -c Release --nologo -v quiet
dotnet tests/Chaos/bin/Release/net10.0/GrayMQ.Chaos.dll warmup --command build/graymq/graymq "$@"
