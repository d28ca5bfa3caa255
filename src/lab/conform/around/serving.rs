//! nginx's choices, as tests/vectors/serving/README.md describes them.

use super::same;
use crate::lab::conform::trace::plain;
use crate::ordered::{OrderedMap, OrderedSet};
use crate::serving::upstream::request::{Level, Tried};
use crate::serving::upstream::{Client, Method, Outcome, Proxied, Proxy, Server, Step, Upstream};
use crate::sim::clock::{Span, Time};
use serde_json::{Map, Value};

/// Servers `a`, `b`, ... listen from this port on.
const FIRST_PORT: u16 = 18101;

/// Plays a case; the error says where it first differs.
pub fn play(case: &Map<String, Value>) -> Result<(), String> {
    let mut table = Table::lay(case)?;
    let steps = case.get("steps").and_then(Value::as_array).ok_or("no steps")?;
    for (number, step) in steps.iter().enumerate() {
        let step = step.as_object().ok_or("a step is not an object")?;
        table
            .step(step)
            .map_err(|why| format!("step {} ({}): {why}", number + 1, text(step, "do")))?;
    }
    if let Some(lines) = case.get("error_log").and_then(Value::as_array) {
        let expected: OrderedSet<String> = lines.iter().map(plain).collect();
        let expected: Vec<&String> = expected.iter().collect();
        same("error_log", &expected, &table.log.iter().collect())?;
    }
    Ok(())
}

/// nginx, the servers behind it, and requests that are held.
struct Table {
    upstream: Upstream,
    proxy: Proxy,
    modes: OrderedMap<String, String>,
    held: OrderedMap<String, (Proxied, Step)>,
    log: OrderedSet<String>,
    now: Time,
}

impl Table {
    fn lay(case: &Map<String, Value>) -> Result<Table, String> {
        let config = case.get("config").and_then(Value::as_object).ok_or("no config")?;
        let servers = config.get("servers").and_then(Value::as_array).ok_or("no servers")?;
        let servers = servers
            .iter()
            .map(|line| server(line.as_object().ok_or("a server is not an object")?))
            .collect::<Result<Vec<Server>, String>>()?;
        let mut proxy = Proxy::default();
        if let Some(directives) = config.get("proxy").and_then(Value::as_object) {
            for (directive, value) in directives {
                proxy.set(directive, &plain(value))?;
            }
        }
        Ok(Table {
            upstream: Upstream::new(Method::parse(text(config, "method"))?, servers)?,
            proxy,
            modes: OrderedMap::default(),
            held: OrderedMap::default(),
            log: OrderedSet::default(),
            now: Time::ZERO,
        })
    }

    fn step(&mut self, step: &Map<String, Value>) -> Result<(), String> {
        match text(step, "do") {
            "set" => {
                let mode = step.get("mode").map(plain).ok_or("no mode")?;
                self.modes.insert(text(step, "server").to_string(), mode);
                Ok(())
            }
            "wait" => {
                let seconds = step.get("seconds").map(plain).ok_or("no seconds")?;
                self.now += Span::ms(milliseconds(&seconds).ok_or("seconds is not a number")?);
                Ok(())
            }
            "request" => {
                let (mut request, went) = self.run(client(step)?)?;
                let went = self.finish(&mut request, went);
                self.compare(step, &request, went)
            }
            "start" => {
                let (request, went) = self.run(client(step)?)?;
                let names = self.names(&request);
                self.held.insert(text(step, "id").to_string(), (request, went));
                same("went_to", &list(step.get("went_to")), &names)
            }
            "finish" => {
                let id = text(step, "id");
                let (mut request, went) = self.held.remove(id).ok_or_else(|| format!("nobody started {id}"))?;
                let went = self.finish(&mut request, went);
                self.compare(step, &request, went)
            }
            other => Err(format!("unknown step `{other}`")),
        }
    }

