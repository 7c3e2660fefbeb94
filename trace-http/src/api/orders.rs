//! Orders: what a bearer of a token has the server state and sign with its
//! entity's hosted key.
//!
//! Each order is a request of its own name, the `Idempotency-Key`. The first
//! time it makes its records, whole or not at all; every other time it is
//! answered from the records that stand in the log, whatever became of the
//! connection, the server or the day in between.

use std::sync::Arc;

use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde::{Serialize, de::DeserializeOwned};
use trace_core::{
    error::{Invalid, Rule},
    ident::EntityId,
    ledger::{
        View,
        job::{Item, Job, JobRequest, Outcome},
        tokens::TokenGrant,
    },
    proof::receipt::Receipt,
    record::{Body, Hash, rights::Registry, wire::TokenId},
};
use utoipa::ToSchema;

use super::{
    answer::{json, to_json},
    bearer::Bearer,
    office::Office,
    receipts::{problem_of, receipt},
    submitting::unavailable,
};
use crate::{
    body::{JsonBytes, parse_json},
    problem::{Problem, Refusal},
};

/// Longest `Idempotency-Key`: a UUID with a word before it.
const KEY_LENGTH_MAX: usize = 64;

/// An order as it came: who gives it, by which name, and what is wanted.
#[derive(Debug)]
pub struct Order<T> {
    /// By whom and by which name.
    pub given: Given,
    /// What.
    pub wanted: T,
}

/// Who gives an order, and its name.
#[derive(Debug, Clone)]
pub struct Given {
    /// With which token.
    pub token: TokenGrant,
    /// In whose name it is signed.
    pub entity: EntityId,
    request: JobRequest,
}

/// What an order made, read back from the log.
#[derive(Debug)]
pub struct Fulfilled {
    /// The bodies, in order, with where each stands.
    pub records: Vec<(Body, OrderRecord)>,
    /// Whether it had been made before.
    pub is_repeat: bool,
}

/// A record that an order made.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrderRecord {
    /// Its index, for ever.
    pub index: u64,
    /// Its hash.
    #[schema(value_type = String)]
    pub hash: Hash,
    /// Its kind.
    #[schema(example = "unit_created")]
    pub kind: &'static str,
    /// That it stands in the log, to be kept: see the schema `Receipt`.
    #[schema(value_type = Object)]
    pub receipt: Receipt,
}

impl Given {
    /// The token's public id, which every record of the order names.
    #[must_use]
    pub fn acted_by(&self) -> Option<TokenId> {
        Some(self.token.id)
    }

    /// A statement in the entity's name.
    #[must_use]
    pub fn state(
        &self,
        body: impl Into<Body>,
        openings: trace_core::record::section::Openings,
    ) -> Item {
        Item::Hosted {
            entity: self.entity,
            body: Box::new(body.into()),
            openings,
        }
    }
}

impl<T: DeserializeOwned> FromRequest<Arc<Office>> for Order<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, office: &Arc<Office>) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let Bearer(token) = Bearer::from_request_parts(&mut parts, office).await?;
        acting(&token)?;
        let key = idempotency_key(&parts.headers)?;
        office.writer()?;
        let (method, path) = (parts.method.clone(), parts.uri.path().to_owned());
        let request = Request::from_parts(parts, body);
        let JsonBytes(bytes) = JsonBytes::from_request(request, &()).await?;
        Self::read(token, key, (method.as_str(), &path), &bytes)
    }
}

impl<T: DeserializeOwned> Order<T> {
    /// An order by the holder of a token, named `key`, as JSON: what a client
    /// sent, or what a page's form was filled in with.
    ///
    /// # Errors
    /// [`Rule::Right`] where the token names no entity; [`Refusal::IdempotencyKey`];
    /// as of [`parse_json`].
    pub(crate) fn read(
        token: TokenGrant,
        key: String,
        (method, path): (&str, &str),
        bytes: &[u8],
    ) -> Result<Self, Problem> {
        let entity = acting(&token)?;
        check_key(&key)?;
        let request = JobRequest {
            entity,
            key,
            request_hash: request_hash(method, path, bytes),
        };
        let given = Given {
            token,
            entity,
            request,
        };
        let wanted = parse_json(bytes)?;
        Ok(Self { given, wanted })
    }
}

/// In whose name a token signs.
fn acting(token: &TokenGrant) -> Result<EntityId, Invalid> {
    token.grant.entity.ok_or_else(|| {
        let what = "the token names no entity, so nothing can be signed with it";
        Invalid::new(Rule::Right, what)
    })
}

/// Two requests are the same when method, path and every byte of the body are.
fn request_hash(method: &str, path: &str, body: &[u8]) -> Hash {
    Hash::of(&[method.as_bytes(), b" ", path.as_bytes(), b"\n", body])
}

fn idempotency_key(headers: &HeaderMap) -> Result<String, Problem> {
    let mut given = headers.get_all("idempotency-key").iter();
    let wrong = |what: &str| Problem::new(Refusal::IdempotencyKey).detail(what);
    let key = given.next().ok_or_else(|| wrong("there is none"))?;
    if given.next().is_some() {
        return Err(wrong("there is more than one"));
    }
    let key = key
        .to_str()
        .map_err(|_| wrong("it holds what is not printable ASCII"))?;
    check_key(key)?;
    Ok(key.to_owned())
}

fn check_key(key: &str) -> Result<(), Problem> {
    match (1..=KEY_LENGTH_MAX).contains(&key.len()) {
        true => Ok(()),
        false => {
            let what = format!("it has {} characters", key.len());
            Err(Problem::new(Refusal::IdempotencyKey).detail(what))
        }
    }
}

