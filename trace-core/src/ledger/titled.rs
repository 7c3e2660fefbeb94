//! A small file of frames that begins by saying what it is, and that can be
//! rewritten whole. What the vault, the hosted keys, the tokens and the look-ups
//! share; it knows nothing of what they write.
//!
//! Every payload begins with a tag: the title, a line, or the end of what was
//! written whole. A file gets its name only when it holds title, lines and that
//! end. So everything but the last appended group has a group behind it, and
//! what rots there is named as damage and never taken for a torn tail and cut.

use crate::error::Store;
use crate::store::disk::{Access, Disk, DiskFile, beside, folder_of, remove_if_there, settle_name};
use crate::store::files::sweep;
use crate::store::frames::Frames;
use crate::store::table::Check;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

const REWRITING: &str = ".rewrite";
const WIPE_CHUNK_BYTES: usize = 1 << 20;

const TITLE: u8 = 0;
const LINE: u8 = 1;
const WHOLE: u8 = 2;

/// The file, in the hands of its one writer.
pub(super) struct TitledFile {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    title: &'static [u8],
    frames: Frames,
    cut_bytes: u64,
    failed: Option<String>,
}

impl TitledFile {
    /// Makes a file without lines; `note` stands behind the title.
    ///
    /// # Errors
    /// [`Store::Place`] when there is one already.
    pub fn create(
        disk: Arc<dyn Disk>,
        path: &Path,
        title: &'static [u8],
        note: &[u8],
    ) -> Result<Self, Store> {
        match disk.open(path) {
            Ok(_) => {
                return Err(Store::Place {
                    path: path.into(),
                    why: "something is here already; create never replaces".into(),
                });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Store::io("look at", path)(error)),
        }
        sweep_rewriting(&*disk, path)?;
        build(&*disk, path, title, note, std::iter::empty())?;
        settle_name(&*disk, &beside(path, REWRITING), path)?;
        Self::open(disk, path, title, |_| Ok(()), |_| Ok(()))
    }

    /// Opens a file, cutting a torn tail, and shows the note, then every line.
    ///
    /// # Errors
    /// [`Store::Place`] when there is none or it is another kind of file;
    /// [`Store::Damaged`]; whatever a visitor gives.
    pub fn open(
        disk: Arc<dyn Disk>,
        path: &Path,
        title: &'static [u8],
        note: impl FnMut(&[u8]) -> Result<(), Store>,
        line: impl FnMut(&[u8]) -> Result<(), Store>,
    ) -> Result<Self, Store> {
        sweep_rewriting(&*disk, path)?;
        let (frames, cut_bytes) = Frames::open(&*disk, path, 0, Check::Full)?;
        let file = Self {
            disk,
            path: path.into(),
            title,
            frames,
            cut_bytes,
            failed: None,
        };
        file.scan(note, line)?;
        Ok(file)
    }

