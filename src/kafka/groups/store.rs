//! A shard's groups and committed offsets, now and as of the high watermark: what is not covered yet is remembered with
//! what was there before. It stands for Kafka's timeline data structures. [SnapshotRegistry, TimelineHashMap]
//!
//! As in Kafka, of classic groups only which there are has a history; what one is doing has none. Groups of the newer
//! protocols have a history of everything.

use super::classic::ClassicGroup;
use super::group::Group;
use super::modern::ModernGroup;
use super::records::{GroupRecord, StoredOffset};
use crate::kafka::types::NamedPartition;
use crate::ordered::OrderedMap;
use std::collections::VecDeque;
use std::rc::Rc;

/// Committed offsets of a group.
pub type Offsets = OrderedMap<NamedPartition, StoredOffset>;

#[derive(Clone, Debug)]
enum Change {
    Group {
        id: Rc<str>,
        before: Option<Group>,
    },
    Offset {
        group: Rc<str>,
        partition: NamedPartition,
        before: Option<StoredOffset>,
    },
}

/// Groups and offsets of one partition of `__consumer_offsets`.
#[derive(Clone, Debug, Default)]
pub(super) struct Store {
    pub groups: OrderedMap<Rc<str>, Group>,
    /// When the metadata of a modern group's topics have to be looked at again (ms since 1970), and the group epoch at the
    /// last look; without an entry it is due. Not in the log. [ModernGroup.metadataRefreshDeadline]
    pub refreshed: OrderedMap<Rc<str>, (i64, i32)>,
    /// By group; no group has an empty entry.
    pub offsets: OrderedMap<Rc<str>, Rc<Offsets>>,
    /// Offsets of transactions that are open, by producer id and group.
    pub(super) pending: OrderedMap<i64, OrderedMap<Rc<str>, Offsets>>,
    /// Changes that the high watermark does not cover, by the offset of their record, oldest first.
    undo: VecDeque<(i64, Change)>,
}

impl Store {
    /// Applies a record that stands at this offset, in a batch that begins at `base`.
    pub fn replay(&mut self, record: &GroupRecord, offset: i64, base: i64) {
        match record {
            GroupRecord::Group { group, value } => {
                let new = value
                    .as_ref()
                    .map(|value| Group::Classic(Rc::new(ClassicGroup::from_record(group.clone(), value))));
                self.put_group(group, new, offset);
            }
            GroupRecord::Modern { group, kind, record } => {
                let there = self.groups.get(group);
                let there = there.filter(|there| there.kind() == *kind).cloned();
                let remembered = |(at, change): &(i64, Change)| match change {
                    Change::Group { id, .. } => *at >= base && id == group,
                    Change::Offset { .. } => false,
                };
                // A batch counts as one step: what was before it is enough.
                if !self.undo.iter().rev().any(remembered) {
                    let before = self.groups.get(group).cloned();
                    let id = group.clone();
                    self.undo.push_back((offset, Change::Group { id, before }));
                }
                let mut modern = match there {
                    Some(Group::Modern(modern)) => {
                        self.groups.remove(group);
                        modern
                    }
                    _ => Rc::new(ModernGroup::new(group.clone(), *kind)),
                };
                match Rc::make_mut(&mut modern).replay(record) {
                    true => drop(self.groups.insert(group.clone(), Group::Modern(modern))),
                    false => {
                        self.groups.remove(group);
                        self.refreshed.remove(group);
                    }
                }
            }
            GroupRecord::Offset {
                group,
                partition,
                value,
            } => {
                if value.is_some() && !self.groups.contains_key(group) {
                    self.create(group, offset);
                }
                if value.is_none() {
                    self.forget_pending(group, partition);
                }
                let value = value.clone().map(|value| StoredOffset {
                    record_offset: offset,
                    ..value
                });
                let before = self.put_offset(group, partition, value);
                let change = Change::Offset {
                    group: group.clone(),
                    partition: partition.clone(),
                    before,
                };
                self.undo.push_back((offset, change));
            }
        }
    }

    /// Makes an empty group, before the record at this offset.
    pub fn create(&mut self, id: &Rc<str>, offset: i64) {
        let group = Group::Classic(Rc::new(ClassicGroup::empty(id.clone())));
        self.put_group(id, Some(group), offset);
    }

