//! `trace audit`: replays a ledger on a copy and checks everything again.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use trace_core::{
    ledger::audit::{AuditReport, DerivedTables, Held, Options, audit},
    proof::{bundle::Bundle, note::VerifierKey, receipt::Receipt},
};

use super::{Failure, Manner, local::DataFolder, progress::bar};
use crate::home::{self, LEDGER_KEY};

/// Everything `trace audit` can be told.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trace audit --data ./ledger
  trace audit --data ./ledger --against receipt.json --against 7K3M.bundle.json \\
    --key langfang.example/trace+3f2a9c10+Adr0...

Signatures, links, rules, hashes, the signed root, the derived tables and the readings of
every sealed segment, all anew, on a copy; the ledger must not be in use. What others hold
(checkpoints, receipts, bundles) is held against the log: that shows a rollback or a fork,
which the ledger alone cannot, and of a bundle also whether a record was left out of it.

Exit codes: 0 sound, 1 damaged, 2 wrongly used, 3 rollback, 4 fork, 5 another ledger or key,
6 cannot read.")]
pub struct AuditLedger {
    #[command(flatten)]
    folder: DataFolder,

    /// Checkpoint, receipt or bundle that somebody holds; may be given more than once
    #[arg(long, value_name = "FILE", num_args = 1..)]
    against: Vec<PathBuf>,

    /// The ledger's verifier key, from a source you trust [default: that in the folder]
    #[arg(long, value_name = "VKEY", value_parser = VerifierKey::parse)]
    key: Option<VerifierKey>,

    /// Folder for the copy, with room for the ledger and its index twice
    /// [default: the system's folder for temporary files]
    #[arg(long, value_name = "FOLDER")]
    temporary: Option<PathBuf>,
}

impl AuditLedger {
    pub(super) fn run(self, manner: &Manner) -> Result<(), Failure> {
        let data = &self.folder.data;
        let key = match self.key {
            Some(key) => key,
            None => home::verifier_key(&data.join(LEDGER_KEY))?,
        };
        let held = self.against.iter().map(|path| held(path));
        let held = held.collect::<Result<Vec<_>, _>>()?;
        let copy = match &self.temporary {
            Some(folder) => tempfile::tempdir_in(folder),
            None => tempfile::tempdir(),
        };
        let copy =
            copy.map_err(|error| Failure::Machine(format!("folder for the copy: {error}")))?;
        let mut options = Options::new(key, copy.path().to_owned());
        options.checkpoint_folder = self.folder.checkpoints.clone();
        options.held = held;
        let bar = bar(0, manner.of("auditing", "审计"));
        let outcome = audit(data, &options, &mut |done, total| {
            bar.set_length(total);
            bar.set_position(done);
        });
        bar.finish_and_clear();
        let report = outcome?;
        say(&report, manner)
    }
}

/// What is signed in a file: a checkpoint by itself, or within a receipt or a
/// bundle, whose statement of completeness comes with it.
fn held(path: &Path) -> Result<Held, Failure> {
    let name = path.display().to_string();
    let cannot = |why: String| Failure::Machine(format!("{name}: {why}"));
    let bytes = std::fs::read(path).map_err(|error| cannot(error.to_string()))?;
    let (note, statement) = match (Bundle::decode(&bytes), Receipt::decode(&bytes)) {
        (Ok(bundle), _) => {
            let statement = bundle.completeness().to_owned();
            (bundle.checkpoint().to_owned(), Some(statement))
        }
        (_, Ok(receipt)) => (receipt.checkpoint, None),
        _ => {
            let note = String::from_utf8(bytes);
            let note = note.map_err(|_| cannot("no checkpoint, receipt or bundle".to_owned()))?;
            (note, None)
        }
    };
    Ok(Held {
        name,
        note,
        statement,
    })
}

fn say(report: &AuditReport, manner: &Manner) -> Result<(), Failure> {
    let derived = match &report.derived {
        DerivedTables::Agree { merged_to, rows } => {
            json!({ "agree": true, "merged_to": merged_to, "rows": rows })
        }
        DerivedTables::Absent { why } => json!({ "agree": null, "why": why }),
    };
    let value = json!({
        "sound": true,
        "origin": report.origin.to_string(),
        "size": report.size,
        "root": report.root.to_string(),
        "last_checkpoint_size": report.last_checkpoint_size,
        "signatures": report.signatures,
        "keys": report.keys,
        "kinds": report.kinds,
        "personal_sections": report.personal_sections,
        "personal_sections_gone": report.personal_sections_gone,
        "derived_tables": derived,
        "held_checkpoints": report.held,
        "readings": {
            "segments": report.readings.segments,
            "sealed": report.readings.sealed,
            "pruned_segments": report.readings.pruned_segments,
            "unsealed": report.readings.unsealed,
        },
        "documents": {
            "named": report.documents.named,
            "unnamed": report.documents.unnamed,
            "gone": report.documents.gone,
        },
    });
    manner.tell(&value, || {
        let (origin, size, root) = (&report.origin, report.size, report.root);
        let derived = match &report.derived {
            DerivedTables::Agree { merged_to, rows } => manner.of(
                format!("derived tables agree: {rows} rows up to size {merged_to}"),
                format!("派生表一致:{rows} 行,至规模 {merged_to}"),
            ),
            DerivedTables::Absent { why } => manner.of(
                format!("derived tables: none to compare ({why})"),
                format!("派生表:无可比对({why})"),
            ),
        };
        let mut lines = manner
            .of(
                vec![
                    format!("Sound: {origin}, {size} records, root {root}"),
                    format!(
                        "{} signatures under {} keys, every rule, link and hash, checked anew",
                        report.signatures, report.keys
                    ),
                    derived.clone(),
                    format!(
                        "personal sections: {} there, {} gone",
                        report.personal_sections, report.personal_sections_gone
                    ),
                ],
                vec![
                    format!("无误:{origin},{size} 条记录,根 {root}"),
                    format!(
                        "{} 个签名({} 把密钥)、全部规则、链接与哈希均已重新核对",
                        report.signatures, report.keys
                    ),
                    derived,
                    format!(
                        "个人分段:现存 {},已删除 {}",
                        report.personal_sections, report.personal_sections_gone
                    ),
                ],
            );
        let (readings, documents) = (&report.readings, &report.documents);
        lines.push(manner.of(
            format!(
                "readings: {} in {} sealed segments, each what its record binds; {} segments \
                 pruned; {} readings not sealed yet",
                readings.sealed, readings.segments, readings.pruned_segments, readings.unsealed
            ),
            format!(
                "温度读数:{} 个已封存温度段共 {} 个读数,均与其记录一致;{} 段已清除;{} 个读数尚未封存",
                readings.segments, readings.sealed, readings.pruned_segments, readings.unsealed
            ),
        ));
        lines.push(manner.of(
            format!(
                "documents: {} there and whole, {} named by no record, {} gone",
                documents.named, documents.unnamed, documents.gone
            ),
            format!(
                "文件:{} 份完好,{} 份无记录提及,{} 份已不在",
                documents.named, documents.unnamed, documents.gone
            ),
        ));
        lines.push(match report.held {
            0 => manner
                .of(
                    "nothing that others hold was given: a rollback or fork seen by others only would not show",
                    "未提供他人所持检查点:仅他人可见的回退或分叉无法发现",
                )
                .to_owned(),
            held => manner.of(
                format!("extends the {held} checkpoints that others hold"),
                format!("与他人所持 {held} 个检查点一致"),
            ),
        });
        lines.join("\n")
    })
}
