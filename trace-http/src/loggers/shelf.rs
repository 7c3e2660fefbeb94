//! Mappings saved by equipment, in a folder beside the ledger: durable, and no
//! part of the log. Lost, they are made anew from a file.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use trace_core::{
    error::Store,
    ident::EquipmentId,
    store::{
        disk::{Access, Disk, RealDisk},
        files,
    },
};

use super::Mapping;

/// The folder's name in a ledger's folder.
pub const MAPPINGS: &str = "mappings";

/// Saved mappings.
#[derive(Clone)]
pub struct Shelf {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
}

impl std::fmt::Debug for Shelf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shelf")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

impl Shelf {
    /// The mappings in this folder, which is made when the first is saved.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self {
            disk: Arc::new(RealDisk),
            folder: folder.into(),
        }
    }

    /// The mapping of a piece of equipment, where one is saved.
    ///
    /// # Errors
    /// [`Store`]; [`Store::Damaged`] when the file is no mapping.
    pub fn get(&self, equipment: &EquipmentId) -> Result<Option<Mapping>, Store> {
        let path = self.path(equipment);
        if !path.exists() {
            return Ok(None);
        }
        let Some(bytes) = files::read(&*self.disk, &path)? else {
            return Ok(None);
        };
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| Store::Damaged {
                what: format!("{}: {error}; save it anew", path.display()),
            })
    }

    /// Saves a mapping in the place of an earlier one; durable when this returns.
    ///
    /// # Errors
    /// [`Store`].
    pub fn put(&self, equipment: &EquipmentId, mapping: &Mapping) -> Result<(), Store> {
        std::fs::create_dir_all(&self.folder).map_err(Store::io("create", &self.folder))?;
        let bytes = serde_json::to_vec_pretty(mapping).map_err(|error| Store::Engine {
            what: "write a mapping",
            why: error.to_string(),
        })?;
        files::replace(&*self.disk, &self.path(equipment), &bytes, Access::Ordinary)
    }

    fn path(&self, equipment: &EquipmentId) -> PathBuf {
        // An id is ASCII letters, digits and hyphens: a name of a file.
        self.folder.join(format!("{equipment}.json"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_comes_back_as_it_was_saved_and_one_that_is_broken_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join(MAPPINGS);
        let probe = EquipmentId::from_bytes([7; 10]);
        let mapping: Mapping = serde_json::from_str(
            r#"{"delimiter":"comma","has_headers":true,"time":["t"],"time_format":"iso8601",
                "temperatures":[{"column":2}]}"#,
        )
        .unwrap();
        assert_eq!(Shelf::new(&folder).get(&probe).unwrap(), None);
        Shelf::new(&folder).put(&probe, &mapping).unwrap();
        Shelf::new(&folder).put(&probe, &mapping).unwrap();
        assert_eq!(Shelf::new(&folder).get(&probe).unwrap(), Some(mapping));
        std::fs::write(folder.join(format!("{probe}.json")), "{").unwrap();
        let error = Shelf::new(&folder).get(&probe).unwrap_err().to_string();
        assert!(error.contains(&probe.to_string()), "{error}");
    }
}
