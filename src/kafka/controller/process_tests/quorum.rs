//! Three controllers: elections, lost and isolated leaders, and what chance does to them.

use super::super::note::ControllerNote;
use super::super::raft::note::{RaftNote, ResignCause};
use super::super::{Controller, ControllerSetup, RoleName};
use super::Peer;
use crate::kafka::config::Properties;
use crate::kafka::note::Note;
use crate::kafka::protocol::Body;
use crate::kafka::protocol::admin::*;
use crate::kafka::protocol::errors::ErrorCode;
use crate::kafka::types::NodeId;
use crate::kafka::wire::{Ctx, Input, KAFKA_PORT, Kafka, Order};
use crate::ordered::OrderedMap;
use crate::sim::world::Status;
use crate::sim::{Addr, Halt, HostId, ProcId, Process, Random, Sim, Span};
use std::rc::Rc;

const VOTERS: [NodeId; 3] = [101, 102, 103];

/// A controller, or somebody who asks one.
#[derive(Clone)]
enum Node {
    Controller(Box<Controller>),
    Peer(Peer, Addr),
}

impl Process for Node {
    type Wire = Kafka;

    fn handle(&mut self, input: Input, ctx: &mut Ctx) {
        match self {
            Node::Controller(controller) => controller.handle(input, ctx),
            Node::Peer(peer, to) => match input {
                Input::Order(_) if peer.conn.is_none() => {
                    ctx.connect(*to);
                }
                other => peer.handle(other, ctx),
            },
        }
    }

    fn halt(&mut self, how: Halt) {
        if let Node::Controller(controller) = self {
            controller.halt(how);
        }
    }
}

/// The quorum, and a peer on a host of its own for each controller.
struct Quorum {
    sim: Sim<Node>,
    nodes: OrderedMap<NodeId, ProcId>,
    hosts: OrderedMap<NodeId, HostId>,
    peers: OrderedMap<NodeId, ProcId>,
    notes: Vec<(NodeId, ControllerNote)>,
    /// Who led which epoch.
    leaders: OrderedMap<i32, NodeId>,
}

impl Quorum {
    fn new(seed: u64) -> Quorum {
        let mut sim = Sim::new(seed);
        let voters: OrderedMap<NodeId, Rc<str>> = VOTERS.iter().map(|id| (*id, format!("c{id}").into())).collect();
        let (mut nodes, mut hosts, mut peers) = (OrderedMap::new(), OrderedMap::new(), OrderedMap::new());
        for id in VOTERS {
            let none = (&Properties::new(), &Properties::new());
            let setup = ControllerSetup::new(id, voters.clone(), "cluster", none, &OrderedMap::new(), seed);
            let controller = Controller::new(setup.expect("valid settings"));
            let host = sim.add_host(&format!("c{id}"));
            hosts.insert(id, host);
            nodes.insert(
                id,
                sim.add(&format!("c{id}"), host, Node::Controller(Box::new(controller))),
            );
            let there = sim.add_host(&format!("p{id}"));
            let to = Addr { host, port: KAFKA_PORT };
            peers.insert(id, sim.add(&format!("p{id}"), there, Node::Peer(Peer::default(), to)));
        }
        nodes.values().chain(peers.values()).for_each(|id| sim.start(*id));
        let mut quorum = Quorum {
            sim,
            nodes,
            hosts,
            peers,
            notes: Vec::new(),
            leaders: OrderedMap::new(),
        };
        quorum.wait(6_000);
        quorum
    }

    fn controller(&self, id: NodeId) -> &Controller {
        match self.sim.process(self.nodes[&id]) {
            Node::Controller(controller) => controller,
            Node::Peer(..) => unreachable!("controllers were added as such"),
        }
    }

    fn wait(&mut self, ms: u64) {
        let end = self.sim.now() + Span::ms(ms);
        while self.sim.step_until(end).is_some() {
            for (who, note) in self.sim.take_notes() {
                let Some((id, _)) = self.nodes.iter().find(|(_, proc)| **proc == who) else {
                    continue;
                };
                let Note::Controller(note) = note else { continue };
                if let ControllerNote::Raft(RaftNote::Elected { epoch, .. }) = &note {
                    let before = self.leaders.insert(*epoch, *id);
                    assert!(before.is_none_or(|other| other == *id), "two leaders of epoch {epoch}");
                }
                self.notes.push((*id, note));
            }
        }
        self.sim.pass_to(end);
    }

    fn active(&self) -> Option<NodeId> {
        let running = |id: &NodeId| self.sim.status(self.nodes[id]) == Status::Running;
        let active = VOTERS
            .into_iter()
            .filter(running)
            .filter(|id| self.controller(*id).is_active());
        active.max_by_key(|id| self.controller(*id).epoch())
    }

    fn isolate(&mut self, id: NodeId, cut: bool) {
        for other in VOTERS.into_iter().filter(|other| *other != id) {
            self.cut(id, other, cut);
            self.cut(other, id, cut);
        }
    }

