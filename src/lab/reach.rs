//! Who can reach whom: the way of a client to a broker, step by step as the client goes it, where it stops, what its log
//! says then, and the smallest change that cures it. Pure: nothing is sent.

use super::world::World;
use crate::kafka::client::network::address_text;
use crate::kafka::listeners::Endpoint;
use crate::kafka::types::NodeId;
use crate::kafka::wire::KAFKA_PORT;
use crate::sim::HostId;
use crate::sim::network::{Route, is_made_up};
use std::net::Ipv4Addr;
use std::rc::Rc;

/// How one attempt to connect ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Reached,
    /// Nobody whom it can ask knows the name.
    UnknownHost,
    /// A machine says that nobody listens there.
    Refused,
    /// Nobody on the network has the address, or a router says so.
    NoRoute,
    /// The packets are dropped: nothing comes back.
    Silence,
}

impl Outcome {
    /// Its word in checks.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Reached => "yes",
            Outcome::UnknownHost => "unknown-host",
            Outcome::Refused => "refused",
            Outcome::NoRoute => "no-route",
            Outcome::Silence => "silence",
        }
    }
}

/// One attempt to connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The id that the client's log gives the node: -1 for a bootstrap address.
    pub node: NodeId,
    /// Where the address is from: `bootstrap.servers`, or the listener whose advertised address it is.
    pub from: Rc<str>,
    pub name: Rc<str>,
    pub port: u16,
    /// What the name means there; none if nobody said an address.
    pub ip: Option<Ipv4Addr>,
    /// The named network that it goes over.
    pub network: Option<Rc<str>>,
    /// Through a published port of the laptop: to this port of the container.
    pub forwarded_to: Option<u16>,
    /// The host that it arrives at.
    pub arrives: Option<HostId>,
    pub outcome: Outcome,
}

/// The whole way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    pub attempts: Vec<Attempt>,
    pub outcome: Outcome,
    /// The line of the client's log that follows from where it stops.
    pub log: Option<String>,
    /// The smallest change that cures it: a line of a compose file, of a configuration, or a command.
    pub cure: Option<String>,
}

/// The way of whatever runs on `client` to a broker; `bootstrap`: where it begins.
pub fn reach(world: &World, client: HostId, bootstrap: &[(Rc<str>, u16)], broker: NodeId) -> Option<Reach> {
    let server = world.node(broker)?;
    let place = world.sim.host_of(server);
    let mut attempts = Vec::new();
    let mut came_in = None;
    for (number, (name, port)) in (1..).zip(bootstrap) {
        let attempt = attempt(world, client, -number, "bootstrap.servers", (name, *port));
        let (arrives, target) = (attempt.arrives, attempt.forwarded_to.unwrap_or(*port));
        let reached = attempt.outcome == Outcome::Reached;
        attempts.push(attempt);
        if let (true, Some(host)) = (reached, arrives) {
            came_in = Some((host, target));
            break;
        }
    }
    if let Some((host, port)) = came_in {
        let (from, name, port) = told(world, host, port, broker)?;
        let mut second = attempt(world, client, broker, &from, (&name, port));
        // Somebody else at that address answers in its place: to the client that is no broker.
        if second.arrives.is_some_and(|arrives| arrives != place) {
            second.outcome = Outcome::Refused;
        }
        attempts.push(second);
    }
    let last = attempts.last()?.clone();
    let failed = last.outcome != Outcome::Reached;
    Some(Reach {
        log: failed.then(|| log_line(&last)),
        cure: failed.then(|| cure(world, client, place, broker, &attempts)),
        outcome: last.outcome,
        attempts,
    })
}

/// What whoever came in at that port is told of a broker: listener, host and port.
fn told(world: &World, at: HostId, port: u16, broker: NodeId) -> Option<(Rc<str>, Rc<str>, u16)> {
    let mut all = world.brokers().filter(|(id, ..)| world.sim.host_of(*id) == at);
    let entered = all
        .next()
        .and_then(|(_, _, one)| one.setup().listeners.at(port).cloned());
    let listener = entered.unwrap_or_else(|| "PLAINTEXT".into());
    let asked = world.broker(broker)?.setup();
    let endpoints: &[Endpoint] = &asked.listeners.advertised;
    match endpoints.iter().find(|one| one.listener == listener) {
        Some(endpoint) => Some((listener, endpoint.host.clone(), endpoint.port)),
        None => Some((listener, asked.node.host.clone(), asked.node.port)),
    }
}

fn attempt(world: &World, client: HostId, node: NodeId, from: &str, (name, port): (&Rc<str>, u16)) -> Attempt {
    let network = world.sim.network();
    let mut attempt = Attempt {
        node,
        from: from.into(),
        name: name.clone(),
        port,
        ip: None,
        network: None,
        forwarded_to: None,
        arrives: None,
        outcome: Outcome::UnknownHost,
    };
    let Some(ip) = network.look_up(client, name) else {
        return attempt;
    };
    attempt.ip = Some(ip).filter(|ip| !is_made_up(*ip));
    attempt.outcome = match network.route(client, ip, port) {
        Route::To(target) => {
            attempt.network = target.over.and_then(|lan| network.lan(lan)).map(|lan| lan.name.clone());
            attempt.forwarded_to = target.published.map(|_| target.port);
            attempt.arrives = Some(target.host);
            match network.is_open(target.host, target.port, target.local) {
                true => Outcome::Reached,
                false => Outcome::Refused,
            }
        }
        Route::Refused => Outcome::Refused,
        Route::NoHost | Route::Unreachable => Outcome::NoRoute,
        Route::Silent => Outcome::Silence,
    };
    attempt
}

