//! Which elements of an official form a certificate has filled in: what the
//! rules need to hold it against the form in force on its date.
//!
//! Only presence is told, never a value: no rule reads who somebody is.

use super::claim::Form;
use crate::ident::{Area, CivilDate, TraceCode};

/// An element that some form demands, or no longer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Element {
    /// 货主.
    Owner,
    /// 目的地, 到达地点.
    Destination,
    /// 承运人.
    Carrier,
    /// 运载方式.
    Transport,
    /// 运载工具牌号.
    Vehicle,
    /// 装运前消毒.
    Disinfection,
    /// The QR by which a form issued without paper is told from a copy.
    Verification,
    /// A last day of validity.
    LastDay,
}

impl Element {
    /// The words of the form.
    #[must_use]
    pub fn name_zh(self) -> &'static str {
        match self {
            Self::Owner => "货主",
            Self::Destination => "目的地",
            Self::Carrier => "承运人",
            Self::Transport => "运载方式",
            Self::Vehicle => "运载工具牌号",
            Self::Disinfection => "装运前消毒",
            Self::Verification => "防伪二维码",
            Self::LastDay => "有效期",
        }
    }
}

/// How an official form was filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilledIn {
    /// The unit it is about.
    pub unit: TraceCode,
    /// Which form.
    pub form: Form,
    /// Date of issue.
    pub issued_on: CivilDate,
    /// Last day of validity.
    pub expires_on: Option<CivilDate>,
    /// Where the goods were when it was issued, for forms issued by an area's
    /// authority: only one for that area may.
    pub area: Option<Area>,
    /// Day of production as the form states it.
    pub produced_on: Option<CivilDate>,
    /// The elements that are there.
    pub present: Vec<Element>,
}
