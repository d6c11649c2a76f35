#!/usr/bin/env bash
# The all-reduce alone: on loopback as it is, and on a loopback shaped to 1 Gbit/s (one rate for all
# directions together) in a network namespace of its own, where that is allowed. Linux.
#
#   Benchmarks/sync.sh [ROUNDS]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
rounds=${1:-2000}
shoal="$(swift build -c release --show-bin-path)/shoal"
[ -x "$shoal" ] || { printf 'build first: swift build -c release\n' >&2; exit 1; }
printf 'loopback\n'
"$shoal" bench --sync --rounds "$rounds"
shape='ip link set lo up && tc qdisc add dev lo root tbf rate 1gbit burst 64k latency 50ms'
if unshare -rn sh -c "$shape" 2>/dev/null; then
  printf 'loopback shaped to 1 Gbit/s (tbf)\n'
  unshare -rn sh -c "$shape && exec \"\$0\" bench --sync --rounds \"\$1\"" "$shoal" "$((rounds / 4))"
else
  printf 'no right to shape a network here: the same link, played\n'
  "$shoal" bench --sync --rounds "$((rounds / 4))" --rate 1000
fi
