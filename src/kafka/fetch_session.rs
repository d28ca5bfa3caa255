//! Fetch sessions as whoever fetches keeps them (KIP-227): a request names only what has changed since the one before.
//! [FetchSessionHandler]

use super::protocol::ErrorCode;
use super::protocol::data::{FetchPartition, FetchResponse, SessionPoint};
use super::types::TopicPartition;
use crate::ordered::OrderedMap;

/// The session with one node.
#[derive(Clone, Debug)]
pub struct FetchSession {
    next: SessionPoint,
    /// What the node was told last of each partition.
    told: OrderedMap<TopicPartition, FetchPartition>,
}

impl Default for FetchSession {
    fn default() -> Self {
        FetchSession {
            next: SessionPoint::INITIAL,
            told: OrderedMap::new(),
        }
    }
}

/// What the next request says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    pub partitions: Vec<FetchPartition>,
    pub forgotten: Vec<TopicPartition>,
}

impl FetchSession {
    /// Where the next request stands.
    pub fn point(&self) -> SessionPoint {
        self.next
    }

    /// What the node was told last of a partition.
    pub fn told(&self, partition: TopicPartition) -> Option<&FetchPartition> {
        self.told.get(&partition)
    }

    /// The next request is about these partitions and no others.
    pub fn tell_all(&mut self, wanted: Vec<FetchPartition>) -> Told {
        if self.next.is_full() {
            return self.begin(wanted);
        }
        let mut told = Told::default();
        let gone = |known: &&TopicPartition| wanted.iter().all(|asked| asked.partition != **known);
        told.forgotten.extend(self.told.keys().filter(gone).copied());
        for partition in &told.forgotten {
            self.told.remove(partition);
        }
        for asked in wanted {
            self.tell(asked.partition, Some(asked), &mut told);
        }
        told
    }

    /// A full request.
    pub fn begin(&mut self, wanted: Vec<FetchPartition>) -> Told {
        self.told = wanted.iter().map(|asked| (asked.partition, *asked)).collect();
        Told {
            partitions: wanted,
            forgotten: Vec::new(),
        }
    }

    /// Within a session: takes over what is wanted of one partition now, and puts into `told` what is new in it.
    pub fn tell(&mut self, partition: TopicPartition, wanted: Option<FetchPartition>, told: &mut Told) {
        match wanted {
            Some(asked) => {
                if self.told.insert(partition, asked) != Some(asked) {
                    told.partitions.push(asked);
                }
            }
            None => {
                if self.told.remove(&partition).is_some() {
                    told.forgotten.push(partition);
                }
            }
        }
    }

    /// Where the last request stands: it ends the session. [FetchSessionHandler.notifyClose]
    pub fn closing(&self) -> SessionPoint {
        SessionPoint {
            epoch: SessionPoint::NONE.epoch,
            ..self.next
        }
    }

    /// An answer came. False if the node does not know the session: the next request is a full one.
    pub fn answered(&mut self, response: &FetchResponse) -> bool {
        match response.error {
            ErrorCode::None => {}
            ErrorCode::FetchSessionIdNotFound => {
                self.next = SessionPoint::INITIAL;
                return false;
            }
            _ => {
                self.lost();
                return false;
            }
        }
        self.next = if response.session == 0 {
            SessionPoint::INITIAL
        } else if self.next.is_full() {
            SessionPoint {
                id: response.session,
                epoch: 1,
            }
        } else {
            self.next.next()
        };
        true
    }

    /// No answer came: the node is told to close the session, and asked for a new one.
    pub fn lost(&mut self) {
        self.next.epoch = SessionPoint::INITIAL.epoch;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::types::TopicId;

    fn at(partition: i32, offset: i64) -> FetchPartition {
        FetchPartition {
            partition: TopicPartition::new(TopicId(1), partition),
            current_leader_epoch: 0,
            fetch_offset: offset,
            last_fetched_epoch: -1,
            log_start_offset: -1,
            max_bytes: 1_000,
        }
    }

    fn answer(session: i32, error: ErrorCode) -> FetchResponse {
        FetchResponse {
            session,
            error,
            ..FetchResponse::default()
        }
    }

    #[test]
    fn only_changes_are_told() {
        let mut session = FetchSession::default();
        let all = vec![at(0, 5), at(1, 5), at(2, 5)];
        assert_eq!(session.tell_all(all.clone()).partitions, all);
        assert!(session.answered(&answer(9, ErrorCode::None)));
        assert_eq!(session.point(), SessionPoint { id: 9, epoch: 1 });
        let told = session.tell_all(vec![at(0, 5), at(2, 6), at(3, 0)]);
        assert_eq!(told.partitions, [at(2, 6), at(3, 0)]);
        assert_eq!(told.forgotten, [at(1, 0).partition]);
        session.answered(&answer(9, ErrorCode::None));
        assert_eq!(session.point().epoch, 2);
        assert_eq!(session.tell_all(vec![at(0, 5), at(2, 6), at(3, 0)]), Told::default());
    }

    #[test]
    fn after_an_error_everything_is_told_again() {
        let mut session = FetchSession::default();
        session.tell_all(vec![at(0, 5)]);
        session.answered(&answer(9, ErrorCode::None));
        session.lost();
        assert_eq!(session.point(), SessionPoint { id: 9, epoch: 0 }, "closes the old one");
        assert_eq!(session.tell_all(vec![at(0, 5)]).partitions, [at(0, 5)]);
        session.answered(&answer(10, ErrorCode::None));
        assert!(!session.answered(&answer(0, ErrorCode::FetchSessionIdNotFound)));
        assert_eq!(session.point(), SessionPoint::INITIAL);
        session.answered(&answer(0, ErrorCode::None));
        assert_eq!(session.point(), SessionPoint::INITIAL, "no room for a session");
    }
}
