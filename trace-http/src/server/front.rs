//! What stands between hyper and the router: refusals made before routing, and
//! the bounds of one request.
//!
//! A panic in a handler becomes a 500 for that one request. (A panic of the
//! ledger's writer is another matter and ends the process: that is not here.)

use std::{
    convert::Infallible,
    net::SocketAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::Poll,
};

use axum::{
    Router,
    body::{Body, HttpBody},
    http::{HeaderValue, Request, Response, header},
};
use http_body_util::Limited;
use hyper::body::Incoming;
use tower::Service;

use super::{guard::Refused, limits::Limits, load::Load};
use crate::{
    language::Language,
    problem::{Problem, Refusal},
};

/// The address at the other end, as an extension of every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// The service of one connection.
#[derive(Debug)]
pub(super) struct Front {
    pub(super) router: Router,
    pub(super) limits: Arc<Limits>,
    pub(super) load: Arc<Load>,
    pub(super) refused: Arc<Refused>,
    pub(super) peer: SocketAddr,
    pub(super) requests: AtomicU64,
}

type Answer = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

impl hyper::service::Service<Request<Incoming>> for Front {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn call(&self, request: Request<Incoming>) -> Answer {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let language = Language::preferred(request.headers());
        if let Some(refusal) = self.refused.why(number) {
            tracing::info!(code = refusal.code(), "request refused before routing");
            self.load.requests_refused.inc();
            return answered(last(refusal.into(), language));
        }
        let body_bytes_max = self.limits.body_bytes;
        let is_too_large =
            u64::try_from(body_bytes_max).is_ok_and(|max| request.body().size_hint().lower() > max);
        if is_too_large {
            tracing::info!("request refused before routing: body too large");
            self.load.requests_refused.inc();
            let problem = Problem::new(Refusal::BodyTooLarge)
                .detail(format!("at most {body_bytes_max} bytes"));
            return answered(last(problem, language));
        }
        let mut request = request.map(|body| Body::new(Limited::new(body, body_bytes_max)));
        request.extensions_mut().insert(Peer(self.peer));
        let mut router = self.router.clone();
        let answer_time = self.limits.answer_time;
        let load = Arc::clone(&self.load);
        Box::pin(async move {
            // Called inside, so that a panic before the first poll is caught too.
            let answer = caught(async move { router.call(request).await });
            Ok(match tokio::time::timeout(answer_time, answer).await {
                Ok(Ok(Ok(response))) => response,
                Ok(Err(Panicked)) => {
                    load.panics.inc();
                    last(Refusal::Failed.into(), language)
                }
                Err(_) => last(Refusal::TooSlow.into(), language),
            })
        })
    }
}

fn answered(response: Response<Body>) -> Answer {
    Box::pin(std::future::ready(Ok(response)))
}

/// A problem after which the connection closes.
fn last(problem: Problem, language: Language) -> Response<Body> {
    let mut response = problem.into_response_in(language);
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(header::CONNECTION, close);
    response
}

/// The panic itself is told by the panic hook; here it only matters that.
struct Panicked;

async fn caught<T>(future: impl Future<Output = T>) -> Result<T, Panicked> {
    let mut future = pin!(future);
    std::future::poll_fn(|context| {
        // The future is dropped after a panic and never polled again, so no
        // broken state of its own is seen.
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(poll) => poll.map(Ok),
            Err(_) => Poll::Ready(Err(Panicked)),
        }
    })
    .await
}
