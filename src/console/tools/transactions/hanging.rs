//! `abort` and `find-hanging`: transactions that no coordinator will end.

use super::{described, fail, failed, listed, partition, producers};
use crate::console::argparse::{Namespace, table};
use crate::console::desk::{Desk, Run, Stop};
use crate::console::tools::topics::{all_topics, describe_topics};
use crate::kafka::client::admin::AdminCall;
use crate::kafka::client::call::ClientError;
use crate::kafka::protocol::data::ActiveProducer;
use crate::kafka::types::NamedPartition;
use crate::ordered::OrderedMap;
use std::rc::Rc;

/// A producer's open transaction in a partition.
type Open = (NamedPartition, ActiveProducer);

/// `--max-transaction-timeout`, in minutes.
const MOST_MINUTES: i64 = 15;

pub fn abort(desk: &mut Desk, asked: &Namespace, admin: usize) -> Run<()> {
    let of = partition(asked);
    let (id, epoch, coordinator_epoch) = match (asked.number("start-offset"), asked.number("producer-id")) {
        (Some(offset), _) => found(desk, admin, &of, offset)?,
        (None, Some(id)) => {
            let mut needed = [0; 2];
            for (place, name) in needed.iter_mut().zip(["producer-epoch", "coordinator-epoch"]) {
                match asked.number(name) {
                    Some(number) => *place = number,
                    None => return Err(fail(desk, &format!("Missing required argument --{name}"))),
                }
            }
            (id, needed[0], needed[1].max(0))
        }
        (None, None) => {
            return Err(fail(
                desk,
                "The transaction to abort must be identified either with --start-offset (for brokers on 3.0 or above) or \
                 with --producer-id, --producer-epoch, and --coordinator-epoch (for older brokers)",
            ));
        }
    };
    let what = AdminCall::AbortTransaction {
        partition: of.clone(),
        producer_id: id,
        producer_epoch: i16::try_from(epoch).unwrap_or(i16::MAX),
        coordinator_epoch: i32::try_from(coordinator_epoch).unwrap_or(0),
    };
    match desk.admin(admin, what)? {
        Ok(_) => Ok(()),
        Err(error) => {
            let spec = format!(
                "AbortTransactionSpec(topicPartition={of}, producerId={id}, producerEpoch={epoch}, \
                 coordinatorEpoch={coordinator_epoch})"
            );
            Err(failed(desk, &format!("Failed to abort transaction {spec}"), &error))
        }
    }
}

/// Producer id, epoch and coordinator epoch of the transaction that begins at an offset. [buildAbortSpec]
fn found(desk: &mut Desk, admin: usize, of: &NamedPartition, offset: i64) -> Run<(i64, i64, i64)> {
    let all = match producers(desk, admin, of.clone())? {
        Ok(all) => all,
        Err(error) => {
            let what = format!("Failed to validate producer state for partition {of}");
            return Err(failed(desk, &what, &error));
        }
    };
    match all.iter().find(|one| one.current_txn_start_offset == offset) {
        Some(one) => Ok((
            one.producer_id,
            i64::from(one.producer_epoch),
            i64::from(one.coordinator_epoch.max(0)),
        )),
        None => Err(fail(
            desk,
            &format!("Could not find any open transactions starting at offset {offset} on partition {of}"),
        )),
    }
}

