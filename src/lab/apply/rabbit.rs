//! RabbitMQ's brokers and clients: made, and told what to do.

use super::Refusal;
use crate::lab::language::ast::{
    AckHabit, Argument, Arguments, Binding, Command, DEFAULT_EXCHANGE, Delete, Exchange, Name, OnFailure, Publish,
    Publisher, Queue, Rabbit, Settle, SettleVerb, Subscriber, Value,
};
use crate::lab::ledger::{Handed, System};
use crate::lab::node::Node;
use crate::lab::world::{Role, World};
use crate::rabbit::client::Client;
use crate::rabbit::client::operator::{Operator, OperatorOrder};
use crate::rabbit::client::publisher::{Publisher as Publishing, PublisherOrder, PublisherSettings};
use crate::rabbit::client::subscriber::{
    AckMode, Settle as How, SettleOrder, Subscriber as Subscribing, SubscriberSettings,
};
use crate::rabbit::message::Properties;
use crate::rabbit::protocol::{Bind, DeclareExchange, DeclareQueue, Method};
use crate::rabbit::value::{Decimal, Field, Table};
use crate::rabbit::wire::Order;
use crate::sim::{HostId, ProcId, Span};
use std::rc::Rc;

impl World {
    pub(in crate::lab) fn apply_rabbit(&mut self, command: &Command) -> Result<(), Refusal> {
        match command {
            Command::Rabbit(rabbit) => {
                for id in self.place_rabbits(rabbit)? {
                    self.sim.start(id);
                }
                Ok(())
            }
            Command::Publisher(publisher) => self.apply_publishers(publisher),
            Command::Subscriber(subscriber) => self.apply_subscribers(subscriber),
            Command::Publish(publish) => self.apply_publish(publish),
            Command::Settle(settle) => self.apply_settle(settle),
            other => match method(other) {
                Some(method) => self.declare(method).map(|_| ()),
                None => Ok(()),
            },
        }
    }

    /// Adds brokers that are not started yet.
    pub(in crate::lab) fn place_rabbits(&mut self, rabbit: &Rabbit) -> Result<Vec<ProcId>, Refusal> {
        let mut added = Vec::new();
        for name in &rabbit.names {
            self.check_new(name)?;
            let host = self.host(rabbit.on.as_deref().unwrap_or(name));
            added.push(self.enter(name, host, Role::Rabbit, Node::Rabbit(Box::default())));
        }
        Ok(added)
    }

    /// The host of the broker that clients connect to.
    fn rabbit_host(&self) -> Result<HostId, Refusal> {
        let broker = self.rabbits().next().map(|(id, _)| id);
        broker
            .map(|id| self.sim.host_of(id))
            .ok_or_else(|| "there is no RabbitMQ broker: say `rabbit r1` first".into())
    }

    /// The operator's client asks the broker for something; the number of the question.
    ///
    /// # Errors
    /// If there is no broker.
    pub(in crate::lab) fn declare(&mut self, method: Method) -> Result<u32, Refusal> {
        let broker = self.rabbit_host()?;
        let number = self.next_call().0;
        let operator = match self.rabbit_operator() {
            Some((id, _)) => id,
            None => {
                let client = Client::new(broker, Operator::default());
                self.add_tool("rabbitmqadmin", "laptop", Node::Operator(Box::new(client)))
            }
        };
        self.sim
            .order(operator, Order::Operator(OperatorOrder { number, method }));
        Ok(number)
    }

    /// RabbitMQ's operator, if anything was asked of it.
    pub(in crate::lab) fn rabbit_operator(&self) -> Option<(ProcId, &Operator)> {
        let mut all = self.processes().filter(|(_, role)| *role == Role::Operator);
        all.find_map(|(id, _)| match self.sim.process(id) {
            Node::Operator(client) => Some((id, &client.application)),
            _ => None,
        })
    }

