//! `trace recall`: records that a unit and all that was made of it goes back,
//! and writes where all of it is; or, as a rehearsal, does only the latter and
//! says how long it took.

use std::{
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    time::Instant,
};

use clap::Args;
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use trace_core::{
    error::{Invalid, Rule},
    ident::{TraceCode, parse_ms},
    ledger::lookup::{Audience, Lookup},
    record::{kinds::recalled::Recalled, rights::Registry, text::normalise},
};

use super::{
    Failure, Manner,
    local::{Denied, Reading},
    manner::{at, plain},
    remote::Remote,
    voice::{Said, Speaking},
};
use crate::{
    api::office::civil_offset_minutes,
    machine,
    sheet::{self, Asked, SheetFailed, grid::SheetFormat},
};

/// Everything `trace recall` can be told.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trace recall 7K3M-0Q2R-ZX9T-4B1C-8 --dry-run
  trace recall 7K3M-0Q2R-ZX9T-4B1C-8 --key producer.key --reason 农药残留超标 --out recall.xlsx
  trace recall 7K3M-0Q2R-ZX9T-4B1C-8 --dry-run --server http://127.0.0.1:8080 --token-file inspector.token

The sheet holds names, telephones and quantities: it is for inspectors, and readable by its
owner alone. At a server it needs an inspector's token; beside --key, TRACE_TOKEN may hold it.")]
pub struct Recall {
    /// The trace code
    #[arg(value_name = "CODE")]
    code: TraceCode,

    #[command(flatten)]
    speaking: Speaking,

    /// Record nothing; say how many units, holders and how much, and how long it took
    #[arg(long)]
    dry_run: bool,

    /// Why; public, 1 to 100 characters
    #[arg(long, value_name = "TEXT", required_unless_present = "dry_run")]
    reason: Option<String>,

    /// Only what was made until then, as 2026-03-01T08:00:00+08:00
    #[arg(long, value_name = "TIME")]
    until: Option<String>,

