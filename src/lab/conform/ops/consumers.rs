//! Consumers: subscriptions, polls, commits, and the fresh reader of a `fetch`.

use super::{Outcome, all_partitions, offsets, partition, times};
use crate::kafka::client::call::{Answer, CallId};
use crate::kafka::client::consumer::{ConsumerOrder, SeekTo};
use crate::kafka::protocol::share::Acknowledge;
use crate::kafka::types::NamedPartition;
use crate::kafka::wire::Order;
use crate::lab::conform::play::Player;
use crate::lab::conform::results::{error_json, whole_record};
use crate::lab::conform::trace::TraceStep;
use crate::ordered::OrderedMap;
use crate::sim::{Halt, ProcId, Span};
use serde_json::{Map, Value, json};
use std::rc::Rc;

/// `{"t-0@3": "ACCEPT"}`, in the order of the recording.
fn acknowledgements(value: Option<&Value>) -> Result<Vec<(NamedPartition, i64, Acknowledge)>, String> {
    let each = value.and_then(Value::as_object).into_iter().flatten();
    each.map(|(name, kind)| {
        let wrong = || format!("`{name}`: `{kind}` is not an acknowledgement");
        let (place, offset) = name.rsplit_once('@').ok_or_else(wrong)?;
        let kind = kind.as_str().and_then(Acknowledge::of_name).ok_or_else(wrong)?;
        Ok((partition(place)?, offset.parse().map_err(|_| wrong())?, kind))
    })
    .collect()
}

