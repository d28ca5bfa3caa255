//! People with browsers, and programs with curl: so many clients of one server, each with its own connection.
//!
//! A client asks, reads the answer at its pace, thinks, and asks again; or it asks only when it is told to.

use super::histogram::Histogram;
use super::http::{Msg, Request, Response};
use super::note::{Fact, Failure};
use super::wire::{Ctx, HTTP_PORT, Input, Order, Serving, Timer};
use crate::ordered::OrderedMap;
use crate::sim::{ConnId, Halt, Process, Span, Time, TimerId};
use std::rc::Rc;

/// How much a slow reader takes at a time.
const READ_AT_ONCE: u32 = 16 * 1024;

/// How clients behave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientSettings {
    /// Whom they ask: `host` or `host:port`.
    pub target: Rc<str>,
    /// The forward proxy they are configured with.
    pub proxy: Option<Rc<str>>,
    /// So many ask by themselves, again and again; none: they wait to be told.
    pub clients: u32,
    /// Between an answer and the next request, on the kept connection.
    pub think: Span,
    /// Over how long their first requests are spread; zero: all ask at once.
    pub spread: Span,
    pub keep_alive: bool,
    pub timeout: Span,
    /// Bytes per second; none: as fast as they come.
    pub read_rate: Option<u32>,
    /// They send a byte of their request's head this often, and never its end.
    pub drip: Option<Span>,
    pub ask: Ask,
}

impl ClientSettings {
    pub fn new(target: &str) -> ClientSettings {
        ClientSettings {
            target: target.into(),
            proxy: None,
            clients: 0,
            think: Span::secs(1),
            spread: Span::ZERO,
            keep_alive: true,
            timeout: Span::secs(60),
            read_rate: None,
            drip: None,
            ask: Ask::get("/"),
        }
    }
}

/// One request to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    pub method: Rc<str>,
    pub uri: Rc<str>,
    pub body: u32,
}

impl Ask {
    pub fn get(uri: &str) -> Ask {
        Ask {
            method: "GET".into(),
            uri: uri.into(),
            body: 0,
        }
    }
}

/// What somebody outside tells the clients.
#[derive(Clone, Debug)]
pub enum ClientOrder {
    /// One of them asks, once, under that number of the ledger.
    Ask { request: u32, ask: Ask },
    /// Those that ask by themselves stop.
    Stop,
}

/// What a client's timer says.
#[derive(Clone, Debug)]
pub enum ClientTimer {
    /// It asks.
    Next(u32),
    /// It has waited long enough for that request.
    Late(u32, u32),
    Drip(u32),
    /// It has read so many bytes.
    Read(u32, u32),
}

/// A request under way.
#[derive(Clone, Debug)]
struct Waiting {
    request: Rc<Request>,
    began: Time,
    late: TimerId,
    /// Once more on a new connection, if the kept one turns out to be closed.
    again: bool,
    length: Option<u32>,
    status: u16,
    received: u32,
    read: u32,
    reading: bool,
}

/// One client.
#[derive(Clone, Debug, Default)]
struct User {
    conn: Option<ConnId>,
    open: bool,
    waiting: Option<Waiting>,
    /// Asks by itself.
    repeats: bool,
    /// The server closes after this answer.
    closing: bool,
}

/// The clients.
#[derive(Clone, Debug)]
pub struct Clients {
    settings: Rc<ClientSettings>,
    users: OrderedMap<u32, User>,
    by_conn: OrderedMap<ConnId, u32>,
    next_user: u32,
    next_request: u32,
    stopped: bool,
    /// From request to the whole answer.
    pub latencies: Histogram,
    pub sent: u64,
    pub answered: u64,
    pub failed: u64,
}

impl Clients {
    pub fn new(settings: ClientSettings) -> Clients {
        Clients {
            settings: Rc::new(settings),
            users: OrderedMap::new(),
            by_conn: OrderedMap::new(),
            next_user: 0,
            next_request: 0,
            stopped: false,
            latencies: Histogram::default(),
            sent: 0,
            answered: 0,
            failed: 0,
        }
    }

    pub fn settings(&self) -> &ClientSettings {
        &self.settings
    }

