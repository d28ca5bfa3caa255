//! Loads: seeded, steady sources of records, handed to clients one at a time.

use super::ledger::{Handed, RecordId, System};
use super::world::{Role, World};
use crate::kafka::client::producer::{NewHeaders, NewRecord, ProducerOrder};
use crate::kafka::wire::Order;
use crate::sim::{ProcId, Random, Span, Step, Time};
use std::rc::Rc;

/// What a load sends, and how often.
#[derive(Clone, Debug)]
pub struct Load {
    /// By which `stop` finds it: a client's name or a feed's topic.
    pub name: Rc<str>,
    pub topic: Rc<str>,
    pub partition: Option<i32>,
    /// Mean time between two records.
    pub every: Span,
    /// How many different keys; 0: records without a key.
    pub keys: u32,
    pub left: Option<u64>,
    pub until: Option<Time>,
    /// Bytes of each value; `None`: as long as its text.
    pub size: Option<u64>,
    /// Of which each message gets one as its routing key; none: its own key.
    pub routing: Vec<Rc<str>>,
    /// Who sends; those of one system in turn.
    pub clients: Vec<ProcId>,
}

#[derive(Clone, Debug)]
struct Running {
    load: Rc<Load>,
    random: Random,
    next: Time,
    sent: u64,
    left: Option<u64>,
}

/// All loads that run.
#[derive(Clone, Debug, Default)]
pub struct Loads {
    running: Vec<Running>,
}

impl Loads {
    /// Begins a load; the first record comes after its first pause.
    pub fn start(&mut self, load: Load, seed: u64, now: Time) {
        let mut random = Random::named(seed, &format!("load/{}/{}", load.name, load.topic));
        let next = now + Span::us(random.exponential(load.every.as_us()));
        let left = load.left;
        self.running.push(Running {
            load: Rc::new(load),
            random,
            next,
            sent: 0,
            left,
        });
    }

    /// Ends the loads of a client or feed. Whether there was one.
    pub fn stop(&mut self, name: &str) -> bool {
        let before = self.running.len();
        self.running.retain(|running| &*running.load.name != name);
        self.running.len() < before
    }

    pub fn next_time(&self) -> Option<Time> {
        self.running.iter().map(|running| running.next).min()
    }

    /// Names of the loads that run.
    pub fn names(&self) -> impl Iterator<Item = &Rc<str>> {
        self.running.iter().map(|running| &running.load.name)
    }
}

impl World {
    /// Hands over the record of the load that is due at `at`.
    pub(super) fn run_load(&mut self, at: Time) -> Step {
        let step = self.sim.command(at);
        let Some(index) = self.loads.running.iter().position(|running| running.next == at) else {
            return step;
        };
        let running = &mut self.loads.running[index];
        let load = running.load.clone();
        running.sent += 1;
        let number = running.sent;
        let key = (load.keys > 0).then(|| format!("k{}", running.random.below(u64::from(load.keys)) + 1));
        let mut value = format!("{}-{number}", load.topic);
        if let Some(size) = load.size {
            let missing = (size as usize)
                .saturating_sub(value.len())
                .min(crate::lab::limits::MAX_VALUE_BYTES);
            value.extend(std::iter::repeat_n('.', missing));
        }
        let routing = match load.routing.len() as u64 {
            0 => None,
            count => load.routing.get(running.random.below(count) as usize).cloned(),
        };
        running.next = at + Span::us(running.random.exponential(load.every.as_us()).max(1));
        running.left = running.left.map(|left| left.saturating_sub(1));
        let over = running.left == Some(0) || load.until.is_some_and(|until| running.next > until);
        if over {
            self.loads.running.remove(index);
        }
        self.hand_item(&load, number, key.as_deref(), routing, &value);
        step
    }

    /// One item goes to one client of each system.
    fn hand_item(&mut self, load: &Load, number: u64, key: Option<&str>, routing: Option<Rc<str>>, value: &str) {
        let of = |role: Role| {
            let mine: Vec<ProcId> = load
                .clients
                .iter()
                .copied()
                .filter(|id| self.role(*id) == role)
                .collect();
            let turn = (number - 1) as usize % mine.len().max(1);
            mine.get(turn).copied()
        };
        let (producer, publisher) = (of(Role::Producer), of(Role::Publisher));
        if let Some(client) = producer {
            self.send_text(client, &load.topic, load.partition, key, Some(value), Vec::new());
        }
        if let Some(client) = publisher {
            let key: Option<Rc<str>> = key.map(Rc::from);
            let routing = routing.or(key.clone()).unwrap_or_default();
            self.publish_text(client, &load.topic, (routing, key), Rc::default(), value);
        }
    }

    /// A producer is told to send one record of text; its number, if the producer runs.
    pub fn send_text(
        &mut self,
        client: ProcId,
        topic: &Rc<str>,
        partition: Option<i32>,
        key: Option<&str>,
        value: Option<&str>,
        headers: NewHeaders,
    ) -> Option<RecordId> {
        if !self.runs(client) {
            return None;
        }
        let (key, value): (Option<Rc<str>>, Option<Rc<str>>) = (key.map(Rc::from), value.map(Rc::from));
        let origin = self.ledger.hand_over(Handed {
            system: System::Kafka,
            client: self.name(client).clone(),
            topic: topic.clone(),
            key: key.clone(),
            value: value.clone(),
            at: self.sim.now(),
        });
        let record = NewRecord {
            origin,
            topic: topic.clone(),
            partition,
            timestamp: None,
            key: key.map(Into::into),
            value: value.map(Into::into),
            headers,
        };
        let call = self.next_call();
        self.sim.order(
            client,
            Order::Producer(ProducerOrder::Send {
                call,
                records: vec![record],
                flush: false,
            }),
        );
        Some(origin)
    }
}
