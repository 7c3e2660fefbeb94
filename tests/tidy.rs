//! The style guide that runs: layout, layers, doors, and the size of a file.
//!
//! Each check reads the tree as it lies here and names the file and the line.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop at the first thing that is not as it should be"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// Past this a file holds more than one idea (design: 100 to 400 lines).
const FILE_LINES_MAX: usize = 600;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every source file of the project, with its path from the root.
fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for folder in ["trace-core", "trace-http", "fixtures", "benches", "tests"] {
        collect(&root().join(folder), &mut found);
    }
    assert!(found.len() > 50, "only {} sources were found", found.len());
    found
}

fn collect(folder: &Path, found: &mut Vec<(String, String)>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target") {
                collect(&path, found);
            }
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let name = path
                .strip_prefix(root())
                .unwrap()
                .to_string_lossy()
                .into_owned();
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

/// Lines that are neither comments nor documentation.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(at, line)| (at + 1, line))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn assert_none(what: &str, wrong: &[String]) {
    assert!(wrong.is_empty(), "{what}:\n{}", wrong.join("\n"));
}

#[test]
fn top_level_holds_the_fixed_layout_and_nothing_else() {
    let allowed = [
        "Cargo.toml",
        "Cargo.lock",
        "LICENSE",
        "README.md",
        "README.zh-CN.md",
        "trace-core",
        "trace-http",
        "fixtures",
        "benches",
        "tests",
        "target",
    ];
    let tracked = std::process::Command::new("git")
        .args(["ls-files"])
        .current_dir(root())
        .output();
    // A copy of the tree without its history is checked by what lies there.
    let names: Vec<String> = match tracked {
        Ok(output) if output.status.success() && !output.stdout.is_empty() => {
            String::from_utf8(output.stdout)
                .unwrap()
                .lines()
                .map(|line| line.split('/').next().unwrap().to_owned())
                .collect()
        }
        _ => fs::read_dir(root())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect(),
    };
    let mut wrong: Vec<String> = names
        .into_iter()
        .filter(|name| !allowed.contains(&name.as_str()) && !name.starts_with('.'))
        .collect();
    wrong.dedup();
    assert_none("not part of the layout", &wrong);
}

#[test]
fn every_file_is_one_idea_that_says_what_it_is() {
    let mut wrong = Vec::new();
    for (name, text) in sources() {
        let lines = text.lines().count();
        if lines > FILE_LINES_MAX {
            wrong.push(format!("{name}: {lines} lines, at most {FILE_LINES_MAX}"));
        }
        let is_test_module = name.ends_with("/tests.rs") || name.contains("/tests/");
        if !text.starts_with("//!") && !is_test_module {
            wrong.push(format!("{name}: does not begin with `//!`"));
        }
        let stem = Path::new(&name)
            .file_stem()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        if [
            "util", "utils", "common", "helper", "helpers", "types", "misc",
        ]
        .contains(&stem.as_str())
        {
            wrong.push(format!("{name}: names no idea"));
        }
    }
    assert_none("not one idea", &wrong);
}

#[test]
fn imports_of_the_core_run_one_way() {
    // ledger -> store, rules, proof -> record -> ident -> error
    let may_import: [(&str, &[&str]); 7] = [
        ("error", &["error"]),
        ("ident", &["ident", "error"]),
        ("record", &["record", "ident", "error"]),
        ("proof", &["proof", "record", "ident", "error"]),
        ("rules", &["rules", "record", "ident", "error"]),
        ("store", &["store", "error"]),
        (
            "ledger",
            &[
                "ledger", "store", "rules", "proof", "record", "ident", "error",
            ],
        ),
    ];
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (name, text) in sources() {
        let Some(inside) = name.strip_prefix("trace-core/src/") else {
            continue;
        };
        let layer = inside.split(['/', '.']).next().unwrap();
        let Some((_, allowed)) = may_import.iter().find(|(from, _)| *from == layer) else {
            continue;
        };
        for (at, line) in code(&text) {
            for part in line.split("crate::").skip(1) {
                let to: String = part
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect();
                let is_layer = may_import.iter().any(|(known, _)| *known == to);
                seen += usize::from(is_layer);
                if is_layer && !allowed.contains(&to.as_str()) {
                    wrong.push(format!("{name}:{at}: {layer} imports {to}"));
                }
            }
        }
    }
    assert!(seen > 100, "only {seen} imports were seen");
    assert_none("imports against the order", &wrong);
}

