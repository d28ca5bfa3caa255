//! Random worlds under random faults: whatever happens, a connection gives an unbroken beginning of what was sent on it,
//! in order and once; and all of it, if nobody died and everything was healed.

use super::*;
use crate::ordered::OrderedMap;
use proptest::prelude::*;

const TOYS: u32 = 3;

#[derive(Clone, Debug)]
enum Deed {
    Say(u32, u64),
    Cut(u32, u32),
    Slow(u32, u32, u64),
    Lossy(u32, u32, u32),
    Heal,
    Freeze(u32),
    Thaw(u32),
    Close(u32),
    Hand(u32, u32, Hand, bool),
    Release,
    Halt(u32, Halt),
    PowerOff(u32),
    Start(u32),
}

/// What may happen to a world.
#[derive(Clone, Copy, Debug)]
struct Mercy {
    /// Nobody is halted and no connection closed.
    alive: bool,
    /// Single messages are not dropped, duplicated or reordered.
    whole: bool,
}

fn deed(mercy: Mercy) -> BoxedStrategy<Deed> {
    let toy = || 0..TOYS;
    let gentle = prop_oneof![
        Just(Hand::Hold),
        (0..50_000u64).prop_map(|us| Hand::Delay(Span::us(us)))
    ];
    let rough = prop_oneof![Just(Hand::Drop), Just(Hand::Duplicate), Just(Hand::Reorder)];
    let hand = if mercy.whole {
        gentle.boxed()
    } else {
        prop_oneof![gentle, rough].boxed()
    };
    let harmless = prop_oneof![
        6 => (toy(), 1..4u64).prop_map(|(who, times)| Deed::Say(who, times)),
        2 => (toy(), toy()).prop_map(|(from, to)| Deed::Cut(from, to)),
        1 => (toy(), toy(), 0..20_000u64).prop_map(|(from, to, us)| Deed::Slow(from, to, us)),
        1 => (toy(), toy(), 0..600_000u32).prop_map(|(from, to, ppm)| Deed::Lossy(from, to, ppm)),
        2 => Just(Deed::Heal),
        1 => toy().prop_map(Deed::Freeze),
        2 => toy().prop_map(Deed::Thaw),
        2 => (toy(), toy(), hand, any::<bool>()).prop_map(|(from, to, hand, next)| Deed::Hand(from, to, hand, next)),
        1 => Just(Deed::Release),
    ];
    let deadly = prop_oneof![
        toy().prop_map(Deed::Close),
        (toy(), prop_oneof![Just(Halt::Crash), Just(Halt::Exit)]).prop_map(|(who, how)| Deed::Halt(who, how)),
        toy().prop_map(Deed::PowerOff),
        toy().prop_map(Deed::Start),
        toy().prop_map(Deed::Start),
    ];
    if mercy.alive {
        harmless.boxed()
    } else {
        prop_oneof![4 => harmless, 1 => deadly].boxed()
    }
}

/// Deeds, each some microseconds after the one before.
fn schedule(mercy: Mercy) -> impl Strategy<Value = Vec<(u64, Deed)>> {
    let pause = prop_oneof![0..400u64, 0..30_000u64, 0..4_000_000u64];
    proptest::collection::vec((pause, deed(mercy)), 1..60)
}

fn start_world(seed: u64) -> World {
    let toy = Toy {
        echo: true,
        stubborn: true,
        ..Toy::default()
    };
    let mut world = World::new(seed, TOYS as usize, toy);
    for (from, to) in [(A, 1), (A, 2), (B, 2), (C, 0)] {
        world.tell(from, Order::Connect(HostId(to)));
    }
    world
}

impl World {
    fn act(&mut self, deed: &Deed) {
        match *deed {
            Deed::Say(who, times) => {
                self.tell(ProcId(who), Order::SayToAll(times));
            }
            Deed::Cut(from, to) => {
                self.cut(ProcId(from), ProcId(to));
            }
            Deed::Slow(from, to, us) => {
                self.sim.network_mut().link_mut(HostId(from), HostId(to)).delay = Span::us(us);
            }
            Deed::Lossy(from, to, ppm) => {
                self.sim.network_mut().link_mut(HostId(from), HostId(to)).loss_ppm = ppm;
            }
            Deed::Heal => {
                self.heal();
            }
            Deed::Freeze(who) => self.sim.freeze(ProcId(who)),
            Deed::Thaw(who) => self.sim.thaw(ProcId(who)),
            Deed::Close(who) => {
                if self.sim.status(ProcId(who)) == super::super::Status::Running
                    && !self.sim.process(ProcId(who)).lines.is_empty()
                {
                    self.tell(ProcId(who), Order::Close);
                }
            }
            Deed::Hand(from, to, hand, next) => {
                let pattern = pattern("any", ProcId(from), ProcId(to));
                if next {
                    self.sim.hand_on_next(pattern, hand);
                } else {
                    self.sim.hand_on(&pattern, hand, 1);
                }
            }
            Deed::Release => {
                self.sim.release(None);
            }
            Deed::Halt(who, how) => {
                self.halt(ProcId(who), how);
            }
            Deed::PowerOff(host) => self.sim.power_off(HostId(host)),
            Deed::Start(who) => {
                self.start(ProcId(who));
            }
        }
    }

