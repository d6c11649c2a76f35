#!/usr/bin/env bash
# The same digest from 1, 2, 3, 5 and 7 processes over encrypted sockets, with unequal shares and with
# a different instruction set in each peer. Exits 1 at the first difference.
#
#   testnet/equality.sh [--houses N] [MODEL.gguf]
#
# With --houses, peers say that they stand in N houses in turn: each house becomes a pipeline stage.
set -euo pipefail
houses=1
if [ "${1:-}" = --houses ]; then
  houses=$2
  shift 2
fi
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
shoal="$(swift build -c release --show-bin-path)/shoal"
[ -x "$shoal" ] || { printf 'build first: swift build -c release\n' >&2; exit 1; }
model=${1:-testnet/demo-model/shoal-stories-q8_0.gguf}
run=$(mktemp -d "${TMPDIR:-/tmp}/shoal-equality.XXXXXX")
pids=()
finish() {
  for pid in ${pids[@]+"${pids[@]}"}; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$run"
}
trap finish EXIT
trap 'exit 130' INT TERM

digest() { sed -n 's/.*"digest":"\([0-9a-f]*\)".*/\1/p' "$1"; }
flags=(--temperature 0 -n 48 --json)
"$shoal" run "$model" "Once upon a time" --solo --data "$run/solo" "${flags[@]}" >"$run/solo.json"
expected=$(digest "$run/solo.json")
printf 'one process, no sockets:      %s\n' "$expected"

kernels=()
for kernel in avx512 avx2 neon reference; do
  if "$shoal" run "$model" x --solo --data "$run/solo" --kernel "$kernel" -n 1 >/dev/null 2>&1; then
    kernels+=("$kernel")
  fi
done
"$shoal" net create equality --admission key --out "$run/network.toml" >/dev/null
"$shoal" assess --quick --data "$run/host" >/dev/null 2>&1

count=0
start() {
  local name=peer$count kernel=${kernels[count % ${#kernels[@]}]}
  mkdir -p "$run/$name"
  # Peer n says that it is n + 1 times as fast as the first, so that shares are unequal.
  awk -v times=$((count + 1)) '/^decode_/ { gsub("_", "", $3); printf "%s = %.0f\n", $1, $3 * times; next } { print }' \
    "$run/host/profile.toml" >"$run/$name/profile.toml"
  if [ "$houses" -gt 1 ]; then
    printf '\n[link.outside]\nclique = "house %d"\nlatency_microseconds = 10000\nbytes_per_second = 5000000\n' \
      $((count % houses)) >>"$run/$name/profile.toml"
  fi
  "$shoal" net join "$run/network.toml" --data "$run/$name" >/dev/null
  "$shoal" peer --data "$run/$name" --listen 127.0.0.1:0 --api 127.0.0.1:0 --threads 1 \
    --kernel "$kernel" >"$run/$name.log" 2>&1 &
  pids+=($!)
  count=$((count + 1))
}
alive() { [ "$("$shoal" peers --data "$run/peer0" --json 2>/dev/null | grep -o '"state":"alive"' | wc -l)" -eq "$1" ]; }
await() {
  local tries=0
  until "$@"; do
    tries=$((tries + 1))
    [ $tries -lt 600 ] || { printf 'waited a minute for: %s\n' "$*" >&2; exit 1; }
    sleep 0.1
  done
}

for ranks in 1 2 3 5 7; do
  while [ $count -lt "$ranks" ]; do start; done
  await test -f "$run/peer0/api"
  await alive "$ranks"
  [ "$ranks" -ne 1 ] || "$shoal" import "$model" --name story --data "$run/peer0" >/dev/null
  # A peer that a busy machine keeps from answering in time is left out of a job: ask again.
  for ((tries = 0; ; tries++)); do
    "$shoal" run story "Once upon a time" --objective spread --data "$run/peer0" "${flags[@]}" >"$run/mesh.json"
    shares=$(grep -o '"share":[0-9.]*' "$run/mesh.json" | sed 's/"share"://' | tr '\n' ' ')
    [ "$(wc -w <<<"$shares")" -ne "$ranks" ] || break
    [ $tries -lt 20 ] || { printf 'of %d peers only these took part: %s\n' "$ranks" "$shares" >&2; exit 1; }
    sleep 0.5
  done
  stages=$("$shoal" plan story --objective spread --data "$run/peer0" --json | grep -o '"layers":' | wc -l)
  printf '%d processes, %-18s %s  stages %d, shares %s\n' \
    "$ranks" "sealed sockets:" "$(digest "$run/mesh.json")" "$stages" "$shares"
  [ "$(digest "$run/mesh.json")" = "$expected" ] || { printf 'the digests differ\n' >&2; exit 1; }
done
printf 'kernels in the mesh: %s\n' "${kernels[*]}"
