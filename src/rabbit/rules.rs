//! The broker's rules by name, each with where RabbitMQ 3.10.8 has it.

use super::dead_letter::Reason;
use crate::sim::rule::Rule;

pub static ROUTE: Rule = Rule {
    name: "exchange/route",
    about: "An exchange sends a message to every queue that its bindings match, one copy to each.",
    source: "rabbit_exchange:route/2",
};

pub static MANDATORY: Rule = Rule {
    name: "publish/mandatory",
    about: "A message that matches no queue is dropped without a word; with mandatory it is returned to its publisher.",
    source: "rabbit_channel:process_routing_mandatory/4",
};

pub static ENQUEUE: Rule = Rule {
    name: "queue/enqueue",
    about: "A message goes to a consumer with room at once if none waits before it, else to the end of the queue.",
    source: "rabbit_amqqueue_process:deliver_or_enqueue/3",
};

pub static REJECT_PUBLISH: Rule = Rule {
    name: "queue/reject-publish",
    about: "A full queue with x-overflow=reject-publish takes nothing new: the publisher hears a nack, if it uses confirms.",
    source: "rabbit_amqqueue_process:maybe_deliver_or_enqueue/3",
};

pub static ROUND_ROBIN: Rule = Rule {
    name: "queue/round-robin",
    about: "Consumers take turns, those of the highest priority first; one whose prefetch is used up is passed over.",
    source: "rabbit_queue_consumers:deliver/6",
};

pub static ACK: Rule = Rule {
    name: "channel/ack",
    about: "An acknowledged message is removed for good; without acknowledgements it is removed when it is sent.",
    source: "rabbit_channel:settle_acks/2",
};

pub static REQUEUE: Rule = Rule {
    name: "queue/requeue",
    about: "A message that comes back stands where it stood, marked as redelivered (quorum queues: before all, or at the end).",
    source: "rabbit_amqqueue_process:requeue_and_run/2, rabbit_fifo:return_one/6",
};

pub static CONFIRM: Rule = Rule {
    name: "publish/confirm",
    about: "A publish is confirmed when every queue that it was routed to has taken it: persistent ones when they are on disk.",
    source: "rabbit_channel:process_routing_confirm/5",
};

pub static PUBLISH: Rule = Rule {
    name: "publish/send",
    about: "A publisher does not wait for an answer; without confirms it never learns what became of a message.",
    source: "basic.publish, AMQP 0-9-1",
};

pub static WORK: Rule = Rule {
    name: "consumer/work",
    about: "The application has done its work; the broker learns of it by the acknowledgement only.",
    source: "basic.ack, AMQP 0-9-1",
};

pub static GONE: Rule = Rule {
    name: "queue/gone",
    about: "A purge, the end of a queue and a restart take messages without dead-lettering; only persistent ones in durable queues survive a restart.",
    source: "rabbit_amqqueue_process:terminate_delete/3, rabbit_variable_queue:init/6",
};

pub static CHANNEL_ERROR: Rule = Rule {
    name: "channel/error",
    about: "A refused method closes its channel; codes from 500 on, its connection. What was not acknowledged returns to the queues.",
    source: "rabbit_channel:handle_exception/2",
};

pub static CONNECTION_LOST: Rule = Rule {
    name: "connection/lost",
    about: "When a connection ends its consumers leave, what they had returns to the queues, and exclusive queues are deleted. A silent one ends after two missed heartbeats.",
    source: "rabbit_reader:handle_other/2, rabbit_amqqueue_process:handle_ch_down/2",
};

pub static QUEUE_DELETED: Rule = Rule {
    name: "queue/deleted",
    about: "A queue ends when it is deleted, when its last consumer leaves (auto-delete), when its connection ends (exclusive), or unused for x-expires.",
    source: "rabbit_amqqueue_process:should_auto_delete/1, maybe_expire",
};

pub static RECOVERED: Rule = Rule {
    name: "queue/recovered",
    about: "Durable queues come back with the persistent messages that had reached the disk; after a crash all count as redelivered.",
    source: "rabbit_amqqueue:recover/1, rabbit_queue_index:recover/5",
};

static REJECTED: Rule = Rule {
    name: "dead-letter/rejected",
    about: "A message that is rejected without requeue goes to the queue's dead-letter exchange, or is dropped if there is none.",
    source: "rabbit_amqqueue_process:dead_letter_rejected_msgs/3",
};

static EXPIRED: Rule = Rule {
    name: "dead-letter/expired",
    about: "A message whose time is over dies as soon as it is the first of its queue, not before.",
    source: "rabbit_amqqueue_process:drop_expired_msgs/2",
};

static MAX_LENGTH: Rule = Rule {
    name: "dead-letter/maxlen",
    about: "A queue over its limit drops from its head (drop-head), or hands the new message on (reject-publish-dlx).",
    source: "rabbit_amqqueue_process:maybe_drop_head/2",
};

static DELIVERY_LIMIT: Rule = Rule {
    name: "dead-letter/delivery-limit",
    about: "A quorum queue gives up a message that has been returned more often than x-delivery-limit.",
    source: "rabbit_fifo:return_one/6",
};

/// The rule by which a message dies.
pub fn death(reason: Reason) -> &'static Rule {
    match reason {
        Reason::Rejected => &REJECTED,
        Reason::Expired => &EXPIRED,
        Reason::MaxLen => &MAX_LENGTH,
        Reason::DeliveryLimit => &DELIVERY_LIMIT,
    }
}
