#!/usr/bin/env bash
# Runs the tests under a sanitizer, in a build folder of its own: a debug build of everything, ten
# minutes and more of every core. Ends with 1 where the sanitizer has something to say.
#
#   testnet/sanitize.sh thread|address [FILTER]      FILTER as for `swift test --filter`
set -euo pipefail
usage() { sed -n '5s/^# *//p' "${BASH_SOURCE[0]}"; }
cd "$(dirname "${BASH_SOURCE[0]}")/.."
case "${1:-}" in
  # Those with threads, tasks and locks; the others are pure.
  thread) filter=${2:-ShoalNodeTests|ShoalSystemTests|ShoalGatewayTests} ;;
  address) filter=${2:-.} ;;
  -h | --help) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
esac
# shellcheck source=testnet/setup.sh
. testnet/setup.sh
shoal_setup
# The runtime keeps what it allocates once; it is no leak of ours.
export ASAN_OPTIONS=detect_leaks=0 TSAN_OPTIONS=halt_on_error=0 SWIFT_BACKTRACE=enable=no
# Inner loops without optimisation would take hours.
exec swift test -c debug --sanitize="$1" --scratch-path ".build-$1" -Xcc -O2 --filter "$filter"
