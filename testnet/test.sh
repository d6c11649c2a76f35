#!/usr/bin/env bash
# Sets up, checks the format, builds once, runs the tests; says how long each step took.
set -euo pipefail

usage() {
  cat <<'TEXT'
testnet/test.sh [--filter REGEX] [--long] [--sanitize thread|address]

  --filter REGEX    only the tests whose names match
  --long            the long tests too (more seeds, larger worlds)
  --sanitize KIND   built with ThreadSanitizer or AddressSanitizer, in a build folder of its own
TEXT
}

refuse() {
  printf '%s\n' "$1" >&2
  usage >&2
  exit 2
}

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=testnet/setup.sh
. testnet/setup.sh

build=(--configuration release)
filter=""
while [ $# -gt 0 ]; do
  case "$1" in
    --filter)
      [ $# -ge 2 ] || refuse "--filter needs a pattern."
      filter=$2
      shift
      ;;
    --long) export SHOAL_LONG_TESTS=1 ;;
    --sanitize)
      case "${2:-}" in
        thread | address) build+=(--sanitize "$2" --scratch-path ".build-$2") ;;
        *) refuse "--sanitize is thread or address." ;;
      esac
      # The Swift runtime's own one-time allocations would count as leaks.
      export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=0}"
      shift
      ;;
    -h | --help)
      usage
      exit 0
      ;;
    *) refuse "unknown: $1" ;;
  esac
  shift
done

times=""
# Runs a step under its name; a failure ends the script, after the times so far.
step() {
  local name=$1 started=$SECONDS status=0
  shift
  printf '== %s\n' "$name"
  "$@" || status=$?
  times="$times$(printf '%-8s %4d s' "$name" $((SECONDS - started)))
"
  if [ "$status" -ne 0 ]; then
    printf '\n%s%s failed.\n' "$times" "$name"
    exit "$status"
  fi
}

step set-up shoal_setup
step format swift format lint --strict --parallel --recursive Sources Tests Package.swift
step build swift build "${build[@]}" --build-tests
tests=(swift test "${build[@]}" --skip-build)
if [ -n "$filter" ]; then
  step tests "${tests[@]}" --filter "$filter"
else
  # What waits for real clocks is not to wait for other tests.
  step tests "${tests[@]}" --skip RealTimeTests
  step live "${tests[@]}" --filter RealTimeTests
  # What a token costs in instructions does not depend on the machine's load.
  if command -v valgrind >/dev/null; then step counts Benchmarks/instructions.sh; fi
fi
printf '\n%sall passed in %d s\n' "$times" "$SECONDS"
