//! A group of whichever protocol.

use super::classic::{CONSUMER, ClassicGroup, ClassicState};
use super::modern::{ModernGroup, ModernState};
use super::view::GroupType;
use std::fmt;
use std::rc::Rc;

/// Where a group stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GroupState {
    Classic(ClassicState),
    Modern(ModernState),
}

impl GroupState {
    /// As clients see it: `PreparingRebalance`, `Reconciling`.
    pub fn name(self) -> &'static str {
        match self {
            GroupState::Classic(state) => state.name(),
            GroupState::Modern(state) => state.name(),
        }
    }

    pub fn is_empty(self) -> bool {
        matches!(
            self,
            GroupState::Classic(ClassicState::Empty) | GroupState::Modern(ModernState::Empty)
        )
    }
}

impl fmt::Display for GroupState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A group; copies share it.
#[derive(Clone, Debug)]
pub(super) enum Group {
    Classic(Rc<ClassicGroup>),
    Modern(Rc<ModernGroup>),
}

impl Group {
    pub fn id(&self) -> &Rc<str> {
        match self {
            Group::Classic(group) => &group.id,
            Group::Modern(group) => &group.id,
        }
    }

    pub fn kind(&self) -> GroupType {
        match self {
            Group::Classic(_) => GroupType::Classic,
            Group::Modern(group) => group.kind,
        }
    }

    pub fn state(&self) -> GroupState {
        match self {
            Group::Classic(group) => GroupState::Classic(group.state()),
            Group::Modern(group) => GroupState::Modern(group.state()),
        }
    }

    pub fn classic(&self) -> Option<&Rc<ClassicGroup>> {
        match self {
            Group::Classic(group) => Some(group),
            Group::Modern(_) => None,
        }
    }

    pub fn modern(&self) -> Option<&Rc<ModernGroup>> {
        match self {
            Group::Modern(group) => Some(group),
            Group::Classic(_) => None,
        }
    }

    pub fn protocol_type(&self) -> Rc<str> {
        match self {
            Group::Classic(group) => group.protocol_type.clone().unwrap_or_default(),
            Group::Modern(group) if group.kind == GroupType::Share => "share".into(),
            Group::Modern(_) => CONSUMER.into(),
        }
    }

    /// May offsets of the topic not be deleted, nor expire?
    pub fn is_subscribed_to(&self, topic: &str) -> bool {
        match self {
            Group::Classic(group) => group.is_subscribed_to(topic),
            Group::Modern(group) => group.is_subscribed_to(topic),
        }
    }
}
