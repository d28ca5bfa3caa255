//! What a broker reports to people, besides the facts for the ledger.

/// A broker's observation.
#[derive(Clone, Debug, Hash)]
pub enum BrokerNote {}
