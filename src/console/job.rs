//! A command line that runs: its clients as processes on a host of the world, and what it has written so far.

use super::desk::{Ask, ClientSpec, Desk, Kind, Outcome, Output, Reply, Setting, Stop};
use super::shell;
use super::tools::{self, Tool};
use crate::kafka::client::admin::Admin;
use crate::kafka::client::bootstrap::{Address, resolve};
use crate::kafka::client::call::{Answer, CallId, ClientError};
use crate::kafka::client::consumer::{Consumer, ConsumerOrder};
use crate::kafka::client::producer::{Producer, ProducerOrder};
use crate::kafka::config::ConfigError;
use crate::kafka::wire::Order;
use crate::lab::ledger::Handed;
use crate::lab::node::Node;
use crate::lab::world::World;
use crate::ordered::OrderedMap;
use crate::sim::world::WALL_START_MS;
use crate::sim::{Halt, ProcId, Random, Time};
use std::rc::Rc;

/// How long one poll waits before it looks for Ctrl-C.
const LOOK_MS: i64 = 250;

/// What a running tool waits for.
#[derive(Clone, Debug)]
enum Waiting {
    Call(CallId),
    /// Client, the call under way, until when.
    Poll(usize, CallId, Option<Time>),
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
    clients: Vec<ProcId>,
    waiting: Option<Waiting>,
    interrupted: bool,
    pub out: Output,
    pub exit: Option<i32>,
}

impl Job {
    /// Starts a command line on a host.
    ///
    /// # Errors
    /// The line cannot be split, or names no tool that is here.
    pub fn start(line: &str, host: &str, setting: Setting, number: u64, world: &mut World) -> Result<Job, String> {
        let mut words = shell::split(line)?.into_iter();
        let name = words.next().ok_or("an empty line runs nothing")?;
        let tool = tools::find(&name).ok_or_else(|| tools::unknown(&name))?;
        let mut job = Job {
            tool,
            words: words.collect(),
            setting: Rc::new(setting),
            host: host.into(),
            number,
            random: Random::named(world.setup.seed, &format!("console/{number}")),
            started_ms: wall_ms(world),
            replies: Vec::new(),
            clients: Vec::new(),
            waiting: None,
            interrupted: false,
            out: Output::default(),
            exit: None,
        };
        job.go_on(world);
        job.look(world);
        Ok(job)
    }

    /// Looks whether what it waits for has come, and goes on as far as that leads.
    pub fn look(&mut self, world: &mut World) {
        while self.exit.is_none() && self.take(world) {}
    }

    /// Takes one answer; whether there was one.
    fn take(&mut self, world: &mut World) -> bool {
        let Some(waiting) = self.waiting.clone() else {
            return false;
        };
        let (Waiting::Call(call) | Waiting::Poll(_, call, _)) = waiting;
        let Some(result) = world.answers.remove(&call) else {
            return false;
        };
        if let Waiting::Poll(client, _, until) = waiting {
            let empty = matches!(result.as_deref(), Ok(Answer::Records(records)) if records.is_empty());
            let over = until.is_some_and(|until| world.sim.now() >= until);
            if empty && self.interrupted {
                self.push(Outcome::Interrupted, world);
                self.go_on(world);
                return true;
            }
            if empty && !over {
                self.poll(client, until, world);
                return true;
            }
        }
        self.push(Outcome::Returned(result), world);
        self.go_on(world);
        true
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
            log: Rc::from([]),
            wall_ms: wall_ms(world),
        });
    }

    fn go_on(&mut self, world: &mut World) {
        while self.exit.is_none() && self.waiting.is_none() {
            let mut desk = Desk::new(
                self.tool.desk(),
                &self.words,
                &self.setting,
                &self.replies,
                self.started_ms,
            );
            let stop = (self.tool.plan)(&mut desk).err().unwrap_or(Stop::Exit(0));
            self.out = desk.out;
            match stop {
                Stop::Exit(status) => self.end(status, world),
                Stop::Wait(ask) => self.ask(ask, world),
            }
        }
    }

    fn ask(&mut self, ask: Ask, world: &mut World) {
        match ask {
            Ask::Draw(n) => {
                let number = self.random.below(n.max(1));
                self.push(Outcome::Drawn(number), world);
            }
            Ask::Open(spec) => {
                let outcome = match self.open(&spec, world) {
                    Ok(id) => {
                        self.clients.push(id);
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
            Ask::Send(client, mut records) => {
                let text = |bytes: &Option<Rc<[u8]>>| bytes.as_ref().map(|b| Rc::from(&*String::from_utf8_lossy(b)));
                for record in &mut records {
                    record.origin = world.ledger.hand_over(Handed {
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
                self.waiting = Some(Waiting::Call(call));
            }
            Ask::Poll(client, timeout_ms) => {
                let until = timeout_ms.map(|ms| world.sim.now() + crate::sim::Span::from_ms(ms));
                self.poll(client, until, world);
            }
        }
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
        if let Some(id) = self.clients.get(client) {
            world.sim.order(*id, order);
            // A call may return at once.
            world.observe();
        }
    }

    fn end(&mut self, status: i32, world: &mut World) {
        for id in &self.clients {
            if world.runs(*id) {
                world.sim.halt(*id, Halt::Exit);
            }
        }
        self.waiting = None;
        self.exit = Some(status);
    }

    fn open(&self, spec: &ClientSpec, world: &mut World) -> Result<ProcId, ClientError> {
        let what = match spec.kind {
            Kind::Admin => "admin",
            Kind::Producer => "producer",
            Kind::Consumer => "consumer",
        };
        let addresses = addresses(&spec.servers, &self.host).map_err(|url| {
            let cause = ConfigError::new(format!("Invalid url in bootstrap.servers: {url}"));
            match spec.kind {
                Kind::Admin => {
                    ClientError::new("KafkaException", "Failed to create new KafkaAdminClient").caused_by(cause.into())
                }
                _ => cause.while_constructing(what).into(),
            }
        })?;
        let network = world.sim.network();
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