impl Player<'_> {
    pub(in crate::lab) fn consumer_call(&mut self, id: ProcId, order: impl FnOnce(CallId) -> ConsumerOrder) -> CallId {
        let call = self.world.awaited_call();
        self.world.sim.order(id, Order::Consumer(order(call)));
        call
    }

    pub(in crate::lab) fn operate_consumer(&mut self, step: &TraceStep) -> Result<Outcome, String> {
        let id = self.client(step.text("c"))?;
        let call = match step.op() {
            "subscribe" | "assign" => return self.begin_reading(step, id),
            "start_polling" => self.consumer_call(id, |call| ConsumerOrder::PollLoop { call, on: true }),
            "stop_polling" => self.consumer_call(id, |call| ConsumerOrder::PollLoop { call, on: false }),
            "poll" => return self.poll(step, id),
            "seek" => {
                let partition = partition(step.text("partition"))?;
                let to = match step.get("to") {
                    Some(Value::String(word)) if word == "beginning" => SeekTo::Beginning,
                    Some(Value::String(_)) => SeekTo::End,
                    other => SeekTo::Offset(other.and_then(Value::as_i64).unwrap_or(0)),
                };
                self.consumer_call(id, |call| ConsumerOrder::Seek { call, partition, to })
            }
            "position" => {
                let partition = partition(step.text("partition"))?;
                self.consumer_call(id, |call| ConsumerOrder::Position { call, partition })
            }
            "committed" => {
                let partitions = all_partitions(&step.list("partitions"))?;
                self.consumer_call(id, |call| ConsumerOrder::CommittedOffsets { call, partitions })
            }
            "offsets_for_times" => {
                let times = times(step.get("times"))?;
                self.consumer_call(id, |call| ConsumerOrder::OffsetsForTimes { call, times })
            }
            "pause_partitions" | "resume_partitions" => {
                let partitions = all_partitions(&step.list("partitions"))?;
                let pause = step.op() == "pause_partitions";
                self.consumer_call(id, |call| match pause {
                    true => ConsumerOrder::Pause { call, partitions },
                    false => ConsumerOrder::Resume { call, partitions },
                })
            }
            "unsubscribe" => {
                // The recorder polls in the background only while there is a subscription.
                self.consumer_call(id, |call| ConsumerOrder::PollLoop { call, on: false });
                self.consumer_call(id, |call| ConsumerOrder::Unsubscribe { call })
            }
            "ack" => {
                let records = acknowledgements(step.get("acks"))?;
                self.consumer_call(id, |call| ConsumerOrder::Acknowledge { call, records })
            }
            "enforce_rebalance" => self.consumer_call(id, |call| ConsumerOrder::EnforceRebalance { call }),
            "close_consumer" => {
                let leave = match step.text("membership") {
                    "leave" => Some(true),
                    "remain" => Some(false),
                    _ => None,
                };
                self.consumer_call(id, |call| ConsumerOrder::Close { call, leave })
            }
            _ => {
                let offsets = match step.get("offsets") {
                    Some(_) => Some(offsets(step.get("offsets"))?),
                    None => None,
                };
                let wait = step.op() == "commit_sync";
                self.consumer_call(id, |call| match wait {
                    true => ConsumerOrder::CommitSync { call, offsets },
                    false => ConsumerOrder::CommitAsync { call, offsets },
                })
            }
        };
        Ok(Outcome::Call { call, about: None })
    }

    /// Subscribes or assigns; a subscriber polls from then on unless it is told not to.
    pub(in crate::lab) fn begin_reading(&mut self, step: &TraceStep, id: ProcId) -> Result<Outcome, String> {
        let subscribes = step.op() == "subscribe";
        if let Some(commit_on_revoke) = step.get("commit_on_revoke").and_then(Value::as_bool) {
            self.consumer_call(id, |call| ConsumerOrder::Listener { call, commit_on_revoke });
        }
        let call = if !subscribes {
            let partitions = all_partitions(&step.list("partitions"))?;
            self.consumer_call(id, |call| ConsumerOrder::Assign { call, partitions })
        } else if let Some(pattern) = step.get("pattern").and_then(Value::as_str) {
            self.consumer_call(id, |call| ConsumerOrder::SubscribePattern {
                call,
                pattern: pattern.into(),
            })
        } else if let Some(regex) = step.get("regex").and_then(Value::as_str) {
            self.consumer_call(id, |call| ConsumerOrder::SubscribeRegex {
                call,
                regex: regex.into(),
            })
        } else {
            let topics = step.list("topics").into_iter().map(Rc::from).collect();
            self.consumer_call(id, |call| ConsumerOrder::Subscribe { call, topics })
        };
        let result = self.finish(step.op(), None, call);
        let polls = step.get("poll").and_then(Value::as_bool).unwrap_or(subscribes);
        if result.is_none() && polls {
            self.consumer_call(id, |call| ConsumerOrder::PollLoop { call, on: true });
        }
        Ok(result.map_or(Outcome::Ok, Outcome::Value))
    }

    pub(in crate::lab) fn poll(&mut self, step: &TraceStep, id: ProcId) -> Result<Outcome, String> {
        let timeout_ms = step.get("ms").and_then(Value::as_i64).unwrap_or(0);
        let most = step.get("n").and_then(Value::as_u64).map_or(usize::MAX, |n| n as usize);
        let call = self.consumer_call(id, |call| ConsumerOrder::Poll {
            call,
            timeout_ms,
            records: most,
        });
        let result = self.finish("poll", None, call);
        let mut out = Map::new();
        out.insert("records".into(), json!({}));
        if let Some(Value::Object(more)) = result {
            out.extend(more);
        }
        Ok(Outcome::Value(Value::Object(out)))
    }

    /// A fresh consumer reads from an offset to the end.
    pub(in crate::lab) fn fetch(&mut self, step: &TraceStep) -> Result<Outcome, String> {
        let partition = partition(step.text("partition"))?;
        let committed = step.text("isolation") == "read_committed";
        let mut config: OrderedMap<String, String> = [("enable.auto.commit", "false"), ("auto.offset.reset", "none")]
            .into_iter()
            .map(|(k, v)| (k.to_string(), v.to_string()))
            .collect();
        if committed {
            config.insert("isolation.level".into(), "read_committed".into());
        }
        self.readers += 1;
        let name = format!("reader-{}", self.readers);
        let id = self
            .world
            .add_consumer(&name, "h1", None, config)
            .map_err(|e| crate::lab::conform::results::one_line(&e))?;
        let one = vec![partition.clone()];
        let call = self.consumer_call(id, |call| ConsumerOrder::Assign { call, partitions: one });
        self.wait_for(call);
        let to = step
            .get("from")
            .and_then(Value::as_i64)
            .map_or(SeekTo::Beginning, SeekTo::Offset);
        let at = partition.clone();
        let call = self.consumer_call(id, |call| ConsumerOrder::Seek {
            call,
            partition: at,
            to,
        });
        self.wait_for(call);
        let result = self.read_to_end(step, id, &partition, committed);
        let call = self.consumer_call(id, |call| ConsumerOrder::Close { call, leave: None });
        self.wait_for(call);
        self.world.sim.halt(id, Halt::Exit);
        Ok(Outcome::Value(result))
    }

    pub(in crate::lab) fn read_to_end(
        &mut self,
        step: &TraceStep,
        id: ProcId,
        partition: &NamedPartition,
        committed: bool,
    ) -> Value {
        let ms = step.get("ms").and_then(Value::as_i64).unwrap_or(20_000);
        let until = self.world.sim.now() + Span::from_ms(ms);
        let mut records = Vec::new();
        loop {
            let call = self.consumer_call(id, |call| ConsumerOrder::Poll {
                call,
                timeout_ms: 200,
                records: 1,
            });
            let error = match self.wait_for(call) {
                Some(Ok(answer)) => {
                    if let Answer::Records(list) = &*answer {
                        records.extend(list.iter().map(whole_record));
                    }
                    None
                }
                Some(Err(error)) => Some(error),
                None => None,
            };
            if let Some(error) = error {
                let mut out = Map::new();
                out.insert("records".into(), json!(records));
                if let Value::Object(more) = error_json(&error) {
                    out.extend(more);
                }
                return Value::Object(out);
            }
            let position = self.position(id, partition);
            let end = self.end_of(partition, committed);
            let done = matches!((position, end), (Some(position), Some(end)) if position >= end);
            if done || self.world.sim.now() >= until {
                return json!({"records": records, "position": position});
            }
        }
    }

    pub(in crate::lab) fn position(&mut self, id: ProcId, partition: &NamedPartition) -> Option<i64> {
        let partition = partition.clone();
        let call = self.consumer_call(id, |call| ConsumerOrder::Position { call, partition });
        match self.wait_for(call) {
            Some(Ok(answer)) => match &*answer {
                Answer::Position(position) => Some(*position),
                _ => None,
            },
            _ => None,
        }
    }

    /// High watermark or LSO of a partition, as its leader has it.
    pub(in crate::lab) fn end_of(&self, partition: &NamedPartition, committed: bool) -> Option<i64> {
        let image = self.world.image()?;
        let topic = image.topic_by_name(&partition.topic)?;
        let id = crate::kafka::types::TopicPartition::new(topic.id, partition.partition);
        let leader = image.partitions.get(&id)?.leader;
        let replica = self.world.broker(leader)?.replica(id)?;
        Some(if committed {
            replica.last_stable_offset()
        } else {
            replica.high_watermark()
        })
    }
}
