#!/usr/bin/env bash
# Decoding a 1.1B Llama of random weights: alone with 1 and 2 threads, and by two peers with 1 thread
# each, in separate processes over encrypted sockets. Alternating runs, medians.
#
#   Benchmarks/decode-1b.sh [q4_0|q8_0] [RUNS]      (needs python3 with numpy, 2 GB of disk)
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
format=${1:-q4_0} runs=${2:-5} tokens=48
shoal="$(swift build -c release --show-bin-path)/shoal"
run=${SHOAL_BENCH_DIR:-$(mktemp -d "${TMPDIR:-/tmp}/shoal-bench.XXXXXX")}
pids=()
finish() {
  for pid in ${pids[@]+"${pids[@]}"}; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  [ -n "${SHOAL_BENCH_DIR:-}" ] || rm -rf "$run"
}
trap finish EXIT

file="$run/1.1b-$format.gguf"
[ -f "$file" ] || python3 testnet/generate-llama.py "$file" --preset tinyllama-1.1b --type "$format" --seed 1
printf 'import: '
/usr/bin/time -f '%e s, %M KiB resident at most (the mapped file included)' \
  "$shoal" import "$file" --name big --data "$run/solo" >/dev/null

"$shoal" net create bench --admission key --out "$run/network.toml" >/dev/null 2>&1 || true
"$shoal" assess --quick --data "$run/a" >/dev/null
for name in a b; do
  mkdir -p "$run/$name"
  [ "$name" = a ] || cp "$run/a/profile.toml" "$run/b/"
  "$shoal" net join "$run/network.toml" --data "$run/$name" >/dev/null
  rm -f "$run/$name/api"
  "$shoal" peer --data "$run/$name" --listen 127.0.0.1:0 --api 127.0.0.1:0 --threads 1 \
    --memory 3GiB >"$run/$name.log" 2>&1 &
  pids+=($!)
done
until [ -f "$run/a/api" ] && [ -f "$run/b/api" ]; do sleep 0.1; done
"$shoal" import "$file" --name big --data "$run/a" >/dev/null
until [ "$("$shoal" peers --data "$run/b" --json | grep -o '"state":"alive"' | wc -l)" -eq 2 ]; do sleep 0.1; done
until "$shoal" models --data "$run/b" --json | grep -q '"held":[1-9]'; do sleep 0.2; done

prompt=1,5,9,17
alone() { "$shoal" run big --solo --threads "$1" --data "$run/solo" "${flags[@]}" --facts "$2" >/dev/null; }
mesh() { "$shoal" run big --objective spread --data "$run/b" "${flags[@]}" --facts "$1" >/dev/null; }
flags=(--tokens "$prompt" -n "$tokens" --temperature 0 --json)
mesh "$run/warm.json"
for ((i = 0; i < runs; i++)); do
  alone 1 "$run/one-$i.json"
  alone 2 "$run/two-$i.json"
  mesh "$run/mesh-$i.json"
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
