//! What there is to read of a run: the picture of the moment, the log, the fates, the checks.

use super::Run;
use crate::lab::checks::{CheckResult, Verdict};
use crate::lab::journal::{EVENT_ITSELF, Entry, entries_of};
use crate::lab::metrics;
use crate::lab::scenario::Refused;
use crate::lab::show;
use crate::lab::show::compare::{Compared, Side, compare, fate};
use crate::lab::show::queues::QueueView;
use crate::lab::show::routing::Route;
use crate::lab::subjects::judge;
use crate::lab::view::{Density, FateView, FlightView, LagView, LogEntry, MarkView, MetricView, View, Weight, WhyLink};
use crate::lab::world::{Role, World, kernel_time};
use crate::ordered::SortSmall;
use std::ops::Range;
use std::rc::Rc;

impl Run {
    /// The picture of the present.
    pub fn view(&self) -> View {
        let branch = self.branch();
        let event = self.event();
        let newest = branch.journal.newest(event, Weight::Matters);
        View {
            now_us: self.now_us(),
            event,
            caption: newest.map_or_else(String::new, |entry| sentence(&entry.log)),
            ..show::view(&self.moment.world, &|kernel| branch.number(kernel))
        }
    }

    /// Every process that a person may ask about, in the order in which they were made.
    pub fn process_names(&self) -> Vec<Rc<str>> {
        let world = &self.moment.world;
        let all = world.processes().filter(|(_, role)| *role != Role::Operator);
        all.map(|(id, _)| world.name(id).clone()).collect()
    }

    /// The figures of a process at present, under the real system's names.
    pub fn metrics(&self, name: &str) -> Vec<MetricView> {
        let world = &self.moment.world;
        world.find(name).map_or_else(Vec::new, |id| metrics::views(world, id))
    }

    /// The same as they were right after an event.
    pub fn metrics_at(&self, event: u64, name: &str) -> Vec<MetricView> {
        if event == self.event() {
            return self.metrics(name);
        }
        let moment = self.moment_after(event);
        let world = &moment.world;
        world.find(name).map_or_else(Vec::new, |id| metrics::views(world, id))
    }

    /// How far behind a group was, over the explored time.
    pub fn lag_history(&self, group: &str) -> LagView {
        self.branch().lag.of(group)
    }

    /// Messages on their way.
    pub fn flights(&self) -> Vec<FlightView> {
        show::flights::flights(&self.moment.world)
    }

    /// The same without their texts.
    pub fn air(&self) -> Vec<FlightView> {
        show::flights::air(&self.moment.world)
    }

    /// What is in one message, in a few words.
    pub fn flight_text(&self, id: u64) -> Rc<str> {
        show::flights::text_of(&self.moment.world, id)
    }

    /// Is a message on its way that is shown and not held? `idle`: heartbeats and idle polls are shown too.
    pub fn is_any_in_the_air(&self, idle: bool) -> bool {
        show::flights::is_any(&self.moment.world, idle)
    }

    /// Lines of the log for a range of events, at least that loud, that contain all the words of `filter`. What matters
    /// is kept from the start on; ordinary traffic is shown of the newest two thousand events of the range.
    pub fn log(&self, events: Range<u64>, least: Weight, filter: &str) -> Vec<LogEntry> {
        let words: Vec<String> = filter.split_whitespace().map(str::to_lowercase).collect();
        let kept = self.branch().journal.range(events.clone());
        let mut lines: Vec<LogEntry> = kept
            .filter(|entry| entry.log.weight >= least)
            .map(|entry| entry.log.clone())
            .collect();
        if least < Weight::Matters {
            lines.extend(self.details(&events, least));
            lines.sort_small_by_key(|line| (line.event, line.index));
        }
        lines.retain(|line| contains_all(line, &words));
        lines
    }

    /// What the clients logged themselves in a range of events, that contains all the words of `filter`.
    pub fn client_log(&self, events: Range<u64>, filter: &str) -> Vec<LogEntry> {
        let words: Vec<String> = filter.split_whitespace().map(str::to_lowercase).collect();
        let kept = self.branch().journal.range(events);
        let logged = kept.filter(|entry| entry.log.client_log && contains_all(&entry.log, &words));
        logged.map(|entry| entry.log.clone()).collect()
    }

