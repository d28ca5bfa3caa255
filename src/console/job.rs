//! A command line that runs: its clients as processes on a host of the world, and what it has written so far.

use super::desk::{Ask, ClientSpec, Desk, Input, Kind, Outcome, Output, Progress, Reply, Setting, Stop, Stream};
use super::java;
use super::tools::Tool;
use crate::kafka::client::admin::Admin;
use crate::kafka::client::bootstrap::{Address, resolve, unresolved};
use crate::kafka::client::call::{Answer, CallId, CallResult, ClientError};
use crate::kafka::client::consumer::{Consumer, ConsumerOrder};
use crate::kafka::client::log::{LogLine, loggers};
use crate::kafka::client::producer::{NewRecord, Producer, ProducerOrder};
use crate::kafka::config::ConfigError;
use crate::kafka::wire::Order;
use crate::lab::language::ast::Key;
use crate::lab::ledger::{Handed, System};
use crate::lab::node::Node;
use crate::lab::tools::{Heard, LAPTOP, Running, Typed};
use crate::lab::world::World;
use crate::ordered::OrderedMap;
use crate::sim::world::WALL_START_MS;
use crate::sim::{Halt, ProcId, Random, Span, Time};
use std::collections::VecDeque;
use std::rc::Rc;

/// How long one poll waits before it looks for Ctrl-C.
const LOOK_MS: i64 = 250;

/// What a running tool waits for.
#[derive(Clone, Debug)]
enum Waiting {
    Call(CallId),
    /// Client, the call under way, until when.
    Poll(usize, CallId, Option<Time>),
    Input,
}

/// A command line that runs or has ended.
#[derive(Clone)]
pub struct Job {
    tool: Tool,
    words: Rc<[String]>,
    setting: Rc<Setting>,
    host: Rc<str>,
    /// Parts the names and draws of jobs.
    number: u64,
    random: Random,
    started_ms: i64,
    replies: Vec<Reply>,
    resumed: Option<Progress>,
    clients: Vec<ProcId>,
    waiting: Option<Waiting>,
    interrupted: bool,
    typed: VecDeque<Rc<str>>,
    input_ended: bool,
    posted: Vec<(CallId, Rc<NewRecord>)>,
    /// Log lines since the last reply.
    log: Vec<String>,
    /// What was written before the endless loop of the plan went round last.
    before: Output,
    /// What was written since.
    since: Output,
    /// How many bytes were taken.
    taken: usize,
    pub exit: Option<i32>,
}

impl Job {
    /// Starts a tool on a host.
    pub fn start(tool: Tool, words: Vec<String>, typed: &Typed<'_>, setting: Setting, world: &mut World) -> Job {
        let mut job = Job {
            tool,
            words: words.into(),
            setting: Rc::new(setting),
            host: typed.host.into(),
            number: typed.number,
            random: Random::named(world.setup.seed, &format!("console/{}", typed.number)),
            started_ms: wall_ms(world),
            replies: Vec::new(),
            resumed: None,
            clients: Vec::new(),
            waiting: None,
            interrupted: false,
            typed: VecDeque::new(),
            input_ended: false,
            posted: Vec::new(),
            log: Vec::new(),
            before: Output::default(),
            since: Output::default(),
            taken: 0,
            exit: None,
        };
        job.go_on(world);
        job.look(world);
        job
    }

    /// All that it has written.
    pub fn output(&self) -> Output {
        let mut all = self.before.clone();
        all.append(self.since.clone());
        self.log
            .iter()
            .for_each(|line| all.write(Stream::Err, &format!("{line}\n")));
        all
    }

    /// How many bytes it has written.
    pub fn written(&self) -> usize {
        self.before.len() + self.since.len() + self.log.iter().map(|line| line.len() + 1).sum::<usize>()
    }

    /// Takes one answer; whether there was one.
    fn take(&mut self, world: &mut World) -> bool {
        match self.waiting.clone() {
            None => false,
            Some(Waiting::Input) => self.take_input(world),
            Some(Waiting::Call(call)) => match world.answers.remove(&call) {
                Some(result) => self.take_reply(Outcome::Returned(result), world),
                None => false,
            },
            Some(Waiting::Poll(client, call, until)) => match world.answers.remove(&call) {
                Some(result) => self.take_poll(client, until, result, world),
                None => false,
            },
        }
    }

    fn take_reply(&mut self, outcome: Outcome, world: &mut World) -> bool {
        self.push(outcome, world);
        self.go_on(world);
        true
    }

    fn take_poll(&mut self, client: usize, until: Option<Time>, result: CallResult, world: &mut World) -> bool {
        let empty = matches!(result.as_deref(), Ok(Answer::Records(records)) if records.is_empty());
        let over = until.is_some_and(|until| world.sim.now() >= until);
        if empty && self.interrupted {
            return self.take_reply(Outcome::Interrupted, world);
        }
        if empty && !over {
            self.poll(client, until, world);
            return true;
        }
        self.take_reply(Outcome::Returned(result), world)
    }

