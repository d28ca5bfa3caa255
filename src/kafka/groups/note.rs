//! What the group coordinator reports to people: each note with the rule that it follows.

use super::classic::ClassicState;
pub use super::modern::note::ModernNote;
use super::modern::rules as modern;
use super::rules;
use crate::kafka::protocol::ErrorCode;
use crate::kafka::rule::{Names, Rule, Weight};
use crate::kafka::types::NamedPartition;
use std::rc::Rc;

/// A coordinator's observation.
#[derive(Clone, Debug, Hash)]
pub enum GroupNote {
    /// It is the coordinator of the groups of this partition of `__consumer_offsets` now.
    Loaded {
        partition: i32,
        epoch: i32,
        groups: usize,
        offsets: usize,
    },
    /// It is not any more.
    Unloaded {
        partition: i32,
        groups: usize,
    },
    /// `simple`: by a commit, without members.
    Created {
        group: Rc<str>,
        simple: bool,
    },
    Deleted {
        group: Rc<str>,
        expired: bool,
    },
    MemberIdGiven {
        group: Rc<str>,
        member: Rc<str>,
    },
    MemberJoined {
        group: Rc<str>,
        member: Rc<str>,
        instance: Option<Rc<str>>,
    },
    JoinRefused {
        group: Rc<str>,
        member: Rc<str>,
        error: ErrorCode,
    },
    MemberRemoved {
        group: Rc<str>,
        member: Rc<str>,
        why: Departure,
    },
    StaticReplaced {
        group: Rc<str>,
        instance: Rc<str>,
        old: Rc<str>,
        new: Rc<str>,
    },
    /// `generation` is the one that ends; `initial_delay_ms` for a group that was empty.
    RebalanceStarted {
        group: Rc<str>,
        generation: i32,
        reason: Reason,
        initial_delay_ms: Option<i64>,
    },
    GenerationBegan {
        group: Rc<str>,
        generation: i32,
        protocol: Option<Rc<str>>,
        leader: Option<Rc<str>>,
        members: usize,
    },
    AssignmentStored {
        group: Rc<str>,
        generation: i32,
    },
    StateChanged {
        group: Rc<str>,
        from: ClassicState,
        to: ClassicState,
    },
    CommitRefused {
        group: Rc<str>,
        member: Rc<str>,
        error: ErrorCode,
    },
    OffsetsGone {
        group: Rc<str>,
        partitions: Rc<[NamedPartition]>,
        why: OffsetsGone,
    },
    /// A write was not covered by the high watermark in time.
    WriteTimedOut {
        partition: i32,
        timeout_ms: i64,
    },
    AppendFailed {
        partition: i32,
        error: ErrorCode,
    },
    /// Of a consumer or share group.
    Modern {
        group: Rc<str>,
        note: ModernNote,
    },
}

/// Why a member is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Departure {
    Left,
    /// An operator removed a static member.
    TakenOut,
    SessionExpired {
        timeout_ms: i32,
    },
    /// Another holder of its `group.instance.id` took its place.
    Replaced,
    /// It got a member id and did not join with it.
    NeverCameBack,
    /// It did not say in time that it gave up what it had to.
    DidNotRevoke {
        timeout_ms: i32,
    },
    DidNotRejoin {
        timeout_ms: i32,
    },
    DidNotSync {
        timeout_ms: i32,
    },
}

/// Why a rebalance began; with the member behind it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    MemberAdded(Rc<str>),
    MemberRejoined(Rc<str>),
    MemberChanged(Rc<str>),
    LeaderRejoined(Rc<str>),
    MemberLeft(Rc<str>),
    SessionExpired(Rc<str>),
    SyncMissed(Rc<str>),
    StaticReplaced(Rc<str>),
    ProtocolChanges(Rc<str>),
    AssignmentNotStored(ErrorCode),
    OverCapacity {
        members: usize,
    },
    /// The last member of the new protocol left: the group is a classic one again.
    Downgraded(Rc<str>),
}

/// Why committed offsets are gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OffsetsGone {
    TopicDeleted,
    Expired {
        retention_ms: i64,
    },
    /// An operator deleted them.
    Deleted,
}

