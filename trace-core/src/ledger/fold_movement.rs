//! The fold of movement and of marks: what rule set 2's records change in the
//! derived index.
//!
//! Rows are small and many, one for each holder of a unit, so that no row grows
//! with how often a unit moved.

use super::fold::Change;
use super::{Failed, rows};
use crate::ident::{EntityId, TraceCode};
use crate::record::Hash;
use crate::record::claim::{Claim, Handing, Receipt, Share};
use crate::record::encode::encode;
use crate::record::marks::{MarkKind, MarkState};
use crate::record::movement::{Manner, RecallOutcome};
use crate::record::unit::Made;
use crate::rules::movements::{Edge, Holding, PaperUse, Question, Transfer};
use crate::rules::{Facts, corrections, custody, halting, replaced};
use std::collections::BTreeMap;

/// The record that is folded.
pub(super) struct Folding<'a, F> {
    pub facts: &'a F,
    pub hash: Hash,
    pub signer: EntityId,
    pub index: u64,
    pub out: &'a mut Vec<Change>,
}

impl<F: Facts<Error = Failed>> Folding<'_, F> {
    /// What a claim of rule set 2 changes; the others change nothing here.
    pub fn claim(&mut self, claim: &Claim) -> Result<(), Failed> {
        match claim {
            Claim::Transforms {
                at_ms,
                inputs,
                outputs,
                ..
            } => self.transforms(*at_ms, inputs, outputs),
            Claim::HandsOver {
                unit,
                at_ms,
                certificate,
                on_behalf_of,
                handing: Some(handing),
            } => {
                let from = on_behalf_of.unwrap_or(self.signer);
                self.hands_over(unit, *at_ms, certificate.as_deref(), from, handing)
            }
            Claim::Receives {
                target,
                at_ms,
                receipt: Some(receipt),
                ..
            } => self.receives(target, *at_ms, receipt),
            Claim::ChecksIn {
                certificate: Some(number),
                is_admitted: true,
                quantity: Some(quantity),
                ..
            } => {
                let account = corrections::account(self.facts, number)?;
                let mut used = self.facts.certificate_use(&account)?;
                used.admitted = used.admitted.saturating_add(quantity.base_amount());
                used.named(self.index, self.hash);
                self.put(rows::certificate_use(&account), &used);
                Ok(())
            }
            Claim::Disposes {
                unit,
                manner,
                on_behalf_of,
                quantity: Some(quantity),
                ..
            } => {
                let whose = on_behalf_of.unwrap_or(self.signer);
                self.disposes(unit, *manner, whose, quantity.base_amount())
            }
            Claim::UsesPaper {
                paper,
                total,
                quantity,
            } => {
                let known = self.facts.paper(paper)?;
                let declared = known.map_or(0, |known| known.declared);
                let used = PaperUse {
                    total: total.map(|total| total.base_amount()),
                    declared: declared.saturating_add(quantity.base_amount()),
                    last: (self.index, self.hash),
                };
                self.put(rows::paper(paper), &used);
                Ok(())
            }
            Claim::Holds { unit } => self.marks(MarkKind::Hold, unit, None),
            Claim::HoldsFailed { unit } => self.marks(MarkKind::FailedSample, unit, None),
            Claim::MarksVoided { unit } => self.marks(MarkKind::SourceVoided, unit, None),
            Claim::MarksCertificateVoided { unit } => {
                self.marks(MarkKind::CertificateVoided, unit, None)
            }
            Claim::Recalls { unit, until_ms } => self.marks(MarkKind::Recall, unit, *until_ms),
            Claim::Releases { target, .. } => self.ends(target, true),
            Claim::ClosesRecall {
                target, outcome, ..
            } => self.ends(target, *outcome == RecallOutcome::Withdrawn),
            Claim::AdoptsTolerance {
                product_class,
                tolerance,
            } => {
                self.put(rows::tolerance(*product_class), tolerance);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn put(&mut self, key: Vec<u8>, value: &impl serde::Serialize) {
        self.out.push((key, encode(value)));
    }

    fn made(&self, unit: &TraceCode) -> Result<Option<Made>, Failed> {
        Ok(self.facts.unit(unit)?.and_then(|state| state.made))
    }

    /// So much less with an entity; on a unit's first movement its maker's row
    /// begins here, for nobody else can move it.
    fn takes(
        &mut self,
        unit: &TraceCode,
        made: &Made,
        entity: &EntityId,
        amount: u64,
    ) -> Result<(), Failed> {
        if let Some(held) = custody::holding(self.facts, unit, made, entity)? {
            let held = Holding {
                amount: held.amount.saturating_sub(amount),
                ..held
            };
            self.put(rows::holding(unit, entity), &held);
        }
        Ok(())
    }

    fn transforms(
        &mut self,
        at_ms: u64,
        inputs: &[Share],
        outputs: &[Share],
    ) -> Result<(), Failed> {
        let amount = |share: &Share| share.quantity.map_or(0, |it| it.base_amount());
        let sources = inputs.iter().map(|input| input.unit);
        if let Some(marks) = inherited(self.facts, sources)? {
            for output in outputs {
                self.put(rows::marks(&output.unit), &marks);
            }
        }
        for input in inputs {
            let Some(made) = self.made(&input.unit)? else {
                continue;
            };
            let signer = self.signer;
            self.takes(&input.unit, &made, &signer, amount(input))?;
            let mut balance = custody::balance(self.facts, &input.unit, &made)?;
            balance.transform(amount(input));
            self.put(rows::balance(&input.unit), &balance);
            for output in outputs {
                let edge = Edge {
                    at_ms,
                    used: amount(input),
                    made: amount(output),
                };
                for (prefix, other) in [
                    (rows::children(&input.unit), &output.unit),
                    (rows::parents(&output.unit), &input.unit),
                ] {
                    let key = rows::with_code(rows::at(prefix, self.index), other);
                    self.put(key, &edge);
                }
            }
        }
        Ok(())
    }

    fn hands_over(
        &mut self,
        unit: &TraceCode,
        at_ms: u64,
        certificate: Option<&str>,
        from: EntityId,
        handing: &Handing,
    ) -> Result<(), Failed> {
        let Some(made) = self.made(unit)? else {
            return Ok(());
        };
        let amount = handing.quantity.base_amount();
        self.takes(unit, &made, &from, amount)?;
        let mut balance = custody::balance(self.facts, unit, &made)?;
        balance.hand_over(amount, handing.to.is_none());
        self.put(rows::balance(unit), &balance);
        if let Some(number) = certificate {
            let account = corrections::account(self.facts, number)?;
            if let Some(certificate) = replaced::stated(self.facts, unit, number)? {
                let left = custody::cover(self.facts, &certificate, &from)?;
                self.put(rows::cover(&account, &from), &left.saturating_sub(amount));
            }
            let mut used = self.facts.certificate_use(&account)?;
            used.named(self.index, self.hash);
            self.put(rows::certificate_use(&account), &used);
        }
        let Some(to) = handing.to else {
            return Ok(());
        };
        let transfer = Transfer {
            unit: *unit,
            index: self.index,
            from,
            to,
            amount,
            at_ms,
            certificate: certificate.map(str::to_owned),
            arrival: None,
        };
        let hash = self.hash;
        self.put(rows::transfer(&hash), &transfer);
        for prefix in [
            rows::transfers_of_unit(unit),
            rows::transfers_of_entity(&from),
            rows::transfers_of_entity(&to),
        ] {
            self.put(rows::at(prefix, self.index), &hash);
        }
        Ok(())
    }

    fn receives(&mut self, target: &Hash, at_ms: u64, receipt: &Receipt) -> Result<(), Failed> {
        let Some(transfer) = self.facts.transfer(target)? else {
            return Ok(());
        };
        let unit = transfer.unit;
        let Some(made) = self.made(&unit)? else {
            return Ok(());
        };
        let arrival = custody::arrival(receipt, self.index);
        let tolerance = custody::tolerance(self.facts, &made)?;
        let judged = custody::judged(&transfer, &arrival, &tolerance);
        let mut balance = custody::balance(self.facts, &unit, &made)?;
        balance.receive(transfer.amount, &arrival, &judged);
        self.put(rows::balance(&unit), &balance);
        let came = arrival.accepted.saturating_add(judged.gained);
        if came > 0 {
            let held = self.facts.holding(&unit, &transfer.to)?;
            let held = Holding::with(held, came, at_ms, self.hash);
            self.put(rows::holding(&unit, &transfer.to), &held);
        }
        if arrival.refused > 0
            && let Some(held) = self.facts.holding(&unit, &transfer.from)?
        {
            let amount = held.amount.saturating_add(arrival.refused);
            self.put(
                rows::holding(&unit, &transfer.from),
                &Holding { amount, ..held },
            );
        }
        if let Some(number) = &transfer.certificate
            && let Some(certificate) = replaced::stated(self.facts, &unit, number)?
        {
            // By now it may be replaced: what comes back or goes on is of
            // whatever stands in its place.
            let account = corrections::account(self.facts, number)?;
            for (entity, more) in [
                (transfer.to, arrival.accepted),
                (transfer.from, arrival.refused),
            ] {
                let left = custody::cover(self.facts, &certificate, &entity)?;
                let key = rows::cover(&account, &entity);
                self.put(key, &left.saturating_add(more));
            }
            if arrival.accepted > 0 {
                let key = rows::receiver(&account, &transfer.to);
                self.out.push((key, encode(&self.index)));
            }
        }
        let question = judged.question(unit, transfer.to);
        let transfer = Transfer {
            arrival: Some(arrival),
            ..transfer
        };
        self.put(rows::transfer(target), &transfer);
        self.asks(question);
        Ok(())
    }

    fn disposes(
        &mut self,
        unit: &TraceCode,
        manner: Manner,
        whose: EntityId,
        amount: u64,
    ) -> Result<(), Failed> {
        let Some(made) = self.made(unit)? else {
            return Ok(());
        };
        self.takes(unit, &made, &whose, amount)?;
        let mut balance = custody::balance(self.facts, unit, &made)?;
        let tolerance = custody::tolerance(self.facts, &made)?;
        let judged = match manner {
            Manner::Lost => custody::judged_loss(&made, &balance, amount, &tolerance),
            _ => Default::default(),
        };
        balance.dispose(manner, amount, &judged);
        self.put(rows::balance(unit), &balance);
        self.asks(judged.question(*unit, whose));
        Ok(())
    }

    fn asks(&mut self, question: Option<Question>) {
        if let Some(question) = question {
            let key = rows::at(rows::QUESTIONS.to_vec(), self.index);
            self.put(key, &question);
        }
    }

    fn marks(
        &mut self,
        kind: MarkKind,
        unit: &TraceCode,
        until_ms: Option<u64>,
    ) -> Result<(), Failed> {
        let Some(made) = self.made(unit)? else {
            return Ok(());
        };
        let mark = MarkState::begun(kind, self.index, *unit, self.signer, made.entity, until_ms);
        let hash = self.hash;
        self.put(rows::mark(&hash), &mark);
        for reached in halting::reach(self.facts, unit, until_ms)? {
            if reached == *unit && !mark.is_kept_by_source() {
                continue;
            }
            let mut marks = Vec::new();
            // Marks that were lifted bar nothing any more.
            for known in self.facts.marks(&reached)? {
                let mark = self.facts.mark(&known)?;
                if mark.is_some_and(|mark| mark.is_in_force()) {
                    marks.push(known);
                }
            }
            marks.push(hash);
            self.put(rows::marks(&reached), &marks);
        }
        Ok(())
    }

    fn ends(&mut self, target: &Hash, is_lifted: bool) -> Result<(), Failed> {
        if let Some(mut mark) = self.facts.mark(target)? {
            mark.end(self.index, is_lifted);
            self.put(rows::mark(target), &mark);
        }
        Ok(())
    }
}

/// The marks that what is made of these inherits: of each kind the first, for it
/// is the first that is told, and none is ever lifted. A unit that is voided is used no more,
/// so that only what reaches it is handed down.
pub(super) fn inherited<F: Facts<Error = Failed>>(
    facts: &F,
    sources: impl IntoIterator<Item = TraceCode>,
) -> Result<Option<Vec<Hash>>, Failed> {
    let mut first: BTreeMap<MarkKind, (u64, Hash)> = BTreeMap::new();
    for unit in sources {
        for record in facts.marks(&unit)? {
            let Some(mark) = facts.mark(&record)?.filter(MarkState::is_inherited) else {
                continue;
            };
            let found = (mark.index, record);
            let known = first.entry(mark.kind).or_insert(found);
            *known = found.min(*known);
        }
    }
    let records: Vec<Hash> = first.into_values().map(|(_, record)| record).collect();
    Ok((!records.is_empty()).then_some(records))
}
