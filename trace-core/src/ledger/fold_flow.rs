//! The fold of flows, of transfers on their way, and of what raises a question
//! by itself: what a record changes in the rows that balances of entities and
//! areas, and questions, are read from.
//!
//! Amounts of one record are gathered first, so that a row is read and written
//! once. An event belongs to the day on which it happened as its signer says,
//! at the ledger's civil time.

use super::flow::{Crossing, Flow};
use super::fold::Change;
use super::folded::Behind;
use super::{Failed, rows};
use crate::ident::{Area, CivilDate, EntityId, LEDGER_OFFSET_MINUTES, TraceCode};
use crate::record::Hash;
use crate::record::claim::{Claim, Handing, Receipt};
use crate::record::encode::encode;
use crate::record::movement::Manner;
use crate::record::quantity::BaseUnit;
use crate::record::unit::{CertificateState, Made};
use crate::record::wire::Day;
use crate::rules::{Facts, custody};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A certificate is nearly spent when a tenth of it is left.
const NEARLY: u64 = 10;

/// A use of a certificate after its last day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ExpiredUse {
    pub unit: TraceCode,
    pub entity: EntityId,
    pub number: String,
    pub expired_on: Day,
    pub used_on: Day,
    pub amount: u64,
}

/// A certificate of which little is left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct NearlySpent {
    pub unit: TraceCode,
    pub number: String,
}

/// Where an amount belongs: whose, of which day, measure and product.
type Place = (EntityId, i32, BaseUnit, String);

struct Flowing<'a, F> {
    facts: &'a F,
    signer: EntityId,
    index: u64,
    flows: BTreeMap<Place, Flow>,
    out: &'a mut Vec<Change>,
}

/// What the claims of the record at this index, with this hash, change here.
pub(super) fn changes<F: Facts<Error = Failed> + Behind>(
    facts: &F,
    claims: &[Claim],
    signer: EntityId,
    (index, hash): (u64, Hash),
    out: &mut Vec<Change>,
) -> Result<(), Failed> {
    let mut flowing = Flowing {
        facts,
        signer,
        index,
        flows: BTreeMap::new(),
        out,
    };
    for claim in claims {
        flowing.claim(claim, hash)?;
    }
    flowing.settle()
}

