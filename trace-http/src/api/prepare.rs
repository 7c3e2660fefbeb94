//! `POST /v1/prepare`: the bytes to sign, so that a client needs Ed25519 and
//! nothing else.
//!
//! It fills in sequence, link, subjects, and the commitments of sections under
//! fresh salts. Nothing is stored: what is not signed and sent never was. A
//! client that does not trust the server decodes the bytes before it signs.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use trace_core::{
    error::{Invalid, Rule},
    record::{
        Body, Hash, Statement, base64,
        kinds::kind_by_name,
        section::{Opening, Openings, Person},
        sign::KeyId,
        wire::{PersonId, PersonRef, TokenId},
    },
};
use utoipa::ToSchema;

use super::{answer::found, office::Office, submitting::OpeningText};
use crate::{body::JsonBody, machine, problem::Problem};

/// What to state, and with which key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PrepareOrder {
    /// The key's id, 64 hexadecimal digits.
    key: String,
    /// The kind's name, one of `/v1/kinds`.
    #[schema(example = "unit_created")]
    kind: String,
    /// The body's fields by name, without the commitments `trade` and
    /// `persons`.
    #[schema(value_type = Object)]
    statement: Value,
    /// The trade section's fields by name, where the kind has one.
    #[schema(value_type = Option<Object>)]
    trade: Option<Value>,
    /// The persons named, in order.
    #[serde(default)]
    persons: Vec<PersonOrder>,
    /// When it is signed, milliseconds since the epoch; now where left out.
    signed_at_ms: Option<u64>,
}

/// A natural person to be named by a record.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonOrder {
    /// The random id under which an earlier record named the same person, 32
    /// hexadecimal digits; a new one where left out.
    person: Option<String>,
    /// Name, 1 to 50 characters.
    name: String,
    /// Telephone, 5 to 20 characters.
    phone: Option<String>,
    /// Identity document number, up to 30 characters.
    identity_number: Option<String>,
}

/// What to sign and what to send along.
#[derive(Debug, Serialize, ToSchema)]
pub struct PreparedAnswer {
    /// The exact bytes to sign with Ed25519, base 64.
    bytes: String,
    /// Their SHA-256: the record's hash.
    #[schema(value_type = String)]
    hash: Hash,
    /// The sequence they state.
    sequence: u64,
    /// The link they state.
    #[schema(value_type = String)]
    link: Hash,
    /// What opens the trade section: to be sent with the record.
    trade: Option<OpeningText>,
    /// What opens the personal sections, in order: to be sent with the record.
    persons: Vec<OpeningText>,
    /// The ids of the persons, in order.
    person_ids: Vec<String>,
}

impl PersonOrder {
    /// The person's reference in a record, with what opens it.
    ///
    /// # Errors
    /// [`Rule::Record`] for an id that is none, [`Rule::Text`] naming the
    /// field.
    pub fn seal(self) -> Result<(PersonRef, Opening), Invalid> {
        let person = match self.person {
            Some(text) => text.parse()?,
            None => PersonId(machine::random()),
        };
        let section = Person {
            name: self.name,
            phone: self.phone,
            identity_number: self.identity_number,
        };
        section.check()?;
        let opening = Opening::new(machine::random(), &section);
        let commitment = opening.commitment();
        Ok((PersonRef { person, commitment }, opening))
    }
}

/// Where the list `persons` of a kind stands, within which field of the body;
/// the empty name is the body itself.
const PERSONS_WITHIN: &[(&str, &str)] = &[
    ("entity_registered", ""),
    ("electronic_traceability_certificate", ""),
    ("conformity_certificate_2021", ""),
    ("conformity_certificate_2026_producer", ""),
    ("conformity_certificate_2026_buyer", "certificate"),
    ("quarantine_animal", "elements"),
    ("quarantine_product", "elements"),
    ("warehouse_booked", ""),
    ("inspection", ""),
];

