#!/usr/bin/env bash
# Installs what is missing, builds everything, runs all tests, and ends with the line "N passed, N failed".
#   ./test.sh [name of a test project ...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source scripts/install.sh

require_dotnet
install_packages "$(rocksdb_package)" "$(postgres_package)"
install_commands node=nodejs npm=npm curl=curl
install_packages haproxy nginx libnginx-mod-stream

dotnet build Broker.sln -c Release --nologo -v quiet

projects=("$@")
if [ "${#projects[@]}" -eq 0 ]; then
  for project in tests/*.Tests; do
    projects+=("$(basename "$project")")
  done
fi

passed=0
failed=0
for project in "${projects[@]}"; do
  log="$(mktemp)"
  set +e
  dotnet test "tests/$project" -c Release --no-build --nologo 2>&1 | tee "$log"
  status="${PIPESTATUS[0]}"
  set -e
  count() { sed -nE "s/.*$1: +([0-9]+).*/\1/p" "$log" | awk '{ sum += $1 } END { print sum + 0 }'; }
  project_failed="$(count Failed)"
  project_passed="$(count Passed)"
  if [ "$status" -ne 0 ] && [ "$project_failed" -eq 0 ]; then
    echo "$project ended with $status before its tests did"
    project_failed=1
  fi
  passed=$((passed + project_passed))
  failed=$((failed + project_failed))
  rm -f "$log"
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
