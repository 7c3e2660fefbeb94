//! What can be signed from the inspector's page: its form's fields, and what was
//! filled in as the JSON of the API's own order.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use trace_core::error::{Invalid, Rule};

use crate::{
    api::{
        Office, evidence, halting,
        orders::{Fulfilled, Order},
    },
    desk::session::SignedIn,
    problem::{Problem, Refusal},
};

/// Findings and items of one form; more go into a second one, or through the API.
pub(super) const ROWS_MAX: usize = 4;

/// What is filled in, by name.
pub(super) type Filled = BTreeMap<String, String>;

/// What can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Hold,
    Release,
    Recall,
    CloseRecall,
    Inspection,
    Sample,
    Rectified,
}

/// How a field is filled in.
pub(super) enum Field {
    /// A line of at most so many characters.
    Line(usize),
    /// A day.
    Day,
    /// One of these, by value, English and Chinese.
    Choice(&'static [(&'static str, &'static str, &'static str)]),
}

/// A field: its name, its label in English and Chinese, whether it may be left
/// empty, and how it is filled in.
pub(super) struct Asked {
    pub name: String,
    pub label: (String, String),
    pub is_optional: bool,
    pub field: Field,
}

impl Act {
    const ALL: [Self; 7] = [
        Self::Hold,
        Self::Release,
        Self::Recall,
        Self::CloseRecall,
        Self::Inspection,
        Self::Sample,
        Self::Rectified,
    ];

