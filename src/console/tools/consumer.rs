//! `kafka-console-consumer.sh`: prints what it reads. [ConsoleConsumer, ConsoleConsumerOptions, DefaultMessageFormatter]

use super::producer::{pairs, properties};
use crate::console::desk::{ClientSpec, Desk, Kind, Run, Stop};
use crate::console::java;
use crate::console::options::{OptionError, Options};
use crate::kafka::client::call::{Answer, ClientError, Consumed};
use crate::kafka::client::consumer::pattern::Pattern;
use crate::kafka::client::consumer::{ConsumerOrder, SeekTo};
use crate::kafka::types::NamedPartition;
use crate::kafka::wire::Order;
use crate::ordered::OrderedMap;
use std::rc::Rc;

const LOGGER: &str = "org.apache.kafka.tools.consumer.ConsoleConsumer";
const KIP_848: &str = "The consumer rebalance protocol (KIP-848) is production-ready! Set group.protocol=consumer to try \
                       it out. See https://kafka.apache.org/documentation/#consumer_rebalance_protocol";

pub fn run(desk: &mut Desk) -> Run<()> {
    let options = match Options::read(desk.usage, desk.words) {
        Ok(options) => options,
        Err(error) => return Err(desk.option_usage(&error)),
    };
    let plan = plan(desk, &options)?;
    let spec = ClientSpec {
        kind: Kind::Consumer,
        id: plan.config.get("client.id").cloned().unwrap_or_default(),
        servers: options.all("bootstrap-server").join(","),
        config: plan.config.clone(),
    };
    let consumer = match desk.open(spec)? {
        Ok(consumer) => consumer,
        Err(error) => return Err(unknown_error(desk, &java::trace(&error))),
    };
    let classic = plan
        .config
        .get("group.protocol")
        .is_none_or(|protocol| protocol.eq_ignore_ascii_case("classic"));
    if plan.partition.is_none() && classic {
        desk.err(KIP_848);
    }
    begin(desk, &options, &plan, consumer)?;
    read(desk, &plan, consumer)
}

fn unknown_error(desk: &mut Desk, trace: &str) -> Stop {
    desk.log("ERROR", "Unknown error when running consumer: ", LOGGER, trace);
    Stop::Exit(1)
}

/// What a command line asks for.
struct Plan {
    config: OrderedMap<String, String>,
    partition: Option<i32>,
    seek: SeekTo,
    timeout_ms: Option<i64>,
    /// -1: all.
    most: i64,
    formatter: Formatter,
}

/// An option's value that cannot be read ends the JVM's main thread.
fn unread(desk: &mut Desk, error: &OptionError) -> Stop {
    desk.err_text(&format!("Exception in thread \"main\" {}", error.trace()));
    Stop::Exit(1)
}

/// The value of an option, or the tool's end.
macro_rules! value {
    ($desk:ident, $value:expr) => {
        match $value {
            Ok(value) => value,
            Err(error) => return Err(unread($desk, &error)),
        }
    };
}

/// [ConsoleConsumerOptions]
fn plan(desk: &mut Desk, options: &Options) -> Run<Plan> {
    desk.help_or_version(
        options,
        "This tool helps to read data from Kafka topics and outputs it to standard output.",
    )?;
    if options.has("topic") == options.has("include") {
        return Err(desk.usage("Exactly one of the following arguments is required: [topic], [include]"));
    }
    let partition = value!(desk, options.number::<i32>("partition"));
    let beginning = options.has("from-beginning");
    let complaint = match partition {
        Some(_) if !options.has("topic") => Some("The topic is required when partition is specified."),
        Some(_) if beginning && options.has("offset") => {
            Some("Options from-beginning and offset cannot be specified together.")
        }
        None if options.has("offset") => Some("The partition is required when offset is specified."),
        _ => None,
    };
    if let Some(complaint) = complaint {
        return Err(desk.usage(complaint));
    }
    desk.require(options, &["bootstrap-server"])?;
    for (old, new) in [
        ("consumer-property", "command-property"),
        ("consumer.config", "command-config"),
    ] {
        if options.has(old) && options.has(new) {
            return Err(desk.usage(&format!("Options --{old} and --{new} cannot be specified together.")));
        }
    }
    for (old, new) in [
        ("consumer-property", "command-property"),
        ("consumer.config", "command-config"),
    ] {
        if options.has(old) {
            desk.say(&deprecated(old, new));
        }
    }
    let config = config(desk, options, partition.is_some())?;
    let seek = seek(desk, options)?;
    let timeout_ms = value!(desk, options.number::<i64>("timeout-ms")).filter(|ms| *ms >= 0);
    let formatter = formatter(desk, options)?;
    let most = value!(desk, options.number::<i32>("max-messages")).map_or(-1, i64::from);
    Ok(Plan {
        config,
        partition,
        seek,
        timeout_ms,
        most,
        formatter,
    })
}

