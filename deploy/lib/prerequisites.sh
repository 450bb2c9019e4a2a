# shellcheck shell=bash
# What the scripts beside this folder need on a machine, and how it gets there. Sourced, never run.
#
# Every `need_x` returns at once when x is there: nothing is installed, nothing is asked of the network. What is missing
# is installed with apt on Debian 12+ and Ubuntu 24.04+, as root or through sudo, and said first. Everywhere else, and
# for what apt does not have or fails to install, all that is missing is listed and the script ends with exit code 2.

# Elements: one line each, for a person to act on.
missing=()

# The gateway looks in the same places: PATH, then where distributions put the server.
postgres_binaries() {
  local places=() folder version
  local found
  if found=$(command -v postgres); then places+=("$(dirname "$found")"); fi
  places+=(/usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/local/pgsql/bin /usr/local/bin /opt/homebrew/opt/postgresql*/bin)
  for folder in "${places[@]}"; do
    if [[ -x $folder/postgres && -x $folder/initdb && -x $folder/pg_ctl ]]; then
      version=$("$folder/postgres" --version | grep -oE '[0-9]+' | head -n 1)
      if ((version >= 15)); then
        echo "$folder"
        return 0
      fi
    fi
  done
  return 1
}

node_major() {
  command -v node >/dev/null && node --version | grep -oE '[0-9]+' | head -n 1
}

apt_is_supported() {
  command -v apt-get >/dev/null && [[ -r /etc/os-release ]] || return 1
  local id version
  id=$(. /etc/os-release && echo "${ID:-}")
  version=$(. /etc/os-release && echo "${VERSION_ID:-0}")
  case $id in
    debian) ((${version%%.*} >= 12)) ;;
    # 24.04 -> 2404, so that 24.10 and 25.04 compare as numbers.
    ubuntu) ((${version/./} >= 2404)) ;;
    *) return 1 ;;
  esac
}

# True when apt can be used at all. Says nothing: the caller names what is missing.
can_install() {
  apt_is_supported && { ((EUID == 0)) || command -v sudo >/dev/null; }
}

as_root() {
  if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}

# Debian starts a service on installing it. What is installed here is used as a program, and a server on a well-known
# port is not what somebody who runs a test asked for. policy-rc.d is Debian's own way to say so; an existing one stays.
# A subshell, so that the trap takes the file away however it ends.
apt_install() (
  echo "Installing with apt: $*"
  policy=/usr/sbin/policy-rc.d
  if [[ ! -e $policy ]]; then
    trap 'as_root rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
  fi
  apt_quietly install -y --no-install-recommends "$@"
)

# Shows what apt said only when it failed.
apt_quietly() {
  local said
  if ! said=$(as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq "$@" </dev/null 2>&1); then
    printf 'apt-get %s failed:\n%s\n' "$1" "$said" >&2
    return 1
  fi
}

# The package lists of a fresh machine or image are empty or old. Once per run is enough.
apt_update() {
  if [[ ${apt_updated:-} ]]; then return 0; fi
  echo "Refreshing the package lists (apt-get update)"
  apt_quietly update && apt_updated=yes
}

need_dotnet() {
  if command -v dotnet >/dev/null && dotnet --list-sdks | grep -q '^10\.'; then return 0; fi
  missing+=(".NET 10 SDK: https://dotnet.microsoft.com/download/dotnet/10.0")
}

no_main_cluster() {
  local folder=/etc/postgresql-common/createcluster.d
  echo "Setting create_main_cluster = false in $folder/gateway.conf"
  as_root mkdir -p "$folder" && echo 'create_main_cluster = false' | as_root tee "$folder/gateway.conf" >/dev/null
}

need_postgres() {
  if postgres_binaries >/dev/null; then return 0; fi
  # The setting comes before the server's package, which would otherwise make a cluster and run it on port 5432.
  if can_install && apt_update && apt_install postgresql-common && no_main_cluster && apt_install postgresql &&
    postgres_binaries >/dev/null; then
    return 0
  fi
  missing+=("PostgreSQL 15 or newer, the server's programs (postgres, initdb, pg_ctl) on PATH; no running server is needed")
}

# 18 is what Debian 12 has and what the SDK tests were seen to run on; the openai package itself names no lower bound.
need_node() {
  # One after the other: NodeSource's package has npm inside, and Debian's npm would not install beside it.
  if ! command -v node >/dev/null && can_install && apt_update; then apt_install nodejs || true; fi
  if ! command -v npm >/dev/null && can_install && apt_update; then apt_install npm || true; fi
  local major
  major=$(node_major || true)
  if ((${major:-0} < 18)); then
    missing+=("Node.js 18 or newer: https://nodejs.org/en/download${major:+ (here is $major)}")
  fi
  if ! command -v npm >/dev/null; then missing+=("npm, which comes with Node.js from nodejs.org"); fi
}

# need_command PROGRAM PACKAGE
need_command() {
  if command -v "$1" >/dev/null; then return 0; fi
  if can_install && apt_update && apt_install "$2" && command -v "$1" >/dev/null; then return 0; fi
  missing+=("$1 (package $2 on Debian and Ubuntu)")
}

# PDFs of datasets are read by its pdftotext.
need_poppler() {
  need_command pdftotext poppler-utils
}

# Ends the script when anything is missing, with all of it at once.
stop_if_missing() {
  if ((${#missing[@]} == 0)); then return 0; fi
  {
    echo "Missing on this machine:"
    printf '  - %s\n' "${missing[@]}"
    if ! apt_is_supported; then
      echo "Only on Debian 12+ and Ubuntu 24.04+ does this script install them by itself."
    elif ! can_install; then
      echo "Run this script as root or with sudo installed, and it installs what apt has."
    fi
  } >&2
  exit 2
}

# For scripts that test or measure.
use_clean_environment() {
  # A developer's own settings must not reach the gateways that are started.
  unset "${!Gateway__@}" ConnectionStrings__Gateway OPENAI_API_KEY ASPNETCORE_URLS ASPNETCORE_ENVIRONMENT
  # Build servers outlive a script and keep its output open; whoever waits for the end of the output would wait for them.
  export MSBUILDDISABLENODEREUSE=1 UseSharedCompilation=false DOTNET_CLI_USE_MSBUILD_SERVER=0
  export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
}
