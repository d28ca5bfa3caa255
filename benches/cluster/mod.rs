//! The busy cluster that the benchmarks step.

use std::fmt::Write;

/// Three brokers, four topics of six partitions, six producers of 200 records a second each, two groups of three.
pub fn scenario() -> String {
    let mut text = String::from("lab 1\nseed 7\ncontroller c1\nbroker b1..b3\n");
    for topic in 1..=4 {
        let _ = writeln!(text, "topic t{topic} partitions=6 replicas=3 min.insync.replicas=2");
    }
    for producer in 1..=6 {
        let _ = writeln!(text, "producer p{producer}");
    }
    for (consumer, group) in (1..=6).zip(["g1", "g1", "g1", "g2", "g2", "g2"]) {
        let _ = writeln!(
            text,
            "consumer r{consumer} group={group} topics=t1,t2,t3,t4 auto.offset.reset=earliest"
        );
    }
    for producer in 1..=6 {
        let _ = writeln!(text, "start p{producer} t{} rate=200/s keys=40", producer % 4 + 1);
    }
    text
}
