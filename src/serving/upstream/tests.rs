//! Properties of the choice that hold for every configuration.

use super::config::{Causes, Method, Proxy, Server};
use super::group::Upstream;
use super::request::{Client, Outcome, Proxied, Step};
use crate::sim::clock::{Span, Time};
use proptest::prelude::*;

fn servers(weights: &[u32]) -> Vec<Server> {
    let line = |(index, weight): (usize, &u32)| {
        let mut server = Server::new(format!("s{index}"), format!("10.0.0.{index}:80"));
        server.weight = *weight;
        server
    };
    weights.iter().enumerate().map(line).collect()
}

fn group(method: Method, servers: Vec<Server>) -> Upstream {
    Upstream::new(method, servers).expect("a group that nginx takes")
}

/// The server that answers the request, by name.
fn answered(upstream: &mut Upstream, client: Client) -> String {
    let (mut request, step) = Proxied::begin(upstream, Proxy::default(), client, Time::ZERO);
    let Step::Try(place) = step else {
        panic!("no live upstreams")
    };
    request.ended(upstream, Outcome::Answered(200), Time::ZERO);
    upstream.peer(place).server.name.clone()
}

/// Plays a request against servers whose outcomes are given by name; the tries and the status.
fn play(
    upstream: &mut Upstream,
    proxy: Proxy,
    method: &str,
    now: Time,
    outcome: impl Fn(&str) -> Outcome,
) -> (Vec<String>, u16) {
    let mut client = Client::get("/");
    client.method = method.into();
    let (mut request, mut step) = Proxied::begin(upstream, proxy, client, now);
    let mut tried = Vec::new();
    loop {
        match step {
            Step::Finish(status) => return (tried, status),
            Step::Try(place) => {
                let name = upstream.peer(place).server.name.clone();
                let came = outcome(&name);
                tried.push(name);
                step = request.ended(upstream, came, now);
            }
        }
    }
}

fn refused_by(dead: &'static str) -> impl Fn(&str) -> Outcome {
    move |name| {
        if name == dead {
            Outcome::Refused
        } else {
            Outcome::Answered(200)
        }
    }
}

proptest! {
    /// In every window as long as the weights' sum each server is picked as often as its weight says.
    #[test]
    fn weights_are_kept_exactly_in_every_window(weights in prop::collection::vec(1_u32..8, 1..6), least in any::<bool>()) {
        let total: u32 = weights.iter().sum();
        let method = if least { Method::LeastConn } else { Method::RoundRobin };
        let mut upstream = group(method, servers(&weights));
        let picks: Vec<String> = (0..3 * total).map(|_| answered(&mut upstream, Client::get("/"))).collect();
        for window in picks.windows(total as usize) {
            for (index, weight) in weights.iter().enumerate() {
                let name = format!("s{index}");
                prop_assert_eq!(window.iter().filter(|pick| **pick == name).count() as u32, *weight);
            }
        }
    }

    /// Nobody is picked who is down, full or marked, no server twice in a request, and every try is given back.
    #[test]
    fn a_pick_is_usable_and_given_back(
        weights in prop::collection::vec(1_u32..5, 1..5),
        bits in any::<[u8; 3]>(),
        outcomes in prop::collection::vec(0_u8..6, 1..40),
        method in 0_u8..5,
    ) {
        let method = ["round_robin", "least_conn", "ip_hash", "hash $arg_k", "hash $arg_k consistent"][method as usize];
        let mut lines = servers(&weights);
        for (index, line) in lines.iter_mut().enumerate() {
            line.down = bits[0] >> index & 1 == 1;
            line.backup = index > 0 && bits[1] >> index & 1 == 1 && !method.contains("hash");
            line.max_fails = u32::from(bits[2] >> index & 1);
        }
        let mut upstream = group(Method::parse(method).expect("a method"), lines);
        for (number, kind) in outcomes.iter().enumerate() {
            let now = Time(number as u64 * 3_000_000);
            let client = Client::get(format!("/?k={number}"));
            let (mut request, mut step) = Proxied::begin(&mut upstream, Proxy::default(), client, now);
            let mut seen = Vec::new();
            while let Step::Try(place) = step {
                prop_assert!(!upstream.peer(place).server.down);
                prop_assert_eq!(upstream.peer(place).conns, 1);
                prop_assert!(!seen.contains(&(place.backup, place.index)));
                seen.push((place.backup, place.index));
                let outcome = [
                    Outcome::Answered(200), Outcome::Refused, Outcome::ClosedEarly,
                    Outcome::ReadTimeout, Outcome::Answered(500), Outcome::ClientGone,
                ][*kind as usize];
                step = request.ended(&mut upstream, outcome, now);
            }
            prop_assert!(upstream.peers().all(|(_, peer)| peer.conns == 0));
        }
    }

    /// The same key goes to the same server; with `consistent` a new server takes keys only for itself.
    #[test]
    fn a_new_server_on_the_ring_moves_only_its_own_keys(keys in prop::collection::vec("[a-z0-9]{1,8}", 1..30)) {
        let method = Method::parse("hash $arg_k consistent").expect("a method");
        let mut three = group(method.clone(), servers(&[1, 1, 1]));
        let mut four = group(method, servers(&[1, 1, 1, 1]));
        for key in keys {
            let client = Client::get(format!("/?k={key}"));
            let before = answered(&mut three, client.clone());
            prop_assert_eq!(&before, &answered(&mut three, client.clone()));
            let after = answered(&mut four, client);
            prop_assert!(after == before || after == "s3");
        }
    }

    /// Marking a server down moves only its own clients.
    #[test]
    fn a_server_marked_down_moves_only_its_own_clients(addresses in prop::collection::vec(any::<u32>(), 1..30)) {
        let mut all = group(Method::IpHash, servers(&[1, 2, 1]));
        let mut lines = servers(&[1, 2, 1]);
        lines[1].down = true;
        let mut fewer = group(Method::IpHash, lines);
        for address in addresses {
            let mut client = Client::get("/");
            client.address = std::net::Ipv4Addr::from(address).into();
            let before = answered(&mut all, client.clone());
            let after = answered(&mut fewer, client);
            prop_assert!(after == before || before == "s1");
        }
    }
}

