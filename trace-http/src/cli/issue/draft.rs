//! What was typed becomes two records: a trace unit and its certificate. All
//! that is wrong is told at once, each with its column.
//!
//! Only rules of form are looked at here; what the ledger already holds is the
//! ledger's to judge.

use std::collections::HashMap;

use trace_core::{
    error::Invalid,
    ident::{Area, CivilDate, Gtin, Lot, TraceCode},
    record::{
        certificate::{Elements, promise},
        claim::{DurabilityKind, Form},
        kinds::{
            Kind,
            conformity_certificate_2026_buyer::BuyerTrade,
            unit_created::{Beginning, Durability, UnitCreated},
        },
        section::{Opening, Openings, Person},
        wire::{Day, PersonId, PersonRef, check_number},
    },
    rules::forms,
};

use super::{
    columns::{Column, Fields},
    reader::{Complaint, Reader},
};
use crate::{
    cli::{failure::refusal, voice::Said},
    language::Language,
    machine,
};

/// A certificate ready to be signed.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The unit's code.
    pub code: TraceCode,
    /// The certificate's number.
    pub number: String,
    /// The unit and the certificate.
    pub said: Vec<Said>,
}

/// What holds for all certificates of one run.
#[derive(Debug)]
pub struct Drafting {
    /// The date at the ledger's civil time.
    pub today: CivilDate,
    /// First part of numbers that are made up.
    pub prefix: String,
    /// Whether a buyer issues, whose form of 2026 is another.
    pub is_buyer: bool,
    /// In which language complaints are.
    pub language: Language,
    /// Contacts named so far: one random id for each, so that one erasure
    /// reaches all that this run says of a person.
    pub persons: HashMap<(String, Option<String>), PersonId>,
}

impl Drafting {
    /// Makes the unit and the certificate, under a fresh random trace code.
    ///
    /// # Errors
    /// Everything that is wrong, by column.
    pub fn draft(&mut self, fields: &Fields) -> Result<Draft, Vec<Complaint>> {
        let mut reader = Reader::new(fields, self.language);
        for column in [
            Column::Product,
            Column::Class,
            Column::Quantity,
            Column::ProducedOn,
            Column::OriginPlace,
            Column::Basis,
        ] {
            reader.wanted(column);
        }
        let product = reader.text(Column::Product, 60);
        let class = reader.class();
        let quantity = reader.quantity();
        let produced_on = reader.date(Column::ProducedOn);
        let origin_place = reader.text(Column::OriginPlace, 80);
        let origin_area = reader.ruled(Column::OriginArea, str::parse::<Area>);
        let issued_on = match fields.of(Column::IssuedOn) {
            None => Some(self.today),
            Some(_) => reader.date(Column::IssuedOn),
        };
        let form = reader.form(issued_on, self.is_buyer);
        let bases = reader.bases(form, issued_on);
        let expires_on = reader.date(Column::ExpiresOn);
        let durability = reader.durability();
        let beginning = reader.beginning().unwrap_or(Beginning::Harvest);
        let specification = reader.text(Column::Specification, 60);
        let storage = reader.text(Column::Storage, 60);
        let lot = reader.ruled(Column::Lot, |text| {
            Lot::parse(text).map(|_| text.to_owned())
        });
        let gtin = reader.ruled(Column::Gtin, Gtin::parse);
        let number = reader.ruled(Column::Number, |text| {
            check_number(text).map(|()| text.to_owned())
        });
        let foreign_codes = reader.list(Column::ForeignCode, 4, 80);
        let collected = reader.list(Column::Collected, 1, 40);
        let contact = reader.contact();
        self.dates(&mut reader, produced_on, issued_on, expires_on, durability);
        if form == Some(Form::Conformity2026Buyer) && collected.is_empty() {
            reader.wanted(Column::Collected);
        }

        let (
            [],
            Some(product),
            Some(class),
            Some(quantity),
            Some(produced_on),
            Some(origin_place),
            Some(issued_on),
            Some(form),
        ) = (
            reader.complaints.as_slice(),
            product,
            class,
            quantity,
            produced_on,
            origin_place,
            issued_on,
            form,
        )
        else {
            return Err(reader.complaints);
        };
        let code = TraceCode::from_bytes(machine::random());
        let number = number.unwrap_or_else(|| made_up(&self.prefix, issued_on));
        let unit = UnitCreated {
            unit: code,
            beginning,
            product: product.clone(),
            product_class: class,
            specification,
            gtin: gtin.map(Into::into),
            lot,
            quantity,
            produced_on: produced_on.into(),
            durability,
            origin_area: origin_area.map(Into::into),
            origin_place: origin_place.clone(),
            storage,
            foreign_codes,
            acted_by: None,
        };
        let (persons, openings) = self.named(contact);
        let elements = Elements {
            number: number.clone(),
            unit: code,
            product,
            quantity,
            origin_area: origin_area.map(Into::into),
            origin_place,
            issued_on: issued_on.into(),
            expires_on: expires_on.map(Into::into),
            bases,
            pledges: forms::choices(form, issued_on).1.to_vec(),
            persons,
            acted_by: None,
            countersignatures: Vec::new(),
        };
        let whole = unit.check().and_then(|()| elements.check());
        let certificate = whole.and_then(|()| certificate(form, elements, openings, collected));
        let certificate = certificate.map_err(|invalid| {
            vec![Complaint {
                column: None,
                why: refusal(&invalid, self.language),
            }]
        })?;
        Ok(Draft {
            code,
            number,
            said: vec![Said::bare(unit), certificate],
        })
    }

