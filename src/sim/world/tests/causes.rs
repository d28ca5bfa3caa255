//! The record of events: numbers, causes, observations, hash; snapshots.

use super::*;
use crate::sim::EventKind;
use crate::sim::world::NO_CAUSE;

fn last(world: &World, kind: EventKind, to: ProcId) -> Step {
    let found = world.steps.iter().rev().find(|step| step.kind == kind && step.to == to);
    *found.expect("such an event")
}

#[test]
fn an_event_names_the_one_that_caused_it() {
    let mut world = World::connected_with(Toy {
        echo: true,
        ..Toy::default()
    });
    world.at(20_000).tell(A, Order::Say(1));
    let command = *world.steps.last().expect("a command");
    assert_eq!((command.kind, command.cause), (EventKind::Command, NO_CAUSE));
    world.until(30_000);
    let request = last(&world, EventKind::Message, B);
    assert_eq!((request.cause, request.from, request.tag), (command.id, Some(A), 0));
    let response = last(&world, EventKind::Message, A);
    assert_eq!((response.cause, response.from, response.tag), (request.id, Some(B), 1));
    assert_eq!(world.sim.events(), response.id + 1);
}

#[test]
fn a_command_is_the_cause_of_all_that_it_does() {
    let mut world = World::new(1, 2, Toy::default());
    world
        .at(5_000)
        .tell(A, Order::Connect(HostId(1)))
        .tell(A, Order::Timer(Span::ms(1), 1));
    let command = world.steps.last().expect("a command").id;
    world.until(10_000);
    for (kind, to) in [(EventKind::Accepted, B), (EventKind::Opened, A), (EventKind::Timer, A)] {
        assert_eq!(last(&world, kind, to).cause, command, "{kind:?}");
    }
    world.at(20_000).halt(B, Halt::Crash);
    let crash = world.steps.last().expect("a command").id;
    world.until(30_000);
    assert_eq!(last(&world, EventKind::Closed, A).cause, crash);
}

#[test]
fn what_was_late_keeps_its_cause() {
    let mut world = World::connected();
    world.at(20_000).cut(A, B).tell(A, Order::Say(1));
    let command = world.steps.last().expect("a command").id;
    world.at(30_000).heal();
    world.sim.freeze(B);
    world.at(1_000_000);
    world.sim.thaw(B);
    world.until(2_000_000);
    let (lost, message) = (last(&world, EventKind::Lost, B), last(&world, EventKind::Message, B));
    assert_eq!((lost.cause, lost.from), (command, Some(A)));
    assert_eq!(
        (message.cause, message.from, message.at),
        (command, Some(A), Time(1_000_000))
    );
}

fn scene(seed: u64, change: impl Fn(&mut World)) -> World {
    let mut world = World::new(
        seed,
        3,
        Toy {
            echo: true,
            ..Toy::default()
        },
    );
    world.tell(A, Order::Connect(HostId(1)));
    world.until(10_000);
    world.sim.network_mut().link_mut(HostId(0), HostId(1)).loss_ppm = 200_000;
    change(&mut world);
    for n in 0..50 {
        world.at(20_000 + n * 1_000).tell(A, Order::Say(1));
    }
    world.until(60_000_000);
    world
}

#[test]
fn the_same_world_has_the_same_hash() {
    let world = scene(5, |_| {});
    assert_eq!(world.sim.hash(), scene(5, |_| {}).sim.hash());
    assert_ne!(world.sim.hash(), scene(6, |_| {}).sim.hash());
    // An observation alone makes a difference: A says what its disk is like.
    let told = scene(5, |world| {
        world.tell(A, Order::Disk);
    });
    assert_eq!(told.steps.len(), world.steps.len());
    assert_ne!(told.sim.hash(), world.sim.hash());
}

#[test]
fn a_snapshot_continues_as_its_original() {
    let mut original = World::connected_with(Toy {
        echo: true,
        ..Toy::default()
    });
    original.sim.network_mut().link_mut(HostId(0), HostId(1)).loss_ppm = 300_000;
    original.at(20_000).tell(A, Order::Say(40));
    original.until(20_000 + WAY);
    let mut snapshot = original.clone();
    let before = snapshot.sim.hash();
    original.until(60_000_000);
    assert_eq!(
        snapshot.sim.hash(),
        before,
        "the original does not reach into its snapshot"
    );
    snapshot.until(60_000_000);
    assert_eq!(snapshot.sim.hash(), original.sim.hash());
    assert_eq!(snapshot.heard, original.heard);
}

#[test]
fn notes_are_those_of_the_last_event() {
    let mut world = World::connected();
    world.tell(A, Order::Say(2));
    assert!(world.sim.step().is_some());
    assert_eq!(world.sim.notes(), [(B, Heard::Message(0, 0))]);
    let notes = world.sim.take_notes();
    assert!(world.sim.notes().is_empty());
    world.sim.put_notes(notes);
    assert_eq!(world.sim.notes().len(), 1);
    assert!(world.sim.step().is_some());
    assert_eq!(world.sim.notes(), [(B, Heard::Message(0, 1))]);
}