fn deprecated(old: &str, new: &str) -> String {
    format!("Option --{old} is deprecated and will be removed in a future version. Use --{new} instead.")
}

fn config(desk: &mut Desk, options: &Options, assigned: bool) -> Run<OrderedMap<String, String>> {
    let mut all: OrderedMap<String, String> = OrderedMap::new();
    let mut groups: Vec<String> = Vec::new();
    let mut take = |group: Option<&String>| {
        if let Some(group) = group.filter(|group| !groups.contains(*group)) {
            groups.push(group.clone());
        }
    };
    take(options.all("group").first().map(|group| group.to_string()).as_ref());
    for name in ["command-config", "consumer.config"] {
        if let Some(file) = options.all(name).first() {
            all.extend(properties(desk.file(file).unwrap_or_default()));
        }
    }
    take(all.get("group.id"));
    let mut given = pairs(&options.all("command-property"));
    given.extend(pairs(&options.all("consumer-property")));
    take(given.iter().find(|(key, _)| key == "group.id").map(|(_, value)| value));
    all.extend(given);
    if groups.len() > 1 {
        let named: Vec<String> = java::names_in_hash_order(groups, 16)
            .iter()
            .map(|group| format!("'{group}'"))
            .collect();
        return Err(desk.usage(&format!(
            "The group ids provided in different places (directly using '--group', via '--consumer-property', or via \
             '--consumer.config') do not match. Detected group ids: {}",
            named.join(", ")
        )));
    }
    if !groups.is_empty() && assigned {
        return Err(desk.usage("Options group and partition cannot be specified together."));
    }
    let beginning = options.has("from-beginning");
    match all.get("auto.offset.reset") {
        Some(reset) if beginning && reset != "earliest" => {
            let line = format!(
                "Can't simultaneously specify --from-beginning and 'auto.offset.reset={reset}', please remove one option"
            );
            desk.err(&line);
            return Err(Stop::Exit(1));
        }
        Some(_) => {}
        None => {
            let reset = if beginning { "earliest" } else { "latest" };
            all.insert("auto.offset.reset".into(), reset.into());
        }
    }
    all.entry("client.id".into())
        .or_insert_with(|| "console-consumer".into());
    match options.all("isolation-level").first() {
        Some(level) => drop(all.insert("isolation.level".into(), level.to_string())),
        None => drop(
            all.entry("isolation.level".into())
                .or_insert_with(|| "read_uncommitted".into()),
        ),
    }
    match groups.pop() {
        Some(group) => drop(all.insert("group.id".into(), group)),
        None => {
            let number = desk.draw(100_000)?;
            all.insert("group.id".into(), format!("console-consumer-{number}"));
            all.entry("enable.auto.commit".into()).or_insert_with(|| "false".into());
        }
    }
    all.retain(|key, _| key != "bootstrap.servers");
    Ok(all)
}

fn seek(desk: &mut Desk, options: &Options) -> Run<SeekTo> {
    let Some(text) = value!(desk, options.one("offset")) else {
        return Ok(match options.has("from-beginning") {
            true => SeekTo::Beginning,
            false => SeekTo::End,
        });
    };
    match (text.to_ascii_lowercase().as_str(), text.parse::<i64>()) {
        ("earliest", _) => Ok(SeekTo::Beginning),
        ("latest", _) => Ok(SeekTo::End),
        (_, Ok(offset)) if offset >= 0 => Ok(SeekTo::Offset(offset)),
        _ => Err(desk.usage(&format!(
            "The provided offset value '{text}' is incorrect. Valid values are 'earliest', 'latest', or a non-negative \
             long."
        ))),
    }
}

