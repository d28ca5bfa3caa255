//! What the server answers a method that it refuses: a code, a text, and whether the channel or the connection closes.

/// The reply code and its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    ConnectionForced,
    AccessRefused,
    NotFound,
    ResourceLocked,
    PreconditionFailed,
    CommandInvalid,
    ChannelError,
    NotAllowed,
    NotImplemented,
    InternalError,
}

impl Code {
    pub fn number(self) -> u16 {
        self.entry().0
    }

    pub fn name(self) -> &'static str {
        self.entry().1
    }

    /// Whether it closes the connection; the others close the channel.
    pub fn closes_connection(self) -> bool {
        self.number() >= 500 || self == Code::ConnectionForced
    }

    fn entry(self) -> (u16, &'static str) {
        match self {
            Code::ConnectionForced => (320, "CONNECTION_FORCED"),
            Code::AccessRefused => (403, "ACCESS_REFUSED"),
            Code::NotFound => (404, "NOT_FOUND"),
            Code::ResourceLocked => (405, "RESOURCE_LOCKED"),
            Code::PreconditionFailed => (406, "PRECONDITION_FAILED"),
            Code::CommandInvalid => (503, "COMMAND_INVALID"),
            Code::ChannelError => (504, "CHANNEL_ERROR"),
            Code::NotAllowed => (530, "NOT_ALLOWED"),
            Code::NotImplemented => (540, "NOT_IMPLEMENTED"),
            Code::InternalError => (541, "INTERNAL_ERROR"),
        }
    }
}

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AmqpError {
    pub code: Code,
    /// The whole text: `NOT_FOUND - no queue 'q' in vhost '/'`.
    pub text: String,
}

/// A reply text is a short string; a longer one is cut and ends in dots.
const MOST_BYTES: usize = 255;

impl AmqpError {
    pub fn new(code: Code, explanation: &str) -> AmqpError {
        let mut text = format!("{} - {explanation}", code.name());
        if text.len() > MOST_BYTES {
            let mut end = MOST_BYTES - 3;
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            text.truncate(end);
            text.push_str("...");
        }
        AmqpError { code, text }
    }

    pub fn precondition(explanation: impl AsRef<str>) -> AmqpError {
        AmqpError::new(Code::PreconditionFailed, explanation.as_ref())
    }

    /// The server's own failure: it says nothing more, not even which method it was.
    pub fn internal() -> AmqpError {
        AmqpError {
            code: Code::InternalError,
            text: Code::InternalError.name().into(),
        }
    }

    pub fn no_queue(name: &str) -> AmqpError {
        AmqpError::new(Code::NotFound, &format!("no {}", queue_named(name)))
    }

    pub fn no_exchange(name: &str) -> AmqpError {
        AmqpError::new(Code::NotFound, &format!("no {}", exchange_named(name)))
    }
}

/// How texts name a queue.
pub fn queue_named(name: &str) -> String {
    format!("queue '{name}' in vhost '/'")
}

/// How texts name an exchange.
pub fn exchange_named(name: &str) -> String {
    format!("exchange '{name}' in vhost '/'")
}
