#!/usr/bin/env bash
# Real peers in network namespaces of their own, over links that are shaped, lossy, slow and cut, on
# disks that are full or of yesterday. Every stream must end with the digest of the undisturbed run.
# Prints what it saw; exits 1 where a claim is broken. Linux only; where namespaces or TAP devices
# are not allowed, it says so and exits 0.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

# All of it happens in namespaces that end with this script.
if [ -z "${SHOAL_LINKS_INSIDE:-}" ]; then
  export SHOAL_LINKS_INSIDE=1
  own=(unshare --net --mount --propagation private)
  [ "$(id -u)" = 0 ] || own=(unshare --user --map-root-user --net --mount --propagation private)
  if ! "${own[@]}" true 2>/dev/null || [ ! -w /dev/net/tun ] || ! command -v python3 >/dev/null; then
    printf 'skipped: this machine allows no network namespaces or TAP devices, or has no python3\n'
    exit 0
  fi
  exec "${own[@]}" bash "$0" "$@"
fi

shoal=${SHOAL:-$(swift build -c release --show-bin-path)/shoal}
[ -x "$shoal" ] || { printf 'build first: swift build -c release\n' >&2; exit 1; }
model=${1:-testnet/demo-model/shoal-stories-q8_0.gguf}
run=$(mktemp -d "${TMPDIR:-/tmp}/shoal-links.XXXXXX")
peers=4 broken=0
declare -A pids homes
finish() {
  for pid in "${pids[@]}" "${homes[@]}" ${relay_PID:-}; do kill -KILL "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  for number in $(seq 0 $((peers - 1))); do umount "$run/peer$number" 2>/dev/null || true; done
  if [ $broken -ne 0 ]; then printf 'the logs are in %s\n' "$run" >&2; else rm -rf "$run"; fi
}
trap 'broken=$?; finish' EXIT
trap 'exit 130' INT TERM

say() { # claim, verdict
  printf '%-72s %s\n' "$1" "$2"
  [ "$2" = holds ] || failed=1
}
failed=0
now() { echo $(($(date +%s%N) / 1000000)); }
await() {
  local tries=0
  until "$@" >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ $tries -lt 600 ] || { printf 'waited a minute for: %s\n' "$*" >&2; exit 1; }
    sleep 0.1
  done
}

# One namespace and one address for each peer, and a switch between them.
coproc relay { exec python3 testnet/relay.py $peers; }
read -r _ <&"${relay[0]}"
order() { printf '%s\n' "$*" >&"${relay[1]}"; }
at() { local number=$1; shift; nsenter --target "${homes[$number]}" --net "$@"; }
for number in $(seq 0 $((peers - 1))); do
  unshare --net sleep infinity &
  homes[$number]=$!
  disown $!
  await test -e "/proc/${homes[$number]}/ns/net"
  until [ "$(readlink "/proc/${homes[$number]}/ns/net")" != "$(readlink /proc/self/ns/net)" ]; do
    sleep 0.01
  done
  ip link set "tap$number" netns "${homes[$number]}"
  at "$number" ip link set lo up
  at "$number" ip link set "tap$number" name eth0
  at "$number" ip address add "10.77.0.$((number + 1))/24" broadcast + dev eth0
  at "$number" ip link set eth0 up
done

start() { # number
  rm -f "$run/peer$1/api"
  # Not by a function: the process id must be the peer's own.
  nsenter --target "${homes[$1]}" --net "$shoal" peer --data "$run/peer$1" \
    --listen "10.77.0.$(($1 + 1)):7432" --api 127.0.0.1:0 --threads 1 >>"$run/peer$1.log" 2>&1 &
  pids[$1]=$!
  disown $!
}
stop() { # number, signal
  kill "-$2" "${pids[$1]}"
  while kill -0 "${pids[$1]}" 2>/dev/null; do sleep 0.02; done
}
ctl() { local number=$1; shift; at "$number" "$shoal" "$@" --data "$run/peer$number"; }
sees() { [ "$(ctl "$1" peers --json | grep -o '"state":"alive"' | wc -l)" -eq "$2" ]; }
knows() { ctl "$1" models --json | grep -q '"name":"story"'; }
fact() { sed -n "s/.*\"$1\":\"\{0,1\}\([0-9a-z.]*\).*/\1/p" "$run/facts.json"; }
ask() { # number, tokens
  rm -f "$run/facts.json"
  ctl "$1" run story "Once upon a time" -n "$2" --temperature 0.9 --seed 7 --objective spread \
    --facts "$run/facts.json" >"$run/out" 2>"$run/err"
}
# Claim $1: a stream of $3 tokens at peer $2 ends as the undisturbed one did.
same() {
  if ! ask "$2" "$3"; then say "$1" "BROKEN: $(tail -n 1 "$run/err")"; return; fi
  local verdict=holds
  [ "$(fact digest)" = "${expected[$3]}" ] || verdict='BROKEN: other tokens'
  say "$1 ($(fact terms) terms, $(fact tokensPerSecond | cut -c 1-5) tokens/s)" "$verdict"
}
meets() { # claim, seconds, number, alive
  local from tries=0
  from=$(now)
  until sees "$3" "$4"; do
    tries=$((tries + 1))
    if [ $(($(now) - from)) -gt $(($2 * 1000)) ]; then say "$1" "BROKEN: not in $2 s"; return; fi
    sleep 0.1
  done
  say "$1 (after $(($(now) - from)) ms)" holds
}

