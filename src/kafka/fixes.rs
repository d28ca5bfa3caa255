//! Famous fixes, each with a switch, so that a bug and its cure differ by one word.
//!
//! A real cluster has some of them as feature levels or settings; the others are a version's behaviour, and turning one
//! off brings back what was done before it.

/// A fix that can be turned off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fix {
    Kip101,
    Kip279,
    Kip320,
    Kip841,
    Kip890,
    Kip966,
    Kip996,
}

/// All of them: the name that people know, and what holds with it and without it.
pub const FIXES: [(Fix, &str, &str); 7] = [
    (
        Fix::Kip101,
        "kip-101",
        "a follower cuts its log by leader epochs; off: to its own high watermark, as before 0.11",
    ),
    (
        Fix::Kip279,
        "kip-279",
        "the leader says which epoch it knows instead, so that logs agree after fast fail-overs; off: as before 2.0",
    ),
    (
        Fix::Kip320,
        "kip-320",
        "fetches are fenced by leader epoch and consumers notice truncation; off: as before 2.1",
    ),
    (
        Fix::Kip841,
        "kip-841",
        "fenced brokers can't join the ISR; off: whoever fetches can, as before 3.3",
    ),
    (
        Fix::Kip890,
        "kip-890",
        "partitions are verified and each transaction has an epoch of its own (transaction.version 2); off: version 1, \
         and transaction.partition.verification.enable=false",
    ),
    (
        Fix::Kip966,
        "kip-966",
        "eligible leader replicas (eligible.leader.replicas.version 1); off: level 0",
    ),
    (
        Fix::Kip996,
        "kip-996",
        "a controller asks for pre-votes before it raises the epoch; off: it stands for election at once, as before 4.0",
    ),
];

impl Fix {
    /// The fix with this name.
    pub fn by_name(name: &str) -> Option<Fix> {
        FIXES.iter().find(|(_, known, _)| *known == name).map(|(fix, ..)| *fix)
    }

    /// The feature that a real cluster has for it, and its level when the fix is off.
    pub fn feature_when_off(self) -> Option<(&'static str, i16)> {
        match self {
            Fix::Kip890 => Some(("transaction.version", 1)),
            Fix::Kip966 => Some(("eligible.leader.replicas.version", 0)),
            _ => None,
        }
    }

    /// The broker setting that goes with it when the fix is off.
    pub fn setting_when_off(self) -> Option<(&'static str, &'static str)> {
        match self {
            Fix::Kip890 => Some(("transaction.partition.verification.enable", "false")),
            _ => None,
        }
    }
}

/// Which fixes hold: all, until one is turned off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Fixes {
    /// One bit for each that is off.
    off: u16,
}

impl Fixes {
    pub fn has(self, fix: Fix) -> bool {
        self.off & 1 << fix as u16 == 0
    }

    pub fn turn(&mut self, fix: Fix, on: bool) {
        match on {
            true => self.off &= !(1 << fix as u16),
            false => self.off |= 1 << fix as u16,
        }
    }

    /// Those that are off.
    pub fn missing(self) -> impl Iterator<Item = Fix> {
        FIXES.iter().map(|(fix, ..)| *fix).filter(move |fix| !self.has(*fix))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_hold_until_one_is_turned_off() {
        let mut fixes = Fixes::default();
        assert_eq!(fixes.missing().count(), 0);
        fixes.turn(Fix::Kip320, false);
        fixes.turn(Fix::Kip966, false);
        fixes.turn(Fix::Kip320, true);
        assert_eq!(fixes.missing().collect::<Vec<_>>(), vec![Fix::Kip966]);
        assert_eq!(Fix::by_name("kip-966"), Some(Fix::Kip966));
    }
}
