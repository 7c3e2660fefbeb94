//! Trying to cheat: what the demo submits to its own ledger to see it refused.
//!
//! Everything here is signed by the keys of those who try it and goes the way of
//! every other record; what the rules say is kept word for word. Not here: what
//! is tried, which is `trace_fixtures::cheats`.

use serde::{Deserialize, Serialize};
use trace_core::{error::Invalid, ident::TraceCode, record::submission::Submission};
use trace_fixtures::{Act, Chains, City, cheats};

use crate::{
    cli::{
        Failure,
        failure::refusal,
        local::{Denied, Local},
    },
    language::Language,
};

/// What was tried, and how it was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// What was tried, in English and in Chinese.
    pub tried: (String, String),
    /// The code of the rule that refused it.
    pub rule: String,
    /// The refusal with its numbers and its remedy, in English and in Chinese.
    pub said: (String, String),
    /// The hash of the record, which stands in no log.
    pub record: String,
}

/// Admits what is honest in the story, tries the rest, and tells how each was
/// refused.
///
/// # Errors
/// When something honest is refused, or something else is not, or by another
/// rule than the one that is there for it.
pub(super) fn tried(
    local: &Local,
    city: &City,
    chains: &mut Chains,
    recalled: Option<TraceCode>,
    at_ms: u64,
) -> Result<Vec<Refused>, Failure> {
    let view = local.ledger().view();
    let held = match recalled {
        Some(unit) => cheats::still_held(&view, unit)?,
        None => None,
    };
    drop(view);
    let story = cheats::story(city, at_ms, held);
    for act in story.honest {
        offer(local, chains, act)?.map_err(|invalid| Failure::Rule(Box::new(invalid.1)))?;
    }
    let mut refused = Vec::with_capacity(story.attempts.len());
    for attempt in story.attempts {
        let (english, chinese) = attempt.name;
        let wanted = attempt.rule.code();
        let (record, invalid) = match offer(local, chains, attempt.act)? {
            Err(refused) => refused,
            Ok(()) => {
                let why = format!("{english}: admitted, {wanted} should have refused it");
                return Err(Failure::Machine(why));
            }
        };
        if invalid.rule != attempt.rule {
            let why = format!("{english}: refused by {invalid}, not by {wanted}");
            return Err(Failure::Machine(why));
        }
        refused.push(Refused {
            tried: (english.to_owned(), chinese.to_owned()),
            rule: wanted.to_owned(),
            said: (
                refusal(&invalid, Language::English),
                refusal(&invalid, Language::Chinese),
            ),
            record,
        });
    }
    Ok(refused)
}

/// Signs and submits one act; a refusal with the record's hash. The signer's
/// next record then stands where this would have.
fn offer(
    local: &Local,
    chains: &mut Chains,
    act: Act,
) -> Result<Result<(), (String, Invalid)>, Failure> {
    let signer = act.signer;
    let (sequence, link) = chains.chain(signer).next();
    let submission: Submission = chains.sign(act);
    let hash = submission.signed.hash().to_string();
    let verified = local.ledger().verify(vec![submission]);
    let items = verified.into_iter().collect::<Result<Vec<_>, _>>();
    let denied = match items {
        Ok(items) => local.admit(items).err(),
        Err(refusal) => Some(Denied::from(refusal.invalid)),
    };
    match denied.map(|denied| denied.failure) {
        None => Ok(Ok(())),
        Some(Failure::Rule(invalid)) => {
            chains.chain(signer).resume(sequence, link);
            Ok(Err((hash, *invalid)))
        }
        Some(failure) => Err(failure),
    }
}
