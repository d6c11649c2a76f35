#!/usr/bin/env bash
# Three equal devices, one of which becomes slow while a stream runs, and fast again: it loses share,
# the stream goes over to the new plan, and it gets its share back. The device is stopped and let go
# seven times a second, as one that is hot or whose user is busy. Prints what it saw; exits 1 where
# a claim is broken. Takes two minutes.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
# shellcheck source=testnet/peers.sh
. testnet/peers.sh
peers_begin changing
model=${1:-testnet/demo-model/shoal-stories-q8_0.gguf}
nuisance="" failed=0
at_end() { [ -z "$nuisance" ] || kill -KILL $nuisance 2>/dev/null || true; }
claim() { # words, whether
  if [ "$2" = 0 ]; then printf '%s: BROKEN\n' "$1"; failed=1; else printf '%s: holds\n' "$1"; fi
}

# A token takes some 400 ms on all three together, so that a stream lasts.
cat >"$run/device.toml" <<'TOML'
emulation_per_mille = 200
id = "device"
class = "desktop"
[memory]
total_bytes = 4_000_000_000
usable_bytes = 2_000_000_000
[compute]
decode_f32_bytes_per_second = 30_000_000
decode_f16_bytes_per_second = 30_000_000
decode_q8_0_bytes_per_second = 30_000_000
decode_q4_0_bytes_per_second = 30_000_000
prefill_operations_per_second = 200_000_000_000
[link]
kind = "ethernet"
bytes_per_second = 1_000_000_000
latency_microseconds = 0
latency_prior_microseconds = 10_000
[storage]
disk_bytes = 4_000_000_000
TOML
peers_join one two three
for name in one two three; do peer_start "$name" --profile "$run/device.toml"; done
for name in one two three; do await sees "$name" 3; done
"$shoal" import "$model" --name story --data "$run/one" >/dev/null
for name in one two three; do await knows "$name" story; done
ask() { # tokens, facts
  "$shoal" run story "Once upon a time" -n "$1" --temperature 0.9 --seed 7 --objective spread \
    --data "$run/one" --facts "$2"
}
victim=$("$shoal" peers --data "$run/three" --json | jq -r '.[] | select(.isSelf) | .id')
# Thousandths of a token's bytes that the victim reads under the plan of now.
share() {
  "$shoal" plan story --objective spread --data "$run/one" --json \
    | jq "[.members[] | select(.peer == \"$victim\") | .share * 1000 | floor] | add // 0"
}
tokens=900
# The same tokens from this machine alone, which is not slowed.
"$shoal" run "$model" "Once upon a time" -n $tokens --temperature 0.9 --seed 7 --solo \
  --facts "$run/alone.json" >/dev/null 2>&1

ask $tokens "$run/facts.json" >"$run/out" 2>"$run/err" &
client=$!
start=$SECONDS least=1000 most=0 before=$(share) slow_at=15 well_at=60
bytes=0
while kill -0 $client 2>/dev/null; do
  age=$((SECONDS - start))
  if [ $age -ge $slow_at ] && [ $age -lt $well_at ] && [ -z "$nuisance" ]; then
    (while :; do
      kill -STOP "${pids[three]}"; sleep 0.1
      kill -CONT "${pids[three]}"; sleep 0.04
    done) &
    nuisance=$!
    disown $!
    printf '%3d s: the third peer is stopped five sevenths of the time\n' $age
  fi
  if [ $age -ge $well_at ] && [ -n "$nuisance" ] && [ "$nuisance" != 0 ]; then
    kill "$nuisance"
    kill -CONT "${pids[three]}"
    nuisance=0
    printf '%3d s: and now no more\n' $age
  fi
  now=$(share)
  if [ $age -ge $slow_at ] && [ $age -lt $well_at ] && [ "$now" -lt $least ]; then least=$now; fi
  if [ $age -ge $((well_at + 5)) ] && [ "$now" -gt $most ]; then most=$now; fi
  size=$(wc -c <"$run/out")
  printf '%3d s: its share is %4d/1000, %4d letters in 5 s\n' $age "$now" $((size - bytes))
  bytes=$size
  sleep 5
done
nuisance=${nuisance#0}
wait $client || { tail -n 1 "$run/err"; failed=1; }
printf 'with it: %s tokens/s, %s terms, longest pause %s s\n' \
  "$(fact "$run/facts.json" tokensPerSecond | cut -c 1-5)" "$(fact "$run/facts.json" terms)" \
  "$(fact "$run/facts.json" stallSecondsMax | cut -c 1-5)"
claim "the slow peer lost a fifth of its share or more ($before to $least)" \
  $((least * 5 <= before * 4 ? 1 : 0))
claim "it got most of that back ($most)" $((most - least >= (before - least) / 2 ? 1 : 0))
claim 'the stream went over to the new plans' $(($(fact "$run/facts.json" terms) > 1 ? 1 : 0))
[ "$(fact "$run/facts.json" digest)" = "$(fact "$run/alone.json" digest)" ] && same=1 || same=0
claim 'tokens and logits are those of one machine alone' $same
exit $failed
