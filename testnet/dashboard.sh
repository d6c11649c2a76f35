#!/usr/bin/env bash
# Drives the dashboard of a three-peer mesh with headless Chromium, over the DevTools protocol: what
# it shows is compared with what `shoal` says, a peer is killed while it looks, a prompt is sent by
# keyboard. Prints a line for each check and keeps screenshots; exits 1 where one fails.
#
#   testnet/dashboard.sh [FOLDER]      screenshots go there (default: a temporary folder)
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
# shellcheck source=testnet/peers.sh
. testnet/peers.sh
peers_begin dashboard
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) \
  || { printf 'there is no Chromium here: apt install chromium\n' >&2; exit 1; }
shots=${1:-$(mktemp -d "${TMPDIR:-/tmp}/shoal-screens.XXXXXX")}
mkdir -p "$shots"

peers_measure
peers_join one two three
for name in one two three; do peer_start "$name"; done
for name in one two three; do await is_up "$name"; done
"$shoal" import testnet/demo-model/shoal-stories-q8_0.gguf --name story --data "$run/one" >/dev/null
await knows three story

"$browser" --headless=new --no-sandbox --disable-gpu --no-first-run --user-data-dir="$run/browser" \
  --remote-debugging-port=0 about:blank >"$run/browser.log" 2>&1 &
pids[browser]=$!
disown $!
await test -s "$run/browser/DevToolsActivePort"
port=$(head -n 1 "$run/browser/DevToolsActivePort")
python3 testnet/clients/dashboard.py "$port" "http://$(cat "$run/three/api")" "$shoal" \
  "$run/three" "${pids[two]}" "$shots"
printf 'screenshots: %s\n' "$shots"