    /// What became of a record comes before the next line.
    fn take_input(&mut self, world: &mut World) -> bool {
        let sent = self
            .posted
            .iter()
            .position(|(call, _)| world.answers.contains_key(call));
        let input = match sent {
            Some(index) => {
                let (call, record) = self.posted.remove(index);
                match world.answers.remove(&call) {
                    Some(result) => Input::Sent(record, result),
                    None => return false,
                }
            }
            None => match self.typed.pop_front() {
                Some(line) if !self.interrupted => Input::Line(line),
                _ if self.interrupted || self.input_ended => Input::End {
                    interrupted: self.interrupted,
                },
                _ => return false,
            },
        };
        self.take_reply(Outcome::Input(input), world)
    }

    /// Ctrl-C.
    pub fn interrupt(&mut self, world: &mut World) {
        self.interrupted = true;
        if let Some(Waiting::Call(_)) = self.waiting {
            self.end(130, world);
        }
        self.look(world);
    }

    fn push(&mut self, outcome: Outcome, world: &World) {
        self.waiting = None;
        self.replies.push(Reply {
            outcome,
            log: std::mem::take(&mut self.log).into(),
            wall_ms: wall_ms(world),
        });
    }

    fn go_on(&mut self, world: &mut World) {
        while self.exit.is_none() && self.waiting.is_none() {
            let mut desk = Desk::new(
                self.tool.desk(),
                &self.words,
                &self.setting,
                (&self.replies, self.resumed),
                self.started_ms,
            );
            let stop = (self.tool.plan)(&mut desk).err().unwrap_or(Stop::Exit(0));
            let looped = desk.looped;
            self.since = desk.out;
            match stop {
                Stop::Exit(status) => self.end(status, world),
                Stop::Wait(ask) => {
                    if let (Ask::Poll(.., at) | Ask::Input(at), Some(before)) = (&ask, looped) {
                        self.forget(before, *at);
                    }
                    self.ask(ask, world);
                }
            }
        }
    }

    /// The plan's loop goes round: what it has had of answers and written is done with.
    fn forget(&mut self, replies: usize, at: Progress) {
        self.replies.truncate(replies);
        self.resumed = Some(at);
        self.before.append(std::mem::take(&mut self.since));
    }

    fn ask(&mut self, ask: Ask, world: &mut World) {
        match ask {
            Ask::Draw(n) => {
                let number = self.random.below(n.max(1));
                self.push(Outcome::Drawn(number), world);
            }
            Ask::Open(spec) => {
                let outcome = match self.open(&spec, world) {
                    Ok(process) => {
                        self.clients.push(process);
                        Outcome::Opened(self.clients.len() - 1)
                    }
                    Err(error) => Outcome::Refused(error),
                };
                self.push(outcome, world);
            }
            Ask::Call(client, order) => {
                let call = world.awaited_call();
                self.order(client, order(call), world);
                self.waiting = Some(Waiting::Call(call));
            }
            Ask::Send(client, records) => {
                let call = self.send(client, records, world);
                self.waiting = Some(Waiting::Call(call));
            }
            Ask::Post(client, record) => {
                let call = self.send(client, vec![record.clone()], world);
                self.posted.push((call, Rc::new(record)));
                self.push(Outcome::Posted, world);
            }
            Ask::Poll(client, timeout_ms, _) => {
                let until = timeout_ms.map(|ms| world.sim.now() + Span::from_ms(ms));
                self.poll(client, until, world);
            }
            Ask::Input(_) => self.waiting = Some(Waiting::Input),
        }
    }

    fn send(&mut self, client: usize, mut records: Vec<NewRecord>, world: &mut World) -> CallId {
        let text = |bytes: &Option<Rc<[u8]>>| bytes.as_ref().map(|b| Rc::from(&*String::from_utf8_lossy(b)));
        for record in &mut records {
            record.origin = world.ledger.hand_over(Handed {
                system: System::Kafka,
                client: self.tool.name.into(),
                topic: record.topic.clone(),
                key: text(&record.key),
                value: text(&record.value),
                at: world.sim.now(),
            });
        }
        let call = world.awaited_call();
        let order = ProducerOrder::Send {
            call,
            records,
            flush: false,
        };
        self.order(client, Order::Producer(order), world);
        call
    }

    fn poll(&mut self, client: usize, until: Option<Time>, world: &mut World) {
        let left = until.map_or(LOOK_MS, |until| {
            let left = until.since(world.sim.now()).as_us() / 1000;
            i64::try_from(left).unwrap_or(LOOK_MS).min(LOOK_MS)
        });
        let call = world.awaited_call();
        let order = ConsumerOrder::Poll {
            call,
            timeout_ms: left,
            records: 1,
        };
        self.order(client, Order::Consumer(order), world);
        self.waiting = Some(Waiting::Poll(client, call, until));
    }

