//! The model's word on an act: admitted, or the first rule that refuses it.

use super::acts::{Act, Amount, What};
use super::plain::{Model, Unit, actor, day};
use trace_core::error::Rule;
use trace_core::ident::TraceCode;
use trace_core::record::Hash;
use trace_core::record::movement::Manner;
use trace_fixtures::Who;

const AHEAD_MAX_MS: u64 = 5 * 60 * 1_000;
const CERTIFICATES_MAX: usize = 64;

type Verdict = Result<(), Rule>;

fn unless(holds: bool, rule: Rule) -> Verdict {
    match holds {
        true => Ok(()),
        false => Err(rule),
    }
}

/// Where goods would go.
#[derive(Clone, Copy)]
enum Way {
    On,
    To(Who),
    End(Manner),
}

impl Model {
    fn unit(&self, unit: &TraceCode) -> Result<&Unit, Rule> {
        self.units.get(unit).ok_or(Rule::UnitUnknown)
    }

    /// The verdict on an act, here and now.
    pub fn judge(&self, act: &Act) -> Verdict {
        let (by, at_ms) = (act.by, act.at_ms);
        match &act.what {
            What::Create { unit, .. } => unless(!self.units.contains_key(unit), Rule::UnitKnown),
            What::Certify {
                unit,
                number,
                amount,
            } => {
                let may = ![Who::Importer, Who::ColdStore].contains(&by);
                unless(may, Rule::Right)?;
                let known = self.unit(unit)?;
                unless(known.by == by, Rule::Right)?;
                unless(known.certificates.len() < CERTIFICATES_MAX, Rule::TooMany)?;
                unless(!self.numbers.contains_key(number), Rule::NumberUsed)?;
                self.may_go(unit, Way::On)?;
                unless(amount.measure == known.measure, Rule::QuantityUnit)?;
                unless(
                    known.certified() + amount.base <= known.amount,
                    Rule::QuantityExceeded,
                )
            }
            What::Transform { .. } => self.transform(act),
            What::Give {
                unit,
                to,
                amount,
                number,
            } => {
                let known = self.unit(unit)?;
                self.leaves(by, at_ms, unit, *amount, to.map_or(Way::On, Way::To))?;
                unless(*to != Some(by), Rule::Counterparty)?;
                let Some(number) = number else { return Ok(()) };
                let certificate = known.certificates.get(number).ok_or(Rule::TargetUnknown)?;
                let cover = certificate.cover.get(&actor(by)).copied().unwrap_or(0);
                unless(amount.base <= cover, Rule::CertificateSpent)
            }
            What::Receive {
                unit,
                target,
                accepted,
                missing,
                refused,
                excess,
                measure,
            } => {
                let transfer = self.transfers.get(target).ok_or(Rule::TargetUnknown)?;
                unless(transfer.unit == *unit, Rule::TargetUnknown)?;
                unless(!transfer.is_done, Rule::TransferReceived)?;
                unless(transfer.to == by, Rule::NotReceiver)?;
                let unit = self.unit(unit)?;
                self.happened(at_ms, unit)?;
                unless(at_ms >= transfer.at_ms, Rule::ImpossibleOrder)?;
                let is_stated = accepted + missing + refused + excess > 0;
                unless(!is_stated || *measure == unit.measure, Rule::QuantityUnit)?;
                unless(
                    accepted + missing + refused == transfer.amount,
                    Rule::DoesNotAddUp,
                )?;
                unless(
                    *excess == 0 || *accepted == transfer.amount,
                    Rule::DoesNotAddUp,
                )
            }
            What::CheckIn {
                unit,
                number,
                amount,
                is_admitted,
            } => {
                let known = self.unit(unit)?;
                self.happened(at_ms, known)?;
                unless(amount.measure == known.measure, Rule::QuantityUnit)?;
                if !is_admitted {
                    return Ok(());
                }
                self.may_go(unit, Way::On)?;
                let there = known.held() + self.in_transit(unit);
                unless(amount.base <= there, Rule::QuantityExceeded)?;
                let Some(number) = number else { return Ok(()) };
                let certificate = known.certificates.get(number).ok_or(Rule::TargetUnknown)?;
                let sum = certificate.admitted + amount.base;
                unless(sum <= certificate.amount, Rule::CertificateSpent)
            }
            What::Dispose {
                unit,
                manner,
                amount,
            } => {
                self.unit(unit)?;
                self.leaves(by, at_ms, unit, *amount, Way::End(*manner))
            }
            What::Store {
                unit,
                amount,
                enters,
            } => {
                let known = self.unit(unit)?;
                self.happened(at_ms, known)?;
                let way = match enters {
                    true => Way::On,
                    false => Way::End(Manner::Returned),
                };
                self.may_go(unit, way)?;
                unless(amount.measure == known.measure, Rule::QuantityUnit)?;
                let is_there = match enters {
                    true => known.stored + amount.base <= known.held(),
                    false => amount.base <= known.stored,
                };
                unless(is_there, Rule::QuantityExceeded)
            }
            What::Hold { unit } => {
                let known = self.unit(unit)?;
                // A maker of leeks who is a producer; an authority always.
                let is_producer = [Who::Producer, Who::Cooperative, Who::Household].contains(&by);
                let is_own = known.by == by && known.is_raw && is_producer;
                unless(is_own || by == Who::CountyAuthority, Rule::Right)
            }
            What::Recall { unit, .. } => {
                let known = self.unit(unit)?;
                unless(known.by == by || by == Who::CountyAuthority, Rule::Right)
            }
            What::Release { unit, target } => self.ends(by, unit, target, false),
            What::Close { unit, target, .. } => self.ends(by, unit, target, true),
        }
    }

