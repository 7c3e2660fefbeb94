//! The cold chain in the derived index: what a record changes there, what rules
//! read of it, and which probes watched over a unit when.

mod judging;
pub mod retention;
mod watched;

pub use crate::record::keeping::{Kept, KeptStay, degrees};
pub use judging::{VERDICT_READINGS_MAX, kept, kept_and_drawn, kept_until};
pub(super) use judging::{read_within, segments_within};
pub use watched::{Watched, watched};

use super::fold::Change;
use super::folded::Folded;
use super::readings::Readings;
use super::view::View;
use super::working::Working;
use super::{Failed, rows};
use crate::error::{Invalid, Rule, Store};
use crate::ident::{EntityId, EquipmentId, TraceCode};
use crate::record::alert::{Acknowledgement, LyingState};
use crate::record::cold_chain::{
    ColdClaim, EquipmentKind, EquipmentState, Segment, SegmentState, Stay, TemperaturePolicy,
    UnitStays,
};
use crate::record::encode::encode;
use crate::rules::{ColdFacts, Facts};

/// Most probes that watch over one place: a cold store of sixteen rooms with
/// sixteen probes each.
pub const PROBES_MAX: usize = 256;

/// Most parts of one piece of equipment that are gone through for its probes.
pub(super) const PARTS_MAX: usize = 1_024;

/// What a claim changes in these rows.
pub(super) fn changes(
    folded: &impl Facts<Error = Failed>,
    claim: &ColdClaim,
    signer: EntityId,
    index: u64,
    out: &mut Vec<Change>,
) -> Result<(), Failed> {
    match claim {
        ColdClaim::Adopts {
            policy,
            version,
            text,
        } => {
            out.push((rows::temperature_version(policy), encode(version)));
            out.push((rows::temperature_policy(policy, *version), encode(text)));
        }
        ColdClaim::Registers {
            equipment,
            kind,
            part_of,
            area,
            calibration,
        } => {
            let state = EquipmentState {
                entity: signer,
                kind: *kind,
                part_of: *part_of,
                area: area.code(),
                registered_index: index,
                calibration: *calibration,
                retired: None,
                next_segment: 0,
                sealed_until_ms: None,
            };
            out.push((rows::equipment(equipment), encode(&state)));
            let own = rows::with_equipment(rows::equipment_of(&signer), equipment);
            out.push((own, Vec::new()));
            let part = part_of.map(|whole| rows::with_equipment(rows::parts(&whole), equipment));
            out.extend(part.map(|key| (key, Vec::new())));
        }
        ColdClaim::Calibrates {
            equipment,
            calibration,
        } => change(folded, equipment, out, |state| {
            state.calibration = Some(*calibration);
        })?,
        ColdClaim::Retires { equipment, at_ms } => change(folded, equipment, out, |state| {
            state.retired = Some((*at_ms, index));
        })?,
        ColdClaim::Acknowledges {
            equipment,
            sort,
            at_ms,
        } => {
            let state = Acknowledgement {
                at_ms: *at_ms,
                by: signer,
                index,
            };
            out.push((rows::acknowledgement(equipment, *sort), encode(&state)));
        }
        ColdClaim::Seals(segment) => {
            let state = SegmentState {
                segment: *segment,
                index,
            };
            let key = rows::at(rows::segments(&segment.probe), segment.number);
            out.push((key, encode(&state)));
            change(folded, &segment.probe, out, |state| {
                state.next_segment = segment.number.saturating_add(1);
                state.sealed_until_ms = state.sealed_until_ms.max(Some(segment.last_ms));
            })?;
        }
        ColdClaim::Places {
            unit,
            equipment,
            at_ms,
            policy,
        } => {
            let version = folded
                .temperature_policy(policy)?
                .map_or(0, |(last, _)| last);
            let mut stays = folded.stays(unit)?;
            stays.stays.push(Stay {
                equipment: *equipment,
                entity: signer,
                from_ms: *at_ms,
                placed_index: index,
                taken_out: None,
                policy: policy.clone(),
                version,
            });
            out.push((rows::stays(unit), encode(&stays)));
            let lying = folded.lying(equipment, policy, version)?;
            let state = LyingState {
                units: lying.map_or(0, |it| it.units).saturating_add(1),
                since_ms: lying
                    .filter(|it| it.units > 0)
                    .map_or(*at_ms, |it| it.since_ms),
            };
            out.push((rows::lying(equipment, policy, version), encode(&state)));
        }
        ColdClaim::TakesOut {
            unit,
            equipment,
            at_ms,
        } => {
            let mut stays = folded.stays(unit)?;
            if let Some(stay) = stays.open(equipment)
                && let Some(lying) = folded.lying(equipment, &stay.policy, stay.version)?
            {
                let state = LyingState {
                    units: lying.units.saturating_sub(1),
                    ..lying
                };
                let key = rows::lying(equipment, &stay.policy, stay.version);
                out.push((key, encode(&state)));
            }
            stays.take_out(equipment, *at_ms, index);
            out.push((rows::stays(unit), encode(&stays)));
        }
    }
    Ok(())
}

