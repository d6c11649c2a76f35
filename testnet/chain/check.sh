#!/usr/bin/env bash
# Compiles the contracts again and compares, then tests them on two EVMs (py-evm and revm).
#
#   testnet/chain/check.sh
#
# Makes a Python environment of its own in .build-chain/ on first use (testnet/chain/requirements.txt).
set -euo pipefail
cd "$(dirname "$0")"
environment=../../.build-chain/python
if [ ! -x "$environment/bin/pytest" ] || [ requirements.txt -nt "$environment/bin/pytest" ]; then
  python3 -m venv "$environment"
  "$environment/bin/pip" install --quiet --pre -r requirements.txt
  touch "$environment/bin/pytest"
fi
"$environment/bin/python" compile.py --check
echo "bytecode and ABI are what the sources compile to"
exec "$environment/bin/pytest" -q -p no:cacheprovider tests