#[test]
fn a_refusing_server_is_tried_once_and_left_out_for_ten_seconds() {
    let mut upstream = group(Method::RoundRobin, servers(&[1, 1]));
    let mut tries = Vec::new();
    for second in 0..20 {
        let now = Time::ZERO + Span::secs(second);
        let (tried, status) = play(&mut upstream, Proxy::default(), "GET", now, refused_by("s0"));
        assert_eq!(status, 200);
        tries.extend(tried.iter().filter(|name| *name == "s0").map(|_| second));
    }
    // It has to catch up first: its turn came when the second had gone by in which it was out of use.
    assert_eq!(tries[0], 0);
    assert!(tries.len() > 1 && tries[1] > 10, "{tries:?}");
}

#[test]
fn the_only_server_is_tried_whatever_happens() {
    let mut upstream = group(Method::RoundRobin, servers(&[1]));
    for _ in 0..5 {
        let (tried, status) = play(&mut upstream, Proxy::default(), "GET", Time::ZERO, refused_by("s0"));
        assert_eq!((tried.len(), status), (1, 502));
    }
}

#[test]
fn a_post_that_was_sent_is_not_repeated_unless_allowed() {
    let closed = |name: &str| match name {
        "s0" => Outcome::ClosedEarly,
        _ => Outcome::Answered(200),
    };
    let mut allowed = Proxy::default();
    allowed.next_upstream = allowed.next_upstream.and(Causes::NON_IDEMPOTENT);
    for (method, proxy, tries, expected) in [
        ("POST", Proxy::default(), 1, 502),
        ("PATCH", Proxy::default(), 1, 502),
        ("GET", Proxy::default(), 2, 200),
        ("PUT", Proxy::default(), 2, 200),
        ("POST", allowed, 2, 200),
    ] {
        let mut upstream = group(Method::RoundRobin, servers(&[1, 1]));
        let (tried, status) = play(&mut upstream, proxy, method, Time::ZERO, closed);
        assert_eq!((tried.len(), status), (tries, expected), "{method}");
        // It counts as a failure all the same.
        assert_eq!(upstream.peers().next().map(|(_, peer)| peer.fails), Some(1));
    }
}

#[test]
fn the_directives_bound_the_tries() {
    let mut few = Proxy::default();
    few.set("proxy_next_upstream_tries", "2").expect("a number");
    let mut hasty = Proxy::default();
    hasty.set("proxy_next_upstream_timeout", "1s").expect("a time");
    let mut upstream = group(Method::RoundRobin, servers(&[1, 1, 1, 1]));
    let (tried, status) = play(&mut upstream, few, "GET", Time::ZERO, |_| Outcome::ReadTimeout);
    assert_eq!((tried.len(), status), (2, 504));
    let (mut request, step) = Proxied::begin(&mut upstream, hasty, Client::get("/"), Time::ZERO);
    assert!(matches!(step, Step::Try(_)));
    let late = request.ended(&mut upstream, Outcome::Refused, Time::ZERO + Span::secs(1));
    assert_eq!(late, Step::Finish(502));
}

#[test]
fn a_client_that_left_marks_nobody() {
    let mut upstream = group(Method::RoundRobin, servers(&[1, 1]));
    let (_, status) = play(&mut upstream, Proxy::default(), "GET", Time::ZERO, |_| {
        Outcome::ClientGone
    });
    assert_eq!(status, 499);
    assert!(upstream.peers().all(|(_, peer)| peer.fails == 0 && peer.conns == 0));
}

#[test]
fn what_nginx_refuses_is_refused() {
    let mut backup = servers(&[1, 1]);
    backup[1].backup = true;
    assert!(Upstream::new(Method::IpHash, backup.clone()).is_err());
    assert!(Upstream::new(Method::RoundRobin, backup).is_ok());
    assert!(Upstream::new(Method::RoundRobin, Vec::new()).is_err());
    assert!(Upstream::new(Method::RoundRobin, servers(&[0])).is_err());
    assert!(Causes::parse("error http_418").is_err());
    assert_eq!(Causes::parse("error off"), Ok(Causes::NONE));
    for wrong in ["", "ms", "1y", "x1", "-1s"] {
        assert!(Proxy::default().set("proxy_read_timeout", wrong).is_err(), "{wrong}");
    }
}
