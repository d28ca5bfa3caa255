//! What a client does and sees until its recording ends: attempts to connect, its log, what its application is told.

use super::stage::{Staged, TOPIC, send};
use crate::kafka::broker::note::BrokerNote;
use crate::kafka::client::admin::{AdminCall, AdminOrder};
use crate::kafka::client::call::{Answer, CallId, ClientError, Sent};
use crate::kafka::client::consumer::ConsumerOrder;
use crate::kafka::client::consumer::note::ConsumerNote;
use crate::kafka::client::link::LinkState;
use crate::kafka::client::network::{Dialect, NetworkClient, address_text, node_text};
use crate::kafka::client::note::ClientNote;
use crate::kafka::note::Note as KafkaNote;
use crate::kafka::stranger::{Outcome, Stranger};
use crate::kafka::wire::Order;
use crate::lab::node::Node;
use crate::lab::wire::Note;
use crate::lab::world::{Role, World};
use crate::ordered::OrderedMap;
use crate::sim::{ProcId, Span, Time};
use std::rc::Rc;

/// What was seen.
#[derive(Debug, Default)]
pub struct Seen {
    /// In the order of happening; without times.
    pub steps: Vec<String>,
    /// `LEVEL Logger text`, with the exception behind ` // `.
    pub log: Vec<String>,
    pub application: Vec<String>,
    /// What the broker's log says of strangers.
    pub broker_log: Vec<String>,
}

/// How a connection stood when it was last looked at.
type Stood = (LinkState, Time);

struct Watcher {
    world: World,
    client: Option<ProcId>,
    seen: Seen,
    links: OrderedMap<i32, Stood>,
    looked: (u64, usize),
    /// Lines of the log before the last look.
    lines: usize,
    speaks: Dialect,
}

/// Plays the client's part.
pub fn watch(staged: Staged) -> Result<Seen, String> {
    let mut watcher = Watcher {
        world: staged.world.clone(),
        client: None,
        seen: Seen::default(),
        links: OrderedMap::new(),
        looked: (0, 0),
        lines: 0,
        speaks: Dialect::V4,
    };
    let now = watcher.world.sim.now();
    watcher.world.sim.command(now);
    let end = now + Span::secs(staged.seconds);
    match staged.kind.as_str() {
        "consumer" => watcher.consume(&staged, end)?,
        "producer" => watcher.produce(&staged, end)?,
        "admin" => watcher.administer(&staged, end)?,
        "http" => watcher.browse(&staged, end)?,
        other => return Err(format!("`{other}` is no kind of client")),
    }
    Ok(watcher.seen)
}

impl Watcher {
    fn say(&mut self, line: impl Into<String>) {
        self.seen.application.push(line.into());
    }

    fn consume(&mut self, staged: &Staged, end: Time) -> Result<(), String> {
        let mut config = staged.config.clone();
        config.insert("auto.offset.reset".into(), "earliest".into());
        config.insert("enable.auto.commit".into(), "false".into());
        let dialect = Dialect::of(&staged.version);
        // Since 2.4 the group is part of the name.
        let name = match dialect {
            Dialect::V1_1 => "consumer-1",
            _ => "consumer-g1-1",
        };
        let made = self.world.add_consumer(name, &staged.host, Some("g1".into()), config);
        let Some(client) = self.made(staged, "consumer", made) else {
            return Ok(());
        };
        self.speaks = dialect;
        if let Node::Consumer(consumer) = self.world.sim.process_mut(client) {
            consumer.speak(dialect);
        }
        let topics = vec![Rc::from(TOPIC)];
        let order = |world: &mut World, order: &dyn Fn(CallId) -> ConsumerOrder| {
            let call = world.next_call();
            world.sim.order(client, Order::Consumer(order(call)));
        };
        order(&mut self.world, &|call| ConsumerOrder::Subscribe {
            call,
            topics: topics.clone(),
        });
        order(&mut self.world, &|call| ConsumerOrder::PollLoop { call, on: true });
        self.run(end, |_| false);
        if self.seen.application.iter().any(|line| line.starts_with("record")) {
            return Ok(());
        }
        // poll() of 1.x does not come back before the metadata are there.
        let knows = self.network().is_some_and(|net| net.metadata.last_success().is_some());
        if dialect == Dialect::V1_1 && !knows {
            self.say("still blocked when the recording ended");
        } else {
            self.say("no record received; assignment []");
        }
        Ok(())
    }

