//! The accept loop: bounded connections over HTTP/1.1, and an orderly end.
//!
//! HTTP/1.1 only. TLS and HTTP/2 belong to the proxy in front (the README has one), which speaks
//! HTTP/1.1 to servers anyway; HTTP/2 here would bring its own ways to flood
//! (resets, continuations) and nothing for short answers. `axum::serve` is not
//! used: it bounds neither connections nor time.

mod alarm;
mod chunks;
mod front;
mod guard;
mod head;
mod limits;
mod load;

pub use front::Peer;
pub use limits::Limits;
pub use load::Load;

use std::{
    io,
    net::SocketAddr,
    pin::pin,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
    time::timeout,
};

use crate::{
    language::Language,
    problem::{MEDIA_TYPE, Problem, Refusal},
};
use front::Front;
use guard::{Guard, Refused};

/// How long a closing connection is read from so that the answer arrives:
/// a few round trips over a phone network.
const LINGER_TIME: Duration = Duration::from_secs(2);
/// Connections that are told why they are turned away; more are just closed.
const FAREWELLS_MAX: usize = 64;
/// After the system had no descriptor or memory for a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `router` until `shutdown` completes, then finishes what was accepted.
///
/// # Errors
/// [`io::ErrorKind::TimedOut`] where requests were still unanswered after
/// [`Limits::shutdown_time`] and were cut off.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    load: Arc<Load>,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let limits = Arc::new(limits);
    let permits = Arc::new(Semaphore::new(limits.connections));
    let farewells = Arc::new(Semaphore::new(FAREWELLS_MAX));
    let (stop, stopped) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let (stream, peer) = tokio::select! {
            () = &mut shutdown => break,
            Some(ended) = connections.join_next() => {
                log_panic(ended);
                continue;
            }
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    pause_after(&error).await;
                    continue;
                }
            },
        };
        if let Ok(permit) = Arc::clone(&permits).try_acquire_owned() {
            let connection = Connection {
                router: router.clone(),
                limits: Arc::clone(&limits),
                load: Arc::clone(&load),
                peer,
                _permit: permit,
            };
            load.connections.inc();
            connections.spawn(connection.converse(stream, stopped.clone()));
        } else {
            load.connections_refused.inc();
            if let Ok(permit) = Arc::clone(&farewells).try_acquire_owned() {
                connections.spawn(turn_away(stream, permit));
            }
        }
    }
    drop(listener);
    drop(stop);
    let finished = timeout(limits.shutdown_time, async {
        while let Some(ended) = connections.join_next().await {
            log_panic(ended);
        }
    });
    if finished.await.is_ok() {
        return Ok(());
    }
    let why = format!("{} connections were cut off", connections.len());
    connections.shutdown().await;
    Err(io::Error::new(io::ErrorKind::TimedOut, why))
}

/// Completes on SIGTERM or SIGINT.
///
/// # Errors
/// Where the system does not let signals be listened for.
pub fn signalled() -> io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        Ok(async move {
            tokio::select! {
                _ = terminate.recv() => tracing::info!("SIGTERM: finishing"),
                _ = interrupt.recv() => tracing::info!("SIGINT: finishing"),
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        // Without a way to be told, the server runs until it is killed.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

fn log_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!("a connection's task panicked");
    }
}

/// A client that has gone again is nothing; a system without resources needs
/// a moment, or the loop would spin.
async fn pause_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    let is_clients = matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
    );
    if !is_clients {
        tracing::error!(%error, "cannot accept connections");
        tokio::time::sleep(ACCEPT_PAUSE).await;
    }
}

struct Connection {
    router: Router,
    limits: Arc<Limits>,
    load: Arc<Load>,
    peer: SocketAddr,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.load.connections.dec();
    }
}

impl Connection {
    async fn converse(self, stream: TcpStream, mut stopped: watch::Receiver<()>) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "connection");
        }
        let refused = Arc::new(Refused::default());
        let mut guard = Guard::new(stream, Arc::clone(&self.limits), Arc::clone(&refused));
        let front = Front {
            router: self.router.clone(),
            limits: Arc::clone(&self.limits),
            load: Arc::clone(&self.load),
            refused,
            peer: self.peer,
            requests: AtomicU64::new(0),
        };
        let ended = {
            let mut connection = pin!(
                http1::Builder::new()
                    // Time is the guard's: it can answer with a document.
                    .header_read_timeout(None)
                    .max_headers(self.limits.head_fields)
                    .max_buf_size(self.limits.head_bytes.max(56 * 1024) + 8 * 1024)
                    // A client that has said all may shut its side and wait; and
                    // hyper does not read while a request is answered.
                    .half_close(true)
                    .serve_connection(TokioIo::new(&mut guard), front)
            );
            tokio::select! {
                ended = &mut connection => ended,
                // Nothing is ever sent: the sender is dropped.
                _ = stopped.changed() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "connection");
        }
        if guard.has_unread() {
            linger(guard.into_stream()).await;
        }
    }
}

/// Says that the server is full, and closes.
async fn turn_away(mut stream: TcpStream, _permit: OwnedSemaphorePermit) {
    let body = Problem::new(Refusal::Busy)
        .document(Language::default())
        .to_string();
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: {MEDIA_TYPE}\r\ncontent-length: {}\r\n\
         retry-after: 1\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    if let Ok(Ok(())) = timeout(LINGER_TIME, stream.write_all(answer.as_bytes())).await {
        linger(stream).await;
    }
}

/// Reads on for a moment what the client is still sending: closing a socket
/// with unread bytes resets it, and the answer could be lost (RFC 9112, 9.6).
async fn linger(mut stream: TcpStream) {
    let drained = timeout(LINGER_TIME, async {
        stream.shutdown().await?;
        let mut scrap = [0; 4096];
        while stream.read(&mut scrap).await? > 0 {}
        io::Result::Ok(())
    });
    // Whatever came of it, the connection is over.
    let _ = drained.await;
}
