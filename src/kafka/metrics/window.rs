//! A client's sampled statistics: what was recorded in the last `metrics.num.samples` windows of
//! `metrics.sample.window.ms` each, and totals since the start. Figures are thousandths, in integers.
//!
//! Reading changes nothing here; in the real client reading also drops what is too old, which only a reader in between
//! could tell. [SampledStat, Avg, Max, Rate, Meter]

use crate::sim::Time;

/// How long is looked back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampling {
    /// `metrics.sample.window.ms`
    pub window_ms: i64,
    /// `metrics.num.samples`
    pub samples: i64,
}

impl Default for Sampling {
    /// The defaults of all clients.
    fn default() -> Sampling {
        Sampling {
            window_ms: 30_000,
            samples: 2,
        }
    }
}

impl Sampling {
    /// What rates per hour look back on: one window of that length each.
    const fn hourly(self) -> Sampling {
        Sampling {
            window_ms: HOUR_MS,
            samples: self.samples,
        }
    }
}

const HOUR_MS: i64 = 3_600_000;

#[derive(Clone, Copy, Debug)]
struct Sample {
    start_ms: i64,
    last_ms: i64,
    count: i64,
    sum: i64,
    max: i64,
}

impl Sample {
    fn new(now: i64) -> Sample {
        Sample {
            start_ms: now,
            last_ms: now,
            count: 0,
            sum: 0,
            max: i64::MIN,
        }
    }
}

/// What was recorded lately.
#[derive(Clone, Debug, Default)]
pub struct Window {
    /// One more than are looked at: the oldest may reach into the stretch that counts.
    samples: Vec<Sample>,
    current: usize,
}

impl Window {
    /// Records a value.
    pub fn record(&mut self, value: i64, now: Time, sampling: Sampling) {
        let now = now.as_ms();
        if self.samples.is_empty() {
            self.samples.push(Sample::new(now));
        }
        if now - self.samples[self.current].start_ms >= sampling.window_ms {
            self.current = (self.current + 1) % (sampling.samples.max(1) as usize + 1);
            match self.samples.get_mut(self.current) {
                Some(sample) => *sample = Sample::new(now),
                None => self.samples.push(Sample::new(now)),
            }
        }
        let sample = &mut self.samples[self.current];
        sample.last_ms = now;
        sample.count += 1;
        sample.sum += value;
        sample.max = sample.max.max(value);
    }

    /// The samples that count now; those without an event for too long are empty and begin now.
    fn live(&self, now: i64, sampling: Sampling) -> impl Iterator<Item = Sample> + '_ {
        let expire = sampling.samples.saturating_mul(sampling.window_ms);
        self.samples
            .iter()
            .map(move |sample| match now - sample.last_ms >= expire {
                true => Sample::new(now),
                false => *sample,
            })
    }

    /// Count and sum of what counts.
    fn totals(&self, now: i64, sampling: Sampling) -> (i64, i64) {
        let live = self.live(now, sampling);
        live.fold((0, 0), |(count, sum), sample| (count + sample.count, sum + sample.sum))
    }

    /// Mean in thousandths; `None`: nothing was recorded (NaN). [Avg]
    pub fn average(&self, now: Time, sampling: Sampling) -> Option<i64> {
        let (count, sum) = self.totals(now.as_ms(), sampling);
        (count > 0).then(|| sum.saturating_mul(1_000) / count)
    }

    /// The greatest in thousandths. [Max]
    pub fn max(&self, now: Time, sampling: Sampling) -> Option<i64> {
        let live = self.live(now.as_ms(), sampling).filter(|sample| sample.count > 0);
        live.map(|sample| sample.max.saturating_mul(1_000)).max()
    }

    /// Sum per second, in thousandths. [Rate of a WindowedSum]
    pub fn rate(&self, now: Time, sampling: Sampling) -> i64 {
        let (_, sum) = self.totals(now.as_ms(), sampling);
        sum.saturating_mul(1_000_000) / self.span_ms(now.as_ms(), sampling)
    }

    /// How long the samples reach back: at least all windows but the newest. [Rate.windowSize]
    fn span_ms(&self, now: i64, sampling: Sampling) -> i64 {
        let oldest = self.live(now, sampling).map(|sample| sample.start_ms).min();
        let mut elapsed = now - oldest.unwrap_or(now);
        let window = sampling.window_ms.max(1);
        let (full, least) = (elapsed / window, sampling.samples - 1);
        if full < least {
            elapsed += (least - full) * window;
        }
        elapsed.max(1)
    }
}

