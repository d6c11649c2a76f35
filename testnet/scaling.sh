#!/usr/bin/env bash
# How a mesh scales: 1, 2, 4 and 8 equal devices that decode one model together, over loopback and
# over gigabit Ethernet, beside what the planner reckoned; and one phone alone beside a household of
# a desktop, that phone and two budget phones. Exits 1 where a step is further than 20 % from the
# planner's estimate, or where tokens differ.
#
# The devices are emulated: each process waits until its device would have been done, all slowed by
# one factor. That holds the protocol's overhead to account, not the devices.
set -euo pipefail

usage() {
  cat <<'TEXT'
testnet/scaling.sh [--model FILE] [--factor N] [--peers LIST] [--tokens N] [--household]

  --model FILE   a GGUF file (default: a Llama of 1.1 billion random weights in Q4_0, made anew;
                 that needs python3 with numpy and 700 MB)
  --factor N     thousandths of their speed that the devices are slowed to (default: 10)
  --peers LIST   such as 1,2,4,8 (the default)
  --tokens N     of each measurement (default: 6)
  --household    only the household
  --equal        only the equal devices

Needs python3.
TEXT
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
model='' factor=10 counts=1,2,4,8 tokens=6 parts='equal household'
while [ $# -gt 0 ]; do
  case "$1" in
    --model) model=$2; shift ;;
    --factor) factor=$2; shift ;;
    --peers) counts=$2; shift ;;
    --tokens) tokens=$2; shift ;;
    --household) parts=household ;;
    --equal) parts=equal ;;
    -h | --help) usage; exit 0 ;;
    *) printf 'unknown: %s\n' "$1" >&2; usage >&2; exit 2 ;;
  esac
  shift
done

shoal=${SHOAL:-$(swift build -c release --show-bin-path)/shoal}
[ -x "$shoal" ] || { printf 'build first: swift build -c release\n' >&2; exit 1; }
run=$(mktemp -d "${TMPDIR:-/tmp}/shoal-scaling.XXXXXX")
pids=()
stop() {
  for pid in ${pids[@]+"${pids[@]}"}; do kill "$pid" 2>/dev/null || true; done
  for pid in ${pids[@]+"${pids[@]}"}; do wait "$pid" 2>/dev/null || true; done
  pids=()
}
trap 'stop; [ -n "${KEEP:-}" ] || rm -rf "$run"' EXIT
trap 'exit 130' INT TERM

if [ -z "$model" ]; then
  model=$run/1.1b.gguf
  python3 testnet/generate-llama.py "$model" --preset tinyllama-1.1b --type q4_0 --seed 1 >&2
fi
# What all peers begin with: the model is on every disk, so that nothing is fetched.
"$shoal" import "$model" --name big --data "$run/first" >/dev/null

await() {
  local tries=0
  until "$@" >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ $tries -lt 600 ] || { printf 'waited a minute for: %s\n' "$*" >&2; exit 1; }
    sleep 0.1
  done
}
alive() { [ "$("$shoal" peers --data "$1" --json | grep -o '"state":"alive"' | wc -l)" -eq "$2" ]; }
knows() { "$shoal" models --data "$1" --json | grep -q '"name":"big"'; }

# One more peer of the mesh $1 for each profile; the first of a mesh announces the model.
join() { # mesh, profiles...
  local mesh=$1 profile data
  shift
  [ -f "$run/$mesh.toml" ] \
    || "$shoal" net create "$mesh" --admission key --out "$run/$mesh.toml" >/dev/null
  for profile in "$@"; do
    data="$run/$mesh-${#pids[@]}"
    mkdir -p "$data"
    cp -al "$run/first/blobs" "$data/blobs"
    "$shoal" net join "$run/$mesh.toml" --data "$data" >/dev/null
    "$shoal" peer --data "$data" --listen 127.0.0.1:0 --api 127.0.0.1:0 --threads 1 \
      --profile "$profile" >"$data.log" 2>&1 &
    pids+=($!)
    await test -f "$data/api"
  done
  for ((i = 0; i < ${#pids[@]}; i++)); do await alive "$run/$mesh-$i" ${#pids[@]}; done
  knows "$run/$mesh-0" || "$shoal" import "$model" --name big --data "$run/$mesh-0" >/dev/null
  for ((i = 0; i < ${#pids[@]}; i++)); do await knows "$run/$mesh-$i"; done
}
# Facts and the plan of one objective, asked at the first peer.
measure() { # mesh, objective, name of the measurement
  "$shoal" plan big --objective "$2" --context "$((tokens + 2))" --data "$run/$1-0" --json \
    >"$run/$3.plan"
  "$shoal" run big --tokens 1,5 -n "$tokens" --temperature 0 --objective "$2" \
    --data "$run/$1-0" --facts "$run/$3.json" >/dev/null 2>"$run/$1.err" \
    || { cat "$run/$1.err" >&2; exit 1; }
}
slowed() { # profile, folder, [bytes per second, microseconds]
  local copy
  copy=$run/$2/$(basename "$1")
  mkdir -p "$run/$2"
  {
    printf 'emulation_per_mille = %s\n' "$factor"
    if [ $# -gt 2 ]; then
      sed "s/^bytes_per_second = .*/bytes_per_second = $3/
        s/^latency_microseconds = .*/latency_microseconds = $4/" "$1"
    else
      cat "$1"
    fi
  } >"$copy"
  printf '%s' "$copy"
}

for part in $parts; do
  case $part in
    equal)
      # What loopback itself takes is real, and so the less beside devices the slower they are.
      loopback=$(slowed Peers/mini-pc-n150.toml loopback 4_000_000_000 0)
      ethernet=$(slowed Peers/mini-pc-n150.toml ethernet 117_000_000 100)
      for link in loopback ethernet; do
        for count in ${counts//,/ }; do
          while [ ${#pids[@]} -lt "$count" ]; do join "$link" "${!link}"; done
          measure "$link" spread "$link-$count"
        done
        stop
      done
      ;;
    household)
      phone=$(slowed Peers/iphone-15-pro.toml phone)
      budget=$(slowed Peers/budget-android.toml budget)
      desktop=$(slowed Peers/rtx4090-desktop.toml desktop)
      join household "$phone"
      measure household latency phone
      join household "$desktop" "$budget" "$budget"
      measure household latency quickest
      measure household spread everybody
      stop
      ;;
  esac
done

python3 testnet/scaling.py "$run" "$factor" "$counts" $parts
