//! Latencies counted in buckets that grow with the value, so that percentiles cost little memory: each bucket is an
//! eighth of a power of two wide, so a percentile is at most an eighth too large.

/// Buckets per power of two.
const PER_DOUBLING: u32 = 8;
const BUCKETS: usize = 32 * PER_DOUBLING as usize;

/// Counts of microseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    counts: Box<[u32; BUCKETS]>,
    all: u32,
}

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram {
            counts: Box::new([0; BUCKETS]),
            all: 0,
        }
    }
}

impl Histogram {
    pub fn add(&mut self, us: u64) {
        let us = u32::try_from(us).unwrap_or(u32::MAX);
        self.counts[bucket(us)] += 1;
        self.all += 1;
    }

    /// How many were counted.
    pub fn len(&self) -> u32 {
        self.all
    }

    pub fn is_empty(&self) -> bool {
        self.all == 0
    }

    /// The value that so many of a hundred do not exceed, in microseconds; `None` without any.
    pub fn percentile(&self, percent: u32) -> Option<u64> {
        let wanted = (u64::from(self.all) * u64::from(percent)).div_ceil(100).max(1);
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += u64::from(*count);
            if seen >= wanted {
                return Some(upper(index));
            }
        }
        None
    }
}

fn bucket(us: u32) -> usize {
    if us < PER_DOUBLING {
        return us as usize;
    }
    let power = us.ilog2();
    let part = (us >> (power - 3)) & (PER_DOUBLING - 1);
    ((power - 2) * PER_DOUBLING + part) as usize
}

/// The largest value of a bucket.
fn upper(index: usize) -> u64 {
    let index = index as u64;
    let per = u64::from(PER_DOUBLING);
    if index < per {
        return index;
    }
    let (power, part) = (index / per + 2, index % per);
    ((per + part + 1) << (power - 3)) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_in_its_bucket() {
        for us in (0..10_000).chain([1_000_000, 60_000_000, u32::MAX - 1, u32::MAX]) {
            let index = bucket(us);
            assert!(upper(index) >= u64::from(us), "{us}");
            assert!(index == 0 || upper(index - 1) < u64::from(us), "{us}");
            assert!(upper(index) - u64::from(us) <= u64::from(us / 8), "{us}");
        }
    }

    #[test]
    fn percentiles_are_by_count() {
        let mut seen = Histogram::default();
        assert_eq!(seen.percentile(50), None);
        (1..=100).for_each(|ms| seen.add(ms * 1_000));
        let p50 = seen.percentile(50).unwrap();
        assert!((50_000..57_000).contains(&p50), "{p50}");
        assert!(seen.percentile(99).unwrap() >= 99_000);
    }
}
