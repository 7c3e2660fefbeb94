//! `trace questions`: what is open and wants an inspector's answer.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::Value;
use trace_core::{
    ident::CivilDate,
    ledger::{
        lookup::{Audience, Lookup},
        questions::About,
    },
};

use super::{
    Failure, Manner,
    manner::{at, plain, table},
    recall::kept,
    source::{Asking, Source},
};
use crate::{
    api::{
        office::civil_offset_minutes,
        questions::{Desk, QUESTIONS_MAX, write},
    },
    machine,
    sheet::grid::SheetFormat,
};

/// What is asked after, as it is named on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AboutName {
    /// Quantities missing or gained beyond the policy
    Quantities,
    /// Transfers not received in time
    Transfers,
    /// Certificates of which less is left than there are goods
    Certificates,
    /// Issuers whose volume jumped
    Volumes,
    /// Certificates used after their last day
    Expired,
    /// Findings not put right in time
    Findings,
}

/// Everything `trace questions` can be told.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trace questions
  trace questions --about transfers --out overdue.xlsx
  trace questions --about findings --server http://127.0.0.1:8080 --token-file inspector.token

Each names the record, the numbers it rests on and what to do. From a server an inspector's
token shows those of its area, an entity's its own; each such look-up is logged there.")]
pub struct Questions {
    /// What is asked after
    #[arg(long, value_enum, value_name = "WHAT", default_value = "quantities")]
    about: AboutName,

    /// File for the sheet: XLSX where its name ends so, else CSV
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    #[command(flatten)]
    asking: Asking,
}

impl From<AboutName> for About {
    fn from(name: AboutName) -> Self {
        match name {
            AboutName::Quantities => Self::Quantities,
            AboutName::Transfers => Self::Transfers,
            AboutName::Certificates => Self::Certificates,
            AboutName::Volumes => Self::Volumes,
            AboutName::Expired => Self::Expired,
            AboutName::Findings => Self::Findings,
        }
    }
}

impl Questions {
    pub(super) fn run(self, manner: &Manner) -> Result<(), Failure> {
        let about = About::from(self.about);
        let value = match self.asking.open(manner)? {
            Source::Server(remote) => {
                let absent = || Failure::Machine("the server knows no questions".into());
                let path = format!("/v1/questions?about={}", about.name());
                let mut all: Vec<Value> = Vec::new();
                let mut after: Option<String> = None;
                loop {
                    let mut asked = format!("{path}&limit={QUESTIONS_MAX}");
                    if let Some(after) = &after {
                        asked.push_str(&format!("&after={}", super::remote::escaped(after)));
                    }
                    let page = remote.json(&asked)?.ok_or_else(absent)?;
                    let found = at(&page, "/questions").as_array();
                    all.extend(found.into_iter().flatten().cloned());
                    match at(&page, "/next_after").as_str() {
                        Some(next) if after.as_deref() != Some(next) => {
                            after = Some(next.to_owned())
                        }
                        _ => break,
                    }
                }
                if let Some(out) = &self.out {
                    let sheet = remote.sheet(&path, SheetFormat::of_file(out))?;
                    kept(out, &sheet.ok_or_else(absent)?)?;
                }
                all.into()
            }
            Source::Folder(reading) => {
                let view = &reading.view;
                let now_ms = machine::now_ms();
                let mut desk = Desk {
                    view,
                    lookup: Lookup::new(view, &reading.vault, Audience::Public, now_ms)?,
                    today: CivilDate::from_ms(now_ms, civil_offset_minutes(view)?)?,
                    token: None,
                };
                let answer = desk.all(about, None)?;
                if let Some(out) = &self.out {
                    let mut bytes = Vec::new();
                    let how = (SheetFormat::of_file(out), manner.language());
                    write(&answer, how, &mut bytes)
                        .map_err(|error| Failure::Machine(error.to_string()))?;
                    kept(out, &bytes)?;
                }
                serde_json::to_value(answer.questions)
                    .map_err(|error| Failure::Machine(error.to_string()))?
            }
        };
        manner.tell(&value, || self.drawn(&value, about, manner))
    }

    fn drawn(&self, value: &Value, about: About, manner: &Manner) -> String {
        let text = |value: &Value| plain(value.as_str().unwrap_or_default());
        let (words, words_zh) = about.words();
        let questions = value.as_array().into_iter().flatten();
        let rows = questions.map(|question| {
            let named = ["/unit", "/certificate", "/name", "/problem"];
            let named = named.iter().map(|name| text(at(question, name)));
            let index = at(question, "/index").as_u64();
            let numbers = ["/numbers", "/days"].iter().flat_map(|name| {
                let fields = at(question, name).as_object().into_iter().flatten();
                fields.map(|(name, value)| match value.as_str() {
                    Some(text) => format!("{} {}", plain(name), plain(text)),
                    None => format!("{} {value}", plain(name)),
                })
            });
            let mut row = vec![
                index.map_or_else(String::new, |index| index.to_string()),
                text(at(question, "/entity")),
                named
                    .filter(|text| !text.is_empty())
                    .collect::<Vec<_>>()
                    .join(" "),
            ];
            row.push(numbers.collect::<Vec<_>>().join("; "));
            row
        });
        let rows: Vec<Vec<String>> = rows.collect();
        let count = rows.len();
        let mut lines = vec![manner.of(format!("{words}: {count}"), format!("{words_zh}:{count}"))];
        if count > 0 {
            lines.push(table(&rows));
            let (remedy, remedy_zh) = about.remedy();
            lines.push(manner.of(remedy, remedy_zh).to_owned());
        }
        if let Some(out) = &self.out {
            let file = out.display();
            lines.push(manner.of(format!("Sheet: {file}"), format!("表格:{file}")));
        }
        lines.join("\n")
    }
}
