#!/usr/bin/env bash
# The whole story of a ledger on a chain, on this machine: contracts are deployed, a model is published by a
# transaction, three peers see it, fetch it and serve it, a client that put coins into channels pays them, they
# redeem, and the balances add up. Prints what it saw; exits 1 where something does not hold.
#
#   testnet/chain/story.sh [--tokens N]          or: testnet/local.sh --chain
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"
tokens=48
while [ $# -gt 0 ]; do
  case "$1" in
    --tokens) tokens=$2; shift ;;
    *) printf 'unknown: %s\n' "$1" >&2; exit 2 ;;
  esac
  shift
done
# shellcheck source=testnet/setup.sh
. testnet/setup.sh
shoal_setup
. testnet/chain/environment.sh
shoal=${SHOAL:-}
if [ -z "$shoal" ]; then
  swift build -c release --product shoal >&2
  shoal="$(swift build -c release --show-bin-path)/shoal"
fi
model=testnet/demo-model/shoal-stories-q8_0.gguf
run=$(mktemp -d "${TMPDIR:-/tmp}/shoal-chain.XXXXXX")
pids=()
finish() {
  local status=$?
  trap - EXIT
  for pid in ${pids[@]+"${pids[@]}"}; do kill "$pid" 2>/dev/null || true; done
  for pid in ${pids[@]+"${pids[@]}"}; do wait "$pid" 2>/dev/null || true; done
  if [ "$status" -ne 0 ]; then printf 'the logs are in %s\n' "$run" >&2; else rm -rf "$run"; fi
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

say() { printf '%s\n' "$*"; }
fail() { printf 'story: %s\n' "$*" >&2; exit 1; }
now() { echo $(($(date +%s%N) / 1000000)); }
await() {
  local what=$1 tries=0
  shift
  until "$@" >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ $tries -lt 600 ] || fail "waited a minute for $what"
    sleep 0.1
  done
}
# JSON as this program reads it: a file of facts and an expression over `f`.
read_facts() { "$SHOAL_CHAIN_PYTHON" -c "import json,sys; f=json.load(open(sys.argv[1])); print($2)" "$1"; }
# The development chain's accounts 1 to 10: their secret keys are these numbers.
secret() { printf '%064x' "$1"; }
account() { "$SHOAL_CHAIN_PYTHON" -c "from eth_account import Account; print(Account.from_key('0x$(secret "$1")').address)"; }

# --- a chain with the contracts -------------------------------------------------------------------

port=$("$SHOAL_CHAIN_PYTHON" -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])')
"$SHOAL_CHAIN_PYTHON" testnet/chain/devchain.py --port "$port" >"$run/chain.log" 2>&1 &
pids+=($!)
node="http://127.0.0.1:$port"
answers() { "$shoal" chain show --chain development --node "$node" --data "$run/deployer"; }
export SHOAL_CHAIN_KEY
SHOAL_CHAIN_KEY=$(secret 1)
await "the chain to start" answers
"$shoal" net create chain-story --admission key --out "$run/network.toml" >/dev/null
"$shoal" chain deploy --chain development --node "$node" --challenge 3600 \
  --data "$run/deployer" --into "$run/network.toml"
publisher=$(account 1)

# --- three peers and a client ---------------------------------------------------------------------

"$shoal" assess --quick --data "$run/one" >/dev/null
names=(one two three client)
for index in 0 1 2 3; do
  name=${names[index]}
  mkdir -p "$run/$name"
  [ "$name" = one ] || cp "$run/one/profile.toml" "$run/$name/"
  "$shoal" net join "$run/network.toml" --data "$run/$name" >/dev/null
done
# The publisher's files lie on one peer. Nobody takes models of anybody but the publisher.
"$shoal" import "$model" --name files --data "$run/one" >/dev/null
for index in 0 1 2 3; do
  name=${names[index]}
  price=(--price $((100 + index)))
  [ "$name" != client ] || price=(--pays 1000)
  SHOAL_CHAIN_KEY=$(secret $((index + 2))) "$shoal" peer --data "$run/$name" --listen 127.0.0.1:0 \
    --api 127.0.0.1:0 --threads 1 --publishers "$publisher" "${price[@]}" >"$run/$name.log" 2>&1 &
  pids+=($!)
