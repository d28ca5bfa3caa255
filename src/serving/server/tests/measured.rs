//! What was measured on live servers (`measure.json`): processes and threads at rest, under idle and dripping clients,
//! second by second under a burst; who is locked out. Latencies and throughput there belong to a shared machine and are
//! not compared.

use super::{World, blocks, curl, file, httpd, nginx, site};
use crate::serving::client::ClientSettings;
use crate::serving::note::Failure;
use crate::serving::server::Kind;
use crate::serving::settings::{Mpm, NginxSettings};
use crate::sim::{ProcId, Span};
use serde_json::Value;
use std::path::PathBuf;

fn measured(test: &str) -> Vec<Value> {
    let own = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/serving");
    let folder = std::env::var_os("SERVING_VECTORS").map_or_else(own, PathBuf::from);
    let text = std::fs::read_to_string(folder.join("measure.json")).expect("measure.json can be read");
    let all: Value = serde_json::from_str(&text).expect("measure.json is JSON");
    let runs = all["runs"].as_array().expect("runs").iter();
    let found: Vec<Value> = runs
        .filter(|run| run["test"].as_str().is_some_and(|name| name.starts_with(test)))
        .cloned()
        .collect();
    assert!(!found.is_empty(), "no run is called {test}");
    found
}

fn number(value: &Value) -> u32 {
    value
        .as_u64()
        .and_then(|number| u32::try_from(number).ok())
        .expect("a number")
}

/// The server that a run names.
fn kind(run: &Value) -> Kind {
    match run["server"].as_str().expect("a server") {
        "nginx-1-worker" => nginx(),
        "nginx-2-workers" => Kind::Nginx(NginxSettings {
            worker_processes: 2,
            ..NginxSettings::default()
        }),
        "apache-prefork" => httpd(Mpm::Prefork),
        "apache-worker" => httpd(Mpm::Worker),
        "apache-event" => httpd(Mpm::Event),
        other => panic!("an unknown server {other}"),
    }
}

fn with_keepalive(mut kind: Kind, span: Span) -> Kind {
    match &mut kind {
        Kind::Nginx(settings) => settings.limits.keepalive = span,
        Kind::Httpd(pool) => pool.settings.limits.keepalive = span,
    }
    kind
}

/// Whether a newcomer is answered within 3 s.
fn probe(world: &mut World) -> bool {
    let patience = ClientSettings {
        timeout: Span::secs(3),
        ..curl("web")
    };
    let newcomer = world.clients("newcomer", patience);
    let request = world.ask(newcomer, "/");
    world.run_for(Span::secs(4));
    match world.answer(request) {
        Some(Ok(200)) => true,
        Some(Err(Failure::Timeout)) => false,
        other => panic!("the probe ended with {other:?}"),
    }
}

fn probe_answered(run: &Value) -> bool {
    run["probe"][0][1].as_u64() == Some(200)
}

fn counts(world: &World, web: ProcId) -> (u32, u32) {
    let server = world.server(web);
    (server.processes(), server.threads())
}

#[test]
fn vectors_processes_and_threads_at_rest() {
    for run in measured("at rest") {
        let mut world = World::new();
        let web = world.serve("web", kind(&run), site(file()));
        world.run_for(Span::ms(500));
        let expected = (number(&run["processes"]), number(&run["threads"]));
        assert_eq!(counts(&world, web), expected, "{}", run["server"]);
    }
}

/// Of event only who is answered is compared: how many children its burst made depends on the machine's pace.
#[test]
fn vectors_three_hundred_idle_connections() {
    for run in measured("300 idle keep-alive") {
        let mut world = World::new();
        let web = world.serve("web", with_keepalive(kind(&run), Span::secs(30)), site(file()));
        let idle = ClientSettings {
            clients: 300,
            think: Span::secs(100),
            ..ClientSettings::new("web")
        };
        let idle = world.clients("idle", idle);
        // The children of the ninth second have been forked, those of the tenth not.
        world.run_for(Span::ms(8_900));
        let name = &run["server"];
        assert_eq!(
            world.browsers(idle).answered,
            u64::from(number(&run["answered"])),
            "{name}"
        );
        if name != "apache-event" {
            let expected = (number(&run["processes"]), number(&run["threads"]));
            assert_eq!(counts(&world, web), expected, "{name}");
        }
        assert_eq!(probe(&mut world), probe_answered(&run), "{name}");
    }
}

#[test]
fn vectors_two_hundred_dripping_clients() {
    for run in measured("200 clients dripping") {
        let mut world = World::new();
        world.serve("web", kind(&run), site(file()));
        let dripping = ClientSettings {
            clients: 200,
            drip: Some(Span::ms(500)),
            ..ClientSettings::new("web")
        };
        world.clients("dripping", dripping);
        world.run_for(Span::secs(8));
        assert_eq!(probe(&mut world), probe_answered(&run), "{}", run["server"]);
    }
}

#[test]
fn vectors_growth_under_a_burst() {
    for run in measured("growth") {
        let mut world = World::new();
        let web = world.serve("web", kind(&run), site(blocks(20_000)));
        let people = world.clients("people", curl("web"));
        world.run_for(Span::ms(1));
        (0..200).for_each(|_| {
            world.ask(people, "/slow");
        });
        let mut now_ms = 0;
        for sample in run["growth"].as_array().expect("samples") {
            // The recording looks a little late after its full seconds; the maintenance runs on them.
            let at_ms = (sample[0].as_f64().expect("seconds") * 1_000.0) as u64 + 20;
            world.run_for(Span::ms(at_ms - now_ms));
            now_ms = at_ms;
            let children = world.server(web).units().children();
            assert_eq!(children, number(&sample[1]), "{} at {at_ms} ms", run["server"]);
        }
    }
}
