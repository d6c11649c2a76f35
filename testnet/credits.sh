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
shoal=${SHOAL:-$(swift build -c release --show-bin-path)/shoal}
[ -x "$shoal" ] || { printf 'build first: swift build -c release\n' >&2; exit 1; }
run=$(mktemp -d "${TMPDIR:-/tmp}/shoal-credits.XXXXXX")
pids=()
finish() {
  for pid in ${pids[@]+"${pids[@]}"}; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$run"
}
trap finish EXIT
trap 'exit 130' INT TERM
await() {
  local tries=0
  until "$@" >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ $tries -lt 600 ] || { printf 'waited a minute for: %s\n' "$*" >&2; exit 1; }
    sleep 0.1
  done
}
fact() { sed -n "s/.*\"$2\":\"\{0,1\}\([0-9.a-z]*\).*/\1/p" "$1"; }
alive() { [ "$("$shoal" peers --data "$1" --json | grep -o '"state":"alive"' | wc -l)" -eq 3 ]; }
knows() { "$shoal" models --data "$1" --json | grep -q '"name":"story"'; }

"$shoal" assess --quick --data "$run/measured" >/dev/null
for mesh in free paid audited; do
  "$shoal" net create "$mesh" --admission key --out "$run/$mesh.toml" >/dev/null
  for name in one two client; do
    data="$run/$mesh-$name"
    mkdir -p "$data"
    cp "$run/measured/profile.toml" "$data/"
    "$shoal" net join "$run/$mesh.toml" --data "$data" >/dev/null
    flags=(--audit 0)
    if [ $mesh = audited ]; then flags=(--audit 64); fi
    if [ $mesh = paid ]; then
      if [ $name = client ]; then flags+=(--pays 10); else flags+=(--price 10); fi
    fi
    "$shoal" peer --data "$data" --listen 127.0.0.1:0 --api 127.0.0.1:0 --threads 1 \
      "${flags[@]}" >"$data.log" 2>&1 &
    pids+=($!)
  done
  await "$shoal" peers --data "$run/$mesh-one"
  "$shoal" import testnet/demo-model/shoal-stories-q8_0.gguf --name story --data "$run/$mesh-one" >/dev/null
  await alive "$run/$mesh-client"
  await knows "$run/$mesh-client"
done
tell() {
  "$shoal" run story "Once upon a time" -n "$tokens" --temperature 0 --objective spread \
    --data "$run/$1-client" --facts "$run/facts.json" >/dev/null 2>&1
  fact "$run/facts.json" tokensPerSecond >>"$run/$1.rates"
  fact "$run/facts.json" digest >>"$run/digests"
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
