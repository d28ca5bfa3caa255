//! Reads checks: `expect`, `always`, `never`, `eventually ... within`.

use super::args::{Args, Read, Wrong, duration_of, name_of, partition_at, suggest, target_at, wrong};
use crate::kafka::metrics::names;
use crate::lab::language::ast::{
    Check, CheckWhen, Claim, Command, Name, Op, ReplicaName, Subject, Thing, TopicPartition,
};
use crate::lab::language::errors::{Kind as ErrorKind, nearest};
use crate::lab::language::lexer::{Span, Token};
use crate::lab::language::scope::{Kind, Scope};
use crate::lab::language::units::thousandths;
use crate::lab::language::words::{FATES, INVARIANTS, OPERATORS, SUBJECTS, Verb, find_subject};

/// The comparisons by their signs.
pub const OPS: &[(&str, Op)] = &[
    ("=", Op::Equal),
    ("!=", Op::NotEqual),
    ("<", Op::Less),
    ("<=", Op::AtMost),
    (">", Op::Greater),
    (">=", Op::AtLeast),
    ("contains", Op::Contains),
];

/// Reads a check. `tokens` are its words, the verb first.
pub fn check(verb: &'static Verb, tokens: &[Token], scope: &Scope) -> Read<Command> {
    let tokens: Vec<Token> = tokens.iter().flat_map(unpair).collect();
    let mut args = Args::new(verb, &tokens, scope);
    let when = match verb.name {
        "always" => CheckWhen::Always,
        "never" => CheckWhen::Never,
        "eventually" => CheckWhen::Eventually {
            within_us: within(&mut args)?,
        },
        _ => CheckWhen::Now,
    };
    let claim = claim(&mut args)?;
    args.finish()?;
    Ok(Command::Check(Check { when, claim }))
}

/// `x=y` without blanks says the same as `x = y` here.
fn unpair(token: &Token) -> Vec<Token> {
    let Some(key) = &token.key else {
        return vec![token.clone()];
    };
    let part = |text: &str, start: usize, end: usize, quoted: bool, comma: bool| {
        let span = Span { start, end };
        Token {
            key: None,
            text: text.into(),
            quoted,
            span,
            value_span: span,
            byte: token.byte,
            comma,
        }
    };
    let sign = token.value_span.start - 1;
    let mut parts = vec![
        part(key, token.span.start, sign, false, false),
        part("=", sign, sign + 1, false, false),
    ];
    if token.value_span.start < token.value_span.end {
        parts.push(part(&token.text, sign + 1, token.span.end, token.quoted, token.comma));
    }
    parts
}

/// Takes `within 30s` off the end.
fn within(args: &mut Args<'_>) -> Read<u64> {
    let (duration, word) = (args.last_word(), args.last_word());
    match (word, duration) {
        (Some(word), Some(duration)) if word.text == "within" && !word.quoted => duration_of(duration),
        _ => args.missing("within and how long"),
    }
}

fn claim(args: &mut Args<'_>) -> Read<Claim> {
    let first = args.word("what is checked")?;
    if INVARIANTS.iter().any(|(name, _)| *name == first.text) && args.left() == 0 {
        return Ok(Claim::Invariant(first.text.as_str().into()));
    }
    let Some(word) = find_subject(&first.text).filter(|_| !first.quoted) else {
        let known = SUBJECTS
            .iter()
            .map(|s| s.name)
            .chain(INVARIANTS.iter().map(|(name, _)| *name));
        let message = format!("\"{}\" can't be checked", first.text);
        return wrong(first.span, message, suggest(&first.text, known.collect::<Vec<_>>()));
    };
    if word.later {
        let message = format!("{} is not here yet", word.name);
        return Err(Wrong {
            kind: ErrorKind::NotYet,
            span: first.span,
            message,
            hint: None,
        });
    }
    let subject = subject(word.name, args)?;
    let token = args.word("a comparison")?;
    let Some((_, op)) = OPS.iter().find(|(sign, _)| *sign == token.text && !token.quoted) else {
        return wrong(
            token.span,
            format!("\"{}\" is not a comparison", token.text),
            format!("one of: {}", OPERATORS.join(" ")),
        );
    };
    let values = values(args, &subject)?;
    Ok(Claim::Compare {
        subject,
        op: *op,
        values,
    })
}

