//! The command line as it is typed: the program itself, in temporary folders.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod cli {
    pub mod city;
    pub mod program;
}

use std::fs;

use cli::{
    city::{City, RIGHT, basis, text, today},
    program::{Place, SUBCOMMANDS, trace},
};
use serde_json::Value;

#[test]
fn a_batch_goes_from_a_new_ledger_to_a_proof_that_needs_no_ledger() {
    let city = City::new();
    let issued = city.issue(&["--contact-name", "王某某", "--contact-phone", "13800000000"]);
    let code = text(&issued, "code");
    let entry = ["--quantity", "10 斤", "--key", "store.key"];
    let mut enters = vec!["warehouse", "in", code, "--temperature", "-2.5"];
    enters.extend(entry);
    city.place.json(&enters);
    // More than lies there does not leave.
    let leaves = [
        "warehouse",
        "out",
        code,
        "--key",
        "store.key",
        "--quantity",
        "11 斤",
    ];
    let refused = city.place.run(&leaves);
    assert_eq!(refused.status.code(), Some(1));
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(told.contains("quantity_exceeded"), "{told}");

    let shown = city.place.json(&["show", code]);
    assert_eq!(shown["status"], "valid");
    assert_eq!(shown["records"].as_array().unwrap().len(), 3);
    assert_eq!(shown["records"][1]["persons"][0]["phone"], "138****0000");
    let by_number = city.place.json(&["show", text(&issued, "number")]);
    assert_eq!(by_number["code"], shown["code"]);
    let people = city.place.text(&["show", code, "--language", "zh"]);
    for part in ["韭菜", "-2.5 °C", "入库", "王**", "合作社"] {
        assert!(people.contains(part), "{part}\n{people}");
    }

    let file = city.bundle(code);
    // No ledger, no key: only the file and the anchor.
    let elsewhere = Place::new();
    let copy = elsewhere.path("b.json");
    fs::copy(&file, &copy).unwrap();
    let copy = copy.to_str().unwrap();
    let verdict = elsewhere.json(&["verify", copy, "--anchor", &city.anchor]);
    assert_eq!(verdict["status"], "valid");
    assert_eq!(
        verdict["proved"]["records_about_the_code"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    let words = elsewhere.text(&["verify", copy, "--anchor", &city.anchor]);
    assert!(
        words.contains("Proved:") && words.contains("Stated by the operator"),
        "{words}"
    );
}

#[test]
fn a_flipped_byte_another_anchor_and_a_missing_file_each_have_their_exit_code() {
    let city = City::new();
    let file = city.bundle(text(&city.issue(&[]), "code"));
    let path = file.to_str().unwrap();
    assert_eq!(city.verify(path, &city.anchor), Some(0));
    let sound = fs::read(&file).unwrap();
    // Within the last record's base 64: a letter becomes another. (The first
    // record's leaf is half of the anchor.)
    let begins = |it: &[u8]| it == b"\"entry\":\"";
    let at = sound.windows(9).rposition(begins).unwrap() + 60;
    let mut flipped = sound.clone();
    flipped[at] = if flipped[at] == b'A' { b'B' } else { b'A' };
    fs::write(&file, &flipped).unwrap();
    assert_eq!(city.verify(path, &city.anchor), Some(1));
    fs::write(&file, &sound[..sound.len() - 1]).unwrap();
    assert_eq!(city.verify(path, &city.anchor), Some(1));
    fs::write(&file, &sound).unwrap();
    let other = City::new();
    assert_eq!(city.verify(path, &other.anchor), Some(5));
    let (key, _) = city.anchor.rsplit_once('+').unwrap();
    let (_, leaf0) = other.anchor.rsplit_once('+').unwrap();
    assert_eq!(city.verify(path, &format!("{key}+{leaf0}")), Some(5));
    assert_eq!(city.verify("nothing.json", &city.anchor), Some(6));
    assert_eq!(city.verify(path, "no-anchor"), Some(2));
}

#[test]
fn a_voided_certificate_stays_findable_and_its_evidence_sound() {
    let city = City::new();
    let issued = city.issue(&[]);
    let (code, number) = (text(&issued, "code"), text(&issued, "number"));
    let void = [
        "void",
        number,
        "--key",
        "producer.key",
        "--reason",
        "重复开具",
    ];
    city.place.json(&void);
    assert_eq!(city.place.json(&["show", code])["status"], "voided");
    let again = city.place.run(&void);
    assert_eq!(again.status.code(), Some(1));
    let file = city.bundle(code);
    let path = file.to_str().unwrap();
    let verdict = city.place.json(&["verify", path, "--anchor", &city.anchor]);
    assert_eq!(verdict["status"], "voided");
    // Somebody else's key may not.
    let other = city.issue(&[]);
    let number = text(&other, "number");
    let foreign = ["void", number, "--key", "store.key", "--reason", "x"];
    assert_eq!(city.place.run(&foreign).status.code(), Some(1));
}

#[test]
fn a_code_that_is_not_there_and_one_that_is_none_are_told_apart() {
    let city = City::new();
    let unknown = trace_core::ident::TraceCode::from_bytes([7; 10]).to_string();
    for (what, named) in [
        (unknown.as_str(), "unit_unknown"),
        ("NO-SUCH-NUMBER", "unit_unknown"),
        ("no code", "trace_code_malformed"),
    ] {
        let output = city.place.run(&["show", what]);
        assert_eq!(output.status.code(), Some(1));
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains(named), "{told}");
    }
    let out = ["bundle", unknown.as_str(), "--out", "b.json"];
    assert_eq!(city.place.run(&out).status.code(), Some(1));
    assert!(!city.place.path("b.json").exists());
    let nowhere = city.place.run(&["show", &unknown, "--data", "nowhere"]);
    assert_eq!(nowhere.status.code(), Some(6));
}

#[test]
fn a_sound_ledger_passes_its_audit_and_a_damaged_one_does_not() {
    let city = City::new();
    let file = city.bundle(text(&city.issue(&[]), "code"));
    let audited = city
        .place
        .json(&["audit", "--against", file.to_str().unwrap()]);
    assert_eq!(audited["sound"], true);
    assert_eq!(audited["held_checkpoints"], 1);
    // Another ledger's checkpoint, or key, is not this one's.
    let other = City::new();
    let foreign = other.bundle(text(&other.issue(&[]), "code"));
    let output = city
        .place
        .run(&["audit", "--against", foreign.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(5));
    // The text of a record changed in the file: no longer what was signed.
    let log = city.place.path("ledger/log.redb");
    let mut bytes = fs::read(&log).unwrap();
    let wanted = "永清县".as_bytes();
    let places: Vec<usize> = (0..bytes.len() - wanted.len())
        .filter(|at| &bytes[*at..at + wanted.len()] == wanted)
        .collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at] ^= 1;
    }
    fs::write(&log, &bytes).unwrap();
    let output = city.place.run(&["audit"]);
    assert_eq!(output.status.code(), Some(1));
    let nowhere = city.place.run(&["audit", "--data", "nowhere"]);
    assert_eq!(nowhere.status.code(), Some(6));
}

