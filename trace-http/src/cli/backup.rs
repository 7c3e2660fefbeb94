//! `trace backup` and `trace restore`: the whole log in one sealed file, and a
//! ledger built anew from one.

use std::{
    fs::File,
    io::{BufReader, BufWriter, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use serde_json::json;
use trace_core::{
    ledger::{
        LAST_CHECKPOINT,
        backup::{self, Beside},
        documents::{DOCUMENTS, Documents},
        readings::READINGS_FILE,
    },
    proof::checkpoint::SignedCheckpoint,
    store::{
        disk::{Access, RealDisk, beside, settle_name},
        files,
    },
};

use super::{
    Failure, Manner,
    local::{DataFolder, Reading},
    progress::bar,
};
use crate::{
    home::{self, LEDGER_KEY},
    serve::readings_under,
};

/// Everything `trace backup` can be told.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  trace backup --data ./ledger --out 2026-03-01.backup

The file holds every record, all temperature readings and every document that a record
names, sealed. It does not hold keys: keep ledger.key, vault.keys and
hosted.keys each for itself. Keep last-checkpoint on another disk: only it shows how much a
restored ledger has lost. The ledger must not be in use meanwhile.")]
pub struct Backup {
    #[command(flatten)]
    folder: DataFolder,

    /// File to write; it must not be there yet
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl Backup {
    pub(super) fn run(self, manner: &Manner) -> Result<(), Failure> {
        let machine =
            |error: std::io::Error| Failure::Machine(format!("{}: {error}", self.out.display()));
        if self.out.symlink_metadata().is_ok() {
            return Err(Failure::Machine(format!(
                "{}: there is a file already; a backup is never overwritten",
                self.out.display()
            )));
        }
        let reading = Reading::open(&self.folder, manner)?;
        let building = beside(&self.out, ".writing");
        let file = File::create(&building).map_err(machine)?;
        let mut out = BufWriter::with_capacity(1 << 20, file);
        let bar = bar(reading.view.size(), manner.of("backing up", "备份"));
        let folder = reading.home.folder();
        let path = folder.join(READINGS_FILE);
        let readings = match path.exists() {
            true => Some(readings_under(&path, &reading.view)?),
            false => None,
        };
        let documents = Documents::open(Arc::new(RealDisk), &folder.join(DOCUMENTS))?;
        let beside = Beside {
            readings: readings.as_ref(),
            documents: Some(&documents),
        };
        let sealed = backup::backup_with(
            &reading.view,
            Some(beside),
            reading.home.signer(),
            &mut out,
            &mut |done, _| bar.set_position(done),
        );
        bar.finish_and_clear();
        let sealed = match sealed {
            Ok(sealed) => sealed,
            Err(error) => {
                // It has no seal: nothing takes it for a backup.
                drop(std::fs::remove_file(&building));
                return Err(error.into());
            }
        };
        out.flush().map_err(machine)?;
        out.get_ref().sync_all().map_err(machine)?;
        drop(out);
        settle_name(&RealDisk, &building, &self.out)?;
        let count = sealed.beside.unwrap_or_default();
        let value = json!({
            "file": self.out.display().to_string(),
            "origin": sealed.origin.to_string(),
            "size": sealed.size,
            "root": sealed.root.to_string(),
            "sha256": sealed.sha256.to_string(),
            "bytes": sealed.length,
            "reading_rows": count.reading_rows,
            "documents": count.documents,
            "documents_left_out": count.unnamed,
        });
        manner.tell(&value, || {
            let (file, size, bytes) = (self.out.display(), sealed.size, sealed.length);
            manner.of(
                format!(
                    "{file}: {size} records of {}, {} rows of readings, {} documents ({} that no \
                     record names are left out), {bytes} bytes, sealed",
                    sealed.origin, count.reading_rows, count.documents, count.unnamed
                ),
                format!(
                    "{file}:{} 的 {size} 条记录,温度读数 {} 行,文件 {} 份(另有 {} 份无记录提及,未备份),\
                     {bytes} 字节,已封存",
                    sealed.origin, count.reading_rows, count.documents, count.unnamed
                ),
            )
        })
    }
}

/// Everything `trace restore` can be told.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  trace restore 2026-03-01.backup --data ./restored --ledger-key ./safe/ledger.key \\
    --checkpoint ./safe/last-checkpoint

Give the last checkpoint that the ledger signed, and none older. With records missing behind
it, or without one, the ledger opens read-only and says why. Put vault.keys into the folder
first if personal data are to open again.")]
pub struct Restore {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Folder to build the ledger in; it must hold none
    #[arg(long, value_name = "FOLDER")]
    data: PathBuf,

    /// File of the ledger's key [default: ledger.key in the folder]
    #[arg(long, value_name = "FILE")]
    ledger_key: Option<PathBuf>,

    /// The last checkpoint that the ledger signed
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,

    /// Folder of the last signed checkpoint, where it is not the ledger's own
    #[arg(long, env = "TRACE_CHECKPOINTS", value_name = "FOLDER")]
    checkpoints: Option<PathBuf>,
}

impl Restore {
    pub(super) fn run(self, manner: &Manner) -> Result<(), Failure> {
        let there = self.data.join(LEDGER_KEY);
        let key_file = self.ledger_key.clone().unwrap_or_else(|| there.clone());
        let key = home::verifier_key(&key_file)?;
        let last = self
            .checkpoint
            .as_deref()
            .map(|path| {
                let note = text(path)?;
                Ok::<_, Failure>(SignedCheckpoint::open(&note, &key)?)
            })
            .transpose()?;
        let machine =
            |error: std::io::Error| Failure::Machine(format!("{}: {error}", self.file.display()));
        let file = File::open(&self.file).map_err(machine)?;
        let bar = bar(0, manner.of("restoring", "恢复"));
        let restored = backup::restore(
            &mut BufReader::with_capacity(1 << 20, file),
            &self.data,
            self.checkpoints.as_deref(),
            &key,
            last.as_ref(),
            &mut |done, total| {
                bar.set_length(total);
                bar.set_position(done);
            },
        );
        bar.finish_and_clear();
        let restored = restored?;
        if !there.exists() {
            let bytes =
                zeroize::Zeroizing::new(files::read(&RealDisk, &key_file)?.unwrap_or_default());
            files::replace(&RealDisk, &there, &bytes, Access::Secret)?;
        }
        let sealed = &restored.sealed;
        let value = json!({
            "data": self.data.display().to_string(),
            "origin": sealed.origin.to_string(),
            "size": sealed.size,
            "root": sealed.root.to_string(),
            "missing": restored.missing,
        });
        manner.tell(&value, || {
            let (origin, size) = (&sealed.origin, sealed.size);
            let head = manner.of(
                format!("{origin}: {size} records restored"),
                format!("{origin}:已恢复 {size} 条记录"),
            );
            let tail = match restored.missing {
                Some(0) => manner.of(
                    "; none is missing".to_owned(),
                    ",没有缺失".to_owned(),
                ),
                Some(missing) => manner.of(
                    format!("; {missing} that it signed since are missing: it opens read-only until they are supplied"),
                    format!(",其后签署的 {missing} 条缺失:补齐前只读"),
                ),
                None => manner.of(
                    format!("; without its last checkpoint it opens read-only: put {LAST_CHECKPOINT} into the folder"),
                    format!(",缺少最后检查点,只读打开:请将 {LAST_CHECKPOINT} 放入文件夹"),
                ),
            };
            head + &tail
        })
    }
}

fn text(path: &Path) -> Result<String, Failure> {
    let cannot = |why: String| Failure::Machine(format!("{}: {why}", path.display()));
    let bytes =
        files::read(&RealDisk, path)?.ok_or_else(|| cannot("there is no such file".to_owned()))?;
    String::from_utf8(bytes).map_err(|_| cannot("not text".to_owned()))
}
