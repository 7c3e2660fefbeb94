//! A message as a request, and the answer to it as what the broker is told.
//!
//! The payload is the body and the content type its type; the properties
//! `authorization`, `accept-language`, `equipment` and `rows` are what they are
//! over HTTP. Others are passed over: brokers add their own.

use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Method, Request, StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use http_body_util::BodyExt;
use rumqttc::mqttbytes::v5::{PubAck, PubAckProperties, PubAckReason, Publish, PublishProperties};

use crate::{
    language::Language,
    problem::{Problem, Refusal},
};

/// Where readings are posted to.
const PATH: &str = "/v1/readings";

/// Properties that are fields of a request's head.
const FIELDS: [HeaderName; 2] = [header::AUTHORIZATION, header::ACCEPT_LANGUAGE];

/// Properties that are parameters of a request: a mapping is saved beforehand.
const PARAMETERS: [&str; 2] = ["equipment", "rows"];

/// Without a content type a message is the form that most clients write.
const DEFAULT_TYPE: &str = "application/json";

/// Where an answer does not say when to try again.
const PAUSE: Duration = Duration::from_secs(1);

/// The request that a message is.
///
/// # Errors
/// [`Refusal::QueryUnexpected`] for a parameter that no address can hold,
/// [`Refusal::MediaType`] for a content type that no head can hold.
pub fn request(message: &Publish) -> Result<Request<Body>, Problem> {
    let properties = message.properties.as_ref();
    let said = properties.map_or(&[][..], |it| &it.user_properties);
    let mut query = String::new();
    for (name, value) in said {
        if !PARAMETERS.contains(&name.as_str()) {
            continue;
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        if !value.chars().all(is_plain) {
            let what = format!("property {name}: wanted letters, digits, - and _");
            return Err(Problem::new(Refusal::QueryUnexpected).detail(what));
        }
        let sign = if query.is_empty() { '?' } else { '&' };
        query.push_str(&format!("{sign}{name}={value}"));
    }
    let mut request = Request::new(Body::from(message.payload.clone()));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = format!("{PATH}{query}").parse().map_err(|_| {
        let what = "the properties are too long for an address";
        Problem::new(Refusal::QueryUnexpected).detail(what)
    })?;
    let headers = request.headers_mut();
    let media_type = properties.and_then(|it| it.content_type.as_deref());
    let media_type = HeaderValue::from_str(media_type.unwrap_or(DEFAULT_TYPE));
    let media_type = media_type.map_err(|_| Problem::new(Refusal::MediaType))?;
    headers.insert(header::CONTENT_TYPE, media_type);
    for field in FIELDS {
        let values = said.iter().filter(|(name, _)| *name == field.as_str());
        for (_, value) in values {
            // What no head can hold is no token and no language.
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.append(&field, value);
            }
        }
    }
    Ok(request)
}

/// What comes of a message.
#[derive(Debug)]
pub enum Verdict {
    /// It is to be tried again after a while; the broker is told nothing.
    Again(Duration),
    /// It is taken or refused for good.
    Settled(Settled),
}

/// What the broker is told of a message, and its sender if he wants to know.
#[derive(Debug)]
pub struct Settled {
    status: StatusCode,
    code: Option<&'static str>,
    media_type: Option<String>,
    content: Bytes,
}

impl Verdict {
    /// That of a message that is no request.
    pub async fn refused(problem: Problem) -> Self {
        Self::of(problem.into_response_in(Language::default())).await
    }

    /// The verdict that an answer is. Who is to wait, waits; what the server could
    /// not do is tried again until it can.
    pub async fn of(response: Response) -> Self {
        let status = response.status();
        if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
            let wait = response.headers().get(header::RETRY_AFTER);
            let wait_s = wait.and_then(|it| it.to_str().ok()?.parse().ok());
            return Self::Again(wait_s.map_or(PAUSE, Duration::from_secs));
        }
        let code = response.extensions().get::<Problem>().map(Problem::code);
        let media_type = response.headers().get(header::CONTENT_TYPE);
        let media_type = media_type.and_then(|it| it.to_str().ok().map(str::to_owned));
        match response.into_body().collect().await {
            Ok(collected) => Self::Settled(Settled {
                status,
                code,
                media_type,
                content: collected.to_bytes(),
            }),
            Err(_) => Self::Again(PAUSE),
        }
    }
}

impl Settled {
    /// The status of the answer, and the code of a refusal.
    pub fn outcome(&self) -> (StatusCode, Option<&'static str>) {
        (self.status, self.code)
    }

