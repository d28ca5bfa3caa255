//! `kafka-console-producer.sh`: each line of its input is a record. [ConsoleProducer, LineMessageReader]

use crate::console::desk::{ClientSpec, Desk, Input, Kind, Run, Stop};
use crate::console::java;
use crate::console::options::{OptionError, Options};
use crate::kafka::client::call::{Answer, ClientError, Sent};
use crate::kafka::client::producer::{NewHeaders, NewRecord, ProducerOrder};
use crate::kafka::wire::Order;
use crate::ordered::OrderedMap;
use std::rc::Rc;

/// Own options of the tool: option, setting, value without it, whether it is a number.
const SETTINGS: [(&str, &str, &str, bool); 11] = [
    ("timeout", "linger.ms", "1000", true),
    ("request-required-acks", "acks", "-1", false),
    ("request-timeout-ms", "request.timeout.ms", "1500", true),
    ("message-send-max-retries", "retries", "3", true),
    ("retry-backoff-ms", "retry.backoff.ms", "100", true),
    ("socket-buffer-size", "send.buffer.bytes", "102400", true),
    ("max-memory-bytes", "buffer.memory", "33554432", true),
    ("batch-size", "batch.size", "16384", true),
    ("max-partition-memory-bytes", "batch.size", "", true),
    ("metadata-expiry-ms", "metadata.max.age.ms", "300000", true),
    ("max-block-ms", "max.block.ms", "60000", true),
];

pub fn run(desk: &mut Desk) -> Run<()> {
    let options = match Options::read(desk.usage, desk.words) {
        Ok(options) => options,
        Err(error) => return Err(desk.option_usage(&error)),
    };
    check(desk, &options)?;
    let topic: Rc<str> = match options.one("topic") {
        Ok(topic) => topic.unwrap_or("").into(),
        Err(error) => return Err(unread(desk, &error)),
    };
    let reader = match reader(&options) {
        Ok(reader) => reader,
        Err(error) => return Err(failed(desk, &error)),
    };
    let config = match config(desk, &options) {
        Ok(config) => config,
        Err(error) => return Err(unread(desk, &error)),
    };
    let spec = ClientSpec {
        kind: Kind::Producer,
        id: config.get("client.id").cloned().unwrap_or_default(),
        servers: options.all("bootstrap-server").join(","),
        config,
    };
    let producer = match desk.open(spec)? {
        Ok(producer) => producer,
        Err(error) => return Err(failed(desk, &error)),
    };
    match desk.setting.typed {
        true => send_typed(desk, &options, &reader, &topic, producer),
        false => send_all(desk, &options, &reader, &topic, producer),
    }
}

/// [ConsoleProducerOptions.checkArgs]
fn check(desk: &mut Desk, options: &Options) -> Run<()> {
    desk.help_or_version(
        options,
        "This tool helps to read data from standard input and publish it to Kafka.",
    )?;
    desk.require(options, &["topic"])?;
    for (one, other) in [
        ("command-config", "producer.config"),
        ("command-property", "producer-property"),
        ("reader-property", "property"),
    ] {
        if options.has(one) && options.has(other) {
            return Err(desk.usage(&format!("Options --{one} and --{other} cannot be specified together.")));
        }
    }
    for (old, new) in [
        ("producer-property", "command-property"),
        ("producer.config", "command-config"),
        ("property", "reader-property"),
    ] {
        if options.has(old) {
            desk.say(&format!(
                "Warning: --{old} is deprecated and will be removed in a future version. Use --{new} instead."
            ));
        }
    }
    if options.has("max-partition-memory-bytes") {
        desk.say(
            "Warning: --max-partition-memory-bytes is deprecated and will be removed in Apache Kafka 5.0. Use \
             --batch-size instead.",
        );
    }
    bootstrap(desk, options)
}

/// [ToolsUtils.validateBootstrapServer]
///
/// # Errors
/// The addresses do not look like addresses.
pub fn bootstrap(desk: &mut Desk, options: &Options) -> Run<()> {
    let servers = options.all("bootstrap-server").join(",");
    if servers.is_empty() {
        return Err(desk.usage("Error while validating the bootstrap address\n"));
    }
    let port = |part: &str| {
        part.rsplit_once(':')
            .is_some_and(|(_, port)| port.parse::<u16>().is_ok())
    };
    if !servers.split(',').all(port) {
        return Err(desk.usage("Please provide valid host:port like host1:9091,host2:9092\n"));
    }
    Ok(())
}

