//! A server that has no descriptor left: because of more connections than it may
//! have files, and because the system takes them away while it runs.

use std::{
    net::TcpStream,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use trace_http::serve::WRITER_ENDED;

use crate::{load::under_load, number, program::Program, town::Town};

/// So many files may the server have open: its own are about two dozen.
const DESCRIPTORS: &str = "256";
/// So many connections are held open against it.
const CONNECTIONS: usize = 600;
/// Fewer than a server has open: it is granted no more.
const NONE_LEFT: &str = "--nofile=8:";
const ENOUGH: &str = "--nofile=256:";

/// Whoever opened connections enough once ended the writer: it had no descriptor
/// for the next checkpoint.
#[test]
fn connections_enough_to_exhaust_descriptors_end_no_server() {
    let seed = number("TRACE_KILLS_SEED", 20_260_513);
    let town = Town::new(seed);
    let limited = ["sh", "-c", "ulimit -n $0; exec \"$@\"", DESCRIPTORS];
    let load = under_load(&town, seed, |door| {
        let server = Program::serving_by(&town, &limited, |_| {});
        let mut server = server.unwrap_or_else(|code| panic!("it ended with {code}"));
        let before = door.open(&server.address);
        door.wait_for_answers(before + 100);
        let address = server.address.strip_prefix("http://").unwrap();
        let connected = (0..CONNECTIONS).map(|_| TcpStream::connect(address));
        let crowd: Vec<_> = connected.collect::<Result<_, _>>().unwrap();
        thread::sleep(Duration::from_secs(2));
        assert!(!server.has_ended(), "{:?}", server.ended());
        drop(crowd);
        let before = door.answers();
        door.wait_for_answers_of(&server, before + 100);
        server
    });
    let [records, orders, readings] = load.acknowledged();
    let size = load.check(&town);
    println!(
        "{CONNECTIONS} connections for {DESCRIPTORS} descriptors: {records} records, {orders} \
         orders, {readings} readings acknowledged, {size} entries"
    );
}

#[test]
fn descriptors_taken_away_from_a_running_server_cost_nothing_that_it_answered() {
    let seed = number("TRACE_KILLS_SEED", 20_260_514);
    let times = number("TRACE_DESCRIPTORS_TAKEN", 4);
    let town = Town::new(seed);
    let mut ended = 0;
    let load = under_load(&town, seed, |door| {
        for _ in 0..times {
            let mut server = Program::serving(&town);
            let before = door.open(&server.address);
            door.wait_for_answers(before + 100);
            grant(&server, NONE_LEFT);
            let taken = Instant::now();
            while !server.has_ended() && taken.elapsed() < Duration::from_secs(2) {
                // Whoever lost a connection opens another.
                door.open(&server.address);
                thread::sleep(Duration::from_millis(50));
            }
            if server.has_ended() {
                let (code, said) = server.ended();
                assert_eq!(code, WRITER_ENDED, "{said:?}");
                ended += 1;
                continue;
            }
            grant(&server, ENOUGH);
            let before = door.answers();
            door.wait_for_answers_of(&server, before + 100);
            server.kill();
        }
        let server = Program::serving(&town);
        let before = door.open(&server.address);
        door.wait_for_answers(before + 100);
        server
    });
    let [records, orders, readings] = load.acknowledged();
    let size = load.check(&town);
    println!(
        "{times} times without a descriptor, of which {ended} ended the writer: {records} records, \
         {orders} orders, {readings} readings acknowledged, {size} entries"
    );
}

/// How many descriptors a running server may have.
fn grant(server: &Program, limit: &str) {
    let pid = format!("--pid={}", server.id());
    let granted = Command::new("prlimit").args([&pid, limit]).status();
    assert!(granted.unwrap().success(), "{limit}");
}
