//! What can be said: kinds and bodies by family, canonical bytes, signing.
//!
//! Nothing here touches a disk, a clock or a random source.

pub mod alert;
pub mod attachment;
pub mod base64;
pub mod certificate;
pub mod chain;
pub mod claim;
pub mod cold_chain;
pub mod correction;
pub mod document;
pub mod encode;
pub mod evidence;
pub mod form;
pub mod hash;
pub mod keeping;
pub mod kinds;
pub mod layout;
pub mod marks;
pub mod measurement;
pub mod movement;
pub mod official;
pub mod origin;
pub mod quantity;
pub mod quarantine;
pub mod readings;
pub mod rights;
pub mod role;
pub mod section;
pub mod sign;
pub mod status;
pub mod subject;
pub mod submission;
pub mod supervision;
pub mod temperature;
pub mod temperature_policies;
pub mod text;
pub mod unit;
pub mod warehouse;
pub mod wire;

pub use chain::Chain;
pub use hash::Hash;
pub use kinds::{Body, Kind, KindInfo};
pub use layout::{Entry, Signed, Statement, Verified};
pub use origin::Origin;
pub use quantity::Quantity;
pub use role::Role;
pub use status::Status;
pub use subject::SubjectId;
