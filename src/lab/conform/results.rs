//! What calls return, in the form of the recordings.

use super::super::apply::exception;
use crate::kafka::client::call::{
    Answer, CallResult, ClientError, Consumed, SeenGroup, SeenPartition, SeenShareOffset, Sent,
};
use crate::kafka::protocol::groups::CommittedOffset;
use crate::kafka::types::NamedPartition;
use crate::ordered::OrderedMap;
use crate::ordered::SortSmall;
use serde_json::{Map, Value, json};
use std::rc::Rc;

/// An exception.
pub fn error_json(error: &ClientError) -> Value {
    let mut out = Map::new();
    out.insert("error".into(), json!(&*error.class));
    if let Some(message) = &error.message {
        out.insert("message".into(), json!(plain_ids(message)));
    }
    if let Some(cause) = &error.cause {
        out.insert("cause".into(), error_json(cause));
    }
    Value::Object(out)
}

/// Member ids with their UUID named `UUID`.
pub fn plain_ids(text: &str) -> String {
    const FORM: [usize; 5] = [8, 4, 4, 4, 12];
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::new();
    let mut at = 0;
    while at < chars.len() {
        let mut end = at;
        let fits = FORM.iter().enumerate().all(|(i, n)| {
            if i > 0 {
                if chars.get(end) != Some(&'-') {
                    return false;
                }
                end += 1;
            }
            let hex = (end..end + n).all(|j| chars.get(j).is_some_and(char::is_ascii_hexdigit));
            end += n;
            hex
        });
        if fits {
            out.push_str("UUID");
            at = end;
        } else {
            out.push(chars[at]);
            at += 1;
        }
    }
    out
}

/// Text of a key or value.
pub fn text(bytes: &Option<Rc<[u8]>>) -> Value {
    bytes
        .as_ref()
        .map_or(Value::Null, |bytes| json!(String::from_utf8_lossy(bytes)))
}

fn each<K: ToString, V>(map: &OrderedMap<K, V>, value: impl Fn(&V) -> Value) -> Value {
    Value::Object(map.iter().map(|(key, v)| (key.to_string(), value(v))).collect())
}

fn sent(sent: &Sent) -> Value {
    match sent {
        Sent::At(partition, Some(offset)) => json!(format!("{partition}@{offset}")),
        Sent::At(partition, None) => json!(format!("{partition}@?")),
        Sent::Failed(error) => error_json(error),
        Sent::Threw(error) => {
            let mut out = error_json(error);
            if let Some(out) = out.as_object_mut() {
                out.insert("thrown".into(), json!(true));
            }
            out
        }
    }
}

/// Records by partition, `[offset, key, value]`.
pub fn records_json(records: &[Consumed]) -> Value {
    let mut by: OrderedMap<String, Vec<Value>> = OrderedMap::new();
    for record in records {
        let mut entry = vec![json!(record.offset), text(&record.key), text(&record.value)];
        if let Some(delivery) = record.delivery {
            entry.push(json!({"delivery": delivery}));
        }
        by.entry(record.partition.to_string()).or_default().push(json!(entry));
    }
    json!(by)
}

/// Timestamps below this were set by the scenario.
const SMALL: i64 = 100_000_000_000;

/// A record with all that `fetch` shows.
pub fn whole_record(record: &Consumed) -> Value {
    let mut out = vec![
        json!(record.offset),
        text(&record.key),
        text(&record.value),
        json!(record.leader_epoch),
    ];
    let mut more = Map::new();
    if !record.headers.is_empty() {
        let headers: Vec<Value> = record
            .headers
            .iter()
            .map(|(name, value)| json!([&**name, text(value)]))
            .collect();
        more.insert("headers".into(), json!(headers));
    }
    if (0..SMALL).contains(&record.timestamp) {
        more.insert("timestamp".into(), json!(record.timestamp));
    }
    if record.append_time {
        more.insert("timestamp_type".into(), json!("LogAppendTime"));
    }
    if !more.is_empty() {
        out.push(Value::Object(more));
    }
    Value::Array(out)
}

fn committed(offset: &Option<CommittedOffset>) -> Value {
    offset.as_ref().map_or(Value::Null, |offset| json!(offset.offset))
}

