#!/usr/bin/env bash
# Builds and starts docker-compose.yml as a user would, talks to the demo bot, restarts the gateway, finds the data
# again, and takes everything down, its volumes and image included, whatever happens.
# Works with Docker Compose and podman-compose, whichever runs here. Exit code 0, 1 when something failed, 2 without an engine.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if docker compose version >/dev/null 2>&1 && docker info >/dev/null 2>&1; then
  compose=(docker compose)
  engine=docker
elif command -v podman-compose >/dev/null && podman info >/dev/null 2>&1; then
  compose=(podman-compose)
  engine=podman
else
  echo "Missing: a running Docker with the compose plugin, or podman with podman-compose." >&2
  exit 2
fi

free_port() {
  local port
  for port in $(shuf -i 20000-29999 -n 50); do
    # Nobody answers there: it is free as far as can be known.
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      echo "$port"
      return 0
    fi
  done
  return 1
}

# A project, port and settings of its own: a gateway that somebody runs from the same checkout stays as it is.
project=gateway-test-$$
GATEWAY_PORT=$(free_port)
export GATEWAY_PORT GATEWAY_ADDRESS=127.0.0.1 POSTGRES_PASSWORD=compose$$
unset OPENAI_API_KEY Gateway__AdminKey Gateway__EncryptionKey
url=http://127.0.0.1:$GATEWAY_PORT
work=$(mktemp -d)

on_project() {
  "${compose[@]}" -p "$project" -f docker-compose.yml "$@" </dev/null
}

# The engine itself, not compose's `exec`: podman-compose ends with 0 whatever the command said.
inside_gateway() {
  "$engine" exec "$(container gateway)" "$@" </dev/null
}

container() {
  "$engine" ps -a --format '{{.Names}}' | grep -E "^${project}[-_]$1[-_]1\$"
}

take_down() {
  local result=$?
  if ((result != 0)); then
    echo "--- the gateway's log"
    gateway_log | tail -n 60 || true
    echo "--- the database's log"
    "$engine" logs "$(container postgres)" 2>&1 | tail -n 20 || true
  fi
  on_project down -v >"$work/down" 2>&1 || cat "$work/down"
  # What podman-compose leaves, and what `down` keeps on purpose.
  "$engine" network rm "${project}_default" >/dev/null 2>&1 || true
  "$engine" rmi -f "$project-gateway" >/dev/null 2>&1 || true
  "$engine" rmi -f "${project}_gateway" >/dev/null 2>&1 || true
  rm -rf "$work"
  if ((result == 0)); then echo "compose: passed"; else echo "compose: FAILED"; fi
}
trap take_down EXIT

fail() {
  echo "FAILED: $*"
  exit 1
}

quietly() {
  # podman-compose ends with 0 after a step that failed, and prints the step's own code.
  if ! "$@" >"$work/output" 2>&1 || grep -q '^exit code: [1-9]' "$work/output"; then
    cat "$work/output"
    fail "$*"
  fi
}

gateway_log() {
  "$engine" logs "$(container gateway)" 2>&1
}

# Polled from outside: not every engine runs the health checks of the file.
wait_until_ready() {
  local deadline=$((SECONDS + 120))
  until curl -fsS --max-time 5 -o "$work/ready" "$url/health/ready" 2>"$work/why"; do
    if ((SECONDS > deadline)); then
      cat "$work/why"
      fail "$url/health/ready did not answer 200 within 120 s"
    fi
    sleep 0.5
  done
}

# One streamed reply of the demo bot, complete: 200, text in it, the last event is [DONE].
ask_the_bot() {
  local status
  status=$(curl -sS -N --max-time 60 -o "$work/stream" -w '%{http_code}' "$url/v1/chat/completions" \
    -H "Authorization: Bearer $1" -H 'Content-Type: application/json' \
    -d '{"model":"bot/id=demo","stream":true,"messages":[{"role":"user","content":"What can you do?"}]}') ||
    fail "the streamed request broke: $(cat "$work/stream")"
  [[ $status == 200 ]] || fail "the streamed request was answered with $status: $(cat "$work/stream")"
  grep -qE '"content" ?: ?"[^"]' "$work/stream" || fail "the stream has no text: $(cat "$work/stream")"
  [[ $(grep -v '^$' "$work/stream" | tail -n 1) == 'data: [DONE]' ]] ||
    fail "the stream does not end in [DONE]: $(tail -n 5 "$work/stream")"
}

echo "Building with ${compose[*]}"
quietly on_project build
echo "Starting on $url"
quietly on_project up -d
wait_until_ready
echo "Ready: $(cat "$work/ready")"

quietly inside_gateway gateway health
[[ $(inside_gateway id -u) != 0 ]] || fail "the gateway runs as root"
if inside_gateway touch /app/written 2>/dev/null; then fail "the root file system can be written to"; fi

key=$(gateway_log | grep -oE 'sk-gw-[A-Za-z0-9_-]{20,}' | head -n 1) || fail "the log of the first start has no chat key"
ask_the_bot "$key"
echo "The demo bot answered a streamed request"

quietly on_project restart gateway
wait_until_ready
ask_the_bot "$key"
quietly inside_gateway gateway health
echo "Restarted: the same key works, the data is there"
