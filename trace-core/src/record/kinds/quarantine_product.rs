//! 动物检疫合格证明(产品A、产品B): animal products.
//!
//! From 2026-01-01 without destination, with a QR and without paper. Products
//! that are split after arrival are not certified again (换证 ended in 2022).

use crate::error::Invalid;
use crate::record::claim::{Claim, Form};
use crate::record::kinds::Kind;
use crate::record::quarantine::{QuarantineElements, QuarantineTrade, Reach, quarantine_kind_parts};
use crate::record::subject::SubjectId;
use crate::record::text;
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct QuarantineProduct {
    /// What all quarantine forms have.
    pub elements: QuarantineElements,
    /// 产品名称, 1 to 60 characters.
    pub product: String,
    /// 生产单位名称, 1 to 60 characters.
    pub producer_name: String,
    /// 生产单位地址, 1 to 80 characters.
    pub producer_address: String,
}

impl Kind for QuarantineProduct {
    type Trade = QuarantineTrade;

    fn check(&self) -> Result<(), Invalid> {
        self.elements.check()?;
        text::check("product", &self.product, 1, 60)?;
        text::check("producer_name", &self.producer_name, 1, 60)?;
        text::check("producer_address", &self.producer_address, 1, 80)
    }

    fn subjects(&self) -> Vec<SubjectId> {
        self.elements.subjects()
    }

    fn claims(&self, trade: Option<&QuarantineTrade>) -> Result<Vec<Claim>, Invalid> {
        let form = match self.elements.reach {
            Reach::AcrossProvinces => Form::QuarantineProductA,
            Reach::WithinProvince => Form::QuarantineProductB,
        };
        self.elements.claims(form, trade)
    }

    quarantine_kind_parts!();
}
