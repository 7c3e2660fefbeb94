//! 监督检查: an entity was inspected, and what was found, each finding with the
//! day by which it is to be put right. Most inspections find nothing.
//!
//! The inspectors are natural persons and named in personal sections.

use crate::error::{Invalid, Rule};
use crate::ident::EntityId;
use crate::record::claim::Claim;
use crate::record::document::DocumentClaim;
use crate::record::evidence::Evidence;
use crate::record::hash::Hash;
use crate::record::kinds::Kind;
use crate::record::subject::SubjectId;
use crate::record::text;
use crate::record::wire::{AreaCode, Day, PersonRef, TokenId};
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// Most findings of one inspection: the longest published checklist has about
/// 40 items, and 32 findings of 400 bytes fit an entry.
pub const FINDINGS_MAX: usize = 32;

/// Something to be put right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// 检查项目, up to 40 characters.
    pub item: Option<String>,
    /// 发现的问题, 1 to 60 characters.
    pub problem: String,
    /// 整改期限: the last day.
    pub due_on: Day,
}

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct Inspection {
    /// 检查记录编号, 1 to 40 characters.
    pub number: String,
    /// Who was inspected.
    pub entity: EntityId,
    /// Where.
    pub area: AreaCode,
    /// 检查日期.
    pub inspected_on: Day,
    /// What was found; empty when nothing was.
    pub findings: Vec<Finding>,
    /// SHA-256 of the record of inspection as a document.
    pub document: Option<Hash>,
    /// The inspectors.
    pub persons: Vec<PersonRef>,
    /// The token that acted, for a hosted key.
    pub acted_by: Option<TokenId>,
}

impl Kind for Inspection {
    type Trade = ();

    fn check(&self) -> Result<(), Invalid> {
        text::check("number", &self.number, 1, 40)?;
        self.area.area()?;
        let inspected = self.inspected_on.date()?;
        let found = self.findings.len();
        if found > FINDINGS_MAX {
            return Err(Invalid::new(Rule::Evidence, format!("{found} findings, at most {FINDINGS_MAX}")));
        }
        for finding in &self.findings {
            text::check_option("item", finding.item.as_deref(), 40)?;
            text::check("problem", &finding.problem, 1, 60)?;
            let due = finding.due_on.date()?;
            if due < inspected {
                return Err(Invalid::new(Rule::DatesDisagree, format!("found on {inspected}, to be put right by {due}")));
            }
        }
        Ok(())
    }

    fn subjects(&self) -> Vec<SubjectId> {
        vec![SubjectId::conduct(self.entity)]
    }

    fn claims(&self, _trade: Option<&()>) -> Result<Vec<Claim>, Invalid> {
        let due = self.findings.iter().map(|finding| finding.due_on.date());
        let inspects = Claim::Evidence(Evidence::Inspects {
            entity: self.entity,
            area: self.area.area()?,
            on: self.inspected_on.date()?,
            due: due.collect::<Result<_, _>>()?,
        });
        let named = self.document.map(|document| Claim::Document(DocumentClaim::Names { document }));
        Ok([inspects].into_iter().chain(named).collect())
    }

    fn persons(&self) -> &[PersonRef] {
        &self.persons
    }

    fn acted_by(&self) -> Option<TokenId> {
        self.acted_by
    }
}
