#!/usr/bin/env bash
# Brings a machine to where Shoal builds: system libraries and a Swift toolchain.
#
#   testnet/setup.sh          or, from another script:   . testnet/setup.sh; shoal_setup
#
# Does nothing and prints nothing where all is there already. Installs with apt on Debian and
# Ubuntu, with Homebrew on macOS, and Swift through swiftly (swift.org) where there is none or one
# that is too old. Elsewhere it says in a sentence what to install by hand.
set -euo pipefail

SHOAL_SWIFT_MINIMUM="6.2"   # as Package.swift's first line asks
SHOAL_SWIFT_INSTALLED="6.3" # what swiftly gets where there is none
SHOAL_SWIFTLY_HOME="https://download.swift.org/swiftly"

shoal_say() { printf 'set-up: %s\n' "$*" >&2; }

shoal_refuse() {
  shoal_say "$*"
  exit 1
}

shoal_has() { command -v "$1" >/dev/null 2>&1; }

# --- system libraries ---------------------------------------------------------------------------

# Each by what it is needed for, not by who packaged it, so that any distribution can pass.
shoal_lacks_pkg_config() { ! shoal_has pkg-config; }
shoal_lacks_libsodium() { shoal_lacks_pkg_config || ! pkg-config --exists libsodium; }
shoal_lacks_libsecp256k1() { shoal_lacks_pkg_config || ! pkg-config --exists libsecp256k1; }
shoal_lacks_library() { shoal_lacks_libsodium || shoal_lacks_libsecp256k1; }

shoal_missing_apt() {
  if shoal_lacks_pkg_config; then printf 'pkg-config '; fi
  if shoal_lacks_libsodium; then printf 'libsodium-dev '; fi
  if shoal_lacks_libsecp256k1; then printf 'libsecp256k1-dev '; fi
}

shoal_missing_brew() {
  if shoal_lacks_pkg_config; then printf 'pkgconf '; fi
  if shoal_lacks_libsodium; then printf 'libsodium '; fi
  if shoal_lacks_libsecp256k1; then printf 'secp256k1 '; fi
}

# Runs a command as root: at once where we are root, else through sudo.
shoal_as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif shoal_has sudo; then
    sudo "$@"
  else
    shoal_refuse "needs root for \`$*\`: run that as root, then try again."
  fi
}

shoal_apt_install() {
  shoal_say "installing $*"
  shoal_as_root apt-get update -qq
  shoal_as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -qq -y --no-install-recommends "$@" >/dev/null
}

shoal_libraries() {
  local missing
  if ! shoal_lacks_library; then return 0; fi
  # The names are single words: splitting them is meant.
  if shoal_has apt-get; then
    missing=$(shoal_missing_apt)
    # shellcheck disable=SC2086
    shoal_apt_install $missing
  elif shoal_has brew; then
    missing=$(shoal_missing_brew)
    shoal_say "installing $missing"
    # shellcheck disable=SC2086
    brew install --quiet $missing
  elif [ "$(uname -s)" = Darwin ]; then
    shoal_refuse "install Homebrew (brew.sh), or libsodium, libsecp256k1 and pkg-config; then try again."
  else
    shoal_refuse "install libsodium and libsecp256k1 with their headers, and pkg-config; then try again."
  fi
  if shoal_lacks_library; then
    shoal_refuse "pkg-config still finds no libsodium or no libsecp256k1: check PKG_CONFIG_PATH."
  fi
}

# --- Swift --------------------------------------------------------------------------------------

# "6.3.1", or nothing where there is no working swift.
shoal_swift_version() {
  swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9.]*\).*/\1/p' | head -n 1
}

# Whether version $1 is at least $2; major and minor decide.
shoal_at_least() {
  local major minor wanted_major wanted_minor
  IFS=. read -r major minor _ <<VERSION
$1.0.0
VERSION
  IFS=. read -r wanted_major wanted_minor _ <<VERSION
$2.0.0
VERSION
  [ "$major" -gt "$wanted_major" ] ||
    { [ "$major" -eq "$wanted_major" ] && [ "$minor" -ge "$wanted_minor" ]; }
}

