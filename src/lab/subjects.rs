//! What a check looks at: the value of each subject in the world as it is, and whether a claim about it holds.

use super::apply::named;
use super::invariants::Invariant;
use super::language::ast::{Claim, Name, Op, ReplicaName, Subject, Thing, TopicPartition};
use super::language::units::{thousandths, write_thousandths};
use super::ledger::{Entry, System};
use super::show;
use super::world::{Role, World};
use crate::kafka::broker::{ReplicaRole, ReplicaView};
use crate::kafka::client::log::LogLine;
use crate::kafka::controller::partition::PartitionRegistration;
use crate::kafka::protocol::ErrorCode;
use crate::kafka::types::{NO_LEADER, NamedPartition, NodeId, TopicPartition as Partition};
use crate::ordered::OrderedSet;
use crate::rabbit::queue::Queue;
use crate::sim::ProcId;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    Number(i64),
    Text(String),
    /// In this order.
    List(Vec<String>),
    /// In no order.
    Set(OrderedSet<String>),
    /// A figure in thousandths.
    Thousandths(i64),
    /// Lines of a log: a value is a part of one.
    Lines(Vec<String>),
    /// An error by its exception's class.
    Error(String),
    /// There is such a thing, and it has no value.
    Nothing,
    /// There is no such thing; why.
    Missing(String),
}

/// Fates that a comparison with `=` looks at even if they are not named; the others (`sent`, `appended`, `replicated`,
/// `committed`, `delivered`, `accepted`, `expired`) count only where they are.
const DECISIVE: [&str; 13] = [
    "acknowledged",
    "aborted",
    "rejected",
    "archived",
    "lost",
    "failed",
    "duplicated",
    "delivered-twice",
    "reordered",
    "waiting",
    "unroutable",
    "dead-lettered",
    "dropped",
];

/// Whether a claim holds (`None`: what it speaks of is not there), and what was found.
pub fn judge(world: &World, claim: &Claim) -> (Option<bool>, String) {
    match claim {
        Claim::Invariant(name) => {
            let breach = Invariant::by_name(name).and_then(|invariant| world.invariants.breach(invariant));
            let found = breach.map_or_else(|| "holds".to_string(), |breach| breach.how.to_string());
            (holds_now(world, claim), found)
        }
        Claim::Compare { subject, op, values } => {
            let found = look(world, subject);
            let text = match (&found, subject) {
                (Found::Set(fates), Subject::Fate(_)) => fates_text(fates, *op, values),
                (Found::Text(output), Subject::Output) => output_text(output),
                _ => found.to_string(),
            };
            (compare(&found, subject, *op, values), text)
        }
    }
}

/// Whether a claim holds; `None`: what it speaks of is not there.
pub fn holds_now(world: &World, claim: &Claim) -> Option<bool> {
    match claim {
        Claim::Invariant(name) => {
            let invariant = Invariant::by_name(name)?;
            Some(world.invariants.breach(invariant).is_none())
        }
        Claim::Compare { subject, op, values } => compare(&look(world, subject), subject, *op, values),
    }
}

fn compare(found: &Found, subject: &Subject, op: Op, values: &[Name]) -> Option<bool> {
    match (found, subject) {
        (Found::Missing(_), _) => None,
        (Found::Set(fates), Subject::Fate(_)) => Some(fates_hold(fates, op, values)),
        (Found::Text(output), Subject::Output) => Some(output_holds(output, op, values)),
        _ => Some(holds(found, op, values)),
    }
}

/// A tool's output as a check sees it: blanks and tabs count alike, and at the ends of lines and at the end of all they
/// do not count.
fn evened(text: &str) -> String {
    let line = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let lines: Vec<String> = text.lines().map(line).collect();
    lines.join("\n").trim_end().to_string()
}

/// The end of an output on one line, as the language writes it.
fn output_text(output: &str) -> String {
    const MOST: usize = 200;
    let hidden = output.chars().count().saturating_sub(MOST);
    let shown: String = output.chars().skip(hidden).collect();
    let start = if hidden > 0 { "... " } else { "" };
    format!("{start}{}", shown.replace('\n', "\\n"))
}