    /// By its name in an address.
    pub fn named(name: &str) -> Result<Self, Problem> {
        let mut all = Self::ALL.into_iter();
        let found = all.find(|act| act.name() == name);
        found.ok_or_else(|| Problem::new(Refusal::RouteUnknown))
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Release => "release",
            Self::Recall => "recall",
            Self::CloseRecall => "recall-closed",
            Self::Inspection => "inspection",
            Self::Sample => "sample",
            Self::Rectified => "rectified",
        }
    }

    /// The address of the API's order.
    pub fn order(self) -> &'static str {
        match self {
            Self::Hold => "/v1/hold",
            Self::Release => "/v1/release",
            Self::Recall => "/v1/recall",
            Self::CloseRecall => "/v1/recall-closed",
            Self::Inspection => "/v1/inspections",
            Self::Sample => "/v1/samples",
            Self::Rectified => "/v1/rectified",
        }
    }

    pub fn title(self) -> (&'static str, &'static str) {
        match self {
            Self::Hold => ("Hold a unit", "暂停流通"),
            Self::Release => ("Release a hold", "解除暂停"),
            Self::Recall => ("Recall a unit", "召回"),
            Self::CloseRecall => ("End a recall", "结束召回"),
            Self::Inspection => ("Record an inspection", "登记监督检查"),
            Self::Sample => ("Record a sample", "登记监督抽检"),
            Self::Rectified => ("Close a finding", "问题销号"),
        }
    }

    /// What it brings about, said before it is signed.
    pub fn warning(self) -> (&'static str, &'static str) {
        match self {
            Self::Hold => (
                "Nothing of the unit moves, nor of what was made from it, until the hold is released.",
                "解除之前,该追溯单元及由其制成的单元均不得流通。",
            ),
            Self::Release => ("The unit may move again.", "该追溯单元可恢复流通。"),
            Self::Recall => (
                "The unit and everything made from it goes back or is destroyed. Every shopper who \
                 opens its page reads it first.",
                "该追溯单元及由其制成的全部单元须退回或销毁,消费者打开页面时首先看到。",
            ),
            Self::CloseRecall => (
                "Completed: what was recalled stays barred. Withdrawn: it is free again.",
                "召回完成:被召回的货物仍不得流通;召回撤销:恢复流通。",
            ),
            Self::Inspection | Self::Sample | Self::Rectified => (
                "It stands on the ledger for everybody to read, and can be corrected but not deleted.",
                "记录公开并永久保存,可以更正,不能删除。",
            ),
        }
    }

    pub fn fields(self) -> Vec<Asked> {
        let unit = || line("of", "Trace code", "追溯码", 64);
        let record = || line("of", "Hash of its record", "所针对记录的哈希", 64);
        let reason = || line("reason", "Reason (public)", "原因(公开)", 100);
        match self {
            Self::Hold => vec![unit(), reason()],
            Self::Recall => vec![unit(), reason()],
            Self::Release => vec![record(), reason()],
            Self::CloseRecall => vec![
                record(),
                choice(
                    "outcome",
                    "Outcome",
                    "结果",
                    &[
                        ("completed", "completed", "召回完成"),
                        ("withdrawn", "withdrawn", "召回撤销"),
                    ],
                ),
                reason(),
            ],
            Self::Inspection => {
                let mut all = vec![
                    line("of", "Entity inspected", "被检查主体编号", 32),
                    line("number", "Number of the inspection", "检查记录编号", 40),
                    day("inspected_on", "Day", "检查日期"),
                ];
                for row in 1..=ROWS_MAX {
                    all.push(optional(numbered(row, "problem", "Finding", "问题", 60)));
                    all.push(optional(numbered(
                        row,
                        "item",
                        "Item checked",
                        "检查项目",
                        40,
                    )));
                    all.push(Asked {
                        field: Field::Day,
                        ..optional(numbered(row, "due", "To be put right by", "整改期限", 10))
                    });
                }
                all
            }
            Self::Sample => {
                let mut all = vec![
                    line("of", "Trace code", "追溯码", 64),
                    line("number", "Number of the sample", "抽样单编号", 40),
                    day("sampled_on", "Day", "抽样日期"),
                    optional(line("laboratory", "Laboratory", "检验机构", 60)),
                ];
                for row in 1..=ROWS_MAX {
                    let tested = [
                        numbered(row, "item", "Item tested", "检验项目", 40),
                        numbered(
                            row,
                            "found",
                            "Found: 0.05, <0.01 or ND",
                            "实测值(0.05、<0.01 或 未检出)",
                            24,
                        ),
                        numbered(
                            row,
                            "limit",
                            "Limit: 0.02, >=5 or 0",
                            "标准指标(0.02、>=5 或 不得检出)",
                            24,
                        ),
                        numbered(row, "unit", "Measure", "单位", 16),
                    ];
                    let is_first = row == 1;
                    all.extend(tested.into_iter().enumerate().map(|(place, field)| {
                        match is_first && place < 2 {
                            true => field,
                            false => optional(field),
                        }
                    }));
                    all.push(choice(
                        &format!("passed_{row}"),
                        &format!("Verdict {row}"),
                        &format!("单项判定 {row}"),
                        &[("true", "passed", "合格"), ("false", "failed", "不合格")],
                    ));
                }
                all
            }
            Self::Rectified => vec![
                line(
                    "of",
                    "Hash of the inspection's record",
                    "检查记录的哈希",
                    64,
                ),
                line("position", "Which finding, from 0", "第几个问题(从0起)", 5),
                day("rectified_on", "Day", "销号日期"),
                line("how", "How it was put right", "整改情况", 100),
            ],
        }
    }

    /// What was filled in as the API's order.
    pub fn to_order(self, filled: &Filled) -> Result<Value, Problem> {
        let text = |name: &str| {
            let text = filled.get(name).map(|text| text.trim());
            text.filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let mut order = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                order.insert(name.to_owned(), value);
            }
        };
        let plain = |name: &str| text(name).map(Value::from);
        match self {
            Self::Hold | Self::Recall => {
                put("unit", plain("of"));
                put("reason", plain("reason"));
            }
            Self::Release | Self::CloseRecall => {
                put("record", plain("of"));
                put("reason", plain("reason"));
                put("outcome", plain("outcome"));
            }
            Self::Inspection => {
                put("entity", plain("of"));
                put("number", plain("number"));
                put("inspected_on", plain("inspected_on"));
                let rows = (1..=ROWS_MAX).filter_map(|row| {
                    let of = |name: &str| text(&format!("{name}_{row}"));
                    let (problem, item, due) = (of("problem"), of("item"), of("due"));
                    let is_empty = problem.is_none() && item.is_none() && due.is_none();
                    let finding = json!({"item": item, "problem": problem, "due_on": due});
                    (!is_empty).then_some(finding)
                });
                put("findings", Some(rows.collect()));
            }
            Self::Sample => {
                put("unit", plain("of"));
                put("number", plain("number"));
                put("sampled_on", plain("sampled_on"));
                put("laboratory", plain("laboratory"));
                let mut items = Vec::new();
                for row in 1..=ROWS_MAX {
                    let of = |name: &str| text(&format!("{name}_{row}"));
                    let Some(item) = of("item") else { continue };
                    items.push(json!({
                        "item": item,
                        "found": found(&of("found").unwrap_or_default()),
                        "limit": of("limit").map(|limit| self::limit(&limit)),
                        "unit": of("unit"),
                        "standard": null,
                        "passed": of("passed").as_deref() == Some("true"),
                    }));
                }
                put("items", Some(Value::from(items)));
            }
            Self::Rectified => {
                put("inspection", plain("of"));
                let position = text("position").unwrap_or_default();
                let position: u16 = position.parse().map_err(|_| {
                    let what = format!("{position:.20?} is no number of a finding");
                    Invalid::new(Rule::Range, what)
                })?;
                put("position", Some(position.into()));
                put("rectified_on", plain("rectified_on"));
                put("how", plain("how"));
            }
        }
        Ok(Value::Object(order))
    }

    pub async fn carry_out(
        self,
        office: &Office,
        signed_in: &SignedIn,
        key: &str,
        order: &Value,
    ) -> Result<Fulfilled, Problem> {
        let (token, key, bytes) = (signed_in.0, key.to_owned(), order.to_string());
        let (at, bytes) = (("POST", self.order()), bytes.as_bytes());
        match self {
            Self::Hold => halting::held(office, Order::read(token, key, at, bytes)?).await,
            Self::Release => halting::released(office, Order::read(token, key, at, bytes)?).await,
            Self::Recall => halting::recalled(office, Order::read(token, key, at, bytes)?).await,
            Self::CloseRecall => {
                halting::recall_closed(office, Order::read(token, key, at, bytes)?).await
            }
            Self::Inspection => {
                evidence::inspected(office, Order::read(token, key, at, bytes)?).await
            }
            Self::Sample => evidence::sampled(office, Order::read(token, key, at, bytes)?).await,
            Self::Rectified => {
                evidence::put_right(office, Order::read(token, key, at, bytes)?).await
            }
        }
    }
}

