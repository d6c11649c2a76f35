#!/usr/bin/env bash
# Starts a few peers on this machine, each playing a device, and lets them tell a story together.
# Each peer is given a data directory, a port and a profile; they find each other, agree on a plan,
# fetch their atoms and answer by themselves.
set -euo pipefail

usage() {
  cat <<'TEXT'
testnet/local.sh [--peers N] [--topology FILE] [--model FILE] [--prompt TEXT] [--tokens N]
                 [--keep] [--json]
testnet/local.sh --chain [--tokens N]

  --peers N         so many peers, over the devices of the topology in turn (default: its peers)
  --topology FILE   the devices (default: testnet/topologies/household.toml)
  --model FILE      a GGUF file (default: the demo model of this repository)
  --prompt TEXT     what to continue
  --tokens N        how many tokens to tell (default: 24)
  --keep            leave the peers running, and say how to reach them
  --json            one line of facts at the end instead of tables
  --chain           another story: a model is published on a development chain, and peers are paid there
TEXT
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
topology=testnet/topologies/household.toml
model=testnet/demo-model/shoal-stories-q8_0.gguf
prompt="Once upon a time"
tokens=24 peers=0 keep=false json=false

if [ "${1:-}" = --chain ]; then
  shift
  exec testnet/chain/story.sh "$@"
fi

while [ $# -gt 0 ]; do
  case "$1" in
    --peers | --topology | --model | --prompt | --tokens)
      [ $# -ge 2 ] || { usage >&2; exit 2; }
      printf -v "${1#--}" '%s' "$2"
      shift
      ;;
    --keep) keep=true ;;
    --json) json=true ;;
    -h | --help) usage; exit 0 ;;
    *) printf 'unknown: %s\n' "$1" >&2; usage >&2; exit 2 ;;
  esac
  shift
done

say() { if ! $json; then printf '%s\n' "$*"; fi; }
fail() { printf 'local testnet: %s\n' "$*" >&2; exit 1; }
# One value of one-line JSON with sorted keys.
fact() { sed -n "s/.*\"$2\":\"\{0,1\}\([^\",}]*\).*/\1/p" "$1" | head -n 1; }

[ -f "$model" ] || fail "there is no model $model"
[ -f "$topology" ] || fail "there is no topology $topology"

# shellcheck source=testnet/setup.sh
. testnet/setup.sh
shoal_setup
say "building (the first time takes minutes)"
swift build -c release --product shoal >&2
shoal="$(swift build -c release --show-bin-path)/shoal"

# What stands after a key before [peers]; nothing where it does not.
setting() { sed -n "/^\[peers\]/q; s/^$1 *= *//p" "$topology" | tr -d ' "_' | head -n 1; }
latency=$(setting latency_microseconds) bandwidth=$(setting bytes_per_second) memory=$(setting memory)

names=() devices=() houses=()
while IFS='=' read -r name device; do
  names+=("$(printf '%s' "$name" | tr -d ' "')")
  device=$(printf '%s' "$device" | tr -d ' "')
  devices+=("${device%@*}")
  case "$device" in
    *@*)
      [ -n "$latency" ] && [ -n "$bandwidth" ] || fail "$topology has houses and no [line]"
      houses+=("${device#*@}")
      ;;
    *) houses+=("") ;;
  esac
