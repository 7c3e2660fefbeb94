//! The program `trace` itself: how it is told, how it ends.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

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
    let output = trace()
        .args(["serve", "--listen", &address])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(6));
    assert!(error(&output).contains(&format!("listen on {address}")));
}

#[cfg(unix)]
#[test]
fn sigterm_and_sigint_end_it_with_success() {
    for signal in ["-TERM", "-INT"] {
        let mut server = trace()
            .args(["serve", "--listen", "127.0.0.1:0", "--log-format", "json"])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(server.stderr.take().unwrap());
        let mut line = String::new();
        log.read_line(&mut line).unwrap();
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        let address = line["address"].as_str().unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
            .write_all(b"GET /healthz?code=secret HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.ends_with("ok\n"), "{answer}");
        let told = Command::new("kill")
            .args([signal, &server.id().to_string()])
            .status();
        assert!(told.unwrap().success());
        let started = Instant::now();
        let status = loop {
            if let Some(status) = server.try_wait().unwrap() {
                break status;
            }
            if started.elapsed() > PATIENCE {
                server.kill().unwrap();
                panic!("it does not end");
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        assert!(status.success(), "{status}");
        let mut rest = String::new();
        log.read_to_string(&mut rest).unwrap();
        assert!(rest.contains("\"route\":\"/healthz\""), "{rest}");
        assert!(!rest.contains("secret"), "{rest}");
    }
}
