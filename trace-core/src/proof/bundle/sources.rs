//! How what a unit was made from was kept until it was used, where the bundles of
//! its sources are at hand too.
//!
//! A bundle proves how each source was made and what bars it; its readings are its
//! own unit's alone, since those of sources are of any number. So each source's
//! stand in a bundle of its own, checked like any other, and its stays are judged
//! again until the act that used it: what lay there afterwards says nothing of what
//! was made. What is found is told by the line that the ledger has for it.

use super::verdict::Verdict;
use super::verify;
use super::{Anchor, Bundle, Told};
use crate::error::Verify;
use crate::ident::TraceCode;
use crate::proof::note::VerifierKey;
use crate::record::keeping::SourcesKept;
use crate::record::status::Status;

/// Something that a unit was made from.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// Its trace code.
    pub code: TraceCode,
    /// When it was used on the way to the unit, for the last time.
    pub used_ms: u64,
    /// The record of that.
    pub used_index: u64,
    /// How it was kept until then; none where its bundle is not at hand.
    pub told: Option<Told>,
}

/// Adds to a verdict what the bundle of one of its sources tells.
pub(super) fn add(
    verdict: &mut Verdict,
    bundle: &Bundle,
    anchor: &Anchor,
    witnesses: &[VerifierKey],
) -> Result<(), Verify> {
    let code = bundle.code();
    let of_unit = verdict.code;
    let mut sources = verdict.sources.iter_mut();
    let Some(source) = sources.find(|source| source.code == code) else {
        return Err(Verify::Malformed {
            what: "bundle of a source",
            why: format!("it is about {code}, of which {of_unit} was not made by its own bundle"),
        });
    };
    if source.told.is_some() {
        return Err(Verify::Malformed {
            what: "bundle of a source",
            why: format!("there are two of {code}, wanted one"),
        });
    }
    let as_of = verdict.as_of;
    let found = verify::verify(bundle, anchor, witnesses, as_of, Some(source.used_ms))?;
    let [own, other] = [&verdict.checkpoint, &found.checkpoint];
    let (size, used) = (other.size(), source.used_index);
    if size <= used {
        let why = format!(
            "the bundle of {code} is of size {size}, before record {used} used it; make it anew"
        );
        return Err(Verify::Incomplete { why });
    }
    if own.size() == size && own.root() != other.root() {
        let why =
            format!("two roots are signed at size {size}: by {of_unit}'s bundle and {code}'s");
        return Err(Verify::Fork { why });
    }
    source.told = Some(found.told);
    Ok(())
}

/// Adds the line of the checklist that says how the sources were kept.
pub(super) fn weigh(verdict: &mut Verdict) {
    if verdict.judgement.status == Status::Unknown {
        return;
    }
    let mut found = SourcesKept::default();
    for source in &verdict.sources {
        let code = source.code;
        match &source.told {
            Some(Told::NotPlaced) => {}
            Some(Told::Kept(proved)) => found.add(code, &proved.kept),
            Some(Told::Unread(index)) => found.add_unread(code, Some(*index)),
            Some(Told::LeftOut { placed_index, .. }) => {
                found.add_unread(code, Some(*placed_index));
            }
            None => found.add_unread(code, None),
        }
    }
    verdict.judgement.reasons.extend(found.line());
}
