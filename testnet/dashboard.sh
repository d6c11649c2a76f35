#!/usr/bin/env bash
# Drives the dashboard of a three-peer mesh with headless Chromium, over the DevTools protocol: what
# it shows is compared with what `shoal` says, a peer is killed while it looks, a prompt is sent by
# keyboard. Prints a line for each check and keeps screenshots; exits 1 where one fails.
#
#   testnet/dashboard.sh [FOLDER]      screenshots go there (default: a temporary folder)
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
shoal=${SHOAL:-$(swift build -c release --show-bin-path)/shoal}
[ -x "$shoal" ] || { printf 'build first: swift build -c release\n' >&2; exit 1; }
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) \
  || { printf 'there is no Chromium here: apt install chromium\n' >&2; exit 1; }
shots=${1:-$(mktemp -d "${TMPDIR:-/tmp}/shoal-screens.XXXXXX")}
mkdir -p "$shots"

run=$(mktemp -d "${TMPDIR:-/tmp}/shoal-dashboard.XXXXXX")
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

"$shoal" net create dashboard --admission key --out "$run/network.toml" >/dev/null
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
known() { "$shoal" models --data "$run/three" --json | grep -q story; }
await known

"$browser" --headless=new --no-sandbox --disable-gpu --no-first-run --user-data-dir="$run/browser" \
  --remote-debugging-port=0 about:blank >"$run/browser.log" 2>&1 &
pids+=($!)
await test -s "$run/browser/DevToolsActivePort"
port=$(head -n 1 "$run/browser/DevToolsActivePort")
python3 testnet/clients/dashboard.py "$port" "http://$(cat "$run/three/api")" "$shoal" \
  "$run/three" "${pids[1]}" "$shots"
printf 'screenshots: %s\n' "$shots"
