//! Labels over HTTP: one by its code, for anyone; a file of many, for whoever
//! has a token.
//!
//! A label says what its page says, and no more: a producer's own name and
//! contact are typed for one print in a request's body, where no log keeps them.
//! Drawing takes a processor's whole attention, so two are drawn at a time.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    extract::{Path, State},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use tokio::sync::Semaphore;
use trace_core::{ident::TraceCode, ledger::lookup::Audience};
use utoipa::ToSchema;

use super::{
    answer::not_on_ledger,
    bearer::Bearer,
    codes::parse,
    office::{Office, beside},
};
use crate::{
    body::{JsonBody, Parameters},
    label::{
        LabelError, LabelForm, Paper, Wanted,
        content::{Typed, of_ledger},
        draw,
        font::Font,
    },
    problem::{Problem, Refusal},
};

/// Drawn at a time: with two processors the ledger keeps answering.
const TURNS: usize = 2;

/// What drawing labels takes.
#[derive(Debug)]
pub struct LabelDesk {
    named: Option<PathBuf>,
    found: Mutex<Option<Font>>,
    turns: Semaphore,
}

impl LabelDesk {
    /// With the font in a file, or the first that is found when it is needed.
    #[must_use]
    pub fn new(named: Option<PathBuf>) -> Self {
        Self {
            named,
            found: Mutex::default(),
            turns: Semaphore::new(TURNS),
        }
    }

    /// The font, read once; where there is none it is looked for again, since an
    /// operator may have installed one meanwhile.
    ///
    /// # Errors
    /// [`LabelError::Font`].
    pub fn font(&self) -> Result<Font, LabelError> {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(font) = &*found {
            return Ok(font.clone());
        }
        let font = Font::find(self.named.as_deref())?;
        Ok(found.insert(font).clone())
    }
}

/// On which paper.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Size {
    size: Option<String>,
    #[serde(default)]
    signed: bool,
}

/// A file of labels.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LabelsOrder {
    /// Trace codes, in the order of the labels: of `pdf` 1 to 10,000, of `tspl`
    /// 1 to 500, of the others one
    codes: Vec<String>,
    /// `pdf`, `tspl`, `svg` or `png`
    form: String,
    /// `a4`, `40x60`, `58` or `80`
    size: String,
    /// Whether each label is followed by one for inspectors, which carries the
    /// signed record itself
    #[serde(default)]
    signed: bool,
    /// A natural person's name, printed and stored nowhere; left to be written
    /// by hand where it is left out
    promised_by: Option<String>,
    /// A contact, likewise
    contact: Option<String>,
}

/// `GET /v1/codes/{code}/label.svg`.
pub async fn svg(
    office: State<Arc<Office>>,
    code: Path<String>,
    size: Parameters<Size>,
) -> Result<Response, Problem> {
    one(office, code, size, LabelForm::Svg).await
}

/// `GET /v1/codes/{code}/label.pdf`.
pub async fn pdf(
    office: State<Arc<Office>>,
    code: Path<String>,
    size: Parameters<Size>,
) -> Result<Response, Problem> {
    one(office, code, size, LabelForm::Pdf).await
}

/// `GET /v1/codes/{code}/label.png`.
pub async fn png(
    office: State<Arc<Office>>,
    code: Path<String>,
    size: Parameters<Size>,
) -> Result<Response, Problem> {
    one(office, code, size, LabelForm::Png).await
}

/// `GET /v1/codes/{code}/label.tspl`.
pub async fn tspl(
    office: State<Arc<Office>>,
    code: Path<String>,
    size: Parameters<Size>,
) -> Result<Response, Problem> {
    one(office, code, size, LabelForm::Tspl).await
}

async fn one(
    State(office): State<Arc<Office>>,
    Path(code): Path<String>,
    Parameters(size): Parameters<Size>,
    form: LabelForm,
) -> Result<Response, Problem> {
    let code = parse(&code)?;
    let paper = size.size.as_deref().unwrap_or("40x60").parse::<Paper>()?;
    let wanted = Wanted::new(form, paper)?.signed(size.signed);
    let drawn = drawn(office, vec![code], wanted, Typed::default()).await?;
    Ok(answer(drawn, form, &code.compact()))
}

/// `POST /v1/labels`.
pub async fn many(
    State(office): State<Arc<Office>>,
    _token: Bearer,
    JsonBody(order): JsonBody<LabelsOrder>,
) -> Result<Response, Problem> {
    let form = order.form.parse::<LabelForm>()?;
    let wanted = Wanted::new(form, order.size.parse::<Paper>()?)?.signed(order.signed);
    wanted.check_count(order.codes.len())?;
    let typed = Typed::new(order.promised_by, order.contact)?;
    let codes = order.codes.iter().map(|code| parse(code));
    let codes = codes.collect::<Result<Vec<_>, _>>()?;
    let drawn = drawn(office, codes, wanted, typed).await?;
    let mut response = answer(drawn, form, "labels");
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

async fn drawn(
    office: Arc<Office>,
    codes: Vec<TraceCode>,
    wanted: Wanted,
    typed: Typed,
) -> Result<Vec<u8>, Problem> {
    let desk = Arc::clone(&office.labels);
    let turn = desk.turns.acquire().await;
    let _turn = turn.map_err(|_| Problem::new(Refusal::Busy))?;
    let drawn = beside(move || {
        let font = office.labels.font()?;
        let view = office.view();
        let mut lookup = office.lookup(&view, Audience::Public)?;
        let contents = codes
            .iter()
            .map(|code| of_ledger(&view, &mut lookup, &office.public_url, *code, &typed));
        draw(&font, wanted, contents)
    });
    Ok(drawn.await??)
}

fn answer(bytes: Vec<u8>, form: LabelForm, name: &str) -> Response {
    let fixed = HeaderValue::from_static;
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, fixed(form.media_type()));
    headers.insert(header::CACHE_CONTROL, fixed("no-cache"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, fixed("nosniff"));
    // An SVG opened by itself is a page: it may do nothing.
    headers.insert(header::CONTENT_SECURITY_POLICY, fixed("default-src 'none'"));
    let shown = match form {
        LabelForm::Tspl => "attachment",
        _ => "inline",
    };
    let file = format!("{shown}; filename=\"{name}.{}\"", form.name());
    if let Ok(file) = HeaderValue::try_from(file) {
        headers.insert(header::CONTENT_DISPOSITION, file);
    }
    response
}

impl From<LabelError> for Problem {
    fn from(error: LabelError) -> Self {
        let said = error.to_string();
        match error {
            LabelError::Typed(invalid) => invalid.into(),
            LabelError::Store(store) => store.into(),
            LabelError::Unknown { code } => not_on_ledger(code),
            LabelError::Wanted { .. } | LabelError::Unprintable { .. } => {
                Self::new(Refusal::LabelUnknown).detail(said)
            }
            LabelError::Count { .. } => Self::new(Refusal::LabelCount).detail(said),
            LabelError::Font { .. } => {
                // Paths of this machine are the operator's to read.
                tracing::error!(error = said, "labels need a font");
                Self::new(Refusal::LabelFont)
            }
            LabelError::Written { .. } => {
                tracing::error!(error = said, "a label was not written");
                Self::new(Refusal::Failed)
            }
            LabelError::Letter { .. }
            | LabelError::Room { .. }
            | LabelError::SignedRoom { .. }
            | LabelError::NothingSigned { .. }
            | LabelError::Address { .. }
            | LabelError::NotStanding { .. } => Self::new(Refusal::LabelImpossible).detail(said),
        }
    }
}
