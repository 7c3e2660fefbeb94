//! One bundle, two verifiers: what each says, in one line.

use serde_json::json;
use std::process::Command;
use trace_core::error::Verify;
use trace_core::ident::CivilDate;
use trace_core::proof::anchor::Anchor;
use trace_core::proof::bundle::Bundle;
use trace_core::record::{base64, kinds};

/// A bundle to be checked by both.
pub struct Case {
    pub name: String,
    pub bundle: Vec<u8>,
    pub anchor: Anchor,
    pub as_of: CivilDate,
}

/// What the first verifier says.
fn first(case: &Case) -> String {
    let verdict = Bundle::decode(&case.bundle)
        .and_then(|bundle| bundle.verify(&case.anchor, &[], case.as_of));
    match verdict {
        Ok(verdict) => {
            let reasons = verdict.judgement.reasons.iter().map(|reason| {
                let holds = reason
                    .holds
                    .map_or("null".into(), |holds| holds.to_string());
                let index = reason
                    .index
                    .map_or("null".into(), |index| index.to_string());
                format!("{} {holds} {index}", reason.check)
            });
            let disputed = verdict.proved.iter().filter(|record| record.disputed);
            format!(
                "{} about {} of {} disputed {}: {}",
                verdict.judgement.status.name(),
                listed(verdict.about_unit.iter().copied()),
                verdict.proved.len(),
                listed(disputed.map(|record| record.index)),
                reasons.collect::<Vec<_>>().join("; ")
            )
        }
        Err(Verify::Inadmissible { index, .. }) => format!("inadmissible {index}"),
        Err(Verify::Malformed { .. }) => "malformed".into(),
        Err(Verify::Signature { .. }) => "signature".into(),
        Err(Verify::Proof { .. }) => "proof".into(),
        Err(Verify::WrongLedger { .. }) => "wrong_ledger".into(),
        Err(Verify::Fork { .. }) => "fork".into(),
        Err(Verify::Rollback { .. }) => "rollback".into(),
        Err(Verify::Incomplete { .. }) => "incomplete".into(),
        Err(Verify::CannotCheck { .. }) => "cannot_check".into(),
    }
}

fn listed(indexes: impl Iterator<Item = u64>) -> String {
    let texts: Vec<_> = indexes.map(|index| index.to_string()).collect();
    texts.join(",")
}

/// What the second says of all, with WebCrypto or by `@noble` alone.
fn second(cases: &[Case], how: Option<&str>) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let (script, file) = (
        folder.path().join("check.mjs"),
        folder.path().join("cases.json"),
    );
    std::fs::write(&script, &trace_http::page::script::script().text).unwrap();
    let cases = cases.iter().map(|case| {
        json!({
            "bundle": base64::encode(&case.bundle),
            "anchor": case.anchor.to_string(),
            "as_of": case.as_of.to_string(),
            "how": how,
        })
    });
    let cases = json!({"kinds": kinds::schemas(), "cases": cases.collect::<Vec<_>>()});
    std::fs::write(&file, cases.to_string()).unwrap();
    let runner = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/browser/compare.mjs");
    let output = Command::new("node")
        .arg(runner)
        .args([&script, &file])
        .output()
        .expect("node, Debian's package nodejs, is on the path");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Both say the same of every case; what the first says of each.
pub fn agreed(cases: &[Case], how: Option<&str>) -> Vec<String> {
    let wanted: Vec<String> = cases.iter().map(first).collect();
    let found = second(cases, how);
    assert_eq!(found.len(), cases.len());
    let differing: Vec<String> = cases
        .iter()
        .zip(wanted.iter().zip(&found))
        .filter(|(_, (wanted, found))| wanted != found)
        .map(|(case, (wanted, found))| format!("{}:\n  {wanted}\n  {found}", case.name))
        .collect();
    assert!(
        differing.is_empty(),
        "{} of {} differ:\n{}",
        differing.len(),
        cases.len(),
        differing[..differing.len().min(20)].join("\n")
    );
    wanted
}
