//! The rules that transactions follow, for "why?".

use crate::kafka::rule::Rule;

pub const LOAD: Rule = Rule {
    name: "txn/load",
    about: "The new leader of a partition of __transaction_state reads it whole and becomes the coordinator of its ids; decided transactions get their markers sent again, open ones stay open.",
    source: "TransactionStateManager.loadTransactionsForTxnTopicPartition",
};
pub const INIT: Rule = Rule {
    name: "txn/init-producer-id",
    about: "Each producer that begins with a transactional id gets a higher epoch; requests with a lower one are refused from then on.",
    source: "KIP-360, TransactionCoordinator.prepareInitProducerIdTransit",
};
pub const FENCE: Rule = Rule {
    name: "txn/fence",
    about: "A transaction that is open when another producer begins with its id is aborted with a raised epoch; the newcomer is told CONCURRENT_TRANSACTIONS until that is done.",
    source: "TransactionCoordinator.handleInitProducerId",
};
pub const ADD: Rule = Rule {
    name: "txn/add-partition",
    about: "The coordinator writes down every partition of a transaction before data go to it: with transactions version 2 the leader asks for that at the first write, with version 1 the client does.",
    source: "KIP-890, TransactionCoordinator.handleAddPartitionsToTransaction",
};
pub const DECIDE: Rule = Rule {
    name: "txn/decide",
    about: "The outcome counts, and is answered, when it is committed in __transaction_state; the markers follow.",
    source: "TransactionCoordinator.endTransaction",
};
pub const MARKERS: Rule = Rule {
    name: "txn/markers",
    about: "A marker goes to the leader of every partition of the transaction, again and again until it is written; then the transaction is complete.",
    source: "TransactionMarkerChannelManager",
};
pub const TIMEOUT: Rule = Rule {
    name: "txn/timeout",
    about: "A transaction that is open longer than transaction.timeout.ms is aborted with a raised epoch; looked for every transaction.abort.timed.out.transaction.cleanup.interval.ms.",
    source: "TransactionCoordinator.abortTimedOutTransactions",
};
pub const EXPIRE: Rule = Rule {
    name: "txn/expire-id",
    about: "An id without a transaction that was not used for transactional.id.expiration.ms is forgotten.",
    source: "TransactionStateManager.removeExpiredTransactionalIds",
};
pub const VERIFY: Rule = Rule {
    name: "txn/verify-partition",
    about: "Before the first write of a transaction to a partition its leader asks the coordinator; data that belong to no open transaction are refused, so that none can hang.",
    source: "KIP-890, AddPartitionsToTxnManager, ReplicaManager.maybeSendPartitionsToTransactionCoordinator",
};
pub const STATE_REFUSED: Rule = Rule {
    name: "txn/refused",
    about: "A request must bring the id's current producer id and epoch, and fit its state; while a change is being written everybody else is told CONCURRENT_TRANSACTIONS.",
    source: "TransactionCoordinator",
};
pub const MARKER_WRITTEN: Rule = Rule {
    name: "txn/marker-written",
    about: "The marker ends the producer's transaction on the partition: when the high watermark passes it the last stable offset moves on.",
    source: "ProducerStateManager.completeTxn, UnifiedLog.lastStableOffset",
};
