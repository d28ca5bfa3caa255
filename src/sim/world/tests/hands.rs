//! Hands on single messages.

use super::*;

#[test]
fn a_dropped_message_never_comes_and_the_rest_goes_on() {
    let mut world = World::connected();
    world.at(20_000).tell(A, Order::Say(3)).hand(A, B, Hand::Drop);
    world.until(2_000_000_000);
    assert_eq!(world.messages(B), [(20_000 + WAY, 1), (20_000 + WAY, 2)]);
    assert_eq!(world.heard_by(A), [&Heard::Started; 0]);
}

#[test]
fn a_held_message_holds_those_behind_it() {
    let mut world = World::connected();
    world.at(20_000).tell(A, Order::Say(2)).hand(A, B, Hand::Hold);
    world.at(25_000).tell(A, Order::Say(1));
    world.at(500_000).tell(B, Order::Say(1));
    world.until(1_000_000);
    assert_eq!(world.numbers(B), [0; 0]);
    assert_eq!(world.numbers(A), [0], "the other way is free");
    assert_eq!(world.sim.in_flight().filter(|flight| flight.waiting).count(), 3);
    assert_eq!(world.sim.release(None), 1);
    world.until(2_000_000);
    assert_eq!(world.messages(B), [(1_000_000, 0), (1_000_000, 1), (1_000_000, 2)]);
    assert_eq!(world.sim.release(None), 0);
}

#[test]
fn release_lets_go_of_what_fits() {
    let mut world = World::connected();
    world.at(20_000).tell(A, Order::Say(1)).tell(B, Order::Say(1));
    world.hand(A, B, Hand::Hold).hand(B, A, Hand::Hold);
    world.until(1_000_000);
    assert_eq!(world.sim.release(Some(&pattern("EchoResponse", A, B))), 0);
    assert_eq!(world.sim.release(Some(&pattern("Echo", A, B))), 1);
    world.until(2_000_000);
    assert_eq!((world.numbers(A), world.numbers(B)), (vec![], vec![0]));
}

#[test]
fn a_hand_can_drop_what_another_held() {
    let mut world = World::connected();
    world.at(20_000).tell(A, Order::Say(2)).hand(A, B, Hand::Hold);
    world.at(1_000_000).hand(A, B, Hand::Drop);
    world.until(2_000_000);
    assert_eq!(world.messages(B), [(1_000_000, 1)]);
}

#[test]
fn a_delayed_message_delays_those_behind_it() {
    let mut world = World::connected();
    world
        .at(20_000)
        .tell(A, Order::Say(2))
        .hand(A, B, Hand::Delay(Span::ms(7)));
    world.at(20_100).tell(A, Order::Say(1));
    world.until(2_000_000);
    let at = 20_000 + WAY + 7_000;
    assert_eq!(world.messages(B), [(at, 0), (at, 1), (at, 2)]);
}

#[test]
fn a_duplicated_message_comes_twice() {
    let mut world = World::connected();
    world.at(20_000).tell(A, Order::Say(2)).hand(A, B, Hand::Duplicate);
    world.until(2_000_000);
    let at = 20_000 + WAY;
    assert_eq!(world.messages(B), [(at, 0), (at, 0), (at, 1)]);
}

#[test]
fn a_duplicate_does_not_follow_the_end_of_the_connection() {
    let mut world = World::connected();
    world.at(20_000).tell(A, Order::Say(1)).tell(A, Order::Close);
    world.hand(A, B, Hand::Duplicate);
    world.until(2_000_000);
    let message = Heard::Message(0, 0);
    assert_eq!(world.heard_by(B), [&message, &message, &Heard::Closed]);
}

#[test]
fn reordered_messages_change_places() {
    let mut world = World::connected();
    world.at(20_000).tell(A, Order::Say(1));
    world.at(20_100).tell(A, Order::Say(2)).hand(A, B, Hand::Reorder);
    world.until(2_000_000);
    let (first, second) = (20_000 + WAY, 20_100 + WAY);
    assert_eq!(world.messages(B), [(first, 1), (second, 0), (second, 2)]);
}

#[test]
fn with_nothing_behind_it_a_message_waits_to_be_overtaken() {
    let mut world = World::connected();
    world.at(20_000).tell(A, Order::Say(1)).hand(A, B, Hand::Reorder);
    world.at(900_000).tell(A, Order::Say(2));
    world.until(2_000_000);
    let at = 900_000 + WAY;
    assert_eq!(world.messages(B), [(at, 1), (at, 0), (at, 2)]);
}

#[test]
fn a_message_that_waits_to_be_overtaken_can_be_released() {
    let mut world = World::connected();
    world.at(20_000).tell(A, Order::Say(1)).hand(A, B, Hand::Reorder);
    world.until(900_000);
    assert_eq!(world.sim.release(None), 1);
    world.until(950_000);
    world.tell(A, Order::Say(1));
    world.until(2_000_000);
    assert_eq!(world.messages(B), [(900_000, 0), (950_000 + WAY, 1)]);
}

