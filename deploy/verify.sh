#!/usr/bin/env bash
# The checks that take too long for every change: deploy/test.sh is the one for that.
# Exit code 0 when nothing failed, 1 when something did, 2 when something is missing on this machine.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. deploy/lib/prerequisites.sh

need_dotnet
need_postgres
need_node
need_poppler
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

# run NAME CLASS [PROJECT]: one class of the tests, with what it prints.
run() {
  local project=${3:-Gateway.Tests}
  check "$1" dotnet test "tests/$project" -c Release --no-build --nologo --filter "FullyQualifiedName~$project.$2" \
    --logger "console;verbosity=detailed"
}

dotnet build -c Release --nologo -v quiet

# Seeds are printed; GATEWAY_PROPERTY_SEED and the like repeat a run.
export GATEWAY_PROPERTY_CASES=${GATEWAY_PROPERTY_CASES:-20000}
run "$GATEWAY_PROPERTY_CASES mutated requests" Properties
run "$GATEWAY_PROPERTY_CASES mutated requests of ChatKit, read" Requests.MutatedRequestTests ChatKit.Tests
run "$GATEWAY_PROPERTY_CASES mutated requests of ChatKit, answered" Server.MutatedRequestTests ChatKit.Tests
run "$GATEWAY_PROPERTY_CASES mutated requests of ChatKit, at the door" ChatKit.MutatedRequestTests

export GATEWAY_PARITY_REQUESTS=${GATEWAY_PARITY_REQUESTS:-20000} GATEWAY_PARITY_CALLERS=${GATEWAY_PARITY_CALLERS:-200}
export GATEWAY_PARITY_OUTAGE_SECONDS=${GATEWAY_PARITY_OUTAGE_SECONDS:-60}
run "Usage rows of $GATEWAY_PARITY_REQUESTS requests of $GATEWAY_PARITY_CALLERS callers, $GATEWAY_PARITY_OUTAGE_SECONDS s without Postgres" \
  Verify.ParityTests

export GATEWAY_DISCONNECTS=${GATEWAY_DISCONNECTS:-2000}
run "$GATEWAY_DISCONNECTS callers who leave" Verify.DisconnectTests

run "Canaries" Verify.CanaryTests

export GATEWAY_LIMIT_BURST=full
run "Limits of four gateways together" Limits.LimitBurst

export GATEWAY_LONG_RUNS=1
run "A primary that flaps for a minute" Faults.FlappingTests

export GATEWAY_RETRIEVAL_TEXTS=${GATEWAY_RETRIEVAL_TEXTS:-1500}
run "Retrieval from $GATEWAY_RETRIEVAL_TEXTS manual pages" Verify.RetrievalTests

export GATEWAY_SOAK_MINUTES=${GATEWAY_SOAK_MINUTES:-30}
run "$GATEWAY_SOAK_MINUTES minutes at half of capacity" Verify.SoakTests

if ((failed > 0)); then exit 1; fi
