#!/usr/bin/env bash
# The whole suite: form, both targets, the simulator natively and in a browser, and the page as people get it.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

step() { say "$1 ($((SECONDS / 60)) min $((SECONDS % 60)) s since the start)"; }
wasm="wasm32-unknown-unknown"

need_build_tools
need_component rustfmt rustfmt fmt
need_component clippy cargo-clippy clippy
need_browser
need_axe

step "Formatting"
cargo fmt --check || die "not formatted: run 'cargo fmt'"

step "Clippy, native"
cargo clippy --locked --all-targets -- -D warnings

step "Clippy, wasm"
cargo clippy --locked --target "$wasm" --lib --bins --test wasm -- -D warnings

step "Native tests"
cargo test --locked

step "Tests in wasm, in a browser"
BROKERLAB_FINGERPRINTS="$(cat "${CARGO_TARGET_DIR:-target}/tmp/fingerprints.txt")" \
  CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER=wasm-bindgen-test-runner \
  CHROMEDRIVER="$(command -v chromedriver)" \
  cargo test --locked --target "$wasm" --test wasm

step "The page"
trunk build "$(page_source)" --release --locked

step "End-to-end tests of the page"
BROKERLAB_DIST="$PWD/dist" cargo test --locked --test e2e

say "All passed in $((SECONDS / 60)) min $((SECONDS % 60)) s"
