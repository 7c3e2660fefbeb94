//! What each claim demands of the role in which it is made: whose it is, and
//! in which area. Not here: which roles may sign a kind, which is the table's.

use super::{Registry, SignedAs};
use crate::error::{Invalid, Rule};
use crate::ident::{Area, EntityId, TraceCode};
use crate::record::claim::Claim;
use crate::record::cold_chain::ColdClaim;
use crate::record::evidence::Evidence;
use crate::record::hash::Hash;
use crate::record::marks::{MarkKind, MarkState};
use crate::record::official::FilledIn;
use crate::record::role::Role;
use crate::record::supervision::Supervision;

/// Why a claim is not permitted, or that reading failed.
pub(super) enum Denied<E> {
    Here(Invalid),
    Reader(E),
}

/// Whether a capacity may make a claim.
pub(super) fn permits<R: Registry>(
    registry: &R,
    own: &SignedAs,
    claim: &Claim,
) -> Result<(), Denied<R::Error>> {
    let deny = |what: String| Err(Denied::Here(Invalid::new(Rule::Right, what)));
    let within = |area: Area, what: &str| match own.covers(area) {
        true => Ok(()),
        false => deny(format!(
            "{} holds {} for {}, {what} is in {area}",
            own.entity,
            own.role,
            own.area.map_or("everywhere".into(), |a| a.to_string())
        )),
    };
    let area_of = |entity: &EntityId| -> Result<Area, Denied<R::Error>> {
        let state = registry.entity(entity).map_err(Denied::Reader)?;
        let unknown = || {
            Denied::Here(Invalid::new(
                Rule::EntityUnknown,
                format!("entity {entity} is not registered"),
            ))
        };
        Area::try_from(state.ok_or_else(unknown)?.area).map_err(Denied::Here)
    };
    let governs = matches!(own.role, Role::Root | Role::Authority);
    if let Some(other) = claim.acts_for().filter(|other| *other != own.entity) {
        return match may_assist(own.role) {
            true => within(area_of(&other)?, "the one acted for"),
            false => deny(format!("a {} acts for nobody but itself", own.role)),
        };
    }
    match claim {
        Claim::RegistersEntity { area, .. } => within(*area, "the entity"),
        Claim::EnrolsKey { entity, .. } => within(area_of(entity)?, "the entity"),
        Claim::RevokesKey {
            entity,
            compromised_from: Some(_),
            ..
        } if own.entity == *entity || !governs => deny(format!(
            "{} may not say from when on keys of {entity} were compromised: another authority may",
            own.entity
        )),
        Claim::RevokesKey { entity, .. } if own.entity == *entity => Ok(()),
        Claim::RevokesKey { entity, .. } if governs => within(area_of(entity)?, "the key's entity"),
        Claim::RevokesKey { entity, .. } => deny(format!(
            "the key belongs to {entity}, not to {}",
            own.entity
        )),
        Claim::GrantsRole {
            role: Role::Root, ..
        }
        | Claim::WithdrawsRole {
            role: Role::Root, ..
        } => deny("the root authority is fixed by the ledger's first record".into()),
        Claim::GrantsRole {
            role: Role::Operator,
            ..
        }
        | Claim::WithdrawsRole {
            role: Role::Operator,
            ..
        } if own.role != Role::Root => deny("the operator is named by the root authority".into()),
        Claim::GrantsRole { entity, role, area } | Claim::WithdrawsRole { entity, role, area } => {
            area_of(entity)?;
            within(*area, "the role")?;
            match own.area {
                Some(own_area) if *role == Role::Authority && own_area == *area => deny(format!(
                    "an authority for {own_area} delegates to areas below it, not to its own"
                )),
                _ => Ok(()),
            }
        }
        Claim::Voids {
            unit,
            number,
            target,
        } => {
            let issuer = issuer(registry, unit, number.as_deref(), target)?;
            match own.entity == issuer {
                true => Ok(()),
                false if governs => within(area_of(&issuer)?, "the issuer"),
                false => deny(format!("issued by {issuer}, not by {}", own.entity)),
            }
        }
        Claim::Supersedes {
            unit,
            number,
            target,
            ..
        } => {
            let issuer = issuer(registry, unit, Some(number), target)?;
            match own.entity == issuer {
                true => Ok(()),
                false => deny(format!(
                    "issued by {issuer}; only it replaces its certificate, {} may void it",
                    own.entity
                )),
            }
        }
        Claim::FillsIn(FilledIn {
            area: Some(area), ..
        })
        | Claim::Supervision(Supervision::Adopts { area, .. })
        | Claim::AdoptsSamplingPolicy { area, .. }
        | Claim::Cold(ColdClaim::Registers { area, .. })
        | Claim::Evidence(
            Evidence::Tests {
                area: Some(area), ..
            }
            | Evidence::Inspects { area, .. }
            | Evidence::Rectifies { area, .. },
        ) => within(*area, "what is recorded"),
        Claim::OpensLedger { .. } => deny("a ledger opens once".into()),
        Claim::Holds { unit } => {
            let maker = maker(registry, unit)?;
            match own.entity == maker {
                true => Ok(()),
                false if may_halt(own.role) => within(area_of(&maker)?, "the maker"),
                false => deny(format!("{unit} was made by {maker}, not by {}", own.entity)),
            }
        }
        Claim::Recalls { unit, .. } => {
            let maker = maker(registry, unit)?;
            match own.entity == maker {
                true => Ok(()),
                false if governs => within(area_of(&maker)?, "the maker"),
                false => deny(format!("{unit} was made by {maker}, not by {}", own.entity)),
            }
        }
        Claim::Releases { unit, target } => {
            let mark = marked(
                registry,
                unit,
                target,
                &[MarkKind::Hold, MarkKind::FailedSample],
            )?;
            match own.entity == mark.by {
                true => Ok(()),
                false if may_halt(own.role) => within(area_of(&mark.maker)?, "the maker"),
                false => deny(format!("held by {}, not by {}", mark.by, own.entity)),
            }
        }
        Claim::ClosesRecall { unit, target, .. } => {
            let mark = marked(registry, unit, target, &[MarkKind::Recall])?;
            match own.entity == mark.by {
                true => Ok(()),
                false if governs => within(area_of(&mark.maker)?, "the maker"),
                false => deny(format!("recalled by {}, not by {}", mark.by, own.entity)),
            }
        }
        Claim::AdoptsRuleSet { .. }
        | Claim::AdoptsTolerance { .. }
        | Claim::Transforms { .. }
        | Claim::HandsOver { .. }
        | Claim::Receives { .. }
        | Claim::ChecksIn { .. }
        | Claim::Disposes { .. }
        | Claim::UsesPaper { .. }
        | Claim::CreatesUnit { .. }
        | Claim::Certifies { .. }
        | Claim::EntersStore { .. }
        | Claim::LeavesStore { .. }
        | Claim::AgreesToCorrection { .. }
        | Claim::HoldsFailed { .. }
        | Claim::MarksVoided { .. }
        | Claim::MarksCertificateVoided { .. }
        | Claim::RestrictsPerson { .. }
        | Claim::ErasesPerson { .. }
        | Claim::FillsIn(_)
        | Claim::Supervision(_)
        | Claim::Evidence(_)
        | Claim::Document(_)
        | Claim::Cold(_)
        | Claim::SealsLookups { .. } => Ok(()),
    }
}

