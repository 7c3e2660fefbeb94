//! An append-only file of checksummed payloads, for what lies beside the log.
//!
//! Payloads gather in memory; [`sync`](Frames::sync) writes them as one *group*
//! and makes it last before any later group is begun. All integers big-endian:
//!
//! | size | file | | size | group | | size | payload |
//! |---|---|---|---|---|---|---|---|
//! | 16 | `trace/frames/v1\n` | | 4 | `TRFG` | | 4 | length |
//! | | groups | | 8 | its own offset | | 4 | CRC-32C of the payload |
//! | | | | 4 | length of what follows | | n | payload |
//! | | | | 4 | CRC-32C of what follows | | | |
//! | | | | 4 | CRC-32C of these 20 bytes | | | |
//!
//! A group that is not whole can only be the last one if a power cut is to blame,
//! because a group is begun after the one before it was synced. So a broken last
//! group is a torn tail and is cut; a broken group with a later one behind it was
//! durable once, and is damage. Where the two cannot be told apart (the last
//! group was durable and rotted) the caller knows: it gives the length that it
//! has answered for, and nothing below that is ever cut.
//!
//! The checksum finds accidents, not editors; payloads are bound by hash elsewhere.

mod checksum;

use super::disk::{Access, Disk, DiskFile};
use super::files::replace;
use super::table::Check;
use crate::error::Store;
use checksum::crc32c;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const FILE_HEADER: &[u8; 16] = b"trace/frames/v1\n";
const GROUP_MARK: &[u8; 4] = b"TRFG";
/// Mark 4, offset 8, length 4, two checksums of 4.
const GROUP_HEADER_BYTES: usize = 24;
const PAYLOAD_HEADER_BYTES: usize = 8;
/// The longest payload: a document, not a film; one fits in a group.
pub const PAYLOAD_MAX_BYTES: usize = 16 << 20;
/// A group is written by itself when it would grow beyond this: two of the
/// longest payloads with their headers, so that reading one back is cheap.
const GROUP_MAX_BYTES: usize = 2 * (PAYLOAD_MAX_BYTES + PAYLOAD_HEADER_BYTES);

/// The file, in the hands of the one writer.
#[derive(Debug)]
pub struct Frames {
    reader: FramesReader,
    /// The end of the last synced group.
    durable_to: u64,
    /// The group being gathered, without its header.
    gathered: Vec<u8>,
    failed: Option<String>,
}

/// Reads what is synced; clones share the open file.
#[derive(Debug, Clone)]
pub struct FramesReader {
    file: Arc<dyn DiskFile>,
    path: Arc<PathBuf>,
}

impl Frames {
    /// Makes an empty file.
    ///
    /// # Errors
    /// [`Store::Place`] when there is one.
    pub fn create(disk: &dyn Disk, path: &Path, access: Access) -> Result<Self, Store> {
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
        replace(disk, path, FILE_HEADER, access)?;
        Self::open(disk, path, 0, Check::Quick).map(|(frames, _)| frames)
    }

