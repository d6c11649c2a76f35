#!/usr/bin/env bash
# How long it takes to plan a Llama 70B over 100 and 1,000 peers: best of five. Ends with another
# status than 0 where a plan took more than a millisecond for each peer.
#
#   Benchmarks/planning.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
mapfile -t sources < <(find Sources/ShoalProtocol -name '*.swift')
swiftc -O -wmo -swift-version 6 -package-name shoal -module-name planning \
  -enable-upcoming-feature ExistentialAny -enable-upcoming-feature NonisolatedNonsendingByDefault \
  -enable-experimental-feature Lifetimes -o "$out/planning" \
  "${sources[@]}" Benchmarks/planning/main.swift
"$out/planning"
