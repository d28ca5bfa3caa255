//! Sums over records, kept at hand while their fates change.

use super::entry::Entry;

/// Sums over all records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    pub sent: u64,
    pub appended: u64,
    pub committed: u64,
    pub acknowledged: u64,
    pub delivered: u64,
    pub waiting: u64,
    pub lost: u64,
    pub duplicated: u64,
    pub reordered: u64,
    pub failed: u64,
    pub aborted: u64,
    pub delivered_twice: u64,
}

impl Sums {
    /// Which sums count a record, one bit each.
    pub(super) fn of(entry: &Entry) -> u16 {
        let each = [
            entry.appended,
            entry.committed,
            entry.acknowledged,
            !entry.delivered.is_empty(),
            entry.is_waiting(),
            entry.lost,
            entry.is_duplicated(),
            entry.reordered,
            entry.failed.is_some(),
            entry.is_aborted(),
            entry.is_delivered_twice(),
        ];
        each.iter().rev().fold(0, |bits, is| bits << 1 | u16::from(*is))
    }

    pub(super) fn replace(&mut self, before: u16, after: u16) {
        let fields = [
            &mut self.appended,
            &mut self.committed,
            &mut self.acknowledged,
            &mut self.delivered,
            &mut self.waiting,
            &mut self.lost,
            &mut self.duplicated,
            &mut self.reordered,
            &mut self.failed,
            &mut self.aborted,
            &mut self.delivered_twice,
        ];
        for (bit, field) in fields.into_iter().enumerate() {
            match (before >> bit & 1, after >> bit & 1) {
                (0, 1) => *field += 1,
                (1, 0) => *field = field.saturating_sub(1),
                _ => {}
            }
        }
    }
}