/// `=`: the texts are the lines of the output; `contains`: each text is a part of it.
fn output_holds(output: &str, op: Op, values: &[Name]) -> bool {
    let mut texts = values.iter().map(|text| evened(text));
    match op {
        Op::Contains => texts.all(|text| output.contains(&text)),
        Op::NotEqual => output != texts.collect::<Vec<_>>().join("\n"),
        _ => output == texts.collect::<Vec<_>>().join("\n"),
    }
}

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let list = |f: &mut std::fmt::Formatter<'_>, mut each: Vec<&str>| {
            if each.is_empty() {
                each.push("none");
            }
            f.write_str(&each.join(" "))
        };
        match self {
            Found::Number(n) => write!(f, "{n}"),
            Found::Thousandths(milli) => f.write_str(&write_thousandths(*milli)),
            Found::Text(text) | Found::Error(text) | Found::Missing(text) => f.write_str(text),
            Found::List(each) => list(f, each.iter().map(String::as_str).collect()),
            Found::Set(each) => list(f, each.iter().map(String::as_str).collect()),
            Found::Lines(lines) => f.write_str(lines.last().map_or("nothing logged", String::as_str)),
            Found::Nothing => f.write_str("none"),
        }
    }
}

/// `=`: the decisive fates are exactly those named, and the others that are named hold too. `contains`: those named hold.
fn fates_hold(fates: &OrderedSet<String>, op: Op, values: &[Name]) -> bool {
    let named: OrderedSet<&str> = values.iter().map(|v| &**v).collect();
    let all = named.iter().all(|fate| fates.contains(*fate));
    let exact = all
        && fates
            .iter()
            .all(|fate| named.contains(&**fate) || !DECISIVE.contains(&&**fate));
    match op {
        Op::Equal => exact,
        Op::NotEqual => !exact,
        _ => all,
    }
}

/// The fates that the comparison looked at.
fn fates_text(fates: &OrderedSet<String>, op: Op, values: &[Name]) -> String {
    let looked_at = |fate: &&String| {
        op == Op::Contains || DECISIVE.contains(&fate.as_str()) || values.iter().any(|value| **value == ***fate)
    };
    let shown: Vec<&str> = fates.iter().filter(looked_at).map(String::as_str).collect();
    match shown.is_empty() {
        true => "none of them".into(),
        false => shown.join(", "),
    }
}

fn holds(found: &Found, op: Op, values: &[Name]) -> bool {
    let first = values.first().map_or("none", |value| &**value);
    let texts = || values.iter().map(|value| value.to_string());
    match found {
        Found::Number(n) => match first.parse::<i64>() {
            Ok(value) => op.holds(*n, value),
            Err(_) => op == Op::NotEqual,
        },
        Found::Thousandths(milli) => match thousandths(first) {
            Some(value) => op.holds(*milli, value),
            None => op == Op::NotEqual,
        },
        Found::Nothing => (first == "none" || values.is_empty()) == (op != Op::NotEqual),
        Found::Text(text) => match op {
            Op::Contains => text.contains(first),
            Op::NotEqual => text != first,
            _ => text == first,
        },
        Found::Error(class) => match op {
            Op::NotEqual => !is_error(class, first),
            Op::Contains => class.contains(first) || is_error(class, first),
            _ => is_error(class, first),
        },
        Found::List(each) => match op {
            Op::Contains => texts().all(|value| each.contains(&value)),
            Op::NotEqual => !each.iter().cloned().eq(texts()),
            _ => each.iter().cloned().eq(texts()),
        },
        Found::Set(each) => match op {
            Op::Contains => texts().all(|value| each.contains(&value)),
            Op::NotEqual => *each != texts().collect::<OrderedSet<_>>(),
            _ => *each == texts().collect::<OrderedSet<_>>(),
        },
        Found::Lines(lines) => match op {
            Op::Equal => lines.iter().any(|line| line == first),
            Op::NotEqual => !lines.iter().any(|line| line.contains(first)),
            _ => lines.iter().any(|line| line.contains(first)),
        },
        Found::Missing(_) => false,
    }
}

/// Whether an exception is the one that a person means: by its class, with or without `Exception`, or by the name of the
/// protocol's error. The text may begin with the class and go on.
fn is_error(class: &str, meant: &str) -> bool {
    let class = class.split([':', ' ']).next().unwrap_or(class);
    let by_name = ErrorCode::from_name(meant).map(ErrorCode::exception);
    class == meant || class.strip_suffix("Exception") == Some(meant) || by_name == Some(class)
}

