//! Declaring, binding and deleting exchanges and queues.

use super::Broker;
use crate::rabbit::arguments::{Declared, QueueType, check_declare, same_arguments, same_property};
use crate::rabbit::error::{AmqpError, Code, exchange_named, queue_named};
use crate::rabbit::protocol::{Bind, DeclareExchange, DeclareQueue, Frame};
use crate::rabbit::queue::classic::Classic;
use crate::rabbit::queue::quorum::Quorum;
use crate::rabbit::queue::{ChannelId, ConnectionId, Content, Queue, QueueId, Settings};
use crate::rabbit::routing::Target;
use crate::rabbit::routing::bindings::Binding;
use crate::rabbit::routing::exchange::{Exchange, Kind};
use crate::rabbit::routing::headers::Mode;
use crate::rabbit::value::Name;
use std::rc::Rc;

/// The pseudo queue of direct reply-to.
pub const REPLY_TO: &str = "amq.rabbitmq.reply-to";

/// Names lose their line ends.
fn stripped(name: &str) -> Name {
    name.replace(['\r', '\n'], "").into()
}

fn refuse_default(exchange: &str) -> Result<(), AmqpError> {
    match exchange {
        "" => Err(AmqpError::new(
            Code::AccessRefused,
            "operation not permitted on the default exchange",
        )),
        _ => Ok(()),
    }
}

fn refuse_reserved(kind: &str, name: &str) -> Result<(), AmqpError> {
    match name.starts_with("amq.") {
        true => Err(AmqpError::new(
            Code::AccessRefused,
            &format!("{kind} name '{name}' contains reserved prefix 'amq.*'"),
        )),
        false => Ok(()),
    }
}

impl Broker {
    fn connection_number(&self, channel: ChannelId) -> Option<ConnectionId> {
        self.channels.get(&channel).map(|channel| channel.connection)
    }

    /// The name that a method means: an empty one is the queue that the channel declared last.
    pub(super) fn meant(&self, channel: ChannelId, queue: &str) -> Result<Name, AmqpError> {
        if !queue.is_empty() {
            return Ok(queue.into());
        }
        let last = self.channels.get(&channel).map(|channel| channel.last_queue.clone());
        match last.filter(|last| !last.is_empty()) {
            Some(last) => Ok(last),
            None => Err(AmqpError::new(Code::NotFound, "no previously declared queue")),
        }
    }

    /// The queue, if this channel's connection may use it.
    pub(super) fn queue_for(&mut self, channel: ChannelId, name: &str) -> Result<&mut Queue, AmqpError> {
        let connection = self.connection_number(channel);
        let Some(queue) = self.queues.get_mut(name) else {
            return Err(AmqpError::no_queue(name));
        };
        if queue.owner.is_some() && queue.owner != connection {
            return Err(locked(name));
        }
        Ok(queue)
    }

    pub(super) fn declare_exchange(&mut self, channel: ChannelId, declare: DeclareExchange) -> Result<(), AmqpError> {
        let name = stripped(&declare.exchange);
        if declare.passive {
            refuse_default(&name)?;
            self.topology
                .exchange(&name)
                .ok_or_else(|| AmqpError::no_exchange(&name))?;
            return self.ok(channel, "exchange.declare-ok");
        }
        let unknown = || {
            AmqpError::new(
                Code::CommandInvalid,
                &format!("unknown exchange type '{}'", declare.kind),
            )
        };
        let kind = Kind::parse(&declare.kind).ok_or_else(unknown)?;
        refuse_default(&name)?;
        match self.topology.exchange(&name) {
            Some(current) => same_exchange(current, kind, &declare)?,
            None => {
                refuse_reserved("exchange", &name)?;
                refuse_type(&declare.arguments, "alternate-exchange", &exchange_named(&name))?;
                let exchange = Exchange {
                    name: name.clone(),
                    kind,
                    durable: declare.durable,
                    auto_delete: declare.auto_delete,
                    internal: declare.internal,
                    arguments: declare.arguments,
                };
                Rc::make_mut(&mut self.topology.exchanges).insert(name, exchange);
            }
        }
        self.ok(channel, "exchange.declare-ok")
    }

