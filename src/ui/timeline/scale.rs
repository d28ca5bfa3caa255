//! Time on the screen: long idle stretches are folded to a fixed width, all else is linear.

use crate::lab::view::Density;
use crate::ordered::SortSmall;

/// A stretch of time and the share of the width that it has, in thousandths of a percent.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Part {
    from_us: u64,
    to_us: u64,
    from: u64,
    to: u64,
    folded: bool,
}

/// The whole width in the unit of this file.
const WIDTH: u64 = 100_000;

/// How wide a folded stretch is.
const FOLD: u64 = 5_000;

/// A stretch is folded when it is longer than this share of the whole (a twelfth).
const LONG: u64 = 12;

/// Most folds; past it the picture would be folds only.
const FOLDS: usize = 8;

/// From virtual time to a place on the axis, and back.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    parts: Vec<Part>,
    span_us: u64,
}

impl Scale {
    /// A scale for 0 to `span_us`; `bins` are equally long stretches of the explored time `end_us`, from the start.
    pub fn new(span_us: u64, end_us: u64, bins: &[Density], fold: bool) -> Scale {
        let span_us = span_us.max(1);
        let idle = if fold {
            idle_stretches(span_us, end_us, bins)
        } else {
            Vec::new()
        };
        let folded: u64 = idle.iter().map(|(a, b)| b - a).sum();
        let open = WIDTH - FOLD * idle.len() as u64;
        let rest = (span_us - folded).max(1);
        let mut parts = Vec::new();
        let (mut at, mut x) = (0, 0);
        let mut push = |from_us: u64, to_us: u64, width: u64, folded: bool, x: &mut u64| {
            if to_us > from_us {
                parts.push(Part {
                    from_us,
                    to_us,
                    from: *x,
                    to: *x + width,
                    folded,
                });
                *x += width;
            }
        };
        let wide = |us: u64| (u128::from(us) * u128::from(open) / u128::from(rest)) as u64;
        for (from, to) in idle {
            push(at, from, wide(from - at), false, &mut x);
            push(from, to, FOLD, true, &mut x);
            at = to;
        }
        push(at, span_us, wide(span_us - at), false, &mut x);
        Scale { parts, span_us }
    }

    /// The place of a moment, in percent.
    pub fn percent(&self, us: u64) -> f64 {
        let us = us.min(self.span_us);
        let part = self.parts.iter().find(|p| us <= p.to_us).or(self.parts.last());
        let x = part.map_or(0, |p| {
            let along = us.saturating_sub(p.from_us).min(p.to_us - p.from_us);
            p.from + (u128::from(along) * u128::from(p.to - p.from) / u128::from((p.to_us - p.from_us).max(1))) as u64
        });
        x as f64 / 1_000.0
    }

    /// The moment at a share of the width (0 to 1).
    pub fn moment(&self, share: f64) -> u64 {
        let x = (share.clamp(0.0, 1.0) * WIDTH as f64) as u64;
        let part = self.parts.iter().find(|p| x <= p.to).or(self.parts.last());
        part.map_or(0, |p| {
            let along = x.saturating_sub(p.from).min(p.to - p.from);
            p.from_us
                + (u128::from(along) * u128::from(p.to_us - p.from_us) / u128::from((p.to - p.from).max(1))) as u64
        })
    }

    /// Folded stretches: from, to.
    pub fn folds(&self) -> impl Iterator<Item = (u64, u64)> {
        self.parts.iter().filter(|p| p.folded).map(|p| (p.from_us, p.to_us))
    }

    /// Moments for the axis's labels, and the step between them: round numbers at least `gap` percent apart, none in a
    /// fold.
    pub fn ticks(&self, gap: f64) -> (Vec<u64>, u64) {
        let open: u64 = self
            .parts
            .iter()
            .filter(|p| !p.folded)
            .map(|p| p.to_us - p.from_us)
            .sum();
        let mut step = 1;
        let mut factors = [2, 5, 10].into_iter().cycle();
        let mut decade = 1;
        let most = (90.0 / gap.max(5.0)) as u64;
        while open / step > most.max(2) {
            let factor = factors.next().unwrap_or(10);
            step = decade * factor;
            if factor == 10 {
                decade = step;
            }
        }
        let mut ticks = Vec::new();
        for part in self.parts.iter().filter(|p| !p.folded) {
            let mut at = part.from_us.div_ceil(step) * step;
            while at <= part.to_us && ticks.len() < 40 {
                let far = ticks
                    .last()
                    .is_none_or(|last| self.percent(at) - self.percent(*last) > gap);
                if far {
                    ticks.push(at);
                }
                at += step;
            }
        }
        (ticks, step)
    }
}

/// The longest stretches in which nothing but heartbeats happened, in order of time.
fn idle_stretches(span_us: u64, end_us: u64, bins: &[Density]) -> Vec<(u64, u64)> {
    let count = bins.len() as u64;
    let edge = |i: u64| (u128::from(end_us) * u128::from(i) / u128::from(count.max(1))) as u64;
    let mut found = Vec::new();
    let mut start = None;
    for i in 0..=count {
        let quiet = bins
            .get(i as usize)
            .is_some_and(|d| d.data + d.control + d.clients == 0);
        match (quiet, start) {
            (true, None) => start = Some(i),
            (false, Some(from)) => {
                // One bin at each end stays open, so that what stands beside the fold can be seen.
                if i > from + 3 && edge(i - 1) - edge(from + 1) > span_us / LONG {
                    found.push((edge(from + 1), edge(i - 1)));
                }
                start = None;
            }
            _ => {}
        }
    }
    found.sort_small_by_key(|(a, b)| std::cmp::Reverse(b - a));
    found.truncate(FOLDS);
    found.sort_small();
    found
}
