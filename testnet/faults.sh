#!/usr/bin/env bash
# Shows what a mesh of three real processes does with a killed peer, a stopped peer, damaged bytes on
# disk, garbage on every port, a listener on the wire, and a peer that leaves. Prints what it saw;
# exits 1 where a bound is broken. Linux only; the capture needs tcpdump and the right to use it.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
# shellcheck source=testnet/peers.sh
. testnet/peers.sh
peers_begin faults
model=${1:-testnet/demo-model/shoal-stories-q8_0.gguf}
capture=""
at_end() { [ -z "$capture" ] || kill -KILL "$capture" 2>/dev/null || true; }

broken=0
now() { echo $(($(date +%s%N) / 1000000)); }
# claim NAME ACTUAL LIMIT UNIT
claim() {
  local verdict=holds
  [ "$2" -le "$3" ] || { verdict=BROKEN; broken=1; }
  printf '%-58s %6d %s (at most %d) %s\n' "$1" "$2" "$4" "$3" "$verdict"
}
# Whether a peer holds every atom: after a death the mesh repairs to two copies of each.
whole() {
  "$shoal" models --data "$run/$1" --json >"$run/models.json"
  [ "$(grep -o '"held":[0-9]*' "$run/models.json" | tr -dc 0-9)" = \
    "$(grep -o '"atoms":[0-9]*' "$run/models.json" | tr -dc 0-9)" ]
}
ask() {
  "$shoal" run story "Once upon a time" -n "$1" --temperature 0 --objective spread \
    --data "$run/three" --facts "$run/facts.json"
}
digest() { fact "$run/facts.json" digest; }
# The longest pause of the last stream, in milliseconds.
pause() { fact "$run/facts.json" stallSecondsMax | awk '{ printf "%d", $1 * 1000 }'; }
# Signal $2 to peer $1 while a stream runs: it goes on, with the tokens of the undisturbed run.
strike() {
  local tokens=1500 client
  ask $tokens >/dev/null
  local undisturbed
  undisturbed=$(digest)
  rm -f "$run/out" "$run/facts.json"
  ask $tokens >"$run/out" 2>"$run/err" &
  client=$!
  await test -s "$run/out"
  kill "-$2" "${pids[$1]}"
  if ! wait "$client"; then printf '  the stream ended: %s\n' "$(tail -n 1 "$run/err")"; broken=1; return; fi
  [ "$(digest)" = "$undisturbed" ] || { printf '  other tokens after %s\n' "$2"; broken=1; }
  claim "$2 of a worker: longest pause of the stream" "$(pause)" 1000 ms
  [ "$(fact "$run/facts.json" terms)" -gt 1 ] || { printf '  the stream was over before %s\n' "$2"; broken=1; }
}

peers_measure
peers_join one two three

if command -v tcpdump >/dev/null 2>&1 && tcpdump -D >/dev/null 2>&1; then
  tcpdump -i lo -w "$run/wire.pcap" -s 0 -U >/dev/null 2>&1 &
  capture=$!
  sleep 0.5
fi
for name in one two three; do peer_start "$name"; done
await is_up one
"$shoal" import "$model" --name story --data "$run/one" >/dev/null
await sees three 3
await ask 24
reference=$(digest)
secret=$("$shoal" run story "The zebra of Zanzibar" -n 24 --temperature 0 --objective spread \
  --data "$run/two" 2>/dev/null | tr -d '\n' | cut -c 1-40)
if [ -n "$capture" ]; then
  kill -INT "$capture"; wait "$capture" 2>/dev/null || true; capture=""
  # The API speaks plain HTTP on loopback to this machine's own client: its ports are left out.
  filter=""
  for name in one two three; do filter="$filter and not port $(sed 's/.*://' "$run/$name/api")"; done
  tcpdump -r "$run/wire.pcap" -w "$run/mesh.pcap" "${filter# and }" 2>/dev/null
  for text in "zebra of Zanzibar" "$secret" "rtx4090" "canon-1" "faults"; do
    claim "capture: packets that show \"${text:0:24}\"" \
      "$(grep -a -c -F -- "$text" "$run/mesh.pcap" || true)" 0 lines
  done
  for name in one two three; do
    id=$("$shoal" peers --data "$run/$name" --json | sed 's/.*"id":"\([0-9a-f]*\)","incarnation":[0-9]*,"isSelf":true.*/\1/')
    raw=$(printf '%s' "$id" | sed 's/../\\x&/g')
    claim "capture: packets with the id of $name" \
      "$(LC_ALL=C grep -a -c -P "$raw" "$run/mesh.pcap" || true)" 0 lines
  done
  printf 'captured %s bytes between the peers\n' "$(stat -c %s "$run/mesh.pcap")"