pub fn find(desk: &mut Desk, asked: &Namespace, admin: usize) -> Run<()> {
    if !asked.has("topic") && !asked.has("broker-id") {
        return Err(fail(
            desk,
            "The `find-hanging` command requires either --topic or --broker-id to limit the scope of the search",
        ));
    }
    if asked.has("partition") && !asked.has("topic") {
        return Err(fail(desk, "The --partition argument requires --topic to be provided"));
    }
    let partitions = match asked.has("partition") {
        true => vec![partition(asked)],
        false => searched(desk, asked, admin)?,
    };
    let most = asked.number("max-transaction-timeout").unwrap_or(MOST_MINUTES) * 60_000;
    let mut open: Vec<Open> = Vec::new();
    for one in &partitions {
        match producers(desk, admin, one.clone())? {
            Ok(all) => {
                let now = desk.wall_ms();
                let old = |p: &ActiveProducer| p.current_txn_start_offset >= 0 && now - p.last_timestamp > most;
                open.extend(all.into_iter().filter(old).map(|p| (one.clone(), p)));
            }
            Err(error) => {
                let broker = match asked.number("broker-id") {
                    Some(id) => format!("Optional[{id}]"),
                    None => "Optional.empty".to_string(),
                };
                let count = partitions.len();
                let what = format!("Failed to describe producers for {count} partitions on broker {broker}");
                return Err(failed(desk, &what, &error));
            }
        }
    }
    let hanging = match open.is_empty() {
        true => Vec::new(),
        false => without_coordinator(desk, admin, open)?,
    };
    print(desk, &hanging);
    Ok(())
}

/// The partitions of the topic, or of all topics; those on a broker, if one is named. [collectTopicPartitionsToSearch]
fn searched(desk: &mut Desk, asked: &Namespace, admin: usize) -> Run<Vec<NamedPartition>> {
    let topics: Vec<Rc<str>> = match asked.text("topic") {
        Some(topic) => vec![topic.into()],
        None => match all_topics(desk, admin)? {
            Ok(all) => all.into_iter().map(|(name, _)| name).collect(),
            Err(error) => return Err(failed(desk, "Failed to list topics", &error)),
        },
    };
    let described = match describe_topics(desk, admin, &topics)? {
        Ok(described) => described,
        Err(error) => {
            let what = format!("Failed to describe {} topics", topics.len());
            return Err(failed(desk, &what, &error));
        }
    };
    let broker = asked.number("broker-id");
    let mut all = Vec::new();
    for (topic, seen) in described {
        for one in seen.partitions {
            let on_it = |id: i64| one.0.replicas.iter().any(|replica| i64::from(*replica) == id);
            if broker.is_none_or(on_it) {
                all.push(NamedPartition {
                    topic: topic.clone(),
                    partition: one.0.partition,
                });
            }
        }
    }
    Ok(all)
}

/// Those whose producer has no transactional id, or whose coordinator knows nothing of the partition.
/// [filterHangingTransactions]
fn without_coordinator(desk: &mut Desk, admin: usize, open: Vec<Open>) -> Run<Vec<Open>> {
    let stop = |desk: &mut Desk, error: &ClientError| -> Stop {
        let what = format!("Failed to list transactions for {} producers", open.len());
        failed(desk, &what, error)
    };
    let ids: OrderedMap<i64, Rc<str>> = match listed(desk, admin)? {
        Ok(all) => all.into_iter().map(|(id, producer, _)| (producer, id)).collect(),
        Err(error) => return Err(stop(desk, &error)),
    };
    let mut hanging = Vec::new();
    for (partition, producer) in open {
        let expected = match ids.get(&producer.producer_id) {
            Some(id) => match described(desk, admin, id)? {
                Ok((_, found)) => found.partitions.contains(&partition),
                Err(_) => false,
            },
            None => false,
        };
        if !expected {
            hanging.push((partition, producer));
        }
    }
    Ok(hanging)
}

fn print(desk: &mut Desk, hanging: &[Open]) {
    let now = desk.wall_ms();
    let row = |(partition, producer): &Open| {
        vec![
            partition.topic.to_string(),
            partition.partition.to_string(),
            producer.producer_id.to_string(),
            producer.producer_epoch.to_string(),
            producer.coordinator_epoch.to_string(),
            producer.current_txn_start_offset.to_string(),
            producer.last_timestamp.to_string(),
            ((now - producer.last_timestamp) / 60_000).to_string(),
        ]
    };
    let rows: Vec<Vec<String>> = hanging.iter().map(row).collect();
    let headers = [
        "Topic",
        "Partition",
        "ProducerId",
        "ProducerEpoch",
        "CoordinatorEpoch",
        "StartOffset",
        "LastTimestamp",
        "Duration(min)",
    ];
    desk.print(&table(&headers, &rows));
}
