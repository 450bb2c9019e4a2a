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

use_clean_environment

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

GATEWAY_LIMIT_BURST=full check "limits of four gateways together" dotnet test tests/Gateway.Tests -c Release --no-build --nologo \
  --filter FullyQualifiedName~Gateway.Tests.Limits.LimitBurst --logger "console;verbosity=detailed"

if ((failed > 0)); then exit 1; fi
