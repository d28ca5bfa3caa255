//! Cuts a schedule down: leaves out lines as long as it still breaks.

/// The shortest text found by leaving out single timed lines for which `breaks` still holds, with at most `tries` plays.
pub fn shrink(text: &str, tries: usize, mut breaks: impl FnMut(&str) -> bool) -> String {
    let mut best: Vec<&str> = text.lines().collect();
    let mut left = tries;
    let mut index = best.len();
    while index > 0 && left > 0 {
        index -= 1;
        if !best[index].starts_with("at ") {
            continue;
        }
        let mut candidate = best.clone();
        candidate.remove(index);
        left -= 1;
        if breaks(&(candidate.join("\n") + "\n")) {
            best = candidate;
        }
    }
    best.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::shrink;

    #[test]
    fn only_what_breaks_stays() {
        let text = "lab 1\nat 1s  crash b1\nat 2s  heal\nat 3s  crash b2\n";
        let found = shrink(text, 100, |t| t.contains("crash b2"));
        assert_eq!(found, "lab 1\nat 3s  crash b2\n");
    }
}
