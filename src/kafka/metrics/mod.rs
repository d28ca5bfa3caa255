//! Metrics under Kafka's own names: [`window`] what clients sample, [`meter`] what brokers count, [`names`] what each
//! figure means. The processes make their figures when somebody asks; while they run they only count.

pub mod meter;
pub mod names;
pub mod window;

use crate::sim::Time;
use std::rc::Rc;
use window::{Counted, Sampling, Window};

/// One figure of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// The group of a client's metric, or type of a broker's: `producer-metrics`, `ReplicaManager`.
    pub group: &'static str,
    /// `record-send-total`; of a broker's meters and histograms with the attribute: `MessagesInPerSec.Count`.
    pub name: &'static str,
    /// Which of several: a topic, a partition, a kind of request.
    pub tag: Option<Rc<str>>,
    /// The value in thousandths; `None`: there is nothing to tell yet (NaN).
    pub milli: Option<i64>,
}

/// The figures of a process, as they are collected.
#[derive(Clone, Debug)]
pub struct Figures {
    now: Time,
    sampling: Sampling,
    group: &'static str,
    tag: Option<Rc<str>>,
    pub list: Vec<Figure>,
}

impl Figures {
    pub fn new(now: Time, sampling: Sampling) -> Figures {
        Figures {
            now,
            sampling,
            group: "",
            tag: None,
            list: Vec::new(),
        }
    }

    /// What follows belongs to this group, and to one topic or partition if there is a `tag`.
    pub fn group(&mut self, group: &'static str, tag: Option<Rc<str>>) -> &mut Figures {
        (self.group, self.tag) = (group, tag);
        self
    }

    /// A figure in thousandths.
    pub fn milli(&mut self, name: &'static str, milli: Option<i64>) -> &mut Figures {
        self.list.push(Figure {
            group: self.group,
            name,
            tag: self.tag.clone(),
            milli,
        });
        self
    }

    /// A whole number.
    pub fn whole(&mut self, name: &'static str, value: i64) -> &mut Figures {
        self.milli(name, Some(value.saturating_mul(1_000)))
    }

    /// Average and maximum of a window.
    pub fn spread(&mut self, [average, max]: [&'static str; 2], window: &Window) -> &mut Figures {
        let (now, sampling) = (self.now, self.sampling);
        self.milli(average, window.average(now, sampling))
            .milli(max, window.max(now, sampling))
    }

    /// Rate and total.
    pub fn meter(&mut self, [rate, total]: [&'static str; 2], counted: &Counted) -> &mut Figures {
        let per_second = counted.rate(self.now, self.sampling);
        self.milli(rate, Some(per_second)).whole(total, counted.total)
    }

    /// Whole seconds since a moment; -1: it has not come. [the Measurables named ...-seconds-ago]
    pub fn seconds_ago(&mut self, name: &'static str, at: Option<Time>) -> &mut Figures {
        let seconds = at.map_or(-1, |at| self.now.since(at).as_ms() / 1_000);
        self.whole(name, seconds)
    }

    /// The moment that is told of.
    pub fn now(&self) -> Time {
        self.now
    }

    pub fn sampling(&self) -> Sampling {
        self.sampling
    }
}