/// Where a kind's statement holds the commitment to its trade section, for those
/// that hold it within a field.
const TRADE_WITHIN: &[(&str, &str)] = &[
    ("quarantine_animal", "elements"),
    ("quarantine_product", "elements"),
    ("warehouse_entered", "entry"),
];

/// Where a kind's statement says which token acted, for those that say it within a
/// field.
const ACTED_WITHIN: &[(&str, &str)] = &[
    ("conformity_certificate_2026_buyer", "certificate"),
    ("quarantine_animal", "elements"),
    ("quarantine_product", "elements"),
    ("warehouse_entered", "entry"),
];

/// `POST /v1/prepare`.
pub async fn prepare(
    State(office): State<Arc<Office>>,
    JsonBody(order): JsonBody<PrepareOrder>,
) -> Result<Response, Problem> {
    // A ledger that only reads may be older than its signers' receipts: it must
    // not tell them which sequence to sign.
    office.writer()?;
    let view = office.view();
    let key: KeyId = order.key.parse()?;
    // The first record of a ledger names its own keys.
    if view.size() > 0 && view.key(&key)?.is_none() {
        return Err(Invalid::new(Rule::KeyUnknown, format!("key {key} is not enrolled")).into());
    }
    let said = order.statement;
    let Assembled {
        body,
        person_ids,
        openings,
    } = assemble(&order.kind, said, order.trade, order.persons)?;
    let chain = view.chain(&key)?;
    let signed_at_ms = order.signed_at_ms.unwrap_or_else(|| office.now_ms());
    let origin = view.origin().clone();
    let (sequence, link) = (chain.sequence, chain.link);
    let bytes = Statement::new(origin, key, sequence, link, signed_at_ms, &body).encode();
    found(&PreparedAnswer {
        hash: Hash::of(&[&bytes]),
        bytes: base64::encode(&bytes),
        sequence,
        link,
        trade: openings.trade.as_ref().map(OpeningText::from),
        person_ids: person_ids.iter().map(PersonId::to_string).collect(),
        persons: openings.persons.iter().map(OpeningText::from).collect(),
    })
}

/// A body with the commitments of its sections, and what opens them.
pub(super) struct Assembled {
    /// The body.
    pub(super) body: Body,
    /// The persons it names, in order.
    pub(super) person_ids: Vec<PersonId>,
    /// What opens its sections.
    pub(super) openings: Openings,
}

/// Makes a body of its fields by name and of its sections, under fresh salts.
///
/// # Errors
/// [`Rule::Statement`], [`Rule::Kind`](trace_core::error::Rule), or the rule of a
/// section's field.
pub(super) fn assemble(
    kind: &str,
    mut statement: Value,
    trade: Option<Value>,
    persons: Vec<PersonOrder>,
) -> Result<Assembled, Invalid> {
    let persons = persons.into_iter().map(PersonOrder::seal);
    let persons: Vec<(PersonRef, Opening)> = persons.collect::<Result<_, _>>()?;
    let trade = match trade {
        None | Some(Value::Null) => None,
        Some(trade) => {
            let bytes = Body::trade_from_json(kind, trade)?;
            let salt = machine::random();
            Some(Opening { salt, bytes })
        }
    };
    if let Some(trade) = &trade {
        let within = TRADE_WITHIN.iter().find(|(name, _)| *name == kind);
        let place = place_in(kind, &mut statement, within.map_or("", |(_, at)| at))?;
        put(place, "trade", json!(trade.commitment()))?;
    }
    place_persons(kind, &mut statement, &persons)?;
    let body = Body::from_json(kind, statement)?;
    let (references, persons): (Vec<PersonRef>, _) = persons.into_iter().unzip();
    let person_ids = references
        .iter()
        .map(|reference| reference.person)
        .collect();
    Ok(Assembled {
        body,
        person_ids,
        openings: Openings { trade, persons },
    })
}

