//! Where the replicas of new partitions go. [StripedReplicaPlacer]
//!
//! Leaders go round the racks, and round the brokers of a rack; followers go to the racks after the leader's. Each
//! round over all brokers is a stripe; after one everything is shuffled, so that not always the same brokers meet.

use crate::kafka::hash::java_string_hash;
use crate::kafka::types::NodeId;
use crate::ordered::SortSmall;

/// A broker that may get replicas: registered, and not shutting down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsableBroker {
    pub id: NodeId,
    pub rack: Option<String>,
    /// A fenced broker gets replicas too, but leads none, and comes last within its rack.
    pub fenced: bool,
}

/// Replicas for each of so many new partitions, the leader first. `draw(bound)` gives a random number below `bound`.
///
/// # Errors
/// The text that goes with `INVALID_REPLICATION_FACTOR` (the controller puts `Unable to replicate the partition N
/// time(s): ` before it).
pub fn place(
    brokers: &[UsableBroker],
    partitions: usize,
    replication_factor: i32,
    mut draw: impl FnMut(u32) -> u32,
) -> Result<Vec<Vec<NodeId>>, String> {
    let mut draw = |bound: usize| {
        // Brokers and racks are few; a draw beyond its bound is brought back into it.
        let bound = u32::try_from(bound).unwrap_or(u32::MAX).max(1);
        (draw(bound) % bound) as usize
    };
    let mut racks = RackList::new(brokers, &mut draw);
    let replicas = match usize::try_from(replication_factor) {
        Ok(replicas) if replicas > 0 => replicas,
        _ => {
            return Err(format!(
                "Invalid replication factor {replication_factor}: the replication factor must be positive."
            ));
        }
    };
    if racks.unfenced == 0 {
        return Err("All brokers are currently fenced, or have all their log directories cordoned.".into());
    }
    if replicas > brokers.len() {
        return Err(format!(
            "The target replication factor of {replicas} cannot be reached because only {} broker(s) are registered or some brokers have all their log directories cordoned.",
            brokers.len()
        ));
    }
    Ok((0..partitions).map(|_| racks.place(replicas, &mut draw)).collect())
}

/// Brokers in a ring: every epoch begins one further on, and offers each broker once.
#[derive(Default)]
struct BrokerRing {
    brokers: Vec<NodeId>,
    epoch: usize,
    offset: usize,
    /// How many this epoch has offered.
    offered: usize,
}

impl BrokerRing {
    fn begin(&mut self, draw: &mut impl FnMut(usize) -> usize) {
        self.brokers.sort_small();
        if !self.brokers.is_empty() {
            self.offset = draw(self.brokers.len());
        }
    }

    fn next(&mut self, epoch: usize) -> Option<NodeId> {
        let size = self.brokers.len();
        if size == 0 {
            return None;
        }
        if self.epoch != epoch {
            (self.epoch, self.offered) = (epoch, 0);
            self.offset = (self.offset + 1) % size;
        }
        if self.offered >= size {
            return None;
        }
        let broker = self.brokers[(self.offered + self.offset) % size];
        self.offered += 1;
        Some(broker)
    }
}

struct Rack {
    name: Option<String>,
    fenced: BrokerRing,
    unfenced: BrokerRing,
}

impl Rack {
    fn next(&mut self, epoch: usize) -> Option<NodeId> {
        self.unfenced.next(epoch).or_else(|| self.fenced.next(epoch))
    }
}

struct RackList {
    /// In the order in which they draw.
    racks: Vec<Rack>,
    /// Indexes of `racks`, in the order in which they get replicas: by name, then as shuffled.
    ring: Vec<usize>,
    unfenced: usize,
    epoch: usize,
    offset: usize,
}

impl RackList {
    fn new(brokers: &[UsableBroker], draw: &mut impl FnMut(usize) -> usize) -> RackList {
        let mut racks: Vec<Rack> = Vec::new();
        for name in rack_order(brokers) {
            let mut rack = Rack {
                name,
                fenced: BrokerRing::default(),
                unfenced: BrokerRing::default(),
            };
            for broker in brokers.iter().filter(|b| b.rack == rack.name) {
                let ring = if broker.fenced {
                    &mut rack.fenced
                } else {
                    &mut rack.unfenced
                };
                ring.brokers.push(broker.id);
            }
            rack.fenced.begin(draw);
            rack.unfenced.begin(draw);
            racks.push(rack);
        }
        let mut ring: Vec<usize> = (0..racks.len()).collect();
        ring.sort_small_by(|a, b| racks[*a].name.cmp(&racks[*b].name));
        let offset = if ring.is_empty() { 0 } else { draw(ring.len()) };
        let unfenced = brokers.iter().filter(|b| !b.fenced).count();
        RackList {
            racks,
            ring,
            unfenced,
            epoch: 0,
            offset,
        }
    }