fn offset_json(offset: &Result<Option<(i64, i64, i32)>, ClientError>, of_consumer: bool) -> Value {
    match offset {
        Err(error) => error_json(error),
        Ok(None) if of_consumer => Value::Null,
        Ok(None) => json!({"offset": -1, "timestamp": -1}),
        Ok(Some((offset, timestamp, epoch))) => {
            let mut out = Map::new();
            out.insert("offset".into(), json!(offset));
            if *epoch >= 0 {
                out.insert("epoch".into(), json!(epoch));
            }
            let timestamp = if *timestamp >= SMALL {
                json!("NOW")
            } else {
                json!(timestamp)
            };
            out.insert("timestamp".into(), timestamp);
            Value::Object(out)
        }
    }
}

fn group_json(group: &SeenGroup) -> Value {
    let members: Vec<Value> = group
        .members
        .iter()
        .map(|member| {
            let mut out = Map::new();
            out.insert("client".into(), json!(&*member.client_id));
            if let Some(instance) = &member.instance {
                out.insert("instance".into(), json!(&**instance));
            }
            out.insert("assigned".into(), partitions(&member.assigned));
            Value::Object(out)
        })
        .collect();
    let mut out = json!({
        "state": &*group.state, "type": &*group.kind, "assignor": &*group.assignor,
        "simple": group.protocol_type.is_empty(), "members": members,
    });
    if let Some(assignment_epoch) = group.assignment_epoch {
        out["epoch"] = json!(group.epoch);
        out["assignment_epoch"] = json!(assignment_epoch);
    }
    out
}

/// Names of partitions, sorted by topic and number.
pub fn partitions(list: &[NamedPartition]) -> Value {
    let mut list: Vec<&NamedPartition> = list.iter().collect();
    list.sort_small();
    json!(list.iter().map(|p| p.to_string()).collect::<Vec<_>>())
}

/// What the operation `op` returned; `None` if it is just ok.
pub fn result_json(op: &str, only: Option<&str>, result: &CallResult) -> Option<Value> {
    let answer = match result {
        Err(error) => return Some(error_json(error)),
        Ok(answer) => &**answer,
    };
    let value = match answer {
        Answer::Done => return None,
        Answer::Sent(list) => Value::Array(list.iter().map(sent).collect()),
        Answer::Records(records) => json!({"records": records_json(records)}),
        Answer::Position(position) => json!({"position": position}),
        Answer::Committed(map) => each(map, committed),
        Answer::Offsets(map) if op == "group_offsets" => {
            each(map, |offset| offset.as_ref().ok().and_then(|o| *o).map_or(Value::Null, |(offset, _, _)| json!(offset)))
        }
        Answer::Offsets(map) => each(map, |offset| offset_json(offset, op == "offsets_for_times")),
        Answer::LowWatermarks(map) => each(map, |low| match low {
            Ok(low) => json!(low),
            Err(error) => error_json(error),
        }),
        Answer::Each(map) => return each_result(op, only, map),
        Answer::Cluster { brokers, .. } => {
            json!({"nodes": brokers.iter().map(|(id, fenced)| node_json(*id, *fenced)).collect::<Vec<_>>()})
        }
        Answer::Reassignments(list) => Value::Object(
            list.iter()
                .map(|seen| {
                    let it = &seen.0;
                    let entry = json!({
                        "replicas": format!("{:?}", it.replicas), "adding": format!("{:?}", it.adding),
                        "removing": format!("{:?}", it.removing),
                    });
                    (it.partition.to_string(), entry)
                })
                .collect(),
        ),
        Answer::Producers(list) => Value::Array(
            list.iter()
                .map(|seen| {
                    json!({"pid": format!("pid:{}", seen.0.producer_id), "pepoch": seen.0.producer_epoch, "last_seq": seen.0.last_sequence})
                })
                .collect(),
        ),
        Answer::Quorum { leader, epoch, voters, observers } => {
            json!({"leader": leader, "epoch": epoch, "voters": voters, "observers": observers})
        }
        Answer::Group(group) => group_json(group),
        other => return other_result(op, only, other),
    };
    Some(value)
}

fn node_json(id: i32, fenced: bool) -> Value {
    if fenced {
        json!({"id": id, "fenced": true})
    } else {
        json!({"id": id})
    }
}

