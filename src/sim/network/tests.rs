//! Who reaches whom: the table of the reference, one line a test.

use super::*;
use std::net::Ipv4Addr;

/// A machine with an engine, another machine, two bridges, a server on the first.
struct World {
    net: Network,
    machine: HostId,
    other: HostId,
    server: HostId,
    app: HostId,
    stranger: HostId,
    second: LanId,
}

const PORT: u16 = 9092;

fn ip(text: &str) -> Ipv4Addr {
    text.parse().expect("an address")
}

fn world() -> World {
    let mut net = Network::default();
    let [machine, other, server, app, stranger] =
        ["laptop", "other", "kafka", "app", "stranger"].map(|n| net.add_host(n));
    net.give_address(machine, ip("192.168.1.10"));
    net.give_address(other, ip("192.168.1.20"));
    let first = net.add_lan("docker_default", machine, None).expect("a free pool");
    let second = net.add_lan("docker_fintech", machine, None).expect("a free pool");
    net.attach(server, first, None, &["broker".into()])
        .expect("a free address");
    net.attach(app, first, None, &[]).expect("a free address");
    net.attach(stranger, second, None, &[]).expect("a free address");
    let socket = Socket::new(ProcId(0), false);
    net.host_mut(server).ports.insert(PORT, socket);
    World {
        net,
        machine,
        other,
        server,
        app,
        stranger,
        second,
    }
}

impl World {
    fn publish(&mut self, port: u16, local: bool) -> Result<(), NetworkError> {
        self.net.publish(Published {
            engine: self.machine,
            local,
            port,
            to: self.server,
            to_port: PORT,
            relay: false,
            hairpin: true,
        })
    }

    /// The host that a connection reaches in the end, or why it does not.
    fn reaches(&self, from: HostId, name: &str, port: u16) -> Result<HostId, &'static str> {
        let address = self.net.look_up(from, name).ok_or("unknown host")?;
        match self.net.route(from, address, port) {
            Route::To(to) if self.net.is_open(to.host, to.port, to.local) => Ok(to.host),
            Route::To(_) | Route::Refused => Err("refused"),
            Route::NoHost => Err("no route"),
            Route::Unreachable => Err("unreachable"),
            Route::Silent => Err("silence"),
        }
    }
}

#[test]
fn addresses_are_the_lowest_free_from_two_on() {
    let world = world();
    let address = |host| world.net.interfaces(host)[0].ip;
    assert_eq!(address(world.server), ip("172.18.0.2"));
    assert_eq!(address(world.app), ip("172.18.0.3"));
    assert_eq!(address(world.stranger), ip("172.19.0.2"));
}

#[test]
fn the_own_network_knows_names_aliases_and_addresses_published_or_not() {
    let world = world();
    for name in ["kafka", "broker", "kafka.docker_default", "172.18.0.2"] {
        assert_eq!(world.reaches(world.app, name, PORT), Ok(world.server), "{name}");
    }
    assert_eq!(world.reaches(world.app, "kafka", 9093), Err("refused"));
    assert_eq!(world.reaches(world.app, "172.18.0.77", PORT), Err("no route"));
}

#[test]
fn localhost_is_oneself() {
    let world = world();
    assert_eq!(world.reaches(world.app, "localhost", PORT), Err("refused"));
    assert_eq!(world.reaches(world.server, "localhost", PORT), Ok(world.server));
}

#[test]
fn another_bridge_does_not_know_the_name_and_gets_no_answer_from_the_address() {
    let world = world();
    assert_eq!(world.reaches(world.stranger, "kafka", PORT), Err("unknown host"));
    assert_eq!(world.reaches(world.stranger, "172.18.0.2", PORT), Err("silence"));
    assert_eq!(world.reaches(world.stranger, "192.168.1.10", PORT), Err("refused"));
}

