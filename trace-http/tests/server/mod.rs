//! A real server on a free port, spoken to over raw sockets. Every wait ends.

#![allow(dead_code, reason = "each test file uses its own part of this")]

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{Arc, mpsc},
    time::Duration,
};

use axum::{
    Extension, Router,
    routing::{get, post},
};
use tokio::sync::{Semaphore, oneshot};
use trace_http::{
    body::{JsonBody, OctetBody},
    metrics::Metrics,
    operations::{observed, routes},
    server::{Limits, Load, Peer, serve},
};

/// No wait in these tests is longer.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Limits that make a test quick; `PATIENCE` stays far above them.
pub fn quick() -> Limits {
    Limits {
        head_time: Duration::from_millis(300),
        stall_time: Duration::from_millis(300),
        idle_time: Duration::from_millis(300),
        answer_time: Duration::from_secs(3),
        shutdown_time: Duration::from_secs(3),
        body_bytes: 64 * 1024,
        ..Limits::default()
    }
}

/// The server under test.
pub struct Server {
    pub address: SocketAddr,
    pub load: Arc<Load>,
    /// Says when a request has entered `/gate`.
    pub entered: mpsc::Receiver<()>,
    gate: Arc<Semaphore>,
    stop: Option<oneshot::Sender<()>>,
    ended: mpsc::Receiver<std::io::Result<()>>,
    _runtime: tokio::runtime::Runtime,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    number: u8,
}

impl Server {
    pub fn start(limits: Limits) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let load = Arc::new(Load::default());
        let metrics = Arc::new(Metrics::new(&load));
        let gate = Arc::new(Semaphore::new(0));
        let (enter, entered) = mpsc::channel();
        let wait = Arc::clone(&gate);
        let router = Router::new()
            .route("/", get(async || "fine"))
            .route(
                "/bytes",
                post(async |OctetBody(it): OctetBody| it.len().to_string()),
            )
            .route(
                "/number",
                post(async |JsonBody(it): JsonBody<Wanted>| it.number.to_string()),
            )
            .route(
                "/peer",
                get(async |Extension(peer): Extension<Peer>| peer.0.ip().to_string()),
            )
            .route("/panic", get(panics))
            .route(
                "/gate",
                get(async move || {
                    enter.send(()).unwrap();
                    wait.acquire().await.unwrap().forget();
                    "through"
                }),
            )
            .merge(routes(Arc::clone(&metrics), Arc::new(|| Ok(()))));
        let router = observed(router, metrics);
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
            .unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let (end, ended) = mpsc::channel();
        let counted = Arc::clone(&load);
        runtime.spawn(async move {
            let stopped = async { stopped.await.unwrap_or(()) };
            let _ = end.send(serve(listener, router, limits, counted, stopped).await);
        });
        Self {
            address,
            load,
            entered,
            gate,
            stop: Some(stop),
            ended,
            _runtime: runtime,
        }
    }

    /// What SIGTERM does.
    pub fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    pub fn ended(&self) -> std::io::Result<()> {
        self.ended.recv_timeout(PATIENCE).unwrap()
    }

    pub fn open_gate(&self) {
        self.gate.add_permits(1);
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect_timeout(&self.address, PATIENCE).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Everything that comes back for `request` until the server closes.
    pub fn exchange(&self, request: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect();
        stream.write_all(request.as_ref()).unwrap();
        rest(&mut stream)
    }

    /// The server still answers.
    pub fn assert_lives(&self) {
        let answer = self.exchange("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        assert!(
            answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("fine"),
            "{answer}"
        );
    }
}

async fn panics() -> &'static str {
    panic!("a panic on purpose")
}

/// What comes until the server closes; a reset, which could have taken the
/// answer with it, is a failure.
pub fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// What comes until `end` has come.
pub fn until(stream: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    let mut byte = [0];
    while !text.ends_with(end) {
        stream.read_exact(&mut byte).unwrap();
        text.push(char::from(byte[0]));
    }
    text
}

/// The answer is this problem, as a document, and the only answer.
pub fn assert_problem(answer: &str, status: u16, code: &str) {
    assert!(
        answer.starts_with(&format!("HTTP/1.1 {status} ")),
        "{answer}"
    );
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(
        head.contains("content-type: application/problem+json"),
        "{head}"
    );
    let document: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(document["code"], code, "{document}");
    assert_eq!(document["status"], status);
    assert_eq!(document["type"], format!("/problems#{code}"));
}
