//! Looking through derived rows for open questions, a bounded part at a time.

use super::{About, Asked, Page, Question};
use crate::error::{Invalid, Rule, Store};
use crate::ident::{Area, CivilDate, EntityId, TraceCode};
use crate::ledger::fold_flow::{ExpiredUse, NearlySpent};
use crate::ledger::view::View;
use crate::ledger::{Failed, balances, lineage, rows};
use crate::record::evidence::{FindingStanding, FindingState};
use crate::record::quantity::BaseUnit;
use crate::record::rights::Registry;
use crate::record::unit::{CertificateState, Made, Standing};
use crate::record::{Body, Hash};
use crate::rules::{Facts, custody};
use std::ops::ControlFlow;

/// Rows looked through for one page: with a unit and a policy read for each,
/// about 50 ms.
const ROWS_MAX: usize = 2_000;

/// Buckets of 256 entries looked into for one page of transfers: a bucket whose
/// transfers all arrived costs one row, another 256 entries or half a ms.
const BUCKETS_MAX: usize = 100;

/// Issuers looked at for one page: five weeks of rows each.
const ISSUERS_MAX: usize = 500;

/// Days of a volume.
const RECENT_DAYS: i32 = 7;

/// Weeks before, by which it is judged what is usual.
const USUAL_WEEKS: i32 = 4;

/// A volume jumped when it is so many times the usual: what a festival does
/// (three times) is asked about too, and answered quickly.
const JUMP: u128 = 3;

/// A page of questions, of those that `is_shown` for one of the entities they
/// concern.
///
/// # Errors
/// [`Rule::Range`] for a place that is none; whatever `is_shown` fails with;
/// [`Store`].
pub fn page(
    view: &View,
    asked: Asked<'_>,
    is_shown: impl FnMut(&EntityId) -> Result<bool, Failed>,
) -> Result<Page, Failed> {
    let mut desk = Desk {
        view,
        asked,
        is_shown,
    };
    match asked.about {
        About::Quantities => desk.quantities(),
        About::Transfers => desk.transfers(),
        About::Certificates => desk.certificates(),
        About::Volumes => desk.volumes(),
        About::Expired => desk.expired(),
        About::Findings => desk.findings(),
    }
}

struct Desk<'a, S> {
    view: &'a View,
    asked: Asked<'a>,
    is_shown: S,
}

