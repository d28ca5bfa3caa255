//! How much a scenario may ask for, stated in this one place. What exceeds a limit is refused by name, never cut short
//! silently.

/// Bytes of a scenario's text.
pub const TEXT_BYTES: usize = 256 * 1024;
/// Lines of a scenario's text, those of blocks included.
pub const LINES: usize = 5_000;
/// Characters of one line.
pub const LINE_CHARS: usize = 4_000;
/// Characters of a name; Kafka's own limit for topics.
pub const NAME_CHARS: usize = 249;
/// Names that one range (`b1..b9`) or one list may stand for.
pub const LIST: usize = 256;
/// Errors told for one text.
pub const ERRORS: usize = 200;

/// Brokers of a scenario.
pub const BROKERS: usize = 32;
/// Controllers of a scenario.
pub const CONTROLLERS: usize = 9;
/// Producers and consumers of a scenario together.
pub const CLIENTS: usize = 128;
/// Named hosts of a scenario.
pub const HOSTS: usize = 256;
/// Topics that a scenario's lines make.
pub const TOPICS: usize = 128;
/// Exchanges that a scenario's lines make.
pub const EXCHANGES: usize = 128;
/// Queues that a scenario's lines make.
pub const QUEUES: usize = 128;
/// Partitions of one topic.
pub const PARTITIONS: u32 = 256;
/// Partitions of all topics that a scenario's lines make.
pub const ALL_PARTITIONS: u32 = 2_048;
/// Records of one `produce` command.
pub const PRODUCE_COUNT: u32 = 10_000;
/// Records a second of one load.
pub const RATE: u32 = 10_000;
/// Different keys of one load.
pub const KEYS: u32 = 1_000_000;
/// Bytes of one value of a load.
pub const VALUE_BYTES: u64 = 16 * 1024 * 1024;

/// The latest time of a run: 30 days, in microseconds.
pub const TIME_US: u64 = 30 * 24 * 3_600 * 1_000_000;
/// Events of one run; it stops there and says so.
pub const EVENTS: u64 = 20_000_000;
