//! A piece of equipment over a time, as its probes read it: what is sealed is
//! held against its records, and all is judged as it comes, run by run.

use super::{probes_of, segments_of};
use crate::error::Store;
use crate::ident::EquipmentId;
use crate::ledger::readings::{Checked, Range, Readings};
use crate::ledger::{Failed, View};
use crate::record::cold_chain::{EquipmentKind, EquipmentState, TemperaturePolicy};
use crate::record::temperature::Reading;
use crate::rules::ColdFacts;
use crate::rules::temperature::{Curve, Run, Source, Verdict, judge_and_draw};

/// Segments asked for at a time.
const SEGMENTS_PAGE: usize = 256;

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
    let mut read = Vec::with_capacity(probes.len());
    for (probe, state) in &probes {
        check_sealed(view, readings, probe, state.next_segment, policy, run)?;
        read.push(ProbeRange::open(readings, *probe, policy, run)?);
    }
    let (verdict, curve) = judge_and_draw(policy, run, read, columns)?;
    Ok(Watched {
        probes,
        verdict,
        curve,
    })
}

/// A stay, and a gap's time before and after it: nothing that was read further
/// away stands in it.
fn window(policy: &TemperaturePolicy, stay: Run) -> Run {
    let gap_ms = u64::from(policy.gap_s_max) * 1_000;
    Run {
        from_ms: stay.from_ms.saturating_sub(gap_ms),
        until_ms: stay.until_ms.saturating_add(gap_ms),
    }
}

/// Holds what is sealed of a probe's readings about a stay against its records.
fn check_sealed(
    view: &View,
    readings: &Readings,
    probe: &EquipmentId,
    segments: u64,
    policy: &TemperaturePolicy,
    stay: Run,
) -> Result<(), Failed> {
    let window = window(policy, stay);
    let mut from = 0;
    while from < segments {
        let page = segments_of(view, probe, from, SEGMENTS_PAGE)?;
        for sealed in page.iter().map(|state| state.segment) {
            if sealed.first_ms > window.until_ms || sealed.last_ms < window.from_ms {
                continue;
            }
            // What was pruned after its time leaves a gap, like all that is absent.
            match readings.check(probe, sealed.number, sealed.count, &sealed.root)? {
                Checked::Sound | Checked::Pruned => {}
            }
        }
        from = from.saturating_add(SEGMENTS_PAGE as u64);
    }
    Ok(())
}

/// A probe's readings about a stay, run by run. Its last before them and its first
/// after them stand for no time in the stay, but what they neighbour does not reach
/// its ends either.
struct ProbeRange {
    range: Range,
    before: Option<Reading>,
    after: Option<Reading>,
}

impl ProbeRange {
    fn open(
        readings: &Readings,
        probe: EquipmentId,
        policy: &TemperaturePolicy,
        stay: Run,
    ) -> Result<Self, Store> {
        let window = window(policy, stay);
        let range = readings.range(probe, window.from_ms..=window.until_ms)?;
        Ok(Self {
            before: range.before(),
            after: range.after(),
            range,
        })
    }
}

impl Source for ProbeRange {
    type Error = Store;

    fn next_run(&mut self, run: &mut Vec<Reading>) -> Result<bool, Store> {
        run.clear();
        if let Some(before) = self.before.take() {
            run.push(before);
        } else if let Some(found) = self.range.next_run()? {
            run.extend_from_slice(found);
        } else {
            run.extend(self.after.take());
        }
        Ok(!run.is_empty())
    }
}

