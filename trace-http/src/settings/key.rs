//! The key-encryption key as it is handed to the server: 64 hexadecimal
//! digits, from a file or the environment. It encrypts nothing by itself.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use trace_core::{ledger::hosted::Kek, record::Hash};
use zeroize::{Zeroize, Zeroizing};

use super::KEY_VARIABLE;

/// Hexadecimal digits of a key, and what a file may hold around them.
const DIGITS: usize = 64;
const FILE_BYTES_MAX: u64 = 4096;

/// 32 secret bytes; never shown, wiped when dropped.
#[derive(Clone)]
pub struct Key(Zeroizing<[u8; 32]>);

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It is given twice.
    #[error("the key-encryption key is given twice: leave out --kek-file or TRACE_KEK")]
    Twice,
    /// The file cannot be read.
    #[error("key file {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's own word.
        source: std::io::Error,
    },
    /// What stands there is no key; what it is instead is not told.
    #[error("{place}: wanted 64 hexadecimal digits")]
    Malformed {
        /// The file or the variable.
        place: String,
    },
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(not shown)")
    }
}

impl Key {
    /// The key in a file, or in `variable`, the value of [`KEY_VARIABLE`]; `None`
    /// where neither is given.
    ///
    /// # Errors
    /// [`KeyError::Twice`] where both are; as of [`Key::read`] and [`Key::parse`].
    pub fn given(file: Option<&Path>, variable: Option<&OsStr>) -> Result<Option<Self>, KeyError> {
        match (file, variable) {
            (Some(_), Some(_)) => Err(KeyError::Twice),
            (Some(path), None) => Self::read(path).map(Some),
            (None, Some(text)) => {
                Self::parse(text.to_str().unwrap_or_default(), KEY_VARIABLE).map(Some)
            }
            (None, None) => Ok(None),
        }
    }

    /// The bytes, for the cipher.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The same as the ledger takes it.
    #[must_use]
    pub fn kek(&self) -> Option<Kek> {
        Kek::from_hex(&Zeroizing::new(Hash::from(*self.bytes()).to_string()))
    }

    /// Reads 64 hexadecimal digits; `place` names them in an error.
    ///
    /// # Errors
    /// [`KeyError::Malformed`].
    pub fn parse(text: &str, place: &str) -> Result<Self, KeyError> {
        let malformed = || KeyError::Malformed {
            place: place.to_owned(),
        };
        let digits = text.trim().as_bytes();
        if digits.len() != DIGITS {
            return Err(malformed());
        }
        let mut key = Zeroizing::new([0; 32]);
        for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |at: usize| pair.get(at).and_then(|it| char::from(*it).to_digit(16));
            let (high, low) = digit(0).zip(digit(1)).ok_or_else(malformed)?;
            *byte = u8::try_from(high * 16 + low).map_err(|_| malformed())?;
        }
        Ok(Self(key))
    }

    /// Reads the key from a file; warns if others on the machine can, too.
    ///
    /// # Errors
    /// [`KeyError::Unreadable`] or [`KeyError::Malformed`].
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let unreadable = |source| KeyError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let about = std::fs::metadata(path).map_err(unreadable)?;
        let place = path.display().to_string();
        if about.len() > FILE_BYTES_MAX {
            return Err(KeyError::Malformed { place });
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // Mounted secrets are often readable by all inside a container, so
            // this is no error.
            if about.permissions().mode() & 0o077 != 0 {
                tracing::warn!(file = place, "the key file can be read by others");
            }
        }
        let mut bytes = std::fs::read(path).map_err(unreadable)?;
        let key = Self::parse(std::str::from_utf8(&bytes).unwrap_or_default(), &place);
        bytes.zeroize();
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_64_hexadecimal_digits_and_nothing_else() {
        let text = "0123456789abcdefABCDEF".repeat(3);
        let key = Key::parse(&format!("{}\n", &text[..64]), "here").unwrap();
        assert_eq!(key.bytes()[..4], [0x01, 0x23, 0x45, 0x67]);
        for wrong in [
            "",
            &text[..63],
            &text[..65],
            &"g".repeat(64),
            &"+1".repeat(32),
        ] {
            let error = Key::parse(wrong, "here").unwrap_err().to_string();
            assert_eq!(error, "here: wanted 64 hexadecimal digits");
        }
    }

    #[test]
    fn a_key_is_read_from_a_file_and_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        assert!(matches!(Key::read(&path), Err(KeyError::Unreadable { .. })));
        std::fs::write(&path, "ab".repeat(32)).unwrap();
        let key = Key::read(&path).unwrap();
        assert_eq!(key.bytes(), &[0xab; 32]);
        assert_eq!(format!("{key:?}"), "Key(not shown)");
        std::fs::write(&path, "ab".repeat(5000)).unwrap();
        assert!(matches!(Key::read(&path), Err(KeyError::Malformed { .. })));
    }
}
