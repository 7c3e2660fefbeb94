//! Whether goods were kept cold: the verdict over one stay, from a policy and
//! the readings of the probes that watched. Pure, and in integers: a ledger over
//! its store and a reader over a bundle alone come to the same.
//!
//! # What a reading says
//!
//! A probe's reading stands from its own time until its next reading's. Between
//! two neighbours, and between an end of the stay and the reading next to it, at
//! most the policy's gap may lie; where more does, all of that time is a **gap**:
//! missing data are never compliance. The last reading before the stay and the
//! first after it are neighbours too, so that a stay between two readings is
//! covered; without a reading before the stay, its first stands back to its
//! beginning.
//!
//! Of several probes the worst decides: a moment is outside the band when any
//! probe says so, and a gap only when none says anything. Two readings of one
//! probe at one time that differ are both kept, and the worse of them stands.
//!
//! # The verdict
//!
//! An **excursion** is a run outside the band without a break; one that the
//! policy tolerates is still shown. The stay **exceeded** when a run is longer
//! than tolerated, when all runs within the policy's window are, or when it was
//! ever further outside than the policy's limit. Else it shows **gaps** when any
//! moment is one, and was **kept** when none is. A stay without any reading is
//! **not monitored**. Exactly at a limit is within it, for degrees and for
//! milliseconds.

mod kept;

pub use kept::{Kept, KeptStay, degrees, run_of};

use crate::record::cold_chain::TemperaturePolicy;
use crate::record::status::ColdChain;
use crate::record::temperature::Reading;
use serde::Serialize;
use std::collections::{BTreeMap, BinaryHeap};

/// Most excursions and gaps that a verdict lists; all are counted.
pub const LISTED_MAX: usize = 256;

const MINUTE_MS: u128 = 60_000;

/// A run of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Run {
    /// From.
    pub from_ms: u64,
    /// Until.
    pub until_ms: u64,
}

impl Run {
    fn length_ms(self) -> u64 {
        self.until_ms.saturating_sub(self.from_ms)
    }
}

/// A run outside the band.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Excursion {
    /// When.
    #[serde(flatten)]
    pub run: Run,
    /// The temperature furthest outside.
    pub peak_milli_c: i32,
    /// When that was read.
    pub peak_at_ms: u64,
    /// How far outside, summed over its time: thousandths of a degree times
    /// minutes, rounded down.
    pub milli_degree_minutes: u64,
}

/// How goods were kept over one stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// In one word.
    pub state: ColdChain,
    /// Readings within the stay, of all probes.
    pub readings: u64,
    /// Readings within the stay that contradict another of the same probe and
    /// time.
    pub conflicts: u64,
    /// The coldest and the warmest within the stay.
    pub extremes_milli_c: Option<(i32, i32)>,
    /// How long it was outside the band in all.
    pub outside_ms: u64,
    /// The longest run outside.
    pub longest_outside_ms: u64,
    /// The most outside within the policy's window.
    pub outside_within_window_ms: u64,
    /// How long nothing is known of.
    pub gap_ms: u64,
    /// The longest gap.
    pub longest_gap_ms: u64,
    /// The first excursions, in order.
    pub excursions: Vec<Excursion>,
    /// How many there were.
    pub excursion_count: u64,
    /// The first gaps, in order.
    pub gaps: Vec<Run>,
    /// How many there were.
    pub gap_count: u64,
    /// Mean kinetic temperature of what is known, over all probes.
    pub mean_kinetic_milli_c: Option<i32>,
}

/// The time of which a stay's readings can matter: its own, and on both sides as
/// long as readings may lie apart.
#[must_use]
pub fn window(policy: &TemperaturePolicy, stay: Run) -> Run {
    let gap_ms = u64::from(policy.gap_s_max) * 1_000;
    Run {
        from_ms: stay.from_ms.saturating_sub(gap_ms),
        until_ms: stay.until_ms.saturating_add(gap_ms),
    }
}

/// Leaves of a probe's readings, in order of time, those that [`judge`] takes: of
/// the neighbours outside the stay only the last moment before and the first
/// after count.
pub fn leave_neighbours(stay: Run, readings: &mut Vec<Reading>) {
    let before = readings.partition_point(|it| it.at_ms < stay.from_ms);
    let first = readings.get(..before).and_then(<[Reading]>::last);
    let first_ms = first.map_or(0, |it| it.at_ms);
    let after = readings.partition_point(|it| it.at_ms < stay.until_ms);
    let last_ms = readings.get(after).map_or(u64::MAX, |it| it.at_ms);
    readings.retain(|it| (first_ms..=last_ms).contains(&it.at_ms));
}