    /// File for the sheet: XLSX where its name ends so, else CSV
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Recall {
    pub(super) fn run(self, manner: &Manner) -> Result<(), Failure> {
        let until_ms = self.until.as_deref().map(parse_ms).transpose()?;
        let index = match self.dry_run {
            true => None,
            false => Some(self.record(until_ms, manner)?),
        };
        let started = Instant::now();
        let totals = match self.speaking.server() {
            Some(address) => self.of_server(address, index.is_some(), manner)?,
            None => Some(self.of_folder(until_ms, manner)?),
        };
        let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let file = self.out.as_ref().filter(|_| totals.is_some());
        let value = json!({
            "code": self.code.to_string(),
            "is_dry_run": self.dry_run,
            "index": index,
            "totals": totals,
            "took_ms": took_ms,
            "sheet": file.map(|path| path.display().to_string()),
        });
        manner.tell(&value, || told(&value, manner))
    }

    /// Records the recall; at which index.
    fn record(&self, until_ms: Option<u64>, manner: &Manner) -> Result<u64, Failure> {
        let mut session = self.speaking.open(manner)?;
        let said = Said::bare(Recalled {
            unit: self.code,
            until_ms,
            reason: normalise(self.reason.as_deref().unwrap_or_default()),
            acted_by: None,
        });
        let stands = session.admit(vec![said]);
        session.close()?;
        let stands = stands.map_err(|Denied { failure, .. }| failure)?;
        let first = stands.first().map(|stands| stands.index);
        first.ok_or_else(|| Failure::Machine("the recall stands nowhere".into()))
    }

    fn of_folder(&self, until_ms: Option<u64>, manner: &Manner) -> Result<Value, Failure> {
        let reading = Reading::open(self.speaking.folder(), manner)?;
        let view = &reading.view;
        let state = view.folded().unit(&self.code)?;
        if state.is_none_or(|state| state.made.is_none()) {
            return Err(self.unknown());
        }
        let mut lookup = Lookup::new(view, &reading.vault, Audience::Full, machine::now_ms())?;
        let asked = Asked {
            code: self.code,
            until_ms,
            offset_minutes: civil_offset_minutes(view)?,
        };
        let format = self.format();
        let mut write = |out: &mut dyn Write| {
            let how = (format, manner.language());
            sheet::write(view, &mut lookup, asked, how, out).map_err(|failed| match failed {
                SheetFailed::Ledger(failed) => failed.into(),
                SheetFailed::Write(error) => Failure::Machine(error.to_string()),
            })
        };
        let totals = match &self.out {
            Some(path) => whole(path, &mut write)?,
            None => write(&mut io::sink())?,
        };
        serde_json::to_value(totals).map_err(|error| Failure::Machine(error.to_string()))
    }

    fn of_server(
        &self,
        address: &str,
        is_recorded: bool,
        manner: &Manner,
    ) -> Result<Option<Value>, Failure> {
        let Some(token) = super::token::text(self.speaking.token_file())? else {
            if is_recorded {
                manner.remark(
                    "The recall is recorded. The sheet needs an inspector's token: give it in TRACE_TOKEN.",
                    "召回已记录。召回清单需监管令牌:请在 TRACE_TOKEN 中给出。",
                );
                return Ok(None);
            }
            return Err(Failure::usage(
                manner,
                "the sheet needs an inspector's token: give --token-file FILE",
                "召回清单需监管令牌:请用 --token-file FILE 给出",
            ));
        };
        let remote = Remote::new(address, Some(token), manner.language())?;
        let mut path = format!("/v1/codes/{}/recall", self.code.compact());
        if let Some(until) = &self.until {
            path.push_str(&format!("?until={}", super::remote::escaped(until)));
        }
        let answer: Value = remote.json(&path)?.ok_or_else(|| self.unknown())?;
        if let Some(out) = &self.out {
            let bytes = remote.sheet(&path, self.format())?;
            kept(out, &bytes.ok_or_else(|| self.unknown())?)?;
        }
        Ok(Some(at(&answer, "/totals").clone()))
    }

    /// As what the sheet is written, by the name of its file.
    fn format(&self) -> SheetFormat {
        let file = self.out.as_deref();
        file.map_or(SheetFormat::Csv, SheetFormat::of_file)
    }

    fn unknown(&self) -> Failure {
        let what = format!("{} is not on this ledger", self.code);
        Invalid::new(Rule::UnitUnknown, what).into()
    }
}

/// Keeps a sheet in a file, readable by its owner alone.
///
/// # Errors
/// [`Failure::Machine`].
pub fn kept(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    whole(path, &mut |file: &mut dyn Write| {
        file.write_all(bytes)
            .map_err(|error| Failure::Machine(error.to_string()))
    })
}

/// Writes a file whole or not at all, readable by its owner alone.
fn whole<T>(
    path: &Path,
    write: &mut impl FnMut(&mut dyn Write) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let failed = |error: io::Error| Failure::Machine(format!("{}: {error}", path.display()));
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let mut file = BufWriter::new(NamedTempFile::new_in(folder).map_err(failed)?);
    let written = write(&mut file)?;
    let file = file
        .into_inner()
        .map_err(|error| failed(error.into_error()))?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(written)
}

fn told(value: &Value, manner: &Manner) -> String {
    let mut lines = Vec::new();
    let code = plain(at(value, "/code").as_str().unwrap_or_default());
    match at(value, "/index").as_u64() {
        Some(index) => lines.push(manner.of(
            format!("{code}: recalled at index {index}, with all that was made of it"),
            format!("{code}:已召回(含由其制成的全部追溯单元),账本序号 {index}"),
        )),
        None => lines.push(manner.of(
            format!("{code}: a rehearsal, nothing is recorded"),
            format!("{code}:召回演练,未作记录"),
        )),
    }
    if at(value, "/totals").is_object() {
        lines.push(counted(value, manner));
    }
    let amounts = at(value, "/totals/amounts").as_object();
    for (base, places) in amounts.into_iter().flatten() {
        for (place, amount) in places.as_object().into_iter().flatten() {
            let words = sheet::in_words(manner.language(), place);
            let sign = sheet::sign(manner.language(), base);
            lines.push(format!("  {words}: {amount} {sign}"));
        }
    }
    if let Some(sheet) = at(value, "/sheet").as_str() {
        lines.push(manner.of(format!("Sheet: {sheet}"), format!("召回清单:{sheet}")));
    }
    lines.join("\n")
}

fn counted(value: &Value, manner: &Manner) -> String {
    let count = |name: &str| at(value, &format!("/totals/{name}")).to_string();
    let (units, holders, rows) = (count("units"), count("holders"), count("rows"));
    let took_ms = at(value, "/took_ms");
    manner.of(
        format!("{units} units, {holders} holders, {rows} rows, found in {took_ms} ms"),
        format!("追溯单元 {units} 个,持有主体 {holders} 个,共 {rows} 行,用时 {took_ms} 毫秒"),
    )
}
