//! The order of a `java.util.HashMap`: some of Kafka's rules walk through hash maps, so that order decides there.
//!
//! `put` appends to a bucket and doubles the table when it got too full; `computeIfAbsent` puts in front of its bucket and
//! doubles only before the next insertion. Buckets that Java turns into trees (more than eight keys that collide in a table
//! of 64 or more) keep the order of a list here.

use super::hash::java_string_hash;
use super::types::NamedPartition;

/// Java's default size of a table.
const TABLE: usize = 16;

/// So many keys in one bucket make a small table double.
const LONG_BUCKET: usize = 8;

/// From this size on long buckets become trees instead.
const TREES: usize = 64;

/// A map that is walked through in Java's order. The hash of a key is the caller's to know: the same for equal keys.
#[derive(Clone, Debug)]
pub struct JavaMap<K, V> {
    buckets: Vec<Vec<(u32, K, V)>>,
    len: usize,
}

impl<K: PartialEq, V> Default for JavaMap<K, V> {
    fn default() -> Self {
        JavaMap::with_capacity(TABLE)
    }
}

impl<K: PartialEq, V> JavaMap<K, V> {
    /// `new HashMap<>(capacity)`; `new HashMap<>()` is [`default`](Default::default).
    pub fn with_capacity(capacity: usize) -> JavaMap<K, V> {
        let mut buckets = Vec::new();
        buckets.resize_with(capacity.max(1).next_power_of_two(), Vec::new);
        JavaMap { buckets, len: 0 }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn too_full(&self) -> bool {
        self.len * 4 > self.buckets.len() * 3
    }

    fn at(&self, spread: u32) -> usize {
        spread as usize & (self.buckets.len() - 1)
    }

    fn find(&self, hash: i32, key: &K) -> (u32, usize, Option<usize>) {
        let hash = hash as u32;
        let spread = hash ^ (hash >> 16);
        let at = self.at(spread);
        let place = self.buckets[at].iter().position(|(s, k, _)| *s == spread && k == key);
        (spread, at, place)
    }

    /// Doubles the table; keys of one bucket keep their order.
    fn double(&mut self) {
        let old = std::mem::take(&mut self.buckets);
        self.buckets.resize_with(old.len() * 2, Vec::new);
        for entry in old.into_iter().flatten() {
            let at = self.at(entry.0);
            self.buckets[at].push(entry);
        }
    }

    /// `put`; what was there before.
    pub fn put(&mut self, hash: i32, key: K, value: V) -> Option<V> {
        let (spread, at, place) = self.find(hash, &key);
        if let Some(place) = place {
            return Some(std::mem::replace(&mut self.buckets[at][place].2, value));
        }
        self.buckets[at].push((spread, key, value));
        let long = self.buckets[at].len() > LONG_BUCKET && self.buckets.len() < TREES;
        self.len += 1;
        if long {
            self.double();
        }
        if self.too_full() {
            self.double();
        }
        None
    }

    /// `computeIfAbsent`: the value, this one if there was none.
    pub fn compute_if_absent(&mut self, hash: i32, key: K, value: V) -> &mut V {
        if self.too_full() {
            self.double();
        }
        let (spread, mut at, place) = self.find(hash, &key);
        if let Some(place) = place {
            return &mut self.buckets[at][place].2;
        }
        let long = self.buckets[at].len() + 1 > LONG_BUCKET && self.buckets.len() < TREES;
        self.buckets[at].insert(0, (spread, key, value));
        self.len += 1;
        if long {
            // The new key was the first of its bucket, and is the first of its new one.
            self.double();
            at = self.at(spread);
        }
        &mut self.buckets[at][0].2
    }

    pub fn get(&self, hash: i32, key: &K) -> Option<&V> {
        let (_, at, place) = self.find(hash, key);
        Some(&self.buckets[at][place?].2)
    }

    pub fn get_mut(&mut self, hash: i32, key: &K) -> Option<&mut V> {
        let (_, at, place) = self.find(hash, key);
        Some(&mut self.buckets[at][place?].2)
    }

    /// The table never shrinks.
    pub fn remove(&mut self, hash: i32, key: &K) -> Option<V> {
        let (_, at, place) = self.find(hash, key);
        let (_, _, value) = self.buckets[at].remove(place?);
        self.len -= 1;
        Some(value)
    }

    /// Keys and values in Java's order.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.buckets.iter().flatten().map(|(_, key, value)| (key, value))
    }

