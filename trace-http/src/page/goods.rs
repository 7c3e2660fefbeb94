//! What the goods are: product, batch, dates, origin, and what they were made of.
//!
//! A value that a bundle proves is marked `data-shows`, so that the check in the
//! browser holds what is read here against the records.

use maud::{Markup, html};
use trace_core::{ident::CivilDate, record::claim::DurabilityKind};

use super::{Shown, story};
use crate::language::Language;

/// Product, maker, batch, content; dates and storage; origin.
pub(crate) fn what_it_is(language: Language, shown: &Shown) -> Markup {
    let (Some(record), Some(goods)) = (&shown.made, &shown.goods) else {
        return html! {};
    };
    let durability = goods.durability.map(|(kind, on)| {
        let name = match kind {
            DurabilityKind::BestBefore => language.of("Best before", "保质期至"),
            DurabilityKind::UseBy => language.of("Use by", "食用截止"),
        };
        (name, on.to_string())
    });
    let (gtin, lot) = (
        goods.gtin.map(|it| it.to_string()),
        goods.lot.map(|it| it.to_string()),
    );
    let produced_on = goods.produced_on.to_string();
    html! {
        dl {
            (line("maker", language.of("Made by", "生产者"), Some(&story::signer(language, record))))
            (line("lot", language.of("Batch", "批次"), lot.as_deref()))
            (line("quantity", language.of("Net content", "净含量"), goods.quantity.as_deref()))
            (line("specification", language.of("Specification", "规格"), goods.specification.as_deref()))
            (line("gtin", "GTIN", gtin.as_deref()))
            (line("produced_on", language.of("Produced on", "生产日期"), Some(&produced_on)))
            @if let Some((name, on)) = &durability { (line("durability", name, Some(on))) }
            (line("storage", language.of("Storage", "贮存"), goods.storage.as_deref()))
            (line("origin_place", language.of("Origin", "产地"), goods.origin_place.as_deref()))
        }
    }
}

fn line(shows: &str, name: &str, value: Option<&str>) -> Markup {
    html! { @if let Some(value) = value { dt { (name) } dd data-shows=(shows) { (value) } } }
}

/// What it was made of, by code; where only a paper speaks for the origin, that.
pub(crate) fn made_of(language: Language, shown: &Shown) -> Markup {
    let unproved = language.of("Origin not proved on this ledger", "来源未在本账本证明");
    let made = shown.state.made.as_ref();
    html! {
        @if made.is_some_and(|made| made.is_declared) { p { strong { (unproved) } } }
        @if !shown.parents.is_empty() {
            h2 { (language.of("Made from", "由以下追溯单元制成")) }
            ul {
                @for parent in &shown.parents {
                    li {
                        (parent.product) " · "
                        a.code href=(format!("/t/{}", parent.code.compact())) { (parent.code) }
                        br; span.quiet {
                            (parent.maker.as_deref().unwrap_or(language.of("a natural person", "自然人")))
                            @if parent.is_declared { " · " (unproved) }
                        }
                    }
                }
            }
        }
    }
}

/// A past date in words of its own: best-before and use-by differ.
pub(crate) fn past_date(language: Language, shown: &Shown, today: &str) -> Option<&'static str> {
    let (kind, last) = shown.goods.as_ref()?.durability?;
    let today = CivilDate::parse(today).ok()?;
    (today > last).then(|| match kind {
        DurabilityKind::BestBefore => language.of(
            "Its best-before date has passed: its quality is promised no longer.",
            "已超过保质期:品质不再有保证。",
        ),
        DurabilityKind::UseBy => language.of(
            "Its use-by date has passed: do not eat it.",
            "已超过食用截止日期:请勿食用。",
        ),
    })
}
