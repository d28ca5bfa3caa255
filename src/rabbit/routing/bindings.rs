//! Bindings, and an index of each exchange's own, in the form that its type asks.

use super::Target;
use super::exchange::{Exchange, Kind};
use super::headers;
use super::topic::TopicIndex;
use crate::ordered::{OrderedMap, OrderedSet};
use crate::rabbit::message::Message;
use crate::rabbit::value::{Name, Table};

/// A binding; all of it is its identity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Binding {
    pub source: Name,
    pub target: Target,
    pub key: Name,
    pub arguments: Table,
}

/// All bindings.
#[derive(Clone, Debug, Default)]
pub struct Bindings {
    all: OrderedSet<Binding>,
    by_source: OrderedMap<Name, Index>,
    by_target: OrderedMap<Target, OrderedSet<Binding>>,
}

/// What one exchange asks for each message.
#[derive(Clone, Debug)]
enum Index {
    /// By key, then target, with how many bindings say so.
    Direct(OrderedMap<Name, OrderedMap<Target, u32>>),
    Fanout(OrderedMap<Target, u32>),
    Topic(TopicIndex<Target>),
    /// The bindings one after the other.
    Headers,
}

impl Bindings {
    /// Whether it is new.
    pub fn insert(&mut self, kind: Kind, binding: Binding) -> bool {
        if !self.all.insert(binding.clone()) {
            return false;
        }
        let index = self
            .by_source
            .entry(binding.source.clone())
            .or_insert_with(|| Index::new(kind));
        index.insert(&binding);
        self.by_target
            .entry(binding.target.clone())
            .or_default()
            .insert(binding);
        true
    }

    /// Whether it was there.
    pub fn remove(&mut self, binding: &Binding) -> bool {
        if !self.all.remove(binding) {
            return false;
        }
        if let Some(index) = self.by_source.get_mut(&binding.source) {
            index.remove(binding);
        }
        if let Some(into) = self.by_target.get_mut(&binding.target) {
            into.remove(binding);
            if into.is_empty() {
                self.by_target.remove(&binding.target);
            }
        }
        if !self.has_source(&binding.source) {
            self.by_source.remove(&binding.source);
        }
        true
    }

    pub fn iter(&self) -> impl Iterator<Item = &Binding> {
        self.all.iter()
    }

    /// The bindings of one exchange as their source, in order.
    pub fn from_source<'a>(&'a self, source: &'a Name) -> impl Iterator<Item = &'a Binding> {
        let first = Binding {
            source: source.clone(),
            target: Target::Exchange("".into()),
            key: "".into(),
            arguments: Table::default(),
        };
        self.all.range(first..).take_while(move |b| b.source == *source)
    }

    pub fn has_source(&self, source: &Name) -> bool {
        self.from_source(source).next().is_some()
    }

    pub fn into_target(&self, target: &Target) -> Vec<Binding> {
        self.by_target.get(target).into_iter().flatten().cloned().collect()
    }

    /// Calls `found` with each target that the exchange's own bindings match; maybe more than once for one.
    pub fn matching<'a>(&'a self, exchange: &'a Exchange, message: &Message, mut found: impl FnMut(&'a Target)) {
        let Some(index) = self.by_source.get(&exchange.name) else {
            return;
        };
        match index {
            Index::Direct(by_key) => {
                for key in message.keys.iter() {
                    by_key
                        .get(key)
                        .into_iter()
                        .flat_map(OrderedMap::keys)
                        .for_each(&mut found);
                }
            }
            Index::Fanout(targets) => targets.keys().for_each(found),
            Index::Topic(index) => {
                for key in message.keys.iter() {
                    index.matching(key, &mut found);
                }
            }
            Index::Headers => {
                let none = Table::default();
                let given = message.properties.headers.as_ref().unwrap_or(&none);
                self.from_source(&exchange.name)
                    .filter(|binding| headers::matches(&binding.arguments, given))
                    .for_each(|binding| found(&binding.target));
            }
        }
    }
}

impl Index {
    fn new(kind: Kind) -> Index {
        match kind {
            Kind::Direct => Index::Direct(OrderedMap::new()),
            Kind::Fanout => Index::Fanout(OrderedMap::new()),
            Kind::Topic => Index::Topic(TopicIndex::default()),
            Kind::Headers => Index::Headers,
        }
    }

    fn insert(&mut self, binding: &Binding) {
        let target = binding.target.clone();
        match self {
            Index::Direct(by_key) => {
                *by_key
                    .entry(binding.key.clone())
                    .or_default()
                    .entry(target)
                    .or_insert(0) += 1;
            }
            Index::Fanout(targets) => *targets.entry(target).or_insert(0) += 1,
            Index::Topic(index) => index.insert(&binding.key, target),
            Index::Headers => {}
        }
    }

    fn remove(&mut self, binding: &Binding) {
        match self {
            Index::Direct(by_key) => {
                if let Some(targets) = by_key.get_mut(&binding.key) {
                    take_one(targets, &binding.target);
                    if targets.is_empty() {
                        by_key.remove(&binding.key);
                    }
                }
            }
            Index::Fanout(targets) => take_one(targets, &binding.target),
            Index::Topic(index) => index.remove(&binding.key, &binding.target),
            Index::Headers => {}
        }
    }
}

fn take_one(targets: &mut OrderedMap<Target, u32>, target: &Target) {
    if let Some(count) = targets.get_mut(target) {
        *count -= 1;
        if *count == 0 {
            targets.remove(target);
        }
    }
}
