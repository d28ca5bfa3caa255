//! What the group coordinator reports to people.

/// A coordinator's observation.
#[derive(Clone, Debug, Hash)]
pub enum GroupNote {}
