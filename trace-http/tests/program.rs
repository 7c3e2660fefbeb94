//! The program `trace` itself: how it is told, how it ends.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, ChildStderr, Command, ExitStatus, Output, Stdio},
    time::{Duration, Instant},
};

use trace_core::{
    ledger::{
        LAST_CHECKPOINT, Ledger, Settings,
        job::{Job, Outcome},
    },
    record::submission::Submission,
};
use trace_fixtures::{Who, World};
use trace_http::{home::Home, machine};

const PATIENCE: Duration = Duration::from_secs(10);

fn trace() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trace"));
    command.env_clear();
    command
}

fn error(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_flag_wins_over_the_environment_and_that_over_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.toml");
    std::fs::write(&file, "listen = \"from-file\"\n").unwrap();
    let mut command = trace();
    command.arg("serve").env("TRACE_SETTINGS", &file);
    // None of them is an address: the complaint tells which one was taken.
    let output = command.output().unwrap();
    assert!(error(&output).contains("'from-file'"), "{}", error(&output));
    command.env("TRACE_LISTEN", "from-environment");
    let output = command.output().unwrap();
    assert!(
        error(&output).contains("'from-environment'"),
        "{}",
        error(&output)
    );
    command.args(["--listen", "from-flag"]);
    let output = command.output().unwrap();
    assert!(error(&output).contains("'from-flag'"), "{}", error(&output));
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn help_is_no_error_and_wrong_use_is_one() {
    let output = trace().args(["serve", "--help"]).output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    for part in [
        "--kek-file",
        "TRACE_DATA",
        "./ledger",
        "20971520",
        "864000000",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    for arguments in [&["serve", "--kek", "00"][..], &["server"], &[]] {
        let output = trace().args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn a_key_in_the_environment_must_be_one_and_is_not_shown() {
    let output = trace()
        .arg("serve")
        .env("TRACE_KEK", "secret-but-short")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(error(&output).contains("TRACE_KEK: wanted 64 hexadecimal digits"));
    assert!(!error(&output).contains("secret-but-short"));
}

#[test]
fn an_address_in_use_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ledger = ledger();
    let output = serve(ledger.path(), &address).output().unwrap();
    assert_eq!(output.status.code(), Some(6));
    assert!(error(&output).contains(&format!("listen on {address}")));
}

#[test]
fn it_never_makes_a_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let output = serve(folder.path(), "127.0.0.1:0").output().unwrap();
    assert_eq!(output.status.code(), Some(6));
    assert!(
        error(&output).contains("there is no ledger here"),
        "{}",
        error(&output)
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn two_never_hold_one_ledger() {
    let ledger = ledger();
    let first = Served::start(ledger.path());
    let output = serve(ledger.path(), "127.0.0.1:0").output().unwrap();
    assert_eq!(output.status.code(), Some(6), "{}", error(&output));
    let (status, _) = first.end("-TERM");
    assert!(status.success());
}

#[cfg(unix)]
#[test]
fn sigterm_and_sigint_end_it_with_success_and_the_ledger_opens_again() {
    let ledger = ledger();
    for signal in ["-TERM", "-INT"] {
        let server = Served::start(ledger.path());
        let answer = server.ask("GET /healthz?code=secret HTTP/1.1\r\n", "", b"");
        assert!(answer.ends_with("ok\n"), "{answer}");
        let answer = server.ask("GET /v1/anchor HTTP/1.1\r\n", "", b"");
        assert!(answer.contains("langfang.example/trace+"), "{answer}");
        let (status, rest) = server.end(signal);
        assert!(status.success(), "{status}");
        assert!(rest.contains("\"route\":\"/healthz\""), "{rest}");
        assert!(!rest.contains("secret"), "{rest}");
    }
}

/// The record is committed and its checkpoint cannot be kept: nothing may be
/// answered, and the process ends with a code of its own.
#[test]
fn a_writer_that_can_write_no_more_ends_the_process_at_once() {
    let ledger = ledger();
    let checkpoints = tempfile::tempdir().unwrap();
    let kept = checkpoints.path().join("kept");
    std::fs::create_dir(&kept).unwrap();
    std::fs::rename(
        ledger.path().join(LAST_CHECKPOINT),
        kept.join(LAST_CHECKPOINT),
    )
    .unwrap();
    let mut command = serve(ledger.path(), "127.0.0.1:0");
    command.arg("--checkpoints").arg(&kept);
    let server = Served::run(command);
    std::fs::remove_dir_all(&kept).unwrap();
    let mut bytes = Vec::new();
    for submission in &ledger.next {
        submission.encode_into(&mut bytes);
    }
    let octets = "content-type: application/octet-stream\r\n";
    let answer = server.ask("POST /v1/records HTTP/1.1\r\n", octets, &bytes);
    assert!(!answer.contains("201"), "{answer}");
    let (status, rest) = server.wait();
    assert_eq!(status.code(), Some(70), "{rest}");
    assert!(rest.contains("the writer ended"), "{rest}");
}

/// A ledger in a folder, with everybody registered a minute ago.
struct Prepared {
    folder: tempfile::TempDir,
    /// A record that may be admitted next.
    next: Vec<Submission>,
}

impl Prepared {
    fn path(&self) -> &Path {
        self.folder.path()
    }
}

fn ledger() -> Prepared {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(7);
    world.now_ms = machine::now_ms() - 120_000;
    let settings = Settings::default();
    let (origin, key) = (world.origin().clone(), world.ledger_key());
    let (home, sequencer) = Home::create(folder.path(), origin, key, None, settings).unwrap();
    let writer = Ledger::start(sequencer, machine::clock(), |why| panic!("{why}")).unwrap();
    let genesis = writer.verify(world.genesis());
    let job = Job {
        items: genesis.into_iter().map(Result::unwrap).collect(),
        atomic: true,
        request: None,
    };
    let answered = writer.submit_and_wait(job).unwrap();
    let is_admitted = |outcome| matches!(outcome, Outcome::Admitted(_));
    assert!(answered.outcomes.into_iter().all(is_admitted));
    drop(answered.view);
    writer.stop().unwrap();
    drop(home);
    let unit = world.unit();
    let next = vec![world.sign_bare(Who::Producer, unit)];
    Prepared { folder, next }
}

fn serve(folder: &Path, address: &str) -> Command {
    let mut command = trace();
    command.args(["serve", "--listen", address, "--log-format", "json"]);
    command.arg("--data").arg(folder);
    command
}

/// The program, serving.
struct Served {
    process: Child,
    log: BufReader<ChildStderr>,
    address: String,
}

impl Served {
    fn start(folder: &Path) -> Self {
        Self::run(serve(folder, "127.0.0.1:0"))
    }

    fn run(mut command: Command) -> Self {
        let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap());
        loop {
            let mut line = String::new();
            assert!(log.read_line(&mut line).unwrap() > 0, "it ended");
            let said: serde_json::Value = serde_json::from_str(&line).unwrap();
            if let Some(address) = said["address"].as_str() {
                let address = address.to_owned();
                return Self {
                    process,
                    log,
                    address,
                };
            }
        }
    }

    fn ask(&self, line: &str, fields: &str, body: &[u8]) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let length = body.len();
        let head = format!(
            "{line}host: a\r\nconnection: close\r\n{fields}content-length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut answer = Vec::new();
        // A process that ends resets its connections.
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8(answer).unwrap()
    }

    fn end(self, signal: &str) -> (ExitStatus, String) {
        let told = Command::new("kill")
            .args([signal, &self.process.id().to_string()])
            .status();
        assert!(told.unwrap().success());
        self.wait()
    }

    fn wait(mut self) -> (ExitStatus, String) {
        let started = Instant::now();
        let status = loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                break status;
            }
            if started.elapsed() > PATIENCE {
                self.process.kill().unwrap();
                panic!("it does not end");
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let mut rest = String::new();
        self.log.read_to_string(&mut rest).unwrap();
        (status, rest)
    }
}
