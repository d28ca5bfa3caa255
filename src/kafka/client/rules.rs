//! The clients' rules that their log lines follow from.

use crate::kafka::rule::Rule;

pub const CONNECT: Rule = Rule {
    name: "client/connect",
    about: "A client talks to each node over one connection and asks for fresh metadata whenever one breaks.",
    source: "NetworkClient.processDisconnection",
};

pub const BOOTSTRAP: Rule = Rule {
    name: "client/bootstrap",
    about: "A client resolves bootstrap.servers when it is made; an entry that nobody knows is left out, and if none is left it is not made.",
    source: "ClientUtils.parseAndValidateAddresses",
};

pub const HANDSHAKE: Rule = Rule {
    name: "client/authentication",
    about: "A client that speaks TLS to a plain listener is cut off at its first message, and tries again for ever.",
    source: "NetworkClient.processDisconnection, Selector.pollSelectionKeys",
};

pub const FATAL: Rule = Rule {
    name: "client/fatal",
    about: "What comes from the wrong port ends the call: a controller serves no METADATA, and the first bytes of an HTTP answer are taken for the size of a huge response.",
    source: "Metadata.fatalError, NetworkReceive.readFrom",
};

pub const RECONNECT: Rule = Rule {
    name: "client/reconnect-backoff",
    about: "After a failure a client waits reconnect.backoff.ms before it tries the node again, doubling up to reconnect.backoff.max.ms.",
    source: "ClusterConnectionStates.updateReconnectBackoff",
};

pub const SETUP_TIMEOUT: Rule = Rule {
    name: "client/connection-setup-timeout",
    about: "An attempt to connect that gets no answer is given up after socket.connection.setup.timeout.ms, 20 % more or less.",
    source: "NetworkClient.handleTimedOutConnections, KIP-601",
};

pub const REQUEST_TIMEOUT: Rule = Rule {
    name: "client/request-timeout",
    about: "One request without an answer for request.timeout.ms ends the connection, and everything in flight on it fails.",
    source: "NetworkClient.handleTimedOutRequests",
};

pub const METADATA: Rule = Rule {
    name: "client/metadata-refresh",
    about: "A client asks for metadata when forced by an error or a disconnect, and after metadata.max.age.ms.",
    source: "Metadata.timeToNextUpdate",
};

pub const REBOOTSTRAP: Rule = Rule {
    name: "client/rebootstrap",
    about: "A client that can reach none of the nodes it knows goes back to its bootstrap addresses.",
    source: "NetworkClient.DefaultMetadataUpdater.maybeUpdate, KIP-899, KIP-1102",
};
