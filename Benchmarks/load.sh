#!/usr/bin/env bash
# Many streams at once: one peer beside llama-server with the same file, threads and slots, in turns.
#
#   Benchmarks/load.sh FILE.gguf [LLAMA_SERVER|-] [SECONDS] [STREAMS...]      (needs python3)
#
# Each number of streams has a server of its own; llama-server has as many slots. What the first WARM
# seconds (5) bring is not counted, so that all streams are at different places of their answers, some at
# their prompts, as they are ever after. TOKENS is how long an answer is (64). With `-` instead of LLAMA_SERVER only Shoal is measured. Prints the
# facts of Benchmarks/load.py, then a table.
set -euo pipefail
file=$(realpath "${1:?a GGUF file}") llama=${2:--} seconds=${3:-20}
counts=("${@:4}")
[ ${#counts[@]} -gt 0 ] || counts=(1 4 16 64)
cd "$(dirname "${BASH_SOURCE[0]}")/.."
shoal=${SHOAL:-$(swift build -c release --show-bin-path)/shoal} tokens=${TOKENS:-64} threads=${THREADS:-2} warm=${WARM:-5}
run=$(mktemp -d "${TMPDIR:-/tmp}/shoal-load.XXXXXX")
server=
finish() {
  [ -z "$server" ] || { kill "$server" 2>/dev/null && wait "$server" 2>/dev/null; } || true
  server=
}
trap 'finish; rm -rf "$run"' EXIT
trap 'exit 130' INT TERM

"$shoal" net create load --admission key --out "$run/network.toml" >/dev/null
"$shoal" net join "$run/network.toml" --data "$run/data" >/dev/null
"$shoal" assess --quick --data "$run/data" >/dev/null
"$shoal" import "$file" --name model --data "$run/data" >/dev/null

measure() { # NAME URL STREAMS
  python3 Benchmarks/load.py "$2" --streams "$3" --warm "$warm" --seconds "$seconds" --tokens "$tokens" \
    --pid "$server" \
    ${LOAD_FLAGS:-} >"$run/$1-$3.json"
  printf '%s, %s streams: ' "$1" "$3"
  cat "$run/$1-$3.json"
}

for count in "${counts[@]}"; do
  rm -f "$run/data/api"
  "$shoal" peer --data "$run/data" --listen 127.0.0.1:0 --api 127.0.0.1:0 --threads "$threads" \
    >"$run/peer.log" 2>&1 &
  server=$!
  until [ -s "$run/data/api" ]; do sleep 0.1; done
  url=$(grep -oE '[0-9.]+:[0-9]+' "$run/data/api" | head -1)
  until "$shoal" run model x -n 1 --data "$run/data" >/dev/null 2>&1; do sleep 0.1; done
  measure Shoal "http://$url" "$count"
  curl -s "http://$url/metrics" | grep '^shoal_token_delivery_seconds' >"$run/delivery-$count.txt" || true
  finish
  [ "$llama" != - ] || continue
  "$llama" -m "$file" -t "$threads" -tb "$threads" -np "$count" -c $((count * 256)) --host 127.0.0.1 \
    --port 18080 --no-webui --no-warmup >"$run/llama.log" 2>&1 &
  server=$!
  until curl -sf http://127.0.0.1:18080/health >/dev/null; do sleep 0.2; done
  measure llama-server http://127.0.0.1:18080 "$count"
  finish
done
python3 - "$run" "${counts[@]}" <<'PY'
import json, os, sys
run, counts = sys.argv[1], sys.argv[2:]
print(f"{'streams':>8s} {'':14s} {'tokens/s':>9s} {'gap p50':>8s} {'gap p99':>8s} {'first p50':>10s} {'errors':>7s}   (ms)")
for count in counts:
    for name in ("Shoal", "llama-server"):
        path = f"{run}/{name}-{count}.json"
        if not os.path.exists(path): continue
        f = json.load(open(path))
        times = [f["gapMs"]["p50"], f["gapMs"]["p99"], f["firstTokenMs"]["p50"]]
        # Where nothing came in that time, there is no time to tell.
        gap, late, first = ("-" if time is None else f"{time:.1f}" for time in times)
        print(f"{count:>8s} {name:14s} {f['tokensPerSecond']:9.1f} {gap:>8s} {late:>8s}"
              f" {first:>10s} {sum(f['errors'].values()):7d}")
    lines = dict(line.rsplit(" ", 1) for line in open(f"{run}/delivery-{count}.txt"))
    total = float(lines.get("shoal_token_delivery_seconds_count", 0))
    if total:
        mean = float(lines["shoal_token_delivery_seconds_sum"]) / total
        under = float(lines['shoal_token_delivery_seconds_bucket{le="0.005"}']) / total
        print(f"         from a token's choice to the client's connection: mean {1e3 * mean:.2f} ms, {100 * under:.1f} % under 5 ms")
PY
