//! Ghosts: records that a replica had once and cut off its log, kept so that the picture can show where they were.

use super::ledger::{Place, RecordId};
use super::places::place_of;
use super::world::World;
use crate::kafka::types::TopicPartition;
use crate::ordered::OrderedMap;
use crate::ordered::SortSmall;
use crate::sim::ProcId;
use std::ops::Range;
use std::rc::Rc;

/// How many ghosts of one replica are kept; the newest.
const MOST: usize = 64;

/// A record that is gone from a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ghost {
    pub offset: i64,
    pub record: RecordId,
    /// It may never have been on this replica: worth showing only if it is lost everywhere.
    pub doubtful: bool,
}

/// Ghosts by broker and partition.
#[derive(Clone, Debug, Default)]
pub struct Ghosts(Rc<OrderedMap<(ProcId, Place), Vec<Ghost>>>);

impl Ghosts {
    /// Those of one replica.
    pub fn of(&self, broker: ProcId, partition: TopicPartition) -> &[Ghost] {
        self.0
            .get(&(broker, place_of(partition)))
            .map_or(&[], |ghosts| ghosts.as_slice())
    }
}

impl World {
    /// A replica does not hold these offsets any more.
    pub(super) fn remember_ghosts(
        &mut self,
        broker: ProcId,
        partition: TopicPartition,
        offsets: Range<i64>,
        doubtful: bool,
    ) {
        let place = place_of(partition);
        let gone: Vec<Ghost> = self
            .ledger
            .entries()
            .filter(|(_, entry)| entry.place == Some(place))
            .filter_map(|(record, entry)| {
                let offset = entry.offset.filter(|offset| offsets.contains(offset))?;
                Some(Ghost {
                    offset,
                    record,
                    doubtful,
                })
            })
            .collect();
        if gone.is_empty() {
            return;
        }
        let ghosts = Rc::make_mut(&mut self.ghosts.0).entry((broker, place)).or_default();
        ghosts.retain(|old| gone.iter().all(|new| new.record != old.record));
        ghosts.extend(gone);
        ghosts.sort_small_by_key(|ghost| (ghost.offset, ghost.record));
        let over = ghosts.len().saturating_sub(MOST);
        ghosts.drain(..over);
    }
}
