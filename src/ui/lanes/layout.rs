//! Where everything stands in the picture. Time runs downwards, but not evenly: short times get room enough to be told
//! apart, long ones little, and where nothing crosses for long the picture is folded.

use crate::lab::lanes::Lanes;
use crate::ordered::SortSmall;

/// Room for the times at the left, in pixels.
pub const LEFT: f64 = 88.0;

/// The least width of a lane.
const LANE: f64 = 112.0;

/// Empty pixels above the first moment and below the last.
const MARGIN: f64 = 18.0;

/// From here on a time without any crossing is folded, in microseconds.
const FOLD_US: u64 = 150_000;

/// Height of a fold.
pub const FOLD: f64 = 26.0;

/// Pixels between two labelled times.
const BETWEEN_TIMES: f64 = 17.0;

/// Letters of a label at most.
const LONGEST: usize = 60;

/// Width of a letter of a label, and the height of its line.
const LETTER: f64 = 6.0;
const LINE: f64 = 13.0;

/// A stretch in which nothing crosses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fold {
    pub y: f64,
    pub us: u64,
}

/// The places of everything.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    pub width: f64,
    pub height: f64,
    lane: f64,
    /// Moments and their places, in order.
    moments: Vec<(u64, f64)>,
    pub folds: Vec<Fold>,
    /// Times that are written at the left.
    pub times: Vec<(u64, f64)>,
    /// How many letters of each happening have room, and which crossings have room for their names.
    pub told: Vec<usize>,
    pub named: Vec<bool>,
}

impl Layout {
    /// Lays a picture out in so many pixels; the line of the log that was asked about is sure of its label.
    pub fn of(picture: &Lanes, width: u32, now_us: u64, asked: Option<(u64, u16)>) -> Layout {
        let count = picture.processes.len().max(1) as f64;
        let lane = ((f64::from(width) - LEFT - 12.0) / count).max(LANE);
        let mut layout = Layout {
            width: LEFT + lane * count,
            height: 0.0,
            lane,
            moments: Vec::new(),
            folds: Vec::new(),
            times: Vec::new(),
            told: Vec::new(),
            named: Vec::new(),
        };
        layout.place_moments(picture, now_us);
        layout.place_labels(picture, asked);
        layout
    }

    /// The middle of a lane.
    pub fn x(&self, lane: usize) -> f64 {
        LEFT + (lane as f64 + 0.5) * self.lane
    }

    /// How many letters fit beside a lane.
    fn letters(&self) -> usize {
        ((self.lane - 26.0) / LETTER).max(6.0) as usize
    }

    /// The place of a moment; between two known ones in proportion.
    pub fn y(&self, us: u64) -> f64 {
        let after = self.moments.partition_point(|(at, _)| *at < us);
        match (
            after.checked_sub(1).and_then(|i| self.moments.get(i)),
            self.moments.get(after),
        ) {
            (_, Some((at, y))) if *at == us => *y,
            (Some((a, ya)), Some((b, yb))) => ya + (yb - ya) * (us - a) as f64 / (b - a).max(1) as f64,
            (Some((_, y)), None) => *y,
            (None, Some(_)) => 0.0,
            (None, None) => MARGIN,
        }
    }

    fn place_moments(&mut self, picture: &Lanes, now_us: u64) {
        let mut all: Vec<u64> = picture.happenings.iter().map(|h| h.at_us).collect();
        all.extend(
            picture
                .crossings
                .iter()
                .flat_map(|c| [c.sent_us, c.until_us.min(now_us)]),
        );
        all.push(now_us);
        all.sort_small();
        all.dedup();
        let mut y = MARGIN;
        let mut written = f64::MIN;
        let mut before = None::<u64>;
        for at in all {
            let gap = before.map_or(0, |before| at - before);
            if gap >= FOLD_US {
                self.folds.push(Fold { y: y + 8.0, us: gap });
                y += FOLD + 16.0;
            } else if gap > 0 {
                y += (6.0 + 3.2 * (gap as f64 / 40.0).ln_1p()).min(30.0);
            }
            if y - written >= BETWEEN_TIMES {
                self.times.push((at, y));
                written = y;
            }
            self.moments.push((at, y));
            before = Some(at);
        }
        self.height = y + MARGIN;
        // The present has its own label.
        let end = y - BETWEEN_TIMES;
        self.times.retain(|(_, y)| *y < end);
    }

    /// Gives labels room in the order of their weight: what is lit or bad, what stands on the timeline, then the others.
    fn place_labels(&mut self, picture: &Lanes, asked: Option<(u64, u16)>) {
        let mut taken: Vec<(f64, f64, f64)> = self
            .folds
            .iter()
            .map(|fold| (LEFT, self.width, fold.y + FOLD / 2.0))
            .collect();
        let mut room = |from: f64, to: f64, y: f64| {
            let free = taken
                .iter()
                .all(|(a, b, other)| to < *a || from > *b || (y - other).abs() >= LINE);
            if free {
                taken.push((from, to, y));
            }
            free
        };
        self.told = vec![0; picture.happenings.len()];
        for rank in 0..5 {
            for (i, happening) in picture.happenings.iter().enumerate() {
                let own = match happening.mark {
                    _ if asked == Some((happening.event, happening.index)) => 0,
                    _ if happening.alarm => 1,
                    _ if happening.lit => 2,
                    Some(_) => 3,
                    None => 4,
                };
                if own != rank {
                    continue;
                }
                let (x, y) = (
                    happening.lane.map_or(LEFT, |lane| self.x(lane)),
                    self.y(happening.at_us),
                );
                let letters = happening.text.chars().count();
                // As much as there is room for: all of it, or what does not reach the next lane.
                let lengths = [letters.min(LONGEST), letters.min(self.letters())];
                let fits = lengths.into_iter().find(|letters| {
                    let wide = *letters as f64 * LETTER + 14.0;
                    if self.leans_left(happening.lane) {
                        x - wide > LEFT && room(x - wide, x - 6.0, y)
                    } else {
                        x + wide < self.width && room(x + 6.0, x + wide, y)
                    }
                });
                self.told[i] = fits.unwrap_or(0);
            }
        }
        self.named = vec![false; picture.crossings.len()];
        for lit in [true, false] {
            for (i, crossing) in picture.crossings.iter().enumerate().filter(|(_, c)| c.lit == lit) {
                let (x, y) = self.middle(crossing.from, crossing.to, crossing.sent_us, crossing.until_us);
                let half = label(crossing.kind).chars().count() as f64 * LETTER / 2.0 + 4.0;
                self.named[i] = room(x - half, x + half, y);
            }
        }
    }

    /// Labels of the last lane stand at its left.
    pub fn leans_left(&self, lane: Option<usize>) -> bool {
        lane.is_some_and(|lane| self.x(lane) + self.lane > self.width)
    }

    /// The middle of an arrow.
    pub fn middle(&self, from: usize, to: usize, sent_us: u64, until_us: u64) -> (f64, f64) {
        (
            (self.x(from) + self.x(to)) / 2.0,
            (self.y(sent_us) + self.y(until_us)) / 2.0,
        )
    }
}

/// What an arrow is called: the request's name without the word, an answer not at all.
pub fn label(kind: &str) -> &str {
    kind.strip_suffix("Request").unwrap_or(kind)
}
