#!/usr/bin/env bash
# Installs what this machine lacks to run chartcode (no argument) or its tests (argument "test"):
# PostgreSQL 15 or newer with pgvector, and for the tests a C compiler (for -race), Chromium, npm, and
# promtool, which checks the alert rules.
#
# It may be run again at any time and does nothing when nothing is missing. It never touches an
# existing PostgreSQL cluster and creates none: chartcode keeps its own in its data directory.
# Written for bash 3.2, which is what macOS has.
set -euo pipefail

mode=${1:-demo}
case $mode in
  demo | test) ;;
  *) echo "usage: deploy/setup.sh [demo|test]" >&2; exit 2 ;;
esac

root=$(cd "$(dirname "$0")/.." && pwd)
min_pg=15
min_go=26 # minor version of Go 1.x
download_seconds=0
work=
log=

say() { echo "set-up: $*" >&2; }

fail() {
  say "$*"
  if [ -n "$log" ] && [ -s "$log" ]; then
    keep=$(mktemp "${TMPDIR:-/tmp}/chartcode-setup-log.XXXXXX")
    cp "$log" "$keep"
    say "details are in $keep"
  fi
  exit 1
}

cleanup() { [ -z "$work" ] || rm -rf "$work"; }
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# scratch makes the working folder. It must be readable by apt's unprivileged download user.
scratch() {
  [ -z "$work" ] || return 0
  work=$(mktemp -d "${TMPDIR:-/tmp}/chartcode-setup.XXXXXX" 2> /dev/null) ||
    fail "no folder can be made in ${TMPDIR:-/tmp}: free some space there, or set TMPDIR to another place"
  chmod 755 "$work"
  log=$work/log
  : > "$log"
}

# step WHAT COMMAND...: run it, output to the log, say how long it took.
step() {
  local what=$1 began=$SECONDS status=0
  shift
  say "$what ..."
  "$@" >> "$log" 2>&1 < /dev/null || status=$?
  [ $((SECONDS - began)) -lt 2 ] || say "  took $((SECONDS - began)) s"
  return $status
}

# fetch is a step whose time counts as download time.
fetch() {
  local began=$SECONDS status=0
  step "$@" || status=$?
  download_seconds=$((download_seconds + SECONDS - began))
  return $status
}

have() { command -v "$1" > /dev/null 2>&1; }