    pub(super) fn delete_exchange(&mut self, channel: ChannelId, name: &str, if_unused: bool) -> Result<(), AmqpError> {
        let name = stripped(name);
        refuse_default(&name)?;
        if name.starts_with("amq.") {
            let text = format!("deletion of system {} not allowed", exchange_named(&name));
            return Err(AmqpError::new(Code::AccessRefused, &text));
        }
        if self.topology.exchange(&name).is_some() {
            if if_unused && self.topology.bindings.has_source(&name) {
                return Err(AmqpError::precondition(format!("{} in use", exchange_named(&name))));
            }
            self.remove_exchange(&name);
        }
        self.ok(channel, "exchange.delete-ok")
    }

    fn remove_exchange(&mut self, name: &Name) {
        Rc::make_mut(&mut self.topology.exchanges).remove(name);
        let from: Vec<Binding> = self.topology.bindings.from_source(name).cloned().collect();
        for binding in from {
            Rc::make_mut(&mut self.topology.bindings).remove(&binding);
        }
        self.remove_bindings_into(&Target::Exchange(name.clone()));
    }

    /// A binding's target is gone, and with it the binding; auto-delete exchanges that lose their last one follow.
    pub(super) fn remove_bindings_into(&mut self, target: &Target) {
        let into = self.topology.bindings.into_target(target);
        for binding in &into {
            Rc::make_mut(&mut self.topology.bindings).remove(binding);
        }
        for binding in &into {
            self.delete_if_unbound(&binding.source);
        }
    }

    fn delete_if_unbound(&mut self, source: &Name) {
        let auto = self
            .topology
            .exchange(source)
            .is_some_and(|exchange| exchange.auto_delete);
        if auto && !self.topology.bindings.has_source(source) {
            self.remove_exchange(source);
        }
    }

    /// The binding that a method means.
    fn binding(&self, channel: ChannelId, bind: Bind, to_queue: bool) -> Result<Binding, AmqpError> {
        let (mut destination, mut key) = (bind.destination.clone(), bind.key.clone());
        if to_queue && destination.is_empty() {
            destination = self.meant(channel, &destination)?;
            if key.is_empty() {
                key = destination.clone();
            }
        }
        let (source, destination) = (stripped(&bind.source), stripped(&destination));
        if !to_queue {
            refuse_default(&destination)?;
        }
        refuse_default(&source)?;
        Ok(Binding {
            source,
            target: match to_queue {
                true => Target::Queue(destination),
                false => Target::Exchange(destination),
            },
            key,
            arguments: bind.arguments.sorted(),
        })
    }

    fn target_exists(&self, target: &Target) -> bool {
        match target {
            Target::Queue(name) => self.queues.contains_key(name),
            Target::Exchange(name) => self.topology.exchange(name).is_some(),
        }
    }

    fn refuse_locked(&mut self, channel: ChannelId, target: &Target) -> Result<(), AmqpError> {
        match target {
            Target::Queue(name) => self.queue_for(channel, name).map(|_| ()),
            Target::Exchange(_) => Ok(()),
        }
    }

    pub(super) fn bind(&mut self, channel: ChannelId, bind: Bind, to_queue: bool) -> Result<(), AmqpError> {
        let binding = self.binding(channel, bind, to_queue)?;
        let Some(source) = self.topology.exchange(&binding.source) else {
            return Err(AmqpError::no_exchange(&binding.source));
        };
        let kind = source.kind;
        if !self.target_exists(&binding.target) {
            return Err(match &binding.target {
                Target::Queue(name) => AmqpError::no_queue(name),
                Target::Exchange(name) => AmqpError::no_exchange(name),
            });
        }
        if kind == Kind::Headers {
            Mode::of(&binding.arguments).map_err(AmqpError::precondition)?;
        }
        self.refuse_locked(channel, &binding.target)?;
        Rc::make_mut(&mut self.topology.bindings).insert(kind, binding);
        self.ok(channel, if to_queue { "queue.bind-ok" } else { "exchange.bind-ok" })
    }

    pub(super) fn unbind(&mut self, channel: ChannelId, bind: Bind, to_queue: bool) -> Result<(), AmqpError> {
        let binding = self.binding(channel, bind, to_queue)?;
        if self.topology.bindings.iter().any(|known| *known == binding) {
            self.refuse_locked(channel, &binding.target)?;
            Rc::make_mut(&mut self.topology.bindings).remove(&binding);
            self.delete_if_unbound(&binding.source);
        }
        self.ok(
            channel,
            if to_queue {
                "queue.unbind-ok"
            } else {
                "exchange.unbind-ok"
            },
        )
    }

