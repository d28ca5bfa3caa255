//! Generated scenarios for the tests.

use crate::kafka::fixes::FIXES;
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use std::net::Ipv4Addr;

use super::generate_rabbit::rabbit;
use super::generate_web::web;
use crate::lab::language::ast::*;
use crate::lab::language::limits;

/// What generated scenarios can speak of.
pub const SETUP: &str = "lab 1\nhost h1 h2\ncontroller c1\nbroker b1..b5\nproducer web api\nconsumer w1 w2\n\
    rabbit r1\nexchange x1\nexchange x2\nqueue q1\npublisher p1\nsubscriber s1 queue=q1\n\
    nginx n1\nbrowser br1 target=n1\n";

pub fn name() -> impl Strategy<Value = Name> {
    "[A-Za-z0-9_-][A-Za-z0-9._-]{0,12}"
        .prop_filter("no range", |s| !s.contains(".."))
        .prop_map(Name::from)
}

pub fn text() -> impl Strategy<Value = Name> {
    any::<String>().prop_map(|s| Name::from(s.chars().take(60).collect::<String>()))
}

pub fn one(of: &'static [&'static str]) -> impl Strategy<Value = Name> {
    select(of).prop_map(Name::from)
}

fn some(of: &'static [&'static str]) -> impl Strategy<Value = Vec<Name>> {
    subsequence(of, 1..=of.len())
        .prop_shuffle()
        .prop_map(|names| names.into_iter().map(Name::from).collect())
}

const BROKERS: &[&str] = &["b1", "b2", "b3", "b4", "b5"];
const PROCESSES: &[&str] = &["b1", "b2", "b3", "c1", "web", "api", "w1", "w2"];

fn us() -> impl Strategy<Value = u64> {
    prop_oneof![
        0..5_000u64,
        (0..100_000u64).prop_map(|ms| ms * 1_000),
        (0..1_000u64).prop_map(|s| s * 1_000_000)
    ]
}

fn partition() -> impl Strategy<Value = TopicPartition> {
    (name(), 0..limits::PARTITIONS as i32).prop_map(|(topic, partition)| TopicPartition { topic, partition })
}

fn target() -> impl Strategy<Value = Target> {
    (name(), option::of(0..200i32)).prop_map(|(topic, partition)| Target { topic, partition })
}

fn between() -> impl Strategy<Value = Between> {
    (
        some(&["b1", "b2", "h1"]),
        select(&[Way::OneWay, Way::Both, Way::Sides][..]),
        some(&["b3", "c1", "web"]),
    )
        .prop_map(|(from, way, to)| Between { from, way, to })
}

/// Some settings with values that fit.
fn config(of: &'static [(&'static str, &'static str)]) -> impl Strategy<Value = Config> {
    subsequence(of, 0..=of.len()).prop_map(|pairs| pairs.into_iter().map(|(k, v)| (k.into(), v.into())).collect())
}

fn load() -> impl Strategy<Value = Load> {
    let rate = (1..100u32, prop_oneof![Just(1_000_000), 10_000..2_000_000u64])
        .prop_map(|(count, per_us)| Rate { count, per_us });
    (
        rate,
        0..100u32,
        option::of(1..1_000u64),
        option::of(us()),
        option::of(0..100_000u64),
        prop_oneof![Just(Vec::new()), some(&["order.high", "a", ""])],
    )
        .prop_map(|(rate, keys, count, until_us, size, routing)| Load {
            rate,
            keys,
            count,
            until_us,
            size,
            routing,
        })
}

fn places() -> impl Strategy<Value = Command> {
    prop_oneof![
        text().prop_map(Command::Note),
        (0..FIXES.len(), any::<bool>()).prop_map(|(at, on)| Command::Rule {
            rule: FIXES[at].1.into(),
            on
        }),
        (name(), some(PROCESSES)).prop_map(|(name, members)| Command::Rack { name, members }),
        (between(), us()).prop_map(|(between, latency_us)| Command::Link { between, latency_us }),
        (
            name(),
            option::of(1..5u32),
            replicas(),
            config(&[("cleanup.policy", "compact,delete"), ("retention.ms", "5")])
        )
            .prop_map(|(name, partitions, replicas, config)| {
                let partitions = match &replicas {
                    Replicas::Lists(lists) if lists.len() > 1 => partitions.map(|_| lists.len() as u32),
                    _ => partitions,
                };
                Command::Topic(Topic {
                    name,
                    partitions,
                    replicas,
                    config,
                })
            }),
    ]
}

fn replicas() -> impl Strategy<Value = Replicas> {
    prop_oneof![
        Just(Replicas::Default),
        (1..9u16).prop_map(Replicas::Factor),
        vec(some(BROKERS), 1..4).prop_map(Replicas::Lists)
    ]
}

