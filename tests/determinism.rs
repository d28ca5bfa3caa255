//! The same world gives the same steps, however often it is played. What was seen here is what a browser has to see too.

mod worlds;

use brokerlab::ordered::OrderedSet;
use std::path::Path;

#[test]
fn every_world_plays_the_same_twice_and_is_written_down() {
    let mut lines = Vec::new();
    for world in worlds::WORLDS {
        let line = worlds::fingerprint(*world);
        assert_eq!(line, worlds::fingerprint(*world), "{} went two ways", world.0);
        lines.push(line);
    }
    // `make test` hands the file to the tests in wasm.
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fingerprints.txt");
    std::fs::write(&file, lines.join("\n")).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
}

#[test]
fn a_fingerprint_tells_steps_apart() {
    for world in worlds::WORLDS {
        let hashes = (world.1)();
        assert!(hashes.len() > 500, "{} has only {} steps", world.0, hashes.len());
        let distinct = hashes.iter().collect::<OrderedSet<_>>().len();
        assert!(
            distinct * 10 > hashes.len() * 9,
            "{}: {distinct} distinct hashes of {}",
            world.0,
            hashes.len()
        );
    }
}
