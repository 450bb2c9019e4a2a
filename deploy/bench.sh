#!/usr/bin/env bash
# Measures the gateway against what the same machine does without it, in the same run: straight to the upstream, through
# nginx, through a bare YARP forwarder, and through the Portkey gateway. All of P1 to P12 in under an hour on two cores;
# RESULTS.md and results.json in tests/Gateway.Benchmarks are what a whole run leaves.
#   ./deploy/bench.sh [--quick] [--only P1,P5] [--rounds N] [--targets "direct nginx yarp gateway portkey"] [--results DIR]
# --quick: P1, P2, P5 with 32 streams, and P6, in under three minutes and without Portkey.
# A run of a part only prints, unless --results names a folder.
# Load, upstream and system share the machine's cores, so only the ratios mean something elsewhere; nothing else should run.
# Installs what is missing (see lib/prerequisites.sh); Portkey comes from npm into a folder that goes away at the end.
# Exit code 0 when all was measured (met or not), 1 when something could not be, 2 when something is missing on this machine.
set -euo pipefail
typed="./deploy/bench.sh $*"
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. deploy/lib/prerequisites.sh

usage() {
  echo "$1; usage: deploy/bench.sh [--quick] [--only P1,P5] [--rounds N] [--targets \"direct nginx yarp gateway portkey\"] [--results DIR]" >&2
  exit 2
}

options=()
results=$PWD/tests/Gateway.Benchmarks
portkey=yes
while (($# > 0)); do
  case $1 in
    --quick)
      options+=(--quick)
      results=''
      portkey=no
      ;;
    --only | --rounds | --targets)
      if (($# < 2)); then usage "$1 needs a value"; fi
      options+=("$1" "$2")
      if [[ $1 != --rounds ]]; then results=''; fi
      # Only P1 and P3 measure it.
      if [[ $1 == --only && ! ",${2^^}," =~ [,\ ]P[13][,\ ] ]]; then portkey=no; fi
      if [[ $1 == --targets && $2 != *portkey* ]]; then portkey=no; fi
      shift
      ;;
    --results)
      if (($# < 2)); then usage "$1 needs a value"; fi
      named=$2
      shift
      ;;
    *) usage "unknown argument $1" ;;
  esac
  shift
done
if [[ ${named:-} ]]; then results=$named; fi
if [[ $results ]]; then options+=(--results "$results"); fi

need_dotnet
need_command wrk wrk
need_command nginx nginx
need_postgres
if [[ $portkey == yes ]]; then need_node; fi
stop_if_missing
postgres=$(postgres_binaries)

use_clean_environment

work=$(mktemp -d)
# As root the database runs as another user, who must be able to pass through.
chmod 711 "$work"
trap 'rm -rf "$work"' EXIT

# quietly NAME COMMAND…: shows what it said only when it failed.
quietly() {
  local name=$1 started=$SECONDS
  shift
  if ! "$@" >"$work/output" 2>&1; then
    cat "$work/output" >&2
    echo "$name failed" >&2
    exit 1
  fi
  echo "$name: $((SECONDS - started)) s"
}

# As deploy/Dockerfile does it; what analyzers say of the code is deploy/test.sh's part.
quietly "Publishing the gateway" dotnet publish src/Gateway/Gateway.csproj -c Release --use-current-runtime --self-contained false \
  -p:PublishReadyToRun=true -p:RunAnalyzers=false --nologo -o "$work/gateway"
quietly "Building the benchmark" dotnet build tests/Gateway.Benchmarks -c Release -p:RunAnalyzers=false --nologo
if [[ $portkey == yes ]]; then
  # These versions of what it stands on, since with the newest every stream fails.
  quietly "Installing Portkey" npm install --prefix "$work/portkey" --ignore-scripts --no-audit --no-fund --loglevel error \
    @portkey-ai/gateway@1.15.2 hono@4.9.7 @hono/node-server@1.13.5 @hono/node-ws@1.2.0
  options+=(--portkey "$work/portkey")
fi

mkdir "$work/run"
chmod 711 "$work/run"
# In the background, so that a signal reaches this script at once; it is passed on, and the benchmark ends what it started.
tests/Gateway.Benchmarks/bin/Release/net10.0/Gateway.Benchmarks run --work "$work/run" --gateway "$work/gateway/gateway" \
  --postgres "$postgres" --command "$typed" "${options[@]}" &
benchmark=$!
trap 'kill -TERM "$benchmark" 2>/dev/null || true' INT TERM
result=0
wait "$benchmark" || result=$?
# A signal ends the first wait, not the benchmark.
if kill -0 "$benchmark" 2>/dev/null; then wait "$benchmark" || result=$?; fi
exit "$result"