/// Judges a stay from `stay.from_ms` to before `stay.until_ms`. Each of `probes`
/// is one probe's readings in order of time, from its last before the stay to
/// its first after it, where it has those.
#[must_use]
pub fn judge(policy: &TemperaturePolicy, stay: Run, probes: &[Vec<Reading>]) -> Verdict {
    let mut sweep = Sweep::new(policy, stay);
    let mut steps = Vec::new();
    for readings in probes {
        sweep.count(readings);
        spans(policy, stay, readings, &mut steps);
    }
    sweep.walk(&mut steps);
    sweep.verdict()
}

/// A reading, and the time for which it stands.
#[derive(Debug, Clone, Copy)]
struct Span {
    run: Run,
    reading: Reading,
}

/// What one probe's readings stand for within the stay.
fn spans(policy: &TemperaturePolicy, stay: Run, readings: &[Reading], out: &mut Vec<Span>) {
    let gap_ms = u64::from(policy.gap_s_max) * 1_000;
    let (mut rest, mut is_first) = (readings, true);
    while let Some(first) = rest.first() {
        let at_ms = first.at_ms;
        let same = rest.partition_point(|reading| reading.at_ms <= at_ms);
        let (now, later) = rest.split_at(same.max(1));
        let worst = now
            .iter()
            .max_by_key(|it| policy.beyond(it.temperature_milli_c));
        let next_ms = later
            .first()
            .map_or(stay.until_ms.max(at_ms), |next| next.at_ms);
        let run = Run {
            from_ms: match is_first && at_ms.saturating_sub(stay.from_ms) <= gap_ms {
                true => stay.from_ms,
                false => at_ms.max(stay.from_ms),
            },
            until_ms: match next_ms.saturating_sub(at_ms) <= gap_ms {
                true => next_ms.min(stay.until_ms),
                false => at_ms.min(stay.until_ms),
            },
        };
        if let Some(reading) = worst
            && run.from_ms < run.until_ms
        {
            let reading = *reading;
            out.push(Span { run, reading });
        }
        (rest, is_first) = (later, false);
    }
}

/// Goes through the stay from its beginning, over spans in order of time.
struct Sweep<'a> {
    policy: &'a TemperaturePolicy,
    stay: Run,
    readings: u64,
    conflicts: u64,
    extremes: Option<(i32, i32)>,
    outside: Vec<Run>,
    current: Option<Excursion>,
    /// Thousandths of a degree times milliseconds, of the current excursion.
    current_beyond: u128,
    excursions: Vec<Excursion>,
    furthest: u32,
    outside_ms: u64,
    gap: Option<Run>,
    gaps: Vec<Run>,
    gap_count: u64,
    gap_ms: u64,
    longest_gap_ms: u64,
    at_temperature: BTreeMap<i32, u64>,
}

impl<'a> Sweep<'a> {
    fn new(policy: &'a TemperaturePolicy, stay: Run) -> Self {
        Self {
            policy,
            stay,
            readings: 0,
            conflicts: 0,
            extremes: None,
            outside: Vec::new(),
            current: None,
            current_beyond: 0,
            excursions: Vec::new(),
            furthest: 0,
            outside_ms: 0,
            gap: None,
            gaps: Vec::new(),
            gap_count: 0,
            gap_ms: 0,
            longest_gap_ms: 0,
            at_temperature: BTreeMap::new(),
        }
    }

    fn count(&mut self, readings: &[Reading]) {
        let within =
            |reading: &&Reading| (self.stay.from_ms..self.stay.until_ms).contains(&reading.at_ms);
        let mut before: Option<&Reading> = None;
        for reading in readings.iter().filter(within) {
            self.readings = self.readings.saturating_add(1);
            if before.is_some_and(|before| before.at_ms == reading.at_ms) {
                self.conflicts = self.conflicts.saturating_add(1);
            }
            let found = reading.temperature_milli_c;
            let (low, high) = self.extremes.unwrap_or((found, found));
            self.extremes = Some((low.min(found), high.max(found)));
            before = Some(reading);
        }
    }

