//! What stands on a label: the words of the form that its certificate follows,
//! what the certificate and the unit's own record say, the code, the address.
//!
//! Elements of a promise of conformity: 产品名称, 数量(重量), 产地, 开具时间,
//! 承诺主体, 联系方式, 承诺事项, 承诺依据 (管理办法, 农业农村部令2025年第4号, in
//! force 2026-02-01: one form of producers, one of buyers, three bases; the form
//! of 2021 with four), and the words 承诺达标合格证 prominently. A unit without
//! such a certificate has a plain label. Public fields alone: see the module.

use trace_core::{
    error::Invalid,
    ident::{DigitalLink, Gtin, Lot, TraceCode},
    ledger::{Failed, View, lookup::Lookup},
    proof::signed_label::SignedLabel,
    record::{
        Body, Status,
        certificate::Elements,
        claim::{Basis, DurabilityKind, Form},
        kinds::unit_created::Durability,
        rights::Registry,
        text,
        unit::Standing,
        wire::GtinNumber,
    },
};

use super::LabelError;
use crate::api::certificates::elements_of;

/// The four bases of the form of 2021.
const BASES_2021: [Basis; 4] = [
    Basis::EntrustedTest,
    Basis::OwnTest,
    Basis::InternalControl,
    Basis::SelfPromise,
];

/// The three bases of the forms of 2026.
const BASES_2026: [Basis; 3] = [
    Basis::ControlMeetsRequirements,
    Basis::OwnTestPassed,
    Basis::EntrustedTestPassed,
];

/// One element with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The name, as the form has it.
    pub name: &'static str,
    /// What stands there; none is left to be written by hand.
    pub value: Option<String>,
    /// Whether the form demands it. What it does not is left out where there is
    /// no room; the package says it too.
    pub is_demanded: bool,
}

/// What stands on one label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The trace code, shown in fours.
    pub code: TraceCode,
    /// What the QR code holds.
    pub address: String,
    /// The words that the form demands prominently.
    pub heading: &'static str,
    /// The elements, those demanded first.
    pub lines: Vec<Line>,
    /// 承诺事项; none on a plain label.
    pub pledges: Vec<&'static str>,
    /// 承诺依据: every one of the form, and whether it is ticked.
    pub bases: Vec<(&'static str, bool)>,
    /// Whether it is printed before the ledger's receipt: 待入账.
    pub is_pending: bool,
    /// The certificate's signed record, as the label for inspectors carries it.
    pub signed: Option<Vec<u8>>,
}

/// What a producer typed for one print, where the ledger's answer is nobody's to
/// see. It is drawn and forgotten.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Typed {
    promised_by: Option<String>,
    contact: Option<String>,
}

impl Typed {
    /// A natural person's name, and a contact; each up to 40 characters.
    ///
    /// # Errors
    /// [`Rule::Text`](trace_core::error::Rule::Text).
    pub fn new(promised_by: Option<String>, contact: Option<String>) -> Result<Self, Invalid> {
        text::check_option("promised_by", promised_by.as_deref(), 40)?;
        text::check_option("contact", contact.as_deref(), 40)?;
        Ok(Self {
            promised_by,
            contact,
        })
    }
}

/// What a unit's own record says of the goods.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Goods {
    /// 产品名称.
    pub product: String,
    /// 规格.
    pub specification: Option<String>,
    /// As stated; none where only a trade section knows it.
    pub quantity: Option<String>,
    /// 产地; none where it came of other units.
    pub origin_place: Option<String>,
    /// 生产日期.
    pub produced_on: String,
    /// Until when, and what that date means.
    pub durability: Option<(DurabilityKind, String)>,
    /// On the package.
    pub gtin: Option<Gtin>,
    /// 批次.
    pub lot: Option<Lot>,
    /// 贮存.
    pub storage: Option<String>,
}

