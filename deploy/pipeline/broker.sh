# Sourced by offline.sh and online.sh: asks one broker by HTTP, with curl.
http="${GRAYMQ_HTTP:-http://127.0.0.1:8080}"
deadline=$(($(date +%s) + ${GRAYMQ_TIMEOUT_S:-300}))
state=""
waiting=""

say() { printf '%s\n' "$http: $*" >&2; }

fail() { say "$*"; exit 1; }

get() { curl -fs --max-time 10 "$http$1"; }

# The token is not shown to whoever lists processes; within quotes, curl takes \ as an escape.
post() {
  token="$(printf '%s' "${GRAYMQ_HTTP_TOKEN:-}" | sed 's/[\\"]/\\&/g')"
  answer="$(printf 'header = "Authorization: Bearer %s"\n' "$token" \
    | curl -sS --max-time 10 -K - -X POST -w '\n%{http_code}' "$http$1")" || fail "it does not answer"
  case "$answer" in
    *"
202") ;;
    *) fail "it refuses: $answer" ;;
  esac
}

state_of() { sed -n 's/.*"state":"\([a-zA-Z]*\)".*/\1/p'; }

# Sets state; says what the broker waits for whenever that changes.
ask_state() {
  report="$(get /lifecycle)" || { say "it does not answer"; exit 4; }
  state="$(printf '%s' "$report" | state_of)"
  now="$(printf '%s' "$report" | sed -n 's/.*"waitingFor":"\(\([^"\\]\|\\.\)*\)".*/\1/p')"
  if [ -n "$now" ] && [ "$now" != "$waiting" ]; then
    say "$state; waits for $now"
  fi
  waiting="$now"
}

pause() {
  [ "$(date +%s)" -lt "$deadline" ] || fail "time is up; it is ${state:-not there}"
  sleep 1
}
