//! What can be done about a unit from its page: hold it, end a hold, recall it, end
//! a recall. Each says what it reaches and is confirmed before it is recorded; it
//! is the same statement as through the API, signed by the entity's hosted key.

use std::{future::ready, sync::Arc};

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use trace_core::{
    error::{Invalid, Rule},
    ident::TraceCode,
    ledger::lineage::{Direction, Limits, Open, follow},
    record::{Hash, KindInfo, kinds::kind_by_name, movement::RecallOutcome},
};

use super::{lead, seen::Seen};
use crate::{
    api::{Office, orders::Order, sight::made, statements},
    body::FormBody,
    desk::{
        frame,
        session::{SignedIn, order_key},
    },
    language::Language,
    problem::Problem,
};

/// Units that are counted of what an act reaches; more is said to be more.
const REACHED_MAX: usize = 1_000;

/// What can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Act {
    Hold,
    Release,
    Recall,
    CompleteRecall,
    WithdrawRecall,
}

/// What the form holds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filled {
    act: Act,
    code: String,
    /// Index of the record that it ends.
    target: Option<u64>,
    reason: String,
    /// The order's name: sent twice, it is done once.
    key: String,
    confirmed: Option<String>,
}

impl Act {
    /// The kind of record that it makes.
    fn kind(self) -> &'static str {
        match self {
            Self::Hold => "held",
            Self::Release => "released",
            Self::Recall => "recalled",
            Self::CompleteRecall | Self::WithdrawRecall => "recall_closed",
        }
    }

    fn info(self) -> Option<&'static KindInfo> {
        kind_by_name(self.kind())
    }

    fn name(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Release => "release",
            Self::Recall => "recall",
            Self::CompleteRecall => "complete_recall",
            Self::WithdrawRecall => "withdraw_recall",
        }
    }

    fn words(self, language: Language) -> &'static str {
        match self {
            Self::Hold => language.of("Hold: nothing of it moves", "暂停流通"),
            Self::Release => language.of("End the hold", "解除暂停"),
            Self::Recall => language.of(
                "Recall it and all that was made of it",
                "召回(含由其制成的产品)",
            ),
            Self::CompleteRecall => language.of("The recall was carried out", "召回已完成"),
            Self::WithdrawRecall => language.of(
                "Withdraw the recall: no ground for it",
                "撤销召回(无召回依据)",
            ),
        }
    }

    /// What its record says.
    fn statement(self, code: TraceCode, target: Option<Hash>, reason: &str) -> Value {
        let closed = |outcome: RecallOutcome| json!({"unit": code, "target": target, "outcome": outcome, "reason": reason});
        match self {
            Self::Hold => json!({"unit": code, "reason": reason}),
            Self::Recall => json!({"unit": code, "until_ms": null, "reason": reason}),
            Self::Release => json!({"unit": code, "target": target, "reason": reason}),
            Self::CompleteRecall => closed(RecallOutcome::Completed),
            Self::WithdrawRecall => closed(RecallOutcome::Withdrawn),
        }
    }
}

/// The forms that a token's role may send about a unit, as it stands.
pub(super) fn buttons(language: Language, SignedIn(token): &SignedIn, seen: &Seen) -> Markup {
    if !seen.is_full {
        return html! {};
    }
    let mut acts = vec![(Act::Hold, None), (Act::Recall, None)];
    for reason in seen.barring("hold") {
        acts.push((Act::Release, reason.index));
    }
    for reason in seen.barring("recall") {
        acts.push((Act::CompleteRecall, reason.index));
        acts.push((Act::WithdrawRecall, reason.index));
    }
    acts.retain(|(act, _)| {
        act.info()
            .is_some_and(|kind| kind.signers.contains(&token.grant.role))
    });
    html! {
        @if !acts.is_empty() {
            details.acts {
                summary { (language.of("Act: hold, recall and their ends", "处置:暂停、召回及其解除")) }
                @for (act, target) in acts {
                    form method="post" action="/inspect/act" {
                        (hidden(act.name(), &seen.shown.code.compact(), target, &order_key()))
                        @let id = format!("reason-{}-{}", act.name(), target.unwrap_or(0));
                        label for=(id) { (act.words(language)) }
                        input id=(id) name="reason" required maxlength="100"
                            placeholder=(language.of("Why, public", "原因(公开)"));
                        button type="submit" { (language.of("Go on", "下一步")) }
                    }
                }
            }
        }
    }
}

