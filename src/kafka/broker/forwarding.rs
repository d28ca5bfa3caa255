//! Requests that only the controller may answer: they go there in an envelope, and its answer goes back as it is.
//! [ForwardingManagerImpl]

use super::channel::{ChannelKind, Purpose};
use super::requests::Asker;
use super::server::Server;
use crate::kafka::protocol::Body;
use crate::kafka::protocol::admin::{CreatableTopic, CreateTopicsRequest};
use crate::kafka::protocol::controller::{EnvelopeRequest, EnvelopeResponse};
use crate::kafka::wire::Ctx;
use std::rc::Rc;

impl Server {
    /// Passes a client's request on.
    pub(super) fn forward(&mut self, asker: Asker, client: &Rc<str>, body: Body, ctx: &mut Ctx) {
        let envelope = Body::from(EnvelopeRequest {
            client: client.clone(),
            body,
        });
        self.ask_controller(ChannelKind::Forwarding, Purpose::Forward(asker), envelope, ctx);
    }

    pub(super) fn forward_answered(&mut self, asker: Asker, answer: &EnvelopeResponse, ctx: &mut Ctx) {
        match &answer.body {
            Some(body) => self.reply(asker, body.clone(), ctx),
            None => self.drop_client(asker.conn, ctx),
        }
    }

    /// A minute without an answer. A client has long given up by then, and its connection with it.
    pub(super) fn forward_timed_out(&mut self, asker: Asker, ctx: &mut Ctx) {
        self.drop_client(asker.conn, ctx);
    }

    /// Asks the controller for a topic that somebody needs, unless that is under way. [DefaultAutoTopicCreationManager]
    pub(super) fn create_topic(&mut self, topic: CreatableTopic, ctx: &mut Ctx) {
        let name = topic.name.clone();
        if self.is_creating_topic(&name) {
            return;
        }
        let body = Body::from(EnvelopeRequest {
            client: self.nobody.clone(),
            body: Body::from(CreateTopicsRequest {
                topics: vec![topic],
                validate_only: false,
            }),
        });
        self.ask_controller(ChannelKind::Forwarding, Purpose::CreateTopic(name), body, ctx);
    }
}