    /// Lets a request try servers until one would answer it.
    fn run(&mut self, client: Client) -> Result<(Proxied, Step), String> {
        let (mut request, mut step) = Proxied::begin(&mut self.upstream, self.proxy, client, self.now);
        while let Step::Try(place) = step {
            let name = &self.upstream.peer(place).server.name;
            let outcome = match self.modes.get(name).map_or("ok", String::as_str) {
                "ok" => break,
                "refuse" => Outcome::Refused,
                "reset" => Outcome::ClosedEarly,
                "slow" => {
                    self.now += self.proxy.read_timeout;
                    Outcome::ReadTimeout
                }
                status => Outcome::Answered(status.parse().map_err(|_| format!("unknown mode `{status}`"))?),
            };
            step = request.ended(&mut self.upstream, outcome, self.now);
        }
        Ok((request, step))
    }

    /// The server answers, if the request is still with one.
    fn finish(&mut self, request: &mut Proxied, step: Step) -> u16 {
        let step = match step {
            Step::Try(_) => request.ended(&mut self.upstream, Outcome::Answered(200), self.now),
            finished => finished,
        };
        let grave = request.log().iter().filter(|line| line.level != Level::Info);
        for line in grave {
            self.log.insert(line.text.clone());
        }
        match step {
            Step::Finish(status) => status,
            Step::Try(_) => 0,
        }
    }

    fn names(&self, request: &Proxied) -> Vec<String> {
        let name = |tried: &Tried| match tried.place {
            Some(place) => self.upstream.peer(place).server.name.clone(),
            None => "none".into(),
        };
        request.tried().iter().map(name).collect()
    }

    fn compare(&self, step: &Map<String, Value>, request: &Proxied, status: u16) -> Result<(), String> {
        let result = step.get("result").and_then(Value::as_object).ok_or("no result")?;
        let statuses: Vec<String> = request.tried().iter().map(|tried| tried.status.to_string()).collect();
        same("tried", &list(result.get("tried")), &self.names(request))?;
        same("status", &result.get("status").map(plain), &Some(status.to_string()))?;
        same("upstream_status", &list(result.get("upstream_status")), &statuses)
    }
}

fn text<'a>(object: &'a Map<String, Value>, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or("")
}

fn list(value: Option<&Value>) -> Vec<String> {
    let items = value.and_then(Value::as_array);
    items.map(|items| items.iter().map(plain).collect()).unwrap_or_default()
}

fn client(step: &Map<String, Value>) -> Result<Client, String> {
    let uri = step.get("path").map_or("/".into(), plain);
    let mut client = Client::get(uri);
    if let Some(method) = step.get("method") {
        client.method = plain(method);
    }
    if let Some(address) = step.get("ip") {
        let address = plain(address);
        client.address = address.parse().map_err(|_| format!("`{address}` is not an address"))?;
    }
    Ok(client)
}

fn server(line: &Map<String, Value>) -> Result<Server, String> {
    let name = text(line, "name");
    let letter = name.bytes().next().filter(u8::is_ascii_lowercase);
    let letter = letter.ok_or("a server has no name of one letter")?;
    let port = FIRST_PORT + u16::from(letter - b'a');
    let mut server = Server::new(name, format!("127.0.0.1:{port}"));
    let number = |key: &str, default: u32| -> Result<u32, String> {
        line.get(key).map_or(Ok(default), |value| {
            plain(value).parse().map_err(|_| format!("{key} is not a number"))
        })
    };
    server.weight = number("weight", server.weight)?;
    server.max_fails = number("max_fails", server.max_fails)?;
    server.fail_timeout_s = number("fail_timeout_s", server.fail_timeout_s)?;
    server.max_conns = number("max_conns", server.max_conns)?;
    let flag = |key: &str| line.get(key).and_then(Value::as_bool).unwrap_or(false);
    server.backup = flag("backup");
    server.down = flag("down");
    Ok(server)
}

/// `3.2` seconds are 3200.
fn milliseconds(seconds: &str) -> Option<u64> {
    let (whole, part) = seconds.split_once('.').unwrap_or((seconds, ""));
    let part = format!("{part:0<3}");
    Some(whole.parse::<u64>().ok()? * 1_000 + part.get(..3)?.parse::<u64>().ok()?)
}