// ---- what it does ----

fn begin(desk: &mut Desk, options: &Options, plan: &Plan, consumer: usize) -> Run<()> {
    let topic: Rc<str> = options.all("topic").first().copied().unwrap_or("").into();
    if let Some(partition) = plan.partition {
        let partition = NamedPartition { topic, partition };
        let (one, to) = (partition.clone(), plan.seek);
        desk.call(consumer, |call| {
            let partitions = vec![one];
            Order::Consumer(ConsumerOrder::Assign { call, partitions })
        })?
        .map_err(|error| unknown_error(desk, &java::trace(&error)))?;
        let sought = desk.call(consumer, move |call| {
            Order::Consumer(ConsumerOrder::Seek { call, partition, to })
        })?;
        return sought
            .map(drop)
            .map_err(|error| unknown_error(desk, &java::trace(&error)));
    }
    let include: Option<Rc<str>> = options.all("include").first().map(|text| (*text).into());
    if let Some(text) = &include
        && let Err(why) = Pattern::new(text)
    {
        return Err(unknown_error(
            desk,
            &format!("java.util.regex.PatternSyntaxException: {why}\n"),
        ));
    }
    let subscribed = desk.call(consumer, move |call| {
        Order::Consumer(match include {
            Some(pattern) => ConsumerOrder::SubscribePattern { call, pattern },
            None => ConsumerOrder::Subscribe {
                call,
                topics: vec![topic],
            },
        })
    })?;
    subscribed
        .map(drop)
        .map_err(|error| unknown_error(desk, &java::trace(&error)))
}

/// [ConsoleConsumer.process]
fn read(desk: &mut Desk, plan: &Plan, consumer: usize) -> Run<()> {
    let mut at = desk.enter_loop();
    let mut left: Vec<Consumed> = Vec::new();
    'reading: while plan.most == -1 || at.count < plan.most {
        let records = match desk.poll(consumer, plan.timeout_ms, at)? {
            None => {
                at.status = 130;
                break;
            }
            Some(Err(error)) => {
                terminated(desk, &error);
                break;
            }
            Some(Ok(answer)) => match &*answer {
                Answer::Records(records) if records.is_empty() => {
                    terminated(
                        desk,
                        &ClientError {
                            class: "TimeoutException".into(),
                            message: Some("null".into()),
                            cause: None,
                        },
                    );
                    break;
                }
                Answer::Records(records) => in_table_order(records),
                _ => Vec::new(),
            },
        };
        let mut records = records.into_iter();
        for record in records.by_ref() {
            at.count += 1;
            let text = plan.formatter.text(&record);
            desk.print(&text);
            if plan.most != -1 && at.count >= plan.most {
                left = records.collect();
                break 'reading;
            }
        }
    }
    leave(desk, consumer, &left)?;
    desk.err(&format!("Processed a total of {} messages", at.count));
    match at.status {
        0 => Ok(()),
        status => Err(Stop::Exit(status)),
    }
}

fn terminated(desk: &mut Desk, error: &ClientError) {
    desk.log(
        "ERROR",
        "Error processing message, terminating consumer process: ",
        LOGGER,
        &java::trace(error),
    );
}

/// One poll's records lie in a hash table of their partitions. [ConsumerRecords]
fn in_table_order(records: &[Consumed]) -> Vec<Consumed> {
    let mut by: OrderedMap<NamedPartition, Vec<Consumed>> = OrderedMap::new();
    for record in records {
        by.entry(record.partition.clone()).or_default().push(record.clone());
    }
    let groups: Vec<(NamedPartition, Vec<Consumed>)> = by.into_iter().collect();
    let groups = java::hash_order(groups, 16, |(partition, _)| java::partition_hash(partition));
    groups.into_iter().flat_map(|(_, records)| records).collect()
}