fn hidden(act: &str, code: &str, target: Option<u64>, key: &str) -> Markup {
    html! {
        input type="hidden" name="act" value=(act);
        input type="hidden" name="code" value=(code);
        input type="hidden" name="key" value=(key);
        @if let Some(target) = target { input type="hidden" name="target" value=(target); }
    }
}

/// `POST /inspect/act`.
pub async fn act(
    State(office): State<Arc<Office>>,
    signed_in: SignedIn,
    headers: HeaderMap,
    filled: Result<FormBody<Filled>, Problem>,
) -> Response {
    let language = Language::preferred(&headers);
    let done = match filled {
        Ok(FormBody(filled)) => carried_out(&office, &signed_in, language, filled).await,
        Err(problem) => Err(problem),
    };
    let title = language.of("Act", "处置");
    match done {
        Ok((status, body)) => frame::respond(
            status,
            language,
            frame::page(language, &signed_in, title, &body),
        ),
        Err(problem) => frame::refused(language, Some(&signed_in), &problem),
    }
}

async fn carried_out(
    office: &Office,
    signed_in: &SignedIn,
    language: Language,
    filled: Filled,
) -> Result<(StatusCode, Markup), Problem> {
    let code = TraceCode::parse(&filled.code)?;
    let view = office.readable()?;
    made(&view, code)?;
    if filled.confirmed.is_none() {
        let limits = Limits {
            depth_max: u32::MAX,
            units_max: REACHED_MAX,
            edges_max: REACHED_MAX * 8,
        };
        let reached = follow(&view, Direction::Forward, vec![Open::at(code)], limits)?;
        let is_more = !reached.open.is_empty();
        let count = reached.units.len().saturating_sub(1);
        return Ok((
            StatusCode::OK,
            asked(language, code, &filled, (count, is_more)),
        ));
    }
    let target = match filled.target {
        Some(index) if index < view.size() => Some(view.entry(index)?.signed.hash()),
        Some(index) => {
            let what = format!("there is no record at index {index}");
            return Err(Invalid::new(Rule::TargetUnknown, what).into());
        }
        None => None,
    };
    let statement = filled.act.statement(code, target, &filled.reason);
    let order = json!({"kind": filled.act.kind(), "statement": statement}).to_string();
    let named = ("POST", "/v1/statements");
    let order = Order::read(signed_in.0, filled.key, named, order.as_bytes())?;
    let fulfilled = office
        .carry_out(order, |_, given, wanted| {
            ready(statements::draft(&given, wanted))
        })
        .await?;
    let records = fulfilled.into_records();
    let body = html! {
        h1 { (language.of("Recorded", "已记录")) }
        p role="status" { (filled.act.words(language)) ": " (lead(code)) }
        ul { @for record in &records {
            li { (language.of("Record ", "记录序号 ")) (record.index) " · " span.code { (record.hash) } }
        } }
    };
    Ok((StatusCode::CREATED, body))
}

/// What is about to be done, and what it reaches.
fn asked(
    language: Language,
    code: TraceCode,
    filled: &Filled,
    (count, is_more): (usize, bool),
) -> Markup {
    let more = if is_more { "+" } else { "" };
    html! {
        h1 { (filled.act.words(language)) "?" }
        p { (lead(code)) }
        dl {
            dt { (language.of("Why, public for ever", "原因(永久公开)")) } dd { (filled.reason) }
            dt { (language.of("Units made of it that it reaches", "涉及由其制成的追溯单元")) }
            dd { (count) (more) }
        }
        form method="post" action="/inspect/act" {
            (hidden(filled.act.name(), &code.compact(), filled.target, &filled.key))
            input type="hidden" name="reason" value=(filled.reason);
            input type="hidden" name="confirmed" value="yes";
            button type="submit" { (language.of("Record it", "确认记录")) }
        }
        p { a.act href=(format!("/inspect?ask={}", code.compact())) { (language.of("Do nothing", "取消")) } }
    }
}
