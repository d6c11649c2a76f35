#!/usr/bin/env bash
# Instructions of the matrix loops on the AVX2 path, counted by callgrind: the same under any load.
# Per byte of weights with one token (decoding), and per byte and token with 64 (prompts). Ends with 1
# where a figure is above its limit in instructions/limits.txt.
#
#   Benchmarks/instructions.sh        (needs valgrind and Swift's clang)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
kernels=Sources/CKernels
clang=${CC:-$(dirname "$(readlink -f "$(command -v swift)")")/clang}
"$clang" -O2 -std=gnu17 -Wall -I "$kernels/include" Benchmarks/instructions/products.c \
  "$kernels"/{matrix_dispatch,paths,matrix_avx2,matrix_avx512}.c -o "$out/products"
status=0
while read -r format tokens limit; do
  bytes=$(valgrind --tool=callgrind --toggle-collect=shoal_multiply_avx2 \
    --callgrind-out-file=/dev/null "$out/products" "$format" "$tokens" 2>"$out/counts")
  counted=$(awk '/Collected/ { print $NF }' "$out/counts")
  found=$(awk -v c="$counted" -v b="$bytes" -v t="$tokens" 'BEGIN { printf "%.3f", c / b / t }')
  verdict=$(awk -v a="$found" -v b="$limit" 'BEGIN { print (a <= b) ? "fine" : "TOO MANY" }')
  printf '%-5s %3s tokens: %s instructions per byte and token, limit %s: %s\n' \
    "$format" "$tokens" "$found" "$limit" "$verdict"
  [ "$verdict" = fine ] || status=1
done < Benchmarks/instructions/limits.txt
exit $status
