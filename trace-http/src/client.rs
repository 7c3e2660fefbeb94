//! What the command line says to a server: blocking requests, each bounded.
//!
//! It checks nothing: what comes back is evidence for the caller to verify.
//! Redirects are not followed; a ledger has one address. `https` needs the
//! feature of that name.

use std::{io::Read, time::Duration};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use ureq::{
    Agent, Body,
    http::{Response, header},
};
use zeroize::Zeroizing;

use crate::problem::MEDIA_TYPE;

const CONNECT_TIME: Duration = Duration::from_secs(10);
/// The server answers within 30 s; a large bundle takes its time to arrive.
const WHOLE_TIME: Duration = Duration::from_secs(120);
/// As much as the server takes itself, and more than any bundle.
const ANSWER_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Why there is no answer to use.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The address given is none.
    #[error("{address}: {why}")]
    Address {
        /// What was given.
        address: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The server was not reached, or stopped speaking.
    #[error("{url}: {why}")]
    Unreached {
        /// What was asked for.
        url: String,
        /// The cause.
        why: String,
    },
    /// The server refused, and said why.
    #[error("{url}: {problem}")]
    Refused {
        /// What was asked for.
        url: String,
        /// The server's own words.
        problem: Box<Refused>,
    },
    /// The answer is not what was asked for.
    #[error("{url}: {why}")]
    Unexpected {
        /// What was asked for.
        url: String,
        /// What came instead.
        why: String,
    },
}

/// A problem document as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// The HTTP status.
    pub status: u16,
    /// The stable code; empty where the answer was no problem document.
    pub code: String,
    /// The document; null where the answer was none.
    pub document: Value,
}

impl Refused {
    fn text(&self, name: &str) -> Option<&str> {
        self.document.get(name)?.as_str()
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "status {}", self.status)?;
        if let Some(code) = self.text("code") {
            let code: String = code.chars().filter(|it| !it.is_control()).collect();
            write!(f, " {code}")?;
        }
        for (before, name) in [
            (": ", "title"),
            (": ", "detail"),
            (" (record ", "record"),
            (". ", "remedy"),
        ] {
            if let Some(text) = self.text(name) {
                // The words are a stranger's: none may steer the terminal.
                let text: String = text.chars().filter(|it| !it.is_control()).collect();
                let after = if name == "record" { ")" } else { "" };
                write!(f, "{before}{text}{after}")?;
            }
        }
        Ok(())
    }
}

/// A server to ask.
#[derive(Debug, Clone)]
pub struct Client {
    agent: Agent,
    base: String,
    language: &'static str,
    authorization: Option<Authorization>,
}

/// The value of `Authorization`; never shown, wiped when dropped.
#[derive(Clone)]
struct Authorization(Zeroizing<String>);

impl std::fmt::Debug for Authorization {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authorization(..)")
    }
}

