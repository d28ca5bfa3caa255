//! Virtual time: integers of microseconds, nothing else.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

/// A moment: microseconds since the start of the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub u64);

/// A stretch of time in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub u64);

impl Time {
    pub const ZERO: Time = Time(0);
    /// Later than everything that can happen.
    pub const NEVER: Time = Time(u64::MAX);

    /// How long after `earlier` this is; zero if it is not after.
    pub fn since(self, earlier: Time) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// A microsecond earlier.
    pub fn just_before(self) -> Time {
        Time(self.0.saturating_sub(1))
    }

    pub fn as_us(self) -> u64 {
        self.0
    }

    /// Whole milliseconds since the start of the run.
    pub fn as_ms(self) -> i64 {
        (self.0 / 1_000) as i64
    }
}

impl Span {
    pub const ZERO: Span = Span(0);

    pub const fn us(us: u64) -> Span {
        Span(us)
    }

    pub const fn ms(ms: u64) -> Span {
        Span(ms.saturating_mul(1_000))
    }

    pub const fn secs(s: u64) -> Span {
        Span(s.saturating_mul(1_000_000))
    }

    /// From a setting in milliseconds, as Kafka's are; negative counts as zero.
    pub fn from_ms(ms: i64) -> Span {
        Span::ms(ms.max(0) as u64)
    }

    pub fn as_us(self) -> u64 {
        self.0
    }

    pub fn as_ms(self) -> i64 {
        (self.0 / 1_000) as i64
    }

    pub fn times(self, n: u64) -> Span {
        Span(self.0.saturating_mul(n))
    }
}

impl Add<Span> for Time {
    type Output = Time;
    fn add(self, span: Span) -> Time {
        Time(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Span> for Time {
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}

impl Add for Span {
    type Output = Span;
    fn add(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }
}

impl Sub for Span {
    type Output = Span;
    fn sub(self, other: Span) -> Span {
        Span(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Time {
    /// Seconds with three and three places: `10.012 310 s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (s, us) = (self.0 / 1_000_000, self.0 % 1_000_000);
        write!(f, "{s}.{:03} {:03} s", us / 1_000, us % 1_000)
    }
}
