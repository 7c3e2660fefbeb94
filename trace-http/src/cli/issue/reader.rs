//! Reading what was typed, field by field, and gathering what is wrong: every
//! complaint names its column.

use trace_core::{
    error::Invalid,
    ident::CivilDate,
    record::{
        Quantity,
        claim::{Basis, DurabilityKind, Form},
        kinds::unit_created::{Beginning, Durability, ProductClass},
        section::Person,
        text::{self, normalise},
    },
    rules::forms,
};

use super::columns::{Column, Fields};
use crate::{
    choices::{BASES, CLASSES},
    cli::{failure::refusal, manner::quoted},
    language::Language,
};

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// Which.
    pub column: Option<Column>,
    /// Why.
    pub why: String,
}

const BEGINNINGS: &[(&str, &str, Beginning)] = &[
    ("harvest", "采收", Beginning::Harvest),
    ("slaughter", "屠宰", Beginning::Slaughter),
    ("production", "生产加工", Beginning::Production),
    ("import", "进口", Beginning::Import),
];

fn known<T: Copy>(list: &[(&str, &str, T)], text: &str) -> Result<T, String> {
    let found = list
        .iter()
        .find(|(name, zh, _)| *name == text || *zh == text);
    found.map(|(_, _, value)| *value).ok_or_else(|| {
        let names: Vec<String> = list
            .iter()
            .map(|(name, zh, _)| format!("{name} {zh}"))
            .collect();
        format!("{} is none of {}", quoted(text), names.join(", "))
    })
}

/// Dates as people and spreadsheets write them: `2026-02-01`, `2026/2/1`,
/// `2026.2.1`, `2026年2月1日`.
fn date(text: &str) -> Result<CivilDate, Invalid> {
    let parts: Vec<&str> = text
        .trim_end_matches('日')
        .split(['-', '/', '.', '年', '月'])
        .map(str::trim)
        .collect();
    match parts.as_slice() {
        [year, month, day] if month.len() <= 2 && day.len() <= 2 => {
            CivilDate::parse(&format!("{year}-{month:0>2}-{day:0>2}"))
        }
        _ => CivilDate::parse(text),
    }
}

fn several(text: &str) -> impl Iterator<Item = &str> {
    text.split([';', ';', '、', '|'])
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

/// Reads fields and gathers what is wrong.
pub(super) struct Reader<'a> {
    fields: &'a Fields,
    language: Language,
    /// What is wrong so far.
    pub(super) complaints: Vec<Complaint>,
}

impl<'a> Reader<'a> {
    /// Of these fields.
    pub(super) fn new(fields: &'a Fields, language: Language) -> Self {
        Self {
            fields,
            language,
            complaints: Vec::new(),
        }
    }

    pub(super) fn complain(&mut self, column: Column, why: String) {
        self.complaints.push(Complaint {
            column: Some(column),
            why,
        });
    }

    fn read<T>(&mut self, column: Column, read: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let text = self.fields.of(column)?;
        match read(text) {
            Ok(value) => Some(value),
            Err(why) => {
                self.complain(column, why);
                None
            }
        }
    }

    pub(super) fn ruled<T>(
        &mut self,
        column: Column,
        read: impl Fn(&str) -> Result<T, Invalid>,
    ) -> Option<T> {
        let language = self.language;
        self.read(column, |text| {
            read(text).map_err(|invalid| refusal(&invalid, language))
        })
    }

    pub(super) fn wanted(&mut self, column: Column) {
        if self.fields.of(column).is_none() {
            let why = self.language.of("is wanted", "必填");
            self.complain(column, why.to_owned());
        }
    }

    pub(super) fn text(&mut self, column: Column, most: usize) -> Option<String> {
        self.ruled(column, |typed| {
            let text = normalise(typed);
            text::check(column.name(), &text, 1, most).map(|()| text)
        })
    }

    pub(super) fn date(&mut self, column: Column) -> Option<CivilDate> {
        self.ruled(column, date)
    }
}

