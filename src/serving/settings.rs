//! Settings of servers under their real names, with the defaults of nginx 1.22 and of Debian's Apache 2.4.

use super::upstream::config::milliseconds;
use crate::sim::Span;

/// What is asked of a client, whatever kind of server asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For the whole head of a request.
    pub header: Span,
    /// Between two parts of a body.
    pub body: Span,
    /// Between two writes that the client takes.
    pub send: Span,
    /// How long an idle connection is kept; zero: none is.
    pub keepalive: Span,
    /// Requests on one connection.
    pub requests: u32,
    /// The largest body.
    pub max_body: u32,
}

/// nginx's own directives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NginxSettings {
    pub worker_processes: u32,
    pub worker_connections: u32,
    pub backlog: u32,
    pub limits: Limits,
    pub limit_req: Option<LimitReq>,
    /// Requests at a time from one address; 0: no limit.
    pub limit_conn: u32,
}

/// `limit_req`: a leaky bucket for each address, counted in thousandths of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitReq {
    /// Requests per 1,000 seconds, so that `1r/m` is a whole number too.
    pub rate: u64,
    pub burst: u32,
    pub nodelay: bool,
}

impl Default for NginxSettings {
    fn default() -> NginxSettings {
        NginxSettings {
            worker_processes: 1,
            worker_connections: 512,
            backlog: 511,
            limits: Limits {
                header: Span::secs(60),
                body: Span::secs(60),
                send: Span::secs(60),
                keepalive: Span::secs(75),
                requests: 1_000,
                max_body: 1024 * 1024,
            },
            limit_req: None,
            limit_conn: 0,
        }
    }
}

/// Apache's multi-processing module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mpm {
    /// A process for each connection, from a pool.
    Prefork,
    /// A thread for each connection, from a pool of processes with threads.
    Worker,
    /// A thread for each request; idle connections are held by a listener.
    Event,
}

impl Mpm {
    pub const ALL: [(&'static str, Mpm); 3] = [
        ("prefork", Mpm::Prefork),
        ("worker", Mpm::Worker),
        ("event", Mpm::Event),
    ];

    pub fn name(self) -> &'static str {
        Mpm::ALL
            .iter()
            .find(|(_, mpm)| *mpm == self)
            .map_or("", |(name, _)| name)
    }
}

/// Apache's directives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpdSettings {
    pub mpm: Mpm,
    pub start_servers: u32,
    /// `MinSpareServers` or `MinSpareThreads`.
    pub min_spare: u32,
    /// `MaxSpareServers` or `MaxSpareThreads`.
    pub max_spare: u32,
    /// 1 with prefork.
    pub threads_per_child: u32,
    pub max_request_workers: u32,
    pub server_limit: u32,
    /// event: connections beyond the threads, as a factor.
    pub async_factor: u32,
    pub backlog: u32,
    pub limits: Limits,
}

impl HttpdSettings {
    /// As Debian ships the module.
    pub fn new(mpm: Mpm) -> HttpdSettings {
        let threaded = mpm != Mpm::Prefork;
        HttpdSettings {
            mpm,
            start_servers: if threaded { 2 } else { 5 },
            min_spare: if threaded { 25 } else { 5 },
            max_spare: if threaded { 75 } else { 10 },
            threads_per_child: if threaded { 25 } else { 1 },
            max_request_workers: 150,
            server_limit: if threaded { 16 } else { 256 },
            async_factor: 2,
            backlog: 511,
            limits: Limits {
                header: Span::secs(20),
                body: Span::secs(20),
                send: Span::secs(300),
                keepalive: Span::secs(5),
                requests: 100,
                max_body: u32::MAX,
            },
        }
    }

    /// An application server's pool: so many threads, neither more nor less. A request holds a thread, an idle
    /// connection does not.
    pub fn fixed(threads: u32) -> HttpdSettings {
        HttpdSettings {
            start_servers: 1,
            min_spare: 0,
            max_spare: u32::MAX,
            threads_per_child: threads,
            max_request_workers: threads,
            server_limit: 1,
            ..HttpdSettings::new(Mpm::Event)
        }
    }

    /// How many children there may be.
    pub fn most_children(&self) -> u32 {
        (self.max_request_workers / self.threads_per_child.max(1)).min(self.server_limit)
    }

    fn directive(&mut self, name: &str) -> Option<Directive<'_>> {
        let threaded = self.mpm != Mpm::Prefork;
        Some(match name {
            "StartServers" => Directive::Number(&mut self.start_servers),
            "MinSpareServers" if !threaded => Directive::Number(&mut self.min_spare),
            "MaxSpareServers" if !threaded => Directive::Number(&mut self.max_spare),
            "MinSpareThreads" if threaded => Directive::Number(&mut self.min_spare),
            "MaxSpareThreads" if threaded => Directive::Number(&mut self.max_spare),
            "ThreadsPerChild" if threaded => Directive::Number(&mut self.threads_per_child),
            "MaxRequestWorkers" => Directive::Number(&mut self.max_request_workers),
            "ServerLimit" => Directive::Number(&mut self.server_limit),
            "AsyncRequestWorkerFactor" if self.mpm == Mpm::Event => Directive::Number(&mut self.async_factor),
            "ListenBackLog" => Directive::Number(&mut self.backlog),
            "KeepAliveTimeout" => Directive::Time(&mut self.limits.keepalive),
            "MaxKeepAliveRequests" => Directive::Number(&mut self.limits.requests),
            "Timeout" => Directive::Time(&mut self.limits.send),
            _ => return None,
        })
    }

    /// Takes over one directive.
    ///
    /// # Errors
    /// Apache's words for a directive it does not have, or what is wrong with the value.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        match (name, value) {
            ("KeepAlive", "On" | "on") => return Ok(()),
            ("KeepAlive", "Off" | "off") => {
                self.limits.keepalive = Span::ZERO;
                return Ok(());
            }
            _ => {}
        }
        let unknown = || {
            format!(
                "Invalid command '{name}', perhaps misspelled or defined by a module not included in the server configuration"
            )
        };
        self.directive(name).ok_or_else(unknown)?.set(name, value)?;
        self.threads_per_child = self.threads_per_child.clamp(1, THREAD_LIMIT);
        Ok(())
    }
}

