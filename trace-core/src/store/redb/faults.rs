//! A disk under the engine that dies where it is told to, for tests.

use super::StorageBackend;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

/// A disk in memory: what was written, what was synced, and when it fails.
#[derive(Debug, Default)]
struct Sectors {
    written: Vec<u8>,
    synced: Vec<u8>,
    calls: u64,
    fail_at: Option<u64>,
}

/// Fails its n-th changing call and every one after it, as a dying disk does.
#[derive(Debug, Clone, Default)]
pub(crate) struct FailingBackend(Arc<Mutex<Sectors>>);

impl FailingBackend {
    fn sectors(&self) -> MutexGuard<'_, Sectors> {
        self.0.lock().unwrap()
    }

    fn change(&self) -> io::Result<MutexGuard<'_, Sectors>> {
        let mut sectors = self.sectors();
        sectors.calls += 1;
        match sectors.fail_at {
            Some(call) if sectors.calls >= call => Err(io::Error::other("the disk is gone")),
            _ => Ok(sectors),
        }
    }

    /// Dies in the n-th changing call from now (1 is the next).
    pub(crate) fn fail_after(&self, calls: u64) {
        let mut sectors = self.sectors();
        sectors.fail_at = Some(sectors.calls + calls);
    }

    /// The disk after the power came back: all that was written, or only what
    /// was synced.
    pub(crate) fn after_power_cut(&self, keep_unsynced: bool) -> Self {
        let sectors = self.sectors();
        let kept = if keep_unsynced {
            sectors.written.clone()
        } else {
            sectors.synced.clone()
        };
        Self(Arc::new(Mutex::new(Sectors {
            written: kept.clone(),
            synced: kept,
            ..Sectors::default()
        })))
    }
}

impl StorageBackend for FailingBackend {
    fn len(&self) -> io::Result<u64> {
        Ok(self.sectors().written.len() as u64)
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset).unwrap();
        let sectors = self.sectors();
        let found = sectors.written.get(start..start + out.len());
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).unwrap();
        self.change()?.written.resize(len, 0);
        Ok(())
    }
    fn sync_data(&self) -> io::Result<()> {
        let mut sectors = self.change()?;
        sectors.synced = sectors.written.clone();
        Ok(())
    }
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let start = usize::try_from(offset).unwrap();
        let mut sectors = self.change()?;
        sectors.written[start..start + data.len()].copy_from_slice(data);
        Ok(())
    }
}
