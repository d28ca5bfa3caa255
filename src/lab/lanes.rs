//! A stretch of a run as a space-time diagram: who sent what to whom and when it came, what happened where, and who was
//! silent. Everything is read from the record of events; nothing is replayed.

use super::history::{Class, Kept};
use super::journal::EVENT_ITSELF;
use super::language::ast::ProcessVerb;
use super::run::Run;
use super::show;
use super::view::{FlightClass, Health, MarkKind, Weight, WhyLink};
use super::world::{Role, World, kernel_time, lab_us};
use crate::kafka::protocol::kind_of_tag;
use crate::ordered::{OrderedMap, OrderedSet, SortSmall};
use crate::sim::{EventKind, ProcId};
use std::rc::Rc;

/// Events that are looked through at most for one picture.
const LOOKED: u64 = 60_000;

/// Causes that are followed at most from one link of an answer.
const CAUSES: usize = 400;

/// What a picture is to show.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// So many messages at most; the newest are kept.
    pub most: usize,
    /// Heartbeats and idle polls too.
    pub idle: bool,
    /// Events that are lit, by number, sorted.
    pub lit: &'a [u64],
    /// Nothing but what is lit.
    pub only_lit: bool,
}

/// The picture, up to the present of the run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lanes {
    /// Names of the processes, left to right; everything below names them by index.
    pub processes: Vec<Rc<str>>,
    pub crossings: Vec<Crossing>,
    pub happenings: Vec<Happening>,
    pub silences: Vec<Silence>,
    /// There are older messages.
    pub more: bool,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    Arrived,
    /// Lost on the way.
    Lost,
    /// Still on its way, or held.
    UnderWay,
}

/// A message from one process to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Crossing {
    /// The event of its arrival or loss; `None` while it is on its way.
    pub event: Option<u64>,
    pub from: usize,
    pub to: usize,
    /// `ProduceRequest`
    pub kind: &'static str,
    pub passage: Passage,
    pub sent_us: u64,
    /// When it came, was lost, or is due.
    pub until_us: u64,
    pub lit: bool,
}

/// Something that a person follows, at a process.
#[derive(Clone, Debug, PartialEq)]
pub struct Happening {
    pub event: u64,
    /// Which line of the log it is.
    pub index: u16,
    pub at_us: u64,
    /// `None`: it concerns no single process.
    pub lane: Option<usize>,
    pub text: String,
    pub mark: Option<MarkKind>,
    pub alarm: bool,
    pub lit: bool,
}

/// A time in which a process does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Silence {
    pub lane: usize,
    pub from_us: u64,
    /// `None`: up to now.
    pub until_us: Option<u64>,
    pub health: Health,
}

impl Run {
    /// The newest stretch of the run, up to now.
    pub fn lanes(&self, asked: &Asked<'_>) -> Lanes {
        let world = self.world();
        let columns = Columns::of(world);
        let mut lanes = Lanes {
            processes: columns.names.clone(),
            ..Lanes::default()
        };
        let first = self.crossings(&columns, asked, &mut lanes);
        if !asked.only_lit {
            lanes.crossings.extend(under_way(world, &columns, asked.idle));
        }
        lanes.happenings = self.happenings(&columns, asked, first);
        lanes.silences = self.silences(&columns);
        lanes
    }

    /// The events that led to a line of the log, sorted: each link of the answer to "why?" (`chain`), and the
    /// causes of each.
    pub fn causes(&self, event: u64, chain: &[WhyLink]) -> Vec<u64> {
        let mut all = OrderedSet::new();
        all.insert(event);
        for link in chain {
            all.insert(link.event);
        }
        let links: Vec<u64> = all.iter().copied().filter(|event| *event > 0).collect();
        let oldest = links.iter().min().copied().unwrap_or(0);
        for link in links {
            let mut kernel = self.kernel(link);
            for _ in 0..CAUSES {
                let Some(kept) = self.kept(kernel) else { break };
                let number = self.number(kernel);
                // Behind the first link lies how that line came about, which no one asked for.
                if number < oldest || kept.class == Class::Idle && number != link {
                    break;
                }
                all.insert(number);
                kernel = kept.cause;
            }
        }
        all.into_iter().collect()
    }

    /// Takes in messages from the newest backwards, and the number of the first event of the picture.
    fn crossings(&self, columns: &Columns, asked: &Asked<'_>, lanes: &mut Lanes) -> u64 {
        let now = self.event();
        let mut first = now.saturating_sub(LOOKED);
        for event in (first.max(1)..=now).rev() {
            let Some(kept) = self.kept(self.kernel(event)) else {
                continue;
            };
            let Some(crossing) = self.crossing(columns, asked, event, &kept) else {
                continue;
            };
            if lanes.crossings.len() >= asked.most {
                lanes.more = true;
                first = event + 1;
                break;
            }
            lanes.crossings.push(crossing);
        }
        lanes.crossings.reverse();
        first
    }

