# Two peers with one thread each that hold one model, over sealed TCP on loopback; sourced by the
# benchmarks that compare them. Sets `shoal` and `run`, and ends the peers with the script.
#
#   mesh_start FILE.gguf       the model is "big" in $run/solo (alone) and in the mesh
#   alone THREADS FACTS ARGS   runs it in one process; the facts of the run go to the file FACTS
#   mesh FACTS ARGS            runs it on both peers
shoal=${SHOAL:-$(swift build -c release --show-bin-path)/shoal}
run=${SHOAL_BENCH_DIR:-$(mktemp -d "${TMPDIR:-/tmp}/shoal-bench.XXXXXX")}
pids=()
finish() {
  for pid in ${pids[@]+"${pids[@]}"}; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  [ -n "${SHOAL_BENCH_DIR:-}" ] || rm -rf "$run"
}
trap finish EXIT

mesh_start() {
  local file=$1 name
  printf 'import: '
  /usr/bin/time -f '%e s, %M KiB resident at most (the mapped file included)' \
    "$shoal" import "$file" --name big --data "$run/solo" >/dev/null
  "$shoal" net create bench --admission key --out "$run/network.toml" >/dev/null 2>&1 || true
  "$shoal" assess --quick --data "$run/a" >/dev/null
  for name in a b; do
    mkdir -p "$run/$name"
    [ "$name" = a ] || cp "$run/a/profile.toml" "$run/b/"
    "$shoal" net join "$run/network.toml" --data "$run/$name" >/dev/null
    rm -f "$run/$name/api"
    "$shoal" peer --data "$run/$name" --listen 127.0.0.1:0 --api 127.0.0.1:0 --threads 1 \
      --memory 3GiB >"$run/$name.log" 2>&1 &
    pids+=($!)
  done
  until [ -f "$run/a/api" ] && [ -f "$run/b/api" ]; do sleep 0.1; done
  "$shoal" import "$file" --name big --data "$run/a" >/dev/null
  until [ "$("$shoal" peers --data "$run/b" --json | grep -o '"state":"alive"' | wc -l)" -eq 2 ]; do
    sleep 0.1
  done
  until "$shoal" models --data "$run/b" --json | grep -q '"held":[1-9]'; do sleep 0.2; done
  mesh "$run/warm.json" --tokens 1,5,9,17 -n 8
}

alone() {
  "$shoal" run big --solo --threads "$1" --data "$run/solo" --temperature 0 --json --facts "$2" \
    "${@:3}" >/dev/null
}
mesh() {
  "$shoal" run big --objective spread --data "$run/b" --temperature 0 --json --facts "$1" \
    "${@:2}" >/dev/null
}
