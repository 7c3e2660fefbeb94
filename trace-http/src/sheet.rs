//! The recall sheet as a file: one row for each place where some of the goods
//! are, as CSV or XLSX for a spreadsheet or as JSON, written row by row.
//!
//! Rows stand by quantity, the largest first, as long as they are few enough to
//! be held while they are put in order; behind that, as they are found.
//!
//! Not here: who may have it.

pub mod grid;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap, HashSet},
    io::{self, Write},
    ops::ControlFlow,
};

use serde::Serialize;
use trace_core::{
    ident::{EntityId, TraceCode, format_ms},
    ledger::{
        Failed, View,
        lookup::{Lookup, PartyAnswer},
        recall_sheet::{SheetRow, Whereabouts, recall_sheet},
    },
    record::quantity::BaseUnit,
};

use crate::language::Language;
use grid::{Cell, Grid, SheetFormat};

/// Rows put in order: 65,536 of about 200 bytes are 13 MB.
const ORDERED_ROWS_MAX: usize = 1 << 16;

/// Entities remembered while rows are written: 1,024 of about 300 bytes.
const PARTIES_MAX: usize = 1 << 10;

/// Why a sheet was not written to its end.
#[derive(Debug, thiserror::Error)]
pub enum SheetFailed {
    /// The ledger.
    #[error("{0:?}")]
    Ledger(Failed),
    /// Where it is written to.
    #[error(transparent)]
    Write(#[from] io::Error),
}

impl From<Failed> for SheetFailed {
    fn from(failed: Failed) -> Self {
        Self::Ledger(failed)
    }
}

/// Which sheet.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    /// Of which unit.
    pub code: TraceCode,
    /// Only what was made until then.
    pub until_ms: Option<u64>,
    /// Minutes east of UTC of its times.
    pub offset_minutes: i32,
}

/// What a sheet adds up to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Rows.
    pub rows: u64,
    /// Units, the recalled one with them, that have a row.
    pub units: u64,
    /// Entities that hold some or have some on its way.
    pub holders: u64,
    /// How much of each measure is where, in base units.
    pub amounts: BTreeMap<&'static str, BTreeMap<&'static str, u64>>,
}

/// A row as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Steps from what is recalled.
    pub depth: u32,
    /// Which unit.
    pub code: TraceCode,
    /// Its product.
    pub product: String,
    /// Where it is.
    pub whereabouts: Whereabouts,
    /// How much, in base units.
    pub amount: u64,
    /// Of which measure.
    pub base: BaseUnit,
    /// Since when.
    pub since: Option<String>,
    /// With whom; the giver of what is on its way.
    pub entity: Option<Contact>,
    /// To whom, of what is on its way.
    pub to: Option<Contact>,
}

/// Whom to tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Contact {
    /// Its id.
    pub entity: EntityId,
    /// Registered name, or the person's.
    pub name: Option<String>,
    /// Six digits of its area.
    pub area: String,
    /// Telephone.
    pub phone: Option<String>,
}

