//! The controller with real brokers: start, fail over, shut down, restart, a controller that is away.

use super::*;
use crate::kafka::broker::Broker;
use crate::kafka::types::NO_LEADER;
use crate::ordered::SortSmall;
use crate::sim::HostId;

#[derive(Clone)]
enum Member {
    Controller(Box<Controller>),
    Broker(Box<Broker>),
    Peer(Peer),
}

impl Process for Member {
    type Wire = Kafka;

    fn handle(&mut self, input: Input, ctx: &mut Ctx) {
        match self {
            Member::Controller(controller) => controller.handle(input, ctx),
            Member::Broker(broker) => broker.handle(input, ctx),
            Member::Peer(peer) => peer.handle(input, ctx),
        }
    }

    fn halt(&mut self, how: Halt) {
        match self {
            Member::Controller(controller) => controller.halt(how),
            Member::Broker(broker) => broker.halt(how),
            Member::Peer(peer) => peer.conn = None,
        }
    }
}

struct Cluster {
    sim: Sim<Member>,
    controller: ProcId,
    brokers: OrderedMap<NodeId, ProcId>,
    peer: ProcId,
    outbox: Rc<RefCell<VecDeque<Body>>>,
    inbox: Rc<RefCell<OrderedMap<u32, Body>>>,
    asked: u32,
}

/// As the recorded traces have it.
const CONFIG: [(&str, &str); 6] = [
    ("broker.heartbeat.interval.ms", "500"),
    ("broker.session.timeout.ms", "5000"),
    ("replica.lag.time.max.ms", "2000"),
    ("replica.fetch.wait.max.ms", "200"),
    ("replica.socket.timeout.ms", "1500"),
    ("controller.socket.timeout.ms", "1500"),
];

impl Cluster {
    fn new() -> Cluster {
        let config: Properties = CONFIG.map(|(k, v)| (k.to_string(), v.to_string())).into();
        let voters = OrderedMap::from([(100, "c".into())]);
        let nothing = Properties::new();
        let setup = ControllerSetup::new(
            100,
            voters.clone(),
            "cluster",
            (&config, &nothing),
            &OrderedMap::new(),
            7,
        );
        let mut sim = Sim::new(7);
        let (here, there) = (sim.add_host("c"), sim.add_host("p"));
        let controller = Controller::new(setup.expect("valid settings"));
        let controller = sim.add("c", here, Member::Controller(Box::new(controller)));
        let peer = Peer::default();
        let (outbox, inbox) = (Rc::clone(&peer.outbox), Rc::clone(&peer.inbox));
        let peer = sim.add("p", there, Member::Peer(peer));
        let mut brokers = OrderedMap::new();
        for id in 1..=3 {
            let name = format!("b{id}");
            let host: HostId = sim.add_host(&name);
            let node = BrokerNode {
                id,
                host: name.as_str().into(),
                port: KAFKA_PORT,
                rack: None,
            };
            let broker = Broker::new(node, config.clone(), 7, voters.clone(), "cluster".into());
            let broker = Member::Broker(Box::new(broker.expect("valid settings")));
            brokers.insert(id, sim.add(&name, host, broker));
        }
        for id in sim.ids() {
            sim.start(id);
        }
        Cluster {
            sim,
            controller,
            brokers,
            peer,
            outbox,
            inbox,
            asked: 0,
        }
    }

    fn wait(&mut self, ms: u64) {
        let end = self.sim.now() + Span::ms(ms);
        while self.sim.step_until(end).is_some() {}
        self.sim.pass_to(end);
    }

    fn controller(&self) -> &Controller {
        match self.sim.process(self.controller) {
            Member::Controller(controller) => controller,
            _ => unreachable!("the controller was added as one"),
        }
    }

    fn states(&self) -> Vec<&'static str> {
        self.controller().brokers().iter().map(|b| b.state).collect()
    }

    fn ask(&mut self, body: impl Into<Body>) -> Body {
        self.outbox.borrow_mut().push_back(body.into());
        self.sim.command(self.sim.now());
        self.sim.order(self.peer, Order::Shutdown);
        self.asked += 1;
        let number = self.asked - 1;
        self.wait(20);
        self.inbox.borrow().get(&number).cloned().expect("an answer")
    }

    fn create(&mut self, name: &str, replicas: &[NodeId], configs: &[(&str, &str)]) {
        let setting = |(k, v): &(&str, &str)| ((*k).into(), Some((*v).into()));
        let topic = CreatableTopic {
            name: name.into(),
            num_partitions: -1,
            replication_factor: -1,
            assignments: vec![(0, replicas.to_vec())],
            configs: configs.iter().map(setting).collect(),
        };
        let request = CreateTopicsRequest {
            topics: vec![topic],
            validate_only: false,
        };
        match self.ask(request) {
            Body::CreateTopicsResponse(answer) => assert_eq!(answer.topics[0].error, ErrorCode::None),
            other => panic!("{}", other.kind()),
        }
    }

    fn see(&self, name: &str) -> (NodeId, i32, Vec<NodeId>, Vec<NodeId>) {
        let image = self.controller().image();
        let p = &image.partitions[&TopicPartition::new(image.ids[name], 0)];
        let mut isr = p.isr.clone();
        isr.sort_small();
        (p.leader, p.leader_epoch, isr, p.elr.clone())
    }

    fn crash(&mut self, id: NodeId) {
        self.sim.command(self.sim.now());
        self.sim.halt(self.brokers[&id], Halt::Crash);
    }

    fn start(&mut self, id: NodeId) {
        self.sim.command(self.sim.now());
        self.sim.start(self.brokers[&id]);
    }

    fn shut_down(&mut self, id: NodeId) {
        self.sim.command(self.sim.now());
        self.sim.order(self.brokers[&id], Order::Shutdown);
    }
}

