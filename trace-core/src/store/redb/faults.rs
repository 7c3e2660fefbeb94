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
    fail_at: Option<(u64, Failure)>,
}

/// How a disk fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// One call fails, and all goes on as if nothing had been.
    Once,
    /// From one call on, nothing works.
    ForGood,
}

/// What a disk kept of what was written and not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    All,
    Nothing,
    /// Every other sector of 512 bytes, beginning with the first.
    EvenSectors,
    /// The others.
    OddSectors,
}

/// Every way a disk may come back.
pub(crate) const KEPT: [Kept; 4] = [
    Kept::All,
    Kept::Nothing,
    Kept::EvenSectors,
    Kept::OddSectors,
];

/// A disk under the engine; clones are the same disk.
#[derive(Debug, Clone, Default)]
pub(crate) struct FailingBackend(Arc<Mutex<Sectors>>);

impl FailingBackend {
    fn sectors(&self) -> MutexGuard<'_, Sectors> {
        self.0.lock().unwrap()
    }

    fn change(&self) -> io::Result<MutexGuard<'_, Sectors>> {
        let mut sectors = self.sectors();
        sectors.calls += 1;
        let fails = match sectors.fail_at {
            None => false,
            Some((call, Failure::Once)) => sectors.calls == call,
            Some((call, Failure::ForGood)) => sectors.calls >= call,
        };
        if fails {
            return Err(io::Error::other("the disk does not answer"));
        }
        Ok(sectors)
    }

    /// Fails in the n-th changing call from now (1 is the next).
    pub(crate) fn fail_after(&self, calls: u64, failure: Failure) {
        let mut sectors = self.sectors();
        sectors.fail_at = Some((sectors.calls + calls, failure));
    }

    /// The disk when the power is back.
    pub(crate) fn after_power_cut(&self, kept: Kept) -> Self {
        let sectors = self.sectors();
        let mut bytes = sectors.written.clone();
        let lost = |sector: usize| match kept {
            Kept::All => false,
            Kept::Nothing => true,
            Kept::EvenSectors => !sector.is_multiple_of(2),
            Kept::OddSectors => sector.is_multiple_of(2),
        };
        for (at, byte) in bytes.iter_mut().enumerate() {
            if lost(at / 512) {
                *byte = sectors.synced.get(at).copied().unwrap_or(0);
            }
        }
        if kept == Kept::Nothing {
            bytes.clone_from(&sectors.synced);
        }
        let kept = bytes;
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
