//! How a unit was kept: the verdict over each of its stays, from what the probes
//! there read.
//!
//! Every sealed segment is hashed again and held against its record when a verdict
//! first rests on it after the store was opened. Readings that are not sealed yet count too, so that an excursion
//! shows while it lasts; until when readings are sealed is said.

use super::watched::watched;
use super::{policy_text, segments_of};
use crate::error::{Invalid, Rule};
use crate::ident::{EquipmentId, TraceCode};
use crate::ledger::readings::Readings;
use crate::ledger::{Failed, View};
use crate::record::cold_chain::{SegmentState, Stay};
use crate::record::keeping::{Kept, KeptStay, Run, run_of};
use crate::record::temperature::Reading;
use crate::rules::ColdFacts;

/// Most readings that are taken into memory at once, for a bundle: a month of 24
/// probes at a minute; 16 bytes each. A verdict has no such limit.
pub const VERDICT_READINGS_MAX: usize = 1 << 20;

/// Segments asked for at a time.
const SEGMENTS_PAGE: usize = 256;

/// How a unit was kept, as of `now_ms`; `None` when it was placed nowhere. Goes
/// once through all readings of its stays, however many, in little memory.
///
/// # Errors
/// [`Store::Damaged`](crate::error::Store::Damaged) when readings are not those
/// that were sealed.
pub fn kept(
    view: &View,
    readings: &Readings,
    unit: &TraceCode,
    now_ms: u64,
) -> Result<Option<Kept>, Failed> {
    kept_and_drawn(view, readings, unit, now_ms, 0)
}

/// The same with the course of each stay's temperatures in so many columns.
///
/// # Errors
/// As of [`kept`].
pub fn kept_and_drawn(
    view: &View,
    readings: &Readings,
    unit: &TraceCode,
    now_ms: u64,
    columns: u32,
) -> Result<Option<Kept>, Failed> {
    let stays = view.folded().stays(unit)?.stays;
    if stays.is_empty() {
        return Ok(None);
    }
    let mut kept = Vec::with_capacity(stays.len());
    for stay in stays {
        let run = run_of(&stay, now_ms);
        kept.push(stayed(view, readings, stay, run, columns)?);
    }
    Ok(Some(Kept::of(kept)))
}

/// How a unit was kept up to a time, by the stays that had begun; `None` when it
/// had been placed nowhere.
///
/// # Errors
/// As of [`kept`].
pub fn kept_until(
    view: &View,
    readings: &Readings,
    unit: &TraceCode,
    until_ms: u64,
) -> Result<Option<Kept>, Failed> {
    let mut stays = view.folded().stays(unit)?.stays;
    stays.retain(|stay| stay.from_ms <= until_ms);
    let mut kept = Vec::with_capacity(stays.len());
    for stay in stays {
        let run = run_of(&stay, until_ms);
        let until_ms = run.until_ms.min(until_ms);
        kept.push(stayed(view, readings, stay, Run { until_ms, ..run }, 0)?);
    }
    Ok(Some(Kept::of(kept)).filter(|kept| !kept.stays.is_empty()))
}

fn stayed(
    view: &View,
    readings: &Readings,
    stay: Stay,
    run: Run,
    columns: u32,
) -> Result<KeptStay, Failed> {
    let policy = policy_text(view.folded(), &stay.policy, stay.version)?;
    let found = watched(view, readings, &stay.equipment, &policy, run, columns)?;
    let sealed_until = found.probes.iter().map(|(_, state)| state.sealed_until_ms);
    let sealed_until_ms = sealed_until.min().flatten();
    let probes = found.probes.iter().map(|(id, _)| *id).collect();
    let verdict = found.verdict;
    Ok(KeptStay {
        curve: (columns > 0).then_some(found.curve),
        ..KeptStay::of(stay, run, policy, probes, verdict, sealed_until_ms)
    })
}

/// A probe's segments, of which `count` were sealed, that reach into a time.
pub(in crate::ledger) fn segments_within(
    view: &View,
    probe: &EquipmentId,
    count: u64,
    window: Run,
) -> Result<Vec<SegmentState>, Failed> {
    let (mut from, mut found) = (0, Vec::new());
    while from < count {
        let page = segments_of(view, probe, from, SEGMENTS_PAGE)?;
        found.extend(page.into_iter().filter(|it| it.segment.is_within(window)));
        from = from.saturating_add(SEGMENTS_PAGE as u64);
    }
    Ok(found)
}

/// All that a probe read in a time; `budget` is how many readings may still be.
pub(in crate::ledger) fn read_within(
    readings: &Readings,
    probe: &EquipmentId,
    window: Run,
    budget: &mut usize,
) -> Result<Vec<Reading>, Failed> {
    let mut found = Vec::new();
    let mut range = readings.range(*probe, window.from_ms..=window.until_ms)?;
    while let Some(run) = range.next_run()? {
        *budget = budget.checked_sub(run.len()).ok_or_else(|| {
            let what = format!("more than {VERDICT_READINGS_MAX} readings in the unit's stays");
            Invalid::new(Rule::TooLarge, what)
        })?;
        found.extend_from_slice(run);
    }
    Ok(found)
}
