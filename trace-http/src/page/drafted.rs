//! What a page will show of goods that are not yet recorded: the same parts, from
//! what is about to be signed.

use maud::{Markup, html};
use trace_core::{
    error::Invalid,
    ident::{CivilDate, EntityId, TraceCode},
    ledger::lookup::{RecordAnswer, SignerAnswer, UnitAnswer},
    record::{
        Body, Hash,
        marks::Barred,
        section::Openings,
        sign::KeyId,
        status::{ColdChain, judge},
        unit::UnitState,
    },
};

use super::{Shown, goods, papers, template};
use crate::{goods::Goods, language::Language};

/// Who is about to sign.
pub(crate) struct Drafter {
    /// The entity.
    pub entity: EntityId,
    /// Its registered name; none of a natural person.
    pub name: Option<String>,
}

/// The page's parts, of bodies that are about to be signed on a day.
///
/// # Errors
/// The rule of a section that does not fit its body.
pub(crate) fn preview(
    language: Language,
    code: TraceCode,
    drafter: &Drafter,
    said: &[(Body, Openings)],
    today: CivilDate,
) -> Result<Markup, Invalid> {
    let mut state = UnitState::default();
    let mut records = Vec::new();
    for (index, (body, openings)) in (0..).zip(said) {
        let nothing = Hash::of(&[]);
        for claim in body.claims(openings)? {
            state.apply(code, index, nothing, drafter.entity, &claim);
        }
        records.push(RecordAnswer {
            index,
            hash: nothing,
            kind: body.kind().name,
            kind_zh: body.kind().name_zh,
            admitted_at: String::new(),
            signed_at: String::new(),
            signer: SignerAnswer {
                entity: drafter.entity,
                name: drafter.name.clone(),
                key: KeyId::from(nothing),
                is_hosted: true,
            },
            is_disputed: false,
            statement: body.clone(),
            trade: None,
            persons: Vec::new(),
            entry: String::new(),
            path: Vec::new(),
        });
    }
    let judgement = judge(&state, &Barred::default(), None, today);
    let made = records.iter().find(|record| {
        state
            .made
            .as_ref()
            .is_some_and(|made| made.index == record.index)
    });
    let made = made.cloned();
    let goods = made.as_ref().map(|made| Goods::of(&made.statement, code));
    let goods = goods.transpose()?.flatten();
    let shown = Shown {
        code,
        goods,
        made,
        answer: UnitAnswer {
            code,
            status: judgement.status,
            status_words: judgement.status.words(),
            status_words_zh: judgement.status.words_zh(),
            cold_chain: ColdChain::NotMonitored,
            kept: None,
            reasons: judgement.reasons,
            replaced_by: None,
            judged_on: today.to_string(),
            records,
            next_index: None,
            checkpoint: String::new(),
        },
        state,
        older_before: None,
        anchor: String::new(),
        is_older: false,
        size: 0,
        limits: None,
        parents: Vec::new(),
        takes_reports: false,
        offset_minutes: 0,
        scans: None,
    };
    let product = shown.state.made.as_ref().map(|made| made.product.as_str());
    Ok(html! {
        (template::verdict(language, shown.answer.status, &html! {
            p.quiet { (language.of("Judged on ", "核验日期 ")) (today) }
        }))
        @if let Some(product) = product { p.product { (product) } }
        (goods::what_it_is(language, &shown))
        (papers::certificates(language, &shown))
    })
}
