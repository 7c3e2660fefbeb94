//! Marks: holds, recalls and voidings, which reach everything made from a unit.
//!
//! A pure fold, the same for the ledger and for an offline verifier. A mark is
//! known by the hash of its record; each unit that it reaches lists it, and
//! whether it is in force stands in one place, so that lifting it frees every
//! unit at once.

use crate::ident::{EntityId, TraceCode};
use serde::{Deserialize, Serialize};

/// What a mark says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum MarkKind {
    /// 暂停流通.
    Hold,
    /// 召回.
    Recall,
    /// 监督抽检不合格, which holds by rule.
    FailedSample,
    /// 作废: what was made from it, before or after, is marked.
    SourceVoided,
    /// 证明作废: a certificate of it was voided, and what was made from it, before
    /// or after, is marked.
    CertificateVoided,
}

/// A hold, a recall or a voiding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkState {
    /// Which of them.
    pub kind: MarkKind,
    /// Index of its record.
    pub index: u64,
    /// The unit that it names.
    pub unit: TraceCode,
    /// Who said it.
    pub by: EntityId,
    /// Who made that unit: goods recalled may go back there, as to `by`.
    pub maker: EntityId,
    /// It reaches what was made until then; none is without end.
    pub until_ms: Option<u64>,
    /// The record that lifted it: released, or withdrawn.
    pub lifted_index: Option<u64>,
    /// The record that says a recall was carried out.
    pub completed_index: Option<u64>,
}

impl MarkState {
    /// One that begins with the record at `index`, signed by `by`.
    #[must_use]
    pub fn begun(
        kind: MarkKind,
        index: u64,
        unit: TraceCode,
        by: EntityId,
        maker: EntityId,
        until_ms: Option<u64>,
    ) -> Self {
        Self {
            kind,
            index,
            unit,
            by,
            maker,
            until_ms,
            lifted_index: None,
            completed_index: None,
        }
    }

    /// After the record at `index` ended it: lifted, or closed as carried out.
    pub fn end(&mut self, index: u64, is_lifted: bool) {
        match is_lifted {
            true => self.lifted_index = Some(index),
            false => self.completed_index = Some(index),
        }
    }

    /// The record that ended it, if one did.
    #[must_use]
    pub fn ended_index(&self) -> Option<u64> {
        self.lifted_index.or(self.completed_index)
    }

    /// Whether what is made of a unit that it reaches is reached too, whenever
    /// that is: nothing bars the making, and nothing ever lifts it.
    #[must_use]
    pub fn is_inherited(&self) -> bool {
        matches!(
            self.kind,
            MarkKind::SourceVoided | MarkKind::CertificateVoided
        )
    }

    /// Whether it speaks of this unit that it reaches: a voiding not of the unit
    /// that it names, which says so itself, and only of what was made from that.
    #[must_use]
    pub fn speaks_of(&self, unit: &TraceCode) -> bool {
        !self.is_inherited() || self.unit != *unit
    }

    /// Whether the unit that it names keeps it, to hand it down: one that is
    /// voided as a whole is used no more.
    #[must_use]
    pub fn is_kept_by_source(&self) -> bool {
        self.kind != MarkKind::SourceVoided
    }

    /// Whether it bars what it reaches.
    #[must_use]
    pub fn is_in_force(&self) -> bool {
        self.lifted_index.is_none()
    }

    /// Whether it reaches what a transformation at this time made.
    #[must_use]
    pub fn reaches(&self, at_ms: u64) -> bool {
        self.until_ms.is_none_or(|until_ms| at_ms <= until_ms)
    }
}

/// What bars a unit now: of each sort the first in force.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Barred {
    /// Index of a hold.
    pub hold: Option<u64>,
    /// Index of a recall.
    pub recall: Option<u64>,
    /// Index of a failed sample that holds.
    pub sample: Option<u64>,
    /// Index of the voiding of what it was made from.
    pub voided: Option<u64>,
    /// Index of the voiding of a certificate of what it was made from.
    pub certificate_voided: Option<u64>,
    /// Index of the making of what it was made from, signed with a key that is
    /// disputed there.
    pub disputed_source: Option<u64>,
}

impl Barred {
    /// Of the marks that reach a unit.
    #[must_use]
    pub fn by<'a>(marks: impl IntoIterator<Item = &'a MarkState>) -> Self {
        let mut barred = Self::default();
        for mark in marks.into_iter().filter(|mark| mark.is_in_force()) {
            let earlier = |first: &mut Option<u64>| {
                *first = Some(first.map_or(mark.index, |known| known.min(mark.index)));
            };
            match mark.kind {
                MarkKind::Hold => earlier(&mut barred.hold),
                MarkKind::Recall => earlier(&mut barred.recall),
                MarkKind::SourceVoided => earlier(&mut barred.voided),
                MarkKind::CertificateVoided => earlier(&mut barred.certificate_voided),
                MarkKind::FailedSample => {
                    earlier(&mut barred.hold);
                    earlier(&mut barred.sample);
                }
            }
        }
        barred
    }
}

/// What a kind that begins or ends a mark says of itself: it names a unit and a
/// reason.
macro_rules! mark_kind {
    ($body:ident, |$this:ident| $($claim:expr),+) => {
        impl $crate::record::kinds::Kind for $body {
            type Trade = ();

            fn check(&self) -> Result<(), $crate::error::Invalid> {
                $crate::record::text::check("reason", &self.reason, 1, 100)
            }

            fn subjects(&self) -> Vec<$crate::record::subject::SubjectId> {
                use $crate::record::subject::SubjectId;
                vec![SubjectId::unit(self.unit), SubjectId::marks(self.unit)]
            }

            fn claims(&self, _trade: Option<&()>) -> Result<Vec<Claim>, $crate::error::Invalid> {
                let $this = self;
                Ok(vec![$($claim),+])
            }

            fn acted_by(&self) -> Option<TokenId> {
                self.acted_by
            }
        }
    };
}

pub(crate) use mark_kind;
