#!/usr/bin/env bash
# Runs a development chain on loopback (devchain.py) until it is interrupted.
#
#   testnet/chain/up.sh [--port 8545] [--block-time SECONDS] [--max-log-range N] [--finalized N]
set -euo pipefail
. "$(dirname "$0")/environment.sh"
exec "$SHOAL_CHAIN_PYTHON" "$(dirname "$0")/devchain.py" "$@"
