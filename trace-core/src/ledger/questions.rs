//! Open questions: what an inspector should look at, found by looking through
//! derived rows, a bounded part at a time. Each names the record, the numbers
//! and what to do.
//!
//! | about | read from |
//! |---|---|
//! | quantities | differences that no policy covers, named when they were recorded |
//! | transfers | how many are on their way in each 256 entries of the log |
//! | certificates | those of which a tenth is left, named when they came there |
//! | volumes | flows of the last weeks, issuer by issuer |
//! | expired | uses after the last day, named when they were recorded |
//! | findings | findings by entity |
//!
//! Not here: who may see which, which the caller says for each entity.

mod desk;

pub use desk::page;

use crate::ident::{Area, CivilDate, EntityId, TraceCode};
use crate::record::Hash;
use crate::record::quantity::BaseUnit;
use serde::{Deserialize, Serialize};

/// What is asked after.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// Quantities missing or gained beyond the policy.
    #[default]
    Quantities,
    /// Transfers not received in time.
    Transfers,
    /// Certificates of which less is left than there are goods.
    Certificates,
    /// Issuers whose volume jumped.
    Volumes,
    /// Certificates used after their last day.
    Expired,
    /// Findings not put right in time.
    Findings,
}

/// Which questions.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// About what.
    pub about: About,
    /// Behind this place, as a page before said it.
    pub after: Option<&'a str>,
    /// At most so many.
    pub limit: usize,
    /// The day.
    pub today: CivilDate,
    /// No further than this area, where that is known.
    pub area: Option<Area>,
}

/// Something open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// About what.
    pub about: About,
    /// The record that raised it.
    pub record: Option<(u64, Hash)>,
    /// About which unit.
    pub unit: Option<TraceCode>,
    /// About which certificate.
    pub certificate: Option<String>,
    /// With whom; of a transfer, who handed over.
    pub entity: EntityId,
    /// To whom it was handed over.
    pub to: Option<EntityId>,
    /// Of which measure the amounts are.
    pub base: Option<BaseUnit>,
    /// The numbers, by name.
    pub numbers: Vec<(&'static str, u64)>,
    /// The days, by name.
    pub days: Vec<(&'static str, CivilDate)>,
    /// When it was handed over.
    pub at_ms: Option<u64>,
    /// What it is about, as somebody wrote it.
    pub text: Option<String>,
}

/// A page of questions; an empty one with a place to go on is not the end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The questions.
    pub questions: Vec<Question>,
    /// Where the next page begins, where there may be more.
    pub next_after: Option<String>,
}

impl About {
    /// Every one.
    pub const ALL: [Self; 6] = [
        Self::Quantities,
        Self::Transfers,
        Self::Certificates,
        Self::Volumes,
        Self::Expired,
        Self::Findings,
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Quantities => "quantities",
            Self::Transfers => "transfers",
            Self::Certificates => "certificates",
            Self::Volumes => "volumes",
            Self::Expired => "expired",
            Self::Findings => "findings",
        }
    }

    /// What it is, in English and in Chinese.
    #[must_use]
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Quantities => ("quantity unexplained", "数量不明"),
            Self::Transfers => ("transfer not received in time", "逾期未收货"),
            Self::Certificates => ("certificate about to be overspent", "合格证余量不足"),
            Self::Volumes => ("volume jumped", "开具量突增"),
            Self::Expired => ("expired certificate used", "使用过期证明"),
            Self::Findings => ("finding overdue", "问题逾期未改"),
        }
    }

    /// What to do about it, in English and in Chinese.
    #[must_use]
    pub fn remedy(self) -> (&'static str, &'static str) {
        match self {
            Self::Quantities => (
                "Have it weighed again; whoever erred corrects the record, else inspect both sides",
                "请重新称重;有误者更正记录,否则检查交接双方",
            ),
            Self::Transfers => (
                "Ask the receiver to record what arrived, and the giver where the goods are",
                "请收货方登记到货情况,并向交货方核实货物去向",
            ),
            Self::Certificates => (
                "Have a certificate issued for the goods that are left before they move",
                "剩余货物流通前须另行开具合格证",
            ),
            Self::Volumes => (
                "Compare the issuer's harvest or purchases with what it certified",
                "请核对该主体的产量或收购量与开证量",
            ),
            Self::Expired => (
                "Have the goods looked at and a valid certificate shown",
                "请查验货物并要求出示有效证明",
            ),
            Self::Findings => (
                "Inspect again; record what was put right, or act by law",
                "请复查:已整改的予以销号,未整改的依法处理",
            ),
        }
    }
}

impl Question {
    fn new(about: About, entity: EntityId) -> Self {
        Self {
            about,
            record: None,
            unit: None,
            certificate: None,
            entity,
            to: None,
            base: None,
            numbers: Vec::new(),
            days: Vec::new(),
            at_ms: None,
            text: None,
        }
    }

    /// A number by its name; nothing where it has none.
    #[must_use]
    pub fn number(&self, name: &str) -> u64 {
        let found = self.numbers.iter().find(|(known, _)| *known == name);
        found.map_or(0, |(_, number)| *number)
    }
}
