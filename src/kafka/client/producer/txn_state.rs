//! Where a transactional producer stands, and which calls it allows. [TransactionManager.State]

use crate::kafka::client::call::ClientError;

/// The states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TxnState {
    Uninitialized,
    Initializing,
    Ready,
    InTransaction,
    Committing,
    Aborting,
    AbortableError,
    FatalError,
}

impl TxnState {
    /// `IN_TRANSACTION`, as exceptions say it.
    pub fn name(self) -> &'static str {
        match self {
            TxnState::Uninitialized => "UNINITIALIZED",
            TxnState::Initializing => "INITIALIZING",
            TxnState::Ready => "READY",
            TxnState::InTransaction => "IN_TRANSACTION",
            TxnState::Committing => "COMMITTING_TRANSACTION",
            TxnState::Aborting => "ABORTING_TRANSACTION",
            TxnState::AbortableError => "ABORTABLE_ERROR",
            TxnState::FatalError => "FATAL_ERROR",
        }
    }

    /// May it become `next`?
    pub fn allows(self, next: TxnState) -> bool {
        use TxnState::{
            AbortableError, Aborting, Committing, FatalError, InTransaction, Initializing, Ready, Uninitialized,
        };
        match next {
            Uninitialized => matches!(self, Ready | AbortableError),
            Initializing => matches!(self, Uninitialized | Committing | Aborting),
            Ready => matches!(self, Initializing | Committing | Aborting),
            InTransaction => self == Ready,
            Committing => self == InTransaction,
            Aborting => matches!(self, InTransaction | AbortableError),
            AbortableError => matches!(self, InTransaction | Committing | AbortableError | Initializing),
            FatalError => true,
        }
    }

    /// A commit or an abort is under way.
    pub fn is_completing(self) -> bool {
        matches!(self, TxnState::Committing | TxnState::Aborting)
    }

    pub fn has_error(self) -> bool {
        matches!(self, TxnState::AbortableError | TxnState::FatalError)
    }

    /// A transaction is open as far as the producer knows.
    pub fn is_ongoing(self) -> bool {
        self == TxnState::InTransaction || self.is_completing() || self == TxnState::AbortableError
    }
}

/// The exception of a call that the state does not allow.
pub fn invalid_transition(id: &str, from: TxnState, to: TxnState) -> ClientError {
    let text = format!(
        "TransactionalId {id}: Invalid transition attempted from state {} to state {}",
        from.name(),
        to.name()
    );
    ClientError::new("IllegalStateException", &text)
}
