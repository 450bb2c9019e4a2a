#!/usr/bin/env bash
# Measures the gateway against what the same machine does without it, in the same run: straight to the upstream, through
# nginx, and through a bare YARP forwarder. Requests per second of plain replies of about 600 bytes, and chunks per second of
# streams of 500 chunks that are sent as fast as they are taken; 32 connections, all on loopback.
#   ./deploy/bench.sh [--quick] [--targets "direct nginx yarp gateway"]
# --quick: 5 rounds of 2 s each, under three minutes; otherwise 9 rounds of 5 s.
# The load generator, the proxy and the upstream share the machine's cores, so only the ratios mean something elsewhere.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. deploy/lib/prerequisites.sh

rounds=9
seconds=5
targets=(direct nginx yarp gateway)
while (($# > 0)); do
  case $1 in
    --quick)
      rounds=5
      seconds=2
      ;;
    --targets)
      read -ra targets <<<"${2:?--targets needs a list}"
      shift
      ;;
    *)
      echo "unknown argument $1; usage: $0 [--quick] [--targets \"direct nginx yarp gateway\"]" >&2
      exit 2
      ;;
  esac
  shift
done
readonly connections=32 chunks=500

need_dotnet
need_command wrk wrk
need_command curl curl
need_command nginx nginx
need_postgres
stop_if_missing

use_clean_environment

work=$(mktemp -d)
# As root the embedded database runs as another user, who must be able to pass through.
chmod 711 "$work"
pids=()

