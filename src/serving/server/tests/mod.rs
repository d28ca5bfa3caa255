//! The testable rules of web servers, each in a small world of its own.

mod measured;

use super::{Kind, ServerOrder, WebServer};
use crate::serving::client::{Ask, ClientOrder, ClientSettings, Clients};
use crate::serving::http::CacheControl;
use crate::serving::note::{Fact, Failure, Note, ServerNote};
use crate::serving::settings::{HttpdSettings, Mpm, NginxSettings};
use crate::serving::site::{Action, CacheRules, Group, Location, Pass, Site, Target, Work};
use crate::serving::upstream::{Method, Server};
use crate::serving::wire::{Ctx, HTTP_PORT, Input, Order, Serving};
use crate::sim::{Halt, ProcId, Process, Sim, Span, Time};
use std::rc::Rc;

#[derive(Clone)]
enum Node {
    Server(Box<WebServer>),
    Clients(Box<Clients>),
}

impl Process for Node {
    type Wire = Serving;

    fn handle(&mut self, input: Input, ctx: &mut Ctx<'_>) {
        match self {
            Node::Server(server) => server.handle(input, ctx),
            Node::Clients(clients) => clients.handle(input, ctx),
        }
    }

    fn halt(&mut self, how: Halt) {
        match self {
            Node::Server(server) => server.halt(how),
            Node::Clients(clients) => clients.halt(how),
        }
    }
}

/// A world with everything that was noted in it.
struct World {
    sim: Sim<Node>,
    notes: Vec<(u64, ProcId, Note)>,
    asked: u32,
}

impl World {
    fn new() -> World {
        World {
            sim: Sim::new(1),
            notes: Vec::new(),
            asked: 0,
        }
    }

    fn add(&mut self, name: &str, node: Node) -> ProcId {
        let host = self.sim.add_host(name);
        let id = self.sim.add(name, host, node);
        self.sim.start(id);
        self.keep_notes(0);
        id
    }

    fn serve(&mut self, name: &str, kind: Kind, site: Site) -> ProcId {
        let server = WebServer::new(name, HTTP_PORT, kind, Rc::new(site), 2);
        let id = self.add(name, Node::Server(Box::new(server)));
        // It reads its configuration and listens.
        self.run_for(Span::ms(5));
        id
    }

    fn clients(&mut self, name: &str, settings: ClientSettings) -> ProcId {
        self.add(name, Node::Clients(Box::new(Clients::new(settings))))
    }

    fn run_for(&mut self, span: Span) {
        let until = self.sim.now() + span;
        while let Some(step) = self.sim.step_until(until) {
            self.keep_notes(step.at.as_us() / 1_000);
        }
        self.sim.pass_to(until);
    }

    fn keep_notes(&mut self, ms: u64) {
        let notes = self.sim.take_notes();
        self.notes
            .extend(notes.iter().cloned().map(|(id, note)| (ms, id, note)));
        self.sim.put_notes(notes);
    }

    fn ask(&mut self, by: ProcId, uri: &str) -> u32 {
        self.ask_with(by, Ask::get(uri))
    }

    fn ask_with(&mut self, by: ProcId, ask: Ask) -> u32 {
        self.asked += 1;
        let request = self.asked;
        self.sim.order(by, Order::Client(ClientOrder::Ask { request, ask }));
        request
    }

    fn order(&mut self, server: ProcId, order: ServerOrder) {
        let known = self.sim.notes().len();
        self.sim.order(server, Order::Server(order));
        let ms = self.sim.now().as_us() / 1_000;
        let new = self.sim.notes()[known..].iter().cloned();
        self.notes.extend(new.map(|(id, note)| (ms, id, note)));
    }

    fn configure(&mut self, id: ProcId, site: Rc<Site>) {
        if let Node::Server(server) = self.sim.process_mut(id) {
            server.configure(site);
        }
    }

    fn server(&self, id: ProcId) -> &WebServer {
        match self.sim.process(id) {
            Node::Server(server) => server,
            Node::Clients(_) => panic!("not a server"),
        }
    }

    fn browsers(&self, id: ProcId) -> &Clients {
        match self.sim.process(id) {
            Node::Clients(clients) => clients,
            Node::Server(_) => panic!("not clients"),
        }
    }

    fn facts(&self) -> impl Iterator<Item = (u64, ProcId, &Fact)> {
        self.notes.iter().filter_map(|(ms, id, note)| match note {
            Note::Fact(fact) => Some((*ms, *id, fact)),
            Note::Server(_) => None,
        })
    }

