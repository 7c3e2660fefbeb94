//! The golden files, read by the second implementation: what is accepted is
//! accepted, and what is refused is refused, but for what no bundle shows.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use trace_core::record::{base64, kinds};

/// Refused by the first implementation and not by the second: faults of
/// sections, which no bundle carries, and check digits of firms' numbers, on
/// which no right and no verdict hangs.
const ADMISSION_ALONE: [&str; 3] = [
    "refused_section_",
    "refused_uscc_outcome_wrong",
    "refused_licence_outcome_wrong",
];

/// What a later rule set lifted: tests/golden.rs names it too.
const LIFTED: &str = "refused_policy_rule_set";

#[test]
fn golden_records_are_accepted_and_refused_alike() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let (mut names, mut records, mut wanted) = (Vec::new(), Vec::new(), Vec::new());
    for entry in std::fs::read_dir(root.join("fixtures/golden")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: BTreeMap<_, _> = text.lines().filter_map(|it| it.split_once(": ")).collect();
        let (Some(expect), Some(key)) = (lines.get("expect"), lines.get("public_key")) else {
            continue;
        };
        let record = match (lines.get("record"), lines.get("signed")) {
            (Some(record), _) => (*record).to_owned(),
            (None, Some(signed)) => {
                let signed = base64::decode(signed).unwrap();
                let signature = base64::decode(lines["signature"]).unwrap();
                base64::encode(&[signed, vec![1], signature].concat())
            }
            _ => continue,
        };
        records.push(json!({"record": record, "public_key": key}));
        wanted.push((*expect).to_owned());
        names.push(name);
    }
    assert!(records.len() > 150, "{} golden records", records.len());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("records.json");
    let plan = json!({"kinds": kinds::schemas(), "records": records});
    std::fs::write(&file, plan.to_string()).unwrap();
    let output = Command::new("node")
        .arg(root.join("tests/browser/golden.mjs"))
        .args([&root.join("trace-http/src/page/check"), &file])
        .output()
        .expect("node, Debian's package nodejs, is on the path");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    let found: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found.len(), names.len());
    let differing: Vec<_> = names
        .iter()
        .zip(wanted.iter().zip(&found))
        .filter(|(_, (wanted, found))| wanted.as_str() != found.as_str().unwrap())
        .map(|(name, _)| name.as_str())
        .filter(|name| *name != LIFTED)
        .filter(|name| !ADMISSION_ALONE.iter().any(|known| name.starts_with(known)))
        .collect();
    assert!(differing.is_empty(), "{differing:?}");
}