    fn cut(&mut self, from: NodeId, to: NodeId, cut: bool) {
        let (from, to) = (self.hosts[&from], self.hosts[&to]);
        self.sim.network_mut().link_mut(from, to).cut = cut;
    }

    /// Asks a controller to change a setting of all brokers.
    fn set(&mut self, id: NodeId, value: &str) -> u32 {
        let Node::Peer(peer, _) = self.sim.process(self.peers[&id]) else {
            unreachable!("peers were added as such")
        };
        let op = AlterOp::Set(value.into());
        let request = IncrementalAlterConfigsRequest {
            resources: vec![(ConfigResource::Broker("".into()), vec![("log.retention.ms".into(), op)])],
            validate_only: false,
        };
        peer.outbox.borrow_mut().push_back(request.into());
        let number = peer.next + peer.outbox.borrow().len() as u32 - 1;
        self.sim.command(self.sim.now());
        self.sim.order(self.peers[&id], Order::Shutdown);
        number
    }

    fn answer(&self, id: NodeId, number: u32) -> Option<ErrorCode> {
        let Node::Peer(peer, _) = self.sim.process(self.peers[&id]) else {
            return None;
        };
        match peer.inbox.borrow().get(&number)? {
            Body::IncrementalAlterConfigsResponse(answer) => answer.resources.first().map(|(_, (error, _))| *error),
            other => panic!("{}", other.kind()),
        }
    }

    fn setting(&self, id: NodeId) -> Option<String> {
        let settings = self
            .controller(id)
            .image()
            .settings(&ConfigResource::Broker("".into()))?;
        settings.get("log.retention.ms").map(|value| value.to_string())
    }

    fn said(&self, what: impl Fn(&RaftNote) -> bool) -> Vec<NodeId> {
        let said = |(id, note): &(NodeId, ControllerNote)| match note {
            ControllerNote::Raft(note) if what(note) => Some(*id),
            _ => None,
        };
        self.notes.iter().filter_map(said).collect()
    }
}

#[test]
fn three_controllers_elect_one_and_copy_its_log() {
    let mut quorum = Quorum::new(1);
    let leader = quorum.active().expect("a leader");
    let number = quorum.set(leader, "1000");
    quorum.wait(700);
    assert_eq!(quorum.answer(leader, number), Some(ErrorCode::None));
    let view = quorum.controller(leader).quorum();
    for id in VOTERS {
        let other = quorum.controller(id).quorum();
        assert_eq!((other.leader, other.epoch), (Some(leader), view.epoch));
        assert_eq!((other.end, other.high_watermark), (view.end, Some(view.end)), "{id}");
        assert_eq!(quorum.setting(id).as_deref(), Some("1000"));
    }
    assert_eq!(quorum.leaders.len(), 1);
}

#[test]
fn who_is_not_active_names_the_leader() {
    let mut quorum = Quorum::new(2);
    let leader = quorum.active().expect("a leader");
    let other = VOTERS.into_iter().find(|id| *id != leader).expect("another");
    let number = quorum.set(other, "1");
    quorum.wait(100);
    assert_eq!(quorum.answer(other, number), Some(ErrorCode::NotController));
}

#[test]
fn a_lost_leader_is_replaced_and_comes_back_as_a_follower() {
    let mut quorum = Quorum::new(3);
    let lost = quorum.active().expect("a leader");
    let epoch = quorum.controller(lost).epoch();
    quorum.sim.halt(quorum.nodes[&lost], Halt::Crash);
    quorum.wait(6_000);
    let next = quorum.active().expect("another leader");
    assert!(next != lost && quorum.controller(next).epoch() > epoch);
    quorum.sim.start(quorum.nodes[&lost]);
    quorum.wait(4_000);
    assert_eq!(quorum.active(), Some(next));
    let back = quorum.controller(lost).quorum();
    assert_eq!((back.role, back.leader), (RoleName::Follower, Some(next)));
    assert_eq!(back.end, quorum.controller(next).quorum().end);
}

#[test]
fn r78_an_isolated_leader_resigns_and_its_uncommitted_records_are_thrown_away() {
    let mut quorum = Quorum::new(4);
    let old = quorum.active().expect("a leader");
    quorum.isolate(old, true);
    let number = quorum.set(old, "4444");
    quorum.wait(100);
    assert_eq!(quorum.answer(old, number), None, "a majority must have it first");
    assert_eq!(
        quorum.setting(old).as_deref(),
        Some("4444"),
        "it decides on uncommitted state"
    );
    quorum.wait(8_000);
    assert_eq!(quorum.answer(old, number), Some(ErrorCode::NotController));
    assert_eq!(quorum.setting(old), None);
    let resigned = |note: &RaftNote| {
        matches!(
            note,
            RaftNote::Resigned {
                cause: ResignCause::CheckQuorum,
                ..
            }
        )
    };
    assert_eq!(quorum.said(resigned), [old]);
    let next = quorum.active().expect("another leader");
    let number = quorum.set(next, "5555");
    quorum.wait(700);
    assert_eq!(quorum.answer(next, number), Some(ErrorCode::None));
    quorum.isolate(old, false);
    quorum.wait(8_000);
    assert_eq!(quorum.said(|note| matches!(note, RaftNote::Truncated { .. })), [old]);
    assert_eq!(quorum.setting(old).as_deref(), Some("5555"));
    assert_eq!(quorum.active(), Some(next), "the one that came back deposes nobody");
}