fn log_line(last: &Attempt) -> String {
    let Attempt { node, name, port, .. } = last;
    let address = address_text(name, last.ip, *port);
    match (last.outcome, *node < 0) {
        (Outcome::UnknownHost, true) => {
            format!(
                "WARN Couldn't resolve server {name}:{port} from bootstrap.servers as DNS resolution failed for {name}"
            )
        }
        (Outcome::UnknownHost, false) => format!(
            "WARN Error connecting to node {name}:{port} (id: {node} rack: null isFenced: false) java.net.UnknownHostException: {name}: Name or service not known"
        ),
        (Outcome::Silence, _) => {
            format!("INFO Disconnecting from node {node} due to socket connection setup timeout.")
        }
        _ => format!("WARN Connection to node {node} ({address}) could not be established. Node may not be available."),
    }
}

fn cure(world: &World, client: HostId, place: HostId, broker: NodeId, attempts: &[Attempt]) -> String {
    match attempts {
        [.., first, last] if last.node >= 0 && first.outcome == Outcome::Reached => {
            cure_advertised(world, client, broker, first, last)
        }
        _ => cure_bootstrap(world, client, place),
    }
}

/// What is advertised cannot be reached: as the client itself came in it can.
fn cure_advertised(world: &World, client: HostId, broker: NodeId, first: &Attempt, last: &Attempt) -> String {
    let (name, port) = (&first.name, first.port);
    let listener = &last.from;
    let others_need_it = world.hosts_of_clients().any(|host| {
        host != client && attempt(world, host, broker, listener, (&last.name, last.port)).outcome == Outcome::Reached
    });
    if !others_need_it {
        return setting(
            world,
            broker,
            "advertised.listeners",
            &format!("{listener}://{name}:{port}"),
        );
    }
    // Others come in by what is advertised now: this client needs a listener of its own.
    let inner = first.forwarded_to.unwrap_or(port);
    let both = format!("{listener}://{}:{},EXTERNAL://{name}:{port}", last.name, last.port);
    let line = setting(world, broker, "advertised.listeners", &both);
    format!(
        "{line} with a listener EXTERNAL://:{} of its own beside {listener}://:{inner}",
        outer_port(port, inner)
    )
}

/// A second listener needs another port than the first.
fn outer_port(port: u16, inner: u16) -> u16 {
    if port == inner {
        port.wrapping_add(20_000).max(1_024)
    } else {
        port
    }
}

/// The client does not even get to its first broker.
fn cure_bootstrap(world: &World, client: HostId, place: HostId) -> String {
    let network = world.sim.network();
    let (name, port) = (&network.host(place).name, first_port(world, place));
    let (own, theirs) = (network.interfaces(client), network.interfaces(place));
    let shared = own.iter().any(|one| theirs.iter().any(|other| other.lan == one.lan));
    if shared || (own.is_empty() && theirs.is_empty()) {
        return format!("bootstrap.servers={name}:{port}");
    }
    if !own.is_empty()
        && let Some(lan) = theirs.first().and_then(|one| network.lan(one.lan))
    {
        return format!("docker network connect {} {}", lan.name, network.host(client).name);
    }
    match network.published().iter().find(|one| one.to == place) {
        Some(published) if published.engine == client => format!("bootstrap.servers=localhost:{}", published.port),
        Some(published) if !published.local => {
            let machine = network.plain_address(published.engine);
            let machine = match is_made_up(machine) {
                true => network.host(published.engine).name.to_string(),
                false => machine.to_string(),
            };
            format!("bootstrap.servers={machine}:{}", published.port)
        }
        _ => format!("{name}: ports: [\"{port}:{port}\"]"),
    }
}

fn first_port(world: &World, place: HostId) -> u16 {
    let broker = world.brokers().find(|(id, ..)| world.sim.host_of(*id) == place);
    broker.map_or(KAFKA_PORT, |(id, ..)| world.first_port(id))
}

/// A broker's setting as its scenario has it: a variable of its container, or a line of its properties.
fn setting(world: &World, broker: NodeId, key: &str, value: &str) -> String {
    let host = world.node(broker).map(|id| world.sim.host_of(id));
    let name = world.node_name(broker);
    match host.is_some_and(|host| world.hostnames.contains_key(&host)) {
        true => format!("{name}: KAFKA_{}: {value}", key.to_uppercase().replace('.', "_")),
        false => format!("broker {name} {key}={value}"),
    }
}

impl World {
    /// Hosts that clients stand on.
    fn hosts_of_clients(&self) -> impl Iterator<Item = HostId> + '_ {
        use super::world::Role;
        let clients = self
            .processes()
            .filter(|(_, role)| matches!(role, Role::Producer | Role::Consumer));
        clients.map(|(id, _)| self.sim.host_of(id))
    }

    /// The way of a client to a broker, by their names.
    pub fn reach(&self, client: &str, broker: &str) -> Option<Reach> {
        use super::node::Node;
        use super::world::Role;
        let Role::Broker(node) = self.role(self.find(broker)?) else {
            return None;
        };
        let process = self.find(client);
        let (host, bootstrap) = match process.map(|id| (id, self.sim.process(id))) {
            Some((id, Node::Producer(one))) => (
                self.sim.host_of(id),
                one.network().metadata.bootstrap_addresses().to_vec(),
            ),
            Some((id, Node::Consumer(one))) => (
                self.sim.host_of(id),
                one.network().metadata.bootstrap_addresses().to_vec(),
            ),
            _ => {
                let host = process
                    .map(|id| self.sim.host_of(id))
                    .or(self.sim.network().resolve(client))?;
                let said = self
                    .bootstrap_on(host)
                    .and_then(|said| super::listeners::addresses(said).ok());
                (host, said.unwrap_or_else(|| self.bootstrap()))
            }
        };
        reach(self, host, &bootstrap, node)
    }
}
