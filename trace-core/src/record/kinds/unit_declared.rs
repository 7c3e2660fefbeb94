//! 追溯单元申报: a unit begins here on the word of a paper or of another ledger's
//! certificate. Its origin is not proved on this ledger 来源未在本账本证明, and
//! every reader is told so.
//!
//! A paper covers a quantity: what is declared under one paper never exceeds
//! it, and a paper whose quantity is not stated is used once.

use crate::error::Invalid;
use crate::ident::{EntityId, TraceCode};
use crate::record::claim::Claim;
use crate::record::document::DocumentClaim;
use crate::record::hash::Hash;
use crate::record::kinds::Kind;
use crate::record::kinds::unit_created::{Durability, ProductClass, check_goods};
use crate::record::quantity::Quantity;
use crate::record::subject::SubjectId;
use crate::record::text;
use crate::record::wire::{AreaCode, Day, GtinNumber, TokenId};
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// The certificate on whose word a unit begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct Paper {
    /// What it is called, 1 to 40 characters.
    pub name: String,
    /// Its number, 1 to 60 characters.
    pub number: String,
    /// Who issued it, 1 to 80 characters.
    pub issuer: String,
    /// How much it covers, where it says so.
    pub quantity: Option<Quantity>,
    /// SHA-256 of its photograph or file, which lies beside the log.
    pub photo: Option<Hash>,
}

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct UnitDeclared {
    /// Its trace code: 80 random bits, printed on its label.
    pub unit: TraceCode,
    /// On whose word.
    pub paper: Paper,
    /// 产品名称, 1 to 60 characters.
    pub product: String,
    /// 产品类别.
    pub product_class: ProductClass,
    /// 品种 or specification, up to 60 characters.
    pub specification: Option<String>,
    /// GTIN on the package.
    pub gtin: Option<GtinNumber>,
    /// 批次, in GS1's character set.
    pub lot: Option<String>,
    /// How much of it there is.
    pub quantity: Quantity,
    /// Day of harvest, slaughter, production or import, as the paper says.
    pub produced_on: Day,
    /// Last day of sale, where the product has one.
    pub durability: Option<Durability>,
    /// 产地: area, or none for goods from abroad.
    pub origin_area: Option<AreaCode>,
    /// 产地 in words, 1 to 80 characters.
    pub origin_place: String,
    /// How it is to be kept, up to 60 characters.
    pub storage: Option<String>,
    /// For whom the signer acts, where it is a market or an authority's
    /// assistant: both are named.
    pub on_behalf_of: Option<EntityId>,
    /// The token that acted, for a hosted key.
    pub acted_by: Option<TokenId>,
}

impl Paper {
    /// What tells one paper from another: SHA-256(`trace/paper/v1\n` ‖ name ‖ 0
    /// ‖ number ‖ 0 ‖ issuer).
    #[must_use]
    pub fn id(&self) -> Hash {
        Hash::of(&[
            b"trace/paper/v1\n",
            self.name.as_bytes(),
            &[0],
            self.number.as_bytes(),
            &[0],
            self.issuer.as_bytes(),
        ])
    }

    fn check(&self) -> Result<(), Invalid> {
        text::check("paper.name", &self.name, 1, 40)?;
        text::check("paper.number", &self.number, 1, 60)?;
        text::check("paper.issuer", &self.issuer, 1, 80)?;
        self.quantity.as_ref().map_or(Ok(()), Quantity::check)
    }
}

impl Kind for UnitDeclared {
    type Trade = ();

    fn check(&self) -> Result<(), Invalid> {
        self.paper.check()?;
        text::check("product", &self.product, 1, 60)?;
        text::check_option("specification", self.specification.as_deref(), 60)?;
        text::check("origin_place", &self.origin_place, 1, 80)?;
        text::check_option("storage", self.storage.as_deref(), 60)?;
        self.quantity.check()?;
        check_goods(self.produced_on, self.durability, self.gtin, self.lot.as_deref())?;
        self.origin_area.map_or(Ok(()), |area| area.area().map(drop))
    }

    fn subjects(&self) -> Vec<SubjectId> {
        vec![SubjectId::unit(self.unit)]
    }

    fn claims(&self, _trade: Option<&()>) -> Result<Vec<Claim>, Invalid> {
        let uses = Claim::UsesPaper { paper: self.paper.id(), total: self.paper.quantity, quantity: self.quantity };
        let creates = Claim::CreatesUnit {
            unit: self.unit,
            maker: self.on_behalf_of,
            product: self.product.clone(),
            product_class: self.product_class,
            quantity: Some(self.quantity),
            produced_on: self.produced_on.date()?,
            durability: self.durability.map(Durability::dated).transpose()?,
            gtin: self.gtin.map(GtinNumber::gtin).transpose()?,
            lot: self.lot.clone(),
            foreign_codes: Vec::new(),
            is_declared: true,
        };
        let shows = self.paper.photo.map(|document| Claim::Document(DocumentClaim::Photographs { document }));
        Ok([uses, creates].into_iter().chain(shows).collect())
    }

    fn acted_by(&self) -> Option<TokenId> {
        self.acted_by
    }
}