#[test]
fn a_published_port_is_reached_from_everywhere_by_the_machines_address() {
    let mut world = world();
    world.publish(29092, false).expect("a free port");
    for from in [world.machine, world.other, world.stranger, world.app] {
        assert_eq!(world.reaches(from, "192.168.1.10", 29092), Ok(world.server));
    }
    assert_eq!(world.reaches(world.machine, "localhost", 29092), Ok(world.server));
    assert_eq!(world.reaches(world.other, "localhost", 29092), Err("refused"));
    assert_eq!(world.reaches(world.other, "172.18.0.2", PORT), Err("silence"));
    assert_eq!(world.reaches(world.machine, "172.18.0.2", PORT), Ok(world.server));
    assert_eq!(world.reaches(world.machine, "kafka", PORT), Err("unknown host"));
}

#[test]
fn a_port_on_127_0_0_1_is_for_the_machine_itself() {
    let mut world = world();
    world.publish(PORT, true).expect("a free port");
    assert_eq!(world.reaches(world.machine, "localhost", PORT), Ok(world.server));
    assert_eq!(world.reaches(world.other, "192.168.1.10", PORT), Err("refused"));
}

#[test]
fn a_port_is_published_once() {
    let mut world = world();
    world.publish(PORT, false).expect("a free port");
    let error = world.publish(PORT, true).expect_err("taken");
    assert_eq!(error.0, "Bind for 127.0.0.1:9092 failed: port is already allocated");
}

#[test]
fn network_connect_gives_address_and_name_at_once() {
    let mut world = world();
    assert_eq!(world.reaches(world.stranger, "kafka", PORT), Err("unknown host"));
    world
        .net
        .attach(world.server, world.second, None, &[])
        .expect("a free address");
    assert_eq!(world.reaches(world.stranger, "kafka", PORT), Ok(world.server));
    assert_eq!(world.reaches(world.stranger, "broker", PORT), Err("unknown host"));
    let again = world.net.attach(world.server, world.second, None, &[]);
    let text = "endpoint with name kafka already exists in network docker_fintech";
    assert_eq!(again.expect_err("it is there").0, text);
    world.net.detach(world.server, world.second).expect("it is there");
    assert_eq!(world.reaches(world.stranger, "kafka", PORT), Err("unknown host"));
}

#[test]
fn the_default_bridge_has_no_names() {
    let mut world = world();
    let bridge = world.net.add_default_bridge(world.machine);
    for host in [world.server, world.stranger] {
        world.net.attach(host, bridge, None, &[]).expect("a free address");
    }
    assert_eq!(world.reaches(world.stranger, "kafka", PORT), Err("unknown host"));
    assert_eq!(world.reaches(world.stranger, "172.17.0.2", PORT), Ok(world.server));
}

#[test]
fn a_stopped_container_has_no_name_and_no_address() {
    let mut world = world();
    world.net.host_mut(world.server).idle = true;
    assert_eq!(world.reaches(world.app, "kafka", PORT), Err("unknown host"));
    assert_eq!(world.reaches(world.app, "172.18.0.2", PORT), Err("no route"));
}

#[test]
fn an_internal_network_has_no_way_out() {
    let mut world = world();
    world.net.make_internal(world.second);
    assert_eq!(world.reaches(world.stranger, "192.168.1.10", PORT), Err("unreachable"));
    assert_eq!(world.reaches(world.stranger, "other", PORT), Err("unknown host"));
}

#[test]
fn without_masquerading_the_way_out_and_in_again_hangs() {
    let mut world = world();
    let port = Published {
        engine: world.machine,
        local: false,
        port: PORT,
        to: world.server,
        to_port: PORT,
        relay: false,
        hairpin: false,
    };
    world.net.publish(port).expect("a free port");
    assert_eq!(world.reaches(world.app, "192.168.1.10", PORT), Err("silence"));
    assert_eq!(world.reaches(world.other, "192.168.1.10", PORT), Ok(world.server));
}

#[test]
fn without_networks_everybody_knows_everybody() {
    let mut net = Network::default();
    let (a, b) = (net.add_host("b1"), net.add_host("10.77.0.2"));
    for (name, host) in [("b1", a), ("10.77.0.2", b), ("localhost", b)] {
        let address = net.look_up(b, name).expect("a known name");
        match net.route(b, address, PORT) {
            Route::To(to) => assert_eq!((to.host, to.port, to.local), (host, PORT, host == b)),
            other => panic!("{name}: {other:?}"),
        }
    }
    assert_eq!(net.look_up(a, "nowhere"), None);
}
