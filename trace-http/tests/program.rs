//! The program `trace` itself: how it is told, how it ends.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::zombie_processes,
    reason = "a test fails by panicking; what it started ends with it"
)]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, ChildStderr, Command, ExitStatus, Output, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use trace_core::{
    ledger::{
        LAST_CHECKPOINT, Ledger, Opened, Settings,
        hosted::Kek,
        job::{Job, Outcome},
        tokens::Grant,
    },
    record::{Body, Role, kinds::key_enrolled::KeyEnrolled, submission::Submission, wire::TokenId},
};
use trace_fixtures::{Who, World};
use trace_http::{
    home::{Home, LOOKUPS, TOKENS},
    machine,
    serve::{open_lookups, open_tokens},
};
use zeroize::Zeroizing;

/// The key under which these tests' ledgers keep hosted keys.
const KEK: &str = "5ec7e75ec7e75ec7e75ec7e75ec7e75ec7e75ec7e75ec7e75ec7e75ec7e75ec7";

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
    let mut server = Served::run(command);
    std::fs::remove_dir_all(&kept).unwrap();
    let answer = server.post(&ledger.next);
    assert!(!answer.contains("201"), "{answer}");
    let (status, rest) = server.wait();
    assert_eq!(status.code(), Some(70), "{rest}");
    assert!(rest.contains("the writer ended"), "{rest}");
}

/// The server neither stamps nor refuses on a clock that it does not trust; its
/// log says what the operator can do, who does it once.
#[test]
fn after_a_jump_of_the_clock_records_wait_until_the_operator_has_confirmed_it() {
    let mut ledger = ledger_left(20 * 86_400_000);
    let server = Served::start(ledger.path());
    let answer = server.post(&ledger.next);
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.contains("\"clock_suspect\""), "{answer}");
    let (status, rest) = server.end("-TERM");
    assert!(
        status.success() && rest.contains("--confirm-clock"),
        "{rest}"
    );

    let mut command = serve(ledger.path(), "127.0.0.1:0");
    command.arg("--confirm-clock");
    let server = Served::run(command);
    let answer = server.post(&ledger.next);
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    assert!(server.end("-TERM").0.success());

    // From here the last admission is of today.
    let server = Served::start(ledger.path());
    let unit = ledger.world.unit();
    let next = ledger.world.sign_bare(Who::Producer, unit);
    let answer = server.post(&[next]);
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    assert!(server.end("-TERM").0.success());
}

/// The head of the log of look-ups is on the ledger before the process ends,
/// signed by the operator's hosted key.
#[test]
fn what_was_read_in_full_is_sealed_on_the_ledger_by_the_operator() {
    let ledger = ledger();
    let world = &ledger.world;
    let operator = world.id(Who::Operator);
    let inspector = world.entity(Who::Inspector);
    let grant = Grant {
        entity: Some(inspector.id),
        role: Role::Inspector,
        area: Some(inspector.area),
        expires_ms: u64::MAX,
    };
    let tokens = open_tokens(&ledger.path().join(TOKENS)).unwrap();
    let (id, secret) = (TokenId([7; 8]), Zeroizing::new([7; 32]));
    let token = tokens.issue(id, &secret, grant, 0).unwrap();
    drop(tokens);
    let mut command = serve(ledger.path(), "127.0.0.1:0");
    command.arg("--operator").arg(operator.to_string());
    command.env("TRACE_KEK", KEK);
    let server = Served::run(command);
    server.post(&ledger.next);
    let Body::UnitCreated(unit) = ledger.next[0].signed.body().unwrap() else {
        panic!("no unit")
    };
    let line = format!("GET /v1/codes/{} HTTP/1.1\r\n", unit.unit);
    let bearer = format!("authorization: Bearer {}\r\n", token.reveal());
    let answer = server.ask(&line, &bearer, b"");
    assert!(answer.contains("trace-audience: full"), "{answer}");
    let (status, rest) = server.end("-TERM");
    assert!(status.success(), "{rest}");

    let (_home, opened) = Home::open(ledger.path(), None, Settings::default()).unwrap();
    let Opened::Writable(sequencer) = opened else {
        panic!("opened read-only")
    };
    let view = sequencer.view();
    let last = view.entry(view.size() - 1).unwrap().signed.body().unwrap();
    let Body::LookupsSealed(sealed) = last else {
        panic!("{last:?}")
    };
    let head = open_lookups(&ledger.path().join(LOOKUPS)).unwrap().head();
    assert_eq!((sealed.count, sealed.head), (1, head.hash));
}