    /// What the client was told of a request: its status, or how it failed.
    fn answer(&self, request: u32) -> Option<Result<u16, Failure>> {
        self.facts().find_map(|(_, _, fact)| match fact {
            Fact::Answered {
                request: of, status, ..
            } if *of == request => Some(Ok(*status)),
            Fact::Failed { request: of, why } if *of == request => Some(Err(*why)),
            _ => None,
        })
    }

    fn took_ms(&self, request: u32) -> Option<u64> {
        self.facts().find_map(|(_, _, fact)| match fact {
            Fact::Answered {
                request: of, took_us, ..
            } if *of == request => Some(took_us / 1_000),
            _ => None,
        })
    }

    /// The servers that requests were passed to, in order.
    fn passed(&self) -> String {
        let to = self.facts().filter_map(|(_, _, fact)| match fact {
            Fact::Passed { to, .. } => Some(to.to_string()),
            _ => None,
        });
        to.collect::<Vec<_>>().join(" ")
    }

    fn log(&self) -> Vec<String> {
        let lines = self.notes.iter().filter_map(|(_, _, note)| match note {
            Note::Server(ServerNote::ErrorLog { line, .. }) => Some(line.to_string()),
            _ => None,
        });
        lines.collect()
    }
}

fn nginx() -> Kind {
    Kind::Nginx(NginxSettings::default())
}

fn httpd(mpm: Mpm) -> Kind {
    Kind::httpd(HttpdSettings::new(mpm))
}

fn location(prefix: &str, action: Action) -> Location {
    Location {
        prefix: prefix.into(),
        action,
    }
}

fn file() -> Action {
    Action::File {
        bytes: 1_000,
        cache: CacheControl::Unsaid,
    }
}

fn computes(ms: u64) -> Action {
    Action::Work(Work {
        compute: Span::ms(ms),
        ..Work::default()
    })
}

fn blocks(ms: u64) -> Action {
    Action::Work(Work {
        wait: Span::ms(ms),
        ..Work::default()
    })
}

/// A site with a light page and another action under `/slow`.
fn site(slow: Action) -> Site {
    Site {
        locations: vec![location("/", file()), location("/slow", slow)],
        groups: Vec::new(),
    }
}

/// A reverse proxy over servers of these names.
fn proxy_site(servers: &[&str], change: impl FnOnce(&mut Pass)) -> Site {
    let mut pass = Pass::new(Target::Group(0));
    change(&mut pass);
    Site {
        locations: vec![location("/", Action::Pass(pass))],
        groups: vec![Group {
            name: "apps".into(),
            method: Method::RoundRobin,
            servers: servers
                .iter()
                .map(|name| Server::new(*name, format!("{name}:80")))
                .collect(),
            keepalive: 0,
        }],
    }
}

/// A browser that asks when it is told, patient enough for every test.
fn curl(target: &str) -> ClientSettings {
    ClientSettings {
        timeout: Span::secs(1_000),
        keep_alive: false,
        ..ClientSettings::new(target)
    }
}

/// N-01: the number of nginx's processes does not follow the load.
#[test]
fn nginx_forks_nothing_for_a_request() {
    let mut world = World::new();
    let web = world.serve("web", nginx(), site(blocks(50)));
    let many = ClientSettings {
        clients: 300,
        ..ClientSettings::new("web")
    };
    let people = world.clients("people", many);
    world.run_for(Span::secs(9));
    assert_eq!((world.server(web).processes(), world.server(web).threads()), (2, 2));
    assert!(world.browsers(people).answered > 2_000);
    assert_eq!(world.browsers(people).failed, 0);
}

/// N-03: a blocking call keeps all connections of its worker waiting; with two workers the other one goes on.
#[test]
fn a_blocking_call_stops_one_worker_of_nginx() {
    for (workers, light_ms) in [(1, 50), (2, 0)] {
        let mut world = World::new();
        let kind = Kind::Nginx(NginxSettings {
            worker_processes: workers,
            ..NginxSettings::default()
        });
        world.serve("web", kind, site(blocks(50)));
        let people = world.clients("people", curl("web"));
        let slow = world.ask(people, "/slow");
        world.run_for(Span::ms(2));
        let light = world.ask(people, "/");
        world.run_for(Span::secs(1));
        assert_eq!(world.took_ms(slow), Some(51), "{workers} workers");
        let took = world.took_ms(light).unwrap();
        assert!(took.abs_diff(light_ms) <= 2, "{workers} workers: {took} ms");
    }
}

