//! The kernel alone: five hosts that gossip at random times while links are cut and lossy, a process freezes and a host
//! loses power.

use brokerlab::sim::{Addr, ConnId, Ctx, Halt, Input, Payload, Process, Random, Sim, Span, Time, Wire};

const HOSTS: u32 = 5;
const PORT: u16 = 7;

#[derive(Clone, Debug)]
struct Gossip;

/// A rumour: how often it has been told.
#[derive(Clone, Debug)]
struct Rumour(u64);

impl Payload for Rumour {
    fn kind(&self) -> &'static str {
        "Rumour"
    }

    fn tag(&self) -> u8 {
        1
    }

    fn bytes(&self) -> u32 {
        64
    }
}

impl Wire for Gossip {
    type Msg = Rumour;
    type Timer = ();
    type Order = ();
    type Note = u64;
}

#[derive(Clone)]
struct Teller {
    random: Random,
    heard: u64,
    neighbour: Option<ConnId>,
}

impl Process for Teller {
    type Wire = Gossip;

    fn handle(&mut self, input: Input<Gossip>, ctx: &mut Ctx<'_, Gossip>) {
        match input {
            Input::Start => {
                ctx.listen(PORT);
                ctx.timer(Span::ms(1), ());
            }
            Input::Timer(()) => {
                match self.neighbour {
                    Some(neighbour) => ctx.send(neighbour, Rumour(self.heard)),
                    None => self.call_somebody(ctx),
                }
                ctx.timer(Span::us(self.random.between(100, 50_000)), ());
            }
            Input::Message(_, Rumour(told)) => {
                self.heard = self.heard.max(told) + 1;
                ctx.note(self.heard);
            }
            Input::Refused(conn) | Input::Closed(conn) => {
                if self.neighbour == Some(conn) {
                    self.neighbour = None;
                }
            }
            Input::Opened(_) | Input::Accepted(..) | Input::Order(()) => {}
        }
    }

    fn halt(&mut self, _: Halt) {
        self.heard = 0;
        self.neighbour = None;
    }
}

impl Teller {
    fn call_somebody(&mut self, ctx: &mut Ctx<'_, Gossip>) {
        let name = format!("host-{}", self.random.below(u64::from(HOSTS)));
        if let Some(host) = ctx.resolve(&name) {
            self.neighbour = Some(ctx.connect(Addr { host, port: PORT }));
        }
    }
}

/// The hash after each step of ten seconds.
pub fn play() -> Vec<u64> {
    let seed = 2026;
    let mut sim = Sim::new(seed);
    for number in 0..HOSTS {
        let name = format!("host-{number}");
        let host = sim.add_host(&name);
        let random = Random::named(seed, &name);
        let teller = sim.add(
            &name,
            host,
            Teller {
                random,
                heard: 0,
                neighbour: None,
            },
        );
        sim.start(teller);
    }
    let mut hashes = Vec::new();
    let mut trouble = Random::named(seed, "trouble");
    for second in 1..=10 {
        let now = Time(second * 1_000_000);
        while sim.step_until(now).is_some() {
            hashes.push(sim.hash());
        }
        sim.command(now);
        harm(&mut sim, &mut trouble);
        hashes.push(sim.hash());
    }
    hashes
}

/// One fault of six, or a repair.
fn harm(sim: &mut Sim<Teller>, trouble: &mut Random) {
    let victims: Vec<_> = sim.ids().collect();
    let victim = victims[trouble.below(u64::from(HOSTS)) as usize];
    let other = victims[trouble.below(u64::from(HOSTS)) as usize];
    let (from, to) = (sim.host_of(victim), sim.host_of(other));
    match trouble.below(6) {
        0 => sim.network_mut().link_mut(from, to).cut = true,
        1 => sim.network_mut().link_mut(from, to).loss_ppm = 300_000,
        2 => sim.halt(victim, Halt::Crash),
        3 => sim.power_off(from),
        4 => sim.freeze(victim),
        _ => {
            sim.network_mut().heal_all();
            sim.thaw(victim);
            sim.start(victim);
        }
    }
}