# become sets the prefix that runs a command as root, or ends with one sentence.
as_root=()
become() {
  [ "$(id -u)" -ne 0 ] || return 0
  [ ${#as_root[@]} -eq 0 ] || return 0
  if have sudo && { sudo -n true 2> /dev/null || { [ -t 0 ] && [ -t 2 ] && sudo -v; }; }; then
    as_root=(sudo)
    return 0
  fi
  fail "$1 is missing and installing it needs root: run 'sudo deploy/setup.sh $mode' once, or ask an administrator to install it"
}

root_env() { "${as_root[@]+"${as_root[@]}"}" env DEBIAN_FRONTEND=noninteractive LC_ALL=C "$@"; }

# ---- what is there ---------------------------------------------------------------------------

# pg_bins lists "MAJOR BINDIR" of each PostgreSQL server found, newest first.
pg_bins() {
  local dir version
  {
    for dir in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin \
      /opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin; do
      [ -x "$dir/postgres" ] && [ -x "$dir/initdb" ] && echo "$dir"
    done
    if have pg_config; then
      dir=$(pg_config --bindir)
      [ -x "$dir/postgres" ] && echo "$dir"
    fi
    if have postgres; then dirname "$(command -v postgres)"; fi
  } | sort -u | while read -r dir; do
    version=$("$dir/postgres" --version 2> /dev/null | sed -E 's/^[^0-9]*([0-9]+).*/\1/') || continue
    [ "${version:-0}" -ge $min_pg ] && echo "$version $dir" || true
  done | sort -rn
}

# has_vector BINDIR: is pgvector installed for this server?
has_vector() {
  local config=$1/pg_config share lib
  [ -x "$config" ] || return 1
  share=$("$config" --sharedir)
  lib=$("$config" --pkglibdir)
  [ -f "$share/extension/vector.control" ] && ls "$lib"/vector.* > /dev/null 2>&1
}

ready_pg() {
  local version dir
  while read -r version dir; do
    if [ -n "$dir" ] && has_vector "$dir"; then
      echo "$version"
      return 0
    fi
  done <<< "$(pg_bins)"
  return 1
}

browser() {
  local name
  for name in chromium-headless-shell chromium chromium-browser google-chrome google-chrome-stable headless-shell; do
    have $name && return 0
  done
  [ -x "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" ] ||
    [ -x "/Applications/Chromium.app/Contents/MacOS/Chromium" ]
}

# rule_checker: promtool comes with Prometheus; bin/promtool is the one that was taken out of its package,
# and is kept in the user's cache for other checkouts.
rule_checker() {
  have promtool || [ -x "$root/bin/promtool" ] || { [ -x "$kept_promtool" ] && place_promtool "$kept_promtool" "$root/bin"; }
}
kept_promtool=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/chartcode-test-promtool/promtool

# place_promtool FILE FOLDER: under a name of its own first, for nobody must find half of it.
place_promtool() {
  mkdir -p "$2" && cp "$1" "$2/.promtool.$$" && mv -f "$2/.promtool.$$" "$2/promtool" && "$2/promtool" --version > /dev/null 2>&1
}

compiler() { have cc || have gcc || have clang; }

check_go() {
  local version minor
  have go || fail "Go is missing: install Go 1.$min_go or newer (https://go.dev/doc/install) and have 'go' in PATH"
  version=$(cd / && go env GOVERSION)
  minor=$(echo "$version" | sed -nE 's/^go1\.([0-9]+).*/\1/p')
  # An unreadable version is a development build: leave it to the go command to judge.
  if [ -n "$minor" ] && [ "$minor" -lt $min_go ]; then
    # Since 1.21 the go command fetches the toolchain that go.mod asks for, unless told not to.
    if [ "$minor" -lt 21 ] || [ "$(cd / && go env GOTOOLCHAIN)" = local ]; then
      fail "Go 1.$min_go or newer is needed and this is $version: install it from https://go.dev/doc/install"
    fi
  fi
}

# ---- Debian and its relatives ----------------------------------------------------------------

apt_options="-o Acquire::Retries=2 -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0"
apt_updated=
apt_update() {
  [ -z "$apt_updated" ] || return 0
  # shellcheck disable=SC2086
  fetch "reading the list of packages" root_env apt-get $apt_options -q update ||
    say "  not every list of packages could be read; going on with what there is"
  apt_updated=yes
}

# apt_known PACKAGE: can it be installed from the lists?
# The output is read to its end: with pipefail, a grep that stops at the first match would make
# apt-cache fail by SIGPIPE, now and then.
apt_known() { [ -n "$(LC_ALL=C apt-cache policy "$1" 2> /dev/null | sed -n '/Candidate: [^(]/p')" ]; }

# apt_install WHAT PACKAGE...: download (timed apart), then install.
apt_install() {
  local what=$1
  shift
  # shellcheck disable=SC2086
  fetch "downloading $what" root_env apt-get $apt_options -qy --no-install-recommends --download-only install "$@" ||
    fail "could not download $what: check the network (and the disk's free space) and run this again"
  # shellcheck disable=SC2086
  step "installing $what" root_env apt-get $apt_options -qy --no-install-recommends --no-download \
    -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold install "$@" ||
    fail "could not install $what"
}

# no_cluster runs apt_install with Debian's habit of creating and starting a "main" cluster off.
no_cluster() {
  local conf=/etc/postgresql-common/createcluster.d/chartcode-setup.conf status=0
  [ -d /etc/postgresql-common ] || apt_install "PostgreSQL's common files" postgresql-common
  echo "create_main_cluster = false" | root_env sh -c "mkdir -p '${conf%/*}' && cat > '$conf'"
  # In a subshell, so that a failure inside still takes the file away.
  (trap - EXIT; apt_install "$@") || status=$?
  root_env rm -f "$conf"
  [ $status -eq 0 ] || exit $status
}

# debian_source SUITE writes a deb-src list with the address and key of the machine's own
# Debian source for its own release, changed to SUITE.
debian_source() {
  local suite=$1 codename=$2 out=$3 file
  for file in /etc/apt/sources.list.d/*.sources; do
    [ -f "$file" ] || continue
    awk -v codename="$codename" -v suite="$suite" '
      function flush(    i, n, list, own) {
        n = split(suites, list, /[ \t]+/)
        for (i = 1; i <= n; i++) if (list[i] == codename) own = 1
        if (own && !done && uris != "" && (" " components " ") ~ / main /) {
          print "Types: deb-src\nURIs: " uris "\nSuites: " suite "\nComponents: main"
          if (key != "") print "Signed-By: " key
          done = 1
        }
        suites = uris = components = key = field = ""
      }
      /^#/ { next }
      /^[ \t]*$/ { flush(); next }
      /^[ \t]/ { if (field == "signed-by") key = key "\n" $0; next }
      {
        field = tolower($0); sub(/:.*/, "", field)
        value = $0; sub(/^[^:]*:[ \t]*/, "", value)
        if (field == "suites") suites = value
        if (field == "uris") uris = value
        if (field == "components") components = value
        if (field == "signed-by") key = value
      }
      END { flush() }' "$file" > "$out/debian.sources"
    [ ! -s "$out/debian.sources" ] || return 0
  done
  rm -f "$out/debian.sources"
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ -f "$file" ] || continue
    sed -nE "s/^deb[[:space:]]+(\[[^]]*\][[:space:]]+)?([^[:space:]]+)[[:space:]]+$codename[[:space:]]+(.*[[:space:]])?main([[:space:]].*)?\$/deb-src \1\2 $suite main/p" \
      "$file" | sed -n 1p > "$out/debian.list"
    [ ! -s "$out/debian.list" ] || return 0
  done
  return 1
}

