#!/bin/sh
# Comes back when a broker is ready: what a deployment pipeline runs after it has started the broker, or to take offline.sh back.
#   online.sh [--warm]
# With --warm also until the routes show all its write queues, which takes sends: one that nobody sends to for as long is idle, which will do.
#
# GRAYMQ_HTTP          its HTTP address (http://127.0.0.1:8080)
# GRAYMQ_HTTP_TOKEN    its httpToken, if it has one
# GRAYMQ_TIMEOUT_S     how long to wait (300)
#
# Ends with 0: it is ready. 1: it refused, or time is up. 2: wrong usage.
set -eu
. "$(dirname "$0")/broker.sh"

case "$#:${1:-}" in
  0:) warm=false ;;
  1:--warm) warm=true ;;
  *) say "usage: online.sh [--warm]"; exit 2 ;;
esac

is_online() {
  get /health/ready >/dev/null || return 1
  [ "$warm" = false ] || get /lifecycle | grep -Eq '"writeShare":1[,}.]|"warmup":"idle"'
}

until is_online; do
  # It may not have been started yet, and what ends cannot be taken back: what comes after it is waited for.
  state="$(get /lifecycle | state_of)" || state=""
  case "$state" in
    draining | drained) (post /lifecycle/undrain) || true ;;
  esac
  pause
done
say "ready"
