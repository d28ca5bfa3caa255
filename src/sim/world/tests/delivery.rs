//! What a connection promises: everything, in order and once, or its end.

use super::*;
use crate::sim::EventKind;
use crate::sim::conn::RETRANSMITS;

fn link(world: &mut World) -> &mut crate::sim::network::Link {
    world.sim.network_mut().link_mut(HostId(0), HostId(1))
}

#[test]
fn messages_take_the_latency_of_their_direction() {
    let mut world = World::connected_with(Toy {
        echo: true,
        ..Toy::default()
    });
    link(&mut world).latency = Some(Span::ms(2));
    world.at(20_000).tell(A, Order::Say(1));
    world.until(1_000_000);
    assert_eq!(world.messages(B), [(22_000, 0)]);
    assert_eq!(world.messages(A), [(22_000 + WAY, 0)]);
}

#[test]
fn a_short_cut_only_delays() {
    let mut world = World::connected();
    world.at(20_000).cut(A, B);
    for n in 0..5 {
        world.at(20_000 + n * 100_000).tell(A, Order::Say(1));
    }
    world.at(1_000_000).heal();
    world.until(60_000_000);
    // Repeated 0.2, 0.6 and 1.4 s after the first; the others a round trip after it came through.
    let first = 20_000 + 1_400_000 + WAY;
    let expected: Vec<(u64, u64)> = (0..5).map(|n| (first + if n > 0 { ROUND } else { 0 }, n)).collect();
    assert_eq!(world.messages(B), expected);
}

#[test]
fn loss_keeps_order() {
    let mut world = World::connected_with(Toy {
        echo: true,
        ..Toy::default()
    });
    link(&mut world).loss_ppm = 400_000;
    for n in 0..200 {
        world.at(20_000 + n * 5_000).tell(A, Order::Say(1));
    }
    world.at(2_000_000).heal();
    world.until(600_000_000);
    assert_eq!(world.numbers(B), (0..200).collect::<Vec<_>>());
    assert_eq!(world.numbers(A), (0..200).collect::<Vec<_>>());
    let lost = world.steps.iter().filter(|step| step.kind == EventKind::Lost).count();
    assert!((100..400).contains(&lost), "{lost} losses at 40 % of about 350 packets");
}

#[test]
fn nothing_overtakes_when_a_delay_ends() {
    let mut world = World::connected();
    link(&mut world).delay = Span::ms(50);
    world.at(20_000).tell(A, Order::Say(2)).heal();
    world.at(21_000).tell(A, Order::Say(1));
    world.until(1_000_000);
    let at = 20_000 + 50_000 + WAY;
    assert_eq!(world.messages(B), [(at, 0), (at, 1), (at, 2)]);
}

#[test]
fn a_connection_is_given_up_after_fifteen_repetitions() {
    let mut world = World::connected();
    world.at(20_000).cut(A, B).tell(A, Order::Say(2));
    world.until(2_000_000_000);
    assert_eq!(world.times(A, &Heard::Closed), [20_000 + WAY + 924_600_000]);
    let lost = |tag| {
        world
            .steps
            .iter()
            .filter(|s| s.kind == EventKind::Lost && s.tag == tag)
            .count()
    };
    assert_eq!(lost(0), 2 * (usize::from(RETRANSMITS) + 1));
    assert_eq!(world.heard_by(B), [&Heard::Started; 0]);
    // The other side learns of it from a reset, when it says something.
    world.tell(B, Order::Say(1)).heal();
    world.until(2_001_000_000);
    assert_eq!(world.heard_by(B), [&Heard::Closed]);
    assert_eq!(world.numbers(A), [0; 0]);
    assert!(world.sim.core.conns.is_empty() && world.sim.core.flights.is_empty());
}

#[test]
fn a_close_comes_after_what_was_sent() {
    let mut world = World::connected();
    world.at(20_000).tell(A, Order::Say(2)).tell(A, Order::Close);
    world.until(60_000_000);
    let (first, second) = (Heard::Message(0, 0), Heard::Message(0, 1));
    assert_eq!(world.heard_by(B), [&first, &second, &Heard::Closed]);
    assert_eq!(world.heard_by(A), [&Heard::Started; 0]);
    assert!(world.sim.core.conns.is_empty() && world.sim.core.flights.is_empty());
}