impl GroupNote {
    /// The rule behind it.
    pub fn rule(&self) -> Option<&'static Rule> {
        Some(match self {
            GroupNote::Loaded { .. } => &rules::LOAD,
            GroupNote::Unloaded { .. } => &rules::UNLOAD,
            GroupNote::Created { .. } => &rules::CREATED,
            GroupNote::Deleted { expired: true, .. } => &rules::EXPIRY,
            GroupNote::Deleted { .. } => &rules::DELETED,
            GroupNote::MemberIdGiven { .. } => &rules::MEMBER_ID,
            GroupNote::MemberJoined { .. } => &rules::JOIN_REBALANCES,
            GroupNote::JoinRefused { .. } => &rules::JOIN_REFUSED,
            GroupNote::MemberRemoved { why, .. } => why.rule(),
            GroupNote::StaticReplaced { .. } => &rules::STATIC,
            GroupNote::RebalanceStarted {
                initial_delay_ms: Some(_),
                ..
            } => &rules::INITIAL_DELAY,
            GroupNote::RebalanceStarted { reason, .. } => reason.rule(),
            GroupNote::GenerationBegan { .. } => &rules::GENERATION,
            GroupNote::AssignmentStored { .. } => &rules::ASSIGNMENT,
            GroupNote::StateChanged { .. } => return None,
            GroupNote::CommitRefused { .. } => &rules::COMMIT_CHECK,
            GroupNote::OffsetsGone { why, .. } => match why {
                OffsetsGone::TopicDeleted => &rules::TOPIC_DELETED,
                OffsetsGone::Expired { .. } => &rules::EXPIRY,
                OffsetsGone::Deleted => &rules::DELETED,
            },
            GroupNote::WriteTimedOut { .. } => &rules::COMMITTED_BEFORE_ANSWERED,
            GroupNote::AppendFailed { .. } => &rules::APPEND_FAILED,
            GroupNote::Modern { note, .. } => note.rule(),
        })
    }

    /// How loud it is.
    pub fn weight(&self) -> Weight {
        match self {
            GroupNote::MemberIdGiven { .. } | GroupNote::StateChanged { .. } | GroupNote::Created { .. } => {
                Weight::Detail
            }
            GroupNote::WriteTimedOut { .. } | GroupNote::AppendFailed { .. } => Weight::Alarm,
            GroupNote::Modern { note, .. } => note.weight(),
            _ => Weight::Matters,
        }
    }

    /// One sentence for people.
    pub fn text(&self, _names: &dyn Names) -> String {
        match self {
            GroupNote::Loaded {
                partition,
                epoch,
                groups,
                offsets,
            } => format!(
                "Coordinator of __consumer_offsets-{partition} in leader epoch {epoch}: loaded {groups} groups, {offsets} offsets"
            ),
            GroupNote::Unloaded { partition, groups } => {
                format!("No longer coordinator of __consumer_offsets-{partition}: {groups} groups unloaded")
            }
            GroupNote::Created { group, simple: true } => format!("Group {group} created by a commit, without members"),
            GroupNote::Created { group, .. } => format!("Group {group} created"),
            GroupNote::Deleted { group, expired: true } => {
                format!("Group {group} is empty and has no offsets left: deleted")
            }
            GroupNote::Deleted { group, .. } => format!("Group {group} deleted"),
            GroupNote::MemberIdGiven { group, member } => {
                format!("Group {group}: {member} has its member id and is to join with it")
            }
            GroupNote::MemberJoined {
                group,
                member,
                instance: None,
            } => format!("Group {group}: {member} joined"),
            GroupNote::MemberJoined {
                group,
                member,
                instance: Some(instance),
            } => {
                format!("Group {group}: {member} joined as static member {instance}")
            }
            GroupNote::JoinRefused { group, member, error } => {
                format!("Group {group}: JoinGroup of {} refused: {error}", known(member))
            }
            GroupNote::MemberRemoved { group, member, why } => format!("Group {group}: {member} {}", why.text()),
            GroupNote::StaticReplaced {
                group,
                instance,
                old,
                new,
            } => {
                format!("Group {group}: {new} takes the seat of static member {instance}, {old} is fenced")
            }
            GroupNote::RebalanceStarted {
                group,
                generation,
                reason,
                ..
            } => {
                format!(
                    "Group {group} rebalances after generation {generation}: {}",
                    reason.text()
                )
            }
            GroupNote::GenerationBegan {
                group,
                generation,
                members: 0,
                ..
            } => format!("Group {group}, generation {generation}: nobody is left"),
            GroupNote::GenerationBegan {
                group,
                generation,
                protocol,
                leader,
                members,
            } => format!(
                "Group {group}, generation {generation}: {members} members, {} leads and assigns by {}",
                leader.as_deref().unwrap_or("nobody"),
                protocol.as_deref().unwrap_or("no protocol")
            ),
            GroupNote::AssignmentStored { group, generation } => {
                format!("Group {group}, generation {generation}: assignment stored and handed out")
            }
            GroupNote::StateChanged { group, from, to } => format!("Group {group}: {from} -> {to}"),
            GroupNote::CommitRefused { group, member, error } => {
                format!("Group {group}: commit of {} refused: {error}", known(member))
            }
            GroupNote::OffsetsGone { group, partitions, why } => {
                let names: Vec<String> = partitions.iter().map(NamedPartition::to_string).collect();
                format!("Group {group}: offsets of {} {}", names.join(", "), why.text())
            }
            GroupNote::WriteTimedOut { partition, timeout_ms } => {
                format!(
                    "__consumer_offsets-{partition}: the high watermark did not cover a write within {timeout_ms} ms"
                )
            }
            GroupNote::AppendFailed { partition, error } => {
                format!("__consumer_offsets-{partition}: a write failed: {error}")
            }
            GroupNote::Modern { group, note } => note.text(group),
        }
    }

    /// The settings that decided it.
    pub fn config(&self) -> Vec<(&'static str, String)> {
        let one = |key, value: i64| vec![(key, value.to_string())];
        match self {
            GroupNote::MemberRemoved { why, .. } => match why {
                Departure::SessionExpired { timeout_ms } => one("session.timeout.ms", i64::from(*timeout_ms)),
                other => other
                    .rebalance_ms()
                    .map_or_else(Vec::new, |ms| one("max.poll.interval.ms", ms)),
            },
            GroupNote::Modern { note, .. } => note.config(),
            GroupNote::RebalanceStarted {
                initial_delay_ms: Some(delay),
                ..
            } => one("group.initial.rebalance.delay.ms", *delay),
            GroupNote::OffsetsGone {
                why: OffsetsGone::Expired { retention_ms },
                ..
            } => one("offsets.retention.minutes", retention_ms / 60_000),
            GroupNote::WriteTimedOut { timeout_ms, .. } => one("offsets.commit.timeout.ms", *timeout_ms),
            _ => Vec::new(),
        }
    }
}

