//! What ends a tool's plan before its end. How it is told differs from tool to tool.

use super::desk::Stop;
use super::options::OptionError;
use crate::kafka::client::call::ClientError;

pub enum Failure {
    Stop(Stop),
    /// A message alone.
    Terse(String),
    /// An exception, told with its trace.
    Thrown(ClientError),
}

pub type Done<T> = Result<T, Failure>;

impl From<Stop> for Failure {
    fn from(stop: Stop) -> Failure {
        Failure::Stop(stop)
    }
}

impl From<OptionError> for Failure {
    fn from(error: OptionError) -> Failure {
        Failure::Terse(error.message())
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Failure {
        Failure::Thrown(error)
    }
}
