//! A wide cluster: many clients, many partitions and a quorum of controllers.

use std::fmt::Write;

/// Three controllers, three brokers, four topics of fifty partitions, twenty producers of 200 records a second each, and
/// three groups of ten consumers that speak one of the two group protocols.
pub fn scenario(protocol: &str) -> String {
    let mut text = String::from("lab 1\nseed 7\ncontroller c1..c3\nbroker b1..b3\n");
    for topic in 1..=4 {
        let _ = writeln!(text, "topic t{topic} partitions=50 replicas=3 min.insync.replicas=2");
    }
    for producer in 1..=20 {
        let _ = writeln!(text, "producer p{producer}");
    }
    for consumer in 1..=30 {
        let group = consumer % 3 + 1;
        let _ = writeln!(
            text,
            "consumer r{consumer} group=g{group} topics=t1,t2,t3,t4 auto.offset.reset=earliest group.protocol={protocol}"
        );
    }
    for producer in 1..=20 {
        let _ = writeln!(text, "start p{producer} t{} rate=200/s keys=400", producer % 4 + 1);
    }
    text
}
