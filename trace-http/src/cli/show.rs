//! `trace show`: what is true of a trace code now, why, and its story.

use clap::Args;
use serde_json::Value;
use trace_core::{
    error::{Invalid, Rule},
    ident::TraceCode,
    ledger::lookup::{Audience, Lookup, PAGE_RECORDS_MAX},
};

use super::{
    Failure, Manner,
    local::{DataFolder, Reading},
    remote::Remote,
    story,
};
use crate::machine;

/// Everything `trace show` can be told.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trace show 7K3M-0Q2R-ZX9T-4B1C-8
  trace show 131023-20260301-7K3M0Q2R --server http://127.0.0.1:8080
  trace show 7K3M0Q2RZX9T4B1C8 --json

Public fields, contacts masked. It is what the ledger says; `trace bundle` and `trace
verify` prove it. Exit code 1 when the code is not on this ledger.")]
pub struct Show {
    /// The trace code, or a certificate's number
    #[arg(value_name = "CODE|NUMBER")]
    what: String,

    #[command(flatten)]
    folder: DataFolder,

    /// Ask the server at this address instead of a folder
    #[arg(long, env = "TRACE_SERVER", value_name = "URL")]
    server: Option<String>,

    /// Index of the first record to show
    #[arg(long, value_name = "INDEX", default_value_t = 0)]
    from: u64,
}

impl Show {
    pub(super) fn run(self, manner: &Manner) -> Result<(), Failure> {
        let code = TraceCode::parse(&self.what);
        let is_number = trace_core::record::wire::check_number(&self.what).is_ok();
        let code = match code {
            Err(malformed) if !is_number => return Err(malformed.into()),
            code => code.ok(),
        };
        let answer = match &self.server {
            Some(address) => {
                let remote = Remote::new(address, None, manner.language())?;
                match &code {
                    Some(code) => remote.code_from(code, self.from)?,
                    None => remote.certificate(&self.what)?,
                }
            }
            None => self.local(code, manner)?,
        };
        let Some(answer) = answer else {
            let what = format!("{:.60} is not on this ledger", self.what);
            return Err(Invalid::new(Rule::UnitUnknown, what).into());
        };
        manner.tell(&answer, || story::told(&answer, manner))
    }

    fn local(&self, code: Option<TraceCode>, manner: &Manner) -> Result<Option<Value>, Failure> {
        let reading = Reading::open(&self.folder, manner)?;
        let mut lookup = Lookup::new(
            &reading.view,
            &reading.vault,
            Audience::Public,
            machine::now_ms(),
        )?;
        let code = match code {
            Some(code) => Some(code),
            None => lookup.certificate(&self.what)?,
        };
        let Some(code) = code else { return Ok(None) };
        let answer = lookup.unit(code, self.from, PAGE_RECORDS_MAX)?;
        let json = answer.as_ref().map(serde_json::to_value).transpose();
        json.map_err(|error| Failure::Machine(error.to_string()))
    }
}
