//! 入市查验: a market has looked at goods and their certificate, and admits them
//! or turns them away. It changes nobody's custody.

use crate::error::{Invalid, Rule};
use crate::ident::TraceCode;
use crate::record::claim::Claim;
use crate::record::hash::Hash;
use crate::record::kinds::Kind;
use crate::record::movement::{Moment, Party};
use crate::record::quantity::Quantity;
use crate::record::subject::SubjectId;
use crate::record::text;
use crate::record::wire::{self, TokenId};
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// What a market looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Schema)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// 证票.
    Certificate,
    /// 标识.
    Label,
    /// 感官.
    Senses,
    /// 温度.
    Temperature,
    /// 快检.
    RapidTest,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Schema)]
#[serde(rename_all = "snake_case")]
pub enum Admission {
    /// 准予入市.
    Admitted,
    /// 不予入市.
    TurnedAway,
}

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct CheckedIn {
    /// Which unit.
    pub unit: TraceCode,
    /// The number of the certificate that was seen, where it is of this ledger.
    pub certificate: Option<String>,
    /// The certificate that was seen on paper, up to 80 characters.
    pub paper_certificate: Option<String>,
    /// What was looked at, sorted and distinct.
    pub checks: Vec<Check>,
    /// What came of it.
    pub admission: Admission,
    /// Why it was turned away, up to 100 characters.
    pub reason: Option<String>,
    /// When.
    pub happened: Moment,
    /// Commitment to the trade section.
    pub trade: Hash,
    /// The token that acted, for a hosted key.
    pub acted_by: Option<TokenId>,
}

/// The trade section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct CheckedInTrade {
    /// How much was brought.
    pub quantity: Quantity,
    /// By whom.
    pub presented_by: Option<Party>,
    /// The stall it is for, up to 30 characters.
    pub stall: Option<String>,
}

impl Kind for CheckedIn {
    type Trade = CheckedInTrade;

    fn check(&self) -> Result<(), Invalid> {
        self.happened.check()?;
        self.certificate.as_deref().map_or(Ok(()), wire::check_number)?;
        text::check_option("paper_certificate", self.paper_certificate.as_deref(), 80)?;
        text::check_option("reason", self.reason.as_deref(), 100)?;
        match !self.checks.is_empty() && self.checks.is_sorted_by(|a, b| a < b) {
            true => Ok(()),
            false => Err(Invalid::new(Rule::Statement, "checks: at least one, sorted and distinct")),
        }
    }

    fn subjects(&self) -> Vec<SubjectId> {
        let certificate = self.certificate.as_deref().map(SubjectId::certificate);
        certificate.into_iter().chain([SubjectId::unit(self.unit)]).collect()
    }

    fn claims(&self, trade: Option<&CheckedInTrade>) -> Result<Vec<Claim>, Invalid> {
        Ok(vec![Claim::ChecksIn {
            unit: self.unit,
            at_ms: self.happened.at_ms,
            certificate: self.certificate.clone(),
            is_admitted: self.admission == Admission::Admitted,
            quantity: trade.map(|trade| trade.quantity),
        }])
    }

    fn trade(&self) -> Option<Hash> {
        Some(self.trade)
    }

    fn check_trade(trade: &CheckedInTrade) -> Result<(), Invalid> {
        trade.quantity.check()?;
        trade.presented_by.as_ref().map_or(Ok(()), Party::check)?;
        text::check_option("stall", trade.stall.as_deref(), 30)
    }

    fn acted_by(&self) -> Option<TokenId> {
        self.acted_by
    }
}
