//! `/issue/new`: a certificate in three steps, each a form that carries the answers
//! of the others, so that going back loses nothing. Nothing is recorded before the
//! last: what is seen there is what the shopper will see.

use std::{future::ready, sync::Arc};

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use maud::{Markup, html};
use serde::Deserialize;
use trace_core::{
    error::{Invalid, Rule},
    ident::CivilDate,
    ledger::{View, job::Item, lookup::Audience},
    record::{Body, claim::Form, rights::Registry, section::Openings},
    rules::forms,
};

use super::filled::{Filled, OF_BATCH, OF_PRODUCT, Step, Wrong};
use crate::{
    api::{
        Office,
        answer::not_on_ledger,
        certificates::{self, CertificateOrder, elements_of},
        corrections::{self, SupersedeOrder},
        orders::Order,
    },
    body::{FormBody, Parameters},
    choices::CLASSES,
    desk::{
        frame,
        session::{SignedIn, order_key, see},
    },
    language::Language,
    page::drafted::{Drafter, preview},
    problem::Problem,
};

/// Products offered, and certificates looked through for them.
const PRODUCTS_MAX: usize = 8;
const LOOKED_THROUGH_MAX: usize = 50;

/// From which certificate to begin.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct From {
    /// One like this.
    copy: Option<String>,
    /// One in place of this.
    corrects: Option<String>,
}

/// `GET /issue/new`.
pub async fn begin(
    State(office): State<Arc<Office>>,
    signed_in: SignedIn,
    Parameters(from): Parameters<From>,
    headers: HeaderMap,
) -> Response {
    let language = Language::preferred(&headers);
    let begun = begun(&office, &signed_in, from).and_then(|filled| {
        let recent = match filled.product.is_empty() {
            true => recent(&office, &signed_in)?,
            false => Vec::new(),
        };
        let page = html! {
            (of_product(language, &filled, &[]))
            (like_before(language, &recent))
        };
        Ok((StatusCode::OK, page))
    });
    respond(language, &signed_in, begun)
}

/// The last certificate of each product, the last used first.
fn recent(office: &Office, signed_in: &SignedIn) -> Result<Vec<(String, String)>, Problem> {
    let view = office.readable()?;
    let mut lookup = office.lookup(&view, Audience::Public)?;
    let mut found: Vec<(String, String)> = Vec::new();
    for record in lookup.issued_before(signed_in.entity()?, u64::MAX, LOOKED_THROUGH_MAX)? {
        let Some((elements, _)) = elements_of(&record.statement) else {
            continue;
        };
        let is_known = found
            .iter()
            .any(|(_, product)| *product == elements.product);
        if !is_known && found.len() < PRODUCTS_MAX {
            found.push((elements.number.clone(), elements.product.clone()));
        }
    }
    Ok(found)
}

fn like_before(language: Language, recent: &[(String, String)]) -> Markup {
    html! {
        @if !recent.is_empty() {
            h2 { (language.of("Or one like before", "或选用最近的产品")) }
            ul { @for (number, product) in recent {
                li { a.act href=(format!("/issue/new?copy={number}")) { (product) } }
            } }
        }
    }
}

fn respond(
    language: Language,
    signed_in: &SignedIn,
    made: Result<(StatusCode, Markup), Problem>,
) -> Response {
    let title = language.of("Issue a certificate", "开具合格证");
    match made {
        Ok((status, body)) => frame::respond(
            status,
            language,
            frame::page(language, signed_in, title, &body),
        ),
        Err(problem) => frame::refused(language, Some(signed_in), &problem),
    }
}

/// Filled in as a certificate that there is, where one is named.
fn begun(office: &Office, signed_in: &SignedIn, from: From) -> Result<Filled, Problem> {
    let own = signed_in.entity()?;
    let view = office.readable()?;
    let Some(number) = from.corrects.as_deref().or(from.copy.as_deref()) else {
        return Ok(Filled::default());
    };
    trace_core::record::wire::check_number(number)?;
    let absent = || not_on_ledger(number);
    let code = office
        .lookup(&view, Audience::Public)?
        .certificate(number)?;
    let state = view
        .folded()
        .unit(&code.ok_or_else(absent)?)?
        .ok_or_else(absent)?;
    let held = state.certificate(number).ok_or_else(absent)?;
    if held.issuer != own {
        let what = format!("certificate {number} is another's");
        return Err(Invalid::new(Rule::Right, what).into());
    }
    let made = state.made.as_ref().ok_or_else(absent)?;
    let unit = view.entry(made.index)?.signed.body()?;
    let paper = view.entry(held.index)?.signed.body()?;
    let (Body::UnitCreated(unit), Some((elements, form))) = (&unit, elements_of(&paper)) else {
        let what = format!("certificate {number} is of goods made of others: the API takes it");
        return Err(Invalid::new(Rule::Statement, what).into());
    };
    let mut filled = Filled::like(unit, elements);
    if form == Form::ElectronicTraceability {
        filled.form = "electronic_traceability".into();
    }
    if from.corrects.is_some() {
        filled.corrects = number.to_owned();
        filled.lot = unit.lot.clone().unwrap_or_default();
        filled.produced_on = unit.produced_on.to_string();
    }
    Ok(filled)
}

