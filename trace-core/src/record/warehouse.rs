//! What a cold store says when goods enter or leave: the shared body of the
//! kinds `warehouse_in` and `warehouse_out`, frozen with their numbers.
//!
//! That goods were kept here, when, and at what temperature is public; how
//! much, for whom, where in the store and by which vehicle is trade.

use super::hash::Hash;
use super::quantity::Quantity;
use super::wire::TokenId;
use super::{temperature, text};
use crate::error::{Invalid, Rule};
use crate::ident::{EntityId, TraceCode};
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// The trade section of a warehouse entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct WarehouseTrade {
    /// How much entered or left.
    pub quantity: Quantity,
    /// The other side, where it is an entity of this ledger.
    pub counterparty: Option<EntityId>,
    /// The other side, where it is a firm outside it, up to 60 characters.
    pub counterparty_name: Option<String>,
    /// Position in the store, up to 30 characters.
    pub position: Option<String>,
    /// Vehicle plate, up to 20 characters.
    pub vehicle: Option<String>,
}

/// A warehouse entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct WarehouseEntry {
    /// Which unit.
    pub unit: TraceCode,
    /// When it entered or left.
    pub at_ms: u64,
    /// Local time there: minutes east of UTC.
    pub offset_minutes: i16,
    /// Temperature of the goods, measured then.
    pub temperature_milli_c: Option<i32>,
    /// Commitment to the trade section.
    pub trade: Hash,
    /// The token that acted, for a hosted key.
    pub acted_by: Option<TokenId>,
}

impl WarehouseEntry {
    /// Checks offset and temperature.
    ///
    /// # Errors
    /// [`Rule::Date`] or [`Rule::Temperature`] with the number.
    pub fn check(&self) -> Result<(), Invalid> {
        if self.offset_minutes.unsigned_abs() > 14 * 60 {
            return Err(Invalid::new(
                Rule::Date,
                format!("local time {} minutes from UTC", self.offset_minutes),
            ));
        }
        self.temperature_milli_c.map_or(Ok(()), temperature::check)
    }
}

impl WarehouseTrade {
    /// Checks quantity and texts.
    ///
    /// # Errors
    /// The first rule of form that is broken.
    pub fn check(&self) -> Result<(), Invalid> {
        self.quantity.check()?;
        text::check_option("counterparty_name", self.counterparty_name.as_deref(), 60)?;
        text::check_option("position", self.position.as_deref(), 30)?;
        text::check_option("vehicle", self.vehicle.as_deref(), 20)
    }
}

/// Makes a kind of a warehouse entry.
macro_rules! warehouse_kind {
    ($body:ident, $claim:ident) => {
        use postcard_schema::Schema;
        use serde::{Deserialize, Serialize};
        use $crate::error::Invalid;
        use $crate::record::claim::Claim;
        use $crate::record::hash::Hash;
        use $crate::record::kinds::Kind;
        use $crate::record::subject::SubjectId;
        use $crate::record::warehouse::{WarehouseEntry, WarehouseTrade};
        use $crate::record::wire::TokenId;

        /// The body.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
        pub struct $body(pub WarehouseEntry);

        impl Kind for $body {
            type Trade = WarehouseTrade;

            fn check(&self) -> Result<(), Invalid> {
                self.0.check()
            }

            fn subjects(&self) -> Vec<SubjectId> {
                vec![SubjectId::unit(self.0.unit)]
            }

            fn claims(&self, trade: Option<&WarehouseTrade>) -> Result<Vec<Claim>, Invalid> {
                Ok(vec![Claim::$claim {
                    unit: self.0.unit,
                    at_ms: self.0.at_ms,
                    quantity: trade.map(|trade| trade.quantity),
                }])
            }

            fn trade(&self) -> Option<Hash> {
                Some(self.0.trade)
            }

            fn check_trade(trade: &WarehouseTrade) -> Result<(), Invalid> {
                trade.check()
            }

            fn acted_by(&self) -> Option<TokenId> {
                self.0.acted_by
            }
        }
    };
}

pub(crate) use warehouse_kind;
