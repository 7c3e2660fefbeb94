//! Small files that are old or new, whole, whatever happens: temporary name,
//! write, sync, rename, sync the folder. And the lock on a ledger's folder.
//!
//! Replacing is not wiping: the blocks of the old content go back to the file
//! system, which may keep them for a while. What must be unreadable at once has
//! to be stored encrypted under a key that is destroyed.

use super::disk::{Access, Disk, DiskFile, beside, folder_of, remove_if_there, settle_name};
use crate::error::Store;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The whole content of a file, `None` where there is none.
///
/// # Errors
/// [`Store::Io`].
pub fn read(disk: &dyn Disk, path: &Path) -> Result<Option<Vec<u8>>, Store> {
    let file = match disk.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Store::io("open", path)(error)),
    };
    let content = file.length().and_then(|length| {
        let length = usize::try_from(length).map_err(io::Error::other)?;
        let mut content = vec![0; length];
        file.read_at(0, &mut content)?;
        Ok(content)
    });
    content.map(Some).map_err(Store::io("read", path))
}

/// Puts `content` under `path`, durable when this returns.
///
/// # Errors
/// [`Store::Io`]; the file is then the old or the new one, whole.
pub fn replace(disk: &dyn Disk, path: &Path, content: &[u8], access: Access) -> Result<(), Store> {
    let building = beside(path, BUILDING);
    remove_if_there(disk, &building)?;
    disk.create(&building, access)
        .and_then(|file| {
            file.write_at(0, content)?;
            file.sync()
        })
        .map_err(Store::io("write", &building))?;
    settle_name(disk, &building, path)
}

const BUILDING: &str = ".new";
const SPARE: &str = ".spare";

/// Removes what an interrupted replacing of `path` left behind; call it before
/// the first use of a file that holds secrets.
///
/// # Errors
/// [`Store::Io`].
pub fn sweep(disk: &dyn Disk, path: &Path) -> Result<(), Store> {
    let building = remove_if_there(disk, &beside(path, BUILDING))?;
    let spare = remove_if_there(disk, &beside(path, SPARE))?;
    if building || spare {
        let folder = folder_of(path);
        disk.sync_folder(folder)
            .map_err(Store::io("sync", folder))?;
    }
    Ok(())
}

/// Replaces one file again and again, each time into a spare that was made and
/// sized beforehand: a replacing then pays for no new blocks, only for one sync
/// of data, the rename and the sync of the folder. Where the disk can swap
/// names, what was replaced becomes the next spare and nothing is made again.
#[derive(Debug)]
pub struct Replacer {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    access: Access,
    spare: Option<Sized>,
    /// What was replaced last, still open.
    named: Option<Sized>,
}

/// An open file and its length.
type Sized = (Box<dyn DiskFile>, u64);

impl Replacer {
    /// Ready to replace `path`, which need not exist yet.
    ///
    /// # Errors
    /// [`Store::Io`] when leftovers of an earlier run cannot be removed.
    pub fn new(disk: Arc<dyn Disk>, path: &Path, access: Access) -> Result<Self, Store> {
        sweep(&*disk, path)?;
        Ok(Self {
            disk,
            path: path.into(),
            access,
            spare: None,
            named: None,
        })
    }

    /// Makes the spare for a content of about `length` bytes; to be called where
    /// nobody waits. Does nothing when one is ready.
    ///
    /// # Errors
    /// [`Store::Io`].
    pub fn prepare(&mut self, length: usize) -> Result<(), Store> {
        if self.spare.is_some() {
            return Ok(());
        }
        let path = beside(&self.path, SPARE);
        let make = || {
            let file = self.disk.create(&path, self.access)?;
            file.write_at(0, &vec![0; length])?;
            file.sync()?;
            let length = file.length()?;
            Ok((file, length))
        };
        self.spare = Some(make().map_err(Store::io("prepare", &path))?);
        Ok(())
    }

    /// Puts `content` under the path, durable when this returns.
    ///
    /// # Errors
    /// [`Store::Io`]; the file is then the old or the new one, whole, and the
    /// caller should stop writing.
    pub fn replace(&mut self, content: &[u8]) -> Result<(), Store> {
        let Some((file, length)) = self.spare.take() else {
            self.named = None;
            return replace(&*self.disk, &self.path, content, self.access);
        };
        let path = beside(&self.path, SPARE);
        let wanted = content.len() as u64;
        let write = || {
            file.write_at(0, content)?;
            if wanted != length {
                file.set_length(wanted)?;
            }
            file.sync()
        };
        write().map_err(Store::io("write", &path))?;
        match self.disk.exchange(&path, &self.path) {
            Ok(()) => {
                let folder = folder_of(&self.path);
                self.disk
                    .sync_folder(folder)
                    .map_err(Store::io("sync", folder))?;
                let replaced = match self.named.replace((file, wanted)) {
                    Some(replaced) => replaced,
                    None => {
                        let open = || {
                            let file = self.disk.open(&path)?;
                            let length = file.length()?;
                            Ok((file, length))
                        };
                        open().map_err(Store::io("open", &path))?
                    }
                };
                self.spare = Some(replaced);
                Ok(())
            }
            Err(error) if matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::NotFound) => {
                self.named = Some((file, wanted));
                settle_name(&*self.disk, &path, &self.path)
            }
            Err(error) => Err(Store::io("exchange", &self.path)(error)),
        }
    }
}

/// Holds a folder for one process; let go when dropped, and by the system when
/// the process ends, however it ends.
#[derive(Debug)]
pub struct LockFile {
    _held: File,
}

impl LockFile {
    /// Takes the lock of a folder that exists.
    ///
    /// # Errors
    /// [`Store::Place`] when another process holds it.
    pub fn acquire(folder: &Path) -> Result<Self, Store> {
        let path = folder.join("lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(Store::io("open", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _held: file }),
            Err(TryLockError::WouldBlock) => Err(Store::Place {
                path: folder.into(),
                why: "another process has this ledger open; stop it first".into(),
            }),
            Err(TryLockError::Error(error)) => Err(Store::io("lock", &path)(error)),
        }
    }
}

#[cfg(test)]
mod tests;
