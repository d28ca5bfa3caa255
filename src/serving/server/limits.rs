//! `limit_req` and `limit_conn`: how much of one address a server takes.

use crate::ordered::OrderedMap;
use crate::serving::settings::LimitReq;
use crate::sim::{Span, Time};
use std::net::Ipv4Addr;

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    Now,
    /// It waits for its turn.
    After(Span),
    /// 503; the excess in thousandths of a request is what the error log says.
    Refused {
        excess: u64,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bucket {
    /// In thousandths of a request.
    excess: u64,
    last: Time,
}

/// The buckets of a `limit_req_zone`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Buckets {
    of: OrderedMap<Ipv4Addr, Bucket>,
}

impl Buckets {
    /// A request of that address has come.
    pub fn admit(&mut self, limit: &LimitReq, address: Ipv4Addr, now: Time) -> Admission {
        let Some(bucket) = self.of.get_mut(&address) else {
            self.of.insert(address, Bucket { excess: 0, last: now });
            return Admission::Now;
        };
        let passed_ms = now.since(bucket.last).as_us() / 1_000;
        // The rate is in requests per 1,000 s, so in thousandths of a request per second.
        let leaked = limit.rate.saturating_mul(passed_ms) / 1_000;
        let excess = (bucket.excess + 1_000).saturating_sub(leaked);
        if excess > u64::from(limit.burst) * 1_000 {
            return Admission::Refused { excess };
        }
        *bucket = Bucket { excess, last: now };
        if excess == 0 || limit.nodelay {
            Admission::Now
        } else {
            Admission::After(Span::ms(excess * 1_000 / limit.rate.max(1)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: Ipv4Addr = Ipv4Addr::LOCALHOST;

    fn limit(burst: u32) -> LimitReq {
        LimitReq {
            rate: 10_000,
            burst,
            nodelay: false,
        }
    }

    #[test]
    fn without_a_burst_the_second_within_a_tenth_of_a_second_is_refused() {
        let mut buckets = Buckets::default();
        assert_eq!(buckets.admit(&limit(0), ME, Time::ZERO), Admission::Now);
        let soon = Time::ZERO + Span::ms(6);
        assert_eq!(buckets.admit(&limit(0), ME, soon), Admission::Refused { excess: 940 });
        assert_eq!(buckets.admit(&limit(0), ME, Time::ZERO + Span::ms(100)), Admission::Now);
    }

    #[test]
    fn a_burst_waits_for_its_turn() {
        let mut buckets = Buckets::default();
        let burst: Vec<Admission> = (0..4).map(|_| buckets.admit(&limit(2), ME, Time::ZERO)).collect();
        assert_eq!(
            burst,
            [
                Admission::Now,
                Admission::After(Span::ms(100)),
                Admission::After(Span::ms(200)),
                Admission::Refused { excess: 3_000 }
            ]
        );
    }
}