fn change(
    folded: &impl Facts<Error = Failed>,
    equipment: &EquipmentId,
    out: &mut Vec<Change>,
    change: impl FnOnce(&mut EquipmentState),
) -> Result<(), Failed> {
    if let Some(mut state) = folded.equipment(equipment)? {
        change(&mut state);
        out.push((rows::equipment(equipment), encode(&state)));
    }
    Ok(())
}

impl ColdFacts for Folded {
    fn equipment(&self, id: &EquipmentId) -> Result<Option<EquipmentState>, Failed> {
        Ok(self.read("equipment", &rows::equipment(id))?)
    }

    fn temperature_policy(&self, code: &str) -> Result<Option<(u32, TemperaturePolicy)>, Failed> {
        let version = self.read("policy version", &rows::temperature_version(code))?;
        let Some(version) = version else {
            return Ok(None);
        };
        let text = policy_text(self, code, version)?;
        Ok(Some((version, text)))
    }

    fn stays(&self, unit: &TraceCode) -> Result<UnitStays, Failed> {
        Ok(self.read("stays", &rows::stays(unit))?.unwrap_or_default())
    }

    fn lying(
        &self,
        equipment: &EquipmentId,
        policy: &str,
        version: u32,
    ) -> Result<Option<LyingState>, Failed> {
        Ok(self.read("lying", &rows::lying(equipment, policy, version))?)
    }
}

impl ColdFacts for Working<'_> {
    fn equipment(&self, id: &EquipmentId) -> Result<Option<EquipmentState>, Failed> {
        self.folded().equipment(id)
    }

    fn temperature_policy(&self, code: &str) -> Result<Option<(u32, TemperaturePolicy)>, Failed> {
        self.folded().temperature_policy(code)
    }

    fn stays(&self, unit: &TraceCode) -> Result<UnitStays, Failed> {
        self.folded().stays(unit)
    }

    fn lying(
        &self,
        equipment: &EquipmentId,
        policy: &str,
        version: u32,
    ) -> Result<Option<LyingState>, Failed> {
        self.folded().lying(equipment, policy, version)
    }
}

/// What a version of a policy says; that it was adopted is on the ledger.
pub(super) fn policy_text(
    folded: &Folded,
    code: &str,
    version: u32,
) -> Result<TemperaturePolicy, Failed> {
    let text = folded.read("policy", &rows::temperature_policy(code, version))?;
    let missing = || Store::Damaged {
        what: format!("index: version {version} of temperature policy {code} is missing"),
    };
    Ok(text.ok_or_else(missing)?)
}

