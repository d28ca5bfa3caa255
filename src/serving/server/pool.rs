//! Apache's pool of children: how many there are, and the parent's maintenance once a second. nginx has no such thing:
//! its workers are forked at the start, one unit each.

use super::units::Units;
use crate::serving::settings::HttpdSettings;
use crate::sim::Span;

/// How often the parent looks after its children.
pub const MAINTENANCE: Span = Span::secs(1);

/// The most children forked at once (`MAX_SPAWN_RATE`).
const MAX_SPAWN_RATE: u32 = 32;

/// From this rate on the parent complains (AH00162).
const BUSY_RATE: u32 = 8;

/// The parent's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    pub settings: HttpdSettings,
    rate: u32,
    /// AH00161 was written: once is enough.
    said_full: bool,
    next_child: u32,
}

/// What the parent did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Maintained {
    pub forked: u32,
    pub ended: bool,
    /// The limit is reached and nobody is idle: AH00161, said once.
    pub full: bool,
    /// AH00162: so many are spawned at once, with so many idle.
    pub busy: Option<(u32, u32)>,
}

impl Pool {
    pub fn new(settings: HttpdSettings) -> Pool {
        Pool {
            settings,
            rate: 1,
            said_full: false,
            next_child: 0,
        }
    }

    /// The parent starts, or a child has died: forks so many.
    pub fn fork(&mut self, children: u32, units: &mut Units) {
        for _ in 0..children {
            let child = self.next_child;
            self.next_child += 1;
            for _ in 0..self.settings.threads_per_child.max(1) {
                units.add(child);
            }
        }
    }

    /// `perform_idle_server_maintenance`. Idle are units without a connection, those that start included.
    pub fn maintain(&mut self, units: &mut Units) -> Maintained {
        let mut done = Maintained::default();
        let idle = units.idle();
        let settings = self.settings;
        if idle > settings.max_spare {
            done.ended = units.end_idle_child();
            self.rate = 1;
        } else if idle < settings.min_spare {
            let children = units.children();
            let room = settings.most_children().saturating_sub(children);
            if room == 0 {
                done.full = !std::mem::replace(&mut self.said_full, true);
                self.rate = 1;
            } else {
                if self.rate >= BUSY_RATE {
                    done.busy = Some((self.rate, idle));
                }
                done.forked = self.rate.min(room);
                self.fork(done.forked, units);
                self.rate = (self.rate * 2).min(MAX_SPAWN_RATE);
            }
        } else {
            self.rate = 1;
        }
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serving::settings::Mpm;
    use crate::sim::Time;

    /// Children second by second while `held` connections want one each.
    fn ramp(mpm: Mpm, held: u32, seconds: usize) -> Vec<u32> {
        let mut pool = Pool::new(HttpdSettings::new(mpm));
        let mut units = Units::default();
        pool.fork(pool.settings.start_servers, &mut units);
        let mut waiting = held;
        let mut seen = Vec::new();
        for _ in 0..seconds {
            while waiting > 0 && units.take_idle(Time::ZERO).is_some() {
                waiting -= 1;
            }
            seen.push(units.children());
            pool.maintain(&mut units);
        }
        seen
    }

    #[test]
    fn prefork_ramps_by_doubling_as_measured() {
        let measured = [5, 6, 8, 12, 20, 36, 68, 100, 132, 150];
        assert_eq!(ramp(Mpm::Prefork, 200, 10), measured);
    }

    #[test]
    fn worker_and_event_fork_whole_children_as_measured() {
        assert_eq!(ramp(Mpm::Worker, 200, 4), [2, 3, 5, 6]);
        assert_eq!(ramp(Mpm::Event, 200, 4), [2, 3, 5, 6]);
    }

    #[test]
    fn a_full_pool_says_so_once() {
        let mut settings = HttpdSettings::new(Mpm::Prefork);
        settings.max_request_workers = 5;
        let mut pool = Pool::new(settings);
        let mut units = Units::default();
        pool.fork(5, &mut units);
        while units.take_idle(Time::ZERO).is_some() {}
        assert!(pool.maintain(&mut units).full);
        assert!(!pool.maintain(&mut units).full);
    }

    #[test]
    fn too_many_idle_children_leave_one_by_one() {
        let mut pool = Pool::new(HttpdSettings::new(Mpm::Prefork));
        let mut units = Units::default();
        pool.fork(13, &mut units);
        let ended: Vec<bool> = (0..4).map(|_| pool.maintain(&mut units).ended).collect();
        assert_eq!(ended, [true, true, true, false]);
        assert_eq!(units.children(), 10);
    }
}
