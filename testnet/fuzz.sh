#!/usr/bin/env bash
# Feeds every parser of foreign bytes to libFuzzer, guided by coverage; ends with 1 on a finding.
set -euo pipefail

usage() {
  cat <<'TEXT'
testnet/fuzz.sh [--seconds N] [TARGET...]

  --seconds N   how long for each target (default: 600)
  TARGET        which parsers (default: all; --list names them)

What is found lies in .build-fuzz/findings/TARGET. Put a finding that was mended into
Tests/Fixtures/fuzz/TARGET: the usual tests begin with it from then on.
TEXT
}

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=testnet/setup.sh
. testnet/setup.sh
seconds=600 targets=() list=false
while [ $# -gt 0 ]; do
  case "$1" in
    --seconds)
      [ $# -ge 2 ] || { usage >&2; exit 2; }
      seconds=$2
      shift
      ;;
    --list) list=true ;;
    -h | --help) usage; exit 0 ;;
    -*) usage >&2; exit 2 ;;
    *) targets+=("$1") ;;
  esac
  shift
done
shoal_setup

# The package's modules by themselves, with coverage in each: only those that parse.
build=$PWD/.build-fuzz
mkdir -p "$build/findings" "$build/corpus"
flags=(
  -O -swift-version 6 -parse-as-library -sanitize=fuzzer -I "$build" -package-name shoal
  -I Sources/CKernels/include -I Sources/CSodium
  -enable-upcoming-feature ExistentialAny -enable-upcoming-feature InternalImportsByDefault
  -enable-upcoming-feature MemberImportVisibility
  -enable-upcoming-feature NonisolatedNonsendingByDefault -enable-experimental-feature Lifetimes
)
module() {
  local name=$1 folder=$2
  local sources
  mapfile -t sources < <(find "$folder" -name '*.swift' | sort)
  printf 'building %s\n' "$name" >&2
  swiftc "${flags[@]}" -wmo -module-name "$name" -emit-module -emit-module-path "$build/$name.swiftmodule" \
    -c "${sources[@]}" -o "$build/$name.o"
}
objects=()
for source in Sources/CKernels/*.c; do
  object=$build/$(basename "$source" .c).o
  clang -O2 -std=gnu17 -ffp-contract=off -I Sources/CKernels/include -c "$source" -o "$object"
  objects+=("$object")
done
for name in ShoalProtocol ShoalInference ShoalSecurity ShoalLedger; do
  module "$name" "Sources/$name"
  objects+=("$build/$name.o")
done
mapfile -t sources < <(find Tests/FuzzTests -name '*.swift' ! -name FuzzTests.swift | sort)
printf 'building the targets\n' >&2
swiftc "${flags[@]}" -wmo -module-name Fuzz "${sources[@]}" "${objects[@]}" -lsodium -o "$build/fuzz"

mapfile -t known < <(FUZZ_TARGET='' "$build/fuzz" 2>"$build/list.log")
if $list; then
  printf '%s\n' "${known[@]}"
  exit 0
fi
[ ${#targets[@]} -gt 0 ] || targets=("${known[@]}")
broken=0
for target in "${targets[@]}"; do
  corpus=$build/corpus/$target findings=$build/findings/$target
  mkdir -p "$corpus" "$findings"
  seeds=()
  [ -d "Tests/Fixtures/fuzz/$target" ] && seeds=("Tests/Fixtures/fuzz/$target")
  status=0
  FUZZ_TARGET=$target SWIFT_BACKTRACE=enable=no "$build/fuzz" "$corpus" "${seeds[@]}" \
    -max_total_time="$seconds" -max_len=65536 -timeout=10 -rss_limit_mb=2048 \
    -artifact_prefix="$findings/" -print_final_stats=1 >"$build/$target.log" 2>&1 || status=$?
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/$target.log")
  covered=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$build/$target.log" | tail -n 1)
  if [ "$status" -eq 0 ]; then
    printf '%-18s %10s inputs, %6s edges, no finding\n' "$target" "${runs:-?}" "${covered:-?}"
  else
    broken=1
    printf '%-18s FOUND: %s\n' "$target" "$(ls "$findings" | tr '\n' ' ')"
    tail -n 5 "$build/$target.log"
  fi
done
exit $broken
