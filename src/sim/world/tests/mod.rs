//! What the kernel promises, on toy processes: each does what it is told and reports all that it hears.

mod causes;
mod delivery;
mod hands;
mod handshake;
mod processes;
mod random_worlds;

use super::{Hand, Pattern, Sim, Step};
use crate::sim::{Addr, ConnId, Ctx, Halt, HostId, Input, Payload, ProcId, Process, Span, Time, TimerId, Wire};

/// Every toy process listens there.
const PORT: u16 = 7;

const A: ProcId = ProcId(0);
const B: ProcId = ProcId(1);
const C: ProcId = ProcId(2);

/// One way between two toys, and there and back, in microseconds.
const WAY: u64 = 300;
const ROUND: u64 = 2 * WAY;

#[derive(Clone, Debug)]
struct Toys;

impl Wire for Toys {
    type Msg = Say;
    type Timer = u32;
    type Order = Order;
    type Note = Heard;
}

/// Number `n` of those that its sender sent on one connection, which has the number `line`.
#[derive(Clone, Debug)]
struct Say {
    kind: &'static str,
    line: u64,
    n: u64,
}

impl Payload for Say {
    fn kind(&self) -> &'static str {
        self.kind
    }
    fn tag(&self) -> u8 {
        u8::from(self.kind == "EchoResponse")
    }
    fn bytes(&self) -> u32 {
        1
    }
}

#[derive(Clone, Debug)]
enum Order {
    /// Connects to that host.
    Connect(HostId),
    /// Sends so many messages on its newest connection.
    Say(u64),
    /// Sends so many on each connection.
    SayToAll(u64),
    /// Closes its newest connection.
    Close,
    Listen(u16),
    Unlisten(u16),
    Timer(Span, u32),
    /// Cancels its newest timer when the next message comes.
    CancelOnMessage,
    Cancel,
    Disk,
    Exit,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Heard {
    Started,
    Opened,
    Refused,
    Accepted(ProcId),
    /// Line and number.
    Message(u64, u64),
    Closed,
    Timer(u32),
    Listens(bool),
    DiskDelay(u64),
}

/// Answers each `EchoRequest` with an `EchoResponse` if it is an echo; connects again when it loses a connection if it is
/// stubborn.
#[derive(Clone, Default)]
struct Toy {
    echo: bool,
    stubborn: bool,
    lines: Vec<Line>,
    next_line: u64,
    timers: Vec<TimerId>,
    cancel_on_message: bool,
}

#[derive(Clone, Copy)]
struct Line {
    conn: ConnId,
    number: u64,
    said: u64,
    to: Option<HostId>,
}

impl Process for Toy {
    type Wire = Toys;

    fn handle(&mut self, input: Input<Toys>, ctx: &mut Ctx<'_, Toys>) {
        let heard = match input {
            Input::Start => {
                ctx.listen(PORT);
                Heard::Started
            }
            Input::Timer(n) => Heard::Timer(n),
            Input::Opened(_) => Heard::Opened,
            Input::Refused(conn) => {
                self.lost(conn, ctx);
                Heard::Refused
            }
            Input::Accepted(conn, from) => {
                self.take(conn, None, ctx);
                Heard::Accepted(from)
            }
            Input::Message(conn, say) => {
                if self.echo && say.kind == "EchoRequest" {
                    self.say("EchoResponse", conn, ctx);
                }
                if self.cancel_on_message {
                    self.timers.drain(..).for_each(|timer| ctx.cancel(timer));
                }
                Heard::Message(say.line, say.n)
            }
            Input::Closed(conn) => {
                self.lost(conn, ctx);
                Heard::Closed
            }
            Input::Order(order) => return self.obey(order, ctx),
        };
        ctx.note(heard);
    }

    fn halt(&mut self, _: Halt) {
        let next_line = self.next_line;
        *self = Toy {
            echo: self.echo,
            stubborn: self.stubborn,
            next_line,
            ..Toy::default()
        };
    }
}

impl Toy {
    fn obey(&mut self, order: Order, ctx: &mut Ctx<'_, Toys>) {
        let newest = self.lines.last().map(|line| line.conn);
        match order {
            Order::Connect(host) => {
                let conn = ctx.connect(Addr { host, port: PORT });
                self.take(conn, Some(host), ctx);
            }
            Order::Say(times) => (0..times).for_each(|_| self.say("EchoRequest", newest.expect("a connection"), ctx)),
            Order::SayToAll(times) => {
                for conn in self.lines.iter().map(|line| line.conn).collect::<Vec<_>>() {
                    (0..times).for_each(|_| self.say("EchoRequest", conn, ctx));
                }
            }
            Order::Close => ctx.close(self.lines.pop().expect("a connection").conn),
            Order::Listen(port) => {
                ctx.listen(port);
                let listens = ctx.listens(port);
                ctx.note(Heard::Listens(listens));
            }
            Order::Unlisten(port) => ctx.unlisten(port),
            Order::Timer(after, n) => self.timers.push(ctx.timer(after, n)),
            Order::CancelOnMessage => self.cancel_on_message = true,
            Order::Cancel => ctx.cancel(self.timers.pop().expect("a timer")),
            Order::Disk => {
                let delay = ctx.disk().delay().as_us();
                ctx.note(Heard::DiskDelay(delay));
            }
            Order::Exit => ctx.exit(),
        }
    }

