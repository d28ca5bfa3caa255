//! Producer state, transactions in the log, LSO and epochs against what the real classes answer.

use std::rc::Rc;

use serde_json::{Map, Value, json};

use crate::kafka::log::append::{Appended, LeaderAppend};
use crate::kafka::log::batch::{Batch, BatchBuilder, Control, Outcome, ProducerTag, no_headers};
use crate::kafka::log::config::LogConfig;
use crate::kafka::log::error::AppendError;
use crate::kafka::log::producer_entry::{Guard, Origin, ProducerEntry};
use crate::kafka::log::unified_log::Log;
use crate::kafka::types::Bytes;
use crate::kafka::vectors;

struct Player {
    log: Log,
    now: i64,
    guard: Option<Guard>,
    leader_epoch: i32,
}

fn int(v: &Value) -> i64 {
    v.as_i64().unwrap_or_else(|| panic!("{v} is no integer"))
}

fn tag(step: &Value) -> Option<ProducerTag> {
    step["pid"].as_i64().map(|id| ProducerTag {
        id,
        epoch: int(&step["epoch"]) as i16,
        sequence: step["seq"].as_i64().unwrap_or(-1) as i32,
    })
}

impl Player {
    fn batch(&self, step: &Value, base: i64) -> Batch {
        let mut builder = BatchBuilder::new(base);
        builder.head.producer = tag(step);
        builder.head.transactional = step["txn"].as_bool().unwrap_or(false);
        for _ in 0..int(&step["count"]) {
            let value = Some(Bytes::from(*b"v"));
            builder
                .append_next(self.now, None, value, no_headers(), 0)
                .expect("a plain record");
        }
        builder.build(None).expect("a valid batch")
    }

    fn marker(&self, step: &Value, base: i64) -> Batch {
        let outcome = if step["result"] == "abort" {
            Outcome::Abort
        } else {
            Outcome::Commit
        };
        let control = Control {
            outcome,
            coordinator_epoch: int(&step["coordinator_epoch"]) as i32,
        };
        let epoch = int(&step["epoch"]) as i16;
        Batch::marker(base, self.now, int(&step["pid"]), epoch, control)
    }

    fn lead(&mut self, batch: Batch, step: &Value, origin: Origin) -> Result<Appended, AppendError> {
        let how = LeaderAppend {
            origin,
            leader_epoch: self.leader_epoch,
            now: self.now,
            guard: self.guard.filter(|_| step["guard"] == true),
            transaction_version: step["tv"].as_i64().unwrap_or(-1) as i16,
        };
        self.log.append_as_leader(batch, how)
    }

    fn follow(&mut self, batch: Batch) -> Result<Appended, AppendError> {
        let batch = batch.in_epoch(self.leader_epoch);
        self.log.append_as_follower(&[batch], self.leader_epoch, self.now)
    }

    /// Plays a step; what it says beside the state.
    fn play(&mut self, step: &Value) -> Map<String, Value> {
        self.leader_epoch = step["leader_epoch"].as_i64().unwrap_or(0) as i32;
        let mut seen = Map::new();
        let end = self.log.end_offset();
        let appended = match step["op"].as_str().expect("op") {
            "append" => {
                let coordinator = step["origin"] == "coordinator";
                let origin = if coordinator {
                    Origin::Coordinator
                } else {
                    Origin::Client
                };
                Some(self.lead(self.batch(step, 0), step, origin))
            }
            "replicate" => Some(self.follow(self.batch(step, end))),
            "marker" if step["origin"] == "replication" => Some(self.follow(self.marker(step, end))),
            "marker" => Some(self.lead(self.marker(step, 0), step, Origin::Coordinator)),
            _ => {
                self.other(step, &mut seen);
                None
            }
        };
        match appended {
            Some(Ok(a)) => {
                seen.insert("first".into(), json!(a.first_offset));
                seen.insert("last".into(), json!(a.last_offset));
                if a.duplicate {
                    seen.insert("duplicate".into(), json!(true));
                }
            }
            Some(Err(e)) => {
                let error = json!({"class": e.code.exception(), "message": e.message});
                seen.insert("error".into(), error);
            }
            None => {}
        }
        seen
    }