fn data() -> impl Strategy<Value = Command> {
    let value = prop_oneof![Just(Value::Auto), Just(Value::Null), text().prop_map(Value::Text)];
    let headers = btree_map(name(), text(), 0..3).prop_map(|map| map.into_iter().collect());
    let produce = (
        one(&["web", "api"]),
        target(),
        option::of(text()),
        value,
        1..100u32,
        headers,
    )
        .prop_map(|(client, target, key, value, count, headers)| {
            Command::Produce(Produce {
                client,
                target,
                key,
                value,
                count,
                headers,
            })
        });
    let consumers = || some(&["w1", "w2"]);
    let offsets = btree_map(partition(), 0..i64::MAX, 0..3).prop_map(|map| map.into_iter().collect());
    let seek = prop_oneof![
        Just(SeekTo::Beginning),
        Just(SeekTo::End),
        (0..i64::MAX).prop_map(SeekTo::Offset)
    ];
    prop_oneof![
        produce,
        (one(&["web"]), target(), load()).prop_map(|(client, to, l)| Command::Start {
            client,
            load: Some((to, l))
        }),
        (name(), load(), some(&["web", "api"])).prop_map(|(topic, load, to)| Command::Feed { topic, load, to }),
        Just(Command::Start {
            client: "w1".into(),
            load: None
        }),
        some(&["web", "w1", "w2"]).prop_map(|names| Command::Stop { names }),
        (
            consumers(),
            option::of(us().prop_filter("default", |us| *us != 100_000))
        )
            .prop_map(|(consumers, timeout_us)| Command::Poll { consumers, timeout_us }),
        (consumers(), any::<bool>(), offsets).prop_map(|(consumers, asynchronous, offsets)| {
            Command::Commit(Commit {
                consumers,
                asynchronous,
                offsets,
            })
        }),
        (
            some(&["w1", "w2"]),
            prop_oneof![Just(HowAcknowledged::Accept), select(&HowAcknowledged::SAID[..])],
            btree_set((partition(), 0..i64::MAX), 0..3)
        )
            .prop_map(|(consumers, how, records)| {
                Command::Acknowledge(Acknowledge {
                    consumers,
                    how,
                    records: records.into_iter().collect(),
                })
            }),
        (one(&["w1"]), target(), seek).prop_map(|(consumer, target, to)| Command::Seek { consumer, target, to }),
        (one(&["w1"]), vec(name(), 1..4)).prop_map(|(consumer, topics)| Command::Subscribe { consumer, topics }),
        (one(&["w2"]), vec(partition(), 1..4))
            .prop_map(|(consumer, partitions)| Command::Assign { consumer, partitions }),
        consumers().prop_map(|consumers| Command::Unsubscribe { consumers }),
    ]
}

fn transactions() -> impl Strategy<Value = Command> {
    let producers = || some(&["web", "api"]);
    prop_oneof![
        producers().prop_map(|producers| Command::Begin { producers }),
        (producers(), any::<bool>(), option::of(one(&["w1", "w2"]))).prop_map(|(producers, abort, offsets)| {
            Command::End {
                producers,
                abort,
                offsets,
            }
        }),
    ]
}

fn admin() -> impl Strategy<Value = Command> {
    let topic_config = || config(&[("min.insync.replicas", "2"), ("min.cleanable.dirty.ratio", "0.5")]);
    let alter_topic = (
        name(),
        option::of(1..9u32),
        topic_config(),
        some(&["retention.ms", "segment.ms"]),
    )
        .prop_map(|(topic, partitions, set, unset)| {
            Command::Alter(Alter::Topic {
                topic,
                partitions,
                set,
                unset,
            })
        });
    let alter_broker = (option::of(one(BROKERS)), some(&["log.cleaner.threads"])).prop_map(|(broker, unset)| {
        Command::Alter(Alter::Broker {
            broker,
            set: Config::new(),
            unset,
        })
    });
    let delete = prop_oneof![
        name().prop_map(Delete::Topic),
        name().prop_map(Delete::Group),
        (partition(), option::of(0..i64::MAX)).prop_map(|(partition, before)| Delete::Records { partition, before }),
    ];
    let set = config(&[
        ("work", "50ms"),
        ("poll", "manual"),
        ("commit", "after"),
        ("max.poll.records", "7"),
        ("client.rack", "a b=#,\""),
    ])
    .prop_filter("something", |config| !config.is_empty())
    .prop_map(|config| Command::Set {
        names: vec!["w1".into()],
        config,
    });
    let tool =
        (option::of(one(&["b1", "h2", "web"])), "[!-~]([ -~]{0,30}[!-~])?").prop_map(|(host, line): (_, String)| {
            Command::Tool {
                host,
                line: line.into(),
            }
        });
    prop_oneof![
        alter_topic,
        alter_broker,
        delete.prop_map(Command::Delete),
        transactions(),
        (
            select(&[Election::Preferred, Election::Unclean][..]),
            vec(partition(), 0..3)
        )
            .prop_map(|(kind, partitions)| Command::Elect { kind, partitions }),
        (partition(), prop_oneof![Just(Vec::new()), some(BROKERS)])
            .prop_map(|(partition, replicas)| Command::Reassign { partition, replicas }),
        set,
        tool,
        (option::of(one(&["b1", "h2", "web"])), text()).prop_map(|(host, text)| Command::Type { host, text }),
        (option::of(one(&["b1", "h2", "web"])), select(&Key::ALL[..]))
            .prop_map(|(host, key)| Command::Press { host, key }),
    ]
}

