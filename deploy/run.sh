#!/usr/bin/env bash
# Starts the gateway from its source: ./deploy/run.sh [arguments of `gateway`]
# Installs what is missing first (see lib/prerequisites.sh). Settings are environment variables; README.md lists them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. deploy/lib/prerequisites.sh

need_dotnet
# Not for somebody who brings a database.
if [[ -z ${ConnectionStrings__Gateway:-} ]]; then need_postgres; fi
stop_if_missing

# As root the embedded database runs as an unprivileged user, who cannot enter a checkout under, say, /root.
if ((EUID == 0)) && [[ -z ${Gateway__DataDirectory:-} && -z ${ConnectionStrings__Gateway:-} ]]; then
  unprivileged=postgres
  id -u "$unprivileged" >/dev/null 2>&1 || unprivileged=nobody
  if ! setpriv --reuid="$unprivileged" --regid="$(id -g "$unprivileged")" --clear-groups test -x "$PWD"; then
    export Gateway__DataDirectory=/var/lib/gateway
    echo "The user $unprivileged cannot enter $PWD, so the data directory is $Gateway__DataDirectory."
  fi
fi

echo "Building and starting the gateway" >&2
exec dotnet run --project src/Gateway -c Release -- "$@"
