//! `range` of the coordinator: each topic is cut into consecutive pieces, one for each of its subscribers; what members had
//! plays no part. [org.apache.kafka.coordinator.group.assignor.RangeAssignor]

use super::{Member, Spec, Target};
use crate::kafka::groups::assignors::java_order;
use crate::ordered::SortSmall;
use std::cmp::Ordering;

/// Who gets what. Static members are served first, by `group.instance.id`, then the others, by member id.
pub fn assign(spec: &Spec) -> Target {
    let mut order: Vec<usize> = (0..spec.members.len()).collect();
    order.sort_small_by(|a, b| before(&spec.members[*a], &spec.members[*b]));
    let mut target = vec![Vec::new(); spec.members.len()];
    for topic in 0..spec.topics.len() {
        let subscribers: Vec<usize> = (order.iter().copied())
            .filter(|member| spec.members[*member].topics.contains(&topic))
            .collect();
        let partitions = spec.partitions(topic) as usize;
        let Some(share) = partitions.checked_div(subscribers.len()) else {
            continue;
        };
        let mut extras = partitions % subscribers.len();
        let mut next = 0;
        for member in subscribers {
            let piece = share + usize::from(extras > 0);
            extras = extras.saturating_sub(1);
            target[member].extend((next..next + piece).map(|p| (topic, p as i32)));
            next += piece;
        }
    }
    target
}

fn before(a: &Member, b: &Member) -> Ordering {
    match (&a.instance, &b.instance) {
        (Some(a), Some(b)) => java_order(a, b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => java_order(&a.id, &b.id),
    }
}
