#!/usr/bin/env bash
# The products of one layer of TinyLlama's shape for 96 tokens of a prompt, on one thread: the best of
# RUNS for each piece (layer.c). Pieces are short, so that the best is not disturbed on a shared machine.
#
#   Benchmarks/layer.sh [avx512|avx2|neon] [FORMAT] [RUNS]
set -euo pipefail
cd "$(dirname "$0")/.."
path=${1:-avx512} format=${2:-q4_0} runs=${3:-40}
declare -A numbers=([avx512]=0 [avx2]=1 [neon]=2)
clang=${CC:-$(dirname "$(readlink -f "$(command -v swift)")")/clang}
kernels=${KERNELS:-Sources/CKernels}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
"$clang" -O2 -std=gnu17 -Wall -I "$kernels/include" Benchmarks/layer.c \
  "$kernels"/matrix_{dispatch,avx512,avx2,neon}.c "$kernels/paths.c" -o "$out/layer"
"$out/layer" "${numbers[$path]}" "$format" "$runs"