    /// Another group under this id, or none, before the record at this offset or by it.
    pub fn put_group(&mut self, id: &Rc<str>, group: Option<Group>, offset: i64) {
        let before = match group {
            Some(group) => self.groups.insert(id.clone(), group),
            None => self.groups.remove(id),
        };
        self.undo.push_back((offset, Change::Group { id: id.clone(), before }));
    }

    pub(super) fn put_offset(
        &mut self,
        group: &Rc<str>,
        partition: &NamedPartition,
        value: Option<StoredOffset>,
    ) -> Option<StoredOffset> {
        match value {
            Some(value) => {
                let offsets = self.offsets.entry(group.clone()).or_default();
                Rc::make_mut(offsets).insert(partition.clone(), value)
            }
            None => {
                let offsets = self.offsets.get_mut(group)?;
                let before = Rc::make_mut(offsets).remove(partition);
                if offsets.is_empty() {
                    self.offsets.remove(group);
                }
                before
            }
        }
    }

    /// The high watermark is here: everything below stays.
    pub fn committed(&mut self, high_watermark: i64) {
        while self.undo.front().is_some_and(|(offset, _)| *offset < high_watermark) {
            self.undo.pop_front();
        }
    }

    /// Takes back all changes of records from this offset on.
    pub fn revert(&mut self, from: i64) {
        while self.undo.back().is_some_and(|(offset, _)| *offset >= from) {
            match self.undo.pop_back() {
                Some((
                    _,
                    Change::Group {
                        id,
                        before: Some(before),
                    },
                )) => {
                    self.groups.insert(id, before);
                }
                Some((_, Change::Group { id, before: None })) => {
                    self.groups.remove(&id);
                }
                Some((
                    _,
                    Change::Offset {
                        group,
                        partition,
                        before,
                    },
                )) => {
                    self.put_offset(&group, &partition, before);
                }
                None => {}
            }
        }
    }

    /// A group, if it is there as of the high watermark.
    pub fn committed_group(&self, id: &str) -> Option<&Group> {
        let change = self.undo.iter().find_map(|(_, change)| match change {
            Change::Group { id: changed, before } if **changed == *id => Some(before.as_ref()),
            _ => None,
        });
        change.unwrap_or_else(|| self.groups.get(id))
    }

    /// All groups that are there as of the high watermark.
    pub fn committed_groups(&self) -> Vec<&Group> {
        if self.undo.is_empty() {
            return self.groups.values().collect();
        }
        let mut all: OrderedMap<&Rc<str>, &Group> = self.groups.iter().collect();
        for (_, change) in self.undo.iter().rev() {
            match change {
                Change::Group {
                    id,
                    before: Some(before),
                } => {
                    all.insert(id, before);
                }
                Change::Group { id, before: None } => {
                    all.remove(id);
                }
                Change::Offset { .. } => {}
            }
        }
        all.into_values().collect()
    }

    /// A group's offsets as of the high watermark.
    pub fn committed_offsets(&self, group: &str) -> Rc<Offsets> {
        let mut offsets = self.offsets.get(group).cloned().unwrap_or_default();
        for (_, change) in self.undo.iter().rev() {
            match change {
                Change::Offset {
                    group: changed,
                    partition,
                    before,
                } if **changed == *group => {
                    let offsets = Rc::make_mut(&mut offsets);
                    match before {
                        Some(before) => offsets.insert(partition.clone(), before.clone()),
                        None => offsets.remove(partition),
                    };
                }
                _ => {}
            }
        }
        offsets
    }

    /// A group's offsets with everything that is written.
    pub fn latest_offsets(&self, group: &str) -> Rc<Offsets> {
        self.offsets.get(group).cloned().unwrap_or_default()
    }

    /// Number of offsets of all groups.
    pub fn offset_count(&self) -> usize {
        self.offsets.values().map(|offsets| offsets.len()).sum()
    }

    /// An offset changed at this record; what was there before comes back if the record is taken back.
    pub(super) fn note_offset_change(
        &mut self,
        at: i64,
        group: &Rc<str>,
        partition: &NamedPartition,
        before: Option<StoredOffset>,
    ) {
        let change = Change::Offset {
            group: group.clone(),
            partition: partition.clone(),
            before,
        };
        self.undo.push_back((at, change));
    }
}