    fn produce(&mut self, staged: &Staged, end: Time) -> Result<(), String> {
        let made = self
            .world
            .add_producer("producer-1", &staged.host, staged.config.clone());
        let Some(client) = self.made(staged, "producer", made) else {
            return Ok(());
        };
        let call = send(&mut self.world, client);
        self.run(end, |world| world.answers.contains_key(&call));
        self.say("send returned a future");
        let line = match self.world.answers.get(&call).map(|answer| answer.as_deref()) {
            Some(Ok(Answer::Sent(sent))) => match sent.first() {
                Some(Sent::At(partition, Some(offset))) => format!("acknowledged {partition}@{offset}"),
                Some(Sent::Failed(error) | Sent::Threw(error)) => format!("send threw {}", execution(error)),
                _ => "acknowledged".into(),
            },
            Some(Err(error)) => format!("send threw {}", execution(error)),
            _ => "still blocked when the recording ended".into(),
        };
        self.say(line);
        Ok(())
    }

    fn administer(&mut self, staged: &Staged, end: Time) -> Result<(), String> {
        let made = self
            .world
            .add_admin("adminclient-1", &staged.host, staged.config.clone());
        let Some(client) = self.made(staged, "admin", made) else {
            return Ok(());
        };
        let calls = [
            ("describeCluster", AdminCall::DescribeCluster { include_fenced: false }),
            ("listTopics", AdminCall::ListTopics),
        ];
        for (name, what) in calls {
            let call = self.world.awaited_call();
            self.world.sim.order(client, Order::Admin(AdminOrder { call, what }));
            self.run(end, |world| world.answers.contains_key(&call));
            let line = match self.world.answers.get(&call).map(|answer| answer.as_deref()) {
                Some(Ok(Answer::Cluster { nodes, .. })) => {
                    let nodes: Vec<String> = nodes.iter().map(node_text).collect();
                    format!("nodes [{}]", nodes.join(", "))
                }
                Some(Ok(Answer::TopicNames(topics))) => {
                    let own = topics.iter().filter(|(_, internal)| !internal);
                    let own: Vec<&str> = own.map(|(name, _)| &**name).collect();
                    format!("topics [{}]", own.join(", "))
                }
                Some(Err(error)) => format!("{name} threw {}", execution(error)),
                _ => "still blocked when the recording ended".into(),
            };
            self.say(line);
        }
        Ok(())
    }

    fn browse(&mut self, staged: &Staged, end: Time) -> Result<(), String> {
        let bootstrap = staged.config.get("bootstrap.servers").map_or("", String::as_str);
        let (host, port) = bootstrap.rsplit_once(':').ok_or("no address")?;
        let port = port.parse().map_err(|_| "no port")?;
        let stranger = Node::Stranger(Box::new(Stranger::client(host, port)));
        let client = self.world.add_tool("curl", &staged.host, stranger);
        self.client = Some(client);
        self.run(end, |_| false);
        let Node::Stranger(stranger) = self.world.sim.process(client) else {
            return Ok(());
        };
        let line = match stranger.outcome {
            Some(Outcome::EmptyReply) => "curl exit 52: curl: (52) Empty reply from server".into(),
            Some(Outcome::Refused) => {
                format!(
                    "curl exit 7: curl: (7) Failed to connect to {host} port {port} after 0 ms: Couldn't connect to server"
                )
            }
            Some(Outcome::UnknownHost) => format!("curl exit 6: curl: (6) Could not resolve host: {host}"),
            None => "still waiting when the recording ended".into(),
        };
        self.say(line);
        Ok(())
    }

    /// A client was made, or its constructor threw; its own lines either way.
    fn made(&mut self, staged: &Staged, kind: &str, made: Result<ProcId, ClientError>) -> Option<ProcId> {
        match made {
            Ok(client) => {
                self.client = Some(client);
                self.say(format!("{kind} created"));
                Some(client)
            }
            Err(error) => {
                let unknown = self.world.unresolved_bootstrap(&staged.host, &staged.config);
                let lines = unknown.into_iter().map(|line| format!("WARN ClientUtils {line}"));
                self.seen.log.extend(lines);
                // What a constructor that fails has begun it closes.
                let closing = "INFO Metrics Closing reporter org.apache.kafka.common.metrics.JmxReporter";
                self.seen.log.push(closing.into());
                self.say(format!("constructor threw {}", chain(&error)));
                None
            }
        }
    }

    fn run(&mut self, until: Time, mut done: impl FnMut(&World) -> bool) {
        self.look();
        while !done(&self.world) && self.world.step_until(until).is_some() {
            self.look();
        }
    }

    fn network(&self) -> Option<&NetworkClient> {
        match self.world.sim.process(self.client?) {
            Node::Consumer(consumer) => Some(consumer.network()),
            Node::Producer(producer) => Some(producer.network()),
            Node::Admin(admin) => Some(admin.network()),
            _ => None,
        }
    }

    /// Takes in what the last event brought.
    fn look(&mut self) {
        self.lines = self.seen.log.len();
        self.look_at_notes();
        self.look_at_links();
    }