#[test]
fn each_outside_crate_has_one_door() {
    // crate, and where it may be named in the core
    let doors: [(&str, &[&str]); 11] = [
        (
            "redb",
            &["trace-core/src/store/redb.rs", "trace-core/src/store/redb/"],
        ),
        (
            "ed25519_dalek",
            &[
                "trace-core/src/record/sign.rs",
                "trace-core/src/record/sign/",
            ],
        ),
        ("sha2", &["trace-core/src/record/hash.rs"]),
        ("postcard", &["trace-core/src/record/encode.rs"]),
        ("base64", &["trace-core/src/record/base64.rs"]),
        ("unicode_normalization", &["trace-core/src/record/text.rs"]),
        ("jiff", &["trace-core/src/ident/date.rs"]),
        (
            "percent_encoding",
            &["trace-core/src/ident/digital_link.rs"],
        ),
        (
            "imbl",
            &[
                "trace-core/src/store/overlay.rs",
                "trace-core/src/store/overlay/",
            ],
        ),
        ("chacha20poly1305", &["trace-core/src/ledger/seal.rs"]),
        (
            "pco",
            &[
                "trace-core/src/proof/readings/chunk.rs",
                "trace-core/src/proof/readings/chunk/",
            ],
        ),
    ];
    let mut wrong = Vec::new();
    for (crate_name, allowed) in doors {
        let mut used = false;
        for (name, text) in sources()
            .iter()
            .filter(|(name, _)| name.starts_with("trace-core/src/"))
        {
            for (at, line) in code(text) {
                let named = line
                    .match_indices(&format!("{crate_name}::"))
                    .any(|(place, name)| {
                        let (before, after) = (&line[..place], &line[place + name.len()..]);
                        let is_word = |c: char| c.is_alphanumeric() || c == '_';
                        // `::redb::` is the crate, and `redb::` too;
                        // `store::redb::` is our own module.
                        if let Some(before) = before.strip_suffix("::") {
                            return !before.ends_with(is_word);
                        }
                        // Ours has the crate's name, and its users import it.
                        let is_ours = ["encode(", "decode("]
                            .iter()
                            .any(|it| after.starts_with(it));
                        !(before.ends_with(is_word) || crate_name == "base64" && is_ours)
                    });
                if named && !allowed.iter().any(|door| name.starts_with(door)) {
                    wrong.push(format!("{name}:{at}: names {crate_name}"));
                }
                used |= named;
            }
        }
        assert!(used, "{crate_name} has a door and no user");
    }
    assert_none("outside their doors", &wrong);
}

#[test]
fn each_crate_of_labels_and_of_messages_has_one_door() {
    let doors = [
        ("rumqttc", "trace-http/src/mqtt/"),
        ("qrcode", "trace-http/src/label/code.rs"),
        ("skrifa", "trace-http/src/label/font.rs"),
        ("krilla", "trace-http/src/label/pdf.rs"),
        ("png", "trace-http/src/label/raster.rs"),
        ("ab_glyph_rasterizer", "trace-http/src/label/raster.rs"),
        ("image", "trace-http/src/cli/scan.rs"),
        ("rqrr", "trace-http/src/cli/scan.rs"),
    ];
    let mut wrong = Vec::new();
    for (crate_name, door) in doors {
        let named = format!("{crate_name}::");
        let mut used = false;
        for (name, text) in sources() {
            if !name.starts_with("trace-http/src/") {
                continue;
            }
            for (at, line) in code(&text) {
                let is_named = line.match_indices(&named).any(|(place, _)| {
                    let before = line[..place].chars().next_back();
                    before.is_none_or(|it| !it.is_alphanumeric() && !"_:".contains(it))
                });
                let is_at_door = name.starts_with(door);
                used |= is_named && is_at_door;
                // Our own handlers are named by what they give.
                let is_ours = line.contains("labels::");
                if is_named && !is_at_door && !is_ours {
                    wrong.push(format!("{name}:{at}: names {crate_name}"));
                }
            }
        }
        assert!(used, "{crate_name} has a door and no user");
    }
    assert_none("outside their doors", &wrong);
}

#[test]
fn nothing_is_left_for_later_and_nothing_names_this_machine() {
    let mut wrong = Vec::new();
    for (name, text) in sources() {
        if name == "tests/tidy.rs" {
            continue;
        }
        for (at, line) in text.lines().enumerate() {
            for word in ["todo!", "unimplemented!", "TODO", "FIXME", "XXX"] {
                if line.contains(word)
                    && !line.contains(&format!("{word}X"))
                    && !line.contains("XXXX")
                {
                    wrong.push(format!("{name}:{}: {word}", at + 1));
                }
            }
            if names_this_checkout(line) {
                wrong.push(format!("{name}:{}: a path of this machine", at + 1));
            }
        }
    }
    assert_none("left behind", &wrong);
}

/// Whether a line holds the path at which this very checkout lies; as the end of
/// another path it is none.
fn names_this_checkout(line: &str) -> bool {
    let here = concat!(env!("CARGO_MANIFEST_DIR"), "/");
    line.match_indices(here).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|it| !it.is_alphanumeric() && !"-_./".contains(it))
    })
}

#[test]
fn a_path_of_this_checkout_is_known_and_other_paths_are_not() {
    let here = env!("CARGO_MANIFEST_DIR");
    assert!(names_this_checkout(&format!("see {here}/README.md")));
    assert!(!names_this_checkout(&format!(
        "see trace-core{here}/README.md"
    )));
    assert!(!names_this_checkout("see trace-core/src/ledger"));
}

#[test]
fn the_core_reads_no_clock_no_random_source_and_prints_nothing() {
    let mut wrong = Vec::new();
    for (name, text) in sources()
        .iter()
        .filter(|(name, _)| name.starts_with("trace-core/src/"))
    {
        let product = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let is_test_code = ["tests", "faults.rs", "world.rs", "never_panics.rs"];
        if is_test_code.iter().any(|part| name.contains(part)) {
            continue;
        }
        for (at, line) in code(product) {
            for word in [
                "SystemTime",
                "Instant::now",
                "getrandom",
                "println!",
                "print!(",
                "dbg!",
                "async fn",
                "tokio",
            ] {
                if line.contains(word) {
                    wrong.push(format!("{name}:{at}: {word}"));
                }
            }
        }
    }
    assert_none("the core does by itself", &wrong);
}