/// Operations on one thing return ok or the error itself; those on several, each under its name.
fn each_result(op: &str, only: Option<&str>, map: &OrderedMap<Rc<str>, Result<(), ClientError>>) -> Option<Value> {
    let single = matches!(
        op,
        "delete_topic"
            | "create_partitions"
            | "alter_config"
            | "reassign"
            | "delete_group"
            | "alter_offsets"
            | "delete_share_group"
            | "remove_members"
            | "unregister_broker"
    );
    if single {
        let of = only.and_then(|name| map.get(name)).or_else(|| map.values().next());
        return match of {
            Some(Err(error)) => Some(error_json(error)),
            _ => None,
        };
    }
    Some(each(map, |result| match result {
        Ok(()) => json!("ok"),
        Err(error) => error_json(error),
    }))
}

/// Answers whose form only an admin's operations use.
fn other_result(op: &str, only: Option<&str>, answer: &Answer) -> Option<Value> {
    match answer {
        Answer::Topics(map) => match map.get(only?)? {
            Err(error) => Some(error_json(error)),
            Ok(list) => Some(topic_json(&list.partitions, list.internal)),
        },
        Answer::Groups(list) => Some(Value::Object(
            list.iter()
                .map(|(group, protocol_type, state, kind)| {
                    let entry = json!({"type": &**kind, "protocol_type": &**protocol_type, "state": &**state});
                    (group.to_string(), entry)
                })
                .collect(),
        )),
        Answer::Transactions(list) => Some(Value::Object(
            list.iter()
                .map(|(id, _, state)| (id.to_string(), json!(&**state)))
                .collect(),
        )),
        Answer::Transaction { coordinator, found } => Some(json!({
            "coordinator": coordinator, "state": &*found.state, "pid": format!("pid:{}", found.producer_id),
            "pepoch": found.producer_epoch, "timeout_ms": found.timeout_ms,
            "partitions": partitions(&found.partitions),
        })),
        Answer::Fenced { epoch, .. } => Some(json!({"ok": true, "pepoch": epoch})),
        Answer::Configs(list) => Some(Value::Object(
            list.iter()
                .map(|seen| (seen.0.name.to_string(), json!([seen.0.value.as_deref(), seen.0.source])))
                .collect(),
        )),
        Answer::ShareOffsets(map) => Some(each(map, share_offset)),
        Answer::Features(map) => Some(json!(
            map.iter()
                .map(|(k, v)| (k.to_string(), *v))
                .collect::<OrderedMap<_, _>>()
        )),
        _ => Some(json!(format!("{op}: an answer of another kind"))),
    }
}

fn share_offset(offset: &Option<SeenShareOffset>) -> Value {
    let Some(offset) = offset else { return Value::Null };
    let mut out = Map::new();
    out.insert("start".into(), json!(offset.start));
    if let Some(lag) = offset.lag {
        out.insert("lag".into(), json!(lag));
    }
    Value::Object(out)
}

fn topic_json(list: &[SeenPartition], internal: bool) -> Value {
    let mut out = Map::new();
    if internal {
        out.insert("internal".into(), json!(true));
    }
    for seen in list {
        let it = &seen.0;
        let mut entry = Map::new();
        entry.insert(
            "leader".into(),
            if it.leader < 0 { Value::Null } else { json!(it.leader) },
        );
        entry.insert("replicas".into(), json!(it.replicas));
        let mut isr = it.isr.clone();
        isr.sort_small();
        entry.insert("isr".into(), json!(isr));
        for (key, list) in [("elr", &it.elr), ("last_known_elr", &it.last_known_elr)] {
            if !list.is_empty() {
                let mut list = list.clone();
                list.sort_small();
                entry.insert(key.into(), json!(list));
            }
        }
        out.insert(it.partition.to_string(), Value::Object(entry));
    }
    Value::Object(out)
}

/// One line for an exception, for messages of the player itself.
pub fn one_line(error: &ClientError) -> String {
    exception(error.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_get_a_name() {
        assert_eq!(
            plain_ids("c1-0b2e8b5e-0000-4c1d-9e1f-0123456789ab left"),
            "c1-UUID left"
        );
        assert_eq!(plain_ids("c1-0b2e8b5e"), "c1-0b2e8b5e");
    }
}
