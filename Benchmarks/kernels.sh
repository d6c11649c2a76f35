#!/usr/bin/env bash
# Rates of the matrix loops alone, for each weight format (kernels.c).
#
#   Benchmarks/kernels.sh [avx512|avx2|neon] [THREADS] [FORMAT]
set -euo pipefail
cd "$(dirname "$0")/.."
path=${1:-avx512} threads=${2:-1}
declare -A numbers=([avx512]=0 [avx2]=1 [neon]=2)
clang=${CC:-$(dirname "$(readlink -f "$(command -v swift)")")/clang}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
kernels=Sources/CKernels
"$clang" -O2 -std=gnu17 -Wall -pthread -I "$kernels/include" Benchmarks/kernels.c \
  "$kernels"/matrix_{dispatch,avx512,avx2,neon}.c "$kernels/paths.c" -o "$out/kernels"
"$out/kernels" "${numbers[$path]}" "$threads" ${3:+"$3"}