/// N-03, the other half: waiting for an upstream delays nobody.
#[test]
fn waiting_for_an_upstream_delays_nobody() {
    let mut world = World::new();
    world.serve("app", httpd(Mpm::Event), site(blocks(200)));
    world.serve("web", nginx(), proxy_site(&["app"], |_| {}));
    let people = world.clients("people", curl("web"));
    let slow = world.ask(people, "/slow");
    world.run_for(Span::ms(10));
    let light = world.ask(people, "/");
    world.run_for(Span::secs(1));
    assert!((200..=205).contains(&world.took_ms(slow).unwrap()));
    assert!(world.took_ms(light).unwrap() < 5);
}

/// Work on the processor: all kinds of server are bound by the cores alike.
#[test]
fn computing_is_bound_by_the_cores_whoever_serves() {
    for kind in [
        Kind::Nginx(NginxSettings {
            worker_processes: 2,
            ..NginxSettings::default()
        }),
        httpd(Mpm::Prefork),
        httpd(Mpm::Event),
    ] {
        let mut world = World::new();
        world.serve("web", kind, site(computes(10)));
        let people = world.clients("people", curl("web"));
        let asked: Vec<u32> = (0..20).map(|_| world.ask(people, "/slow")).collect();
        world.run_for(Span::secs(15));
        let slowest = asked.iter().filter_map(|request| world.took_ms(*request)).max();
        // 20 requests of 10 ms on 2 cores: 100 ms, and what parsing and switching cost.
        assert!((99..=112).contains(&slowest.unwrap()), "{slowest:?} of {}", asked.len());
    }
}

/// N-06 and the log: a refusing server is tried once, the request succeeds elsewhere, and is left alone for 10 s.
#[test]
fn a_refusing_server_is_tried_once_in_ten_seconds() {
    let mut world = World::new();
    let a = world.serve("a", nginx(), site(file()));
    world.serve("b", nginx(), site(file()));
    world.serve("web", nginx(), proxy_site(&["a", "b"], |_| {}));
    let people = world.clients("people", curl("web"));
    world.sim.halt(a, Halt::Crash);
    for _ in 0..4 {
        let request = world.ask(people, "/");
        world.run_for(Span::secs(1));
        assert_eq!(world.answer(request), Some(Ok(200)));
    }
    assert_eq!(world.passed(), "a b b b b");
    assert_eq!(
        world.log(),
        [
            "connect() failed (111: Connection refused) while connecting to upstream",
            "upstream server temporarily disabled while connecting to upstream"
        ]
    );
    world.run_for(Span::secs(10));
    // Its effective weight is 0 after the failure and comes back by one with each pick.
    for _ in 0..3 {
        world.ask(people, "/");
        world.run_for(Span::secs(1));
    }
    assert_eq!(world.passed(), "a b b b b b b a b");
}

/// `proxy_read_timeout` runs between two reads; then the client gets 504.
#[test]
fn a_slow_upstream_ends_in_504() {
    let mut world = World::new();
    world.serve("app", httpd(Mpm::Event), site(blocks(5_000)));
    world.serve(
        "web",
        nginx(),
        proxy_site(&["app"], |pass| pass.proxy.read_timeout = Span::secs(3)),
    );
    let people = world.clients("people", curl("web"));
    let request = world.ask(people, "/slow");
    world.run_for(Span::secs(10));
    assert_eq!(world.answer(request), Some(Ok(504)));
    assert!((3_000..3_010).contains(&world.took_ms(request).unwrap()));
    assert_eq!(
        world.log(),
        ["upstream timed out (110: Connection timed out) while reading response header from upstream"]
    );
}

/// N-10: a sent POST is not repeated; the client gets 502.
#[test]
fn a_sent_post_is_not_repeated() {
    let mut world = World::new();
    world.serve("a", nginx(), site(Action::Reset));
    world.serve("b", nginx(), site(file()));
    world.serve("web", nginx(), proxy_site(&["a", "b"], |_| {}));
    let people = world.clients("people", curl("web"));
    let post = Ask {
        method: "POST".into(),
        uri: "/slow".into(),
        body: 1,
    };
    let request = world.ask_with(people, post);
    world.run_for(Span::secs(1));
    assert_eq!(world.answer(request), Some(Ok(502)));
    assert_eq!(world.passed(), "a");
}

