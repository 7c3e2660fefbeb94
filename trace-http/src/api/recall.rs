//! `GET /v1/codes/{code}/recall`: the recall sheet, streamed as it is found.
//!
//! Whoever sees a unit in full is shown where all of it and of what was
//! made of it is, in whatever area: a recall reaches as far as the goods. The
//! look-up is logged before the first byte leaves. A sheet that breaks off, by
//! a store that fails, breaks the connection: no half sheet looks whole.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use hyper::body::Frame;
use serde::Deserialize;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use trace_core::{ident::parse_ms, ledger::lookup::Audience};

use super::{
    bearer::Bearer,
    codes::parse,
    office::{Office, civil_offset_minutes},
    sight::check_sees,
};
use crate::{
    body::Parameters,
    language::Language,
    problem::{Problem, Refusal},
    sheet::{self, Asked, SheetFailed, grid::SheetFormat},
};

/// Bytes written at a time.
const CHUNK_BYTES: usize = 32 << 10;

/// Chunks that wait for a slow reader.
const CHUNKS_WAITING: usize = 4;

/// Which sheet.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    pub(crate) until: Option<String>,
    pub(crate) purpose: Option<String>,
}

/// `GET /v1/codes/{code}/recall`.
pub async fn sheet(
    State(office): State<Arc<Office>>,
    bearer: Bearer,
    Path(code): Path<String>,
    Parameters(page): Parameters<Page>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let code = parse(&code)?;
    let until_ms = page.until.as_deref().map(parse_ms).transpose()?;
    let view = office.view();
    check_sees(&view, &bearer, code)?;
    let asked = Asked {
        code,
        until_ms,
        offset_minutes: civil_offset_minutes(&view)?,
    };
    let looked_up = format!("recall sheet of {code}");
    office
        .log_lookup(&bearer.0, looked_up, page.purpose)
        .await?;
    let format = SheetFormat::accepted(&headers);
    let language = Language::preferred(&headers);
    let (sender, mut receiver) = channel(CHUNKS_WAITING);
    tokio::task::spawn_blocking(move || {
        let mut chunks = Chunks::new(sender.clone());
        let written = office
            .lookup(&view, Audience::Full)
            .map_err(SheetFailed::from)
            .and_then(|mut lookup| match format {
                Some(format) => {
                    let how = (format, language);
                    sheet::write(&view, &mut lookup, asked, how, &mut chunks)
                }
                None => sheet::write_json(&view, &mut lookup, asked, &mut chunks),
            })
            .and_then(|_| chunks.send().map_err(SheetFailed::Write));
        // A reader that has gone needs to hear nothing.
        let _ = match written {
            Ok(()) => sender.blocking_send(end()),
            Err(SheetFailed::Ledger(failed)) => sender.blocking_send(Err(failed.into())),
            Err(SheetFailed::Write(error)) => {
                // A reader that has gone is no fault; a full disk is.
                if error.kind() != io::ErrorKind::BrokenPipe {
                    tracing::error!(%error, "a sheet was not written");
                }
                sender.blocking_send(Err(Refusal::Failed.into()))
            }
        };
    });
    // Nothing is promised before there is something to show.
    let first = match receiver.recv().await {
        Some(Ok(first)) => first,
        Some(Err(problem)) => return Err(problem),
        None => return Err(Refusal::Failed.into()),
    };
    let headers = sheet_headers(format, &format!("{}.recall", code.compact()))?;
    let body = Streamed {
        first: Some(first),
        receiver,
    };
    Ok((headers, Body::new(body)).into_response())
}

/// What a sheet, or the same as JSON, is answered with: for whoever asked, to
/// be kept in a file.
///
/// # Errors
/// [`Refusal::Failed`] for a name that is none.
pub(crate) fn sheet_headers(
    format: Option<SheetFormat>,
    name: &str,
) -> Result<[(HeaderName, HeaderValue); 6], Problem> {
    let fixed = HeaderValue::from_static;
    let (media_type, ending) = match format {
        Some(format) => (format.media_type(), format.ending()),
        None => ("application/json", "json"),
    };
    let name = format!("attachment; filename=\"{name}.{ending}\"");
    let name = HeaderValue::try_from(name).map_err(|_| Problem::new(Refusal::Failed))?;
    Ok([
        (header::CONTENT_TYPE, fixed(media_type)),
        (header::CONTENT_DISPOSITION, name),
        (header::CACHE_CONTROL, fixed("no-store")),
        (
            header::VARY,
            fixed("accept, accept-language, authorization"),
        ),
        (header::X_CONTENT_TYPE_OPTIONS, fixed("nosniff")),
        (HeaderName::from_static("trace-audience"), fixed("full")),
    ])
}

type Chunk = Result<Bytes, Problem>;

/// Behind the last chunk: a sheet without it broke off.
fn end() -> Chunk {
    Ok(Bytes::new())
}

/// Writes in chunks to whoever reads; a full queue makes the writer wait.
struct Chunks {
    buffer: Vec<u8>,
    sender: Sender<Chunk>,
}

impl Chunks {
    fn new(sender: Sender<Chunk>) -> Self {
        Self {
            buffer: Vec::with_capacity(CHUNK_BYTES),
            sender,
        }
    }

    fn send(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let full = std::mem::replace(&mut self.buffer, Vec::with_capacity(CHUNK_BYTES));
        let sent = self.sender.blocking_send(Ok(full.into()));
        sent.map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, "the reader has gone"))
    }
}

impl io::Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= CHUNK_BYTES {
            self.send()?;
        }
        Ok(bytes.len())
    }

    /// Nothing: a writer that gives up flushes too, and what it leaves must not be
    /// shown as the beginning of a sheet.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A body that comes in chunks.
struct Streamed {
    first: Option<Bytes>,
    receiver: Receiver<Chunk>,
}

impl axum::body::HttpBody for Streamed {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        self.receiver.poll_recv(context).map(|chunk| match chunk {
            Some(Ok(bytes)) if bytes.is_empty() => None,
            Some(Ok(bytes)) => Some(Ok(Frame::data(bytes))),
            Some(Err(_)) | None => Some(Err(io::Error::other("the sheet broke off"))),
        })
    }
}