    /// How many wait for an answer, and how many of them have no connection yet.
    pub fn waiting(&self) -> (usize, usize) {
        let waiting = self.users.values().filter(|user| user.waiting.is_some());
        let not_open = waiting.clone().filter(|user| !user.open).count();
        (waiting.count(), not_open)
    }

    fn start(&mut self, ctx: &mut Ctx<'_>) {
        let clients = self.settings.clients;
        for number in 0..clients {
            let id = self.add_user(true);
            let wait = self.settings.spread.as_us() * u64::from(number) / u64::from(clients);
            match wait {
                0 => self.begin(id, ctx),
                _ => {
                    ctx.timer(Span::us(wait), Timer::Client(ClientTimer::Next(id)));
                }
            }
        }
    }

    fn begin(&mut self, id: u32, ctx: &mut Ctx<'_>) {
        match self.settings.drip {
            Some(_) => self.connect(id, ctx),
            None => self.ask_by_itself(id, ctx),
        }
    }

    fn add_user(&mut self, repeats: bool) -> u32 {
        let id = self.next_user;
        self.next_user += 1;
        self.users.insert(
            id,
            User {
                repeats,
                ..User::default()
            },
        );
        id
    }

    /// The numbers of requests that nobody outside has given: each client process has a range of its own.
    fn own_number(&mut self, ctx: &Ctx<'_>) -> u32 {
        let number = self.next_request;
        self.next_request += 1;
        ((ctx.me().0 + 1) << 20) | (number & 0xf_ffff)
    }

    fn ask_by_itself(&mut self, id: u32, ctx: &mut Ctx<'_>) {
        let number = self.own_number(ctx);
        let ask = self.settings.ask.clone();
        self.ask(id, number, &ask, ctx);
    }

    fn ask(&mut self, id: u32, number: u32, ask: &Ask, ctx: &mut Ctx<'_>) {
        let settings = self.settings.clone();
        let connect = &*ask.method == "CONNECT";
        let request = Request {
            id: number,
            method: ask.method.clone(),
            host: settings.target.clone(),
            uri: if connect {
                settings.target.clone()
            } else {
                ask.uri.clone()
            },
            absolute: settings.proxy.is_some() && !connect,
            body: ask.body,
            keep_alive: settings.keep_alive,
            forwarded_for: Rc::from([]),
            via: Rc::from([]),
            real_ip: None,
        };
        let late = ctx.timer(settings.timeout, Timer::Client(ClientTimer::Late(id, number)));
        let Some(user) = self.users.get_mut(&id) else { return };
        user.waiting = Some(Waiting {
            request: Rc::new(request),
            began: ctx.now(),
            late,
            again: user.open,
            length: None,
            status: 0,
            received: 0,
            read: 0,
            reading: false,
        });
        self.sent += 1;
        ctx.note(Fact::Asked { request: number }.into());
        if self.users.get(&id).is_some_and(|user| user.open) {
            self.send(id, ctx);
        } else {
            self.connect(id, ctx);
        }
    }

    fn connect(&mut self, id: u32, ctx: &mut Ctx<'_>) {
        let at = self.settings.proxy.as_ref().unwrap_or(&self.settings.target);
        let (name, port) = match at.rsplit_once(':') {
            Some((name, port)) => (name, port.parse().unwrap_or(HTTP_PORT)),
            None => (&**at, HTTP_PORT),
        };
        let Some(ip) = ctx.look_up(name) else {
            return self.fail(id, Failure::UnknownHost, ctx);
        };
        let conn = ctx.dial(ip, port);
        self.by_conn.insert(conn, id);
        if let Some(user) = self.users.get_mut(&id) {
            user.conn = Some(conn);
            user.open = false;
        }
    }

    fn opened(&mut self, id: u32, ctx: &mut Ctx<'_>) {
        if let Some(user) = self.users.get_mut(&id) {
            user.open = true;
        }
        match self.settings.drip {
            Some(_) => self.drip(id, ctx),
            None => self.send(id, ctx),
        }
    }

    fn send(&mut self, id: u32, ctx: &mut Ctx<'_>) {
        let Some(user) = self.users.get(&id) else { return };
        let (Some(conn), Some(waiting)) = (user.conn, &user.waiting) else {
            return;
        };
        ctx.send(conn, Msg::Request(waiting.request.clone()));
        if waiting.request.body > 0 {
            let bytes = waiting.request.body;
            ctx.send(conn, Msg::Body { bytes, last: true });
        }
    }

