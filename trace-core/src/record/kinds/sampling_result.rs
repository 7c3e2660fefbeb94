//! 监督抽检: an authority took a sample at somebody's place, and this came out.
//!
//! Of a unit of this ledger, or of goods that are not on it. Results are
//! published by law, so all of it is public.

use crate::error::Invalid;
use crate::ident::{EntityId, TraceCode};
use crate::record::claim::Claim;
use crate::record::document::DocumentClaim;
use crate::record::evidence::{Evidence, TestSource};
use crate::record::hash::Hash;
use crate::record::kinds::Kind;
use crate::record::measurement::{self, TestItem};
use crate::record::subject::SubjectId;
use crate::record::text;
use crate::record::wire::{AreaCode, Day, TokenId};
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct SamplingResult {
    /// 抽样单编号, 1 to 40 characters.
    pub number: String,
    /// Which unit, where it is on this ledger.
    pub unit: Option<TraceCode>,
    /// 被抽样单位.
    pub entity: EntityId,
    /// Where that is.
    pub area: AreaCode,
    /// 样品名称, 1 to 60 characters.
    pub product: String,
    /// 生产批号 of goods that are not on this ledger, up to 40 characters.
    pub lot: Option<String>,
    /// 抽样日期.
    pub sampled_on: Day,
    /// 检验机构, up to 60 characters.
    pub laboratory: Option<String>,
    /// What was tested, 1 to 48 items.
    pub items: Vec<TestItem>,
    /// 检验结论: passed exactly when every item did.
    pub passed: bool,
    /// The failed sample or report of the unit that this one repeats (复检).
    pub retest_of: Option<Hash>,
    /// SHA-256 of the report as a document.
    pub document: Option<Hash>,
    /// The token that acted, for a hosted key.
    pub acted_by: Option<TokenId>,
}

impl Kind for SamplingResult {
    type Trade = ();

    fn check(&self) -> Result<(), Invalid> {
        text::check("number", &self.number, 1, 40)?;
        self.area.area()?;
        text::check("product", &self.product, 1, 60)?;
        text::check_option("lot", self.lot.as_deref(), 40)?;
        text::check_option("laboratory", self.laboratory.as_deref(), 60)?;
        self.sampled_on.date()?;
        measurement::check_items(&self.items, self.passed)
    }

    fn subjects(&self) -> Vec<SubjectId> {
        let unit = self.unit.map(SubjectId::unit);
        unit.into_iter().chain([SubjectId::conduct(self.entity)]).collect()
    }

    fn claims(&self, _trade: Option<&()>) -> Result<Vec<Claim>, Invalid> {
        let tests = Claim::Evidence(Evidence::Tests {
            source: TestSource::Sampling,
            unit: self.unit,
            entity: Some(self.entity),
            area: Some(self.area.area()?),
            on: self.sampled_on.date()?,
            passed: self.passed,
            retest_of: self.retest_of,
        });
        let named = self.document.map(|document| Claim::Document(DocumentClaim::Names { document }));
        Ok([tests].into_iter().chain(named).collect())
    }

    fn acted_by(&self) -> Option<TokenId> {
        self.acted_by
    }
}
