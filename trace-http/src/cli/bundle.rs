//! `trace bundle`: the evidence about a trace code in one file.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use trace_core::{
    error::{Invalid, Rule},
    ident::TraceCode,
    ledger::{bundling, readings::READINGS_FILE},
    proof::bundle::Bundle,
    store::{
        disk::{Access, RealDisk},
        files,
    },
};

use super::{
    Failure, Manner,
    local::{DataFolder, Reading},
    remote::Remote,
};
use crate::{home::leaf0, machine, serve::readings_under};

/// Everything `trace bundle` can be told.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trace bundle 7K3M-0Q2R-ZX9T-4B1C-8 --out 7K3M.bundle.json
  trace bundle 7K3M-0Q2R-ZX9T-4B1C-8 --out b.json --server http://127.0.0.1:8080
  trace verify 7K3M.bundle.json --anchor langfang.example/trace+...")]
pub struct MakeBundle {
    /// The trace code
    #[arg(value_name = "CODE")]
    code: TraceCode,

    /// File to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    #[command(flatten)]
    folder: DataFolder,

    /// Fetch it from the server at this address instead of a folder
    #[arg(long, env = "TRACE_SERVER", value_name = "URL")]
    server: Option<String>,
}

impl MakeBundle {
    pub(super) fn run(self, manner: &Manner) -> Result<(), Failure> {
        let unknown = || {
            let what = format!("{} is not on this ledger", self.code);
            Invalid::new(Rule::UnitUnknown, what)
        };
        let (bytes, anchor) = match &self.server {
            Some(address) => {
                let remote = Remote::new(address, None, manner.language())?;
                let bytes = remote.bundle(&self.code)?.ok_or_else(unknown)?;
                // Whether it is sound is for the holder of an anchor to check;
                // that it is a bundle at all is looked at here.
                Bundle::decode(&bytes)?;
                (bytes, None)
            }
            None => {
                let reading = Reading::open(&self.folder, manner)?;
                let (view, signer) = (&reading.view, reading.home.signer());
                let path = reading.home.folder().join(READINGS_FILE);
                let bundle = match path.exists() {
                    true => {
                        let readings = readings_under(&path, view)?;
                        let now_ms = machine::now_ms();
                        bundling::bundle_with(view, signer, self.code, &readings, now_ms)?
                    }
                    false => bundling::bundle(view, signer, self.code)?,
                };
                let bundle = bundle.ok_or_else(unknown)?;
                let anchor = reading.home.anchor(leaf0(&reading.view)?);
                (bundle.encode(), Some(anchor.to_string()))
            }
        };
        files::replace(&RealDisk, &self.out, &bytes, Access::Ordinary)?;
        let file = self.out.display().to_string();
        let value = json!({
            "code": self.code.to_string(),
            "file": file,
            "bytes": bytes.len(),
            "anchor": anchor,
        });
        manner.tell(&value, || {
            let anchor = anchor.as_deref().unwrap_or("ANCHOR");
            let size = bytes.len();
            let command = format!("trace verify {} --anchor {anchor}", shown(&self.out));
            manner.of(
                format!("{file}: {size} bytes. Check it anywhere with:\n  {command}"),
                format!("{file}:{size} 字节。可在任何机器上核验:\n  {command}"),
            )
        })
    }
}

/// A path as a shell takes it.
fn shown(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "-_./".contains(c);
    match text.chars().all(is_plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}
