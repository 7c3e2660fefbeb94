//! What the four forms of 动物检疫合格证明 share: animal and product, A across
//! provinces and B within one. Frozen with the numbers of their two kinds.
//!
//! Public: number, unit, quantity, where and when, how long it is valid, and the
//! QR of a form without paper. Trade: owner, carrier, vehicle, destination.
//! Personal: natural persons among owner, carrier and official veterinarian.

use super::claim::{Claim, Form};
use super::hash::Hash;
use super::official::{Element, FilledIn};
use super::quantity::Quantity;
use super::section;
use super::subject::SubjectId;
use super::text;
use super::wire::{self, AreaCode, Countersignature, Day, PersonRef, TokenId};
use crate::error::Invalid;
use crate::ident::TraceCode;
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// How far the goods may go under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Schema)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// A: into another province.
    AcrossProvinces,
    /// B: within the province.
    WithinProvince,
}

/// In what part a natural person is named.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Schema,
)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// 货主, where it is a natural person.
    Owner,
    /// 承运人, where it is a natural person.
    Carrier,
    /// 官方兽医.
    Veterinarian,
}

/// 运载方式.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Schema)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// 公路.
    Road,
    /// 铁路.
    Rail,
    /// 水路.
    Water,
    /// 航空.
    Air,
}

/// The trade section.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct QuarantineTrade {
    /// 货主, where it is no natural person, up to 60 characters.
    pub owner: Option<String>,
    /// 联系电话 of such an owner, up to 20 characters.
    pub owner_phone: Option<String>,
    /// 目的地, up to 80 characters.
    pub destination: Option<String>,
    /// 承运人, where it is no natural person, up to 60 characters.
    pub carrier: Option<String>,
    /// 运载方式.
    pub transport: Option<Transport>,
    /// 运载工具牌号, up to 20 characters.
    pub vehicle: Option<String>,
    /// 装运前消毒: how, up to 60 characters.
    pub disinfection: Option<String>,
}

/// The elements that are the same in all four.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct QuarantineElements {
    /// 编号, unique in the ledger.
    pub number: String,
    /// The trace unit it is about.
    pub unit: TraceCode,
    /// A or B.
    pub reach: Reach,
    /// 数量及单位.
    pub quantity: Quantity,
    /// Where the goods are: the area of the authority that issues.
    pub origin_area: AreaCode,
    /// 签发日期.
    pub issued_on: Day,
    /// 有效期: the last day.
    pub expires_on: Option<Day>,
    /// What the QR of a form without paper says, up to 120 characters.
    pub verification: Option<String>,
    /// In what part each of `persons` is named, in the same order; each part
    /// once.
    pub parts: Vec<Part>,
    /// The natural persons' sections.
    pub persons: Vec<PersonRef>,
    /// Commitment to the trade section.
    pub trade: Hash,
    /// The token that acted, for a hosted key.
    pub acted_by: Option<TokenId>,
    /// An authority's agreement, where the issue date lies far back.
    pub countersignatures: Vec<Countersignature>,
}

impl QuarantineTrade {
    /// Checks the texts.
    ///
    /// # Errors
    /// The first rule of form that is broken.
    pub fn check(&self) -> Result<(), Invalid> {
        for (field, value, most) in [
            ("owner", &self.owner, 60),
            ("owner_phone", &self.owner_phone, 20),
            ("destination", &self.destination, 80),
            ("carrier", &self.carrier, 60),
            ("vehicle", &self.vehicle, 20),
            ("disinfection", &self.disinfection, 60),
        ] {
            text::check_option(field, value.as_deref(), most)?;
        }
        Ok(())
    }
}