done
alive() { [ "$("$shoal" peers --data "$run/client" --json | grep -o '"state":"alive"' | wc -l)" -eq 4 ]; }
await "the peers to find each other" alive

# --- from a transaction to an answer --------------------------------------------------------------

"$shoal" registry watch --data "$run/three" >"$run/watch.log" 2>&1 &
pids+=($!)
SHOAL_CHAIN_KEY=$(secret 5) "$shoal" channel open "$(account 2)" "$(account 3)" "$(account 4)" \
  --amount 1000000000 --data "$run/client"
before=$(now)
"$shoal" registry publish files --name tale --on-chain --data "$run/one"
published=$(now)
knows() { grep -q "register .*/tale" "$run/watch.log"; }
await "word of the transaction" knows
heard=$(now)
answer() {
  "$shoal" run tale "Once upon a time" -n 1 --temperature 0 --objective spread --data "$run/client" \
    --facts "$run/first.json"
}
await "the first answer" answer
answered=$(now)
say "registered in a block after $((published - before)) ms; a peer had heard after $((heard - published)) ms,"
say "and the client had its first answer $((answered - published)) ms after the transaction"
[ $((answered - published)) -lt 10000 ] || fail "the first answer took longer than 10 s"
members=$(read_facts "$run/first.json" "len(f['peers'])")
[ "$members" -ge 3 ] || fail "only $members peers answered"

# --- a client pays, peers redeem ------------------------------------------------------------------

say ""
"$shoal" run tale "Once upon a time" -n "$tokens" --temperature 0.8 --seed 7 --objective spread \
  --data "$run/client" --facts "$run/mesh.json"
"$shoal" run files "Once upon a time" -n "$tokens" --temperature 0.8 --seed 7 --solo --data "$run/one" \
  --facts "$run/alone.json" >/dev/null 2>&1
[ "$(read_facts "$run/mesh.json" "f['digest']")" = "$(read_facts "$run/alone.json" "f['digest']")" ] \
  || fail "the mesh and one peer differ"
# The last receipts are answered after the last token is told.
even() {
  "$shoal" credits --json --data "$run/client" >"$run/client.json"
  local total=0 index
  for index in 0 1 2; do
    "$shoal" credits --json --data "$run/${names[index]}" >"$run/credits-$index.json"
    total=$((total + $(read_facts "$run/credits-$index.json" "f['earned']")))
    [ "$(read_facts "$run/credits-$index.json" "sum(int(a['owed']) for a in f['accounts'])")" = 0 ]
  done
  [ "$total" -gt 0 ] && [ "$total" = "$(read_facts "$run/client.json" "f['spent']")" ]
}
await "the accounts to be even" even
say ""
"$shoal" credits --data "$run/client"
say ""
redeemed=0
for index in 0 1 2; do
  "$shoal" credits settle --data "$run/${names[index]}" >/dev/null
  "$shoal" channel show "$(account $((index + 2)))" --payer "$(account 5)" --json \
    --data "$run/client" >"$run/channel-$index.json"
  paid=$(read_facts "$run/channel-$index.json" "f['redeemed']")
  earned=$(read_facts "$run/credits-$index.json" "f['earned']")
  say "${names[index]} earned $earned and was paid $paid by the contract"
  [ "$paid" = "$earned" ] || fail "${names[index]} was paid $paid for $earned"
  redeemed=$((redeemed + paid))
done
spent=$(read_facts "$run/client.json" "f['spent']")
say "the client spent $spent; the contract paid out $redeemed"
[ "$spent" = "$redeemed" ] || fail "what was spent is not what was paid"
# One price for all: pay is work, to the unit (each of two sessions is rounded down once).
read_facts "$run/client.json" "max(abs(int(w['pay']) - w['workUnits'] * 102 // 2**20) for a in f['accounts'] for w in a['work']) <= 3" \
  | grep -q True || fail "shares of pay are not shares of work"
say "every payee has the same price for its work"
