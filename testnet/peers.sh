# What scripts with real peers share: the program, a folder for one run, and peers that are started,
# awaited and ended. Sourced from the root of the repository, under `set -euo pipefail`.
#
#   peers_begin NAME          sets `shoal` (SHOAL names another program than the one that is built
#                             here) and the folder `run`. Peers end with the script, and the folder
#                             goes, but stays with its logs where the script failed. A function
#                             `at_end` is called before the peers are ended.
#   peers_measure             measures this machine, so that peers_join has its profile to copy
#   peers_join NAME...        makes $run/NAME the data directory of a peer in a network of their own.
#                             NETWORK names another one than the first, ADMISSION=open lets anybody in
#   peer_start NAME FLAGS...  starts it on ports that the system gives, with one thread: its process is
#                             pids[NAME], its log $run/NAME.log
#   peer_end NAME [SIGNAL]    sends it SIGTERM, or another signal that ends it, and waits for its end
#   await COMMAND...          until the command succeeds; after a minute the script ends
#   is_up NAME                whether its API is there
#   sees NAME COUNT           whether it sees so many peers alive, itself included
#   knows NAME MODEL          whether it knows a model of that name
#   fact FILE KEY             a value of a flat JSON object: the last where there are several

declare -A pids

peers_begin() {
  shoal=${SHOAL:-$(swift build -c release --show-bin-path)/shoal}
  [ -x "$shoal" ] || { printf 'build first: swift build -c release\n' >&2; exit 1; }
  run=$(mktemp -d "${TMPDIR:-/tmp}/shoal-$1.XXXXXX")
  trap peers_finish EXIT
  trap 'exit 130' INT TERM
}

peers_finish() {
  local status=$? pid
  if declare -F at_end >/dev/null; then at_end; fi
  # A peer may be stopped: only SIGKILL ends it then.
  for pid in "${pids[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  if [ "$status" -eq 0 ]; then rm -rf "$run"; else printf 'the logs are in %s\n' "$run" >&2; fi
}

peers_measure() { "$shoal" assess --quick --data "$run/measured" >/dev/null 2>&1; }

peers_join() {
  local name network=${NETWORK:-network}
  [ -f "$run/$network.toml" ] \
    || "$shoal" net create "$network" --admission "${ADMISSION:-key}" --out "$run/$network.toml" >/dev/null
  for name in "$@"; do
    mkdir -p "$run/$name"
    [ ! -f "$run/measured/profile.toml" ] || cp "$run/measured/profile.toml" "$run/$name/"
    "$shoal" net join "$run/$network.toml" --data "$run/$name" >/dev/null
  done
}

peer_start() {
  local name=$1
  shift
  rm -f "$run/$name/api"
  "$shoal" peer --data "$run/$name" --listen 127.0.0.1:0 --api 127.0.0.1:0 --threads 1 "$@" \
    >>"$run/$name.log" 2>&1 &
  pids[$name]=$!
  # The shell says nothing when it is killed.
  disown $!
}

peer_end() {
  kill "-${2:-TERM}" "${pids[$1]}"
  while kill -0 "${pids[$1]}" 2>/dev/null; do sleep 0.05; done
  unset "pids[$1]"
}

await() {
  local started=$SECONDS
  until "$@" >/dev/null 2>&1; do
    [ $((SECONDS - started)) -lt 60 ] || { printf 'waited a minute for: %s\n' "$*" >&2; exit 1; }
    sleep 0.1
  done
}

is_up() { [ -f "$run/$1/api" ]; }
sees() { [ "$("$shoal" peers --data "$run/$1" --json | grep -o '"state":"alive"' | wc -l)" -eq "$2" ]; }
knows() { "$shoal" models --data "$run/$1" --json | grep -q "\"name\":\"$2\""; }
fact() { sed -n "s/.*\"$2\":\"\{0,1\}\([0-9a-z.]*\).*/\1/p" "$1"; }
