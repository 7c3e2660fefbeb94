//! The bundle 证据包: everything needed to check a trace code without the
//! ledger, in one file.
//!
//! It carries the records about a trace unit and its certificates; leaf 0 and
//! the registrations, enrolments, grants, withdrawals and revocations of every
//! signer, up to the root keys, so that each signer's right is judged anew, by
//! log index; for each record its inclusion proof; one checkpoint; and the
//! ledger's completeness statement about all these subjects. Where the unit was
//! kept under a temperature policy it carries the probes' readings too, and how
//! it was kept is judged anew from them.
//!
//! What a verified bundle proves, and what it does not: every record in it is
//! genuine, stands in the log and was signed with the right to do so; that
//! there is no other is the operator's statement ([`Verdict::words`] says both).
//! Rules beyond rights (quantities, dates, forms) need the whole log: an audit
//! replays them.
//!
//! | file | what it does |
//! |---|---|
//! | `format` | the file's bytes: one spelling |
//! | `verify` | the order of checks |
//! | `replay` | the records one by one: chain, key, right |
//! | `established` | the governance and state that the records themselves establish |
//! | `cold` | what the records establish of the cold chain |
//! | `temperatures` | the readings under their segments' roots, and the verdict from them |
//! | `lineage` | the holds and recalls that reach the unit through what it was made from |
//! | `sources` | how that was kept until it was used, by the bundles of it |
//! | `verdict` | what was found, in words |
//!
//! Not here: how a ledger gathers the records.

mod cold;
mod established;
mod format;
mod lineage;
mod replay;
mod sources;
mod temperatures;
mod verdict;
mod verify;

pub use format::{
    BUNDLE_BYTES_MAX, BUNDLE_READINGS_BYTES_MAX, BUNDLE_READINGS_MAX, BUNDLE_RECORDS_MAX,
};
pub use sources::Source;
pub use temperatures::{ProvedKept, Told};
pub use verdict::{ProvedRecord, Verdict};
pub(crate) use verify::numbers_of;

use super::anchor::Anchor;
use super::merkle::Hash;
use super::note::VerifierKey;
use super::temperatures::{Shelf, Temperatures};
use crate::error::{Invalid, Rule, Verify};
use crate::ident::{CivilDate, TraceCode};

/// The evidence about one trace code: a claim, until verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    code: TraceCode,
    checkpoint: String,
    completeness: String,
    records: Vec<BundleRecord>,
    temperatures: Option<Temperatures>,
}

/// One record of a bundle with its proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleRecord {
    /// Where it stands in the log.
    pub index: u64,
    /// The entry's exact bytes.
    pub entry: Vec<u8>,
    /// From its leaf to the checkpoint's root.
    pub path: Vec<Hash>,
}

impl Bundle {
    /// A bundle of these records, in whatever order, the two signed notes, and what
    /// it carries of temperatures. Nothing is checked but the limits: that is the
    /// reader's.
    ///
    /// # Errors
    /// `Rule::Range` for two records of one index or two shelves of one number, `Rule::TooLarge` for more
    /// than [`BUNDLE_RECORDS_MAX`] records or [`BUNDLE_BYTES_MAX`] bytes.
    pub fn new(
        code: TraceCode,
        checkpoint: String,
        completeness: String,
        mut records: Vec<BundleRecord>,
        mut temperatures: Option<Temperatures>,
    ) -> Result<Self, Invalid> {
        records.sort_by_key(|record| record.index);
        if let Some(own) = &mut temperatures {
            own.readings.sort_by_key(Shelf::place);
        }
        let bundle = Self {
            code,
            checkpoint,
            completeness,
            records,
            temperatures,
        };
        if !bundle.is_sorted() {
            let what = "two records of one index, or two shelves of one number";
            return Err(Invalid::new(Rule::Range, what));
        }
        let too_large = |what: String| Err(Invalid::new(Rule::TooLarge, what));
        let (records, bytes) = (bundle.records.len(), bundle.encode().len());
        if records > BUNDLE_RECORDS_MAX {
            return too_large(format!("{records} records, at most {BUNDLE_RECORDS_MAX}"));
        }
        if bytes > BUNDLE_BYTES_MAX {
            return too_large(format!("{bytes} bytes, at most {BUNDLE_BYTES_MAX}"));
        }
        Ok(bundle)
    }

    /// The trace code that it is about.
    #[must_use]
    pub fn code(&self) -> TraceCode {
        self.code
    }

    /// The checkpoint, a signed note.
    #[must_use]
    pub fn checkpoint(&self) -> &str {
        &self.checkpoint
    }

    /// The completeness statement, a signed note.
    #[must_use]
    pub fn completeness(&self) -> &str {
        &self.completeness
    }

    /// The records, by index.
    #[must_use]
    pub fn records(&self) -> &[BundleRecord] {
        &self.records
    }

    /// The readings of its stays, where it carries them.
    #[must_use]
    pub fn temperatures(&self) -> Option<&Temperatures> {
        self.temperatures.as_ref()
    }

    /// Checks the whole bundle under the trust anchor, and judges the unit as
    /// of a date. Each key of `witnesses` must have signed the checkpoint too;
    /// signatures of any other key are refused.
    ///
    /// A pass proves every record that it carries. That none was withheld is
    /// the operator's statement, and whether the ledger shows others the same
    /// checkpoint is known only by comparing.
    ///
    /// # Errors
    /// - `Verify::WrongLedger`: another ledger, key, or leaf 0; a witness is
    ///   missing.
    /// - `Verify::Malformed`, `Verify::Signature`, `Verify::Proof`: not what was
    ///   signed and logged.
    /// - `Verify::Incomplete`: a record is left out that the ledger lists, or
    ///   that judging another needs.
    /// - `Verify::Inadmissible`: a record stands without the right to.
    /// - `Verify::Fork`: the ledger's own signed words disagree.
    /// - `Verify::CannotCheck`: a record of a kind unknown here.
    pub fn verify(
        &self,
        anchor: &Anchor,
        witnesses: &[VerifierKey],
        as_of: CivilDate,
    ) -> Result<Verdict, Verify> {
        verify::verify(self, anchor, witnesses, as_of, None)
    }

    /// The same with the bundles of what the unit was made from, of which each is
    /// checked like this one: from their readings the verdict tells how they were
    /// kept until they were used, and names what is not at hand. They come one by
    /// one, so that memory holds one of them.
    ///
    /// # Errors
    /// As [`Bundle::verify`]; `Verify::Malformed` for a bundle of what the unit was
    /// not made from, or of what came before; `Verify::Incomplete` for one that is
    /// older than the use, `Verify::Fork` for one under another root of the same
    /// size; whatever comes in a bundle's place.
    pub fn verify_with<E: From<Verify>>(
        &self,
        anchor: &Anchor,
        witnesses: &[VerifierKey],
        as_of: CivilDate,
        bundles: impl IntoIterator<Item = Result<Self, E>>,
    ) -> Result<Verdict, E> {
        let mut verdict = self.verify(anchor, witnesses, as_of)?;
        for bundle in bundles {
            sources::add(&mut verdict, &bundle?, anchor, witnesses)?;
        }
        sources::weigh(&mut verdict);
        Ok(verdict)
    }

    fn is_sorted(&self) -> bool {
        let shelves = self.temperatures.as_ref().map(|own| &own.readings);
        self.records.is_sorted_by(|a, b| a.index < b.index)
            && shelves.is_none_or(|it| it.is_sorted_by(|a, b| a.place() < b.place()))
    }
}

#[cfg(test)]
mod tests;
