//! Asking for committed offsets. [ConsumerCoordinator.fetchCommittedOffsets]

use super::membership::Generation;
use super::outbox::{Failure, Purpose};
use super::process::Consumer;
use super::rules;
use crate::kafka::client::call::ClientError;
use crate::kafka::protocol::ErrorCode;
use crate::kafka::protocol::groups::{CommittedOffset, OffsetFetchRequest, OffsetFetchResponse};
use crate::kafka::rule::Weight;
use crate::kafka::types::NamedPartition;
use crate::kafka::wire::Ctx;
use crate::ordered::{OrderedMap, OrderedSet};
use crate::sim::{Span, Time};
use std::rc::Rc;

/// Committed offsets; `None`: nothing was committed.
pub type Answered = OrderedMap<NamedPartition, Option<CommittedOffset>>;

/// The question for committed offsets that is under way. [ConsumerCoordinator.PendingCommittedOffsetRequest]
#[derive(Clone, Debug, Default)]
pub struct Question {
    number: u32,
    asked: Option<(OrderedSet<NamedPartition>, Option<Generation>)>,
    answer: Option<Result<Answered, Failure>>,
    /// It may be asked again then.
    pub after: Time,
}

impl Consumer {
    /// Committed offsets of partitions (`None`: not known yet). [ConsumerCoordinator.fetchCommittedOffsets]
    ///
    /// # Errors
    /// What the question ended in.
    pub(super) fn fetch_committed(
        &mut self,
        partitions: &OrderedSet<NamedPartition>,
        ctx: &mut Ctx,
    ) -> Result<Option<Answered>, ClientError> {
        let generation = self
            .coordinator
            .as_ref()
            .and_then(|coordinator| coordinator.stable_generation())
            .cloned();
        let question = &mut self.commits.question;
        let same =
            |asked: &(OrderedSet<NamedPartition>, Option<Generation>)| asked.0 == *partitions && asked.1 == generation;
        if question.asked.as_ref().is_some_and(|asked| !same(asked)) {
            *question = Question {
                number: question.number,
                ..Question::default()
            };
        }
        if question.asked.is_some() {
            let Some(answer) = question.answer.take() else {
                return Ok(None);
            };
            question.asked = None;
            match answer {
                Ok(offsets) => return Ok(Some(offsets)),
                Err(failure) if !failure.retriable => return Err(failure.error),
                Err(_) => question.after = ctx.now() + Span::from_ms(self.config.retry_backoff_ms),
            }
        }
        if self.commits.question.after > ctx.now() || !self.ensure_coordinator(ctx)? {
            return Ok(None);
        }
        let Some((node, group)) = self
            .coordinator
            .as_ref()
            .and_then(|c| Some((c.node.clone()?, c.group.clone())))
        else {
            return Ok(None);
        };
        let question = &mut self.commits.question;
        question.number += 1;
        question.asked = Some((partitions.clone(), generation));
        let request = OffsetFetchRequest {
            group,
            member: self
                .modern
                .as_ref()
                .and_then(|m| Some((m.member_id.clone(), m.commit_epoch?))),
            partitions: Some(partitions.iter().cloned().collect()),
            require_stable: true,
        };
        let timeout = self.config.request_timeout_ms;
        let purpose = Purpose::Committed(question.number);
        self.outbox.push(node, request.into(), timeout, purpose, ctx.now());
        Ok(None)
    }

    /// [ConsumerCoordinator.OffsetFetchResponseHandler]
    pub(super) fn on_committed_told(&mut self, number: u32, answer: &OffsetFetchResponse, ctx: &mut Ctx) {
        let result = self.committed_in(answer, ctx);
        if let Ok(offsets) = &result {
            let known = Rc::make_mut(&mut self.commits.known);
            for (partition, offset) in offsets {
                match offset {
                    Some(offset) => known.insert(partition.clone(), offset.offset),
                    None => known.remove(partition),
                };
            }
        }
        self.end_question(number, result);
    }

    /// The question is answered, or it failed.
    pub(super) fn end_question(&mut self, number: u32, result: Result<Answered, Failure>) {
        let question = &mut self.commits.question;
        if question.number == number && question.asked.is_some() {
            question.answer = Some(result);
        }
    }

    fn committed_in(&mut self, answer: &OffsetFetchResponse, ctx: &mut Ctx) -> Result<Answered, Failure> {
        match answer.error {
            ErrorCode::None => {}
            ErrorCode::CoordinatorNotAvailable | ErrorCode::NotCoordinator => {
                self.coordinator_refused(answer.error, ctx);
                return Err(Failure::of(answer.error));
            }
            ErrorCode::GroupAuthorizationFailed => {
                let text = format!(
                    "Not authorized to access group: {}",
                    self.group().unwrap_or_else(|| "".into())
                );
                return Err(Failure::fatal("GroupAuthorizationException", &text));
            }
            error if error.retriable() => return Err(Failure::of(error)),
            ErrorCode::StaleMemberEpoch | ErrorCode::UnknownMemberId if self.modern.is_some() => {
                let member = self.modern.as_ref().is_some_and(|m| m.commit_epoch.is_some());
                return Err(Failure {
                    retriable: member && answer.error == ErrorCode::StaleMemberEpoch,
                    ..Failure::of(answer.error)
                });
            }
            error => {
                let text = format!("Unexpected error in fetch offset response: {}", error.message());
                return Err(Failure::fatal("KafkaException", &text));
            }
        }
        let mut offsets = OrderedMap::new();
        let (mut refused, mut unstable) = (OrderedSet::new(), false);
        for (partition, committed, error) in &answer.partitions {
            match error {
                ErrorCode::None if committed.offset >= 0 => {
                    offsets.insert(partition.clone(), Some(committed.clone()));
                }
                ErrorCode::None => {
                    let text = format!("Found no committed offset for partition {partition}");
                    self.log(self.commit_logger().info(text), Weight::Detail, &rules::POSITION, ctx);
                    offsets.insert(partition.clone(), None);
                }
                ErrorCode::UnknownTopicOrPartition => {
                    let text = format!("Topic or Partition {partition} does not exist");
                    return Err(Failure::fatal("KafkaException", &text));
                }
                ErrorCode::TopicAuthorizationFailed => {
                    refused.insert(partition.topic.clone());
                }
                ErrorCode::UnstableOffsetCommit => unstable = true,
                error => {
                    let text = format!(
                        "Unexpected error in fetch offset response for partition {partition}: {}",
                        error.message()
                    );
                    return Err(Failure::fatal("KafkaException", &text));
                }
            }
        }
        if !refused.is_empty() {
            return Err(Failure {
                error: super::positions::unauthorized(&refused),
                retriable: false,
            });
        }
        if unstable {
            let text = "There are unstable offsets for the requested topic partitions";
            return Err(Failure::retriable("UnstableOffsetCommitException", text));
        }
        Ok(offsets)
    }
}
