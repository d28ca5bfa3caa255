//! Why a log refuses an append: the code that goes to the client, and the text that the broker logs.

use std::fmt;

use crate::kafka::protocol::errors::ErrorCode;

/// One record that failed validation. [RecordError]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordError {
    /// Index of the record in its batch.
    pub batch_index: i32,
    pub message: String,
}

/// A refused append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppendError {
    pub code: ErrorCode,
    /// The exception's text.
    pub message: String,
    /// Only with INVALID_RECORD and INVALID_TIMESTAMP: the records that are to blame.
    pub records: Vec<RecordError>,
}

impl AppendError {
    /// An error of the whole batch.
    pub fn new(code: ErrorCode, message: String) -> Self {
        Self {
            code,
            message,
            records: Vec::new(),
        }
    }
}

impl fmt::Display for AppendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.name(), self.message)
    }
}

impl std::error::Error for AppendError {}
