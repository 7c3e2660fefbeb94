//! What stands between hyper and the router: refusals made before routing, and
//! the bounds of one request.
//!
//! A panic in a handler becomes a 500 for that one request. (A panic of the
//! ledger's writer is another matter and ends the process: that is not here.)

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
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
    http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header},
};
use http_body_util::Limited;
use hyper::body::Incoming;
use tower::Service;

use super::{guard::Refused, limits::Limits, load::Load};
use crate::{
    language::Language,
    problem::{Problem, Refusal},
};

/// The address at the other end, or the reader's as the proxy in front names it, as
/// an extension of every request. What is bounded for each reader goes by it.
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
        let peer = self.limits.peer_header.as_ref();
        let named = peer.and_then(|name| named(request.headers(), name));
        let ip = named.unwrap_or(self.peer.ip());
        let peer = Peer(SocketAddr::new(ip, self.peer.port()));
        request.extensions_mut().insert(peer);
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

/// Whom the proxy in front names: the last of a list, which it added itself; all
/// before that the reader may have sent. Nobody where it is no address.
fn named(headers: &HeaderMap, name: &HeaderName) -> Option<IpAddr> {
    let last = headers.get_all(name).iter().next_back()?;
    last.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_address_is_the_proxys_word_and_what_is_none_names_nobody() {
        let name = HeaderName::from_static("x-forwarded-for");
        let said = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(&name, HeaderValue::from_str(value).unwrap());
            }
            named(&headers, &name).map(|ip| ip.to_string())
        };
        assert_eq!(said(&["203.0.113.9"]).as_deref(), Some("203.0.113.9"));
        assert_eq!(
            said(&["10.0.0.1, 2001:db8::7"]).as_deref(),
            Some("2001:db8::7")
        );
        assert_eq!(
            said(&["1.1.1.1", "203.0.113.9"]).as_deref(),
            Some("203.0.113.9")
        );
        for nobody in [
            &[][..],
            &[""],
            &["unknown"],
            &["203.0.113.9, "],
            &["1.2.3.4:80"],
        ] {
            assert_eq!(said(nobody), None, "{nobody:?}");
        }
    }
}
