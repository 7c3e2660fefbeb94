//! What one client may take of the server, each limit with its reason.

use std::time::Duration;

use axum::http::HeaderName;

/// Descriptors that are no connection's: the ledger's files and those that replace
/// them, the log, what tokio waits with; and connections that are turned away.
const DESCRIPTORS_KEPT: u64 = 64 + super::FAREWELLS_MAX as u64;
/// Descriptors of a connection: itself, and a file that its request opens.
const DESCRIPTORS_EACH: u64 = 2;

/// The limits of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time, as far as there are descriptors for them
    /// ([`Limits::within`]). Each may hold a head of 16 KiB and a body of 20 MiB.
    pub connections: usize,
    /// Bytes of a request head. Browsers send 1-2 KiB, behind proxies 4 KiB;
    /// 16 KiB leaves room for both and bounds 1,024 connections to 16 MiB.
    pub head_bytes: usize,
    /// Fields in a request head. Browsers send 15-25, proxies add ten.
    pub head_fields: usize,
    /// Bytes of a body: 1,024 records of 16 KiB are 16 MiB, their openings
    /// at most 4 MiB.
    pub body_bytes: usize,
    /// From a head's first byte to its last, and from connecting to the first
    /// byte. A phone on a market's edge needs seconds, an attacker wants
    /// minutes.
    pub head_time: Duration,
    /// Without one byte of a body arriving, or of an answer being taken. TCP
    /// retransmits for about 13 s (0.2 s doubled six times) over a poor link.
    pub stall_time: Duration,
    /// Between an answer and the next head. A page fetches its parts within
    /// seconds; proxies keep connections for 60 s but reopen silently.
    pub idle_time: Duration,
    /// From a head to its answer, body included. A full group commit takes
    /// well below a second, 20 MiB over 10 Mbit/s take 17 s.
    pub answer_time: Duration,
    /// The field in which a proxy in front names the reader, where there is one:
    /// without it all readers behind a proxy are one.
    pub peer_header: Option<HeaderName>,
    /// For requests in flight after the signal to stop. Orchestrators kill
    /// after 30 s; 20 s leave the store time to close.
    pub shutdown_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            head_bytes: 16 * 1024,
            head_fields: 64,
            body_bytes: 20 * 1024 * 1024,
            head_time: Duration::from_secs(10),
            stall_time: Duration::from_secs(15),
            idle_time: Duration::from_secs(30),
            answer_time: Duration::from_secs(30),
            peer_header: None,
            shutdown_time: Duration::from_secs(20),
        }
    }
}

impl Limits {
    /// The same with no more connections than leave the ledger the descriptors it
    /// needs: without one for the next checkpoint the writer would end, and
    /// whoever opened connections enough would have ended it.
    #[must_use]
    pub fn within(self, descriptors: u64) -> Self {
        let left = descriptors.saturating_sub(DESCRIPTORS_KEPT) / DESCRIPTORS_EACH;
        let left = usize::try_from(left).unwrap_or(usize::MAX).max(1);
        if left < self.connections {
            tracing::warn!(
                descriptors,
                wanted = self.connections,
                connections = left,
                "too few descriptors for the connections wanted: raise the limit of open files"
            );
        }
        Self {
            connections: self.connections.min(left),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_the_ledger_its_descriptors() {
        for (descriptors, connections) in [(u64::MAX, 1024), (2_176, 1024), (1_024, 448), (0, 1)] {
            let limits = Limits::default().within(descriptors);
            assert_eq!(limits.connections, connections, "{descriptors}");
        }
    }
}
