#!/usr/bin/env bash
# Perplexity beside llama.cpp's, same files, same text, chunks of 512 tokens scored on their second
# half. Files are made from one F32 file by llama.cpp's quantiser.
#
#   Benchmarks/perplexity.sh F32.gguf LLAMA_CPP_BIN [TYPE ...]     (default Q8_0 Q4_0 Q4_K_M)
#
# The demo model's F32 file is made by testnet/demo-model/train.py and export.py; its Q8_0 equals the
# one that ships. Exit code 1 where they differ by more than 0.5 %.
set -euo pipefail
cd "$(dirname "$0")/.."
file=$1 bin=$2
shift 2
types=("$@")
[ ${#types[@]} -gt 0 ] || types=(Q8_0 Q4_0 Q4_K_M)
shoal=${SHOAL:-.build/release/shoal}
text=Tests/Fixtures/text/stories.txt
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

apart=0
printf '| %-7s | %-9s | %-9s | %-8s |\n' file llama.cpp shoal ratio
for type in "${types[@]}"; do
  model=$file
  if [ "$type" != F32 ]; then
    model=$out/$type.gguf
    "$bin/llama-quantize" "$file" "$model" "$type" 1 > "$out/log" 2>&1 || { cat "$out/log"; exit 2; }
  fi
  theirs=$("$bin/llama-perplexity" -m "$model" -f "$text" -c 512 2>&1 |
    sed -n 's/.*Final estimate: PPL = \([0-9.]*\).*/\1/p')
  ours=$("$shoal" perplexity "$model" "$text" --context 512 --json --data "$out/data" |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["perplexity"])')
  python3 - "$type" "$theirs" "$ours" <<'PYTHON' || apart=1
import sys
name, theirs, ours = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
print(f"| {name:7} | {theirs:9.4f} | {ours:9.4f} | {ours / theirs:8.5f} |")
sys.exit(abs(ours / theirs - 1) > 0.005)
PYTHON
done
exit $apart
