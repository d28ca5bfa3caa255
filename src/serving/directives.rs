//! A server's configuration from words: `key=value` pairs by the real directives' names become settings, locations,
//! groups and clients. What is wrong names the key that it stands at.

use super::client::{Ask, ClientSettings};
use super::http::CacheControl;
use super::server::Kind;
use super::settings::{HttpdSettings, Mpm, NginxSettings, bytes};
use super::site::{Action, CacheRules, Group, Headers, Pass, Target, Work};
use super::upstream::config::milliseconds;
use super::upstream::{Method, Server};
use crate::sim::Span;

/// A pair that is not right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    pub key: String,
    pub message: String,
}

type Read<T> = Result<T, Wrong>;

fn wrong<T>(key: &str, message: impl Into<String>) -> Read<T> {
    Err(Wrong {
        key: key.into(),
        message: message.into(),
    })
}

fn time(key: &str, value: &str) -> Read<Span> {
    milliseconds(value).map_or_else(|| wrong(key, "a time, as in 50ms, 3s, 1m30s"), Ok)
}

fn size(key: &str, value: &str) -> Read<u32> {
    bytes(value).map_or_else(|| wrong(key, "a size, as in 1000, 8k, 1m"), Ok)
}

fn number<T: std::str::FromStr>(key: &str, value: &str) -> Read<T> {
    value.parse().or_else(|_| wrong(key, "a whole number"))
}

fn switch(key: &str, value: &str) -> Read<bool> {
    match value {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => wrong(key, "on or off"),
    }
}

/// What kinds of server a scenario can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ServerKind {
    Nginx,
    Httpd,
    /// An application server: a fixed pool of threads.
    App,
    /// A forward proxy.
    Proxy,
}

impl ServerKind {
    pub const ALL: [(&'static str, ServerKind); 4] = [
        ("nginx", ServerKind::Nginx),
        ("httpd", ServerKind::Httpd),
        ("app", ServerKind::App),
        ("proxy", ServerKind::Proxy),
    ];

    pub fn name(self) -> &'static str {
        ServerKind::ALL
            .iter()
            .find(|(_, kind)| *kind == self)
            .map_or("", |(name, _)| name)
    }
}

/// A server with what its own line says.
#[derive(Clone, Debug)]
pub struct Setup {
    pub kind: Kind,
    pub port: u16,
    /// Processor cores of its machine.
    pub cores: u32,
    /// What it does where no location says more: an application's work, a forward proxy's forwarding.
    pub everywhere: Option<Action>,
}

/// Threads of an application server that says nothing of them.
const APP_THREADS: u32 = 10;

/// The most units (workers, children, threads) of a server in a scenario.
const UNITS: u32 = 1_000;

/// Reads what stands on a server's own line.
///
/// # Errors
/// Names the pair that is wrong.
pub fn server<'a>(kind: ServerKind, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Read<Setup> {
    let pairs: Vec<(&str, &str)> = pairs.into_iter().collect();
    let mut setup = Setup {
        kind: first_kind(kind, &pairs)?,
        port: super::wire::HTTP_PORT,
        cores: 2,
        everywhere: None,
    };
    let mut rest = Vec::new();
    for (key, value) in pairs {
        match key {
            "listen" => setup.port = number(key, value)?,
            "cores" => setup.cores = number::<u32>(key, value)?.clamp(1, 64),
            "mpm" if kind == ServerKind::Httpd => {}
            "threads" if kind == ServerKind::App => {}
            _ => rest.push((key, value)),
        }
    }
    match kind {
        ServerKind::App => setup.everywhere = Some(action(rest)?),
        ServerKind::Proxy => setup.everywhere = Some(forwarding(rest)?),
        ServerKind::Nginx | ServerKind::Httpd => {
            for (key, value) in rest {
                set(&mut setup.kind, key, value)?;
            }
        }
    }
    bounded(&setup.kind)?;
    Ok(setup)
}

fn first_kind(kind: ServerKind, pairs: &[(&str, &str)]) -> Read<Kind> {
    let said = |wanted: &str| pairs.iter().find(|(key, _)| *key == wanted).map(|(_, value)| *value);
    match kind {
        ServerKind::Nginx | ServerKind::Proxy => Ok(Kind::Nginx(NginxSettings::default())),
        ServerKind::Httpd => {
            let name = said("mpm").unwrap_or("event");
            match Mpm::ALL.iter().find(|(known, _)| *known == name) {
                Some((_, mpm)) => Ok(Kind::httpd(HttpdSettings::new(*mpm))),
                None => wrong("mpm", "one of: prefork, worker, event"),
            }
        }
        ServerKind::App => {
            let threads: u32 = said("threads").map_or(Ok(APP_THREADS), |value| number("threads", value))?;
            if threads == 0 {
                return wrong("threads", "at least 1");
            }
            Ok(Kind::httpd(HttpdSettings::fixed(threads)))
        }
    }
}

fn set(kind: &mut Kind, key: &str, value: &str) -> Read<()> {
    let done = match kind {
        Kind::Nginx(settings) => settings.set(key, value),
        Kind::Httpd(pool) => pool.settings.set(key, value),
    };
    done.or_else(|message| wrong(key, message))
}

