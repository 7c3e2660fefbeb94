//! `GET /v1/entities/{id}/balance` and `GET /v1/areas/{area}/balance`: what came,
//! went and ended over a period and what is held at its end, of each product in
//! each measure.
//!
//! It is trade: shown to a token that oversees the entity or the area, and of an
//! entity to its own token; each look is logged. An area's is of all entities
//! registered in it, and what moved within it crossed no border.

use std::{io, sync::Arc};

use axum::{
    extract::{Path, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use trace_core::{
    error::{Invalid, Rule},
    ident::{Area, CivilDate, EntityId},
    ledger::{
        Failed, View,
        balances::{self, Period, ProductBalance},
        flow::Crossing,
        lookup::Audience,
    },
    record::{quantity::BaseUnit, rights::Registry},
};
use utoipa::ToSchema;

use super::{
    answer::{json_for, not_on_ledger, to_json},
    bearer::Bearer,
    office::{Office, beside},
    recall::sheet_headers,
    sight::{Sight, not_overseen},
};
use crate::{
    body::Parameters,
    language::Language,
    problem::{Problem, Refusal},
    sheet::{
        self,
        grid::{Cell, Grid, SheetFormat},
    },
};

/// Products of one answer; a sheet has all.
pub const PRODUCTS_MAX: usize = 1_000;

/// The amounts of a product: the field, and its name in English and Chinese.
pub const AMOUNTS: [(&str, &str, &str); 20] = [
    ("held_before", "held before", "期初在手"),
    ("made", "made", "产出"),
    ("received", "received", "收货"),
    ("refused", "refused and back", "拒收退回"),
    ("gained", "gained", "允许溢余"),
    ("questioned_gain", "gain in question", "存疑溢余"),
    ("handed_over", "handed over", "交付"),
    ("outside", "handed outside", "交账本外"),
    ("transformed", "transformed", "转化"),
    ("sold", "sold", "售出"),
    ("consumed", "used", "自用"),
    ("destroyed", "destroyed", "销毁"),
    ("returned", "returned", "退回"),
    ("lost", "lost", "允许损耗"),
    ("unexplained", "unexplained", "去向不明"),
    ("withdrawn", "voided", "作废"),
    (
        "on_its_way_within",
        "more on its way within",
        "区内在途增加",
    ),
    ("held", "held", "期末在手"),
    ("certificates", "certificates", "开证数"),
    ("certified", "certified", "开证量"),
];

/// Over which days, and which part.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeriodPage {
    /// From the beginning where left out.
    pub first_day: Option<String>,
    /// Today where left out.
    pub last_day: Option<String>,
    /// Behind which product.
    pub after: Option<String>,
    /// Products at most.
    pub limit: Option<usize>,
    /// What for.
    pub purpose: Option<String>,
}

/// Whose balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// An entity's.
    Entity(EntityId),
    /// An area's.
    Area(Area),
}

/// A balance over a period.
#[derive(Debug, Serialize, ToSchema)]
pub struct PeriodBalance {
    /// Whose, where it is an entity's.
    #[schema(value_type = Option<String>)]
    pub entity: Option<EntityId>,
    /// Where: the entity's area, or the area asked for.
    #[schema(example = "131023")]
    pub area: String,
    /// The first day; none is the ledger's first.
    pub first_day: Option<String>,
    /// The last day.
    pub last_day: String,
    /// Each product in each measure, by name.
    pub products: Vec<ProductLine>,
    /// Give this as `after` for the rest, where there is more.
    pub next_after: Option<String>,
    /// What the ledger showed when it answered, a signed note.
    pub checkpoint: String,
}

/// What became of one product in one measure, in base units. What was held
/// before, and what came, is what went, ended, and is held.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProductLine {
    /// 产品名称.
    pub product: String,
    /// Of which measure.
    #[schema(value_type = String, example = "gram")]
    pub base: BaseUnit,
    /// Held when the period began; below nothing where a signer's clock says
    /// that goods left before they came.
    pub held_before: i64,
    /// Made: harvested, produced, imported, declared, or come of other units.
    pub made: u64,
    /// Received from entities elsewhere, what was missing with it.
    pub received: u64,
    /// Refused elsewhere, and back.
    pub refused: u64,
    /// Weighed beyond what was handed over, within the policy.
    pub gained: u64,
    /// Weighed beyond that: an open question, and not held.
    pub questioned_gain: u64,
    /// Handed over to entities elsewhere.
    pub handed_over: u64,
    /// Handed to somebody outside the ledger.
    pub outside: u64,
    /// Used up for other units.
    pub transformed: u64,
    /// Sold to those who eat it.
    pub sold: u64,
    /// Used.
    pub consumed: u64,
    /// Destroyed.
    pub destroyed: u64,
    /// Returned to somebody outside.
    pub returned: u64,
    /// Missing or lost, within the policy.
    pub lost: u64,
    /// Missing or lost beyond that: an open question.
    pub unexplained: u64,
    /// Of units that were voided whole.
    pub withdrawn: u64,
    /// More of it on its way within the area than when the period began.
    pub on_its_way_within: i64,
    /// Held when the period ended.
    pub held: i64,
    /// Certificates issued.
    pub certificates: u64,
    /// So much was certified.
    pub certified: u64,
}

