# Shared by the scripts beside it; sourced, never run. Each script is one verb: see CONTRIBUTING.md.
# shellcheck shell=bash disable=SC2034  # the names are for the scripts that source this
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

VENV=.venv
BIN=$VENV/bin
STAMPS=$VENV/.setup-stamps
VENDOR=src/vitruvian/dashboard/static/vendor

say() { printf '\033[1m==> %s\033[0m\n' "$*" >&2; }
die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}
has() { command -v "$1" >/dev/null 2>&1; }

# One digest of the files and words given: a step is done again when it changes.
digest() {
  local item
  for item in "$@"; do
    if [ -f "$item" ]; then cat "$item"; else printf '%s\n' "$item"; fi
  done | python3 -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())'
}
done_already() { [ -f "$STAMPS/$1" ] && [ "$(cat "$STAMPS/$1")" = "$2" ]; }
mark_done() {
  mkdir -p "$STAMPS"
  printf '%s\n' "$2" >"$STAMPS/$1"
}

# Installs Debian packages where we may; else says what is missing and how to get it.
APT_UPDATED=no
apt_install() {
  local run=()
  if [ "$(id -u)" -ne 0 ]; then
    if has sudo && sudo -n true 2>/dev/null; then run=(sudo -n); else die "needs $*: install it (on Debian: apt-get install $*) and run this again"; fi
  fi
  has apt-get || die "needs $*: install it with your system's package manager and run this again"
  if [ "$APT_UPDATED" = no ]; then
    say "apt-get update"
    "${run[@]}" apt-get update -qq >&2
    APT_UPDATED=yes
  fi
  say "apt-get install $*"
  local log
  log=$(mktemp)
  if ! "${run[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "$@" </dev/null >"$log" 2>&1; then
    cat "$log" >&2
    die "apt-get could not install $*: see above"
  fi
  rm -f "$log"
}
