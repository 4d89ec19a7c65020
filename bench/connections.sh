#!/usr/bin/env bash
# Connections opened and left one after the other, most of them with something that is no request. Fails when the server's memory grows, a
# connection stays open, or the log gets more than one line for each that breaks the protocol, which half of them do.
#   bench/connections.sh [COUNT]    1000000 unless told
set -euo pipefail
count="${1:-1000000}"
source "$(dirname "${BASH_SOURCE[0]}")/servers.sh"

start server 19876 19911 0
log="$store/server.log"
before="$(wc -l < "$log")"
load connections --broker 127.0.0.1:19911 --count "$count"
lines="$(( $(wc -l < "$log") - before ))"
echo "$count connections, $lines lines in the log"
[ "$lines" -le "$(( count / 2 + 100 ))" ] # the server's own lines beside them