    /// Lines that the journal does not keep.
    fn details(&self, events: &Range<u64>, least: Weight) -> Vec<LogEntry> {
        let mut lines: Vec<LogEntry> = Vec::new();
        for heard in self.heard(self.recent(events)) {
            let entries = entries_of(&self.moment.world, &heard, least);
            let kept = |entry: &Entry| entry.log.weight >= Weight::Matters || entry.log.client_log;
            let quiet = entries.into_iter().filter(|entry| !kept(entry));
            lines.extend(quiet.map(|entry: Entry| entry.log));
        }
        lines
    }

    /// Why a line of the log is there: effect first, back to the command that began it.
    pub fn why(&self, event: u64, index: u16) -> Vec<WhyLink> {
        crate::lab::why::chain(self, event, index)
    }

    /// Every record that a client handed over, oldest first.
    pub fn fates(&self) -> Vec<FateView> {
        show::ledger::fates(&self.moment.world)
    }

    /// What stands on the timeline of this branch, as far as it was explored.
    pub fn marks(&self) -> Vec<MarkView> {
        self.branch().journal.marks()
    }

    /// Events by class in equal stretches of a range of times.
    pub fn density(&self, from_us: u64, to_us: u64, bins: usize) -> Vec<Density> {
        let (from, to) = (kernel_time(from_us), kernel_time(to_us));
        self.branch().history.density(from, to, bins)
    }

    /// How the checks of the scenario went up to now.
    pub fn checks(&self) -> Vec<CheckResult> {
        self.branch().checks.results(&self.branch().script.plan, self.event())
    }

    /// Whether no check has failed so far.
    pub fn passes(&self) -> bool {
        self.checks().iter().all(|check| check.verdict != Verdict::Failed)
    }

    /// Lines that could not be done so far.
    pub fn refused(&self) -> Vec<Refused> {
        self.branch().refused(self.event())
    }

    /// Both systems beside each other, message by message.
    pub fn compared(&self) -> Compared {
        compare(&self.moment.world)
    }

    /// Queues of RabbitMQ's brokers.
    pub fn queues(&self) -> Vec<QueueView> {
        show::queues::queues(&self.moment.world)
    }

    /// Exchanges that can be published to, with their kinds.
    pub fn exchanges(&self) -> Vec<(Rc<str>, &'static str)> {
        show::routing::exchanges(&self.moment.world)
    }

    /// Where a message would go.
    pub fn route(&self, exchange: &str, key: &str, headers: &str) -> Route {
        show::routing::route(&self.moment.world, exchange, key, headers)
    }

    /// The event with which the two systems parted: that of the first item whose fates differ, when the later of the
    /// two was decided.
    pub fn first_difference(&self) -> Option<u64> {
        let compared = self.compared();
        let item = compared.items.iter().find(|item| item.differs())?;
        let (kafka, rabbit) = (item.kafka.as_ref()?, item.rabbit.as_ref()?);
        let is_now = |world: &World, side: &Side| {
            let entry = world.ledger.get(side.record);
            entry.is_some_and(|entry| fate(entry) == side.fate && entry.reordered == side.reordered)
        };
        self.since_when(self.event(), &|world| is_now(world, kafka) && is_now(world, rabbit))
    }

    /// Since which event a decided check would have found what it found: the event that made it so.
    pub fn since(&self, check: &CheckResult) -> Option<u64> {
        let (event, found) = (check.event?, check.found.as_deref()?);
        let claim = &check.check.claim;
        self.since_when(event, &|world| judge(world, claim).1 == found)
    }

    /// The event that made something so that is so after `event`, and has been ever since.
    pub fn since_when(&self, event: u64, is: &dyn Fn(&World) -> bool) -> Option<u64> {
        let mut until = event;
        for (at, moment) in self.branch().checkpoints.backwards(event.saturating_sub(1)) {
            let mut since = at;
            let mut same = is(&moment.world);
            let changes = !same;
            self.replay(at + 1..until + 1, |world, heard| {
                let now = is(world);
                if now && !same {
                    since = heard.event;
                }
                same = now;
            });
            if changes || since > at || at == 0 {
                return Some(since);
            }
            until = at;
        }
        None
    }
}

/// A line of the log as the caption has it.
fn sentence(line: &LogEntry) -> String {
    match (line.who.as_str(), line.index) {
        ("you", EVENT_ITSELF) => line.text.clone(),
        _ => format!("{}: {}", line.who, line.text),
    }
}

fn contains_all(line: &LogEntry, words: &[String]) -> bool {
    if words.is_empty() {
        return true;
    }
    let hay = format!("{} {} {}", line.who, line.text, line.rule.unwrap_or_default()).to_lowercase();
    words.iter().all(|word| hay.contains(word.as_str()))
}