/// Finds the rows and shows `visit` each, in order, until it fails.
///
/// # Errors
/// [`SheetFailed`].
pub fn rows(
    view: &View,
    lookup: &mut Lookup<'_>,
    asked: Asked,
    mut visit: impl FnMut(Line) -> io::Result<()>,
) -> Result<Totals, SheetFailed> {
    let mut ordered: Vec<SheetRow> = Vec::new();
    let mut book = Book::new(lookup, asked);
    let mut failure = None;
    recall_sheet(view, asked.code, asked.until_ms, |row| {
        if ordered.len() < ORDERED_ROWS_MAX {
            ordered.push(row);
            return ControlFlow::Continue(());
        }
        if let Err(error) = book.flush(&mut ordered, &mut visit).and_then(|()| {
            let line = book.line(row)?;
            Ok(visit(line)?)
        }) {
            failure = Some(error);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    })?;
    match failure {
        Some(failure) => Err(failure),
        None => {
            book.flush(&mut ordered, &mut visit)?;
            Ok(book.totals())
        }
    }
}

/// Puts names to rows and adds them up.
struct Book<'a, 'b> {
    lookup: &'a mut Lookup<'b>,
    asked: Asked,
    has_flushed: bool,
    parties: HashMap<EntityId, Contact>,
    units: HashSet<TraceCode>,
    holders: HashSet<EntityId>,
    totals: Totals,
}

impl<'a, 'b> Book<'a, 'b> {
    fn new(lookup: &'a mut Lookup<'b>, asked: Asked) -> Self {
        Self {
            lookup,
            asked,
            has_flushed: false,
            parties: HashMap::new(),
            units: HashSet::new(),
            holders: HashSet::new(),
            totals: Totals::default(),
        }
    }

    /// Shows what was held back, the largest first; once.
    fn flush(
        &mut self,
        held: &mut [SheetRow],
        visit: &mut impl FnMut(Line) -> io::Result<()>,
    ) -> Result<(), SheetFailed> {
        if std::mem::replace(&mut self.has_flushed, true) {
            return Ok(());
        }
        held.sort_by_key(|row| (row.base, Reverse(row.amount), row.depth, row.unit));
        // The list stays as long as it was: what comes later is not held back.
        for row in held.iter() {
            visit(self.line(row.clone())?)?;
        }
        Ok(())
    }

    fn line(&mut self, row: SheetRow) -> Result<Line, Failed> {
        self.units.insert(row.unit);
        if matches!(row.whereabouts, Whereabouts::Held | Whereabouts::InTransit) {
            self.holders.extend(row.entity);
        }
        self.totals.rows += 1;
        let measures = self.totals.amounts.entry(measure(row.base)).or_default();
        let total = measures.entry(place(row.whereabouts)).or_default();
        *total = total.saturating_add(row.amount);
        Ok(Line {
            depth: row.depth,
            code: row.unit,
            product: row.product,
            whereabouts: row.whereabouts,
            amount: row.amount,
            base: row.base,
            since: row
                .since_ms
                .map(|since_ms| format_ms(since_ms, self.asked.offset_minutes)),
            entity: row.entity.map(|it| self.contact(it)).transpose()?,
            to: row.to.map(|it| self.contact(it)).transpose()?,
        })
    }

    fn contact(&mut self, entity: EntityId) -> Result<Contact, Failed> {
        if let Some(known) = self.parties.get(&entity) {
            return Ok(known.clone());
        }
        let party = self.lookup.party(entity)?;
        let contact = contact(entity, party);
        if self.parties.len() >= PARTIES_MAX {
            self.parties.clear();
        }
        self.parties.insert(entity, contact.clone());
        Ok(contact)
    }

    fn totals(self) -> Totals {
        Totals {
            units: self.units.len() as u64,
            holders: self.holders.len() as u64,
            ..self.totals
        }
    }
}

fn contact(entity: EntityId, party: Option<PartyAnswer>) -> Contact {
    let Some(party) = party else {
        return Contact {
            entity,
            name: None,
            area: String::new(),
            phone: None,
        };
    };
    let person = party.contacts.into_iter().next();
    let (person_name, phone) = match person {
        Some(person) => (Some(person.name), person.phone),
        None => (None, None),
    };
    Contact {
        entity,
        name: party.name.or(person_name),
        area: party.area,
        phone,
    }
}

/// The name of a measure in JSON.
#[must_use]
pub fn measure(base: BaseUnit) -> &'static str {
    match base {
        BaseUnit::Gram => "gram",
        BaseUnit::Millilitre => "millilitre",
        BaseUnit::Piece => "piece",
    }
}

/// The measure of this name in JSON.
#[must_use]
pub fn base_unit(name: &str) -> Option<BaseUnit> {
    let all = [BaseUnit::Gram, BaseUnit::Millilitre, BaseUnit::Piece];
    all.into_iter().find(|base| measure(*base) == name)
}

/// Every whereabouts, with its name in JSON and in words.
const PLACES: [(Whereabouts, &str, &str, &str); 9] = [
    (Whereabouts::Held, "held", "held", "在手"),
    (Whereabouts::InTransit, "in_transit", "on its way", "在途"),
    (Whereabouts::Sold, "sold", "sold", "已售出"),
    (
        Whereabouts::Outside,
        "outside",
        "handed outside the ledger",
        "已交账本外",
    ),
    (Whereabouts::Consumed, "consumed", "used", "已自用"),
    (Whereabouts::Destroyed, "destroyed", "destroyed", "已销毁"),
    (Whereabouts::Returned, "returned", "returned", "已退回"),
    (
        Whereabouts::Lost,
        "lost",
        "lost within the policy",
        "允许损耗",
    ),
    (
        Whereabouts::Unexplained,
        "unexplained",
        "unexplained",
        "去向不明",
    ),
];

