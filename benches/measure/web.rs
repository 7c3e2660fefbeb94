//! A server as `trace serve` has it, one whose handler does nothing, and the
//! load generator for both.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "each bench uses a part; a bench that cannot go on stops"
)]

use super::WAIT_MAX;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use trace_core::ledger::Ledger;
use trace_core::ledger::lookups::{self, Lookups};
use trace_core::ledger::tokens::{Sharing, Tokens};
use trace_core::store::disk::{Disk, RealDisk};
use trace_http::api::office::{Book, Office};
use trace_http::metrics::Metrics;
use trace_http::server::{Limits, Load, serve};

/// Keep-alive connections of the load generator.
const CONNECTIONS: usize = 16;

/// What answers for a ledger at a moment, with its files in a folder.
pub fn office(ledger: &Ledger, folder: &Path, now_ms: u64) -> Office {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let tokens = Tokens::create(Arc::clone(&disk), &folder.join("tokens"), Sharing::Alone);
    let lookups = Lookups::create(disk, &folder.join("lookups"), lookups::Committing::Thread);
    Office::new(
        Book::Writing(ledger.clone()),
        tokens.unwrap(),
        lookups.unwrap(),
        Arc::new(move || now_ms),
        "http://127.0.0.1".to_owned(),
    )
}

/// Serves all that it answers.
pub fn served(runtime: &Runtime, office: Office) -> SocketAddr {
    let load = Arc::new(Load::default());
    let metrics = Arc::new(Metrics::new(&load));
    let router = trace_http::api::router(Arc::new(office), metrics, Arc::new(|| Ok(())));
    runtime.block_on(start(router))
}

/// Serves 300 static bytes at every address of this form.
pub fn empty(runtime: &Runtime, path: &str) -> SocketAddr {
    const STATIC: &[u8] = &[b'x'; 300];
    let handler = axum::routing::get(async || STATIC);
    runtime.block_on(start(axum::Router::new().route(path, handler)))
}

async fn start(router: axum::Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(
        listener,
        router,
        Limits::default(),
        Arc::new(Load::default()),
        std::future::pending(),
    ));
    address
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(WAIT_MAX)).unwrap();
    stream
}

fn ask(stream: &mut TcpStream, path: &str) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
}

/// Requests every path once, over a few connections that stay open.
pub fn request_all(address: SocketAddr, paths: &[String]) {
    std::thread::scope(|scope| {
        for part in paths.chunks(paths.len().div_ceil(CONNECTIONS)) {
            scope.spawn(move || {
                let mut stream = connect(address);
                let mut buffer = vec![0u8; 64 * 1024];
                for path in part {
                    ask(&mut stream, path);
                    read_answer(&mut stream, &mut buffer, 0);
                }
            });
        }
    });
}

/// How long the first byte of each answer took, one request after the other over
/// a connection that stays open, with a pause between them.
pub fn first_bytes(address: SocketAddr, paths: &[String], pause: Duration) -> Vec<Duration> {
    let mut stream = connect(address);
    let mut buffer = vec![0u8; 64 * 1024];
    let one = |path: &String| {
        std::thread::sleep(pause);
        let began = Instant::now();
        ask(&mut stream, path);
        let count = stream.read(&mut buffer).unwrap();
        let took = began.elapsed();
        assert!(count > 0, "the server closed");
        read_answer(&mut stream, &mut buffer, count);
        took
    };
    paths.iter().map(one).collect()
}

/// Reads the rest of an answer of which some bytes were read; how long it is.
fn read_answer(stream: &mut TcpStream, buffer: &mut [u8], mut filled: usize) -> usize {
    loop {
        if let Some(length) = length_of(&buffer[..filled])
            && filled >= length
        {
            return length;
        }
        let count = stream.read(&mut buffer[filled..]).unwrap();
        assert!(count > 0, "the server closed");
        filled += count;
    }
}

/// How long a whole answer is, once its head is there.
fn length_of(read: &[u8]) -> Option<usize> {
    let end = read.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&read[..end])
        .unwrap()
        .to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 200"), "{head}");
    let length: usize = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .unwrap()
        .parse()
        .unwrap();
    Some(end + 4 + length)
}

/// The length of one answer, head and all.
pub fn answer_length(address: SocketAddr, path: &str) -> usize {
    let mut stream = connect(address);
    ask(&mut stream, path);
    read_answer(&mut stream, &mut vec![0u8; 64 * 1024], 0)
}
