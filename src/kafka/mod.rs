//! TODO-room: kafka.
