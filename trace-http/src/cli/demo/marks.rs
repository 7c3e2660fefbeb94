//! The file that says a folder holds a demo, whether it is finished, and what
//! is worth looking at in it.
//!
//! Only a folder with such a file is ever removed.

use std::{fs, io::ErrorKind, path::Path};

use serde::{Deserialize, Serialize};
use trace_core::store::{
    disk::{Access, RealDisk},
    files,
};

use super::cheats::Refused;
use crate::cli::Failure;

/// There while a demo is made.
const MAKING: &str = "demo.making";
/// There when it is finished.
const COMPLETE: &str = "demo.json";

/// What is worth looking at in a demo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    /// The trust anchor.
    pub anchor: String,
    /// How many records there are.
    pub records: u64,
    /// A trace code against which nothing speaks.
    pub valid: String,
    /// One whose certificate was voided.
    pub voided: Option<String>,
    /// One whose certificate was replaced.
    pub superseded: Option<String>,
    /// One that is being called back, at shops already.
    #[serde(default)]
    pub recalled: Option<String>,
    /// One that was kept as its temperature policy demands.
    #[serde(default)]
    pub kept: Option<String>,
    /// One that was not.
    #[serde(default)]
    pub exceeded: Option<String>,
    /// One of which nobody knows for a time how it was kept.
    #[serde(default)]
    pub gaps: Option<String>,
    /// Who issued the valid one.
    pub entity: String,
    /// A token of an inspector of the whole city.
    pub inspector_token: String,
    /// A producer whose key is hosted, and its token.
    pub producer: (String, String),
    /// The authority of that producer's county, its key hosted too, and its token.
    #[serde(default)]
    pub authority: (String, String),
    /// A cold store whose key is hosted, and its token.
    pub cold_store: (String, String),
    /// Attempts at cheating, and how each was refused.
    #[serde(default)]
    pub refused: Vec<Refused>,
}

/// What lies in a folder.
pub enum Found {
    /// A finished demo.
    Complete(Box<Marks>),
    /// One that was not finished.
    Incomplete,
    /// No demo, and no ledger.
    Nothing,
}

/// Looks what lies in a folder.
///
/// # Errors
/// When something lies there that is no demo.
pub fn find(data: &Path) -> Result<Found, Failure> {
    if let Some(bytes) = files::read(&RealDisk, &data.join(COMPLETE))? {
        let marks = serde_json::from_slice(&bytes);
        return marks
            .map(|marks| Found::Complete(Box::new(marks)))
            .map_err(|error| {
                Failure::Machine(format!("{}: {error}", data.join(COMPLETE).display()))
            });
    }
    if data.join(MAKING).exists() {
        return Ok(Found::Incomplete);
    }
    match fs::read_dir(data) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Found::Nothing),
        Err(error) => Err(Failure::Machine(format!("{}: {error}", data.display()))),
        Ok(mut entries) => match entries.next() {
            None => Ok(Found::Nothing),
            Some(_) => Err(Failure::Machine(format!(
                "{}: something lies here that is no demo; give an empty folder",
                data.display()
            ))),
        },
    }
}

/// Says that a demo is being made here.
///
/// # Errors
/// [`Failure::Machine`].
pub fn begin(data: &Path) -> Result<(), Failure> {
    fs::create_dir_all(data)
        .map_err(|error| Failure::Machine(format!("{}: {error}", data.display())))?;
    files::replace(&RealDisk, &data.join(MAKING), b"", Access::Ordinary)?;
    Ok(())
}

/// Says that it is finished. The tokens in it are secrets, if of a made-up city.
///
/// # Errors
/// [`Failure::Machine`].
pub fn complete(data: &Path, marks: &Marks) -> Result<(), Failure> {
    let bytes =
        serde_json::to_vec_pretty(marks).map_err(|error| Failure::Machine(error.to_string()))?;
    files::replace(&RealDisk, &data.join(COMPLETE), &bytes, Access::Secret)?;
    fs::remove_file(data.join(MAKING))
        .map_err(|error| Failure::Machine(format!("{}: {error}", data.join(MAKING).display())))
}

/// Removes a demo; a folder that holds none is left alone.
///
/// # Errors
/// When the folder holds something else, or cannot be removed.
pub fn remove(data: &Path) -> Result<(), Failure> {
    let is_demo = [MAKING, COMPLETE]
        .iter()
        .any(|name| data.join(name).exists());
    let is_empty = fs::read_dir(data).map_or(true, |mut entries| entries.next().is_none());
    match (is_demo, is_empty) {
        (true, _) => fs::remove_dir_all(data)
            .map_err(|error| Failure::Machine(format!("{}: {error}", data.display()))),
        (false, true) => Ok(()),
        (false, false) => Err(Failure::Machine(format!(
            "{}: something lies here that is no demo; it is not removed",
            data.display()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_demo_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("d");
        assert!(matches!(find(&data), Ok(Found::Nothing)));
        remove(&data).unwrap();
        fs::create_dir(&data).unwrap();
        fs::write(data.join("thesis.txt"), "precious").unwrap();
        assert!(find(&data).is_err());
        assert!(remove(&data).is_err());
        assert!(data.join("thesis.txt").exists());
        begin(&data).unwrap();
        assert!(matches!(find(&data), Ok(Found::Incomplete)));
        remove(&data).unwrap();
        assert!(!data.exists());
    }
}
