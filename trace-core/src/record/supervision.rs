//! Goods in a centralised supervision warehouse 集中监管仓: booked, entered with
//! their papers, released. Until it is released, a quantity cannot leave.
//!
//! A pure fold of quantities and papers. How much was released is not kept here:
//! it is the sum of the warehouse's standing release certificates, so that
//! voiding one takes it back.

use super::attachment::AttachmentKind;
use super::claim::Form;
use super::quantity::Quantity;
use super::unit::{Standing, UnitState};
use crate::ident::{EntityId, TraceCode};
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// Most bookings of one unit that no entry has met: one for each warehouse it
/// might go to.
pub const BOOKINGS_MAX: usize = 8;

/// What a supervision warehouse of an area demands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct SupervisionPolicy {
    /// How many hours before arrival goods are booked; 0 where no booking is
    /// demanded.
    pub booking_lead_hours: u16,
    /// The papers without which nothing is released, sorted and distinct.
    pub demanded: Vec<AttachmentKind>,
}

impl Default for SupervisionPolicy {
    /// Where no policy was adopted: 48 hours, the declaration and the
    /// inspection certificate. Tests for nucleic acid and disinfection were
    /// demanded until January 2023 (unconfirmed) and are for a policy to demand.
    fn default() -> Self {
        Self {
            booking_lead_hours: 48,
            demanded: vec![
                AttachmentKind::CustomsDeclaration,
                AttachmentKind::InspectionCertificate,
            ],
        }
    }
}

/// A step of goods through a supervision warehouse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Supervision {
    /// What warehouses of an area demand from now on.
    Adopts {
        /// Where: this area and those below that have none of their own.
        area: crate::ident::Area,
        /// What.
        policy: SupervisionPolicy,
    },
    /// A warehouse is booked for a unit.
    Books {
        /// Which unit.
        unit: TraceCode,
        /// Which warehouse.
        warehouse: EntityId,
        /// When the goods are to arrive.
        arrives_ms: u64,
    },
    /// A quantity came under the signer's supervision.
    Enters {
        /// Which unit.
        unit: TraceCode,
        /// How much; known only with the trade section.
        quantity: Option<Quantity>,
        /// The papers that came with it.
        attached: Vec<AttachmentKind>,
    },
    /// A quantity may leave the signer's warehouse.
    Releases {
        /// Which unit.
        unit: TraceCode,
        /// How much.
        quantity: Quantity,
        /// The papers that were added since it entered.
        attached: Vec<AttachmentKind>,
    },
}

/// A unit's bookings and entries.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupervisionState {
    /// Bookings that no entry has met.
    pub bookings: Vec<Booking>,
    /// What entered each warehouse.
    pub entries: Vec<Supervised>,
}

/// A booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booking {
    /// Which warehouse.
    pub warehouse: EntityId,
    /// When the goods are to arrive.
    pub arrives_ms: u64,
    /// Index of the record.
    pub index: u64,
}

/// All that entered one warehouse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supervised {
    /// Which warehouse.
    pub warehouse: EntityId,
    /// How much in all, in base units.
    pub base_amount: u64,
    /// The papers that came with every entry: what came with one alone covers
    /// not the others.
    pub attached: Vec<AttachmentKind>,
    /// Index of the last entry.
    pub last_index: u64,
}

impl SupervisionState {
    /// The booking of a warehouse.
    #[must_use]
    pub fn booking(&self, warehouse: &EntityId) -> Option<&Booking> {
        self.bookings
            .iter()
            .find(|booking| booking.warehouse == *warehouse)
    }

    /// What entered a warehouse.
    #[must_use]
    pub fn entered(&self, warehouse: &EntityId) -> Option<&Supervised> {
        self.entries
            .iter()
            .find(|entry| entry.warehouse == *warehouse)
    }

    /// How much entered a warehouse and is not released, in base units.
    #[must_use]
    pub fn unreleased(&self, warehouse: &EntityId, unit: &UnitState) -> u64 {
        let entered = self.entered(warehouse).map_or(0, |entry| entry.base_amount);
        entered.saturating_sub(released(unit, warehouse))
    }

    /// How much entered any warehouse and is not released, in base units: what
    /// nobody can hand on.
    #[must_use]
    pub fn unreleased_anywhere(&self, unit: &UnitState) -> u64 {
        self.entries
            .iter()
            .map(|entry| self.unreleased(&entry.warehouse, unit))
            .fold(0, u64::saturating_add)
    }

    /// Adds what one admitted record claims; claims about other units change
    /// nothing.
    pub fn apply(&mut self, code: TraceCode, index: u64, signer: EntityId, claim: &Supervision) {
        match claim {
            Supervision::Books {
                unit,
                warehouse,
                arrives_ms,
            } if *unit == code => {
                self.bookings
                    .retain(|booking| booking.warehouse != *warehouse);
                self.bookings.push(Booking {
                    warehouse: *warehouse,
                    arrives_ms: *arrives_ms,
                    index,
                });
            }
            Supervision::Enters {
                unit,
                quantity: Some(quantity),
                attached,
            } if *unit == code => {
                self.bookings.retain(|booking| booking.warehouse != signer);
                let amount = quantity.base_amount();
                match self
                    .entries
                    .iter_mut()
                    .find(|entry| entry.warehouse == signer)
                {
                    Some(entry) => {
                        entry.base_amount = entry.base_amount.saturating_add(amount);
                        entry.attached.retain(|kind| attached.contains(kind));
                        entry.last_index = index;
                    }
                    None => self.entries.push(Supervised {
                        warehouse: signer,
                        base_amount: amount,
                        attached: attached.clone(),
                        last_index: index,
                    }),
                }
            }
            _ => {}
        }
    }
}

impl Supervision {
    /// The unit that it is about.
    #[must_use]
    pub fn unit(&self) -> Option<TraceCode> {
        match self {
            Self::Adopts { .. } => None,
            Self::Books { unit, .. } | Self::Enters { unit, .. } | Self::Releases { unit, .. } => {
                Some(*unit)
            }
        }
    }
}

/// How much a warehouse's standing release certificates let go, in base units.
#[must_use]
pub fn released(unit: &UnitState, warehouse: &EntityId) -> u64 {
    let releases = unit.certificates.iter().filter(|held| {
        held.form == Form::WarehouseRelease
            && held.issuer == *warehouse
            && held.standing == Standing::InForce
    });
    releases
        .map(|held| held.base_amount)
        .fold(0, u64::saturating_add)
}
