#!/usr/bin/env bash
# Real peers that are killed and stopped while clients stream: every stream must end with the digest
# of the undisturbed run. Prints the longest pause of each stream that was struck, by what struck
# it, with its parts (from the last token until the loss was noticed, until others were ready, until
# the next token) and how often a runnable thread waited for a core, how long it took until one new plan was in force at every peer after a death and after a
# return, and the survivors' memory. Exits 1 where a stream broke, differed, or paused too long, or
# a plan came too late.
set -euo pipefail

usage() {
  cat <<'TEXT'
testnet/chaos.sh [--kills N] [--seed S] [--peers N] [--model FILE]

  --kills N      how often a peer is struck (default: 16, about a minute)
  --seed S       of the choice of victims, signals and moments (default: 1)
  --peers N      so many peers (default: 4)
  --model FILE   a GGUF file (default: the demo model of this repository)

Needs curl and jq. SHOAL names another program than the one that is built here.
TEXT
}

kills=16 seed=1 peers=4 model=testnet/demo-model/shoal-stories-q8_0.gguf
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
while [ $# -gt 0 ]; do
  case "$1" in
    --kills | --seed | --peers | --model)
      [ $# -ge 2 ] || { usage >&2; exit 2; }
      printf -v "${1#--}" '%s' "$2"
      shift
      ;;
    -h | --help) usage; exit 0 ;;
    *) printf 'unknown: %s\n' "$1" >&2; usage >&2; exit 2 ;;
  esac
  shift
done

# shellcheck source=testnet/peers.sh
. testnet/peers.sh
peers_begin chaos