#[test]
fn a_close_over_a_lossy_link_loses_nothing() {
    for seed in 0..30 {
        let mut world = World::new(seed, 2, Toy::default());
        world.tell(A, Order::Connect(HostId(1)));
        world.until(10_000);
        link(&mut world).loss_ppm = 500_000;
        world.at(20_000).tell(A, Order::Say(3));
        world.at(21_000).tell(A, Order::Close);
        world.until(900_000_000);
        assert_eq!(world.numbers(B), [0, 1, 2], "seed {seed}");
        assert_eq!(world.heard_by(B).last(), Some(&&Heard::Closed), "seed {seed}");
    }
}

/// Recorded on a real cluster: data of a connection that its owner closed during the cut never arrives.
#[test]
fn a_close_during_a_cut_loses_what_was_not_through() {
    let mut world = World::connected();
    world.at(20_000).cut(A, B).tell(A, Order::Say(3));
    world.at(500_000).tell(A, Order::Close);
    world.at(5_000_000).heal();
    world.until(60_000_000);
    assert_eq!(world.heard_by(B), [&Heard::Closed]);
    let closed = world.times(B, &Heard::Closed)[0];
    assert!(closed > 5_000_000, "closed at {closed}");
    assert!(world.sim.core.conns.is_empty());
}

#[test]
fn what_comes_for_a_closed_side_is_nobodys() {
    let mut world = World::connected();
    world.at(20_000).tell(B, Order::Say(2)).tell(A, Order::Close);
    world.until(60_000_000);
    assert_eq!(world.heard_by(A), [&Heard::Started; 0]);
    assert_eq!(world.heard_by(B), [&Heard::Closed]);
    assert!(world.sim.core.conns.is_empty() && world.sim.core.flights.is_empty());
}

#[test]
fn both_sides_may_close_at_once() {
    let mut world = World::connected();
    world.at(20_000).tell(A, Order::Close).tell(B, Order::Close);
    world.until(60_000_000);
    assert!(world.heard.is_empty(), "{:?}", world.heard);
    assert!(world.sim.core.conns.is_empty() && world.sim.core.flights.is_empty());
}

#[test]
fn a_crash_is_heard_of_after_what_was_sent() {
    let mut world = World::connected();
    world.at(20_000).tell(A, Order::Say(1)).halt(A, Halt::Crash);
    world.until(60_000_000);
    assert_eq!(world.heard_by(B), [&Heard::Message(0, 0), &Heard::Closed]);
    assert_eq!(world.times(B, &Heard::Closed), [20_000 + WAY]);
}

#[test]
fn a_power_loss_is_not_heard_of_until_something_is_said() {
    let mut world = World::connected();
    world.until(20_000);
    world.sim.power_off(HostId(1));
    world.until(60_000_000);
    assert!(world.heard.is_empty(), "{:?}", world.heard);
    world.tell(A, Order::Say(1));
    world.until(62_000_000);
    assert!(world.heard.is_empty(), "{:?}", world.heard);
    // Back again, the host knows nothing of the connection: a reset.
    world.start(B);
    world.until(120_000_000);
    assert_eq!(world.heard_by(A), [&Heard::Closed]);
    assert_eq!(world.heard_by(B), [&Heard::Started]);
    assert!(world.sim.core.conns.is_empty() && world.sim.core.flights.is_empty());
}

#[test]
fn a_one_way_cut_stops_one_way() {
    let mut world = World::connected_with(Toy {
        echo: true,
        ..Toy::default()
    });
    world.at(20_000).cut(B, A).tell(A, Order::Say(1));
    world.until(1_000_000);
    assert_eq!((world.numbers(B), world.numbers(A)), (vec![0], vec![]));
    world.heal();
    world.until(10_000_000);
    assert_eq!(world.numbers(A), [0]);
}

#[test]
fn heal_ends_all_faults_of_links_but_not_their_latency() {
    let mut world = World::connected();
    *link(&mut world) = crate::sim::network::Link {
        latency: Some(Span::ms(1)),
        cut: true,
        delay: Span::ms(5),
        loss_ppm: 1_000_000,
    };
    world.heal();
    world.at(20_000).tell(A, Order::Say(1));
    world.until(1_000_000);
    assert_eq!(world.messages(B), [(21_000, 0)]);
}

#[test]
fn connections_do_not_wait_for_each_other() {
    let mut world = World::new(1, 3, Toy::default());
    world.tell(A, Order::Connect(HostId(1)));
    world.until(10_000);
    world.tell(C, Order::Connect(HostId(1)));
    world.until(20_000);
    world.cut(A, B).tell(A, Order::Say(1)).tell(C, Order::Say(1));
    world.until(100_000);
    assert_eq!(world.messages(B), [(20_000 + WAY, 0)]);
}
