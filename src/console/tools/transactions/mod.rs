//! `kafka-transactions.sh`: lists and describes transactions, finds hanging ones and aborts them. [TransactionsCommand]

mod hanging;

use super::topics::id_order;
use crate::console::argparse::{Command, Grammar, Namespace, Takes, table};
use crate::console::desk::{Desk, Run, Stop};
use crate::console::java;
use crate::kafka::client::admin::AdminCall;
use crate::kafka::client::call::{Answer, ClientError};
use crate::kafka::client::consumer::pattern::Pattern;
use crate::kafka::protocol::data::ActiveProducer;
use crate::kafka::protocol::transactions::{DescribedTransaction, ListedTransaction};
use crate::kafka::types::NamedPartition;
use crate::ordered::{OrderedMap, SortSmall};
use std::rc::Rc;

const GRAMMAR: Grammar = Grammar {
    name: "kafka-transactions.sh",
    usage: &[
        "[-h]",
        "[-v]",
        "[--command-config FILE]",
        "--bootstrap-server host:port",
        "COMMAND",
        "...",
    ],
    before_command: &["--bootstrap-server host:port"],
    arguments: &[
        ("bootstrap-server", Takes::Text, true),
        ("command-config", Takes::Text, false),
    ],
    commands: &[
        Command {
            name: "list",
            arguments: &[
                ("duration-filter", Takes::Long, false),
                ("transactional-id-pattern", Takes::Text, false),
            ],
        },
        Command {
            name: "describe",
            arguments: &[("transactional-id", Takes::Text, true)],
        },
        Command {
            name: "describe-producers",
            arguments: &[
                ("broker-id", Takes::Int, false),
                ("topic", Takes::Text, true),
                ("partition", Takes::Int, true),
            ],
        },
        Command {
            name: "abort",
            arguments: &[
                ("topic", Takes::Text, true),
                ("partition", Takes::Int, true),
                ("start-offset", Takes::Long, false),
                ("producer-id", Takes::Long, false),
                ("producer-epoch", Takes::Int, false),
                ("coordinator-epoch", Takes::Int, false),
            ],
        },
        Command {
            name: "find-hanging",
            arguments: &[
                ("broker-id", Takes::Int, false),
                ("max-transaction-timeout", Takes::Int, false),
                ("topic", Takes::Text, false),
                ("partition", Takes::Int, false),
            ],
        },
        Command {
            name: "forceTerminateTransaction",
            arguments: &[("transactionalId", Takes::Text, true)],
        },
    ],
};

pub fn run(desk: &mut Desk) -> Run<()> {
    match desk.words.first().map(String::as_str) {
        Some("--help" | "-h") => {
            let help = desk.usage;
            desk.print(help);
            return Err(Stop::Exit(1));
        }
        Some("--version" | "-v") => {
            desk.say("4.3.1 (Commit:26b251a451ce941d)");
            return Err(Stop::Exit(0));
        }
        _ => {}
    }
    let asked = match GRAMMAR.read(desk.words) {
        Ok(asked) => asked,
        Err(text) => {
            desk.err_text(&text);
            return Err(Stop::Exit(1));
        }
    };
    let servers = asked.text("bootstrap-server").unwrap_or_default().to_string();
    let admin = match desk.open_admin(&servers, "adminclient-1", OrderedMap::new())? {
        Ok(admin) => admin,
        Err(error) => {
            desk.err_text(&format!("Exception in thread \"main\" {}", java::trace(&error)));
            return Err(Stop::Exit(1));
        }
    };
    match asked.command {
        "list" => list(desk, &asked, admin),
        "describe" => describe(desk, &asked, admin),
        "describe-producers" => describe_producers(desk, &asked, admin),
        "abort" => hanging::abort(desk, &asked, admin),
        "find-hanging" => hanging::find(desk, &asked, admin),
        _ => terminate(desk, &asked, admin),
    }
}

/// [printErrorAndExit]
fn fail(desk: &mut Desk, text: &str) -> Stop {
    desk.err(text);
    Stop::Exit(1)
}

fn failed(desk: &mut Desk, what: &str, error: &ClientError) -> Stop {
    let message = java::message(error).to_string();
    fail(
        desk,
        &format!("{what}: {message}. Enable debug logging for additional detail."),
    )
}

/// The partition that `--topic` and `--partition` name.
fn partition(asked: &Namespace) -> NamedPartition {
    NamedPartition {
        topic: asked.text("topic").unwrap_or_default().into(),
        partition: asked
            .number("partition")
            .and_then(|number| i32::try_from(number).ok())
            .unwrap_or(0),
    }
}

/// All transactional ids, those of each coordinator in the order of its partitions.
fn listed(desk: &mut Desk, admin: usize) -> Run<Result<Vec<ListedTransaction>, ClientError>> {
    Ok(desk.admin(admin, AdminCall::ListTransactions)?.map(|answer| {
        let mut all = match &*answer {
            Answer::Transactions(all) => all.clone(),
            _ => Vec::new(),
        };
        all.sort_small_by_key(|(id, ..)| id_order(id));
        all
    }))
}

/// A transaction and its coordinator.
fn described(desk: &mut Desk, admin: usize, id: &Rc<str>) -> Run<Result<(i32, DescribedTransaction), ClientError>> {
    let what = AdminCall::DescribeTransaction { id: id.clone() };
    Ok(desk.admin(admin, what)?.and_then(|answer| match &*answer {
        Answer::Transaction { coordinator, found } => Ok((*coordinator, found.clone())),
        _ => Err(ClientError::new("IllegalStateException", "no transaction")),
    }))
}