#[test]
fn a_backup_restores_to_the_same_ledger_and_a_damaged_one_to_none() {
    let city = City::new();
    let issued = city.issue(&[]);
    let code = text(&issued, "code");
    city.place.json(&["backup", "--out", "l.backup"]);
    let again = city.place.run(&["backup", "--out", "l.backup"]);
    assert_eq!(again.status.code(), Some(6), "never overwritten");
    let restore = [
        "restore",
        "l.backup",
        "--data",
        "restored",
        "--ledger-key",
        "ledger/ledger.key",
        "--checkpoint",
        "ledger/last-checkpoint",
    ];
    let backup = city.place.path("l.backup");
    let sound = fs::read(&backup).unwrap();
    let mut damaged = sound.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    fs::write(&backup, &damaged).unwrap();
    assert_eq!(city.place.run(&restore).status.code(), Some(1));
    fs::write(&backup, &sound).unwrap();
    let restored = city.place.json(&restore);
    assert_eq!(restored["missing"], 0);
    assert_eq!(
        city.place.json(&["show", code, "--data", "restored"])["status"],
        "valid"
    );
    assert_eq!(
        city.place.json(&["audit", "--data", "restored"])["sound"],
        true
    );
    assert_eq!(
        city.place.run(&restore).status.code(),
        Some(6),
        "never replaced"
    );
}

#[test]
fn a_token_is_shown_once_listed_and_ended() {
    let city = City::new();
    let made = city
        .place
        .json(&["token", "make", "--role", "inspector", "--area", "131023"]);
    assert!(text(&made, "token").starts_with("trt_"));
    let no_area = city.place.run(&["token", "make", "--role", "inspector"]);
    assert_eq!(no_area.status.code(), Some(1));
    let list = city.place.json(&["token", "list"]);
    assert_eq!(list[0]["area"], "131023");
    assert!(!list.to_string().contains(text(&made, "token")));
    city.place.json(&["token", "revoke", text(&made, "id")]);
    assert!(city.place.json(&["token", "list"])[0]["revoked_at"].is_string());
    let unknown = city.place.run(&["token", "revoke", "0000000000000000"]);
    assert_eq!(unknown.status.code(), Some(1));
}

#[test]
fn a_persons_data_are_locked_away_at_once_and_destroyed_only_when_retention_ends() {
    let city = City::new();
    let issued = city.issue(&["--contact-name", "王某某", "--contact-phone", "13800000000"]);
    let code = text(&issued, "code");
    let shown = city.place.json(&["show", code]);
    let person = &shown["records"][1]["persons"][0];
    let person = text(person, "person");
    let by = ["--key", "keys/authority.key"];
    let asked = city
        .place
        .json(&[&["erase", "request", person][..], &by].concat());
    assert!(text(&asked, "destroy_on") > city.today.as_str());
    let shown = city.place.json(&["show", code]);
    assert!(shown["records"][1].get("persons").is_none());
    let early = city
        .place
        .run(&[&["erase", "destroy", person][..], &by].concat());
    assert_eq!(early.status.code(), Some(1));
    let told = String::from_utf8(early.stderr).unwrap();
    assert!(told.contains("retention_runs"), "{told}");
    // The proof holds all the same.
    let file = city.bundle(code);
    assert_eq!(city.verify(file.to_str().unwrap(), &city.anchor), Some(0));
}

