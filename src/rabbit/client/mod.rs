//! Clients of the broker, as processes: publishers, subscribers, and one that only relays.

pub mod link;
pub mod publisher;
pub mod relay;
pub mod subscriber;
#[cfg(test)]
mod tests;

/// What a timer of a publisher or subscriber says.
#[derive(Clone, Copy, Debug)]
pub enum ClientTimer {
    /// It tries to connect again.
    Reconnect,
    /// It tells the broker that it lives, and listens whether the broker does.
    Heartbeat,
    /// The message in hand is done.
    Worked,
}