impl Asked {
    /// In which row of those alike it stands, from 1; 0 where there is one alone.
    pub fn row(&self) -> usize {
        let row = self.name.rsplit_once('_').map(|(_, row)| row);
        row.and_then(|row| row.parse().ok()).unwrap_or(0)
    }
}

fn line(name: &str, english: &str, chinese: &str, length_max: usize) -> Asked {
    Asked {
        name: name.to_owned(),
        label: (english.to_owned(), chinese.to_owned()),
        is_optional: false,
        field: Field::Line(length_max),
    }
}

fn numbered(row: usize, name: &str, english: &str, chinese: &str, length_max: usize) -> Asked {
    line(
        &format!("{name}_{row}"),
        &format!("{english} ({row})"),
        &format!("{chinese}({row})"),
        length_max,
    )
}

fn optional(asked: Asked) -> Asked {
    Asked {
        is_optional: true,
        ..asked
    }
}

fn day(name: &str, english: &str, chinese: &str) -> Asked {
    Asked {
        field: Field::Day,
        ..line(name, english, chinese, 10)
    }
}

fn choice(
    name: &str,
    english: &str,
    chinese: &str,
    choices: &'static [(&'static str, &'static str, &'static str)],
) -> Asked {
    Asked {
        field: Field::Choice(choices),
        ..line(name, english, chinese, 0)
    }
}

/// A found value as it is typed: `0.05`, `<0.01`, `ND` or `未检出`.
fn found(text: &str) -> Value {
    if text.eq_ignore_ascii_case("nd") || text == "未检出" {
        return json!("not_detected");
    }
    match text.strip_prefix(['<', '<']) {
        Some(below) => json!({"below": below.trim()}),
        None => json!({"amount": text}),
    }
}

/// A limit as it is typed: `0.02` at most, `>=5` at least, `0` or `不得检出` absent.
fn limit(text: &str) -> Value {
    if text == "0" || text == "不得检出" {
        return json!("absent");
    }
    let at_least = [">=", "≥"].iter().find_map(|sign| text.strip_prefix(sign));
    let at_most = ["<=", "≤"].iter().find_map(|sign| text.strip_prefix(sign));
    match at_least {
        Some(least) => json!({"at_least": least.trim()}),
        None => json!({"at_most": at_most.unwrap_or(text).trim()}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_laboratory_found_is_read_as_it_is_written() {
        assert_eq!(found("0.05"), json!({"amount": "0.05"}));
        assert_eq!(found("< 0.01"), json!({"below": "0.01"}));
        assert_eq!(found("nd"), json!("not_detected"));
        assert_eq!(found("未检出"), json!("not_detected"));
        assert_eq!(limit("0.02"), json!({"at_most": "0.02"}));
        assert_eq!(limit("≤0.02"), json!({"at_most": "0.02"}));
        assert_eq!(limit(">= 5"), json!({"at_least": "5"}));
        assert_eq!(limit("不得检出"), json!("absent"));
    }

    #[test]
    fn rows_that_were_left_empty_are_no_findings() {
        let filled = |pairs: &[(&str, &str)]| -> Filled {
            let pairs = pairs.iter();
            pairs
                .map(|(name, value)| ((*name).into(), (*value).into()))
                .collect()
        };
        let order = Act::Inspection.to_order(&filled(&[
            ("of", "E-1"),
            ("problem_1", " 无台账 "),
            ("due_1", "2026-05-20"),
            ("problem_2", "  "),
        ]));
        let order = order.unwrap();
        assert_eq!(
            order["findings"],
            json!([
                {"item": null, "problem": "无台账", "due_on": "2026-05-20"},
            ])
        );
        let position = filled(&[("of", "x"), ("position", "second")]);
        assert!(Act::Rectified.to_order(&position).is_err());
    }
}
