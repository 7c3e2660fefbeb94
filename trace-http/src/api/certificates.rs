//! `POST /v1/certificates`: a certificate, and the trace unit that it is about
//! where there is none yet.
//!
//! What is left out is filled in: today's date, the form in force for the
//! token's role, the promises of that form, a random code and number. The basis
//! filled in is the one that claims least: no test is claimed that the issuer
//! did not name.

use std::{future::ready, sync::Arc};

use axum::{extract::State, response::Response};
use serde::{Deserialize, Serialize};
use trace_core::{
    error::{Invalid, Rule},
    ident::{Area, CivilDate, TraceCode},
    ledger::{View, job::Item},
    record::{
        Body, Quantity, Role,
        certificate::{Elements, promise},
        claim::{Basis, DurabilityKind, Form},
        kinds::{
            conformity_certificate_2026_buyer::BuyerTrade,
            unit_created::{Beginning, Durability, ProductClass, UnitCreated},
        },
        rights::Registry,
        section::{Opening, Openings},
        wire::AreaCode,
    },
    rules::forms,
};
use utoipa::ToSchema;

use super::{
    office::Office,
    orders::{Fulfilled, Given, Order, OrderRecord, made, wanted},
    prepare::PersonOrder,
};
use crate::{machine, problem::Problem};

/// A certificate to issue.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CertificateOrder {
    /// The trace unit it is about; where left out a new one is made of the
    /// fields below. For a unit that is given, `product`, `quantity`, `origin`
    /// and `origin_area` are the unit's where left out, and the other fields of
    /// a unit stay out.
    #[schema(example = "000G-40R4-0M30-E209-P")]
    unit: Option<String>,
    /// 产品名称, 1 to 60 characters.
    #[schema(example = "黄瓜")]
    product: Option<String>,
    /// 产品类别.
    #[schema(value_type = Option<String>, example = "vegetable")]
    product_class: Option<ProductClass>,
    /// 数量 with its unit: 克 两 斤 公斤 吨 毫升 升 件 头 羽, or 箱 with its content.
    #[schema(example = "12.5 斤")]
    quantity: Option<String>,
    /// 产地 in words.
    #[schema(example = "河北省廊坊市固安县")]
    origin: Option<String>,
    /// 产地: six digits; the issuer's own area where left out, but for imports.
    #[schema(example = "131022")]
    origin_area: Option<String>,
    /// Day of harvest, slaughter, production or import.
    #[schema(example = "2026-05-10")]
    produced_on: Option<String>,
    /// How the unit begins: harvest where left out.
    #[schema(value_type = Option<String>, example = "harvest")]
    beginning: Option<Beginning>,
    /// 品种 or specification.
    specification: Option<String>,
    /// How it is to be kept.
    storage: Option<String>,
    /// GTIN on the package.
    gtin: Option<String>,
    /// 批次.
    lot: Option<String>,
    /// Last day of sale.
    durability: Option<DurabilityOrder>,
    /// Codes of other systems that mean the unit.
    #[serde(default)]
    foreign_codes: Vec<String>,
    /// Today where left out.
    #[schema(example = "2026-05-11")]
    issued_on: Option<String>,
    /// Last day of validity, where the issuer sets one.
    expires_on: Option<String>,
    /// The promise of conformity in force for the token's role where left out.
    #[schema(value_type = Option<String>, example = "conformity2026_producer")]
    form: Option<Form>,
    /// 承诺依据; where left out the one that claims no test.
    #[schema(value_type = Option<Vec<String>>)]
    bases: Option<Vec<Basis>>,
    /// The certificate's number; a random one where left out.
    number: Option<String>,
    /// 联系方式.
    contact: Option<PersonOrder>,
    /// The certificates collected for a buyer's batch: a trade section.
    collected: Option<Vec<String>>,
}

/// Until when a unit may be sold.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DurabilityOrder {
    /// `best_before` or `use_by`.
    #[schema(value_type = String, example = "best_before")]
    kind: DurabilityKind,
    /// The last day.
    #[schema(example = "2026-05-20")]
    on: String,
}

/// A certificate that was issued.
#[derive(Debug, Serialize, ToSchema)]
pub struct CertificateAnswer {
    /// 追溯码, in fours.
    #[schema(value_type = String, example = "000G-40R4-0M30-E209-P")]
    trace_code: TraceCode,
    /// 证号.
    certificate_number: String,
    /// The form it follows, in words.
    form: &'static str,
    /// What was made, with receipts.
    records: Vec<OrderRecord>,
    /// Where to look.
    links: Links,
}

/// Where a trace code is shown.
#[derive(Debug, Serialize, ToSchema)]
pub struct Links {
    /// For people; what a QR code holds.
    page: String,
    /// For programs.
    code: String,
    /// Everything needed to check it offline.
    bundle: String,
}

