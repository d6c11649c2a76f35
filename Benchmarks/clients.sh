#!/usr/bin/env bash
# What a peer bears of its clients, on the demo model: many streams for a while, connections that ask
# nothing, readers that are slow.
#
#   Benchmarks/clients.sh [SECONDS] [STREAMS]     (60 and 64; needs python3)
#
# Prints the facts of Benchmarks/load.py for each, and exits 1 where a stream fails, memory grows, an
# idle connection is lost, or slow readers cost the others more than a fifth.
set -euo pipefail
seconds=${1:-60} streams=${2:-64} short=$((${1:-60} / 4 + 5))
cd "$(dirname "${BASH_SOURCE[0]}")/.."
shoal=${SHOAL:-$(swift build -c release --show-bin-path)/shoal}
run=$(mktemp -d "${TMPDIR:-/tmp}/shoal-clients.XXXXXX")
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; wait; rm -rf "$run"' EXIT
trap 'exit 130' INT TERM
ulimit -n 4096

"$shoal" net create clients --admission key --out "$run/network.toml" >/dev/null
"$shoal" net join "$run/network.toml" --data "$run/data" >/dev/null
"$shoal" assess --quick --data "$run/data" >/dev/null
"$shoal" import testnet/demo-model/shoal-stories-q8_0.gguf --name model --data "$run/data" >/dev/null
"$shoal" peer --data "$run/data" --listen 127.0.0.1:0 --api 127.0.0.1:0 >"$run/peer.log" 2>&1 &
server=$!
until [ -s "$run/data/api" ]; do sleep 0.1; done
url=http://$(cat "$run/data/api")
until "$shoal" run model x -n 1 --data "$run/data" >/dev/null 2>&1; do sleep 0.1; done

load() { # NAME FLAGS...
  local name=$1
  shift
  python3 Benchmarks/load.py "$url" --warm 3 --pid "$server" "$@" >"$run/$name.json"
  printf '%s: ' "$name"
  cat "$run/$name.json"
}
load many --streams "$streams" --seconds "$seconds"
load idle --streams 4 --seconds "$short" --idle 1000
load alone --streams 8 --seconds "$short"
load slow --streams 8 --seconds "$short" --slow 8

python3 - "$run" <<'PY'
import json, sys
facts = {name: json.load(open(f"{sys.argv[1]}/{name}.json")) for name in ("many", "idle", "alone", "slow")}
many, memory = facts["many"], facts["many"]["residentMiB"]
ratio = facts["slow"]["tokensPerSecond"] / facts["alone"]["tokensPerSecond"]
checks = [
    (f"{many['streams']} streams for {many['seconds']:.0f} s: {many['tokensPerSecond']} tokens/s, gap p50"
     f" {many['gapMs']['p50']} ms, p99 {many['gapMs']['p99']} ms", many["tokens"] > 0),
    ("no error anywhere", not any(each["errors"] for each in facts.values())),
    (f"memory is flat: {memory['after a third']} MiB after a third of the time, {memory['end']} at its end",
     memory["end"] <= 1.1 * memory["after a third"] + 8),
    (f"idle connections held: {facts['idle']['idleHeld']}", facts["idle"]["idleHeld"] == "1000 of 1000"),
    (f"8 streams beside 8 readers of a line a second: {100 * ratio:.0f} % of what they have alone",
     ratio > 0.8),
]
for text, good in checks:
    print(("ok    " if good else "FAIL  ") + text)
sys.exit(not all(good for _, good in checks))
PY