/// A client that gives up is logged with 499, and the upstream's connection is closed.
#[test]
fn a_client_that_leaves_is_a_499() {
    let mut world = World::new();
    let app = world.serve("app", httpd(Mpm::Event), site(Action::Hang));
    world.serve("web", nginx(), proxy_site(&["app"], |_| {}));
    let hasty = ClientSettings {
        timeout: Span::secs(2),
        ..curl("web")
    };
    let people = world.clients("people", hasty);
    let request = world.ask(people, "/slow");
    world.run_for(Span::secs(5));
    assert_eq!(world.answer(request), Some(Err(Failure::Timeout)));
    let logged = world
        .facts()
        .any(|(_, _, fact)| matches!(fact, Fact::Logged { status: 499, .. }));
    assert!(logged);
    assert_eq!(world.server(app).conns().count(), 1, "Apache notices when it writes");
}

/// N-15: 200 requests that wait, five children at the start: the ramp as it was measured.
#[test]
fn prefork_doubles_what_it_forks_each_second() {
    let mut world = World::new();
    let web = world.serve("web", httpd(Mpm::Prefork), site(blocks(60_000)));
    let people = world.clients("people", curl("web"));
    world.run_for(Span::ms(100));
    (0..200).for_each(|_| {
        world.ask(people, "/slow");
    });
    let mut children = Vec::new();
    for _ in 0..10 {
        children.push(world.server(web).units().children());
        world.run_for(Span::secs(1));
    }
    assert_eq!(children, [5, 6, 8, 12, 20, 36, 68, 100, 132, 150]);
    assert!(
        world
            .log()
            .iter()
            .any(|line| line.ends_with("spawning 8 children, there are 0 idle, and 12 total children"))
    );
}

/// N-16: idle keep-alive connections lock a newcomer out of prefork and worker, not out of event and nginx.
#[test]
fn idle_connections_hold_processes_and_threads_but_not_events() {
    let expected = [
        (httpd(Mpm::Prefork), true),
        (httpd(Mpm::Worker), true),
        (httpd(Mpm::Event), false),
        (nginx(), false),
    ];
    for (mut kind, locked_out) in expected {
        if let Kind::Httpd(pool) = &mut kind {
            pool.settings.limits.keepalive = Span::secs(30);
        }
        let mut world = World::new();
        let web = world.serve("web", kind, site(file()));
        let idle = ClientSettings {
            clients: 300,
            think: Span::secs(100),
            ..ClientSettings::new("web")
        };
        world.clients("idle", idle);
        world.run_for(Span::secs(15));
        let newcomer = ClientSettings {
            timeout: Span::secs(3),
            ..curl("web")
        };
        let newcomer = world.clients("newcomer", newcomer);
        let request = world.ask(newcomer, "/");
        world.run_for(Span::secs(5));
        let answer = world.answer(request);
        let processes = world.server(web).processes();
        match locked_out {
            true => assert_eq!(answer, Some(Err(Failure::Timeout)), "{processes} processes"),
            false => assert_eq!(answer, Some(Ok(200)), "{processes} processes"),
        }
    }
}

/// N-17: a full pool leaves the newcomer connected and unanswered; a full accept queue unconnected.
#[test]
fn a_full_accept_queue_drops_handshakes_and_refuses_nobody() {
    let mut settings = HttpdSettings::new(Mpm::Prefork);
    settings.max_request_workers = 4;
    settings.start_servers = 4;
    settings.backlog = 8;
    let mut world = World::new();
    let web = world.serve("web", Kind::httpd(settings), site(blocks(60_000)));
    let people = world.clients("people", curl("web"));
    world.run_for(Span::ms(10));
    (0..60).for_each(|_| {
        world.ask(people, "/slow");
    });
    world.run_for(Span::ms(1_500));
    assert_eq!(world.server(web).queued(), 9);
    let (waiting, not_open) = world.browsers(people).waiting();
    assert_eq!((waiting, not_open), (60, 60 - 4 - 9));
    assert!(world.facts().all(|(_, _, fact)| !matches!(fact, Fact::Failed { .. })));
}