/// `POST /v1/certificates`.
pub async fn issue(
    State(office): State<Arc<Office>>,
    order: Order<CertificateOrder>,
) -> Result<Response, Problem> {
    let made = office.carry_out(order, |view, given, wanted| {
        ready(draft(&office, &view, &given, wanted).map(|drafted| drafted.items))
    });
    answer(&office, made.await?)
}

/// What a certificate's records will be, and what they will name.
pub(crate) struct Drafted {
    /// The unit where it is new, then the certificate.
    pub(crate) items: Vec<Item>,
    /// The unit's code.
    pub(crate) unit: TraceCode,
    /// The certificate's number.
    pub(crate) number: String,
}

/// The answer about the certificate among the records.
pub(super) fn answer(office: &Office, fulfilled: Fulfilled) -> Result<Response, Problem> {
    let issued = fulfilled.said("certificate", |body| {
        let (elements, form) = elements_of(body)?;
        Some((elements.unit, elements.number.clone(), form))
    });
    let (trace_code, certificate_number, form) = issued?;
    let is_repeat = fulfilled.is_repeat;
    let answer = CertificateAnswer {
        trace_code,
        certificate_number,
        form: form.name_zh(),
        links: Links::of(office, trace_code),
        records: fulfilled.into_records(),
    };
    made(is_repeat, &answer)
}

impl Links {
    /// Of one code.
    #[must_use]
    pub fn of(office: &Office, code: TraceCode) -> Self {
        let (url, code) = (&office.public_url, code.compact());
        Self {
            page: format!("{url}/t/{code}"),
            code: format!("{url}/v1/codes/{code}"),
            bundle: format!("{url}/v1/codes/{code}/bundle"),
        }
    }
}

/// The elements of a certificate of any form.
#[must_use]
pub fn elements_of(body: &Body) -> Option<(&Elements, Form)> {
    match body {
        Body::ElectronicTraceabilityCertificate(body) => {
            Some((&body.0, Form::ElectronicTraceability))
        }
        Body::ConformityCertificate2021(body) => Some((&body.0, Form::Conformity2021)),
        Body::ConformityCertificate2026Producer(body) => {
            Some((&body.0, Form::Conformity2026Producer))
        }
        Body::ConformityCertificate2026Buyer(body) => {
            Some((&body.certificate, Form::Conformity2026Buyer))
        }
        _ => None,
    }
}

/// The records of an order, with everything left out filled in.
pub(crate) fn draft(
    office: &Office,
    view: &View,
    given: &Given,
    mut order: CertificateOrder,
) -> Result<Drafted, Problem> {
    let today = office.today(view)?;
    let mut items = Vec::with_capacity(2);
    let unit = match order.unit.take() {
        Some(code) => {
            let code = TraceCode::parse(&code)?;
            refuse_unit_fields(&order)?;
            unit_on_ledger(view, code)?
        }
        None => {
            let unit = new_unit(view, given, &mut order)?;
            items.push(given.state(unit.clone(), Openings::default()));
            unit
        }
    };
    let issued_on = match &order.issued_on {
        Some(text) => CivilDate::parse(text)?,
        None => today,
    };
    let role = given.token.grant.role;
    let form = match order.form {
        Some(form) => form,
        None => forms::form_of(role, issued_on).ok_or_else(|| {
            let what = format!("the token is made for {role}, who issues no certificates");
            Invalid::new(Rule::Right, what)
        })?,
    };
    let number = order
        .number
        .take()
        .unwrap_or_else(|| random_number(issued_on));
    let (elements, mut openings) = fill_in(given, order, &unit, form, issued_on, number.clone())?;
    let (elements, collected) = elements;
    let body = in_form(form, elements, collected, &mut openings)?;
    items.push(given.state(body, openings));
    Ok(Drafted {
        items,
        unit: unit.unit,
        number,
    })
}

type Filled = ((Elements, Option<Vec<String>>), Openings);

fn fill_in(
    given: &Given,
    order: CertificateOrder,
    unit: &UnitCreated,
    form: Form,
    issued_on: CivilDate,
    number: String,
) -> Result<Filled, Invalid> {
    let (choices, pledges) = forms::choices(form, issued_on);
    let mut bases = order.bases.unwrap_or_else(|| least_basis(choices));
    bases.sort_unstable();
    bases.dedup();
    let mut persons = Vec::new();
    let mut openings = Openings::default();
    if let Some(contact) = order.contact {
        let (person, opening) = contact.seal()?;
        persons.push(person);
        openings.persons.push(opening);
    }
    let elements = Elements {
        number,
        unit: unit.unit,
        product: order.product.unwrap_or_else(|| unit.product.clone()),
        quantity: match &order.quantity {
            Some(text) => Quantity::parse(text)?,
            None => unit.quantity,
        },
        origin_area: match &order.origin_area {
            Some(text) => Some(text.parse()?),
            None => unit.origin_area,
        },
        origin_place: order.origin.unwrap_or_else(|| unit.origin_place.clone()),
        issued_on: issued_on.into(),
        expires_on: order.expires_on.map(|text| text.parse()).transpose()?,
        bases,
        pledges: pledges.to_vec(),
        persons,
        acted_by: given.acted_by(),
        countersignatures: Vec::new(),
    };
    Ok(((elements, order.collected), openings))
}

