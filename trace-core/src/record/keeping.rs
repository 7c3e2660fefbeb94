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

//!
//! # Cost
//!
//! One pass over the readings, in order of time, however many there are. Memory is
//! a chunk of readings and a standing one for each probe, the excursions within
//! the policy's window, and what is listed.

mod curve;
mod kept;
mod kinetic;
mod source;
mod sources;
mod sweep;

pub use curve::{Curve, Drawn};
pub use kept::{Kept, KeptStay, degrees, run_of};
pub use kinetic::mean_kinetic_milli_c;
pub use source::{Listed, Source};
pub use sources::{SOURCES_MAX, SourcesKept};

use crate::record::cold_chain::TemperaturePolicy;
use crate::record::status::ColdChain;
use crate::record::temperature::Reading;
use serde::Serialize;
use std::convert::Infallible;
use sweep::Sweep;

/// Most excursions and gaps that a verdict lists; all are counted.
pub const LISTED_MAX: usize = 256;

/// A run of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Run {
    /// From.
    pub from_ms: u64,
    /// Until.
    pub until_ms: u64,
}

impl Run {
    /// How long it is.
    #[must_use]
    pub fn length_ms(self) -> u64 {
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
    /// How far outside, summed over all excursions: thousandths of a degree times
    /// minutes, each excursion rounded down.
    pub milli_degree_minutes: u64,
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
    /// Mean kinetic temperature of what is known, over all probes: it informs,
    /// and clears no breach.
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
    let probes = probes.iter().map(|readings| Listed::new(readings));
    match judge_and_draw(policy, stay, probes.collect(), 0) {
        Ok((verdict, _)) => verdict,
        Err::<_, Infallible>(never) => match never {},
    }
}

/// The same over readings that come run by run, with their course over the stay
/// in so many columns; of no columns there is no course.
///
/// # Errors
/// As a source fails.
pub fn judge_and_draw<S: Source>(
    policy: &TemperaturePolicy,
    stay: Run,
    probes: Vec<S>,
    columns: u32,
) -> Result<(Verdict, Curve), S::Error> {
    Sweep::new(policy, stay, columns).over(probes)
}

#[cfg(test)]
mod tests;