    fn order(&self, client: usize, order: Order, world: &mut World) {
        if let Some(client) = self.clients.get(client) {
            world.sim.order(*client, order);
            // A call may return at once.
            world.observe();
        }
    }

    fn end(&mut self, status: i32, world: &mut World) {
        for client in &self.clients {
            if world.runs(*client) {
                world.sim.halt(*client, Halt::Exit);
            }
        }
        self.waiting = None;
        self.exit = Some(status);
    }

    fn open(&mut self, spec: &ClientSpec, world: &mut World) -> Result<ProcId, ClientError> {
        let what = match spec.kind {
            Kind::Admin => "admin",
            Kind::Producer => "producer",
            Kind::Consumer => "consumer",
        };
        let addresses = addresses(&spec.servers, &reached_by_localhost(&self.host, world)).map_err(|url| {
            let cause = ConfigError::new(format!("Invalid url in bootstrap.servers: {url}"));
            match spec.kind {
                Kind::Admin => {
                    ClientError::new("KafkaException", "Failed to create new KafkaAdminClient").caused_by(cause.into())
                }
                _ => cause.while_constructing(what).into(),
            }
        })?;
        let network = world.sim.network();
        for address in addresses.iter().filter(|(host, _)| network.resolve(host).is_none()) {
            self.log.push(log_line(
                wall_ms(world),
                &loggers::CLIENT_UTILS.warn(unresolved(address)),
            ));
        }
        let (bootstrap, _) = resolve(&addresses, |host| network.resolve(host).is_some(), what)?;
        let seed = world.setup.seed.wrapping_add(self.number);
        let mut config: OrderedMap<String, String> = spec.config.clone();
        let node = match spec.kind {
            Kind::Admin => Node::Admin(Box::new(Admin::new(&spec.id, &bootstrap, &config, seed)?)),
            Kind::Producer => Node::Producer(Box::new(Producer::new(&spec.id, &bootstrap, &config, seed)?)),
            Kind::Consumer => {
                let group = config.remove("group.id").map(Rc::from);
                Node::Consumer(Box::new(Consumer::new(&spec.id, &bootstrap, group, config, seed)?))
            }
        };
        let name = format!("{}#{}.{}", spec.id, self.number, self.clients.len());
        Ok(world.add_tool(&name, &self.host, node))
    }
}

impl Running for Job {
    fn look(&mut self, world: &mut World) {
        while self.exit.is_none() && self.take(world) {}
    }

    fn hear(&mut self, heard: &Heard) {
        if self.exit.is_none() && self.clients.contains(&heard.who) {
            self.log.push(log_line(heard.wall_ms, &heard.line));
        }
    }

    fn press(&mut self, key: Key, world: &mut World) {
        match key {
            Key::CtrlC => self.interrupt(world),
            Key::CtrlD => self.input_ended = true,
        }
    }

    fn type_line(&mut self, text: &str, _: &mut World) {
        if !self.input_ended {
            self.typed.extend(text.lines().map(Rc::from));
        }
    }

    fn take_written(&mut self) -> String {
        let all = self.output();
        let text = all.shown(self.taken);
        self.taken = all.len();
        text
    }

    fn exit(&self) -> Option<i32> {
        self.exit
    }

    fn copy(&self) -> Box<dyn Running> {
        Box::new(self.clone())
    }
}

/// A line as log4j writes it for the tools.
fn log_line(wall_ms: i64, line: &LogLine) -> String {
    format!("[{}] {}", java::stamp(wall_ms), line.printed())
}

/// The host that `localhost` means on a host: itself. On the laptop it is as after `docker run -p 9092:9092`: the broker
/// with the lowest id has published its port there.
fn reached_by_localhost(host: &Rc<str>, world: &World) -> Rc<str> {
    if **host != *LAPTOP {
        return host.clone();
    }
    let first = world.addresses().into_iter().next();
    first.map_or_else(|| host.clone(), |(host, _)| host)
}

/// `host:port,host:port`; `localhost` is the host that the tool runs on. The error is the part that is no address.
/// [ClientUtils.parseAndValidateAddresses]
fn addresses(servers: &str, own: &str) -> Result<Vec<Address>, String> {
    let parts = servers.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (host, port) = part.rsplit_once(':').ok_or(part)?;
            let port = port.parse::<u16>().map_err(|_| part)?;
            let host = match host {
                "localhost" | "127.0.0.1" => own,
                host => host,
            };
            Ok((host.into(), port))
        })
        .collect::<Result<_, &str>>()
        .map_err(String::from)
}

/// The world's wall clock.
pub fn wall_ms(world: &World) -> i64 {
    WALL_START_MS + world.sim.now().as_ms()
}
