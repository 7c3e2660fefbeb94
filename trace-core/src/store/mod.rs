//! Ordered tables with atomic commit, durable small files, and the derived
//! index in front of them.
//!
//! Knows nothing of records, trees or food: keys and values are bytes. Reads no
//! clock and no random source. Two seams let a test put faults where a machine
//! has them: [`redb::StorageBackend`] under the engine, and [`disk::Disk`] under
//! every other file.

pub mod disk;
pub mod files;
pub mod frames;
pub mod overlay;
pub mod redb;
pub mod table;
