#!/usr/bin/env bash
# Decoding a 1.1B Llama of random weights: alone with 1 and 2 threads, and by two peers with 1 thread
# each, in separate processes over encrypted sockets. Alternating runs, medians.
#
#   Benchmarks/decode-1b.sh [q4_0|q8_0] [RUNS]      (needs python3 with numpy, 2 GB of disk)
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
format=${1:-q4_0} runs=${2:-5} tokens=48
. Benchmarks/mesh.sh
file="$run/1.1b-$format.gguf"
[ -f "$file" ] || python3 testnet/generate-llama.py "$file" --preset tinyllama-1.1b --type "$format" --seed 1
mesh_start "$file"

some=(--tokens 1,5,9,17 -n "$tokens")
for ((i = 0; i < runs; i++)); do
  alone 1 "$run/one-$i.json" "${some[@]}"
  alone 2 "$run/two-$i.json" "${some[@]}"
  mesh "$run/mesh-$i.json" "${some[@]}"
done
python3 - "$run" "$runs" "$format" <<'PY'
import json, statistics, sys
folder, runs, format = sys.argv[1], int(sys.argv[2]), sys.argv[3]
load = lambda kind: [json.load(open(f"{folder}/{kind}-{i}.json")) for i in range(runs)]
kinds = {"one": "alone, 1 thread", "two": "alone, 2 threads", "mesh": "2 peers, 1 thread each"}
rate, digests = {}, set()
for kind, name in kinds.items():
    results = load(kind)
    speeds = [r["timing"]["tokensPerSecond"] for r in results]
    rate[kind] = statistics.median(speeds)
    digests |= {r["digest"] for r in results}
    print(f"{format} {name:24s} {rate[kind]:7.2f} tokens/s (median of {runs}; {min(speeds):.2f} to {max(speeds):.2f})")
t = [r["timing"] for r in load("mesh")]
total = sum(x["computeSeconds"] + x["exchangeSeconds"] + x["waitSeconds"] for x in t)
part = lambda key: 100 * sum(x[key] for x in t) / total
print(f"time of a token at the slower rank: {part('computeSeconds'):.1f} % computing,"
      f" {part('exchangeSeconds'):.1f} % packing and sending, {part('waitSeconds'):.1f} % waiting")
tokens = len(load("mesh")[0]["tokens"]) - 1
print(f"bytes that one rank sends per token: {t[0]['bytesSent'] / max(tokens, 1):.0f}")
ratios = [m["timing"]["tokensPerSecond"] / o["timing"]["tokensPerSecond"] for m, o in zip(load("mesh"), load("two"))]
print(f"2 peers beside 1 peer with 2 threads: {statistics.median(ratios):.3f} (pairwise median)")
print("digests equal:", "yes" if len(digests) == 1 else "NO")
PY
