//! Evidence, documents and supervised goods in the derived index: what a record
//! changes there, and what rules read of it.

use super::fold::Change;
use super::folded::Folded;
use super::working::Working;
use super::{Failed, rows};
use crate::ident::{Area, EntityId, TraceCode};
use crate::record::Hash;
use crate::record::claim::Claim;
use crate::record::document::{DocumentClaim, DocumentState};
use crate::record::encode::encode;
use crate::record::evidence::{Evidence, FindingState, UnitEvidence};
use crate::record::supervision::{Supervision, SupervisionPolicy, SupervisionState};
use crate::rules::{EvidenceFacts, Facts};

/// What a claim changes in these rows.
pub(super) fn changes(
    folded: &impl Facts<Error = Failed>,
    claim: &Claim,
    signer: EntityId,
    hash: Hash,
    index: u64,
    out: &mut Vec<Change>,
) -> Result<(), Failed> {
    match claim {
        Claim::Supervision(step) => supervised(folded, step, signer, index, out),
        Claim::Evidence(found) => evidence(folded, found, hash, index, out),
        Claim::AdoptsSamplingPolicy { area, holds } => {
            out.push((rows::sampling_policy(*area), encode(holds)));
            Ok(())
        }
        Claim::Document(claim) => document(folded, claim, signer, index, out),
        _ => Ok(()),
    }
}

fn supervised(
    folded: &impl Facts<Error = Failed>,
    step: &Supervision,
    signer: EntityId,
    index: u64,
    out: &mut Vec<Change>,
) -> Result<(), Failed> {
    if let Supervision::Adopts { area, policy } = step {
        out.push((rows::supervision_policy(*area), encode(policy)));
    }
    if let Some(unit) = step.unit() {
        let before = folded.supervision(&unit)?;
        let mut state = before.clone();
        state.apply(unit, index, signer, step);
        if state != before {
            out.push((rows::supervision(&unit), encode(&state)));
        }
    }
    Ok(())
}

fn evidence(
    folded: &impl Facts<Error = Failed>,
    found: &Evidence,
    hash: Hash,
    index: u64,
    out: &mut Vec<Change>,
) -> Result<(), Failed> {
    match found {
        Evidence::Tests {
            unit: Some(unit), ..
        } => {
            let mut state = folded.evidence(unit)?;
            state.apply(*unit, index, hash, found);
            out.push((rows::evidence(unit), encode(&state)));
        }
        Evidence::Tests { unit: None, .. } => {}
        Evidence::Inspects {
            entity, on, due, ..
        } => {
            for (position, due_on) in (0u16..).zip(due) {
                let state = FindingState {
                    inspection: hash,
                    found_on: (*on).into(),
                    due_on: (*due_on).into(),
                    rectified: None,
                };
                out.push((rows::finding(entity, index, position), encode(&state)));
            }
        }
        Evidence::Rectifies {
            inspection,
            entity,
            position,
            on,
            ..
        } => {
            if let Some((found_index, state)) = folded.finding(entity, inspection, *position)? {
                let state = FindingState {
                    rectified: Some(((*on).into(), index)),
                    ..state
                };
                out.push((
                    rows::finding(entity, found_index, *position),
                    encode(&state),
                ));
            }
        }
    }
    Ok(())
}

fn document(
    folded: &impl Facts<Error = Failed>,
    claim: &DocumentClaim,
    signer: EntityId,
    index: u64,
    out: &mut Vec<Change>,
) -> Result<(), Failed> {
    let is_named = match claim {
        DocumentClaim::Photographs { .. } => folded.policy()?.is_some_and(|it| it.rule_set >= 3),
        _ => true,
    };
    if !is_named {
        return Ok(());
    }
    let before = folded.document(claim.document())?;
    if let Some(state) = claim.apply(before, index, signer)
        && before != Some(state)
    {
        out.push((rows::document(claim.document()), encode(&state)));
    }
    Ok(())
}

impl EvidenceFacts for Folded {
    fn evidence(&self, unit: &TraceCode) -> Result<UnitEvidence, Failed> {
        let state = self.read("evidence", &rows::evidence(unit))?;
        Ok(state.unwrap_or_default())
    }

    fn finding(
        &self,
        entity: &EntityId,
        inspection: &Hash,
        position: u16,
    ) -> Result<Option<(u64, FindingState)>, Failed> {
        let Some(index) = self.index_of(inspection)? else {
            return Ok(None);
        };
        let state = self.read("finding", &rows::finding(entity, index, position))?;
        Ok(state.map(|state| (index, state)))
    }

    fn document(&self, hash: &Hash) -> Result<Option<DocumentState>, Failed> {
        Ok(self.read("document", &rows::document(hash))?)
    }

    fn supervision(&self, unit: &TraceCode) -> Result<SupervisionState, Failed> {
        let state = self.read("supervision", &rows::supervision(unit))?;
        Ok(state.unwrap_or_default())
    }

    fn sampling_policy(&self, area: Area) -> Result<Option<bool>, Failed> {
        Ok(self.read("sampling policy", &rows::sampling_policy(area))?)
    }

    fn supervision_policy(&self, area: Area) -> Result<Option<SupervisionPolicy>, Failed> {
        Ok(self.read("supervision policy", &rows::supervision_policy(area))?)
    }
}

impl EvidenceFacts for Working<'_> {
    fn evidence(&self, unit: &TraceCode) -> Result<UnitEvidence, Failed> {
        self.folded().evidence(unit)
    }

    fn finding(
        &self,
        entity: &EntityId,
        inspection: &Hash,
        position: u16,
    ) -> Result<Option<(u64, FindingState)>, Failed> {
        self.folded().finding(entity, inspection, position)
    }

    fn document(&self, hash: &Hash) -> Result<Option<DocumentState>, Failed> {
        self.folded().document(hash)
    }

    fn supervision(&self, unit: &TraceCode) -> Result<SupervisionState, Failed> {
        self.folded().supervision(unit)
    }

    fn sampling_policy(&self, area: Area) -> Result<Option<bool>, Failed> {
        self.folded().sampling_policy(area)
    }

    fn supervision_policy(&self, area: Area) -> Result<Option<SupervisionPolicy>, Failed> {
        self.folded().supervision_policy(area)
    }
}
