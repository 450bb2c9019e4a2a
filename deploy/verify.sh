#!/usr/bin/env bash
# The checks that take too long for every change: deploy/test.sh is the one for that.
# Exit code 0 when nothing failed, 1 when something did, 2 when something is missing on this machine.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. deploy/lib/prerequisites.sh

need_dotnet
need_postgres
need_node
stop_if_missing

# A developer's own settings must not reach the gateways that the tests start.
unset "${!Gateway__@}" ConnectionStrings__Gateway OPENAI_API_KEY ASPNETCORE_URLS ASPNETCORE_ENVIRONMENT
# Build servers outlive the script and keep its output open; whoever waits for the end of the output would wait for them.
export MSBUILDDISABLENODEREUSE=1 UseSharedCompilation=false DOTNET_CLI_USE_MSBUILD_SERVER=0
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

failed=0

# check NAME COMMAND…: runs the command and says how it went.
check() {
  local name=$1 started=$SECONDS
  shift
  echo "$name …"
  if "$@"; then
    echo "$name: ok ($((SECONDS - started)) s)"
  else
    echo "$name: FAILED ($*)"
    failed=$((failed + 1))
  fi
}

dotnet build -c Release --nologo -v quiet

# The seed is printed; GATEWAY_PROPERTY_SEED repeats a run.
export GATEWAY_PROPERTY_CASES=${GATEWAY_PROPERTY_CASES:-20000}
check "$GATEWAY_PROPERTY_CASES mutated requests" dotnet test tests/Gateway.Tests -c Release --no-build --nologo \
  --filter FullyQualifiedName~Gateway.Tests.Properties --logger "console;verbosity=detailed"

if ((failed > 0)); then exit 1; fi