fn faults() -> impl Strategy<Value = Command> {
    let verbs = [
        ProcessVerb::Crash,
        ProcessVerb::PowerOff,
        ProcessVerb::Shutdown,
        ProcessVerb::Restart,
        ProcessVerb::Freeze,
        ProcessVerb::Thaw,
    ];
    let disk = prop_oneof![
        Just(DiskState::Ok),
        Just(DiskState::Full),
        us().prop_map(DiskState::Slow),
        option::of(partition()).prop_map(DiskState::Wipe)
    ];
    let action = prop_oneof![
        select(
            &[
                MessageAction::Drop,
                MessageAction::Hold,
                MessageAction::Duplicate,
                MessageAction::Reorder
            ][..]
        ),
        us().prop_map(MessageAction::Delay)
    ];
    let pattern = || {
        (
            one(&["Fetch", "ProduceRequest", "any", "HeartbeatResponse"]),
            one(PROCESSES),
            one(PROCESSES),
        )
            .prop_map(|(kind, from, to)| Pattern { kind, from, to })
    };
    let message = (action, any::<bool>(), pattern(), 1..9u32).prop_map(|(action, next, pattern, nth)| MessageFault {
        action,
        next,
        pattern: Some(pattern),
        nth,
    });
    let release = option::of((pattern(), 1..9u32)).prop_map(|found| {
        let (pattern, nth) = found.map_or((None, 1), |(pattern, nth)| (Some(pattern), nth));
        MessageFault {
            action: MessageAction::Release,
            next: false,
            pattern,
            nth,
        }
    });
    prop_oneof![
        (select(verbs.to_vec()), some(PROCESSES)).prop_map(|(verb, names)| Command::Process { verb, names }),
        between().prop_map(Command::Cut),
        option::of(between()).prop_map(Command::Heal),
        (between(), us()).prop_map(|(between, by_us)| Command::Delay { between, by_us }),
        (between(), 0..=1_000_000u32).prop_map(|(between, ppm)| Command::Loss { between, ppm }),
        (some(BROKERS), disk).prop_map(|(names, state)| Command::Disk { names, state }),
        message.prop_map(Command::Message),
        release.prop_map(Command::Message),
    ]
}

fn claim() -> impl Strategy<Value = Claim> {
    let replica =
        || (partition(), option::of(one(BROKERS))).prop_map(|(partition, broker)| ReplicaName { partition, broker });
    let op = select(
        &[
            Op::Equal,
            Op::NotEqual,
            Op::Less,
            Op::AtMost,
            Op::Greater,
            Op::AtLeast,
            Op::Contains,
        ][..],
    );
    let words = || prop_oneof![Just(Vec::new()), some(BROKERS)];
    let number = || any::<i64>().prop_map(|n| vec![Name::from(n.to_string())]);
    let text = || text().prop_map(|t| vec![t]);
    let subject = prop_oneof![
        (partition(), words()).prop_map(|(p, v)| (Subject::Isr(p), v)),
        (partition(), one(BROKERS)).prop_map(|(p, v)| (Subject::Leader(p), vec![v])),
        (replica(), number()).prop_map(|(r, v)| (Subject::Hw(r), v)),
        (replica(), vec(super::generate::text(), 0..4)).prop_map(|(r, v)| (Subject::Log(r), v)),
        (one(&["web", "w1"]), text()).prop_map(|(n, v)| (Subject::ClientLog(n), v)),
        (
            one(PROCESSES),
            one(&["record-send-total", "PartitionCount"]),
            option::of(one(&["t/0"])),
            any::<i32>().prop_map(|n| vec![n.to_string().as_str().into()])
        )
            .prop_map(|(of, name, tag, v)| (Subject::Metric { of, name, tag }, v)),
        (name(), partition(), number()).prop_map(|(n, p, v)| (Subject::Committed(n, p), v)),
        (name(), option::of(partition()), number()).prop_map(|(n, p, v)| (Subject::Lag(n, p), v)),
        (super::generate::text(), some(&["lost", "acknowledged", "delivered"]))
            .prop_map(|(t, v)| (Subject::Fate(t), v)),
        (
            one(&["lost", "delivered-twice"]),
            option::of(one(&["web", "kafka"])),
            number()
        )
            .prop_map(|(fate, of, v)| (Subject::Count { fate, of }, v)),
        (one(&["web", "h1"]), one(&["yes", "refused"])).prop_map(|(client, v)| {
            let broker = "b1".into();
            (Subject::Reach { client, broker }, vec![v])
        }),
        text().prop_map(|v| (Subject::Output, v)),
        (one(PROCESSES), one(&["up", "crashed"])).prop_map(|(n, v)| (Subject::State(Thing::Process(n)), vec![v])),
        (name(), text()).prop_map(|(n, v)| (Subject::State(Thing::Group(n)), v)),
        (super::generate::text(), text()).prop_map(|(n, v)| (Subject::State(Thing::Transaction(n)), v)),
    ];
    prop_oneof![
        1 => one(&["one-leader-per-epoch", "no-committed-record-lost"]).prop_map(Claim::Invariant),
        9 => (subject, op).prop_map(|((subject, values), op)| Claim::Compare { subject, op, values }),
    ]
}