/// An option's value that cannot be read is printed alone.
fn unread(desk: &mut Desk, error: &OptionError) -> Stop {
    desk.err(&error.message());
    Stop::Exit(1)
}

fn failed(desk: &mut Desk, error: &ClientError) -> Stop {
    desk.err_text(&java::trace(error));
    Stop::Exit(1)
}

/// `key=value` options; one without a value is empty. [CommandLineUtils.parseKeyValueArgs]
pub fn pairs(list: &[&str]) -> Vec<(String, String)> {
    let pair = |text: &&str| {
        let (key, value) = text.split_once('=').unwrap_or((text, ""));
        (key.to_string(), value.to_string())
    };
    list.iter().map(pair).collect()
}

/// A properties file.
pub fn properties(text: &str) -> Vec<(String, String)> {
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with(['#', '!']));
    lines
        .map(|line| {
            let (key, value) = line.split_once(['=', ':']).unwrap_or((line, ""));
            (key.trim().to_string(), value.trim().to_string())
        })
        .collect()
}

/// Own options over properties over the file over what stands in the tool. [ConsoleProducerOptions.producerProps]
fn config(desk: &Desk, options: &Options) -> Result<OrderedMap<String, String>, OptionError> {
    let mut all = OrderedMap::new();
    for name in ["command-config", "producer.config"] {
        if let Some(file) = options.one(name)? {
            all.extend(properties(desk.file(file).unwrap_or_default()));
        }
    }
    all.extend(pairs(&options.all("command-property")));
    all.extend(pairs(&options.all("producer-property")));
    all.entry("client.id".to_string())
        .or_insert_with(|| "console-producer".to_string());
    if options.has("compression-codec") {
        let codec = options.one("compression-codec")?.filter(|codec| !codec.is_empty());
        all.insert("compression.type".into(), codec.unwrap_or("gzip").into());
    } else {
        all.entry("compression.type".to_string())
            .or_insert_with(|| "none".to_string());
    }
    for (option, setting, default, number) in SETTINGS {
        let given = match number {
            true => options.number::<i64>(option)?.map(|n| n.to_string()),
            false => options.one(option)?.map(str::to_string),
        };
        if let Some(value) = given {
            all.insert(setting.into(), value);
        } else if !default.is_empty() && !all.contains_key(setting) {
            all.insert(setting.into(), default.into());
        }
    }
    all.retain(|key, _| key != "bootstrap.servers");
    Ok(all)
}

// ---- lines ----

/// How lines become records. [LineMessageReader]
struct Reader {
    key: bool,
    key_separator: String,
    headers: bool,
    headers_delimiter: String,
    headers_separator: String,
    header_key_separator: String,
    ignore_error: bool,
    null: Option<String>,
}

fn kafka(text: &str) -> ClientError {
    ClientError::new("KafkaException", text)
}

fn reader(options: &Options) -> Result<Reader, ClientError> {
    if let Some(class) = options.all("line-reader").first()
        && *class != "org.apache.kafka.tools.LineMessageReader"
    {
        return Err(ClientError::new("ClassNotFoundException", class));
    }
    let mut given: OrderedMap<String, String> = OrderedMap::new();
    given.extend(pairs(&options.all("reader-property")));
    given.extend(pairs(&options.all("property")));
    let text = |name: &str, default: &str| given.get(name).map_or(default.to_string(), Clone::clone);
    let flag = |name: &str| {
        given
            .get(name)
            .is_some_and(|text| text.trim().eq_ignore_ascii_case("true"))
    };
    let reader = Reader {
        key: flag("parse.key"),
        key_separator: text("key.separator", "\t"),
        headers: flag("parse.headers"),
        headers_delimiter: text("headers.delimiter", "\t"),
        headers_separator: text("headers.separator", ","),
        header_key_separator: text("headers.key.separator", ":"),
        ignore_error: flag("ignore.error"),
        null: given.get("null.marker").cloned(),
    };
    let null = reader.null.as_deref();
    let clashes = [
        (
            &reader.headers_delimiter,
            Some(&*reader.headers_separator),
            "headers.delimiter and headers.separator",
        ),
        (
            &reader.headers_delimiter,
            Some(&*reader.header_key_separator),
            "headers.delimiter and headers.key.separator",
        ),
        (
            &reader.headers_separator,
            Some(&*reader.header_key_separator),
            "headers.separator and headers.key.separator",
        ),
        (&reader.key_separator, null, "null.marker and key.separator"),
        (&reader.headers_separator, null, "null.marker and headers.separator"),
        (&reader.headers_delimiter, null, "null.marker and headers.delimiter"),
        (
            &reader.header_key_separator,
            null,
            "null.marker and headers.key.separator",
        ),
    ];
    match clashes.iter().find(|(one, other, _)| *other == Some(one.as_str())) {
        Some((_, _, names)) => Err(kafka(&format!("{names} may not be equal"))),
        None => Ok(reader),
    }
}