impl Goods {
    /// What the record that made a unit says of it; none for any other record.
    ///
    /// # Errors
    /// A rule of form, should a stored field be none.
    pub fn of(body: &Body, code: TraceCode) -> Result<Option<Self>, Invalid> {
        Ok(Some(match body {
            Body::UnitCreated(unit) => Self {
                product: unit.product.clone(),
                specification: unit.specification.clone(),
                quantity: Some(unit.quantity.to_string()),
                origin_place: Some(unit.origin_place.clone()),
                produced_on: unit.produced_on.date()?.to_string(),
                durability: dated(unit.durability)?,
                gtin: unit.gtin.map(GtinNumber::gtin).transpose()?,
                lot: unit.lot.as_deref().map(Lot::parse).transpose()?,
                storage: unit.storage.clone(),
            },
            Body::UnitDeclared(unit) => Self {
                product: unit.product.clone(),
                specification: unit.specification.clone(),
                quantity: Some(unit.quantity.to_string()),
                origin_place: Some(unit.origin_place.clone()),
                produced_on: unit.produced_on.date()?.to_string(),
                durability: dated(unit.durability)?,
                gtin: unit.gtin.map(GtinNumber::gtin).transpose()?,
                lot: unit.lot.as_deref().map(Lot::parse).transpose()?,
                storage: unit.storage.clone(),
            },
            Body::Transformed(act) => {
                let Some(unit) = act.outputs.iter().find(|output| output.unit == code) else {
                    return Ok(None);
                };
                Self {
                    product: unit.product.clone(),
                    specification: unit.specification.clone(),
                    quantity: None,
                    origin_place: None,
                    produced_on: unit.produced_on.date()?.to_string(),
                    durability: dated(unit.durability)?,
                    gtin: unit.gtin.map(GtinNumber::gtin).transpose()?,
                    lot: unit.lot.as_deref().map(Lot::parse).transpose()?,
                    storage: unit.storage.clone(),
                }
            }
            _ => return Ok(None),
        }))
    }
}

fn dated(durability: Option<Durability>) -> Result<Option<(DurabilityKind, String)>, Invalid> {
    let dated = durability.map(Durability::dated).transpose()?;
    Ok(dated.map(|(kind, on)| (kind, on.to_string())))
}

/// A certificate to be printed, and who promises by it.
#[derive(Debug, Clone, Copy)]
pub struct Promise<'a> {
    /// Its form.
    pub form: Form,
    /// Its elements.
    pub elements: &'a Elements,
}

impl Content {
    /// The label of a unit; `maker` is the registered name of who promises or
    /// made it, none for a natural person.
    ///
    /// # Errors
    /// A rule of form, should a stored field be none.
    pub fn new(
        public_url: &str,
        code: TraceCode,
        goods: &Goods,
        promise: Option<Promise<'_>>,
        maker: Option<&str>,
        typed: &Typed,
    ) -> Result<Self, Invalid> {
        let mut content = Self {
            code,
            address: address(public_url, code, goods),
            heading: "追溯标签",
            lines: Vec::new(),
            pledges: Vec::new(),
            bases: Vec::new(),
            is_pending: false,
            signed: None,
        };
        let by = maker.map(str::to_owned).or(typed.promised_by.clone());
        match promise {
            Some(promise) => content.promise(promise, by, typed)?,
            None => {
                content.say("产品名称", Some(goods.product.clone()), true);
                content.say_known("数量(重量)", goods.quantity.clone());
                content.say_known("产地", goods.origin_place.clone());
                content.say_known("生产者", by);
                content.say_known("联系方式", typed.contact.clone());
            }
        }
        content.say("生产日期", Some(goods.produced_on.clone()), false);
        if let Some((kind, on)) = &goods.durability {
            let name = match kind {
                DurabilityKind::BestBefore => "保质期至",
                DurabilityKind::UseBy => "食用截止",
            };
            content.say(name, Some(on.clone()), false);
        }
        content.say_known("批次", goods.lot.map(|lot| lot.to_string()));
        content.say_known("规格", goods.specification.clone());
        content.say_known("贮存", goods.storage.clone());
        if let Some(promise) = promise {
            content.say("证书编号", Some(promise.elements.number.clone()), false);
        }
        Ok(content)
    }

    /// The same, printed before the ledger's receipt.
    #[must_use]
    pub fn pending(self) -> Self {
        Self {
            is_pending: true,
            ..self
        }
    }

