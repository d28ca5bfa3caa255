//! The scenarios that are shipped: texts like any other, each with its expectations, run by the tests.

/// A shipped scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shipped {
    /// Its file's name without the ending.
    pub name: &'static str,
    pub text: &'static str,
}

macro_rules! shipped {
    ($($name:literal),* $(,)?) => {
        /// All of them, in the order in which a newcomer would read them; the first is what the page opens with.
        pub const SHIPPED: &[Shipped] = &[
            $(Shipped { name: $name, text: include_str!(concat!("../../scenarios/", $name, ".lab")) },)*
        ];
    };
}

shipped! {
    "sandbox",
    "acks-0",
    "acks-1",
    "acks-all",
    "follower-leaves-isr",
    "min-insync-replicas",
    "controller-failover",
    "quorum-loses-leader",
    "unclean-election",
    "kip-101",
    "power-failure",
    "keys-and-order",
    "consumer-takes-over",
    "compaction",
    "retention-overtakes",
    "operators-evening",
    "slow-consumer",
    "more-consumers-than-partitions",
    "rebalance-storm-and-cure",
    "cooperative-rebalance",
    "static-rolling-restart",
    "zombie-commits-late",
    "coordinator-fails",
    "share-poison",
    "read-from-beginning",
    "duplicate-by-retry",
    "reordering-by-retry",
    "hanging-transaction",
    "hanging-transaction-v1",
    "fenced-producer",
    "exactly-once",
    "both-sides",
    "competing-consumers",
    "crash-and-ack",
    "poison",
    "slow-subscriber",
    "history",
    "fan-out",
    "routing",
    "volatile-or-durable",
    "confirms-and-acks",
    "ttl-and-retention",
    "priority",
    "advertised-localhost",
    "advertised-container-name",
    "advertised-wrong-port",
    "advertised-inner-address",
    "bootstrap-localhost",
    "advertised-cure",
    "docker-network-connect",
    "published-port-forgotten",
    "side-by-side",
    "why-a-broker",
    "slow-upstream",
    "dead-upstream",
    "nginx-against-prefork",
    "forward-proxy-cache",
    "loan-service",
}

/// The shipped scenario with that name.
pub fn find(name: &str) -> Option<&'static Shipped> {
    SHIPPED.iter().find(|shipped| shipped.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::language;

    #[test]
    fn every_scenario_reads_without_an_error_and_prints_the_same() {
        for shipped in SHIPPED {
            let parsed = language::parse(shipped.text);
            assert!(parsed.errors.is_empty(), "{}: {:?}", shipped.name, parsed.errors);
            let printed = language::print(&parsed.scenario);
            assert_eq!(language::parse(&printed).scenario, parsed.scenario, "{}", shipped.name);
        }
    }
}
