//! What is concerned by the selection, or by the answer to "why?"; everything else steps back.

use crate::lab::view::{FlightView, View, WhyLink};
use crate::ordered::OrderedSet;
use crate::ui::acts::consumers;
use crate::ui::state::Selection;

/// What stays in front.
#[derive(Clone, Debug, PartialEq)]
pub struct Concern {
    pub processes: OrderedSet<String>,
    /// Only rows of this partition.
    pub partition: Option<(String, i32)>,
}

impl Concern {
    /// What is concerned; `None`: nothing is picked, or what is picked concerns everything.
    pub fn of(
        view: &View,
        flights: &[FlightView],
        selection: Option<&Selection>,
        why: Option<&[WhyLink]>,
    ) -> Option<Concern> {
        if let Some(chain) = why {
            return of_answer(view, chain);
        }
        match selection? {
            Selection::Process(name) => of_process(view, name),
            Selection::Link(a, b) => Some(of_names([a.clone(), b.clone()])),
            Selection::Message(id) => {
                let flight = flights.iter().find(|flight| flight.id == *id)?;
                Some(of_names([flight.from.to_string(), flight.to.to_string()]))
            }
            Selection::Replica { topic, partition, .. } | Selection::Record { topic, partition, .. } => {
                Some(of_partition(view, topic, *partition))
            }
        }
    }

    /// Whether a process stays in front.
    pub fn has(&self, process: &str) -> bool {
        self.processes.contains(process)
    }
}

fn of_names(names: impl IntoIterator<Item = String>) -> Concern {
    Concern {
        processes: names.into_iter().collect(),
        partition: None,
    }
}

/// Those whom the links speak of.
fn of_answer(view: &View, chain: &[WhyLink]) -> Option<Concern> {
    let known = crate::ui::acts::all_names(view);
    let mut names: OrderedSet<String> = OrderedSet::new();
    for link in chain {
        let words = link
            .sentence
            .split(|c: char| !c.is_alphanumeric() && !matches!(c, '-' | '_' | '.'));
        for word in words.chain([link.who.as_str()]) {
            if known.contains(&word) {
                names.insert(word.to_owned());
            }
        }
    }
    (!names.is_empty()).then_some(Concern {
        processes: names,
        partition: None,
    })
}

/// A client and the brokers that it talks with; a server talks with everybody.
fn of_process(view: &View, name: &str) -> Option<Concern> {
    let leaders = |wanted: &dyn Fn(&str, i32) -> bool| -> Vec<String> {
        let all = view.topics.iter().filter(|topic| !topic.internal);
        let partitions = all.flat_map(|topic| topic.partitions.iter().map(move |p| (topic, p)));
        let led = partitions.filter(|(topic, p)| wanted(&topic.name, p.partition));
        led.filter_map(|(_, p)| p.leader.clone()).collect()
    };
    let mut names = if let Some(reader) = consumers(view).find(|c| c.name == name) {
        let has = |topic: &str, partition: i32| {
            reader
                .assignment
                .iter()
                .any(|a| a.topic == topic && a.partition == partition)
        };
        let group = view.groups.iter().find(|g| g.members.iter().any(|m| m.name == name));
        let mut names = leaders(&has);
        names.extend(group.and_then(|g| g.coordinator.clone()));
        names
    } else {
        view.producers.iter().find(|p| p.name == name)?;
        leaders(&|_, _| true)
    };
    names.push(name.to_owned());
    Some(of_names(names))
}

/// Everybody who has the partition, writes or reads it.
fn of_partition(view: &View, topic: &str, partition: i32) -> Concern {
    let holders = view
        .brokers
        .iter()
        .filter(|b| b.replicas.iter().any(|r| r.topic == topic && r.partition == partition));
    let readers = consumers(view).filter(|c| {
        c.assignment
            .iter()
            .any(|a| a.topic == topic && a.partition == partition)
    });
    let writers = view.producers.iter().map(|p| p.name.clone());
    let names = holders
        .map(|b| b.name.clone())
        .chain(readers.map(|c| c.name.clone()))
        .chain(writers);
    Concern {
        partition: Some((topic.to_owned(), partition)),
        ..of_names(names)
    }
}
