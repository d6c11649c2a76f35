#!/usr/bin/env bash
# Shows what real peers say and do when something is in their way: a holder killed while another
# fetches from it, a full disk, a stranger of another network, a port in use, too little memory, files
# that are cut or lie about a shape. Prints each sentence; exits 1 where one is missing, a program does
# not refuse, or a peer does not live on. Linux only; the full disk needs the right to mount.
#
#   testnet/refusals.sh [MODEL.gguf]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
# shellcheck source=testnet/peers.sh
. testnet/peers.sh
peers_begin refusals
model=$(realpath "${1:-testnet/demo-model/shoal-stories-q8_0.gguf}")
at_end() { ! mountpoint -q "$run/small" 2>/dev/null || umount -l "$run/small"; }

broken=0
miss() { printf '  MISSED: %s\n' "$1"; broken=1; }
# refuses NAME PATTERN COMMAND...: the command must fail, with a sentence that has the pattern.
refuses() {
  local name=$1 pattern=$2
  shift 2
  if "$@" >"$run/out" 2>"$run/err"; then
    printf '%s\n' "$name"; miss 'it was not refused'; return
  fi
  printf '%s\n  %s\n' "$name" "$(tr '\n' ' ' <"$run/err")"
  grep -Eq -- "$pattern" "$run/err" || miss "no word of: $pattern"
}
start() { # NAME FLAGS...
  peer_start "$@"
  await is_up "$1"
}
held() { "$shoal" models --data "$run/$1" --json | sed -n 's/.*"held":\([0-9]*\).*/\1/p'; }
whole() { [ "$(held "$1")" = "$("$shoal" models --data "$run/$1" --json | sed -n 's/.*"atoms":\([0-9]*\).*/\1/p')" ]; }
ask() { "$shoal" run story "Once upon a time" -n 16 --temperature 0 --objective spread --data "$run/$1" --facts "$run/facts.json" >/dev/null 2>"$run/ask.err" || { cat "$run/ask.err" >&2; return 1; }; }
digest() { fact "$run/facts.json" digest; }

peers_measure
peers_join one two
start one
"$shoal" import "$model" --name story --data "$run/one" >/dev/null
ask one >/dev/null
reference=$(digest)

printf 'the holder is killed while another fetches from it\n'
python3 - "$run/two/blobs" "${pids[one]}" <<'PY' &
import os, signal, sys, time
folder, pid = sys.argv[1], int(sys.argv[2])
end = time.monotonic() + 30
while time.monotonic() < end:
    if sum(len(files) for _, _, files in os.walk(folder)) >= 24:
        os.kill(pid, signal.SIGKILL)
        sys.exit()
PY
killer=$!
start two
wait "$killer" 2>/dev/null
blobs() { find "$run/two/blobs" -type f -printf '%i %f\n' | sort; }
blobs >"$run/before"
before=$(wc -l <"$run/before")
printf '  killed with %d blobs fetched\n' "$before"
while read -r _ name; do
  found=$(b2sum -l 256 "$run/two/blobs/${name:0:2}/$name" | cut -d ' ' -f 1)
  [ "$found" = "$name" ] || miss "blob $name is not what its name says"
done <"$run/before"
refuses 'asked meanwhile' 'atoms could not be fetched' ask two
start one
await sees two 2
await whole two
blobs >"$run/after"
kept=$(comm -12 "$run/before" "$run/after" | wc -l)
printf '  resumed: %d of %d blobs were not fetched again; %d are here now\n' \
  "$kept" "$before" "$(wc -l <"$run/after")"
[ "$kept" -eq "$before" ] || miss 'whole blobs were fetched twice'
[ "$before" -lt "$(wc -l <"$run/after")" ] || miss 'the kill came too late to show anything'
[ -z "$(find "$run/two/parts" -type f)" ] || miss 'a part was left behind'
ask two >/dev/null
[ "$(digest)" = "$reference" ] || miss 'the answer differs'

printf 'a stranger of another network on the same machine\n'
NETWORK=strangers peers_join three
start three
sleep 2
sees three 1 || miss 'the stranger sees peers'
sees one 2 || miss 'the peers see the stranger'
printf '  it sees itself, and the others each other\n'

if mkdir "$run/small" && mount -t tmpfs -o size=3m tmpfs "$run/small" 2>/dev/null; then
  peers_join small
  refuses 'a model on a disk that is too small' 'free|full' "$shoal" import "$model" --data "$run/small"
  start small
  await sees small 3
  refuses 'the same through a peer' 'free|full' "$shoal" import "$model" --data "$run/small"
  sleep 1
  sees small 3 || miss 'the peer with the full disk does not live on'
  ask one >/dev/null || miss 'the mesh does not answer beside a full disk'
  [ "$(digest)" = "$reference" ] || miss 'the answer differs'
  peer_end small
else
  printf 'no right to mount: the full disk is left out\n'
fi

address=$(sed -n 's/.* on \(127\.0\.0\.1:[0-9]*\).*/\1/p' "$run/one.log" | tail -n 1)
NETWORK=strangers peers_join four five
refuses 'a port in use' "${address##*:}" "$shoal" peer --data "$run/four" --listen "$address" --api 127.0.0.1:0
refuses 'an API port in use' "$(sed 's/.*://' "$run/one/api")" \
  "$shoal" peer --data "$run/five" --listen 127.0.0.1:0 --api "$(cat "$run/one/api")"

peer_end three
start three --memory 1MiB
"$shoal" import "$model" --name story --data "$run/three" >/dev/null
refuses 'no memory for the model' 'MiB|KiB' ask three
sees three 1 || miss 'the peer does not live on'

head -c 1000000 "$model" >"$run/cut.gguf"
refuses 'a file that is cut' 'cut.gguf|bytes|truncated' "$shoal" import "$run/cut.gguf" --data "$run/one"
python3 - "$model" "$run/shape.gguf" <<'PY'
import struct, sys
data = bytearray(open(sys.argv[1], "rb").read())
at = data.index(b"blk.0.attn_q.weight") + len(b"blk.0.attn_q.weight") + 4
columns, rows = struct.unpack_from("<QQ", data, at)
struct.pack_into("<QQ", data, at, columns, rows - 32)
open(sys.argv[2], "wb").write(data)
PY
refuses 'a tensor of a wrong shape' 'attn_q' "$shoal" import "$run/shape.gguf" --data "$run/one"
refuses 'a file that is no model' 'GGUF|magic' "$shoal" import "$run/network.toml" --data "$run/one"
ask one >/dev/null || miss 'the peer does not answer after all that'
[ "$(digest)" = "$reference" ] || miss 'the answer differs after all that'
[ $broken -eq 0 ] && printf 'every refusal was a sentence, and every peer lived on\n'
exit $broken