/// A member id, or who has none.
fn known(member: &str) -> &str {
    match member {
        "" => "somebody without member id",
        member => member,
    }
}

impl Departure {
    /// The rebalance time-out that is behind it, ms.
    pub(super) fn rebalance_ms(self) -> Option<i64> {
        match self {
            Departure::DidNotRejoin { timeout_ms }
            | Departure::DidNotSync { timeout_ms }
            | Departure::DidNotRevoke { timeout_ms } => Some(i64::from(timeout_ms)),
            _ => None,
        }
    }

    pub(super) fn rule(self) -> &'static Rule {
        match self {
            Departure::Left | Departure::TakenOut => &rules::LEAVE_REBALANCES,
            Departure::SessionExpired { .. } => &rules::SESSION,
            Departure::Replaced => &rules::STATIC,
            Departure::NeverCameBack => &rules::MEMBER_ID,
            Departure::DidNotRevoke { .. } => &modern::REVOKE_TIMEOUT,
            Departure::DidNotRejoin { .. } => &rules::REBALANCE_TIMEOUT,
            Departure::DidNotSync { .. } => &rules::SYNC_TIMEOUT,
        }
    }

    pub(super) fn text(self) -> String {
        match self {
            Departure::Left => "left".into(),
            Departure::TakenOut => "was removed by an operator".into(),
            Departure::SessionExpired { timeout_ms } => format!("was not heard of for {timeout_ms} ms: removed"),
            Departure::Replaced => "lost its place to another holder of its group.instance.id".into(),
            Departure::DidNotRevoke { timeout_ms } => {
                format!("did not give up its partitions within {timeout_ms} ms: removed")
            }
            Departure::NeverCameBack => "did not join with its member id: forgotten".into(),
            Departure::DidNotRejoin { timeout_ms } => format!("did not rejoin within {timeout_ms} ms: removed"),
            Departure::DidNotSync { timeout_ms } => format!("sent no SyncGroup within {timeout_ms} ms: removed"),
        }
    }
}

impl Reason {
    fn rule(&self) -> &'static Rule {
        match self {
            Reason::MemberAdded(_) => &rules::JOIN_REBALANCES,
            Reason::MemberRejoined(_) | Reason::MemberChanged(_) | Reason::LeaderRejoined(_) => {
                &rules::REJOIN_REBALANCES
            }
            Reason::MemberLeft(_) => &rules::LEAVE_REBALANCES,
            Reason::SessionExpired(_) => &rules::SESSION,
            Reason::SyncMissed(_) => &rules::SYNC_TIMEOUT,
            Reason::StaticReplaced(_) | Reason::ProtocolChanges(_) => &rules::STATIC,
            Reason::AssignmentNotStored(_) => &rules::ASSIGNMENT,
            Reason::OverCapacity { .. } => &rules::JOIN_REFUSED,
            Reason::Downgraded(_) => &modern::MIGRATION,
        }
    }

    fn text(&self) -> String {
        match self {
            Reason::MemberAdded(member) => format!("{member} is new"),
            Reason::MemberRejoined(member) => format!("{member} joins again"),
            Reason::MemberChanged(member) => format!("{member} joins again with other metadata"),
            Reason::LeaderRejoined(member) => format!("{member}, the leader, joins again"),
            Reason::MemberLeft(member) => format!("{member} left"),
            Reason::SessionExpired(member) => format!("the session of {member} is over"),
            Reason::SyncMissed(member) => format!("no SyncGroup came from {member}"),
            Reason::StaticReplaced(member) => format!("{member} took a static member's seat while the leader assigns"),
            Reason::ProtocolChanges(member) => format!("with {member} another protocol is chosen"),
            Reason::AssignmentNotStored(error) => format!("the assignment could not be stored: {error}"),
            Reason::Downgraded(member) => format!("{member}, the last member of the consumer protocol, is gone"),
            Reason::OverCapacity { members } => format!("its {members} members are more than group.max.size"),
        }
    }
}

impl OffsetsGone {
    fn text(self) -> &'static str {
        match self {
            OffsetsGone::TopicDeleted => "are gone with the topic",
            OffsetsGone::Expired { .. } => "expired",
            OffsetsGone::Deleted => "were deleted",
        }
    }
}
