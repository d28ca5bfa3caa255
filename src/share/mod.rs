//! TODO-room: share.
