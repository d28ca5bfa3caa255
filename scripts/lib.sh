# What the other scripts share: speaking, and finding or installing the tools. Sourced, never run.
#
# Tools are taken from PATH when their version fits. What is missing goes into a cache outside the work tree, so that it
# is installed once for every clone: BROKERLAB_TOOLS, by default ~/.cache/brokerlab.

cd "$(dirname "${BASH_SOURCE[0]}")/.."

TRUNK_VERSION=0.21.14
BINARYEN_VERSION=132
AXE_VERSION=4.14.1
TOOLS="${BROKERLAB_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/brokerlab}"
# A failed build says what failed; where in the tool it failed helps nobody.
export RUST_BACKTRACE=0
export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"

# Says what happens now, in bold on a terminal.
say() {
  if [ -t 1 ]; then printf '\033[1m==> %s\033[0m\n' "$*"; else printf '==> %s\n' "$*"; fi
}

# One clear line about what is wrong and what would be right; no stack trace.
die() { printf 'brokerlab: %s\n' "$*" >&2; exit 1; }

have() { command -v "$1" >/dev/null 2>&1; }

# quiet WHAT COMMAND...: runs a long command with its output in a log, which is shown only if it fails.
quiet() {
  local what="$1" log
  shift
  mkdir -p "$TOOLS"
  log="$TOOLS/last-install.log"
  "$@" >"$log" 2>&1 </dev/null || {
    tail -n 15 "$log" >&2
    die "could not install $what; the lines above are the end of $log"
  }
}

need_rust() {
  have cargo || die "no Rust toolchain found: install it with rustup (see rustup.rs), then run this again"
  have rustc || die "cargo is there but rustc is not: run 'rustup default stable', then run this again"
}

need_component() {
  have "$2" && cargo "$3" --version >/dev/null 2>&1 && return
  have rustup || die "$1 is missing: install your Rust distribution's package for it"
  say "Installing $1 (a few seconds)"
  quiet "$1" rustup component add "$1"
}

need_wasm_target() {
  [ -d "$(rustc --print sysroot)/lib/rustlib/wasm32-unknown-unknown/lib" ] && return
  have rustup || die "the wasm target is missing: install your Rust distribution's package for wasm32-unknown-unknown"
  say "Installing the target wasm32-unknown-unknown (about 20 MB)"
  quiet "the target wasm32-unknown-unknown" rustup target add wasm32-unknown-unknown
}

need_trunk() {
  local found
  found="$(trunk --version 2>/dev/null || true)"
  case "$found" in "trunk 0.21."* | "trunk 0.22."*) return ;; esac
  PATH="$TOOLS/trunk-$TRUNK_VERSION/bin:$PATH"
  have trunk && [ "$(trunk --version)" = "trunk $TRUNK_VERSION" ] && return
  say "Installing Trunk $TRUNK_VERSION, which builds the page: compiled from source, 10 to 15 minutes on two cores, once"
  quiet "Trunk" cargo install trunk --version "$TRUNK_VERSION" --locked --root "$TOOLS/trunk-$TRUNK_VERSION"
}

# The version of a package in Cargo.lock.
locked_version() {
  awk -v name="\"$1\"" '$1 == "name" { hit = $3 == name } hit && $1 == "version" { gsub(/"/, "", $3); print $3; exit }' Cargo.lock
}

need_wasm_bindgen() {
  local version
  version="$(locked_version wasm-bindgen)"
  [ -n "$version" ] || die "Cargo.lock names no wasm-bindgen: run 'cargo generate-lockfile', then run this again"
  [ "$(wasm-bindgen --version 2>/dev/null)" = "wasm-bindgen $version" ] && have wasm-bindgen-test-runner && return
  PATH="$TOOLS/wasm-bindgen-$version/bin:$PATH"
  have wasm-bindgen && [ "$(wasm-bindgen --version)" = "wasm-bindgen $version" ] && return
  say "Installing wasm-bindgen $version, the version in Cargo.lock: compiled from source, about 7 minutes on two cores, once"
  quiet "wasm-bindgen" cargo install wasm-bindgen-cli --version "$version" --locked --root "$TOOLS/wasm-bindgen-$version"
}

# wasm-opt makes the page smaller and faster, but it can do without: WASM_OPT says whether there is one.
need_wasm_opt() {
  local folder="$TOOLS/binaryen-$BINARYEN_VERSION"
  # Where Trunk looks when PATH has none, so that a plain `trunk build` finds it too.
  local trunks="${XDG_CACHE_HOME:-$HOME/.cache}/trunk/wasm-opt-version_$BINARYEN_VERSION/bin"
  WASM_OPT=yes
  wasm_opt_fits && return
  PATH="$trunks:$PATH"
  wasm_opt_fits && return
  if have npm; then
    say "Installing wasm-opt (npm package binaryen $BINARYEN_VERSION, about 100 MB)"
    quiet "wasm-opt" npm install --prefix "$folder" --no-save --no-package-lock "binaryen@$BINARYEN_VERSION.0.0"
    mkdir -p "$trunks"
    ln -sf "$folder/node_modules/binaryen/bin/wasm-opt" "$trunks/wasm-opt"
    wasm_opt_fits && return
  fi
  say "No wasm-opt $BINARYEN_VERSION (it comes with npm's binaryen): the page is built without it, larger and a little slower"
  WASM_OPT=no
}

# Debian's wasm-opt is too old for what rustc writes, so the version has to be the one that Trunk.toml names.
wasm_opt_fits() {
  case "$(wasm-opt --version 2>/dev/null)" in "wasm-opt version $BINARYEN_VERSION"*) return 0 ;; *) return 1 ;; esac
}

# The browser for the tests, and the driver that steers it.
need_browser() {
  have_browser && return
  if have apt-get && [ "$(id -u)" = 0 ]; then
    say "Installing chromium and chromium-driver from the system's packages (about 300 MB unpacked, 1 to 3 minutes)"
    quiet "the lists of packages" apt-get update
    quiet "chromium" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y --no-install-recommends chromium chromium-driver fonts-liberation
    have_browser && return
  fi
  have_chrome || die "the tests need Chromium or Chrome on PATH; on Debian: sudo apt-get install chromium chromium-driver"
  die "the tests need chromedriver on PATH, of the browser's version; on Debian: sudo apt-get install chromium-driver"
}

have_chrome() { have chromium || have chromium-browser || have google-chrome; }
have_browser() { have_chrome && have chromedriver; }

# axe-core finds what a page withholds from people who don't see it, don't point or don't tell colours apart.
need_axe() {
  local folder="$TOOLS/axe-$AXE_VERSION"
  export BROKERLAB_AXE="$folder/node_modules/axe-core/axe.min.js"
  [ -f "$BROKERLAB_AXE" ] && return
  have npm || die "the tests need npm, for axe-core; on Debian: sudo apt-get install npm"
  say "Installing axe-core $AXE_VERSION from npm (a few seconds)"
  quiet "axe-core" npm install --prefix "$folder" --no-save --no-package-lock "axe-core@$AXE_VERSION"
}

need_build_tools() {
  need_rust
  need_wasm_target
  need_trunk
  need_wasm_bindgen
  need_wasm_opt
}

# The HTML file that Trunk starts from: without wasm-opt, a copy that does not ask for it.
page_source() {
  if [ "$WASM_OPT" = yes ]; then
    echo index.html
  else
    sed 's/ data-wasm-opt="[^"]*"//' index.html >.index-without-wasm-opt.html
    echo .index-without-wasm-opt.html
  fi
}