#[test]
fn r77_a_voter_that_was_cut_off_keeps_its_epoch() {
    let mut quorum = Quorum::new(5);
    let leader = quorum.active().expect("a leader");
    let cut = VOTERS.into_iter().find(|id| *id != leader).expect("another");
    let epoch = quorum.controller(leader).epoch();
    quorum.isolate(cut, true);
    quorum.wait(20_000);
    assert_eq!(quorum.controller(cut).epoch(), epoch, "only pre-votes were asked for");
    quorum.isolate(cut, false);
    quorum.wait(10_000);
    assert_eq!(
        (quorum.active(), quorum.controller(leader).epoch()),
        (Some(leader), epoch)
    );
    assert_eq!(quorum.controller(cut).quorum().role, RoleName::Follower);
}

#[test]
fn a_leader_that_shuts_down_hands_over_at_once() {
    let mut quorum = Quorum::new(6);
    let old = quorum.active().expect("a leader");
    quorum.sim.command(quorum.sim.now());
    quorum.sim.order(quorum.nodes[&old], Order::Shutdown);
    quorum.wait(300);
    let next = quorum.active().expect("a successor without any time-out");
    assert_ne!(next, old);
    assert!(matches!(quorum.sim.status(quorum.nodes[&old]), Status::Down(_)));
}

#[test]
fn a_lone_voter_leads_nothing_until_another_is_back() {
    let mut quorum = Quorum::new(7);
    let leader = quorum.active().expect("a leader");
    let others: Vec<NodeId> = VOTERS.into_iter().filter(|id| *id != leader).collect();
    others
        .iter()
        .for_each(|id| quorum.sim.halt(quorum.nodes[id], Halt::Crash));
    quorum.wait(10_000);
    assert_eq!(quorum.active(), None);
    quorum.sim.start(quorum.nodes[&others[0]]);
    quorum.wait(8_000);
    assert!(quorum.active().is_some());
}

/// Random crashes, restarts, freezes and one-way cuts. At no time do two controllers lead one epoch (asserted while the
/// world runs), and when all is well again the last change that was answered is there, or one that was asked for later.
#[test]
fn committed_metadata_survive_random_faults() {
    let (mut answers, mut elections) = (0, 0);
    for seed in 0..25 {
        let mut quorum = Quorum::new(100 + seed);
        let mut luck = Random::named(seed, "faults");
        let mut asked: Vec<(NodeId, u32)> = Vec::new();
        for step in 0..60 {
            let id = VOTERS[luck.below(3) as usize];
            let other = VOTERS[luck.below(3) as usize];
            let proc = quorum.nodes[&id];
            match luck.below(8) {
                0 => quorum.sim.halt(proc, Halt::Crash),
                1 | 2 if matches!(quorum.sim.status(proc), Status::Down(_)) => quorum.sim.start(proc),
                3 => quorum.sim.freeze(proc),
                4 => quorum.sim.thaw(proc),
                5 if id != other => quorum.cut(id, other, true),
                6 if id != other => quorum.cut(id, other, false),
                _ => {}
            }
            if let Some(active) = quorum.active() {
                // The value is the number of the request.
                let number = quorum.set(active, &format!("{}", asked.len() + 1));
                asked.push((active, number));
            }
            quorum.wait(200 + luck.below(step * 20 + 1));
        }
        let answered = |(id, number): &(NodeId, u32)| quorum.answer(*id, *number) == Some(ErrorCode::None);
        let last = asked.iter().rposition(answered).map_or(0, |index| index + 1);
        answers += asked.iter().filter(|one| answered(one)).count();
        elections += quorum.leaders.len();
        heal(&mut quorum);
        let active = quorum
            .active()
            .unwrap_or_else(|| panic!("seed {seed}: no leader after all is healed"));
        let kept: usize = quorum.setting(active).map_or(0, |value| value.parse().unwrap_or(0));
        assert!(kept >= last, "seed {seed}: {last} was answered, {kept} is left");
        let view = quorum.controller(active).quorum();
        for id in VOTERS {
            let other = quorum.controller(id).quorum();
            assert_eq!(
                (other.end, other.epoch),
                (view.end, view.epoch),
                "seed {seed}: {id} follows"
            );
        }
    }
    assert!(
        answers > 200 && elections > 50,
        "{answers} answers, {elections} elections"
    );
}

fn heal(quorum: &mut Quorum) {
    quorum.sim.network_mut().heal_all();
    for id in VOTERS {
        let proc = quorum.nodes[&id];
        quorum.sim.thaw(proc);
        if matches!(quorum.sim.status(proc), Status::Down(_)) {
            quorum.sim.start(proc);
        }
    }
    quorum.wait(30_000);
}
