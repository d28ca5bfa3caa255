//! Writes one command.

use super::checks::check;
use super::rabbit;
use crate::lab::language::ast::{
    Acknowledge, Alter, Between, Command, Commit, CommitHabit, Config, Consumer, Delete, DiskState, Election,
    HowAcknowledged, Load, MessageAction, MessageFault, Name, PollLoop, ProcessVerb, Produce, Rate, Replicas, SeekTo,
    Server, Target, Topic, TopicPartition, Value, Way, is_block,
};
use crate::lab::language::lexer::{quoted, word};
use crate::lab::language::units::{duration, percent, rate, size};

/// The words of a line, joined by blanks.
#[derive(Default)]
pub struct Words(String);

impl Words {
    pub fn new(verb: &str) -> Words {
        Words(verb.to_owned())
    }

    pub fn add(mut self, word: impl AsRef<str>) -> Words {
        self.0.push(' ');
        self.0.push_str(word.as_ref());
        self
    }

    pub fn names(self, names: &[Name]) -> Words {
        names.iter().fold(self, |words, name| words.add(name))
    }

    /// Names of a declaration: three or more in a row are written as a range.
    pub fn ranges(self, names: &[Name]) -> Words {
        ranges(names).iter().fold(self, |words, name| words.add(name))
    }

    pub fn option(self, key: &str, value: Option<impl AsRef<str>>) -> Words {
        match value {
            Some(value) => self.add(format!("{key}={}", value.as_ref())),
            None => self,
        }
    }

    pub(super) fn config(self, config: &Config) -> Words {
        config
            .iter()
            .fold(self, |words, (key, value)| words.option(key, Some(setting(value))))
    }
}

/// The words of a command, and the lines of its block with the block's end.
pub fn print_command(command: &Command) -> (String, Option<String>) {
    match command {
        Command::About(text) => long_text("about", text),
        Command::Note(text) => long_text("note", text),
        Command::Compose(text) => with_block("compose", text),
        Command::Later { verb, rest, block } => {
            let head = if rest.is_empty() {
                verb.to_string()
            } else {
                format!("{verb} {rest}")
            };
            match block {
                Some(text) => with_block(&head, text),
                None => (head, None),
            }
        }
        _ => (words(command).0, None),
    }
}

fn long_text(verb: &str, text: &str) -> (String, Option<String>) {
    if is_block(text) {
        with_block(verb, text)
    } else {
        (format!("{verb} {}", quoted(text)), None)
    }
}

fn with_block(head: &str, text: &str) -> (String, Option<String>) {
    let end = block_end(text);
    (format!("{head} <<{end}"), Some(format!("{text}{end}")))
}

/// A word that no line of the block is.
fn block_end(text: &str) -> String {
    let taken = |word: &str| text.lines().any(|line| line.trim() == word);
    let mut end = String::from("END");
    while taken(&end) {
        end.push('D');
    }
    end
}

