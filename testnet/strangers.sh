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

# shellcheck source=testnet/peers.sh
. testnet/peers.sh
peers_begin strangers
model=${SHOAL_MODEL:-testnet/demo-model/shoal-stories-q8_0.gguf}

# Open, so that strangers know the network's key as well as anybody.
ADMISSION=open
peers_measure
peers_join one two three
for name in one two; do
  peer_start "$name"
  await is_up "$name"
done
"$shoal" import "$model" --name story --data "$run/one" >/dev/null
await knows two story
python3 testnet/strangers.py "$shoal" "$run" "${pids[one]}" "$@"
