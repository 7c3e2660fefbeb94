//! Documents beside the log: PDF, JPEG and PNG, each under its SHA-256.
//!
//! A document is stored before a record names it and never changes: a file is
//! written under a temporary name, synced, renamed, and its folder synced. What
//! it is follows from its content alone, so that it is the same for every reader
//! of the same hash; it is served as that and nothing else. Reading hashes again:
//! a file that rotted or was edited is reported, never served.
//!
//! Not here: which record names a document and whether it is public (the fold
//! says), and who asks.

use super::lookup::Audience;
use super::{Failed, Folded};
use crate::error::{Invalid, Rule, Store};
use crate::record::Hash;
use crate::rules::EvidenceFacts;
use crate::store::disk::{Access, Disk};
use crate::store::files;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Largest document: a customs set of 20 scanned pages at 300 dpi, 1 MiB each.
/// One is held in memory while it is hashed, so that it bounds what a request
/// costs too.
pub const DOCUMENT_BYTES_MAX: usize = 20 << 20;

/// The name of their folder within a ledger's.
pub const DOCUMENTS: &str = "documents";

/// How far from its end a PDF says that it ends (ISO 32000-1 annex H, note 3 of
/// implementations: within the last 1,024 bytes).
const PDF_END_BYTES: usize = 1_024;

/// What a document is, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DocumentType {
    /// ISO 32000: `%PDF-1.` or `%PDF-2.`, and `%%EOF` near the end.
    Pdf,
    /// ISO/IEC 10918-1: start of image, then another marker.
    Jpeg,
    /// ISO/IEC 15948: the signature, then a header chunk.
    Png,
}

/// A document as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredDocument {
    /// SHA-256 of its bytes.
    pub hash: Hash,
    /// What it is.
    pub document_type: DocumentType,
    /// How long it is.
    pub length: usize,
}

/// A document as read: what its hash says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// What it is: the only type under which it may be served.
    pub document_type: DocumentType,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The folder of documents; clones share it.
#[derive(Debug, Clone)]
pub struct Documents {
    disk: Arc<dyn Disk>,
    folder: Arc<PathBuf>,
    /// Held while a document is stored: two of the same hash have one temporary
    /// name.
    storing: Arc<Mutex<()>>,
}

impl DocumentType {
    /// What these bytes are.
    ///
    /// # Errors
    /// [`Rule::Document`] when they are none of the three.
    pub fn of(bytes: &[u8]) -> Result<Self, Invalid> {
        let is_pdf = || {
            let end = bytes.len().saturating_sub(PDF_END_BYTES);
            let tail = bytes.get(end..).unwrap_or(bytes);
            (bytes.starts_with(b"%PDF-1.") || bytes.starts_with(b"%PDF-2."))
                && tail.windows(5).any(|window| window == b"%%EOF")
        };
        let is_png = || {
            let header = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n");
            header.is_some_and(|header| header.starts_with(b"\0\0\0\x0dIHDR"))
        };
        match bytes {
            [0xff, 0xd8, 0xff, 0xc0..=0xfe, ..] => Ok(Self::Jpeg),
            _ if is_png() => Ok(Self::Png),
            _ if is_pdf() => Ok(Self::Pdf),
            _ => {
                let first: Vec<String> = bytes
                    .iter()
                    .take(8)
                    .map(|byte| format!("{byte:02x}"))
                    .collect();
                let what = format!(
                    "{} bytes beginning {}: neither PDF, JPEG nor PNG",
                    bytes.len(),
                    first.join(" ")
                );
                Err(Invalid::new(Rule::Document, what))
            }
        }
    }

    /// The media type under which alone it is served (RFC 6838 registry).
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
        }
    }
}

impl Documents {
    /// Opens the folder, making it where there is none, and removes what an
    /// interrupted storing left.
    ///
    /// # Errors
    /// [`Store::Io`].
    pub fn open(disk: Arc<dyn Disk>, folder: &Path) -> Result<Self, Store> {
        disk.make_folder(folder)
            .map_err(Store::io("make the folder", folder))?;
        let documents = Self {
            disk,
            folder: Arc::new(folder.into()),
            storing: Arc::default(),
        };
        let names = documents.disk.list(folder);
        for path in names.map_err(Store::io("list", folder))? {
            if path.extension().is_some_and(|ending| ending == "new") {
                documents
                    .disk
                    .remove(&path)
                    .map_err(Store::io("remove", &path))?;
            }
        }
        Ok(documents)
    }