/// An entity's equipment behind `after`, by id.
///
/// # Errors
/// From the store.
pub fn equipment_of(
    view: &View,
    entity: &EntityId,
    after: Option<EquipmentId>,
    limit: usize,
) -> Result<Vec<(EquipmentId, EquipmentState)>, Failed> {
    let ids = listed(view.folded(), rows::equipment_of(entity), after, limit)?;
    known(view.folded(), ids)
}

/// All equipment of the ledger behind `after`, by id.
///
/// # Errors
/// From the store.
pub fn all_equipment(
    view: &View,
    after: Option<EquipmentId>,
    limit: usize,
) -> Result<Vec<(EquipmentId, EquipmentState)>, Failed> {
    let ids = listed(view.folded(), rows::all_equipment(), after, limit)?;
    known(view.folded(), ids)
}

/// The probes that watch over a piece of equipment: its own and its parts',
/// retired ones too.
///
/// # Errors
/// From the store.
pub fn probes_of(
    view: &View,
    equipment: &EquipmentId,
) -> Result<Vec<(EquipmentId, EquipmentState)>, Failed> {
    let (mut waiting, mut probes) = (vec![*equipment], Vec::new());
    while let Some(whole) = waiting.pop() {
        for (id, state) in parts_of(view, &whole)? {
            match state.kind {
                EquipmentKind::Probe => probes.push((id, state)),
                _ => waiting.push(id),
            }
        }
        probes.truncate(PROBES_MAX);
    }
    probes.sort_unstable_by_key(|(id, _)| *id);
    Ok(probes)
}

/// What a piece of equipment has parts of, by id, retired ones too.
///
/// # Errors
/// From the store.
pub fn parts_of(
    view: &View,
    whole: &EquipmentId,
) -> Result<Vec<(EquipmentId, EquipmentState)>, Failed> {
    let parts = listed(view.folded(), rows::parts(whole), None, PARTS_MAX)?;
    known(view.folded(), parts)
}

/// A probe's segments from number `from` on.
///
/// # Errors
/// From the store.
pub fn segments_of(
    view: &View,
    probe: &EquipmentId,
    from: u64,
    limit: usize,
) -> Result<Vec<SegmentState>, Failed> {
    let prefix = rows::segments(probe);
    let start = rows::at(prefix.clone(), from);
    let mut found = Vec::new();
    view.folded()
        .values(&prefix, &start, limit, "segment", |_, state| {
            found.push(state);
        })?;
    Ok(found)
}

/// A probe's oldest unsealed readings up to a time, as the segment that the
/// ledger expects next.
///
/// # Errors
/// [`Rule::NothingToSeal`] when there are none; as of [`Readings::draft`].
pub fn to_seal(
    readings: &Readings,
    probe: &EquipmentId,
    expected: u64,
    until_ms: u64,
) -> Result<Segment, Failed> {
    let nothing = || {
        let what = format!("{probe} has no unsealed readings up to then");
        Failed::from(Invalid::new(Rule::NothingToSeal, what))
    };
    readings
        .draft(probe, expected, until_ms)?
        .ok_or_else(nothing)
}

fn listed(
    folded: &Folded,
    prefix: Vec<u8>,
    after: Option<EquipmentId>,
    limit: usize,
) -> Result<Vec<EquipmentId>, Failed> {
    let from = match after {
        Some(id) => [rows::with_equipment(prefix.clone(), &id), vec![0]].concat(),
        None => prefix.clone(),
    };
    let mut found = Vec::new();
    folded.visit(&prefix, &from, |key, _| {
        found.extend(rows::equipment_at_end(key));
        found.len() < limit
    })?;
    Ok(found)
}

fn known(
    folded: &Folded,
    ids: Vec<EquipmentId>,
) -> Result<Vec<(EquipmentId, EquipmentState)>, Failed> {
    let mut all = Vec::with_capacity(ids.len());
    for id in ids {
        all.extend(folded.equipment(&id)?.map(|state| (id, state)));
    }
    Ok(all)
}