const ALL: [&str; 3] = ["active"; 3];

#[test]
fn brokers_start_fail_over_and_come_back() {
    let mut cluster = Cluster::new();
    cluster.wait(2_000);
    assert_eq!(cluster.states(), ALL);
    cluster.create("t", &[1, 2, 3], &[("min.insync.replicas", "2")]);
    cluster.wait(500);
    cluster.crash(1);
    cluster.wait(7_000);
    assert_eq!(cluster.states(), ["fenced", "active", "active"]);
    assert_eq!(cluster.see("t"), (2, 1, vec![2, 3], vec![]));
    cluster.start(1);
    cluster.wait(3_000);
    assert_eq!(cluster.states(), ALL);
    assert_eq!(
        cluster.see("t"),
        (2, 1, vec![1, 2, 3], vec![]),
        "back in the ISR by fetching"
    );
}

#[test]
fn r65_a_broker_cut_from_the_controller_goes_on_and_is_fenced_there() {
    let mut cluster = Cluster::new();
    cluster.wait(2_000);
    cluster.create("t", &[1, 2, 3], &[]);
    cluster.wait(500);
    let hosts = (
        cluster.sim.host_of(cluster.brokers[&1]),
        cluster.sim.host_of(cluster.controller),
    );
    for (from, to) in [hosts, (hosts.1, hosts.0)] {
        cluster.sim.network_mut().link_mut(from, to).cut = true;
    }
    cluster.wait(8_500);
    assert_eq!(cluster.states(), ["fenced", "active", "active"]);
    assert_eq!(cluster.see("t"), (2, 1, vec![2, 3], vec![]));
    for (from, to) in [hosts, (hosts.1, hosts.0)] {
        cluster.sim.network_mut().link_mut(from, to).cut = false;
    }
    cluster.wait(4_000);
    assert_eq!(cluster.states(), ALL);
    assert_eq!(cluster.see("t"), (2, 1, vec![1, 2, 3], vec![]));
}

#[test]
fn orderly_shutdowns_fill_the_elr_and_any_member_leads_again() {
    let mut cluster = Cluster::new();
    cluster.wait(2_000);
    cluster.create("t", &[1, 2, 3], &[("min.insync.replicas", "2")]);
    // Whoever leads nothing is let go without a controlled shutdown.
    cluster.create("u", &[2], &[]);
    cluster.create("v", &[3], &[]);
    cluster.wait(500);
    for (id, seen) in [
        (3, (1, 0, vec![1, 2], vec![])),
        (2, (1, 0, vec![1], vec![2])),
        (1, (NO_LEADER, 1, vec![], vec![1, 2])),
    ] {
        cluster.shut_down(id);
        cluster.wait(2_500);
        assert_eq!(cluster.see("t"), seen, "after {id}");
    }
    assert_eq!(cluster.states(), ["shutdown-fenced"; 3]);
    cluster.wait(4_000);
    cluster.start(3);
    cluster.wait(1_500);
    assert_eq!(cluster.see("t").0, NO_LEADER);
    cluster.start(2);
    cluster.wait(2_500);
    assert_eq!(cluster.see("t"), (2, 2, vec![2, 3], vec![]));
}

#[test]
fn a_controller_that_was_away_finds_all_as_it_was() {
    let mut cluster = Cluster::new();
    cluster.wait(2_000);
    cluster.create("t", &[1, 2, 3], &[]);
    cluster.wait(500);
    cluster.sim.command(cluster.sim.now());
    cluster.sim.halt(cluster.controller, Halt::Crash);
    cluster.wait(20_000);
    cluster.sim.command(cluster.sim.now());
    cluster.sim.start(cluster.controller);
    cluster.wait(10_000);
    assert_eq!(cluster.states(), ALL, "nobody was fenced for it");
    assert_eq!(cluster.see("t"), (1, 0, vec![1, 2, 3], vec![]));
    cluster.create("u", &[3, 2, 1], &[]);
    cluster.wait(500);
    cluster.crash(3);
    cluster.wait(7_000);
    assert_eq!(cluster.see("u"), (2, 1, vec![1, 2], vec![]));
}

#[test]
fn an_idle_cluster_is_quiet() {
    let mut cluster = Cluster::new();
    cluster.wait(5_000);
    let before = (cluster.sim.events(), cluster.controller().log.end_offset());
    cluster.wait(10_000);
    assert_eq!(
        cluster.controller().log.end_offset(),
        before.1,
        "no record without a reason"
    );
    let events = cluster.sim.events() - before.0;
    assert!(events < 1_500, "{events} events in ten idle seconds");
}
