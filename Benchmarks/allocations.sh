#!/usr/bin/env bash
# Counts the heap allocations of decoding, by the kind of thread: on the data path (ranks and their
# workers) a token must make none. Two runs that differ in nothing but 32 tokens are compared, alone
# and as two peers over sealed sockets; exits 1 where the data path allocates. Linux with glibc.
#
#   Benchmarks/allocations.sh [MODEL.gguf]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
# shellcheck source=testnet/peers.sh
. testnet/peers.sh
peers_begin allocations
model=${1:-testnet/demo-model/shoal-stories-q8_0.gguf}
cc -O2 -shared -fPIC -o "$run/count.so" Benchmarks/allocations/count.c

# Prompt and answer together are 132 positions in both runs, and the prompt takes two steps in both,
# so that whatever is reserved for a job is the same.
prompt() { awk -v n="$1" 'BEGIN { for (i = 1; i <= n; i++) printf "%s%d", (i > 1 ? "," : ""), 300 + i % 40 }'; }
short=(--tokens "$(prompt 100)" -n 32 --temperature 0 --json)
long=(--tokens "$(prompt 68)" -n 64 --temperature 0 --json)

alone() { # THREADS NAME
  local kind
  for kind in short long; do
    local -n flags=$kind
    ALLOCATIONS="$run/$2-$kind.bin" LD_PRELOAD="$run/count.so" "$shoal" run "$model" --solo --threads "$1" \
      --data "$run/solo" "${flags[@]}" >"$run/$2-$kind.json"
  done
}
"$shoal" run "$model" x --solo --data "$run/solo" -n 1 --temperature 0 >/dev/null 2>&1
alone 1 one
alone 2 two

peers_measure
peers_join a b
for name in a b; do
  ALLOCATIONS="$run/$name.bin" LD_PRELOAD="$run/count.so" peer_start "$name"
done
for name in a b; do await is_up "$name"; done
"$shoal" import "$model" --name model --data "$run/a" >/dev/null
await sees b 2
holds() { "$shoal" models --data "$run/b" --json | grep -q '"held":[1-9]'; }
await holds
mesh() { # NAME FLAGS...
  local name=$1 peer
  shift
  for peer in a b; do cp "$run/$peer.bin" "$run/$peer-before-$name.bin"; done
  "$shoal" run model --objective spread --data "$run/a" "$@" >"$run/mesh-$name.json"
  for peer in a b; do cp "$run/$peer.bin" "$run/$peer-after-$name.bin"; done
}
mesh warm "${long[@]}"
mesh short "${short[@]}"
mesh long "${long[@]}"

python3 - "$run" <<'PY'
import json, struct, sys
run = sys.argv[1]
def table(path):
    data = open(path, "rb").read()
    rows = (data[i:i + 24] for i in range(0, len(data), 24))
    return {r[:16].split(b"\0")[0].decode(): struct.unpack("<Q", r[16:])[0] for r in rows if r[0]}
def tokens(name):
    return len(json.load(open(f"{run}/{name}.json"))["tokens"])
def kind(name):
    for start, kind in (("rank", "ranks"), ("shoal-worker", "workers"), ("entry", "entry")):
        if name.startswith(start): return kind
    return "others"
def kinds(counts):
    sums = dict.fromkeys(("ranks", "workers", "entry", "others"), 0)
    for name, count in counts.items(): sums[kind(name)] += count
    return sums
def less(after, before):
    return {name: count - before.get(name, 0) for name, count in after.items()}
rows, broken = [], False
for name, title in (("one", "alone, 1 thread"), ("two", "alone, 2 threads")):
    short, long = (kinds(table(f"{run}/{name}-{kind}.bin")) for kind in ("short", "long"))
    rows.append((name, title, short, long, tokens(f"{name}-long") - tokens(f"{name}-short")))
for peer, title in (("a", "2 peers: entry and rank"), ("b", "2 peers: rank")):
    short, long = (
        kinds(less(table(f"{run}/{peer}-after-{kind}.bin"), table(f"{run}/{peer}-before-{kind}.bin")))
        for kind in ("short", "long"))
    rows.append((peer, title, short, long, tokens("mesh-long") - tokens("mesh-short")))
print(f"{'allocations for a token':26s} {'ranks':>9s} {'workers':>9s} {'entry':>9s} {'others':>9s}")
for name, title, short, long, count in rows:
    if count <= 0: sys.exit(f"{title}: the longer run has no more tokens; take another model")
    each = {kind: (long[kind] - short[kind]) / count for kind in short}
    print(f"{title:26s} " + " ".join(f"{each[k]:9.2f}" for k in ("ranks", "workers", "entry", "others")))
    # What a thread makes once may fall into either run; what a token makes shows 32 times. A pool of
    # workers lends them one closure for each fork-join, which is why that row is not held to zero.
    if name != "two": broken |= any((long[k] - short[k]) * 4 > count for k in ("ranks", "workers"))
print("the data path allocates" if broken else "the data path allocates nothing")
sys.exit(broken)
PY