fn words(command: &Command) -> Words {
    match command {
        Command::Title(text) => Words::new("title").add(quoted(text)),
        // Texts that can be blocks, and what is kept as written, are printed by the caller.
        Command::About(_) | Command::Note(_) | Command::Compose(_) | Command::Later { .. } => Words::default(),
        Command::Seed(seed) => Words::new("seed").add(seed.to_string()),
        Command::View(view) => {
            let start = Words::new("view");
            let words = view.picture.iter().fold(start, Words::add);
            crate::lab::language::words::VIEW_OPTIONS
                .iter()
                .fold(words, |words, option| {
                    words.option(option.key, view.options.get(option.key).map(|v| word(v)))
                })
        }
        Command::Rule { rule, on } => Words::new("rule").add(rule).add(if *on { "on" } else { "off" }),
        Command::Host { names, rack } => Words::new("host").ranges(names).option("rack", rack.as_ref()),
        Command::Network { name, members } => Words::new("network").add(name).names(members),
        Command::Attach { host, network, joins } => Words::new(if *joins { "connect" } else { "disconnect" })
            .add(host)
            .add(network),
        Command::Port {
            host,
            local,
            published,
            target,
        } => {
            let at = if *local { "127.0.0.1:" } else { "" };
            Words::new("port").add(host).add(format!("{at}{published}:{target}"))
        }
        Command::Address { host, ip } => Words::new("address").add(host).add(ip.to_string()),
        Command::Rack { name, members } => Words::new("rack").add(name).names(members),
        Command::Link { between, latency_us } => {
            ends(Words::new("link"), between).option("latency", Some(duration(*latency_us)))
        }
        Command::Broker(s) => server("broker", s),
        Command::Controller(s) => server("controller", s),
        Command::Topic(t) => topic(t),
        Command::Producer(p) => Words::new("producer")
            .ranges(&p.names)
            .option("on", p.on.as_ref())
            .config(&p.config),
        Command::Consumer(c) => consumer(c),
        Command::Feed { topic, load: l, to } => load(Words::new("feed").add(topic), l).add("->").names(to),
        Command::Rabbit(r) => rabbit::rabbit(r),
        Command::Exchange(x) => rabbit::exchange(x),
        Command::Queue(q) => rabbit::queue(q),
        Command::Bind(b) => rabbit::binding("bind", b),
        Command::Unbind(b) => rabbit::binding("unbind", b),
        Command::Purge(queue) => Words::new("purge").add(queue),
        Command::Publisher(p) => rabbit::publisher(p),
        Command::Subscriber(s) => rabbit::subscriber(s),
        Command::Publish(p) => rabbit::publish(p),
        Command::Settle(s) => rabbit::settle(s),
        Command::Tool { host: None, line } => Words::new("$").add(line),
        Command::Tool { host: Some(host), line } => Words::new(host).add("$").add(line),
        Command::Type { host, text } => host.iter().fold(Words::new("type"), Words::add).add(quoted(text)),
        Command::Press { host, key } => host.iter().fold(Words::new("press").add(key.name()), Words::add),
        Command::Process { verb, names } => Words::new(process(*verb)).names(names),
        Command::Cut(between) => ends(Words::new("cut"), between),
        Command::Heal(None) => Words::new("heal"),
        Command::Heal(Some(between)) => ends(Words::new("heal"), between),
        Command::Delay { between, by_us } => ends(Words::new("delay"), between).add(duration(*by_us)),
        Command::Loss { between, ppm } => ends(Words::new("loss"), between).add(percent(*ppm)),
        Command::Disk { names, state } => disk(Words::new("disk").names(names), state),
        Command::Message(fault) => message(fault),
        Command::Check(c) => Words(check(c)),
        Command::Web(web) => super::web::web(web),
        _ => data(command),
    }
}

/// Commands of data and admin.
fn data(command: &Command) -> Words {
    match command {
        Command::Produce(p) => produce(p),
        Command::Start { client, load: None } => Words::new("start").add(client),
        Command::Start {
            client,
            load: Some((to, l)),
        } => load(Words::new("start").add(client).add(target(to)), l),
        Command::Stop { names } => Words::new("stop").names(names),
        Command::Poll { consumers, timeout_us } => Words::new("poll")
            .names(consumers)
            .option("timeout", timeout_us.map(duration)),
        Command::Commit(c) => commit(c),
        Command::Acknowledge(a) => acknowledge(a),
        Command::Begin { producers } => Words::new("begin").names(producers),
        Command::End {
            producers,
            abort,
            offsets,
        } => {
            let words = Words::new("end").names(producers);
            let words = if *abort { words.add("abort") } else { words };
            words.option("offsets", offsets.as_ref())
        }
        Command::Seek {
            consumer,
            target: to,
            to: place,
        } => {
            let place = match place {
                SeekTo::Beginning => "beginning".into(),
                SeekTo::End => "end".into(),
                SeekTo::Offset(offset) => offset.to_string(),
            };
            Words::new("seek").add(consumer).add(target(to)).add(place)
        }
        Command::Subscribe { consumer, topics } => Words::new("subscribe").add(consumer).names(topics),
        Command::Assign { consumer, partitions } => partitions
            .iter()
            .fold(Words::new("assign").add(consumer), |words, p| words.add(partition(p))),
        Command::Unsubscribe { consumers } => Words::new("unsubscribe").names(consumers),
        Command::Alter(a) => alter(a),
        Command::Delete(d) => delete(d),
        Command::Elect { kind, partitions } => {
            let kind = match kind {
                Election::Preferred => "preferred",
                Election::Unclean => "unclean",
            };
            partitions
                .iter()
                .fold(Words::new("elect").add(kind), |words, p| words.add(partition(p)))
        }
        Command::Reassign { partition: p, replicas } => {
            let words = Words::new("reassign").add(partition(p));
            if replicas.is_empty() {
                words.add("cancel")
            } else {
                words.option("replicas", Some(replicas.join(",")))
            }
        }
        Command::Set { names, config } => Words::new("set").names(names).config(config),
        _ => Words::default(),
    }
}

