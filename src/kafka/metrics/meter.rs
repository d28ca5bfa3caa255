//! A broker's meter: how many events ever, and per second lately, as an average that forgets.
//! Figures are thousandths, in integers. [com.yammer.metrics.core.Meter, EWMA]

use crate::sim::{Span, Time};

/// How often the average of lately is brought up to date.
const TICK: Span = Span::secs(5);

/// How much of a tick's rate goes into the one-minute average: 1 - e^(-5/60), in units of 2^-32.
const ALPHA: i128 = 343_406_624;

/// A meter; its clock ticks whenever it is looked at or marked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Meter {
    count: i64,
    /// Marks since the last tick.
    fresh: i64,
    /// Ticks that have been taken in.
    ticks: u64,
    /// Events per second, in units of 2^-20; `None` before the first tick with something to tell.
    rate: Option<i64>,
}

impl Meter {
    /// So many events happened.
    pub fn mark(&mut self, events: i64, now: Time) {
        self.catch_up(now);
        self.count += events;
        self.fresh += events;
    }

    /// Events ever.
    pub fn count(&self) -> i64 {
        self.count
    }

    /// Events per second over about the last minute, in thousandths.
    pub fn one_minute_rate(&self, now: Time) -> i64 {
        let mut copy = *self;
        copy.catch_up(now);
        ((i128::from(copy.rate.unwrap_or(0)) * 1_000) >> 20) as i64
    }

    fn catch_up(&mut self, now: Time) {
        let ticks = now.as_us() / TICK.as_us();
        while self.ticks < ticks {
            if self.fresh == 0 && self.rate.unwrap_or(0) == 0 {
                self.ticks = ticks;
                break;
            }
            self.tick();
        }
    }

    fn tick(&mut self) {
        self.ticks += 1;
        let instant = (self.fresh << 20) / (TICK.as_ms() / 1_000);
        self.fresh = 0;
        self.rate = Some(match self.rate {
            None => instant,
            Some(rate) => rate + ((i128::from(instant - rate) * ALPHA) >> 32) as i64,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::ZERO + Span::secs(seconds)
    }

    #[test]
    fn a_steady_rate_is_told_as_it_is() {
        let mut meter = Meter::default();
        for second in 0..120 {
            meter.mark(10, at(second));
        }
        assert_eq!(meter.count(), 1_200);
        assert_eq!(meter.one_minute_rate(at(120)), 10_000);
    }

    #[test]
    fn lately_forgets_by_a_factor_e_in_a_minute() {
        let mut meter = Meter::default();
        meter.mark(50, at(0));
        assert_eq!(meter.one_minute_rate(at(4)), 0);
        assert_eq!(meter.one_minute_rate(at(5)), 10_000);
        let minute_later = meter.one_minute_rate(at(65));
        assert!((3_670..=3_680).contains(&minute_later), "{minute_later}");
        assert_eq!(meter.one_minute_rate(at(100_000)), 0);
    }

    #[test]
    fn looking_changes_nothing() {
        let mut meter = Meter::default();
        meter.mark(7, at(1));
        let told = meter.one_minute_rate(at(30));
        assert_eq!(meter.one_minute_rate(at(30)), told);
        meter.mark(1, at(31));
        assert_eq!(meter.count(), 8);
    }
}
