#!/usr/bin/env bash
# Restarts three brokers and two name servers one after the other under the load of every kind of client: leaving before they stop, which
# must fail no send, lose nothing and deliver nothing twice that was confirmed.
#   tests/Chaos/rolling.sh [seconds between route polls; 30 as stock clients] [more options of the rolling command]
#   tests/Chaos/rolling.sh 30 --compare docs/rolling.svg    and then, drawn beside it, servers that stop at once
#   tests/Chaos/rolling.sh 30 --haproxy                     with HAProxy before each broker
#   tests/Chaos/rolling.sh 30 --scale-in                    one broker leaves for good, with work left that is waited for
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/install.sh
poll="${1:-30}"
shift || true

install_commands node=nodejs npm=npm
install_packages haproxy
./run.sh --build-only
dotnet build tests/Chaos -c Release --nologo -v quiet
dotnet tests/Chaos/bin/Release/net10.0/GrayMQ.Chaos.dll rolling --command build/graymq/graymq --route-poll "$poll" "$@"
