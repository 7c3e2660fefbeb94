//! Who was handed some of a unit, when, how much arrived, and how to reach them;
//! and the documents on which its records rest. For those who see the unit in full,
//! in whatever area the goods are, as the recall sheet has it.

use std::collections::BTreeSet;

use maud::{Markup, html};
use trace_core::{
    ident::{TraceCode, format_ms},
    ledger::{
        Failed, View,
        lineage::{TransferFound, transfers_of_unit},
        lookup::{Audience, PartyAnswer, RecordAnswer},
    },
    record::{Hash, claim::Claim, document::DocumentClaim, quantity::BaseUnit, section::Openings},
};

use super::{entity, link};
use crate::{
    api::{Office, office::civil_offset_minutes},
    desk::frame::measured,
    language::Language,
};

/// Transfers of one page; the recall sheet has all.
const TRANSFERS_MAX: usize = 20;

/// Transfers of a unit with those who took part.
pub(super) struct Transfers {
    found: Vec<(TransferFound, [Option<PartyAnswer>; 2])>,
    has_more: bool,
    offset_minutes: i32,
}

/// The transfers of a unit, the first of them. The look-up must be logged.
///
/// # Errors
/// [`Store`](trace_core::error::Store).
pub(super) fn transfers(
    office: &Office,
    view: &View,
    code: TraceCode,
) -> Result<Transfers, Failed> {
    let mut lookup = office.lookup(view, Audience::Full)?;
    let mut all = transfers_of_unit(view, code, 0, TRANSFERS_MAX + 1)?;
    let has_more = all.len() > TRANSFERS_MAX;
    all.truncate(TRANSFERS_MAX);
    let mut found = Vec::with_capacity(all.len());
    for transfer in all {
        let (from, to) = (transfer.transfer.from, transfer.transfer.to);
        found.push((transfer, [lookup.party(from)?, lookup.party(to)?]));
    }
    Ok(Transfers {
        found,
        has_more,
        offset_minutes: civil_offset_minutes(view)?,
    })
}

/// Who received it, as a table.
pub(super) fn told(language: Language, transfers: &Transfers, base: BaseUnit) -> Markup {
    let title = language.of("Who received it", "收货方");
    let offset_minutes = transfers.offset_minutes;
    html! {
        h2 id="parties" { (title) }
        @if transfers.found.is_empty() {
            p { (language.of("It was handed to nobody on this ledger.", "未在本账本上交付他人。")) }
        } @else {
            div.wide tabindex="0" role="region" aria-label=(title) {
                table {
                    thead { tr {
                        th scope="col" { (language.of("Handed over", "交付")) }
                        th scope="col" { (language.of("By", "交货方")) }
                        th scope="col" { (language.of("To", "收货方")) }
                        th scope="col" { (language.of("Amount", "数量")) }
                        th scope="col" { (language.of("Received", "收货")) }
                    } }
                    tbody { @for (transfer, [from, to]) in &transfers.found {
                        @let transfer = &transfer.transfer;
                        tr {
                            td { (format_ms(transfer.at_ms, offset_minutes).get(..16).unwrap_or_default().replace('T', " ")) }
                            td { (party(language, from.as_ref())) }
                            td { (party(language, to.as_ref())) }
                            td {
                                (measured(language, transfer.amount, base))
                                @if let Some(number) = &transfer.certificate { br; a href=(link(number)) { (number) } }
                            }
                            td { @match &transfer.arrival {
                                None => strong { (language.of("not yet", "尚未收货")) },
                                Some(arrival) => @for (found, english, chinese) in [
                                    (arrival.accepted, "accepted ", "接收 "),
                                    (arrival.missing, "missing ", "短少 "),
                                    (arrival.refused, "refused ", "拒收 "),
                                    (arrival.excess, "excess ", "多出 "),
                                ] {
                                    @if found > 0 {
                                        (language.of(english, chinese)) (measured(language, found, base)) br;
                                    }
                                },
                            } }
                        }
                    } }
                }
            }
        }
        @if transfers.has_more {
            p.quiet { (language.of(
                "There are more: the recall sheet has all.",
                "还有更多:召回清单包含全部。",
            )) }
        }
    }
}

/// Who somebody is, where, and how to reach them.
fn party(language: Language, party: Option<&PartyAnswer>) -> Markup {
    html! {
        @if let Some(party) = party {
            a href=(link(party.entity)) { (entity::name(language, party.name.as_deref())) }
            br; (entity::area(language, &party.area))
            @for person in &party.contacts {
                br; (person.name)
                @if let Some(phone) = &person.phone { " " a href=(format!("tel:{phone}")) { (phone) } }
            }
        }
    }
}

/// The documents that a unit's records name, with the records.
pub(super) fn documents(language: Language, records: &[RecordAnswer]) -> Markup {
    let mut named: BTreeSet<(u64, Hash)> = BTreeSet::new();
    for record in records {
        // A section that is not at hand hides no document: they are public fields.
        let claims = record.statement.claims(&Openings::default());
        for claim in claims.unwrap_or_default() {
            if let Claim::Document(
                DocumentClaim::Names { document } | DocumentClaim::Photographs { document },
            ) = claim
            {
                named.insert((record.index, document));
            }
        }
    }
    html! {
        h2 { (language.of("Documents", "文件")) }
        @if named.is_empty() {
            p { (language.of("The records shown name none.", "所列记录未引用文件。")) }
        }
        ul { @for (index, document) in &named { li {
            a.act href=(format!("/inspect/documents/{document}")) {
                (language.of("Document of record ", "记录所附文件,序号 ")) (index)
            }
            " " span.code.quiet { (document.to_string().get(..16).unwrap_or_default()) "…" }
        } } }
    }
}
