//! Scans: how often the page of a trace code was opened, by civil day and coarse
//! place, beside the log. No address, agent or cookie comes here.
//!
//! Counts gather in memory and are written now and then: a crash loses those of
//! the last moments, and nobody was promised them. They are the operator's word,
//! and no part of what is proved.
//!
//! Not here: who scanned, what a scan is, and any clock.

use crate::error::Store;
use crate::ident::{Area, CivilDate, TraceCode};
use crate::record::wire::AreaCode;
use crate::store::redb::Database;
use crate::store::table::{Direction, OrderedTable, Tables};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The file's name in a ledger's folder.
pub const SCANS_FILE: &str = "scans.redb";

const COUNTS: OrderedTable = OrderedTable("counts");
const TABLES: Tables = Tables {
    sequences: &[],
    ordered: &[COUNTS],
};

/// Of the engine's pages: the codes of a few days at a few markets.
const CACHE_BYTES: usize = 8 << 20;

/// Counts that wait to be written: of about 60 bytes each, 4 MB. A city opens fewer
/// pages than that between two writings; beyond, they are written at once.
const WAITING_MAX: usize = 1 << 16;

/// Places of one code on one day; the rest are counted together. A batch is sold in
/// a few counties, and whoever invents places fills no disk.
const PLACES_MAX: usize = 32;

/// Days looked back upon to judge an item, today's among them.
pub const JUDGED_DAYS: i32 = 7;

/// One thing is not opened so often by those who hold it.
pub const SUSPICIOUS_SCANS_MIN: u64 = 10;

/// Nor in so many prefectures within a week: it travels with one buyer.
pub const SUSPICIOUS_PREFECTURES_MIN: usize = 3;

/// Where something was scanned; none where nobody knows.
pub type Place = Option<AreaCode>;

/// One line of counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scanned {
    /// The civil day.
    pub day: i32,
    /// Where.
    pub place: Place,
    /// How often.
    pub count: u64,
}

/// What the scans of one code come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sum {
    /// Today.
    pub today: u64,
    /// In [`JUDGED_DAYS`] days.
    pub week: u64,
    /// In so many different prefectures, where that is known.
    pub prefectures: usize,
    /// It is one thing, and was scanned as only several can be.
    pub is_suspicious: bool,
}

impl Sum {
    /// Sums up what was counted until a day. Only the code of a single thing is
    /// judged: that of a batch stands on many.
    #[must_use]
    pub fn of(scanned: &[Scanned], today: CivilDate, is_item: bool) -> Self {
        let today = today.days();
        let since = today.saturating_sub(JUDGED_DAYS - 1);
        let week = scanned
            .iter()
            .filter(|it| (since..=today).contains(&it.day));
        let counts = week.clone().map(|it| it.count);
        let total = counts.fold(0, u64::saturating_add);
        let of_today = week.clone().filter(|it| it.day == today);
        let of_today = of_today.map(|it| it.count).fold(0, u64::saturating_add);
        // GB/T 2260: the first four digits are the prefecture's.
        let prefectures: BTreeSet<u32> = week
            .filter_map(|it| it.place)
            .map(|it| it.0 / 100)
            .collect();
        Self {
            today: of_today,
            week: total,
            prefectures: prefectures.len(),
            is_suspicious: is_item
                && total >= SUSPICIOUS_SCANS_MIN
                && prefectures.len() >= SUSPICIOUS_PREFECTURES_MIN,
        }
    }
}

type Key = (TraceCode, i32, Place);

/// The counts.
#[derive(Debug)]
pub struct Scans {
    database: Database,
    waiting: Mutex<BTreeMap<Key, u64>>,
}

impl Scans {
    /// Opens the counts, or makes an empty file where there is none.
    ///
    /// # Errors
    /// [`Store`].
    pub fn open(path: &Path) -> Result<Self, Store> {
        Ok(Self {
            database: Database::open_or_create(path, TABLES, CACHE_BYTES)?,
            waiting: Mutex::default(),
        })
    }

