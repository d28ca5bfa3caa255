//! Pauses that double and scatter. [ExponentialBackoff]

use crate::sim::{Random, Span};

/// A pause of `initial` that doubles with each attempt up to `max`, scattered by a fifth either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// Milliseconds.
    pub initial: i64,
    /// Milliseconds; if it is not above `initial` the pause is constant and does not scatter.
    pub max: i64,
}

impl Backoff {
    pub fn new(initial: i64, max: i64) -> Backoff {
        Backoff { initial, max }
    }

    /// The pause after `attempts` earlier ones, in whole milliseconds.
    pub fn ms(&self, attempts: u32, random: &mut Random) -> i64 {
        self.ms_scattered(attempts, random.bits())
    }

    /// The same, scattered by a draw made elsewhere: 64 random bits. Whoever looks twice at one moment sees the same.
    pub fn ms_scattered(&self, attempts: u32, draw: u64) -> i64 {
        if self.max <= self.initial {
            return self.initial;
        }
        let factor = 1i64 << attempts.min(40);
        let term = self.initial.saturating_mul(factor).clamp(0, self.max);
        let spread = term / 5;
        let scatter = (u128::from(draw) * (2 * spread as u128)) >> 64;
        (term - spread + scatter as i64).min(self.max)
    }

    /// The same as a span.
    pub fn span(&self, attempts: u32, random: &mut Random) -> Span {
        Span::from_ms(self.ms(attempts, random))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_scatters_and_stays_below_its_maximum() {
        let mut random = Random::named(1, "backoff");
        let backoff = Backoff::new(50, 1_000);
        for (attempts, low, high) in [
            (0, 40, 60),
            (1, 80, 120),
            (4, 640, 960),
            (5, 800, 1_000),
            (60, 800, 1_000),
        ] {
            for _ in 0..200 {
                let ms = backoff.ms(attempts, &mut random);
                assert!((low..=high).contains(&ms), "{attempts}: {ms}");
            }
        }
        assert_eq!(Backoff::new(50, 50).ms(3, &mut random), 50);
    }
}
