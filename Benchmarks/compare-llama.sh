#!/usr/bin/env bash
# Shoal beside llama.cpp on one file: the same tests, alternating, medians and their ratios.
#
#   Benchmarks/compare-llama.sh FILE.gguf LLAMA_BENCH [RUNS] [PROMPT] [TOKENS] [DEPTH]
#
# LLAMA_BENCH is the path of llama.cpp's llama-bench, built for this machine. DEPTH above 0 adds the
# same tests after so many tokens.
set -euo pipefail
file=$(realpath "${1:?a GGUF file}") llama=$(realpath "${2:?the path of llama-bench}")
runs=${3:-5} prompt=${4:-512} tokens=${5:-64} depth=${6:-0}
cd "$(dirname "${BASH_SOURCE[0]}")/.."
shoal=${SHOAL:-$(swift build -c release --show-bin-path)/shoal}
run=$(mktemp -d "${TMPDIR:-/tmp}/shoal-compare.XXXXXX")
trap 'rm -rf "$run"' EXIT
"$shoal" import "$file" --name model --data "$run/data" >/dev/null
depths=(-d 0)
[ "$depth" -eq 0 ] || depths=(-d 0 -d "$depth")
for threads in 1 2; do
  for ((i = 0; i < runs; i++)); do
    "$shoal" bench model --data "$run/data" --threads "$threads" -p "$prompt" -n "$tokens" \
      "${depths[@]}" -r 1 --json >"$run/shoal-$threads-$i.json"
    "$llama" -m "$file" -t "$threads" -p "$prompt" -n "$tokens" "${depths[@]}" -r 1 -o json \
      >"$run/llama-$threads-$i.json" 2>/dev/null
  done
done
python3 - "$run" "$runs" <<'PY'
import json, statistics, sys
folder, runs = sys.argv[1], int(sys.argv[2])
load = lambda kind, threads: [json.load(open(f"{folder}/{kind}-{threads}-{i}.json")) for i in range(runs)]

def llama_name(test):
    name = f"pp{test['n_prompt']}" if test["n_prompt"] else f"tg{test['n_gen']}"
    return name + (f"@d{test['n_depth']}" if test.get("n_depth") else "")

print(f"{'test':16s} threads   Shoal  llama.cpp  ratio  of memory   (tokens/s, medians of {runs})")
for threads in (1, 2):
    ours, share, theirs = {}, {}, {}
    for facts in load("shoal", threads):
        for test in facts["tests"]:
            ours.setdefault(test["name"], []).append(test["tokensPerSecond"])
            share.setdefault(test["name"], []).append(test["bytesPerSecond"] / facts["readBytesPerSecond"])
    for tests in load("llama", threads):
        for test in tests:
            theirs.setdefault(llama_name(test), []).append(test["avg_ts"])
    for name, rates in ours.items():
        mine, other = statistics.median(rates), statistics.median(theirs[name])
        print(f"{name:16s} {threads:7d} {mine:7.2f} {other:10.2f} {mine / other:6.2f}"
              f" {100 * statistics.median(share[name]):8.0f} %")
resident = load("shoal", 2)[0]
print(f"model {resident['modelBytes'] / 2**20:.0f} MiB, resident {resident['residentBytes'] / 2**20:.0f} MiB,"
      f" loaded in {resident['loadSeconds']:.2f} s with its files in the cache")
PY
