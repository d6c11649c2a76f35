#!/usr/bin/env bash
# Makes the documentation of the Swift library (the product `Shoal`) with DocC, out of what a build
# has left: no package plugin, no build of its own. Any warning is an error.
#
#   testnet/documentation.sh [FOLDER]    Shoal.doccarchive goes there (default: a temporary folder)
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
swift=$(command -v swift) || { printf 'there is no Swift here\n' >&2; exit 1; }
docc=$(dirname "$(readlink -f "$swift")")/docc
[ -x "$docc" ] || { printf 'this toolchain has no docc\n' >&2; exit 1; }
products=${BUILT:-$(swift build -c release --show-bin-path)}
[ -e "$products/Modules/ShoalPeer.swiftmodule" ] \
  || { printf 'build first: swift build -c release\n' >&2; exit 1; }
archive=${1:-$(mktemp -d "${TMPDIR:-/tmp}/shoal-documentation.XXXXXX")}
mkdir -p "$archive"
graphs=$(mktemp -d "${TMPDIR:-/tmp}/shoal-graphs.XXXXXX")
trap 'rm -rf "$graphs"' EXIT

# Modules of C, which the compiler reads to understand those of Swift.
maps=()
for folder in Sources/C*/ Sources/C*/include/; do
  maps+=(-I "$folder")
done
for map in "$products"/*.build/module.modulemap; do
  case "$map" in *-tool.build/*) ;; *) maps+=(-Xcc "-fmodule-map-file=$map") ;; esac
done
"$swift" symbolgraph-extract -module-name ShoalPeer -I "$products/Modules" "${maps[@]}" \
  -target "$(swift -print-target-info | sed -n 's/.*"triple": "\(.*\)".*/\1/p' | head -n 1)" \
  -minimum-access-level public -output-dir "$graphs"
"$docc" convert Sources/ShoalPeer/Shoal.docc --additional-symbol-graph-dir "$graphs" --fallback-display-name Shoal \
  --fallback-bundle-identifier org.shoal.library --warnings-as-errors \
  --output-path "$archive/Shoal.doccarchive"
printf '%s pages, no warning: %s\n' \
  "$(find "$archive/Shoal.doccarchive/data" -name '*.json' | wc -l)" "$archive/Shoal.doccarchive"