/// Events or amounts: how many ever, and lately. [Meter]
#[derive(Clone, Debug, Default)]
pub struct Counted {
    pub total: i64,
    recent: Window,
}

impl Counted {
    pub fn add(&mut self, amount: i64, now: Time, sampling: Sampling) {
        self.total += amount;
        self.recent.record(amount, now, sampling);
    }

    /// Per second, in thousandths.
    pub fn rate(&self, now: Time, sampling: Sampling) -> i64 {
        self.recent.rate(now, sampling)
    }

    /// The mean amount, in thousandths.
    pub fn average(&self, now: Time, sampling: Sampling) -> Option<i64> {
        self.recent.average(now, sampling)
    }
}

/// Events that are told by the hour. [Rate(TimeUnit.HOURS, WindowedCount, 1)]
#[derive(Clone, Debug, Default)]
pub struct CountedHourly(Counted);

impl CountedHourly {
    pub fn add(&mut self, now: Time, sampling: Sampling) {
        self.0.add(1, now, sampling.hourly());
    }

    pub fn total(&self) -> i64 {
        self.0.total
    }

    /// Per hour, in thousandths.
    pub fn per_hour(&self, now: Time, sampling: Sampling) -> i64 {
        let (count, _) = self.0.recent.totals(now.as_ms(), sampling.hourly());
        let span = self.0.recent.span_ms(now.as_ms(), sampling.hourly());
        count.saturating_mul(1_000 * HOUR_MS) / span
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::Span;

    const SAMPLING: Sampling = Sampling {
        window_ms: 1_000,
        samples: 2,
    };

    fn at(ms: u64) -> Time {
        Time::ZERO + Span::ms(ms)
    }

    #[test]
    fn nothing_recorded_is_no_figure_but_a_rate_of_zero() {
        let window = Window::default();
        assert_eq!(window.average(at(5), SAMPLING), None);
        assert_eq!(window.max(at(5), SAMPLING), None);
        assert_eq!(window.rate(at(5), SAMPLING), 0);
    }

    #[test]
    fn old_samples_no_longer_count() {
        let mut window = Window::default();
        window.record(10, at(0), SAMPLING);
        window.record(20, at(1_200), SAMPLING);
        window.record(33, at(1_300), SAMPLING);
        assert_eq!(window.average(at(1_400), SAMPLING), Some(21_000));
        assert_eq!(window.max(at(1_999), SAMPLING), Some(33_000));
        // The first sample had its last event two windows ago.
        assert_eq!(window.average(at(2_000), SAMPLING), Some(26_500));
        assert_eq!(window.max(at(3_300), SAMPLING), None);
    }

    #[test]
    fn a_rate_takes_at_least_all_windows_but_one() {
        let mut counted = Counted::default();
        counted.add(10, at(0), SAMPLING);
        // 500 ms have passed; one full window is added: 10 in 1.5 s.
        assert_eq!(counted.rate(at(500), SAMPLING), 6_666);
        counted.add(20, at(1_000), SAMPLING);
        assert_eq!(counted.rate(at(1_500), SAMPLING), 20_000);
        assert_eq!(counted.total, 30);
        assert_eq!(counted.rate(at(60_000), SAMPLING), 0);
    }

    #[test]
    fn the_oldest_sample_is_used_again() {
        let mut window = Window::default();
        for second in 0..10u64 {
            window.record(second as i64, at(second * 1_000), SAMPLING);
        }
        assert_eq!(window.samples.len(), 3);
        assert_eq!(window.max(at(9_000), SAMPLING), Some(9_000));
        assert_eq!(window.average(at(9_000), SAMPLING), Some(8_500));
    }

    #[test]
    fn an_hourly_rate_counts_over_two_hours() {
        let mut counted = CountedHourly::default();
        counted.add(at(0), SAMPLING);
        counted.add(at(1_000), SAMPLING);
        assert_eq!(counted.total(), 2);
        assert_eq!(counted.per_hour(at(HOUR_MS as u64), SAMPLING), 2_000);
    }
}
