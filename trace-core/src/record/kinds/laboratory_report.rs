//! 检验报告: a laboratory says what it found in a unit.

use crate::error::Invalid;
use crate::ident::TraceCode;
use crate::record::claim::Claim;
use crate::record::document::DocumentClaim;
use crate::record::evidence::{Evidence, TestSource};
use crate::record::hash::Hash;
use crate::record::kinds::Kind;
use crate::record::measurement::{self, TestItem};
use crate::record::subject::SubjectId;
use crate::record::text;
use crate::record::wire::{Day, TokenId};
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// The trade section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct LaboratoryTrade {
    /// 委托方: who had it tested, up to 60 characters; none for the laboratory
    /// itself.
    pub client: Option<String>,
}

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct LaboratoryReport {
    /// 报告编号 as the laboratory gives it, 1 to 40 characters.
    pub number: String,
    /// Which unit.
    pub unit: TraceCode,
    /// 样品名称, 1 to 60 characters.
    pub product: String,
    /// 检验日期.
    pub tested_on: Day,
    /// What was tested, 1 to 48 items.
    pub items: Vec<TestItem>,
    /// 检验结论: passed exactly when every item did.
    pub passed: bool,
    /// The failed report or sample that this one repeats.
    pub retest_of: Option<Hash>,
    /// SHA-256 of the report as a document.
    pub document: Option<Hash>,
    /// Commitment to the trade section.
    pub trade: Hash,
    /// The token that acted, for a hosted key.
    pub acted_by: Option<TokenId>,
}

impl Kind for LaboratoryReport {
    type Trade = LaboratoryTrade;

    fn check(&self) -> Result<(), Invalid> {
        text::check("number", &self.number, 1, 40)?;
        text::check("product", &self.product, 1, 60)?;
        self.tested_on.date()?;
        measurement::check_items(&self.items, self.passed)
    }

    fn subjects(&self) -> Vec<SubjectId> {
        vec![SubjectId::unit(self.unit)]
    }

    fn claims(&self, _trade: Option<&LaboratoryTrade>) -> Result<Vec<Claim>, Invalid> {
        let tests = Claim::Evidence(Evidence::Tests {
            source: TestSource::Laboratory,
            unit: Some(self.unit),
            entity: None,
            area: None,
            on: self.tested_on.date()?,
            passed: self.passed,
            retest_of: self.retest_of,
        });
        let named = self.document.map(|document| Claim::Document(DocumentClaim::Names { document }));
        Ok([tests].into_iter().chain(named).collect())
    }

    fn trade(&self) -> Option<Hash> {
        Some(self.trade)
    }

    fn check_trade(trade: &LaboratoryTrade) -> Result<(), Invalid> {
        text::check_option("client", trade.client.as_deref(), 60)
    }

    fn acted_by(&self) -> Option<TokenId> {
        self.acted_by
    }
}
