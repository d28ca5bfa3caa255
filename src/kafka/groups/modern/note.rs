//! What the coordinator reports of groups of the newer protocols.

use super::member::MemberState;
use super::rules;
use crate::kafka::groups::note::Departure;
use crate::kafka::protocol::ErrorCode;
use crate::kafka::rule::{Rule, Weight};
use crate::kafka::types::NamedPartition;
use std::rc::Rc;

/// An observation.
#[derive(Clone, Debug, Hash)]
pub enum ModernNote {
    Joined {
        member: Rc<str>,
        instance: Option<Rc<str>>,
    },
    Subscribed {
        member: Rc<str>,
    },
    /// `by_metadata`: because its topics changed, not its members.
    EpochBumped {
        epoch: i32,
        by_metadata: bool,
    },
    /// `moved`: members whose target is another one.
    TargetComputed {
        epoch: i32,
        assignor: Rc<str>,
        moved: usize,
    },
    /// A member's step towards its target.
    Reconciled {
        member: Rc<str>,
        before: i32,
        epoch: i32,
        state: MemberState,
        assigned: Rc<[NamedPartition]>,
        pending: Rc<[NamedPartition]>,
    },
    Left {
        member: Rc<str>,
        why: Departure,
    },
    /// A static member that will be back.
    StaticLeft {
        member: Rc<str>,
    },
    Refused {
        member: Rc<str>,
        error: ErrorCode,
    },
    RegexResolved {
        regex: Rc<str>,
        topics: usize,
    },
    /// From a classic group.
    Upgraded {
        members: usize,
    },
    /// To a classic group.
    Downgraded {
        members: usize,
    },
}

impl ModernNote {
    /// The rule behind it.
    pub fn rule(&self) -> &'static Rule {
        match self {
            ModernNote::Joined { .. } => &rules::JOINED,
            ModernNote::Subscribed { .. } | ModernNote::EpochBumped { .. } => &rules::EPOCH,
            ModernNote::TargetComputed { .. } => &rules::TARGET,
            ModernNote::Reconciled { .. } => &rules::RECONCILE,
            ModernNote::Left {
                why: Departure::SessionExpired { .. },
                ..
            } => &rules::SESSION,
            ModernNote::Left {
                why: Departure::Left | Departure::TakenOut,
                ..
            } => &rules::LEAVE,
            ModernNote::Left { why, .. } => why.rule(),
            ModernNote::StaticLeft { .. } => &rules::STATIC_LEAVE,
            ModernNote::Refused { .. } => &rules::REFUSED,
            ModernNote::RegexResolved { .. } => &rules::REGEX,
            ModernNote::Upgraded { .. } | ModernNote::Downgraded { .. } => &rules::MIGRATION,
        }
    }

    /// How loud it is.
    pub fn weight(&self) -> Weight {
        match self {
            ModernNote::Subscribed { .. } | ModernNote::RegexResolved { .. } => Weight::Detail,
            _ => Weight::Matters,
        }
    }

    /// One sentence for people.
    pub fn text(&self, group: &str) -> String {
        let rest = match self {
            ModernNote::Joined { member, instance: None } => format!("{member} joined"),
            ModernNote::Joined {
                member,
                instance: Some(instance),
            } => format!("{member} joined as static member {instance}"),
            ModernNote::Subscribed { member } => format!("{member} subscribes to other topics"),
            ModernNote::EpochBumped { epoch, by_metadata } => {
                let why = if *by_metadata { ": its topics changed" } else { "" };
                format!("group epoch {} -> {epoch}{why}", epoch.wrapping_sub(1))
            }
            ModernNote::TargetComputed { epoch, assignor, moved } => {
                format!("target assignment of epoch {epoch} computed by {assignor}, new for {moved} members")
            }
            ModernNote::Reconciled { .. } => self.reconciled(),
            ModernNote::Left { member, why } => format!("{member} {}", why.text()),
            ModernNote::StaticLeft { member } => {
                format!("static member {member} left for a while (epoch -2) and keeps its partitions")
            }
            ModernNote::Refused { member, error } => format!("heartbeat of {member} refused: {error}"),
            ModernNote::RegexResolved { regex, topics } => format!("pattern {regex} stands for {topics} topics"),
            ModernNote::Upgraded { members } => {
                format!("from the classic to the consumer protocol, with {members} classic members")
            }
            ModernNote::Downgraded { members } => {
                format!("from the consumer to the classic protocol, with {members} members")
            }
        };
        format!("Group {group}: {rest}")
    }

    fn reconciled(&self) -> String {
        let ModernNote::Reconciled {
            member,
            before,
            epoch,
            state,
            assigned,
            pending,
        } = self
        else {
            return String::new();
        };
        let list = |partitions: &[NamedPartition]| {
            let names: Vec<String> = partitions.iter().map(NamedPartition::to_string).collect();
            names.join(", ")
        };
        let epochs = match before == epoch {
            true => format!("member epoch {epoch}"),
            false => format!("member epoch {before} -> {epoch}"),
        };
        let revokes = match pending.is_empty() {
            true => String::new(),
            false => format!(", is to give up [{}]", list(pending)),
        };
        let waits = match state {
            MemberState::UnreleasedPartitions => ", waits for partitions that others still have",
            _ => "",
        };
        format!("{member} {epochs}: has [{}]{revokes}{waits}", list(assigned))
    }

    /// The settings that decided it.
    pub fn config(&self) -> Vec<(&'static str, String)> {
        let ModernNote::Left { why, .. } = self else {
            return Vec::new();
        };
        match why {
            Departure::SessionExpired { timeout_ms } => {
                vec![("group.consumer.session.timeout.ms", timeout_ms.to_string())]
            }
            other => {
                let key = |ms: i64| ("max.poll.interval.ms", ms.to_string());
                other.rebalance_ms().map(key).into_iter().collect()
            }
        }
    }
}