    fn ends(&self, by: Who, unit: &TraceCode, target: &Hash, is_recall: bool) -> Verdict {
        let mut marks = self.marks.iter();
        let mark = marks
            .find(|mark| mark.hash == *target)
            .ok_or(Rule::TargetUnknown)?;
        unless(
            mark.unit == *unit && mark.is_recall == is_recall,
            Rule::TargetUnknown,
        )?;
        unless(mark.by == by || by == Who::CountyAuthority, Rule::Right)?;
        unless(!mark.is_lifted && !mark.is_completed, Rule::MarkEnded)
    }

    fn happened(&self, at_ms: u64, unit: &Unit) -> Verdict {
        unless(at_ms <= self.now_ms + AHEAD_MAX_MS, Rule::EventAhead)?;
        unless(day(at_ms) >= unit.produced, Rule::BeforeProduction)
    }

    fn may_go(&self, unit: &TraceCode, way: Way) -> Verdict {
        let live = self.marks.iter().filter(|mark| !mark.is_lifted);
        let live = live.filter(|mark| mark.reached.contains(unit));
        let (recalls, holds): (Vec<_>, Vec<_>) = live.partition(|mark| mark.is_recall);
        if recalls.is_empty() {
            return unless(holds.is_empty(), Rule::OnHold);
        }
        let is_back = recalls.iter().any(|mark| match way {
            Way::On => false,
            Way::To(to) => to == mark.by || to == self.units[&mark.unit].by,
            Way::End(manner) => [Manner::Destroyed, Manner::Returned].contains(&manner),
        });
        unless(is_back, Rule::Recalled)
    }

    fn leaves(&self, by: Who, at_ms: u64, code: &TraceCode, amount: Amount, way: Way) -> Verdict {
        let unit = self.unit(code)?;
        self.happened(at_ms, unit)?;
        self.may_go(code, way)?;
        unless(amount.measure == unit.measure, Rule::QuantityUnit)?;
        let Some(lot) = unit.lot(by) else {
            let is_gone = unit.held() == 0 && self.in_transit(code) == 0;
            return Err(if is_gone {
                Rule::NothingLeft
            } else {
                Rule::NotHolder
            });
        };
        unless(at_ms >= lot.since_ms, Rule::ImpossibleOrder)?;
        unless(amount.base <= lot.amount, Rule::QuantityExceeded)?;
        unless(unit.held() - amount.base >= unit.stored, Rule::InColdStore)
    }

    fn transform(&self, act: &Act) -> Verdict {
        let What::Transform {
            keeps,
            inputs,
            outputs,
            measure,
            loss,
            is_renamed,
            is_undated,
        } = &act.what
        else {
            return Ok(());
        };
        for (unit, amount) in inputs {
            self.unit(unit)?;
            self.leaves(act.by, act.at_ms, unit, *amount, Way::On)?;
        }
        let used: Vec<&Unit> = inputs.iter().map(|(unit, _)| &self.units[unit]).collect();
        let is_same = used.iter().all(|unit| unit.measure == *measure);
        unless(is_same, Rule::QuantityUnit)?;
        let given: u64 = inputs.iter().map(|(_, amount)| amount.base).sum();
        let taken = outputs.iter().map(|(_, amount)| *amount).sum::<u64>() + loss;
        unless(taken <= given, Rule::QuantityExceeded)?;
        unless(taken == given, Rule::DoesNotAddUp)?;
        if *keeps {
            let is_named_so = !*is_renamed && used[0].is_named_so;
            for unit in &used {
                let is_same = unit.is_raw == used[0].is_raw && unit.is_named_so == is_named_so;
                unless(is_same, Rule::ProductDiffers)?;
                unless(!*is_undated || unit.last.is_none(), Rule::DatesDisagree)?;
            }
        }
        let is_new = outputs
            .iter()
            .all(|(unit, _)| !self.units.contains_key(unit));
        unless(is_new, Rule::UnitKnown)
    }
}
