//! Where the server is just now, for those who ask it; and what they are at.

use std::{
    sync::{
        Condvar, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use trace_http::client::ClientError;

use crate::{PATIENCE, program::Program};

/// The way to the server, whichever process that is.
#[derive(Default)]
pub struct Door {
    state: Mutex<State>,
    changed: Condvar,
    answers: AtomicU64,
    under_way: AtomicU64,
}

#[derive(Default)]
struct State {
    /// How many servers there have been.
    generation: u64,
    address: String,
    is_ending: bool,
    is_broken: bool,
}

/// One server.
#[derive(Clone, Default)]
pub struct Way {
    pub generation: u64,
    pub address: String,
}

/// Tells those who ask that nobody opens any more, however that came.
pub struct Ends<'a>(&'a Door);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock().unwrap();
        state.is_ending = true;
        state.is_broken = std::thread::panicking();
        self.0.changed.notify_all();
    }
}

impl Door {
    pub fn ends_with_this(&self) -> Ends<'_> {
        Ends(self)
    }

    /// There is a new server; how many answers there were before it.
    pub fn open(&self, address: &str) -> u64 {
        let mut state = self.state.lock().unwrap();
        state.generation += 1;
        state.address = address.to_owned();
        self.changed.notify_all();
        self.answers.load(Ordering::SeqCst)
    }

    /// Who has an answer to everything may go.
    pub fn finish(&self) {
        self.state.lock().unwrap().is_ending = true;
    }

    pub fn is_ending(&self) -> bool {
        self.state.lock().unwrap().is_ending
    }

    /// The next server after this one.
    pub fn next(&self, after: &Way) -> Way {
        let started = Instant::now();
        let mut state = self.state.lock().unwrap();
        while state.generation <= after.generation {
            assert!(!state.is_broken, "the test has failed elsewhere");
            let left = PATIENCE.checked_sub(started.elapsed());
            let left = left.expect("no server opens any more");
            state = self.changed.wait_timeout(state, left).unwrap().0;
        }
        Way {
            generation: state.generation,
            address: state.address.clone(),
        }
    }

    /// Asks: what comes of it is counted.
    pub fn ask<T, E>(&self, ask: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        self.under_way.fetch_add(1, Ordering::SeqCst);
        let answer = ask();
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        if answer.is_ok() {
            self.answers.fetch_add(1, Ordering::SeqCst);
        }
        answer
    }

    /// So many ask just now and have no answer.
    pub fn under_way(&self) -> u64 {
        self.under_way.load(Ordering::SeqCst)
    }

    /// So many answers there were.
    pub fn answers(&self) -> u64 {
        self.answers.load(Ordering::SeqCst)
    }

    /// The same for a server that goes on: whoever lost a connection to it is sent
    /// there again.
    pub fn wait_for_answers_of(&self, server: &Program, count: u64) {
        let started = Instant::now();
        while self.open(&server.address) < count {
            assert!(started.elapsed() < PATIENCE, "too few answers");
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
    }

    pub fn wait_for_answers(&self, count: u64) {
        let started = Instant::now();
        while self.answers.load(Ordering::SeqCst) < count {
            assert!(started.elapsed() < PATIENCE, "too few answers");
            std::thread::sleep(std::time::Duration::from_micros(200));
        }
    }
}

/// Whether there was no answer: the connection broke, or the server says that it
/// cannot now, which promises nothing.
pub fn is_no_answer(error: &ClientError) -> bool {
    match error {
        ClientError::Unreached { .. } => true,
        ClientError::Refused { problem, .. } => problem.status >= 500,
        _ => false,
    }
}