    /// Shows the note and then every durable line, in order.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn scan(
        &self,
        mut note: impl FnMut(&[u8]) -> Result<(), Store>,
        mut line: impl FnMut(&[u8]) -> Result<(), Store>,
    ) -> Result<(), Store> {
        let (mut titled, mut whole) = (false, false);
        self.frames.scan(|position, payload| {
            let wrong = |why: &str| self.damaged(&format!("offset {position}: {why}"));
            match payload.split_first() {
                Some((&TITLE, rest)) if !titled => {
                    titled = true;
                    let found = rest.strip_prefix(self.title);
                    note(found.ok_or_else(|| self.another_file())?)
                }
                Some((&LINE, rest)) if titled => line(rest),
                Some((&WHOLE, [])) if titled && !whole => {
                    whole = true;
                    Ok(())
                }
                _ => Err(wrong("wanted the title, then lines")),
            }
        })?;
        if !whole {
            return Err(self.damaged("the end of what was written whole is missing"));
        }
        Ok(())
    }

    /// Gathers a line; not durable before [`sync`](Self::sync).
    ///
    /// # Errors
    /// [`Store`]; from then on every change is refused.
    pub fn append(&mut self, content: &[u8]) -> Result<(), Store> {
        self.refuse_failed()?;
        let appended = self.frames.append(&tagged(LINE, content));
        self.remember(appended.map(|_| ()))
    }

    /// Makes the gathered lines durable.
    ///
    /// # Errors
    /// [`Store`]; from then on every change is refused.
    pub fn sync(&mut self) -> Result<(), Store> {
        self.refuse_failed()?;
        let synced = self.frames.sync();
        self.remember(synced.map(|_| ()))
    }

    /// Puts a file with just these lines in the place of this one, then writes
    /// zeros over the old one's bytes. What was gathered is dropped.
    ///
    /// # Errors
    /// [`Store`]; the file is then the old or the new one, whole, and every
    /// change is refused until it is opened again.
    pub fn rewrite(
        &mut self,
        note: &[u8],
        lines: impl Iterator<Item = Zeroizing<Vec<u8>>>,
    ) -> Result<(), Store> {
        self.refuse_failed()?;
        let rewritten = self.replace(note, lines);
        self.remember(rewritten)
    }

    fn replace(
        &mut self,
        note: &[u8],
        lines: impl Iterator<Item = Zeroizing<Vec<u8>>>,
    ) -> Result<(), Store> {
        let disk = &*self.disk;
        sweep_rewriting(disk, &self.path)?;
        let old = disk
            .open(&self.path)
            .map_err(Store::io("open", &self.path))?;
        let length = build(disk, &self.path, self.title, note, lines)?;
        let building = beside(&self.path, REWRITING);
        match disk.exchange(&building, &self.path) {
            // The old file keeps a name, by which whoever opens next finds and wipes
            // it when this is cut off here.
            Ok(()) => {
                let folder = folder_of(&self.path);
                disk.sync_folder(folder)
                    .map_err(Store::io("sync", folder))?;
                sweep_rewriting(disk, &self.path)?;
            }
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                settle_name(disk, &building, &self.path)?;
                // Only now: the old file may be the one that a power cut brings back.
                wipe(&*old).map_err(Store::io("wipe the old", &self.path))?;
            }
            Err(error) => return Err(Store::io("exchange", &self.path)(error)),
        }
        self.frames = Frames::open(disk, &self.path, length, Check::Quick)?.0;
        Ok(())
    }

    /// Takes in what another process appended. Only while it cannot be
    /// appending: a torn tail is cut.
    ///
    /// # Errors
    /// [`Store`]; from then on every change is refused.
    pub fn catch_up(&mut self) -> Result<(), Store> {
        self.refuse_failed()?;
        let known = self.frames.durable_to();
        let opened = Frames::open(&*self.disk, &self.path, known, Check::Quick);
        let opened = opened.map(|(frames, _)| self.frames = frames);
        self.remember(opened)
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The length of what is durable.
    pub fn durable_to(&self) -> u64 {
        self.frames.durable_to()
    }

    /// How many bytes of a torn tail were cut on opening.
    pub fn cut_bytes(&self) -> u64 {
        self.cut_bytes
    }

    /// Refuses when an earlier change failed.
    ///
    /// # Errors
    /// [`Store::ReadOnly`].
    pub fn refuse_failed(&self) -> Result<(), Store> {
        match &self.failed {
            None => Ok(()),
            Some(why) => Err(Store::ReadOnly {
                why: format!(
                    "an earlier write of {} failed ({why}); open it again",
                    self.path.display()
                ),
            }),
        }
    }

    /// Damage in this file.
    pub fn damaged(&self, why: &str) -> Store {
        damaged(&self.path, why)
    }

    fn another_file(&self) -> Store {
        let title = String::from_utf8_lossy(self.title);
        Store::Place {
            path: self.path.clone(),
            why: format!("another kind of file is here, wanted {}", title.trim_end()),
        }
    }

    fn remember(&mut self, result: Result<(), Store>) -> Result<(), Store> {
        if let Err(error) = &result {
            self.failed = Some(error.to_string());
        }
        result
    }
}

impl fmt::Debug for TitledFile {
    /// Never the lines that wait: they may be keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TitledFile({})", self.path.display())
    }
}

/// Damage in a file, for those who hold only its path.
pub(super) fn damaged(path: &Path, why: &str) -> Store {
    Store::Damaged {
        what: format!("{}: {why}", path.display()),
    }
}

fn tagged(tag: u8, content: &[u8]) -> Zeroizing<Vec<u8>> {
    // sized beforehand: growing would leave a copy of a key behind
    let mut payload = Zeroizing::new(Vec::with_capacity(1 + content.len()));
    payload.push(tag);
    payload.extend_from_slice(content);
    payload
}

/// Writes a whole file under the temporary name; its length.
fn build(
    disk: &dyn Disk,
    path: &Path,
    title: &[u8],
    note: &[u8],
    lines: impl Iterator<Item = Zeroizing<Vec<u8>>>,
) -> Result<u64, Store> {
    let mut frames = Frames::create(disk, &beside(path, REWRITING), Access::Secret)?;
    frames.append(&tagged(TITLE, &[title, note].concat()))?;
    for line in lines {
        frames.append(&tagged(LINE, &line))?;
    }
    frames.sync()?;
    frames.append(&tagged(WHOLE, &[]))?;
    frames.sync()
}

/// Wipes and removes what an interrupted rewriting left: it holds keys too.
fn sweep_rewriting(disk: &dyn Disk, path: &Path) -> Result<(), Store> {
    let building = beside(path, REWRITING);
    // under either name that `build` gives it; it has no keys under the first
    sweep(disk, &building)?;
    match disk.open(&building) {
        Ok(left) => wipe(&*left).map_err(Store::io("wipe", &building))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Store::io("open", &building)(error)),
    }
    remove_if_there(disk, &building)?;
    let folder = folder_of(path);
    disk.sync_folder(folder).map_err(Store::io("sync", folder))
}

fn wipe(file: &dyn DiskFile) -> io::Result<()> {
    let zeros = vec![0; WIPE_CHUNK_BYTES];
    let length = file.length()?;
    let mut at = 0;
    while at < length {
        let left = usize::try_from(length - at).unwrap_or(usize::MAX);
        let chunk = zeros.get(..left).unwrap_or(&zeros);
        file.write_at(at, chunk)?;
        at += chunk.len() as u64;
    }
    file.sync()
}

#[cfg(test)]
mod tests;