fn subject(word: &str, args: &mut Args<'_>) -> Read<Subject> {
    Ok(match word {
        "leader" => Subject::Leader(partition(args)?),
        "epoch" => Subject::Epoch(partition(args)?),
        "isr" => Subject::Isr(partition(args)?),
        "elr" => Subject::Elr(partition(args)?),
        "replicas" => Subject::Replicas(partition(args)?),
        "leo" => Subject::Leo(replica(args)?),
        "hw" => Subject::Hw(replica(args)?),
        "lso" => Subject::Lso(replica(args)?),
        "start" => Subject::Start(replica(args)?),
        "log" => match args.peek().is_some_and(|token| !token.text.contains('/')) {
            true => Subject::ClientLog(args.known_name("a client", is_client)?),
            false => Subject::Log(replica(args)?),
        },
        "metric" => metric(args)?,
        "state" => Subject::State(thing(args)?),
        "assignment" => Subject::Assignment(member(args)?),
        "position" => Subject::Position(
            args.known_name("a consumer", |kind| kind == Kind::Consumer)?,
            partition(args)?,
        ),
        "committed" => Subject::Committed(member(args)?, partition(args)?),
        "lag" => {
            let name = member(args)?;
            let has_partition = args.peek().is_some_and(|t| !t.quoted && t.text.contains('/'));
            Subject::Lag(name, if has_partition { Some(partition(args)?) } else { None })
        }
        "coordinator" => Subject::Coordinator(member(args)?),
        "generation" => Subject::Generation(member(args)?),
        "error" => Subject::Error(args.known_name("a client", is_client)?),
        "fate" => Subject::Fate(args.word("the record's value")?.text.as_str().into()),
        "count" => count(args)?,
        "ready" => Subject::Ready(super::rabbit::queue_name(args)?),
        "unacked" => Subject::Unacked(super::rabbit::queue_name(args)?),
        "consumers" => Subject::Consumers(super::rabbit::queue_name(args)?),
        "reach" => Subject::Reach {
            client: args.known_name("a client or host", |kind| kind != Kind::Network)?,
            broker: args.known_name("a broker", |kind| kind == Kind::Broker)?,
        },
        "answer" => Subject::Answer(args.word("the request's text")?.text.as_str().into()),
        "tried" => Subject::Tried(args.word("the request's text")?.text.as_str().into()),
        "controller" => Subject::Controller,
        "exit" => Subject::Exit,
        "output" => Subject::Output,
        _ => match super::web::number(word, args) {
            Some(read) => read.map(|(number, name)| Subject::Web(number, name))?,
            None => Subject::Output,
        },
    })
}

/// A process, the metric's name, and perhaps whose of several it is.
fn metric(args: &mut Args<'_>) -> Read<Subject> {
    let of = args.known_name("a process", |kind| !matches!(kind, Kind::Network | Kind::Host))?;
    let token = args.word("a metric")?;
    if !names::is_name(&token.text) {
        let all = names::KNOWN.iter().map(|known| known.name);
        let hint = match nearest(&token.text, all) {
            Some(near) => format!("the nearest: {near}"),
            None => "one that Kafka has, as in: metric web record-error-total = 0".into(),
        };
        return wrong(token.span, format!("there is no metric {}", token.text), hint);
    }
    let name = token.text.as_str().into();
    let more = args
        .peek()
        .is_some_and(|t| t.quoted || !OPS.iter().any(|(sign, _)| *sign == t.text));
    let tag = match more {
        true => Some(args.word("a topic, a partition or a request")?.text.as_str().into()),
        false => None,
    };
    Ok(Subject::Metric { of, name, tag })
}

fn is_client(kind: Kind) -> bool {
    !matches!(kind, Kind::Host | Kind::Network | Kind::Broker | Kind::Controller)
}

fn partition(args: &mut Args<'_>) -> Read<TopicPartition> {
    let token = args.word("the partition")?;
    partition_at(&token.text, token.span)
}

fn replica(args: &mut Args<'_>) -> Read<ReplicaName> {
    let token = args.word("the replica")?;
    let Some((partition, broker)) = token.text.split_once('@') else {
        return Ok(ReplicaName {
            partition: partition_at(&token.text, token.span)?,
            broker: None,
        });
    };
    let partition = partition_at(partition, token.span)?;
    if args.scope.kind(broker) == Some(Kind::Broker) {
        return Ok(ReplicaName {
            partition,
            broker: Some(broker.into()),
        });
    }
    let there: Vec<&str> = args.scope.names_of(|kind| kind == Kind::Broker).collect();
    wrong(
        token.span,
        format!("there is no broker {broker}"),
        suggest(broker, there),
    )
}

/// A member or a group, which need not be declared.
fn member(args: &mut Args<'_>) -> Read<Name> {
    let token = args.word("a member or a group")?;
    name_of(token)
}