# build_vector MAJOR builds pgvector from the source package of the next Debian release.
build_vector() {
  local major=$1 suite=trixie codename src options config
  codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  [ "$codename" = bookworm ] ||
    fail "this system has no package postgresql-$major-pgvector: install pgvector for PostgreSQL $major (https://github.com/pgvector/pgvector#installation), or set CHARTCODE_DATABASE_URL"
  no_cluster "what pgvector is built with" "postgresql-server-dev-$major" gcc libc6-dev make dpkg-dev xz-utils

  # apt is pointed at lists of its own in the scratch folder: the machine's own lists never
  # change, whatever happens here.
  mkdir -p "$work/parts" "$work/lists/partial" "$work/src"
  debian_source $suite "$codename" "$work/parts" ||
    fail "no Debian source for $codename was found in /etc/apt: install pgvector for PostgreSQL $major by hand, or set CHARTCODE_DATABASE_URL"
  options="$apt_options -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts=$work/parts -o Dir::State::lists=$work/lists -o APT::Sandbox::User=root"
  # shellcheck disable=SC2086
  fetch "reading the list of source packages" env LC_ALL=C apt-get $options -q \
    -o Dir::Cache="$work/cache" -o Debug::NoLocking=1 update || true
  cd "$work/src"
  # shellcheck disable=SC2086
  fetch "downloading pgvector's source" env LC_ALL=C apt-get $options -q \
    -o Dir::Cache="$work/cache" -o Debug::NoLocking=1 source pgvector ||
    fail "could not download pgvector's source: check the network and run this again"
  cd "$root"
  src=$(find "$work/src" -mindepth 1 -maxdepth 1 -type d -name 'pgvector-*' | sed -n 1p)
  [ -n "$src" ] || fail "pgvector's source package has an unexpected shape"
  config=/usr/lib/postgresql/$major/bin/pg_config
  # OPTFLAGS empty: the default tunes for this very CPU, which breaks when a disk image moves.
  # with_llvm=no: code for just-in-time compilation, which chartcode turns off, doubles the time.
  step "building pgvector" make -C "$src" -j2 PG_CONFIG="$config" OPTFLAGS= with_llvm=no ||
    fail "could not build pgvector"
  step "installing pgvector" root_env make -C "$src" install PG_CONFIG="$config" OPTFLAGS= with_llvm=no ||
    fail "could not install pgvector"
}

debian_pg() {
  local major
  become "PostgreSQL with pgvector"
  scratch
  apt_update
  major=$(pg_bins | sed -n 1p | cut -d' ' -f1)
  if [ -z "$major" ]; then
    major=$(LC_ALL=C apt-cache depends postgresql 2> /dev/null | sed -nE 's/.*Depends: postgresql-([0-9]+)$/\1/p' | sed -n 1p)
    [ -n "$major" ] || fail "no PostgreSQL package is known here: check the network and run this again"
    [ "$major" -ge $min_pg ] ||
      fail "this system's PostgreSQL is $major and $min_pg or newer is needed: install it with pgvector, or set CHARTCODE_DATABASE_URL"
  fi
  if apt_known "postgresql-$major-pgvector"; then
    no_cluster "PostgreSQL $major with pgvector" "postgresql-$major" "postgresql-$major-pgvector"
  else
    [ -x "/usr/lib/postgresql/$major/bin/postgres" ] ||
      no_cluster "PostgreSQL $major" "postgresql-$major"
    build_vector "$major"
  fi
}

# debian_promtool takes promtool alone out of Prometheus's package, which is not installed: no server,
# no service and no user come with it.
debian_promtool() {
  scratch
  apt_known prometheus || { become "promtool (the tests of the alert rules need it)"; apt_update; }
  apt_known prometheus || fail "promtool is missing (the tests of the alert rules need it) and this system has no package prometheus: install promtool (https://prometheus.io/download)"
  mkdir -p "$work/promtool/tree"
  cd "$work/promtool"
  # shellcheck disable=SC2086
  fetch "downloading promtool" env LC_ALL=C apt-get $apt_options -q -o APT::Sandbox::User=root download prometheus ||
    fail "could not download promtool: check the network and run this again"
  step "unpacking promtool" dpkg-deb -x "$work"/promtool/prometheus_*.deb "$work/promtool/tree" ||
    fail "could not unpack promtool"
  cd "$root"
  place_promtool "$work/promtool/tree/usr/bin/promtool" "$root/bin" || fail "promtool could not be copied to $root/bin, or does not run there"
  place_promtool "$root/bin/promtool" "$(dirname "$kept_promtool")" 2> /dev/null || true # only saves time
}

