#!/usr/bin/env bash
# How long the header of a model takes to read and to cut into atoms, and the plan of a Llama 70B
# over all profiles of Peers/: the best of five. Ends with another status than 0 where a header took
# a second, or a plan half a second.
#
#   Benchmarks/headers.sh
#
# SHOAL names the binary; .build/release/shoal where it is not set.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
shoal=${SHOAL:-.build/release/shoal}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
python3 Benchmarks/headers/headers.py "$out"
for model in "$out/llama-70b" "$out/llama-70b-q4_0.gguf"; do
  for _ in 1 2 3 4 5; do
    "$shoal" plan "$model" --objective spread --json --data "$out/data" --peers Peers
  done | python3 -c '
import json, sys
plans = [json.loads(line) for line in sys.stdin]
header = min(plan["headerMilliseconds"] for plan in plans)
took = min(plan["planMilliseconds"] for plan in plans)
name = plans[0]["model"]
print(f"{name}: header read and cut in {header:.0f} ms (limit 1000),"
      f" planned in {took:.1f} ms (limit 500)")
sys.exit(header >= 1000 or took >= 500)'
done
