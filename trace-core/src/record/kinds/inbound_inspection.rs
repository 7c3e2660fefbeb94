//! 入境货物检验检疫证明: issued by customs on paper, recorded by the importer who
//! brings the goods in, with the hash of its scan.
//!
//! The ledger proves that the importer said so and when, not that customs did.
//! Declaration, overseas plant and container are unconfirmed, so optional.

use crate::error::Invalid;
use crate::ident::TraceCode;
use crate::record::claim::{Claim, Form};
use crate::record::document::DocumentClaim;
use crate::record::hash::Hash;
use crate::record::kinds::Kind;
use crate::record::quantity::Quantity;
use crate::record::subject::SubjectId;
use crate::record::text;
use crate::record::wire::{self, Day, TokenId};
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// The trade section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct InboundTrade {
    /// 发货人, 1 to 80 characters.
    pub consignor: String,
    /// 收货人, 1 to 80 characters.
    pub consignee: String,
    /// 报关单号, up to 30 characters.
    pub declaration: Option<String>,
    /// 集装箱号, up to 20 characters.
    pub container: Option<String>,
}

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct InboundInspection {
    /// 单号, unique in the ledger.
    pub number: String,
    /// The trace unit it is about.
    pub unit: TraceCode,
    /// 口岸, 1 to 40 characters.
    pub port: String,
    /// 日期 of the paper.
    pub issued_on: Day,
    /// 原产国, 1 to 40 characters.
    pub country: String,
    /// 报检重量.
    pub quantity: Quantity,
    /// 规格, up to 60 characters.
    pub specification: Option<String>,
    /// 生产批次号, up to 40 characters.
    pub lot: Option<String>,
    /// 境外生产企业注册号, up to 30 characters.
    pub overseas_plant: Option<String>,
    /// SHA-256 of the scan.
    pub document: Option<Hash>,
    /// Commitment to the trade section.
    pub trade: Hash,
    /// The token that acted, for a hosted key.
    pub acted_by: Option<TokenId>,
}

impl Kind for InboundInspection {
    type Trade = InboundTrade;

    fn check(&self) -> Result<(), Invalid> {
        wire::check_number(&self.number)?;
        text::check("port", &self.port, 1, 40)?;
        text::check("country", &self.country, 1, 40)?;
        self.issued_on.date()?;
        self.quantity.check()?;
        text::check_option("specification", self.specification.as_deref(), 60)?;
        text::check_option("lot", self.lot.as_deref(), 40)?;
        text::check_option("overseas_plant", self.overseas_plant.as_deref(), 30)
    }

    fn subjects(&self) -> Vec<SubjectId> {
        vec![SubjectId::unit(self.unit), SubjectId::certificate(&self.number)]
    }

    fn claims(&self, _trade: Option<&InboundTrade>) -> Result<Vec<Claim>, Invalid> {
        let certified = Claim::Certifies {
            number: self.number.clone(),
            unit: self.unit,
            quantity: self.quantity,
            form: Form::InboundInspection,
            issued_on: self.issued_on.date()?,
            expires_on: None,
            bases: Vec::new(),
            pledges: Vec::new(),
        };
        let named = self.document.map(|document| Claim::Document(DocumentClaim::Names { document }));
        Ok([certified].into_iter().chain(named).collect())
    }

    fn trade(&self) -> Option<Hash> {
        Some(self.trade)
    }

    fn check_trade(trade: &InboundTrade) -> Result<(), Invalid> {
        text::check("consignor", &trade.consignor, 1, 80)?;
        text::check("consignee", &trade.consignee, 1, 80)?;
        text::check_option("declaration", trade.declaration.as_deref(), 30)?;
        text::check_option("container", trade.container.as_deref(), 20)
    }

    fn acted_by(&self) -> Option<TokenId> {
        self.acted_by
    }
}
