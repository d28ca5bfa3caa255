//! What a broker has to have the share coordinator do for a group, and what is said if that cannot be asked for.

use crate::kafka::groups::effects::ReplyTo;
use crate::kafka::protocol::groups::DeleteGroupsResponse;
use crate::kafka::protocol::share::{
    AlterShareGroupOffsetsResponse, DeleteShareGroupOffsetsResponse, ShareState, ShareStateResult,
};
use crate::kafka::protocol::{Body, ErrorCode};
use crate::kafka::types::{NamedPartition, TopicPartition};
use std::rc::Rc;

/// A task for the share coordinator; its results go back to the group coordinator.
#[derive(Clone, Debug)]
pub enum ShareWork {
    /// Partitions that members subscribe to begin: their state is initialized.
    Initialize {
        group: Rc<str>,
        partitions: Vec<(TopicPartition, ShareState)>,
    },
    /// An operator sets start offsets.
    Alter {
        group: Rc<str>,
        to: ReplyTo,
        partitions: Vec<(TopicPartition, ShareState)>,
        /// What is answered if all goes well.
        answer: Vec<(NamedPartition, ErrorCode, Option<Rc<str>>)>,
    },
    /// An operator deletes the group.
    DeleteGroup {
        group: Rc<str>,
        to: ReplyTo,
        partitions: Vec<TopicPartition>,
    },
    /// An operator deletes the offsets of topics.
    DeleteOffsets {
        group: Rc<str>,
        to: ReplyTo,
        partitions: Vec<TopicPartition>,
        /// Topics that there is nothing to delete of.
        refused: Vec<(Rc<str>, ErrorCode, Option<Rc<str>>)>,
    },
}

impl ShareWork {
    pub fn group(&self) -> &Rc<str> {
        match self {
            ShareWork::Initialize { group, .. }
            | ShareWork::Alter { group, .. }
            | ShareWork::DeleteGroup { group, .. }
            | ShareWork::DeleteOffsets { group, .. } => group,
        }
    }

    /// Whom it is told to that nothing comes of it.
    pub fn refused(&self, error: ErrorCode) -> Option<(ReplyTo, Body)> {
        let message = Some(Rc::from(error.message()));
        match self {
            ShareWork::Initialize { .. } => None,
            ShareWork::Alter { to, .. } => Some((*to, altered(error, message, Vec::new()))),
            ShareWork::DeleteGroup { group, to, .. } => {
                let groups = vec![(group.clone(), error)];
                Some((*to, DeleteGroupsResponse { groups }.into()))
            }
            ShareWork::DeleteOffsets { to, .. } => Some((*to, offsets_deleted(error, message, Vec::new()))),
        }
    }

    /// What every partition gets if the share coordinator could not be asked at all.
    pub fn failed(partition: TopicPartition, error: ErrorCode, message: Option<Rc<str>>) -> ShareStateResult {
        ShareStateResult {
            partition,
            error,
            message,
            state: None,
        }
    }
}

pub(super) fn altered(
    error: ErrorCode,
    message: Option<Rc<str>>,
    partitions: Vec<(NamedPartition, ErrorCode, Option<Rc<str>>)>,
) -> Body {
    AlterShareGroupOffsetsResponse {
        error,
        message,
        partitions,
    }
    .into()
}

pub(super) fn offsets_deleted(
    error: ErrorCode,
    message: Option<Rc<str>>,
    topics: Vec<(Rc<str>, ErrorCode, Option<Rc<str>>)>,
) -> Body {
    DeleteShareGroupOffsetsResponse { error, message, topics }.into()
}
