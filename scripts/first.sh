#!/usr/bin/env bash
# Writes scripts/first.txt: which functions run in the first seconds of the page. Run it when much has changed there; an
# old list makes the page slower to come up, not wrong.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
need_build_tools
need_browser
have node || die "scripts/split.mjs needs node; on Debian: sudo apt-get install nodejs"
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
say "Building the page, whole"
BROKERLAB_WHOLE=1 trunk build "$(page_source)" --release --locked --dist "$folder/dist"
node scripts/split.mjs "$folder/dist" --record
