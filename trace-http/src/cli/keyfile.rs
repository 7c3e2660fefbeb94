//! A signing key in a file: one line `trace/signing-key/v1 SEED`, the seed as 64
//! hexadecimal digits, mode 0600.
//!
//! Not the ledger's own key, whose file names the ledger: this one signs
//! records, in whichever ledger enrols it.

use std::path::Path;

use trace_core::{
    record::{Hash, sign::SigningKey},
    store::{
        disk::{Access, RealDisk},
        files,
    },
};
use zeroize::Zeroizing;

use super::Failure;
use crate::machine;

const TITLE: &str = "trace/signing-key/v1";

/// Makes a fresh key in a file that is not there yet.
///
/// # Errors
/// [`Failure::Machine`] when there is a file already, or it cannot be written.
pub fn make(path: &Path) -> Result<SigningKey, Failure> {
    if path.symlink_metadata().is_ok() {
        return Err(Failure::Machine(format!(
            "{}: there is a file already; a key is never overwritten",
            path.display()
        )));
    }
    let key = SigningKey::from_seed(machine::random());
    write(path, &key)?;
    Ok(key)
}

/// Writes a key into a file, for its owner's eyes only.
///
/// # Errors
/// [`Failure::Machine`].
pub fn write(path: &Path, key: &SigningKey) -> Result<(), Failure> {
    if let Some(folder) = path.parent().filter(|it| !it.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)
            .map_err(|error| Failure::Machine(format!("{}: {error}", folder.display())))?;
    }
    let text = Zeroizing::new(format!("{TITLE} {}\n", Hash::from(*key.seed())));
    files::replace(&RealDisk, path, text.as_bytes(), Access::Secret)?;
    Ok(())
}

/// Reads a key.
///
/// # Errors
/// [`Failure::Machine`] when it is not there or is no such file; what it is
/// instead is not told.
pub fn read(path: &Path) -> Result<SigningKey, Failure> {
    let wrong = |why: &str| Failure::Machine(format!("{}: {why}", path.display()));
    let bytes = files::read(&RealDisk, path)?
        .ok_or_else(|| wrong("there is no such key file; `trace key new FILE` makes one"))?;
    let text = Zeroizing::new(String::from_utf8(bytes).map_err(|_| wrong("not text"))?);
    let mut words = text.split_whitespace();
    let seed = match (words.next(), words.next(), words.next()) {
        (Some(TITLE), Some(seed), None) => Hash::from_hex(seed),
        _ => None,
    };
    let seed = seed.ok_or_else(|| {
        wrong("not a signing key: one line `trace/signing-key/v1 SEED` is wanted")
    })?;
    Ok(SigningKey::from_seed(seed.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_was_made_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("inner/a.key");
        let made = make(&path).unwrap();
        assert_eq!(read(&path).unwrap().public(), made.public());
        assert!(make(&path).is_err());
        assert_eq!(read(&path).unwrap().public(), made.public());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn what_is_no_key_is_refused_and_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("k");
        for text in [
            "",
            "trace/signing-key/v1 5ec2e7",
            "trace/ledger-key/v1 a 5ec2e7",
        ] {
            std::fs::write(&path, text).unwrap();
            let words = read(&path)
                .unwrap_err()
                .words(crate::language::Language::English);
            assert!(words.contains("not a signing key"), "{words}");
            assert!(!words.contains("5ec2e7"), "{words}");
        }
    }
}