    /// Opens a file that exists, cutting a torn tail; also says how many bytes
    /// were cut. `answered_to` is the [`durable_to`](Self::durable_to) that the
    /// caller has relied on: with [`Check::Quick`] reading begins there, with
    /// [`Check::Full`] every byte is checked.
    ///
    /// # Errors
    /// [`Store::Place`] when there is none; [`Store::Damaged`], naming the
    /// offset, when what was durable is not whole.
    pub fn open(
        disk: &dyn Disk,
        path: &Path,
        answered_to: u64,
        check: Check,
    ) -> Result<(Self, u64), Store> {
        let file = match disk.open(path) {
            Ok(file) => Arc::from(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Store::Place {
                    path: path.into(),
                    why: "there is no file here; create one first".into(),
                });
            }
            Err(error) => return Err(Store::io("open", path)(error)),
        };
        let path = Arc::new(path.to_path_buf());
        let reader = FramesReader { file, path };
        let length = reader.length()?;
        let first = FILE_HEADER.len() as u64;
        if length < first || reader.bytes(0, FILE_HEADER.len())? != FILE_HEADER {
            return Err(reader.damaged(0, "wanted the file header"));
        }
        let answered_to = answered_to.max(first);
        if length < answered_to {
            let why = format!("the file ends here, wanted {answered_to} bytes at least");
            return Err(reader.damaged(length, &why));
        }
        let from = match check {
            Check::Quick => answered_to,
            Check::Full => first,
        };
        let durable_to = reader.whole_groups(from, length, |_, _| Ok(()))?;
        if durable_to < answered_to {
            return Err(reader.damaged(durable_to, "a group that was durable is not whole"));
        }
        if durable_to < length {
            let file = &reader.file;
            let cut = file.set_length(durable_to).and_then(|()| file.sync());
            cut.map_err(Store::io("cut the torn tail of", &reader.path))?;
        }
        let frames = Self {
            reader,
            durable_to,
            gathered: Vec::new(),
            failed: None,
        };
        Ok((frames, length - durable_to))
    }

    /// For readers on other threads; they see what is synced.
    #[must_use]
    pub fn reader(&self) -> FramesReader {
        self.reader.clone()
    }

    /// The length of all that is synced: what the caller may rely on, and should
    /// give back on opening.
    #[must_use]
    pub fn durable_to(&self) -> u64 {
        self.durable_to
    }

    /// Gathers a payload and says where it will be. It is not durable, and not
    /// readable, before [`sync`](Self::sync).
    ///
    /// # Errors
    /// [`Store::Engine`] when it is too long; otherwise that of a sync.
    pub fn append(&mut self, payload: &[u8]) -> Result<u64, Store> {
        self.refuse_failed()?;
        let length = payload.len();
        if length > PAYLOAD_MAX_BYTES {
            return Err(Store::Engine {
                what: "append",
                why: format!("found {length} bytes, wanted {PAYLOAD_MAX_BYTES} at most"),
            });
        }
        if self.gathered.len() + PAYLOAD_HEADER_BYTES + length > GROUP_MAX_BYTES {
            self.sync()?;
        }
        let position = self.durable_to + (GROUP_HEADER_BYTES + self.gathered.len()) as u64;
        self.gathered.extend(length_field(length));
        self.gathered.extend(crc32c(&[payload]).to_be_bytes());
        self.gathered.extend(payload);
        Ok(position)
    }

    /// Writes what was gathered and makes it last; the new
    /// [`durable_to`](Self::durable_to).
    ///
    /// # Errors
    /// [`Store::Io`]; from then on every call is refused with
    /// [`Store::ReadOnly`] until the file is opened again.
    pub fn sync(&mut self) -> Result<u64, Store> {
        self.refuse_failed()?;
        if self.gathered.is_empty() {
            return Ok(self.durable_to);
        }
        let mut group = group_header(self.durable_to, &self.gathered);
        group.append(&mut self.gathered);
        let file = &self.reader.file;
        let written = file.write_at(self.durable_to, &group);
        if let Err(error) = written.and_then(|()| file.sync()) {
            self.failed = Some(error.to_string());
            return Err(Store::io("sync", &self.reader.path)(error));
        }
        self.durable_to += group.len() as u64;
        Ok(self.durable_to)
    }

    /// Shows `visit` every synced payload with its position, in order, checking
    /// each group whole.
    ///
    /// # Errors
    /// [`Store::Damaged`] when a group is not whole; whatever `visit` gives.
    pub fn scan(
        &self,
        mut visit: impl FnMut(u64, &[u8]) -> Result<(), Store>,
    ) -> Result<(), Store> {
        let first = FILE_HEADER.len() as u64;
        let reached = self
            .reader
            .whole_groups(first, self.durable_to, |at, body| {
                let mut rest = body;
                while !rest.is_empty() {
                    let before = (body.len() - rest.len()) as u64;
                    let position = at + GROUP_HEADER_BYTES as u64 + before;
                    let Some((payload, after)) = split_payload(rest) else {
                        return Err(self.reader.damaged(position, "a payload is not whole"));
                    };
                    visit(position, payload)?;
                    rest = after;
                }
                Ok(())
            })?;
        if reached < self.durable_to {
            return Err(self.reader.damaged(reached, "a group is not whole"));
        }
        Ok(())
    }

    fn refuse_failed(&self) -> Result<(), Store> {
        match &self.failed {
            None => Ok(()),
            Some(why) => Err(Store::ReadOnly {
                why: format!(
                    "an earlier write of {} failed ({why}); open it again",
                    self.reader.path.display()
                ),
            }),
        }
    }
}

impl FramesReader {
    /// The payload at a position that [`Frames::append`] gave.
    ///
    /// # Errors
    /// [`Store::Damaged`] when there is no whole payload.
    pub fn read(&self, position: u64) -> Result<Vec<u8>, Store> {
        let nothing = || self.damaged(position, "wanted a whole payload");
        let header = self.bytes(position, PAYLOAD_HEADER_BYTES)?;
        let (length, sum) = header.split_first_chunk().ok_or_else(nothing)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        if length > PAYLOAD_MAX_BYTES {
            return Err(nothing());
        }
        let payload = self.bytes(position + PAYLOAD_HEADER_BYTES as u64, length)?;
        if sum != crc32c(&[&payload]).to_be_bytes() {
            return Err(nothing());
        }
        Ok(payload)
    }

