#!/usr/bin/env bash
# Lets clients that exist talk to a mesh: the official `openai` and `ollama` packages for Python against
# three peers, then bad requests byte by byte, then schemathesis against the OpenAPI file that the peer
# serves. Each check prints a line; exits 1 where one fails. The packages go into an environment of
# their own (pip), kept in ~/.cache/shoal-clients between runs.
#
#   testnet/clients.sh [--seconds N] [--only clients|bad|fuzz]      N: how long to fuzz (60)
#   SHOAL=PROGRAM takes another program than the one of this checkout.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
seconds=60 only=""
while [ $# -gt 0 ]; do
  case "$1" in
    --seconds) seconds=${2:?}; shift ;;
    --only) only=${2:?}; shift ;;
    *) sed -n '2,9p' "$0" | sed 's/^# \{0,1\}//' >&2; exit 2 ;;
  esac
  shift
done
shoal=${SHOAL:-$(swift build -c release --show-bin-path)/shoal}
[ -x "$shoal" ] || { printf 'build first: swift build -c release\n' >&2; exit 1; }

venv=${SHOAL_CLIENTS_VENV:-$HOME/.cache/shoal-clients}
if [ ! -x "$venv/bin/python" ]; then python3 -m venv "$venv"; fi
"$venv/bin/python" -c 'import openai, ollama, schemathesis' 2>/dev/null \
  || "$venv/bin/pip" install --quiet openai ollama schemathesis

run=$(mktemp -d "${TMPDIR:-/tmp}/shoal-clients.XXXXXX")
pids=()
finish() {
  local status=$?
  exec 2>/dev/null
  for pid in ${pids[@]+"${pids[@]}"}; do kill "$pid" || true; done
  wait || true
  if [ "$status" -eq 0 ]; then rm -rf "$run"; else printf 'the logs are in %s\n' "$run"; fi
}
trap finish EXIT
trap 'exit 130' INT TERM
await() {
  local tries=0
  until "$@" >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ $tries -lt 300 ] || { printf 'waited half a minute for: %s\n' "$*" >&2; exit 1; }
    sleep 0.1
  done
}

"$shoal" net create clients --admission key --out "$run/network.toml" >/dev/null
"$shoal" assess --quick --data "$run/one" >/dev/null 2>&1
for name in one two three; do
  mkdir -p "$run/$name"
  [ "$name" = one ] || cp "$run/one/profile.toml" "$run/$name/"
  "$shoal" net join "$run/network.toml" --data "$run/$name" >/dev/null
  "$shoal" peer --data "$run/$name" --listen 127.0.0.1:0 --api 127.0.0.1:0 --threads 1 \
    >"$run/$name.log" 2>&1 &
  pids+=($!)
done
for name in one two three; do await test -f "$run/$name/api"; done
"$shoal" import testnet/demo-model/shoal-stories-q8_0.gguf --name story --data "$run/one" >/dev/null
alive() { [ "$("$shoal" peers --data "$run/three" --json | grep -o '"state":"alive"' | wc -l)" -eq 3 ]; }
await alive
known() { "$shoal" models --data "$run/three" --json | grep -q story; }
await known
address=$(cat "$run/three/api")

status=0
part() { # NAME COMMAND...
  local name=$1
  shift
  [ -z "$only" ] || [ "$only" = "$name" ] || return 0
  printf '== %s\n' "$name"
  "$@" || status=1
}
part clients "$venv/bin/python" testnet/clients/official.py "http://$address" story
part bad "$venv/bin/python" testnet/clients/bad.py "$address" story
part fuzz "$venv/bin/python" testnet/clients/fuzz.py "http://$address" "$seconds"
# Whatever came, the peers are still there.
await alive
printf '%s\n' "$([ "$status" -eq 0 ] && echo 'all as it should be, and three peers alive' || echo 'something is missing')"
exit "$status"