    /// Stores a document; durable when this returns. Storing it again changes
    /// nothing, but mends one that was damaged.
    ///
    /// # Errors
    /// [`Rule::TooLarge`], [`Rule::Document`]; [`Store::Io`], after which it is
    /// either stored whole or not at all, and may be stored again.
    pub fn put(&self, bytes: &[u8]) -> Result<StoredDocument, Failed> {
        let length = bytes.len();
        if length > DOCUMENT_BYTES_MAX {
            let what = format!("a document of {length} bytes, at most {DOCUMENT_BYTES_MAX}");
            return Err(Invalid::new(Rule::TooLarge, what).into());
        }
        let document_type = DocumentType::of(bytes)?;
        let hash = Hash::of(&[bytes]);
        let path = self.path(&hash);
        let _storing = self.storing.lock().unwrap_or_else(PoisonError::into_inner);
        // Also when it is there: after a storing that failed, a name that is seen
        // may not last yet, and a cut of power would take back what was promised.
        files::replace(&*self.disk, &path, bytes, Access::Ordinary)?;
        Ok(StoredDocument {
            hash,
            document_type,
            length,
        })
    }

    /// The document with this hash, whoever asks; `None` when it is not here.
    ///
    /// # Errors
    /// [`Store::Damaged`] when the file is another than its name says;
    /// [`Store::Io`].
    pub fn read(&self, hash: &Hash) -> Result<Option<Document>, Store> {
        let path = self.path(hash);
        let damaged = |why: String| Store::Damaged {
            what: format!("document {}: {why}", path.display()),
        };
        let Some(bytes) = files::read(&*self.disk, &path)? else {
            return Ok(None);
        };
        let found = Hash::of(&[&bytes]);
        if found != *hash {
            return Err(damaged(format!("its bytes hash to {found}")));
        }
        let document_type = DocumentType::of(&bytes).map_err(|error| damaged(error.to_string()))?;
        Ok(Some(Document {
            document_type,
            bytes,
        }))
    }

    /// The document with this hash, as far as `audience` may see it: the public
    /// only what a record has published, others only what a record names. That
    /// it is kept back looks no different from that it is not here.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn show(
        &self,
        folded: &Folded,
        audience: Audience,
        hash: &Hash,
    ) -> Result<Option<Document>, Failed> {
        let state = folded.document(hash)?;
        let may_see = state.is_some_and(|state| match audience {
            Audience::Public => state.published_index.is_some(),
            Audience::Full => true,
        });
        match may_see {
            true => Ok(self.read(hash)?),
            false => Ok(None),
        }
    }

    /// Destroys a document, as where a person in it asks for erasure: its blocks
    /// are overwritten with zeros and synced before the name goes. Whether there
    /// was one. Records that name it stay as they are; how far the disk's old
    /// bytes are out of reach, the vault's own words say.
    ///
    /// # Errors
    /// [`Store::Io`]; it may then still be there, whole or overwritten. Destroy
    /// it again.
    pub fn destroy(&self, hash: &Hash) -> Result<bool, Store> {
        let path = self.path(hash);
        let _storing = self.storing.lock().unwrap_or_else(PoisonError::into_inner);
        let overwritten = self.disk.open(&path).and_then(|file| {
            let length = usize::try_from(file.length()?).map_err(io::Error::other)?;
            file.write_at(0, &vec![0; length])?;
            file.sync()
        });
        match overwritten {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            other => other.map_err(Store::io("overwrite", &path))?,
        }
        self.disk
            .remove(&path)
            .and_then(|()| self.disk.sync_folder(&self.folder))
            .map_err(Store::io("remove", &path))?;
        Ok(true)
    }

    /// Every hash that has a file here, sorted, for audits and backups.
    ///
    /// # Errors
    /// [`Store::Io`].
    pub fn hashes(&self) -> Result<Vec<Hash>, Store> {
        let paths = self.disk.list(&self.folder);
        let paths = paths.map_err(Store::io("list", &self.folder))?;
        let names = paths
            .iter()
            .filter_map(|path| path.file_name()?.to_str().and_then(Hash::from_hex));
        Ok(names.collect())
    }

    fn path(&self, hash: &Hash) -> PathBuf {
        self.folder.join(hash.to_string())
    }
}

#[cfg(test)]
mod tests;