impl Reader {
    fn record(&self, line: &str, number: usize, topic: &Rc<str>) -> Result<NewRecord, ClientError> {
        let (headers, rest) = self.part(
            self.headers,
            line,
            line,
            &self.headers_delimiter,
            number,
            "headers delimiter",
        )?;
        let (key, value) = self.part(self.key, line, rest, &self.key_separator, number, "key separator")?;
        let null = self.null.as_deref();
        let bytes = |text: &str| (Some(text) != null).then(|| Rc::from(text.as_bytes()));
        let headers = match headers {
            Some(headers) if Some(headers) != null => self.split_headers(headers, number)?,
            _ => Vec::new(),
        };
        Ok(NewRecord {
            origin: 0,
            topic: topic.clone(),
            partition: None,
            timestamp: None,
            key: key.and_then(bytes),
            value: bytes(value),
            headers,
        })
    }

    fn part<'t>(
        &self,
        wanted: bool,
        line: &str,
        rest: &'t str,
        separator: &str,
        number: usize,
        what: &str,
    ) -> Result<(Option<&'t str>, &'t str), ClientError> {
        if !wanted {
            return Ok((None, rest));
        }
        match rest.split_once(separator) {
            Some((part, rest)) => Ok((Some(part), rest)),
            None if self.ignore_error => Ok((None, rest)),
            None => Err(kafka(&format!("No {what} found on line number {number}: '{line}'"))),
        }
    }

    fn split_headers(&self, text: &str, number: usize) -> Result<NewHeaders, ClientError> {
        let null = self.null.as_deref();
        let mut pairs: Vec<&str> = text.split(&self.headers_separator).collect();
        // Java's split leaves out empty strings at the end.
        while pairs.len() > 1 && pairs.last() == Some(&"") {
            pairs.pop();
        }
        let header = |pair: &str| match pair.split_once(&self.header_key_separator) {
            None if self.ignore_error => Ok((Rc::from(pair), None)),
            None => Err(kafka(&format!(
                "No header key separator found in pair '{pair}' on line number {number}"
            ))),
            Some((key, _)) if Some(key) == null => Err(kafka(&format!(
                "Header keys should not be equal to the null marker '{key}' as they can't be null"
            ))),
            Some((key, value)) => {
                let value = (Some(value) != null).then(|| Rc::from(value.as_bytes()));
                Ok((Rc::from(key), value))
            }
        };
        pairs.into_iter().map(header).collect()
    }
}

fn send_all(desk: &mut Desk, options: &Options, reader: &Reader, topic: &Rc<str>, producer: usize) -> Run<()> {
    let sync = options.has("sync");
    let prompt = desk.setting.tty;
    let mut wrong = None;
    let mut batch = Vec::new();
    for (index, line) in desk.setting.stdin.lines().enumerate() {
        if prompt {
            desk.print(">");
        }
        let record = match reader.record(line, index + 1, topic) {
            Ok(record) => record,
            Err(error) => {
                wrong = Some(error);
                break;
            }
        };
        if sync {
            send_one(desk, producer, record)?;
        } else {
            batch.push(record);
        }
    }
    if prompt && wrong.is_none() {
        desk.print(">");
    }
    if !batch.is_empty() {
        send_batch(desk, producer, batch)?;
    }
    let _closed = desk.call(producer, |call| Order::Producer(ProducerOrder::Close { call }))?;
    match wrong {
        Some(error) => Err(failed(desk, &error)),
        None => Ok(()),
    }
}

