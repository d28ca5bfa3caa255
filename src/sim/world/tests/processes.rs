//! Processes that are frozen, thawed, crash, leave and come back; their timers.

use super::*;
use crate::sim::world::Status;

#[test]
fn timers_come_in_the_order_of_time_then_of_setting() {
    let mut world = World::new(1, 1, Toy::default());
    for (after, n) in [(30, 1), (10, 2), (30, 3), (0, 4)] {
        world.tell(A, Order::Timer(Span::us(after), n));
    }
    world.until(1_000);
    let heard: Vec<_> = world.heard[1..]
        .iter()
        .map(|(at, _, heard)| (*at, heard.clone()))
        .collect();
    let expected = [(0, 4), (10, 2), (30, 1), (30, 3)].map(|(at, n)| (at, Heard::Timer(n)));
    assert_eq!(heard, expected);
}

#[test]
fn a_cancelled_timer_does_not_fire() {
    let mut world = World::new(1, 1, Toy::default());
    world
        .tell(A, Order::Timer(Span::ms(1), 1))
        .tell(A, Order::Timer(Span::ms(1), 2));
    world.tell(A, Order::Cancel);
    world.until(1_000_000);
    assert_eq!(world.heard_by(A)[1..], [&Heard::Timer(1)]);
    // It has fired: nothing to cancel, and nobody else's timer is hit.
    world.tell(A, Order::Timer(Span::ms(1), 3));
    world.until(1_500_000);
    world.tell(A, Order::Cancel).tell(A, Order::Timer(Span::ms(1), 4));
    world.until(2_000_000);
    assert_eq!(world.times(A, &Heard::Timer(4)), [1_501_000]);
}

#[test]
fn cancelled_timers_do_not_fill_the_queue() {
    let mut world = World::new(1, 1, Toy::default());
    world.tell(A, Order::Timer(Span::secs(1), 1));
    for n in 0..10_000 {
        world.tell(A, Order::Timer(Span::secs(30), n)).tell(A, Order::Cancel);
    }
    assert!(
        world.sim.core.queue.len() < 600,
        "{} things are due",
        world.sim.core.queue.len()
    );
    assert_eq!(world.sim.next_time(), Some(Time(1_000_000)));
}

#[test]
fn a_crash_drops_timers_ports_and_connections() {
    let mut world = World::connected();
    world.tell(B, Order::Timer(Span::ms(50), 1)).halt(B, Halt::Crash);
    assert_eq!(world.sim.status(B), Status::Down(Some(Halt::Crash)));
    assert_eq!(world.sim.since(B), Time(10_000));
    world.until(20_000);
    world.tell(A, Order::Connect(HostId(1)));
    world.until(30_000);
    assert_eq!(world.heard_by(A), [&Heard::Closed, &Heard::Refused]);
    world.start(B);
    world.until(1_000_000);
    assert_eq!(world.heard_by(B), [&Heard::Started]);
    assert_eq!(world.sim.status(B), Status::Running);
}

#[test]
fn who_is_down_hears_nothing() {
    let mut world = World::new(1, 2, Toy::default());
    world.halt(A, Halt::Crash).tell(A, Order::Listen(9));
    world.sim.freeze(A);
    world.sim.thaw(A);
    world.halt(A, Halt::PowerLoss);
    assert_eq!(world.sim.status(A), Status::Down(Some(Halt::Crash)));
    assert_eq!(world.heard_by(A), [&Heard::Started]);
}

#[test]
fn who_leaves_closes_its_connections() {
    let mut world = World::connected();
    world.at(20_000).tell(A, Order::Say(1)).tell(A, Order::Exit);
    world.until(1_000_000);
    assert_eq!(world.sim.status(A), Status::Down(Some(Halt::Exit)));
    assert_eq!(world.heard_by(B), [&Heard::Message(0, 0), &Heard::Closed]);
}

#[test]
fn the_power_of_a_host_is_that_of_all_its_processes() {
    let mut world = World::new(1, 2, Toy::default());
    let second = world.sim.add("second", HostId(0), Toy::default());
    world.start(second);
    world.sim.power_off(HostId(0));
    assert_eq!(world.sim.status(A), Status::Down(Some(Halt::PowerLoss)));
    assert_eq!(world.sim.status(second), Status::Down(Some(Halt::PowerLoss)));
    assert_eq!(world.sim.status(B), Status::Running);
    assert!(!world.sim.network().host(HostId(0)).up);
    world.start(second);
    assert!(world.sim.network().host(HostId(0)).up);
    assert_eq!(world.sim.status(A), Status::Down(Some(Halt::PowerLoss)));
}

