//! All verbs, one a row: name, form, meaning, options and, if it takes settings, whose keys.

use super::{Opt, Part, Verb};
use crate::lab::language::keys::Scope;

const fn opt(key: &'static str, form: &'static str, default: &'static str) -> Opt {
    Opt { key, form, default }
}

const ON: Opt = opt("on", "h1", "a host of its own");
const RACK: Opt = opt("rack", "a", "none");
const LOAD: &[Opt] = &[
    opt("rate", "10/s", "1/s"),
    opt("keys", "20", "0: no keys"),
    opt("count", "100", "no end"),
    opt("until", "60s", "no end"),
    opt("size", "1KiB", "as long as the text"),
    opt("routing", "order.high,order.low", "the item's key"),
];

const REQUEUE: Opt = opt("requeue", "false", "true");
const KEY: Opt = opt("key", "loan.*.high", "the empty key");
const HEADER: Opt = opt("header.NAME", "text", "none");
const BIND: &[Opt] = &[KEY, opt("x-match", "any", "all"), HEADER];
const QUEUE: &[Opt] = &[
    opt("x-message-ttl", "5s", "for ever"),
    opt("x-expires", "60s", "never"),
    opt("x-max-length", "100", "no limit"),
    opt("x-max-length-bytes", "1000", "no limit"),
    opt("x-overflow", "reject-publish", "drop-head"),
    opt("x-max-priority", "10", "no priorities"),
    opt("x-dead-letter-exchange", "dead", "none"),
    opt("x-dead-letter-routing-key", "late", "the message's own"),
    opt("x-delivery-limit", "3", "none"),
    opt("x-queue-type", "quorum", "classic"),
    opt("x-single-active-consumer", "true", "false"),
];
const SUBSCRIBER: &[Opt] = &[
    ON,
    opt("queue", "risk", "required"),
    opt("prefetch", "10", "0: no limit"),
    opt("work", "50ms", "0s"),
    opt("ack", "before", "after"),
    opt("priority", "5", "0"),
    opt("exclusive", "true", "false"),
    opt("fails", "bad", "none"),
    opt("on-failure", "dead-letter", "requeue"),
];
const PUBLISH: &[Opt] = &[
    KEY,
    opt("count", "5", "1"),
    opt("delivery_mode", "2", "the publisher's"),
    opt("expiration", "5s", "for ever"),
    opt("priority", "5", "0"),
    HEADER,
];

const NTH: &[Opt] = &[opt("nth", "2", "1: the oldest")];

/// What `view` takes.
pub const VIEW_OPTIONS: &[Opt] = &[
    opt("tab", "log", "log"),
    opt("select", "b1", "none"),
    opt("topic", "loan_request", "the first"),
    opt("time", "2s", "the end of what was run"),
    opt("speed", "1", "1"),
];

macro_rules! verbs {
    (@keys) => { None };
    (@keys $keys:ident) => { Some(Scope::$keys) };
    ($($part:ident { $($name:literal, $form:literal, $about:literal, $options:expr $(, $keys:ident)?;)* })*) => {
        /// All verbs, in the order of the reference.
        pub const VERBS: &[Verb] = &[$($(Verb {
            name: $name,
            form: $form,
            about: $about,
            options: $options,
            keys: verbs!(@keys $($keys)?),
            part: Part::$part,
        },)*)*];
    };
}