/// The value of a subject now.
pub fn look(world: &World, subject: &Subject) -> Found {
    match subject {
        Subject::Leader(p) => registered(world, p, |r| match r.leader {
            NO_LEADER => Found::Nothing,
            leader => Found::Text(world.node_name(leader).to_string()),
        }),
        Subject::Epoch(p) => registered(world, p, |r| Found::Number(i64::from(r.leader_epoch))),
        Subject::Isr(p) => registered(world, p, |r| Found::Set(node_set(world, &r.isr))),
        Subject::Elr(p) => registered(world, p, |r| Found::Set(node_set(world, &r.elr))),
        Subject::Replicas(p) => registered(world, p, |r| {
            let names = r.replicas.iter().map(|id| world.node_name(*id).to_string());
            Found::List(names.collect())
        }),
        Subject::Leo(name) => replica(world, name, |r| Found::Number(r.end_offset())),
        Subject::Hw(name) => replica(world, name, |r| Found::Number(r.high_watermark())),
        Subject::Lso(name) => replica(world, name, |r| Found::Number(r.last_stable_offset())),
        Subject::Start(name) => replica(world, name, |r| Found::Number(r.log_start())),
        Subject::Log(name) => replica(world, name, |r| Found::List(values_of(r))),
        Subject::ClientLog(name) => match world.find(name) {
            Some(id) => Found::Lines(world.logs.of(id).iter().map(LogLine::printed).collect()),
            None => Found::Missing(format!("there is no {name}")),
        },
        Subject::Metric { of, name, tag } => match super::metrics::figure(world, of, name, tag.as_deref()) {
            Ok(figure) => figure.map_or(Found::Nothing, Found::Thousandths),
            Err(why) => Found::Missing(why),
        },
        Subject::State(thing) => state(world, thing),
        Subject::Controller => match world.controller().filter(|controller| controller.is_active()) {
            Some(controller) => Found::Text(world.node_name(controller.id()).to_string()),
            None => Found::Nothing,
        },
        Subject::Error(name) => match world.find(name) {
            Some(id) => world
                .errors
                .get(&id)
                .map_or(Found::Nothing, |error| Found::Error(error.to_string())),
            None => Found::Missing(format!("there is no {name}")),
        },
        Subject::Fate(value) => fate(world, value),
        Subject::Count { fate, of } => count(world, fate, of.as_deref()),
        Subject::Ready(name) => queue(world, name, Queue::ready),
        Subject::Unacked(name) => queue(world, name, Queue::unacked),
        Subject::Consumers(name) => queue(world, name, Queue::consumer_count),
        Subject::Answer(text) => match world.requests.named(text) {
            Some(request) => request
                .outcome
                .map_or(Found::Nothing, |outcome| Found::Text(outcome.text())),
            None => Found::Missing(format!("no request is called \"{text}\"")),
        },
        Subject::Tried(text) => match world.requests.named(text) {
            Some(request) => Found::List(request.tried.iter().map(ToString::to_string).collect()),
            None => Found::Missing(format!("no request is called \"{text}\"")),
        },
        Subject::Web(number, name) => match show::web::number(world, *number, name) {
            Some(number) => number.map_or(Found::Nothing, Found::Number),
            None => Found::Missing(format!("there is no {name}")),
        },
        Subject::Output => match world.tools.last() {
            Some(line) => Found::Text(evened(line.output())),
            None => Found::Missing("no $ line has run".into()),
        },
        Subject::Reach { client, broker } => match world.reach(client, broker) {
            Some(reach) => Found::Text(reach.outcome.word().into()),
            None => Found::Missing(format!("there is no way of {client} to {broker} to look at")),
        },
        Subject::Exit => match world.tools.last() {
            Some(line) => line
                .exit
                .map_or(Found::Nothing, |status| Found::Number(i64::from(status))),
            None => Found::Missing("no $ line has run".into()),
        },
        _ => look_at_group(world, subject),
    }
}

/// A number of a queue that a running broker has; of a broker that is down, nothing is known.
fn queue(world: &World, name: &str, number: fn(&Queue) -> usize) -> Found {
    let mut running = world.rabbits().filter(|(id, _)| world.runs(*id));
    match running.find_map(|(_, broker)| broker.queue(name)) {
        Some(queue) => Found::Number(number(queue) as i64),
        None => Found::Missing(format!("there is no queue {name}")),
    }
}

