//! Exchanges, bindings, and where a message goes.

pub mod bindings;
pub mod exchange;
pub mod explain;
pub mod headers;
pub mod topic;

use super::message::Message;
use super::value::Name;
use crate::ordered::{OrderedMap, OrderedSet};
use bindings::Bindings;
use exchange::Exchange;
use std::rc::Rc;

/// What a binding leads to. Queues and exchanges are separate spaces of names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    Exchange(Name),
    Queue(Name),
}

impl Target {
    pub fn name(&self) -> &Name {
        match self {
            Target::Exchange(name) | Target::Queue(name) => name,
        }
    }
}

/// All exchanges and bindings of the virtual host.
#[derive(Clone, Debug)]
pub struct Topology {
    pub exchanges: Rc<OrderedMap<Name, Exchange>>,
    pub bindings: Rc<Bindings>,
}

impl Default for Topology {
    fn default() -> Self {
        let exchanges = exchange::predeclared().map(|x| (x.name.clone(), x)).collect();
        Topology {
            exchanges: Rc::new(exchanges),
            bindings: Rc::default(),
        }
    }
}

impl Topology {
    pub fn exchange(&self, name: &str) -> Option<&Exchange> {
        self.exchanges.get(name)
    }

    /// The queues that a message published to this exchange goes to, by name, each once. The default exchange names
    /// queues by the keys; they may not exist.
    pub fn route(&self, exchange: &Exchange, message: &Message) -> OrderedSet<Name> {
        if exchange.name.is_empty() {
            return message.keys.iter().cloned().collect();
        }
        let mut queues = OrderedSet::new();
        let mut seen: OrderedSet<Name> = OrderedSet::from([exchange.name.clone()]);
        let mut work = vec![exchange];
        while let Some(hop) = work.pop() {
            let mut matched = OrderedSet::new();
            self.bindings.matching(hop, message, |target| {
                matched.insert(target.clone());
            });
            if matched.is_empty() {
                // The alternate is looked up for each message: it may be created later.
                matched.extend(hop.alternate().cloned().map(Target::Exchange));
            }
            for target in matched {
                match target {
                    Target::Queue(queue) => {
                        queues.insert(queue);
                    }
                    Target::Exchange(name) => {
                        let Some(next) = self.exchange(&name) else { continue };
                        if seen.insert(name) {
                            work.push(next);
                        }
                    }
                }
            }
        }
        queues
    }
}
