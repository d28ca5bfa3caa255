//! The log of a replica.
