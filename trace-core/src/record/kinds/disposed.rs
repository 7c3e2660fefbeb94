//! 处置: a quantity of a unit ends with its holder: sold to those who eat it,
//! used, destroyed, returned to somebody outside, or lost.

use crate::error::Invalid;
use crate::ident::{EntityId, TraceCode};
use crate::record::claim::Claim;
use crate::record::hash::Hash;
use crate::record::kinds::Kind;
use crate::record::movement::{Manner, Moment};
use crate::record::quantity::Quantity;
use crate::record::subject::SubjectId;
use crate::record::text;
use crate::record::wire::TokenId;
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct Disposed {
    /// Which unit.
    pub unit: TraceCode,
    /// How it ended.
    pub manner: Manner,
    /// When.
    pub happened: Moment,
    /// For whom the signer acts, where it is a market or an authority's
    /// assistant: both are named.
    pub on_behalf_of: Option<EntityId>,
    /// Commitment to the trade section.
    pub trade: Hash,
    /// The token that acted, for a hosted key.
    pub acted_by: Option<TokenId>,
}

/// The trade section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct DisposedTrade {
    /// How much.
    pub quantity: Quantity,
    /// To whom it was returned or where destroyed, up to 60 characters.
    pub place: Option<String>,
    /// Price of the whole, in fen.
    pub price_fen: Option<u64>,
}

impl Kind for Disposed {
    type Trade = DisposedTrade;

    fn check(&self) -> Result<(), Invalid> {
        self.happened.check()
    }

    fn subjects(&self) -> Vec<SubjectId> {
        vec![SubjectId::unit(self.unit)]
    }

    fn claims(&self, trade: Option<&DisposedTrade>) -> Result<Vec<Claim>, Invalid> {
        Ok(vec![Claim::Disposes {
            unit: self.unit,
            at_ms: self.happened.at_ms,
            manner: self.manner,
            on_behalf_of: self.on_behalf_of,
            quantity: trade.map(|trade| trade.quantity),
        }])
    }

    fn trade(&self) -> Option<Hash> {
        Some(self.trade)
    }

    fn check_trade(trade: &DisposedTrade) -> Result<(), Invalid> {
        trade.quantity.check()?;
        text::check_option("place", trade.place.as_deref(), 60)
    }

    fn acted_by(&self) -> Option<TokenId> {
        self.acted_by
    }
}
