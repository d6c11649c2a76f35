#!/usr/bin/env bash
# Compiles the contracts again and compares, then tests them on two EVMs (py-evm and revm), and the
# development chain with them.
set -euo pipefail
. "$(dirname "$0")/environment.sh"
cd "$(dirname "$0")"
"$SHOAL_CHAIN_PYTHON" compile.py --check
echo "bytecode and ABI are what the sources compile to"
exec "$SHOAL_CHAIN_PYTHON" -m pytest -q -p no:cacheprovider tests
