//! When a thing may be said. Civil dates are dates at the ledger's offset: at
//! four in the morning in Langfang it is still yesterday in UTC.

use super::At;
use crate::error::{Invalid, Rule};
use crate::ident::{CivilDate, format_ms};
use crate::record::claim::Form;
use crate::record::unit::Made;

/// The signer's clock is not too far ahead of admission. How far it is behind
/// does not matter: offline devices send late.
pub(super) fn signed(at: &At, signed_at_ms: u64) -> Result<(), Invalid> {
    ahead(at, signed_at_ms, Rule::SignedAhead, "signed")
}

fn ahead(at: &At, said_ms: u64, rule: Rule, what: &str) -> Result<(), Invalid> {
    let latest = at.admitted_ms.saturating_add(at.policy.signed_ahead_max_ms);
    if said_ms <= latest {
        return Ok(());
    }
    let offset = i32::from(at.policy.civil_offset_minutes);
    let (said, now) = (
        format_ms(said_ms, offset),
        format_ms(at.admitted_ms, offset),
    );
    let most = at.policy.signed_ahead_max_ms;
    Err(Invalid::new(
        rule,
        format!("{what} at {said}, admission is at {now}; {most} ms ahead are allowed"),
    ))
}

/// Production, then issue, then expiry; and issue not after today. A paper of
/// another authority may be older than the unit, which begins here on import.
pub(super) fn issued(
    at: &At,
    form: Form,
    issued_on: CivilDate,
    expires_on: Option<CivilDate>,
    made: &Made,
) -> Result<(), Invalid> {
    if issued_on > at.today {
        return Err(Invalid::new(
            Rule::IssueAhead,
            format!("issued on {issued_on}, today is {}", at.today),
        ));
    }
    let produced_on = made.produced_on.date()?;
    if produced_on > issued_on && !form.is_reported() {
        let what = format!("issued on {issued_on}, produced on {produced_on}");
        return Err(Invalid::new(Rule::BeforeProduction, what).against(made.hash.into()));
    }
    match expires_on {
        Some(expires_on) if expires_on < issued_on => Err(Invalid::new(
            Rule::DatesDisagree,
            format!("issued on {issued_on}, valid until {expires_on}"),
        )),
        _ => Ok(()),
    }
}

/// Whether the issue date precedes admission by more than the policy's days.
pub(super) fn is_late(at: &At, form: Form, issued_on: CivilDate) -> Result<bool, Invalid> {
    Ok(!form.is_reported()
        && at.today.days() - issued_on.days() > i32::from(at.policy.issue_backdate_max_days))
}

/// A late certificate stands only with an authority's countersignature.
pub(super) fn late_needs_authority(
    at: &At,
    issued_on: CivilDate,
    agreed: bool,
) -> Result<(), Invalid> {
    if agreed {
        return Ok(());
    }
    let days = at.today.days() - issued_on.days();
    let most = at.policy.issue_backdate_max_days;
    let what = format!(
        "issued on {issued_on}, {days} days before {}; {most} are allowed without an authority",
        at.today
    );
    Err(Invalid::new(Rule::IssueBackdated, what))
}

/// What was seen or tested was so not in the future, and not before there was
/// anything to see.
pub(super) fn seen(at: &At, on: CivilDate, made: Option<&Made>) -> Result<(), Invalid> {
    if on > at.today {
        let what = format!("on {on}, today is {}", at.today);
        return Err(Invalid::new(Rule::EventAhead, what));
    }
    let Some(made) = made else { return Ok(()) };
    let produced_on = made.produced_on.date()?;
    match on < produced_on {
        true => Err(Invalid::new(
            Rule::BeforeProduction,
            format!("on {on}, but the unit was produced on {produced_on}"),
        )
        .against(made.hash.into())),
        false => Ok(()),
    }
}

/// What happened did so not in the future.
pub(super) fn not_ahead(at: &At, at_ms: u64) -> Result<(), Invalid> {
    ahead(at, at_ms, Rule::EventAhead, "happened")
}

/// What happens to a unit happens after it was made and not in the future.
pub(super) fn happened(at: &At, at_ms: u64, made: &Made) -> Result<(), Invalid> {
    not_ahead(at, at_ms)?;
    let (date, produced_on) = (at.date(at_ms)?, made.produced_on.date()?);
    if date < produced_on {
        let what = format!("on {date}, but the unit was produced on {produced_on}");
        return Err(Invalid::new(Rule::BeforeProduction, what).against(made.hash.into()));
    }
    Ok(())
}
