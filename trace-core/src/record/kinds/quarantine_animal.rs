//! 动物检疫合格证明(动物A、动物B): live animals, before they are moved.
//!
//! Kinds, validity and the fields that every form has are from the forms as
//! known; species, purpose, place of departure and the veterinarian are
//! unconfirmed and therefore optional or free text.

use crate::error::{Invalid, Rule};
use crate::record::claim::{Claim, Form};
use crate::record::kinds::Kind;
use crate::record::quarantine::{QuarantineElements, QuarantineTrade, Reach, quarantine_kind_parts};
use crate::record::subject::SubjectId;
use crate::record::text;
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// Most ear tags of one certificate: a lorry takes about 200 pigs; three digits
/// each are two bytes.
const EAR_TAGS_MAX: usize = 300;

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct QuarantineAnimal {
    /// What all quarantine forms have.
    pub elements: QuarantineElements,
    /// 动物种类, 1 to 30 characters.
    pub species: String,
    /// 用途, up to 30 characters.
    pub purpose: Option<String>,
    /// 启运地点, up to 80 characters.
    pub departure: Option<String>,
    /// 畜禽标识号: the last three digits of each, where the animals have any.
    pub ear_tags: Vec<u16>,
}

impl Kind for QuarantineAnimal {
    type Trade = QuarantineTrade;

    fn check(&self) -> Result<(), Invalid> {
        self.elements.check()?;
        text::check("species", &self.species, 1, 30)?;
        text::check_option("purpose", self.purpose.as_deref(), 30)?;
        text::check_option("departure", self.departure.as_deref(), 80)?;
        let found = self.ear_tags.len();
        if found > EAR_TAGS_MAX {
            return Err(Invalid::new(Rule::FormFields, format!("{found} ear tags, at most {EAR_TAGS_MAX}")));
        }
        match self.ear_tags.iter().find(|tag| **tag > 999) {
            Some(tag) => Err(Invalid::new(Rule::FormFields, format!("ear tag {tag}, the last three digits are wanted"))),
            None => Ok(()),
        }
    }

    fn subjects(&self) -> Vec<SubjectId> {
        self.elements.subjects()
    }

    fn claims(&self, trade: Option<&QuarantineTrade>) -> Result<Vec<Claim>, Invalid> {
        let form = match self.elements.reach {
            Reach::AcrossProvinces => Form::QuarantineAnimalA,
            Reach::WithinProvince => Form::QuarantineAnimalB,
        };
        self.elements.claims(form, trade)
    }

    quarantine_kind_parts!();
}