shoal_swift_is_good() {
  local version
  version=$(shoal_swift_version)
  [ -n "$version" ] && shoal_at_least "$version" "$SHOAL_SWIFT_MINIMUM"
}

# Where swiftly keeps itself: its own defaults for this system.
shoal_swiftly_directory() {
  if [ -n "${SWIFTLY_HOME_DIR:-}" ]; then
    printf '%s' "$SWIFTLY_HOME_DIR"
  elif [ "$(uname -s)" = Darwin ]; then
    printf '%s' "$HOME/.swiftly"
  else
    printf '%s' "${XDG_DATA_HOME:-$HOME/.local/share}/swiftly"
  fi
}

# Puts an installed swiftly on the PATH of this shell; fails where there is none.
shoal_enter_swiftly() {
  local environment
  environment="$(shoal_swiftly_directory)/env.sh"
  [ -r "$environment" ] || return 1
  set +u # swiftly's file reads variables that may be unset
  # shellcheck disable=SC1090
  . "$environment"
  set -u
  hash -r
}

# Fetches swiftly itself into the folder $1 and initialises it. Its caller tests the outcome, which
# switches `set -e` off in here: hence each `return`.
shoal_get_swiftly() {
  local folder=$1 archive
  case "$(uname -s)" in
    Darwin)
      curl -fsSL -o "$folder/swiftly.pkg" "$SHOAL_SWIFTLY_HOME/darwin/swiftly.pkg" || return 1
      installer -pkg "$folder/swiftly.pkg" -target CurrentUserHomeDirectory || return 1
      "$HOME/.swiftly/bin/swiftly" init --assume-yes --skip-install --quiet-shell-followup
      ;;
    Linux)
      if shoal_has apt-get; then
        if ! shoal_has curl || ! shoal_has gpg; then
          shoal_apt_install curl ca-certificates gnupg
        fi
      fi
      archive="swiftly-$(uname -m).tar.gz"
      curl -fsSL -o "$folder/$archive" "$SHOAL_SWIFTLY_HOME/linux/$archive" || return 1
      tar -xzf "$folder/$archive" -C "$folder" || return 1
      "$folder/swiftly" init --assume-yes --skip-install --quiet-shell-followup
      ;;
    *)
      shoal_refuse "no Swift for $(uname -s): Shoal runs on Linux and macOS."
      ;;
  esac
}

# Installs the toolchain. swiftly leaves what it cannot do without root in a script of its own.
shoal_install_swift() {
  local folder follow_up
  folder=$(mktemp -d)
  follow_up="$folder/follow-up.sh"
  if ! shoal_enter_swiftly; then
    shoal_get_swiftly "$folder" || shoal_refuse \
      "no swiftly from swift.org: install Swift $SHOAL_SWIFT_MINIMUM or newer; then try again."
    shoal_enter_swiftly || shoal_refuse "swiftly left no env.sh in $(shoal_swiftly_directory)."
  fi
  swiftly install --assume-yes --use --post-install-file "$follow_up" "$SHOAL_SWIFT_INSTALLED" ||
    [ -s "$follow_up" ] ||
    shoal_refuse "swiftly could not install Swift $SHOAL_SWIFT_INSTALLED: see above."
  if [ -s "$follow_up" ]; then shoal_as_root bash "$follow_up"; fi
  rm -rf "$folder"
  hash -r
}

shoal_swift() {
  if shoal_swift_is_good; then return 0; fi
  if shoal_enter_swiftly && shoal_swift_is_good; then return 0; fi
  shoal_say "installing Swift $SHOAL_SWIFT_INSTALLED through swiftly (about 1 GB; once)"
  shoal_install_swift
  shoal_swift_is_good || shoal_refuse \
    "no Swift of $SHOAL_SWIFT_MINIMUM or newer: first in PATH is $(command -v swift || echo none)."
}

shoal_setup() {
  shoal_libraries
  shoal_swift
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then shoal_setup; fi