/// What was not printed is not committed. [ConsumerWrapper.cleanup]
fn leave(desk: &mut Desk, consumer: usize, left: &[Consumed]) -> Run<()> {
    let mut first: OrderedMap<NamedPartition, i64> = OrderedMap::new();
    for record in left {
        first.entry(record.partition.clone()).or_insert(record.offset);
    }
    for (partition, offset) in first {
        let to = SeekTo::Offset(offset);
        let _sought = desk.call(consumer, move |call| {
            Order::Consumer(ConsumerOrder::Seek { call, partition, to })
        })?;
    }
    let _closed = desk.call(consumer, |call| {
        Order::Consumer(ConsumerOrder::Close { call, leave: None })
    })?;
    Ok(())
}

// ---- what it prints ----

/// How a record is printed. [DefaultMessageFormatter]
struct Formatter {
    silent: bool,
    flags: [bool; 8],
    key_separator: String,
    line_separator: String,
    headers_separator: String,
    null: String,
}

/// Fields in their order; all but the last are off by default.
const FIELDS: [&str; 8] = [
    "print.timestamp",
    "print.partition",
    "print.offset",
    "print.delivery",
    "print.epoch",
    "print.headers",
    "print.key",
    "print.value",
];

fn formatter(desk: &mut Desk, options: &Options) -> Run<Formatter> {
    const PACKAGE: &str = "org.apache.kafka.tools.consumer.";
    let class =
        value!(desk, options.one("formatter")).unwrap_or("org.apache.kafka.tools.consumer.DefaultMessageFormatter");
    let silent = match class.strip_prefix(PACKAGE) {
        Some("NoOpMessageFormatter") => true,
        Some("DefaultMessageFormatter" | "LoggingMessageFormatter") => false,
        _ => return Err(desk.usage(class)),
    };
    if options.has("property") && options.has("formatter-property") {
        return Err(desk.usage("Options --property and --formatter-property cannot be specified together."));
    }
    if options.has("property") {
        desk.say(&deprecated("property", "formatter-property"));
    }
    let mut given: OrderedMap<String, String> = OrderedMap::new();
    if let Some(file) = options.all("formatter-config").first() {
        given.extend(properties(desk.file(file).unwrap_or_default()));
    }
    given.extend(pairs(&options.all("formatter-property")));
    given.extend(pairs(&options.all("property")));
    let text = |name: &str, default: &str| given.get(name).map_or(default.to_string(), Clone::clone);
    let flag = |name: &str| match given.get(name) {
        Some(text) => text.trim().eq_ignore_ascii_case("true"),
        None => name == "print.value",
    };
    Ok(Formatter {
        silent,
        flags: FIELDS.map(flag),
        key_separator: text("key.separator", "\t"),
        line_separator: text("line.separator", "\n"),
        headers_separator: text("headers.separator", ","),
        null: text("null.literal", "null"),
    })
}

impl Formatter {
    fn text(&self, record: &Consumed) -> String {
        if self.silent {
            return String::new();
        }
        let bytes = |bytes: &Option<Rc<[u8]>>| match bytes {
            Some(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            None => self.null.clone(),
        };
        let headers = || {
            let all: Vec<String> = record
                .headers
                .iter()
                .map(|(name, value)| format!("{name}:{}", bytes(value)))
                .collect();
            match all.is_empty() {
                true => "NO_HEADERS".to_string(),
                false => all.join(&self.headers_separator),
            }
        };
        let mut out = String::new();
        let last = self.flags.iter().rposition(|on| *on);
        for (index, on) in self.flags.iter().enumerate() {
            if !on {
                continue;
            }
            out.push_str(&match index {
                0 if record.append_time => format!("LogAppendTime:{}", record.timestamp),
                0 => format!("CreateTime:{}", record.timestamp),
                1 => format!("Partition:{}", record.partition.partition),
                2 => format!("Offset:{}", record.offset),
                3 => "Delivery:NOT_PRESENT".to_string(),
                4 => "Epoch:NOT_PRESENT".to_string(),
                5 => headers(),
                6 => bytes(&record.key),
                _ => bytes(&record.value),
            });
            let end = Some(index) == last;
            out.push_str(if end { &self.line_separator } else { &self.key_separator });
        }
        out
    }
}