/// Names in a row with the same stem become `b1..b3`.
fn ranges(names: &[Name]) -> Vec<String> {
    let split = |name: &str| {
        let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let number = name[stem.len()..].parse::<u32>().ok();
        number
            .filter(|n| n.to_string() == name[stem.len()..])
            .map(|n| (stem.to_owned(), n))
    };
    let mut out = Vec::new();
    let mut at = 0;
    while at < names.len() {
        let mut run = 1;
        if let Some((stem, first)) = split(&names[at]) {
            let follows = |k: usize| names.get(at + k).and_then(|n| split(n)) == Some((stem.clone(), first + k as u32));
            while follows(run) {
                run += 1;
            }
        }
        if run >= 3 {
            out.push(format!("{}..{}", names[at], names[at + run - 1]));
        } else {
            out.extend(names[at..at + run].iter().map(|name| name.to_string()));
        }
        at += run;
    }
    out
}

/// The value of a setting: lists with commas need no quotes.
fn setting(value: &str) -> String {
    let plain = value.split(',').all(|part| !part.is_empty() && word(part) == part);
    if plain { value.to_owned() } else { quoted(value) }
}

/// `loan_request/0`.
pub fn partition(p: &TopicPartition) -> String {
    format!("{}/{}", p.topic, p.partition)
}

fn target(target: &Target) -> String {
    match target.partition {
        Some(partition) => format!("{}/{partition}", target.topic),
        None => target.topic.to_string(),
    }
}

fn ends(words: Words, between: &Between) -> Words {
    let sign = match between.way {
        Way::OneWay => "->",
        Way::Both => "<->",
        Way::Sides => "|",
    };
    words.names(&between.from).add(sign).names(&between.to)
}

fn server(verb: &str, server: &Server) -> Words {
    let words = Words::new(verb).ranges(&server.names);
    words
        .option("on", server.on.as_ref())
        .option("rack", server.rack.as_ref())
        .config(&server.config)
}

fn topic(topic: &Topic) -> Words {
    let replicas = match &topic.replicas {
        Replicas::Default => None,
        Replicas::Factor(factor) => Some(factor.to_string()),
        Replicas::Lists(lists) => Some(lists.iter().map(|list| list.join(",")).collect::<Vec<_>>().join(";")),
    };
    let words = Words::new("topic")
        .add(&topic.name)
        .option("partitions", topic.partitions.map(|n| n.to_string()));
    words.option("replicas", replicas).config(&topic.config)
}

fn consumer(c: &Consumer) -> Words {
    let list = |items: Vec<String>| Some(items.join(",")).filter(|list| !list.is_empty());
    let poll = (c.poll != PollLoop::default()).then_some("manual");
    let commit = match c.commit {
        CommitHabit::Never => None,
        CommitHabit::Before => Some("before"),
        CommitHabit::After => Some("after"),
    };
    Words::new("consumer")
        .ranges(&c.names)
        .option("on", c.on.as_ref())
        .option("group", c.group.as_ref())
        .option("topics", list(c.topics.iter().map(|t| t.to_string()).collect()))
        .option("assign", list(c.assign.iter().map(partition).collect()))
        .option("work", (c.work_us > 0).then(|| duration(c.work_us)))
        .option("poll", poll)
        .option("commit", commit)
        .option("type", c.share.then_some("share"))
        .option("release", c.release.as_ref().map(|value| word(value)))
        .option("reject", c.reject.as_ref().map(|value| word(value)))
        .config(&c.config)
}

fn load(words: Words, load: &Load) -> Words {
    let default = Rate {
        count: 1,
        per_us: 1_000_000,
    };
    words
        .option("rate", (load.rate != default).then(|| rate(load.rate)))
        .option("keys", (load.keys > 0).then(|| load.keys.to_string()))
        .option("count", load.count.map(|n| n.to_string()))
        .option("until", load.until_us.map(duration))
        .option("size", load.size.map(size))
        .option(
            "routing",
            (!load.routing.is_empty()).then(|| setting(&load.routing.join(","))),
        )
}

