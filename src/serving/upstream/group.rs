//! The servers of a group as one worker sees them, and the pick.

use super::config::{Method, Server};
use super::hash::{IP_HASH_START, Ring, ip_hash, key_hash};
use super::request::Client;
use crate::sim::clock::Time;
use std::rc::Rc;

/// A second before all others: what has not happened yet lies there.
const LONG_AGO: i64 = i64::MIN / 4;

/// After so many misses `ip_hash` and `hash` give up and go round robin.
const MISSES: u32 = 20;

/// The heaviest weight: the ring of `hash ... consistent` has 160 points for each unit.
pub const HEAVIEST: u32 = 1_000;

/// A server's state in one worker. Times are whole seconds, as nginx counts them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    pub server: Server,
    /// Current weight of the smooth round robin.
    pub current_weight: i64,
    /// The weight that failures take from and picks give back to.
    pub effective_weight: i64,
    /// Requests that it is working on.
    pub conns: u32,
    pub fails: u32,
    accessed: i64,
    checked: i64,
}

/// Why a server is passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// Marked `down` in the configuration.
    Down,
    /// `max_fails` failures, and `fail_timeout` has not passed.
    Failed,
    /// `max_conns` requests are with it.
    Full,
}

impl Peer {
    fn new(server: Server) -> Peer {
        Peer {
            current_weight: 0,
            effective_weight: i64::from(server.weight),
            conns: 0,
            fails: 0,
            accessed: LONG_AGO,
            checked: LONG_AGO,
            server,
        }
    }

    /// Why it cannot be picked at this second, if so.
    pub fn unusable(&self, now_s: i64) -> Option<Unusable> {
        if self.server.down {
            Some(Unusable::Down)
        } else if self.server.max_fails > 0
            && self.fails >= self.server.max_fails
            && now_s - self.checked <= i64::from(self.server.fail_timeout_s)
        {
            Some(Unusable::Failed)
        } else if self.full() {
            Some(Unusable::Full)
        } else {
            None
        }
    }

    fn full(&self) -> bool {
        self.server.max_conns > 0 && self.conns >= self.server.max_conns
    }

    /// Its turn in the smooth round robin: what it adds to the total.
    fn advance(&mut self) -> i64 {
        let added = self.effective_weight;
        self.current_weight += added;
        if self.effective_weight < i64::from(self.server.weight) {
            self.effective_weight += 1;
        }
        added
    }

    /// The request that finds it again after `fail_timeout` is its probe: others go on passing it over.
    fn taken(&mut self, now_s: i64) {
        if now_s - self.checked > i64::from(self.server.fail_timeout_s) {
            self.checked = now_s;
        }
        self.conns += 1;
    }
}

/// A server's place: among the primaries or the backups, and the number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub backup: bool,
    pub index: usize,
}

/// A request's own part of the choice: what it has tried, and how far its hash has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// The primaries had nobody: from now on the backups are asked.
    in_backups: bool,
    tried: Vec<bool>,
    /// Tries that are left.
    pub(super) tries: u32,
    misses: u32,
    hash: u32,
    rounds: u32,
    position: usize,
    key: String,
}

/// An upstream group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    method: Method,
    primaries: Vec<Peer>,
    backups: Vec<Peer>,
    ring: Rc<Ring>,
}

impl Upstream {
    /// The group at the start or after a reload: no failures, no weights used up.
    ///
    /// # Errors
    /// What nginx refuses to start with.
    pub fn new(method: Method, servers: Vec<Server>) -> Result<Upstream, String> {
        if servers.iter().any(|server| server.weight == 0) {
            return Err("invalid parameter \"weight=0\"".into());
        }
        if let Some(heavy) = servers.iter().find(|server| server.weight > HEAVIEST) {
            let weight = heavy.weight;
            return Err(format!(
                "weight={weight} is more than {HEAVIEST}, the most that is simulated"
            ));
        }
        let hashes = matches!(method, Method::IpHash | Method::Hash { .. });
        if hashes && servers.iter().any(|server| server.backup) {
            return Err("balancing method does not support parameter \"backup\"".into());
        }
        let (backups, primaries): (Vec<Server>, Vec<Server>) = servers.into_iter().partition(|server| server.backup);
        if primaries.is_empty() {
            return Err("no servers in upstream".into());
        }
        let consistent = matches!(method, Method::Hash { consistent: true, .. });
        Ok(Upstream {
            ring: Rc::new(if consistent {
                Ring::new(&primaries)
            } else {
                Ring::default()
            }),
            method,
            primaries: primaries.into_iter().map(Peer::new).collect(),
            backups: backups.into_iter().map(Peer::new).collect(),
        })
    }

    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Primaries and backups, each in the order of the configuration.
    pub fn peers(&self) -> impl Iterator<Item = (Place, &Peer)> {
        let places = |backup: bool| move |(index, peer)| (Place { backup, index }, peer);
        let primaries = self.primaries.iter().enumerate().map(places(false));
        primaries.chain(self.backups.iter().enumerate().map(places(true)))
    }