    fn dates(
        &self,
        reader: &mut Reader<'_>,
        produced_on: Option<CivilDate>,
        issued_on: Option<CivilDate>,
        expires_on: Option<CivilDate>,
        durability: Option<Durability>,
    ) {
        if let Some(issued_on) = issued_on.filter(|date| *date > self.today) {
            let why = self.language.of(
                format!("{issued_on} is after today, {}", self.today),
                format!("{issued_on} 晚于今天 {}", self.today),
            );
            reader.complain(Column::IssuedOn, why);
        }
        if let (Some(produced), Some(issued)) = (produced_on, issued_on)
            && produced > issued
        {
            let why = self.language.of(
                format!("{produced} is after the date of issue, {issued}"),
                format!("{produced} 晚于开具日期 {issued}"),
            );
            reader.complain(Column::ProducedOn, why);
        }
        if let (Some(expires), Some(issued)) = (expires_on, issued_on)
            && expires < issued
        {
            let why = self.language.of(
                format!("{expires} is before the date of issue, {issued}"),
                format!("{expires} 早于开具日期 {issued}"),
            );
            reader.complain(Column::ExpiresOn, why);
        }
        if let (Some(durability), Some(produced)) = (durability, produced_on)
            && durability.on < Day::from(produced)
        {
            let column = match durability.kind {
                DurabilityKind::BestBefore => Column::BestBefore,
                DurabilityKind::UseBy => Column::UseBy,
            };
            let why = self.language.of(
                format!("{} is before production, {produced}", durability.on),
                format!("{} 早于生产日期 {produced}", durability.on),
            );
            reader.complain(column, why);
        }
    }

    fn named(&mut self, contact: Option<Person>) -> (Vec<PersonRef>, Openings) {
        let Some(contact) = contact else {
            return (Vec::new(), Openings::default());
        };
        let opening = Opening::new(machine::random(), &contact);
        let who = (contact.name, contact.phone);
        let person = self.persons.entry(who);
        let person = *person.or_insert_with(|| PersonId(machine::random()));
        let named = PersonRef {
            person,
            commitment: opening.commitment(),
        };
        let openings = Openings {
            trade: None,
            persons: vec![opening],
        };
        (vec![named], openings)
    }
}

fn certificate(
    form: Form,
    elements: Elements,
    mut openings: Openings,
    collected: Vec<String>,
) -> Result<Said, Invalid> {
    if form == Form::Conformity2026Buyer {
        openings.trade = Some(Opening::new(machine::random(), &BuyerTrade { collected }));
    }
    let trade = openings.trade.as_ref().map(Opening::commitment);
    let body = promise(form, elements, trade.unwrap_or_default())?;
    Ok(Said { body, openings })
}

