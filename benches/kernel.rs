//! The kernel against a bare binary heap that pushes and pops as many events, in the same run.
//!
//! Two worlds: `ping-pong`, where each event is a message that is answered, and `busy`, where each message also sets a
//! time-out that is cancelled by the answer and leaves an observation, as a real client's and broker's do.

use brokerlab::sim::{Addr, ConnId, Ctx, Halt, HostId, Input, Payload, ProcId, Process, Sim, Span, TimerId, Wire};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;
use std::time::Instant;

const EVENTS: u64 = 2_000_000;
const CLIENTS: u32 = 8;
/// Messages that each client has under way.
const WINDOW: u64 = 5;
const PORT: u16 = 7;
/// Each figure is the best of so many.
const ROUNDS: u32 = 5;

fn main() {
    let in_flight = u64::from(CLIENTS) * WINDOW;
    let bare = best(|| bare_heap(in_flight));
    report("bare binary heap", bare, bare);
    report("kernel, ping-pong", best(|| world(false)), bare);
    report("kernel, busy", best(|| world(true)), bare);
}

/// Nanoseconds per event, of the best round: the others were disturbed.
fn best(round: impl Fn() -> u64) -> f64 {
    let times = (0..ROUNDS).map(|_| {
        let start = Instant::now();
        let events = round();
        start.elapsed().as_nanos() as f64 / events as f64
    });
    times.fold(f64::INFINITY, f64::min)
}

fn report(what: &str, each: f64, bare: f64) {
    let per_second = 1_000.0 / each;
    println!(
        "{what:<20} {each:>7.1} ns/event  {per_second:>6.2} M events/s  {:>5.1} x bare",
        each / bare
    );
}

/// Takes the first of `size` events and puts it back a little later, `EVENTS` times.
fn bare_heap(size: u64) -> u64 {
    let mut heap: BinaryHeap<Reverse<(u64, u64)>> = (0..size).map(|n| Reverse((n * 7, n))).collect();
    for order in size..size + EVENTS {
        if let Some(Reverse((at, _))) = heap.pop() {
            heap.push(Reverse((at + 300 + order % 3, order)));
        }
    }
    black_box(heap.len());
    EVENTS
}

fn world(busy: bool) -> u64 {
    let mut sim = Sim::new(1);
    let hosts: Vec<HostId> = (0..=CLIENTS).map(|n| sim.add_host(&format!("h{n}"))).collect();
    for (n, host) in hosts.iter().enumerate() {
        let player = Player {
            server: (n > 0).then_some(hosts[0]),
            busy,
            timer: None,
            count: 0,
        };
        let id: ProcId = sim.add(&format!("p{n}"), *host, player);
        sim.start(id);
    }
    while sim.events() < EVENTS {
        black_box(sim.step());
    }
    sim.events()
}

#[derive(Clone, Debug)]
struct Game;

impl Wire for Game {
    type Msg = Ball;
    type Timer = ();
    type Order = ();
    type Note = u64;
}

/// As large as a real message: a header and a pointer to the rest.
#[derive(Clone, Debug)]
struct Ball {
    number: u64,
    _header: [u64; 4],
}

impl Payload for Ball {
    fn kind(&self) -> &'static str {
        "Ball"
    }
    fn tag(&self) -> u8 {
        1
    }
    fn bytes(&self) -> u32 {
        64
    }
}

#[derive(Clone)]
struct Player {
    server: Option<HostId>,
    busy: bool,
    timer: Option<TimerId>,
    count: u64,
}

impl Player {
    fn play(&mut self, conn: ConnId, number: u64, ctx: &mut Ctx<'_, Game>) {
        let ball = Ball {
            number,
            _header: [number; 4],
        };
        ctx.send(conn, ball);
        if self.busy {
            let old = self.timer.replace(ctx.timer(Span::secs(30), ()));
            old.into_iter().for_each(|timer| ctx.cancel(timer));
            ctx.note(number);
        }
    }
}

impl Process for Player {
    type Wire = Game;

    fn handle(&mut self, input: Input<Game>, ctx: &mut Ctx<'_, Game>) {
        match input {
            Input::Start => match self.server {
                Some(host) => {
                    ctx.connect(Addr { host, port: PORT });
                }
                None => ctx.listen(PORT),
            },
            Input::Opened(conn) => (0..WINDOW).for_each(|number| self.play(conn, number, ctx)),
            Input::Message(conn, ball) => {
                self.count += 1;
                self.play(conn, ball.number + 1, ctx);
            }
            _ => {}
        }
    }

    fn halt(&mut self, _: Halt) {}
}
