//! A disk in memory that loses power where it is told to, for tests.
//!
//! It keeps apart what was written and what was synced, for contents and for
//! names, so that a test can ask for every state a real disk may come back in.

use super::*;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

/// What a disk kept of contents that were written and not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contents {
    Written,
    Synced,
    /// Every other 8 bytes of it: sectors land in any order.
    Torn,
}

/// Every state after a power cut: (names not yet synced are kept, contents).
pub(crate) const AFTERMATHS: [(bool, Contents); 6] = [
    (false, Contents::Written),
    (false, Contents::Synced),
    (false, Contents::Torn),
    (true, Contents::Written),
    (true, Contents::Synced),
    (true, Contents::Torn),
];

#[derive(Debug, Clone, Default)]
struct Content {
    written: Vec<u8>,
    synced: Vec<u8>,
}

#[derive(Debug, Default)]
struct State {
    contents: Vec<Content>,
    names: BTreeMap<PathBuf, usize>,
    synced_names: BTreeMap<PathBuf, usize>,
    calls: u64,
    cut_at: Option<u64>,
}

/// The disk; clones are the same disk.
#[derive(Debug, Clone, Default)]
pub(crate) struct FaultyDisk(Arc<Mutex<State>>);

#[derive(Debug)]
struct FaultyFile(FaultyDisk, usize);

impl FaultyDisk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Cuts the power in the n-th changing call from now (1 is the next).
    pub(crate) fn cut_after(&self, calls: u64) {
        let mut state = self.state();
        state.cut_at = Some(state.calls + calls);
    }

    fn change(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        state.calls += 1;
        match state.cut_at {
            Some(call) if state.calls >= call => Err(io::Error::other("no power")),
            _ => Ok(state),
        }
    }

    /// The disk when the power is back.
    pub(crate) fn after_power_cut(&self, (keep_names, kept): (bool, Contents)) -> Self {
        let state = self.state();
        let settle = |content: &Content| {
            let bytes = match kept {
                Contents::Written => content.written.clone(),
                Contents::Synced => content.synced.clone(),
                Contents::Torn => torn(content),
            };
            Content {
                written: bytes.clone(),
                synced: bytes,
            }
        };
        let names = if keep_names {
            &state.names
        } else {
            &state.synced_names
        };
        Self(Arc::new(Mutex::new(State {
            contents: state.contents.iter().map(settle).collect(),
            names: names.clone(),
            synced_names: names.clone(),
            ..State::default()
        })))
    }
}

fn torn(content: &Content) -> Vec<u8> {
    let mut bytes = content.written.clone();
    for (at, byte) in bytes.iter_mut().enumerate() {
        if at / 8 % 2 == 0 {
            *byte = content.synced.get(at).copied().unwrap_or(0);
        }
    }
    bytes
}

impl Disk for FaultyDisk {
    fn create(&self, path: &Path, _: Access) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.change()?;
        if state.names.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let at = state.contents.len();
        state.contents.push(Content::default());
        state.names.insert(path.into(), at);
        Ok(Box::new(FaultyFile(self.clone(), at)))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let at = self.state().names.get(path).copied();
        let at = at.ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(FaultyFile(self.clone(), at)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.change()?;
        let at = state.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        state.names.insert(to.into(), at);
        Ok(())
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        let mut state = self.change()?;
        state
            .synced_names
            .retain(|path, _| folder_of(path) != folder);
        let here: Vec<_> = state.names.clone().into_iter().collect();
        let here = here
            .into_iter()
            .filter(|(path, _)| folder_of(path) == folder);
        state.synced_names.extend(here);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let gone = self.change()?.names.remove(path);
        gone.map(|_| ()).ok_or(io::ErrorKind::NotFound.into())
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        let state = self.state();
        let here = state.names.keys().filter(|path| folder_of(path) == folder);
        Ok(here.cloned().collect())
    }
}

impl DiskFile for FaultyFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.0.state().contents[self.1].written.len() as u64)
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        let length = usize::try_from(length).unwrap();
        self.0.change()?.contents[self.1].written.resize(length, 0);
        Ok(())
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let start = usize::try_from(offset).unwrap();
        let mut state = self.0.change()?;
        let written = &mut state.contents[self.1].written;
        written.resize(written.len().max(start + bytes.len()), 0);
        written[start..start + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset).unwrap();
        let state = self.0.state();
        let found = state.contents[self.1]
            .written
            .get(start..start + bytes.len());
        bytes.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.0.change()?;
        let content = &mut state.contents[self.1];
        content.synced = content.written.clone();
        Ok(())
    }
}
