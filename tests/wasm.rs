//! The simulator in wasm, in a real browser: it goes the same way as the native build, step by step.
//!
//! `make test` plays the worlds natively first and names what was seen in BROKERLAB_FINGERPRINTS, at compile time, since
//! a browser has no environment.

#![cfg(target_arch = "wasm32")]

mod worlds;

use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test]
fn every_world_goes_the_way_of_the_native_build() {
    let native = option_env!("BROKERLAB_FINGERPRINTS").unwrap_or_default();
    assert!(
        !native.is_empty(),
        "BROKERLAB_FINGERPRINTS is not set: `make test` sets it after the native tests"
    );
    let native: Vec<&str> = native.lines().collect();
    assert_eq!(
        native.len(),
        worlds::WORLDS.len(),
        "the native build played other worlds"
    );
    for (world, native) in worlds::WORLDS.iter().zip(native) {
        let here = worlds::fingerprint(*world);
        let apart = here
            .split(' ')
            .zip(native.split(' '))
            .position(|(here, native)| here != native);
        assert_eq!(here, native, "{} went apart, first at sample {apart:?}", world.0);
    }
}