/// N-18: a slow upload takes no upstream before it is whole, and a slow reader sets the upstream free early.
#[test]
fn buffering_frees_the_upstream_from_a_slow_reader() {
    for (buffering, held) in [(true, false), (false, true)] {
        let big = Action::File {
            bytes: 2_000_000,
            cache: CacheControl::Unsaid,
        };
        let mut world = World::new();
        let app = world.serve("app", nginx(), site(big));
        world.serve("web", nginx(), proxy_site(&["app"], |pass| pass.buffering = buffering));
        let slow = ClientSettings {
            read_rate: Some(100_000),
            ..curl("web")
        };
        let people = world.clients("people", slow);
        let request = world.ask(people, "/slow");
        world.run_for(Span::secs(5));
        assert_eq!(world.server(app).conns().count() == 1, held, "buffering {buffering}");
        world.run_for(Span::secs(30));
        assert_eq!(world.answer(request), Some(Ok(200)));
        assert!((20_000..20_500).contains(&world.took_ms(request).unwrap()));
    }
}

/// N-19: a killed worker loses exactly its own connections; nobody is refused.
#[test]
fn a_killed_worker_loses_its_own_connections() {
    let mut world = World::new();
    world.serve("app", httpd(Mpm::Event), site(blocks(500)));
    let web = world.serve("web", nginx(), proxy_site(&["app"], |_| {}));
    let people = world.clients("people", curl("web"));
    let lost = world.ask(people, "/slow");
    world.run_for(Span::ms(100));
    world.order(web, ServerOrder::KillWorker);
    let next = world.ask(people, "/");
    world.run_for(Span::secs(1));
    assert_eq!(world.answer(lost), Some(Err(Failure::EmptyReply)));
    assert_eq!(world.answer(next), Some(Ok(200)));
}

/// QUIT: running requests are finished, then it is gone.
#[test]
fn a_graceful_stop_finishes_what_runs() {
    let mut world = World::new();
    let web = world.serve("web", httpd(Mpm::Event), site(blocks(500)));
    let people = world.clients("people", curl("web"));
    let running = world.ask(people, "/slow");
    world.run_for(Span::ms(100));
    world.order(web, ServerOrder::Quit);
    let late = world.ask(people, "/");
    world.run_for(Span::secs(2));
    assert_eq!(world.answer(running), Some(Ok(200)));
    assert_eq!(world.answer(late), Some(Err(Failure::Refused)));
}

/// A reload loses nobody, and what came before it is finished; a configuration that is not right changes nothing.
#[test]
fn a_reload_takes_the_new_configuration_and_loses_nobody() {
    let mut world = World::new();
    world.serve("a", httpd(Mpm::Event), site(blocks(500)));
    world.serve("b", nginx(), site(file()));
    let web = world.serve("web", nginx(), proxy_site(&["a"], |_| {}));
    let people = world.clients("people", curl("web"));
    let running = world.ask(people, "/slow");
    world.run_for(Span::ms(100));
    world.configure(web, Rc::new(proxy_site(&["b"], |_| {})));
    let before = world.ask(people, "/");
    world.run_for(Span::ms(100));
    world.order(web, ServerOrder::Reload);
    let after = world.ask(people, "/");
    world.run_for(Span::secs(1));
    for request in [running, before, after] {
        assert_eq!(world.answer(request), Some(Ok(200)));
    }
    assert_eq!(world.passed(), "a a b");
    world.configure(web, Rc::new(proxy_site(&["nowhere"], |_| {})));
    world.order(web, ServerOrder::Reload);
    world.ask(people, "/");
    world.run_for(Span::secs(1));
    assert_eq!(world.passed(), "a a b b");
    assert_eq!(world.log(), ["host not found in upstream \"nowhere:80\""]);
}

/// A cache asks once for as long as an answer is fresh; with a lock also when many miss at once.
#[test]
fn a_cache_asks_its_upstream_once() {
    for (lock, asked) in [(Span::ZERO, 4), (Span::secs(5), 1)] {
        let mut world = World::new();
        let app = world.serve("app", httpd(Mpm::Event), site(blocks(100)));
        let cached = CacheRules {
            valid: Span::secs(60),
            lock_timeout: lock,
            ..CacheRules::default()
        };
        world.serve("web", nginx(), proxy_site(&["app"], |pass| pass.cache = Some(cached)));
        let people = world.clients("people", curl("web"));
        let first: Vec<u32> = (0..4).map(|_| world.ask(people, "/slow")).collect();
        world.run_for(Span::secs(1));
        let again = world.ask(people, "/slow");
        world.run_for(Span::secs(1));
        for request in first.iter().chain([&again]) {
            assert_eq!(world.answer(*request), Some(Ok(200)));
        }
        assert_eq!(world.server(app).counters().accepted, asked, "lock {lock:?}");
        assert!(world.took_ms(again).unwrap() < 5);
    }
}