    fn apply_publishers(&mut self, publisher: &Publisher) -> Result<(), Refusal> {
        for name in &publisher.names {
            self.check_new(name)?;
            let node = self.publisher_node(publisher)?;
            let one = Publisher {
                names: vec![name.clone()],
                ..publisher.clone()
            };
            self.add_client(
                name,
                publisher.on.as_ref(),
                Role::Publisher,
                node,
                Command::Publisher(one),
            );
        }
        Ok(())
    }

    fn apply_subscribers(&mut self, subscriber: &Subscriber) -> Result<(), Refusal> {
        for name in &subscriber.names {
            self.check_new(name)?;
            let node = self.subscriber_node(name, subscriber)?;
            let one = Subscriber {
                names: vec![name.clone()],
                ..subscriber.clone()
            };
            self.add_client(
                name,
                subscriber.on.as_ref(),
                Role::Subscriber,
                node,
                Command::Subscriber(one),
            );
        }
        Ok(())
    }

    fn add_client(&mut self, name: &Name, on: Option<&Name>, role: Role, node: Node, recipe: Command) {
        let host = self.host(on.unwrap_or(name));
        let id = self.enter(name, host, role, node);
        self.remember(recipe, name);
        self.sim.start(id);
    }

    /// A new process for a publisher's line.
    pub(in crate::lab) fn publisher_node(&self, publisher: &Publisher) -> Result<Node, Refusal> {
        let settings = PublisherSettings {
            confirm: publisher.confirm,
            mandatory: publisher.mandatory,
            persistent: publisher.persistent,
        };
        let client = Client::new(self.rabbit_host()?, Publishing::new(settings));
        Ok(Node::Publisher(Box::new(client)))
    }

    /// A new process for a subscriber's line.
    pub(in crate::lab) fn subscriber_node(&self, name: &Name, subscriber: &Subscriber) -> Result<Node, Refusal> {
        let requeue = subscriber.on_failure == OnFailure::Requeue;
        let settings = SubscriberSettings {
            queue: subscriber.queue.clone(),
            tag: name.clone(),
            prefetch: subscriber.prefetch,
            work: Span::us(subscriber.work_us),
            ack: match subscriber.ack {
                AckHabit::After => AckMode::After,
                AckHabit::Before => AckMode::Before,
                AckHabit::Auto => AckMode::Auto,
                AckHabit::Manual => AckMode::Manual,
            },
            priority: subscriber.priority,
            exclusive: subscriber.exclusive,
            poison: subscriber.fails.clone().map(|body| (body, requeue)),
        };
        let client = Client::new(self.rabbit_host()?, Subscribing::new(settings));
        Ok(Node::Subscriber(Box::new(client)))
    }

    fn client_named(&self, name: &str, role: Role, what: &str) -> Result<ProcId, Refusal> {
        let id = self.named(name)?;
        match self.role(id) == role {
            true if self.runs(id) => Ok(id),
            true => Err(format!("`{name}` does not run")),
            false => Err(format!("`{name}` is not a {what}")),
        }
    }

    fn apply_publish(&mut self, publish: &Publish) -> Result<(), Refusal> {
        let client = self.client_named(&publish.client, Role::Publisher, "publisher")?;
        let properties = Rc::new(Properties {
            headers: (!publish.headers.is_empty()).then(|| table(&publish.headers)),
            delivery_mode: publish.delivery_mode,
            priority: publish.priority,
            expiration: publish.expiration.map(|ms| ms.to_string().into()),
            ..Properties::default()
        });
        for number in 1..=publish.count {
            let body = match &publish.value {
                Value::Text(text) if publish.count == 1 => text.to_string(),
                Value::Text(text) => format!("{text}-{number}"),
                Value::Auto | Value::Null => format!("{}-{}", publish.client, self.ledger.len() + 1),
            };
            let key = publish.key.clone();
            self.publish_text(
                client,
                &publish.exchange,
                (key.clone(), Some(key)),
                properties.clone(),
                &body,
            );
        }
        Ok(())
    }