impl Office {
    /// What an order made: read back where it was fulfilled before, else drafted
    /// now and made, whole or not at all.
    ///
    /// # Errors
    /// [`Rule::IdempotencyReused`] when its name named another order; whatever
    /// `draft` refuses; [`Rule::Right`] when the token's role may not sign one of
    /// the records or is not its entity's; the first rule that refuses.
    pub async fn carry_out<T, D>(
        &self,
        order: Order<T>,
        draft: impl FnOnce(Arc<View>, Given, T) -> D,
    ) -> Result<Fulfilled, Problem>
    where
        D: Future<Output = Result<Vec<Item>, Problem>>,
    {
        let Order { given, wanted } = order;
        let view = self.view();
        if let Some(fulfilled) = self.fulfilled_before(&view, &given)? {
            return Ok(fulfilled);
        }
        let items = draft(view, given.clone(), wanted).await?;
        self.fulfil(given, items).await
    }

    fn fulfilled_before(&self, view: &View, given: &Given) -> Result<Option<Fulfilled>, Problem> {
        let request = &given.request;
        let Some(known) = view.request(&request.entity, &request.key)? else {
            return Ok(None);
        };
        if known.request_hash != request.request_hash {
            let what = format!(
                "{:?} named another request, answered at index {}",
                request.key, known.last_index
            );
            return Err(Invalid::new(Rule::IdempotencyReused, what).into());
        }
        read_back(view, known.indexes(), true).map(Some)
    }

    async fn fulfil(&self, given: Given, items: Vec<Item>) -> Result<Fulfilled, Problem> {
        check_role_held(&self.view(), &given)?;
        for item in &items {
            within_role(&given.token, item)?;
        }
        let job = Job {
            items,
            atomic: true,
            request: Some(given.request),
        };
        let answered = self.submit(job).await?;
        let mut indexes = Vec::with_capacity(answered.outcomes.len());
        let mut is_repeat = true;
        let mut refused = None;
        for outcome in &answered.outcomes {
            match outcome {
                Outcome::Admitted(admitted) => {
                    is_repeat &= admitted.is_duplicate;
                    indexes.push(admitted.index);
                }
                Outcome::Refused(refusal) => {
                    let is_cause = refusal.invalid.rule != Rule::Group;
                    if is_cause && refused.is_none() {
                        refused = Some(problem_of(refusal));
                    }
                }
                Outcome::Unavailable(why) => return Err(unavailable(why)),
            }
        }
        match refused {
            Some(problem) => Err(problem),
            None => read_back(&answered.view, indexes, is_repeat),
        }
    }
}

/// A token ends with its role: whoever is left with another role acts in that by
/// another token.
fn check_role_held(view: &View, given: &Given) -> Result<(), Problem> {
    let role = given.token.grant.role;
    let held = view.folded().entity(&given.entity)?;
    if held.is_some_and(|held| held.grants.iter().any(|own| own.role == role)) {
        return Ok(());
    }
    let what = format!("the token is made for {role}, a role that its entity does not hold");
    Err(Invalid::new(Rule::Right, what).into())
}

/// A token acts in the role it was made for, not in every role that its entity
/// holds.
fn within_role(token: &TokenGrant, item: &Item) -> Result<(), Invalid> {
    let body = match item {
        Item::Hosted { body, .. } => body,
        Item::Signed { record, .. } => record.body(),
    };
    let (kind, role) = (body.kind(), token.grant.role);
    if kind.signers.contains(&role) {
        return Ok(());
    }
    let what = format!(
        "the token is made for {role}, who does not sign {}",
        kind.name
    );
    Err(Invalid::new(Rule::Right, what))
}

fn read_back(
    view: &View,
    indexes: impl IntoIterator<Item = u64>,
    is_repeat: bool,
) -> Result<Fulfilled, Problem> {
    let mut records = Vec::new();
    for index in indexes {
        let (entry, receipt) = receipt(view, index)?;
        let body = entry.signed.body()?;
        let record = OrderRecord {
            index,
            hash: entry.signed.hash(),
            kind: body.kind().name,
            receipt,
        };
        records.push((body, record));
    }
    Ok(Fulfilled { records, is_repeat })
}

impl Fulfilled {
    /// What the first of the bodies that says it says.
    ///
    /// # Errors
    /// [`Rule::IdempotencyReused`] where none does: the name is known, and named
    /// an order of another sort. Its hash holds the path, so this cannot be
    /// reached by a client.
    pub fn said<T>(&self, what: &str, say: impl Fn(&Body) -> Option<T>) -> Result<T, Invalid> {
        let said = self.records.iter().find_map(|(body, _)| say(body));
        said.ok_or_else(|| Invalid::new(Rule::IdempotencyReused, format!("no {what}")))
    }

    /// Where each record stands, without the bodies.
    #[must_use]
    pub fn into_records(self) -> Vec<OrderRecord> {
        self.records.into_iter().map(|(_, record)| record).collect()
    }
}

/// 201 the first time, 200 with the same records ever after.
///
/// # Errors
/// As of [`to_json`].
pub fn made<T: Serialize>(is_repeat: bool, answer: &T) -> Result<Response, Problem> {
    let status = match is_repeat {
        true => StatusCode::OK,
        false => StatusCode::CREATED,
    };
    Ok(json(status, to_json(answer)?))
}

/// Reads a field's own text, naming the field where it is missing.
///
/// # Errors
/// [`Rule::Statement`].
pub fn wanted<T>(field: &str, value: Option<T>) -> Result<T, Invalid> {
    value.ok_or_else(|| Invalid::new(Rule::Statement, format!("`{field}` is wanted")))
}
