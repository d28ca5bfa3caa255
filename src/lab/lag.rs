//! How far behind the groups were, over time: a column of samples at equal distances of virtual time, kept as a branch is
//! explored. When there are too many every other one goes, so that their number and what they cost is bounded.

use super::show::groups;
use super::view::LagView;
use super::world::World;
use std::rc::Rc;

/// Virtual microseconds between two samples at first.
const FIRST_STRIDE: u64 = 50_000;

/// Samples of a branch at most.
const MOST: usize = 512;

/// One moment: what each group lacked in each partition.
#[derive(Debug)]
struct Sample {
    event: u64,
    at_us: u64,
    /// Group, partition (`loan_request/0`), records.
    lags: Vec<(Rc<str>, Rc<str>, i64)>,
}

/// The samples of a branch; copies share them.
#[derive(Clone, Debug)]
pub struct LagHistory {
    stride: u64,
    kept: Vec<Rc<Sample>>,
}

impl Default for LagHistory {
    fn default() -> LagHistory {
        LagHistory {
            stride: FIRST_STRIDE,
            kept: Vec::new(),
        }
    }
}

impl LagHistory {
    /// Takes a sample after an event if it is time for one.
    pub fn after(&mut self, world: &World, event: u64) {
        let at_us = world.now_us();
        let due = self
            .kept
            .last()
            .map_or(0, |last| (last.at_us / self.stride + 1) * self.stride);
        if at_us < due {
            return;
        }
        let lags = groups::lags(world);
        self.kept.push(Rc::new(Sample { event, at_us, lags }));
        if self.kept.len() > MOST {
            self.stride *= 2;
            let mut odd = false;
            self.kept.retain(|_| {
                odd = !odd;
                odd
            });
        }
    }

    /// Forgets what came after an event.
    pub fn cut(&mut self, event: u64) {
        self.kept.retain(|sample| sample.event <= event);
    }

    /// The history of one group.
    pub fn of(&self, group: &str) -> LagView {
        let mut view = LagView::default();
        for (index, sample) in self.kept.iter().enumerate() {
            view.at_us.push(sample.at_us);
            let mut total = 0;
            for (_, partition, lag) in sample.lags.iter().filter(|(of, _, _)| **of == *group) {
                total += lag;
                let known = view.partitions.iter().position(|(name, _)| name == partition);
                let place = known.unwrap_or_else(|| {
                    view.partitions.push((partition.clone(), Vec::new()));
                    view.partitions.len() - 1
                });
                let series = &mut view.partitions[place].1;
                series.resize(index, 0);
                series.push(*lag);
            }
            view.total.push(total);
        }
        let moments = view.at_us.len();
        for (_, series) in &mut view.partitions {
            series.resize(moments, 0);
        }
        view
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(samples: &[(u64, i64)]) -> LagHistory {
        let sample = |(at, lag): &(u64, i64)| {
            Rc::new(Sample {
                event: *at,
                at_us: *at,
                lags: vec![("g".into(), "t/0".into(), *lag), ("h".into(), "t/0".into(), 7)],
            })
        };
        LagHistory {
            kept: samples.iter().map(sample).collect(),
            ..LagHistory::default()
        }
    }

    #[test]
    fn a_groups_history_has_its_partitions_only() {
        let view = history(&[(0, 3), (50, 5)]).of("g");
        assert_eq!((view.at_us, view.total), (vec![0, 50], vec![3, 5]));
        assert_eq!(view.partitions, [("t/0".into(), vec![3, 5])]);
        let nobody = history(&[(0, 3)]).of("nobody");
        assert_eq!((nobody.total, nobody.partitions.len()), (vec![0], 0));
    }

    #[test]
    fn a_cut_forgets_the_later_samples() {
        let mut cut = history(&[(0, 3), (50, 5), (90, 1)]);
        cut.cut(50);
        assert_eq!(cut.of("g").total, [3, 5]);
    }
}