done < <(sed -n '/^\[peers\]/,$p' "$topology" | grep '=' | sed 's/#.*//')
[ ${#names[@]} -gt 0 ] || fail "$topology names no peers"
[ "$peers" -gt 0 ] || peers=${#names[@]}

run=$(mktemp -d "${TMPDIR:-/tmp}/shoal-testnet.XXXXXX")
pids=()
finish() {
  local status=$?
  trap - EXIT INT TERM
  if $keep && [ "$status" -eq 0 ]; then exit 0; fi
  # Only what was started here, by its id.
  for pid in ${pids[@]+"${pids[@]}"}; do kill "$pid" 2>/dev/null || true; done
  for pid in ${pids[@]+"${pids[@]}"}; do wait "$pid" 2>/dev/null || true; done
  if [ "$status" -ne 0 ] && [ -d "$run" ]; then
    printf 'the logs are in %s\n' "$run" >&2
  else
    rm -rf "$run"
  fi
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# --- devices: one factor for all, so that their ratios stay --------------------------------------

profiles=()
for device in "${devices[@]}"; do
  if [ "$device" != self ]; then profiles+=("Peers/$device.toml"); fi
done
factor=1000
if [ ${#profiles[@]} -gt 0 ]; then
  "$shoal" emulate "${profiles[@]}" --out "$run/profiles" --json >"$run/emulate.json"
  factor=$(fact "$run/emulate.json" factorPerMille)
  say "devices are emulated, all slowed by one factor to $factor/1000 of their speed"
fi

# The profile of a device, in a house where it stands in one.
profile() {
  local device=$1 house=$2 file="$run/profiles/$1.toml"
  if [ -n "$house" ]; then
    mkdir -p "$run/profiles/$house"
    {
      cat "$file"
      printf '\n[link.outside]\nclique = "%s"\n' "$house"
      printf 'latency_microseconds = %s\nbytes_per_second = %s\n' "$latency" "$bandwidth"
    } >"$run/profiles/$house/$device.toml"
    file="$run/profiles/$house/$device.toml"
  fi
  printf '%s' "$file"
}

# --- peers ---------------------------------------------------------------------------------------

"$shoal" net create local-testnet --admission key --out "$run/network.toml" >/dev/null
for ((i = 0; i < peers; i++)); do
  name=${names[i % ${#names[@]}]} device=${devices[i % ${#names[@]}]}
  house=${houses[i % ${#names[@]}]}
  [ "$i" -lt ${#names[@]} ] || name="$name-$i"
  data="$run/$name"
  "$shoal" net join "$run/network.toml" --data "$data" >/dev/null
  flags=(--data "$data" --listen 127.0.0.1:0 --api 127.0.0.1:0)
  [ "$device" = self ] || flags+=(--profile "$(profile "$device" "$house")")
  [ -z "$memory" ] || flags+=(--memory "$memory")
  "$shoal" peer "${flags[@]}" >"$run/$name.log" 2>&1 &
  pids+=($!)
  directories[i]=$data
  say "started $name ($device${house:+ in the house $house}), process $!"
done

first=${directories[0]} last=${directories[peers - 1]}

# Waits for a command to succeed, for at most a minute.
await() {
  local what=$1 tries=0
  shift
  until "$@"; do
    tries=$((tries + 1))
    [ $tries -lt 300 ] || fail "waited a minute for $what"
    sleep 0.2
  done
}
answers() { "$shoal" peers --data "$1" --json >"$run/peers.json" 2>/dev/null; }
sees_all() { answers "$1" && [ "$(grep -o '"state":"alive"' "$run/peers.json" | wc -l)" -eq "$peers" ]; }
knows_model() { "$shoal" models --data "$1" --json 2>/dev/null | grep -q '"name":"story"'; }

for data in "${directories[@]}"; do await "a peer to start" answers "$data"; done
"$shoal" import "$model" --name story --data "$first" --json >"$run/import.json"
say "imported $(basename "$model") at ${first##*/}; asking ${last##*/}"
for data in "${directories[@]}"; do await "the peers to find each other" sees_all "$data"; done
await "word of the model" knows_model "$last"
say ""
if ! $json; then "$shoal" peers --data "$last"; fi

# --- the story -----------------------------------------------------------------------------------

say ""
say "objective spread: every device works, whatever it costs"
tell() {
  local facts=$1
  shift
  "$shoal" run story "$prompt" -n "$tokens" --temperature 0.8 --seed 7 --facts "$facts" "$@"
}
say ""
say "$prompt"
if $json; then
  tell "$run/mesh.json" --objective spread --data "$last" >/dev/null 2>&1 || fail "the mesh gave no story"
else
  tell "$run/mesh.json" --objective spread --data "$last" || fail "the mesh gave no story"
fi
"$shoal" plan story --objective spread --data "$last" >"$run/plan.txt"
"$shoal" plan story --objective spread --data "$last" --json >"$run/plan.json"
"$shoal" plan story --context 64 --data "$last" >"$run/quickest.txt"
tell "$run/device.json" --objective latency --data "$last" >/dev/null 2>&1
tell "$run/alone.json" --solo --data "$first" >/dev/null 2>&1

digest() { fact "$1" digest; }
same=no
if [ -n "$(digest "$run/mesh.json")" ] \
  && [ "$(digest "$run/mesh.json")" = "$(digest "$run/alone.json")" ] \
  && [ "$(digest "$run/mesh.json")" = "$(digest "$run/device.json")" ]; then
  same=yes
fi
if $json; then
  printf '{"factorPerMille":%s,"same":"%s","mesh":%s,"device":%s,"alone":%s,"plan":%s}\n' \
    "$factor" "$same" "$(cat "$run/mesh.json")" "$(cat "$run/device.json")" \
    "$(cat "$run/alone.json")" "$(cat "$run/plan.json")"
else
  say ""
  cat "$run/plan.txt"
  say ""
  cat "$run/quickest.txt"
  say ""
  # Measured here, and what that stands for on the devices themselves.
  speed() {
    awk -v name="$1" -v here="$(fact "$2" tokensPerSecond)" -v factor="$factor" \
      'BEGIN { printf "%-22s %8.2f tokens/s here, %9.1f on the devices\n", name, here, here * 1000 / factor }'
  }
  speed "mesh of $peers:" "$run/mesh.json"
  plain() { awk -v name="$1" -v here="$(fact "$2" tokensPerSecond)" \
    'BEGIN { printf "%-22s %8.2f tokens/s here\n", name, here }'; }
  plain "plan for latency:" "$run/device.json"
  plain "this host, no device:" "$run/alone.json"
  say "tokens and logits equal the one-peer run: $same (digest $(digest "$run/mesh.json" | cut -c 1-16))"
fi
[ $same = yes ] || fail "the mesh and one peer differ"

if $keep; then
  say ""
  say "left running in $run:"
  for ((i = 0; i < peers; i++)); do
    say "  ${directories[i]##*/}: http://$(cat "${directories[i]}/api") process ${pids[i]}"
  done
  say "ask one:  $shoal run story \"$prompt\" --data $last"
  say "stop all: kill ${pids[*]}; rm -r $run"
fi
