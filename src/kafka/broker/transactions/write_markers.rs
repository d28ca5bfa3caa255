//! The leader's end of markers: a control batch for each partition, answered when it is committed.
//! [KafkaApis.handleWriteTxnMarkersRequest]

use crate::kafka::broker::coordinator::OFFSETS_TOPIC;
use crate::kafka::broker::purgatory::{Delayed, DelayedProduce, Waiter};
use crate::kafka::broker::requests::Asker;
use crate::kafka::broker::server::Server;
use crate::kafka::log::append::LeaderAppend;
use crate::kafka::log::batch::{Batch, Control, Outcome};
use crate::kafka::log::producer_entry::Origin;
use crate::kafka::note::Note;
use crate::kafka::protocol::ErrorCode;
use crate::kafka::protocol::data::ProducedPartition;
use crate::kafka::protocol::transactions::{TxnMarker, WriteTxnMarkersRequest, WriteTxnMarkersResponse};
use crate::kafka::transactions::note::TxnNote;
use crate::kafka::types::{NamedPartition, TopicPartition};
use crate::kafka::wire::Ctx;
use crate::sim::Span;
use std::rc::Rc;

/// A request whose markers are appended.
#[derive(Clone, Debug)]
pub(super) struct MarkerWrite {
    asker: Asker,
    request: Rc<WriteTxnMarkersRequest>,
    /// By marker and partition, in the request's order.
    errors: Vec<Vec<ErrorCode>>,
    /// Where each that was appended stands in `errors`.
    places: Vec<(usize, usize)>,
}

impl Server {
    pub(in crate::kafka::broker) fn serve_write_markers(
        &mut self,
        asker: Asker,
        request: &Rc<WriteTxnMarkersRequest>,
        ctx: &mut Ctx,
    ) {
        let token = self.transactions.token();
        let mut write = MarkerWrite {
            asker,
            request: request.clone(),
            errors: Vec::new(),
            places: Vec::new(),
        };
        let (mut partitions, mut pending) = (Vec::new(), Vec::new());
        for (m, marker) in request.markers.iter().enumerate() {
            let mut errors = Vec::new();
            for (p, partition) in marker.partitions.iter().enumerate() {
                let written = self.write_marker(marker, partition, ctx);
                errors.push(written.err().unwrap_or(ErrorCode::None));
                if let Ok((place, offset)) = written {
                    write.places.push((m, p));
                    pending.push((partitions.len(), offset + 1));
                    partitions.push(produced(place, offset));
                }
            }
            write.errors.push(errors);
        }
        self.transactions.writes.insert(token, write);
        let watched = partitions.iter().map(|p| p.partition).collect();
        let delayed = Delayed::Produce(DelayedProduce {
            waiter: Waiter::Markers(token),
            partitions,
            pending,
        });
        let limit = Span::from_ms(self.setup.config.request_timeout_ms);
        self.wait_or_complete(delayed, watched, limit, ctx);
    }

    fn write_marker(
        &mut self,
        marker: &TxnMarker,
        partition: &NamedPartition,
        ctx: &mut Ctx,
    ) -> Result<(TopicPartition, i64), ErrorCode> {
        let topic = self.image().ids.get(&partition.topic).copied();
        let topic = topic.ok_or(ErrorCode::UnknownTopicOrPartition)?;
        let place = TopicPartition::new(topic, partition.partition);
        let of_groups = &*partition.topic == OFFSETS_TOPIC;
        if of_groups && !self.coordinates_groups_of(partition.partition) {
            return Err(ErrorCode::NotLeaderOrFollower);
        }
        let Some(replica) = self.replicas.get(&place) else {
            return Err(self.unknown_by_name(place));
        };
        let outcome = match marker.committed {
            true => Outcome::Commit,
            false => Outcome::Abort,
        };
        let control = Control {
            outcome,
            coordinator_epoch: marker.coordinator_epoch,
        };
        let wall = self.clock.wall;
        let batch = Batch::marker(0, wall, marker.producer_id, marker.producer_epoch, control);
        let how = LeaderAppend {
            origin: Origin::Coordinator,
            leader_epoch: replica.partition.leader_epoch(),
            now: wall,
            guard: None,
            transaction_version: marker.transaction_version,
        };
        let appended = self
            .append_local(place, batch, how, -1, ctx)
            .map_err(|error| error.code)?;
        let offset = appended.last_offset;
        ctx.note(Note::Txn(TxnNote::MarkerWritten {
            partition: place,
            producer_id: marker.producer_id,
            epoch: marker.producer_epoch,
            commit: marker.committed,
            offset,
        }));
        if of_groups {
            self.group_marker_written(place, marker.producer_id, outcome, offset, ctx);
        }
        Ok((place, offset))
    }

    /// The markers of a request are committed, or their time is over.
    pub(in crate::kafka::broker) fn markers_appended(&mut self, token: u64, partitions: &[ProducedPartition]) {
        if let Some(write) = self.transactions.writes.get_mut(&token) {
            for ((m, p), produced) in write.places.iter().zip(partitions) {
                if let Some(error) = write.errors.get_mut(*m).and_then(|errors| errors.get_mut(*p)) {
                    *error = produced.error;
                }
            }
        }
        self.transactions.done.push_back((token, ErrorCode::None));
    }

    pub(super) fn marker_write_done(&mut self, token: u64, ctx: &mut Ctx) {
        let Some(write) = self.transactions.writes.remove(&token) else {
            return;
        };
        let results = write.request.markers.iter().zip(write.errors).map(|(marker, errors)| {
            let each = marker.partitions.iter().cloned().zip(errors).collect();
            (marker.producer_id, each)
        });
        let markers = results.collect();
        self.reply(write.asker, WriteTxnMarkersResponse { markers }.into(), ctx);
    }
}

fn produced(partition: TopicPartition, offset: i64) -> ProducedPartition {
    ProducedPartition {
        partition,
        error: ErrorCode::None,
        message: None,
        record_errors: Vec::new(),
        base_offset: offset,
        log_append_time: -1,
        log_start_offset: -1,
        current_leader: None,
    }
}