    fn other(&mut self, step: &Value, seen: &mut Map<String, Value>) {
        match step["op"].as_str().expect("op") {
            "high_watermark" => {
                self.log.update_high_watermark(int(&step["offset"]));
            }
            "truncate_to" => {
                self.log.truncate_to(int(&step["offset"]), self.now);
            }
            "delete_records_before" => {
                if let Err(e) = self.log.increment_log_start(int(&step["offset"])) {
                    let class = "OffsetOutOfRangeException";
                    seen.insert("error".into(), json!({"class": class, "message": e.to_string()}));
                }
            }
            "expire_producers" => {
                self.now += int(&step["after_ms"]);
                self.log.expire_producers(self.now);
            }
            "verify" => {
                let tag = tag(step).expect("a producer");
                let bump = step["supports_epoch_bump"].as_bool().expect("a flag");
                let guard = self
                    .log
                    .start_verification(tag.id, tag.sequence, tag.epoch, bump, self.now);
                self.guard = guard;
                seen.insert("guard".into(), json!(guard.is_some()));
            }
            other => panic!("unknown op {other}"),
        }
    }

    fn state(&self, seen: &mut Map<String, Value>) {
        let log = &self.log;
        seen.insert("end".into(), json!(log.end_offset()));
        seen.insert("hw".into(), json!(log.high_watermark()));
        seen.insert("lso".into(), json!(log.last_stable_offset()));
        if log.log_start() > 0 {
            seen.insert("start".into(), json!(log.log_start()));
        }
        if let Some(first) = log.first_unstable_offset() {
            seen.insert("first_unstable".into(), json!(first));
        }
        let producers = log.producers().entries().values().map(row);
        seen.insert("producers".into(), Value::Object(producers.collect()));
    }
}

fn row(e: &ProducerEntry) -> (String, Value) {
    let row = json!([
        e.epoch,
        e.first_sequence(),
        e.last_sequence(),
        e.last_offset(),
        e.batches.len(),
        e.coordinator_epoch,
        e.txn_first_offset
    ]);
    (e.id.to_string(), row)
}

fn at_the_end(log: &Log) -> (Value, Value) {
    let aborted = log
        .aborted_transactions(log.log_start())
        .map(|t| json!([t.producer_id, t.first_offset, t.last_offset, t.last_stable_offset]))
        .collect();
    let epochs = log
        .epochs()
        .entries()
        .iter()
        .map(|e| json!([e.epoch, e.start]))
        .collect();
    (Value::Array(aborted), Value::Array(epochs))
}

fn differences(case: &Value) -> Vec<String> {
    let config = LogConfig {
        transaction_verification: case["verification"] == true,
        ..LogConfig::default()
    };
    let now = 1_700_000_000_000;
    let mut player = Player {
        log: Log::new(Rc::from("t-0"), Rc::new(config), now),
        now,
        guard: None,
        leader_epoch: 0,
    };
    let id = &case["id"];
    for (n, step) in case["steps"].as_array().expect("steps").iter().enumerate() {
        let mut seen = player.play(&step["do"]);
        player.state(&mut seen);
        if Some(&seen) != step["see"].as_object() {
            let found = Value::Object(seen);
            return vec![format!(
                "case {id} step {n} {}:\n  {}\n  {found}",
                step["do"], step["see"]
            )];
        }
    }
    let (aborted, epochs) = at_the_end(&player.log);
    let mut wrong = Vec::new();
    if aborted != case["aborted"] {
        wrong.push(format!("case {id} aborted:\n  {}\n  {aborted}", case["aborted"]));
    }
    if epochs != case["leader_epochs"] {
        wrong.push(format!("case {id} epochs:\n  {}\n  {epochs}", case["leader_epochs"]));
    }
    wrong
}

#[test]
fn vectors_producer_state() {
    let cases = vectors::json_lines("producer_state.jsonl");
    assert!(!cases.is_empty());
    let wrong: Vec<String> = cases.iter().flat_map(differences).collect();
    let some: Vec<&String> = wrong.iter().take(5).collect();
    assert!(wrong.is_empty(), "{} of {} differ: {some:#?}", wrong.len(), cases.len());
}
