//! Clients: network, metadata, producer, consumer, admin.
