//! Calls that the system refuses: the n-th write, sync, rename or change of length
//! of any thread of the real server, on any file of the ledger, fails with EIO or
//! ENOSPC, also two of them. Done by `strace -e inject`; where there is no strace,
//! or nothing may be traced, this says so and tries nothing.
//!
//! `TRACE_FAULTS=n` tries so many.

use std::{
    collections::BTreeMap,
    fs,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use trace_fixtures::draw::Draw;
use trace_http::serve::WRITER_ENDED;

use crate::{load::under_load, number, program::Program, town::Town};

/// Tried in the suite's short form: about a second each.
const FAULTS: u64 = 36;
/// One in so many is a pair.
const PAIR_ONE_IN: u64 = 3;
/// One in so many is followed by a server without faults, and an audit.
const AUDIT_ONE_IN: u64 = 6;
/// A server under which no call came to fail is killed after so many answers.
const ANSWERS: u64 = 200;
/// Or after so long, where those who ask wait for another.
const WHILE: Duration = Duration::from_secs(2);

/// The calls by which the ledger's files are written, and the latest of each of a
/// thread that is made to fail: opening makes some dozens of the first.
const CALLS: [(&str, u64); 5] = [
    ("pwrite64", 60),
    ("fdatasync", 60),
    ("fsync", 16),
    ("rename,renameat,renameat2", 8),
    ("ftruncate", 3),
];
const ERRORS: [&str; 2] = ["EIO", "ENOSPC"];

/// What is replaced is written beside under these endings.
const BESIDE: [&str; 5] = ["", ".new", ".spare", ".rewrite", ".rewrite.new"];

/// Files that are looked at, with all that is written beside them.
fn paths(town: &Town) -> Vec<String> {
    let files = fs::read_dir(town.folder()).unwrap();
    let files = files.map(|file| file.unwrap().path());
    let files = files.chain([town.folder().to_owned()]);
    let names = files.flat_map(|path| BESIDE.map(|ending| format!("{}{ending}", path.display())));
    names.collect()
}

/// The words that start a server of which these calls fail.
fn words(town: &Town, draw: &mut Draw, heard: &str) -> Vec<String> {
    let calls = CALLS.map(|(calls, _)| calls).join(",");
    let mut words: Vec<String> = ["strace", "-D", "-f", "--seccomp-bpf", "-qq", "-o", heard]
        .map(str::to_owned)
        .into();
    words.extend(["-e".into(), format!("trace={calls}")]);
    let first = draw.place(CALLS.len());
    let mut injected = vec![first];
    if draw.chance(1, PAIR_ONE_IN) {
        // Of one call the last rule counts: a pair is of two.
        injected.push((first + 1 + draw.place(CALLS.len() - 1)) % CALLS.len());
    }
    for call in injected {
        let ((call, latest), error) = (CALLS[call], draw.pick(&ERRORS));
        let when = draw.between(1, latest);
        words.extend([
            "-e".into(),
            format!("inject={call}:error={error}:when={when}"),
        ]);
    }
    words.extend(paths(town).into_iter().flat_map(|path| ["-P".into(), path]));
    words
}

/// Whether programs can be traced here.
fn can_trace() -> bool {
    let mut strace = Command::new("strace");
    strace.args(["-f", "--seccomp-bpf", "-o", "/dev/null", "true"]);
    let status = strace.stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

#[test]
fn a_call_that_the_system_refuses_costs_nothing_that_was_answered() {
    if !can_trace() {
        println!("NOT TRIED: no strace here, or nothing may be traced");
        return;
    }
    let seed = number("TRACE_KILLS_SEED", 20_260_516);
    let faults = number("TRACE_FAULTS", FAULTS);
    println!("TRACE_KILLS_SEED={seed} TRACE_FAULTS={faults}");
    let mut draw = Draw::new(seed, "faults");
    let town = Town::new(seed);
    let heard = tempfile::NamedTempFile::new().unwrap();
    let heard_path = heard.path().to_str().unwrap();
    let mut failed: BTreeMap<String, u64> = BTreeMap::new();
    let (mut ended, mut not_opened, mut pairs) = (0_u64, 0_u64, 0_u64);
    let load = under_load(&town, seed, |door| {
        for fault in 0..faults {
            let words = words(&town, &mut draw, heard_path);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            match Program::serving_by(&town, &words, |_| {}) {
                Err(code) => {
                    assert!([6, WRITER_ENDED].contains(&code), "{code}: {words:?}");
                    not_opened += 1;
                }
                Ok(mut server) => {
                    let (before, started) = (door.open(&server.address), Instant::now());
                    while !server.has_ended()
                        && door.answers() < before + ANSWERS
                        && started.elapsed() < WHILE
                    {
                        thread::sleep(Duration::from_millis(5));
                    }
                    if server.has_ended() {
                        let (code, said) = server.ended();
                        assert_eq!(code, WRITER_ENDED, "{words:?}: {said:?}");
                        ended += 1;
                    } else {
                        server.kill();
                    }
                }
            }
            let heard = fs::read_to_string(heard_path).unwrap();
            let mut calls = 0;
            for line in heard.lines().filter(|line| line.contains("(INJECTED)")) {
                // `PID call(…` or, cut by another thread's, `PID <... call resumed>`.
                let (_, call) = line.split_once(' ').unwrap_or_default();
                let call = call.trim_start().trim_start_matches("<... ");
                let call = call.split(['(', ' ']).next().unwrap_or_default();
                *failed.entry(call.to_owned()).or_default() += 1;
                calls += 1;
            }
            pairs += u64::from(calls > 1);
            if fault % AUDIT_ONE_IN == AUDIT_ONE_IN - 1 {
                let server = Program::serving(&town);
                let before = door.open(&server.address);
                door.wait_for_answers(before + 50);
                server.kill();
                town.audit();
            }
        }
        let server = Program::serving(&town);
        let before = door.open(&server.address);
        door.wait_for_answers(before + 50);
        server
    });
    let [records, orders, readings] = load.acknowledged();
    let size = load.check(&town);
    println!(
        "{faults} servers: {failed:?} failed, {pairs} times more than one; {ended} writers ended, \
         {not_opened} did not open; {records} records, {orders} orders, {readings} readings \
         acknowledged, {size} entries"
    );
    let all: u64 = failed.values().sum();
    assert!(2 * all > faults, "hardly any call failed: {failed:?}");
    assert!(failed.len() >= 4 && ended > 0, "{failed:?}");
}
