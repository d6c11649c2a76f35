#!/usr/bin/env bash
# Plants one fault after another in the code that ships, and sees whether the simulator finds it.
#
#   Tests/Mutations/run.sh [NAME...]
#
# Each fault is a patch beside this script. It is applied to the working tree, built, simulated by
# the tests of ShoalSimulation and taken back, also on Ctrl-C. Exits with 0 where every fault was
# found. Run it on a clean tree.
set -euo pipefail
cd "$(dirname "$0")/../.."

patch=
restore() { if [ -n "$patch" ]; then git apply -R "$patch"; patch=; fi; }
trap restore EXIT
trap 'exit 130' INT TERM

missed=0
names=("$@")
if [ ${#names[@]} = 0 ]; then
  for file in Tests/Mutations/*.patch; do names+=("$(basename "$file" .patch)"); done
fi
for name in "${names[@]}"; do
  file=Tests/Mutations/$name.patch
  git apply "$file"
  patch=$file
  swift build -c release --build-tests >/dev/null 2>&1
  if output=$(swift test -c release --skip-build --filter ShoalSimulationTests 2>&1); then
    echo "MISSED  $name"
    missed=1
  else
    echo "found   $name"
    printf '%s\n' "$output" | grep -oE 'invariant: ShoalSimulation.Invariant.[a-zA-Z]+' | sort | uniq -c || true
  fi
  restore
done
exit $missed
