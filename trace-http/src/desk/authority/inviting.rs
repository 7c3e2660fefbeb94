//! Invitations from the page: one with its QR code, many as a sheet for letters; and
//! what is done when a telephone is lost.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::json;
use trace_core::{
    error::{Invalid, Rule},
    ident::{Area, EntityId, InvitationCode},
    ledger::{
        View,
        invitations::{Invitations, Invited},
        job::Item,
        lookup::Audience,
    },
    record::{
        Body, Role,
        kinds::key_revoked::{KeyRevoked, RevocationReason},
        rights::Registry,
        section::Openings,
        sign::{KeyId, PublicKey},
    },
};

use crate::{
    api::{
        Office,
        answer::not_on_ledger,
        entities::host_key,
        orders::{Given, Order},
        recall::sheet_headers,
        sight::{Sight, not_overseen},
    },
    body::FormBody,
    desk::{frame, session::SignedIn},
    label::code::Modules,
    language::Language,
    machine,
    problem::{Problem, Refusal},
    sheet::grid::{Cell, Grid, SheetFormat},
};

/// Whom to invite, and as what.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inviting {
    entity: String,
    role: String,
    key: String,
}

/// The invitations of this server.
///
/// # Errors
/// [`Refusal::ReadOnly`] where it keeps none.
pub(super) fn kept(office: &Office) -> Result<&Invitations, Problem> {
    office
        .invitations
        .as_ref()
        .ok_or_else(|| Problem::new(Refusal::ReadOnly).detail("this server keeps no invitations"))
}

/// An entity that may be invited so, and its area.
fn invitable(
    view: &View,
    signed_in: &SignedIn,
    entity: EntityId,
    role: &str,
) -> Result<(Role, Option<Area>), Problem> {
    let token = &signed_in.0;
    signed_in.entity()?;
    let state = view.folded().entity(&entity)?;
    let state = state.ok_or_else(|| not_on_ledger(entity))?;
    let is_authority = token.grant.role == Role::Authority;
    if !is_authority || !Sight::new(view, Some(token)).oversees(&entity)? {
        return Err(not_overseen());
    }
    let grant = state.grants.iter().find(|grant| grant.role.name() == role);
    let grant = grant.ok_or_else(|| {
        let what = format!("{entity} does not hold the role {role:.40}");
        Invalid::new(Rule::Right, what)
    })?;
    Ok((grant.role, Area::try_from(grant.area).ok()))
}

/// Makes an invitation; those before it end.
fn invite(
    office: &Office,
    SignedIn(token): &SignedIn,
    entity: EntityId,
    (role, area): (Role, Option<Area>),
) -> Result<InvitationCode, Problem> {
    let all = kept(office)?;
    let now_ms = office.now_ms();
    all.revoke_of(&entity, now_ms)?;
    let code = InvitationCode::from_bytes(machine::random());
    let invited = Invited {
        entity,
        role,
        area,
        by: token.id,
    };
    all.invite(&code, invited, now_ms)?;
    tracing::info!(token = %token.id, %entity, role = role.name(), "an invitation was made");
    Ok(code)
}

/// `POST /authority/invite`.
pub async fn one(
    State(office): State<Arc<Office>>,
    signed_in: SignedIn,
    headers: HeaderMap,
    filled: Result<FormBody<Inviting>, Problem>,
) -> Response {
    let language = Language::preferred(&headers);
    let made = match filled {
        Ok(FormBody(filled)) => invited(&office, &signed_in, &filled, false).await,
        Err(problem) => Err(problem),
    };
    shown(&office, &signed_in, language, made)
}

/// `POST /authority/lost`.
pub async fn lost(
    State(office): State<Arc<Office>>,
    signed_in: SignedIn,
    headers: HeaderMap,
    filled: Result<FormBody<Inviting>, Problem>,
) -> Response {
    let language = Language::preferred(&headers);
    let made = match filled {
        Ok(FormBody(filled)) => invited(&office, &signed_in, &filled, true).await,
        Err(problem) => Err(problem),
    };
    shown(&office, &signed_in, language, made)
}

type Made = (EntityId, InvitationCode);

async fn invited(
    office: &Arc<Office>,
    signed_in: &SignedIn,
    filled: &Inviting,
    is_lost: bool,
) -> Result<Made, Problem> {
    let entity = EntityId::parse(&filled.entity)?;
    let view = office.readable()?;
    let (role, area) = invitable(&view, signed_in, entity, &filled.role)?;
    let all = kept(office)?;
    if is_lost {
        // What can be ended at once is, whatever becomes of the records.
        let now_ms = office.now_ms();
        all.revoke_of(&entity, now_ms)?;
        office.tokens.refresh()?;
        for token in office.tokens.list() {
            if token.grant.entity == Some(entity) && token.revoked_ms.is_none() {
                office.tokens.revoke(token.id, now_ms)?;
            }
        }
    }
    let keys = keys_in_force(office, &view, entity)?;
    let is_hosted = keys.iter().any(|(_, is_hosted)| *is_hosted);
    if is_lost || !is_hosted {
        let revoked = if is_lost { keys } else { Vec::new() };
        rekey(office, signed_in, filled, entity, revoked).await?;
    }
    Ok((entity, invite(office, signed_in, entity, (role, area))?))
}