impl Client {
    /// A client of the server at `address`, e.g. `http://127.0.0.1:8080`,
    /// whose refusals are in `language`.
    ///
    /// # Errors
    /// [`ClientError::Address`].
    pub fn new(address: &str, language: crate::language::Language) -> Result<Self, ClientError> {
        let wrong = |why| ClientError::Address {
            address: address.to_owned(),
            why,
        };
        let parsed: ureq::http::Uri = address.parse().map_err(|_| wrong("no URL"))?;
        match parsed.scheme_str() {
            Some("http") => {}
            Some("https") if cfg!(feature = "https") => {}
            Some("https") => return Err(wrong("this program was built without https")),
            _ => return Err(wrong("wanted http:// or https://")),
        }
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(CONNECT_TIME))
            .timeout_global(Some(WHOLE_TIME))
            .user_agent(concat!("trace/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self {
            agent: config.into(),
            base: address.trim_end_matches('/').to_owned(),
            language: language.tag(),
            authorization: None,
        })
    }

    /// The same, with a bearer token (RFC 6750, section 2.1).
    #[must_use]
    pub fn with_token(mut self, token: Zeroizing<String>) -> Self {
        let value = Zeroizing::new(format!("Bearer {}", token.as_str()));
        self.authorization = Some(Authorization(value));
        self
    }

    /// The bytes at `path`, or `None` where the server has nothing there.
    ///
    /// # Errors
    /// Where the server is not reached or refuses for another reason.
    pub fn get(&self, path: &str) -> Result<Option<Vec<u8>>, ClientError> {
        self.get_as(path, "*/*")
    }

    /// The same, of a media type where the server has several.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub fn get_as(&self, path: &str, media_type: &str) -> Result<Option<Vec<u8>>, ClientError> {
        let url = format!("{}{path}", self.base);
        let mut request = self
            .agent
            .get(&url)
            .header(header::ACCEPT, media_type)
            .header(header::ACCEPT_LANGUAGE, self.language);
        if let Some(Authorization(value)) = &self.authorization {
            request = request.header(header::AUTHORIZATION, value.as_str());
        }
        let answer = request.call();
        match answered(&url, answer) {
            Err(ClientError::Refused { problem, .. }) if problem.status == 404 => Ok(None),
            answered => answered.map(Some),
        }
    }

    /// The JSON at `path`, or `None` where the server has nothing there.
    ///
    /// # Errors
    /// As [`Client::get`], and where the answer is not a `T`.
    pub fn get_json<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, ClientError> {
        let bytes = self.get(path)?;
        bytes.map(|bytes| self.parse(path, &bytes)).transpose()
    }

    /// Posts bytes and returns those of the answer.
    ///
    /// # Errors
    /// Where the server is not reached or refuses.
    pub fn post(&self, path: &str, bytes: &[u8]) -> Result<Vec<u8>, ClientError> {
        self.send(path, "application/octet-stream", None, bytes)
    }

    /// Posts JSON, with an idempotency key where one is given, and reads the
    /// answer's.
    ///
    /// # Errors
    /// As [`Client::post`], and where the answer is not a `T`.
    pub fn post_json<T: DeserializeOwned>(
        &self,
        path: &str,
        idempotency_key: Option<&str>,
        value: &impl Serialize,
    ) -> Result<T, ClientError> {
        let bytes = serde_json::to_vec(value).map_err(|error| ClientError::Unexpected {
            url: format!("{}{path}", self.base),
            why: format!("cannot be written as JSON: {error}"),
        })?;
        let bytes = self.send(path, "application/json", idempotency_key, &bytes)?;
        self.parse(path, &bytes)
    }

    /// Posts JSON and returns the bytes of the answer, which are a file.
    ///
    /// # Errors
    /// As [`Client::post`].
    pub fn post_for_file(&self, path: &str, value: &Value) -> Result<Vec<u8>, ClientError> {
        self.send(path, "application/json", None, value.to_string().as_bytes())
    }

    fn send(
        &self,
        path: &str,
        media_type: &str,
        idempotency_key: Option<&str>,
        bytes: &[u8],
    ) -> Result<Vec<u8>, ClientError> {
        let url = format!("{}{path}", self.base);
        let mut request = self
            .agent
            .post(&url)
            .header(header::CONTENT_TYPE, media_type)
            .header(header::ACCEPT_LANGUAGE, self.language);
        if let Some(Authorization(value)) = &self.authorization {
            request = request.header(header::AUTHORIZATION, value.as_str());
        }
        if let Some(key) = idempotency_key {
            request = request.header("idempotency-key", key);
        }
        answered(&url, request.send(bytes))
    }

    fn parse<T: DeserializeOwned>(&self, path: &str, bytes: &[u8]) -> Result<T, ClientError> {
        serde_json::from_slice(bytes).map_err(|error| ClientError::Unexpected {
            url: format!("{}{path}", self.base),
            why: format!("the answer is not the JSON wanted: {error}"),
        })
    }
}

fn answered(
    url: &str,
    answer: Result<Response<Body>, ureq::Error>,
) -> Result<Vec<u8>, ClientError> {
    let unreached = |why: String| ClientError::Unreached {
        url: url.to_owned(),
        why,
    };
    let answer = answer.map_err(|error| unreached(error.to_string()))?;
    let status = answer.status();
    let is_problem = answer
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|it| it == MEDIA_TYPE);
    let mut bytes = Vec::new();
    let mut body = answer.into_body().into_reader().take(ANSWER_BYTES_MAX + 1);
    body.read_to_end(&mut bytes)
        .map_err(|error| unreached(error.to_string()))?;
    if body.limit() == 0 {
        return Err(ClientError::Unexpected {
            url: url.to_owned(),
            why: format!("more than {ANSWER_BYTES_MAX} bytes"),
        });
    }
    if status.is_success() {
        return Ok(bytes);
    }
    let document = if is_problem {
        serde_json::from_slice(&bytes).unwrap_or_default()
    } else {
        Value::Null
    };
    let mut problem = Refused {
        status: status.as_u16(),
        code: String::new(),
        document,
    };
    problem.code = problem.text("code").unwrap_or_default().to_owned();
    Err(ClientError::Refused {
        url: url.to_owned(),
        problem: Box::new(problem),
    })
}