    fn look_at_notes(&mut self) {
        let event = self.world.sim.event();
        if self.looked.0 != event {
            self.looked = (event, 0);
        }
        let notes = self.world.sim.notes();
        let fresh: Vec<(ProcId, Note)> = notes.iter().skip(self.looked.1).cloned().collect();
        self.looked.1 = notes.len();
        for (who, note) in fresh {
            let Note::Kafka(note) = note else { continue };
            match note {
                KafkaNote::Client(note) if Some(who) == self.client => self.look_at_client(note),
                KafkaNote::Broker(BrokerNote::InvalidReceive { size, max })
                    if matches!(self.world.role(who), Role::Broker(_)) =>
                {
                    let text = format!("Invalid receive (size = {size} larger than {max})");
                    self.seen.broker_log.push(text);
                }
                _ => {}
            }
        }
    }

    fn look_at_client(&mut self, note: ClientNote) {
        match note {
            ClientNote::Log { line, .. } => {
                let thrown = line
                    .thrown
                    .as_ref()
                    .map(|thrown| format!(" // {thrown}"))
                    .unwrap_or_default();
                if line.text.contains("Error connecting to node")
                    && let Some(id) = node_in(&line.text)
                {
                    let why = line.thrown.as_deref().unwrap_or("");
                    self.seen.steps.push(format!("failed {id}: exception: {why}"));
                }
                let (level, logger) = (line.level.name(), line.logger.simple_name());
                self.seen.log.push(format!("{level} {logger} {}{thrown}", line.text));
            }
            ClientNote::Consumer(ConsumerNote::Assigned { partitions }) => {
                let names: Vec<String> = partitions.iter().map(ToString::to_string).collect();
                self.say(format!("assigned [{}]", names.join(", ")));
            }
            ClientNote::Consumer(ConsumerNote::Polled { records }) => {
                for record in records.0.iter() {
                    let value = record.value.as_deref().unwrap_or_default();
                    let value = String::from_utf8_lossy(value).into_owned();
                    self.say(format!("record received: {value}"));
                }
            }
            ClientNote::Consumer(ConsumerNote::PollError(error)) => self.say(format!("poll threw {}", chain(&error))),
            _ => {}
        }
    }

    fn look_at_links(&mut self) {
        let Some(net) = self.network() else { return };
        let mut steps = Vec::new();
        let mut links = self.links.clone();
        for (node, link) in net.links() {
            let now: Stood = (link.state, link.attempt);
            let before = links.insert(node, now);
            if before == Some(now) || (before.is_none() && link.attempt == Time::ZERO) {
                continue;
            }
            let name = format!("{}:{}", link.host, link.port);
            let address = address_text(&link.host, link.ip, link.port);
            let address = address.rsplit_once(':').map_or("", |(address, _)| address);
            let was_connecting = matches!(before, Some((LinkState::Connecting, _)));
            match link.state {
                // 1.1 does not log the address, so that the recorder could not read it.
                LinkState::Connecting if self.speaks == Dialect::V1_1 => {}
                LinkState::Connecting => steps.push(format!("connect {node} {name} {address}")),
                LinkState::CheckingApiVersions | LinkState::Ready
                    if !matches!(before, Some((LinkState::CheckingApiVersions | LinkState::Ready, _))) =>
                {
                    steps.push(format!("connected {node}"));
                }
                LinkState::Disconnected if was_connecting => {
                    let given_up = format!("from node {node} due to socket connection setup timeout");
                    let fresh = self.seen.log.iter().skip(self.lines);
                    let how = match fresh.clone().any(|line| line.contains(&given_up)) {
                        true => "setup timeout",
                        false => "refused or closed before it was established",
                    };
                    steps.push(format!("failed {node}: {how}"));
                }
                _ => {}
            }
        }
        self.links = links;
        self.seen.steps.extend(steps);
    }
}

/// The id that a line of the log names.
fn node_in(line: &str) -> Option<i32> {
    let after = line.split_once("(id: ").or_else(|| line.split_once("node "))?.1;
    after.split([' ', ')']).next()?.parse().ok()
}

/// `CLASS: message`, causes behind ` <- `.
fn chain(error: &ClientError) -> String {
    let package = match &*error.class {
        "OutOfMemoryError" => "java.lang.",
        "ConfigException" => "org.apache.kafka.common.config.",
        "KafkaException" => "org.apache.kafka.common.",
        _ => "org.apache.kafka.common.errors.",
    };
    let message = error.message.as_deref().unwrap_or("null");
    let own = format!("{package}{}: {message}", error.class);
    match &error.cause {
        Some(cause) => format!("{own} <- {}", chain(cause)),
        None => own,
    }
}

/// What a future throws.
fn execution(error: &ClientError) -> String {
    let cause = chain(error);
    format!("java.util.concurrent.ExecutionException: {cause} <- {cause}")
}
