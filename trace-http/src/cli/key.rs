//! `trace key`: signing keys in files.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use trace_core::record::sign::SigningKey;

use super::{Failure, Manner, keyfile};

/// Keys.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make a key in a file that is not there yet
    #[command(after_help = "Example:\n  trace key new producer.key")]
    New(KeyFile),
    /// Show a key's public key and its id, never the key itself
    #[command(after_help = "Example:\n  trace key show producer.key")]
    Show(KeyFile),
}

/// A file of a key.
#[derive(Debug, Args)]
pub struct KeyFile {
    /// File of the key
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl KeyCommand {
    pub(super) fn run(self, manner: &Manner) -> Result<(), Failure> {
        match self {
            Self::New(KeyFile { file }) => {
                let key = keyfile::make(&file)?;
                show(&key, manner)?;
                manner.remark(
                    &format!(
                        "Made {}. Every device has its own key; nobody can make this one again.",
                        file.display()
                    ),
                    &format!(
                        "已生成 {}。每台设备各用一把密钥;遗失后无法恢复。",
                        file.display()
                    ),
                );
                Ok(())
            }
            Self::Show(KeyFile { file }) => show(&keyfile::read(&file)?, manner),
        }
    }
}

fn show(key: &SigningKey, manner: &Manner) -> Result<(), Failure> {
    let public = key.public();
    let (id, public) = (public.id().to_string(), public.to_string());
    let value = json!({ "algorithm": "ed25519", "public_key": public, "key_id": id });
    manner.tell(&value, || {
        let names = manner.of(["public key", "key id"], ["公钥", "密钥编号"]);
        let rows = [(names[0], &public), (names[1], &id)];
        super::manner::table(&rows.map(|(name, value)| vec![name.to_owned(), value.clone()]))
    })
}