/// Says which token acts, where a kind of record says it.
///
/// # Errors
/// [`Rule::Statement`] where the client says so itself.
pub(super) fn place_token(
    kind: &str,
    statement: &mut Value,
    token: TokenId,
) -> Result<(), Invalid> {
    let within = ACTED_WITHIN.iter().find(|(name, _)| *name == kind);
    let place = place_in(kind, statement, within.map_or("", |(_, at)| at))?;
    put(place, "acted_by", json!(token))
}

fn place_persons(
    kind: &str,
    statement: &mut Value,
    persons: &[(PersonRef, Opening)],
) -> Result<(), Invalid> {
    let Some((_, within)) = PERSONS_WITHIN.iter().find(|(name, _)| *name == kind) else {
        // An unknown kind is named as such where the body is read.
        return match (persons.is_empty(), kind_by_name(kind)) {
            (false, Some(_)) => Err(wrong(format!("{kind} names no persons"))),
            _ => Ok(()),
        };
    };
    let place = place_in(kind, statement, within)?;
    let references: Vec<&PersonRef> = persons.iter().map(|(person, _)| person).collect();
    put(place, "persons", json!(references))
}

/// The statement itself, or a field of it.
fn place_in<'a>(
    kind: &str,
    statement: &'a mut Value,
    within: &str,
) -> Result<&'a mut Value, Invalid> {
    match within {
        "" => Ok(statement),
        field => statement
            .get_mut(field)
            .ok_or_else(|| wrong(format!("{kind}: missing field `{field}`"))),
    }
}

/// Puts a commitment where the client left it out.
fn put(place: &mut Value, field: &str, value: Value) -> Result<(), Invalid> {
    let fields = place
        .as_object_mut()
        .ok_or_else(|| wrong("a statement is an object".into()))?;
    match fields.insert(field.to_owned(), value) {
        None => Ok(()),
        Some(_) => Err(wrong(format!(
            "`{field}` is filled in here: leave it out of the statement"
        ))),
    }
}

fn wrong(what: String) -> Invalid {
    Invalid::new(Rule::Statement, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use trace_core::record::kinds;

    #[test]
    fn every_kind_that_names_persons_has_a_place_for_them_and_no_other_has() {
        let schemas = kinds::schemas();
        for kind in schemas.as_array().unwrap() {
            let name = kind["name"].as_str().unwrap();
            let names_persons = kind["public"].to_string().contains("\"PersonRef\"");
            let has_place = PERSONS_WITHIN.iter().any(|(known, _)| *known == name);
            assert_eq!(has_place, names_persons, "{name}");
        }
    }

    #[test]
    fn every_kind_that_says_which_token_acted_has_one_place_for_it() {
        let schemas = kinds::schemas();
        let mut without = Vec::new();
        for kind in schemas.as_array().unwrap() {
            let name = kind["name"].as_str().unwrap();
            let within = ACTED_WITHIN.iter().find(|(known, _)| *known == name);
            let mut statement = json!({});
            if let Some((_, field)) = within {
                statement[*field] = json!({});
            }
            place_token(name, &mut statement, TokenId([7; 8])).unwrap();
            let refused = Body::from_json(name, statement).unwrap_err().what;
            if refused.contains("unknown field `acted_by`") {
                without.push(name.to_owned());
            }
        }
        // Those of a root's or an operator's own key, for whom no token acts.
        let own = [
            "ledger_opened",
            "lookups_sealed",
            "rule_set_adopted",
            "tolerance_adopted",
            "temperature_policy_adopted",
            "complaint_received",
        ];
        assert_eq!(without, own);
    }

    #[test]
    fn what_is_filled_in_here_is_not_taken_from_the_client() {
        let mut statement = json!({});
        put(&mut statement, "trade", json!("x")).unwrap();
        assert_eq!(statement, json!({"trade": "x"}));
        let refused = put(&mut statement, "trade", json!("y")).unwrap_err();
        assert_eq!(refused.rule, Rule::Statement);
        assert!(put(&mut json!([]), "trade", json!("x")).is_err());
    }
}
