//! The end of channels and connections.

use super::{Broker, Out};
use crate::rabbit::note::BrokerNote;
use crate::rabbit::protocol::{Closed, Frame, Msg};
use crate::rabbit::queue::{ChannelId, ConnectionId, Content, QueueId};
use crate::rabbit::value::Name;
use crate::sim::ConnId;

impl Broker {
    /// The client closes a channel.
    pub(super) fn close_channel(&mut self, id: ChannelId) {
        self.channels_down(&[id]);
        self.send(id, Frame::Ok("channel.close-ok"));
        self.forget_channel(id);
    }

    /// A method failed: its channel or its connection closes.
    pub(super) fn fail(&mut self, connection: ConnectionId, number: u16, closed: Closed) {
        let text: Name = closed.error.text.as_str().into();
        if closed.error.code.closes_connection() {
            self.note(BrokerNote::ConnectionClosed { text });
            self.close_connection(connection, closed);
            return;
        }
        self.note(BrokerNote::ChannelClosed { text });
        let Some(known) = self.connections.get_mut(&connection) else {
            return;
        };
        known.closing.insert(number);
        let id = known.channels.get(&number).copied();
        self.say(connection, Msg::Frame(number, Frame::Close(closed)));
        if let Some(id) = id {
            self.channels_down(&[id]);
            self.forget_channel(id);
        }
    }

    /// The broker closes a connection.
    pub(super) fn close_connection(&mut self, id: ConnectionId, closed: Closed) {
        let Some(conn) = self.connections.get(&id).map(|connection| connection.conn) else {
            return;
        };
        self.out.push(Out::Last(conn, Msg::ConnectionClosed(closed)));
        self.connection_down(id);
    }

    /// A connection has ended, with all its channels and its exclusive queues.
    pub(super) fn connection_down(&mut self, id: ConnectionId) -> Option<ConnId> {
        let connection = self.connections.get(&id)?;
        let conn = connection.conn;
        let channels: Vec<ChannelId> = connection.channels.values().copied().collect();
        self.channels_down(&channels);
        channels.into_iter().for_each(|channel| self.forget_channel(channel));
        self.connections.remove(&id);
        let owned: Vec<Name> = self
            .queues
            .values()
            .filter(|queue| queue.owner == Some(id))
            .map(|queue| queue.name.clone())
            .collect();
        for queue in owned {
            self.remove_queue(&queue);
        }
        Some(conn)
    }

    /// The channels' consumers leave and what was out to them returns; queues that live by consumers may go.
    fn channels_down(&mut self, channels: &[ChannelId]) {
        let queues: Vec<QueueId> = self.queues.values().map(|queue| queue.id).collect();
        for channel in channels {
            if let Some(channel) = self.channels.get_mut(channel) {
                channel.consumers.clear();
            }
        }
        for id in queues {
            let last = self.on_queue(id, |content, desk| match content {
                Content::Classic(classic) => classic.channels_down(channels, desk),
                Content::Quorum(quorum) => {
                    quorum.channels_down(channels, desk);
                    false
                }
            });
            if last == Some(true) {
                self.remove_queue_of(id);
            }
        }
    }

    fn forget_channel(&mut self, id: ChannelId) {
        self.limits.remove(&id);
        let Some(channel) = self.channels.remove(&id) else {
            return;
        };
        if let Some(connection) = self.connections.get_mut(&channel.connection) {
            connection.channels.remove(&channel.number);
        }
    }
}