    fn crossing(&self, columns: &Columns, asked: &Asked<'_>, event: u64, kept: &Kept) -> Option<Crossing> {
        let passage = match kept.kind {
            EventKind::Message => Passage::Arrived,
            EventKind::Lost => Passage::Lost,
            _ => return None,
        };
        let lit = asked.lit.binary_search(&event).is_ok();
        let wanted = lit || !asked.only_lit && (asked.idle || kept.class != Class::Idle);
        if !wanted {
            return None;
        }
        let sent = self.kept(kept.cause).map_or(kept.at, |cause| cause.at);
        Some(Crossing {
            event: Some(event),
            from: columns.of_process(kept.from?)?,
            to: columns.of_process(kept.to)?,
            kind: kind_of_tag(kept.tag),
            passage,
            sent_us: lab_us(sent),
            until_us: lab_us(kept.at),
            lit,
        })
    }

    /// Lines of the log from an event on, each at its process.
    fn happenings(&self, columns: &Columns, asked: &Asked<'_>, first: u64) -> Vec<Happening> {
        let lines = self.entries(first..self.event() + 1);
        lines
            .filter(|entry| entry.log.weight >= Weight::Matters)
            .map(|entry| {
                let log = &entry.log;
                Happening {
                    event: log.event,
                    index: log.index,
                    at_us: log.at_us,
                    lane: self.lane_of(columns, &log.who, log.event, log.index),
                    text: log.text.clone(),
                    mark: entry.mark,
                    alarm: log.weight == Weight::Alarm,
                    lit: asked.lit.binary_search(&log.event).is_ok(),
                }
            })
            .filter(|happening| !asked.only_lit || happening.lit)
            .collect()
    }

    /// The process that a line of the log belongs to: its own, the one that a command names, or where the event was.
    fn lane_of(&self, columns: &Columns, who: &str, event: u64, index: u16) -> Option<usize> {
        if let Some(lane) = columns.of_name(who) {
            return Some(lane);
        }
        let kept = self.kept(self.kernel(event))?;
        if kept.kind == EventKind::Command && index == EVENT_ITSELF {
            return self.process_verbs().find_map(|(at, _, names)| {
                let named = (at == kept.at).then(|| names.first()).flatten();
                named.and_then(|name| columns.of_name(name))
            });
        }
        (kept.kind != EventKind::Command)
            .then(|| columns.of_process(kept.to))
            .flatten()
    }

    /// When processes were stopped and started again by lines of the scenario, up to now.
    fn silences(&self, columns: &Columns) -> Vec<Silence> {
        let now = kernel_time(self.now_us());
        let mut out: Vec<Silence> = Vec::new();
        for (at, verb, names) in self.process_verbs().filter(|(at, ..)| *at <= now) {
            let from_us = lab_us(at);
            for lane in names.iter().flat_map(|name| columns.on(self.world(), name)) {
                let open = out.iter_mut().find(|s| s.lane == lane && s.until_us.is_none());
                match (silence_of(verb), open) {
                    (Some(health), None) => out.push(Silence {
                        lane,
                        from_us,
                        until_us: None,
                        health,
                    }),
                    (None, Some(silence)) => silence.until_us = Some(from_us),
                    _ => {}
                }
            }
        }
        out
    }
}

/// What a verb makes of a process; `None`: it runs again.
fn silence_of(verb: ProcessVerb) -> Option<Health> {
    match verb {
        ProcessVerb::Crash => Some(Health::Crashed),
        ProcessVerb::PowerOff => Some(Health::PoweredOff),
        ProcessVerb::Freeze => Some(Health::Frozen),
        ProcessVerb::Shutdown | ProcessVerb::Remove => Some(Health::Stopped),
        ProcessVerb::Restart | ProcessVerb::Thaw => None,
    }
}

/// Messages that have not come yet.
fn under_way(world: &World, columns: &Columns, idle: bool) -> Vec<Crossing> {
    let shown = show::flights::air(world).into_iter();
    shown
        .filter(|flight| idle || flight.class != FlightClass::Idle)
        .filter_map(|flight| {
            Some(Crossing {
                event: None,
                from: columns.of_name(&flight.from)?,
                to: columns.of_name(&flight.to)?,
                kind: flight.kind,
                passage: Passage::UnderWay,
                sent_us: flight.sent_us,
                until_us: flight.arrives_us,
                lit: false,
            })
        })
        .collect()
}

/// The processes as columns: those who write at the left, then servers, then those who read.
struct Columns {
    names: Vec<Rc<str>>,
    by_process: OrderedMap<u32, usize>,
}

impl Columns {
    fn of(world: &World) -> Columns {
        let mut shown: Vec<(u8, ProcId)> = world
            .processes()
            .filter_map(|(id, role)| Some((rank(role)?, id)))
            .collect();
        shown.sort_small_by_key(|(rank, id)| (*rank, id.0));
        let by_process = shown.iter().enumerate().map(|(i, (_, id))| (id.0, i));
        Columns {
            by_process: by_process.collect(),
            names: shown.iter().map(|(_, id)| world.name(*id).clone()).collect(),
        }
    }

