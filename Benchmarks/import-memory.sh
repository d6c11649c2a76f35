#!/usr/bin/env bash
# How much memory an import of a 70B model takes: a sparse file of its shape in Q4_K, whose matrices
# are holes. Atoms of zeros are all alike, so that the store holds few; each is packed all the same.
#
#   Benchmarks/import-memory.sh [LAYERS] [TYPE]      (of 80; default 80 q4_K; needs python3, numpy)
#
# Prints the file's size, the time, and the peaks of the process in /proc/PID/status, looked at ten
# times a second: RssAnon is what it took, RssFile are pages of the mapped file, which the system
# drops as it likes.
set -euo pipefail
cd "$(dirname "$0")/.."
layers=${1:-80} type=${2:-q4_K}
shoal=${SHOAL:-.build/release/shoal}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

python3 testnet/generate-llama.py "$out/70b.gguf" --preset llama-70b --layers "$layers" \
  --type "$type" --holes
echo "file: $(stat -c %s "$out/70b.gguf") bytes, $(du -k "$out/70b.gguf" | cut -f1) KiB on disk"
start=$(date +%s.%N)
"$shoal" import "$out/70b.gguf" --data "$out/data" --json > "$out/facts.json" 2> "$out/errors" &
importer=$!
anonymous=0 mapped=0
while status=$(cat "/proc/$importer/status" 2> /dev/null) && kill -0 "$importer" 2> /dev/null; do
  a=$(awk '/^RssAnon:/ {print $2}' <<< "$status") m=$(awk '/^RssFile:/ {print $2}' <<< "$status")
  anonymous=$((${a:-0} > anonymous ? ${a:-0} : anonymous))
  mapped=$((${m:-0} > mapped ? ${m:-0} : mapped))
  sleep 0.1
done
wait "$importer" || { cat "$out/errors"; exit 1; }
python3 -c "import time; print(f'import: {time.time() - $start:.0f} s')"
echo "peak RssAnon: $((anonymous / 1024)) MiB, peak RssFile: $((mapped / 1024)) MiB"
cat "$out/facts.json"
