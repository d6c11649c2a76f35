#!/usr/bin/env bash
# How soon the turns of a conversation begin: each has all that was said before it in its prompt. A
# second peer, which has heard nothing, is asked for the last turn alone and must say the same.
#
#   Benchmarks/turns.sh FILE.gguf [TURNS] [FIRST] [WORDS]      (3; words of the first turn and of the
#   others: 250 and 10; needs python3)
set -euo pipefail
file=$(realpath "${1:?a GGUF file}") turns=${2:-3} first=${3:-250} words=${4:-10}
cd "$(dirname "${BASH_SOURCE[0]}")/.."
shoal=${SHOAL:-$(swift build -c release --show-bin-path)/shoal} threads=${THREADS:-2}
run=$(mktemp -d "${TMPDIR:-/tmp}/shoal-turns.XXXXXX")
servers=()
trap 'for server in "${servers[@]}"; do kill "$server" 2>/dev/null || true; done; wait; rm -rf "$run"' EXIT
trap 'exit 130' INT TERM

for name in one other; do
  "$shoal" net create "$name" --admission key --out "$run/$name.toml" >/dev/null
  "$shoal" net join "$run/$name.toml" --data "$run/$name" >/dev/null
  "$shoal" assess --quick --data "$run/$name" >/dev/null
  "$shoal" import "$file" --name model --data "$run/$name" >/dev/null
  "$shoal" peer --data "$run/$name" --listen 127.0.0.1:0 --api 127.0.0.1:0 --threads "$threads" \
    >"$run/$name.log" 2>&1 &
  servers+=($!)
  until [ -s "$run/$name/api" ]; do sleep 0.1; done
  until "$shoal" run model x -n 1 --data "$run/$name" >/dev/null 2>&1; do sleep 0.1; done
done

python3 - "http://$(cat "$run/one/api")" "http://$(cat "$run/other/api")" "$turns" "$first" "$words" <<'PY'
import json, random, sys, time, urllib.error, urllib.request

one, other = sys.argv[1:3]
turns, long, short = (int(number) for number in sys.argv[3:6])


def ask(base, prompt):
    """The answer, the seconds to its first piece, and its usage."""
    body = {"model": "model", "prompt": prompt, "max_tokens": 24, "temperature": 0, "stream": True,
            "stream_options": {"include_usage": True}}
    start, first, text, usage = time.monotonic(), None, "", None
    request = urllib.request.Request(f"{base}/v1/completions", json.dumps(body).encode())
    try:
        answer = urllib.request.urlopen(request)
    except urllib.error.HTTPError as error:
        sys.exit(error.read().decode())
    with answer:
        for line in answer:
            if not line.startswith(b"data: {"):
                continue
            first = first or time.monotonic() - start
            event = json.loads(line[6:])
            text += "".join(choice["text"] for choice in event["choices"])
            usage = event.get("usage") or usage
    return text, first, usage


chance, said = random.Random(1), ""
for turn in range(1, turns + 1):
    said += " ".join(chance.choice(["the", "hen", "saw", "a", "road", "and", "was", "glad"])
                     for _ in range(long if turn == 1 else short)) + ".\n"
    answer, first, usage = ask(one, said)
    print(f"turn {turn}: {usage['prompt_tokens']} tokens, {usage['prompt_tokens_details']['cached_tokens']}"
          f" of them there already, the first piece after {1e3 * first:.0f} ms", flush=True)
    asked, said = said, said + answer + "\n"
fresh, late, _ = ask(other, asked)
print(f"the last turn at a peer that has heard nothing: after {1e3 * late:.0f} ms,"
      f" {'the same answer' if fresh == answer else 'ANOTHER ANSWER'}")
sys.exit(fresh != answer)
PY