    /// The replicas of the next partition. There are at least as many brokers as replicas, and one is unfenced.
    fn place(&mut self, replicas: usize, draw: &mut impl FnMut(usize) -> usize) -> Vec<NodeId> {
        if self.epoch == self.unfenced && self.unfenced > 1 {
            self.shuffle(draw);
            self.epoch = 0;
        }
        let count = self.ring.len();
        if self.offset >= count {
            self.offset = 0;
        }
        let epoch = self.epoch;
        let mut placed = Vec::with_capacity(replicas);
        let mut leaders = None;
        for step in 0..count {
            let at = (self.offset + step) % count;
            if let Some(leader) = self.racks[self.ring[at]].unfenced.next(epoch) {
                placed.push(leader);
                leaders = Some(at);
                break;
            }
        }
        let mut at = self.offset;
        // A full round without a broker would mean that all are taken, which cannot be: see above.
        let mut in_vain = 0;
        while placed.len() < replicas && in_vain <= count {
            in_vain += 1;
            if leaders == Some(at) {
                // The leader's rack is passed over once.
                leaders = None;
            } else if let Some(broker) = self.racks[self.ring[at]].next(epoch) {
                placed.push(broker);
                in_vain = 0;
            }
            at = (at + 1) % count;
        }
        self.epoch += 1;
        self.offset += 1;
        placed
    }

    fn shuffle(&mut self, draw: &mut impl FnMut(usize) -> usize) {
        shuffle(&mut self.ring, draw);
        for rack in &mut self.racks {
            shuffle(&mut rack.fenced.brokers, draw);
            shuffle(&mut rack.unfenced.brokers, draw);
        }
    }
}

/// `Collections.shuffle`.
fn shuffle<T>(items: &mut [T], draw: &mut impl FnMut(usize) -> usize) {
    for size in (2..=items.len()).rev() {
        items.swap(size - 1, draw(size));
    }
}

/// The racks in the order of the placer's hash map: it is the order in which they draw. New names go to the end of
/// their bucket; a table that got too full doubles.
fn rack_order(brokers: &[UsableBroker]) -> Vec<Option<String>> {
    let bucket = |name: &Option<String>, size: usize| {
        let hash = name.as_deref().map_or(0, java_string_hash) as u32;
        (hash ^ (hash >> 16)) as usize & (size - 1)
    };
    let mut table: Vec<Vec<Option<String>>> = vec![Vec::new(); 16];
    let mut count = 0;
    for broker in brokers {
        let at = bucket(&broker.rack, table.len());
        if table[at].contains(&broker.rack) {
            continue;
        }
        table[at].push(broker.rack.clone());
        count += 1;
        if count > table.len() / 4 * 3 {
            let size = table.len() * 2;
            let mut larger = vec![Vec::new(); size];
            for name in table.into_iter().flatten() {
                larger[bucket(&name, size)].push(name);
            }
            table = larger;
        }
    }
    table.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::vectors;

    #[test]
    fn placement_agrees_with_vectors() {
        let rows = vectors::json_lines("placement.jsonl");
        assert!(rows.len() > 100);
        for row in rows {
            let brokers: Vec<UsableBroker> = row["brokers"]
                .as_array()
                .expect("brokers")
                .iter()
                .map(|b| UsableBroker {
                    id: b["id"].as_i64().expect("an id") as NodeId,
                    rack: b["rack"].as_str().map(str::to_string),
                    fenced: b["fenced"].as_bool().unwrap_or(false),
                })
                .collect();
            let order: Vec<Option<&str>> = row["rack_order"]
                .as_array()
                .map_or(Vec::new(), |o| o.iter().map(|n| n.as_str()).collect());
            let found_order = rack_order(&brokers);
            assert_eq!(
                found_order.iter().map(Option::as_deref).collect::<Vec<_>>(),
                order,
                "{row}"
            );

            let empty = Vec::new();
            let draws = row["draws"].as_array().unwrap_or(&empty);
            let mut used = 0;
            let found = place(
                &brokers,
                row["partitions"].as_u64().expect("a number") as usize,
                row["rf"].as_i64().expect("a number") as i32,
                |bound| {
                    let draw = draws.get(used).unwrap_or_else(|| panic!("one draw too many: {row}"));
                    assert_eq!(draw[0], bound, "draw {used} of {row}");
                    used += 1;
                    draw[1].as_u64().expect("a number") as u32
                },
            );
            match found {
                Ok(replicas) => assert_eq!(serde_json::json!(replicas), row["replicas"], "{row}"),
                Err(text) => assert_eq!(row["error"]["message"], text, "{row}"),
            }
            assert_eq!(used, draws.len(), "{row}");
        }
    }

    #[test]
    fn a_draw_beyond_its_bound_is_harmless() {
        let broker = |id, fenced| UsableBroker { id, rack: None, fenced };
        let found = place(&[broker(1, false), broker(2, false), broker(3, true)], 7, 3, |_| {
            u32::MAX
        });
        for mut replicas in found.expect("enough brokers") {
            assert_ne!(replicas[0], 3);
            replicas.sort_small();
            assert_eq!(replicas, [1, 2, 3]);
        }
    }
}