fn thing(args: &mut Args<'_>) -> Read<Thing> {
    let of_kind = args.left() >= 2 && args.second_is_no_operator();
    if of_kind && args.take("group") {
        return Ok(Thing::Group(name_of(args.word("the group")?)?));
    }
    if of_kind && args.take("transaction") {
        return Ok(Thing::Transaction(args.word("the transaction")?.text.as_str().into()));
    }
    if let Some(token) = args
        .peek()
        .filter(|t| args.scope.kind(&t.text).is_none() && args.scope.groups.contains(&*t.text))
    {
        args.word("the group")?;
        return Ok(Thing::Group(name_of(token)?));
    }
    Ok(Thing::Process(
        args.known_name("a process", |kind| kind != Kind::Network)?,
    ))
}

fn count(args: &mut Args<'_>) -> Read<Subject> {
    let token = args.word("a fate")?;
    let fate = fate(token)?;
    let more = args
        .peek()
        .filter(|t| !OPS.iter().any(|(sign, _)| *sign == t.text && !t.quoted));
    let of = match more {
        Some(token) => {
            args.word("a client, topic or system")?;
            target_at(&token.text, token.span)?;
            Some(token.text.as_str().into())
        }
        None => None,
    };
    Ok(Subject::Count { fate, of })
}

fn fate(token: &Token) -> Read<Name> {
    match FATES.iter().find(|(name, _)| *name == token.text) {
        Some((name, _)) => Ok((*name).into()),
        None => {
            let all: Vec<&str> = FATES.iter().map(|(name, _)| *name).collect();
            let hint = nearest(&token.text, all.iter().copied()).map_or_else(
                || format!("one of: {}", all.join(", ")),
                |near| format!("the nearest: {near}"),
            );
            wrong(token.span, format!("\"{}\" is not a fate", token.text), hint)
        }
    }
}

/// Whether a subject's value is a list or a set.
pub fn is_list(subject: &Subject) -> bool {
    matches!(
        subject,
        Subject::Isr(_)
            | Subject::Elr(_)
            | Subject::Replicas(_)
            | Subject::Log(_)
            | Subject::Assignment(_)
            | Subject::Fate(_)
            | Subject::Tried(_)
    )
}

/// Whether a subject's value is a number.
pub fn is_number(subject: &Subject) -> bool {
    matches!(
        subject,
        Subject::Epoch(_)
            | Subject::Leo(_)
            | Subject::Hw(_)
            | Subject::Lso(_)
            | Subject::Start(_)
            | Subject::Position(..)
            | Subject::Committed(..)
            | Subject::Lag(..)
            | Subject::Generation(_)
            | Subject::Count { .. }
            | Subject::Exit
            | Subject::Ready(_)
            | Subject::Unacked(_)
            | Subject::Consumers(_)
            | Subject::Web(..)
    )
}

/// The values behind the comparison, blanks or commas between; `none` is an empty list.
fn values(args: &mut Args<'_>, subject: &Subject) -> Read<Vec<Name>> {
    let mut values: Vec<Name> = Vec::new();
    if args.left() == 0 {
        return args.missing("the value");
    }
    let texts = matches!(subject, Subject::Output);
    let one = !is_list(subject) && !texts;
    let bare = args.next_is("none");
    while args.left() > 0 && (values.is_empty() || !one) {
        let token = args.word("the value")?;
        if token.quoted || one || texts {
            values.push(token.text.as_str().into());
        } else {
            values.extend(token.text.split(',').filter(|v| !v.is_empty()).map(Name::from));
        }
        value_fits(subject, token, values.last())?;
    }
    if is_list(subject) && values.len() == 1 && &*values[0] == "none" && (bare || !matches!(subject, Subject::Log(_))) {
        values.clear();
    }
    Ok(values)
}

fn value_fits(subject: &Subject, token: &Token, value: Option<&Name>) -> Read<()> {
    let Some(value) = value else { return Ok(()) };
    if is_number(subject) {
        let digits = value.strip_prefix('-').unwrap_or(value);
        let number = value.parse::<i64>().is_ok() && digits.bytes().all(|b| b.is_ascii_digit());
        let none =
            matches!(subject, Subject::Committed(..) | Subject::Position(..) | Subject::Exit) && &**value == "none";
        if !number && !none {
            return wrong(token.span, format!("\"{value}\" is not a number"), "a whole number");
        }
    }
    if matches!(subject, Subject::Metric { .. }) && &**value != "none" && thousandths(value).is_none() {
        let hint = "a number with at most three decimals, or none";
        return wrong(token.span, format!("\"{value}\" is not a number"), hint);
    }
    if let Subject::Fate(_) = subject {
        for part in token.text.split(',').filter(|part| !part.is_empty()) {
            fate(&Token {
                text: part.into(),
                ..token.clone()
            })?;
        }
    }
    Ok(())
}