    /// Keys in Java's order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }
}

/// How large a table `new HashSet<>(collection)` begins with, for so many elements.
pub fn capacity_for(elements: usize) -> usize {
    (elements * 4 / 3 + 1).max(TABLE)
}

/// `TopicPartition.hashCode`.
pub fn partition_hash(partition: &NamedPartition) -> i32 {
    let first = 31i32.wrapping_add(partition.partition);
    first.wrapping_mul(31).wrapping_add(java_string_hash(&partition.topic))
}

/// `Uuid.hashCode`, of its two halves.
pub fn uuid_hash(high: u64, low: u64) -> i32 {
    let both = high ^ low;
    ((both >> 32) ^ both) as u32 as i32
}

/// The two halves of a UUID in URL-safe base64, of a data file.
#[cfg(test)]
pub(crate) fn uuid(text: &str) -> (u64, u64) {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let digit = |c: u8| DIGITS.iter().position(|d| *d == c).expect("base64") as u128;
    let all = text.bytes().take(21).fold(0u128, |all, c| all << 6 | digit(c));
    let last = digit(text.as_bytes()[21]) >> 4;
    let all = all << 2 | last;
    ((all >> 64) as u64, all as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::vectors;
    use serde_json::Value;

    fn hash(kind: &str, key: &Value) -> i32 {
        match kind {
            "int" => key.as_i64().expect("a number") as i32,
            "uuid" => {
                let (high, low) = uuid(key.as_str().expect("a text"));
                uuid_hash(high, low)
            }
            "partition" => {
                let (topic, partition) = key.as_str().expect("a text").rsplit_once('-').expect("a partition");
                let partition = partition.parse().expect("a number");
                partition_hash(&NamedPartition {
                    topic: topic.into(),
                    partition,
                })
            }
            _ => java_string_hash(key.as_str().expect("a text")),
        }
    }

    #[test]
    fn java_hash_agrees_with_vectors() {
        let cases = vectors::json_lines("java_hash.jsonl");
        assert!(!cases.is_empty());
        for case in cases {
            let list = |name: &str| case[name].as_array().cloned().unwrap_or_default();
            let kind = case["kind"].as_str().expect("a kind");
            let how = case["how"].as_str().expect("a way");
            let insert = list("insert");
            let capacity = match how {
                "map_capacity" => case["capacity"].as_u64().expect("a capacity") as usize,
                "set_of_collection" => capacity_for(insert.len()),
                _ => TABLE,
            };
            let hashes: Vec<i32> = insert.iter().take(6).map(|key| hash(kind, key)).collect();
            assert_eq!(Value::from(hashes), case["hash_codes_of_first"], "{case}");
            let mut map = JavaMap::with_capacity(capacity);
            for (i, key) in insert.iter().enumerate() {
                if how == "compute" || (how == "mixed" && i % 2 == 1) {
                    map.compute_if_absent(hash(kind, key), key.clone(), ());
                } else {
                    map.put(hash(kind, key), key.clone(), ());
                }
            }
            for key in list("then_remove") {
                map.remove(hash(kind, &key), &key);
            }
            for key in list("then_insert") {
                map.put(hash(kind, &key), key.clone(), ());
            }
            let order: Vec<Value> = map.keys().cloned().collect();
            assert_eq!(order, list("order"), "{case}");
            assert_eq!(map.len(), order.len());
        }
    }
}
