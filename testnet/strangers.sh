#!/usr/bin/env bash
# Whatever strangers can do to the ports of a peer, one thing after the other, while streams run
# through that peer undisturbed and a newcomer is let in: prints a table of what each cost and what it
# was answered; exits 1 where a claim is broken. Linux only; recording needs root.
#
#   testnet/strangers.sh [FAULT...]        testnet/strangers.py has the faults
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

# In a network namespace of its own where that is allowed: the beacons' port is the same everywhere.
if [ -z "${SHOAL_STRANGERS_INSIDE:-}" ]; then
  export SHOAL_STRANGERS_INSIDE=1
  command -v python3 >/dev/null || { printf 'skipped: no python3 here\n'; exit 0; }
  # Far more files than a peer takes connections.
  ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)"
  if unshare --net true 2>/dev/null; then
    exec unshare --net bash -c 'ip link set lo up; ip link set lo multicast on
      ip route add 224.0.0.0/4 dev lo; ip route add default dev lo; exec "$@"' own bash "$0" "$@"
  fi
fi

shoal=${SHOAL:-$(swift build -c release --show-bin-path)/shoal}
[ -x "$shoal" ] || { printf 'build first: swift build -c release\n' >&2; exit 1; }
model=${SHOAL_MODEL:-testnet/demo-model/shoal-stories-q8_0.gguf}
run=$(mktemp -d "${TMPDIR:-/tmp}/shoal-strangers.XXXXXX")
declare -A pids
finish() {
  broken=$?
  for pid in "${pids[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  if [ $broken -ne 0 ]; then printf 'the logs are in %s\n' "$run" >&2; else rm -rf "$run"; fi
}
trap finish EXIT
trap 'exit 130' INT TERM
await() {
  local tries=0
  until "$@" >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ $tries -lt 600 ] || { printf 'waited a minute for: %s\n' "$*" >&2; exit 1; }
    sleep 0.1
  done
}

# Open, so that strangers know the network's key as well as anybody.
"$shoal" net create strangers --admission open --out "$run/network.toml" >/dev/null
"$shoal" assess --quick --data "$run/one" >/dev/null 2>&1
for name in one two three; do
  mkdir -p "$run/$name"
  [ "$name" = one ] || cp "$run/one/profile.toml" "$run/$name/"
  "$shoal" net join "$run/network.toml" --data "$run/$name" >/dev/null
done
for name in one two; do
  "$shoal" peer --data "$run/$name" --listen 127.0.0.1:0 --api 127.0.0.1:0 --threads 1 \
    >>"$run/$name.log" 2>&1 &
  pids[$name]=$!
  await test -f "$run/$name/api"
done
"$shoal" import "$model" --name story --data "$run/one" >/dev/null
knows() { "$shoal" models --data "$run/two" --json | grep -q '"name":"story"'; }
await knows
python3 testnet/strangers.py "$shoal" "$run" "${pids[one]}" "$@"
