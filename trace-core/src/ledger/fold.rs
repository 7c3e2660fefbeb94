//! The fold: what one admitted record changes in the derived index.
//!
//! A pure function of the record, what lies beside it, and the state before it;
//! replaying the log makes the same rows, byte for byte.

use super::corrections::Correcting;
use super::fold_flow;
use super::fold_movement::Folding;
use super::folded::{Behind, ChainState, RecordPlace, RequestState};
use super::log::Request;
use super::{Failed, cold_chain, evidence, rows};
use crate::ident::EntityId;
use crate::record::claim::{Claim, Policy};
use crate::record::encode::encode;
use crate::record::rights::{EntityState, Grant, KeyState, root_entity};
use crate::record::unit::units_of;
use crate::record::{Body, Hash, Signed};
use crate::rules::{Facts, StockState};

/// Which fold made an index: raised whenever the rows of an old record change,
/// so that an index of an older one is made again.
const VERSION: &[u8] = b"trace/fold/v4\n";

/// What binds an index to the log that it was folded from, and to this fold.
pub(crate) fn binding(root: Hash) -> [u8; 32] {
    Hash::of(&[VERSION, root.as_bytes()]).into()
}

/// A change of the index: a key and its new value.
pub(crate) type Change = (Vec<u8>, Vec<u8>);

/// What `record`, standing at `index`, changes. `claims` are the record's, with
/// its trade section at hand; `signer` is the entity whose key signed.
pub(crate) fn changes(
    folded: &(impl Facts<Error = Failed> + Behind),
    record: &Signed,
    body: &Body,
    claims: &[Claim],
    signer: EntityId,
    index: u64,
    request: Option<&Request>,
) -> Result<Vec<Change>, Failed> {
    let statement = record.statement();
    let hash = record.hash();
    let mut out = Vec::with_capacity(8);
    out.push((rows::by_hash(&hash), encode(&RecordPlace { index, hash })));
    for subject in &statement.subjects {
        out.push((rows::at(rows::by_subject(subject), index), Vec::new()));
    }
    let chain = ChainState::after(record);
    out.push((rows::chain(&statement.key), encode(&chain)));
    for (place, person) in (0u8..).zip(body.persons()) {
        let mut key = rows::at(rows::person_sections(&person.person), index);
        key.push(place);
        out.push((key, Vec::new()));
        let state = folded.person(&person.person)?.unwrap_or_default();
        out.push((rows::person(&person.person), encode(&state)));
    }
    if let Some(request) = request {
        let state = RequestState {
            request_hash: request.request_hash,
            last_index: index,
            count: request.count,
        };
        out.push((rows::request(&request.entity, &request.key), encode(&state)));
    }
    // A record's claims each concern other rows, but for units: fold them all
    // before writing a unit's state once.
    let mut units = claims.iter().flat_map(units_of).collect::<Vec<_>>();
    units.sort_unstable();
    units.dedup();
    for code in units {
        let mut state = folded.unit(&code)?.unwrap_or_default();
        claims
            .iter()
            .for_each(|claim| state.apply(code, index, hash, signer, claim));
        out.push((rows::unit(&code), encode(&state)));
    }
    for claim in claims {
        of_claim(folded, claim, signer, index, &mut out)?;
        let mut folding = Folding {
            facts: folded,
            hash,
            signer,
            index,
            out: &mut out,
        };
        folding.claim(claim)?;
        let mut correcting = Correcting {
            facts: folded,
            hash,
            signer,
            index,
            out: &mut out,
        };
        correcting.claim(claim)?;
        evidence::changes(folded, claim, signer, hash, index, &mut out)?;
        if let Claim::Cold(claim) = claim {
            cold_chain::changes(folded, claim, signer, index, &mut out)?;
        }
    }
    fold_flow::changes(folded, claims, signer, (index, hash), &mut out)?;
    Ok(out)
}