verbs! {
    Page {
        "title", "title \"acks=1\"", "what the scenario is called", &[];
        "about", "about \"The leader answers first.\"", "what it shows; a long text as a block", &[];
        "seed", "seed 7", "the source of all randomness", &[];
        "note", "note \"b2 leads now.\"", "a remark shown when the run gets there", &[];
        "view", "view stage tab=ledger", "what the page shows first", VIEW_OPTIONS;
        "rule", "rule kip-101 off", "one switch for each famous fix: on or off", &[];
    }
    Places {
        "host", "host h1", "a machine with a disk and an address", &[RACK];
        "network", "network n1 h1 h2", "a named network and who is on it", &[];
        "link", "link b1 -> b2 latency=2ms", "the latency of links", &[opt("latency", "2ms", "required")];
        "connect", "connect h1 n1", "a host joins a network: address and names at once, as docker network connect", &[];
        "disconnect", "disconnect h1 n1", "a host leaves a network; nothing comes through its connections there any more", &[];
        "port", "port h1 29092:9092", "publishes a host's port on the laptop; 127.0.0.1:29092:9092 for the laptop alone", &[];
        "address", "address laptop 192.168.1.10", "the address of a machine that stands on no named network", &[];
        "compose", "compose <<END", "containers from a compose file, as a block: services, images, environment, ports, networks", &[];
        "rack", "rack a b1 b2", "puts processes or hosts into a rack", &[];
    }
    Kafka {
        "broker", "broker b1..b3", "brokers; the number in the name is the node id", &[ON, RACK], Broker;
        "controller", "controller c1", "voters of the controller quorum", &[ON, RACK], Broker;
        "topic", "topic loan_request partitions=3 replicas=3", "a topic; replicas as a number, as brokers, or as brokers for each partition with ; between", &[opt("partitions", "3", "num.partitions"), opt("replicas", "b1,b2,b3", "default.replication.factor")], Topic;
        "producer", "producer web acks=all", "a client that sends records", &[ON], Producer;
        "consumer", "consumer w1 group=loans topics=loan_request work=50ms", "a client that reads; poll and commit say what its poll loop does; type=share makes it a member of a share group (KafkaShareConsumer), whose loop gives records of one value back (release) or refuses them (reject)", &[ON, opt("group", "loans", "none"), opt("topics", "loan_request", "none"), opt("assign", "loan_request/0", "none"), opt("work", "50ms", "0s"), opt("poll", "manual", "loop"), opt("commit", "after", "never"), opt("type", "share", "consumer"), opt("release", "bad", "none"), opt("reject", "bad", "none")], Consumer;
        "feed", "feed orders rate=10/s keys=20 until=60s -> web api", "one seeded source of work for producers and publishers alike; its name is the topic and the exchange", LOAD;
    }
    Rabbit {
        "rabbit", "rabbit r1", "a RabbitMQ broker", &[ON];
        "exchange", "exchange loans type=topic durable", "an exchange: direct, fanout, topic or headers; durable, auto-delete, internal; x- arguments in their own names", &[opt("type", "topic", "direct"), opt("alternate-exchange", "unrouted", "none")];
        "queue", "queue risk durable x-message-ttl=5s", "a queue: durable, exclusive, auto-delete; x- arguments in their own names, a text that looks like a number in quotes", QUEUE;
        "bind", "bind loans -> risk key=loan.*.high", "a binding; of a headers exchange with x-match= and header.NAME=; to an exchange: -> exchange NAME", BIND;
        "unbind", "unbind loans -> risk key=loan.*.high", "takes that binding away", BIND;
        "purge", "purge risk", "takes all that waits out of a queue", &[];
        "publisher", "publisher api confirm mandatory persistent", "a client that publishes: with confirms, with returns for what matches no queue, with delivery_mode=2", &[ON];
        "subscriber", "subscriber s1 queue=risk prefetch=10 work=50ms", "a client that consumes; ack= after its work, before it, auto (no_ack) or manual; fails= the body it cannot work on", SUBSCRIBER;
        "publish", "publish api loans key=loan.kim.high \"300\"", "publishes messages; amq.default is the default exchange", PUBLISH;
        "ack", "ack s1", "acknowledges the oldest delivery of a subscriber with ack=manual; multiple: all it has", &[];
        "nack", "nack s1 requeue=false", "refuses the oldest, or with multiple all it has", &[REQUEUE];
        "reject", "reject s1 requeue=false", "refuses the oldest", &[REQUEUE];
    }
    Web {
        "nginx", "nginx edge worker_processes=2", "an nginx: its directives by their own names, cores= of its machine, listen= its port", &[ON, opt("cores", "2", "2"), opt("listen", "80", "80"), opt("worker_processes", "2", "1"), opt("worker_connections", "512", "512"), opt("keepalive_timeout", "65s", "75s"), opt("limit_req", "10r/s,burst=20", "none"), opt("limit_conn", "10", "none")];
        "httpd", "httpd apache mpm=prefork MaxRequestWorkers=150", "an Apache: mpm= prefork, worker or event; its directives by their own names, with Debian's defaults", &[ON, opt("mpm", "prefork", "event"), opt("cores", "2", "2"), opt("listen", "80", "80"), opt("StartServers", "5", "5; 2 with threads"), opt("MaxRequestWorkers", "150", "150"), opt("KeepAliveTimeout", "5s", "5s")];
        "app", "app a1 work=50ms threads=10", "an application server: each request holds one of its threads while it computes and waits; with topic= and producer= it hands its requests on to Kafka", &[ON, opt("threads", "10", "10"), opt("work", "50ms", "0s"), opt("compute", "2ms", "0s"), opt("status", "200", "200"), opt("bytes", "1k", "1000"), opt("cache", "60s", "nothing said"), opt("answer", "hang", "ok; also reset"), opt("topic", "loan_request", "none"), opt("producer", "web", "none")];
        "proxy", "proxy squid X-Forwarded-For=on", "a forward proxy, which clients name by proxy=", &[ON, opt("Via", "off", "on"), opt("X-Forwarded-For", "on", "off"), opt("proxy_cache_valid", "10m", "none")];
        "upstream", "upstream edge/loans method=least_conn", "a group of servers that nginx balances: round_robin, least_conn, ip_hash, hash,$arg_k", &[opt("method", "least_conn", "round_robin"), opt("keepalive", "16", "0")];
        "server", "server edge/loans a1 weight=5", "one of a group's servers, by its host", &[opt("port", "80", "80"), opt("weight", "5", "1"), opt("max_fails", "3", "1"), opt("fail_timeout", "10s", "10s"), opt("max_conns", "8", "0: no limit"), opt("backup", "on", "off"), opt("down", "on", "off")];
        "location", "location edge /loan proxy_pass=loans proxy_read_timeout=3s", "what is done with requests whose path begins so: proxy_pass=, file=, work=, return=; read at the server's start and at reload", &[opt("proxy_pass", "loans", "none"), opt("file", "1k", "none"), opt("return", "404", "none"), opt("proxy_read_timeout", "3s", "60s"), opt("proxy_buffering", "off", "on"), opt("proxy_cache_valid", "10m", "none"), opt("proxy_cache_lock", "on", "off"), opt("proxy_next_upstream", "error,timeout,http_503", "error,timeout")];
        "browser", "browser people target=edge clients=50 think=1s path=/loan", "clients of a server; clients= so many ask by themselves, else at request", &[ON, opt("target", "edge", "required"), opt("clients", "50", "0"), opt("think", "1s", "1s"), opt("spread", "0s", "as long as think"), opt("path", "/loan", "/"), opt("method", "POST", "GET"), opt("body", "1k", "0"), opt("keep-alive", "off", "on"), opt("timeout", "5s", "60s"), opt("read", "100k", "as fast as it comes"), opt("drip", "1s", "none"), opt("proxy", "squid", "none")];
        "request", "request people POST /loan \"kim\"", "makes requests; the text is what checks call it", &[opt("body", "1000", "0"), opt("count", "5", "1")];
        "reload", "reload edge", "HUP: the configuration is read anew, running requests are finished", &[];
        "kill-worker", "kill-worker edge", "SIGKILL for the worker or child with the most connections; another one is forked", &[];
    }
    Data {
        "produce", "produce web loan_request key=kim \"300\"", "sends records; null for a tombstone, loan_request/0 for a given partition", &[opt("key", "kim", "none"), opt("count", "5", "1"), opt("header.NAME", "text", "none")];
        "start", "start web loan_request rate=10/s keys=20", "a producer's load, or a consumer's poll loop", LOAD;
        "stop", "stop web", "ends a load, a feed (by its topic) or a poll loop", &[];
        "poll", "poll w1 timeout=500ms", "one poll() of a consumer with poll=manual", &[opt("timeout", "500ms", "100ms")];
        "commit", "commit w1 loan_request/0=5", "commits what was read, or given offsets; async for commitAsync()", &[];
        "acknowledge", "acknowledge w1 loan_request/0=5 release", "a share consumer accepts records (partition=offset), or all that it has said nothing of; behind the names release gives them back, reject refuses them, renew keeps them for another lock's time", &[];
        "begin", "begin web", "begins a transaction of a producer with a transactional.id", &[];
        "end", "end web offsets=w1", "commits the transaction, with abort behind the name aborts it; offsets: with what this consumer has read", &[opt("offsets", "w1", "none")];
        "seek", "seek w1 loan_request/0 5", "to an offset, beginning or end", &[];
        "subscribe", "subscribe w1 loan_request", "subscribes to these topics instead", &[];
        "assign", "assign w1 loan_request/0", "assigns these partitions without a group's help", &[];
        "unsubscribe", "unsubscribe w1", "gives subscription and assignment up", &[];
    }
    Admin {
        "alter", "alter topic loan_request min.insync.replicas=2", "dynamic settings of a topic, a broker or brokers (all); partitions= adds some", &[opt("partitions", "6", "as they are"), opt("unset", "retention.ms", "none")];
        "delete", "delete topic loan_request", "a topic, a group, or records (delete records loan_request/0 before=5)", &[opt("before", "5", "the high watermark")];
        "elect", "elect preferred loan_request/0", "preferred or unclean; no partition: all", &[];
        "reassign", "reassign loan_request/0 replicas=b2,b3,b4", "new replicas for a partition; cancel in their place calls it off", &[opt("replicas", "b2,b3,b4", "required")];
        "set", "set w1 work=500ms", "a process's own settings, a client's or a server's: they hold from its next start", &[];
        "$", "$ kafka-topics.sh --bootstrap-server b1:9092 --describe", "a tool's command line; NAME $ ... runs it there", &[];
        "type", "type \"300\"", "a line into the tool that runs; type NAME \"300\" into the one that runs there", &[];
        "press", "press ctrl-c", "a key for the tool that runs: ctrl-c ends it, ctrl-d its input; press ctrl-c NAME for the one there", &[];
    }
    Processes {
        "crash", "crash b1", "SIGKILL: the page cache survives", &[];
        "power-off", "power-off b1", "what was not flushed is lost", &[];
        "shutdown", "shutdown b1", "controlled; a client closes", &[];
        "restart", "restart b1", "starts it again; stops it first if it runs", &[];
        "freeze", "freeze b1", "SIGSTOP, a long GC pause", &[];
        "thaw", "thaw b1", "goes on", &[];
        "add", "add broker b4", "the same as the line without add", &[];
        "remove", "remove b4", "gone for good; a broker is unregistered", &[];
    }
    Network {
        "cut", "cut b1 -> b2 b3", "one way ->, both ways <->, two sides |", &[];
        "heal", "heal", "takes cuts, delays and losses away: all, or those between", &[];
        "delay", "delay b1 -> b2 200ms", "adds to the latency; also of one message: delay Fetch b2 -> b1 1s", NTH;
        "loss", "loss b1 -> b2 10%", "loses a share of what passes", &[];
    }
    Disk {
        "disk", "disk b1 slow=50ms", "slow=, full, wipe (one partition: wipe loan_request/0), ok", &[opt("slow", "50ms", "none")];
    }
    OneMessage {
        "drop", "drop ProduceResponse b1 -> web", "the oldest such message in flight; with next: the next one", NTH;
        "hold", "hold next Fetch b2 -> b1", "keeps it in flight", NTH;
        "release", "release Fetch b2 -> b1", "lets it go; no pattern: all", NTH;
        "duplicate", "duplicate ProduceRequest web -> b1", "it arrives twice", NTH;
        "reorder", "reorder ProduceRequest web -> b1", "changes places with the one behind it", NTH;
    }
    Checks {
        "expect", "expect leader loan_request/0 = b2", "holds now", &[];
        "always", "always one-leader-per-epoch", "holds after every event of the run", &[];
        "never", "never count lost > 0", "holds after no event of the run", &[];
        "eventually", "eventually isr loan_request/0 = b1 b2 b3 within 30s", "holds at some moment from now on", &[];
    }
    Later {
        "streams", "streams app", "a Kafka Streams application", &[];
    }
}
