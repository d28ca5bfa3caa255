#!/usr/bin/env bash
# Builds the static site into dist/, with what is needed for that installed first.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
need_build_tools
say "Building the page into dist/ (the first build takes a few minutes)"
trunk build "$(page_source)" --release --locked
