//! A piece of equipment over a time, as its probes read it: what is sealed is
//! held against its records once, and all is judged as it comes, run by run.

use super::judging::segments_within;
use super::probes_of;
use crate::error::Store;
use crate::ident::EquipmentId;
use crate::ledger::readings::{Range, Readings};
use crate::ledger::{Failed, View};
use crate::record::cold_chain::{EquipmentKind, EquipmentState, TemperaturePolicy};
use crate::record::keeping::{Curve, Run, Source, Verdict, judge_and_draw, window};
use crate::record::temperature::Reading;
use crate::rules::ColdFacts;

/// What was watched, and what followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// The probes, by id.
    pub probes: Vec<(EquipmentId, EquipmentState)>,
    /// The verdict by the policy that was asked for.
    pub verdict: Verdict,
    /// The course, in so many columns as were asked for.
    pub curve: Curve,
}

/// Judges what a probe, or the probes of any other equipment, read over a time.
/// Cost is linear in the readings, memory a chunk of them for each probe.
///
/// # Errors
/// [`Store::Damaged`] when readings are not those that were sealed.
pub fn watched(
    view: &View,
    readings: &Readings,
    equipment: &EquipmentId,
    policy: &TemperaturePolicy,
    run: Run,
    columns: u32,
) -> Result<Watched, Failed> {
    let itself = view.folded().equipment(equipment)?;
    let itself = itself.filter(|state| state.kind == EquipmentKind::Probe);
    let probes = match itself {
        Some(state) => vec![(*equipment, state)],
        None => probes_of(view, equipment)?,
    };
    let time = window(policy, run);
    let mut read = Vec::with_capacity(probes.len());
    for (probe, state) in &probes {
        check_sealed(view, readings, probe, state.next_segment, time)?;
        let range = readings.range(*probe, time.from_ms..=time.until_ms)?;
        read.push(ProbeRange(range));
    }
    let (verdict, curve) = judge_and_draw(policy, run, read, columns)?;
    Ok(Watched {
        probes,
        verdict,
        curve,
    })
}

/// Holds what is sealed of a probe's readings in a time against its records.
fn check_sealed(
    view: &View,
    readings: &Readings,
    probe: &EquipmentId,
    segments: u64,
    time: Run,
) -> Result<(), Failed> {
    for sealed in segments_within(view, probe, segments, time)? {
        let sealed = sealed.segment;
        // What was pruned after its time leaves a gap, like all that is absent.
        readings.check_once(probe, sealed.number, sealed.count, &sealed.root)?;
    }
    Ok(())
}

/// A probe's readings in a time, run by run.
struct ProbeRange(Range);

impl Source for ProbeRange {
    type Error = Store;

    fn next_run(&mut self, run: &mut Vec<Reading>) -> Result<bool, Store> {
        run.clear();
        run.extend_from_slice(self.0.next_run()?.unwrap_or_default());
        Ok(!run.is_empty())
    }
}
