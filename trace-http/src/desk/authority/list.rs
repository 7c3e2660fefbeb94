//! Who is registered in an authority's area, and one entity with what can be done
//! about it.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use maud::{Markup, html};
use serde::Deserialize;
use trace_core::{
    ident::{Area, EntityId, format_ms},
    ledger::{
        invitations::{Ended, Invitation},
        lookup::{Audience, PartyAnswer},
        register::entities_after,
    },
    record::{
        Role,
        rights::{EntityState, Registry},
    },
};

use super::registering;
use crate::{
    api::{
        Office,
        office::{beside, civil_offset_minutes},
        sight::{Sight, not_overseen},
    },
    body::Parameters,
    desk::{
        frame::{self, area_name, role_words},
        session::{SignedIn, order_key},
    },
    language::Language,
    page::{Tongue, template},
    problem::Problem,
};

/// Entities of one page.
const LISTED_MAX: usize = 50;

/// Entities looked through for one page: a small area of a large ledger goes on from
/// where it came to.
const LOOKED_THROUGH_MAX: usize = 10_000;

/// Which part.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// An entity's id.
    entity: Option<String>,
    after: Option<String>,
    lang: Option<Tongue>,
}

struct Line {
    id: EntityId,
    state: EntityState,
    party: Option<PartyAnswer>,
    invitation: Option<Invitation>,
}

/// `GET /authority`.
pub async fn show(
    State(office): State<Arc<Office>>,
    signed_in: SignedIn,
    Parameters(part): Parameters<Part>,
    headers: HeaderMap,
) -> Response {
    let language = Tongue::or_preferred(part.lang, &headers);
    let asked = Arc::clone(&office);
    let made = beside(move || page(&asked, &signed_in, language, &part)).await;
    let title = language.of("Register", "主体管理");
    match made.and_then(|it| it) {
        Ok(body) => {
            let page = frame::page(language, &signed_in, title, &body);
            frame::respond(StatusCode::OK, language, page)
        }
        Err(problem) => frame::refused(language, Some(&signed_in), &problem),
    }
}

fn page(
    office: &Office,
    signed_in: &SignedIn,
    language: Language,
    part: &Part,
) -> Result<Markup, Problem> {
    if let Some(id) = part.entity.as_deref().filter(|it| !it.trim().is_empty()) {
        let id = EntityId::parse(id.trim())?;
        return one(office, signed_in, language, id);
    }
    let after = part.after.as_deref().map(EntityId::parse).transpose()?;
    let view = office.readable()?;
    let mut sight = Sight::new(&view, Some(&signed_in.0));
    let mut lookup = office.lookup(&view, Audience::Public)?;
    let mut lines = Vec::new();
    let mut next = None;
    let all = entities_after(&view, after, LOOKED_THROUGH_MAX)?;
    let is_cut = all.len() == LOOKED_THROUGH_MAX;
    let last = all.last().map(|(id, _)| *id);
    for (id, state) in all {
        if lines.len() == LISTED_MAX {
            next = lines.last().map(|line: &Line| line.id);
            break;
        }
        if sight.oversees(&id)? {
            lines.push(Line {
                id,
                state,
                party: lookup.party(id)?,
                invitation: office
                    .invitations
                    .as_ref()
                    .and_then(|all| all.newest_of(&id)),
            });
        }
    }
    let next = next.or(last.filter(|_| is_cut));
    Ok(html! {
        (template::tongues(language, ""))
        h1 { (language.of("Who is registered in your area", "辖区登记主体")) }
        @if let Some((made, used)) = office.invitations.as_ref().map(|all| all.counts()) {
            p { (language.of("Invitations: ", "邀请:")) (made) " · " (language.of("used: ", "已使用:")) (used) }
        }
        form method="get" action="/authority" {
            label for="entity" { (language.of("An entity's id", "主体编号")) }
            input id="entity" name="entity" type="search" required maxlength="30" autocomplete="off";
            button type="submit" { (language.of("Show", "查看")) }
        }
        details { summary { (language.of("Register one", "登记一个主体")) } (registering::form(language, signed_in)) }
        details { summary { (language.of("Register many from a sheet", "批量登记")) } (registering::sheet(language)) }
        div.wide tabindex="0" role="group" aria-label=(language.of("Entities", "主体")) {
            table {
                thead { tr {
                    th scope="col" { (language.of("Who", "主体")) }
                    th scope="col" { (language.of("Area", "所在地")) }
                    th scope="col" { (language.of("Roles", "角色")) }
                    th scope="col" { (language.of("Invitation", "邀请")) }
                } }
                tbody { @for line in &lines { tr {
                    td { a href=(format!("/authority?entity={}", line.id)) { (name(language, line.party.as_ref())) } }
                    td { (area_name(language, &format!("{:06}", line.state.area))) }
                    td { @for grant in &line.state.grants { (role_words(language, grant.role)) " " } }
                    td { (invitation_words(language, line.invitation, office.now_ms())) }
                } } }
            }
        }
        @if let Some(next) = next {
            p { a.act href=(format!("/authority?after={next}")) { (language.of("More", "下一页")) } }
        }
    })
}

