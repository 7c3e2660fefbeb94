//! 主体登记: a legal or natural person exists for this ledger, with an id, a
//! place and what the registers say. Rights come by `role_granted`.

use crate::error::{Invalid, Rule};
use crate::ident::{Checked, Licence, Uscc};
use crate::record::claim::Claim;
use crate::record::kinds::Kind;
use crate::record::subject::SubjectId;
use crate::record::text;
use crate::record::wire::{AreaCode, Countersignature, PersonRef, TokenId};
use crate::ident::EntityId;
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// Most licences: SC and JY for each of a few premises.
const LICENCES_MAX: usize = 8;

/// What kind of person an entity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Schema)]
#[serde(rename_all = "snake_case")]
pub enum EntityCategory {
    /// 企业.
    Enterprise,
    /// 农民专业合作社.
    Cooperative,
    /// 个体工商户.
    IndividualBusiness,
    /// 农户: a natural person; the name is personal data.
    Household,
    /// 行政机关.
    PublicBody,
    /// 检验机构 and the like.
    Institution,
}

/// A unified social credit code with the outcome of its two check digits, kept
/// because early codes lawfully fail (domain facts, section 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct StatedUscc {
    /// 18 characters.
    pub code: String,
    /// Whether the last character agrees with the 17 before it (GB 32100-2015).
    pub check_passed: bool,
    /// Whether the inner organisation code's own check agrees (GB 11714).
    pub organisation_check_passed: bool,
}

/// A licence number with the outcome of its check digit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct StatedLicence {
    /// SC or JY and 14 digits.
    pub number: String,
    /// Whether the last digit agrees (GB/T 17710).
    pub check_passed: bool,
}

impl StatedUscc {
    /// Reads a code and keeps its warnings.
    ///
    /// # Errors
    /// [`Rule::Uscc`] when it has not the form.
    pub fn read(code: &str) -> Result<Self, Invalid> {
        let uscc = Uscc::from_str(code)?;
        Ok(Self {
            code: uscc.as_str().to_owned(),
            check_passed: uscc.check() == Checked::Passed,
            organisation_check_passed: uscc.organisation_check() == Checked::Passed,
        })
    }
}

impl StatedLicence {
    /// Reads a licence number and keeps its warning.
    ///
    /// # Errors
    /// [`Rule::Licence`] when it has not the form.
    pub fn read(number: &str) -> Result<Self, Invalid> {
        let licence = Licence::from_str(number)?;
        Ok(Self { number: licence.as_str().to_owned(), check_passed: licence.check() == Checked::Passed })
    }
}

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct EntityRegistered {
    /// Its id: 80 random bits.
    pub entity: EntityId,
    /// What kind of person it is.
    pub category: EntityCategory,
    /// Registered name, 1 to 60 characters; absent for natural persons, whose
    /// name is the first personal section.
    pub name: Option<String>,
    /// Where it is.
    pub area: AreaCode,
    /// Address below the area, public for firms, up to 80 characters.
    pub place: Option<String>,
    /// Its unified social credit code.
    pub uscc: Option<StatedUscc>,
    /// Its production (SC) and trading (JY) licences.
    pub licences: Vec<StatedLicence>,
    /// Persons: the natural person itself, or a contact.
    pub persons: Vec<PersonRef>,
    /// The token that acted, for a hosted key.
    pub acted_by: Option<TokenId>,
    /// Other keys' agreement.
    pub countersignatures: Vec<Countersignature>,
}

impl Kind for EntityRegistered {
    type Trade = ();

    fn check(&self) -> Result<(), Invalid> {
        text::check_option("name", self.name.as_deref(), 60)?;
        text::check_option("place", self.place.as_deref(), 80)?;
        self.area.area()?;
        if self.entity.as_bytes() == &[0; 10] {
            return Err(Invalid::new(Rule::EntityId, "all zeros is the root authority's own id"));
        }
        if (self.category == EntityCategory::Household) == self.name.is_some() {
            return Err(Invalid::new(Rule::EntityName, "a household is named in a personal section, every other entity in the clear"));
        }
        if self.category == EntityCategory::Household && self.persons.is_empty() {
            return Err(Invalid::new(Rule::EntityName, "a household without a personal section has no name"));
        }
        if self.category == EntityCategory::Household && self.place.is_some() {
            return Err(Invalid::new(
                Rule::EntityName,
                "a household's address is personal: state its area only",
            ));
        }
        if let Some(stated) = &self.uscc {
            let wanted = StatedUscc::read(&stated.code)?;
            if wanted != *stated {
                return Err(Invalid::new(Rule::Uscc, format!("stated {stated:?}, computed {wanted:?}")));
            }
        }
        if self.licences.len() > LICENCES_MAX {
            return Err(Invalid::new(Rule::Licence, format!("{} licences, at most {LICENCES_MAX}", self.licences.len())));
        }
        for stated in &self.licences {
            let wanted = StatedLicence::read(&stated.number)?;
            if wanted != *stated {
                return Err(Invalid::new(Rule::Licence, format!("stated {stated:?}, computed {wanted:?}")));
            }
        }
        Ok(())
    }

    fn subjects(&self) -> Vec<SubjectId> {
        vec![SubjectId::signer(self.entity)]
    }

    fn claims(&self, _trade: Option<&()>) -> Result<Vec<Claim>, Invalid> {
        Ok(vec![Claim::RegistersEntity {
            entity: self.entity,
            area: self.area.area()?,
            uscc: self.uscc.as_ref().map(|uscc| uscc.code.clone()),
        }])
    }

    fn persons(&self) -> &[PersonRef] {
        &self.persons
    }

    fn acted_by(&self) -> Option<TokenId> {
        self.acted_by
    }

    fn countersignatures(&self) -> &[Countersignature] {
        &self.countersignatures
    }

    fn without_countersignatures(&self) -> Self {
        Self { countersignatures: Vec::new(), ..self.clone() }
    }
}