    /// Cuts the stay where any span begins or ends; of the spans over each piece
    /// the worst stands. Costs as much as sorting them.
    fn walk(&mut self, spans: &mut [Span]) {
        spans.sort_unstable_by_key(|span| (span.run.from_ms, span.run.until_ms));
        for span in spans.iter() {
            let found = span.reading.temperature_milli_c;
            *self.at_temperature.entry(found).or_default() += span.run.length_ms();
        }
        // Spans that stand at the moment, the one furthest outside on top.
        let mut standing = BinaryHeap::<Standing>::new();
        let mut coming = spans.iter().peekable();
        let mut now_ms = self.stay.from_ms;
        while now_ms < self.stay.until_ms {
            while let Some(span) = coming.next_if(|span| span.run.from_ms <= now_ms) {
                standing.push(Standing {
                    beyond: self.policy.beyond(span.reading.temperature_milli_c),
                    span: *span,
                });
            }
            while standing
                .peek()
                .is_some_and(|top| top.span.run.until_ms <= now_ms)
            {
                standing.pop();
            }
            let next_ms = coming
                .peek()
                .map_or(self.stay.until_ms, |span| span.run.from_ms);
            let piece_ends = match standing.peek() {
                Some(top) => top.span.run.until_ms.min(next_ms),
                None => next_ms,
            };
            let piece = Run {
                from_ms: now_ms,
                until_ms: piece_ends.min(self.stay.until_ms),
            };
            self.piece(piece, standing.peek().copied());
            now_ms = piece.until_ms;
        }
        self.end_gap();
        self.end_excursion();
    }

    fn piece(&mut self, piece: Run, top: Option<Standing>) {
        let Some(top) = top else {
            self.end_excursion();
            self.gap = Some(match self.gap {
                Some(gap) => Run {
                    until_ms: piece.until_ms,
                    ..gap
                },
                None => piece,
            });
            return;
        };
        self.end_gap();
        if top.beyond == 0 {
            self.end_excursion();
            return;
        }
        let reading = top.span.reading;
        let excursion = self.current.get_or_insert(Excursion {
            run: piece,
            peak_milli_c: reading.temperature_milli_c,
            peak_at_ms: reading.at_ms,
            milli_degree_minutes: 0,
        });
        excursion.run.until_ms = piece.until_ms;
        if top.beyond > self.policy.beyond(excursion.peak_milli_c) {
            excursion.peak_milli_c = reading.temperature_milli_c;
            excursion.peak_at_ms = reading.at_ms;
        }
        self.current_beyond += u128::from(top.beyond) * u128::from(piece.length_ms());
        self.furthest = self.furthest.max(top.beyond);
    }

    fn end_gap(&mut self) {
        if let Some(gap) = self.gap.take() {
            self.gap_count = self.gap_count.saturating_add(1);
            self.gap_ms = self.gap_ms.saturating_add(gap.length_ms());
            self.longest_gap_ms = self.longest_gap_ms.max(gap.length_ms());
            if self.gaps.len() < LISTED_MAX {
                self.gaps.push(gap);
            }
        }
    }

    fn end_excursion(&mut self) {
        if let Some(mut excursion) = self.current.take() {
            let beyond = std::mem::take(&mut self.current_beyond) / MINUTE_MS;
            excursion.milli_degree_minutes = u64::try_from(beyond).unwrap_or(u64::MAX);
            self.outside_ms = self.outside_ms.saturating_add(excursion.run.length_ms());
            self.outside.push(excursion.run);
            if self.excursions.len() < LISTED_MAX {
                self.excursions.push(excursion);
            }
        }
    }