    /// A publisher is told to publish one message: its routing key, and the key by which its order is judged.
    pub(in crate::lab) fn publish_text(
        &mut self,
        client: ProcId,
        exchange: &Name,
        (routing, key): (Name, Option<Name>),
        properties: Rc<Properties>,
        body: &str,
    ) {
        if !self.runs(client) {
            return;
        }
        let body: Rc<str> = body.into();
        let origin = self.ledger.hand_over(Handed {
            system: System::Rabbit,
            client: self.name(client).clone(),
            topic: exchange.clone(),
            key,
            value: Some(body.clone()),
            at: self.sim.now(),
        });
        let order = PublisherOrder {
            origin,
            exchange: exchange_name(exchange),
            key: routing,
            properties,
            body,
        };
        self.sim.order(client, Order::Publisher(order));
    }

    fn apply_settle(&mut self, settle: &Settle) -> Result<(), Refusal> {
        let requeue = settle.requeue;
        let order = SettleOrder {
            how: match settle.verb {
                SettleVerb::Ack => How::Ack,
                SettleVerb::Nack => How::Nack { requeue },
                SettleVerb::Reject => How::Reject { requeue },
            },
            multiple: settle.multiple,
        };
        for name in &settle.subscribers {
            let id = self.client_named(name, Role::Subscriber, "subscriber")?;
            let in_hand = self.subscriber(id).map_or(0, |s| s.application.inbox().count());
            if in_hand == 0 {
                return Err(format!("`{name}` has nothing in hand"));
            }
            self.sim.order(id, Order::Settle(order));
        }
        Ok(())
    }
}

/// An exchange by the language's name.
fn exchange_name(name: &Name) -> Name {
    match &**name {
        DEFAULT_EXCHANGE => Name::default(),
        _ => name.clone(),
    }
}

fn table(arguments: &Arguments) -> Table {
    let field = |value: &Argument| match value {
        Argument::Text(text) => Field::Text(text.clone()),
        Argument::Whole(n) => Field::whole(*n),
        Argument::Bool(value) => Field::Bool(*value),
        Argument::Decimal(text) => Decimal::parse(text).map_or_else(|| Field::Text(text.clone()), Field::Double),
    };
    Table::new(
        arguments
            .iter()
            .map(|(name, value)| (name.clone(), field(value)))
            .collect(),
    )
}

/// The method that a command of the operator is.
pub(in crate::lab) fn method(command: &Command) -> Option<Method> {
    Some(match command {
        Command::Exchange(exchange) => declare_exchange(exchange),
        Command::Queue(queue) => declare_queue(queue),
        Command::Bind(binding) if binding.to_exchange => Method::BindExchange(bind(binding)),
        Command::Bind(binding) => Method::BindQueue(bind(binding)),
        Command::Unbind(binding) if binding.to_exchange => Method::UnbindExchange(bind(binding)),
        Command::Unbind(binding) => Method::UnbindQueue(bind(binding)),
        Command::Purge(queue) => Method::Purge(queue.clone()),
        Command::Delete(Delete::Queue(queue)) => Method::DeleteQueue {
            queue: queue.clone(),
            if_unused: false,
            if_empty: false,
        },
        Command::Delete(Delete::Exchange(exchange)) => Method::DeleteExchange {
            exchange: exchange_name(exchange),
            if_unused: false,
        },
        _ => return None,
    })
}

fn declare_exchange(exchange: &Exchange) -> Method {
    Method::DeclareExchange(DeclareExchange {
        exchange: exchange.name.clone(),
        kind: exchange.kind.clone(),
        passive: false,
        durable: exchange.durable,
        auto_delete: exchange.auto_delete,
        internal: exchange.internal,
        arguments: table(&exchange.arguments),
    })
}

fn declare_queue(queue: &Queue) -> Method {
    Method::DeclareQueue(DeclareQueue {
        queue: queue.name.clone(),
        passive: false,
        durable: queue.durable,
        exclusive: queue.exclusive,
        auto_delete: queue.auto_delete,
        arguments: table(&queue.arguments),
    })
}

fn bind(binding: &Binding) -> Bind {
    Bind {
        source: exchange_name(&binding.source),
        destination: exchange_name(&binding.destination),
        key: binding.key.clone(),
        arguments: table(&binding.arguments),
    }
}