fn look_at_group(world: &World, subject: &Subject) -> Found {
    match subject {
        Subject::Assignment(name) => match show::groups::assignment(world, name) {
            Some(partitions) => Found::Set(partitions.iter().map(slashed).collect()),
            None => no_member(name),
        },
        Subject::Position(name, p) => match world.find(name).and_then(|id| world.consumer(id)) {
            Some(consumer) => consumer.position_of(&named(p)).map_or(Found::Nothing, Found::Number),
            None => Found::Missing(format!("there is no consumer {name}")),
        },
        Subject::Committed(name, p) => match show::groups::committed(world, name, &named(p)) {
            Some(offset) => offset.map_or(Found::Nothing, Found::Number),
            None => no_member(name),
        },
        Subject::Lag(name, p) => show::groups::lag(world, name, p.as_ref().map(named).as_ref())
            .map_or_else(|| no_member(name), Found::Number),
        Subject::Coordinator(name) => match show::groups::coordinator(world, name) {
            Some(Some(broker)) => Found::Text(broker),
            Some(None) => Found::Nothing,
            None => no_member(name),
        },
        Subject::Generation(name) => show::groups::generation(world, name)
            .map_or_else(|| no_member(name), |generation| Found::Number(i64::from(generation))),
        _ => Found::Missing("nothing to look at".into()),
    }
}

fn no_member(name: &str) -> Found {
    Found::Missing(format!("there is no member or group {name}"))
}

fn slashed(partition: &NamedPartition) -> String {
    format!("{}/{}", partition.topic, partition.partition)
}

fn node_set(world: &World, ids: &[NodeId]) -> OrderedSet<String> {
    ids.iter().map(|id| world.node_name(*id).to_string()).collect()
}

/// The id of a partition of the scenario.
fn partition_id(world: &World, p: &TopicPartition) -> Option<Partition> {
    let topic = world.image()?.topic_by_name(&p.topic)?;
    Some(Partition::new(topic.id, p.partition))
}

fn registered(world: &World, p: &TopicPartition, value: impl FnOnce(&PartitionRegistration) -> Found) -> Found {
    let registration = partition_id(world, p).and_then(|id| world.image()?.partitions.get(&id));
    match registration {
        Some(registration) => value(registration),
        None => Found::Missing(format!("there is no partition {}/{}", p.topic, p.partition)),
    }
}

