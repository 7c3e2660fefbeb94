//! Evidence: what laboratories and inspectors found, of a unit and of an entity.
//!
//! A pure fold, the same for the ledger and for an offline verifier. A failed
//! test stays against a unit until a retest that names it passes; whether goods
//! are then held is for other rules, which read [`UnitEvidence::failures`].

use super::hash::Hash;
use super::status::{Judgement, Reason, Status};
use crate::ident::{Area, CivilDate, EntityId, TraceCode};
use crate::record::wire::Day;
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// Most failures that stand against one unit: a unit is tested a few times, and
/// its state stays within a database page.
pub const FAILURES_MAX: usize = 32;

/// Who had a test made, and why.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Schema,
)]
#[serde(rename_all = "snake_case")]
pub enum TestSource {
    /// A laboratory reports what it was given.
    Laboratory,
    /// 监督抽检: an authority took the sample.
    Sampling,
}

/// What a record of evidence asks the ledger to hold true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// Something was tested.
    Tests {
        /// By whose order.
        source: TestSource,
        /// Which unit, where it is on this ledger.
        unit: Option<TraceCode>,
        /// At whose place the sample was taken.
        entity: Option<EntityId>,
        /// Where that is.
        area: Option<Area>,
        /// The day of the test or of the sample.
        on: CivilDate,
        /// Whether it passed.
        passed: bool,
        /// The record of the failed test that this one repeats.
        retest_of: Option<Hash>,
    },
    /// 监督检查: an entity was inspected.
    Inspects {
        /// Which entity.
        entity: EntityId,
        /// Where.
        area: Area,
        /// When.
        on: CivilDate,
        /// By when each finding is to be put right, in the record's order.
        due: Vec<CivilDate>,
    },
    /// 问题销号: a finding was put right.
    Rectifies {
        /// The record of the inspection.
        inspection: Hash,
        /// Whose finding.
        entity: EntityId,
        /// Where.
        area: Area,
        /// Which of the inspection's findings, from 0.
        position: u16,
        /// When.
        on: CivilDate,
    },
}

/// What tests say of a unit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitEvidence {
    /// Reports of laboratories.
    pub laboratory: Tally,
    /// Samples taken by authorities.
    pub sampling: Tally,
    /// Failed tests that no retest has cleared, in the order of the log.
    pub failures: Vec<Failure>,
}

/// How many tests passed and failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Passed.
    pub passed: u32,
    /// Failed, cleared ones too.
    pub failed: u32,
    /// Index of the last of either.
    pub last_index: Option<u64>,
}

/// A failed test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Index of its record.
    pub index: u64,
    /// Hash of its record.
    pub hash: Hash,
    /// By whose order it was made.
    pub source: TestSource,
    /// When.
    pub on: Day,
}

/// A finding of an inspection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingState {
    /// The record of the inspection.
    pub inspection: Hash,
    /// When it was found.
    pub found_on: Day,
    /// By when it is to be put right.
    pub due_on: Day,
    /// When it was, and the index of the record that says so.
    pub rectified: Option<(Day, u64)>,
}

/// How a finding stands on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingStanding {
    /// Its day is ahead.
    Open,
    /// Its day is today.
    Due,
    /// Its day is past, and it is not put right.
    Overdue,
    /// Put right.
    Closed,
}

impl FindingState {
    /// How it stands at the end of `day`; none before it was found.
    #[must_use]
    pub fn on(&self, day: CivilDate) -> Option<FindingStanding> {
        let day = Day::from(day);
        if day < self.found_on {
            return None;
        }
        Some(match self.rectified {
            Some((on, _)) if on <= day => FindingStanding::Closed,
            _ if day < self.due_on => FindingStanding::Open,
            _ if day == self.due_on => FindingStanding::Due,
            _ => FindingStanding::Overdue,
        })
    }
}

impl FindingStanding {
    /// The standing in Chinese.
    #[must_use]
    pub fn name_zh(self) -> &'static str {
        match self {
            Self::Open => "整改中",
            Self::Due => "今日到期",
            Self::Overdue => "逾期未改",
            Self::Closed => "已销号",
        }
    }
}

impl UnitEvidence {
    /// Adds what one admitted record claims; claims about other units change
    /// nothing.
    pub fn apply(&mut self, code: TraceCode, index: u64, hash: Hash, claim: &Evidence) {
        let Evidence::Tests {
            source,
            unit: Some(unit),
            on,
            passed,
            retest_of,
            ..
        } = claim
        else {
            return;
        };
        if *unit != code {
            return;
        }
        let tally = match source {
            TestSource::Laboratory => &mut self.laboratory,
            TestSource::Sampling => &mut self.sampling,
        };
        tally.last_index = Some(index);
        match passed {
            true => {
                tally.passed = tally.passed.saturating_add(1);
                self.failures
                    .retain(|failure| Some(failure.hash) != *retest_of);
            }
            false => {
                tally.failed = tally.failed.saturating_add(1);
                self.failures.push(Failure {
                    index,
                    hash,
                    source: *source,
                    on: (*on).into(),
                });
            }
        }
    }

    /// The failure of this record, if it stands.
    #[must_use]
    pub fn failure(&self, hash: &Hash) -> Option<&Failure> {
        self.failures.iter().find(|failure| failure.hash == *hash)
    }

    /// The indexes of the records that decide: the failures, for which it
    /// matters whether their signer's key is disputed.
    pub fn deciding(&self) -> impl Iterator<Item = u64> {
        self.failures.iter().map(|failure| failure.index)
    }

    /// Adds its lines to a unit's checklist, one for each kind of test that was
    /// made, and the status that follows from a failure.
    pub fn weigh(&self, judgement: &mut Judgement) {
        if judgement.status == Status::Unknown {
            return;
        }
        for (source, tally) in [
            (TestSource::Laboratory, self.laboratory),
            (TestSource::Sampling, self.sampling),
        ] {
            let Some(last_index) = tally.last_index else {
                continue;
            };
            let (check, subject, subject_zh) = match source {
                TestSource::Laboratory => ("laboratory", "laboratory reports", "检验报告"),
                TestSource::Sampling => ("sampling", "official samples", "监督抽检"),
            };
            let mut standing = self.failures.iter().filter(|one| one.source == source);
            let last = standing.next_back();
            let (passed, failed) = (tally.passed, tally.failed);
            let (words, words_zh) = match last {
                Some(failure) => (
                    format!(
                        "{passed} {subject} passed, {failed} failed; the one of {} stands",
                        failure.on
                    ),
                    format!(
                        "{subject_zh}合格 {passed} 次,不合格 {failed} 次;{} 的不合格结果未消除",
                        failure.on
                    ),
                ),
                None if failed > 0 => (
                    format!(
                        "{passed} {subject} passed, {failed} failed and were cleared by a retest"
                    ),
                    format!("{subject_zh}合格 {passed} 次,不合格 {failed} 次,复检合格"),
                ),
                None => (
                    format!("{passed} {subject} passed, none failed"),
                    format!("{subject_zh}合格 {passed} 次,无不合格"),
                ),
            };
            judgement.reasons.push(Reason {
                check,
                holds: Some(last.is_none()),
                words,
                words_zh,
                index: Some(last.map_or(last_index, |failure| failure.index)),
            });
        }
        if !self.failures.is_empty() {
            judgement.status = judgement.status.min(Status::TestFailed);
        }
    }
}
