//! All that an inspector is shown of a unit, gathered at one moment: what everybody
//! sees, the evidence checked anew, where all of it is, and with whom.

use trace_core::{
    ident::{EntityId, TraceCode},
    ledger::{
        Failed, View, bundling,
        lineage::{self, UnitBalance},
        lookup::{Audience, Lookup, PartyAnswer},
        parties::parties,
        tokens::TokenGrant,
    },
    record::status::Reason,
};

use crate::{
    api::{
        Office,
        codes::audience,
        lineage::{TraceAnswer, TracePage, Way, traced},
        sight::Sight,
    },
    page::{Shown, gather as gather_shown},
};

/// Units of one way of the lineage on the page: more is behind its link.
const UNITS_MAX: usize = 40;

/// Parties named on the page: a wholesale batch goes to some hundred buyers, whom
/// the recall sheet names.
const PARTIES_MAX: usize = 100;

/// Everything on the page about a unit.
pub(super) struct Seen {
    /// What everybody sees, or all of it.
    pub shown: Shown,
    /// Whether it is shown in full, and was to be logged.
    pub is_full: bool,
    /// What came of checking its bundle.
    pub checked: Checked,
    /// What it was made of.
    pub back: TraceAnswer,
    /// What was made of it.
    pub forward: TraceAnswer,
    /// Where all of it is; in full answers alone.
    pub balance: Option<UnitBalance>,
    /// Through whose hands it went; in full answers alone.
    pub parties: Vec<Party>,
}

/// One through whose hands a unit went.
pub(super) struct Party {
    /// Who.
    pub who: PartyAnswer,
    /// How much of it he has now, in base units.
    pub held: Option<u64>,
}

/// What came of checking the evidence anew.
pub(super) enum Checked {
    /// So many records are as they were signed and logged, among so many.
    Sound {
        /// Records checked.
        records: usize,
        /// Entries of the log.
        size: u64,
    },
    /// They are not, and why.
    Unsound(String),
    /// The story is too long for a bundle.
    TooLong,
}

/// Gathers it; none when no record makes the unit.
pub(super) fn gather(
    office: &Office,
    token: TokenGrant,
    code: TraceCode,
) -> Result<Option<Seen>, Failed> {
    let view = office.view();
    let audience = audience(&view, Some(&token), code)?;
    let Some(shown) = gather_shown(office, code, None, audience)? else {
        return Ok(None);
    };
    let is_full = audience == Audience::Full;
    let mut lookup = office.lookup(&view, audience)?;
    let mut sight = Sight::new(&view, Some(&token));
    let mut way = |way| {
        let page = TracePage {
            direction: Some(way),
            limit: Some(UNITS_MAX),
            ..TracePage::default()
        };
        traced(
            &view,
            &mut lookup,
            &mut sight,
            shown.offset_minutes,
            code,
            &page,
        )
    };
    let (back, forward) = (way(Way::Back)?, way(Way::Forward)?);
    let (balance, parties) = match is_full {
        true => (
            lineage::balance(&view, code)?,
            named(&view, &mut lookup, code)?,
        ),
        false => (None, Vec::new()),
    };
    Ok(Some(Seen {
        checked: check(office, &view, code)?,
        shown,
        is_full,
        back,
        forward,
        balance,
        parties,
    }))
}

fn named(view: &View, lookup: &mut Lookup<'_>, code: TraceCode) -> Result<Vec<Party>, Failed> {
    let held = lineage::holders(view, code, None, PARTIES_MAX)?;
    let held_by = |who: &EntityId| held.iter().find(|(entity, _)| entity == who).map(|it| it.1);
    let mut found = Vec::new();
    for entity in parties(view, code, PARTIES_MAX)?
        .into_iter()
        .take(PARTIES_MAX)
    {
        let held = held_by(&entity);
        found.extend(lookup.party(entity)?.map(|who| Party { who, held }));
    }
    Ok(found)
}

/// Checks signatures, links, inclusion and rights, as a stranger's verifier does.
fn check(office: &Office, view: &View, code: TraceCode) -> Result<Checked, Failed> {
    let bundle = match bundling::bundle(view, office.signer(), code) {
        Ok(Some(bundle)) => bundle,
        Ok(None) => return Ok(Checked::Unsound("no record".into())),
        Err(Failed::Invalid(_)) => return Ok(Checked::TooLong),
        Err(failed) => return Err(failed),
    };
    let verdict = bundle.verify(office.anchor()?, &[], office.today(view)?);
    Ok(match verdict {
        Ok(verdict) => Checked::Sound {
            records: verdict.proved.len(),
            size: view.size(),
        },
        Err(unsound) => Checked::Unsound(unsound.to_string()),
    })
}

impl Seen {
    /// The indexes of the records that bar the unit, by what they are.
    pub(super) fn barring(&self, check: &str) -> Vec<&Reason> {
        let reasons = self.shown.answer.reasons.iter();
        reasons
            .filter(|reason| reason.check == check && reason.holds == Some(false))
            .collect()
    }
}
