//! Temperatures as pictures: of a unit over its stays, for everybody, and of a
//! probe or a store over any time, for its owner and whoever oversees that.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use trace_core::{
    error::{Invalid, Rule},
    ident::{EquipmentId, parse_ms},
    ledger::{
        View,
        cold_chain::{self, Watched},
        lookup::Audience,
    },
    record::{
        cold_chain::{MeasuringPoint, TemperaturePolicy},
        keeping::Run,
    },
    rules::ColdFacts,
};

use super::{
    answer::{json_for, not_on_ledger},
    bearer::Bearer,
    codes::parse,
    cold::{kept_of, readings_of},
    office::{Office, beside, civil_offset_minutes},
    sight::{Sight, not_overseen},
};
use crate::{
    body::Parameters,
    chart::{COLUMNS, Leg, Local, Plot, file},
    language::Language,
    problem::Problem,
};

/// The longest time of one picture: the two years for which readings are kept at
/// least, and a leap day.
const SPAN_MS_MAX: u64 = 731 * 86_400_000;

/// What is shown where nobody says from when.
const SPAN_MS: u64 = 86_400_000;

/// Without a policy a line ends where a store should have recorded: half an hour
/// (GB 31605-2020, unconfirmed).
const GAP_S: u32 = 1_800;

/// Which time, and by which policy.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    from: Option<String>,
    to: Option<String>,
    policy: Option<String>,
    purpose: Option<String>,
}

/// `GET /v1/codes/{code}/temperatures.svg`.
pub async fn of_unit(
    State(office): State<Arc<Office>>,
    Path(code): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let code = parse(&code)?;
    let language = Language::preferred(&headers);
    let offset_minutes = civil_offset_minutes(&office.view())?;
    let kept = kept_of(&office, code, COLUMNS).await?;
    let local = Local {
        language,
        offset_minutes,
    };
    let mut response = picture(language, file(&Plot::of(&kept), local).into_bytes());
    let again = HeaderValue::from_static("no-cache");
    response.headers_mut().insert(header::CACHE_CONTROL, again);
    Ok(response)
}

/// `GET /v1/equipment/{id}/temperatures.svg`.
pub async fn of_equipment(
    State(office): State<Arc<Office>>,
    Path(id): Path<String>,
    Bearer(token): Bearer,
    Parameters(window): Parameters<Window>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let equipment = EquipmentId::parse(&id)?;
    let (store, view, now_ms) = (readings_of(&office)?, office.view(), office.now_ms());
    let Some(state) = view.folded().equipment(&equipment)? else {
        return Err(not_on_ledger(equipment));
    };
    let is_own = token.grant.entity == Some(state.entity);
    if !is_own && !Sight::new(&view, Some(&token)).oversees(&state.entity)? {
        return Err(not_overseen());
    }
    let run = window.run(now_ms)?;
    let (policy, has_band) = policy(&view, window.policy.as_deref())?;
    let local = Local {
        language: Language::preferred(&headers),
        offset_minutes: civil_offset_minutes(&view)?,
    };
    let watching = move || {
        let found = cold_chain::watched(&view, &store, &equipment, &policy, run, COLUMNS)?;
        Ok::<_, Problem>(file(
            &plot(
                &found,
                run,
                has_band.then_some(&policy),
                state.registered_index,
            ),
            local,
        ))
    };
    let drawn = beside(watching).await??;
    if !is_own {
        let looked_up = format!("temperatures of {equipment}");
        office.log_lookup(&token, looked_up, window.purpose).await?;
    }
    let mut response = json_for(Audience::Full, Vec::new());
    let shown = picture(local.language, drawn.into_bytes());
    let (parts, body) = shown.into_parts();
    *response.body_mut() = body;
    response.headers_mut().extend(parts.headers);
    Ok(response)
}

impl Window {
    fn run(&self, now_ms: u64) -> Result<Run, Problem> {
        let time = |text: &Option<String>| text.as_deref().map(parse_ms).transpose();
        let until_ms = time(&self.to)?.unwrap_or(now_ms);
        let from_ms = time(&self.from)?.unwrap_or(until_ms.saturating_sub(SPAN_MS));
        match until_ms.checked_sub(from_ms) {
            Some(1..=SPAN_MS_MAX) => Ok(Run { from_ms, until_ms }),
            _ => {
                let what = format!(
                    "from {from_ms} to {until_ms} ms; wanted a time of at most {SPAN_MS_MAX} ms that ends after it begins"
                );
                Err(Invalid::new(Rule::Instant, what).into())
            }
        }
    }
}

/// The policy of a code and that it has a band; without a code none that judges.
fn policy(view: &View, code: Option<&str>) -> Result<(TemperaturePolicy, bool), Problem> {
    let Some(code) = code else {
        let none = TemperaturePolicy {
            low_milli_c: None,
            high_milli_c: None,
            run_s_max: 0,
            total_s_max: 0,
            total_within_s: None,
            beyond_milli_c_max: None,
            store_interval_s: GAP_S,
            transport_interval_s: GAP_S,
            gap_s_max: GAP_S,
            measured_at: MeasuringPoint::Surface,
            source: String::new(),
            is_confirmed: false,
            product_classes: Vec::new(),
        };
        return Ok((none, false));
    };
    match view.folded().temperature_policy(code)? {
        Some((_, policy)) => Ok((policy, true)),
        None => {
            let what = format!("no policy {code:?} was adopted");
            Err(Invalid::new(Rule::PolicyUnknown, what).into())
        }
    }
}

fn plot<'a>(found: &'a Watched, run: Run, policy: Option<&TemperaturePolicy>, id: u64) -> Plot<'a> {
    Plot {
        id,
        legs: vec![Leg {
            run,
            low_milli_c: policy.and_then(|policy| policy.low_milli_c),
            high_milli_c: policy.and_then(|policy| policy.high_milli_c),
            curve: &found.curve,
            excursions: &found.verdict.excursions,
            gaps: &found.verdict.gaps,
            extremes_milli_c: found.verdict.extremes_milli_c,
            outside_ms: found.verdict.outside_ms,
            gap_ms: found.verdict.gap_ms,
        }],
        outside: &[],
    }
}

/// A picture that may load nothing, opened by itself too.
fn picture(language: Language, bytes: Vec<u8>) -> Response {
    let fixed = HeaderValue::from_static;
    let headers = [
        (header::CONTENT_TYPE, fixed("image/svg+xml")),
        (header::CONTENT_LANGUAGE, fixed(language.tag())),
        (header::VARY, fixed("accept-language, authorization")),
        (header::X_CONTENT_TYPE_OPTIONS, fixed("nosniff")),
        (
            header::CONTENT_SECURITY_POLICY,
            fixed("default-src 'none'; frame-ancestors 'none'"),
        ),
    ];
    (headers, bytes).into_response()
}