fn replica(world: &World, name: &ReplicaName, value: impl FnOnce(&ReplicaView<'_>) -> Found) -> Found {
    let p = &name.partition;
    let missing = |what: String| Found::Missing(what);
    let Some(id) = partition_id(world, p) else {
        return missing(format!("there is no partition {}/{}", p.topic, p.partition));
    };
    let broker = match &name.broker {
        Some(broker) => match world.find(broker).map(|id| world.role(id)) {
            Some(Role::Broker(node)) => node,
            _ => return missing(format!("there is no broker {broker}")),
        },
        None => match leader_of(world, id) {
            Some(node) => node,
            None => return missing(format!("{}/{} has no leader", p.topic, p.partition)),
        },
    };
    match world.broker(broker).and_then(|broker| broker.replica(id)) {
        Some(replica) => value(&replica),
        None => missing(format!(
            "{} has no replica of {}/{}",
            world.node_name(broker),
            p.topic,
            p.partition
        )),
    }
}

/// The leader as the controller has it.
fn leader_of(world: &World, id: Partition) -> Option<NodeId> {
    let leader = world.image()?.partitions.get(&id)?.leader;
    (leader != NO_LEADER).then_some(leader)
}

fn values_of(replica: &ReplicaView<'_>) -> Vec<String> {
    let start = replica.log_start();
    let data = replica.batches().filter(|batch| batch.control.is_none());
    data.flat_map(|batch| batch.iter())
        .filter(|(offset, _)| *offset >= start)
        .map(|(_, record)| match &record.value {
            Some(value) => String::from_utf8_lossy(value).into_owned(),
            None => "null".into(),
        })
        .collect()
}

fn state(world: &World, thing: &Thing) -> Found {
    match thing {
        Thing::Process(name) => match world.find(name) {
            Some(id) => Found::Text(show::health(world, id).word().into()),
            None => Found::Missing(format!("there is no {name}")),
        },
        Thing::Group(name) => match show::groups::state(world, name) {
            Some(state) => Found::Text(state),
            None => Found::Missing(format!("there is no group {name}")),
        },
        Thing::Transaction(name) => match world.transaction_state(name) {
            Some(state) => Found::Text(state.into()),
            None => Found::Missing(format!("there is no transaction {name}")),
        },
    }
}

/// The fates of the record with this value; of the newest, if there are several.
fn fate(world: &World, value: &str) -> Found {
    let entry = world
        .ledger
        .entries()
        .rev()
        .find(|(_, entry)| entry.handed.value.as_deref() == Some(value));
    match entry {
        Some((record, entry)) => Found::Set(all_fates(world, record, entry)),
        None => Found::Missing(format!("no record has the value \"{value}\"")),
    }
}

/// Every fate of a record by its name.
fn all_fates(world: &World, record: u32, entry: &Entry) -> OrderedSet<String> {
    super::language::words::FATES
        .iter()
        .filter(|(fate, _)| has_fate(world, record, entry, fate))
        .map(|(fate, _)| fate.to_string())
        .collect()
}

/// Whether a record has a fate.
pub fn has_fate(world: &World, record: u32, entry: &Entry, fate: &str) -> bool {
    match fate {
        "sent" => true,
        "appended" => entry.appended,
        "replicated" => is_replicated(world, record, entry),
        "committed" => entry.committed,
        "acknowledged" => entry.acknowledged,
        "failed" => entry.failed.is_some(),
        "delivered" => !entry.delivered.is_empty(),
        "delivered-twice" => entry.is_delivered_twice(),
        "aborted" => entry.is_aborted(),
        "accepted" => entry.accepted,
        "rejected" => entry.rejected,
        "archived" => entry.archived,
        "lost" => entry.lost,
        "duplicated" => entry.is_duplicated(),
        "reordered" => entry.reordered,
        "expired" if entry.handed.system == System::Kafka => is_expired(world, entry),
        "waiting" => entry.is_waiting(),
        other => entry
            .message
            .as_ref()
            .is_some_and(|message| message.fates().any(|fate| fate == other)),
    }
}

/// At least two brokers have it in their logs.
fn is_replicated(world: &World, record: u32, entry: &Entry) -> bool {
    let (Some(place), Some(offset)) = (entry.place, entry.offset) else {
        return false;
    };
    let id = super::places::partition_of(place);
    let holds = |id: Partition, proc: ProcId| {
        let Role::Broker(node) = world.role(proc) else {
            return false;
        };
        let replica = world.broker(node).and_then(|broker| broker.replica(id));
        replica.is_some_and(|replica| show::replicas::record_at(&replica, offset) == Some(record))
    };
    world.brokers().filter(|(proc, _, _)| holds(id, *proc)).count() > 1
}

/// Retention has passed it: it is below the start of the leader's log.
fn is_expired(world: &World, entry: &Entry) -> bool {
    let (Some(place), Some(offset)) = (entry.place, entry.offset) else {
        return false;
    };
    let id = super::places::partition_of(place);
    let leader = leader_of(world, id).and_then(|node| world.broker(node)?.replica(id));
    entry.appended
        && !entry.lost
        && leader.is_some_and(|replica| replica.role() == ReplicaRole::Leader && offset < replica.log_start())
}

fn count(world: &World, fate: &str, of: Option<&str>) -> Found {
    if let Some(number) = counted(world, fate, of) {
        return Found::Number(number as i64);
    }
    let mine = |entry: &Entry| match of {
        None => true,
        Some("kafka") => entry.handed.system == System::Kafka,
        Some("rabbit") => entry.handed.system == System::Rabbit,
        Some(of) => &*entry.handed.client == of || &*entry.handed.topic == of,
    };
    let number = world
        .ledger
        .entries()
        .filter(|(record, entry)| mine(entry) && has_fate(world, *record, entry, fate))
        .count();
    Found::Number(number as i64)
}

/// The number where the ledger keeps it at hand.
fn counted(world: &World, fate: &str, of: Option<&str>) -> Option<u64> {
    let client = |name: &str| {
        let role = world.find(name).map(|id| world.role(id));
        matches!(role, Some(Role::Producer | Role::Publisher)) && world.places.id(name).is_none()
    };
    let sums = match of {
        None => world.ledger.sums(),
        Some(name) if client(name) => world.ledger.sums_of(name),
        Some(_) => return None,
    };
    Some(match fate {
        "sent" => sums.sent,
        "appended" => sums.appended,
        "committed" => sums.committed,
        "acknowledged" => sums.acknowledged,
        "failed" => sums.failed,
        "delivered" => sums.delivered,
        "lost" => sums.lost,
        "aborted" => sums.aborted,
        "duplicated" => sums.duplicated,
        "delivered-twice" => sums.delivered_twice,
        "reordered" => sums.reordered,
        "waiting" => sums.waiting,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<Name> {
        text.split_whitespace().map(Name::from).collect()
    }

    #[test]
    fn equal_fates_are_the_decisive_ones_and_those_named() {
        let had: OrderedSet<String> = ["sent", "appended", "acknowledged", "lost"].map(String::from).into();
        for (text, equal, contains) in [
            ("acknowledged lost", true, true),
            ("appended acknowledged lost", true, true),
            ("acknowledged", false, true),
            ("acknowledged lost committed", false, false),
            ("lost failed", false, false),
        ] {
            let values = names(text);
            assert_eq!(fates_hold(&had, Op::Equal, &values), equal, "{text}");
            assert_eq!(fates_hold(&had, Op::NotEqual, &values), !equal, "{text}");
            assert_eq!(fates_hold(&had, Op::Contains, &values), contains, "{text}");
        }
        assert_eq!(
            fates_text(&had, Op::Equal, &names("appended")),
            "acknowledged, appended, lost"
        );
    }

    #[test]
    fn output_is_compared_line_by_line() {
        let output = evened("Topic: t\tLeader: 2  \nPartition:  0\t\n\n");
        let texts = |list: &[&str]| list.iter().map(|text| Name::from(*text)).collect::<Vec<_>>();
        assert!(output_holds(
            &output,
            Op::Equal,
            &texts(&["Topic: t Leader: 2", "Partition: 0"])
        ));
        assert!(output_holds(
            &output,
            Op::Equal,
            &texts(&["Topic: t\tLeader: 2\nPartition: 0"])
        ));
        assert!(!output_holds(&output, Op::Equal, &texts(&["Topic: t Leader: 2"])));
        assert!(output_holds(
            &output,
            Op::Contains,
            &texts(&["Leader: 2", "Partition: 0"])
        ));
        assert!(!output_holds(
            &output,
            Op::Contains,
            &texts(&["Leader: 2", "Partition: 1"])
        ));
    }

    #[test]
    fn an_error_is_meant_by_class_or_name() {
        for meant in ["NOT_ENOUGH_REPLICAS", "NotEnoughReplicasException", "NotEnoughReplicas"] {
            assert!(is_error("NotEnoughReplicasException: too few", meant), "{meant}");
        }
        assert!(!is_error("TimeoutException", "NOT_ENOUGH_REPLICAS"));
    }

    #[test]
    fn sets_have_no_order_and_lists_do() {
        let set = Found::Set(["b1", "b2"].map(String::from).into());
        let list = Found::List(["b1", "b2"].map(String::from).into());
        assert!(holds(&set, Op::Equal, &names("b2 b1")) && !holds(&list, Op::Equal, &names("b2 b1")));
        assert!(holds(&set, Op::Contains, &names("b2")) && !holds(&set, Op::Equal, &names("b2")));
        assert!(holds(&list, Op::NotEqual, &names("b2 b1")));
        assert!(holds(&Found::Set(OrderedSet::new()), Op::Equal, &[]));
    }

    #[test]
    fn what_has_no_value_is_none() {
        assert!(holds(&Found::Nothing, Op::Equal, &names("none")));
        assert!(!holds(&Found::Nothing, Op::Equal, &names("5")));
        assert!(holds(&Found::Nothing, Op::NotEqual, &names("5")));
        assert!(holds(&Found::Number(4), Op::AtMost, &names("4")));
        assert!(holds(&Found::Number(4), Op::NotEqual, &names("none")));
    }
}
