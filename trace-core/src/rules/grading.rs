//! Risk grade 风险分级 and credit grade 信用分级 of an entity: a published formula
//! over what is counted on the ledger, in integers, every input shown.
//!
//! Formulas come in numbered versions, as rule sets do: one that was published is
//! never edited, so that a grade can be counted again by anybody for ever. Risk
//! points are added, from 0; credit points are taken away, from 100.
//!
//! | version | what it counts | source |
//! |---|---|---|
//! | 1 | the year up to the day: findings, failed samples, recalls, transfers overdue, quantities unexplained | this project's own choice, unconfirmed by any statute |
//!
//! Not here: counting, which is the ledger's; what an office does about a grade.

use crate::error::{Invalid, Rule};
use serde::Serialize;

/// The newest formula.
pub const FORMULA_NEWEST: u16 = 1;

/// What is counted of an entity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Conduct {
    /// Findings whose day is ahead or today.
    pub findings_open: u64,
    /// Findings whose day is past, not put right.
    pub findings_overdue: u64,
    /// Findings put right after their day.
    pub findings_late: u64,
    /// Failed samples that no retest has cleared.
    pub failures_standing: u64,
    /// Failed samples that a retest has cleared.
    pub failures_cleared: u64,
    /// Recalls of its units, withdrawn ones not with them.
    pub recalls: u64,
    /// Transfers to it that it has not received in time.
    pub transfers_overdue: u64,
    /// Quantities unexplained, in thousandths of what came to it.
    pub unexplained_per_mille: u64,
}

/// One line of a formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Term {
    /// What is counted.
    pub input: &'static str,
    /// The same in words, English.
    pub words: &'static str,
    /// The same in words, Chinese.
    pub words_zh: &'static str,
    /// More than so many count no further.
    pub count_max: u64,
    /// Risk points for each.
    pub risk_each: u64,
    /// Credit points taken away for each.
    pub credit_each: u64,
}

/// A formula, as it is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Formula {
    /// Its number.
    pub version: u16,
    /// Over so many days up to the day.
    pub days: i32,
    /// What is counted.
    pub terms: &'static [Term],
    /// From so many risk points on: B, C, D; below the first, A.
    pub risk_from: [u64; 3],
    /// From so many credit points on: A, B, C; below the last, D.
    pub credit_from: [u64; 3],
}

/// A grade, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Grade {
    /// 低风险; 信用优.
    A,
    /// The second.
    B,
    /// The third.
    C,
    /// 高风险; 信用差.
    D,
}

/// What one input adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct GradeLine {
    /// The formula's line.
    #[serde(flatten)]
    pub term: Term,
    /// How many there are.
    pub count: u64,
    /// Risk points that they add.
    pub risk_points: u64,
    /// Credit points that they take away.
    pub credit_points: u64,
}

/// Both grades with everything they were counted from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Grading {
    /// By which formula.
    pub version: u16,
    /// The risk grade.
    pub risk: Grade,
    /// Its points: 0 is none.
    pub risk_points: u64,
    /// The credit grade.
    pub credit: Grade,
    /// Its points, out of 100.
    pub credit_points: u64,
    /// Every input.
    pub lines: Vec<GradeLine>,
}

const FORMULA_1: Formula = Formula {
    version: 1,
    days: 365,
    terms: &[
        term(
            "findings_open",
            "findings to be put right",
            "整改中的问题",
            100,
            2,
            0,
        ),
        term(
            "findings_overdue",
            "findings overdue",
            "逾期未改的问题",
            100,
            10,
            10,
        ),
        term(
            "findings_late",
            "findings put right late",
            "逾期整改的问题",
            100,
            1,
            3,
        ),
        term(
            "failures_standing",
            "failed samples that stand",
            "未消除的抽检不合格",
            100,
            20,
            15,
        ),
        term(
            "failures_cleared",
            "failed samples cleared by a retest",
            "复检合格的抽检不合格",
            100,
            5,
            5,
        ),
        term(
            "recalls",
            "recalls of its units",
            "所产追溯单元被召回",
            100,
            10,
            10,
        ),
        term(
            "transfers_overdue",
            "transfers not received in time",
            "逾期未收货",
            10,
            2,
            2,
        ),
        term(
            "unexplained_per_mille",
            "thousandths of its goods unexplained",
            "数量不明(千分比)",
            30,
            1,
            1,
        ),
    ],
    risk_from: [10, 30, 60],
    credit_from: [90, 75, 60],
};

const fn term(
    input: &'static str,
    words: &'static str,
    words_zh: &'static str,
    count_max: u64,
    risk_each: u64,
    credit_each: u64,
) -> Term {
    Term {
        input,
        words,
        words_zh,
        count_max,
        risk_each,
        credit_each,
    }
}

