//! How much a world holds at most. What the language limits (text, names, numbers of processes) is in
//! `language::limits`; here is what only a run can exceed.

/// Bytes of one value that a load makes.
pub const MAX_VALUE_BYTES: usize = 1_100_000;

/// Events of one run; a run stops there and says so.
pub const MAX_EVENTS: u64 = 20_000_000;
