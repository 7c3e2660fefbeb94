//! What the public records about one trace unit add up to.
//!
//! A pure fold, the same for the ledger and for an offline verifier. Amounts
//! that only trade sections know are not part of it.

use super::claim::{Claim, DurabilityKind, Form, FormFamily};
use super::hash::Hash;
use super::kinds::unit_created::ProductClass;
use super::quantity::BaseUnit;
use super::wire::Day;
use crate::ident::{EntityId, TraceCode};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Most certificates of one unit: each printed label of a lorry's load may
/// have its own, and the state of a unit stays within a database page.
pub const CERTIFICATES_MAX: usize = 64;

/// The state of a trace unit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitState {
    /// How it began; none while only a reservation names the code.
    pub made: Option<Made>,
    /// Its certificates, in the order of the log.
    pub certificates: Vec<CertificateState>,
    /// Numbers reserved for it by a superseding record, with that index.
    pub reserved: Vec<(String, u64)>,
    /// Who reserved the code for a replacement, before the unit was made.
    pub reserver: Option<EntityId>,
    /// The index of the record that voided the whole unit.
    pub voided_index: Option<u64>,
}

/// How a unit began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// Index of the record.
    pub index: u64,
    /// Its hash.
    pub hash: Hash,
    /// Who made it.
    pub entity: EntityId,
    /// What it is.
    pub product: String,
    /// Of which class.
    pub product_class: ProductClass,
    /// Whether only a paper speaks for its origin.
    pub is_declared: bool,
    /// When.
    pub produced_on: Day,
    /// Until when it may be sold.
    pub durability: Option<(DurabilityKind, Day)>,
    /// How much, in base units: zero pieces where it came of other units and the
    /// trade section is not at hand, as for an offline verifier.
    pub base_amount: u64,
    /// Which base unit.
    pub base: BaseUnit,
}

/// A certificate of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateState {
    /// Its number.
    pub number: String,
    /// Index of its record.
    pub index: u64,
    /// Hash of its record.
    pub hash: Hash,
    /// Who issued it.
    pub issuer: EntityId,
    /// Which form.
    pub form: Form,
    /// When.
    pub issued_on: Day,
    /// Last day of validity.
    pub expires_on: Option<Day>,
    /// How much is certified, in base units.
    pub base_amount: u64,
    /// Whether it stands.
    pub standing: Standing,
}

/// Whether a certificate stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// It does.
    InForce,
    /// Voided by the record at this index.
    Voided {
        /// Index of the voiding record.
        index: u64,
    },
    /// Replaced by another certificate.
    Superseded {
        /// Index of the superseding record.
        index: u64,
        /// The replacing certificate's unit.
        unit: TraceCode,
        /// The replacing certificate's number.
        number: String,
    },
}

impl Standing {
    /// The index of the record that ended it, if one did.
    #[must_use]
    pub fn ended_by(&self) -> Option<u64> {
        match self {
            Self::InForce => None,
            Self::Voided { index } | Self::Superseded { index, .. } => Some(*index),
        }
    }
}

impl UnitState {
    /// The certificate with this number.
    #[must_use]
    pub fn certificate(&self, number: &str) -> Option<&CertificateState> {
        self.certificates.iter().find(|held| held.number == number)
    }

    /// Certified and standing in forms of this family, in base units.
    #[must_use]
    pub fn certified(&self, family: FormFamily) -> u64 {
        let standing = self
            .certificates
            .iter()
            .filter(|held| held.standing == Standing::InForce && held.form.family() == family);
        standing
            .map(|held| held.base_amount)
            .fold(0, u64::saturating_add)
    }

    /// The indexes of the records that decide its status, in order: how it was
    /// made, certified, and what ended any of that. A movement decides nothing.
    #[must_use]
    pub fn deciding(&self) -> BTreeSet<u64> {
        let ended = self
            .certificates
            .iter()
            .filter_map(|held| held.standing.ended_by());
        self.made
            .iter()
            .map(|made| made.index)
            .chain(self.certificates.iter().map(|held| held.index))
            .chain(ended)
            .chain(self.voided_index)
            .collect()
    }

    /// Adds what one admitted record claims about unit `code`. Claims about
    /// other units, and claims that are about none, change nothing.
    pub fn apply(
        &mut self,
        code: TraceCode,
        index: u64,
        hash: Hash,
        signer: EntityId,
        claim: &Claim,
    ) {
        match claim {
            Claim::CreatesUnit {
                unit,
                maker,
                product,
                product_class,
                quantity,
                produced_on,
                durability,
                is_declared,
                ..
            } if *unit == code => {
                self.made = Some(Made {
                    index,
                    hash,
                    entity: maker.unwrap_or(signer),
                    product: product.clone(),
                    product_class: *product_class,
                    is_declared: *is_declared,
                    produced_on: (*produced_on).into(),
                    durability: durability.map(|(kind, on)| (kind, on.into())),
                    base_amount: quantity.map_or(0, |quantity| quantity.base_amount()),
                    base: quantity.map_or(BaseUnit::Piece, |quantity| quantity.base()),
                });
            }
            Claim::Certifies {
                number,
                unit,
                quantity,
                form,
                issued_on,
                expires_on,
                ..
            } if *unit == code => {
                self.reserved.retain(|(reserved, _)| reserved != number);
                self.certificates.push(CertificateState {
                    number: number.clone(),
                    index,
                    hash,
                    issuer: signer,
                    form: *form,
                    issued_on: (*issued_on).into(),
                    expires_on: expires_on.map(Day::from),
                    base_amount: quantity.base_amount(),
                    standing: Standing::InForce,
                });
            }
            Claim::Voids {
                unit, number: None, ..
            } if *unit == code => self.voided_index = Some(index),
            Claim::Voids {
                unit,
                number: Some(number),
                ..
            } if *unit == code => {
                self.stand(number, Standing::Voided { index });
            }
            Claim::Supersedes {
                unit,
                number,
                replacement_unit,
                replacement_number,
                ..
            } => {
                if *unit == code {
                    let replaced = Standing::Superseded {
                        index,
                        unit: *replacement_unit,
                        number: replacement_number.clone(),
                    };
                    self.stand(number, replaced);
                }
                if *replacement_unit == code {
                    self.reserved.push((replacement_number.clone(), index));
                    self.reserver = Some(signer);
                }
            }
            _ => {}
        }
    }

    fn stand(&mut self, number: &str, standing: Standing) {
        if let Some(held) = self
            .certificates
            .iter_mut()
            .find(|held| held.number == number)
        {
            held.standing = standing;
        }
    }
}

/// The units whose state a claim may change. Movements and marks stand apart.
#[must_use]
pub fn units_of(claim: &Claim) -> Vec<TraceCode> {
    match claim {
        Claim::CreatesUnit { unit, .. }
        | Claim::Certifies { unit, .. }
        | Claim::EntersStore { unit, .. }
        | Claim::LeavesStore { unit, .. }
        | Claim::Voids { unit, .. } => vec![*unit],
        Claim::Supersedes {
            unit,
            replacement_unit,
            ..
        } if unit != replacement_unit => vec![*unit, *replacement_unit],
        Claim::Supersedes { unit, .. } => vec![*unit],
        _ => Vec::new(),
    }
}