"$shoal" net create links --admission key --out "$run/network.toml" >/dev/null
for number in $(seq 0 $((peers - 1))); do
  mkdir -p "$run/peer$number"
  # The last peer's disk is too small for the model.
  [ "$number" -lt 3 ] || mount -t tmpfs -o size=4m none "$run/peer$number"
  if [ "$number" = 0 ]; then
    "$shoal" assess --quick --data "$run/peer0" >/dev/null 2>&1
  else
    cp "$run/peer0/profile.toml" "$run/peer$number/"
  fi
  "$shoal" net join "$run/network.toml" --data "$run/peer$number" >/dev/null
done
for number in 0 1 2; do start $number; done
for number in 0 1 2; do await sees $number 3; done
# Yesterday's disk: before there was a model.
stop 2 TERM
cp -a "$run/peer2" "$run/yesterday"
start 2
for number in 0 1 2; do await sees $number 3; done
ctl 0 import "$model" --name story >/dev/null
for number in 0 1 2; do await knows $number; done

declare -A expected
for tokens in 40 300; do
  ask 0 $tokens
  expected[$tokens]=$(fact digest)
done
printf 'undisturbed: digests %s and %s, %s tokens/s\n' "${expected[40]:0:16}" \
  "${expected[300]:0:16}" "$(fact tokensPerSecond | cut -c 1-6)"

at 1 tc qdisc add dev eth0 root tbf rate 20mbit burst 32kbit latency 200ms
same 'a worker whose link carries 20 Mbit/s' 0 40
at 1 tc qdisc del dev eth0 root

order weather 5 5 0 0
same '5 to 10 ms each way' 0 40
order weather 2 4 20 100
same '2 to 6 ms, 2 % lost, 10 % reordered' 0 40
order heal

# In the middle of a stream.
amid() { # claim, orders...
  local claim=$1 client word
  shift
  (same "$claim" 0 300; exit $failed) &
  client=$!
  await test -s "$run/out"
  for word in "$@"; do order "$word"; done
  wait $client || failed=1
}
rm -f "$run/out"
amid 'a worker is cut off in the middle of a stream' \
  'cut 1 0' 'cut 1 2' 'cut 1 3' 'cut 0 1' 'cut 2 1' 'cut 3 1'
meets 'the side without it goes on as a mesh of two' 20 0 2
order heal
meets 'all see each other again' 150 0 3
meets 'from the other side as well' 150 1 3
same 'and work together' 1 300
rm -f "$run/out"
amid 'a worker is heard no more, but hears (one way)' 'cut 2 0' 'cut 2 1'
order heal
meets 'all see each other again' 150 0 3
meets 'from the other side as well' 150 2 3

start 3
for number in 0 1 2 3; do await sees $number 4; done
await knows 3
same 'a peer with a full disk is in the mesh' 0 40
same 'and is asked itself' 3 40
say "its disk: $(df --output=pcent "$run/peer3" | tail -n 1 | tr -d ' ') full of 4 MiB" holds

stop 2 KILL
rm -rf "$run/peer2"
cp -a "$run/yesterday" "$run/peer2"
start 2
meets 'a peer that comes back with yesterday'"'"'s disk is taken in' 60 0 4
await knows 2
same 'and works' 0 300
same 'and is asked itself' 2 300
exit $failed