/// The keys of an entity that sign, and whether each is kept here.
fn keys_in_force(
    office: &Office,
    view: &View,
    entity: EntityId,
) -> Result<Vec<(KeyId, bool)>, Problem> {
    let found = office.lookup(view, Audience::Public)?.entity(entity)?;
    let records = found.map(|found| found.records).unwrap_or_default();
    let mut keys = Vec::new();
    for record in records {
        let Body::KeyEnrolled(body) = record.statement else {
            continue;
        };
        let id = PublicKey::from_bytes(body.public_key.0).id();
        let state = view.folded().key(&id)?;
        if state.is_some_and(|state| state.revoked_index.is_none()) {
            keys.push((id, body.hosted));
        }
    }
    Ok(keys)
}

/// Ends keys and has a new one kept here, in one.
async fn rekey(
    office: &Arc<Office>,
    signed_in: &SignedIn,
    filled: &Inviting,
    entity: EntityId,
    revoked: Vec<(KeyId, bool)>,
) -> Result<(), Problem> {
    let bytes = json!({"entity": entity, "revoked": revoked.len()}).to_string();
    let named = ("POST", "/authority/lost");
    let order: Order<serde_json::Value> =
        Order::read(signed_in.0, filled.key.clone(), named, bytes.as_bytes())?;
    let keeper = Arc::clone(office);
    let made = office.carry_out(order, async move |_, given: Given, _| {
        let mut items: Vec<Item> = Vec::with_capacity(revoked.len() + 1);
        for (key, _) in revoked {
            let body = KeyRevoked {
                entity,
                key,
                reason: RevocationReason::Lost,
                compromised_from_index: None,
                acted_by: given.acted_by(),
                countersignatures: Vec::new(),
            };
            items.push(given.state(body, Openings::default()));
        }
        let enrolled = host_key(&keeper, &given, entity).await?;
        items.push(given.state(enrolled, Openings::default()));
        Ok(items)
    });
    made.await.map(drop)
}

/// The address that an invitation leads to.
fn address(office: &Office, code: InvitationCode) -> String {
    format!("{}/join?code={}", office.public_url, code.compact())
}

fn shown(
    office: &Office,
    signed_in: &SignedIn,
    language: Language,
    made: Result<Made, Problem>,
) -> Response {
    let (entity, code) = match made {
        Ok(made) => made,
        Err(problem) => return frame::refused(language, Some(signed_in), &problem),
    };
    let title = language.of("Invitation", "邀请函");
    let address = address(office, code);
    let body = html! {
        h1 { (title) }
        p.code { (entity) }
        p { (language.of(
            "Shown once: print it, or read the code out. Good for seven days and for one use.",
            "仅显示一次,请打印或口头告知。七日内有效,限用一次。",
        )) }
        (qr(&address, language))
        p.product.code { (code) }
        p { (language.of("To be typed at ", "请打开并输入:")) span.code { (office.public_url) "/join" } }
        p { a.act href=(format!("/authority?entity={entity}")) { (language.of("Back", "返回")) } }
    };
    let page = frame::page(language, signed_in, title, &body);
    frame::respond(StatusCode::CREATED, language, page)
}

/// A QR code as a picture: dark on white in whatever colours the reader has.
fn qr(address: &str, language: Language) -> Markup {
    let Ok(modules) = Modules::of(address) else {
        return html! {};
    };
    let side = modules.side_with_quiet();
    let dark: String = modules
        .runs()
        .map(|(x, y, length)| format!("M{} {}h{length}v1h-{length}z", x + 4, y + 4))
        .collect();
    html! {
        svg.qr role="img" viewBox=(format!("0 0 {side} {side}")) width="240" height="240"
            shape-rendering="crispEdges" aria-label=(language.of("QR code of the invitation", "邀请二维码")) {
            rect width=(side) height=(side) fill="#fff" {}
            path d=(dark) fill="#000" {}
        }
    }
}

/// Invitations of many as a sheet, for letters: shown once.
///
/// # Errors
/// As of one invitation; those made before it stand.
pub(super) fn file(
    office: &Office,
    signed_in: &SignedIn,
    language: Language,
    invited: Vec<(EntityId, String, String)>,
) -> Result<Response, Problem> {
    let view = office.readable()?;
    let title = match language {
        Language::English => ["entity", "name", "role", "invitation", "address"],
        Language::Chinese => ["主体编号", "名称", "角色", "邀请码", "网址"],
    };
    let mut bytes = Vec::new();
    let failed = |error: std::io::Error| {
        tracing::error!(%error, "a sheet was not written");
        Problem::new(Refusal::Failed)
    };
    let mut grid = Grid::begin(SheetFormat::Csv, &title, &mut bytes).map_err(failed)?;
    for (entity, name, role) in invited {
        let allowed = invitable(&view, signed_in, entity, &role)?;
        let code = invite(office, signed_in, entity, allowed)?;
        let (entity, address) = (entity.to_string(), address(office, code));
        let row = [entity, name, role, code.to_string(), address].map(Cell::from);
        grid.row(&row).map_err(failed)?;
    }
    grid.finish().map_err(failed)?;
    let headers = sheet_headers(Some(SheetFormat::Csv), "invitations")?;
    Ok((StatusCode::CREATED, headers, bytes).into_response())
}
