#!/usr/bin/env bash
# Builds the graymq command into build/graymq, compiled ahead of time where the runtime allows it so that it starts fast.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

case "$(uname -m)" in
  x86_64) rid=linux-x64 ;;
  aarch64) rid=linux-arm64 ;;
  *) echo "no build for $(uname -m)" >&2; exit 1 ;;
esac

dotnet publish src/Cli -c Release -r "$rid" --self-contained false -o build/graymq \
  --nologo -v quiet -p:PublishReadyToRun=true -p:DebugType=embedded
