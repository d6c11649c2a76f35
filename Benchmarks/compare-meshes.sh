#!/usr/bin/env bash
# Two processes with one thread each, beside those of others: the same weights, a prompt of 512 tokens,
# then 32 more. Alternating runs, medians.
#
#   Benchmarks/compare-meshes.sh FILE.gguf [RUNS]       (a Llama in Q4_0; needs python3)
#
#   LLAMA_BIN=FOLDER    llama.cpp's llama-bench and ggml-rpc-server, built with GGML_RPC: two servers,
#                       by layers and by tensors
#   DLLAMA=PATH         distributed-llama's dllama: one node with two threads, two with one. Its files
#                       are written by others/distributed-llama-model.py (needs the package gguf)
set -euo pipefail
file=$(realpath "${1:?a GGUF file}") runs=${2:-3}
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. Benchmarks/mesh.sh
mesh_start "$file"
prompt=512 tokens=32
numbers=$(seq -s, 300 $((299 + prompt)))
letters=$(printf 'a%.0s' $(seq "$prompt"))

idle() { # processor time of a process, in clock ticks
  awk '{ print $14 + $15 }' "/proc/$1/stat"
}
before=$(($(idle "${pids[0]}") + $(idle "${pids[1]}")))
sleep 5
after=$(($(idle "${pids[0]}") + $(idle "${pids[1]}")))
printf 'two idle peers take %d ms of processor time in 5 s\n' $(((after - before) * 1000 / $(getconf CLK_TCK)))

# Two servers for the time of one command.
between_servers() { # COMMAND PORT... -- CLIENT...
  local -n server=$1
  local started=() port
  shift
  while [ "$1" != -- ]; do
    port=$1
    "${server[@]}" "$port" >"$run/server-$port.log" 2>&1 &
    started+=($!)
    shift
  done
  shift
  sleep 1
  "$@" || true
  kill "${started[@]}" 2>/dev/null || true
  wait "${started[@]}" 2>/dev/null || true
}
rpc=("${LLAMA_BIN:-}/ggml-rpc-server" -H 127.0.0.1 -t 1 -p)
llama() { # SPLIT NAME
  between_servers rpc 50152 50153 -- "$LLAMA_BIN/llama-bench" -m "$file" --rpc 127.0.0.1:50152,127.0.0.1:50153 \
    -ngl 99 -sm "$1" -t 1 -p "$prompt" -n "$tokens" -r 1 -o json >"$2" 2>"$2.log"
}
node=("${DLLAMA:-}" worker --nthreads 1 --port)
inference=("${DLLAMA:-}" inference --model "$run/q40.m" --tokenizer "$run/q40.t" --buffer-float-type q80
  --max-seq-len 1024 --prompt "$letters" --steps $((prompt + tokens)))
if [ -n "${DLLAMA:-}" ] && [ ! -f "$run/q40.m" ]; then
  python3 Benchmarks/others/distributed-llama-model.py "$file" "$run/q40.m" "$run/q40.t"
fi
for ((i = 0; i < runs; i++)); do
  alone 2 "$run/one-$i.json" --tokens "$numbers" -n "$tokens"
  mesh "$run/two-$i.json" --tokens "$numbers" -n "$tokens"
  if [ -n "${DLLAMA:-}" ]; then
    "${inference[@]}" --nthreads 2 >"$run/dllama-one-$i.txt"
    between_servers node 50154 -- "${inference[@]}" --nthreads 1 --workers 127.0.0.1:50154 >"$run/dllama-two-$i.txt"
  fi
  if [ -n "${LLAMA_BIN:-}" ]; then
    llama layer "$run/layers-$i.json"
    llama tensor "$run/tensors-$i.json"
  fi
done
python3 - "$run" "$runs" "$prompt" <<'PY'
import json, os, re, statistics, sys
run, runs, prompt = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])

def ours(text):
    timing = json.loads(text)["timing"]
    return prompt / timing["promptSeconds"], timing["tokensPerSecond"]
def llama(text):
    tests = {bool(test["n_prompt"]): test["avg_ts"] for test in json.loads(text)}
    return tests[True], tests[False]
def dllama(text):
    return tuple(float(rate) for rate in re.findall(r"tokens/s: ([0-9.]+)", text))

rows = [("one", "json", "Shoal, 1 peer with 2 threads", ours), ("two", "json", "Shoal, 2 peers with 1 thread", ours),
        ("dllama-one", "txt", "distributed-llama, 1 node with 2 threads", dllama),
        ("dllama-two", "txt", "distributed-llama, 2 nodes with 1 thread", dllama),
        ("layers", "json", "llama.cpp RPC, 2 servers, by layers", llama),
        ("tensors", "json", "llama.cpp RPC, 2 servers, by tensors", llama)]
print(f"{'tokens/s, medians of ' + str(runs):44s} prompt   decoding")
for name, kind, title, read in rows:
    rates = []
    for i in range(runs):
        path = f"{run}/{name}-{i}.{kind}"
        try:
            rates.append(read(open(path).read()))
        except (OSError, ValueError, KeyError) as error:
            if os.path.exists(path): print(f"{title}: {error!r}")
    rates = [rate for rate in rates if len(rate) == 2]
    if rates:
        print(f"{title:44s} {statistics.median(r[0] for r in rates):6.1f} {statistics.median(r[1] for r in rates):10.2f}")
PY
