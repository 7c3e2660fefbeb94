//! `trace grade`: the risk grade and credit grade of an entity, with every input.

use clap::Args;
use serde_json::Value;
use trace_core::{
    error::{Invalid, Rule},
    ident::{CivilDate, EntityId},
    record::rights::Registry,
    rules::grading::FORMULA_NEWEST,
};

use super::{
    Failure, Manner,
    manner::{at, plain, table},
    source::{Asking, Source},
};
use crate::{
    api::{grade::graded, office::civil_offset_minutes},
    machine,
};

/// Everything `trace grade` can be told.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trace grade ENTITY
  trace grade ENTITY --on 2026-06-30 --server http://127.0.0.1:8080 --token-file inspector.token

Points by a published formula, which /v1/grading shows, over the year up to the day: anybody
can count them again. A is the best grade and D the worst.")]
pub struct Grade {
    /// The entity
    #[arg(value_name = "ENTITY")]
    entity: EntityId,

    /// The day [default: today]
    #[arg(long, value_name = "DATE", value_parser = CivilDate::parse)]
    on: Option<CivilDate>,

    /// The formula's version
    #[arg(long, value_name = "NUMBER", default_value_t = FORMULA_NEWEST)]
    formula: u16,

    #[command(flatten)]
    asking: Asking,
}

impl Grade {
    pub(super) fn run(self, manner: &Manner) -> Result<(), Failure> {
        let unknown = || {
            let what = format!("{} is not on this ledger", self.entity);
            Failure::from(Invalid::new(Rule::EntityUnknown, what))
        };
        let value = match self.asking.open(manner)? {
            Source::Server(remote) => {
                let (entity, version) = (self.entity.compact(), self.formula);
                let mut path = format!("/v1/entities/{entity}/grade?version={version}");
                if let Some(on) = self.on {
                    path.push_str(&format!("&on={on}"));
                }
                remote.json(&path)?.ok_or_else(unknown)?
            }
            Source::Folder(reading) => {
                let view = &reading.view;
                if view.folded().entity(&self.entity)?.is_none() {
                    return Err(unknown());
                }
                let on = match self.on {
                    Some(on) => on,
                    None => CivilDate::from_ms(machine::now_ms(), civil_offset_minutes(view)?)?,
                };
                let answer = graded(view, self.entity, on, self.formula)?;
                serde_json::to_value(answer).map_err(|error| Failure::Machine(error.to_string()))?
            }
        };
        manner.tell(&value, || drawn(&value, manner))
    }
}

fn drawn(value: &Value, manner: &Manner) -> String {
    let text = |name: &str| plain(at(value, name).as_str().unwrap_or_default());
    let number = |value: &Value, name: &str| at(value, name).as_u64().unwrap_or_default();
    let (risk, credit) = (text("/risk"), text("/credit"));
    let (risk_points, credit_points) = (
        number(value, "/risk_points"),
        number(value, "/credit_points"),
    );
    let (first, on) = (text("/first_day"), text("/on"));
    let version = number(value, "/version");
    let mut lines = vec![manner.of(
        format!("risk grade {risk} ({risk_points} points), credit grade {credit} ({credit_points} of 100)"),
        format!("风险分级 {risk}({risk_points} 分),信用分级 {credit}(100 分中 {credit_points} 分)"),
    )];
    lines.push(manner.of(
        format!("from {first} to {on}, by formula {version}"),
        format!("{first} 至 {on},公式第 {version} 版"),
    ));
    let head = manner.of(
        ["counted", "how many", "risk points", "credit points"],
        ["依据", "数量", "风险加分", "信用减分"],
    );
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for line in at(value, "/lines").as_array().into_iter().flatten() {
        let words = at(line, manner.of("/words", "/words_zh")).as_str();
        rows.push(vec![
            plain(words.unwrap_or_default()),
            number(line, "/count").to_string(),
            number(line, "/risk_points").to_string(),
            number(line, "/credit_points").to_string(),
        ]);
    }
    lines.push(table(&rows));
    lines.join("\n")
}
