//! What can be done, in plain words, and the records that say it.

use trace_core::ident::{Area, LEDGER_OFFSET_MINUTES, TraceCode};
use trace_core::record::certificate::Elements;
use trace_core::record::claim::DurabilityKind;
use trace_core::record::kinds::electronic_traceability_certificate::ElectronicTraceabilityCertificate;
use trace_core::record::kinds::key_revoked::{KeyRevoked, RevocationReason};
use trace_core::record::kinds::role_withdrawn::RoleWithdrawn;
use trace_core::record::kinds::superseded::Superseded;
use trace_core::record::kinds::unit_created::{Durability, UnitCreated};
use trace_core::record::kinds::voided::Voided;
use trace_core::record::kinds::warehouse_in::WarehouseIn;
use trace_core::record::kinds::warehouse_out::WarehouseOut;
use trace_core::record::quantity::{BaseUnit, Quantity};
use trace_core::record::section::{Opening, Openings};
use trace_core::record::sign::{KeyId, SigningKey};
use trace_core::record::warehouse::{WarehouseEntry, WarehouseTrade};
use trace_core::record::wire::Day;
use trace_core::record::{Body, Hash, Role};
use trace_fixtures::{Who, World, opening};

/// So much of something, counted in this.
#[derive(Debug, Clone, Copy)]
pub struct Amount {
    pub base: u64,
    pub measure: BaseUnit,
}

/// Something that somebody does. Days count from 1970-01-01, at +08:00.
#[derive(Debug, Clone)]
pub enum Act {
    Create {
        unit: TraceCode,
        amount: Amount,
        produced: i32,
        last: Option<i32>,
    },
    Certify {
        unit: TraceCode,
        number: String,
        amount: Amount,
        issued: i32,
        expires: Option<i32>,
        is_filled_in: bool,
    },
    Void {
        unit: TraceCode,
        /// Of the certificate; none voids the unit.
        number: Option<String>,
        target: Hash,
    },
    Supersede {
        unit: TraceCode,
        number: String,
        target: Hash,
        new_unit: TraceCode,
        new_number: String,
    },
    Store {
        unit: TraceCode,
        amount: Amount,
        at_ms: u64,
        enters: bool,
    },
    Enrol {
        owner: Who,
        key: KeyId,
        is_proved: bool,
    },
    Revoke {
        owner: Who,
        key: KeyId,
        from: Option<u64>,
    },
    Grant {
        owner: Who,
        role: Role,
        area: Area,
    },
    Withdraw {
        owner: Who,
        role: Role,
        area: Area,
    },
}

/// Sound bodies, to be filled with what an act says.
pub struct Bodies {
    pub world: World,
    unit: UnitCreated,
    elements: Elements,
}

impl Bodies {
    pub fn new(mut world: World) -> Self {
        let unit = world.unit();
        let (certificate, _) = world.certificate(&unit);
        let elements = Elements {
            persons: Vec::new(),
            ..certificate.0
        };
        Self {
            world,
            unit,
            elements,
        }
    }

    /// The record's body, and what opens it. `key` is the one that an enrolment
    /// is about.
    pub fn body(&self, act: &Act, key: Option<&SigningKey>) -> (Body, Openings) {
        let mut openings = Openings::default();
        let body: Body = match act {
            Act::Create {
                unit,
                amount,
                produced,
                last,
            } => UnitCreated {
                unit: *unit,
                quantity: quantity(*amount),
                produced_on: Day(*produced),
                durability: last.map(|last| Durability {
                    kind: DurabilityKind::UseBy,
                    on: Day(last),
                }),
                ..self.unit.clone()
            }
            .into(),
            Act::Certify {
                unit,
                number,
                amount,
                issued,
                expires,
                is_filled_in,
            } => {
                let mut elements = Elements {
                    number: number.clone(),
                    unit: *unit,
                    quantity: quantity(*amount),
                    issued_on: Day(*issued),
                    expires_on: expires.map(Day),
                    ..self.elements.clone()
                };
                if !is_filled_in {
                    elements.pledges.pop();
                }
                ElectronicTraceabilityCertificate(elements).into()
            }
            Act::Void {
                unit,
                number,
                target,
            } => Voided {
                target: *target,
                unit: *unit,
                number: number.clone(),
                reason: "重复开具".into(),
                acted_by: None,
            }
            .into(),
            Act::Supersede {
                unit,
                number,
                target,
                new_unit,
                new_number,
            } => Superseded {
                target: *target,
                unit: *unit,
                number: number.clone(),
                replacement_unit: *new_unit,
                replacement_number: new_number.clone(),
                reason: "产品信息填写有误".into(),
                acted_by: None,
            }
            .into(),
            Act::Store {
                unit,
                amount,
                at_ms,
                enters,
            } => {
                let opening = Opening::new(
                    [7; 16],
                    &WarehouseTrade {
                        quantity: quantity(*amount),
                        counterparty: None,
                        counterparty_name: Some("本地批发客户".into()),
                        position: None,
                        vehicle: None,
                    },
                );
                let entry = WarehouseEntry {
                    unit: *unit,
                    at_ms: *at_ms,
                    offset_minutes: i16::try_from(LEDGER_OFFSET_MINUTES).unwrap(),
                    temperature_milli_c: Some(-18_500),
                    trade: opening.commitment(),
                    acted_by: None,
                };
                openings.trade = Some(opening);
                match enters {
                    true => WarehouseIn(entry).into(),
                    false => WarehouseOut(entry).into(),
                }
            }
            Act::Enrol {
                owner, is_proved, ..
            } => {
                let key = key.unwrap();
                let mut body = self.world.key_enrolled(*owner, key);
                if !is_proved {
                    body.possession_r.0.reverse();
                }
                body.into()
            }
            Act::Revoke { owner, key, from } => KeyRevoked {
                entity: self.world.id(*owner),
                key: *key,
                reason: RevocationReason::Lost,
                compromised_from_index: *from,
                acted_by: None,
                countersignatures: Vec::new(),
            }
            .into(),
            Act::Grant { owner, role, area } => {
                opening::role_granted(self.world.id(*owner), *role, *area).into()
            }
            Act::Withdraw { owner, role, area } => RoleWithdrawn {
                entity: self.world.id(*owner),
                role: *role,
                area: (*area).into(),
                acted_by: None,
                countersignatures: Vec::new(),
            }
            .into(),
        };
        (body, openings)
    }
}

fn quantity(amount: Amount) -> Quantity {
    Quantity::of_base(amount.base, amount.measure).unwrap()
}