/// `POST /issue/new`.
pub async fn go_on(
    State(office): State<Arc<Office>>,
    signed_in: SignedIn,
    headers: HeaderMap,
    filled: Result<FormBody<Filled>, Problem>,
) -> Response {
    let language = Language::preferred(&headers);
    let FormBody(filled) = match filled {
        Ok(filled) => filled,
        Err(problem) => return frame::refused(language, Some(&signed_in), &problem),
    };
    let today = match office.readable().and_then(|view| office.today(&view)) {
        Ok(today) => today,
        Err(failed) => return frame::refused(language, Some(&signed_in), &failed.into()),
    };
    let refused = |wrong: &[Wrong]| {
        let is_of_product = wrong.iter().any(|it| OF_PRODUCT.contains(&it.field));
        let page = match is_of_product {
            true => of_product(language, &filled, wrong),
            false => of_batch(language, &signed_in, &filled, today, (wrong, None)),
        };
        Ok((StatusCode::UNPROCESSABLE_ENTITY, page))
    };
    let wrong = filled.wrong(language, filled.step);
    if !wrong.is_empty() {
        return respond(language, &signed_in, refused(&wrong));
    }
    let made = match filled.step {
        Step::Product => Ok((StatusCode::OK, of_product(language, &filled, &[]))),
        Step::Batch => {
            let page = of_batch(language, &signed_in, &filled, today, (&[], None));
            Ok((StatusCode::OK, page))
        }
        Step::Preview => looked_at(&office, &signed_in, language, &filled, today)
            .map(|page| (StatusCode::OK, page)),
        Step::Sign => match sign(&office, &signed_in, &filled).await {
            Ok(code) => return see(&format!("/issue?made={code}"), None),
            Err(problem) => Err(problem),
        },
    };
    // What the rules refuse is said above what was typed, which is kept.
    let made = made.or_else(|problem| {
        let page = of_batch(language, &signed_in, &filled, today, (&[], Some(&problem)));
        Ok((problem.status(), page))
    });
    respond(language, &signed_in, made)
}

/// The records of what was filled in.
fn drafted(
    office: &Office,
    view: &View,
    signed_in: &SignedIn,
    filled: &Filled,
) -> Result<certificates::Drafted, Problem> {
    let (path, order) = filled.order();
    let replacement = match path {
        "/v1/supersede" => order.get("replacement").cloned().unwrap_or_default(),
        _ => order,
    };
    let bytes = replacement.to_string();
    let named = ("POST", "/v1/certificates");
    let order: Order<CertificateOrder> =
        Order::read(signed_in.0, filled.key.clone(), named, bytes.as_bytes())?;
    certificates::draft(office, view, &order.given, order.wanted)
}

fn looked_at(
    office: &Office,
    signed_in: &SignedIn,
    language: Language,
    filled: &Filled,
    today: CivilDate,
) -> Result<Markup, Problem> {
    let view = office.readable()?;
    let mut filled = filled.clone();
    filled.key = order_key();
    let drafted = drafted(office, &view, signed_in, &filled)?;
    let entity = signed_in.entity()?;
    let party = office.lookup(&view, Audience::Public)?.party(entity)?;
    let drafter = Drafter {
        entity,
        name: party.and_then(|party| party.name),
    };
    let said: Vec<(Body, Openings)> = drafted
        .items
        .into_iter()
        .filter_map(|item| match item {
            Item::Hosted { body, openings, .. } => Some((*body, openings)),
            Item::Signed { .. } => None,
        })
        .collect();
    let shown = preview(language, drafted.unit, &drafter, &said, today)?;
    Ok(html! {
        h1 { (language.of("3. Look and sign", "第三步 核对并签发")) }
        p { (language.of("This is what the shopper will see. Nothing is recorded yet.", "以下为消费者将看到的内容,尚未记录。")) }
        div.preview { (shown) }
        p { (language.of(
            "Signed with your entity's key, which is kept at this server; readers can see that it is.",
            "使用托管在本服务器的主体密钥签名,查询者可见该密钥为托管密钥。",
        )) }
        form method="post" action="/issue/new" {
            input type="hidden" name="step" value="sign";
            input type="hidden" name="key" value=(filled.key);
            (filled.hidden(&[]))
            button type="submit" { (language.of("Sign and issue", "签名并开具")) }
        }
        (back(language, &filled, "batch"))
    })
}

