//! The elements that certificates of conformity share, as their forms demand
//! them (管理办法, 农业农村部令2025年第4号, in force 2026-02-01; before it the
//! form of 2021; Hebei's electronic certificate follows the form of its date).
//!
//! The four kinds stand in files of their own; each is these elements under its
//! own number. The elements are frozen with those numbers: a changed form is a
//! new struct and new numbers.

use super::claim::{Basis, Claim, Form, Pledge};
use super::hash::Hash;
use super::kinds::Body;
use super::kinds::conformity_certificate_2021::ConformityCertificate2021;
use super::kinds::conformity_certificate_2026_buyer::ConformityCertificate2026Buyer;
use super::kinds::conformity_certificate_2026_producer::ConformityCertificate2026Producer;
use super::kinds::electronic_traceability_certificate::ElectronicTraceabilityCertificate;
use super::quantity::Quantity;
use super::subject::SubjectId;
use super::text;
use super::wire::{self, AreaCode, Countersignature, Day, PersonRef, TokenId};
use crate::error::{Invalid, Rule};
use crate::ident::TraceCode;
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// The elements of a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct Elements {
    /// The certificate's number, unique in the ledger.
    pub number: String,
    /// The trace unit it is about.
    pub unit: TraceCode,
    /// 产品名称, 1 to 60 characters.
    pub product: String,
    /// 数量(重量).
    pub quantity: Quantity,
    /// 产地: area, where it is in the country.
    pub origin_area: Option<AreaCode>,
    /// 产地 in words, 1 to 80 characters.
    pub origin_place: String,
    /// 开具时间, a date at the ledger's civil time.
    pub issued_on: Day,
    /// Last day of validity, where the issuer sets one; no statute does.
    pub expires_on: Option<Day>,
    /// 承诺依据, sorted, distinct, at least one.
    pub bases: Vec<Basis>,
    /// 承诺事项, sorted, distinct: all that the form has.
    pub pledges: Vec<Pledge>,
    /// 联系方式: the contact's personal section.
    pub persons: Vec<PersonRef>,
    /// The token that acted, for a hosted key.
    pub acted_by: Option<TokenId>,
    /// An authority's agreement, where the issue date lies far back.
    pub countersignatures: Vec<Countersignature>,
}

impl Elements {
    /// Checks texts, lengths and lists.
    ///
    /// # Errors
    /// The first rule of form that is broken.
    pub fn check(&self) -> Result<(), Invalid> {
        wire::check_number(&self.number)?;
        text::check("product", &self.product, 1, 60)?;
        text::check("origin_place", &self.origin_place, 1, 80)?;
        self.quantity.check()?;
        if let Some(area) = self.origin_area {
            area.area()?;
        }
        self.issued_on.date()?;
        if let Some(expires_on) = self.expires_on {
            expires_on.date()?;
        }
        if !self.bases.is_sorted_by(|a, b| a < b) || !self.pledges.is_sorted_by(|a, b| a < b) {
            return Err(Invalid::new(
                Rule::FormFields,
                "bases and pledges must be sorted and distinct",
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

    /// That a quantity of the unit is certified, in `form`.
    ///
    /// # Errors
    /// A rule of form, should a date be none.
    pub fn claims(&self, form: Form) -> Result<Vec<Claim>, Invalid> {
        Ok(vec![Claim::Certifies {
            number: self.number.clone(),
            unit: self.unit,
            quantity: self.quantity,
            form,
            issued_on: self.issued_on.date()?,
            expires_on: self.expires_on.map(Day::date).transpose()?,
            bases: self.bases.clone(),
            pledges: self.pledges.clone(),
        }])
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

/// The body of a promise of conformity in `form`; `trade` is the commitment to
/// what a buyer collected, for the one form that has it.
///
/// # Errors
/// [`Rule::FormFields`] for an official form: it promises nothing, and each has
/// a kind and fields of its own.
pub fn promise(form: Form, elements: Elements, trade: Hash) -> Result<Body, Invalid> {
    match form {
        Form::ElectronicTraceability => Ok(ElectronicTraceabilityCertificate(elements).into()),
        Form::Conformity2021 => Ok(ConformityCertificate2021(elements).into()),
        Form::Conformity2026Producer => Ok(ConformityCertificate2026Producer(elements).into()),
        Form::Conformity2026Buyer => Ok(ConformityCertificate2026Buyer {
            certificate: elements,
            trade,
        }
        .into()),
        official => Err(Invalid::new(
            Rule::FormFields,
            format!(
                "{} is issued as a record of its own kind, not as a promise",
                official.name()
            ),
        )),
    }
}

/// Makes a kind of the elements alone.
macro_rules! certificate_kind {
    ($body:ident, $form:expr) => {
        use postcard_schema::Schema;
        use serde::{Deserialize, Serialize};
        use $crate::error::Invalid;
        use $crate::record::certificate::Elements;
        use $crate::record::claim::{Claim, Form};
        use $crate::record::kinds::Kind;
        use $crate::record::subject::SubjectId;
        use $crate::record::wire::{Countersignature, PersonRef, TokenId};

        /// The body.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
        pub struct $body(pub Elements);

        impl Kind for $body {
            type Trade = ();

            fn check(&self) -> Result<(), Invalid> {
                self.0.check()
            }

            fn subjects(&self) -> Vec<SubjectId> {
                self.0.subjects()
            }

            fn claims(&self, _trade: Option<&()>) -> Result<Vec<Claim>, Invalid> {
                self.0.claims($form)
            }

            fn persons(&self) -> &[PersonRef] {
                &self.0.persons
            }

            fn acted_by(&self) -> Option<TokenId> {
                self.0.acted_by
            }

            fn countersignatures(&self) -> &[Countersignature] {
                &self.0.countersignatures
            }

            fn without_countersignatures(&self) -> Self {
                Self(self.0.without_countersignatures())
            }
        }
    };
}

pub(crate) use certificate_kind;