    /// Walks whole groups from `at` to where they end; an error only when a
    /// later group lies behind the end.
    fn whole_groups(
        &self,
        mut at: u64,
        length: u64,
        mut visit: impl FnMut(u64, &[u8]) -> Result<(), Store>,
    ) -> Result<u64, Store> {
        while at < length {
            let Some(header) = self.header_at(at, length)? else {
                self.refuse_later_group(at, at + 1, length)?;
                return Ok(at);
            };
            let after = at + (GROUP_HEADER_BYTES + header.body_bytes) as u64;
            if after > length {
                // its header is sound, so it was to be that long: it is the last
                return Ok(at);
            }
            let body = self.bytes(at + GROUP_HEADER_BYTES as u64, header.body_bytes)?;
            if crc32c(&[&body]) != header.body_sum {
                self.refuse_later_group(at, after, length)?;
                return Ok(at);
            }
            visit(at, &body)?;
            at = after;
        }
        Ok(at)
    }

    fn header_at(&self, at: u64, length: u64) -> Result<Option<GroupHeader>, Store> {
        if length - at < GROUP_HEADER_BYTES as u64 {
            return Ok(None);
        }
        Ok(read_group_header(at, &self.bytes(at, GROUP_HEADER_BYTES)?))
    }

    /// Looks for a group header behind a broken group. A payload may contain the
    /// likeness of one only if its writer knew the offset beforehand; then a torn
    /// tail is taken for damage, and never the other way round.
    fn refuse_later_group(&self, broken: u64, from: u64, length: u64) -> Result<(), Store> {
        const WINDOW_BYTES: usize = 1 << 20;
        let mut start = from;
        while length.saturating_sub(start) >= GROUP_HEADER_BYTES as u64 {
            let left = usize::try_from(length - start).unwrap_or(usize::MAX);
            let window = self.bytes(start, left.min(WINDOW_BYTES))?;
            let found = (start..)
                .zip(window.windows(GROUP_HEADER_BYTES))
                .try_for_each(|(at, bytes)| match read_group_header(at, bytes) {
                    Some(_) => ControlFlow::Break(at),
                    None => ControlFlow::Continue(()),
                });
            if let ControlFlow::Break(later) = found {
                let why = format!("this group is not whole, but a later one begins at {later}");
                return Err(self.damaged(broken, &why));
            }
            start += (window.len() - GROUP_HEADER_BYTES + 1) as u64;
        }
        Ok(())
    }

    fn length(&self) -> Result<u64, Store> {
        let length = self.file.length();
        length.map_err(Store::io("look at", &self.path))
    }

    fn bytes(&self, at: u64, count: usize) -> Result<Vec<u8>, Store> {
        let mut bytes = vec![0; count];
        match self.file.read_at(at, &mut bytes) {
            Ok(()) => Ok(bytes),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(self.damaged(at, &format!("the file ends within these {count} bytes")))
            }
            Err(error) => Err(Store::io("read", &self.path)(error)),
        }
    }

    fn damaged(&self, at: u64, why: &str) -> Store {
        Store::Damaged {
            what: format!("{} at offset {at}: {why}", self.path.display()),
        }
    }
}

struct GroupHeader {
    body_bytes: usize,
    body_sum: u32,
}

fn group_header(at: u64, body: &[u8]) -> Vec<u8> {
    let mut header = GROUP_MARK.to_vec();
    header.extend(at.to_be_bytes());
    header.extend(length_field(body.len()));
    header.extend(crc32c(&[body]).to_be_bytes());
    let sum = crc32c(&[&header]);
    header.extend(sum.to_be_bytes());
    header
}

/// The header at an offset, if it is sound and says so itself.
fn read_group_header(at: u64, bytes: &[u8]) -> Option<GroupHeader> {
    let rest = bytes.strip_prefix(GROUP_MARK)?;
    let (offset, rest) = rest.split_first_chunk()?;
    let (length, rest) = rest.split_first_chunk()?;
    let (body_sum, rest) = rest.split_first_chunk()?;
    let (sum, _) = rest.split_first_chunk()?;
    let summed = bytes.get(..GROUP_HEADER_BYTES - sum.len())?;
    if u64::from_be_bytes(*offset) != at || u32::from_be_bytes(*sum) != crc32c(&[summed]) {
        return None;
    }
    let body_bytes = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    (body_bytes <= GROUP_MAX_BYTES).then_some(GroupHeader {
        body_bytes,
        body_sum: u32::from_be_bytes(*body_sum),
    })
}

fn split_payload(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = body.split_first_chunk()?;
    let (sum, rest) = rest.split_first_chunk()?;
    let (payload, after) = rest.split_at_checked(u32::from_be_bytes(*length).try_into().ok()?)?;
    (crc32c(&[payload]) == u32::from_be_bytes(*sum)).then_some((payload, after))
}

/// Lengths are bounded by [`GROUP_MAX_BYTES`], which is below 2^32.
fn length_field(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes()
}

#[cfg(test)]
mod tests;
