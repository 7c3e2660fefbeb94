//! `trace verify`: checks a bundle, or the signed label in a photograph, without
//! a ledger, a server or a network.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::{Value, json};
use trace_core::{
    ident::{CivilDate, LEDGER_OFFSET_MINUTES, format_ms},
    proof::{
        anchor::Anchor,
        bundle::{BUNDLE_BYTES_MAX, Bundle, Told, Verdict},
        note::VerifierKey,
    },
    record::{Hash, sign::PublicKey},
};

use super::{
    Failure, Manner,
    scan::{self, Signer},
};
use crate::machine;

/// Everything `trace verify` can be told.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trace verify 7K3M.bundle.json --anchor langfang.example/trace+3f2a9c10+Adr0...+9b1c...
  trace verify 7K3M.bundle.json --anchor ANCHOR --as-of 2026-03-01 --json
  trace verify cheese.bundle.json --source milk.bundle.json --anchor ANCHOR
  trace verify other.bundle.json --qr photo.jpg --anchor ANCHOR
  trace verify --qr photo.jpg --signer-key 9d2f... --anchor ANCHOR

The anchor is printed by `trace init`; have it from a source you trust, not from whoever
gave you the bundle. It says what is proved, and what is only stated by the operator. Where
goods were kept under a temperature policy, the verdict is made anew from their readings.
How what they were made from was kept until it was used is judged from its own bundles, given
by --source; `trace trace CODE --back` names what that is.

With --qr the label marked 监管用 is checked. A bundle of anything by the same signer proves
whose key it is; --signer-key takes your word for it. A signature shows neither that the
ledger admitted the record nor that it was not voided since.

Exit codes: 0 sound (read the status: a voided certificate has sound evidence too),
1 damaged, 2 wrongly used, 3 rollback, 4 fork, 5 another ledger or key, 6 cannot read.")]
pub struct VerifyBundle {
    /// The bundle; - is standard input
    #[arg(value_name = "FILE", required_unless_present = "signer_key")]
    file: Option<PathBuf>,

    /// Bundle of something that the goods were made from; may be given more than
    /// once
    #[arg(
        long = "source",
        value_name = "FILE",
        requires = "file",
        conflicts_with = "qr"
    )]
    sources: Vec<PathBuf>,

    /// Picture (PNG or JPEG) of a label for inspectors, 监管用, to check; the
    /// bundle then is one that proves whose key signed it
    #[arg(long, value_name = "IMAGE")]
    qr: Option<PathBuf>,

    /// The signer's public key, 64 hexadecimal digits as `trace key show` prints
    /// them, where no bundle proves it
    #[arg(long, value_name = "KEY", requires = "qr", conflicts_with = "file", value_parser = public_key)]
    signer_key: Option<PublicKey>,

    /// The ledger's key and the hash of its first leaf
    #[arg(long, env = "TRACE_ANCHOR", value_name = "VKEY+LEAF0", value_parser = Anchor::parse)]
    anchor: Anchor,

    /// The date for which to judge [default: today at +08:00]
    #[arg(long, value_name = "DATE", value_parser = CivilDate::parse)]
    as_of: Option<CivilDate>,

    /// Key of a witness that must have signed the checkpoint too; may be given
    /// more than once
    #[arg(long, value_name = "VKEY", value_parser = VerifierKey::parse)]
    witness: Vec<VerifierKey>,
}

impl VerifyBundle {
    pub(super) fn run(self, manner: &Manner) -> Result<(), Failure> {
        let as_of = match self.as_of {
            Some(date) => date,
            None => CivilDate::from_ms(machine::now_ms(), LEDGER_OFFSET_MINUTES)?,
        };
        if let Some(picture) = &self.qr {
            let signer = match &self.signer_key {
                Some(key) => Signer::Given(*key),
                None => scan::proved(&read(self.file())?, &self.anchor, as_of)?,
            };
            return scan::verify(picture, &self.anchor, &signer, manner);
        }
        let (anchor, witness) = (&self.anchor, &self.witness);
        let bundle = Bundle::decode(&read(self.file())?)?;
        let verdict = match self.sources.as_slice() {
            [] => bundle.verify(anchor, witness, as_of)?,
            files => {
                let bundles = files.iter().map(|file| {
                    let bundle = Bundle::decode(&read(file)?)?;
                    Ok::<_, Failure>(bundle)
                });
                bundle.verify_with(anchor, witness, as_of, bundles)?
            }
        };
        manner.tell(&value(&verdict), || {
            verdict.words(manner.of(false, true)).join("\n")
        })
    }