impl<S: FnMut(&EntityId) -> Result<bool, Failed>> Desk<'_, S> {
    fn is_shown(&mut self, entities: &[EntityId]) -> Result<bool, Failed> {
        for entity in entities {
            if (self.is_shown)(entity)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Where to begin, where a place is an index of the log.
    fn begins(&self) -> Result<u64, Invalid> {
        let wrong = |_| Invalid::new(Rule::Range, "`after` is an index of the log here");
        match self.asked.after {
            Some(text) => Ok(text.parse::<u64>().map_err(wrong)?.saturating_add(1)),
            None => Ok(0),
        }
    }

    fn record(&self, index: u64) -> Result<(u64, Hash), Failed> {
        Ok((index, self.view.entry(index)?.signed.hash()))
    }

    fn made(&self, unit: &TraceCode) -> Result<Option<Made>, Failed> {
        Ok(self.view.folded().unit(unit)?.and_then(|state| state.made))
    }

    /// Goes through rows by index, each of which may be a question.
    fn by_index<T>(
        &mut self,
        rows: Vec<(u64, T)>,
        mut ask: impl FnMut(&mut Self, u64, T) -> Result<Option<Question>, Failed>,
    ) -> Result<Page, Failed> {
        let is_whole = rows.len() < ROWS_MAX;
        let (mut page, mut last) = (Page::default(), None);
        for (index, row) in rows {
            if page.questions.len() == self.asked.limit {
                page.next_after = last;
                return Ok(page);
            }
            last = Some(index.to_string());
            page.questions.extend(ask(self, index, row)?);
        }
        page.next_after = last.filter(|_| !is_whole);
        Ok(page)
    }

    fn named<T: serde::de::DeserializeOwned>(
        &self,
        prefix: &[u8],
        what: &str,
    ) -> Result<Vec<(u64, T)>, Failed> {
        let from = rows::at(prefix.to_vec(), self.begins()?);
        let mut found = Vec::new();
        let folded = self.view.folded();
        folded.values(prefix, &from, ROWS_MAX, what, |key, row| {
            found.extend(rows::index_at_end(key).map(|index| (index, row)));
        })?;
        Ok(found)
    }

    fn quantities(&mut self) -> Result<Page, Failed> {
        let rows = lineage::questions(self.view, self.begins()?, ROWS_MAX)?;
        self.by_index(rows, |desk, index, row| {
            if !desk.is_shown(&[row.entity])? {
                return Ok(None);
            }
            Ok(Some(Question {
                record: Some(desk.record(index)?),
                unit: Some(row.unit),
                base: desk.made(&row.unit)?.map(|made| made.base),
                numbers: vec![("missing", row.missing), ("gained", row.gained)],
                ..Question::new(About::Quantities, row.entity)
            }))
        })
    }

    fn transfers(&mut self) -> Result<Page, Failed> {
        let mut from = self.begins()?;
        let mut page = Page::default();
        for _ in 0..BUCKETS_MAX {
            let Some(bucket) = self.bucket_on_its_way(from >> 8)? else {
                return Ok(page);
            };
            from = from.max(bucket << 8);
            let end = (bucket + 1) << 8;
            for (index, record) in self.handed_over(from, end)? {
                if page.questions.len() == self.asked.limit {
                    page.next_after = Some(from.saturating_sub(1).to_string());
                    return Ok(page);
                }
                from = index.saturating_add(1);
                page.questions.extend(self.overdue(record)?);
            }
            from = end;
        }
        page.next_after = Some(from.saturating_sub(1).to_string());
        Ok(page)
    }

    /// The first bucket from here on in which a transfer is on its way.
    fn bucket_on_its_way(&self, from: u64) -> Result<Option<u64>, Store> {
        let start = rows::at(rows::PENDING.to_vec(), from);
        let mut found = Ok(None);
        let folded = self.view.folded();
        folded.visit(rows::PENDING, &start, |key, value| {
            match rows::decode::<u64>("pending", value) {
                Ok(0) => true,
                Ok(_) => {
                    found = Ok(rows::index_at_end(key));
                    false
                }
                Err(error) => {
                    found = Err(error);
                    false
                }
            }
        })?;
        found
    }

    /// The records within these indexes that could have handed something over.
    fn handed_over(&self, from: u64, end: u64) -> Result<Vec<(u64, Hash)>, Failed> {
        let mut found = Vec::new();
        let stopped = self.view.scan(from, |index, bytes| {
            if index >= end {
                return ControlFlow::Break(None);
            }
            match crate::record::Entry::decode(bytes) {
                Ok(entry) => {
                    found.push((index, entry.signed.hash()));
                    ControlFlow::Continue(())
                }
                Err(error) => ControlFlow::Break(Some(Store::Damaged {
                    what: format!("entry {index}: {error}"),
                })),
            }
        })?;
        match stopped {
            Some(damage) => Err(damage.into()),
            None => Ok(found),
        }
    }

    fn overdue(&mut self, record: Hash) -> Result<Option<Question>, Failed> {
        let Some(transfer) = self.view.folded().transfer(&record)? else {
            return Ok(None);
        };
        if lineage::is_overdue(self.view, &transfer, self.asked.today)? != Some(true)
            || !self.is_shown(&[transfer.from, transfer.to])?
        {
            return Ok(None);
        }
        Ok(Some(Question {
            record: Some((transfer.index, record)),
            unit: Some(transfer.unit),
            certificate: transfer.certificate.clone(),
            to: Some(transfer.to),
            base: self.made(&transfer.unit)?.map(|made| made.base),
            numbers: vec![("overdue", transfer.amount)],
            at_ms: Some(transfer.at_ms),
            ..Question::new(About::Transfers, transfer.from)
        }))
    }

    fn certificates(&mut self) -> Result<Page, Failed> {
        let rows = self.named(rows::NEARLY_SPENT, "nearly spent")?;
        self.by_index(rows, |desk, index, row: NearlySpent| {
            let state = desk.view.folded().unit(&row.unit)?;
            let held = state.as_ref().and_then(|it| it.certificate(&row.number));
            let made = state.as_ref().and_then(|it| it.made.as_ref());
            let (Some(held), Some(made)) = (held, made) else {
                return Ok(None);
            };
            if held.standing != Standing::InForce || !desk.is_shown(&[held.issuer, made.entity])? {
                return Ok(None);
            }
            let Some((left, there)) = desk.short(&row.unit, held, made)? else {
                return Ok(None);
            };
            Ok(Some(Question {
                record: Some(desk.record(index)?),
                unit: Some(row.unit),
                certificate: Some(row.number),
                base: Some(made.base),
                numbers: vec![
                    ("certified", held.base_amount),
                    ("left", left),
                    ("goods", there),
                ],
                ..Question::new(About::Certificates, held.issuer)
            }))
        })
    }

    /// How much of a certificate is left, with whom it covers first or at all
    /// markets together, where there are more goods than that.
    fn short(
        &self,
        unit: &TraceCode,
        held: &CertificateState,
        made: &Made,
    ) -> Result<Option<(u64, u64)>, Failed> {
        let folded = self.view.folded();
        if let Some(first) = custody::first_holder(folded, held)? {
            let left = custody::cover(folded, held, &first)?;
            let there = custody::holding(folded, unit, made, &first)?;
            let there = there.map_or(0, |there| there.amount);
            if there > left && left <= held.base_amount / 10 {
                return Ok(Some((left, there)));
            }
        }
        let admitted = folded.certificate_use(&held.number)?.admitted;
        let left = held.base_amount.saturating_sub(admitted);
        let balance = custody::balance(folded, unit, made)?;
        let there = balance.held.saturating_add(balance.in_transit);
        let is_short = admitted > 0 && there > left && left <= held.base_amount / 10;
        Ok(is_short.then_some((left, there)))
    }

    fn volumes(&mut self) -> Result<Page, Failed> {
        // A place is `131023-ENTITY`: area and issuer.
        let wrong = || Invalid::new(Rule::Range, "`after` is an area and an entity here");
        let mut after = match self.asked.after {
            None => None,
            Some(text) => {
                let (area, entity) = text.split_once('-').ok_or_else(wrong)?;
                let area = area.parse::<u32>().map_err(|_| wrong())?;
                Some((area, EntityId::parse(entity)?))
            }
        };
        let areas = match self.asked.area {
            Some(area) => vec![area],
            None => provinces(),
        };
        let mut page = Page::default();
        let mut looked_at = 0;
        for area in areas {
            if after.is_some_and(|(code, _)| code > area.code() && !covers(area, code)) {
                continue;
            }
            let mut within = after.filter(|(code, _)| covers(area, *code));
            while let Some((code, entity)) = balances::next_entity(self.view, area, within)? {
                within = Some((code, entity));
                after = within;
                looked_at += 1;
                if self.is_shown(&[entity])? {
                    page.questions.extend(self.jumped(code, entity)?);
                }
                if page.questions.len() >= self.asked.limit || looked_at >= ISSUERS_MAX {
                    page.next_after = Some(format!("{code:06}-{}", entity.compact()));
                    return Ok(page);
                }
            }
        }
        Ok(page)
    }

    /// The measure in which an issuer certified far more than is usual for it.
    fn jumped(&self, area: u32, entity: EntityId) -> Result<Option<Question>, Failed> {
        let today = self.asked.today.days();
        let recent_from = today - RECENT_DAYS + 1;
        let usual_from = recent_from - USUAL_WEEKS * 7;
        let prefix = rows::flows_of(area, &entity);
        let from = rows::on_day(prefix.clone(), usual_from);
        let mut sums = [(BaseUnit::Gram, [0u64; 4]); 3];
        for (place, base) in
            sums.iter_mut()
                .zip([BaseUnit::Gram, BaseUnit::Millilitre, BaseUnit::Piece])
        {
            place.0 = base;
        }
        balances::days(self.view, &prefix, &from, |day, base, _, flow| {
            let found = sums.iter_mut().find(|(known, _)| *known == base);
            let Some((_, [recent, count, usual, usual_count])) = found else {
                return;
            };
            let (amount, certificates) = match (day > today, day >= recent_from) {
                (true, _) => return,
                (false, true) => (recent, count),
                (false, false) => (usual, usual_count),
            };
            *amount = amount.saturating_add(flow.certified);
            *certificates = certificates.saturating_add(flow.certificates);
        })?;
        let jumped = sums.into_iter().find(|(_, [recent, _, usual, _])| {
            let weeks = u128::from(USUAL_WEEKS.unsigned_abs());
            *usual > 0 && u128::from(*recent) * weeks >= JUMP * u128::from(*usual)
        });
        Ok(
            jumped.map(|(base, [recent, count, usual, usual_count])| Question {
                base: Some(base),
                numbers: vec![
                    ("certified", recent),
                    ("certificates", count),
                    (
                        "usually_certified",
                        usual / u64::from(USUAL_WEEKS.unsigned_abs()),
                    ),
                    (
                        "usual_certificates",
                        usual_count / u64::from(USUAL_WEEKS.unsigned_abs()),
                    ),
                ],
                days: CivilDate::from_days(recent_from)
                    .map(|first| ("first_day", first))
                    .into_iter()
                    .chain([("last_day", self.asked.today)])
                    .collect(),
                ..Question::new(About::Volumes, entity)
            }),
        )
    }

    fn expired(&mut self) -> Result<Page, Failed> {
        let rows = self.named(rows::EXPIRED_USES, "expired use")?;
        self.by_index(rows, |desk, index, row: ExpiredUse| {
            if !desk.is_shown(&[row.entity])? {
                return Ok(None);
            }
            Ok(Some(Question {
                record: Some(desk.record(index)?),
                unit: Some(row.unit),
                certificate: Some(row.number),
                base: desk.made(&row.unit)?.map(|made| made.base),
                numbers: vec![("amount", row.amount)],
                days: vec![
                    ("expired_on", row.expired_on.date()?),
                    ("used_on", row.used_on.date()?),
                ],
                ..Question::new(About::Expired, row.entity)
            }))
        })
    }

    fn findings(&mut self) -> Result<Page, Failed> {
        let after = self.asked.after.map(finding_place).transpose()?;
        let from = match after {
            Some((entity, index, position)) => {
                [rows::finding(&entity, index, position), vec![0]].concat()
            }
            None => rows::FINDINGS.to_vec(),
        };
        let mut rows: Vec<((EntityId, u64, u16), FindingState)> = Vec::new();
        let folded = self.view.folded();
        folded.values(rows::FINDINGS, &from, ROWS_MAX, "finding", |key, state| {
            rows.extend(rows::finding_of(key).map(|place| (place, state)));
        })?;
        let is_whole = rows.len() < ROWS_MAX;
        let (mut page, mut last) = (Page::default(), None);
        for ((entity, index, position), state) in rows {
            if page.questions.len() == self.asked.limit {
                page.next_after = last;
                return Ok(page);
            }
            last = Some(format!("{}-{index}-{position}", entity.compact()));
            let is_overdue = state.on(self.asked.today) == Some(FindingStanding::Overdue);
            if !is_overdue || !self.is_shown(&[entity])? {
                continue;
            }
            let (due_on, today) = (state.due_on.date()?, self.asked.today);
            let late = today.days().saturating_sub(due_on.days());
            page.questions.push(Question {
                record: Some((index, state.inspection)),
                numbers: vec![
                    ("position", position.into()),
                    ("days_overdue", u64::try_from(late).unwrap_or_default()),
                ],
                days: vec![("found_on", state.found_on.date()?), ("due_on", due_on)],
                text: self.problem(index, position)?,
                ..Question::new(About::Findings, entity)
            });
        }
        page.next_after = last.filter(|_| !is_whole);
        Ok(page)
    }

    /// What the inspection says of a finding.
    fn problem(&self, index: u64, position: u16) -> Result<Option<String>, Failed> {
        Ok(match self.view.entry(index)?.signed.body()? {
            Body::Inspection(body) => {
                let found = body.findings.into_iter().nth(usize::from(position));
                found.map(|found| found.problem)
            }
            _ => None,
        })
    }
}

fn covers(area: Area, code: u32) -> bool {
    Area::try_from(code).is_ok_and(|it| area.covers(it))
}

/// Every province there may be, in order: what a ledger of all areas is looked
/// through by.
fn provinces() -> Vec<Area> {
    (11..=91u32)
        .filter_map(|digits| Area::try_from(digits * 10_000).ok())
        .collect()
}

/// Reads the place of a finding: entity, index of the inspection, which.
fn finding_place(text: &str) -> Result<(EntityId, u64, u16), Invalid> {
    let wrong = || Invalid::new(Rule::Range, format!("{text:.60} is no place of a finding"));
    let (rest, position) = text.rsplit_once('-').ok_or_else(wrong)?;
    let (entity, index) = rest.rsplit_once('-').ok_or_else(wrong)?;
    let (index, position) = (index.parse(), position.parse());
    Ok((
        EntityId::parse(entity)?,
        index.map_err(|_| wrong())?,
        position.map_err(|_| wrong())?,
    ))
}
