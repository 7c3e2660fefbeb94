//! What the records of a bundle establish of the cold chain: policies by version,
//! equipment and its parts, sealed segments, and where the unit lay when.
//!
//! Of the rules of admission those are held here on which the verdict rests: a
//! policy's versions follow each other, equipment begins once, a segment is of
//! the signer's own probe and follows those before it, and a unit is taken out of
//! where it lies. Not here: readings.

use crate::error::{Invalid, Rule};
use crate::ident::{EntityId, EquipmentId, TraceCode};
use crate::record::cold_chain::{
    ColdClaim, EquipmentKind, Segment, SegmentState, Stay, TemperaturePolicy, UnitStays,
};
use std::collections::{BTreeMap, HashMap};

/// The state after some records.
#[derive(Default)]
pub(super) struct Cold {
    /// Of each policy its versions, from the first.
    policies: HashMap<String, Vec<TemperaturePolicy>>,
    equipment: BTreeMap<EquipmentId, Equipment>,
    segments: HashMap<EquipmentId, BTreeMap<u64, SegmentState>>,
    stays: UnitStays,
}

/// A registered piece of equipment.
struct Equipment {
    entity: EntityId,
    kind: EquipmentKind,
    part_of: Option<EquipmentId>,
    index: u64,
}

impl Cold {
    /// Whether a record here registers it.
    pub(super) fn is_registered(&self, equipment: &EquipmentId) -> bool {
        self.equipment.contains_key(equipment)
    }

    /// Where the unit lay, in the order of the log.
    pub(super) fn stays(&self) -> &[Stay] {
        &self.stays.stays
    }

    /// What a version of a policy says.
    pub(super) fn policy(&self, code: &str, version: u32) -> Option<&TemperaturePolicy> {
        let place = usize::try_from(version.checked_sub(1)?).ok()?;
        self.policies.get(code)?.get(place)
    }

    /// The parts of a piece of equipment, by id, and whether each is a probe.
    pub(super) fn parts(&self, whole: &EquipmentId) -> impl Iterator<Item = (EquipmentId, bool)> {
        let parts = self.equipment.iter();
        parts
            .filter(move |(_, state)| state.part_of == Some(*whole))
            .map(|(id, state)| (*id, state.kind == EquipmentKind::Probe))
    }

    /// A probe's segments, by number.
    pub(super) fn segments(&self, probe: &EquipmentId) -> impl Iterator<Item = &SegmentState> {
        self.segments
            .get(probe)
            .into_iter()
            .flat_map(BTreeMap::values)
    }

    /// Adds one claim of a record that may stand, about the unit `code`.
    pub(super) fn apply(
        &mut self,
        code: TraceCode,
        index: u64,
        signer: EntityId,
        claim: &ColdClaim,
    ) -> Result<(), Invalid> {
        match claim {
            ColdClaim::Adopts {
                policy,
                version,
                text,
            } => {
                let versions = self.policies.entry(policy.clone()).or_default();
                let next = versions.len().saturating_add(1);
                if usize::try_from(*version) != Ok(next) {
                    let what = format!("version {version} of {policy}, expected {next}");
                    return Err(Invalid::new(Rule::PolicyVersion, what));
                }
                versions.push(text.clone());
                Ok(())
            }
            ColdClaim::Registers {
                equipment,
                kind,
                part_of,
                ..
            } => {
                let state = Equipment {
                    entity: signer,
                    kind: *kind,
                    part_of: *part_of,
                    index,
                };
                match self.equipment.insert(*equipment, state) {
                    None => Ok(()),
                    Some(known) => {
                        let what = format!("{equipment} at index {}", known.index);
                        Err(Invalid::new(Rule::EquipmentKnown, what))
                    }
                }
            }
            ColdClaim::Seals(segment) => self.seal(index, signer, *segment),
            ColdClaim::Places {
                unit,
                equipment,
                at_ms,
                policy,
            } if *unit == code => {
                let version = self.policies.get(policy).map_or(0, Vec::len);
                if version == 0 {
                    let what = format!("no policy {policy:?} was adopted");
                    return Err(Invalid::new(Rule::PolicyUnknown, what));
                }
                self.stays.stays.push(Stay {
                    equipment: *equipment,
                    entity: signer,
                    from_ms: *at_ms,
                    placed_index: index,
                    taken_out: None,
                    policy: policy.clone(),
                    version: u32::try_from(version).unwrap_or(u32::MAX),
                });
                Ok(())
            }
            ColdClaim::TakesOut {
                unit,
                equipment,
                at_ms,
            } if *unit == code => match self.stays.open(equipment) {
                None => {
                    let what = format!("{unit} does not lie in {equipment}");
                    Err(Invalid::new(Rule::StayMissing, what))
                }
                Some(open) if *at_ms < open.from_ms => {
                    let what = format!("taken out at {at_ms} ms, placed at {} ms", open.from_ms);
                    Err(Invalid::new(Rule::ImpossibleOrder, what))
                }
                Some(_) => {
                    self.stays.take_out(equipment, *at_ms, index);
                    Ok(())
                }
            },
            ColdClaim::Calibrates { .. }
            | ColdClaim::Acknowledges { .. }
            | ColdClaim::Retires { .. }
            | ColdClaim::Places { .. }
            | ColdClaim::TakesOut { .. } => Ok(()),
        }
    }

    fn seal(&mut self, index: u64, signer: EntityId, segment: Segment) -> Result<(), Invalid> {
        let probe = segment.probe;
        match self.equipment.get(&probe) {
            Some(state) if state.entity != signer => {
                let what = format!("{probe} belongs to {}, not to {signer}", state.entity);
                return Err(Invalid::new(Rule::Right, what));
            }
            Some(state) if state.kind != EquipmentKind::Probe => {
                let what = format!("{probe} is {:?}, not a probe", state.kind);
                return Err(Invalid::new(Rule::EquipmentUnfit, what));
            }
            _ => {}
        }
        let sealed = self.segments.entry(probe).or_default();
        if let Some((last, _)) = sealed.last_key_value()
            && segment.number <= *last
        {
            let what = format!(
                "segment {} of {probe} after its segment {last}",
                segment.number
            );
            return Err(Invalid::new(Rule::SegmentNumber, what));
        }
        sealed.insert(segment.number, SegmentState { segment, index });
        Ok(())
    }
}
