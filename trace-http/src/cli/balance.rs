//! `trace balance`: what came to an entity or an area, went, ended and is held,
//! by product, over a period.
//!
//! Whoever has the ledger's folder has it all; from a server the token decides.

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use serde_json::Value;
use trace_core::{
    error::{Invalid, Rule},
    ident::{Area, CivilDate, EntityId},
    record::rights::Registry,
};

use super::{
    Failure, Manner,
    manner::{at, plain, table},
    recall::kept,
    source::{Asking, Source},
};
use crate::{
    api::{
        balances::{AMOUNTS, PRODUCTS_MAX, PeriodPage, Whose, balance, write},
        office::civil_offset_minutes,
    },
    machine,
    sheet::{self, grid::SheetFormat},
};

/// Everything `trace balance` can be told.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("whose").required(true),
    after_help = "\
Examples:
  trace balance --entity ENTITY
  trace balance --area 131023 --first-day 2026-03-01 --last-day 2026-03-31 --out march.xlsx
  trace balance --area 131000 --server http://127.0.0.1:8080 --token-file inspector.token

An event belongs to the day on which its signer says it happened. An area is all entities
registered in it; what moved within it crossed no border. Amounts are in g, mL and pieces."
)]
pub struct Balance {
    /// Of this entity
    #[arg(long, value_name = "ENTITY", group = "whose")]
    entity: Option<EntityId>,

    /// Of this area: six digits of GB/T 2260
    #[arg(long, value_name = "AREA", group = "whose")]
    area: Option<Area>,

    /// The first day [default: the ledger's first]
    #[arg(long, value_name = "DATE", value_parser = CivilDate::parse)]
    first_day: Option<CivilDate>,

    /// The last day [default: today]
    #[arg(long, value_name = "DATE", value_parser = CivilDate::parse)]
    last_day: Option<CivilDate>,

    /// File for the sheet: XLSX where its name ends so, else CSV
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    #[command(flatten)]
    asking: Asking,
}

impl Balance {
    pub(super) fn run(self, manner: &Manner) -> Result<(), Failure> {
        let value = match self.asking.open(manner)? {
            Source::Server(remote) => {
                let unknown = || self.unknown();
                let mut value = remote.json(&self.path(None))?.ok_or_else(unknown)?;
                // A long list of products comes in pages.
                while let Some(after) = at(&value, "/next_after").as_str().map(str::to_owned) {
                    let mut next = remote.json(&self.path(Some(&after)))?.ok_or_else(unknown)?;
                    let more = next.get_mut("products").map(Value::take);
                    let all = value.get_mut("products").and_then(Value::as_array_mut);
                    if let (Some(all), Some(Value::Array(more))) = (all, more) {
                        all.extend(more);
                    }
                    let next = at(&next, "/next_after").clone();
                    if let Some(place) = value.get_mut("next_after") {
                        *place = next;
                    }
                }
                if let Some(out) = &self.out {
                    let sheet = remote.sheet(&self.path(None), SheetFormat::of_file(out))?;
                    kept(out, &sheet.ok_or_else(unknown)?)?;
                }
                value
            }
            Source::Folder(reading) => {
                let view = &reading.view;
                if let Some(entity) = &self.entity
                    && view.folded().entity(entity)?.is_none()
                {
                    return Err(self.unknown());
                }
                let page = PeriodPage {
                    first_day: self.first_day.map(|day| day.to_string()),
                    last_day: self.last_day.map(|day| day.to_string()),
                    ..PeriodPage::default()
                };
                let offset_minutes = civil_offset_minutes(view)?;
                let today = CivilDate::from_ms(machine::now_ms(), offset_minutes)?;
                let answer = balance(view, self.whose()?, &page, today, usize::MAX)?;
                if let Some(out) = &self.out {
                    let mut bytes = Vec::new();
                    let how = (SheetFormat::of_file(out), manner.language());
                    write(&answer, how, &mut bytes)
                        .map_err(|error| Failure::Machine(error.to_string()))?;
                    kept(out, &bytes)?;
                }
                serde_json::to_value(answer).map_err(|error| Failure::Machine(error.to_string()))?
            }
        };
        manner.tell(&value, || self.drawn(&value, manner))
    }

    fn whose(&self) -> Result<Whose, Failure> {
        match (self.entity, self.area) {
            (Some(entity), _) => Ok(Whose::Entity(entity)),
            (None, Some(area)) => Ok(Whose::Area(area)),
            // The command line has one of both.
            (None, None) => Err(Failure::Usage("give --entity or --area".into())),
        }
    }

    fn path(&self, after: Option<&str>) -> String {
        let mut path = match (&self.entity, &self.area) {
            (Some(entity), _) => format!("/v1/entities/{}/balance", entity.compact()),
            (None, area) => {
                let area = area.map_or_else(String::new, |area| area.to_string());
                format!("/v1/areas/{area}/balance")
            }
        };
        path.push_str(&format!("?limit={PRODUCTS_MAX}"));
        for (name, day) in [("first_day", self.first_day), ("last_day", self.last_day)] {
            if let Some(day) = day {
                path.push_str(&format!("&{name}={day}"));
            }
        }
        if let Some(after) = after {
            path.push_str(&format!("&after={}", super::remote::escaped(after)));
        }
        path
    }

    fn unknown(&self) -> Failure {
        let whose = self.entity.map(|entity| entity.to_string());
        let what = format!("{} is not on this ledger", whose.unwrap_or_default());
        Invalid::new(Rule::EntityUnknown, what).into()
    }

    /// A line for each product: its amounts that are not nothing.
    fn drawn(&self, value: &Value, manner: &Manner) -> String {
        let text = |value: &Value| plain(value.as_str().unwrap_or_default());
        let last = text(at(value, "/last_day"));
        let first = match at(value, "/first_day").as_str() {
            Some(first) => plain(first),
            None => manner.of("the beginning", "开账").to_owned(),
        };
        let head = match self.entity {
            Some(entity) => entity.to_string(),
            None => text(at(value, "/area")),
        };
        let mut lines = vec![manner.of(
            format!("{head}, from {first} to {last}"),
            format!("{head},{first} 至 {last}"),
        )];
        let products = at(value, "/products").as_array().into_iter().flatten();
        let mut rows = Vec::new();
        for product in products {
            let base = text(at(product, "/base"));
            let amounts = AMOUNTS.iter().filter_map(|(field, english, chinese)| {
                let amount = at(product, &format!("/{field}")).as_i64()?;
                (amount != 0).then(|| format!("{} {amount}", manner.of(*english, *chinese)))
            });
            rows.push(vec![
                text(at(product, "/product")),
                sheet::sign(manner.language(), &base).to_owned(),
                amounts.collect::<Vec<_>>().join(manner.of(", ", ",")),
            ]);
        }
        if rows.is_empty() {
            lines.push(manner.of("nothing", "无").to_owned());
        }
        lines.push(table(&rows));
        if let Some(out) = &self.out {
            let file = out.display();
            lines.push(manner.of(format!("Sheet: {file}"), format!("表格:{file}")));
        }
        lines.join("\n")
    }
}