fn place(whereabouts: Whereabouts) -> &'static str {
    let found = PLACES.iter().find(|(known, ..)| *known == whereabouts);
    found.map_or("", |(_, name, ..)| name)
}

/// A whereabouts by its name in JSON, in words.
#[must_use]
pub fn in_words(language: Language, name: &str) -> &'static str {
    let found = PLACES.iter().find(|(_, known, ..)| *known == name);
    found.map_or("", |(_, _, english, chinese)| language.of(english, chinese))
}

/// A measure by its name in JSON, as its sign.
#[must_use]
pub fn sign(language: Language, name: &str) -> &'static str {
    match name {
        "gram" => language.of("g", "克"),
        "millilitre" => language.of("mL", "毫升"),
        _ => language.of("pieces", "件"),
    }
}

/// Writes the sheet as a file that a spreadsheet opens.
///
/// # Errors
/// [`SheetFailed`].
pub fn write(
    view: &View,
    lookup: &mut Lookup<'_>,
    asked: Asked,
    (format, language): (SheetFormat, Language),
    out: impl Write,
) -> Result<Totals, SheetFailed> {
    let head = language.of(
        [
            "step",
            "trace code",
            "product",
            "where",
            "amount",
            "measure",
            "since",
            "entity",
            "name",
            "area",
            "phone",
            "to entity",
            "to name",
            "to area",
            "to phone",
        ],
        [
            "层级",
            "追溯码",
            "产品",
            "去向",
            "数量",
            "计量",
            "时间",
            "主体",
            "名称",
            "区域",
            "电话",
            "收货主体",
            "收货名称",
            "收货区域",
            "收货电话",
        ],
    );
    let mut grid = Grid::begin(format, &head, out)?;
    let totals = rows(view, lookup, asked, |line| {
        let mut cells: Vec<Cell> = vec![
            Cell::number(line.depth),
            line.code.to_string().into(),
            line.product.into(),
            in_words(language, place(line.whereabouts)).into(),
            Cell::number(line.amount),
            sign(language, measure(line.base)).into(),
            line.since.unwrap_or_default().into(),
        ];
        for contact in [line.entity, line.to] {
            let contact = contact.map(|it| {
                let (name, phone) = (it.name.unwrap_or_default(), it.phone.unwrap_or_default());
                [it.entity.to_string(), name, it.area, phone]
            });
            cells.extend(contact.unwrap_or_default().map(Cell::from));
        }
        grid.row(&cells)
    })?;
    grid.finish()?;
    Ok(totals)
}

/// Writes the sheet as JSON: the code, its rows, what they add up to.
///
/// # Errors
/// [`SheetFailed`].
pub fn write_json(
    view: &View,
    lookup: &mut Lookup<'_>,
    asked: Asked,
    mut out: impl Write,
) -> Result<Totals, SheetFailed> {
    let head = serde_json::json!({
        "code": asked.code.to_string(),
        "until": asked.until_ms.map(|ms| format_ms(ms, asked.offset_minutes)),
        "checkpoint": view.checkpoint().note(),
    });
    let head = head.to_string();
    // The head's last brace is written when the rows are.
    out.write_all(head.strip_suffix('}').unwrap_or(&head).as_bytes())?;
    out.write_all(b",\"rows\":[")?;
    let mut is_first = true;
    let totals = rows(view, lookup, asked, |line| {
        if !std::mem::replace(&mut is_first, false) {
            out.write_all(b",")?;
        }
        Ok(serde_json::to_writer(&mut out, &line)?)
    })?;
    out.write_all(b"],\"totals\":")?;
    serde_json::to_writer(&mut out, &totals).map_err(io::Error::from)?;
    out.write_all(b"}")?;
    out.flush()?;
    Ok(totals)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_whereabouts_has_its_name_and_words() {
        for (whereabouts, name, english, _) in PLACES {
            assert_eq!(serde_json::to_value(whereabouts).unwrap(), name);
            assert_eq!(in_words(Language::English, name), english);
        }
    }
}
