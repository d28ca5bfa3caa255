//! Generated commands about web servers.

use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::generate::{name, one, text};
use crate::lab::language::ast::*;

/// Some of these settings.
fn config(of: &'static [(&'static str, &'static str)]) -> impl Strategy<Value = Config> {
    subsequence(of, 0..=of.len()).prop_map(|pairs| pairs.into_iter().map(|(k, v)| (k.into(), v.into())).collect())
}

fn group() -> impl Strategy<Value = GroupName> {
    name().prop_map(|group| GroupName {
        server: "n1".into(),
        group,
    })
}

fn servers() -> impl Strategy<Value = Web> {
    let kinds = select(
        &[
            (ServerKind::Nginx, "worker_processes", "2"),
            (ServerKind::Httpd, "mpm", "prefork"),
            (ServerKind::App, "work", "1m30s"),
            (ServerKind::Proxy, "Via", "off"),
        ][..],
    );
    let server =
        (kinds, name(), any::<[bool; 2]>()).prop_map(|((kind, key, value), name, [set, hands_on])| Web::Server {
            kind,
            names: vec![name],
            on: None,
            hand_on: (hands_on && kind == ServerKind::App).then(|| ("loan_request".into(), "web".into())),
            config: set.then(|| (Name::from(key), Name::from(value))).into_iter().collect(),
        });
    let browser = (
        name(),
        config(&[
            ("clients", "5"),
            ("path", "/loan"),
            ("read", "100k"),
            ("think", "250ms"),
        ]),
    )
        .prop_map(|(name, mut config)| {
            config.insert("target".into(), "n1:8080".into());
            Web::Browser {
                names: vec![name],
                on: None,
                config,
            }
        });
    prop_oneof![server, browser]
}

fn site() -> impl Strategy<Value = Web> {
    let upstream = (
        group(),
        config(&[("method", "hash,$arg_k,consistent"), ("keepalive", "16")]),
    )
        .prop_map(|(group, config)| Web::Upstream { group, config });
    let member = (
        group(),
        one(&["a1", "10.0.0.1"]),
        config(&[("weight", "5"), ("backup", "on"), ("fail_timeout", "3s")]),
    )
        .prop_map(|(group, host, config)| Web::Member { group, host, config });
    let location = (
        one(&["/", "/loan", "/a b"]),
        config(&[
            ("proxy_pass", "g"),
            ("proxy_read_timeout", "3s"),
            ("proxy_buffering", "off"),
        ]),
    )
        .prop_map(|(prefix, mut config)| {
            config.insert("proxy_pass".into(), "http://loans".into());
            Web::Location {
                server: "n1".into(),
                prefix,
                config,
            }
        });
    prop_oneof![upstream, member, location]
}

fn work() -> impl Strategy<Value = Web> {
    let request = (
        one(&["GET", "POST", "CONNECT"]),
        one(&["/", "/loan?k=1"]),
        option::of(text()),
        0..10_000u32,
        1..100u32,
    )
        .prop_map(|(method, path, text, body, count)| {
            Web::Request(WebRequest {
                client: "br1".into(),
                method,
                path,
                text,
                body,
                count,
            })
        });
    let tell = any::<bool>().prop_map(|reload| {
        let servers = vec!["n1".into()];
        match reload {
            true => Web::Reload { servers },
            false => Web::KillWorker { servers },
        }
    });
    prop_oneof![request, tell]
}

pub fn web() -> impl Strategy<Value = Command> {
    prop_oneof![servers(), site(), work()].prop_map(Command::Web)
}