    /// What the broker is told (MQTT 5.0, section 3.4.2.1).
    pub fn acknowledgement(&self, packet: u16) -> PubAck {
        let Some(code) = self.code else {
            return PubAck::new(packet, None);
        };
        let properties = PubAckProperties {
            reason_string: Some(code.to_owned()),
            user_properties: Vec::new(),
        };
        let mut acknowledgement = PubAck::new(packet, Some(properties));
        acknowledgement.reason = match self.status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => PubAckReason::NotAuthorized,
            StatusCode::BAD_REQUEST
            | StatusCode::UNSUPPORTED_MEDIA_TYPE
            | StatusCode::UNPROCESSABLE_ENTITY => PubAckReason::PayloadFormatInvalid,
            _ => PubAckReason::ImplementationSpecificError,
        };
        acknowledgement
    }

    /// The answer for a sender who named a response topic: topic, content and
    /// properties (MQTT 5.0, section 4.10).
    pub fn answer(self, asked: &Publish) -> Option<(String, Bytes, PublishProperties)> {
        let asked = asked.properties.as_ref()?;
        let topic = asked.response_topic.clone()?;
        let properties = PublishProperties {
            correlation_data: asked.correlation_data.clone(),
            content_type: self.media_type,
            user_properties: vec![("status".into(), self.status.as_u16().to_string())],
            ..PublishProperties::default()
        };
        Some((topic, self.content, properties))
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;
    use rumqttc::mqttbytes::QoS;
    use trace_core::error::{Invalid, Rule};

    use super::*;

    fn message(content_type: Option<&str>, said: &[(&str, &str)]) -> Publish {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let properties = PublishProperties {
            content_type: content_type.map(str::to_owned),
            user_properties: said.iter().map(owned).collect(),
            ..PublishProperties::default()
        };
        Publish::new("t", QoS::AtLeastOnce, "body", Some(properties))
    }

    #[test]
    fn a_message_is_the_request_that_its_properties_say() {
        let said = [
            ("authorization", "Bearer x"),
            ("equipment", "Q-1"),
            ("rows", "valid"),
            ("via", "gateway 7"),
        ];
        let found = request(&message(Some("text/csv"), &said)).unwrap();
        assert_eq!(found.method(), Method::POST);
        assert_eq!(found.uri(), "/v1/readings?equipment=Q-1&rows=valid");
        assert_eq!(found.headers()[header::AUTHORIZATION], "Bearer x");
        assert_eq!(found.headers()[header::CONTENT_TYPE], "text/csv");
        assert_eq!(found.headers().len(), 2);
        let bare = Publish::new("t", QoS::AtLeastOnce, "body", None);
        let found = request(&bare).unwrap();
        assert_eq!(found.uri(), "/v1/readings");
        assert_eq!(found.headers()[header::CONTENT_TYPE], "application/json");
    }

    #[test]
    fn a_property_cannot_become_another_address_or_field() {
        for value in ["a&rows=valid", "a b", "../x", "%41", "京"] {
            let problem = request(&message(None, &[("equipment", value)])).unwrap_err();
            assert_eq!(problem.code(), "query_unexpected", "{value}");
        }
        let long = "a".repeat(70_000);
        let problem = request(&message(None, &[("equipment", &long)])).unwrap_err();
        assert_eq!(problem.code(), "query_unexpected");
        let problem = request(&message(Some("a\r\nb: c"), &[])).unwrap_err();
        assert_eq!(problem.code(), "media_type_unsupported");
        let said = [("authorization", "Bearer x\r\nhost: y")];
        let found = request(&message(None, &said)).unwrap();
        assert!(!found.headers().contains_key(header::AUTHORIZATION));
    }

    #[tokio::test]
    async fn who_is_to_wait_waits_and_what_is_refused_is_said_why() {
        let response = |problem: Problem| problem.into_response_in(Language::English);
        for (problem, wait_s) in [
            (Problem::new(Refusal::ReadingsBusy), 1),
            (Problem::new(Refusal::ReadOnly), 60),
            (Problem::new(Refusal::Failed), 1),
        ] {
            let verdict = Verdict::of(response(problem)).await;
            let Verdict::Again(wait) = verdict else {
                panic!("{verdict:?}");
            };
            assert_eq!(wait, Duration::from_secs(wait_s));
        }
        for (problem, reason) in [
            (
                Invalid::new(Rule::Token, "").into(),
                PubAckReason::NotAuthorized,
            ),
            (
                Problem::new(Refusal::JsonMalformed),
                PubAckReason::PayloadFormatInvalid,
            ),
            (
                Problem::new(Refusal::BodyTooLarge),
                PubAckReason::ImplementationSpecificError,
            ),
        ] {
            let code = problem.code();
            let Verdict::Settled(settled) = Verdict::of(response(problem)).await else {
                panic!("{code} is tried again");
            };
            let told = settled.acknowledgement(7);
            assert_eq!((told.pkid, told.reason), (7, reason), "{code}");
            assert_eq!(
                told.properties.unwrap().reason_string.as_deref(),
                Some(code)
            );
        }
        let taken = (StatusCode::CREATED, "{}").into_response();
        let Verdict::Settled(settled) = Verdict::of(taken).await else {
            panic!("what is taken is tried again");
        };
        assert_eq!(settled.acknowledgement(8), PubAck::new(8, None));
        assert!(settled.answer(&message(None, &[])).is_none());
    }
}
