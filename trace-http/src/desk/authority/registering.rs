//! Registering entities from the page: one, or many from a pasted sheet; each is the
//! API's own order, with a key kept at this server.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Value, json};
use trace_core::{
    ident::{Area, EntityId},
    record::{Body, Hash, Role, kinds::entity_registered::EntityCategory},
};

use super::{inviting, list::areas};
use crate::{
    api::{
        Office,
        entities::{self, EntityOrder},
        orders::Order,
        sight::not_overseen,
        statements,
    },
    body::{FormBody, parse_json},
    desk::{
        frame::{self, area_name, role_words},
        session::{SignedIn, order_key, see},
    },
    language::Language,
    problem::Problem,
};

/// Rows of one sheet: the city's pilot entities and as many again.
const ROWS_MAX: usize = 1_500;

/// The categories, by the names of the API.
const CATEGORIES: [(&str, &str, &str, EntityCategory); 6] = [
    (
        "enterprise",
        "Enterprise",
        "企业",
        EntityCategory::Enterprise,
    ),
    (
        "cooperative",
        "Co-operative",
        "合作社",
        EntityCategory::Cooperative,
    ),
    (
        "individual_business",
        "Individual business",
        "个体工商户",
        EntityCategory::IndividualBusiness,
    ),
    ("household", "Household", "农户", EntityCategory::Household),
    (
        "public_body",
        "Public body",
        "机关单位",
        EntityCategory::PublicBody,
    ),
    (
        "institution",
        "Institution",
        "事业单位",
        EntityCategory::Institution,
    ),
];

/// The roles that an authority grants on these pages.
const ROLES: [Role; 6] = [
    Role::Producer,
    Role::Buyer,
    Role::Importer,
    Role::ColdStore,
    Role::Market,
    Role::Laboratory,
];

/// What is typed of one.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Entity {
    key: String,
    category: String,
    name: String,
    area: String,
    uscc: String,
    role: String,
    contact_name: String,
    contact_phone: String,
}

impl Entity {
    /// The order of `POST /v1/entities`.
    fn order(&self) -> Value {
        let text = |text: &str| Some(text.trim().to_owned()).filter(|it| !it.is_empty());
        let person = text(&self.contact_name)
            .map(|name| json!({"name": name, "phone": text(&self.contact_phone)}));
        json!({
            "category": self.category,
            "name": text(&self.name),
            "area": self.area.trim(),
            "uscc": text(&self.uscc),
            "person": person,
            "roles": text(&self.role).map_or_else(Vec::new, |role| vec![json!({"role": role})]),
            "hosted_key": true,
        })
    }
}

/// A choice of roles, without those that are held.
pub(super) fn roles(language: Language, id: &str, held: &[Role]) -> Markup {
    html! {
        select id=(id) name="role" required {
            @for role in ROLES.iter().filter(|role| !held.contains(role)) {
                option value=(role.name()) { (role_words(language, *role)) }
            }
        }
    }
}

/// The form for one.
pub(super) fn form(language: Language, signed_in: &SignedIn) -> Markup {
    let field = |id: &str, label: &str, is_wanted: bool| {
        html! {
            label for=(id) { (label) }
            input id=(id) name=(id) required[is_wanted] maxlength="100" autocomplete="off";
        }
    };
    html! {
        form method="post" action="/authority/register" {
            input type="hidden" name="key" value=(order_key());
            label for="category" { (language.of("What it is", "主体类别")) }
            select id="category" name="category" {
                @for (name, english, chinese, _) in CATEGORIES { option value=(name) { (language.of(english, chinese)) } }
            }
            (field("name", language.of("Registered name (empty for a household)", "登记名称(农户不填)"), false))
            label for="area" { (language.of("Area", "所在地")) }
            select id="area" name="area" {
                @for area in areas(signed_in) { option value=(area) { (area_name(language, &area.to_string())) } }
            }
            (field("uscc", language.of("Unified social credit code", "统一社会信用代码(可不填)"), false))
            label for="new-role" { (language.of("Role", "角色")) }
            (roles(language, "new-role", &[]))
            (field("contact_name", language.of("Person (the householder, or a contact)", "姓名(农户本人或联系人)"), false))
            (field("contact_phone", language.of("Telephone", "联系电话"), false))
            button type="submit" { (language.of("Register", "登记")) }
        }
    }
}

/// `POST /authority/register`.
pub async fn one(
    State(office): State<Arc<Office>>,
    signed_in: SignedIn,
    headers: HeaderMap,
    filled: Result<FormBody<Entity>, Problem>,
) -> Response {
    let done = match filled {
        Ok(FormBody(entity)) => {
            register(&office, &signed_in, entity.key.clone(), &entity.order()).await
        }
        Err(problem) => Err(problem),
    };
    match done {
        Ok(id) => see(&format!("/authority?entity={id}"), None),
        Err(problem) => frame::refused(Language::preferred(&headers), Some(&signed_in), &problem),
    }
}

