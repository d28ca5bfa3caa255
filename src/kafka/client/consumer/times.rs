//! `offsetsForTimes()`. [OffsetFetcher.fetchOffsetsByTimes]

use super::calls::Pending;
use super::outbox::{Asked, Failure, ListFor};
use super::positions::{Found, unauthorized};
use super::process::Consumer;
use crate::kafka::client::call::{Answer, CallId, ClientError};
use crate::kafka::protocol::data::ListOffsetsResponse;
use crate::kafka::types::NamedPartition;
use crate::kafka::wire::Ctx;
use crate::ordered::OrderedMap;
use crate::sim::Time;

/// The call while it is under way.
#[derive(Clone, Debug)]
pub struct Times {
    call: CallId,
    /// Partitions without an answer, and the time sought.
    left: OrderedMap<NamedPartition, i64>,
    /// Offset, timestamp, leader epoch; `None`: no record is so young.
    found: OrderedMap<NamedPartition, Option<(i64, i64, i32)>>,
    /// Requests in flight.
    asked: usize,
    /// The next round waits for metadata newer than these.
    seen_metadata: Option<u32>,
    failed: Option<ClientError>,
    since: Time,
    pub until: Time,
}

impl Consumer {
    pub(super) fn begin_times(
        &mut self,
        call: CallId,
        times: Vec<(NamedPartition, i64)>,
        ctx: &mut Ctx,
    ) -> Option<Result<Answer, ClientError>> {
        if let Some((partition, time)) = times.iter().find(|(_, time)| *time < 0) {
            let text =
                format!("The target time for partition {partition} is {time}. The target time cannot be negative.");
            return Some(Err(ClientError::new("IllegalArgumentException", &text)));
        }
        self.transient = times.iter().map(|(partition, _)| partition.topic.clone()).collect();
        let metadata = &self.net.metadata;
        let news = self.transient.iter().any(|topic| metadata.topic(topic).is_none());
        self.want_topics(news);
        self.pending = Some(Pending::Times(Box::new(Times {
            call,
            left: times.into_iter().collect(),
            found: OrderedMap::new(),
            asked: 0,
            seen_metadata: None,
            failed: None,
            since: ctx.now(),
            until: self.api_deadline(ctx),
        })));
        None
    }

    /// Goes on with it; `None` when it has returned.
    pub(super) fn step_times(&mut self, mut times: Box<Times>, ctx: &mut Ctx) -> Option<Box<Times>> {
        let now = ctx.now();
        let result = if let Some(error) = times.failed.take() {
            Err(error)
        } else if times.left.is_empty() {
            let found = std::mem::take(&mut times.found);
            Ok(Answer::Offsets(
                found.into_iter().map(|(partition, at)| (partition, Ok(at))).collect(),
            ))
        } else if now >= times.until {
            let text = format!("Failed to get offsets by times in {}ms", now.since(times.since).as_ms());
            Err(ClientError::new("TimeoutException", &text))
        } else {
            let version = self.net.metadata.update_version();
            let waits = times.asked > 0 || times.seen_metadata == Some(version);
            if !waits {
                self.ask_times(&mut times, version, ctx);
            }
            return Some(times);
        };
        self.transient.clear();
        self.want_topics(false);
        self.returns(times.call, result, ctx);
        None
    }

    fn ask_times(&mut self, times: &mut Times, version: u32, ctx: &mut Ctx) {
        let sought = times.left.clone().into_iter();
        let (by_node, _) = self.group_by_leader(sought, ctx);
        // If anything is left after this round, the next one comes with new metadata.
        times.seen_metadata = Some(version);
        times.asked = by_node.len();
        if by_node.is_empty() {
            self.net.metadata.request_update();
        }
        for (node, asked) in by_node.into_values() {
            self.send_list_offsets(node, asked, ListFor::Times, ctx);
        }
    }

    pub(super) fn on_times_listed(&mut self, asked: &[Asked<i64>], answer: &ListOffsetsResponse) {
        let Some(Pending::Times(times)) = &mut self.pending else {
            return;
        };
        times.asked = times.asked.saturating_sub(1);
        for listed in &answer.partitions {
            let Some((_, partition, _)) = asked.iter().find(|(id, _, _)| *id == listed.partition) else {
                continue;
            };
            let found = match Found::of(listed) {
                Found::At(offset, timestamp, epoch) => Some((offset, timestamp, epoch)),
                Found::Nowhere => None,
                Found::Retry => continue,
                Found::Unauthorized => {
                    times.failed = Some(unauthorized(&[partition.topic.clone()].into()));
                    continue;
                }
            };
            times.left.remove(partition);
            times.found.insert(partition.clone(), found);
        }
        self.refresh_for_times();
    }

    pub(super) fn on_times_lost(&mut self, failure: &Failure) {
        if let Some(Pending::Times(times)) = &mut self.pending {
            times.asked = times.asked.saturating_sub(1);
            if !failure.retriable {
                times.failed = Some(failure.error.clone());
            }
        }
        self.refresh_for_times();
    }

    /// A round is over and something is left: metadata are asked for.
    fn refresh_for_times(&mut self) {
        if let Some(Pending::Times(times)) = &self.pending
            && times.asked == 0
            && !times.left.is_empty()
        {
            self.net.metadata.request_update();
        }
    }
}