    fn drip(&mut self, id: u32, ctx: &mut Ctx<'_>) {
        let Some(every) = self.settings.drip else { return };
        if let Some(conn) = self.users.get(&id).and_then(|user| user.conn) {
            ctx.send(conn, Msg::HeadPart);
            ctx.timer(every, Timer::Client(ClientTimer::Drip(id)));
        }
    }

    fn response(&mut self, id: u32, head: &Response, ctx: &mut Ctx<'_>) {
        let Some(user) = self.users.get_mut(&id) else { return };
        user.closing = !head.keep_alive;
        let Some(waiting) = &mut user.waiting else { return };
        waiting.length = Some(head.length);
        waiting.status = head.status;
        self.received(id, head.first, ctx);
    }

    /// More of the answer is in the buffer.
    fn received(&mut self, id: u32, bytes: u32, ctx: &mut Ctx<'_>) {
        let Some(waiting) = self.users.get_mut(&id).and_then(|user| user.waiting.as_mut()) else {
            return;
        };
        waiting.received = waiting.received.saturating_add(bytes);
        match self.settings.read_rate {
            None => self.have_read(id, bytes, ctx),
            Some(_) => self.read_slowly(id, ctx),
        }
    }

    fn read_slowly(&mut self, id: u32, ctx: &mut Ctx<'_>) {
        let rate = u64::from(self.settings.read_rate.unwrap_or(u32::MAX).max(1));
        let Some(waiting) = self.users.get_mut(&id).and_then(|user| user.waiting.as_mut()) else {
            return;
        };
        let bytes = (waiting.received - waiting.read).min(READ_AT_ONCE);
        if bytes > 0 && !std::mem::replace(&mut waiting.reading, true) {
            let takes = Span::us(u64::from(bytes) * 1_000_000 / rate);
            ctx.timer(takes, Timer::Client(ClientTimer::Read(id, bytes)));
        } else if bytes == 0 {
            self.have_read(id, 0, ctx);
        }
    }

    fn have_read(&mut self, id: u32, bytes: u32, ctx: &mut Ctx<'_>) {
        let Some(user) = self.users.get_mut(&id) else { return };
        let Some(waiting) = &mut user.waiting else { return };
        waiting.read = waiting.read.saturating_add(bytes);
        waiting.reading = false;
        let (whole, all_here) = (
            waiting.length == Some(waiting.read),
            waiting.length == Some(waiting.received),
        );
        if whole {
            return self.done(id, ctx);
        }
        if let Some(conn) = user.conn
            && !all_here
        {
            ctx.send(conn, Msg::Taken { bytes });
        }
        if self.settings.read_rate.is_some() && waiting.received > waiting.read {
            self.read_slowly(id, ctx);
        }
    }

    fn done(&mut self, id: u32, ctx: &mut Ctx<'_>) {
        let Some(waiting) = self.users.get_mut(&id).and_then(|user| user.waiting.take()) else {
            return;
        };
        ctx.cancel(waiting.late);
        let took_us = ctx.now().since(waiting.began).as_us();
        self.latencies.add(took_us);
        self.answered += 1;
        let fact = Fact::Answered {
            request: waiting.request.id,
            status: waiting.status,
            took_us,
        };
        ctx.note(fact.into());
        let tunnel = &*waiting.request.method == "CONNECT" && waiting.status == 200;
        let closes = self.users.get(&id).is_some_and(|user| user.closing) || !self.settings.keep_alive;
        if closes && !tunnel {
            self.hang_up(id, ctx);
        }
        self.rest(id, ctx);
    }

    /// After an answer or a failure: it thinks, and asks again.
    fn rest(&mut self, id: u32, ctx: &mut Ctx<'_>) {
        let repeats = self.users.get(&id).is_some_and(|user| user.repeats);
        if repeats && !self.stopped {
            ctx.timer(self.settings.think, Timer::Client(ClientTimer::Next(id)));
        }
    }

    fn hang_up(&mut self, id: u32, ctx: &mut Ctx<'_>) {
        let Some(user) = self.users.get_mut(&id) else { return };
        user.open = false;
        user.closing = false;
        if let Some(conn) = user.conn.take() {
            self.by_conn.remove(&conn);
            ctx.close(conn);
        }
    }

