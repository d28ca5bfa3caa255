//! Causes that are an absence: somebody was not heard of. Who, and which fault can have done it.

use crate::kafka::broker::note::BrokerNote;
use crate::kafka::client::consumer::note::ConsumerNote;
use crate::kafka::client::note::ClientNote;
use crate::kafka::controller::note::{ControllerNote, Why};
use crate::kafka::groups::note::{Departure, GroupNote, ModernNote, Reason};
use crate::kafka::note::{Fact, Note};
use crate::kafka::types::{NodeId, TopicPartition};
use crate::lab::language::ast::{Between, Command, DiskState, ProcessVerb};
use crate::lab::wire::Note as LabNote;
use crate::lab::world::{Role, World};
use std::rc::Rc;

/// Who was not heard of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Silent {
    /// These processes.
    Processes(Vec<Rc<str>>),
    /// Whoever did not answer in time; nobody said who.
    Somebody,
}

/// Whose silence made this observation, if silence did.
pub fn silent_in(world: &World, note: &LabNote) -> Option<Silent> {
    let note = note.kafka()?;
    let one = |node: NodeId| Some(Silent::Processes(vec![world.node_name(node)]));
    match note {
        Note::Controller(note) => match why_of(note)? {
            Why::SessionExpired { broker, .. } => one(broker),
            _ => None,
        },
        Note::Broker(BrokerNote::OutOfSync { replica, .. }) => one(*replica),
        Note::Broker(BrokerNote::ShrinksIsr { replicas, .. }) => Some(Silent::Processes(
            replicas.iter().map(|id| world.node_name(*id)).collect(),
        )),
        Note::Broker(BrokerNote::LeaderUnreachable { leader }) => one(*leader),
        Note::Broker(BrokerNote::ProduceTimedOut { .. } | BrokerNote::HeartbeatRefused(_)) => Some(Silent::Somebody),
        Note::Group(note) => silent_member(world, note),
        Note::Fact(Fact::Failed { error, .. }) if error.contains("Timeout") => Some(Silent::Somebody),
        Note::Client(ClientNote::Consumer(ConsumerNote::Lost { .. })) => Some(Silent::Somebody),
        _ => None,
    }
}

fn silent_member(world: &World, note: &GroupNote) -> Option<Silent> {
    let member = match note {
        GroupNote::MemberRemoved { member, why, .. }
        | GroupNote::Modern {
            note: ModernNote::Left { member, why },
            ..
        } => match why {
            Departure::SessionExpired { .. }
            | Departure::DidNotRejoin { .. }
            | Departure::DidNotSync { .. }
            | Departure::DidNotRevoke { .. } => member,
            Departure::Left | Departure::TakenOut | Departure::Replaced | Departure::NeverCameBack => return None,
        },
        GroupNote::RebalanceStarted {
            reason: Reason::SessionExpired(member) | Reason::SyncMissed(member),
            ..
        } => member,
        _ => return None,
    };
    // A member id begins with the client's id.
    let consumers = world.processes().filter(|(_, role)| *role == Role::Consumer);
    let names = consumers.map(|(id, _)| world.name(id).clone());
    let mine: Vec<Rc<str>> = names.filter(|name| member.starts_with(&**name)).collect();
    Some(Silent::Processes(mine))
}

fn why_of(note: &ControllerNote) -> Option<Why> {
    match note {
        ControllerNote::Fenced { why, .. }
        | ControllerNote::LeaderElected { why, .. }
        | ControllerNote::PartitionOffline { why, .. }
        | ControllerNote::IsrChanged { why, .. }
        | ControllerNote::ElrChanged { why, .. } => Some(*why),
        _ => None,
    }
}

/// The partition that a controller's note is about.
pub fn partition_of_change(note: &ControllerNote) -> Option<TopicPartition> {
    match note {
        ControllerNote::LeaderElected { partition, .. }
        | ControllerNote::PartitionOffline { partition, .. }
        | ControllerNote::IsrChanged { partition, .. }
        | ControllerNote::ElrChanged { partition, .. }
        | ControllerNote::AlterPartitionRefused { partition, .. }
        | ControllerNote::PartitionCreated { partition, .. }
        | ControllerNote::ReassignmentStarted { partition, .. }
        | ControllerNote::ReassignmentCompleted { partition, .. }
        | ControllerNote::ReassignmentCancelled { partition, .. } => Some(*partition),
        _ => None,
    }
}

/// Whether a command can have silenced them.
pub fn touches(world: &World, command: &Command, silent: &Silent) -> bool {
    let hit = |name: &Rc<str>| match silent {
        Silent::Somebody => true,
        Silent::Processes(all) => all.iter().any(|process| is_on(world, process, name)),
    };
    let between = |between: &Between| between.pairs().iter().any(|(a, b)| hit(a) || hit(b));
    match command {
        Command::Process { verb, names } => {
            !matches!(verb, ProcessVerb::Restart | ProcessVerb::Thaw) && names.iter().any(hit)
        }
        Command::Cut(ends) => between(ends),
        Command::Delay { between: ends, .. } | Command::Loss { between: ends, .. } => between(ends),
        Command::Disk { names, state } => *state != DiskState::Ok && names.iter().any(hit),
        Command::Message(fault) => fault.pattern.as_ref().is_some_and(|p| hit(&p.from) || hit(&p.to)),
        _ => false,
    }
}

/// Whether a name of the scenario means this process or its host.
fn is_on(world: &World, process: &str, name: &str) -> bool {
    let host = world
        .find(process)
        .map(|id| world.sim.network().host(world.sim.host_of(id)).name.clone());
    process == name || host.is_some_and(|host| *host == *name)
}
