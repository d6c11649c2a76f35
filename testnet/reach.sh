#!/usr/bin/env bash
# Real peers behind real address translation, in network namespaces of their own: a public bootstrap peer,
# a home whose router forwards its port (full cone), one whose router gives every connection another
# port (symmetric), a peer with IPv6 alone, and a home behind its carrier's translation. Prints who
# reaches whom in which way, and lets all five tell one story. Exits 1 where a claim is broken. Linux
# only; where namespaces or nftables are not there, it says so and exits 0.
#
#   testnet/reach.sh [MODEL.gguf]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

# All of it happens in namespaces that end with this script.
if [ -z "${SHOAL_REACH_INSIDE:-}" ]; then
  export SHOAL_REACH_INSIDE=1
  own=(unshare --net --mount --propagation private)
  [ "$(id -u)" = 0 ] || own=(unshare --user --map-root-user --net --mount --propagation private)
  if ! "${own[@]}" nft list ruleset >/dev/null 2>&1 || ! command -v python3 >/dev/null; then
    printf 'skipped: this machine allows no network namespaces, or has no nft or python3\n'
    exit 0
  fi
  exec "${own[@]}" bash "$0" "$@"
fi

shoal=${SHOAL:-$(swift build -c release --show-bin-path)/shoal}
[ -x "$shoal" ] || { printf 'build first: swift build -c release\n' >&2; exit 1; }
model=${1:-testnet/demo-model/shoal-stories-q8_0.gguf}
run=$(mktemp -d "${TMPDIR:-/tmp}/shoal-reach.XXXXXX")
declare -A pids spaces
finish() {
  for pid in "${pids[@]}" "${spaces[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  if [ $broken -ne 0 ]; then printf 'the logs are in %s\n' "$run" >&2; else rm -rf "$run"; fi
}
broken=0
trap 'broken=$?; finish' EXIT
trap 'exit 130' INT TERM
await() { # seconds, command...
  local end=$(($(date +%s) + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$(date +%s)" -lt $end ] || { printf 'waited in vain for: %s\n' "$*" >&2; return 1; }
    sleep 0.2
  done
}

# --- the networks ----------------------------------------------------------------------------------

space() { # name
  unshare --net sleep infinity &
  spaces[$1]=$!
  disown $!
  until [ "$(readlink "/proc/${spaces[$1]}/ns/net" 2>/dev/null)" != "$(readlink /proc/self/ns/net)" ]; do
    sleep 0.01
  done
  at "$1" ip link set lo up
  # No address is looked for twice: they are there at once.
  at "$1" sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv4.ip_forward=1
}
at() { local name=$1; shift; nsenter --target "${spaces[$name]}" --net "$@"; }
# A cable between an interface of one and an interface of another, or a plug of the internet.
cable() { # name, interface, other, interface
  ip link add c0 type veth peer name c1
  ip link set c0 netns "${spaces[$1]}"
  at "$1" ip link set c0 name "$2" up
  if [ "$3" = internet ]; then
    ip link set c1 name "i-${1:0:12}" master internet up
  else
    ip link set c1 netns "${spaces[$3]}"
    at "$3" ip link set c1 name "$4" up
  fi
}
# A router of a home: what goes out by `wan` has its address; strangers are let in nowhere.
translate() { # name, how, rules for what comes in
  at "$1" nft -f - <<RULES
table ip home {
  chain out { type nat hook postrouting priority 100; oifname "wan" masquerade $2; }
  chain in { type nat hook prerouting priority -100; $3 }
  chain own { type filter hook input priority 0;
    iifname "wan" ct state established,related accept; iifname "wan" drop; }
  chain through { type filter hook forward priority 0;
    iifname "wan" ct state new ct status dnat accept; iifname "wan" ct state new drop; }
}
RULES
}

ip link add internet type bridge
ip link set internet up
for name in public cone-router cone symmetric-router symmetric six carrier nested-router nested; do
  space "$name"
done
cable public eth0 internet
at public ip address add 203.0.113.1/24 dev eth0
at public ip address add 2001:db8::1/64 dev eth0

cable cone-router wan internet
cable cone eth0 cone-router lan
at cone-router ip address add 203.0.113.10/24 dev wan
at cone-router ip address add 192.168.1.1/24 dev lan
at cone ip address add 192.168.1.2/24 dev eth0
at cone ip route add default via 192.168.1.1
translate cone-router "" 'iifname "wan" meta l4proto { tcp, udp } dnat to 192.168.1.2;'

# The same private addresses as in the other home, as it happens.
cable symmetric-router wan internet
cable symmetric eth0 symmetric-router lan
at symmetric-router ip address add 203.0.113.20/24 dev wan
at symmetric-router ip address add 192.168.1.1/24 dev lan
at symmetric ip address add 192.168.1.2/24 dev eth0
at symmetric ip route add default via 192.168.1.1
translate symmetric-router "fully-random" ""

cable six eth0 internet
at six ip address add 2001:db8::30/64 dev eth0

cable carrier wan internet
cable nested-router wan carrier lan
cable nested eth0 nested-router lan
at carrier ip address add 203.0.113.40/24 dev wan
at carrier ip address add 100.64.0.1/24 dev lan
at nested-router ip address add 100.64.0.2/24 dev wan
at nested-router ip route add default via 100.64.0.1
at nested-router ip address add 192.168.2.1/24 dev lan
at nested ip address add 192.168.2.2/24 dev eth0
at nested ip route add default via 192.168.2.1
translate carrier "" ""
translate nested-router "" ""

# --- the peers -------------------------------------------------------------------------------------

names=(public cone symmetric six nested)
declare -A listen=(
  [public]="[::]:7432" [cone]="192.168.1.2:7432" [symmetric]="192.168.1.2:7432"
  [six]="[2001:db8::30]:7432" [nested]="192.168.2.2:7432")
ctl() { local name=$1; shift; at "$name" "$shoal" "$@" --data "$run/$name"; }
"$shoal" net create reach --admission key --bootstrap 203.0.113.1:7432 \
  --bootstrap '[2001:db8::1]:7432' --out "$run/network.toml" >/dev/null
"$shoal" assess --quick --data "$run/public" >/dev/null 2>&1
for name in "${names[@]}"; do
  mkdir -p "$run/$name"
  [ "$name" = public ] || cp "$run/public/profile.toml" "$run/$name/"
  "$shoal" net join "$run/network.toml" --data "$run/$name" >/dev/null
  # Not by a function: the process id must be the peer's own.
  nsenter --target "${spaces[$name]}" --net "$shoal" peer --data "$run/$name" \
    --listen "${listen[$name]}" --api 127.0.0.1:0 --threads 1 >>"$run/$name.log" 2>&1 &
  pids[$name]=$!
  disown $!
done
for name in "${names[@]}"; do await 60 test -f "$run/$name/api"; done
began=$(date +%s)
sees() { [ "$(ctl "$1" peers --json | grep -o '"state":"alive"' | wc -l)" -eq 5 ]; }
for name in "${names[@]}"; do await 60 sees "$name"; done
printf 'all five see each other after %d s\n' $(($(date +%s) - began))
ctl public import "$model" --name story >/dev/null
knows() { ctl "$1" models --json | grep -q '"name":"story"'; }
for name in "${names[@]}"; do await 60 knows "$name"; done

# --- who reaches whom ------------------------------------------------------------------------------

for name in "${names[@]}"; do
  ctl "$name" peers --json | sed 's/.*"id":"\([0-9a-f]*\)","incarnation":[0-9]*,"isSelf":true.*/\1/' \
    >"$run/$name.id"
done
table() {
  for name in "${names[@]}"; do ctl "$name" peers --json >"$run/$name.peers"; done
  python3 - "$run" "${names[@]}" <<'PY'
import json, sys
run, names = sys.argv[1], sys.argv[2:]
ids = {open(f"{run}/{name}.id").read().strip(): name for name in names}
expected = {
    "public": {"cone": "direct", "symmetric": "called", "six": "direct", "nested": "called"},
    "cone": {"public": "direct", "symmetric": "called", "six": "relayed", "nested": "called"},
    "symmetric": {"public": "direct", "cone": "direct", "six": "relayed", "nested": "relayed"},
    "six": {"public": "direct", "cone": "relayed", "symmetric": "relayed", "nested": "relayed"},
    "nested": {"public": "direct", "cone": "direct", "symmetric": "relayed", "six": "relayed"},
}
good = True
print(f"{'from, to':11}" + "".join(f"{name:>18}" for name in names))
for name in names:
    ways = {}
    for peer in json.load(open(f"{run}/{name}.peers")):
        relay = f" by {ids.get(peer.get('relay'), '?')}" if peer.get("relay") else ""
        ways[ids.get(peer["id"])] = (peer.get("way"), relay)
    cells = []
    for other in names:
        way, relay = ways.get(other, (None, ""))
        is_right = other == name or way == expected[name][other]
        good = good and is_right
        cells.append("-" if other == name else f"{way or 'none'}{relay}" + ("" if is_right else " !"))
    print(f"{name:11}" + "".join(f"{cell:>18}" for cell in cells))
sys.exit(0 if good else 1)
PY
}
if ! await 60 table; then broken=1; fi
table || { printf 'BROKEN: other ways than the walls allow (!)\n'; broken=1; }
printf 'settled after %d s\n' $(($(date +%s) - began))

# --- a story across all of them --------------------------------------------------------------------

fact() { sed -n "s/.*\"$1\":\"\{0,1\}\([0-9a-z.]*\).*/\1/p" "$run/facts.json"; }
ask() { # name, objective
  rm -f "$run/facts.json"
  ctl "$1" run story "Once upon a time" -n 64 --temperature 0.9 --seed 7 --objective "$2" \
    --facts "$run/facts.json" >"$run/out" 2>"$run/err"
}
staged() { # The plan of all five has more than one stage, so that sums cross no relay.
  ctl public plan story --objective spread --json >"$run/plan.json" &&
    [ "$(grep -o '"layers":' "$run/plan.json" | wc -l)" -gt 1 ]
}
if await 90 staged; then
  printf 'cliques have settled after %d s\n' $(($(date +%s) - began))
else
  printf 'BROKEN: the plan has one stage across relays\n'; broken=1
fi
ask public latency
alone=$(fact digest)
for name in "${names[@]}"; do
  if ask "$name" spread && [ "$(fact digest)" = "$alone" ]; then
    members=$(grep -o '"share"' "$run/facts.json" | wc -l)
    printf 'a story asked at %-10s %d peers, %s terms, %.0f tokens/s, the digest of one alone\n' \
      "$name:" "$members" "$(fact terms)" "$(fact tokensPerSecond)"
    [ "$members" -eq 5 ] || { printf '  BROKEN: not all took part\n'; broken=1; }
  else
    printf 'BROKEN: a story asked at %s: %s\n' "$name" "$(tail -n 1 "$run/err")"; broken=1
  fi
done
ctl nested doctor | grep -A 1 'reach' || true
exit $broken
