#!/usr/bin/env bash
# The NEON loops give the bits of the AVX2 ones, which the tests hold to the Swift reference: one
# digest for each weight format, row function and kind of attention, on this x86-64 machine and
# under qemu-user on arm64.
#
#   testnet/neon.sh       (needs Swift's clang, a C library for arm64 and qemu-aarch64; on Debian the
#                          packages gcc-aarch64-linux-gnu and qemu-user)
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
kernels=Sources/CKernels
flags=(-O2 -std=gnu17 -Wall -I "$kernels/include" -I Tests/KernelDigests)
clang=${CC:-$(dirname "$(readlink -f "$(command -v swift)")")/clang}
arm64=(--target=aarch64-linux-gnu -fuse-ld=/usr/bin/aarch64-linux-gnu-ld -static)

matrices=(Tests/KernelDigests/digests.c "$kernels/matrix_dispatch.c" "$kernels/paths.c")
rows=(-Wno-unused-function Tests/KernelDigests/rows.c "$kernels"/canon_{avx2,neon}.c)
"$clang" "${flags[@]}" "${matrices[@]}" "$kernels"/matrix_{avx2,avx512}.c -o "$out/matrices"
"$clang" "${flags[@]}" "${rows[@]}" -o "$out/rows"
"$clang" "${arm64[@]}" "${flags[@]}" "${matrices[@]}" "$kernels/matrix_neon.c" \
  -o "$out/arm64-matrices"
"$clang" "${arm64[@]}" "${flags[@]}" "${rows[@]}" -o "$out/arm64-rows"

{ "$out/matrices"; "$out/rows"; } > "$out/x86-64.txt"
{ qemu-aarch64 "$out/arm64-matrices"; qemu-aarch64 "$out/arm64-rows"; } > "$out/arm64.txt"
cat "$out/arm64.txt"
diff "$out/x86-64.txt" "$out/arm64.txt" && echo "NEON and AVX2: the same bits everywhere"
