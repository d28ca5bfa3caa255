//! `buffer.memory`: what the batches of a producer may take together, and who waits for a part of it.
//! [BufferPool]

use std::collections::VecDeque;

/// Somebody who waits for memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Waiter {
    ticket: Ticket,
    size: u64,
    gathered: u64,
}

/// Bytes of memory; whoever waits longest is served first, and gathers what becomes free.
#[derive(Clone, Debug)]
pub struct BufferPool {
    total: u64,
    available: u64,
    poolable: u64,
    waiters: VecDeque<Waiter>,
    next_ticket: u64,
}

impl BufferPool {
    /// `total` is `buffer.memory`, `poolable` is `batch.size`.
    pub fn new(total: u64, poolable: u64) -> Self {
        Self {
            total,
            available: total,
            poolable,
            waiters: VecDeque::new(),
            next_ticket: 0,
        }
    }

    /// All the memory there is.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// What is free at present.
    pub fn available(&self) -> u64 {
        self.available
    }

    /// How many wait.
    pub fn queued(&self) -> usize {
        self.waiters.len()
    }

    /// Takes memory if there is enough. Those who wait have what they gathered; the rest is anybody's.
    pub fn allocate(&mut self, size: u64) -> bool {
        let enough = self.available >= size;
        if enough {
            self.available -= size;
        }
        enough
    }

    /// Waits for memory, which [`Self::free`] hands out later. The waiter takes what is free at once.
    pub fn wait(&mut self, size: u64) -> Ticket {
        self.next_ticket += 1;
        let ticket = Ticket(self.next_ticket);
        self.waiters.push_back(Waiter {
            ticket,
            size,
            gathered: 0,
        });
        self.serve();
        ticket
    }

    /// Gives memory back; returns who has enough now, in order. It is theirs from then on.
    pub fn free(&mut self, size: u64) -> Vec<Ticket> {
        self.available += size;
        self.serve()
    }

    /// Stops waiting (`max.block.ms` passed): what was gathered goes to the next ones, who are returned if served.
    pub fn cancel(&mut self, ticket: Ticket) -> Vec<Ticket> {
        let Some(at) = self.waiters.iter().position(|w| w.ticket == ticket) else {
            return Vec::new();
        };
        let gathered = self.waiters.remove(at).map_or(0, |w| w.gathered);
        self.free(gathered)
    }

    fn serve(&mut self) -> Vec<Ticket> {
        let mut served = Vec::new();
        while let Some(first) = self.waiters.front_mut() {
            let part = self.available.min(first.size - first.gathered);
            first.gathered += part;
            self.available -= part;
            if first.gathered < first.size {
                break;
            }
            served.push(first.ticket);
            self.waiters.pop_front();
        }
        served
    }

    /// The text of BufferExhaustedException, for a record that waited `max_block_ms` in vain.
    pub fn exhausted_text(&self, size: u64, max_block_ms: i64) -> String {
        format!(
            "Failed to allocate {size} bytes within the configured max blocking time {max_block_ms} ms. Total memory: {} bytes. Available memory: {} bytes. Poolable size: {} bytes",
            self.total, self.available, self.poolable
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_handed_out_in_order_of_waiting() {
        let mut pool = BufferPool::new(100, 50);
        assert!(pool.allocate(80));
        let first = pool.wait(50);
        let second = pool.wait(20);
        assert_eq!(pool.available(), 0);
        assert!(!pool.allocate(1));
        assert_eq!(pool.free(10), []);
        assert_eq!(pool.free(25), [first]);
        assert_eq!(pool.free(15), [second]);
        assert_eq!(pool.queued(), 0);
    }

    #[test]
    fn who_gives_up_leaves_what_was_gathered_to_the_next() {
        let mut pool = BufferPool::new(100, 50);
        assert!(pool.allocate(70));
        let first = pool.wait(60);
        let second = pool.wait(30);
        assert_eq!(pool.cancel(first), [second]);
        assert_eq!(pool.cancel(first), []);
        assert_eq!(pool.available(), 0);
        assert_eq!(
            pool.exhausted_text(60, 60_000),
            "Failed to allocate 60 bytes within the configured max blocking time 60000 ms. Total memory: 100 bytes. Available memory: 0 bytes. Poolable size: 50 bytes"
        );
    }
}