fn name(language: Language, party: Option<&PartyAnswer>) -> String {
    let name = party.and_then(|party| party.name.clone());
    name.unwrap_or_else(|| language.of("a natural person", "自然人").to_owned())
}

fn invitation_words(language: Language, found: Option<Invitation>, now_ms: u64) -> &'static str {
    match found {
        None => language.of("none", "无"),
        Some(found) if found.holds(now_ms) => language.of("sent, not used yet", "已发出,未使用"),
        Some(Invitation {
            ended: Some((Ended::Used(_), _)),
            ..
        }) => language.of("used", "已使用"),
        Some(Invitation {
            ended: Some((Ended::Revoked, _)),
            ..
        }) => language.of("revoked", "已撤销"),
        Some(_) => language.of("expired", "已过期"),
    }
}

/// One entity, and what its authority can do about it.
fn one(
    office: &Office,
    signed_in: &SignedIn,
    language: Language,
    id: EntityId,
) -> Result<Markup, Problem> {
    let view = office.readable()?;
    let state = view.folded().entity(&id)?;
    let state = state.ok_or_else(|| crate::api::answer::not_on_ledger(id))?;
    if !Sight::new(&view, Some(&signed_in.0)).oversees(&id)? {
        return Err(not_overseen());
    }
    let party = office.lookup(&view, Audience::Public)?.party(id)?;
    let newest = office
        .invitations
        .as_ref()
        .and_then(|all| all.newest_of(&id));
    let offset_minutes = civil_offset_minutes(&view)?;
    let roles: Vec<Role> = state.grants.iter().map(|grant| grant.role).collect();
    let hidden = || {
        html! {
            input type="hidden" name="entity" value=(id);
            input type="hidden" name="key" value=(order_key());
        }
    };
    Ok(html! {
        h1 { (name(language, party.as_ref())) }
        p.code { (id) }
        dl {
            dt { (language.of("Area", "所在地")) } dd { (area_name(language, &format!("{:06}", state.area))) }
            dt { (language.of("Invitation", "邀请")) }
            dd {
                (invitation_words(language, newest, office.now_ms()))
                @if let Some(newest) = newest {
                    " · " (language.of("until ", "有效期至 "))
                    (format_ms(newest.expires_ms, offset_minutes).chars().take(16).collect::<String>().replace('T', " "))
                }
            }
        }
        h2 { (language.of("Roles", "角色")) }
        @for grant in &state.grants {
            form method="post" action="/authority/role" {
                (hidden())
                input type="hidden" name="role" value=(grant.role.name());
                input type="hidden" name="area" value=(format!("{:06}", grant.area));
                p {
                    (role_words(language, grant.role)) " · "
                    (area_name(language, &format!("{:06}", grant.area)))
                }
                button.plain type="submit" name="act" value="withdraw" { (language.of("Withdraw this role", "撤销该角色")) }
            }
        }
        form method="post" action="/authority/role" {
            (hidden())
            input type="hidden" name="area" value=(format!("{:06}", state.area));
            label for="role" { (language.of("Another role", "授予角色")) }
            (registering::roles(language, "role", &roles))
            button type="submit" name="act" value="grant" { (language.of("Grant it", "授予")) }
        }
        @if !roles.is_empty() {
            h2 { (language.of("Invite", "邀请")) }
            p { (language.of(
                "Makes a code that is good for seven days and for one use. One sent before ends.",
                "生成一次性邀请码,七日内有效;此前发出的邀请失效。",
            )) }
            form method="post" action="/authority/invite" {
                (hidden())
                label for="as" { (language.of("To act as", "以何角色")) }
                select id="as" name="role" {
                    @for role in &roles { option value=(role.name()) { (role_words(language, *role)) } }
                }
                button type="submit" { (language.of("Make an invitation", "生成邀请")) }
            }
            h2 { (language.of("Telephone lost", "手机遗失")) }
            p { (language.of(
                "Its keys sign no more from the next record on, its tokens and invitations end, and a new invitation is made. What it signed before stays valid.",
                "自下一条记录起其密钥停用,令牌与邀请失效,并生成新的邀请。此前签发的合格证仍然有效。",
            )) }
            form method="post" action="/authority/lost" {
                (hidden())
                label for="lost-as" { (language.of("To act as", "以何角色")) }
                select id="lost-as" name="role" {
                    @for role in &roles { option value=(role.name()) { (role_words(language, *role)) } }
                }
                button type="submit" { (language.of("End them and invite anew", "停用并重新邀请")) }
            }
        }
        p { a.act href=(format!("/inspect?ask={id}")) { (language.of("What is recorded of it", "查看登记记录")) } }
    })
}

/// The areas that an authority may name: its own and those right below it.
pub(super) fn areas(signed_in: &SignedIn) -> Vec<Area> {
    let own = signed_in.0.grant.area;
    let mut areas: Vec<Area> = Area::LANGFANG_COUNTIES
        .into_iter()
        .filter(|county| own.is_none_or(|own| own.covers(*county)))
        .collect();
    areas.extend(own.filter(|own| !areas.contains(own)));
    areas
}
