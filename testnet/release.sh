#!/usr/bin/env bash
# Makes what a machine without Swift needs: the program with Swift's libraries inside, its manual,
# completions and service files, packed. Builds in a folder of its own, which takes minutes.
#
#   testnet/release.sh [FOLDER]      shoal-VERSION-SYSTEM-MACHINE.tar.gz goes there (default: .)
#
# On Linux it needs libcurl to link with (libcurl4-openssl-dev): Foundation asks chains' nodes by it, and
# a library that is kept safe by the system stays outside.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
folder=$(cd "${1:-.}" && pwd)
cd "$root"
options=(-c release --product shoal --static-swift-stdlib --scratch-path .build-static)
swift build "${options[@]}"
built=$(swift build "${options[@]}" --show-bin-path)/shoal

version=$("$built" --version)
name=shoal-$version-$(uname -s | tr 'A-Z' 'a-z')-$(uname -m)
run=$(mktemp -d "${TMPDIR:-/tmp}/shoal-release.XXXXXX")
trap 'rm -rf "$run"' EXIT
mkdir -p "$run/$name/completions" "$run/$name/service"
install -m 0755 "$built" "$run/$name/shoal"
strip "$run/$name/shoal"
python3 testnet/man.py "$built" >"$run/$name/shoal.1"
for shell in bash zsh fish; do
  "$built" --generate-completion-script "$shell" >"$run/$name/completions/shoal.$shell"
done
install -m 0644 LICENSE README.md docs/OPERATING.md "$run/$name/"
install -m 0644 testnet/service/* "$run/$name/service/"

# It runs where nothing of Swift is to be found, and computes what any build computes.
bare() { env -i HOME="$run" PATH=/nowhere "$run/$name/shoal" "$@"; }
bare run testnet/demo-model/shoal-stories-q8_0.gguf "Once upon a time" -n 8 --solo --data "$run/data" \
  --json | grep -o '"digest":"[0-9a-f]*"'
if command -v ldd >/dev/null; then
  printf 'needs of the system:\n'
  ldd "$run/$name/shoal" | sed -n 's/^\t\([^ ]*\) .*/  \1/p' | sort
  if ldd "$run/$name/shoal" | grep -qE 'libswift|libFoundation|not found'; then
    printf 'it needs libraries that such a machine does not have\n' >&2
    exit 1
  fi
fi
tar -C "$run" -czf "$folder/$name.tar.gz" "$name"
(cd "$folder" && sha256sum "$name.tar.gz" 2>/dev/null || shasum -a 256 "$name.tar.gz")
du -h "$folder/$name.tar.gz" | cut -f 1
