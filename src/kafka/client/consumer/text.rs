//! Lists and maps of partitions as Java prints them.

use crate::kafka::hash::java_string_hash;
use crate::kafka::protocol::groups::CommittedOffset;
use crate::kafka::types::NamedPartition;
use crate::ordered::OrderedMap;
use crate::ordered::SortSmall;

/// `[t-0, t-1]`, in the order given.
pub fn list<'a>(partitions: impl IntoIterator<Item = &'a NamedPartition>) -> String {
    let names: Vec<String> = partitions.into_iter().map(NamedPartition::to_string).collect();
    format!("[{}]", names.join(", "))
}

/// `{t-0=OffsetAndMetadata{offset=1, leaderEpoch=null, metadata=''}}`, in the order of a HashMap.
pub fn offsets(offsets: &OrderedMap<NamedPartition, CommittedOffset>) -> String {
    let each = in_hash_order(offsets.keys()).into_iter().map(|partition| {
        let offset = &offsets[partition];
        format!("{partition}={}", offset_text(offset))
    });
    let each: Vec<String> = each.collect();
    format!("{{{}}}", each.join(", "))
}

/// `OffsetAndMetadata{offset=1, leaderEpoch=null, metadata=''}`
pub fn offset_text(offset: &CommittedOffset) -> String {
    let epoch = match offset.leader_epoch {
        epoch @ 0.. => epoch.to_string(),
        _ => "null".to_string(),
    };
    format!(
        "OffsetAndMetadata{{offset={}, leaderEpoch={epoch}, metadata='{}'}}",
        offset.offset, offset.metadata
    )
}

/// The order in which a `java.util.HashMap` that was filled one by one goes through partitions.
pub fn in_hash_order<'a>(partitions: impl Iterator<Item = &'a NamedPartition>) -> Vec<&'a NamedPartition> {
    let mut all: Vec<&NamedPartition> = partitions.collect();
    // The table doubles when it is three quarters full.
    let mut table = 16usize;
    while all.len() * 4 > table * 3 {
        table *= 2;
    }
    all.sort_small_by_key(|partition| {
        let hash = hash_code(partition) as u32;
        (hash ^ (hash >> 16)) as usize & (table - 1)
    });
    all
}

/// [TopicPartition.hashCode]
fn hash_code(partition: &NamedPartition) -> i32 {
    let first = 31i32.wrapping_add(partition.partition);
    first.wrapping_mul(31).wrapping_add(java_string_hash(&partition.topic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_print_as_java_does() {
        let partition = NamedPartition {
            topic: "t".into(),
            partition: 0,
        };
        let offset = CommittedOffset {
            offset: 1,
            leader_epoch: -1,
            metadata: "".into(),
        };
        let text = offsets(&[(partition, offset)].into());
        assert_eq!(text, "{t-0=OffsetAndMetadata{offset=1, leaderEpoch=null, metadata=''}}");
    }

    #[test]
    fn hash_order_follows_the_table() {
        // hashCode of "t" is 116: t-0 has 31 * 31 + 116 = 1077 (slot 5), t-1 has 1108 (slot 4).
        let at = |partition| NamedPartition {
            topic: "t".into(),
            partition,
        };
        let all = [at(0), at(1)];
        let order: Vec<i32> = in_hash_order(all.iter()).iter().map(|p| p.partition).collect();
        assert_eq!(order, [1, 0]);
    }
}
