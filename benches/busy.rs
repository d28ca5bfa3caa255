//! Clusters of three brokers, one busy and one wide under either group protocol: how fast their worlds step against a
//! bare binary heap that pushes and pops as many events, how long a seek in a run of a million events takes, and what an
//! event that is kept costs in memory. `cargo bench --bench busy -- classic` measures what begins with that word.
//!
//! There are two bare heaps, since "as many events" can be read in two ways. The *tight* one holds as many things as are
//! due at a time in the busy world, and takes one out and puts one in a million times: it never leaves the first cache.
//! The *full* one takes in all of a run's events, of the size of the kernel's entries, and then gives them out in order.
//!
//! Each line ends with its target and whether it is met.

mod cluster;
mod wide;

use brokerlab::explore::play::play;
use brokerlab::lab::limits::MAX_EVENTS;
use brokerlab::lab::run::Run;
use brokerlab::ordered::SortSmall;
use brokerlab::sim::Random;
use mimalloc::MiMalloc;
use std::alloc::{GlobalAlloc, Layout};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const EVENTS: u64 = 1_000_000;
const SEEKS: usize = 50;
/// Things that are due at a time in the bare heap: about as many as in the busy world.
const PENDING: u64 = 200;

const EVENTS_PER_SECOND: f64 = 1_000_000.0;
const SEEK: Duration = Duration::from_millis(100);
const BYTES_PER_EVENT: usize = 200;

/// The command's allocator, which counts what is in use.
struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);

/// Changes the count. One thread allocates here, so a load and a store do, which cost nothing beside a locked addition.
fn count(change: impl FnOnce(usize) -> usize) {
    IN_USE.store(change(IN_USE.load(Ordering::Relaxed)), Ordering::Relaxed);
}

// SAFETY: every call is handed to the other allocator as it came; the count touches no memory of the caller.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(|in_use| in_use.wrapping_add(layout.size()));
        // SAFETY: the caller's promises are those that the other allocator asks for.
        unsafe { MiMalloc.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(|in_use| in_use.wrapping_sub(layout.size()));
        // SAFETY: the block came from `alloc` or `realloc`, so from the other allocator, with this layout.
        unsafe { MiMalloc.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(|in_use| in_use.wrapping_sub(layout.size()).wrapping_add(size));
        // SAFETY: as above.
        unsafe { MiMalloc.realloc(block, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A scenario, and how many times as long as a bare heap's its events may take.
struct Case {
    name: &'static str,
    text: String,
    against_bare: f64,
}

fn cases() -> [Case; 3] {
    let case = |name, text, against_bare| Case {
        name,
        text,
        against_bare,
    };
    [
        case(
            "busy: 24 partitions, 6 producers, 6 consumers",
            cluster::scenario(),
            10.0,
        ),
        case(
            "classic: 200 partitions, 20 producers, 30 consumers, 3 controllers",
            wide::scenario("classic"),
            12.0,
        ),
        case(
            "consumer: the same under the consumer protocol (KIP-848)",
            wide::scenario("consumer"),
            12.0,
        ),
    ]
}

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let bare = Bare {
        tight: per_event(tight_heap),
        full: per_event(full_heap),
    };
    println!("{:<28} {:>9.0} events/s", "bare heap, tight", 1e9 / bare.tight);
    println!("{:<28} {:>9.0} events/s", "bare heap, full", 1e9 / bare.full);
    for case in cases() {
        if wanted.is_empty() || wanted.iter().any(|word| case.name.starts_with(word)) {
            measure(&case, &bare);
        }
    }
}

fn measure(case: &Case, bare: &Bare) {
    println!("{}", case.name);
    let world = per_event(|| {
        let played = play(&case.text, u64::MAX / 2, EVENTS).expect("the bench's scenarios read without errors");
        played.world.sim.events()
    });
    speed("  world, no history", world, case, bare);
    let before = IN_USE.load(Ordering::Relaxed);
    let mut run = Run::open(&case.text);
    let kept = per_event(|| {
        run.play_until_us(u64::MAX / 2, EVENTS.min(MAX_EVENTS));
        run.event()
    });
    speed("  run, history kept", kept, case, bare);
    let bytes = (IN_USE.load(Ordering::Relaxed) - before) / run.event() as usize;
    let met = verdict(bytes <= BYTES_PER_EVENT);
    println!(
        "{:<28} {bytes:>9} B (target {BYTES_PER_EVENT} B: {met})",
        "  memory per event kept"
    );
    seeks(&mut run);
}

/// Nanoseconds per event of what returns how many it made.
fn per_event(work: impl FnOnce() -> u64) -> f64 {
    let start = Instant::now();
    let events = work();
    start.elapsed().as_nanos() as f64 / events as f64
}

/// Nanoseconds per event of the two bare heaps.
struct Bare {
    tight: f64,
    full: f64,
}

/// Takes the first of the events that are due and puts one back a little later, `EVENTS` times.
fn tight_heap() -> u64 {
    let mut heap: BinaryHeap<Reverse<(u64, u64)>> = (0..PENDING).map(|n| Reverse((n * 7, n))).collect();
    for order in PENDING..PENDING + EVENTS {
        if let Some(Reverse((at, _))) = heap.pop() {
            heap.push(Reverse((at + 300 + order % 3, order)));
        }
    }
    black_box(heap.len());
    EVENTS
}

/// Puts `EVENTS` things in, in nearly the order in which they are due, then takes them out.
fn full_heap() -> u64 {
    let mut heap: BinaryHeap<Reverse<(u128, [u64; 2])>> = BinaryHeap::new();
    for order in 0..EVENTS {
        let at = order * 3 + order * 7_919 % 2_000;
        heap.push(Reverse((u128::from(at) << 64 | u128::from(order), [order; 2])));
    }
    let mut events = 0;
    while heap.pop().is_some() {
        events += 1;
    }
    black_box(events)
}

fn speed(what: &str, each: f64, case: &Case, bare: &Bare) {
    let per_second = 1e9 / each;
    println!(
        "{what:<28} {per_second:>9.0} events/s (target {EVENTS_PER_SECOND}: {})",
        verdict(per_second >= EVENTS_PER_SECOND)
    );
    for (name, bare) in [("tight", bare.tight), ("full", bare.full)] {
        let ratio = each / bare;
        println!(
            "{:<28} {ratio:>9.1} x the {name} bare heap (target {}: {})",
            "",
            case.against_bare,
            verdict(ratio <= case.against_bare)
        );
    }
}

fn seeks(run: &mut Run) {
    let mut random = Random::named(1, "bench/seeks");
    let mut times: Vec<Duration> = (0..SEEKS)
        .map(|_| {
            let event = random.below(run.end_event());
            let start = Instant::now();
            run.seek_event(event);
            assert_eq!(run.event(), event);
            start.elapsed()
        })
        .collect();
    times.sort_small();
    let (median, max) = (times[SEEKS / 2], times[SEEKS - 1]);
    let met = verdict(max <= SEEK);
    println!(
        "{:<28} {:>9} ms at most, {} ms in the middle (target {} ms: {met})",
        format!("  seek among {} events", run.end_event()),
        max.as_millis(),
        median.as_millis(),
        SEEK.as_millis(),
    );
}

fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "missed" }
}
