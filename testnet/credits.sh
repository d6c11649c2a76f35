#!/usr/bin/env bash
# Three meshes of three peers on this machine, one that keeps accounts, one that audits and one that does neither, asked in
# turn: what paying and auditing cost in tokens a second, and whether what the client spent is what the others earned.
#
#   testnet/credits.sh [--runs 8] [--tokens 256]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
runs=8 tokens=256
while [ $# -gt 0 ]; do
  case "$1" in
    --runs | --tokens) printf -v "${1#--}" '%s' "$2"; shift ;;
    *) printf 'unknown: %s\n' "$1" >&2; exit 2 ;;
  esac
  shift
done
# shellcheck source=testnet/peers.sh
. testnet/peers.sh
peers_begin credits
peers_measure
for mesh in free paid audited; do
  NETWORK=$mesh peers_join $mesh-one $mesh-two $mesh-client
  for name in one two client; do
    flags=(--audit 0)
    if [ $mesh = audited ]; then flags=(--audit 64); fi
    if [ $mesh = paid ]; then
      if [ $name = client ]; then flags+=(--pays 10); else flags+=(--price 10); fi
    fi
    peer_start $mesh-$name "${flags[@]}"
  done
  await is_up $mesh-one
  "$shoal" import testnet/demo-model/shoal-stories-q8_0.gguf --name story --data "$run/$mesh-one" >/dev/null
  await sees $mesh-client 3
  await knows $mesh-client story
done
tell() {
  "$shoal" run story "Once upon a time" -n "$tokens" --temperature 0 --objective spread \
    --data "$run/$1-client" --facts "$run/facts.json" >/dev/null 2>&1
  # The file has no newline at its end, and so `fact` writes none.
  printf '%s\n' "$(fact "$run/facts.json" tokensPerSecond)" >>"$run/$1.rates"
  printf '%s\n' "$(fact "$run/facts.json" digest)" >>"$run/digests"
}
# In the first answers ranks get to know each other, and audit every step.
for mesh in free paid audited; do tell $mesh; tell $mesh; : >"$run/$mesh.rates"; done
for ((i = 0; i < runs; i++)); do
  tell free
  tell paid
  tell audited
done
median() { sort -n "$1" | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'; }
for mesh in paid audited; do
  awk -v free="$(median "$run/free.rates")" -v with="$(median "$run/$mesh.rates")" -v runs="$runs" -v mesh=$mesh 'BEGIN {
    printf "free %.1f tokens/s, %s %.1f tokens/s: %+.2f %% (medians of %d runs each)\n",
      free, mesh, with, (free / with - 1) * 100, runs }'
done
for name in one two client; do "$shoal" audit --data "$run/audited-$name" | grep -qx 'nobody was found wrong'; done
[ "$(sort -u "$run/digests" | wc -l)" -eq 1 ] || { printf 'the digests differ\n' >&2; exit 1; }
even() {
  local one two spent
  "$shoal" credits --json --data "$run/paid-client" >"$run/client.json"
  "$shoal" credits --json --data "$run/paid-one" >"$run/one.json"
  "$shoal" credits --json --data "$run/paid-two" >"$run/two.json"
  one=$(fact "$run/one.json" earned) two=$(fact "$run/two.json" earned)
  spent=$(fact "$run/client.json" spent)
  [ "$spent" -gt 0 ] && [ $((one + two)) -eq "$spent" ]
}
await even
"$shoal" credits --data "$run/paid-client"
printf 'earned by the two: %s + %s = spent by the client: %s\n' "$(fact "$run/one.json" earned)" \
  "$(fact "$run/two.json" earned)" "$(fact "$run/client.json" spent)"
