//! The map and the set do what the standard ones do, whatever is asked of them.

#![expect(clippy::disallowed_types, reason = "what ours are compared with")]

use super::{Entry, OrderedMap, OrderedSet};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug)]
enum Act {
    Insert(u8, u16),
    Remove(u8),
    Add(u8, u16),
    EntryRemove(u8),
    PopFirst,
    PopLast,
    Retain(u8),
    SplitOff(u8),
    Extend(Vec<(u8, u16)>),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => any::<(u8, u16)>().prop_map(|(k, v)| Act::Insert(k, v)),
        2 => any::<u8>().prop_map(Act::Remove),
        3 => any::<(u8, u16)>().prop_map(|(k, v)| Act::Add(k, v)),
        1 => any::<u8>().prop_map(Act::EntryRemove),
        1 => Just(Act::PopFirst),
        1 => Just(Act::PopLast),
        1 => (1..9u8).prop_map(Act::Retain),
        1 => any::<u8>().prop_map(Act::SplitOff),
        1 => any::<Vec<(u8, u16)>>().prop_map(Act::Extend),
    ]
}

fn play(act: Act, ours: &mut OrderedMap<u8, u16>, theirs: &mut BTreeMap<u8, u16>) {
    match act {
        Act::Insert(key, value) => assert_eq!(ours.insert(key, value), theirs.insert(key, value)),
        Act::Remove(key) => assert_eq!(ours.remove(&key), theirs.remove(&key)),
        Act::Add(key, by) => {
            let add = |value: &mut u16| *value = value.wrapping_add(by);
            ours.entry(key).and_modify(add).or_insert(by);
            theirs.entry(key).and_modify(add).or_insert(by);
        }
        Act::EntryRemove(key) => match ours.entry(key) {
            Entry::Occupied(entry) => assert_eq!(Some(entry.remove()), theirs.remove(&key)),
            Entry::Vacant(_) => assert!(!theirs.contains_key(&key)),
        },
        Act::PopFirst => assert_eq!(ours.pop_first(), theirs.pop_first()),
        Act::PopLast => assert_eq!(ours.pop_last(), theirs.pop_last()),
        Act::Retain(by) => {
            ours.retain(|key, _| key % by != 0);
            theirs.retain(|key, _| key % by != 0);
        }
        Act::SplitOff(key) => assert!(ours.split_off(&key).into_iter().eq(theirs.split_off(&key))),
        Act::Extend(entries) => {
            assert!(
                entries
                    .iter()
                    .copied()
                    .collect::<OrderedMap<_, _>>()
                    .into_iter()
                    .eq(entries.iter().copied().collect::<BTreeMap<_, _>>())
            );
            ours.extend(entries.iter().copied());
            theirs.extend(entries);
        }
    }
}

proptest! {
    #[test]
    fn a_map_does_what_the_standard_map_does(
        acts in proptest::collection::vec(act(), 0..40),
        from: u8,
        to: u8,
    ) {
        let (mut ours, mut theirs) = (OrderedMap::new(), BTreeMap::new());
        for act in acts {
            play(act, &mut ours, &mut theirs);
            prop_assert!(ours.iter().eq(theirs.iter()));
        }
        prop_assert!(ours.iter().rev().eq(theirs.iter().rev()));
        prop_assert_eq!(ours.get(&from), theirs.get(&from));
        prop_assert_eq!(ours.first_key_value(), theirs.first_key_value());
        prop_assert_eq!(ours.last_key_value(), theirs.last_key_value());
        let (from, to) = (from.min(to), from.max(to));
        prop_assert!(ours.range(from..to).eq(theirs.range(from..to)));
        prop_assert!(ours.range(from..=to).eq(theirs.range(from..=to)));
        prop_assert!(ours.range_mut(from..).eq(theirs.range_mut(from..)));
    }

    #[test]
    fn a_set_does_what_the_standard_set_does(a: Vec<u8>, b: Vec<u8>, x: u8) {
        let sets = (a.iter().copied().collect::<OrderedSet<u8>>(), b.iter().copied().collect::<OrderedSet<u8>>());
        let standard: (BTreeSet<u8>, BTreeSet<u8>) = (a.iter().copied().collect(), b.iter().copied().collect());
        prop_assert!(sets.0.iter().eq(standard.0.iter()));
        prop_assert!(sets.0.union(&sets.1).eq(standard.0.union(&standard.1)));
        prop_assert!(sets.0.intersection(&sets.1).eq(standard.0.intersection(&standard.1)));
        prop_assert!(sets.0.difference(&sets.1).eq(standard.0.difference(&standard.1)));
        prop_assert_eq!(sets.0.is_subset(&sets.1), standard.0.is_subset(&standard.1));
        prop_assert_eq!(sets.0.is_disjoint(&sets.1), standard.0.is_disjoint(&standard.1));
        prop_assert!(sets.0.range(x..).eq(standard.0.range(x..)));
        let (mut ours, mut theirs) = (sets.0, standard.0);
        prop_assert_eq!(ours.insert(x), theirs.insert(x));
        prop_assert_eq!(ours.insert(x), theirs.insert(x));
        prop_assert_eq!(ours.remove(&x), theirs.remove(&x));
        prop_assert_eq!(ours.pop_first(), theirs.pop_first());
        prop_assert!(ours.iter().eq(theirs.iter()));
    }
}
