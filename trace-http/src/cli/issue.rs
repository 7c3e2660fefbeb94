//! `trace issue`: one certificate from flags, or thousands from a table.

mod batch;
mod columns;
mod draft;
mod reader;
pub mod sheet;

use std::{collections::HashMap, path::PathBuf};

use clap::{ArgGroup, Args};
use serde_json::json;
use trace_core::{
    ident::{CivilDate, LEDGER_OFFSET_MINUTES},
    record::{Role, rights::Registry},
};

use super::{
    Failure, Manner,
    local::Denied,
    voice::{Place, Session, Speaking, Voice},
};
use crate::{charset::Charset, machine};
use columns::{Column, Fields};
use draft::Drafting;
use reader::Complaint;

/// Everything `trace issue` can be told.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("rule").args(["all_or_nothing", "valid_rows_only"]),
    after_help = "\
Examples:
  trace issue --key producer.key --product 韭菜 --product-class 蔬菜 --quantity '12.5 斤' \\
    --produced-on 2026-03-01 --origin-place 永清县 --basis 自行检测合格
  trace issue --key producer.key --csv 合格证.csv > issued.csv
  trace issue --key producer.key --csv table.csv --valid-rows-only

A table has a row of headers, which `trace issue --help` lists with what each takes. Every
row makes a trace unit and its certificate. Up to 512 rows (1,024 records) are admitted
whole or not at all; a longer table goes in parts of 512 rows, each whole or not at all, and
what was issued is written out row by row, so that the rest can be sent again.",
    after_long_help = after_long_help()
)]
pub struct Issue {
    #[command(flatten)]
    speaking: Speaking,

    /// Table to issue from, CSV in UTF-8 or GB18030; - is standard input
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,

    /// Character set of the table
    #[arg(long, value_enum, default_value = "auto", requires = "csv")]
    charset: Charset,

    /// Check every row first and issue nothing when one is wrong (the default)
    #[arg(long, requires = "csv")]
    all_or_nothing: bool,

    /// Issue the rows that are right, and name the others
    #[arg(long, requires = "csv")]
    valid_rows_only: bool,

    /// Check the table and issue nothing
    #[arg(long, requires = "csv")]
    check: bool,

    /// The issuer is a buyer: promises of conformity follow form 2 of 2026
    #[arg(long)]
    buyer: bool,

    #[command(flatten)]
    typed: Typed,
}

/// The columns of a table as flags, for one certificate.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "One certificate")]
struct Typed {
    /// Name of the product
    #[arg(
        long,
        value_name = "TEXT",
        conflicts_with = "csv",
        required_unless_present = "csv"
    )]
    product: Option<String>,
    /// Class of the product, e.g. vegetable or 蔬菜
    #[arg(long, value_name = "CLASS", conflicts_with = "csv")]
    product_class: Option<String>,
    /// How much, e.g. '12.5 斤' or '20 箱×5 公斤'
    #[arg(long, value_name = "QUANTITY", conflicts_with = "csv")]
    quantity: Option<String>,
    /// Date of harvest, slaughter or production
    #[arg(long, value_name = "DATE", conflicts_with = "csv")]
    produced_on: Option<String>,
    /// Where it comes from, in words
    #[arg(long, value_name = "TEXT", conflicts_with = "csv")]
    origin_place: Option<String>,
    /// Six digits of the area it comes from
    #[arg(long, value_name = "AREA", conflicts_with = "csv")]
    origin_area: Option<String>,
    /// What the promise rests on, several with a semicolon
    #[arg(long, value_name = "BASES", conflicts_with = "csv")]
    basis: Option<String>,
    /// electronic or conformity
    #[arg(long, value_name = "FORM", conflicts_with = "csv")]
    form: Option<String>,
    /// Date of issue [default: today]
    #[arg(long, value_name = "DATE", conflicts_with = "csv")]
    issued_on: Option<String>,
    /// Last day of the certificate
    #[arg(long, value_name = "DATE", conflicts_with = "csv")]
    expires_on: Option<String>,
    /// Last day of best quality
    #[arg(long, value_name = "DATE", conflicts_with = "csv")]
    best_before: Option<String>,
    /// Last day on which it may be eaten
    #[arg(long, value_name = "DATE", conflicts_with = "csv")]
    use_by: Option<String>,
    /// harvest, slaughter, production or import
    #[arg(long, value_name = "WAY", conflicts_with = "csv")]
    beginning: Option<String>,
    /// Variety or specification
    #[arg(long, value_name = "TEXT", conflicts_with = "csv")]
    specification: Option<String>,
    /// Lot number
    #[arg(long, value_name = "LOT", conflicts_with = "csv")]
    lot: Option<String>,
    /// GTIN on the package
    #[arg(long, value_name = "DIGITS", conflicts_with = "csv")]
    gtin: Option<String>,
    /// How it is to be kept
    #[arg(long, value_name = "TEXT", conflicts_with = "csv")]
    storage: Option<String>,
    /// Codes of other systems, several with a semicolon
    #[arg(long, value_name = "CODES", conflicts_with = "csv")]
    foreign_code: Option<String>,
    /// The certificate's number [default: made up]
    #[arg(long, value_name = "NUMBER", conflicts_with = "csv")]
    number: Option<String>,
    /// Contact; kept encrypted, shown masked
    #[arg(long, value_name = "TEXT", conflicts_with = "csv")]
    contact_name: Option<String>,
    /// The contact's telephone number
    #[arg(long, value_name = "NUMBER", conflicts_with = "csv")]
    contact_phone: Option<String>,
    /// A buyer's form: the certificates collected, with a semicolon between
    #[arg(long, value_name = "NUMBERS", conflicts_with = "csv")]
    collected: Option<String>,
}

