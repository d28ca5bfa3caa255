//! The group coordinator of a broker: a state machine that the broker is around.
//!
//! A group lives in one partition of `__consumer_offsets`, and whoever leads that partition is its coordinator: the
//! partition's groups and offsets are a [`shard`]. A request's way: [`coordinator`] (which shard, is it loaded) ->
//! [`requests`], [`offsets`] or [`admin`] -> the group's rules in [`classic`], [`modern`] or [`share`] -> what came of it is appended
//! and applied by the shard, and the answer waits there for the high watermark.
//!
//! What the broker does:
//! - [`GroupCoordinator::startup`] when it knows its first metadata; [`load`](GroupCoordinator::load) when it begins to
//!   lead a partition of the topic, [`unload`](GroupCoordinator::unload) when it stops,
//!   [`topics_deleted`](GroupCoordinator::topics_deleted) when topics are gone.
//! - [`handle`](GroupCoordinator::handle) for each request of a group, [`timer`](GroupCoordinator::timer) when a timer
//!   that it was asked for fires, [`high_watermark`](GroupCoordinator::high_watermark) whenever that of a partition of the
//!   topic has moved; also when it moved during an append of this very call: then after it.
//! - After each call it carries out the [`Effect`]s in [`Env::effects`], in their order.
//!
//! A partition's log may be read at once (`load` alone) or take its time: from
//! [`begin_load`](GroupCoordinator::begin_load) on the shard answers COORDINATOR_LOAD_IN_PROGRESS.

mod admin;
pub mod assignors;
pub mod classic;
mod coordinator;
mod effects;
mod errors;
mod group;
pub mod modern;
pub mod note;
mod offsets;
mod re2;
pub mod records;
mod requests;
pub mod rules;
mod settings;
mod shard;
pub mod share;
mod store;
#[cfg(test)]
mod tests;
mod timers;
mod transactions;
mod view;

pub use coordinator::GroupCoordinator;
pub use effects::{Effect, Env, Host, ReplyTo};
pub use group::GroupState;
pub use records::StoredOffset;
pub use share::ShareWork;
pub use timers::GroupTimer;
pub use transactions::txn_commit_refused;
pub use view::{GroupType, GroupView, MemberView, ModernView};