/// A stale answer is better than none, if it may be used.
#[test]
fn a_stale_answer_stands_in_for_a_dead_upstream() {
    let mut world = World::new();
    let app = world.serve("app", nginx(), site(file()));
    let cached = CacheRules {
        valid: Span::secs(1),
        use_stale: true,
        ..CacheRules::default()
    };
    world.serve("web", nginx(), proxy_site(&["app"], |pass| pass.cache = Some(cached)));
    let people = world.clients("people", curl("web"));
    world.ask(people, "/");
    world.run_for(Span::secs(2));
    world.sim.halt(app, Halt::Crash);
    let stale = world.ask(people, "/");
    world.run_for(Span::secs(1));
    assert_eq!(world.answer(stale), Some(Ok(200)));
}

/// Forward and reverse: who sees whose address, and what the headers tell.
#[test]
fn a_forward_proxy_asks_in_its_own_name() {
    let mut world = World::new();
    world.serve("site", nginx(), site(file()));
    let mut pass = Pass::new(Target::Requested);
    pass.headers.via = true;
    let forward = Site {
        locations: vec![location("/", Action::Pass(pass))],
        groups: Vec::new(),
    };
    let proxy = world.serve("proxy", nginx(), forward);
    let office = ClientSettings {
        proxy: Some("proxy".into()),
        ..curl("site")
    };
    let people = world.clients("people", office);
    let request = world.ask(people, "/");
    world.run_for(Span::secs(1));
    assert_eq!(world.answer(request), Some(Ok(200)));
    let unknown = ClientSettings {
        proxy: Some("proxy".into()),
        ..curl("nowhere")
    };
    let lost = world.clients("lost", unknown);
    let request = world.ask(lost, "/");
    world.run_for(Span::secs(1));
    assert_eq!(world.answer(request), Some(Ok(502)));
    assert_eq!(world.log(), ["nowhere could not be resolved (3: Host not found)"]);
    assert_eq!(world.server(proxy).counters().accepted, 2);
}

/// `CONNECT` carries bytes that the proxy does not look into.
#[test]
fn connect_opens_a_tunnel() {
    let mut world = World::new();
    world.serve("site", nginx(), site(file()));
    let forward = Site {
        locations: vec![location("/", Action::Pass(Pass::new(Target::Requested)))],
        groups: Vec::new(),
    };
    world.serve("proxy", nginx(), forward);
    let office = ClientSettings {
        proxy: Some("proxy".into()),
        ..curl("site:80")
    };
    let people = world.clients("people", office);
    let connect = Ask {
        method: "CONNECT".into(),
        uri: "/".into(),
        body: 0,
    };
    let request = world.ask_with(people, connect);
    world.run_for(Span::secs(1));
    assert_eq!(world.answer(request), Some(Ok(200)));
}

/// A name that does not exist stops nginx's start; the client is refused.
#[test]
fn an_unknown_upstream_stops_the_start() {
    let mut world = World::new();
    world.serve("web", nginx(), proxy_site(&["nowhere"], |_| {}));
    let people = world.clients("people", curl("web"));
    let request = world.ask(people, "/");
    world.run_for(Span::secs(1));
    assert_eq!(world.answer(request), Some(Err(Failure::Refused)));
    let said = world.notes.iter().any(|(_, _, note)| {
        matches!(note, Note::Server(ServerNote::NotStarted { line }) if &**line == "host not found in upstream \"nowhere:80\"")
    });
    assert!(said);
}

/// The same world runs the same way twice.
#[test]
fn a_busy_site_is_deterministic() {
    let run = || {
        let mut world = World::new();
        world.serve("app", httpd(Mpm::Worker), site(computes(3)));
        world.serve("web", nginx(), proxy_site(&["app"], |_| {}));
        let many = ClientSettings {
            clients: 50,
            think: Span::ms(20),
            ask: Ask::get("/slow"),
            ..ClientSettings::new("web")
        };
        world.clients("people", many);
        world.run_for(Span::secs(5));
        (world.sim.hash(), world.sim.events())
    };
    assert_eq!(run(), run());
    assert_ne!(Time::ZERO, Time::ZERO + Span::us(run().1));
}