fn of_claim(
    folded: &impl Facts<Error = Failed>,
    claim: &Claim,
    signer: EntityId,
    index: u64,
    out: &mut Vec<Change>,
) -> Result<(), Failed> {
    match claim {
        Claim::OpensLedger { root_keys, policy } => {
            out.push((rows::POLICY.to_vec(), encode(policy)));
            for key in root_keys {
                out.push((
                    rows::signer_key(&key.id()),
                    encode(&KeyState::enrolled(root_entity(), key, false, index)),
                ));
            }
        }
        Claim::AdoptsRuleSet { rule_set } => {
            if let Some(policy) = folded.policy()? {
                let policy = Policy {
                    rule_set: *rule_set,
                    ..policy
                };
                out.push((rows::POLICY.to_vec(), encode(&policy)));
            }
        }
        Claim::RegistersEntity { entity, area, uscc } => {
            let state = EntityState {
                area: area.code(),
                registered_index: index,
                grants: Vec::new(),
            };
            out.push((rows::entity(entity), encode(&state)));
            out.extend(uscc.as_ref().map(|uscc| (rows::uscc(uscc), encode(entity))));
        }
        Claim::EnrolsKey {
            entity,
            key,
            hosted,
            ..
        } => {
            out.push((
                rows::signer_key(&key.id()),
                encode(&KeyState::enrolled(*entity, key, *hosted, index)),
            ));
        }
        Claim::RevokesKey {
            key,
            compromised_from,
            ..
        } => {
            if let Some(state) = folded.key(key)? {
                let state = KeyState {
                    revoked_index: Some(index),
                    compromised_from: *compromised_from,
                    ..state
                };
                out.push((rows::signer_key(key), encode(&state)));
            }
            if let Some(from) = compromised_from {
                out.push((rows::compromised(key), encode(&(*from, index))));
            }
        }
        Claim::GrantsRole { entity, role, area } => {
            if let Some(mut state) = folded.entity(entity)? {
                state.grants.push(Grant {
                    role: *role,
                    area: area.code(),
                    granted_index: index,
                });
                out.push((rows::entity(entity), encode(&state)));
            }
        }
        Claim::WithdrawsRole { entity, role, area } => {
            if let Some(mut state) = folded.entity(entity)? {
                state
                    .grants
                    .retain(|grant| grant.role != *role || grant.area != area.code());
                out.push((rows::entity(entity), encode(&state)));
            }
        }
        Claim::CreatesUnit {
            unit,
            gtin,
            lot,
            foreign_codes,
            ..
        } => {
            if let (Some(gtin), Some(lot)) = (gtin, lot) {
                out.push((
                    rows::with_code(rows::gtin_lot(gtin.as_u64(), lot), unit),
                    Vec::new(),
                ));
            }
            let foreign = foreign_codes
                .iter()
                .map(|code| (rows::with_code(rows::foreign(code), unit), Vec::new()));
            out.extend(foreign);
        }
        Claim::Certifies { number, unit, .. } => {
            out.push((rows::number(number), encode(unit)));
            out.push((rows::at(rows::issued(&signer), index), Vec::new()));
        }
        Claim::Supersedes {
            replacement_unit,
            replacement_number,
            ..
        } => {
            out.push((rows::number(replacement_number), encode(replacement_unit)));
        }
        Claim::EntersStore {
            unit,
            quantity: Some(quantity),
            ..
        } => {
            let mut stock: StockState = folded.stock(unit)?;
            stock.enter(signer, quantity.base_amount());
            out.push((rows::stock(unit), encode(&stock)));
        }
        Claim::LeavesStore {
            unit,
            quantity: Some(quantity),
            ..
        } => {
            let mut stock: StockState = folded.stock(unit)?;
            stock.leave(signer, quantity.base_amount());
            out.push((rows::stock(unit), encode(&stock)));
        }
        Claim::RestrictsPerson { person, destroy_on } => {
            let mut state = folded.person(person)?.unwrap_or_default();
            state.destroy_on = Some(destroy_on.days());
            out.push((rows::person(person), encode(&state)));
        }
        Claim::ErasesPerson { person } => {
            let mut state = folded.person(person)?.unwrap_or_default();
            state.erased_index = Some(index);
            out.push((rows::person(person), encode(&state)));
        }
        // Movement, marks, evidence and the cold chain have a fold of their own.
        _ => {}
    }
    Ok(())
}