/// `GET /v1/entities/{id}/balance`.
pub async fn of_entity(
    State(office): State<Arc<Office>>,
    bearer: Bearer,
    Path(id): Path<String>,
    Parameters(page): Parameters<PeriodPage>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let whose = Whose::Entity(EntityId::parse(&id)?);
    answer(office, bearer, whose, page, &headers).await
}

/// `GET /v1/areas/{area}/balance`.
pub async fn of_area(
    State(office): State<Arc<Office>>,
    bearer: Bearer,
    Path(area): Path<String>,
    Parameters(page): Parameters<PeriodPage>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let whose = Whose::Area(area.parse()?);
    answer(office, bearer, whose, page, &headers).await
}

async fn answer(
    office: Arc<Office>,
    Bearer(token): Bearer,
    whose: Whose,
    page: PeriodPage,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let (format, language) = (SheetFormat::accepted(headers), Language::preferred(headers));
    let (asked, purpose) = (Arc::clone(&office), page.purpose.clone());
    // A year of a city is a second's work: not on a thread that others wait for.
    let answered = beside(move || -> Result<_, Problem> {
        let view = asked.view();
        let mut sight = Sight::new(&view, Some(&token));
        let is_shown = match &whose {
            Whose::Area(area) => sight.reaches(*area)?,
            Whose::Entity(entity) => {
                if view.folded().entity(entity)?.is_none() {
                    return Err(not_on_ledger(entity));
                }
                token.grant.entity == Some(*entity) || sight.oversees(entity)?
            }
        };
        if !is_shown {
            return Err(not_overseen());
        }
        let today = asked.today(&view)?;
        let limit = match format {
            Some(_) => usize::MAX,
            None => page.limit.unwrap_or(PRODUCTS_MAX).clamp(1, PRODUCTS_MAX),
        };
        let answer = balance(&view, whose, &page, today, limit)?;
        match format {
            None => Ok(to_json(&answer)?),
            Some(format) => {
                let mut bytes = Vec::new();
                write(&answer, (format, language), &mut bytes).map_err(|error| {
                    tracing::error!(%error, "a sheet was not written");
                    Problem::new(Refusal::Failed)
                })?;
                Ok(bytes)
            }
        }
    });
    let bytes = answered.await??;
    let (looked_up, name) = match whose {
        Whose::Entity(entity) => (format!("balance of {entity}"), entity.compact()),
        Whose::Area(area) => (format!("balance of area {area}"), area.to_string()),
    };
    office.log_lookup(&token, looked_up, purpose).await?;
    match format {
        None => Ok(json_for(Audience::Full, bytes)),
        Some(_) => {
            let headers = sheet_headers(format, &format!("{name}.balance"))?;
            Ok((headers, bytes).into_response())
        }
    }
}

/// A balance over a period, so many products of it.
///
/// # Errors
/// [`Rule::Date`] for a day that is none, [`Rule::Range`] for a period that ends
/// before it begins or a place that is none; [`Store`](trace_core::error::Store).
pub fn balance(
    view: &View,
    whose: Whose,
    page: &PeriodPage,
    today: CivilDate,
    limit: usize,
) -> Result<PeriodBalance, Failed> {
    let day = |text: &Option<String>| text.as_deref().map(CivilDate::parse).transpose();
    let period = Period {
        first: day(&page.first_day)?,
        last: day(&page.last_day)?.unwrap_or(today),
    };
    if let Some(first) = period.first.filter(|first| *first > period.last) {
        let what = format!("the period ends on {}, before {first}", period.last);
        return Err(Invalid::new(Rule::Range, what).into());
    }
    let after = page.after.as_deref().map(place).transpose()?;
    // Derived rows may be in memory alone: a log that cannot be read is said to
    // be so.
    view.entry(0)?;
    let (entity, area, found) = match whose {
        Whose::Entity(entity) => {
            let state = view.folded().entity(&entity)?;
            let area = state.and_then(|state| Area::try_from(state.area).ok());
            (
                Some(entity),
                area,
                balances::of_entity(view, entity, period)?,
            )
        }
        Whose::Area(area) => (None, Some(area), balances::of_area(view, area, period)?),
    };
    let within = area.filter(|_| entity.is_none());
    let mut rest = found.into_iter().filter(|found| {
        let own = (found.product.as_str(), found.base);
        after
            .as_ref()
            .is_none_or(|(product, base)| own > (product.as_str(), *base))
    });
    let products: Vec<ProductLine> = rest
        .by_ref()
        .take(limit)
        .map(|found| ProductLine::of(found, within))
        .collect();
    let last = products.last().filter(|_| rest.next().is_some());
    Ok(PeriodBalance {
        entity,
        area: area.map_or_else(String::new, |area| area.to_string()),
        first_day: period.first.map(|day| day.to_string()),
        last_day: period.last.to_string(),
        next_after: last.map(|line| format!("{}/{}", sheet::measure(line.base), line.product)),
        products,
        checkpoint: view.checkpoint().note().to_owned(),
    })
}

