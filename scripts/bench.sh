#!/usr/bin/env bash
# Speed and size, each as a ratio measured in one run. Needs a quiet machine.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
need_rust
need_wasm_target
need_wasm_bindgen
say "Building the busy cluster for wasm, as the page is built (a few minutes)"
cargo build --locked --quiet --target wasm32-unknown-unknown --profile wasm-release --bench wasm
# The name on disk has a hash in it: the newest is the one just built.
built="$(ls -t target/wasm32-unknown-unknown/wasm-release/deps/wasm-*.wasm | head -n 1)"
wasm-bindgen --target nodejs --no-typescript --out-name busy --out-dir target/wasm-bench "$built"
export BROKERLAB_WASM_BENCH="$PWD/target/wasm-bench/busy.js"
say "Benchmarks (compiled for release first, a few minutes)"
cargo bench --locked
need_build_tools
need_browser
say "The page with 2,000 messages in flight (built first, a few minutes)"
trunk build "$(page_source)" --release --locked
BROKERLAB_DIST="$PWD/dist" cargo test --locked --test e2e -- two_thousand --nocapture
