//! What the controller reports to people.

/// A controller's observation.
#[derive(Clone, Debug, Hash)]
pub enum ControllerNote {}
