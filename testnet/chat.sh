#!/usr/bin/env bash
# Holds a conversation with the demo model three ways: alone through a pipe, through a running peer,
# and with an answer cut short by Ctrl-C (SIGINT). Ends with another status than 0 where a turn is
# lost or the signal ended more than the answer.
#
#   testnet/chat.sh
#
# SHOAL names the binary; .build/release/shoal where it is not set.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
shoal=${SHOAL:-.build/release/shoal}
model=testnet/demo-model/shoal-stories-q8_0.gguf
out=$(mktemp -d)
peer=
finish() {
  [ -z "$peer" ] || kill "$peer" 2>/dev/null || true
  rm -rf "$out"
}
trap finish EXIT
# Each turn on a line of its own: the demo model knows no roles.
cat >"$out/template.jinja" <<'JINJA'
{{ bos_token }}{% for message in messages %}{{ message['content'] }}
{% endfor %}
JINJA
chat=("$shoal" chat --data "$out/data" --template "$out/template.jinja" --temperature 0)
check() { # WHAT EXPECTED FOUND
  [ "$2" = "$3" ] || { echo "$1: expected $2, found $3"; exit 1; }
  echo "$1: $3"
}

"$shoal" import "$model" --name story --data "$out/data" >/dev/null
printf 'Once upon a time\nThe hen\n' | "${chat[@]}" story -n 8 --solo >"$out/alone"
check "answers alone, through a pipe" 2 "$(grep -c . "$out/alone")"

"$shoal" peer --data "$out/data" --listen 127.0.0.1:0 --api 127.0.0.1:0 >"$out/peer.log" 2>&1 &
peer=$!
for _ in $(seq 100); do
  "$shoal" peers --data "$out/data" >/dev/null 2>&1 && break
  sleep 0.2
done
printf 'Once upon a time\nThe hen\n' | "${chat[@]}" story -n 8 >"$out/meshed"
check "the peer's answers are the same" yes "$(cmp -s "$out/alone" "$out/meshed" && echo yes)"

# The first answer runs until it is cut; the second question is answered all the same.
printf 'Once upon a time\n' | "${chat[@]}" story -n 100000 >"$out/whole"
mkfifo "$out/questions"
"${chat[@]}" story -n 100000 <"$out/questions" >"$out/cut" &
chatting=$!
exec 3>"$out/questions"
echo "Once upon a time" >&3
for _ in $(seq 200); do
  [ -s "$out/cut" ] && break
  sleep 0.05
done
kill -INT "$chatting"
before=-1
while [ "$before" != "$(stat -c %s "$out/cut")" ]; do
  before=$(stat -c %s "$out/cut")
  sleep 0.5
done
printf 'The hen\n/exit\n' >&3
exec 3>&-
wait "$chatting"
check "status after Ctrl-C, another question and /exit" 0 $?
check "the first answer was cut short" yes \
  "$([ "$before" -lt "$(stat -c %s "$out/whole")" ] && echo yes)"
check "the second was given" yes "$([ "$(stat -c %s "$out/cut")" -gt "$before" ] && echo yes)"
