//! How connections come to stand.

use super::*;
use crate::sim::conn::{SYN_AGAIN_SECS, SYN_GIVE_UP_SECS};

#[test]
fn a_round_trip_opens_a_connection() {
    let mut world = World::new(1, 2, Toy::default());
    world.at(5_000).tell(A, Order::Connect(HostId(1)));
    world.until(1_000_000);
    assert_eq!(world.times(B, &Heard::Accepted(A)), [5_000 + WAY]);
    assert_eq!(world.times(A, &Heard::Opened), [5_000 + ROUND]);
}

#[test]
fn a_lost_syn_is_repeated_at_fixed_times() {
    for (n, secs) in SYN_AGAIN_SECS.iter().enumerate() {
        let repeated = secs * 1_000_000;
        let next = SYN_AGAIN_SECS.get(n + 1).map(|secs| secs * 1_000_000 + ROUND);
        for (healed, opened) in [(repeated, Some(repeated + ROUND)), (repeated + ROUND, next)] {
            let mut world = World::new(1, 2, Toy::default());
            world.cut(A, B).tell(A, Order::Connect(HostId(1)));
            world.at(healed).heal();
            world.until(120_000_000);
            let opened: Vec<u64> = opened.into_iter().collect();
            assert_eq!(world.times(A, &Heard::Opened), opened, "healed at {healed}");
            assert_eq!(world.times(B, &Heard::Accepted(A)).len(), opened.len());
        }
    }
}

#[test]
fn an_unanswered_attempt_ends_after_131_seconds() {
    let mut world = World::new(1, 2, Toy::default());
    world.cut(A, B).tell(A, Order::Connect(HostId(1)));
    world.until(500_000_000);
    assert_eq!(world.times(A, &Heard::Refused), [SYN_GIVE_UP_SECS * 1_000_000]);
    assert!(world.sim.core.conns.is_empty());
}

#[test]
fn a_lost_answer_is_given_again_without_a_second_accept() {
    let mut world = World::new(1, 2, Toy::default());
    world.cut(B, A).tell(A, Order::Connect(HostId(1)));
    world.at(2_500_000).heal();
    world.until(20_000_000);
    assert_eq!(world.times(B, &Heard::Accepted(A)), [WAY]);
    assert_eq!(world.times(A, &Heard::Opened), [3_000_000 + ROUND]);
}

/// As on a real host, where the accepter has nothing to write to before the handshake is over.
#[test]
fn what_the_accepter_sends_never_comes_before_the_connection_stands() {
    let mut world = World::new(1, 2, Toy::default());
    world.tell(A, Order::Connect(HostId(1)));
    world.at(WAY).cut(B, A).tell(B, Order::Say(2));
    world.at(WAY + 1_000).heal();
    world.until(20_000_000);
    let (first, second) = (Heard::Message(1_000_000, 0), Heard::Message(1_000_000, 1));
    assert_eq!(world.heard_by(A)[1..], [&Heard::Opened, &first, &second]);
    assert_eq!(world.times(A, &Heard::Opened), [1_000_000 + ROUND]);
}

#[test]
fn nobody_listens() {
    let mut world = World::new(1, 2, Toy::default());
    world.tell(B, Order::Unlisten(PORT)).tell(A, Order::Connect(HostId(1)));
    world.until(60_000_000);
    assert_eq!(world.times(A, &Heard::Refused), [ROUND]);
    assert_eq!(world.heard_by(B), [&Heard::Started]);
    assert!(world.sim.core.conns.is_empty());
}

#[test]
fn a_lost_refusal_comes_at_the_next_attempt() {
    let mut world = World::new(1, 2, Toy::default());
    world
        .tell(B, Order::Unlisten(PORT))
        .cut(B, A)
        .tell(A, Order::Connect(HostId(1)));
    world.at(3_500_000).heal();
    world.until(60_000_000);
    assert_eq!(world.times(A, &Heard::Refused), [4_000_000 + ROUND]);
}

#[test]
fn a_host_without_power_does_not_even_refuse() {
    let mut world = World::new(1, 2, Toy::default());
    world.sim.power_off(HostId(1));
    world.tell(A, Order::Connect(HostId(1)));
    world.until(6_000_000);
    assert_eq!(world.heard_by(A), [&Heard::Started]);
    world.start(B);
    world.until(20_000_000);
    assert_eq!(world.times(A, &Heard::Opened), [7_000_000 + ROUND]);
}

