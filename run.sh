#!/usr/bin/env bash
# Installs what is missing, builds, and runs a standalone server: name server, broker and HTTP in one process.
#   ./run.sh [--build-only] [options of `graymq standalone`]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source scripts/install.sh

build_only=false
if [ "${1:-}" = "--build-only" ]; then
  build_only=true
  shift
fi

require_dotnet
install_packages "$(rocksdb_package)"
./scripts/build.sh

if [ "$build_only" = false ]; then
  exec ./graymq standalone "$@"
fi