/// Who may sign for another, both being named: a market for its sellers, and
/// those whom an authority or inspection lets help in the villages.
fn may_assist(role: Role) -> bool {
    matches!(role, Role::Market | Role::Authority | Role::Inspector)
}

/// Who may hold and release what others made.
pub(crate) fn may_halt(role: Role) -> bool {
    matches!(role, Role::Root | Role::Authority | Role::Inspector)
}

fn maker<R: Registry>(registry: &R, unit: &TraceCode) -> Result<EntityId, Denied<R::Error>> {
    let state = registry.unit(unit).map_err(Denied::Reader)?;
    match state.and_then(|state| state.made) {
        Some(made) => Ok(made.entity),
        None => Err(Denied::Here(Invalid::new(
            Rule::UnitUnknown,
            format!("{unit} is not on this ledger"),
        ))),
    }
}

fn marked<R: Registry>(
    registry: &R,
    unit: &TraceCode,
    target: &Hash,
    kinds: &[MarkKind],
) -> Result<MarkState, Denied<R::Error>> {
    match registry.mark(target).map_err(Denied::Reader)? {
        Some(mark) if mark.unit == *unit && kinds.contains(&mark.kind) => Ok(mark),
        _ => Err(Denied::Here(Invalid::new(
            Rule::TargetUnknown,
            format!(
                "record {target} is no {kind:?} of {unit}",
                kind = kinds.first()
            ),
        ))),
    }
}

fn issuer<R: Registry>(
    registry: &R,
    unit: &TraceCode,
    number: Option<&str>,
    target: &Hash,
) -> Result<EntityId, Denied<R::Error>> {
    let state = registry.unit(unit).map_err(Denied::Reader)?;
    let found = state.as_ref().and_then(|state| match number {
        Some(number) => state
            .certificate(number)
            .map(|held| (held.issuer, held.hash)),
        None => state.made.as_ref().map(|made| (made.entity, made.hash)),
    });
    match found {
        Some((issuer, hash)) if hash == *target => Ok(issuer),
        Some((_, hash)) => Err(Denied::Here(
            Invalid::new(
                Rule::TargetUnknown,
                format!(
                    "{unit} {} is record {hash}, not {target}",
                    number.unwrap_or("")
                ),
            )
            .against(hash.into()),
        )),
        None => Err(Denied::Here(Invalid::new(
            Rule::TargetUnknown,
            format!("{unit} {} is not on this ledger", number.unwrap_or("")),
        ))),
    }
}
