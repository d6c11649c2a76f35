# Makes a Python environment for the chain's tools in .build-chain/ on first use, and says where it is.
#
#   . testnet/chain/environment.sh; "$SHOAL_CHAIN_PYTHON" ...
SHOAL_CHAIN_FOLDER="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
SHOAL_CHAIN_PYTHON="$SHOAL_CHAIN_FOLDER/../../.build-chain/python/bin/python"

shoal_chain_environment() {
  local wanted="$SHOAL_CHAIN_FOLDER/requirements.txt" home
  home="$(dirname "$(dirname "$SHOAL_CHAIN_PYTHON")")"
  if [ -e "$home/ready" ] && [ ! "$wanted" -nt "$home/ready" ]; then return 0; fi
  printf 'set-up: making a Python environment for the chain (once)\n' >&2
  python3 -m venv "$home"
  "$home/bin/pip" install --quiet --pre -r "$wanted"
  touch "$home/ready"
}
shoal_chain_environment