    /// Counts one scan. Writes only when very many wait.
    ///
    /// # Errors
    /// [`Store`].
    pub fn count(&self, code: TraceCode, day: CivilDate, place: Place) -> Result<(), Store> {
        let mut waiting = self.waiting();
        let count = waiting.entry((code, day.days(), place)).or_default();
        *count = count.saturating_add(1);
        let is_full = waiting.len() >= WAITING_MAX;
        drop(waiting);
        match is_full {
            true => self.write(),
            false => Ok(()),
        }
    }

    /// Writes what waits.
    ///
    /// # Errors
    /// [`Store`]; what waits then waits on.
    pub fn write(&self) -> Result<(), Store> {
        // Held until it is written, so that nothing is counted twice or not at all
        // by who reads meanwhile.
        let mut waiting = self.waiting();
        if waiting.is_empty() {
            return Ok(());
        }
        let snapshot = self.database.snapshot()?;
        self.database.write(|batch| {
            for ((code, day, place), count) in waiting.iter() {
                let mut key = key(code, *day, *place);
                let mut known = batch.get(COUNTS, &key)?;
                if known.is_none() && place.is_some() {
                    let prefix = day_prefix(code, *day);
                    let mut rows = snapshot.rows(COUNTS, &prefix[..].., Direction::Forward)?;
                    let mut places = 0;
                    while let Some(row) = rows.next_row()? {
                        if !row.key().starts_with(&prefix) {
                            break;
                        }
                        places += 1;
                    }
                    if places >= PLACES_MAX {
                        key = self::key(code, *day, None);
                        known = batch.get(COUNTS, &key)?;
                    }
                }
                let total = known
                    .map_or(0, |bytes| number(&bytes))
                    .saturating_add(*count);
                batch.put(COUNTS, &key, &total.to_be_bytes())?;
            }
            Ok(())
        })?;
        waiting.clear();
        Ok(())
    }

    /// What was counted of a code from a day on, by day and place.
    ///
    /// # Errors
    /// [`Store`].
    pub fn of(&self, code: &TraceCode, since: CivilDate) -> Result<Vec<Scanned>, Store> {
        let waiting = self.waiting();
        let mut found: BTreeMap<(i32, Place), u64> = BTreeMap::new();
        let from = day_prefix(code, since.days());
        let snapshot = self.database.snapshot()?;
        let mut rows = snapshot.rows(COUNTS, &from[..].., Direction::Forward)?;
        while let Some(row) = rows.next_row()? {
            if !row.key().starts_with(code.as_bytes()) {
                break;
            }
            if let Some((day, place)) = day_and_place(row.key()) {
                found.insert((day, place), number(row.value()));
            }
        }
        let first = (*code, since.days(), None);
        for ((of, day, place), count) in waiting.range(first..) {
            if of != code {
                break;
            }
            let total = found.entry((*day, *place)).or_default();
            *total = total.saturating_add(*count);
        }
        let lines = found.into_iter();
        Ok(lines
            .map(|((day, place), count)| Scanned { day, place, count })
            .collect())
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<Key, u64>> {
        // A count is never half made.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place that an area's code names.
#[must_use]
pub fn place(text: &str) -> Place {
    text.trim().parse::<Area>().ok().map(AreaCode::from)
}

fn day_prefix(code: &TraceCode, day: i32) -> Vec<u8> {
    // The sign's bit turned: days before 1970 come first.
    let day = day.cast_unsigned() ^ (1 << 31);
    [&code.as_bytes()[..], &day.to_be_bytes()].concat()
}

/// Code, day, and the place's digits; 0 where nobody knows it.
fn key(code: &TraceCode, day: i32, place: Place) -> Vec<u8> {
    let place = place.map_or(0, |area| area.0);
    [day_prefix(code, day), place.to_be_bytes().to_vec()].concat()
}

fn day_and_place(key: &[u8]) -> Option<(i32, Place)> {
    let (rest, place) = key.split_last_chunk()?;
    let (_, day) = rest.split_last_chunk()?;
    let day = (u32::from_be_bytes(*day) ^ (1 << 31)).cast_signed();
    let place = u32::from_be_bytes(*place);
    Some((day, (place > 0).then_some(AreaCode(place))))
}

fn number(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u64::from_be_bytes)
}

#[cfg(test)]
mod tests;
