//! The process: started, killed, never left behind.

use std::{
    io::{BufRead, BufReader},
    os::unix::process::ExitStatusExt,
    process::{Child, ChildStderr, Command, Output, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::{Duration, Instant},
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
    /// Started by way of these words, which come before its own name; nothing is
    /// known of it yet.
    pub fn spawn(town: &Town, before: &[&str]) -> Self {
        let mut command = trace(before);
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

    /// Started, and it has said where it listens, without complaint.
    pub fn serving(town: &Town) -> Self {
        Self::serving_by(town, &[], |line| {
            let said: Value = serde_json::from_str(line).expect(line);
            assert_ne!(said["level"], "ERROR", "{line}");
        })
        .unwrap_or_else(|code| panic!("it ended with {code}"))
    }

    /// The same by way of these words; otherwise how it ended.
    pub fn serving_by(town: &Town, before: &[&str], hear: fn(&str)) -> Result<Self, i32> {
        let mut program = Self::spawn(town, before);
        while program.address.is_empty() {
            match program.said.recv_timeout(PATIENCE) {
                Ok(line) => {
                    hear(&line);
                    let said: Value = serde_json::from_str(&line).unwrap_or_default();
                    if let Some(address) = said["address"].as_str() {
                        program.address = format!("http://{address}");
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return Err(program.ended().0),
                Err(RecvTimeoutError::Timeout) => panic!("it said nothing"),
            }
        }
        Ok(program)
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Sends a signal to it.
    pub fn signal(&self, name: &str) {
        let pid = self.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.unwrap().success(), "{name}");
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.process.try_wait().unwrap().is_some()
    }

    /// Waits until it has ended by itself: with which code, and what it said since.
    pub fn ended(mut self) -> (i32, Vec<String>) {
        let started = Instant::now();
        while !self.has_ended() {
            assert!(started.elapsed() < PATIENCE, "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
        let status = self.process.wait().unwrap();
        let said: Vec<String> = self.said.iter().collect();
        let code = status.code();
        (code.unwrap_or_else(|| panic!("{status}: {said:?}")), said)
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

fn trace(before: &[&str]) -> Command {
    let mut words = before.iter().chain([&env!("CARGO_BIN_EXE_trace")]);
    let mut command = Command::new(words.next().expect("its own name is one"));
    command.args(words).env_clear();
    command
}

/// `trace audit` of the folder as it lies there.
pub fn audit(town: &Town) -> Output {
    let mut command = trace(&[]);
    command.arg("audit").arg("--data").arg(town.folder());
    command.output().unwrap()
}