RANDOM=$seed
names=()
for ((i = 0; i < peers; i++)); do names+=("peer$i"); done
# Whether all that `peer0` held at first is held by the others too, without peer $1.
spare() {
  local name
  for name in "${names[@]}"; do [ "$name" = "$1" ] || blobs "$name"; done | sort -u \
    | comm -13 - "$run/all" | { ! grep -q .; }
}
blobs() { find "$run/$1/blobs" -type f -printf '%f\n'; }
# The plan that a job would get at each of the peers, where all name the same; else nothing.
plan() { # peers...
  local name all
  all=$(for name in "$@"; do
    curl -sf --max-time 1 "http://$(cat "$run/$name/api")/api/plan?model=story&objective=spread" \
      | jq -r '"\(.plan) \(.members | length)"' || echo "$name is silent"
  done | sort -u)
  [ "$(wc -l <<<"$all")" -eq 1 ] && echo "$all"
}
# Milliseconds from $1 until the peers after it share a plan of as many members as they are.
planned() { # from, peers...
  local from=$1 found
  shift
  for ((look = 0; look < 400; look++)); do
    if found=$(plan "$@") && [ "${found#* }" = $# ]; then
      echo $(($(now) - from))
      return
    fi
    sleep 0.02
  done
  echo 99999
}
now() { echo $(($(date +%s%N) / 1000000)); }
# Of the longest pause between two tokens: detection, agreement and replay in milliseconds, and the
# terms that it took.
parts() { # facts
  jq -r 'def ms: . * 1000 | floor;
    [.pauses[] | {detect: (.detectSeconds | ms), agree: (.agreeSeconds | ms),
      replay: (.replaySeconds | ms), terms: (.reasons | length)}]
    | max_by(.detect + .agree + .replay) // {detect: 0, agree: 0, replay: 0, terms: 0}
    | "\(.detect) \(.agree) \(.replay) \(.terms)"' "$1"
}
# Milliseconds since the machine started in which some thread waited for a core; 0: it cannot say.
crowded() {
  if [ -r /proc/pressure/cpu ]; then
    awk '/^some/ { sub("total=", "", $5); printf "%d\n", $5 / 1000 }' /proc/pressure/cpu
  else
    echo 0
  fi
}

peers_measure
peers_join "${names[@]}"
for name in "${names[@]}"; do peer_start "$name"; done
for name in "${names[@]}"; do await sees "$name" "$peers"; done
"$shoal" import "$model" --name story --data "$run/peer0" >/dev/null
for name in "${names[@]}"; do await knows "$name" story; done
blobs peer0 | sort -u >"$run/all"

# Prompts that go on for hundreds of tokens; temperature 0.9 so that sampling is under test as well.
prompts=("Once upon a time" "The little dog" "One day a girl named" "There was a big" "Tom and Lily")
ask() { # peer, prompt, facts
  "$shoal" run story "${prompts[$2]}" -n 400 --temperature 0.9 --seed "$2" --objective spread \
    --data "$run/$1" --facts "$3"
}
declare -A expected
for i in "${!prompts[@]}"; do
  ask peer0 "$i" "$run/facts.json" >/dev/null 2>&1
  expected[$i]=$(fact "$run/facts.json" digest)
  printf 'undisturbed: %-24s digest %s, %s tokens/s\n' "\"${prompts[$i]}\"" \
    "${expected[$i]:0:16}" "$(fact "$run/facts.json" tokensPerSecond | cut -c 1-6)"
done
memory() { for name in "${names[@]}"; do ps -o rss= -p "${pids[$name]}" | awk '{ printf " %d", $1 / 1024 }'; done; }
printf 'resident memory at first:%s MiB\n' "$(memory)"

missed=0 differed=0 failed=0
: >"$run/pauses"
# One strike: a stream, a victim, a signal at a random moment of the stream.
strike() {
  local entry=peer$((RANDOM % peers)) prompt=$((RANDOM % ${#prompts[@]})) kind victim signal
  case $((RANDOM % 5)) in
    0 | 1) kind=worker signal=KILL ;;
    2) kind=worker signal=STOP ;;
    3) kind=entry signal=KILL ;;
    4) kind=entry signal=STOP ;;
  esac
  victim=$entry
  if [ $kind = worker ]; then victim=peer$(((${entry#peer} + 1 + RANDOM % (peers - 1)) % peers)); fi
  local wait_ms=$((RANDOM % 400)) client from waited
  await spare "$victim"
  rm -f "$run/out" "$run/facts.json"
  ask "$entry" "$prompt" "$run/facts.json" >"$run/out" 2>"$run/err" &
  client=$!
  await test -s "$run/out"
  sleep "$(awk "BEGIN { print $wait_ms / 1000 }")"
  from=$(now) waited=$(crowded)
  kill -"$signal" "${pids[$victim]}"
  if [ $signal = KILL ]; then
    local survivors=()
    for name in "${names[@]}"; do [ "$name" = "$victim" ] || survivors+=("$name"); done
    planned "$(now)" "${survivors[@]}" >>"$run/planned-death"
  fi
  local verdict=same pause=0 parts="0 0 0 0"
  if ! wait $client; then
    verdict="FAILED: $(tail -n 1 "$run/err")" failed=$((failed + 1))
  elif [ "$(fact "$run/facts.json" digest)" != "${expected[$prompt]}" ]; then
    verdict=DIFFERENT differed=$((differed + 1))
  else
    pause=$(fact "$run/facts.json" stallSecondsMax | awk '{ printf "%d", $1 * 1000 }')
    if [ "$(fact "$run/facts.json" terms)" -gt 1 ] || [ "$(fact "$run/facts.json" resumed)" -gt 0 ]; then
      parts=$(parts "$run/facts.json")
      printf '%s-%s %d %s\n' "$kind" "$signal" "$pause" "$parts" >>"$run/pauses"
    else
      verdict="same (over before it)" missed=$((missed + 1))
    fi
  fi
  waited=$((100 * ($(crowded) - waited) / ($(now) - from + 1)))
  # shellcheck disable=SC2086 # four numbers
  printf '%3d %-4s of %-6s %s at %3d ms: pause %4d ms = %d + %d + %d, terms %d, waited %d %%, %s\n' \
    "$1" "$signal" "$kind" "$victim" "$wait_ms" "$pause" $parts "$waited" "$verdict"
  if [ $signal = STOP ]; then
    # It comes back with an old term, and is to be a peer like any other.
    kill -CONT "${pids[$victim]}"
  else
    peer_start "$victim"
    await is_up "$victim"
    planned "$(now)" "${names[@]}" >>"$run/planned-return"
  fi
  for name in "${names[@]}"; do await sees "$name" "$peers"; done
}

from=$(now)
for ((i = 1; i <= kills; i++)); do strike "$i"; done
printf 'load of the machine: %s\n' "$(cut -d ' ' -f 1-3 /proc/loadavg)"
printf '%d strikes in %d s; %d streams were over before\n' "$kills" $((($(now) - from) / 1000)) $missed
printf 'resident memory at last: %s MiB\n' "$(memory)"
broken=$((failed + differed > 0 ? 1 : 0))
for kind in worker-KILL worker-STOP entry-KILL entry-STOP; do
  sed -n "s/^$kind //p" "$run/pauses" | sort -n >"$run/strikes"
  cut -d ' ' -f 1 "$run/strikes" >"$run/sorted"
  count=$(wc -l <"$run/sorted")
  [ "$count" -gt 0 ] || continue
  limit=1000
  case $kind in entry-KILL) limit=2000 ;; entry-STOP) limit=2000 ;; esac
  median=$(sed -n "$(((count + 1) / 2))p" "$run/sorted") longest=$(tail -n 1 "$run/sorted")
  verdict=holds
  [ "$longest" -le $limit ] || { verdict=BROKEN; broken=1; }
  printf '%-12s %3d streams: pause median %4d ms, longest %4d ms (at most %d) %s\n' \
    "$kind" "$count" "$median" "$longest" $limit $verdict
  for part in 2:noticed 3:agreed 4:replayed; do
    cut -d ' ' -f "${part%:*}" "$run/strikes" | sort -n >"$run/sorted"
    printf '%-12s %s: median %d ms, longest %d ms\n' '' "${part#*:}" \
      "$(sed -n "$(((count + 1) / 2))p" "$run/sorted")" "$(tail -n 1 "$run/sorted")"
  done
  printf '%-12s the longest: %s\n' '' "$(tail -n 1 "$run/strikes" | awk '{
    printf "%d = %d + %d + %d ms, terms that ended: %d", $1, $2, $3, $4, $5 }')"
done
for event in death return; do
  [ -s "$run/planned-$event" ] || continue
  sort -n "$run/planned-$event" >"$run/sorted"
  count=$(wc -l <"$run/sorted")
  median=$(sed -n "$(((count + 1) / 2))p" "$run/sorted") longest=$(tail -n 1 "$run/sorted")
  verdict=holds
  [ "$longest" -le 2000 ] || { verdict=BROKEN; broken=1; }
  printf 'one new plan at every peer after a %-6s: %3d times, median %4d ms, longest %4d ms %s\n' \
    "$event" "$count" "$median" "$longest" "(at most 2000) $verdict"
done
printf '%d streams failed, %d had other tokens\n' $failed $differed
exit $broken