/// The formula of this version, as it was published.
///
/// # Errors
/// [`Rule::Range`] for a version that there is not.
pub fn formula(version: u16) -> Result<&'static Formula, Invalid> {
    match version {
        1 => Ok(&FORMULA_1),
        _ => {
            let what = format!("grading formula {version}, known are 1 to {FORMULA_NEWEST}");
            Err(Invalid::new(Rule::Range, what))
        }
    }
}

impl Formula {
    /// Grades what was counted.
    #[must_use]
    pub fn grade(&self, conduct: &Conduct) -> Grading {
        let lines = self.terms.iter().map(|term| {
            let count = conduct.count(term.input);
            let counted = count.min(term.count_max);
            GradeLine {
                term: *term,
                count,
                risk_points: counted * term.risk_each,
                credit_points: counted * term.credit_each,
            }
        });
        let lines: Vec<GradeLine> = lines.collect();
        let risk_points = lines.iter().map(|line| line.risk_points).sum::<u64>();
        let taken = lines.iter().map(|line| line.credit_points).sum::<u64>();
        let credit_points = 100u64.saturating_sub(taken);
        Grading {
            version: self.version,
            risk: graded(self.risk_from.iter().filter(|from| risk_points >= **from)),
            risk_points,
            credit: graded(
                self.credit_from
                    .iter()
                    .filter(|from| credit_points < **from),
            ),
            credit_points,
            lines,
        }
    }
}

/// The grade after so many steps down.
fn graded<T>(steps: impl Iterator<Item = T>) -> Grade {
    match steps.count() {
        0 => Grade::A,
        1 => Grade::B,
        2 => Grade::C,
        _ => Grade::D,
    }
}

impl Conduct {
    fn count(&self, input: &str) -> u64 {
        match input {
            "findings_open" => self.findings_open,
            "findings_overdue" => self.findings_overdue,
            "findings_late" => self.findings_late,
            "failures_standing" => self.failures_standing,
            "failures_cleared" => self.failures_cleared,
            "recalls" => self.recalls,
            "transfers_overdue" => self.transfers_overdue,
            "unexplained_per_mille" => self.unexplained_per_mille,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graded(conduct: Conduct) -> (Grade, u64, Grade, u64) {
        let grading = formula(1).unwrap().grade(&conduct);
        (
            grading.risk,
            grading.risk_points,
            grading.credit,
            grading.credit_points,
        )
    }

    #[test]
    fn nothing_against_an_entity_is_the_best_grade_of_either() {
        assert_eq!(graded(Conduct::default()), (Grade::A, 0, Grade::A, 100));
    }

    #[test]
    fn each_border_is_where_the_formula_says() {
        let open = |findings_open| Conduct {
            findings_open,
            ..Conduct::default()
        };
        for (count, risk) in [
            (4, Grade::A),
            (5, Grade::B),
            (14, Grade::B),
            (15, Grade::C),
            (29, Grade::C),
            (30, Grade::D),
        ] {
            assert_eq!(graded(open(count)).0, risk, "{count}");
        }
        let lost = |unexplained_per_mille| Conduct {
            unexplained_per_mille,
            ..Conduct::default()
        };
        for (count, credit) in [
            (10, Grade::A),
            (11, Grade::B),
            (25, Grade::B),
            (26, Grade::C),
        ] {
            assert_eq!(graded(lost(count)).2, credit, "{count}");
        }
        // Beyond its most an input counts no further.
        assert_eq!(graded(lost(30)), graded(lost(1_000)));
        let recalls = |recalls| Conduct {
            recalls,
            ..Conduct::default()
        };
        assert_eq!(graded(recalls(4)).2, Grade::C);
        assert_eq!(graded(recalls(5)).2, Grade::D);
        assert_eq!(graded(recalls(50)), (Grade::D, 500, Grade::D, 0));
    }

    #[test]
    fn every_input_is_in_the_formula_once_and_counts() {
        let formula = formula(1).unwrap();
        let fields = serde_json::to_value(Conduct::default()).unwrap();
        let mut fields: Vec<String> = fields.as_object().unwrap().keys().cloned().collect();
        let mut terms: Vec<String> = formula.terms.iter().map(|it| it.input.into()).collect();
        fields.sort_unstable();
        terms.sort_unstable();
        assert_eq!(fields, terms);
        let all = Conduct {
            findings_open: 1,
            findings_overdue: 2,
            findings_late: 3,
            failures_standing: 4,
            failures_cleared: 5,
            recalls: 6,
            transfers_overdue: 7,
            unexplained_per_mille: 8,
        };
        let counts: Vec<u64> = formula
            .grade(&all)
            .lines
            .iter()
            .map(|it| it.count)
            .collect();
        assert_eq!(counts, [1, 2, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn a_version_that_was_not_published_is_refused() {
        for version in [0, 2, u16::MAX] {
            assert_eq!(formula(version).unwrap_err().rule, Rule::Range);
        }
    }
}
