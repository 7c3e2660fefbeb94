//! The program in a temporary folder of its own, each run bounded in time.

use std::{
    path::PathBuf,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

/// The longest run is the demo at a fiftieth of a percent, unoptimised.
const PATIENCE: Duration = Duration::from_secs(120);

/// Every subcommand there is.
pub const SUBCOMMANDS: &[&str] = &[
    "serve",
    "init",
    "key new",
    "key show",
    "entity add",
    "issue",
    "warehouse in",
    "warehouse out",
    "cold register",
    "cold place",
    "cold take-out",
    "cold map",
    "cold read",
    "cold seal",
    "cold show",
    "cold policy list",
    "cold policy adopt",
    "cold prune",
    "void",
    "show",
    "trace",
    "recall",
    "balance",
    "questions",
    "grade",
    "document put",
    "document get",
    "label",
    "bundle",
    "verify",
    "audit",
    "backup",
    "restore",
    "token make",
    "token list",
    "token revoke",
    "erase request",
    "erase destroy",
    "demo",
];

/// The program, with nothing from the environment.
pub fn trace() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trace"));
    command.env_clear();
    command
}

/// A folder to work in.
pub struct Place(TempDir);

impl Place {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A path within it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs the program to its end, which must come in time.
    pub fn run(&self, arguments: &[&str]) -> Output {
        let mut command = trace();
        command
            .args(arguments)
            .current_dir(self.0.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        let id = child.id();
        let (sender, receiver) = std::sync::mpsc::channel();
        let started = Instant::now();
        std::thread::spawn(move || {
            // Whoever waits may have given up.
            let _ = sender.send(child.wait_with_output());
        });
        match receiver.recv_timeout(PATIENCE) {
            Ok(output) => output.unwrap(),
            Err(_) => {
                let _ = Command::new("kill").args(["-9", &id.to_string()]).status();
                panic!("{arguments:?} takes longer than {:?}", started.elapsed());
            }
        }
    }

    /// What it writes for people, when it ends well.
    pub fn text(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let (told, error) = (
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        );
        assert_eq!(
            output.status.code(),
            Some(0),
            "{arguments:?}\n{told}\n{error}"
        );
        told
    }

    /// What it writes for programs, when it ends well.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let told = self.text(&[arguments, &["--json"]].concat());
        serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}\n{told}"))
    }
}