# ---- macOS ------------------------------------------------------------------------------------

brew_install() {
  local what=$1
  shift
  have brew || fail "$what is missing: install Homebrew (https://brew.sh) and run this again, or install it another way"
  scratch
  fetch "downloading $what" brew fetch "$@" || fail "could not download $what: check the network and run this again"
  step "installing $what" brew install "$@" || fail "could not install $what"
}

# ---- what must be there -----------------------------------------------------------------------

system=$(uname -s)
began=$SECONDS

check_go

if [ "$mode" = demo ] && [ -n "${CHARTCODE_DATABASE_URL:-}" ]; then
  : # an existing PostgreSQL is used
elif ! ready_pg > /dev/null; then
  if have apt-get && have dpkg; then
    debian_pg
  elif [ "$system" = Darwin ]; then
    brew_install "PostgreSQL with pgvector" postgresql@17 pgvector
  else
    fail "PostgreSQL $min_pg or newer with pgvector is missing: install both with this system's package manager (for instance 'postgresql-server' and 'pgvector'), or set CHARTCODE_DATABASE_URL"
  fi
  ready_pg > /dev/null || fail "PostgreSQL with pgvector is still not found after installing it"
fi

if [ "$mode" = test ]; then
  if ! compiler; then
    if have apt-get && have dpkg; then
      become "a C compiler (the race detector needs one)"
      scratch
      apt_update
      apt_install "a C compiler" gcc libc6-dev
    elif [ "$system" = Darwin ]; then
      fail "a C compiler is missing (the race detector needs one): run 'xcode-select --install'"
    else
      fail "a C compiler is missing (the race detector needs one): install gcc or clang"
    fi
  fi
  if ! browser; then
    if have apt-get && have dpkg; then
      become "Chromium (the page tests need it)"
      scratch
      apt_update
      # The shell is the same browser without its windows, and opens a page with six tenths of the work.
      shell=chromium-headless-shell
      apt_known $shell || shell=chromium
      apt_known $shell || fail "Chromium is missing (the page tests need it) and this system has no package of it: install Chromium or Google Chrome"
      apt_install "Chromium" $shell fonts-liberation
    elif [ "$system" = Darwin ]; then
      brew_install "Chromium" --cask chromium
    else
      fail "Chromium is missing (the page tests need it): install Chromium or Google Chrome"
    fi
  fi
  if ! have npm; then
    if have apt-get && have dpkg; then
      become "npm (the accessibility test fetches its checker with it)"
      scratch
      apt_update
      apt_install "npm" npm
    elif [ "$system" = Darwin ]; then
      brew_install "npm" node
    else
      fail "npm is missing (the accessibility test fetches its checker with it): install Node.js with npm"
    fi
  fi
  if ! rule_checker; then
    if have apt-get && have dpkg-deb; then
      debian_promtool
    elif [ "$system" = Darwin ]; then
      brew_install "promtool" prometheus
    else
      fail "promtool is missing (the tests of the alert rules need it): install it from https://prometheus.io/download"
    fi
  fi
fi

# Go modules are downloaded here, once for each go.sum, so that their time can be told apart.
if [ -f "$root/go.sum" ]; then
  stamp=$root/bin/.modules-$mode-$(cksum "$root/go.sum" | cut -d' ' -f1)
  if [ ! -f "$stamp" ]; then
    scratch
    list="go list -deps ./cmd/..."
    [ "$mode" = demo ] || list="go list -deps -test ./..."
    cd "$root"
    # shellcheck disable=SC2086
    fetch "downloading Go modules" $list || {
      if grep -Eqi 'dial tcp|lookup |timeout|connection (refused|reset)|no route|proxyconnect|unreachable|unexpected EOF' "$log"; then
        fail "could not download the Go modules: check the network (and GOPROXY) and run this again"
      fi
      fail "the go command could not load the program's packages: $(grep -Ev '^go: (downloading|finding)' "$log" | grep : | tail -1)"
    }
    mkdir -p "$root/bin"
    rm -f "$root/bin/.modules-$mode-"*
    : > "$stamp"
  fi
fi

if [ -n "$work" ]; then
  total=$((SECONDS - began))
  say "done in $total s, of which downloads took $download_seconds s"
fi
