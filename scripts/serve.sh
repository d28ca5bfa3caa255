#!/usr/bin/env bash
# Builds the page and serves it on this machine alone; it is built again when a source file changes.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
port="${PORT:-8080}"
case "$port" in '' | *[!0-9]*) die "PORT is a number from 1 to 65535, not '$port'" ;; esac
{ [ "$port" -ge 1 ] && [ "$port" -le 65535 ]; } || die "PORT is a number from 1 to 65535, not '$port'"
if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
  die "port $port is taken by another program: choose another, for example 'make serve PORT=$((port % 65535 + 1))'"
fi
need_build_tools
say "Building the page (the first build takes a few minutes)"
trunk build "$(page_source)" --release --locked
say "Brokerlab: http://127.0.0.1:$port/ (Ctrl-C ends it; a changed source file builds the page again)"
exec trunk --log error serve "$(page_source)" --release --locked --address 127.0.0.1 --port "$port"