/// What the page tells a reader to type is typed.
#[test]
fn the_command_on_the_page_checks_what_the_page_says() {
    let ledger = ledger();
    let server = Served::start(ledger.path());
    server.post(&ledger.next);
    let Body::UnitCreated(unit) = ledger.next[0].signed.body().unwrap() else {
        panic!("no unit")
    };
    let get = |path: &str| {
        let answer = server.ask(&format!("GET {path} HTTP/1.1\r\n"), "", b"");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 "), "{answer}");
        body.to_owned()
    };
    let code = unit.unit.compact();
    let page = get(&format!("/t/{code}"));
    let pre = page.split("<pre tabindex=\"0\">").nth(1).unwrap();
    let pre = pre.split("</pre>").next();
    let (fetch, check) = pre.unwrap().split_once('\n').unwrap();
    let path = fetch.split(&server.address).nth(1).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(format!("{code}.bundle.json"));
    std::fs::write(&file, get(path)).unwrap();
    let words: Vec<&str> = check.split(' ').map(|it| it.trim_matches('\'')).collect();
    assert_eq!(words[0], "trace");
    let mut command = trace();
    command.args(&words[1..]).current_dir(folder.path());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{check}: {}", error(&output));
    // With another anchor it is another ledger.
    let other = check.replace("trace+", "trace-b+");
    let words: Vec<&str> = other.split(' ').map(|it| it.trim_matches('\'')).collect();
    let mut command = trace();
    command.args(&words[1..]).current_dir(folder.path());
    assert_ne!(command.output().unwrap().status.code(), Some(0), "{other}");
    assert!(server.end("-TERM").0.success());
}

/// A ledger in a folder, with everybody registered a minute ago.
struct Prepared {
    folder: tempfile::TempDir,
    world: World,
    /// A record that may be admitted next.
    next: Vec<Submission>,
}

impl Prepared {
    fn path(&self) -> &Path {
        self.folder.path()
    }
}

fn ledger() -> Prepared {
    ledger_left(0)
}

/// The same, and nothing was admitted for so long.
fn ledger_left(ago_ms: u64) -> Prepared {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(7);
    world.now_ms = machine::now_ms() - 120_000 - ago_ms;
    let settings = Settings::default();
    let (origin, key) = (world.origin().clone(), world.ledger_key());
    let kek = Kek::from_hex(KEK);
    let (home, sequencer) = Home::create(folder.path(), origin, key, kek, settings).unwrap();
    let clock = Arc::new(move || machine::now_ms() - ago_ms);
    let writer = Ledger::start(sequencer, clock, |why| panic!("{why}")).unwrap();
    let mut records = world.genesis();
    let operator = world.fresh_key("operator");
    let seed = operator.seed();
    let kept = writer.host_key(world.id(Who::Operator), seed, machine::random());
    assert_eq!(kept.unwrap(), operator.public().id());
    let enrolled = KeyEnrolled {
        hosted: true,
        ..world.key_enrolled(Who::Operator, &operator)
    };
    records.push(world.sign_bare(Who::Root, enrolled));
    let job = Job {
        items: writer
            .verify(records)
            .into_iter()
            .map(Result::unwrap)
            .collect(),
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
    Prepared {
        folder,
        world,
        next,
    }
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

    fn post(&self, submissions: &[Submission]) -> String {
        let mut bytes = Vec::new();
        for submission in submissions {
            submission.encode_into(&mut bytes);
        }
        let octets = "content-type: application/octet-stream\r\n";
        self.ask("POST /v1/records HTTP/1.1\r\n", octets, &bytes)
    }

    fn end(mut self, signal: &str) -> (ExitStatus, String) {
        let told = Command::new("kill")
            .args([signal, &self.process.id().to_string()])
            .status();
        assert!(told.unwrap().success());
        self.wait()
    }

    fn wait(&mut self) -> (ExitStatus, String) {
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

/// A test that fails leaves no server behind.
impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