impl Reader<'_> {
    pub(super) fn form(&mut self, issued_on: Option<CivilDate>, is_buyer: bool) -> Option<Form> {
        let is_promise = self.read(Column::Form, |text| match text {
            "electronic" | "电子追溯合格证" => Ok(false),
            "conformity" | "承诺达标合格证" => Ok(true),
            other => Err(format!(
                "{} is none of electronic 电子追溯合格证, conformity 承诺达标合格证",
                quoted(other)
            )),
        });
        let issued_on = issued_on?;
        // The electronic certificate has the bases of its date's forms, and
        // only the form of 2021 has the old ones.
        let bases = |form| forms::choices(form, issued_on).0;
        let is_2021 = bases(Form::ElectronicTraceability) == bases(Form::Conformity2021);
        let promise = match is_buyer {
            true => Form::Conformity2026Buyer,
            false => Form::Conformity2026Producer,
        };
        match is_promise {
            None if self.fields.of(Column::Form).is_some() => None,
            None | Some(false) => Some(Form::ElectronicTraceability),
            Some(true) if is_2021 => Some(Form::Conformity2021),
            Some(true) => Some(promise),
        }
    }

    pub(super) fn bases(&mut self, form: Option<Form>, issued_on: Option<CivilDate>) -> Vec<Basis> {
        let (Some(form), Some(issued_on)) = (form, issued_on) else {
            return Vec::new();
        };
        let (allowed, _) = forms::choices(form, issued_on);
        let named = |basis: &Basis| {
            let name = BASES.iter().find(|(_, known)| known == basis);
            format!("{} {}", name.map_or("", |(name, _)| name), basis.name_zh())
        };
        let read = self.read(Column::Basis, |text| {
            let mut bases = Vec::new();
            for part in several(text) {
                let found = BASES
                    .iter()
                    .find(|(name, basis)| *name == part || basis.name_zh() == part);
                match found {
                    Some((_, basis)) if allowed.contains(basis) => bases.push(*basis),
                    _ => {
                        let names: Vec<String> = allowed.iter().map(named).collect();
                        return Err(format!(
                            "{} is no basis of the form on {issued_on}: {}",
                            quoted(part),
                            names.join(", ")
                        ));
                    }
                }
            }
            bases.sort_unstable();
            bases.dedup();
            Ok(bases)
        });
        read.unwrap_or_default()
    }

    pub(super) fn durability(&mut self) -> Option<Durability> {
        let best_before = self.date(Column::BestBefore);
        let use_by = self.date(Column::UseBy);
        match (best_before, use_by) {
            (Some(_), Some(_)) => {
                let why = self.language.of(
                    "a product has a best-before date or a use-by date, not both",
                    "保质期与食用截止只填其一",
                );
                self.complain(Column::UseBy, why.to_owned());
                None
            }
            (Some(on), None) => Some(Durability {
                kind: DurabilityKind::BestBefore,
                on: on.into(),
            }),
            (None, Some(on)) => Some(Durability {
                kind: DurabilityKind::UseBy,
                on: on.into(),
            }),
            (None, None) => None,
        }
    }

    pub(super) fn list(&mut self, column: Column, least: usize, most: usize) -> Vec<String> {
        let read = self.ruled(column, |typed| {
            let mut found = Vec::new();
            for part in several(typed) {
                let part = normalise(part);
                text::check(column.name(), &part, least, most)?;
                found.push(part);
            }
            found.sort_unstable();
            found.dedup();
            Ok(found)
        });
        read.unwrap_or_default()
    }

    pub(super) fn contact(&mut self) -> Option<Person> {
        let phone = self.fields.of(Column::ContactPhone).map(str::to_owned);
        if phone.is_some() && self.fields.of(Column::ContactName).is_none() {
            self.wanted(Column::ContactName);
        }
        self.ruled(Column::ContactName, |name| {
            let person = Person {
                name: normalise(name),
                phone: phone.clone(),
                identity_number: None,
            };
            person.check().map(|()| person)
        })
    }

    pub(super) fn class(&mut self) -> Option<ProductClass> {
        self.read(Column::Class, |text| {
            let classes = CLASSES.map(|(name, _, zh, class)| (name, zh, class));
            known(&classes, text)
        })
    }

    pub(super) fn beginning(&mut self) -> Option<Beginning> {
        self.read(Column::Beginning, |text| known(BEGINNINGS, text))
    }

    pub(super) fn quantity(&mut self) -> Option<Quantity> {
        let unit = self.fields.of(Column::Unit).map(str::to_owned);
        self.ruled(Column::Quantity, |typed| match &unit {
            Some(unit) => Quantity::parse(&format!("{typed} {unit}")),
            None => Quantity::parse(typed),
        })
    }
}