fn list(desk: &mut Desk, asked: &Namespace, admin: usize) -> Run<()> {
    let all = match listed(desk, admin)? {
        Ok(all) => all,
        Err(error) => return Err(failed(desk, "Failed to list transactions", &error)),
    };
    let pattern = match asked.text("transactional-id-pattern").map(Pattern::new) {
        Some(Err(_)) => {
            let error = ClientError::new(
                "InvalidRegularExpression",
                &format!(
                    "Transaction ID pattern `{}` is not a valid regular expression.",
                    asked.text("transactional-id-pattern").unwrap_or_default()
                ),
            );
            return Err(failed(desk, "Failed to list transactions", &error));
        }
        Some(Ok(pattern)) => Some(pattern),
        None => None,
    };
    let longer_than = asked.number("duration-filter").filter(|ms| *ms >= 0);
    let mut rows = Vec::new();
    for (id, producer_id, state) in all {
        if pattern.as_ref().is_some_and(|pattern| !pattern.matches(&id)) {
            continue;
        }
        let Ok((coordinator, found)) = described(desk, admin, &id)? else {
            continue;
        };
        let begun = found.start_time;
        if longer_than.is_some_and(|ms| begun < 0 || desk.wall_ms() - begun <= ms) {
            continue;
        }
        rows.push(vec![
            id.to_string(),
            coordinator.to_string(),
            producer_id.to_string(),
            state.to_string(),
        ]);
    }
    let headers = ["TransactionalId", "Coordinator", "ProducerId", "TransactionState"];
    desk.print(&table(&headers, &rows));
    Ok(())
}

fn describe(desk: &mut Desk, asked: &Namespace, admin: usize) -> Run<()> {
    let id: Rc<str> = asked.text("transactional-id").unwrap_or_default().into();
    let (coordinator, found) = match described(desk, admin, &id)? {
        Ok(found) => found,
        Err(error) => {
            let what = format!("Failed to describe transaction state of transactional-id `{id}`");
            return Err(failed(desk, &what, &error));
        }
    };
    let (begun, lasts) = match found.start_time {
        ..0 => ("None".to_string(), "None".to_string()),
        at => (at.to_string(), (desk.wall_ms() - at).to_string()),
    };
    let partitions = java::hash_order(found.partitions.clone(), 16, java::partition_hash);
    let partitions: Vec<String> = partitions.iter().map(ToString::to_string).collect();
    let row = vec![
        coordinator.to_string(),
        id.to_string(),
        found.producer_id.to_string(),
        found.producer_epoch.to_string(),
        found.state.to_string(),
        found.timeout_ms.to_string(),
        begun,
        lasts,
        partitions.join(","),
    ];
    let headers = [
        "CoordinatorId",
        "TransactionalId",
        "ProducerId",
        "ProducerEpoch",
        "TransactionState",
        "TransactionTimeoutMs",
        "CurrentTransactionStartTimeMs",
        "TransactionDurationMs",
        "TopicPartitions",
    ];
    desk.print(&table(&headers, &[row]));
    Ok(())
}

/// Who writes to a partition, by the leader.
fn producers(
    desk: &mut Desk,
    admin: usize,
    partition: NamedPartition,
) -> Run<Result<Vec<ActiveProducer>, ClientError>> {
    let what = AdminCall::DescribeProducers { partition };
    Ok(desk.admin(admin, what)?.map(|answer| match &*answer {
        Answer::Producers(all) => all.iter().map(|one| one.0.clone()).collect(),
        _ => Vec::new(),
    }))
}

fn describe_producers(desk: &mut Desk, asked: &Namespace, admin: usize) -> Run<()> {
    let of = partition(asked);
    let found = match producers(desk, admin, of.clone())? {
        Ok(found) => found,
        Err(error) => {
            let whom = match asked.number("broker-id") {
                Some(id) => format!("broker {id}"),
                None => "leader".to_string(),
            };
            let what = format!("Failed to describe producers for partition {of} on {whom}");
            return Err(failed(desk, &what, &error));
        }
    };
    let row = |one: &ActiveProducer| {
        vec![
            one.producer_id.to_string(),
            one.producer_epoch.to_string(),
            one.coordinator_epoch.to_string(),
            one.last_sequence.to_string(),
            one.last_timestamp.to_string(),
            match one.current_txn_start_offset {
                ..0 => "None".to_string(),
                offset => offset.to_string(),
            },
        ]
    };
    let rows: Vec<Vec<String>> = found.iter().map(row).collect();
    let headers = [
        "ProducerId",
        "ProducerEpoch",
        "LatestCoordinatorEpoch",
        "LastSequence",
        "LastTimestamp",
        "CurrentTransactionStartOffset",
    ];
    desk.print(&table(&headers, &rows));
    Ok(())
}

fn terminate(desk: &mut Desk, asked: &Namespace, admin: usize) -> Run<()> {
    let id: Rc<str> = asked.text("transactionalId").unwrap_or_default().into();
    let what = AdminCall::FenceProducer {
        id: id.clone(),
        terminate: true,
    };
    match desk.admin(admin, what)? {
        Ok(_) => Ok(()),
        Err(error) => {
            let what = format!("Failed to force terminate transactionalId `{id}`");
            Err(failed(desk, &what, &error))
        }
    }
}