else
  printf 'no tcpdump here: the capture is left out\n'
fi

strike one KILL
died=$(now)
await whole two
await whole three
printf 'two copies of every atom again %d ms after the stream had ended\n' $(($(now) - died))
strike two STOP
kill -CONT "${pids[two]}"
peer_start one
await sees three 3

printf 'garbage on every port\n'
python3 - "${pids[@]}" <<'PY'
import os, re, socket, subprocess, sys
pids = sys.argv[1:]
def ports(kind):
    text = subprocess.run(["ss", "-lnp" + kind], capture_output=True, text=True).stdout
    return {int(l.split()[3].rsplit(":", 1)[1]) for l in text.splitlines()
            if any(f"pid={p}," in l for p in pids)}
datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sent = 0
for port in ports("u"):
    for size in range(1, 1400):
        datagrams.sendto(os.urandom(size), ("127.0.0.1", port)); sent += 1
streams = [b"", b"GET / HTTP/1.1\r\n\r\n", os.urandom(256), os.urandom(100_000),
           (2**63).to_bytes(8, "little") * 64, b"\xff" * 5000]
held = []
for port in ports("t"):
    for data in streams:
        with socket.create_connection(("127.0.0.1", port), 2) as s:
            try: s.sendall(data)
            except OSError: pass
    held.append(socket.create_connection(("127.0.0.1", port), 2))
print(f"  {sent} datagrams, {len(streams) * len(ports('t'))} streams, {len(held)} silent connections")
PY
await ask 24
[ "$(digest)" = "$reference" ] || { printf 'the answer differs after the garbage\n'; broken=1; }
for name in one two three; do
  claim "resident memory of $name" "$(($(ps -o rss= -p "${pids[$name]}") / 1024))" 256 MiB
done

printf '4 KiB of weights inverted in every larger atom on the disk of three\n'
peer_end three
find "$run/three/blobs" -type f -size +16k -print0 | xargs -0 python3 -c '
import sys
for path in sys.argv[1:]:
    with open(path, "r+b") as f:
        f.seek(4096); b = f.read(4096); f.seek(4096); f.write(bytes(x ^ 255 for x in b))
'
peer_start three
await is_up three
await sees three 3
await ask 24
aside=$(find "$run/three/quarantine" -type f | wc -l)
printf '  %d damaged atoms were set aside and fetched again\n' "$aside"
if [ "$(digest)" != "$reference" ] || [ "$aside" -eq 0 ]; then
  printf '  damage was used, or not met\n'; broken=1
fi

printf 'shoal leave in the middle of a stream\n'
ask 1500 >/dev/null
undisturbed=$(digest)
rm -f "$run/out" "$run/facts.json"
ask 1500 >"$run/out" 2>"$run/err" &
client=$!
await test -s "$run/out"
left=$(now)
"$shoal" leave --data "$run/two" 2>"$run/leave" | sed 's/^/  /'
claim "shoal leave: until all was handed over" $(($(now) - left)) 15000 ms
wait "$client" || { printf '  the stream ended: %s\n' "$(tail -n 1 "$run/err")"; broken=1; }
[ "$(digest)" = "$undisturbed" ] || { printf '  other tokens after a goodbye\n'; broken=1; }
claim "shoal leave: longest pause of the stream" "$(pause)" 1000 ms
gone() { ! kill -0 "${pids[two]}" 2>/dev/null; }
await gone
printf '  the process has ended, as it should\n'
for name in one three; do
  whole $name || printf '  %s lacks atoms just after the goodbye\n' "$name"
done
exit $broken
