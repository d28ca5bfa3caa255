//! One assigned partition as its consumer keeps it: where it stands, whether that may be fetched from, what is known of
//! the log's ends. [SubscriptionState.TopicPartitionState]

use crate::kafka::client::network::node_text;
use crate::kafka::config::consumer::OffsetReset;
use crate::kafka::protocol::data::{BrokerNode, EARLIEST_TIMESTAMP, LATEST_TIMESTAMP};
use crate::kafka::types::NodeId;
use crate::sim::Time;
use std::fmt;

/// Leader and epoch as metadata had them. [Metadata.LeaderAndEpoch]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownLeader {
    pub leader: Option<BrokerNode>,
    pub epoch: Option<i32>,
}

impl fmt::Display for KnownLeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LeaderAndEpoch{leader=")?;
        match &self.leader {
            Some(node) => write!(f, "Optional[{}]", node_text(node))?,
            None => f.write_str("Optional.empty")?,
        }
        match self.epoch {
            Some(epoch) => write!(f, ", epoch={epoch}}}"),
            None => f.write_str(", epoch=absent}"),
        }
    }
}

/// The next offset to be read. [SubscriptionState.FetchPosition]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchPosition {
    pub offset: i64,
    /// Leader epoch of the record before it, if known.
    pub offset_epoch: Option<i32>,
    pub leader: KnownLeader,
}

impl fmt::Display for FetchPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FetchPosition{{offset={}, offsetEpoch=", self.offset)?;
        match self.offset_epoch {
            Some(epoch) => write!(f, "Optional[{epoch}]")?,
            None => f.write_str("Optional.empty")?,
        }
        write!(f, ", currentLeader={}}}", self.leader)
    }
}

/// Where a reset goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetTo {
    Earliest,
    Latest,
    /// The first record not older than so many milliseconds.
    Duration(i64),
}

impl ResetTo {
    /// What `auto.offset.reset` says; `None` for `none`.
    pub fn of(policy: OffsetReset) -> Option<ResetTo> {
        match policy {
            OffsetReset::Earliest => Some(ResetTo::Earliest),
            OffsetReset::Latest => Some(ResetTo::Latest),
            OffsetReset::ByDuration(ms) => Some(ResetTo::Duration(ms)),
            OffsetReset::None => None,
        }
    }

    /// The timestamp that ListOffsets is asked for.
    pub fn timestamp(self, wall_ms: i64) -> i64 {
        match self {
            ResetTo::Earliest => EARLIEST_TIMESTAMP,
            ResetTo::Latest => LATEST_TIMESTAMP,
            ResetTo::Duration(ms) => wall_ms.saturating_sub(ms).max(0),
        }
    }
}

impl fmt::Display for ResetTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ResetTo::Earliest => f.write_str("earliest"),
            ResetTo::Latest => f.write_str("latest"),
            ResetTo::Duration(_) => f.write_str("by_duration"),
        }
    }
}

/// How far a partition is from being fetched. [SubscriptionState.FetchStates]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchState {
    /// The committed offset is to be asked for.
    Initializing,
    /// Its position is good.
    Fetching,
    /// ListOffsets is to be asked.
    AwaitReset(ResetTo),
    /// OffsetsForLeaderEpoch is to be asked.
    AwaitValidation,
}

/// An assigned partition.
#[derive(Clone, Debug)]
pub struct PartitionState {
    pub state: FetchState,
    pub position: Option<FetchPosition>,
    pub paused: bool,
    /// The member is about to give it up.
    pub pending_revocation: bool,
    pub high_watermark: Option<i64>,
    pub log_start: Option<i64>,
    pub last_stable: Option<i64>,
    /// No reset or validation is sent before.
    pub retry_at: Time,
    /// Another replica to fetch from, and until when (KIP-392).
    pub preferred: Option<(NodeId, Time)>,
    /// Lower ones are asked for first.
    pub turn: u64,
    /// After an error no fetch before this time, or before newer metadata than this.
    pub held: Option<(Time, u32)>,
}

impl PartitionState {
    pub fn new(turn: u64) -> PartitionState {
        PartitionState {
            state: FetchState::Initializing,
            position: None,
            paused: false,
            pending_revocation: false,
            high_watermark: None,
            log_start: None,
            last_stable: None,
            retry_at: Time::ZERO,
            preferred: None,
            turn,
            held: None,
        }
    }

    pub fn has_valid_position(&self) -> bool {
        self.state == FetchState::Fetching
    }

