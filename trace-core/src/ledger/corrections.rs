//! Corrections in the derived index: what agreements, replacements and receipts
//! change there, and what rules read of it.

use super::fold::Change;
use super::fold_movement::inherited;
use super::folded::Folded;
use super::working::Working;
use super::{Failed, rows};
use crate::ident::{EntityId, TraceCode};
use crate::record::Hash;
use crate::record::claim::{Claim, Form};
use crate::record::encode::encode;
use crate::record::quantity::Quantity;
use crate::rules::corrections::{
    Agreement, CorrectionFacts, Reservation, account, described_anew, oversees, spent,
};
use crate::rules::movements::{Balance, Edge, Holding};
use crate::rules::{Facts, custody};

/// The first set of rules that carries over what was spent.
const CARRIES_FROM_RULE_SET: u16 = 3;

/// The record that is folded.
pub(super) struct Correcting<'a, F> {
    pub facts: &'a F,
    pub hash: Hash,
    pub signer: EntityId,
    pub index: u64,
    pub out: &'a mut Vec<Change>,
}

impl<F: Facts<Error = Failed>> Correcting<'_, F> {
    /// What a claim changes in these rows.
    pub fn claim(&mut self, claim: &Claim) -> Result<(), Failed> {
        match claim {
            Claim::AgreesToCorrection {
                target,
                unit,
                number,
                replacement_unit,
                replacement_number,
                quantity,
                terms,
            } => {
                let agreement = Agreement {
                    by: self.signer,
                    is_overseer: self.oversees_issuer(unit, number)?,
                    index: self.index,
                    hash: self.hash,
                    unit: *replacement_unit,
                    number: replacement_number.clone(),
                    base_amount: quantity.base_amount(),
                    terms: *terms,
                };
                let mut all = self.facts.agreements(target)?;
                all.retain(|other| other.by != self.signer);
                all.push(agreement);
                self.put(rows::agreements(target), &all);
                Ok(())
            }
            Claim::Supersedes {
                target,
                unit,
                number,
                replacement_unit,
                replacement_number,
            } if self.carries()? => {
                self.replaces(target, unit, number, replacement_unit, replacement_number)
            }
            Claim::Certifies {
                number,
                unit,
                quantity,
                form,
                ..
            } => self.issues(number, unit, quantity, *form),
            Claim::CreatesUnit { unit, quantity, .. } if self.carries()? => {
                self.begins(unit, quantity.as_ref())
            }
            _ => Ok(()),
        }
    }

    fn put(&mut self, key: Vec<u8>, value: &impl serde::Serialize) {
        self.out.push((key, encode(value)));
    }

    fn carries(&self) -> Result<bool, Failed> {
        let policy = self.facts.policy()?;
        Ok(policy.is_some_and(|policy| policy.rule_set >= CARRIES_FROM_RULE_SET))
    }

    fn oversees_issuer(&self, unit: &TraceCode, number: &str) -> Result<bool, Failed> {
        let state = self.facts.unit(unit)?.unwrap_or_default();
        match state.certificate(number) {
            Some(certificate) => oversees(self.facts, &self.signer, &certificate.issuer),
            None => Ok(false),
        }
    }

    fn replaces(
        &mut self,
        target: &Hash,
        unit: &TraceCode,
        number: &str,
        new_unit: &TraceCode,
        new_number: &str,
    ) -> Result<(), Failed> {
        let state = self.facts.unit(unit)?.unwrap_or_default();
        let Some(certificate) = state.certificate(number) else {
            return Ok(());
        };
        let Some(holder) = custody::first_holder(self.facts, certificate)? else {
            return Ok(());
        };
        let agreements = self.facts.agreements(target)?;
        let agreed = agreements
            .iter()
            .find(|agreement| agreement.is_to(new_unit, new_number));
        let reservation = Reservation {
            index: self.index,
            hash: self.hash,
            unit: *unit,
            account: account(self.facts, number)?,
            holder,
            base_amount: certificate.base_amount,
            agreed: agreed.map(|agreement| agreement.terms),
        };
        self.put(rows::reservation(new_number), &reservation);
        Ok(())
    }

    /// The cover of what replaces another is its quantity less what was spent.
    fn issues(
        &mut self,
        number: &str,
        unit: &TraceCode,
        quantity: &Quantity,
        form: Form,
    ) -> Result<(), Failed> {
        let Some(reserved) = self.facts.reservation(number)? else {
            return Ok(());
        };
        let holder = match form.is_by_maker() {
            true => Some(self.signer),
            false => {
                let state = self.facts.unit(unit)?;
                state.and_then(|state| state.made).map(|made| made.entity)
            }
        };
        let Some(holder) = holder else {
            return Ok(());
        };
        let Reservation {
            account,
            holder: before,
            base_amount,
            ..
        } = reserved;
        let given = spent(self.facts, &account, &before, base_amount)?;
        let own = match holder == before {
            true => 0,
            false => {
                self.put(rows::cover(&account, &before), &0u64);
                self.facts.cover(&account, &holder)?.unwrap_or(0)
            }
        };
        let left = quantity.base_amount().saturating_sub(given);
        self.put(rows::cover(&account, &holder), &own.saturating_add(left));
        Ok(())
    }

    /// A part of what is left of the unit that is described anew goes into the
    /// new one; what was spent of that part is spent of the new one.
    fn begins(&mut self, unit: &TraceCode, quantity: Option<&Quantity>) -> Result<(), Failed> {
        let Some(state) = self.facts.unit(unit)? else {
            return Ok(());
        };
        let (Some(before), Some(quantity)) = (described_anew(self.facts, unit, &state)?, quantity)
        else {
            return Ok(());
        };
        let amount = quantity.base_amount();
        let moved = amount.saturating_sub(before.spent);
        let (old, maker) = (before.unit, before.made.entity);
        let mut balance = before.balance;
        balance.transform(moved);
        self.put(rows::balance(&old), &balance);
        let held = custody::holding(self.facts, &old, &before.made, &maker)?;
        if let Some(held) = held {
            let rest = Holding {
                amount: held.amount.saturating_sub(moved),
                ..held
            };
            self.put(rows::holding(&old, &maker), &rest);
        }
        let balance = Balance {
            held: moved,
            carried: amount.saturating_sub(moved),
            ..Balance::default()
        };
        self.put(rows::balance(unit), &balance);
        let held = Holding {
            amount: moved,
            since_ms: 0,
            since: self.hash,
        };
        self.put(rows::holding(unit, &maker), &held);
        if let Some(marks) = inherited(self.facts, [old])? {
            self.put(rows::marks(unit), &marks);
        }
        let edge = Edge {
            // The same goods, from when they were made.
            at_ms: 0,
            used: moved,
            made: amount,
        };
        for (prefix, other) in [(rows::children(&old), unit), (rows::parents(unit), &old)] {
            let key = rows::with_code(rows::at(prefix, self.index), other);
            self.put(key, &edge);
        }
        Ok(())
    }
}

impl CorrectionFacts for Folded {
    fn reservation(&self, number: &str) -> Result<Option<Reservation>, Failed> {
        Ok(self.read("reservation", &rows::reservation(number))?)
    }

    fn agreements(&self, certificate: &Hash) -> Result<Vec<Agreement>, Failed> {
        let found = self.read("agreements", &rows::agreements(certificate))?;
        Ok(found.unwrap_or_default())
    }

    fn receivers(&self, account: &str, limit: usize) -> Result<Vec<EntityId>, Failed> {
        let prefix = rows::receivers(account);
        let mut found = Vec::new();
        if limit > 0 {
            self.visit(&prefix, &prefix, |key, _| {
                found.extend(rows::entity_at_end(key));
                found.len() < limit
            })?;
        }
        Ok(found)
    }
}

impl CorrectionFacts for Working<'_> {
    fn reservation(&self, number: &str) -> Result<Option<Reservation>, Failed> {
        self.folded().reservation(number)
    }

    fn agreements(&self, certificate: &Hash) -> Result<Vec<Agreement>, Failed> {
        self.folded().agreements(certificate)
    }

    fn receivers(&self, account: &str, limit: usize) -> Result<Vec<EntityId>, Failed> {
        self.folded().receivers(account, limit)
    }
}