#[test]
fn the_kernel_of_a_frozen_process_accepts_for_it() {
    let mut world = World::new(1, 2, Toy::default());
    world.sim.freeze(B);
    world.tell(A, Order::Connect(HostId(1)));
    world.until(10_000);
    assert_eq!(world.heard_by(A).last(), Some(&&Heard::Opened));
    world.tell(A, Order::Say(2));
    world.until(100_000);
    assert_eq!(world.heard_by(B), [&Heard::Started]);
    world.sim.thaw(B);
    world.until(200_000);
    let (first, second) = (Heard::Message(0, 0), Heard::Message(0, 1));
    assert_eq!(world.heard_by(B)[1..], [&Heard::Accepted(A), &first, &second]);
    assert!(
        world
            .heard
            .iter()
            .all(|(at, who, _)| *who == A || [0, 100_000].contains(at))
    );
}

#[test]
fn a_thawed_process_hears_all_in_the_order_in_which_it_came() {
    let mut world = World::connected();
    world.tell(B, Order::Timer(Span::ms(20), 1));
    world.sim.freeze(B);
    world.at(20_000).tell(A, Order::Say(1));
    world.at(40_000).tell(A, Order::Say(1));
    world.at(50_000).tell(B, Order::Timer(Span::ms(5), 2));
    world.at(60_000).tell(A, Order::Close);
    world.until(70_000);
    assert_eq!(world.heard_by(B), [&Heard::Started; 0]);
    world.sim.thaw(B);
    world.until(100_000);
    let (first, second) = (Heard::Message(0, 0), Heard::Message(0, 1));
    let expected = [&first, &Heard::Timer(1), &second, &Heard::Closed, &Heard::Timer(2)];
    assert_eq!(world.heard_by(B), expected);
    // The order waited as well: its timer began to run at the thaw.
    assert_eq!(world.times(B, &Heard::Timer(2)), [75_000]);
}

/// What is due in the moment of the thaw, and was scheduled before it, still comes behind what came earlier.
#[test]
fn nothing_new_comes_before_the_backlog() {
    let mut world = World::connected();
    world.sim.freeze(B);
    world.at(20_000).tell(A, Order::Say(2));
    let thaw = 40_000 + WAY;
    world.at(40_000).tell(A, Order::Say(2));
    world.until(thaw - 1);
    let step = world.sim.command(Time(thaw));
    world.steps.push(step);
    world.sim.thaw(B);
    world.tell(B, Order::Listen(99));
    world.until(thaw);
    let message = |n| Heard::Message(0, n);
    assert_eq!(world.numbers(B), [0, 1, 2, 3]);
    assert_eq!(world.heard_by(B)[..2], [&message(0), &message(1)]);
    assert!(world.heard_by(B).contains(&&Heard::Listens(true)));
}

#[test]
fn a_process_can_be_frozen_in_the_middle_of_its_backlog() {
    let mut world = World::connected();
    world.sim.freeze(B);
    world.at(20_000).tell(A, Order::Say(3));
    world.until(30_000);
    world.sim.thaw(B);
    assert!(world.step(30_000));
    world.sim.freeze(B);
    assert_eq!(world.sim.next_time(), None);
    world.until(40_000);
    assert_eq!(world.numbers(B), [0]);
    world.sim.thaw(B);
    world.until(50_000);
    assert_eq!(world.messages(B)[1..], [(40_000, 1), (40_000, 2)]);
}

/// An event loop looks at its timers when it runs: one that it cancels first does not fire, however late it is.
#[test]
fn a_timer_that_ran_out_during_a_freeze_can_still_be_cancelled() {
    let mut world = World::connected();
    world
        .tell(B, Order::Timer(Span::ms(30), 1))
        .tell(B, Order::CancelOnMessage);
    world.sim.freeze(B);
    world.at(20_000).tell(A, Order::Say(1));
    world.until(50_000);
    world.sim.thaw(B);
    world.until(100_000);
    assert_eq!(world.heard_by(B), [&Heard::Message(0, 0)]);
}

#[test]
fn a_frozen_process_can_be_killed() {
    let mut world = World::connected();
    world.sim.freeze(B);
    world
        .at(20_000)
        .tell(A, Order::Say(2))
        .tell(B, Order::Timer(Span::ms(1), 1));
    world.until(30_000);
    world.halt(B, Halt::Crash).start(B);
    world.sim.thaw(B);
    world.until(100_000);
    assert_eq!(world.heard_by(B), [&Heard::Started]);
    assert_eq!(world.heard_by(A), [&Heard::Closed]);
}

#[test]
fn disks_are_ok_slow_or_full() {
    use crate::sim::disk::DiskMode;
    let mut world = World::new(1, 1, Toy::default());
    assert!(!world.sim.network().host(HostId(0)).disk.is_full());
    world.sim.network_mut().host_mut(HostId(0)).disk = DiskMode::Slow(Span::ms(4));
    world.tell(A, Order::Disk);
    world.sim.network_mut().host_mut(HostId(0)).disk = DiskMode::Full;
    world.tell(A, Order::Disk);
    assert!(world.sim.network().host(HostId(0)).disk.is_full());
    assert_eq!(world.heard_by(A)[1..], [&Heard::DiskDelay(4_000), &Heard::DiskDelay(0)]);
}