    /// Plays the deeds, then mends everything and lets it settle. Returns the hash after each step.
    fn play(&mut self, deeds: &[(u64, Deed)]) -> Vec<u64> {
        let mut hashes = Vec::new();
        for (pause, deed) in deeds {
            let at = self.sim.now().as_us() + pause;
            self.run(at, &mut hashes);
            self.at(at).act(deed);
        }
        self.mend();
        // Hands that waited for a message may have taken one meanwhile.
        for _ in 0..20 {
            self.sim.release(None);
            let at = self.sim.now().as_us() + 300_000_000;
            self.run(at, &mut hashes);
        }
        hashes
    }

    fn run(&mut self, until: u64, hashes: &mut Vec<u64>) {
        while self.step(until) {
            hashes.push(self.sim.hash());
        }
        self.sim.pass_to(Time(until));
    }

    fn mend(&mut self) {
        self.heal();
        for id in self.sim.ids() {
            self.sim.thaw(id);
            self.start(id);
        }
    }

    /// What was heard on each line, in the order in which it was.
    fn lines(&self) -> OrderedMap<u64, Vec<u64>> {
        let mut lines: OrderedMap<u64, Vec<u64>> = OrderedMap::new();
        for (_, _, heard) in &self.heard {
            if let Heard::Message(line, n) = heard {
                lines.entry(*line).or_default().push(*n);
            }
        }
        lines
    }

    fn is_at_rest(&self) -> bool {
        self.sim.core.flights.is_empty() && self.sim.core.timers.is_empty()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn while_all_live_everything_arrives_in_order_and_once(
        seed in 0..1_000u64,
        deeds in schedule(Mercy { alive: true, whole: true }),
    ) {
        let mut world = start_world(seed);
        world.play(&deeds);
        let heard = world.lines();
        for id in world.sim.ids() {
            for line in &world.sim.process(id).lines {
                let expected: Vec<u64> = (0..line.said).collect();
                prop_assert_eq!(heard.get(&line.number).cloned().unwrap_or_default(), expected, "line {}", line.number);
            }
        }
        prop_assert_eq!(world.heard.iter().filter(|(_, _, heard)| *heard == Heard::Closed).count(), 0);
        prop_assert!(world.is_at_rest());
    }

    #[test]
    fn whoever_dies_a_connection_gives_an_unbroken_beginning(
        seed in 0..1_000u64,
        deeds in schedule(Mercy { alive: false, whole: true }),
    ) {
        let mut world = start_world(seed);
        world.play(&deeds);
        for (line, numbers) in world.lines() {
            let expected: Vec<u64> = (0..numbers.len() as u64).collect();
            prop_assert_eq!(numbers, expected, "line {}", line);
        }
        prop_assert!(world.is_at_rest());
        // Only what somebody still holds is left.
        for (_, conn) in world.sim.core.conns.iter() {
            prop_assert!(conn.opener.open || conn.accepter.open);
        }
    }

    #[test]
    fn rough_hands_break_no_more_than_they_touch(
        seed in 0..1_000u64,
        deeds in schedule(Mercy { alive: true, whole: false }),
    ) {
        let rough = |deed: &&(u64, Deed)| {
            matches!(deed.1, Deed::Hand(_, _, Hand::Drop | Hand::Duplicate | Hand::Reorder, _))
        };
        let touched = deeds.iter().filter(rough).count();
        let mut world = start_world(seed);
        world.play(&deeds);
        prop_assert!(world.is_at_rest());
        let heard = world.lines();
        let mut broken = 0;
        for id in world.sim.ids() {
            for line in &world.sim.process(id).lines {
                let numbers = heard.get(&line.number).cloned().unwrap_or_default();
                let distinct: crate::ordered::OrderedSet<u64> = numbers.iter().copied().collect();
                let missing = line.said as usize - distinct.len();
                let twice = numbers.len() - distinct.len();
                let backwards = numbers.windows(2).filter(|pair| pair[1] < pair[0]).count();
                broken += missing + twice + backwards;
            }
        }
        prop_assert!(broken <= touched, "{broken} broken by {touched} hands");
    }

    #[test]
    fn a_world_goes_one_way_and_so_does_its_snapshot(
        seed in 0..1_000u64,
        deeds in schedule(Mercy { alive: false, whole: false }),
        split in 0..60usize,
    ) {
        let mut first = start_world(seed);
        let hashes = first.play(&deeds);
        prop_assert_eq!(&start_world(seed).play(&deeds), &hashes);
        // Cloned before one of its deeds, the original going on in between.
        let (before, after) = deeds.split_at(split.min(deeds.len()));
        let mut original = start_world(seed);
        let mut begun = Vec::new();
        for (pause, deed) in before {
            let at = original.sim.now().as_us() + pause;
            original.run(at, &mut begun);
            original.at(at).act(deed);
        }
        let mut snapshot = original.clone();
        let rest = original.play(after);
        prop_assert_eq!(&snapshot.play(after), &rest);
        begun.extend(rest);
        prop_assert_eq!(begun, hashes);
    }
}