    fn verdict(self) -> Verdict {
        let policy = self.policy;
        let longest_outside_ms = self.outside.iter().map(|run| run.length_ms()).max();
        let longest_outside_ms = longest_outside_ms.unwrap_or(0);
        let outside_within_window_ms = match policy.total_within_s {
            Some(window_s) => most_within(&self.outside, u64::from(window_s) * 1_000),
            None => self.outside_ms,
        };
        let beyond_max = policy.beyond_milli_c_max.unwrap_or(u32::MAX);
        let is_exceeded = longest_outside_ms > u64::from(policy.run_s_max) * 1_000
            || outside_within_window_ms > u64::from(policy.total_s_max) * 1_000
            || self.furthest > beyond_max;
        let is_unknown = self.readings == 0 && self.gap_ms == self.stay.length_ms();
        let state = match (is_exceeded, self.gap_ms) {
            (true, _) => ColdChain::Exceeded,
            (false, _) if is_unknown => ColdChain::NotMonitored,
            (false, 1..) => ColdChain::Gaps,
            (false, 0) => ColdChain::Kept,
        };
        Verdict {
            state,
            readings: self.readings,
            conflicts: self.conflicts,
            extremes_milli_c: self.extremes,
            outside_ms: self.outside_ms,
            longest_outside_ms,
            outside_within_window_ms,
            gap_ms: self.gap_ms,
            longest_gap_ms: self.longest_gap_ms,
            excursions: self.excursions,
            excursion_count: self.outside.len() as u64,
            gaps: self.gaps,
            gap_count: self.gap_count,
            mean_kinetic_milli_c: mean_kinetic_milli_c(
                self.at_temperature
                    .into_iter()
                    .map(|(found, ms)| (ms, found)),
            ),
        }
    }
}

/// A span that stands, ordered by how far outside it is, then by how long it
/// still stands.
#[derive(Debug, Clone, Copy)]
struct Standing {
    beyond: u32,
    span: Span,
}

impl Standing {
    fn order(&self) -> (u32, u64) {
        (self.beyond, self.span.run.until_ms)
    }
}

impl Ord for Standing {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.order().cmp(&other.order())
    }
}

impl PartialOrd for Standing {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Standing {
    fn eq(&self, other: &Self) -> bool {
        self.order() == other.order()
    }
}

impl Eq for Standing {}

/// The most time that disjoint runs in order cover within any `window_ms`: it is
/// covered by a window that ends where a run ends, or begins where one begins.
fn most_within(runs: &[Run], window_ms: u64) -> u64 {
    let mut sums = Vec::with_capacity(runs.len());
    let mut sum = 0u64;
    for run in runs {
        sums.push((*run, sum));
        sum = sum.saturating_add(run.length_ms());
    }
    let covered_before = |at_ms: u64| {
        let begun = sums.partition_point(|(run, _)| run.from_ms < at_ms);
        let last = begun.checked_sub(1).and_then(|place| sums.get(place));
        last.map_or(0, |(run, sum)| sum + run.until_ms.min(at_ms) - run.from_ms)
    };
    let ending = runs.iter().map(|run| {
        let from_ms = run.until_ms.saturating_sub(window_ms);
        covered_before(run.until_ms) - covered_before(from_ms)
    });
    let beginning = runs.iter().map(|run| {
        let until_ms = run.from_ms.saturating_add(window_ms);
        covered_before(until_ms) - covered_before(run.from_ms)
    });
    ending.chain(beginning).max().unwrap_or(0)
}

/// Gas constant as the vectors at hand use it, and the activation energy of USP
/// chapter 1079 (unconfirmed): kJ/mol and kJ/(mol K).
const ACTIVATION_PER_GAS_CONSTANT_K: f64 = 83.144 / 8.314_472e-3;
const ZERO_CELSIUS_K: f64 = 273.15;

/// The mean kinetic temperature of times at temperatures, in milli-degrees C,
/// right to a thousandth of a degree; none of no time. The one figure here that
/// is made in floating point: it informs, and clears no breach.
#[must_use]
pub fn mean_kinetic_milli_c(parts: impl IntoIterator<Item = (u64, i32)>) -> Option<i32> {
    let (mut time, mut weighted) = (0.0, 0.0);
    for (ms, temperature_milli_c) in parts {
        let kelvin = f64::from(temperature_milli_c) / 1_000.0 + ZERO_CELSIUS_K;
        #[expect(clippy::cast_precision_loss, reason = "a time below 2^53 ms is exact")]
        let ms = ms as f64;
        time += ms;
        weighted += ms * (-ACTIVATION_PER_GAS_CONSTANT_K / kelvin).exp();
    }
    if time <= 0.0 {
        return None;
    }
    let kelvin = ACTIVATION_PER_GAS_CONSTANT_K / -(weighted / time).ln();
    let milli_c = ((kelvin - ZERO_CELSIUS_K) * 1_000.0).round();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "between the coldest and the warmest, which are i32"
    )]
    Some(milli_c as i32)
}

#[cfg(test)]
mod tests;
