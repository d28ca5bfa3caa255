//! Disks: a page cache in front of a device. What a process writes is safe from its own crash at once, and from a power
//! failure only after a flush. A device can be slow or full.
//!
//! A system keeps the content of its files itself, where its own types are; the kernel's [`CachedFile`] says how much
//! of a file a power failure leaves.

use super::clock::Span;

/// How a host's disk behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DiskMode {
    #[default]
    Ok,
    /// Every operation takes that much longer.
    Slow(Span),
    /// Writes fail: no space left on device.
    Full,
}

impl DiskMode {
    pub fn delay(self) -> Span {
        match self {
            DiskMode::Slow(span) => span,
            DiskMode::Ok | DiskMode::Full => Span::ZERO,
        }
    }

    pub fn is_full(self) -> bool {
        self == DiskMode::Full
    }
}

/// How far an append-only file was written and how far flushed, in whatever unit its owner counts (bytes, records).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CachedFile {
    written: u64,
    flushed: u64,
}

impl CachedFile {
    pub fn written(self) -> u64 {
        self.written
    }

    pub fn flushed(self) -> u64 {
        self.flushed
    }

    pub fn unflushed(self) -> u64 {
        self.written - self.flushed
    }

    pub fn append(&mut self, length: u64) {
        self.written += length;
    }

    /// fsync.
    pub fn flush(&mut self) {
        self.flushed = self.written;
    }

    /// Cuts the file; a cut below what was flushed counts as flushed, as the shorter file is what a reader finds.
    pub fn truncate(&mut self, length: u64) {
        self.written = self.written.min(length);
        self.flushed = self.flushed.min(length);
    }

    /// Power fails: the file is as long as at its last flush. Returns that length.
    pub fn lose_power(&mut self) -> u64 {
        self.written = self.flushed;
        self.written
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_power_failure_leaves_what_was_flushed() {
        let mut file = CachedFile::default();
        file.append(3);
        file.flush();
        file.append(2);
        assert_eq!(file.unflushed(), 2);
        assert_eq!(file.lose_power(), 3);
        assert_eq!(file.written(), 3);
    }

    proptest! {
        #[test]
        fn flushed_never_exceeds_written(ops in proptest::collection::vec((0u8..4, 0u64..9), 0..60)) {
            let mut file = CachedFile::default();
            for (op, n) in ops {
                match op {
                    0 => file.append(n),
                    1 => file.flush(),
                    2 => file.truncate(n),
                    _ => { file.lose_power(); }
                }
                prop_assert!(file.flushed() <= file.written());
            }
        }
    }
}