fn in_form(
    form: Form,
    elements: Elements,
    collected: Option<Vec<String>>,
    openings: &mut Openings,
) -> Result<Body, Invalid> {
    // What was collected is said where the form asks for it; elsewhere the
    // rules refuse the section that the kind does not have.
    if form == Form::Conformity2026Buyer || collected.is_some() {
        let collected = collected.unwrap_or_default();
        let trade = Opening::new(machine::random(), &BuyerTrade { collected });
        openings.trade = Some(trade);
    }
    let trade = openings.trade.as_ref().map(Opening::commitment);
    promise(form, elements, trade.unwrap_or_default())
}

/// The basis that claims no test, where the form has one.
fn least_basis(choices: &[Basis]) -> Vec<Basis> {
    let untested = [Basis::ControlMeetsRequirements, Basis::SelfPromise];
    let least = untested.iter().find(|basis| choices.contains(basis));
    least.copied().into_iter().collect()
}

fn refuse_unit_fields(order: &CertificateOrder) -> Result<(), Invalid> {
    let stated = [
        ("product_class", order.product_class.is_some()),
        ("produced_on", order.produced_on.is_some()),
        ("beginning", order.beginning.is_some()),
        ("specification", order.specification.is_some()),
        ("storage", order.storage.is_some()),
        ("gtin", order.gtin.is_some()),
        ("lot", order.lot.is_some()),
        ("durability", order.durability.is_some()),
        ("foreign_codes", !order.foreign_codes.is_empty()),
    ];
    match stated.iter().find(|(_, is_stated)| *is_stated) {
        Some((field, _)) => Err(Invalid::new(
            Rule::Statement,
            format!("`{field}` is the unit's own: leave it out where `unit` is given"),
        )),
        None => Ok(()),
    }
}

fn unit_on_ledger(view: &View, code: TraceCode) -> Result<UnitCreated, Problem> {
    let unknown = || Invalid::new(Rule::UnitUnknown, format!("{code} is not on this ledger"));
    let made = view.folded().unit(&code)?.and_then(|unit| unit.made);
    let made = made.ok_or_else(unknown)?;
    match view.entry(made.index)?.signed.body()? {
        Body::UnitCreated(body) => Ok(body),
        _ => Err(unknown().into()),
    }
}

fn new_unit(
    view: &View,
    given: &Given,
    order: &mut CertificateOrder,
) -> Result<UnitCreated, Problem> {
    let default = match given.token.grant.role {
        Role::Importer => Beginning::Import,
        _ => Beginning::Harvest,
    };
    let beginning = order.beginning.unwrap_or(default);
    let origin_area = match &order.origin_area {
        Some(text) => Some(text.parse()?),
        None if beginning == Beginning::Import => None,
        None => own_area(view, given)?,
    };
    let durability = match order.durability.take() {
        Some(stated) => Some(Durability {
            kind: stated.kind,
            on: stated.on.parse()?,
        }),
        None => None,
    };
    let mut foreign_codes = std::mem::take(&mut order.foreign_codes);
    foreign_codes.sort_unstable();
    Ok(UnitCreated {
        unit: TraceCode::from_bytes(machine::random()),
        beginning,
        product: wanted("product", order.product.clone())?,
        product_class: wanted("product_class", order.product_class)?,
        specification: order.specification.take(),
        gtin: order.gtin.take().map(|text| text.parse()).transpose()?,
        lot: order.lot.take(),
        quantity: Quantity::parse(&wanted("quantity", order.quantity.clone())?)?,
        produced_on: wanted("produced_on", order.produced_on.take())?.parse()?,
        durability,
        origin_area,
        origin_place: wanted("origin", order.origin.clone())?,
        storage: order.storage.take(),
        foreign_codes,
        acted_by: given.acted_by(),
    })
}

fn own_area(view: &View, given: &Given) -> Result<Option<AreaCode>, Problem> {
    let entity = view.folded().entity(&given.entity)?;
    Ok(entity
        .and_then(|entity| Area::try_from(entity.area).ok())
        .map(AreaCode::from))
}

/// The date of issue and 16 random digits: of ten thousand numbers a day, two
/// meet once in a hundred thousand years; then the second is refused.
fn random_number(issued_on: CivilDate) -> String {
    let date: String = issued_on.to_string().replace('-', "");
    let digits = u128::from_be_bytes(machine::random()) % 10_000_000_000_000_000;
    format!("{date}-{digits:016}")
}