impl<F: Facts<Error = Failed> + Behind> Flowing<'_, F> {
    fn claim(&mut self, claim: &Claim, hash: Hash) -> Result<(), Failed> {
        match claim {
            Claim::CreatesUnit {
                maker,
                product,
                quantity: Some(quantity),
                produced_on,
                ..
            } => {
                let whose = maker.unwrap_or(self.signer);
                let place = (whose, produced_on.days(), quantity.base(), product.clone());
                self.flows.entry(place).or_default().add(&Flow {
                    made: quantity.base_amount(),
                    ..Flow::default()
                });
                Ok(())
            }
            Claim::Certifies {
                unit,
                quantity,
                issued_on,
                ..
            } => {
                let flow = Flow {
                    certificates: 1,
                    certified: quantity.base_amount(),
                    ..Flow::default()
                };
                let day = issued_on.days();
                self.with_unit(unit, |it, made| it.add(it.signer, day, made, flow))
            }
            Claim::Transforms { at_ms, inputs, .. } => {
                let day = self.day(*at_ms)?;
                for input in inputs {
                    let flow = Flow {
                        transformed: input.quantity.map_or(0, |it| it.base_amount()),
                        ..Flow::default()
                    };
                    self.with_unit(&input.unit, |it, made| it.add(it.signer, day, made, flow))?;
                }
                Ok(())
            }
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
                unit,
                at_ms,
                certificate: Some(number),
                is_admitted: true,
                quantity: Some(quantity),
            } => self.checks_in(unit, *at_ms, number, quantity.base_amount()),
            Claim::Disposes {
                unit,
                at_ms,
                manner,
                on_behalf_of,
                quantity: Some(quantity),
            } => {
                let whose = on_behalf_of.unwrap_or(self.signer);
                self.disposes(unit, *at_ms, *manner, whose, quantity.base_amount())
            }
            Claim::Voids {
                unit, number: None, ..
            } => self.withdraws(unit),
            Claim::Recalls { unit, .. } => self.with_unit(unit, |it, made| {
                let key = rows::at(rows::recalls_of(&made.entity), it.index);
                it.out.push((key, encode(&hash)));
                Ok(())
            }),
            _ => Ok(()),
        }
    }

    /// Does something with how a unit began, where it did.
    fn with_unit(
        &mut self,
        unit: &TraceCode,
        act: impl FnOnce(&mut Self, &Made) -> Result<(), Failed>,
    ) -> Result<(), Failed> {
        match self.facts.unit(unit)?.and_then(|state| state.made) {
            Some(made) => act(self, &made),
            None => Ok(()),
        }
    }

    fn day(&self, at_ms: u64) -> Result<i32, Failed> {
        let policy = self.facts.policy()?;
        let offset_minutes = policy.map_or(LEDGER_OFFSET_MINUTES, |policy| {
            i32::from(policy.civil_offset_minutes)
        });
        Ok(CivilDate::from_ms(at_ms, offset_minutes)?.days())
    }

    fn area(&self, entity: &EntityId) -> Result<Option<Area>, Failed> {
        let state = self.facts.entity(entity)?;
        Ok(state.and_then(|state| Area::try_from(state.area).ok()))
    }

    fn between(&self, one: &EntityId, other: &EntityId, amount: u64) -> Result<Crossing, Failed> {
        Ok(match (self.area(one)?, self.area(other)?) {
            (Some(one), Some(other)) => Crossing::between(one, other, amount),
            _ => Crossing {
                beyond: amount,
                ..Crossing::default()
            },
        })
    }

    fn add(&mut self, whose: EntityId, day: i32, made: &Made, flow: Flow) -> Result<(), Failed> {
        let place = (whose, day, made.base, made.product.clone());
        self.flows.entry(place).or_default().add(&flow);
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
        let Some(state) = self.facts.unit(unit)? else {
            return Ok(());
        };
        let Some(made) = &state.made else {
            return Ok(());
        };
        let (day, amount) = (self.day(at_ms)?, handing.quantity.base_amount());
        let mut flow = Flow::default();
        match &handing.to {
            None => flow.outside = amount,
            Some(to) => {
                flow.handed_over = self.between(&from, to, amount)?;
                self.on_their_way(self.index, 1)?;
            }
        }
        self.add(from, day, made, flow)?;
        let held = certificate.and_then(|number| state.certificate(number));
        let Some(held) = held else {
            return Ok(());
        };
        self.expired(unit, held, from, day, amount);
        if custody::first_holder(self.facts, held)? == Some(from) {
            let left = custody::cover(self.facts, held, &from)?;
            self.nearly_spent(unit, held, left, amount);
        }
        Ok(())
    }

    fn checks_in(
        &mut self,
        unit: &TraceCode,
        at_ms: u64,
        number: &str,
        amount: u64,
    ) -> Result<(), Failed> {
        let state = self.facts.unit(unit)?;
        let held = state.as_ref().and_then(|state| state.certificate(number));
        let Some(held) = held else {
            return Ok(());
        };
        let day = self.day(at_ms)?;
        self.expired(unit, held, self.signer, day, amount);
        let admitted = self.facts.certificate_use(number)?.admitted;
        let left = held.base_amount.saturating_sub(admitted);
        self.nearly_spent(unit, held, left, amount);
        Ok(())
    }

    /// Names a use after the certificate's last day.
    fn expired(
        &mut self,
        unit: &TraceCode,
        held: &CertificateState,
        entity: EntityId,
        day: i32,
        amount: u64,
    ) {
        if let Some(expired_on) = held.expires_on.filter(|last| last.0 < day) {
            let used = ExpiredUse {
                unit: *unit,
                entity,
                number: held.number.clone(),
                expired_on,
                used_on: Day(day),
                amount,
            };
            let key = rows::at(rows::EXPIRED_USES.to_vec(), self.index);
            self.out.push((key, encode(&used)));
        }
    }

    /// Names a certificate the first time that little of it is left.
    fn nearly_spent(&mut self, unit: &TraceCode, held: &CertificateState, left: u64, amount: u64) {
        let is_near = |left: u64| left <= held.base_amount / NEARLY;
        if !is_near(left) && is_near(left.saturating_sub(amount)) {
            let spent = NearlySpent {
                unit: *unit,
                number: held.number.clone(),
            };
            let key = rows::at(rows::NEARLY_SPENT.to_vec(), self.index);
            self.out.push((key, encode(&spent)));
        }
    }

    /// So many more transfers, of those made at this index, are on their way.
    fn on_their_way(&mut self, index: u64, more: i64) -> Result<(), Failed> {
        let key = rows::pending(index);
        let count: Option<u64> = self.facts.behind().read("pending", &key)?;
        let count = count.unwrap_or_default().saturating_add_signed(more);
        self.out.push((key, encode(&count)));
        Ok(())
    }

    fn receives(&mut self, target: &Hash, at_ms: u64, receipt: &Receipt) -> Result<(), Failed> {
        let Some(transfer) = self.facts.transfer(target)? else {
            return Ok(());
        };
        let day = self.day(at_ms)?;
        let arrival = custody::arrival(receipt, self.index);
        self.on_their_way(transfer.index, -1)?;
        let (from, to) = (transfer.from, transfer.to);
        let came = arrival.accepted.saturating_add(arrival.missing);
        let received = self.between(&from, &to, came)?;
        let refused = self.between(&from, &to, arrival.refused)?;
        self.with_unit(&transfer.unit, |it, made| {
            let tolerance = custody::tolerance(it.facts, made)?;
            let judged = custody::judged(&transfer, &arrival, &tolerance);
            let flow = Flow {
                received,
                gained: judged.gained,
                questioned_gain: judged.questioned_gain,
                lost: judged.lost,
                unexplained: judged.unexplained,
                ..Flow::default()
            };
            it.add(to, day, made, flow)?;
            match arrival.refused {
                0 => Ok(()),
                _ => {
                    let flow = Flow {
                        refused,
                        ..Flow::default()
                    };
                    it.add(from, day, made, flow)
                }
            }
        })
    }

    fn disposes(
        &mut self,
        unit: &TraceCode,
        at_ms: u64,
        manner: Manner,
        whose: EntityId,
        amount: u64,
    ) -> Result<(), Failed> {
        let day = self.day(at_ms)?;
        self.with_unit(unit, |it, made| {
            let mut flow = Flow::default();
            match manner {
                Manner::Sold => flow.sold = amount,
                Manner::Consumed => flow.consumed = amount,
                Manner::Destroyed => flow.destroyed = amount,
                Manner::Returned => flow.returned = amount,
                Manner::Lost => {
                    let balance = custody::balance(it.facts, unit, made)?;
                    let tolerance = custody::tolerance(it.facts, made)?;
                    let judged = custody::judged_loss(made, &balance, amount, &tolerance);
                    flow.lost = judged.lost;
                    flow.unexplained = judged.unexplained;
                }
            }
            it.add(whose, day, made, flow)
        })
    }

    /// A unit that is voided whole is its maker's no more, as far as it still
    /// was; it belongs to the day on which it was made.
    fn withdraws(&mut self, unit: &TraceCode) -> Result<(), Failed> {
        self.with_unit(unit, |it, made| {
            let held = custody::holding(it.facts, unit, made, &made.entity)?;
            let flow = Flow {
                withdrawn: held.map_or(0, |held| held.amount),
                ..Flow::default()
            };
            it.add(made.entity, made.produced_on.0, made, flow)
        })
    }

    /// Writes what was gathered: the entity's day, and its area's total.
    fn settle(mut self) -> Result<(), Failed> {
        let mut totals: BTreeMap<Vec<u8>, Flow> = BTreeMap::new();
        for ((entity, day, base, product), flow) in std::mem::take(&mut self.flows) {
            let Some(area) = self.area(&entity)? else {
                continue;
            };
            let key = rows::on_day(rows::flows_of(area.code(), &entity), day);
            let key = rows::of_product(key, base, &product);
            self.put(key, &flow)?;
            let total = rows::of_product(rows::totals_of(area.code()), base, &product);
            totals.entry(total).or_default().add(&flow);
        }
        for (key, flow) in totals {
            self.put(key, &flow)?;
        }
        Ok(())
    }

    fn put(&mut self, key: Vec<u8>, more: &Flow) -> Result<(), Failed> {
        let known: Option<Flow> = self.facts.behind().read("flow", &key)?;
        let mut flow = known.unwrap_or_default();
        flow.add(more);
        self.out.push((key, encode(&flow)));
        Ok(())
    }
}
