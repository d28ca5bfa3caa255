//! A share session with one broker, as the client keeps it: what the broker knows is not said again.
//! [ShareSessionHandler]

use crate::kafka::protocol::ErrorCode;
use crate::kafka::protocol::share::{CLOSE_SESSION, OPEN_SESSION};
use crate::kafka::types::{NamedPartition, TopicPartition};
use crate::ordered::OrderedMap;

/// The session with a broker.
#[derive(Clone, Debug, Default)]
pub struct Session {
    epoch: i32,
    partitions: OrderedMap<NamedPartition, TopicPartition>,
}

impl Session {
    /// Nothing was sent, or the broker has dropped it.
    pub fn is_new(&self) -> bool {
        self.epoch == OPEN_SESSION
    }

    /// The epoch of the next request.
    pub fn epoch(&self) -> i32 {
        self.epoch
    }

    pub fn has(&self, partition: &NamedPartition) -> bool {
        self.partitions.contains_key(partition)
    }

    /// What a ShareFetch has to tell: partitions that are new, and those that are not read any more.
    pub fn tell(
        &mut self,
        wanted: OrderedMap<NamedPartition, TopicPartition>,
    ) -> (Vec<TopicPartition>, Vec<TopicPartition>) {
        if self.is_new() {
            self.partitions.extend(wanted);
            return (self.partitions.values().copied().collect(), Vec::new());
        }
        let added = wanted
            .iter()
            .filter(|(name, id)| self.partitions.get(*name) != Some(*id));
        let added = added.map(|(_, id)| *id).collect();
        let removed = self
            .partitions
            .iter()
            .filter(|(name, id)| wanted.get(*name) != Some(*id));
        let removed = removed.map(|(_, id)| *id).collect();
        self.partitions = wanted;
        (added, removed)
    }

    /// An answer came; false: it brings nothing. [handleResponse]
    pub fn answered(&mut self, error: ErrorCode) -> bool {
        let lost = matches!(
            error,
            ErrorCode::ShareSessionNotFound | ErrorCode::InvalidShareSessionEpoch | ErrorCode::ShareSessionLimitReached
        );
        self.epoch = match lost {
            true => OPEN_SESSION,
            false => self.epoch.checked_add(1).unwrap_or(1),
        };
        !error.is_error()
    }

    /// No answer came: the next request begins anew. [handleError]
    pub fn lost(&mut self) {
        self.epoch = OPEN_SESSION;
    }

    /// The next request is the last.
    pub fn close(&mut self) {
        self.epoch = CLOSE_SESSION;
    }
}
