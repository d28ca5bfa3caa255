//! The producer's rules.

use crate::kafka::rule::Rule;

pub const LINGER: Rule = Rule {
    name: "producer/linger",
    about: "A batch goes when it is full, when another one waits behind it, after linger.ms, or at once for flush().",
    source: "RecordAccumulator.batchReady",
};

pub const RETRY: Rule = Rule {
    name: "producer/retry",
    about: "A batch that failed with a retriable error is sent again after retry.backoff.ms until delivery.timeout.ms is over.",
    source: "Sender.completeBatch, .canRetry",
};

pub const DELIVERY_TIMEOUT: Rule = Rule {
    name: "producer/delivery-timeout",
    about: "A record fails delivery.timeout.ms after its batch was begun, even if the broker may have written it.",
    source: "Sender.failExpiredBatches",
};

pub const SPLIT: Rule = Rule {
    name: "producer/split",
    about: "A batch that the broker finds too large is split and sent in parts; a single record fails.",
    source: "RecordAccumulator.splitAndReenqueue",
};

pub const SEQUENCES: Rule = Rule {
    name: "producer/idempotence",
    about: "Every batch has the producer's id, epoch and a sequence, so that the broker knows a batch that comes twice.",
    source: "TransactionManager, KIP-98",
};

pub const EPOCH_BUMP: Rule = Rule {
    name: "producer/epoch-bump",
    about: "When sequences can't go on an idempotent producer raises its epoch and numbers a partition's batches from 0.",
    source: "TransactionManager.bumpIdempotentProducerEpoch, KIP-360",
};

pub const FAILED: Rule = Rule {
    name: "producer/fatal-error",
    about: "An error that no retry can help fails the batch at once.",
    source: "Sender.failBatch",
};

pub const TRANSACTIONS: Rule = Rule {
    name: "producer/transactions",
    about: "A transactional producer finds its coordinator and gets a producer id with a higher epoch; what it sends counts when EndTxn(commit) is answered.",
    source: "TransactionManager",
};