    /// Line numbers are unique in a world: the process's number counts millions, and a stubborn one that is refused
    /// takes a new line every millisecond.
    fn take(&mut self, conn: ConnId, to: Option<HostId>, ctx: &Ctx<'_, Toys>) {
        self.lines.push(Line {
            conn,
            number: u64::from(ctx.me().0) * 1_000_000 + self.next_line,
            said: 0,
            to,
        });
        self.next_line += 1;
    }

    fn lost(&mut self, conn: ConnId, ctx: &mut Ctx<'_, Toys>) {
        let place = self.lines.iter().position(|line| line.conn == conn);
        let line = self.lines.remove(place.expect("only own connections are heard of"));
        if let (true, Some(host)) = (self.stubborn, line.to) {
            self.obey(Order::Connect(host), ctx);
        }
    }

    fn say(&mut self, kind: &'static str, conn: ConnId, ctx: &mut Ctx<'_, Toys>) {
        let line = self.lines.iter_mut().find(|line| line.conn == conn);
        let line = line.expect("only own connections are heard of");
        let (number, n) = (line.number, line.said);
        line.said += 1;
        let say = Say { kind, line: number, n };
        ctx.send(conn, say);
    }
}

/// A world of toys, each on a host of its own, with a record of all that happened.
#[derive(Clone)]
struct World {
    sim: Sim<Toy>,
    heard: Vec<(u64, ProcId, Heard)>,
    steps: Vec<Step>,
}

impl World {
    /// That many started toys, named a, b, c ...
    fn new(seed: u64, toys: usize, toy: Toy) -> World {
        let mut sim = Sim::new(seed);
        for name in ["a", "b", "c", "d"].iter().take(toys) {
            let host = sim.add_host(name);
            let id = sim.add(name, host, toy.clone());
            sim.start(id);
        }
        let mut world = World {
            sim,
            heard: Vec::new(),
            steps: Vec::new(),
        };
        world.listen();
        world
    }

    /// a, connected to b for 10 ms.
    fn connected() -> World {
        World::connected_with(Toy::default())
    }

    fn connected_with(toy: Toy) -> World {
        let mut world = World::new(1, 2, toy);
        world.tell(A, Order::Connect(HostId(1)));
        world.until(10_000);
        assert_eq!(world.heard_by(A).last(), Some(&&Heard::Opened));
        world.heard.clear();
        world
    }

    fn listen(&mut self) {
        let now = self.sim.now().as_us();
        let notes = self.sim.take_notes();
        self.heard
            .extend(notes.into_iter().map(|(who, heard)| (now, who, heard)));
    }

    fn step(&mut self, limit: u64) -> bool {
        let Some(step) = self.sim.step_until(Time(limit)) else {
            return false;
        };
        assert_eq!(
            step.id,
            self.steps.last().map_or(step.id, |last| last.id + 1),
            "an event is missing"
        );
        self.steps.push(step);
        self.listen();
        true
    }

    /// Runs to that time in microseconds, including what happens then.
    fn until(&mut self, us: u64) {
        while self.step(us) {}
        self.sim.pass_to(Time(us));
    }

    /// Runs to that time and begins a command there.
    fn at(&mut self, us: u64) -> &mut World {
        self.until(us);
        let step = self.sim.command(Time(us));
        self.steps.push(step);
        self
    }

    fn tell(&mut self, who: ProcId, order: Order) -> &mut World {
        self.sim.order(who, order);
        self.listen();
        self
    }

    fn cut(&mut self, from: ProcId, to: ProcId) -> &mut World {
        let ends = (self.sim.host_of(from), self.sim.host_of(to));
        self.sim.network_mut().link_mut(ends.0, ends.1).cut = true;
        self
    }

    fn heal(&mut self) -> &mut World {
        self.sim.network_mut().heal_all();
        self
    }

    fn halt(&mut self, who: ProcId, how: Halt) -> &mut World {
        self.sim.halt(who, how);
        self
    }

    fn start(&mut self, who: ProcId) -> &mut World {
        self.sim.start(who);
        self.listen();
        self
    }

    /// Puts a hand on the first fitting message in flight, which must be there.
    fn hand(&mut self, from: ProcId, to: ProcId, hand: Hand) -> &mut World {
        assert!(
            self.sim.hand_on(&pattern("any", from, to), hand, 1),
            "nothing is in flight"
        );
        self
    }

    fn heard_by(&self, who: ProcId) -> Vec<&Heard> {
        let heard = self.heard.iter().filter(|(_, by, _)| *by == who);
        heard.map(|(_, _, heard)| heard).collect()
    }

    /// When it heard that.
    fn times(&self, who: ProcId, what: &Heard) -> Vec<u64> {
        let heard = self.heard.iter().filter(|(_, by, heard)| *by == who && heard == what);
        heard.map(|(at, ..)| *at).collect()
    }

    /// The numbers of the messages that it got, each with the time.
    fn messages(&self, who: ProcId) -> Vec<(u64, u64)> {
        let heard = self.heard.iter().filter(|(_, by, _)| *by == who);
        heard
            .filter_map(|(at, _, heard)| match heard {
                Heard::Message(_, n) => Some((*at, *n)),
                _ => None,
            })
            .collect()
    }

    fn numbers(&self, who: ProcId) -> Vec<u64> {
        self.messages(who).iter().map(|(_, n)| *n).collect()
    }
}

fn pattern(kind: &str, from: ProcId, to: ProcId) -> Pattern {
    Pattern {
        kind: kind.into(),
        from,
        to,
    }
}