fn after_long_help() -> String {
    format!(
        "\
Examples:
  trace issue --key producer.key --product 韭菜 --product-class 蔬菜 --quantity '12.5 斤' \\
    --produced-on 2026-03-01 --origin-place 永清县 --basis 自行检测合格
  trace issue --key producer.key --csv 合格证.csv > issued.csv
  trace issue --key producer.key --csv table.csv --valid-rows-only

Every row of a table makes a trace unit and its certificate. Up to 512 rows (1,024
records) are admitted whole or not at all; a longer table goes in parts of 512 rows, each
whole or not at all, and what was issued is written out row by row, so that the rest can be
sent again.

Headers of a table, in either language:
{}",
        columns::help()
    )
}

impl Typed {
    fn fields(&self) -> Fields {
        let mut fields = Fields::default();
        for (column, value) in [
            (Column::Product, &self.product),
            (Column::Class, &self.product_class),
            (Column::Quantity, &self.quantity),
            (Column::ProducedOn, &self.produced_on),
            (Column::OriginPlace, &self.origin_place),
            (Column::OriginArea, &self.origin_area),
            (Column::Basis, &self.basis),
            (Column::Form, &self.form),
            (Column::IssuedOn, &self.issued_on),
            (Column::ExpiresOn, &self.expires_on),
            (Column::BestBefore, &self.best_before),
            (Column::UseBy, &self.use_by),
            (Column::Beginning, &self.beginning),
            (Column::Specification, &self.specification),
            (Column::Lot, &self.lot),
            (Column::Gtin, &self.gtin),
            (Column::Storage, &self.storage),
            (Column::ForeignCode, &self.foreign_code),
            (Column::Number, &self.number),
            (Column::ContactName, &self.contact_name),
            (Column::ContactPhone, &self.contact_phone),
            (Column::Collected, &self.collected),
        ] {
            if let Some(value) = value {
                fields.set(column, value);
            }
        }
        fields
    }
}

impl Issue {
    pub(super) fn run(self, manner: &Manner) -> Result<(), Failure> {
        match &self.csv {
            Some(_) => batch::run(&self, manner),
            None => self.one(manner),
        }
    }

    fn one(&self, manner: &Manner) -> Result<(), Failure> {
        let fields = self.typed.fields();
        // What is wrong by itself is told before the ledger is opened.
        let mut drafting = self.drafting(None, manner)?;
        let draft = |drafting: &mut Drafting| {
            drafting.draft(&fields).map_err(|complaints| {
                Failure::Refused(
                    complaints
                        .iter()
                        .map(flag_complaint)
                        .collect::<Vec<_>>()
                        .join("; "),
                )
            })
        };
        draft(&mut drafting)?;
        let mut session = self.speaking.open(manner)?;
        let outcome = self
            .drafting(Some(&session), manner)
            .and_then(|mut drafting| {
                let mut draft = draft(&mut drafting)?;
                let stands = session
                    .issue(&mut draft)
                    .map_err(|Denied { failure, .. }| failure)?;
                Ok((draft, stands))
            });
        session.close()?;
        let (draft, stands) = outcome?;
        let (code, number) = (draft.code.to_string(), draft.number);
        let index = stands.last().map(|stands| stands.index);
        let value = json!({ "code": code, "number": number, "index": index });
        manner.tell(&value, || {
            let rows = [
                (manner.of("trace code", "追溯码"), code.clone()),
                (manner.of("certificate", "合格证编号"), number.clone()),
                (
                    manner.of("index in the log", "账本序号"),
                    index.map_or_else(String::new, |index| index.to_string()),
                ),
            ];
            super::manner::table(&rows.map(|(name, value)| vec![name.to_owned(), value]))
        })
    }

    /// What holds for all certificates of this run; a session knows the issuer.
    fn drafting(&self, session: Option<&Session>, manner: &Manner) -> Result<Drafting, Failure> {
        let mut prefix = "T".to_owned();
        let mut is_buyer = self.buyer;
        if let Some(session) = session
            && let Some((entity, Some(area))) = session.signer()?
        {
            prefix = format!("{area:06}");
            if let Place::Local(local) = &session.place {
                let state = local.ledger().view().folded().entity(&entity)?;
                let holds = |role| {
                    let grants = state.iter().flat_map(|state| &state.grants);
                    grants.into_iter().any(|grant| grant.role == role)
                };
                is_buyer |= holds(Role::Buyer) && !holds(Role::Producer);
            }
        }
        Ok(Drafting {
            today: CivilDate::from_ms(machine::now_ms(), LEDGER_OFFSET_MINUTES)?,
            prefix,
            is_buyer,
            language: manner.language(),
            persons: HashMap::new(),
        })
    }
}

impl Session {
    /// Issues one certificate; where its records stand. By a token it is the
    /// server that draws the trace code, which the draft then has.
    ///
    /// # Errors
    /// [`Denied`].
    fn issue(&mut self, draft: &mut draft::Draft) -> Result<Vec<super::voice::Stands>, Denied> {
        match (&mut self.place, &self.voice) {
            (Place::Server(remote), Voice::Token) => {
                let (code, stands) = remote.issue(&draft.said)?;
                draft.code = code;
                Ok(stands)
            }
            _ => self.admit(draft.said.clone()),
        }
    }
}

fn flag_complaint(complaint: &Complaint) -> String {
    match complaint.column {
        Some(column) => format!("--{}: {}", column.name().replace('_', "-"), complaint.why),
        None => complaint.why.clone(),
    }
}
