//! A broker: the replicas, the requests, the fetchers, its life with the controller.