async fn register(
    office: &Arc<Office>,
    signed_in: &SignedIn,
    key: String,
    order: &Value,
) -> Result<EntityId, Problem> {
    let bytes = order.to_string();
    let named = ("POST", "/v1/entities");
    let order: Order<EntityOrder> = Order::read(signed_in.0, key, named, bytes.as_bytes())?;
    let made = office.carry_out(order, async |_, given, wanted| {
        entities::draft(office, &given, wanted).await
    });
    let made = made.await?;
    Ok(made.said("registration", |body| match body {
        Body::EntityRegistered(body) => Some(body.entity),
        _ => None,
    })?)
}

/// Many at once.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sheet {
    key: String,
    rows: String,
    /// Whether rows that are right are taken though others are wrong.
    valid_only: Option<String>,
}

/// The form for many.
pub(super) fn sheet(language: Language) -> Markup {
    html! {
        form method="post" action="/authority/import" {
            input type="hidden" name="key" value=(order_key());
            label for="rows" { (language.of(
                "Paste rows from a spreadsheet or CSV: name, category, area, USCC, role, person, telephone",
                "粘贴表格或CSV行:名称、类别、地区代码、统一社会信用代码、角色、姓名、电话",
            )) }
            textarea id="rows" name="rows" rows="8" required maxlength="400000" {}
            label.tick { input type="checkbox" name="valid_only" value="on"; " " (language.of(
                "Register the rows that are right, though others are wrong",
                "只登记正确的行(否则有错即全部不登记)",
            )) }
            button type="submit" { (language.of("Register all and invite them", "登记并生成邀请")) }
        }
    }
}

/// A row that is wrong: its number in the sheet, and why.
struct WrongRow {
    line: usize,
    why: String,
}

/// `POST /authority/import`.
pub async fn many(
    State(office): State<Arc<Office>>,
    signed_in: SignedIn,
    headers: HeaderMap,
    filled: Result<FormBody<Sheet>, Problem>,
) -> Response {
    let language = Language::preferred(&headers);
    let FormBody(sheet) = match filled {
        Ok(filled) => filled,
        Err(problem) => return frame::refused(language, Some(&signed_in), &problem),
    };
    // Nobody is registered who could not be invited.
    let grant = &signed_in.0.grant;
    if grant.role != Role::Authority || grant.area.is_none() {
        return frame::refused(language, Some(&signed_in), &not_overseen());
    }
    let (rows, mut wrong) = read(language, &signed_in, &sheet.rows);
    if !wrong.is_empty() && sheet.valid_only.is_none() || rows.is_empty() {
        let page = complained(language, &signed_in, &wrong, 0);
        return frame::respond(StatusCode::UNPROCESSABLE_ENTITY, language, page);
    }
    let mut made = Vec::with_capacity(rows.len());
    let mut status = StatusCode::OK;
    for (line, entity) in rows {
        // Named by sheet and row, so that a sheet sent twice registers nobody twice.
        let name = Hash::of(&[sheet.key.as_bytes(), &line.to_be_bytes()]);
        let order = entity.order();
        match register(&office, &signed_in, name.to_string(), &order).await {
            Ok(id) => made.push((id, entity)),
            Err(problem) => {
                let why = said(language, &problem);
                wrong.push(WrongRow { line, why });
                // What one row met so, all behind it would meet.
                if problem.status().is_server_error() {
                    status = problem.status();
                    break;
                }
            }
        }
    }
    if !wrong.is_empty() {
        if made.is_empty() && !status.is_server_error() {
            status = StatusCode::UNPROCESSABLE_ENTITY;
        }
        let page = complained(language, &signed_in, &wrong, made.len());
        return frame::respond(status, language, page);
    }
    let names = made
        .into_iter()
        .map(|(id, entity)| (id, entity.name, entity.role));
    inviting::file(&office, &signed_in, language, names.collect())
        .unwrap_or_else(|problem| frame::refused(language, Some(&signed_in), &problem))
}

fn said(language: Language, problem: &Problem) -> String {
    let document = problem.document(language);
    let text = |name: &str| {
        document
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    format!("{} {} {}", text("title"), text("detail"), text("remedy"))
}

/// The rows that can be read, and those that cannot.
fn read(
    language: Language,
    signed_in: &SignedIn,
    text: &str,
) -> (Vec<(usize, Entity)>, Vec<WrongRow>) {
    // A spreadsheet pastes tabs, a CSV file commas.
    let delimiter = if text.contains('\t') { b'\t' } else { b',' };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let (mut rows, mut wrong) = (Vec::new(), Vec::new());
    for (place, record) in reader.records().enumerate() {
        let line = place + 1;
        if place >= ROWS_MAX {
            let why = format!("{ROWS_MAX}+");
            wrong.push(WrongRow { line, why });
            break;
        }
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                wrong.push(WrongRow {
                    line,
                    why: error.to_string(),
                });
                continue;
            }
        };
        let cell = |at: usize| record.get(at).unwrap_or_default().trim();
        let is_title = place == 0 && ["name", "名称", "登记名称"].contains(&cell(0));
        if is_title || record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        match row(language, signed_in, &cell) {
            Ok(entity) => rows.push((line, entity)),
            Err(why) => wrong.push(WrongRow { line, why }),
        }
    }
    (rows, wrong)
}