/// Lines as they are typed, each sent at once; a prompt stands before each.
fn send_typed(desk: &mut Desk, options: &Options, reader: &Reader, topic: &Rc<str>, producer: usize) -> Run<()> {
    let sync = options.has("sync");
    let mut at = desk.enter_loop();
    loop {
        if !at.closing && !at.prompted {
            desk.print(">");
            at.prompted = true;
        }
        match desk.input(at)? {
            Input::Line(line) => {
                at.prompted = false;
                at.count += 1;
                match reader.record(&line, at.count as usize, topic) {
                    Ok(record) if sync => send_one(desk, producer, record)?,
                    Ok(record) => desk.post(producer, record)?,
                    Err(error) => {
                        let _closed = desk.call(producer, |call| Order::Producer(ProducerOrder::Close { call }))?;
                        return Err(failed(desk, &error));
                    }
                }
            }
            Input::Sent(record, Ok(answer)) => {
                if let Answer::Sent(list) = &*answer {
                    list.iter()
                        .for_each(|sent| log_failure(desk, sent, &Sizes::of(&record)));
                }
            }
            Input::Sent(_, Err(error)) => return Err(failed(desk, &error)),
            Input::End { .. } if at.closing => break,
            Input::End { interrupted } => {
                at.closing = true;
                at.status = if interrupted { 130 } else { 0 };
                let _closed = desk.call(producer, |call| Order::Producer(ProducerOrder::Close { call }))?;
            }
        }
    }
    match at.status {
        0 => Ok(()),
        status => Err(Stop::Exit(status)),
    }
}

/// `--sync`: waits for each; an exception ends the tool.
fn send_one(desk: &mut Desk, producer: usize, record: NewRecord) -> Run<()> {
    let result = desk.send(producer, vec![record])?;
    let error = match result {
        Err(error) => Some(error),
        Ok(answer) => match &*answer {
            Answer::Sent(list) => list.iter().find_map(|sent| match sent {
                Sent::Failed(error) => Some(java::execution(error.clone())),
                Sent::Threw(error) => Some(error.clone()),
                Sent::At(..) => None,
            }),
            _ => None,
        },
    };
    match error {
        Some(error) => Err(failed(desk, &error)),
        None => Ok(()),
    }
}

/// What the log says of a record.
struct Sizes {
    key: Option<usize>,
    value: Option<usize>,
    topic: Rc<str>,
}

impl Sizes {
    fn of(record: &NewRecord) -> Sizes {
        let length = |bytes: &Option<Rc<[u8]>>| bytes.as_ref().map(|bytes| bytes.len());
        Sizes {
            key: length(&record.key),
            value: length(&record.value),
            topic: record.topic.clone(),
        }
    }
}

/// All lines, one after the other; what fails is logged.
fn send_batch(desk: &mut Desk, producer: usize, records: Vec<NewRecord>) -> Run<()> {
    let sizes: Vec<Sizes> = records.iter().map(Sizes::of).collect();
    let answer = match desk.send(producer, records)? {
        Ok(answer) => answer,
        Err(error) => return Err(failed(desk, &error)),
    };
    if let Answer::Sent(list) = &*answer {
        let each = list.iter().zip(&sizes);
        each.for_each(|(sent, sizes)| log_failure(desk, sent, sizes));
    }
    Ok(())
}

/// [ErrorLoggingCallback]
fn log_failure(desk: &mut Desk, sent: &Sent, sizes: &Sizes) {
    let (Sent::Failed(error) | Sent::Threw(error)) = sent else {
        return;
    };
    let size = |bytes: Option<usize>| bytes.map_or("null".to_string(), |n| format!("{n} bytes"));
    let text = format!(
        "Error when sending message to topic {} with key: {}, value: {} with error:",
        sizes.topic,
        size(sizes.key),
        size(sizes.value)
    );
    let logger = "org.apache.kafka.clients.producer.internals.ErrorLoggingCallback";
    desk.log("ERROR", &text, logger, &java::trace(error));
}
