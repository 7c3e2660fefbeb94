//! `trace document`: stores a document beside the log, for records to name by
//! its hash, and fetches one.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use trace_core::{
    ledger::documents::{DOCUMENTS, Document, Documents},
    record::Hash,
    store::{
        disk::{Access, RealDisk},
        files,
    },
};

use super::{
    Failure, Manner,
    local::Reading,
    manner::{at, plain},
    source::{Asking, Source},
};

/// What can be done with documents.
#[derive(Debug, Subcommand)]
pub enum DocumentCommand {
    /// Store a document: PDF, JPEG or PNG
    Put(Put),
    /// Fetch a document by its hash
    Get(Fetch),
}

/// Everything `trace document put` can be told.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trace document put report.pdf
  trace document put photo.jpg --server http://127.0.0.1:8080 --token-file store.token

What it prints is the SHA-256 by which a record names the document.")]
pub struct Put {
    /// The document
    #[arg(value_name = "FILE")]
    file: PathBuf,

    #[command(flatten)]
    asking: Asking,
}

/// Everything `trace document get` can be told.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trace document get 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 --out report.pdf

From a server: what is published, or what the token may see; each such look-up is logged
there. Exit code 1 when it is not there. What comes is checked against its hash.")]
pub struct Fetch {
    /// SHA-256 of the document, hexadecimal
    #[arg(value_name = "HASH")]
    hash: String,

    /// File to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    #[command(flatten)]
    asking: Asking,
}

impl DocumentCommand {
    pub(super) fn run(self, manner: &Manner) -> Result<(), Failure> {
        match self {
            Self::Put(it) => it.run(manner),
            Self::Get(it) => it.run(manner),
        }
    }
}

/// The documents of a ledger that is held.
fn documents(reading: &Reading) -> Result<Documents, Failure> {
    let folder = reading.home.folder().join(DOCUMENTS);
    Ok(Documents::open(Arc::new(RealDisk), &folder)?)
}

impl Put {
    fn run(self, manner: &Manner) -> Result<(), Failure> {
        let failed = |why| Failure::Machine(format!("{}: {why}", self.file.display()));
        let bytes = std::fs::read(&self.file).map_err(failed)?;
        let value: Value = match self.asking.open(manner)? {
            Source::Server(remote) => remote.put_document(&bytes)?,
            Source::Folder(reading) => {
                let stored = documents(&reading)?.put(&bytes)?;
                json!({
                    "hash": stored.hash.to_string(),
                    "media_type": stored.document_type.media_type(),
                    "bytes": stored.length,
                })
            }
        };
        manner.tell(&value, || {
            let text = |name: &str| plain(at(&value, name).as_str().unwrap_or_default());
            let (hash, media_type) = (text("/hash"), text("/media_type"));
            format!("{hash}  {media_type}")
        })
    }
}

impl Fetch {
    fn run(self, manner: &Manner) -> Result<(), Failure> {
        let hash: Hash = self.hash.parse()?;
        let bytes = match self.asking.open(manner)? {
            Source::Server(remote) => remote.document(&hash)?,
            Source::Folder(reading) => {
                let found = documents(&reading)?.read(&hash)?;
                found.map(|Document { bytes, .. }| bytes)
            }
        };
        let absent = manner.of(
            format!("document {hash} is not here, or not for everybody"),
            format!("没有文件 {hash},或该文件未公开"),
        );
        let bytes = bytes.ok_or(Failure::Refused(absent))?;
        if Hash::of(&[&bytes]) != hash {
            let what = "the server sent another document than was asked for";
            return Err(Failure::Machine(what.into()));
        }
        files::replace(&RealDisk, &self.out, &bytes, Access::Secret)?;
        let file = self.out.display().to_string();
        let value = json!({ "hash": hash.to_string(), "file": file, "bytes": bytes.len() });
        manner.tell(&value, || {
            let size = bytes.len();
            manner.of(
                format!("{file}: {size} bytes"),
                format!("{file}:{size} 字节"),
            )
        })
    }
}