/// Issues it, once however often it is sent; the unit's code.
async fn sign(office: &Office, signed_in: &SignedIn, filled: &Filled) -> Result<String, Problem> {
    let (path, order) = filled.order();
    let bytes = order.to_string();
    let (key, named) = (filled.key.clone(), ("POST", path));
    let fulfilled = match path {
        "/v1/supersede" => {
            let order: Order<SupersedeOrder> =
                Order::read(signed_in.0, key, named, bytes.as_bytes())?;
            let made = office.carry_out(order, |view, given, wanted| {
                ready(corrections::draft_superseded(office, &view, &given, wanted))
            });
            made.await?
        }
        _ => {
            let order: Order<CertificateOrder> =
                Order::read(signed_in.0, key, named, bytes.as_bytes())?;
            let made = office.carry_out(order, |view, given, wanted| {
                ready(
                    certificates::draft(office, &view, &given, wanted).map(|drafted| drafted.items),
                )
            });
            made.await?
        }
    };
    let code = fulfilled.said("certificate", |body| {
        elements_of(body).map(|(elements, _)| elements.unit)
    });
    Ok(code?.compact())
}

fn back(language: Language, filled: &Filled, step: &str) -> Markup {
    html! {
        form method="post" action="/issue/new" {
            input type="hidden" name="step" value=(step);
            input type="hidden" name="key" value=(filled.key);
            (filled.hidden(&[]))
            button.plain type="submit" formnovalidate { (language.of("Back", "返回上一步")) }
        }
    }
}

/// A field with what is wrong with it.
fn field(
    (name, label): (&str, &str),
    value: &str,
    wrong: &[Wrong],
    (kind, is_wanted): (&str, bool),
) -> Markup {
    let why = wrong.iter().find(|it| it.field == name);
    let id = format!("wrong-{name}");
    html! {
        label for=(name) { (label) }
        input id=(name) name=(name) type=(kind) value=(value) required[is_wanted] maxlength="200"
            autocomplete="off" aria-invalid=[why.map(|_| "true")] aria-describedby=[why.map(|_| &id)];
        @if let Some(why) = why { p.bad id=(id) role="alert" { (why.what) } }
    }
}

fn of_product(language: Language, filled: &Filled, wrong: &[Wrong]) -> Markup {
    let classes = CLASSES.iter();
    let why = wrong.iter().find(|it| it.field == "product_class");
    html! {
        h1 { (language.of("1. Which product?", "第一步 选择产品")) }
        @if !filled.corrects.is_empty() {
            p { (language.of("In place of certificate ", "用于更正合格证 ")) span.code { (filled.corrects) } }
        }
        form method="post" action="/issue/new" {
            input type="hidden" name="step" value="batch";
            (filled.hidden(&OF_PRODUCT))
            (field(("product", language.of("Product", "产品名称")), &filled.product, wrong, ("text", true)))
            label for="product_class" { (language.of("Class", "产品类别")) }
            select id="product_class" name="product_class" required {
                option value="" { (language.of("Choose", "请选择")) }
                @for (name, english, chinese, _) in classes {
                    option value=(name) selected[filled.product_class == *name] { (language.of(*english, *chinese)) }
                }
            }
            @if let Some(why) = why { p.bad role="alert" { (why.what) } }
            (field(("gtin", language.of("GTIN on the package (if any)", "商品条码(如有)")), &filled.gtin, wrong, ("text", false)))
            (field(("specification", language.of("Variety or specification", "品种规格(可不填)")), &filled.specification, wrong, ("text", false)))
            (field(("storage", language.of("Storage", "贮存条件(可不填)")), &filled.storage, wrong, ("text", false)))
            (field(("origin", language.of("Origin", "产地")), &filled.origin, wrong, ("text", true)))
            button type="submit" { (language.of("Go on", "下一步")) }
        }
    }
}

