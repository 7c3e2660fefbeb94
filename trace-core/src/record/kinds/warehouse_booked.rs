//! 集中监管仓预约: a supervision warehouse is booked before the goods arrive.
//!
//! That a unit is to go there, and when, is public; whose it is, how much, in
//! which vehicle and with which driver is not.

use crate::error::{Invalid, Rule};
use crate::ident::{EntityId, TraceCode};
use crate::record::claim::Claim;
use crate::record::hash::Hash;
use crate::record::kinds::Kind;
use crate::record::quantity::Quantity;
use crate::record::subject::SubjectId;
use crate::record::supervision::Supervision;
use crate::record::text;
use crate::record::wire::{PersonRef, TokenId};
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// The trade section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct BookingTrade {
    /// 货主名称, 1 to 60 characters.
    pub owner: String,
    /// 数量.
    pub quantity: Quantity,
    /// 车辆, up to 20 characters.
    pub vehicle: Option<String>,
}

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct WarehouseBooked {
    /// Which unit.
    pub unit: TraceCode,
    /// 仓点.
    pub warehouse: EntityId,
    /// 品名, 1 to 60 characters.
    pub product: String,
    /// When the goods are to arrive.
    pub arrives_ms: u64,
    /// Local time there: minutes east of UTC.
    pub offset_minutes: i16,
    /// 司机.
    pub persons: Vec<PersonRef>,
    /// Commitment to the trade section.
    pub trade: Hash,
    /// The token that acted, for a hosted key.
    pub acted_by: Option<TokenId>,
}

impl Kind for WarehouseBooked {
    type Trade = BookingTrade;

    fn check(&self) -> Result<(), Invalid> {
        text::check("product", &self.product, 1, 60)?;
        match self.offset_minutes.unsigned_abs() > 14 * 60 {
            true => Err(Invalid::new(Rule::Date, format!("local time {} minutes from UTC", self.offset_minutes))),
            false => Ok(()),
        }
    }

    fn subjects(&self) -> Vec<SubjectId> {
        vec![SubjectId::unit(self.unit)]
    }

    fn claims(&self, _trade: Option<&BookingTrade>) -> Result<Vec<Claim>, Invalid> {
        let (unit, warehouse, arrives_ms) = (self.unit, self.warehouse, self.arrives_ms);
        Ok(vec![Claim::Supervision(Supervision::Books { unit, warehouse, arrives_ms })])
    }

    fn trade(&self) -> Option<Hash> {
        Some(self.trade)
    }

    fn check_trade(trade: &BookingTrade) -> Result<(), Invalid> {
        text::check("owner", &trade.owner, 1, 60)?;
        trade.quantity.check()?;
        text::check_option("vehicle", trade.vehicle.as_deref(), 20)
    }

    fn persons(&self) -> &[PersonRef] {
        &self.persons
    }

    fn acted_by(&self) -> Option<TokenId> {
        self.acted_by
    }
}
