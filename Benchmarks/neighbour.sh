#!/usr/bin/env bash
# Decoding while another program keeps one core busy: two threads should be no worse than one.
#
#   Benchmarks/neighbour.sh FILE.gguf [RUNS] [LLAMA_BENCH]
#
# The neighbour is a shell that loops. Two threads need two cores: on more, give it company by
# NEIGHBOURS=N. Alternating runs of 64 tokens, medians; llama.cpp beside them where its bench is given.
set -euo pipefail
file=$(realpath "${1:?a GGUF file}") runs=${2:-5} llama=${3:+$(realpath "$3")}
cd "$(dirname "${BASH_SOURCE[0]}")/.."
shoal=${SHOAL:-$(swift build -c release --show-bin-path)/shoal}
run=$(mktemp -d "${TMPDIR:-/tmp}/shoal-neighbour.XXXXXX")
neighbours=()
cleanup() {
  for one in "${neighbours[@]}"; do kill "$one" 2>/dev/null || true; done
  rm -rf "$run"
}
trap cleanup EXIT
"$shoal" import "$file" --name model --data "$run/data" >/dev/null
ours() { "$shoal" bench model --data "$run/data" --threads "$1" -p 0 -n 64 -r 1 --json >"$2"; }

for ((i = 0; i < runs; i++)); do ours 2 "$run/alone-$i.json"; done
for ((i = 0; i < ${NEIGHBOURS:-1}; i++)); do
  bash -c 'while :; do :; done' &
  neighbours+=($!)
done
for ((i = 0; i < runs; i++)); do
  ours 1 "$run/one-$i.json"
  ours 2 "$run/two-$i.json"
  [ -z "$llama" ] ||
    "$llama" -m "$file" -t 2 -p 0 -n 64 -r 1 -o json >"$run/llama-$i.json" 2>/dev/null
done
python3 - "$run" "$runs" "$llama" <<'PY'
import json, statistics, sys
folder, runs, llama = sys.argv[1], int(sys.argv[2]), sys.argv[3]
load = lambda kind: [json.load(open(f"{folder}/{kind}-{i}.json")) for i in range(runs)]
rate = lambda kind: statistics.median(facts["tests"][0]["tokensPerSecond"] for facts in load(kind))
alone, one, two = rate("alone"), rate("one"), rate("two")
print(f"2 threads, nobody else    {alone:7.2f} tokens/s (medians of {runs})")
print(f"1 thread and a neighbour  {one:7.2f}")
print(f"2 threads and a neighbour {two:7.2f}, {two / one:.2f} of 1 thread")
if llama:
    print(f"llama.cpp, 2 threads and a neighbour {statistics.median(t[0]['avg_ts'] for t in load('llama')):7.2f}")
PY