    fn fail(&mut self, id: u32, why: Failure, ctx: &mut Ctx<'_>) {
        self.hang_up(id, ctx);
        if let Some(waiting) = self.users.get_mut(&id).and_then(|user| user.waiting.take()) {
            ctx.cancel(waiting.late);
            self.failed += 1;
            let request = waiting.request.id;
            ctx.note(Fact::Failed { request, why }.into());
        }
        self.rest(id, ctx);
    }

    fn late(&mut self, id: u32, number: u32, ctx: &mut Ctx<'_>) {
        let Some(user) = self.users.get(&id) else { return };
        if user
            .waiting
            .as_ref()
            .is_some_and(|waiting| waiting.request.id == number)
        {
            let why = if user.open {
                Failure::Timeout
            } else {
                Failure::ConnectTimeout
            };
            self.fail(id, why, ctx);
        }
    }

    fn closed(&mut self, conn: ConnId, ctx: &mut Ctx<'_>) {
        let Some(id) = self.by_conn.remove(&conn) else { return };
        let Some(user) = self.users.get_mut(&id) else { return };
        user.conn = None;
        user.open = false;
        user.closing = false;
        match &mut user.waiting {
            None => self.reconnect_dripper(id, ctx),
            // All of it is in the buffer: it is read to its end.
            Some(waiting) if waiting.length == Some(waiting.received) => {}
            Some(waiting) if waiting.length.is_some() => self.fail(id, Failure::Truncated, ctx),
            Some(waiting) if waiting.again => {
                waiting.again = false;
                self.connect(id, ctx);
            }
            Some(_) => self.fail(id, Failure::EmptyReply, ctx),
        }
    }

    fn reconnect_dripper(&mut self, id: u32, ctx: &mut Ctx<'_>) {
        if self.settings.drip.is_some() && !self.stopped {
            self.connect(id, ctx);
        }
    }

    fn timer(&mut self, timer: ClientTimer, ctx: &mut Ctx<'_>) {
        match timer {
            ClientTimer::Next(id) if !self.stopped => self.begin(id, ctx),
            ClientTimer::Next(_) => {}
            ClientTimer::Late(id, number) => self.late(id, number, ctx),
            ClientTimer::Drip(id) => self.drip(id, ctx),
            ClientTimer::Read(id, bytes) => self.have_read(id, bytes, ctx),
        }
    }

    fn message(&mut self, id: u32, msg: Msg, ctx: &mut Ctx<'_>) {
        match msg {
            Msg::Response(head) => self.response(id, &head, ctx),
            Msg::Data { bytes, .. } => self.received(id, bytes, ctx),
            Msg::HeadPart | Msg::Request(_) | Msg::Body { .. } | Msg::Taken { .. } | Msg::Tunnel { .. } => {}
        }
    }

    fn user_of(&self, conn: ConnId) -> Option<u32> {
        self.by_conn.get(&conn).copied()
    }
}

impl Process for Clients {
    type Wire = Serving;

    fn handle(&mut self, input: Input, ctx: &mut Ctx<'_>) {
        match input {
            Input::Start => self.start(ctx),
            Input::Opened(conn) => {
                if let Some(id) = self.user_of(conn) {
                    self.opened(id, ctx);
                }
            }
            Input::Refused(conn) => {
                if let Some(id) = self.user_of(conn) {
                    self.fail(id, Failure::Refused, ctx);
                }
            }
            Input::Closed(conn) => self.closed(conn, ctx),
            Input::Message(conn, msg) => {
                if let Some(id) = self.user_of(conn) {
                    self.message(id, msg, ctx);
                }
            }
            Input::Timer(Timer::Client(timer)) => self.timer(timer, ctx),
            Input::Order(Order::Client(ClientOrder::Ask { request, ask })) => {
                let id = self.add_user(false);
                self.ask(id, request, &ask, ctx);
            }
            Input::Order(Order::Client(ClientOrder::Stop)) => self.stopped = true,
            Input::Accepted(..) | Input::Timer(Timer::Server(_)) | Input::Order(Order::Server(_)) => {}
        }
    }

    fn halt(&mut self, _: Halt) {
        *self = Clients::new((*self.settings).clone());
    }
}