#[test]
fn a_hosted_key_signs_only_with_the_key_encryption_key() {
    let place = Place::new();
    let made = place.json(&[
        "init",
        "--origin",
        "a.example/trace",
        "--name",
        "甲",
        "--area",
        "131000",
        "--kek-file",
        "kek",
        "--authority",
        "农业农村局",
    ]);
    let authority = text(&made["authority"], "entity").to_owned();
    assert_eq!(made["authority"]["is_hosted"], true);
    let add = ["entity", "add", "--as", &authority, "--area", "131023"];
    let household = [
        "--category",
        "household",
        "--contact-name",
        "李某",
        "--role",
        "producer",
        "--hosted",
    ];
    let without = place.run(&[&add[..], &household].concat());
    assert_ne!(without.status.code(), Some(0));
    let added = place.json(&[&add[..], &household, &["--kek-file", "kek"]].concat());
    let entity = text(&added, "entity");
    let mut issue = vec!["issue", "--as", entity, "--kek-file", "kek"];
    issue.extend(RIGHT);
    let today = today();
    issue.extend(["--produced-on", &today, "--basis", basis()]);
    let issued = place.json(&issue);
    assert!(text(&issued, "number").starts_with("131023-"));
    let shown = place.json(&["show", text(&issued, "code")]);
    assert_eq!(shown["records"][0]["signer"]["is_hosted"], true);
}

#[test]
fn a_second_ledger_is_not_made_over_the_first_and_its_keys_are_not_overwritten() {
    let city = City::new();
    let again = [
        "init",
        "--origin",
        "b.example",
        "--name",
        "乙",
        "--area",
        "131000",
    ];
    let same_folder = city.place.run(&[&again[..], &["--keys", "other"]].concat());
    assert_eq!(same_folder.status.code(), Some(6));
    let same_keys = city
        .place
        .run(&[&again[..], &["--keys", "keys", "--data", "b"]].concat());
    assert_eq!(same_keys.status.code(), Some(6));
    assert!(!city.place.path("b").exists());
}

#[test]
fn a_small_demo_is_made_its_bundle_verifies_and_it_is_found_again() {
    let place = Place::new();
    let make = ["demo", "--scale", "0.002", "--no-serve"];
    let made = place.json(&make);
    let demo = &made["demo"];
    let (valid, anchor) = (text(demo, "valid"), text(demo, "anchor"));
    place.json(&["bundle", valid, "--data", "demo", "--out", "b.json"]);
    let verdict = place.json(&["verify", "b.json", "--anchor", anchor]);
    assert_eq!(verdict["status"], "valid");
    for (name, status) in [("voided", "voided"), ("superseded", "superseded")] {
        let shown = place.json(&["show", text(demo, name), "--data", "demo"]);
        assert_eq!(shown["status"], status);
    }
    assert_eq!(place.json(&["audit", "--data", "demo"])["sound"], true);
    assert_eq!(
        place.json(&make)["demo"],
        *demo,
        "served again, not made again"
    );
    fs::rename(place.path("demo/demo.json"), place.path("demo/demo.making")).unwrap();
    assert_eq!(place.run(&make).status.code(), Some(6));
    let fresh = place.json(&[&make[..], &["--fresh"]].concat());
    assert_eq!(fresh["demo"]["records"], demo["records"], "the same seed");
    let other = place.run(&["demo", "--data", ".", "--no-serve"]);
    assert_eq!(other.status.code(), Some(6), "something else lies here");
}

#[test]
fn every_subcommand_teaches_by_an_example() {
    let place = Place::new();
    for subcommand in SUBCOMMANDS {
        let mut arguments: Vec<&str> = subcommand.split(' ').collect();
        let named = format!("trace {subcommand} ");
        for help in ["-h", "--help"] {
            arguments.push(help);
            let told = place.text(&arguments);
            assert!(told.contains("Example"), "{subcommand}\n{told}");
            assert!(told.contains(named.trim()), "{subcommand}\n{told}");
            arguments.pop();
        }
    }
    let help = place.text(&["--help"]);
    for subcommand in SUBCOMMANDS {
        let first = subcommand.split(' ').next().unwrap();
        assert!(help.contains(&format!("\n  {first} ")), "{first}\n{help}");
    }
}

#[test]
fn errors_are_one_sentence_in_the_language_asked_for() {
    let place = Place::new();
    let output = place.run(&["audit", "--language", "zh"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.starts_with("错误:"), "{told}");
    let mut command = trace();
    let output = command
        .args(["key", "show", "nothing"])
        .env("LANG", "zh_CN.UTF-8")
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        told.starts_with("错误:") && told.lines().count() == 1,
        "{told}"
    );
    let output = place.run(&["key", "show", "nothing", "--json"]);
    let told: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(told["exit_code"], 6);
    assert_eq!(place.run(&["issue"]).status.code(), Some(2));
    assert_eq!(place.run(&["nonsense"]).status.code(), Some(2));
}