impl QuarantineElements {
    /// Checks texts, lengths and lists.
    ///
    /// # Errors
    /// The first rule of form that is broken.
    pub fn check(&self) -> Result<(), Invalid> {
        wire::check_number(&self.number)?;
        self.quantity.check()?;
        self.origin_area.area()?;
        self.issued_on.date()?;
        if let Some(expires_on) = self.expires_on {
            expires_on.date()?;
        }
        text::check_option("verification", self.verification.as_deref(), 120)?;
        let (parts, persons) = (self.parts.len(), self.persons.len());
        if parts != persons || !self.parts.is_sorted_by(|a, b| a < b) {
            return section::refuse(format!(
                "{parts} parts for {persons} persons; one each, sorted and distinct"
            ));
        }
        Ok(())
    }

    /// The unit and the certificate.
    #[must_use]
    pub fn subjects(&self) -> Vec<SubjectId> {
        vec![
            SubjectId::unit(self.unit),
            SubjectId::certificate(&self.number),
        ]
    }

    /// How the form is filled in, and that a quantity of the unit is certified.
    ///
    /// # Errors
    /// A rule of form, should a date be none.
    pub fn claims(
        &self,
        form: Form,
        trade: Option<&QuarantineTrade>,
    ) -> Result<Vec<Claim>, Invalid> {
        let issued_on = self.issued_on.date()?;
        let expires_on = self.expires_on.map(Day::date).transpose()?;
        Ok(vec![
            Claim::FillsIn(FilledIn {
                unit: self.unit,
                form,
                issued_on,
                expires_on,
                area: Some(self.origin_area.area()?),
                produced_on: None,
                present: self.present(trade),
            }),
            Claim::Certifies {
                number: self.number.clone(),
                unit: self.unit,
                quantity: self.quantity,
                form,
                issued_on,
                expires_on,
                bases: Vec::new(),
                pledges: Vec::new(),
            },
        ])
    }

    fn present(&self, trade: Option<&QuarantineTrade>) -> Vec<Element> {
        let named = |part: Part| self.parts.contains(&part);
        let traded = |has: fn(&QuarantineTrade) -> bool| trade.is_some_and(has);
        let elements = [
            (
                Element::Owner,
                named(Part::Owner) || traded(|trade| trade.owner.is_some()),
            ),
            (
                Element::Destination,
                traded(|trade| trade.destination.is_some()),
            ),
            (
                Element::Carrier,
                named(Part::Carrier) || traded(|trade| trade.carrier.is_some()),
            ),
            (
                Element::Transport,
                traded(|trade| trade.transport.is_some()),
            ),
            (Element::Vehicle, traded(|trade| trade.vehicle.is_some())),
            (
                Element::Disinfection,
                traded(|trade| trade.disinfection.is_some()),
            ),
            (Element::Verification, self.verification.is_some()),
            (Element::LastDay, self.expires_on.is_some()),
        ];
        let present = elements.into_iter().filter(|(_, is_there)| *is_there);
        present.map(|(element, _)| element).collect()
    }

    /// The same before anyone countersigned.
    #[must_use]
    pub fn without_countersignatures(&self) -> Self {
        Self {
            countersignatures: Vec::new(),
            ..self.clone()
        }
    }
}

/// What a quarantine kind says of itself beyond its own fields.
macro_rules! quarantine_kind_parts {
    () => {
        fn trade(&self) -> Option<$crate::record::hash::Hash> {
            Some(self.elements.trade)
        }

        fn check_trade(trade: &QuarantineTrade) -> Result<(), Invalid> {
            trade.check()
        }

        fn persons(&self) -> &[$crate::record::wire::PersonRef] {
            &self.elements.persons
        }

        fn acted_by(&self) -> Option<$crate::record::wire::TokenId> {
            self.elements.acted_by
        }

        fn countersignatures(&self) -> &[$crate::record::wire::Countersignature] {
            &self.elements.countersignatures
        }

        fn without_countersignatures(&self) -> Self {
            Self {
                elements: self.elements.without_countersignatures(),
                ..self.clone()
            }
        }
    };
}

pub(crate) use quarantine_kind_parts;
