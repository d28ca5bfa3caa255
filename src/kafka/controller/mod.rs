//! The controller: registrations, partitions, elections, topics.
