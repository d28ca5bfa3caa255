//! Assignors: who gets which partition.