clean_up() {
  local result=$?
  if ((result != 0)); then tail -n 30 "$work"/*.log 2>/dev/null || true; fi
  # The newest first: the gateway before its upstream.
  local i
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
    kill "${pids[i]}" 2>/dev/null || true
    # What does not end by itself is ended: the benchmark leaves nothing running.
    for _ in {1..150}; do
      kill -0 "${pids[i]}" 2>/dev/null || break
      sleep 0.1
    done
    kill -KILL "${pids[i]}" 2>/dev/null || true
  done
  # The database of a gateway that had to be killed.
  local postmaster
  postmaster=$(find "$work/data" -name postmaster.pid -exec head -n 1 {} \; 2>/dev/null || true)
  if [[ $postmaster ]]; then kill -INT "$postmaster" 2>/dev/null || true; fi
  rm -rf "$work"
}
trap clean_up EXIT

free_port() {
  local port
  for port in $(shuf -i 20000-29999 -n 50); do
    if [[ " ${used_ports:-} " != *" $port "* ]] && ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      echo "$port"
      return 0
    fi
  done
  return 1
}

# in_background NAME COMMAND…
in_background() {
  local name=$1
  shift
  "$@" </dev/null >"$work/$name.log" 2>&1 &
  pids+=($!)
}

# until_up NAME URL: any answer will do, but for the gateway, whose readiness is a 200.
until_up() {
  local deadline=$((SECONDS + 60)) options=()
  if [[ $1 == gateway ]]; then options=(-f); fi
  until curl -sS "${options[@]}" -o "$work/up" --max-time 5 "$2" 2>/dev/null; do
    if ((SECONDS > deadline)); then
      echo "$1 did not answer $2 within 60 s" >&2
      return 1
    fi
    if ! kill -0 "${pids[-1]}" 2>/dev/null; then
      echo "$1 ended before it answered" >&2
      return 1
    fi
    sleep 0.2
  done
}

wanted() {
  [[ " ${targets[*]} " == *" $1 "* ]]
}

echo "Building"
dotnet build tests/Gateway.Benchmarks -c Release --nologo -v quiet >"$work/build.log"
if wanted gateway; then dotnet build src/Gateway -c Release --nologo -v quiet >>"$work/build.log"; fi
bench=tests/Gateway.Benchmarks/bin/Release/net10.0/Gateway.Benchmarks

declare -A url
for name in direct nginx yarp gateway; do
  port=$(free_port)
  used_ports="${used_ports:-} $port"
  url[$name]=http://127.0.0.1:$port
done

in_background upstream "$bench" upstream "${url[direct]}"
until_up upstream "${url[direct]}"

if wanted yarp; then
  in_background yarp "$bench" yarp "${url[yarp]}" "${url[direct]}"
  until_up yarp "${url[yarp]}"
fi

if wanted nginx; then
  # As one would set it up before a model server: connections kept on both sides and never retired, no buffering so that
  # chunks pass at once, no log.
  cat >"$work/nginx.conf" <<EOF
daemon off;
worker_processes 1;
pid $work/nginx.pid;
error_log stderr error;
events { worker_connections 1024; }
http {
  access_log off;
  keepalive_requests 100000000;
  client_body_temp_path $work/nginx-body;
  proxy_temp_path $work/nginx-proxy;
  fastcgi_temp_path $work/nginx-fastcgi;
  uwsgi_temp_path $work/nginx-uwsgi;
  scgi_temp_path $work/nginx-scgi;
  upstream bench {
    server ${url[direct]#http://};
    keepalive 64;
    keepalive_requests 100000000;
  }
  server {
    listen ${url[nginx]#http://};
    location / {
      proxy_pass http://bench;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
    }
  }
}
EOF
  in_background nginx nginx -c "$work/nginx.conf" -e stderr
  until_up nginx "${url[nginx]}"
fi

export BENCH_KEY=none
if wanted gateway; then
  cat >"$work/gateway.yaml" <<EOF
providers:
  - { name: bench, baseUrl: "${url[direct]}/v1", apiKey: none }
models:
  - name: bench
    deployments:
      - { provider: bench }
EOF
  gateway=$PWD/src/Gateway/bin/Release/net10.0/gateway
  # A log line for each request is off here, as it is for the others.
  gateway_settings=(Gateway__DataDirectory="$work/data" Gateway__Apply="$work/gateway.yaml"
    ASPNETCORE_URLS="${url[gateway]}" Serilog__MinimumLevel__Default=Warning)
  in_background gateway env "${gateway_settings[@]}" "$gateway" serve
  until_up gateway "${url[gateway]}/health/ready"
  env "${gateway_settings[@]}" "$gateway" keys create --workspace default --name bench >"$work/key.txt"
  BENCH_KEY=$(grep -oE 'sk-gw-[A-Za-z0-9_-]+' "$work/key.txt" | head -n 1)
fi

# One request of each kind through each target, read in full: what is measured afterwards is known to be right.
declare -A body_bytes
for target in "${targets[@]}"; do
  for kind in plain stream; do
    more=''
    if [[ $kind == stream ]]; then more=',"stream":true,"stream_options":{"include_usage":true}'; fi
    body_bytes[$target.$kind]=$(curl -sS -f --max-time 30 -o "$work/answer" -w '%{size_download}' \
      "${url[$target]}/v1/chat/completions" -H "Authorization: Bearer $BENCH_KEY" -H 'Content-Type: application/json' \
      -d "{\"model\":\"model/name=bench\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]$more}") || {
      echo "$target did not answer a $kind request: $(cat "$work/answer")" >&2
      exit 1
    }
    if [[ $kind == stream ]]; then
      # The 500, and the role, the finish and the usage around them.
      [[ $(grep -c '"chat.completion.chunk"' "$work/answer") == $((chunks + 3)) ]] &&
        [[ $(grep -v '^$' "$work/answer" | tail -n 1) == 'data: [DONE]' ]]
    else
      grep -q '"finish_reason":"stop"' "$work/answer"
    fi || {
      echo "$target changed the $kind reply:" >&2
      tail -n 5 "$work/answer" >&2
      exit 1
    }
  done
done

# measure ROUND KIND TARGET SECONDS: one line for the report. A run with an error or with missing bytes measures nothing.
measure() {
  local round=$1 kind=$2 target=$3 seconds=$4 stream=0 per_request=1 result
  if [[ $kind == stream ]]; then
    stream=1
    per_request=$chunks
  fi
  BENCH_STREAM=$stream wrk -t 1 -c "$connections" -d "${seconds}s" --timeout 10s \
    -s tests/Gateway.Benchmarks/Load/chat.lua "${url[$target]}/v1/chat/completions" >"$work/wrk.txt" 2>&1 || {
    cat "$work/wrk.txt" >&2
    return 1
  }
  result=$(grep '^RESULT ' "$work/wrk.txt")
  local requests microseconds bytes errors p99
  read -r _ requests microseconds bytes errors p99 <<<"$result"
  if ((errors > 0 || requests == 0 || bytes < requests * ${body_bytes[$target.$kind]})); then
    echo "$target, $kind: $errors errors, $requests replies, $bytes bytes where ${body_bytes[$target.$kind]} each were due" >&2
    cat "$work/wrk.txt" >&2
    return 1
  fi
  awk -v round="$round" -v kind="$kind" -v target="$target" -v requests="$requests" -v us="$microseconds" \
    -v per_request="$per_request" -v p99="$p99" \
    'BEGIN { printf "%d %s %s %.1f %.3f\n", round, kind, target, requests * per_request * 1000000 / us, p99 / 1000 }'
}

echo "Warming up"
for target in "${targets[@]}"; do
  for kind in plain stream; do
    measure 0 "$kind" "$target" 3 >/dev/null
  done
done

# Interleaved, and each round starts with another target, so that whatever else the machine does hits all of them.
for ((round = 1; round <= rounds; round++)); do
  echo "Round $round of $rounds"
  for kind in plain stream; do
    for ((i = 0; i < ${#targets[@]}; i++)); do
      target=${targets[(i + round) % ${#targets[@]}]}
      measure "$round" "$kind" "$target" "$seconds" >>"$work/measurements.txt"
    done
  done
done

# In the order of the targets, whatever order the rounds had.
for target in "${targets[@]}"; do
  grep -E "^[0-9]+ [a-z]+ $target " "$work/measurements.txt"
done | "$bench" report /dev/stdin
