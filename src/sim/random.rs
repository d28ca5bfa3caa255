//! Randomness: one named, portable generator per purpose, forked from the seed by name, so that a new draw in one place
//! moves nothing elsewhere. The draws are our own, in integers, and frozen by golden tests: a release of `rand` can't
//! change a run.

use rand::rand_core::{Rng, SeedableRng};
use rand::rngs::ChaCha8Rng;

/// A generator for one purpose.
#[derive(Debug)]
pub struct Random(ChaCha8Rng);

impl Clone for Random {
    /// A snapshot: the generator itself offers only its serialized state, lest streams be copied by accident.
    fn clone(&self) -> Self {
        Random(ChaCha8Rng::deserialize_state(&self.0.serialize_state()))
    }
}

impl Random {
    /// The generator for `purpose` in a world with `seed`.
    pub fn named(seed: u64, purpose: &str) -> Random {
        let mut key = [0u8; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&fnv(0xcbf2_9ce4_8422_2325, purpose).to_le_bytes());
        key[16..24].copy_from_slice(&fnv(0x6c62_272e_07bb_0142, purpose).to_le_bytes());
        Random(ChaCha8Rng::from_seed(key))
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform in `0..bound`; 0 if `bound` is 0. Multiplication instead of rejection: one draw always, and a bias below
    /// 2^-32 for the small bounds used here.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(bound)) >> 64) as u64
    }

    /// Uniform in `low..=high`; `low` if they are the wrong way round.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low).saturating_add(1))
    }

    /// True in `percent` of a hundred draws.
    pub fn percent(&mut self, percent: u32) -> bool {
        self.below(100) < u64::from(percent)
    }

    /// `value` with a jitter of up to 20 % either way, as Kafka's clients and brokers draw it
    /// (`org.apache.kafka.common.utils.ExponentialBackoff`).
    pub fn jitter20(&mut self, value: u64) -> u64 {
        let spread = value / 5;
        value - spread + self.below(spread.saturating_mul(2).max(1))
    }

    /// Exponentially distributed with the given mean, at most 16 times the mean: how long until the next arrival at a
    /// given rate. Integer arithmetic only: -ln(u) by the binary logarithm with a table-free squaring loop.
    pub fn exponential(&mut self, mean: u64) -> u64 {
        let u = self.bits() | 1;
        // log2(u / 2^64) in 1/2^16 units, by repeated squaring of the mantissa.
        let zeros = u.leading_zeros();
        let mut mantissa = (u << zeros) >> 32;
        let mut fraction: u64 = 0;
        for _ in 0..16 {
            mantissa = (mantissa * mantissa) >> 31;
            fraction <<= 1;
            if mantissa >= 1 << 32 {
                fraction |= 1;
                mantissa >>= 1;
            }
        }
        let minus_log2 = ((u64::from(zeros) + 1) << 16) - fraction;
        // ln 2 = 45426 / 65536
        let ln = (u128::from(minus_log2) * 45_426) >> 16;
        ((u128::from(mean) * ln) >> 16).min(u128::from(mean) * 16) as u64
    }
}

fn fnv(basis: u64, text: &str) -> u64 {
    text.bytes()
        .fold(basis, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frozen: every scenario ever shared depends on these draws.
    #[test]
    fn draws_are_frozen() {
        let mut r = Random::named(7, "golden");
        let got: Vec<u64> = (0..4).map(|_| r.below(1_000)).collect();
        let exp: Vec<u64> = (0..4).map(|_| r.exponential(1_000)).collect();
        let jit: Vec<u64> = (0..3).map(|_| r.jitter20(100)).collect();
        assert_eq!((got, exp, jit), golden());
    }

    fn golden() -> (Vec<u64>, Vec<u64>, Vec<u64>) {
        (vec![23, 710, 880, 228], vec![1277, 2560, 156, 242], vec![94, 108, 111])
    }

    #[test]
    fn purposes_are_independent_and_repeatable() {
        let first: Vec<u64> = (0..8)
            .map(|_| 0)
            .scan(Random::named(1, "a"), |r, _| Some(r.bits()))
            .collect();
        let again: Vec<u64> = (0..8)
            .map(|_| 0)
            .scan(Random::named(1, "a"), |r, _| Some(r.bits()))
            .collect();
        let other: Vec<u64> = (0..8)
            .map(|_| 0)
            .scan(Random::named(1, "b"), |r, _| Some(r.bits()))
            .collect();
        assert_eq!(first, again);
        assert_ne!(first, other);
    }

    #[test]
    fn exponential_has_the_right_mean() {
        let mut r = Random::named(3, "mean");
        let sum: u64 = (0..20_000).map(|_| r.exponential(10_000)).sum();
        let mean = sum / 20_000;
        assert!((9_700..10_300).contains(&mean), "mean {mean}");
    }

    #[test]
    fn ranges_hold() {
        let mut r = Random::named(3, "ranges");
        for _ in 0..10_000 {
            assert!(r.below(7) < 7);
            assert!((5..=9).contains(&r.between(5, 9)));
            assert!((80..=120).contains(&r.jitter20(100)));
        }
        assert_eq!(r.below(0), 0);
    }
}
