#!/usr/bin/env bash
# A few seconds of load: shows that the measuring works and that nothing fails under it. Its figures mean nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bench/measure.sh 1 ASYNC_FLUSH --size 128 | tee >(cat >&2) | awk '
  $2 ~ /^[0-9]+x[0-9]+,?$/ { runs++; if ($NF != 0 || $(NF - 9) + 0 == 0) { print "errors, or nothing done, in: " $0; bad = 1 } }
  END { exit bad || runs < 10 }'

bench/connections.sh 5000