    fn promise(
        &mut self,
        promise: Promise<'_>,
        by: Option<String>,
        typed: &Typed,
    ) -> Result<(), Invalid> {
        let elements = promise.elements;
        // The form's own words, without which of its layouts it is.
        let name = promise.form.name_zh();
        let words = name.split(['(', '\u{ff08}']).next();
        self.heading = words.unwrap_or(name);
        self.say("产品名称", Some(elements.product.clone()), true);
        self.say("数量(重量)", Some(elements.quantity.to_string()), true);
        self.say("产地", Some(elements.origin_place.clone()), true);
        let issued_on = elements.issued_on.date()?.to_string();
        self.say("开具时间", Some(issued_on), true);
        self.say("承诺主体", by, true);
        self.say("联系方式", typed.contact.clone(), true);
        self.pledges = elements.pledges.iter().map(|it| it.name_zh()).collect();
        let is_of_2021 = elements.bases.iter().any(|it| BASES_2021.contains(it));
        let all: &[Basis] = match is_of_2021 {
            true => &BASES_2021,
            false => &BASES_2026,
        };
        self.bases = all
            .iter()
            .map(|basis| (basis.name_zh(), elements.bases.contains(basis)))
            .collect();
        Ok(())
    }

    fn say(&mut self, name: &'static str, value: Option<String>, is_demanded: bool) {
        self.lines.push(Line {
            name,
            value,
            is_demanded,
        });
    }

    fn say_known(&mut self, name: &'static str, value: Option<String>) {
        if value.is_some() {
            self.say(name, value, false);
        }
    }
}

/// What a label leads to: the code's page, or where the package has a GTIN and
/// a batch the Digital Link of both, with the code.
#[must_use]
pub fn address(public_url: &str, code: TraceCode, goods: &Goods) -> String {
    match (goods.gtin, goods.lot) {
        (Some(gtin), Some(lot)) => {
            let link = DigitalLink {
                gtin,
                lot: Some(lot),
                serial: None,
                code: Some(code),
            };
            format!("{public_url}{link}")
        }
        _ => format!("{public_url}/t/{}", code.compact()),
    }
}

/// The label of a unit on a ledger, with the newest promise of conformity that
/// stands.
///
/// # Errors
/// [`LabelError::Unknown`]; [`LabelError::NotStanding`] for what was voided,
/// replaced or recalled; [`LabelError::Store`].
pub fn of_ledger(
    view: &View,
    lookup: &mut Lookup<'_>,
    public_url: &str,
    code: TraceCode,
    typed: &Typed,
) -> Result<Content, LabelError> {
    let unknown = || LabelError::Unknown { code };
    let state = view.folded().unit(&code)?.ok_or_else(unknown)?;
    let made = state.made.as_ref().ok_or_else(unknown)?;
    let answer = lookup.unit(code, made.index, 1)?.ok_or_else(unknown)?;
    let status = answer.status;
    if matches!(
        status,
        Status::Voided | Status::Superseded | Status::Recalled | Status::IntegrityFailure
    ) {
        return Err(LabelError::NotStanding { code, status });
    }
    let record = answer.records.first().ok_or_else(unknown)?;
    let goods = Goods::of(&record.statement, code)?.ok_or_else(unknown)?;
    let mut maker = record.signer.name.clone();
    let standing = state.certificates.iter().rev();
    let (mut promised, mut signed) = (None, None);
    for held in standing.filter(|held| held.standing == Standing::InForce) {
        let record = certificate(lookup, code, held.index)?;
        if let Some((body, signer)) = record.filter(|(body, _)| elements_of(body).is_some()) {
            maker = signer;
            promised = Some(body);
            let entry = view.entry(held.index)?;
            signed = SignedLabel::of(&entry.signed).ok().map(|it| it.encode());
            break;
        }
    }
    let promise = promised
        .as_ref()
        .and_then(elements_of)
        .map(|(elements, form)| Promise { form, elements });
    let content = Content::new(public_url, code, &goods, promise, maker.as_deref(), typed)?;
    Ok(Content { signed, ..content })
}

fn certificate(
    lookup: &mut Lookup<'_>,
    code: TraceCode,
    index: u64,
) -> Result<Option<(Body, Option<String>)>, Failed> {
    let answer = lookup.unit(code, index, 1)?;
    let record = answer.and_then(|answer| answer.records.into_iter().next());
    Ok(record.map(|record| (record.statement, record.signer.name)))
}
