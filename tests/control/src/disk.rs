//! The one file of an engine on the fixtures' medium, with every call it makes.

use crate::medium::{Call, Medium};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The engine's file.
pub const FILE: &str = "/engine.redb";

/// A disk with that file; clones are the same disk.
#[derive(Debug, Clone)]
pub struct Disk(Arc<Mutex<(Medium, Vec<Call>)>>);

impl Disk {
    /// The disk that holds what a medium does, with the file, empty where it has
    /// none.
    pub fn new(mut medium: Medium) -> Self {
        if medium.file(Path::new(FILE)).is_none() {
            medium.put(Path::new(FILE), b"");
        }
        Self(Arc::new(Mutex::new((medium, Vec::new()))))
    }

    /// Every call so far.
    pub fn trace(&self) -> Vec<Call> {
        self.state().1.clone()
    }

    /// What it holds now.
    pub fn medium(&self) -> Medium {
        self.state().0.clone()
    }

    /// An answer leaves now.
    pub fn answered(&self, number: usize) {
        self.state().1.push(Call::Answered(number as u64));
    }

    /// What it holds, and every call.
    pub fn state(&self) -> MutexGuard<'_, (Medium, Vec<Call>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does a call on the file.
    pub fn call(&self, of: impl FnOnce(usize) -> Call) -> io::Result<()> {
        let mut state = self.state();
        let call = of(state
            .0
            .file(Path::new(FILE))
            .ok_or(io::ErrorKind::NotFound)?);
        state.0.apply(&call);
        state.1.push(call);
        Ok(())
    }
}