    pub fn peer(&self, place: Place) -> &Peer {
        &self.list(place.backup)[place.index]
    }

    /// The only server of a group is tried whatever has happened, and never marked.
    pub fn single(&self) -> bool {
        self.primaries.len() == 1 && self.backups.is_empty()
    }

    fn list(&self, backup: bool) -> &Vec<Peer> {
        if backup { &self.backups } else { &self.primaries }
    }

    fn list_mut(&mut self, backup: bool) -> &mut Vec<Peer> {
        if backup { &mut self.backups } else { &mut self.primaries }
    }

    /// A request begins its search.
    pub(super) fn search(&self, client: &Client, limit: u32) -> Search {
        let up = |peers: &[Peer]| peers.iter().filter(|peer| !peer.server.down).count() as u32;
        let all = up(&self.primaries) + up(&self.backups);
        let key = match &self.method {
            Method::Hash { key, .. } => client.expand(key),
            _ => String::new(),
        };
        Search {
            in_backups: false,
            tried: vec![false; self.primaries.len()],
            tries: if limit > 0 { all.min(limit) } else { all },
            misses: 0,
            hash: if self.method == Method::IpHash {
                IP_HASH_START
            } else {
                0
            },
            rounds: 0,
            position: self.ring.position(&key),
            key,
        }
    }

    /// Picks a server for the next try; none: `no live upstreams`.
    pub(super) fn pick(&mut self, search: &mut Search, client: &Client, now: Time) -> Option<Place> {
        let now_s = seconds(now);
        if self.single() {
            return self.pick_single(now_s);
        }
        let by_hash = match &self.method {
            Method::IpHash => self.pick_by_slot(search, client, now_s),
            Method::Hash { consistent: false, .. } if !search.key.is_empty() => {
                self.pick_by_slot(search, client, now_s)
            }
            Method::Hash { consistent: true, .. } if !search.key.is_empty() => self.pick_on_ring(search, now_s),
            _ => None,
        };
        let index = by_hash.or_else(|| self.pick_by_weight(search, now_s))?;
        search.tried[index] = true;
        let place = Place {
            backup: search.in_backups,
            index,
        };
        self.list_mut(place.backup)[index].taken(now_s);
        Some(place)
    }

    fn pick_single(&mut self, now_s: i64) -> Option<Place> {
        let peer = &mut self.primaries[0];
        let refused = peer.server.down || peer.full();
        (!refused).then(|| {
            peer.taken(now_s);
            Place {
                backup: false,
                index: 0,
            }
        })
    }

    /// Round robin or least connections over the primaries, then over the backups.
    fn pick_by_weight(&mut self, search: &mut Search, now_s: i64) -> Option<usize> {
        loop {
            let least = self.method == Method::LeastConn;
            let peers = self.list_mut(search.in_backups);
            let found = if least {
                least_conn(peers, &search.tried, now_s)
            } else {
                round_robin(peers, &search.tried, now_s, |_| true)
            };
            if found.is_some() || search.in_backups || self.backups.is_empty() {
                return found;
            }
            search.in_backups = true;
            search.tried = vec![false; self.backups.len()];
        }
    }

