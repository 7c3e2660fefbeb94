//! The process: started, killed, never left behind.

use std::{
    io::{BufRead, BufReader},
    os::unix::process::ExitStatusExt,
    process::{Child, ChildStderr, Command, Output, Stdio},
    sync::mpsc::{Receiver, channel},
};

use serde_json::Value;

use crate::{
    PATIENCE,
    town::{KEK, Town},
};

/// SIGKILL: a process cannot take leave.
const KILLED: i32 = 9;

/// The smallest overlay there is, so that many kills fall into a merge.
const OVERLAY_BYTES: &str = "65536";

/// The program, serving, with the address it said.
pub struct Program {
    process: Child,
    pub address: String,
    said: Receiver<String>,
}

impl Program {
    /// Started, and nothing known of it yet.
    pub fn spawn(town: &Town) -> Self {
        let mut command = trace();
        command.args(["serve", "--listen", "127.0.0.1:0", "--log-format", "json"]);
        command.args(["--overlay-bytes", OVERLAY_BYTES]);
        command.arg("--data").arg(town.folder());
        command.env("TRACE_KEK", KEK).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let log = process.stderr.take().unwrap();
        let (say, said) = channel();
        std::thread::spawn(move || read(log, |line| say.send(line).is_ok()));
        Self {
            process,
            address: String::new(),
            said,
        }
    }

    /// Started, and it has said where it listens.
    pub fn serving(town: &Town) -> Self {
        let mut program = Self::spawn(town);
        while program.address.is_empty() {
            let line = program.said.recv_timeout(PATIENCE);
            let line = line.expect("it said nothing, or ended");
            let said: Value = serde_json::from_str(&line).expect(&line);
            assert_ne!(said["level"], "ERROR", "{line}");
            if let Some(address) = said["address"].as_str() {
                program.address = format!("http://{address}");
            }
        }
        program
    }

    /// Killed; it had not ended before.
    pub fn kill(mut self) {
        if let Some(status) = self.process.try_wait().unwrap() {
            let said: Vec<_> = self.said.try_iter().collect();
            panic!("it ended by itself with {status}: {said:?}");
        }
        self.process.kill().unwrap();
        let status = self.process.wait().unwrap();
        assert_eq!(status.signal(), Some(KILLED), "{status}");
    }
}

/// A test that fails leaves no server behind.
impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Reads to the end whether or not somebody listens: a full pipe would stop
/// the server.
fn read(log: ChildStderr, say: impl Fn(String) -> bool) {
    for line in BufReader::new(log).lines() {
        let Ok(line) = line else { return };
        let _ = say(line);
    }
}

fn trace() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trace"));
    command.env_clear();
    command
}

/// `trace audit` of the folder as it lies there.
pub fn audit(town: &Town) -> Output {
    let mut command = trace();
    command.arg("audit").arg("--data").arg(town.folder());
    command.output().unwrap()
}