fn check() -> impl Strategy<Value = Command> {
    let when = prop_oneof![
        Just(CheckWhen::Now),
        Just(CheckWhen::Always),
        Just(CheckWhen::Never),
        us().prop_map(|within_us| CheckWhen::Eventually { within_us })
    ];
    (when, claim()).prop_map(|(when, claim)| Command::Check(Check { when, claim }))
}

fn later() -> impl Strategy<Value = Command> {
    prop_oneof![
        "[a-z]{1,5}( [a-z=>*.-]{1,6}){0,3}".prop_map(|rest: String| Command::Later {
            verb: "streams".into(),
            rest: rest.into(),
            block: None
        }),
        vec("[^\r\n]{0,20}", 0..4).prop_map(|lines: Vec<String>| {
            let block: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
            Command::Compose(block.into())
        }),
        (1..65_535u16, 1..65_535u16, any::<bool>()).prop_map(|(published, target, local)| Command::Port {
            host: "h1".into(),
            local,
            published,
            target,
        }),
        (any::<bool>(), 1..255u8).prop_map(|(joins, last)| match joins {
            true => Command::Attach {
                host: "h1".into(),
                network: "n1".into(),
                joins: last % 2 == 0,
            },
            false => Command::Address {
                host: "laptop".into(),
                ip: Ipv4Addr::new(192, 168, 1, last),
            },
        }),
    ]
}

/// A whole scenario: the set-up above, then commands of all kinds at growing times, remarks and blank lines.
pub fn scenario() -> impl Strategy<Value = Scenario> {
    // Boxed: together the strategies are larger than the stack of a test's thread.
    let command = prop_oneof![
        places().boxed(),
        data().boxed(),
        rabbit().boxed(),
        web().boxed(),
        admin().boxed(),
        faults().boxed(),
        check().boxed(),
        later().boxed()
    ];
    let when = prop_oneof![2 => Just(None), 1 => us().prop_map(|us| Some((true, us))), 1 => us().prop_map(|us| Some((false, us)))];
    let comment = option::of("[^\r\n]{0,20}".prop_map(|c: String| Name::from(c.trim_end())));
    let line = (when, option::weighted(0.8, command), comment, any::<bool>());
    vec(line, 0..14).prop_map(|lines| {
        let mut scenario = crate::lab::language::parse(SETUP).scenario;
        for (time, command, comment, indented) in lines {
            push(&mut scenario, time, command, comment, indented);
        }
        scenario
    })
}

/// Adds a line as the parser would have read it.
fn push(
    scenario: &mut Scenario,
    time: Option<(bool, u64)>,
    command: Option<Command>,
    comment: Option<Name>,
    indented: bool,
) {
    let (now, number) = scenario
        .lines
        .last()
        .map_or((0, 1), |line| (line.at_us, line.number + 1 + line.extra_lines() as u32));
    let when = match time {
        None => When::Same,
        Some((true, us)) => When::At(now + us),
        Some((false, us)) => When::After(us),
    };
    let at_us = now + time.map_or(0, |(_, us)| us);
    let comment = comment.filter(|_| !matches!(command, Some(Command::Tool { .. })));
    let timed = when != When::Same || scenario.lines.iter().any(|line| line.when != When::Same);
    let indented = indented && timed && when == When::Same && command.is_none() && comment.is_some();
    let content = command.map_or(Content::Blank, Content::Command);
    scenario.lines.push(Line {
        number,
        when,
        at_us,
        content,
        comment,
        indented,
    });
}
