#!/usr/bin/env bash
# Plants one fault after another in the code that ships, and sees whether the simulator finds it.
#
#   Tests/Mutations/run.sh [NAME...]
#
# Each fault is a patch beside this script. It is applied to the working tree, built, simulated by
# the tests of ShoalSimulation and taken back, also on Ctrl-C; a fault that does not build proves
# nothing. Without names, the tree as it is comes first and must be clean. Exits with 0 where all
# of that held. Run it on a tree without changes of its own.
set -euo pipefail
cd "$(dirname "$0")/../.."

patch=
restore() { if [ -n "$patch" ]; then git apply -R "$patch"; patch=; fi; }
trap restore EXIT
trap 'exit 130' INT TERM

wrong=0
# Builds and simulates; says `clean`, `broken`, or `unbuilt`, and which invariants broke.
simulate() {
  verdict=unbuilt broken=
  swift build -c release --build-tests >/dev/null 2>&1 || return 0
  if output=$(swift test -c release --skip-build --filter ShoalSimulationTests 2>&1); then
    verdict=clean
    grep -qE 'Test run with [1-9][0-9]* tests' <<<"$output" || verdict=unbuilt
  else
    verdict=broken
    broken=$(grep -oE 'Invariant\.[a-zA-Z]+' <<<"$output" | sort | uniq -c | sort -rn) || true
  fi
}
say() { # name, wanted verdict
  local word=fine
  if [ "$verdict" != "$2" ]; then word=WRONG wrong=1; fi
  printf '%-32s %-8s %s\n' "$1" "$verdict" "$word"
  [ -z "$broken" ] || printf '%s\n' "$broken"
}

names=("$@")
if [ ${#names[@]} = 0 ]; then
  simulate
  say 'the tree as it is' clean
  for file in Tests/Mutations/*.patch; do names+=("$(basename "$file" .patch)"); done
fi
for name in "${names[@]}"; do
  file=Tests/Mutations/$name.patch
  git apply "$file"
  patch=$file
  simulate
  say "$name" broken
  restore
done
exit $wrong
