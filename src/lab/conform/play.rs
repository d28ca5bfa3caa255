//! Plays a recorded scenario on the simulator and compares after every step.

use super::super::node::Node;
use super::super::world::{ClusterSetup, Properties, Role, WARM_UP, World};
use super::compare::{Difference, Known};
use super::look::Looked;
use super::ops::Outcome;
use super::results::{error_json, records_json};
use super::trace::{Trace, TraceStep, plain};
use crate::kafka::client::admin::{AdminCall, AdminOrder};
use crate::kafka::client::call::{CallId, CallResult, Consumed};
use crate::kafka::client::consumer::Consumer;
use crate::kafka::client::consumer::note::ConsumerNote;
use crate::kafka::client::note::ClientNote;
use crate::kafka::note::Note;
use crate::kafka::protocol::admin::CreatableTopic;
use crate::kafka::types::NodeId;
use crate::kafka::wire::Order;
use crate::lab::journal::note_rule;
use crate::ordered::{OrderedMap, OrderedSet};
use crate::sim::{ProcId, Span, Time};
use serde_json::{Map, Value, json};
use std::rc::Rc;

/// How long the recorder needed for a look.
const LOOK: Span = Span::ms(300);

/// How long it waited for an operation at most.
const MOST: Span = Span::secs(60);

/// A difference and where it is.
#[derive(Clone, Debug)]
pub struct Mismatch {
    /// Number of the step, from 0, and its operation.
    pub step: usize,
    pub op: String,
    pub difference: Difference,
}

/// One scenario on its way.
pub struct Player<'a> {
    pub trace: &'a Trace,
    pub world: World,
    pub topics: OrderedSet<String>,
    pub groups: OrderedSet<String>,
    /// The recorder's admin client, and others by their settings.
    admins: OrderedMap<Vec<(String, String)>, ProcId>,
    /// Operations that were not waited for: the operation, the name it is about, the call.
    pub pending: OrderedMap<String, (String, Option<String>, CallId)>,
    events: OrderedMap<String, Vec<Value>>,
    records: OrderedMap<String, Vec<Consumed>>,
    /// Event and how many of its notes were looked through.
    collected: (u64, usize),
    /// Readers made for `fetch` so far.
    pub readers: usize,
    /// `leader`, `follower1`, ...: what controllers were at the first `quorum`.
    pub voters: OrderedMap<String, NodeId>,
    /// The quorum's epoch at the last `quorum`.
    pub quorum_epoch: Option<i32>,
    /// The names of the rules that were at work.
    rules: OrderedSet<&'static str>,
}

/// Plays the whole trace; the first difference, if there is one. `rules` takes the names of those at work.
///
/// # Errors
/// What in the trace the player cannot do.
pub fn play(trace: &Trace, rules: &mut OrderedSet<&'static str>) -> Result<Option<Mismatch>, String> {
    let mut player = Player::set_up(trace)?;
    let found = player.play(trace);
    *rules = player.rules;
    found
}

impl Player<'_> {
    fn play(&mut self, trace: &Trace) -> Result<Option<Mismatch>, String> {
        let mut known = Known::new(trace);
        for (index, step) in trace.steps.iter().enumerate() {
            known.learn(trace, index, step);
            let result = self.step(step)?;
            let looks = step.settle_ms != Some(0) || step.op() == "wait";
            let looked = self.look(step, result, looks);
            if let Some(difference) = known.compare(step, &looked, looks) {
                return Ok(Some(Mismatch {
                    step: index,
                    op: step.op().to_string(),
                    difference,
                }));
            }
        }
        Ok(None)
    }
}

