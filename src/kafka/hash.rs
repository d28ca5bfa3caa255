//! The hashes that decide where things live: a record's partition by its key, a group's or transaction's coordinator.
//!
//! Three different ways of removing a sign are in use, and mixing them up moves every second key.

/// `Utils.murmur2`: 32-bit MurmurHash2 with Kafka's seed, as a signed number.
pub fn murmur2(data: &[u8]) -> i32 {
    const M: u32 = 0x5bd1_e995;
    const SEED: u32 = 0x9747_b28c;
    // Longer keys than 4 GiB do not exist; Java's lengths are ints.
    let mut h = SEED ^ data.len() as u32;
    let mut words = data.chunks_exact(4);
    for word in &mut words {
        let mut k = u32::from_le_bytes([word[0], word[1], word[2], word[3]]).wrapping_mul(M);
        k ^= k >> 24;
        h = h.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    let tail = words.remainder();
    if !tail.is_empty() {
        for (i, byte) in tail.iter().enumerate() {
            h ^= u32::from(*byte) << (8 * i);
        }
        h = h.wrapping_mul(M);
    }
    h ^= h >> 13;
    h = h.wrapping_mul(M);
    h ^= h >> 15;
    h as i32
}

/// The partition of a keyed record: the hash with its top bit masked off, modulo the number of partitions, those
/// without a leader included. 0 if there is none. [BuiltInPartitioner.partitionForKey]
pub fn partition_for_key(key: &[u8], partitions: i32) -> i32 {
    (murmur2(key) & 0x7fff_ffff) % partitions.max(1)
}

/// `java.lang.String.hashCode`: over UTF-16 units, wrapping.
pub fn java_string_hash(text: &str) -> i32 {
    text.encode_utf16()
        .fold(0i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

/// The partition of an internal topic that keeps an id (a group, a transactional id, `group:topicId:partition`): the
/// absolute value of its hash, where the smallest int counts as 0, modulo the number of partitions. 0 if there is none.
/// [Utils.abs, GroupCoordinatorService.partitionFor, TransactionStateManager.partitionFor]
pub fn coordinator_partition(id: &str, partitions: i32) -> i32 {
    java_string_hash(id).checked_abs().unwrap_or(0) % partitions.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::vectors;

    /// The partition counts in a file's head (`p12`), with their columns.
    fn counts(head: &str) -> Vec<(usize, i32)> {
        let columns = head.split('\t').enumerate();
        columns
            .filter_map(|(i, name)| Some((i, name.strip_prefix('p')?.parse().ok()?)))
            .collect()
    }

    fn bytes(hex: &str) -> Vec<u8> {
        let digits = hex.as_bytes().chunks(2);
        digits
            .map(|two| u8::from_str_radix(std::str::from_utf8(two).expect("ASCII"), 16).expect("hex"))
            .collect()
    }

    #[test]
    fn murmur2_agrees_with_vectors() {
        let text = vectors::read("murmur2.tsv");
        let counts = counts(text.lines().next().expect("a head"));
        assert!(counts.len() > 5 && text.lines().count() > 1);
        for line in text.lines().skip(1) {
            let cells: Vec<&str> = line.split('\t').collect();
            let key = bytes(cells[0]);
            if !cells[1].is_empty() {
                let said: String = serde_json::from_str(cells[1]).expect("a JSON string");
                assert_eq!(said.as_bytes(), key, "{line}");
            }
            assert_eq!(murmur2(&key).to_string(), cells[2], "{line}");
            for (column, partitions) in &counts {
                let found = partition_for_key(&key, *partitions);
                assert_eq!(found.to_string(), cells[*column], "{line} of {partitions}");
            }
        }
    }

    #[test]
    fn coordinators_agree_with_vectors() {
        let text = vectors::read("coordinators.tsv");
        let counts = counts(text.lines().next().expect("a head"));
        assert!(counts.len() > 4 && text.lines().count() > 1);
        for line in text.lines().skip(1) {
            let cells: Vec<&str> = line.split('\t').collect();
            let id: String = serde_json::from_str(cells[1]).expect("a JSON string");
            assert_eq!(java_string_hash(&id).to_string(), cells[2], "{line}");
            for (column, partitions) in &counts {
                let found = coordinator_partition(&id, *partitions);
                assert_eq!(found.to_string(), cells[*column], "{line} of {partitions}");
            }
        }
    }

    #[test]
    fn the_smallest_int_counts_as_zero() {
        // A well-known string whose hash is the smallest int.
        assert_eq!(java_string_hash("polygenelubricants"), i32::MIN);
        assert_eq!(coordinator_partition("polygenelubricants", 50), 0);
    }
}