    /// May records of it be handed out, and more be asked for?
    pub fn is_fetchable(&self) -> bool {
        !self.paused && !self.pending_revocation && self.has_valid_position()
    }

    pub fn should_initialize(&self) -> bool {
        self.state == FetchState::Initializing && !self.pending_revocation
    }

    /// The reset that it waits for.
    pub fn reset_to(&self) -> Option<ResetTo> {
        match self.state {
            FetchState::AwaitReset(to) => Some(to),
            _ => None,
        }
    }

    pub fn reset(&mut self, to: ResetTo) {
        self.state = FetchState::AwaitReset(to);
        self.position = None;
        self.retry_at = Time::ZERO;
    }

    pub fn seek_validated(&mut self, position: FetchPosition) {
        self.state = FetchState::Fetching;
        self.position = Some(position);
        self.retry_at = Time::ZERO;
        self.held = None;
    }

    /// Takes a position; one with an epoch has to be validated first.
    pub fn seek_unvalidated(&mut self, position: FetchPosition) {
        self.seek_validated(position.clone());
        self.validate(position);
    }

    fn validate(&mut self, position: FetchPosition) {
        let checkable = position.offset_epoch.is_some() && position.leader.epoch.is_some();
        self.state = match checkable {
            true => FetchState::AwaitValidation,
            false => FetchState::Fetching,
        };
        self.position = Some(position);
        self.retry_at = Time::ZERO;
    }

    /// Metadata name a leader: a position that another one gave is validated.
    pub fn maybe_validate(&mut self, leader: KnownLeader) {
        if self.reset_to().is_some() || leader.leader.is_none() {
            return;
        }
        if let Some(position) = &self.position
            && position.leader != leader
        {
            let (offset, offset_epoch) = (position.offset, position.offset_epoch);
            self.validate(FetchPosition {
                offset,
                offset_epoch,
                leader,
            });
            self.preferred = None;
            self.held = None;
        }
    }

    pub fn complete_validation(&mut self) {
        if self.position.is_some() {
            self.state = FetchState::Fetching;
            self.retry_at = Time::ZERO;
        }
    }

    /// records-lag: from the position to the end as the last fetch had it.
    pub fn lag(&self, read_committed: bool) -> Option<i64> {
        let end = if read_committed {
            self.last_stable
        } else {
            self.high_watermark
        };
        Some(end? - self.position.as_ref()?.offset)
    }

    /// records-lead: from the log's start to the position.
    pub fn lead(&self) -> Option<i64> {
        Some(self.position.as_ref()?.offset - self.log_start?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node() -> BrokerNode {
        BrokerNode {
            id: 1,
            host: "10.77.0.1".into(),
            port: 9092,
            rack: None,
        }
    }

    fn position(epoch: Option<i32>) -> FetchPosition {
        FetchPosition {
            offset: 9,
            offset_epoch: epoch,
            leader: KnownLeader {
                leader: Some(node()),
                epoch: Some(0),
            },
        }
    }

    #[test]
    fn prints_as_java_does() {
        assert_eq!(
            position(None).to_string(),
            "FetchPosition{offset=9, offsetEpoch=Optional.empty, currentLeader=LeaderAndEpoch{leader=Optional[10.77.0.1:9092 (id: 1 rack: null isFenced: false)], epoch=0}}"
        );
        let unknown = FetchPosition {
            leader: KnownLeader::default(),
            ..position(Some(3))
        };
        assert_eq!(
            unknown.to_string(),
            "FetchPosition{offset=9, offsetEpoch=Optional[3], currentLeader=LeaderAndEpoch{leader=Optional.empty, epoch=absent}}"
        );
    }

    #[test]
    fn only_a_position_with_an_epoch_is_validated() {
        let mut state = PartitionState::new(0);
        state.seek_unvalidated(position(None));
        assert!(state.is_fetchable());
        let next = KnownLeader {
            leader: Some(node()),
            epoch: Some(1),
        };
        state.maybe_validate(next.clone());
        assert!(state.is_fetchable());
        state.seek_unvalidated(position(Some(0)));
        assert_eq!(state.state, FetchState::AwaitValidation);
        state.complete_validation();
        state.maybe_validate(next);
        assert_eq!(state.state, FetchState::AwaitValidation);
        state.reset(ResetTo::Latest);
        state.maybe_validate(KnownLeader::default());
        assert_eq!(state.reset_to(), Some(ResetTo::Latest));
        assert_eq!(state.position, None);
    }
}