fn bounded(kind: &Kind) -> Read<()> {
    let (key, units) = match kind {
        Kind::Nginx(settings) => ("worker_processes", settings.worker_processes),
        Kind::Httpd(pool) => (
            "MaxRequestWorkers",
            pool.settings.max_request_workers.max(
                pool.settings
                    .start_servers
                    .saturating_mul(pool.settings.threads_per_child),
            ),
        ),
    };
    if units > UNITS {
        return wrong(key, format!("at most {UNITS} here"));
    }
    Ok(())
}

/// What a location does: `file=`, `work=`, `return=`, `proxy_pass=` is found by `group_named`, `hang`, `reset`.
///
/// # Errors
/// Names the pair that is wrong.
pub fn location<'a>(
    pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    group_named: impl Fn(&str) -> Option<usize>,
) -> Read<Action> {
    let pairs: Vec<(&str, &str)> = pairs.into_iter().collect();
    let Some((_, group)) = pairs.iter().find(|(key, _)| *key == "proxy_pass").copied() else {
        return action(pairs);
    };
    let name = group.strip_prefix("http://").unwrap_or(group);
    let Some(group) = group_named(name) else {
        return wrong("proxy_pass", format!("there is no upstream {name} on a line above"));
    };
    let mut pass = Pass::new(Target::Group(group));
    for (key, value) in pairs.into_iter().filter(|(key, _)| *key != "proxy_pass") {
        set_pass(&mut pass, key, value)?;
    }
    Ok(Action::Pass(pass))
}

/// A forward proxy's own pairs.
fn forwarding(pairs: Vec<(&str, &str)>) -> Read<Action> {
    let mut pass = Pass::new(Target::Requested);
    pass.headers = Headers {
        via: true,
        ..Headers::default()
    };
    for (key, value) in pairs {
        set_pass(&mut pass, key, value)?;
    }
    Ok(Action::Pass(pass))
}

fn set_pass(pass: &mut Pass, key: &str, value: &str) -> Read<()> {
    match key {
        "proxy_buffering" => pass.buffering = switch(key, value)?,
        "proxy_request_buffering" => pass.request_buffering = switch(key, value)?,
        "X-Forwarded-For" => pass.headers.forwarded_for = switch(key, value)?,
        "X-Real-IP" => pass.headers.real_ip = switch(key, value)?,
        "Via" => pass.headers.via = switch(key, value)?,
        "proxy_cache_valid" => pass.cache.get_or_insert_default().valid = time(key, value)?,
        "proxy_cache_lock" => {
            let on = switch(key, value)?;
            pass.cache.get_or_insert_default().lock_timeout = if on { CACHE_LOCK_TIMEOUT } else { Span::ZERO };
        }
        "proxy_cache_use_stale" => pass.cache.get_or_insert_with(CacheRules::default).use_stale = switch(key, value)?,
        "proxy_next_upstream" => {
            let words = value.replace(',', " ");
            pass.proxy.set(key, &words).or_else(|message| wrong(key, message))?;
        }
        _ => pass.proxy.set(key, value).or_else(|message| wrong(key, message))?,
    }
    Ok(())
}

/// `proxy_cache_lock_timeout`.
const CACHE_LOCK_TIMEOUT: Span = Span::secs(5);

/// What is done without an upstream.
fn action(pairs: Vec<(&str, &str)>) -> Read<Action> {
    let said = |wanted: &str| pairs.iter().find(|(key, _)| *key == wanted).map(|(_, value)| *value);
    match said("answer") {
        None | Some("ok") => {}
        Some("hang") => return Ok(Action::Hang),
        Some("reset") => return Ok(Action::Reset),
        Some("outside") => return Ok(Action::Outside),
        Some(_) => return wrong("answer", "one of: ok, hang, reset, outside"),
    }
    if let Some(status) = said("return") {
        return Ok(Action::Return(number("return", status)?));
    }
    let cache = said("cache").map_or(Ok(CacheControl::Unsaid), cache_control)?;
    if let Some(file) = said("file") {
        let bytes = size("file", file)?;
        return Ok(Action::File { bytes, cache });
    }
    let mut work = Work {
        cache,
        ..Work::default()
    };
    for (key, value) in &pairs {
        match *key {
            "work" => work.wait = time(key, value)?,
            "compute" => work.compute = time(key, value)?,
            "status" => work.status = number(key, value)?,
            "bytes" => work.bytes = size(key, value)?,
            "cache" | "answer" => {}
            _ => return wrong(key, "one of: file, work, compute, status, bytes, cache, return, answer"),
        }
    }
    Ok(Action::Work(work))
}

/// `60s` for `Cache-Control: max-age=60`, or `no-store`.
fn cache_control(value: &str) -> Read<CacheControl> {
    if value == "no-store" {
        return Ok(CacheControl::NotStored);
    }
    let span = time("cache", value)?;
    Ok(CacheControl::MaxAge((span.as_us() / 1_000_000) as u32))
}

