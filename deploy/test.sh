#!/usr/bin/env bash
# The whole check: format, build with warnings as errors, all tests, migrations that match the model.
# Installs what is missing first (see lib/prerequisites.sh). Prints progress and what failed; the last line is
# "N passed, N failed", where N counts tests, and a step that is not a test but failed counts as one failure.
# Exit code 0 when nothing failed, 1 when something did, 2 when something is missing on this machine.
#   --slowest   also names the ten test classes that took longest
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. deploy/lib/prerequisites.sh

slowest=no
case "$*" in
  '') ;;
  --slowest) slowest=yes ;;
  *)
    echo "usage: deploy/test.sh [--slowest]" >&2
    exit 2
    ;;
esac

need_dotnet
need_postgres
need_node
need_poppler
stop_if_missing

use_clean_environment

work=$(mktemp -d)
test_group=''
trap 'stop_tests; rm -rf "$work"' EXIT

passed=0
failed=0

# step NAME COMMAND…: runs the command silently; on failure shows its output and counts it.
step() {
  local name=$1 started=$SECONDS
  shift
  if "$@" >"$work/output" 2>&1; then
    echo "$name: ok ($((SECONDS - started)) s)"
    return 0
  fi
  echo "$name: FAILED ($*)"
  cat "$work/output"
  return 1
}

finish() {
  echo "$passed passed, $failed failed"
  if ((failed > 0 || passed == 0)); then exit 1; fi
  exit 0
}

# Without these nothing after them means anything.
fatal() {
  failed=$((failed + 1))
  finish
}

# shellcheck disable=SC2317 # reached through step
# In a process group of its own: a hung test's process outlives the test runner that gave it up.
run_tests() {
  # Bash has what it starts in the background ignore Ctrl-C, and that would be inherited by gateways that a test interrupts.
  setsid env --default-signal=INT,QUIT "$@" &
  test_group=$!
  wait "$test_group"
}

# shellcheck disable=SC2317 # reached through the trap
# Ends what the test run left behind, politely first so that gateways stop their databases.
stop_tests() {
  if [[ -z $test_group ]] || ! kill -TERM -- "-$test_group" 2>/dev/null; then return 0; fi
  for _ in {1..50}; do
    kill -0 -- "-$test_group" 2>/dev/null || return 0
    sleep 0.2
  done
  kill -KILL -- "-$test_group" 2>/dev/null || true
}

# Adds up one counter over the result files of all test projects.
counted() {
  cat "$work"/results/*.trx 2>/dev/null | grep -o '<Counters [^>]*>' | grep -oE " $1=\"[0-9]+\"" | grep -oE '[0-9]+' |
    awk '{ sum += $1 } END { print sum + 0 }' || true
}

# What each test class took in seconds, without what its fixtures did before and after.
slowest_classes() {
  cat "$work"/results/*.trx | grep -o '<UnitTestResult [^>]*>' |
    sed -nE 's/.* testName="([^"(]*)[^"]*".* duration="([0-9:.]+)".*/\1 \2/p' |
    awk '{ sub(/\.[^.]*$/, "", $1); split($2, t, ":"); s[$1] += t[1] * 3600 + t[2] * 60 + t[3] }
      END { for (c in s) printf "%7.1f s  %s\n", s[c], c }' | sort -rn | head -n 10 || true
}

# shellcheck disable=SC2317 # reached through step
# Most tests start gateways, and most of a start is compiling: what every start uses is compiled once for all of them.
compile_ahead() {
  dotnet restore src/Gateway --use-current-runtime -p:PublishReadyToRun=true --nologo &&
    dotnet publish src/Gateway -c Release --no-build --nologo --use-current-runtime --self-contained false \
      -p:PublishReadyToRun=true -p:AppendRuntimeIdentifierToOutputPath=false -o "$work/gateway"
}

step "restore" dotnet restore || fatal
# Style and analyzers are the build's part: to format those too would compile everything once more.
step "format" dotnet format whitespace --no-restore --verify-no-changes || failed=$((failed + 1))
step "build" dotnet build -c Release --no-restore --nologo -p:TreatWarningsAsErrors=true || fatal
if step "ahead-of-time code" compile_ahead; then
  export GATEWAY_TEST_ASSEMBLY=$work/gateway/gateway.dll
else
  # The compiler is a package that not every registry copy has.
  echo "The tests run without it, and longer."
fi
if [[ -d tests/Gateway.Tests/Node ]]; then
  step "npm packages" npm ci --prefix tests/Gateway.Tests/Node --no-audit --no-fund || fatal
fi

tests_ended_well=yes
# blame: a test that hangs is named after ten minutes instead of holding up everything for ever.
step "tests" run_tests dotnet test -c Release --no-build --nologo -m:1 --logger trx --results-directory "$work/results" \
  --blame-hang-timeout 10m --blame-hang-dump-type none || tests_ended_well=no
passed=$(counted passed)
tests_failed=$(($(counted failed) + $(counted error) + $(counted timeout) + $(counted aborted)))
skipped=$(counted notExecuted)
if ((skipped > 0)); then
  echo "$skipped tests were skipped"
fi
if [[ $slowest == yes ]]; then slowest_classes; fi
if [[ $tests_ended_well == no || $passed -eq 0 ]] && ((tests_failed == 0)); then
  echo "The test run failed without a failed test: it crashed, hung, or found no tests."
  tests_failed=1
fi
failed=$((failed + tests_failed))

step "tools" dotnet tool restore || fatal
step "migrations match the model" dotnet ef migrations has-pending-model-changes \
  --project src/Gateway --configuration Release --no-build || failed=$((failed + 1))

finish
