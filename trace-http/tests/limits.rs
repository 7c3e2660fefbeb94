//! What a client cannot do to the server: hold it, fill it, confuse it, end it.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod server;

use std::{
    io::{Read, Write},
    time::{Duration, Instant},
};

use server::{PATIENCE, Server, assert_problem, quick, rest, until};
use trace_http::server::Limits;

#[test]
fn a_dribbled_head_is_refused_in_time_and_the_connection_closed() {
    let server = Server::start(quick());
    let mut stream = server.connect();
    let started = Instant::now();
    let mut writer = stream.try_clone().unwrap();
    let dribble = std::thread::spawn(move || {
        // One byte at a time would go on for ever; the server ends it.
        while started.elapsed() < PATIENCE && writer.write_all(b"G").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let answer = rest(&mut stream);
    assert!(started.elapsed() < PATIENCE, "closed in time");
    assert_problem(&answer, 408, "head_too_slow");
    drop(stream);
    dribble.join().unwrap();
    server.assert_lives();
}

#[test]
fn a_silent_connection_is_closed_without_a_word() {
    let server = Server::start(quick());
    assert_eq!(rest(&mut server.connect()), "");
}

#[test]
fn an_idle_connection_is_closed_after_its_answer() {
    let server = Server::start(quick());
    let mut stream = server.connect();
    for _ in 0..2 {
        stream
            .write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            .unwrap();
        assert!(until(&mut stream, "fine").starts_with("HTTP/1.1 200 "));
    }
    assert_eq!(rest(&mut stream), "");
}

#[test]
fn heads_of_300_kb_or_65_fields_are_refused_and_within_the_limit_not() {
    let server = Server::start(quick());
    let head = |count: usize, length: usize| {
        let fields = format!("x: {}\r\n", "y".repeat(length)).repeat(count);
        format!("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{fields}\r\n")
    };
    assert_problem(&server.exchange(head(30, 10_000)), 431, "head_too_large");
    assert_problem(&server.exchange(head(1, 300_000)), 431, "head_too_large");
    assert_problem(&server.exchange(head(63, 1)), 431, "head_too_large");
    assert!(server.exchange(head(62, 200)).starts_with("HTTP/1.1 200 "));
}

#[test]
fn what_two_readers_could_delimit_differently_is_refused_before_routing() {
    let server = Server::start(quick());
    let behind = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    for (fields, code) in [
        ("", "host_missing"),
        ("host: a\r\nhost: b\r\n", "host_duplicate"),
        (
            "host: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n",
            "length_and_transfer_encoding",
        ),
        (
            "host: a\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n",
            "length_and_transfer_encoding",
        ),
        (
            "host: a\r\ncontent-length: 5\r\ncontent-length: 5\r\n",
            "length_duplicate",
        ),
        (
            "host: a\r\ncontent-length: 5\r\ncontent-length: 6\r\n",
            "length_duplicate",
        ),
        (
            "host: a\r\ntransfer-encoding: x\r\n",
            "transfer_encoding_unsupported",
        ),
        ("host: a\r\nx : y\r\n", "head_malformed"),
    ] {
        // What follows is not taken for a second request.
        let request = format!(
            "POST /bytes HTTP/1.1\r\ncontent-type: application/octet-stream\r\n{fields}\r\n0\r\n\r\n{behind}"
        );
        assert_problem(&server.exchange(request), 400, code);
    }
    assert_problem(
        &server.exchange("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        505,
        "version_unsupported",
    );
    assert_eq!(server.load.requests_refused.get(), 9);
    server.assert_lives();
}

#[test]
fn a_refusal_is_answered_in_its_turn_behind_earlier_requests() {
    let server = Server::start(quick());
    let fine = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    let answer = server.exchange(format!("{fine}{fine}GET / HTTP/1.1\r\n\r\n{fine}"));
    let answers: Vec<_> = answer.split_inclusive("fine").collect();
    assert_eq!(answers.len(), 3, "{answer}");
    assert!(answers[0].starts_with("HTTP/1.1 200 ") && answers[1].starts_with("HTTP/1.1 200 "));
    assert_problem(answers[2], 400, "host_missing");
}

#[test]
fn a_body_over_the_limit_is_refused_whether_announced_or_in_chunks() {
    let server = Server::start(quick());
    let limit = quick().body_bytes;
    let head = "POST /bytes HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/octet-stream\r\n";
    let announced = format!("{head}content-length: {}\r\n\r\n", limit + 1);
    assert_problem(&server.exchange(announced), 413, "body_too_large");
    let sent = format!(
        "{head}content-length: {}\r\n\r\n{}",
        limit + 1,
        "x".repeat(limit + 1)
    );
    assert_problem(&server.exchange(sent), 413, "body_too_large");
    let chunked = |length: usize| {
        let body = "x".repeat(length);
        format!("{head}transfer-encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n")
    };
    assert_problem(&server.exchange(chunked(limit + 1)), 413, "body_too_large");
    let fits = server.exchange(chunked(limit));
    assert!(fits.ends_with(&format!("\r\n\r\n{limit}")), "{fits}");
}

#[test]
fn a_body_that_stops_is_refused_and_one_that_never_ends_is_cut_off() {
    let server = Server::start(Limits {
        answer_time: Duration::from_millis(900),
        ..quick()
    });
    let head = "POST /bytes HTTP/1.1\r\nhost: a\r\ncontent-type: application/octet-stream\r\n";
    for framing in [
        "content-length: 50\r\n\r\nhello",
        "transfer-encoding: chunked\r\n\r\n5\r\nhel",
    ] {
        assert_problem(
            &server.exchange(format!("{head}{framing}")),
            408,
            "body_too_slow",
        );
    }
    let mut stream = server.connect();
    stream
        .write_all(format!("{head}transfer-encoding: chunked\r\n\r\n").as_bytes())
        .unwrap();
    let mut writer = stream.try_clone().unwrap();
    let started = Instant::now();
    let endless = std::thread::spawn(move || {
        while started.elapsed() < PATIENCE && writer.write_all(b"1\r\nx\r\n").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let answer = rest(&mut stream);
    assert!(started.elapsed() < PATIENCE, "cut off in time");
    assert_problem(&answer, 503, "answer_too_slow");
    drop(stream);
    endless.join().unwrap();
}

#[test]
fn a_malformed_body_is_refused_and_ends_the_connection() {
    let server = Server::start(quick());
    let head = "POST /bytes HTTP/1.1\r\nhost: a\r\ncontent-type: application/octet-stream\r\n";
    let answer = server.exchange(format!(
        "{head}transfer-encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n"
    ));
    assert_problem(&answer, 400, "body_malformed");
}

#[test]
fn an_answer_that_is_not_taken_ends_the_connection() {
    let server = Server::start(Limits {
        idle_time: PATIENCE,
        ..quick()
    });
    let mut stream = server.connect();
    stream
        .set_write_timeout(Some(Duration::from_millis(100)))
        .unwrap();
    let started = Instant::now();
    // Asked for again and again, never read: buffers fill, then nothing moves.
    while started.elapsed() < PATIENCE {
        let asked = stream.write_all(b"GET /problems HTTP/1.1\r\nhost: a\r\n\r\n");
        if asked.is_err_and(|error| error.kind() != std::io::ErrorKind::WouldBlock) {
            break;
        }
    }
    assert!(started.elapsed() < PATIENCE, "cut off in time");
}

#[test]
fn connections_over_the_limit_are_refused_while_those_inside_work() {
    let server = Server::start(Limits {
        connections: 2,
        idle_time: PATIENCE,
        ..quick()
    });
    let ask = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    let mut inside = [server.connect(), server.connect()];
    for stream in &mut inside {
        stream.write_all(ask).unwrap();
        until(stream, "fine");
    }
    assert_eq!(server.load.connections.get(), 2);
    for _ in 0..3 {
        assert_problem(&server.exchange(ask), 503, "busy");
    }
    assert_eq!(server.load.connections_refused.get(), 3);
    for stream in &mut inside {
        stream.write_all(ask).unwrap();
        until(stream, "fine");
    }
    drop(inside);
    // The places are free as soon as the server has seen them go.
    let started = Instant::now();
    while server.load.connections.get() > 0 {
        assert!(started.elapsed() < PATIENCE, "places stay taken");
        std::thread::yield_now();
    }
    server.assert_lives();
}

#[test]
fn the_signal_to_stop_closes_the_door_and_finishes_what_is_inside() {
    let mut server = Server::start(Limits {
        idle_time: PATIENCE,
        head_time: PATIENCE,
        ..quick()
    });
    let mut inside = server.connect();
    inside
        .write_all(b"GET /gate HTTP/1.1\r\nhost: a\r\n\r\n")
        .unwrap();
    server.entered.recv_timeout(PATIENCE).unwrap();
    let mut idle = server.connect();
    idle.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        .unwrap();
    until(&mut idle, "fine");
    let mut silent = server.connect();
    until_open(&server, 3);
    server.stop();
    assert_eq!(rest(&mut idle), "");
    assert_eq!(rest(&mut silent), "");
    let started = Instant::now();
    while std::net::TcpStream::connect(server.address).is_ok() {
        assert!(started.elapsed() < PATIENCE, "the door stays open");
    }
    server.open_gate();
    let answer = rest(&mut inside);
    assert!(
        answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("through"),
        "{answer}"
    );
    server.ended().unwrap();
}

#[test]
fn a_request_that_outlasts_the_time_to_stop_is_cut_off_and_said_so() {
    let mut server = Server::start(Limits {
        shutdown_time: Duration::from_millis(300),
        ..quick()
    });
    let mut inside = server.connect();
    inside
        .write_all(b"GET /gate HTTP/1.1\r\nhost: a\r\n\r\n")
        .unwrap();
    server.entered.recv_timeout(PATIENCE).unwrap();
    server.stop();
    assert_eq!(rest(&mut inside), "");
    let error = server.ended().unwrap_err();
    assert_eq!(error.to_string(), "1 connections were cut off");
}

#[test]
fn a_client_waiting_longer_than_the_idle_time_gets_its_answer() {
    let server = Server::start(quick());
    let mut stream = server.connect();
    stream
        .write_all(b"GET /gate HTTP/1.1\r\nhost: a\r\n\r\n")
        .unwrap();
    server.entered.recv_timeout(PATIENCE).unwrap();
    std::thread::sleep(quick().idle_time * 2);
    server.open_gate();
    assert!(until(&mut stream, "through").starts_with("HTTP/1.1 200 "));
}

#[test]
fn a_client_that_shuts_its_side_still_gets_its_answer() {
    let server = Server::start(quick());
    let mut stream = server.connect();
    stream
        .write_all(b"GET /gate HTTP/1.1\r\nhost: a\r\n\r\n")
        .unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    server.entered.recv_timeout(PATIENCE).unwrap();
    server.open_gate();
    assert!(rest(&mut stream).ends_with("through"));
}

fn until_open(server: &Server, count: i64) {
    let started = Instant::now();
    while server.load.connections.get() != count {
        assert!(started.elapsed() < PATIENCE, "never {count} connections");
        std::thread::yield_now();
    }
}

#[test]
fn bytes_that_are_no_http_never_end_the_server() {
    let server = Server::start(quick());
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    println!("seed {state:#x}");
    for _ in 0..50 {
        let noise: Vec<u8> = (0..600)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state.to_le_bytes()[0]
            })
            .chain(*b"\r\n\r\n")
            .collect();
        let mut stream = server.connect();
        stream.write_all(&noise).unwrap();
        let mut start = [0; 12];
        stream.read_exact(&mut start).unwrap();
        assert_eq!(&start, b"HTTP/1.1 400");
    }
    server.assert_lives();
}

#[test]
fn a_refused_client_may_finish_sending_and_still_learns_why() {
    let server = Server::start(quick());
    // More than the sockets' buffers hold: somebody has to be reading.
    let body = vec![b'x'; 16 << 20];
    let mut request = format!(
        "POST /bytes HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    request.extend_from_slice(&body);
    assert_problem(&server.exchange(request), 413, "body_too_large");
}

#[test]
fn behind_a_proxy_each_reader_is_who_the_proxy_says_and_otherwise_who_connected() {
    let ask = |server: &Server, fields: &str| {
        let answer = server.exchange(format!(
            "GET /peer HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{fields}\r\n"
        ));
        answer.rsplit("\r\n").next().unwrap().to_owned()
    };
    let named = "x-forwarded-for: 6.6.6.6, 203.0.113.9\r\n";
    let alone = Server::start(quick());
    assert_eq!(ask(&alone, named), "127.0.0.1", "a reader names nobody");
    let behind = Server::start(Limits {
        peer_header: Some("x-forwarded-for".parse().unwrap()),
        ..quick()
    });
    assert_eq!(ask(&behind, named), "203.0.113.9");
    assert_eq!(ask(&behind, ""), "127.0.0.1");
    assert_eq!(ask(&behind, "x-forwarded-for: nobody\r\n"), "127.0.0.1");
}