    /// `ip_hash` and `hash KEY`: a slot among the weights of all servers; a miss hashes on.
    fn pick_by_slot(&self, search: &mut Search, client: &Client, now_s: i64) -> Option<usize> {
        let total: u32 = self.primaries.iter().map(|peer| peer.server.weight).sum();
        let mut hash = search.hash;
        while search.misses <= MISSES {
            if self.method == Method::IpHash {
                hash = ip_hash(hash, client.address);
            } else {
                hash = hash.wrapping_add(key_hash(search.rounds, &search.key));
                search.rounds += 1;
                search.hash = hash;
            }
            let index = slot(&self.primaries, hash % total)?;
            if !search.tried[index] && self.primaries[index].unusable(now_s).is_none() {
                // `ip_hash` keeps its place only when it has found somebody.
                search.hash = hash;
                return Some(index);
            }
            search.misses += 1;
        }
        None
    }

    /// `hash KEY consistent`: the owner of the ring's point; a miss goes to the next point.
    fn pick_on_ring(&mut self, search: &mut Search, now_s: i64) -> Option<usize> {
        let ring = Rc::clone(&self.ring);
        while search.misses <= MISSES {
            let owner = ring.owner(search.position)?;
            let found = round_robin(&mut self.primaries, &search.tried, now_s, |peer| {
                peer.server.address == owner
            });
            if found.is_some() {
                return found;
            }
            search.position += 1;
            search.misses += 1;
        }
        None
    }

    /// A try has ended. True if the failure has just put the server out of use.
    pub(super) fn done(&mut self, place: Place, failed: bool, now: Time) -> bool {
        let single = self.single();
        let peer = &mut self.list_mut(place.backup)[place.index];
        peer.conns = peer.conns.saturating_sub(1);
        if single {
            return false;
        }
        if !failed {
            if peer.accessed < peer.checked {
                peer.fails = 0;
            }
            return false;
        }
        let now_s = seconds(now);
        peer.fails = peer.fails.saturating_add(1);
        peer.accessed = now_s;
        peer.checked = now_s;
        let max_fails = peer.server.max_fails;
        if max_fails == 0 {
            return false;
        }
        let loss = i64::from(peer.server.weight / max_fails);
        peer.effective_weight = (peer.effective_weight - loss).max(0);
        peer.fails >= max_fails
    }
}

fn seconds(now: Time) -> i64 {
    (now.as_us() / 1_000_000) as i64
}

/// The server whose share of the total weight holds the slot.
fn slot(peers: &[Peer], mut slot: u32) -> Option<usize> {
    for (index, peer) in peers.iter().enumerate() {
        if slot < peer.server.weight {
            return Some(index);
        }
        slot -= peer.server.weight;
    }
    None
}

/// Smooth weighted round robin among those that may be picked and are wanted.
fn round_robin(peers: &mut [Peer], tried: &[bool], now_s: i64, wanted: impl Fn(&Peer) -> bool) -> Option<usize> {
    let mut best: Option<usize> = None;
    let mut total = 0;
    for index in 0..peers.len() {
        if tried[index] || peers[index].unusable(now_s).is_some() || !wanted(&peers[index]) {
            continue;
        }
        total += peers[index].advance();
        if best.is_none_or(|best| peers[index].current_weight > peers[best].current_weight) {
            best = Some(index);
        }
    }
    peers[best?].current_weight -= total;
    best
}

/// The fewest connections for its weight; several: smooth round robin among them.
fn least_conn(peers: &mut [Peer], tried: &[bool], now_s: i64) -> Option<usize> {
    let ratio = |a: &Peer, b: &Peer| {
        let left = u64::from(a.conns) * u64::from(b.server.weight);
        left.cmp(&(u64::from(b.conns) * u64::from(a.server.weight)))
    };
    let mut best: Option<usize> = None;
    let mut many = false;
    for index in 0..peers.len() {
        if tried[index] || peers[index].unusable(now_s).is_some() {
            continue;
        }
        match best.map(|best| ratio(&peers[index], &peers[best])) {
            Some(std::cmp::Ordering::Greater) => {}
            Some(std::cmp::Ordering::Equal) => many = true,
            Some(std::cmp::Ordering::Less) | None => {
                best = Some(index);
                many = false;
            }
        }
    }
    let first = best?;
    if !many {
        return Some(first);
    }
    // The first of them cannot be beaten by an earlier one: those before it have a higher ratio.
    let (conns, weight) = (u64::from(peers[first].conns), u64::from(peers[first].server.weight));
    round_robin(peers, tried, now_s, |peer| {
        u64::from(peer.conns) * weight == conns * u64::from(peer.server.weight)
    })
}
