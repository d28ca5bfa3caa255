#!/usr/bin/env bash
# Speed and size, each as a ratio measured in one run. Needs a quiet machine.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
need_rust
say "Benchmarks (compiled for release first, a few minutes)"
cargo bench --locked