fn of_batch(
    language: Language,
    SignedIn(token): &SignedIn,
    filled: &Filled,
    today: CivilDate,
    (wrong, problem): (&[Wrong], Option<&Problem>),
) -> Markup {
    let role = token.grant.role;
    let promise = forms::form_of(role, today);
    let is_electronic = filled.form == "electronic_traceability";
    let form = match (is_electronic, promise) {
        (false, Some(promise)) => promise,
        _ => Form::ElectronicTraceability,
    };
    let (bases, _) = forms::choices(form, today);
    let date = |name: &'static str, label: &'static str, value: &str, is_wanted| {
        field((name, label), value, wrong, ("date", is_wanted))
    };
    html! {
        h1 { (language.of("2. Which batch?", "第二步 填写批次")) }
        @if let Some(problem) = problem { (frame::wrong(language, problem)) }
        p.product { (filled.product) }
        form method="post" action="/issue/new" {
            input type="hidden" name="step" value="preview";
            (filled.hidden(&OF_BATCH))
            @if let Some(promise) = promise {
                label for="form" { (language.of("Form", "合格证样式")) }
                select id="form" name="form" {
                    option value="electronic_traceability" selected[is_electronic || filled.form.is_empty()] {
                        (language.of(Form::ElectronicTraceability.name(), Form::ElectronicTraceability.name_zh()))
                    }
                    option value=(api_name(promise)) selected[filled.form == api_name(promise)] {
                        (language.of(promise.name(), promise.name_zh()))
                    }
                }
            }
            (field(("lot", language.of("Batch", "批次(可不填)")), &filled.lot, wrong, ("text", false)))
            (field(("quantity", language.of("Quantity with its unit, e.g. 12.5 公斤", "数量(含单位,如 12.5 公斤)")), &filled.quantity, wrong, ("text", true)))
            (date("produced_on", language.of("Harvested, slaughtered or produced on", "采收、屠宰或生产日期"), &filled.produced_on, true))
            label for="durability_kind" { (language.of("Until when it may be sold", "期限类别")) }
            select id="durability_kind" name="durability_kind" {
                option value="best_before" selected[filled.durability_kind != "use_by"] { (language.of("Best before", "保质期至")) }
                option value="use_by" selected[filled.durability_kind == "use_by"] { (language.of("Use by", "食用截止")) }
            }
            (date("durability_on", language.of("Its last day (may be empty)", "期限日期(可不填)"), &filled.durability_on, false))
            (date("expires_on", language.of("The certificate holds until (may be empty)", "合格证有效期至(可不填)"), &filled.expires_on, false))
            fieldset {
                legend { (language.of("Basis of the promise", "承诺依据")) }
                @for basis in bases {
                    @let name = Filled::name_of(*basis);
                    label.tick { input type="checkbox" name=(name) value="on" checked[filled.has(*basis)]; " " (basis.name_zh()) }
                }
                p.quiet { (language.of("None ticked: the one that claims no test.", "均不勾选时采用不主张检测的一项。")) }
            }
            @if form == Form::Conformity2026Buyer || role == trace_core::record::Role::Buyer {
                label for="collected" { (language.of("Certificates collected, one a line (form 2)", "已收取的合格证编号,每行一个(样式二)")) }
                textarea id="collected" name="collected" rows="3" maxlength="4000" { (filled.collected) }
            }
            (field(("contact_name", language.of("Contact (may be empty)", "联系人(可不填)")), &filled.contact_name, wrong, ("text", false)))
            (field(("contact_phone", language.of("Telephone", "联系电话")), &filled.contact_phone, wrong, ("tel", false)))
            @if !filled.corrects.is_empty() {
                (field(("reason", language.of("What was wrong? Public", "更正原因(公开)")), &filled.reason, wrong, ("text", true)))
            }
            button type="submit" { (language.of("Look at it", "预览")) }
        }
        (back(language, filled, "product"))
    }
}

/// A form's name as the API takes it.
fn api_name(form: Form) -> &'static str {
    match form {
        Form::Conformity2021 => "conformity2021",
        Form::Conformity2026Producer => "conformity2026_producer",
        Form::Conformity2026Buyer => "conformity2026_buyer",
        _ => "electronic_traceability",
    }
}