fn produce(p: &Produce) -> Words {
    let words = Words::new("produce").add(&p.client).add(target(&p.target));
    let words = words.option("key", p.key.as_ref().map(|key| word(key)));
    let words = words.option("count", (p.count != 1).then(|| p.count.to_string()));
    let words = p.headers.iter().fold(words, |words, (name, value)| {
        words.option(&format!("header.{name}"), Some(word(value)))
    });
    match &p.value {
        Value::Auto => words,
        Value::Null => words.add("null"),
        Value::Text(text) => words.add(quoted(text)),
    }
}

fn acknowledge(a: &Acknowledge) -> Words {
    let words = Words::new("acknowledge").names(&a.consumers);
    let said = a.how != HowAcknowledged::Accept;
    let words = if said { words.add(a.how.word()) } else { words };
    a.records.iter().fold(words, |words, (p, offset)| {
        words.option(&partition(p), Some(offset.to_string()))
    })
}

fn commit(c: &Commit) -> Words {
    let words = Words::new("commit").names(&c.consumers);
    let words = if c.asynchronous { words.add("async") } else { words };
    c.offsets.iter().fold(words, |words, (p, offset)| {
        words.option(&partition(p), Some(offset.to_string()))
    })
}

fn alter(alter: &Alter) -> Words {
    let start = Words::new("alter");
    let (words, set, unset) = match alter {
        Alter::Topic {
            topic,
            partitions,
            set,
            unset,
        } => {
            let words = start
                .add("topic")
                .add(topic)
                .option("partitions", partitions.map(|n| n.to_string()));
            (words, set, unset)
        }
        Alter::Broker {
            broker: Some(broker),
            set,
            unset,
        } => (start.add("broker").add(broker), set, unset),
        Alter::Broker {
            broker: None,
            set,
            unset,
        } => (start.add("brokers"), set, unset),
    };
    words
        .option("unset", Some(unset.join(",")).filter(|list| !list.is_empty()))
        .config(set)
}

fn delete(delete: &Delete) -> Words {
    let words = Words::new("delete");
    match delete {
        Delete::Topic(topic) => words.add("topic").add(topic),
        Delete::Queue(queue) => words.add("queue").add(queue),
        Delete::Exchange(exchange) => words.add("exchange").add(exchange),
        Delete::Group(group) => words.add("group").add(group),
        Delete::Records { partition: p, before } => words
            .add("records")
            .add(partition(p))
            .option("before", before.map(|n| n.to_string())),
    }
}

fn process(verb: ProcessVerb) -> &'static str {
    match verb {
        ProcessVerb::Crash => "crash",
        ProcessVerb::PowerOff => "power-off",
        ProcessVerb::Shutdown => "shutdown",
        ProcessVerb::Restart => "restart",
        ProcessVerb::Freeze => "freeze",
        ProcessVerb::Thaw => "thaw",
        ProcessVerb::Remove => "remove",
    }
}

fn disk(words: Words, state: &DiskState) -> Words {
    match state {
        DiskState::Ok => words.add("ok"),
        DiskState::Slow(us) => words.option("slow", Some(duration(*us))),
        DiskState::Full => words.add("full"),
        DiskState::Wipe(None) => words.add("wipe"),
        DiskState::Wipe(Some(p)) => words.add("wipe").add(partition(p)),
    }
}

fn message(fault: &MessageFault) -> Words {
    let verb = match fault.action {
        MessageAction::Drop => "drop",
        MessageAction::Hold => "hold",
        MessageAction::Release => "release",
        MessageAction::Delay(_) => "delay",
        MessageAction::Duplicate => "duplicate",
        MessageAction::Reorder => "reorder",
    };
    let mut words = Words::new(verb);
    if fault.next {
        words = words.add("next");
    }
    if let Some(p) = &fault.pattern {
        words = words.add(&p.kind).add(&p.from).add("->").add(&p.to);
    }
    words = words.option("nth", (fault.nth != 1).then(|| fault.nth.to_string()));
    if let MessageAction::Delay(us) = fault.action {
        words.add(duration(us))
    } else {
        words
    }
}