/// `ThreadLimit`: the most threads of a child.
const THREAD_LIMIT: u32 = 64;

impl NginxSettings {
    fn directive(&mut self, name: &str) -> Option<Directive<'_>> {
        Some(match name {
            "worker_processes" => Directive::Number(&mut self.worker_processes),
            "worker_connections" => Directive::Number(&mut self.worker_connections),
            "backlog" => Directive::Number(&mut self.backlog),
            "keepalive_timeout" => Directive::Time(&mut self.limits.keepalive),
            "keepalive_requests" => Directive::Number(&mut self.limits.requests),
            "client_header_timeout" => Directive::Time(&mut self.limits.header),
            "client_body_timeout" => Directive::Time(&mut self.limits.body),
            "send_timeout" => Directive::Time(&mut self.limits.send),
            "client_max_body_size" => Directive::Bytes(&mut self.limits.max_body),
            "limit_conn" => Directive::Number(&mut self.limit_conn),
            _ => return None,
        })
    }

    /// Takes over one directive.
    ///
    /// # Errors
    /// nginx's words for a directive it does not have, or what is wrong with the value.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        if name == "limit_req" {
            self.limit_req = Some(LimitReq::parse(value)?);
            return Ok(());
        }
        let unknown = || format!("unknown directive \"{name}\"");
        self.directive(name).ok_or_else(unknown)?.set(name, value)
    }
}

impl LimitReq {
    /// `10r/s`, `10r/s,burst=20`, `30r/m,burst=5,nodelay`.
    fn parse(text: &str) -> Result<LimitReq, String> {
        let mut parts = text.split(',');
        let invalid = || format!("invalid rate \"rate={text}\"");
        let rate = parts.next().unwrap_or_default();
        let (number, per_1000_s) = match rate.strip_suffix("r/s") {
            Some(number) => (number, 1_000),
            None => (rate.strip_suffix("r/m").ok_or_else(invalid)?, 1_000 / 60),
        };
        let number: u64 = number.parse().ok().filter(|n| *n > 0).ok_or_else(invalid)?;
        let per_1000_s = if per_1000_s == 1_000 {
            number * 1_000
        } else {
            number * 1_000 / 60
        };
        let mut limit = LimitReq {
            rate: per_1000_s,
            burst: 0,
            nodelay: false,
        };
        for part in parts {
            match part.split_once('=') {
                Some(("burst", burst)) => {
                    limit.burst = burst.parse().map_err(|_| format!("invalid burst value \"{part}\""))?;
                }
                None if part == "nodelay" => limit.nodelay = true,
                _ => return Err(format!("invalid parameter \"{part}\"")),
            }
        }
        Ok(limit)
    }
}

/// Where a directive's value goes.
enum Directive<'a> {
    Number(&'a mut u32),
    Time(&'a mut Span),
    Bytes(&'a mut u32),
}

impl Directive<'_> {
    fn set(self, name: &str, value: &str) -> Result<(), String> {
        let invalid = || format!("\"{name}\" directive invalid value");
        match self {
            Directive::Number(at) => *at = value.parse().map_err(|_| invalid())?,
            Directive::Time(at) => *at = milliseconds(value).ok_or_else(invalid)?,
            Directive::Bytes(at) => *at = bytes(value).ok_or_else(invalid)?,
        }
        Ok(())
    }
}

/// nginx's spelling of a size: `1m`, `8k`, `1024`.
pub(super) fn bytes(text: &str) -> Option<u32> {
    let lower = text.to_ascii_lowercase();
    let (digits, unit) = match lower.strip_suffix('k') {
        Some(digits) => (digits, 1024),
        None => lower
            .strip_suffix('m')
            .map_or((&*lower, 1), |digits| (digits, 1024 * 1024)),
    };
    digits.parse::<u32>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nginx_reads_its_own_spelling() {
        let mut settings = NginxSettings::default();
        settings.set("keepalive_timeout", "1m30s").unwrap();
        settings.set("client_max_body_size", "8m").unwrap();
        assert_eq!(settings.limits.keepalive, Span::secs(90));
        assert_eq!(settings.limits.max_body, 8 * 1024 * 1024);
        assert_eq!(
            settings.set("worker_procesess", "2"),
            Err("unknown directive \"worker_procesess\"".into())
        );
        settings.set("limit_req", "30r/m,burst=5,nodelay").unwrap();
        assert_eq!(
            settings.limit_req,
            Some(LimitReq {
                rate: 500,
                burst: 5,
                nodelay: true
            })
        );
    }

    #[test]
    fn a_pool_is_bounded_by_both_limits() {
        let mut event = HttpdSettings::new(Mpm::Event);
        assert_eq!(event.most_children(), 6);
        event.set("ServerLimit", "4").unwrap();
        assert_eq!(event.most_children(), 4);
        assert!(event.set("MinSpareServers", "5").is_err());
    }
}