#[test]
fn an_attempt_that_was_given_up_leads_to_nothing() {
    let mut world = World::new(1, 2, Toy::default());
    world.cut(A, B).tell(A, Order::Connect(HostId(1)));
    world.at(1_500_000).tell(A, Order::Close).heal();
    world.until(60_000_000);
    assert_eq!(world.heard_by(A), [&Heard::Started]);
    assert_eq!(world.heard_by(B), [&Heard::Started]);
    assert!(world.sim.core.conns.is_empty());
}

#[test]
fn giving_up_while_the_answer_is_lost_is_told_to_the_accepter() {
    let mut world = World::new(1, 2, Toy::default());
    world.cut(B, A).tell(A, Order::Connect(HostId(1)));
    world.at(1_500_000).tell(A, Order::Close);
    world.until(60_000_000);
    assert_eq!(world.heard_by(A), [&Heard::Started]);
    assert_eq!(world.heard_by(B)[1..], [&Heard::Accepted(A), &Heard::Closed]);
    assert!(world.sim.core.conns.is_empty());
}

/// The answer was lost, and who had accepted is gone: the repeated SYN meets whoever listens now.
#[test]
fn a_half_open_connection_does_not_outlive_its_accepter() {
    for (how, again) in [
        (Halt::Crash, true),
        (Halt::Crash, false),
        (Halt::PowerLoss, true),
        (Halt::PowerLoss, false),
    ] {
        let mut world = World::new(1, 2, Toy::default());
        world.cut(B, A).tell(A, Order::Connect(HostId(1)));
        world.at(500_000).halt(B, how);
        world.until(600_000);
        if again {
            world.start(B);
        }
        world.at(1_700_000).heal();
        world.until(60_000_000);
        let accepted = world.times(B, &Heard::Accepted(A));
        if again {
            assert_eq!(accepted, [WAY, 1_000_000 + WAY], "{how:?}");
            assert_eq!(world.heard_by(A)[1..], [&Heard::Opened], "{how:?}");
        } else {
            assert_eq!(accepted, [WAY], "{how:?}");
            assert_eq!(world.heard_by(A)[1..], [&Heard::Refused], "{how:?}");
        }
    }
}

#[test]
fn what_is_sent_too_early_waits_for_the_connection() {
    let mut world = World::new(1, 2, Toy::default());
    world
        .cut(A, B)
        .tell(A, Order::Connect(HostId(1)))
        .tell(A, Order::Say(3));
    world.at(500_000).heal();
    world.until(20_000_000);
    let opened = 1_000_000 + ROUND;
    assert_eq!(world.times(A, &Heard::Opened), [opened]);
    let at = opened + WAY;
    assert_eq!(world.messages(B), [(at, 0), (at, 1), (at, 2)]);
}

#[test]
fn what_was_sent_too_early_dies_with_the_attempt() {
    let mut world = World::new(1, 2, Toy::default());
    world.tell(B, Order::Unlisten(PORT));
    world.tell(A, Order::Connect(HostId(1))).tell(A, Order::Say(3));
    world.until(20_000_000);
    assert_eq!(world.heard_by(A)[1..], [&Heard::Refused]);
    assert!(world.sim.core.flights.is_empty());
    assert!(world.sim.core.conns.is_empty());
}

#[test]
fn a_process_may_connect_to_itself() {
    let mut world = World::new(
        1,
        1,
        Toy {
            echo: true,
            ..Toy::default()
        },
    );
    world.tell(A, Order::Connect(HostId(0)));
    world.until(10_000);
    // The newest connection is the accepted end; what it says comes out at the other end, and the echo back at this one.
    world.tell(A, Order::Say(1));
    world.until(20_000);
    let heard = world.heard_by(A);
    let expected = [
        Heard::Accepted(A),
        Heard::Opened,
        Heard::Message(1, 0),
        Heard::Message(0, 0),
    ];
    assert_eq!(heard[1..], expected.iter().collect::<Vec<_>>());
    world.tell(A, Order::Close);
    world.until(30_000);
    assert_eq!(world.heard_by(A).last(), Some(&&Heard::Closed));
    assert!(world.sim.core.conns.is_empty());
}

#[test]
fn a_port_belongs_to_one_process_of_a_host() {
    let mut world = World::new(1, 1, Toy::default());
    let second = world.sim.add("second", HostId(0), Toy::default());
    world.start(second);
    world.tell(second, Order::Listen(PORT)).tell(second, Order::Listen(8));
    assert_eq!(
        world.heard_by(second)[1..],
        [&Heard::Listens(false), &Heard::Listens(true)]
    );
    world.halt(A, Halt::Crash).tell(second, Order::Listen(PORT));
    assert_eq!(world.heard_by(second).last(), Some(&&Heard::Listens(true)));
}
