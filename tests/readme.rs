//! The READMEs tell the truth: their commands are run, and what they name is
//! there. Their Rust blocks run as documentation tests of `trace-fixtures`.

#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first thing that is not as it should be"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

/// The commands of the console blocks.
fn commands(text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| line.strip_prefix("$ "))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_two_commands_are_the_same_in_both_languages_and_in_continuous_integration() {
    let (english, chinese) = (
        commands(&read("README.md")),
        commands(&read("README.zh-CN.md")),
    );
    assert_eq!(english, chinese);
    assert_eq!(
        english.first().map(String::as_str),
        Some("cargo run --release -- demo")
    );
    assert_eq!(
        english.get(1).map(String::as_str),
        Some("cargo test --workspace")
    );
    assert!(
        read(".ci/run").contains("\ncargo test --workspace\n"),
        "the README's test command"
    );
}

/// The program `trace` as the suite has built it; built now when only this test
/// is run.
fn program() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let built = tests.parent().unwrap().parent().unwrap().join("trace");
    if !built.exists() {
        let status = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--bin", "trace"])
            .current_dir(root())
            .status();
        assert!(status.unwrap().success());
    }
    built
}

/// The first command, on a smaller city and without staying to serve: the same
/// program, built without optimisation.
#[test]
fn the_demo_builds_a_city_and_one_of_its_bundles_verifies_offline() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("demo");
    let program = program();
    let trace = |arguments: &[&str]| {
        let mut command = Command::new(&program);
        let output = command.args(arguments).current_dir(folder.path()).output();
        let output = output.unwrap();
        let text = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        (output.status.code(), text)
    };
    let data_text = data.to_str().unwrap();
    let (code, text) = trace(&[
        "demo",
        "--data",
        data_text,
        "--scale",
        "0.002",
        "--no-serve",
    ]);
    assert_eq!(code, Some(0), "{text}");
    // What it prints is typed as it stands: look, take the evidence, check it.
    let called = format!("  {} ", program.display());
    let printed: Vec<&str> = text
        .lines()
        .filter_map(|it| it.strip_prefix(&called))
        .collect();
    let verbs: Vec<_> = printed
        .iter()
        .filter_map(|it| it.split(' ').next())
        .collect();
    assert_eq!(verbs, ["show", "bundle", "verify", "audit"], "{text}");
    for line in printed {
        let words: Vec<&str> = line.split(' ').collect();
        let (code, text) = trace(&words);
        assert_eq!(code, Some(0), "{line}\n{text}");
    }
}

#[test]
fn every_file_and_folder_that_a_readme_names_is_there() {
    let mut seen = 0;
    for readme in ["README.md", "README.zh-CN.md"] {
        let text = read(readme);
        for part in text
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|part| part.contains('/') && !part.contains(' '))
        {
            let path = Path::new(part.trim_start_matches("./"));
            let names_a_place = [
                "trace-core",
                "trace-http",
                "fixtures",
                "tests",
                "benches",
                ".ci",
            ]
            .iter()
            .any(|top| path.starts_with(top));
            if names_a_place {
                seen += 1;
                assert!(
                    root().join(path).exists(),
                    "{readme} names {part}, which is not there"
                );
            }
        }
    }
    assert!(seen >= 10, "only {seen} places are named");
}
