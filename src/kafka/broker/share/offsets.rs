//! DescribeShareGroupOffsets: where a share group stands, asked of the share coordinator, and how far behind it is, by the
//! ends of the logs. [GroupCoordinatorService.describeShareGroupOffsets, computeShareGroupLagAndBuildResponse]

use super::persister::Purpose;
use super::state_log::StateKind;
use crate::kafka::broker::requests::Asker;
use crate::kafka::broker::server::Server;
use crate::kafka::protocol::ErrorCode;
use crate::kafka::protocol::share::*;
use crate::kafka::types::{NamedPartition, TopicPartition};
use crate::kafka::wire::Ctx;
use std::rc::Rc;

fn unknown(partition: NamedPartition) -> DescribedShareOffset {
    DescribedShareOffset {
        partition,
        error: ErrorCode::None,
        message: None,
        start: NO_START,
        leader_epoch: 0,
        lag: -1,
    }
}

impl Server {
    pub(in crate::kafka::broker) fn describe_share_offsets(
        &mut self,
        asker: Asker,
        request: &Rc<DescribeShareGroupOffsetsRequest>,
        ctx: &mut Ctx,
    ) {
        let partitions = match &request.partitions {
            Some(named) => Ok(named.iter().filter_map(|partition| self.id_of(partition)).collect()),
            None => match self.groups.coordinator() {
                Some(groups) => groups.initialized_share_partitions(&request.group),
                None => Err(ErrorCode::CoordinatorNotAvailable),
            },
        };
        match partitions {
            Err(error) => {
                let body = DescribeShareGroupOffsetsResponse {
                    group: request.group.clone(),
                    error,
                    message: Some(error.message().into()),
                    offsets: Vec::new(),
                };
                self.reply(asker, body.into(), ctx);
            }
            Ok(partitions) => {
                let each = partitions
                    .into_iter()
                    .map(|partition| (partition, ShareState::unknown()));
                let purpose = Purpose::Summary(asker, request.clone());
                self.ask_share_state(&request.group, StateKind::Summary, each.collect(), purpose, ctx);
            }
        }
    }

    fn id_of(&self, named: &NamedPartition) -> Option<TopicPartition> {
        let topic = self.image().topic_by_name(&named.topic)?;
        Some(TopicPartition::new(topic.id, named.partition))
    }

    /// The starts are known: where something was read the end of the log is asked for.
    pub(super) fn share_starts_known(
        &mut self,
        asker: Asker,
        request: Rc<DescribeShareGroupOffsetsRequest>,
        starts: Vec<ShareStateResult>,
        ctx: &mut Ctx,
    ) {
        let begun: Vec<TopicPartition> = starts
            .iter()
            .filter(|result| has_lag(result))
            .map(|r| r.partition)
            .collect();
        let group = request.group.clone();
        self.ask_latest_offsets(&group, &begun, Purpose::Lag(asker, request, starts), ctx);
    }

    pub(super) fn share_ends_known(
        &mut self,
        asker: Asker,
        request: &DescribeShareGroupOffsetsRequest,
        starts: &[ShareStateResult],
        ends: &[ShareStateResult],
        ctx: &mut Ctx,
    ) {
        let mut offsets = Vec::new();
        for result in starts {
            let Some(topic) = self.image().name_of(result.partition.topic).cloned() else {
                continue;
            };
            let named = NamedPartition {
                topic,
                partition: result.partition.partition,
            };
            let end = ends.iter().find(|end| end.partition == result.partition);
            offsets.push(described(named, result, end));
        }
        for named in request.partitions.iter().flatten() {
            if !offsets.iter().any(|offset| offset.partition == *named) {
                offsets.push(unknown(named.clone()));
            }
        }
        let body = DescribeShareGroupOffsetsResponse {
            group: request.group.clone(),
            error: ErrorCode::None,
            message: None,
            offsets,
        };
        self.reply(asker, body.into(), ctx);
    }
}

/// [shouldComputeSharePartitionLag]
fn has_lag(result: &ShareStateResult) -> bool {
    let begun = |state: &ShareState| state.start != NO_START && state.completed != -1;
    !result.error.is_error() && result.state.as_ref().is_some_and(begun)
}

fn described(named: NamedPartition, result: &ShareStateResult, end: Option<&ShareStateResult>) -> DescribedShareOffset {
    let Some(state) = result.state.as_ref().filter(|_| !result.error.is_error()) else {
        return unknown(named);
    };
    let known = DescribedShareOffset {
        start: state.start,
        leader_epoch: state.leader_epoch,
        ..unknown(named)
    };
    if !has_lag(result) {
        return known;
    }
    match end {
        Some(end) if !end.error.is_error() => DescribedShareOffset {
            lag: end.state.as_ref().map_or(-1, |end| end.start) - state.start - state.completed,
            ..known
        },
        end => {
            let error = end.map_or(ErrorCode::UnknownServerError, |end| end.error);
            DescribedShareOffset {
                error,
                message: Some(error.message().into()),
                start: 0,
                ..known
            }
        }
    }
}
