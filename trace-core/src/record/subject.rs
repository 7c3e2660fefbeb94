//! Subject ids: what a record is about, as 32 bytes in its signed layout.
//!
//! A reader who cannot decode a kind still learns which subjects it concerns,
//! and can say "cannot check" instead of overlooking it. Subjects are trace
//! units, certificates, equipment, signers and their keys; never a
//! counterparty.

use super::hash::Hash;
use crate::ident::{EntityId, EquipmentId, TraceCode};
use crate::record::sign::KeyId;

/// Most subjects of one record: 255 fit the layout's count byte; 64 ids are
/// 2 KiB of an entry's 16 KiB.
pub const SUBJECTS_MAX: usize = 64;

/// SHA-256(`trace/subject/v1\n` ‖ type ‖ length ‖ code).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubjectId(pub Hash);

impl SubjectId {
    /// A trace unit, by its trace code.
    #[must_use]
    pub fn unit(code: TraceCode) -> Self {
        Self::new(1, code.as_bytes())
    }

    /// A certificate, by its number.
    #[must_use]
    pub fn certificate(number: &str) -> Self {
        Self::new(2, number.as_bytes())
    }

    /// A piece of cold-chain equipment.
    #[must_use]
    pub fn equipment(id: EquipmentId) -> Self {
        Self::new(3, id.as_bytes())
    }

    /// A signer: the entity in whose name keys sign.
    #[must_use]
    pub fn signer(entity: EntityId) -> Self {
        Self::new(4, entity.as_bytes())
    }

    /// One key of a signer.
    #[must_use]
    pub fn key(key: KeyId) -> Self {
        Self::new(5, key.as_bytes())
    }

    /// The holds and recalls of a trace unit: apart from its other records, so
    /// that a bundle of what was made from it can state all of these, however
    /// often the unit itself moved.
    #[must_use]
    pub fn marks(code: TraceCode) -> Self {
        Self::new(6, code.as_bytes())
    }

    /// What was found at an entity. Not [`signer`](Self::signer), whose records
    /// go with every bundle that the entity signed in.
    #[must_use]
    pub fn conduct(entity: EntityId) -> Self {
        Self::new(7, entity.as_bytes())
    }

    /// What a piece of equipment has parts of: the registrations that name it as
    /// the whole. No record lists it among its subjects, since a part's own record
    /// names the whole in its body; a ledger states it, so that no probe of a place
    /// can be passed over.
    #[must_use]
    pub fn parts(whole: EquipmentId) -> Self {
        Self::new(8, whole.as_bytes())
    }

    fn new(subject_type: u8, code: &[u8]) -> Self {
        // Every code is at most 32 bytes by its type, certificate numbers by
        // `wire::NUMBER_LENGTH_MAX`; a longer one could never be admitted.
        let length = u8::try_from(code.len()).unwrap_or(u8::MAX);
        Self(Hash::of(&[
            b"trace/subject/v1\n",
            &[subject_type, length],
            code,
        ]))
    }
}

impl AsRef<[u8]> for SubjectId {
    fn as_ref(&self) -> &[u8] {
        self.0.as_ref()
    }
}

/// The sorted, distinct list that a record's layout demands.
#[must_use]
pub fn sorted(mut subjects: Vec<SubjectId>) -> Vec<SubjectId> {
    subjects.sort_unstable();
    subjects.dedup();
    subjects
}