    fn of_process(&self, id: ProcId) -> Option<usize> {
        self.by_process.get(&id.0).copied()
    }

    fn of_name(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| **known == *name)
    }

    /// The columns that a name means: a process, or all on a host.
    fn on(&self, world: &World, name: &str) -> Vec<usize> {
        if let Some(lane) = self.of_name(name) {
            return vec![lane];
        }
        let host = world.sim.network().resolve(name);
        let there = world.processes().filter(|(id, _)| Some(world.sim.host_of(*id)) == host);
        there.filter_map(|(id, _)| self.of_process(id)).collect()
    }
}

/// The place of a role from left to right; `None`: it is not drawn.
fn rank(role: Role) -> Option<u8> {
    match role {
        Role::Producer | Role::Publisher | Role::Browser => Some(0),
        Role::Broker(_) | Role::Rabbit | Role::WebServer => Some(1),
        Role::Controller(_) => Some(2),
        Role::Consumer | Role::Subscriber => Some(3),
        Role::Operator => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOSS: &str = "lab 1\nseed 7\ncontroller c1\nbroker b1..b3\ntopic t partitions=1 replicas=b1,b2,b3\n\
        producer web acks=1 linger.ms=0\nat 1s  produce web t \"a\"\nat 2s  cut b1 -> b2 b3\n\
        at 2.1s  produce web t \"b\"\nat 2.2s  crash b1\nat 14s  restart b1\n";

    fn played(until_us: u64) -> Run {
        let mut run = Run::open(LOSS);
        assert!(run.play_until_us(until_us, 1_000_000));
        run
    }

    fn all() -> Asked<'static> {
        Asked {
            most: 100_000,
            ..Asked::default()
        }
    }

    #[test]
    fn a_produce_request_crosses_and_its_answer_comes_back() {
        let lanes = played(1_500_000).lanes(&all());
        assert_eq!(&*lanes.processes[0], "web");
        let of = |kind: &str| lanes.crossings.iter().find(|c| c.kind == kind).cloned();
        let (there, back) = (of("ProduceRequest").unwrap(), of("ProduceResponse").unwrap());
        assert_eq!(
            (there.from, &*lanes.processes[there.to], there.passage),
            (0, "b1", Passage::Arrived)
        );
        assert_eq!((back.from, back.to), (there.to, there.from));
        assert!(there.sent_us < there.until_us && there.until_us <= back.sent_us && back.sent_us < back.until_us);
        assert!(!lanes.more);
    }

    #[test]
    fn a_crash_silences_its_process_until_it_is_restarted() {
        let (early, late) = (played(10_000_000).lanes(&all()), played(20_000_000).lanes(&all()));
        let silence = |lanes: &Lanes| lanes.silences[0];
        assert_eq!(
            (&*early.processes[silence(&early).lane], silence(&early).health),
            ("b1", Health::Crashed)
        );
        assert_eq!((silence(&early).from_us, silence(&early).until_us), (2_200_000, None));
        assert_eq!(silence(&late).until_us, Some(14_000_000));
        let crash = early.happenings.iter().find(|h| h.text == "crash b1").unwrap();
        assert_eq!(crash.lane, Some(silence(&early).lane));
        assert_eq!(crash.mark, Some(MarkKind::Fault));
    }

    #[test]
    fn what_led_to_a_loss_is_lit_and_can_stand_alone() {
        let run = played(13_000_000);
        let log = run.log(0..run.event() + 1, Weight::Alarm, "lost");
        let causes = run.causes(log[0].event, &run.why(log[0].event, log[0].index));
        assert!(causes.windows(2).all(|pair| pair[0] < pair[1]) && causes.contains(&log[0].event));
        let lanes = run.lanes(&Asked {
            lit: &causes,
            only_lit: true,
            ..all()
        });
        assert!(!lanes.crossings.is_empty());
        assert!(lanes.crossings.iter().all(|c| c.lit) && lanes.happenings.iter().all(|h| h.lit));
        assert!(lanes.happenings.iter().any(|h| h.alarm && h.lane.is_some()));
        assert!(
            lanes
                .happenings
                .iter()
                .any(|h| h.mark == Some(MarkKind::Election) || h.text == "crash b1")
        );
        assert!(lanes.crossings.len() < run.lanes(&all()).crossings.len());
    }

    #[test]
    fn the_newest_are_kept_and_heartbeats_wait_to_be_asked_for() {
        let run = played(9_000_000);
        let (few, plain) = (run.lanes(&Asked { most: 3, ..all() }), run.lanes(&all()));
        assert!(few.more && few.crossings.len() >= 3);
        assert_eq!(few.crossings.last(), plain.crossings.last());
        let idle = run.lanes(&Asked { idle: true, ..all() });
        assert!(idle.crossings.len() > plain.crossings.len());
    }
}
