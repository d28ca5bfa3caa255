//! The answers that a proxy keeps (`proxy_cache`), shared by its workers.

use crate::ordered::OrderedMap;
use crate::serving::http::{CacheControl, Request, Response};
use crate::serving::site::CacheRules;
use crate::sim::{ConnId, Span, Time};
use std::rc::Rc;

/// What the cache had for a request (`$upstream_cache_status`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CacheStatus {
    Miss,
    Hit,
    /// Kept too long: asked again.
    Expired,
    /// Kept too long, and served because the upstream failed.
    Stale,
}

impl CacheStatus {
    pub fn name(self) -> &'static str {
        match self {
            CacheStatus::Miss => "MISS",
            CacheStatus::Hit => "HIT",
            CacheStatus::Expired => "EXPIRED",
            CacheStatus::Stale => "STALE",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    answer: Rc<Response>,
    fresh_until: Time,
    used: Time,
}

/// The cache.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cache {
    entries: OrderedMap<Rc<str>, Entry>,
    /// Who is asking the upstream for a key under `proxy_cache_lock`, and who waits for it.
    locks: OrderedMap<Rc<str>, Vec<ConnId>>,
}

impl Cache {
    /// `$scheme$proxy_host$request_uri`; `None`: the method is not one that is kept.
    pub fn key(request: &Request, host: &str) -> Option<Rc<str>> {
        matches!(&*request.method, "GET" | "HEAD").then(|| format!("http{host}{}", request.uri).into())
    }

    /// What there is for the key now.
    pub fn look(&mut self, key: &str, rules: &CacheRules, now: Time) -> (CacheStatus, Option<Rc<Response>>) {
        let inactive = rules.inactive;
        self.entries.retain(|_, entry| now.since(entry.used) < inactive);
        match self.entries.get_mut(key) {
            None => (CacheStatus::Miss, None),
            Some(entry) => {
                entry.used = now;
                let fresh = now < entry.fresh_until;
                let status = if fresh { CacheStatus::Hit } else { CacheStatus::Expired };
                (status, Some(entry.answer.clone()))
            }
        }
    }

    /// An answer has come: it is kept if its headers, or `proxy_cache_valid`, give it a time.
    pub fn store(&mut self, key: Rc<str>, answer: Rc<Response>, rules: &CacheRules, now: Time) {
        let valid = match answer.cache {
            CacheControl::NotStored => Span::ZERO,
            CacheControl::MaxAge(secs) => Span::secs(u64::from(secs)),
            CacheControl::Unsaid if matches!(answer.status, 200 | 301 | 302) => rules.valid,
            CacheControl::Unsaid => Span::ZERO,
        };
        if valid > Span::ZERO {
            let entry = Entry {
                answer,
                fresh_until: now + valid,
                used: now,
            };
            self.entries.insert(key, entry);
        }
    }

    /// Takes the lock of a key, or waits for who has it. True if it is taken.
    pub fn lock(&mut self, key: &Rc<str>, waiter: ConnId) -> bool {
        match self.locks.get_mut(key) {
            Some(waiters) => {
                waiters.push(waiter);
                false
            }
            None => {
                self.locks.insert(key.clone(), Vec::new());
                true
            }
        }
    }

    /// The one that asked has its answer, or has failed: who waited may look again.
    pub fn unlock(&mut self, key: &Rc<str>) -> Vec<ConnId> {
        self.locks.remove(key).unwrap_or_default()
    }

    /// How many answers are kept.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