    pub(super) fn declare_queue(&mut self, channel: ChannelId, declare: DeclareQueue) -> Result<(), AmqpError> {
        let name = stripped(&declare.queue);
        if name.starts_with(REPLY_TO) {
            return self.declare_reply_to(channel, name);
        }
        let name = match declare.passive {
            true => {
                self.queue_for(channel, &name)?;
                name
            }
            false => self.declare_actively(channel, name, declare)?,
        };
        self.declared(channel, name)
    }

    /// Answers with what is in the queue; its time begins anew.
    fn declared(&mut self, channel: ChannelId, name: Name) -> Result<(), AmqpError> {
        let now = self.now;
        let Some(queue) = self.queues.get_mut(&name) else {
            return Err(AmqpError::no_queue(&name));
        };
        queue.touched(now);
        let (messages, consumers) = (queue.ready() as u32, queue.consumer_count() as u32);
        if let Some(channel) = self.channels.get_mut(&channel) {
            channel.last_queue = name.clone();
        }
        let frame = Frame::DeclaredQueue {
            queue: name,
            messages,
            consumers,
        };
        self.send(channel, frame);
        Ok(())
    }

    /// The pseudo queue exists, and so does the address of each consumer of it, with that consumer.
    fn declare_reply_to(&mut self, channel: ChannelId, name: Name) -> Result<(), AmqpError> {
        if &*name != REPLY_TO && self.reply_channel(&name).is_none() {
            return Err(AmqpError::no_queue(&name));
        }
        let frame = Frame::DeclaredQueue {
            queue: name,
            messages: 0,
            consumers: 1,
        };
        self.send(channel, frame);
        Ok(())
    }

    fn declare_actively(&mut self, channel: ChannelId, name: Name, declare: DeclareQueue) -> Result<Name, AmqpError> {
        let name = match &*name {
            "" => self.generated("amq.gen", &declare)?,
            _ => {
                refuse_reserved("queue", &name)?;
                name
            }
        };
        let owner = self.connection_number(channel).filter(|_| declare.exclusive);
        if let Some(current) = self.queues.get(&name) {
            same_queue(current, owner, &declare)?;
            return Ok(name);
        }
        refuse_type(&declare.arguments, "x-dead-letter-exchange", &queue_named(&name))?;
        let queue_type = check_declare(&name, &declare.arguments)?;
        match queue_type {
            QueueType::Quorum => refuse_property(&name, &declare)?,
            QueueType::Classic => refuse_locator(&declare)?,
        }
        self.create_queue(name.clone(), queue_type, owner, declare);
        Ok(name)
    }

    fn create_queue(&mut self, name: Name, queue_type: QueueType, owner: Option<ConnectionId>, declare: DeclareQueue) {
        let id = QueueId(self.number());
        let settings = Rc::new(Settings::of(&declare.arguments));
        let durable = declare.durable && owner.is_none();
        let content = match queue_type {
            QueueType::Classic => {
                let classic = Classic::new(id, durable, declare.auto_delete, settings.clone(), self.now);
                Content::Classic(Box::new(classic))
            }
            QueueType::Quorum => Content::Quorum(Box::new(Quorum::new(settings.clone(), self.now))),
        };
        let queue = Queue {
            id,
            name: name.clone(),
            durable,
            owner,
            auto_delete: declare.auto_delete,
            arguments: declare.arguments,
            settings,
            content,
        };
        self.queue_names.insert(id, name.clone());
        self.queues.insert(name, queue);
    }

    /// A name as the server makes them: its own are random, these follow from a count.
    fn generated(&mut self, prefix: &str, declare: &DeclareQueue) -> Result<Name, AmqpError> {
        if check_declare("", &declare.arguments) == Ok(QueueType::Quorum) {
            return Err(AmqpError::precondition(
                "Cannot declare a server-named queue for type rabbit_quorum_queue",
            ));
        }
        Ok(self.fresh_name(prefix))
    }

    /// `amq.gen-` or `amq.ctag-` with 22 characters.
    pub(super) fn fresh_name(&mut self, prefix: &str) -> Name {
        const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut seed = u64::from(self.number());
        let mut name = format!("{prefix}-");
        for _ in 0..22 {
            // A step of splitmix64.
            seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            name.push(char::from(LETTERS[(mixed >> 58) as usize]));
        }
        name.into()
    }

