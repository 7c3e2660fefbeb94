//! 交付: a quantity of a unit leaves its holder's hands, for another entity or
//! for somebody outside the ledger, which ends its story there.
//!
//! That it was handed over, when, and under which certificate is public; to
//! whom, how much, at what price and by which vehicle is trade.

use crate::error::Invalid;
use crate::ident::{EntityId, TraceCode};
use crate::record::claim::{Claim, Handing};
use crate::record::hash::Hash;
use crate::record::kinds::Kind;
use crate::record::movement::{Moment, Party};
use crate::record::quantity::Quantity;
use crate::record::subject::SubjectId;
use crate::record::text;
use crate::record::wire::{self, TokenId};
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct HandedOver {
    /// Which unit.
    pub unit: TraceCode,
    /// The number of the certificate that goes with it.
    pub certificate: Option<String>,
    /// When it was handed over.
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
pub struct HandedOverTrade {
    /// To whom.
    pub to: Party,
    /// How much.
    pub quantity: Quantity,
    /// Vehicle plate, up to 20 characters.
    pub vehicle: Option<String>,
    /// Price of the whole, in fen.
    pub price_fen: Option<u64>,
}

impl Kind for HandedOver {
    type Trade = HandedOverTrade;

    fn check(&self) -> Result<(), Invalid> {
        self.happened.check()?;
        self.certificate.as_deref().map_or(Ok(()), wire::check_number)
    }

    fn subjects(&self) -> Vec<SubjectId> {
        let certificate = self.certificate.as_deref().map(SubjectId::certificate);
        certificate.into_iter().chain([SubjectId::unit(self.unit)]).collect()
    }

    fn claims(&self, trade: Option<&HandedOverTrade>) -> Result<Vec<Claim>, Invalid> {
        Ok(vec![Claim::HandsOver {
            unit: self.unit,
            at_ms: self.happened.at_ms,
            certificate: self.certificate.clone(),
            on_behalf_of: self.on_behalf_of,
            handing: trade.map(|trade| Handing { to: trade.to.entity(), quantity: trade.quantity }),
        }])
    }

    fn trade(&self) -> Option<Hash> {
        Some(self.trade)
    }

    fn check_trade(trade: &HandedOverTrade) -> Result<(), Invalid> {
        trade.to.check()?;
        trade.quantity.check()?;
        text::check_option("vehicle", trade.vehicle.as_deref(), 20)
    }

    fn acted_by(&self) -> Option<TokenId> {
        self.acted_by
    }
}
