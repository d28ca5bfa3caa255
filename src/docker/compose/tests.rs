//! What the recordings do not show.

use super::{Options, load};

fn refused(text: &str) -> (String, u32, u32) {
    let refused = load(text, &Options::default()).project.expect_err(text);
    (refused.text, refused.mark.line, refused.mark.column)
}

fn printed(text: &str) -> String {
    load(text, &Options::default()).project.expect(text).print()
}

#[test]
fn an_error_has_its_place() {
    let base = "services:\n  kafka:\n    image: k\n";
    for (more, line, column) in [
        ("    enviroment:\n      A: 1\n", 4, 5),
        ("    ports:\n      - 1\n      - [2]\n", 6, 9),
        ("    networks: [nowhere]\n", 2, 3),
        ("    environment:\n      A: ${X\n", 5, 7),
        ("   x\n", 4, 4),
    ] {
        let (text, at, col) = refused(&format!("{base}{more}"));
        assert_eq!((at, col), (line, column), "{text}");
    }
}

#[test]
fn scalars_of_all_kinds_are_read() {
    let text = "services:\n  a:\n    image: \"k\\t\\x41\\u00e9\"\n    environment:\n      L: |\n        one\n          two\n\n      F: >-\n        one\n        two\n\n        three\n      P: one\n        two # not this\n      S: 'it''s'\n      E: {x: 1}\n";
    let (wrong, ..) = refused(text);
    assert_eq!(
        wrong,
        "validating compose.yaml: services.a.environment.E must be a boolean, null, number or string"
    );
    let model = printed(&text.replace("{x: 1}", "\"\""));
    for line in [
        "      L: |\n        one\n          two\n",
        "      F: |-\n        one two\n        three\n",
        "      P: one two\n",
        "      S: it's\n",
    ] {
        assert!(model.contains(line), "{line}\n{model}");
    }
}

#[test]
fn what_would_be_endless_is_refused() {
    let deep = format!("services: {}", "[".repeat(5_000));
    assert!(refused(&deep).0.contains("exceeded max depth"));
    let mut bomb = String::from("x-0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n");
    for level in 1..12 {
        let below = format!("*a{}, ", level - 1).repeat(10);
        bomb.push_str(&format!("x-{level}: &a{level} [{below}]\n"));
    }
    assert!(refused(&bomb).0.contains("excessive aliasing"));
    assert!(refused(&"x".repeat(super::LONGEST + 1)).0.contains("longer than"));
}
