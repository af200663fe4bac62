#!/usr/bin/env bash
# Gets a clone ready to use: checks Node, installs the npm packages, builds, and sees to it that there is a WebGPU adapter.
#
# A machine without one gets Mesa's software Vulkan driver where that is possible without asking (Debian or Ubuntu, as root or
# with a sudo that wants no password). Nothing fails for want of an adapter: the CPU backend does everything that WebGPU does.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: bash scripts/setup.sh [--tests] [--no-driver]

Installs the npm packages, builds, and looks for a WebGPU adapter. Without one, it installs
Mesa's software Vulkan driver on Debian and Ubuntu, as root or with passwordless sudo.

  --tests      also install Chromium, in which the tests of the page and the reports run
  --no-driver  install no system package
  --help       show this text
TEXT
}

may_install=true
with_tests=false
for argument in "$@"; do
  case "$argument" in
    --tests) with_tests=true ;;
    --no-driver) may_install=false ;;
    -h | --help)
      usage
      exit 0
      ;;
    *)
      echo "setup: unknown option '$argument', see --help" >&2
      exit 2
      ;;
  esac
done

cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Where this machine says what it is; the tests point them elsewhere.
os_release=${PTDPC_OS_RELEASE:-/etc/os-release}
apt_directory=${PTDPC_APT_DIR:-/etc/apt}
driver_packages=(mesa-vulkan-drivers libvulkan1)
# Where test/support/browser.ts looks for a browser.
chromium_places=("${PTDPC_CHROMIUM:-/usr/bin/chromium}")
[[ -n ${PTDPC_CHROMIUM:-} ]] || chromium_places+=(/usr/bin/chromium-browser /usr/bin/google-chrome)

say() { echo "setup: $*"; }

scratch=$(mktemp -d)
cleanup() {
  # What apt wrote there under sudo is root's.
  rm -rf "$scratch" 2>/dev/null || as_root rm -rf "$scratch"
}
trap cleanup EXIT

# Enough to install the rest. npm's scripts run on the newer Node that is among the development dependencies, and so does this one then.
least_node=20.18.1
PATH=$PWD/node_modules/.bin:$PATH

# A version as one number that can be compared: major, minor and patch.
as_number() {
  local major minor patch
  IFS=. read -r major minor patch <<<"$1"
  echo $((major * 1000000 + minor * 1000 + patch))
}

check_node() {
  local found
  found=$(node --version 2>/dev/null) || found=none
  # A pre-release, such as v26.0.0-nightly, counts as what it leads to.
  if [[ ! $found =~ ^v([0-9]+\.[0-9]+\.[0-9]+) ]] ||
    (($(as_number "${BASH_REMATCH[1]}") < $(as_number "$least_node"))); then
    echo "setup: Node.js $least_node or newer is needed, found: $found" >&2
    exit 1
  fi
}

# `npm ci` starts from nothing each time. The copy of the lockfile that was installed makes a second run quick.
install_packages() {
  local stamp=node_modules/.installed-package-lock.json
  # A NODE_ENV of production would leave out the compiler.
  local options=(--include=dev --no-audit --no-fund --loglevel=error)
  if [[ ! -f package-lock.json ]]; then
    say 'installing npm packages (there is no lockfile)'
    npm install "${options[@]}" </dev/null
  elif ! cmp -s package-lock.json "$stamp"; then
    say 'installing npm packages'
    npm ci "${options[@]}" </dev/null
    cp package-lock.json "$stamp"
  fi
}

build() {
  say 'building'
  npm run --silent build </dev/null
}

# Prints the adapter in one line; what Dawn says about drivers that it refuses goes to a file.
check_adapter() { node scripts/adapter-check.mjs 2>"$scratch/dawn.log"; }

as_root() {
  if [[ $(id -u) == 0 ]]; then "$@"; else sudo -n "$@"; fi
}

can_be_root() { [[ $(id -u) == 0 ]] || sudo -n true 2>/dev/null; }

# One variable of os-release(5), without its quotes; empty if there is none. Read, not run, though the file is shell syntax.
os_field() {
  sed -n "s/^$1=//p" "$os_release" 2>/dev/null | tail -n 1 | sed -e "s/^'\\(.*\\)'\$/\\1/" -e 's/^"\(.*\)"$/\1/' || true
}

uses_apt() {
  command -v apt-get >/dev/null && [[ " $(os_field ID) $(os_field ID_LIKE) " =~ \ (debian|ubuntu)\  ]]
}

# Runs apt-get with its own package lists, so that neither the machine's lists nor its sources change. Quiet unless it fails.
apt_get() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=120 \
    -o Dir::State::lists="$scratch/lists" "${apt_sources[@]}" "$@" </dev/null >"$scratch/apt.log" 2>&1 || {
    tail -n 20 "$scratch/apt.log" >&2
    return 1
  }
}

# Installs packages from the machine's own sources, copied by `copy_apt_sources`; of the Debian release in `release`, where that is set.
release=()
apt_sources=()
install_system_packages() {
  apt_get update && apt_get install --no-install-recommends ${release[@]+"${release[@]}"} "$@"
}

copy_apt_sources() {
  # apt downloads as a user of its own, who has to be able to look in here.
  chmod 755 "$scratch"
  mkdir -p "$scratch/lists/partial" "$scratch/sources.list.d"
  apt_sources=(-o Dir::Etc::sourcelist="$apt_directory/sources.list" -o Dir::Etc::sourceparts="$scratch/sources.list.d")
  cp "$apt_directory"/sources.list.d/*.{list,sources} "$scratch/sources.list.d/" 2>/dev/null || true
}

install_driver() {
  say "no WebGPU adapter: installing Mesa's software Vulkan driver (${driver_packages[*]})"
  copy_apt_sources
  # Dawn refuses the Mesa 22.3 of Debian 12: it lacks shaderUniformArrayDynamicIndexing. Backports have a newer one.
  if [[ $(os_field VERSION_CODENAME) == bookworm ]]; then
    node scripts/backports-source.mjs bookworm "$apt_directory" "$scratch/sources.list.d" || return 1
    local release=(-t bookworm-backports)
  fi
  install_system_packages "${driver_packages[@]}"
}

install_chromium() {
  say 'no Chromium: installing it for the tests that run in a browser'
  copy_apt_sources
  install_system_packages chromium
}

has_chromium() {
  local place
  for place in "${chromium_places[@]}"; do
    if [[ -x $place ]]; then return; fi
  done
  return 1
}

may_use_apt() { $may_install && uses_apt && can_be_root; }

ensure_chromium() {
  if has_chromium; then return; fi
  if may_use_apt && install_chromium && has_chromium; then return; fi
  say 'no Chromium, so the tests that run in a browser are skipped.' \
    'Install one (Debian: chromium), or set PTDPC_CHROMIUM to its path.'
}

say_what_to_install() {
  say 'no WebGPU adapter, so the CPU backend is used.' \
    "For one, install a Vulkan driver (Debian and Ubuntu: ${driver_packages[*]}; on Debian 12 from bookworm-backports)."
}

ensure_adapter() {
  if check_adapter; then return; fi
  if ! may_use_apt; then
    say_what_to_install
  elif ! install_driver; then
    say 'the driver could not be installed'
    say_what_to_install
  elif ! check_adapter; then
    cat "$scratch/dawn.log" >&2
    say_what_to_install
  fi
}

check_node
install_packages
build
ensure_adapter
if $with_tests; then ensure_chromium; fi
say 'ready'