#[test]
fn the_end_of_the_connection_overtakes_nothing() {
    let mut world = World::connected();
    world.at(20_000).tell(A, Order::Say(2));
    assert!(world.sim.hand_on(&pattern("any", A, B), Hand::Reorder, 2));
    world.at(20_010).tell(A, Order::Close).hand(A, B, Hand::Reorder);
    world.until(2_000_000);
    let (first, second) = (Heard::Message(0, 1), Heard::Message(0, 0));
    assert_eq!(world.heard_by(B), [&first, &second, &Heard::Closed]);
    let mut world = World::connected();
    world
        .at(20_000)
        .tell(A, Order::Say(1))
        .tell(A, Order::Close)
        .hand(A, B, Hand::Reorder);
    world.until(2_000_000);
    assert_eq!(world.heard_by(B), [&Heard::Message(0, 0), &Heard::Closed]);
}

/// Freed places of the slab are taken in reverse: what counts is the order of sending.
#[test]
fn the_nth_is_counted_in_the_order_of_sending() {
    for (nth, left) in [(0, [3, 4]), (1, [3, 4]), (2, [2, 4]), (3, [2, 3])] {
        let mut world = World::connected();
        world.at(20_000).tell(A, Order::Say(2));
        world.at(30_000).tell(A, Order::Say(3));
        assert!(world.sim.hand_on(&pattern("any", A, B), Hand::Drop, nth));
        world.until(2_000_000);
        assert_eq!(world.numbers(B)[2..], left, "nth {nth}");
    }
}

#[test]
fn a_pattern_names_kind_and_direction() {
    let mut world = World::connected_with(Toy {
        echo: true,
        ..Toy::default()
    });
    world.at(20_000).tell(A, Order::Say(1));
    let hand =
        |world: &mut World, kind, from, to| world.sim.hand_on(&pattern(kind, from, to), Hand::Delay(Span::ZERO), 1);
    for (kind, fits) in [
        ("EchoRequest", true),
        ("Echo", true),
        ("any", true),
        ("EchoResponse", false),
        ("E", false),
    ] {
        assert_eq!(hand(&mut world, kind, A, B), fits, "{kind}");
        assert!(!hand(&mut world, kind, B, A), "{kind}");
    }
    world.until(20_000 + WAY);
    assert!(hand(&mut world, "Echo", B, A) && hand(&mut world, "EchoResponse", B, A));
    assert!(!hand(&mut world, "EchoRequest", B, A) && !hand(&mut world, "any", A, B));
    assert!(!world.sim.hand_on(&pattern("any", B, A), Hand::Drop, 2));
}

#[test]
fn a_hand_waits_for_the_next_message() {
    let numbers = |hand: Hand| {
        let mut world = World::connected_with(Toy {
            echo: true,
            ..Toy::default()
        });
        world.at(20_000).tell(A, Order::Say(1));
        world.sim.hand_on_next(pattern("EchoRequest", A, B), hand);
        world.at(30_000).tell(B, Order::Say(1));
        world.at(40_000).tell(A, Order::Say(3));
        world.until(2_000_000);
        world.numbers(B).into_iter().filter(|n| *n < 100).collect::<Vec<_>>()
    };
    // One message before, B's own and its echo, three behind: the hand takes the first of the three.
    assert_eq!(numbers(Hand::Drop), [0, 1, 3, 4]);
    assert_eq!(numbers(Hand::Duplicate), [0, 1, 2, 2, 3, 4]);
    assert_eq!(numbers(Hand::Reorder), [0, 1, 3, 2, 4]);
    assert_eq!(numbers(Hand::Delay(Span::ms(9))), [0, 1, 2, 3, 4]);
    assert_eq!(numbers(Hand::Hold), [0, 1]);
}

#[test]
fn each_waiting_hand_takes_one_message() {
    let mut world = World::connected();
    for _ in 0..2 {
        world.sim.hand_on_next(pattern("any", A, B), Hand::Drop);
    }
    world.at(20_000).tell(A, Order::Say(3));
    world.until(2_000_000);
    assert_eq!(world.numbers(B), [2]);
}

#[test]
fn one_message_by_its_number() {
    let mut world = World::connected();
    world.at(20_000).tell(A, Order::Say(2));
    let flights: Vec<(u64, u64)> = world.sim.in_flight().map(|flight| (flight.id, flight.msg.n)).collect();
    let (id, _) = flights.iter().find(|(_, n)| *n == 1).expect("two are in flight");
    assert!(world.sim.hand_on_flight(*id, Hand::Drop));
    assert!(!world.sim.hand_on_flight(*id, Hand::Drop));
    world.until(2_000_000);
    assert_eq!(world.numbers(B), [0]);
}

#[test]
fn what_is_in_flight_shows_when_it_is_due() {
    let mut world = World::connected();
    world.at(20_000).tell(A, Order::Say(1));
    let seen: Vec<_> = world
        .sim
        .in_flight()
        .map(|f| (f.from, f.to, f.sent.as_us(), f.due.as_us(), f.waiting))
        .collect();
    assert_eq!(seen, [(A, Some(B), 20_000, 20_000 + WAY, false)]);
    world.cut(A, B);
    world.until(100_000);
    let waits: Vec<_> = world.sim.in_flight().map(|f| (f.due.as_us(), f.waiting)).collect();
    assert_eq!(waits, [(20_000 + WAY + 200_000, true)]);
}
