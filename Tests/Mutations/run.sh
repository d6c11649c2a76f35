#!/usr/bin/env bash
# Plants one fault after another in the code that ships, and sees whether the simulator finds it.
#
#   Tests/Mutations/run.sh [NAME...]
#
# Each fault is a patch beside this script. It is applied to the working tree, built, told stories
# of ten peers and four whole nodes until an invariant breaks, and taken back, also on Ctrl-C; a
# fault that does not build proves nothing. Without names, the tree as it is comes first and must
# be clean. Exits with 0 where all of that held. Run it on a tree without changes of its own.
set -euo pipefail
cd "$(dirname "$0")/../.."

last=60 # seeds
step=6
patch=
restore() { if [ -n "$patch" ]; then git apply -R "$patch"; patch=; fi; }
trap restore EXIT
trap 'exit 130' INT TERM

wrong=0
# Builds and simulates; says `clean`, `broken`, `failed` or `unbuilt`, and what broke in which seeds.
simulate() {
  verdict=unbuilt broken=
  swift build -c release --product shoal >/dev/null 2>&1 || return 0
  local first output
  for ((first = 1; first <= last; first += step)); do
    output=$("$(swift build -c release --show-bin-path)/shoal" sim --peers 10 --job-peers 4 \
      --seeds "$first..$((first + step - 1))" 2>&1) && continue
    verdict=failed
    broken=$(grep -oE '^seed [0-9]+ broke: .*' <<<"$output") && verdict=broken
    return 0
  done
  verdict=clean
}
say() { # name, wanted verdict
  local word=fine
  if [ "$verdict" != "$2" ]; then word=WRONG wrong=1; fi
  printf '%-32s %-8s %s\n' "$1" "$verdict" "$word"
  [ -z "$broken" ] || sed 's/^/    /' <<<"$broken"
}

names=("$@")
if [ ${#names[@]} = 0 ]; then
  simulate
  say "the tree as it is, $last seeds" clean
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