/// An upstream group without its servers: `method=least_conn`, `key=$arg_user` for `hash`, `keepalive=16`.
///
/// # Errors
/// Names the pair that is wrong.
pub fn group<'a>(name: &str, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Read<Group> {
    let mut group = Group {
        name: name.into(),
        method: Method::RoundRobin,
        servers: Vec::new(),
        keepalive: 0,
    };
    for (key, value) in pairs {
        match key {
            "method" => {
                group.method = Method::parse(&value.replace(',', " ")).or_else(|message| wrong(key, message))?
            }
            "keepalive" => group.keepalive = number(key, value)?,
            _ => return wrong(key, "one of: method, keepalive"),
        }
    }
    Ok(group)
}

/// A `server` line of a group: `weight=5 max_fails=1 fail_timeout=10s max_conns=0 backup=on down=on port=8080`.
///
/// # Errors
/// Names the pair that is wrong.
pub fn member<'a>(host: &str, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Read<Server> {
    let mut server = Server::new(host, host);
    let mut port = super::wire::HTTP_PORT;
    for (key, value) in pairs {
        match key {
            "port" => port = number(key, value)?,
            "weight" => server.weight = number(key, value)?,
            "max_fails" => server.max_fails = number(key, value)?,
            "fail_timeout" => server.fail_timeout_s = (time(key, value)?.as_us() / 1_000_000) as u32,
            "max_conns" => server.max_conns = number(key, value)?,
            "backup" => server.backup = switch(key, value)?,
            "down" => server.down = switch(key, value)?,
            _ => {
                return wrong(
                    key,
                    "one of: port, weight, max_fails, fail_timeout, max_conns, backup, down",
                );
            }
        }
    }
    server.address = format!("{host}:{port}");
    Ok(server)
}

/// The most clients that ask by themselves in one process.
const CLIENTS: u32 = 2_000;

/// Clients: `target=web clients=50 think=1s path=/loan method=POST body=1k keep-alive=off timeout=5s read=100k drip=1s
/// proxy=p1 spread=10s`.
///
/// # Errors
/// Names the pair that is wrong, or says what is missing.
pub fn clients<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Read<ClientSettings> {
    let mut settings = ClientSettings::new("");
    let mut spread = None;
    let mut ask = Ask::get("/");
    for (key, value) in pairs {
        match key {
            "target" => settings.target = value.into(),
            "proxy" => settings.proxy = Some(value.into()),
            "clients" => settings.clients = number(key, value)?,
            "think" => settings.think = time(key, value)?,
            "spread" => spread = Some(time(key, value)?),
            "timeout" => settings.timeout = time(key, value)?,
            "keep-alive" => settings.keep_alive = switch(key, value)?,
            "read" => settings.read_rate = Some(size(key, value)?),
            "drip" => settings.drip = Some(time(key, value)?),
            "path" => ask.uri = value.into(),
            "method" => ask.method = value.into(),
            "body" => ask.body = size(key, value)?,
            _ => {
                return wrong(
                    key,
                    "one of: target, proxy, clients, think, spread, timeout, keep-alive, read, drip, path, method, body",
                );
            }
        }
    }
    if settings.target.is_empty() {
        return wrong("target", "whom they ask is missing, as in target=web");
    }
    if settings.clients > CLIENTS {
        return wrong("clients", format!("at most {CLIENTS} here"));
    }
    settings.spread = spread.unwrap_or(settings.think);
    settings.ask = ask;
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_passes_to_a_group_by_the_real_directives() {
        let pairs = [
            ("proxy_pass", "http://loans"),
            ("proxy_read_timeout", "3s"),
            ("proxy_buffering", "off"),
            ("proxy_next_upstream", "error,timeout,http_503"),
            ("proxy_cache_valid", "10m"),
        ];
        let action = location(pairs, |name| (name == "loans").then_some(0)).unwrap();
        let Action::Pass(pass) = action else { panic!("passes") };
        assert_eq!(pass.proxy.read_timeout, Span::secs(3));
        assert!(!pass.buffering && pass.request_buffering);
        assert_eq!(pass.cache.map(|cache| cache.valid), Some(Span::secs(600)));
    }

    #[test]
    fn a_wrong_pair_is_named() {
        let wrong = |read: Read<Setup>| read.unwrap_err().key;
        assert_eq!(
            wrong(server(ServerKind::Nginx, [("worker_procesess", "2")])),
            "worker_procesess"
        );
        assert_eq!(wrong(server(ServerKind::Httpd, [("mpm", "fork")])), "mpm");
        assert_eq!(wrong(server(ServerKind::App, [("work", "soon")])), "work");
        assert_eq!(clients([]).unwrap_err().key, "target");
        assert_eq!(member("a1", [("weight", "heavy")]).unwrap_err().key, "weight");
    }

    #[test]
    fn an_application_has_a_fixed_pool() {
        let setup = server(ServerKind::App, [("threads", "4"), ("work", "50ms")]).unwrap();
        let Kind::Httpd(pool) = &setup.kind else {
            panic!("a pool")
        };
        assert_eq!(pool.settings.max_request_workers, 4);
        assert!(matches!(setup.everywhere, Some(Action::Work(work)) if work.wait == Span::ms(50)));
    }
}
