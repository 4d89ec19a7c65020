#!/bin/sh
# Has a broker leave without loss, and comes back when it may be stopped: what a deployment pipeline runs before it stops the broker.
#   offline.sh [--scale-in]
# With --scale-in the broker is not to come back: it leaves once everything that it stores has been consumed.
#
# GRAYMQ_HTTP          its HTTP address (http://127.0.0.1:8080)
# GRAYMQ_HTTP_TOKEN    its httpToken, if it has one
# GRAYMQ_TIMEOUT_S     how long to wait (300); the broker goes on leaving after that, online.sh takes it back
#
# Ends with 0: it may be stopped. 1: it refused, somebody took it back, or time is up. 2: wrong usage. 4: it does not answer.
set -eu
. "$(dirname "$0")/broker.sh"

case "$#:${1:-}" in
  0:) mode=restart ;;
  1:--scale-in) mode=scaleIn ;;
  *) say "usage: offline.sh [--scale-in]"; exit 2 ;;
esac

ask_state
post "/lifecycle/drain?mode=$mode"
while ask_state; [ "$state" != drained ]; do
  [ "$state" = draining ] || fail "it is $state: somebody has asked it to stay"
  pause
done
# Somebody may have had it stay and leave in another way meanwhile.
[ "$mode" != scaleIn ] || printf '%s' "$report" | grep -q '"drain":"scaleIn"' || fail "it is drained for a restart: it may store what nobody has consumed"
say "drained: it may be stopped"
