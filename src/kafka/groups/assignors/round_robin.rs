//! `roundrobin`: all partitions in a row, dealt out one by one to the members in a row; who did not subscribe to a topic is
//! passed over. [RoundRobinAssignor]

use super::{Assignment, Member, Topic, java_order, member_order};
use crate::kafka::types::NamedPartition;
use crate::ordered::SortSmall;

/// Who gets what. Topics that nobody here knows are left out; the order of `topics` and `members` plays no part.
pub fn assign(topics: &[Topic], members: &[Member]) -> Assignment {
    let mut all: Assignment = members.iter().map(|member| (member.id.clone(), Vec::new())).collect();
    let mut row: Vec<&Member> = members.iter().collect();
    row.sort_small_by(|a, b| member_order(a, b));
    let mut sorted: Vec<&Topic> = topics.iter().collect();
    sorted.sort_small_by(|a, b| java_order(&a.name, &b.name));
    let mut next = 0;
    for topic in sorted {
        if !row.iter().any(|member| member.topics.contains(&topic.name)) {
            continue;
        }
        for partition in 0..topic.partitions {
            while !row[next].topics.contains(&topic.name) {
                next = (next + 1) % row.len();
            }
            all.entry(row[next].id.clone()).or_default().push(NamedPartition {
                topic: topic.name.clone(),
                partition,
            });
            next = (next + 1) % row.len();
        }
    }
    all.values_mut().for_each(|list| list.sort_small());
    all
}

#[cfg(test)]
mod tests {
    use super::super::cases;
    use super::*;
    use crate::kafka::vectors;

    #[test]
    fn round_robin_agrees_with_vectors() {
        let rows = vectors::json_lines("assignor_roundrobin.jsonl");
        assert!(!rows.is_empty());
        for case in rows {
            let found = assign(&cases::topics(&case), &cases::members(&case));
            assert_eq!(found, cases::out(&case), "{case}");
        }
    }

    #[test]
    fn nobody_and_nothing() {
        assert!(assign(&[], &[]).is_empty());
    }
}