/// A number nobody has: prefix, date, and 40 random bits.
fn made_up(prefix: &str, issued_on: CivilDate) -> String {
    let (year, month, day) = issued_on.ymd();
    let code = TraceCode::from_bytes(machine::random()).compact();
    let random: String = code.chars().take(8).collect();
    format!("{prefix}-{year:04}{month:02}{day:02}-{random}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drafting() -> Drafting {
        Drafting {
            today: CivilDate::parse("2026-03-01").unwrap(),
            prefix: "131023".into(),
            is_buyer: false,
            language: Language::English,
            persons: HashMap::new(),
        }
    }

    fn fields(changes: &[(Column, &str)]) -> Fields {
        let mut fields = Fields::default();
        for (column, value) in [
            (Column::Product, "韭菜"),
            (Column::Class, "蔬菜"),
            (Column::Quantity, "12.5 斤"),
            (Column::ProducedOn, "2026/2/28"),
            (Column::OriginPlace, "永清县"),
            (Column::Basis, "自行检测合格"),
        ]
        .iter()
        .chain(changes)
        {
            fields.set(*column, value);
        }
        fields
    }

    #[test]
    fn what_people_type_becomes_a_unit_and_a_certificate() {
        let mut drafting = drafting();
        let contact = [
            (Column::ContactName, "甲"),
            (Column::ContactPhone, "13800000000"),
        ];
        let draft = drafting.draft(&fields(&contact)).unwrap();
        assert_eq!(draft.said.len(), 2);
        assert!(draft.number.starts_with("131023-20260301-"));
        for said in &draft.said {
            assert_eq!(said.body.check_openings(&said.openings), Ok(()));
        }
        let again = drafting.draft(&fields(&contact)).unwrap();
        assert_ne!(draft.code, again.code);
        // One person, however often named.
        let person = |draft: &Draft| draft.said[1].body.persons()[0].person;
        assert_eq!(person(&draft), person(&again));
    }

    #[test]
    fn the_form_follows_the_date_and_who_issues() {
        let kind = |is_buyer: bool, changes: &[(Column, &str)]| {
            let mut drafting = drafting();
            drafting.is_buyer = is_buyer;
            let draft = drafting.draft(&fields(changes)).unwrap();
            draft.said[1].body.kind().name
        };
        let promise = (Column::Form, "承诺达标合格证");
        assert_eq!(kind(false, &[]), "electronic_traceability_certificate");
        assert_eq!(
            kind(false, &[promise]),
            "conformity_certificate_2026_producer"
        );
        assert_eq!(
            kind(true, &[promise, (Column::Collected, "A-1;A-2")]),
            "conformity_certificate_2026_buyer"
        );
        assert_eq!(
            kind(
                false,
                &[
                    promise,
                    (Column::IssuedOn, "2026年1月31日"),
                    (Column::ProducedOn, "2026.1.31"),
                    (Column::Basis, "自我承诺"),
                ]
            ),
            "conformity_certificate_2021"
        );
    }

    #[test]
    fn everything_wrong_is_told_at_once_by_column() {
        let wrong = [
            (Column::Class, "石头"),
            (Column::Quantity, "5 箱"),
            (Column::ProducedOn, "2026-13-01"),
            (Column::Basis, "自我承诺"),
            (Column::Lot, "批"),
            (Column::Gtin, "123"),
            (Column::Number, "低"),
            (Column::Product, &"长".repeat(10_000)),
            (Column::ContactPhone, "1"),
        ];
        let complaints = drafting().draft(&fields(&wrong)).unwrap_err();
        for (column, _) in wrong {
            let column = match column {
                Column::ContactPhone => Column::ContactName,
                other => other,
            };
            assert!(
                complaints.iter().any(|it| it.column == Some(column)),
                "{column:?}: {complaints:?}"
            );
        }
        assert!(complaints.iter().all(|it| it.why.len() < 600));
        let empty = drafting().draft(&Fields::default()).unwrap_err();
        assert_eq!(empty.len(), 6);
    }

    #[test]
    fn dates_out_of_order_are_refused_by_the_column_to_change() {
        for (column, value) in [
            (Column::IssuedOn, "2026-03-02"),
            (Column::ProducedOn, "2026-03-02"),
            (Column::ExpiresOn, "2026-02-28"),
            (Column::UseBy, "2026-02-27"),
            (Column::BestBefore, "2026-02-27"),
        ] {
            let complaints = drafting().draft(&fields(&[(column, value)])).unwrap_err();
            assert_eq!(complaints[0].column, Some(column), "{complaints:?}");
        }
    }
}