impl<'a> Player<'a> {
    fn set_up(trace: &'a Trace) -> Result<Player<'a>, String> {
        let features = trace
            .cluster
            .features
            .iter()
            .filter_map(|(name, level)| Some((name.clone(), i16::try_from(level.as_i64()?).ok()?)))
            .collect();
        let mut world = World::new(ClusterSetup {
            seed: 1,
            cluster_id: "recorded".into(),
            features,
            ..ClusterSetup::default()
        });
        let voters: OrderedMap<NodeId, Rc<str>> = trace
            .cluster
            .controllers
            .iter()
            .map(|id| (*id, Rc::from(host_of(*id))))
            .collect();
        let config = settings(&trace.cluster.config);
        let mut controller_config = config.clone();
        controller_config.extend(settings(&trace.cluster.controller_config));
        let mut servers = Vec::new();
        for id in &trace.cluster.controllers {
            let name = id.to_string();
            servers.push(world.add_controller(&name, &host_of(*id), *id, controller_config.clone(), &voters)?);
        }
        for id in &trace.cluster.brokers {
            servers.push(world.add_broker(&id.to_string(), &host_of(*id), *id, None, config.clone(), &voters)?);
        }
        for server in servers {
            world.sim.start(server);
        }
        let mut player = Player {
            trace,
            world,
            topics: trace.watch.iter().cloned().collect(),
            groups: OrderedSet::new(),
            admins: OrderedMap::new(),
            pending: OrderedMap::new(),
            events: OrderedMap::new(),
            records: OrderedMap::new(),
            collected: (0, 0),
            rules: OrderedSet::new(),
            readers: 0,
            voters: OrderedMap::new(),
            quorum_epoch: None,
        };
        player.warm_up()?;
        Ok(player)
    }

    fn warm_up(&mut self) -> Result<(), String> {
        let brokers = self.trace.cluster.brokers.clone();
        let limit = Time(WARM_UP.0 / 2);
        if !self.world.run_until(limit, |world| world.all_active(&brokers)) {
            return Err("the cluster does not come up".into());
        }
        let topics: Vec<CreatableTopic> = self
            .trace
            .cluster
            .internal_topics
            .iter()
            .map(|(name, topic)| CreatableTopic {
                name: name.as_str().into(),
                num_partitions: -1,
                replication_factor: -1,
                assignments: super::ops::assignments(topic.get("assignment")),
                configs: super::ops::configs(topic.get("config")),
            })
            .collect();
        if !topics.is_empty() {
            let call = self.ask(
                &[],
                AdminCall::CreateTopics {
                    topics,
                    validate_only: false,
                },
            )?;
            self.wait_for(call);
        }
        self.world.run_to(WARM_UP);
        Ok(())
    }

    /// The admin client with these settings asks for something.
    pub fn ask(&mut self, config: &[(String, String)], what: AdminCall) -> Result<CallId, String> {
        let admin = match self.admins.get(config) {
            Some(admin) => *admin,
            None => {
                let mut properties: Properties = [("default.api.timeout.ms", "8000"), ("request.timeout.ms", "3000")]
                    .into_iter()
                    .map(|(k, v)| (k.to_string(), v.to_string()))
                    .collect();
                properties.extend(config.iter().cloned());
                let name = format!("admin-{}", self.admins.len());
                let admin = self
                    .world
                    .add_admin(&name, "recorder", properties)
                    .map_err(|e| super::results::one_line(&e))?;
                self.admins.insert(config.to_vec(), admin);
                admin
            }
        };
        let call = self.world.awaited_call();
        self.world.sim.order(admin, Order::Admin(AdminOrder { call, what }));
        Ok(call)
    }

    /// Lets the world run, and notes what consumers are told.
    fn run_until(&mut self, limit: Time, mut done: impl FnMut(&World) -> bool) -> bool {
        self.collect();
        loop {
            if done(&self.world) {
                return true;
            }
            if self.world.step_until(limit).is_none() {
                self.world.sim.pass_to(limit);
                return done(&self.world);
            }
            self.collect();
        }
    }

    /// Lets time pass.
    pub fn run_for(&mut self, span: Span) {
        let until = self.world.sim.now() + span;
        self.run_until(until, |_| false);
    }

    /// Runs until the world is as said, or a minute is over.
    pub fn run_while_not(&mut self, done: impl FnMut(&World) -> bool) -> bool {
        let limit = self.world.sim.now() + MOST;
        self.run_until(limit, done)
    }

    /// Runs until the call returned; `None` if it does not within a minute.
    pub fn wait_for(&mut self, call: CallId) -> Option<CallResult> {
        self.run_while_not(|world| world.answers.contains_key(&call));
        self.world.answers.remove(&call)
    }

    fn collect(&mut self) {
        self.world.observe();
        let event = self.world.sim.event();
        if self.collected.0 != event {
            self.collected = (event, 0);
        }
        let from = self.collected.1;
        self.collected.1 = self.world.sim.notes().len();
        for (who, note) in self.world.sim.notes().iter().skip(from) {
            self.rules.extend(note_rule(note).map(|rule| rule.name));
            let Some(Note::Client(ClientNote::Consumer(note))) = note.kafka() else {
                continue;
            };
            let name = self.world.name(*who).to_string();
            let event = match note {
                ConsumerNote::Assigned { partitions } => json!(["assigned", super::results::partitions(partitions)]),
                ConsumerNote::Revoked { partitions } => json!(["revoked", super::results::partitions(partitions)]),
                ConsumerNote::Lost { partitions } => json!(["lost", super::results::partitions(partitions)]),
                ConsumerNote::PollError(error) => json!(["error", error_json(error)]),
                ConsumerNote::CommitDone { offsets } => {
                    let offsets: OrderedMap<String, i64> = offsets.iter().map(|(p, o)| (p.to_string(), *o)).collect();
                    json!(["committed", offsets])
                }
                ConsumerNote::CommitFailed { error } => json!(["commit_failed", error_json(error)]),
                // The recorder has no callback for acknowledgements.
                ConsumerNote::NotAcknowledged { .. } => continue,
                ConsumerNote::Polled { records } => {
                    self.records.entry(name).or_default().extend(records.0.iter().cloned());
                    continue;
                }
            };
            let joins = self.world.consumer(*who).is_some_and(Consumer::has_consumer_protocol);
            let events = self.events.entry(name).or_default();
            let one = joins && events.last_mut().is_some_and(|last| joined(last, &event));
            if !one {
                events.push(event);
            }
        }
    }

    fn step(&mut self, step: &TraceStep) -> Result<Option<Value>, String> {
        // Ops at one moment belong to one command.
        let now = self.world.sim.now();
        self.world.sim.command(now);
        match self.operate(step)? {
            Outcome::Ok => Ok(None),
            Outcome::Value(value) => Ok(Some(value)),
            Outcome::Call { call, about } => {
                let op = step.op().to_string();
                if let Some(name) = step.get("nowait").and_then(Value::as_str) {
                    self.pending.insert(name.to_string(), (op, about, call));
                    return Ok(None);
                }
                Ok(self.finish(&op, about.as_deref(), call))
            }
        }
    }

    /// Waits for a call and gives its result the form of the recordings.
    pub fn finish(&mut self, op: &str, about: Option<&str>, call: CallId) -> Option<Value> {
        match self.wait_for(call) {
            None => Some(json!({"pending": true})),
            Some(result) => super::results::result_json(op, about, &result),
        }
    }

    fn look(&mut self, step: &TraceStep, result: Option<Value>, looks: bool) -> Map<String, Value> {
        let settle = step.settle_ms.unwrap_or(self.trace.settle_ms);
        self.run_for(Span::ms(settle));
        let mut out = Map::new();
        if looks {
            self.run_for(LOOK);
            let looked = Looked {
                world: &self.world,
                topics: &self.topics,
                groups: &self.groups,
                segments: self.trace.segments,
            };
            out = looked.state();
            let events = std::mem::take(&mut self.events);
            if !events.is_empty() {
                out.insert("events".into(), json!(events));
            }
            let records: Map<String, Value> = std::mem::take(&mut self.records)
                .iter()
                .map(|(name, records)| (name.clone(), records_json(records)))
                .collect();
            if !records.is_empty() {
                out.insert("records".into(), Value::Object(records));
            }
        }
        if let Some(result) = result {
            out.insert("result".into(), result);
        }
        out
    }

    /// The process of a node, by its number in the trace.
    pub fn server(&self, id: &str) -> Result<ProcId, String> {
        let found = match self.voters.get(id) {
            Some(voter) => self.world.node(*voter),
            None => self.world.find(id),
        };
        found.ok_or_else(|| format!("there is no node {id}"))
    }

    /// The process of a client.
    pub fn client(&self, name: &str) -> Result<ProcId, String> {
        self.world
            .find(name)
            .ok_or_else(|| format!("there is no client {name}"))
    }

    /// Hosts that a `cut` or `heal` names.
    pub fn hosts(&mut self, names: &[String]) -> Vec<crate::sim::HostId> {
        let mut out = Vec::new();
        for name in names {
            let ids: Vec<String> = match name.as_str() {
                "brokers" => self.trace.cluster.brokers.iter().map(|id| host_of(*id)).collect(),
                "controllers" => self.trace.cluster.controllers.iter().map(|id| host_of(*id)).collect(),
                other => match self.voters.get(other) {
                    Some(voter) => vec![host_of(*voter)],
                    None => vec![other.parse().map_or_else(|_| other.to_string(), host_of)],
                },
            };
            for host in ids {
                out.push(self.world.host(&host));
            }
        }
        out
    }

    /// Clients on a host.
    pub fn clients_on(&mut self, host: &str) -> Vec<ProcId> {
        let host = self.world.host(host);
        self.world
            .processes()
            .filter(|(id, role)| matches!(role, Role::Producer | Role::Consumer) && self.world.sim.host_of(*id) == host)
            .map(|(id, _)| id)
            .collect()
    }

    /// Changes what a stopped broker has on its disk.
    pub fn change_broker(&mut self, id: ProcId, change: impl FnOnce(&mut crate::kafka::broker::Broker)) {
        if let Node::Broker(broker) = self.world.sim.process_mut(id) {
            change(broker);
        }
    }
}

/// The recorder's address of a node.
pub fn host_of(id: NodeId) -> String {
    format!("10.77.0.{id}")
}

fn settings(map: &Map<String, Value>) -> Properties {
    map.iter().map(|(key, value)| (key.clone(), plain(value))).collect()
}

/// Partitions of the consumer protocol are handed over as they become free, in any grouping: neighbouring callbacks of a
/// kind are shown as one. Whether they are of a kind.
fn joined(last: &mut Value, event: &Value) -> bool {
    let kind = event[0].as_str();
    if kind != last[0].as_str() || !matches!(kind, Some("assigned" | "revoked")) {
        return false;
    }
    let names = |value: &Value| value[1].as_array().cloned().unwrap_or_default();
    let all = names(last).into_iter().chain(names(event));
    let all = all.filter_map(|name| super::ops::partition(name.as_str()?).ok());
    last[1] = super::results::partitions(&all.collect::<Vec<_>>());
    true
}