fn row<'a>(
    language: Language,
    signed_in: &SignedIn,
    cell: &impl Fn(usize) -> &'a str,
) -> Result<Entity, String> {
    let known = CATEGORIES
        .iter()
        .find(|it| [it.0, it.1, it.2].contains(&cell(1)));
    let category = known.ok_or_else(|| {
        let names: Vec<&str> = CATEGORIES
            .iter()
            .map(|it| language.of(it.1, it.2))
            .collect();
        format!("{:?}: {}", cell(1), names.join(", "))
    })?;
    let role = ROLES
        .iter()
        .find(|role| [role.name(), role.name_zh()].contains(&cell(4)));
    let role = role.ok_or_else(|| {
        let names: Vec<String> = ROLES.iter().map(|it| role_words(language, *it)).collect();
        format!("{:?}: {}", cell(4), names.join(", "))
    })?;
    let area: Area = cell(2)
        .parse()
        .map_err(|invalid: trace_core::error::Invalid| invalid.what)?;
    if signed_in.0.grant.area.is_some_and(|own| !own.covers(area)) {
        return Err(format!(
            "{area} {}",
            language.of("is not in your area", "不在您的辖区内")
        ));
    }
    let entity = Entity {
        key: String::new(),
        category: category.0.to_owned(),
        name: cell(0).to_owned(),
        area: area.to_string(),
        uscc: cell(3).to_owned(),
        role: role.name().to_owned(),
        contact_name: cell(5).to_owned(),
        contact_phone: cell(6).to_owned(),
    };
    let order = entity.order().to_string();
    let read: Result<EntityOrder, Problem> = parse_json(order.as_bytes());
    read.and_then(|order| entities::check(&order))
        .map_err(|problem| said(language, &problem))?;
    Ok(entity)
}

fn complained(language: Language, signed_in: &SignedIn, wrong: &[WrongRow], made: usize) -> Markup {
    let title = language.of("Rows that are wrong", "有误的行");
    let body = html! {
        h1 { (title) }
        p role="alert" {
            (language.of("Registered: ", "已登记:")) (made) " · "
            (language.of("wrong: ", "有误:")) (wrong.len())
            @if made == 0 { " · " (language.of("nothing was recorded", "未作任何记录")) }
        }
        table {
            thead { tr { th scope="col" { (language.of("Row", "行")) } th scope="col" { (language.of("Why", "原因")) } } }
            tbody { @for row in wrong.iter().take(200) { tr { th scope="row" { (row.line) } td { (row.why) } } } }
        }
        p { a.act href="/authority" { (language.of("Back", "返回")) } }
    };
    frame::page(language, signed_in, title, &body)
}

/// A role granted or withdrawn.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Granting {
    entity: String,
    role: String,
    area: String,
    act: Change,
    key: String,
}

/// Which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Change {
    Grant,
    Withdraw,
}

/// `POST /authority/role`.
pub async fn role(
    State(office): State<Arc<Office>>,
    signed_in: SignedIn,
    headers: HeaderMap,
    filled: Result<FormBody<Granting>, Problem>,
) -> Response {
    let done = match filled {
        Ok(FormBody(filled)) => granted(&office, &signed_in, filled).await,
        Err(problem) => Err(problem),
    };
    match done {
        Ok(id) => see(&format!("/authority?entity={id}"), None),
        Err(problem) => frame::refused(Language::preferred(&headers), Some(&signed_in), &problem),
    }
}

async fn granted(
    office: &Office,
    signed_in: &SignedIn,
    filled: Granting,
) -> Result<EntityId, Problem> {
    let entity = EntityId::parse(&filled.entity)?;
    let kind = match filled.act {
        Change::Grant => "role_granted",
        Change::Withdraw => "role_withdrawn",
    };
    let area: Area = filled.area.parse()?;
    let order = json!({"kind": kind, "statement": {
        "entity": entity, "role": filled.role, "area": area.to_string(), "countersignatures": [],
    }});
    let bytes = order.to_string();
    let named = ("POST", "/v1/statements");
    let order = Order::read(signed_in.0, filled.key, named, bytes.as_bytes())?;
    let done = office.carry_out(order, |_, given, wanted| {
        std::future::ready(statements::draft(&given, wanted))
    });
    done.await.map(|_| entity)
}