    fn file(&self) -> &Path {
        self.file.as_deref().unwrap_or(Path::new("-"))
    }
}

/// A byte more than the most there can be is enough to be refused.
fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let cannot = |error| Failure::Machine(format!("{}: {error}", file.display()));
    let source: Box<dyn Read> = match file.as_os_str() == "-" {
        true => Box::new(std::io::stdin().lock()),
        false => Box::new(std::fs::File::open(file).map_err(cannot)?),
    };
    let most = u64::try_from(BUNDLE_BYTES_MAX).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    let mut source = source.take(most.saturating_add(1));
    source.read_to_end(&mut bytes).map_err(cannot)?;
    Ok(bytes)
}

fn public_key(text: &str) -> Result<PublicKey, String> {
    let bytes = Hash::from_hex(text).ok_or("wanted 64 hexadecimal digits")?;
    let key = PublicKey::from_bytes(*bytes.as_bytes());
    // Weak keys verify what nobody signed.
    key.accept().map_err(|invalid| invalid.to_string())?;
    Ok(key)
}

fn value(verdict: &Verdict) -> Value {
    let judgement = &verdict.judgement;
    let offset = i32::from(verdict.civil_offset_minutes);
    let story: Vec<Value> = verdict
        .story()
        .map(|record| {
            json!({
                "index": record.index,
                "hash": record.hash.to_string(),
                "kind": record.body.kind().name,
                "admitted_at": format_ms(record.admitted_ms, offset),
                "signed_at": format_ms(record.signed_at_ms, offset),
                "signer": record.signer.to_string(),
                "role": record.role.name(),
                "key": record.key.to_string(),
                "is_hosted": record.hosted,
                "is_disputed": record.disputed,
                "statement": record.body.to_json(),
            })
        })
        .collect();
    let replaced_by = judgement
        .replaced_by
        .as_ref()
        .map(|(code, number)| json!({ "code": code.to_string(), "number": number }));
    let checkpoint = &verdict.checkpoint;
    let sources: Vec<Value> = verdict
        .sources
        .iter()
        .map(|source| {
            json!({
                "code": source.code.to_string(),
                "used_at": format_ms(source.used_ms, offset),
                "has_bundle": source.told.is_some(),
                "cold_chain": source.told.as_ref().map(|told| cold_chain(told, offset)),
            })
        })
        .collect();
    json!({
        "code": verdict.code.to_string(),
        "status": judgement.status.name(),
        "status_words": judgement.status.words(),
        "status_words_zh": judgement.status.words_zh(),
        "reasons": judgement.reasons,
        "replaced_by": replaced_by,
        "cold_chain": cold_chain(&verdict.told, offset),
        "sources": sources,
        "judged_on": verdict.as_of.to_string(),
        "proved": {
            "records": verdict.proved.len(),
            "records_about_the_code": story,
            "latest_admitted_at": format_ms(verdict.latest_admitted_ms, offset),
            "origin": checkpoint.origin().to_string(),
            "size": checkpoint.size(),
            "root": checkpoint.root().to_string(),
            "witnesses": verdict.witnesses,
        },
        "stated_by_the_operator": {
            "complete_at_size": checkpoint.size(),
        },
    })
}

/// How the goods were kept, by the words of a look-up, and what of that is proved.
fn cold_chain(told: &Told, offset_minutes: i32) -> Value {
    match told {
        Told::NotPlaced => Value::Null,
        Told::Unread(index) => json!({ "state": Value::Null, "placed_by": index }),
        Told::LeftOut {
            placed_index,
            readings,
        } => json!({
            "state": "cannot_check",
            "placed_by": placed_index,
            "readings_left_out": readings,
        }),
        Told::Kept(proved) => json!({
            "state": proved.kept.state,
            "stays": proved.kept.stays,
            "outside_stays_ms": proved.kept.outside_stays_ms,
            "proved": {
                "readings": proved.sealed_readings,
                "segments": proved.segments,
            },
            "stated_by_the_operator": {
                "readings": proved.unsealed_readings,
                "segments_pruned": proved.pruned_segments,
                "complete_until": format_ms(proved.until_ms, offset_minutes),
            },
        }),
    }
}
