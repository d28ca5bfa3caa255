#!/usr/bin/env bash
# Random fault schedules, more of them than the suite has: BROKERLAB_SOAK says how many. Runs the tests that have `soak`
# in their names.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
need_rust
export BROKERLAB_SOAK="${BROKERLAB_SOAK:-50000}"
case "$BROKERLAB_SOAK" in '' | *[!0-9]*) die "BROKERLAB_SOAK is a number of schedules, not '$BROKERLAB_SOAK'" ;; esac
say "$BROKERLAB_SOAK random fault schedules (compiled for release first, a few minutes; another number: make soak BROKERLAB_SOAK=200000)"
cargo test --locked --profile soak soak -- --nocapture