/// Reads the place behind a product, as `gram/韭菜`.
fn place(text: &str) -> Result<(String, BaseUnit), Invalid> {
    let wrong = || Invalid::new(Rule::Range, format!("{text:.60} is no place in a balance"));
    let (base, product) = text.split_once('/').ok_or_else(wrong)?;
    let base = sheet::base_unit(base).ok_or_else(wrong)?;
    Ok((product.to_owned(), base))
}

impl ProductLine {
    /// Of what was found; of an area only what crossed its border.
    fn of(found: ProductBalance, within: Option<Area>) -> Self {
        let flow = found.flow;
        let crossed = |crossing: &Crossing| match within {
            Some(area) => crossing.across(area),
            None => crossing.all(),
        };
        let inner = |crossing: &Crossing| {
            let inner = crossing.all().saturating_sub(crossed(crossing));
            i64::try_from(inner).unwrap_or(i64::MAX)
        };
        let came = inner(&flow.received).saturating_add(inner(&flow.refused));
        Self {
            product: found.product,
            base: found.base,
            held_before: found.held_before,
            made: flow.made,
            received: crossed(&flow.received),
            refused: crossed(&flow.refused),
            gained: flow.gained,
            questioned_gain: flow.questioned_gain,
            handed_over: crossed(&flow.handed_over),
            outside: flow.outside,
            transformed: flow.transformed,
            sold: flow.sold,
            consumed: flow.consumed,
            destroyed: flow.destroyed,
            returned: flow.returned,
            lost: flow.lost,
            unexplained: flow.unexplained,
            withdrawn: flow.withdrawn,
            on_its_way_within: inner(&flow.handed_over).saturating_sub(came),
            held: found.held,
            certificates: flow.certificates,
            certified: flow.certified,
        }
    }

    /// The amounts, in the order of [`AMOUNTS`].
    #[must_use]
    pub fn amounts(&self) -> [i128; AMOUNTS.len()] {
        [
            self.held_before.into(),
            self.made.into(),
            self.received.into(),
            self.refused.into(),
            self.gained.into(),
            self.questioned_gain.into(),
            self.handed_over.into(),
            self.outside.into(),
            self.transformed.into(),
            self.sold.into(),
            self.consumed.into(),
            self.destroyed.into(),
            self.returned.into(),
            self.lost.into(),
            self.unexplained.into(),
            self.withdrawn.into(),
            self.on_its_way_within.into(),
            self.held.into(),
            self.certificates.into(),
            self.certified.into(),
        ]
    }
}

/// Writes a balance as a sheet, a row for each product and measure.
///
/// # Errors
/// As `out` fails.
pub fn write(
    answer: &PeriodBalance,
    (format, language): (SheetFormat, Language),
    out: impl io::Write,
) -> io::Result<()> {
    let names = AMOUNTS.map(|(_, english, chinese)| language.of(english, chinese));
    let first = language.of(["product", "measure"], ["产品", "计量"]);
    let head: Vec<&str> = first.into_iter().chain(names).collect();
    let mut grid = Grid::begin(format, &head, out)?;
    for line in &answer.products {
        let sign = sheet::sign(language, sheet::measure(line.base));
        let mut cells: Vec<Cell> = vec![line.product.as_str().into(), sign.into()];
        cells.extend(line.amounts().map(Cell::number));
        grid.row(&cells)?;
    }
    grid.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use trace_core::ledger::flow::Flow;

    #[test]
    fn every_amount_of_a_product_stands_in_a_sheet_under_its_own_name() {
        let within = |county| Crossing {
            county,
            ..Crossing::default()
        };
        let flow = Flow {
            received: within(3),
            refused: within(4),
            handed_over: within(5),
            made: 6,
            gained: 7,
            questioned_gain: 8,
            outside: 9,
            transformed: 10,
            sold: 11,
            consumed: 12,
            destroyed: 13,
            returned: 14,
            lost: 15,
            unexplained: 16,
            withdrawn: 17,
            certificates: 18,
            certified: 19,
        };
        let found = ProductBalance {
            product: "韭菜".into(),
            base: BaseUnit::Gram,
            flow,
            held_before: 1,
            held: 2,
        };
        let line = ProductLine::of(found, None);
        let json = serde_json::to_value(&line).unwrap();
        for ((field, ..), amount) in AMOUNTS.iter().zip(line.amounts()) {
            assert_eq!(
                json[field].as_i64().map(i128::from),
                Some(amount),
                "{field}"
            );
        }
        let fields = json.as_object().unwrap().len();
        assert_eq!(fields, AMOUNTS.len() + 2, "the product and its measure");
    }
}