    pub(super) fn delete_queue(
        &mut self,
        channel: ChannelId,
        name: &str,
        if_unused: bool,
        if_empty: bool,
    ) -> Result<(), AmqpError> {
        let name = self.meant(channel, &stripped(name))?;
        let mut removed = 0;
        if self.queues.contains_key(&name) {
            let queue = self.queue_for(channel, &name)?;
            refuse_delete(queue, if_unused, if_empty)?;
            removed = queue.ready() as u32;
            self.remove_queue(&name);
        }
        self.send(channel, Frame::Removed(removed));
        Ok(())
    }

    pub(super) fn purge(&mut self, channel: ChannelId, name: &str) -> Result<(), AmqpError> {
        let name = self.meant(channel, name)?;
        let id = self.queue_for(channel, &name)?.id;
        self.note_gone(&name);
        let removed = self.on_queue(id, |content, desk| match content {
            Content::Classic(classic) => classic.purge(desk),
            Content::Quorum(quorum) => quorum.purge(desk),
        });
        self.send(channel, Frame::Removed(removed.unwrap_or(0) as u32));
        Ok(())
    }
}

fn locked(name: &str) -> AmqpError {
    let text = format!(
        "cannot obtain exclusive access to locked {}. It could be originally declared on another connection or the \
         exclusive property value does not match that of the original declaration.",
        queue_named(name)
    );
    AmqpError::new(Code::ResourceLocked, &text)
}

fn refuse_type(arguments: &crate::rabbit::value::Table, key: &str, named: &str) -> Result<(), AmqpError> {
    match arguments.get(key) {
        Some(value) if value.text().is_none() => Err(AmqpError::precondition(format!(
            "invalid type '{}' for arg '{key}' in {named}",
            value.kind()
        ))),
        _ => Ok(()),
    }
}

/// A locator that is not known crashes the declaration.
fn refuse_locator(declare: &DeclareQueue) -> Result<(), AmqpError> {
    let known = |name: &str| matches!(name, "min-masters" | "client-local" | "random");
    match declare.arguments.get("x-queue-master-locator") {
        Some(locator) if !locator.text().is_some_and(|name| known(name)) => Err(AmqpError::internal()),
        _ => Ok(()),
    }
}

/// A quorum queue is durable, of nobody, and stays.
fn refuse_property(name: &str, declare: &DeclareQueue) -> Result<(), AmqpError> {
    let property = match declare {
        DeclareQueue { auto_delete: true, .. } => "auto-delete",
        DeclareQueue { exclusive: true, .. } => "exclusive-owner",
        DeclareQueue { durable: false, .. } => "non-durable",
        _ => return Ok(()),
    };
    Err(AmqpError::precondition(format!(
        "invalid property '{property}' for {}",
        queue_named(name)
    )))
}

fn refuse_delete(queue: &Queue, if_unused: bool, if_empty: bool) -> Result<(), AmqpError> {
    let named = queue_named(&queue.name);
    if queue.queue_type() == QueueType::Quorum {
        let flag = match (if_unused, if_empty) {
            (true, _) => "if-unused",
            (_, true) => "if-empty",
            _ => return Ok(()),
        };
        let text = format!(
            "cannot delete {named}. queue.delete operations with {flag} flag set are not supported by quorum queues"
        );
        return Err(AmqpError::new(Code::NotImplemented, &text));
    }
    if if_unused && queue.consumer_count() > 0 {
        return Err(AmqpError::precondition(format!("{named} in use")));
    }
    if if_empty && queue.ready() > 0 {
        return Err(AmqpError::precondition(format!("{named} not empty")));
    }
    Ok(())
}

fn same_exchange(current: &Exchange, kind: Kind, declare: &DeclareExchange) -> Result<(), AmqpError> {
    let what = Declared::Exchange(&current.name);
    same_property(&what, "type", &kind.name(), &current.kind.name())?;
    same_property(&what, "durable", &declare.durable, &current.durable)?;
    same_property(&what, "auto_delete", &declare.auto_delete, &current.auto_delete)?;
    same_property(&what, "internal", &declare.internal, &current.internal)?;
    same_arguments(&what, &declare.arguments, &current.arguments)
}

fn same_queue(current: &Queue, owner: Option<ConnectionId>, declare: &DeclareQueue) -> Result<(), AmqpError> {
    if current.owner != owner {
        return Err(locked(&current.name));
    }
    let what = Declared::Queue(&current.name, current.queue_type());
    let durable = declare.durable && owner.is_none();
    same_property(&what, "durable", &durable, &current.durable)?;
    same_property(&what, "auto_delete", &declare.auto_delete, &current.auto_delete)?;
    same_arguments(&what, &declare.arguments, &current.arguments)
}
