//! 收货: what was handed over has arrived, whole, in part, or is refused. More
//! than was handed over is a declared gain.
//!
//! How it turned out is public; the quantities are trade.

use crate::error::{Invalid, Rule};
use crate::ident::{EntityId, TraceCode};
use crate::record::claim::{Claim, Receipt};
use crate::record::hash::Hash;
use crate::record::kinds::Kind;
use crate::record::movement::Moment;
use crate::record::quantity::Quantity;
use crate::record::subject::SubjectId;
use crate::record::wire::TokenId;
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// How it turned out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Schema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// 全部接收.
    Accepted,
    /// 部分接收: some is missing or refused.
    Short,
    /// 拒收.
    Refused,
}

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct Received {
    /// Which unit.
    pub unit: TraceCode,
    /// Hash of the record by which it was handed over.
    pub handed_over: Hash,
    /// How it turned out.
    pub outcome: Outcome,
    /// When it arrived.
    pub happened: Moment,
    /// For whom the signer acts, where it is a market or an authority's
    /// assistant: both are named.
    pub on_behalf_of: Option<EntityId>,
    /// Commitment to the trade section.
    pub trade: Hash,
    /// The token that acted, for a hosted key.
    pub acted_by: Option<TokenId>,
}

/// The trade section: what was handed over is what was accepted, what is
/// missing and what was refused; what is absent is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct ReceivedTrade {
    /// Accepted, of what was handed over.
    pub accepted: Option<Quantity>,
    /// Missing.
    pub missing: Option<Quantity>,
    /// Refused: it goes back.
    pub refused: Option<Quantity>,
    /// Weighed beyond what was handed over.
    pub excess: Option<Quantity>,
}

impl ReceivedTrade {
    fn outcome(&self) -> Outcome {
        match (self.accepted, self.missing, self.refused) {
            (_, None, None) => Outcome::Accepted,
            (None, None, Some(_)) => Outcome::Refused,
            _ => Outcome::Short,
        }
    }
}

impl Kind for Received {
    type Trade = ReceivedTrade;

    fn check(&self) -> Result<(), Invalid> {
        self.happened.check()
    }

    fn subjects(&self) -> Vec<SubjectId> {
        vec![SubjectId::unit(self.unit)]
    }

    fn claims(&self, trade: Option<&ReceivedTrade>) -> Result<Vec<Claim>, Invalid> {
        if let Some(found) = trade.map(ReceivedTrade::outcome).filter(|found| *found != self.outcome) {
            return Err(Invalid::new(Rule::Section, format!("the outcome is {:?}, by its quantities {found:?}", self.outcome)));
        }
        Ok(vec![Claim::Receives {
            unit: self.unit,
            target: self.handed_over,
            at_ms: self.happened.at_ms,
            on_behalf_of: self.on_behalf_of,
            receipt: trade.map(|trade| Receipt {
                accepted: trade.accepted,
                missing: trade.missing,
                refused: trade.refused,
                excess: trade.excess,
            }),
        }])
    }

    fn trade(&self) -> Option<Hash> {
        Some(self.trade)
    }

    fn check_trade(trade: &ReceivedTrade) -> Result<(), Invalid> {
        let stated = [trade.accepted, trade.missing, trade.refused, trade.excess];
        stated.iter().flatten().try_for_each(Quantity::check)
    }

    fn acted_by(&self) -> Option<TokenId> {
        self.acted_by
    }
}
