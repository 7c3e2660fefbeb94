//! A ledger behind a server, as the command line speaks to it.
//!
//! Records signed with an own key travel in their binary form; with a token
//! the server's orders are used, under an idempotency key of their own, so that
//! a lost answer can be asked for again and nothing is issued twice. What a
//! server shows is not believed here: `trace verify` checks it.

use std::time::Duration;

use serde_json::{Map, Value, json};
use trace_core::{
    error::{Invalid, Rule},
    ident::{EquipmentId, LEDGER_OFFSET_MINUTES, TraceCode, format_ms},
    record::{
        Body, Hash, Origin, encode,
        kinds::conformity_certificate_2026_buyer::BuyerTrade,
        section::{Openings, Person},
        sign::KeyId,
        submission::Submission,
        warehouse::{WarehouseEntry, WarehouseTrade},
    },
};
use zeroize::Zeroizing;

use super::{
    Failure,
    local::Denied,
    manner::at,
    voice::{Said, Stands},
};
use crate::{
    api::certificates::elements_of,
    client::{Client, ClientError},
    language::Language,
    loggers::Mapping,
    machine,
    sheet::grid::SheetFormat,
};

/// How often an order is sent when no answer comes.
const ATTEMPTS: usize = 3;
/// How often readings are sent again to a server whose disk is behind.
const BUSY_ATTEMPTS: usize = 30;
/// What the server says to wait: its `Retry-After`.
const BUSY_PAUSE: Duration = Duration::from_secs(1);

/// A ledger behind a server.
#[derive(Debug)]
pub struct Remote {
    client: Client,
    origin: Option<Origin>,
}

impl Remote {
    /// The ledger behind the server at this address.
    ///
    /// # Errors
    /// [`Failure::Server`] when that is no address.
    pub fn new(
        address: &str,
        token: Option<Zeroizing<String>>,
        language: Language,
    ) -> Result<Self, Failure> {
        let client = Client::new(address, language)?;
        let client = match token {
            Some(token) => client.with_token(token),
            None => client,
        };
        Ok(Self {
            client,
            origin: None,
        })
    }

    /// The ledger's name, the first line of its checkpoint.
    ///
    /// # Errors
    /// When the server is not reached, or shows none.
    pub fn origin(&mut self) -> Result<Origin, Failure> {
        if let Some(origin) = &self.origin {
            return Ok(origin.clone());
        }
        let note = self.client.get("/checkpoint")?.unwrap_or_default();
        let note = String::from_utf8_lossy(&note);
        let first = note.lines().next().unwrap_or_default();
        let origin = Origin::parse(first)?;
        self.origin = Some(origin.clone());
        Ok(origin)
    }

    /// Where a key's chain stands: the sequence and the link to sign next.
    ///
    /// # Errors
    /// When the key is not enrolled, or the server is not reached.
    pub fn chain_state(&self, key: &KeyId) -> Result<(u64, Hash), Failure> {
        // Preparing any statement tells where the chain stands, and stores
        // nothing; this kind has the fewest fields.
        let order = json!({
            "key": key.to_string(),
            "kind": "lookups_sealed",
            "statement": { "count": 0, "head": Hash::ZERO.to_string() },
        });
        let answer: Value = self.client.post_json("/v1/prepare", None, &order)?;
        let link = at(&answer, "/link").as_str().and_then(Hash::from_hex);
        let state = at(&answer, "/sequence").as_u64().zip(link);
        state.ok_or_else(|| unexpected("/v1/prepare", "it names no sequence and link"))
    }

    /// Sends signed records, all or nothing.
    ///
    /// # Errors
    /// [`Denied`], naming the record to blame.
    pub fn send(&self, submissions: &[Submission]) -> Result<Vec<Stands>, Denied> {
        let mut bytes = Vec::new();
        for submission in submissions {
            submission.encode_into(&mut bytes);
        }
        let path = "/v1/records?atomic=true";
        // The same bytes are the same records: sending them again is harmless.
        let answer = self.again(|| self.client.post(path, &bytes));
        let answer = answer.map_err(blame)?;
        let answer: Value = serde_json::from_slice(&answer)
            .map_err(|error| unexpected(path, &error.to_string()))?;
        let results = at(&answer, "/results").as_array();
        let stands: Vec<Stands> = results
            .into_iter()
            .flatten()
            .filter_map(|result| stands(at(result, "/admitted")))
            .collect();
        match stands.len() == submissions.len() {
            true => Ok(stands),
            false => Err(unexpected(path, "not every record is answered").into()),
        }
    }

    /// Issues a unit with its certificate, by the token; under which trace code,
    /// and where the records stand.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn issue(&self, said: &[Said]) -> Result<(TraceCode, Vec<Stands>), Denied> {
        let path = "/v1/certificates";
        let (answer, stands) = self.order(path, &certificate_order(said)?)?;
        let code = at(&answer, "/trace_code").as_str().map(TraceCode::parse);
        let code = code.transpose()?;
        let code = code.ok_or_else(|| unexpected(path, "it names no trace code"))?;
        Ok((code, stands))
    }

    /// Registers an entity with its roles, by the token; the server's answer,
    /// and where the registration stands.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn register(&self, order: &Value) -> Result<(Value, Vec<Stands>), Denied> {
        self.order("/v1/entities", order)
    }

    /// Says one thing, by the token.
    ///
    /// # Errors
    /// [`Denied`]; what a server takes no order for is a usage error.
    pub fn say(&self, said: &Said) -> Result<Vec<Stands>, Denied> {
        let (_, stands) = match &said.body {
            Body::WarehouseIn(body) => {
                self.order("/v1/warehouse/in", &move_order(&body.0, &said.openings)?)
            }
            Body::WarehouseOut(body) => {
                self.order("/v1/warehouse/out", &move_order(&body.0, &said.openings)?)
            }
            Body::Voided(body) => {
                let mut order = Map::new();
                match &body.number {
                    Some(number) => order.insert("number".into(), json!(number)),
                    None => order.insert("unit".into(), json!(body.unit.to_string())),
                };
                order.insert("reason".into(), json!(body.reason));
                self.order("/v1/void", &order.into())
            }
            other => {
                return Err(Failure::Usage(format!(
                    "a token signs no {} here: give --key FILE with your own key",
                    other.kind().name
                ))
                .into());
            }
        }?;
        Ok(stands)
    }

    /// What is true of a trace code, with its story.
    ///
    /// # Errors
    /// When the server is not reached or refuses.
    pub fn code(&self, code: &TraceCode) -> Result<Option<Value>, Failure> {
        self.code_from(code, 0)
    }

    /// The same, with the story from an index on.
    ///
    /// # Errors
    /// When the server is not reached or refuses.
    pub fn code_from(&self, code: &TraceCode, from: u64) -> Result<Option<Value>, Failure> {
        let path = format!("/v1/codes/{}?from={from}", code.compact());
        Ok(self.client.get_json(&path)?)
    }

    /// What is true of a certificate's unit. The number has been checked: it
    /// holds nothing that a path could not.
    ///
    /// # Errors
    /// When the number is none; when the server is not reached or refuses.
    pub fn certificate(&self, number: &str) -> Result<Option<Value>, Failure> {
        trace_core::record::wire::check_number(number)?;
        Ok(self
            .client
            .get_json(&format!("/v1/certificates/{number}"))?)
    }

    /// The file at a path.
    ///
    /// # Errors
    /// When the server is not reached or refuses.
    pub fn file(&self, path: &str) -> Result<Option<Vec<u8>>, Failure> {
        Ok(self.client.get(path)?)
    }

    /// The file that an order asks for.
    ///
    /// # Errors
    /// When the server is not reached or refuses.
    pub fn post_for_file(&self, path: &str, order: &Value) -> Result<Vec<u8>, Failure> {
        Ok(self.client.post_for_file(path, order)?)
    }

    /// The bundle of a trace code.
    ///
    /// # Errors
    /// When the server is not reached or refuses.
    pub fn bundle(&self, code: &TraceCode) -> Result<Option<Vec<u8>>, Failure> {
        let path = format!("/v1/codes/{}/bundle", code.compact());
        Ok(self.client.get(&path)?)
    }

    /// The JSON at a path, or nothing where the server has nothing there.
    ///
    /// # Errors
    /// When the server is not reached or refuses.
    pub fn json(&self, path: &str) -> Result<Option<Value>, Failure> {
        Ok(self.client.get_json(path)?)
    }

    /// The sheet at a path, as a file.
    ///
    /// # Errors
    /// When the server is not reached or refuses.
    pub fn sheet(&self, path: &str, format: SheetFormat) -> Result<Option<Vec<u8>>, Failure> {
        Ok(self.client.get_as(path, format.media_range())?)
    }

    /// Stores a document; what the server says of it.
    ///
    /// # Errors
    /// When the server is not reached or refuses.
    pub fn put_document(&self, bytes: &[u8]) -> Result<Value, Failure> {
        let path = "/v1/documents";
        let answer = self.again(|| self.client.post(path, bytes))?;
        serde_json::from_slice(&answer).map_err(|error| unexpected(path, &error.to_string()))
    }

    /// The document with this hash, or nothing where it is not shown.
    ///
    /// # Errors
    /// When the server is not reached or refuses.
    pub fn document(&self, hash: &Hash) -> Result<Option<Vec<u8>>, Failure> {
        Ok(self.client.get(&format!("/v1/documents/{hash}"))?)
    }

    /// What stands where in the files of this equipment, where that is saved.
    ///
    /// # Errors
    /// When the server is not reached or refuses.
    pub fn mapping(&self, equipment: &EquipmentId) -> Result<Option<Mapping>, Failure> {
        let path = format!("/v1/equipment/{equipment}/mapping");
        Ok(self.client.get_json(&path)?)
    }

    /// Saves what stands where in the files of this equipment.
    ///
    /// # Errors
    /// When the server is not reached or refuses.
    pub fn save_mapping(&self, equipment: &EquipmentId, mapping: &Mapping) -> Result<(), Failure> {
        let path = format!("/v1/equipment/{equipment}/mapping");
        let _: Value = self.again(|| self.client.post_json(&path, None, mapping))?;
        Ok(())
    }

    /// Sends readings in their binary form: how many are fresh, and how many were
    /// known. A server whose disk is behind is asked again, as it says.
    ///
    /// # Errors
    /// When the server is not reached or refuses, or stays behind.
    pub fn append_readings(&self, bytes: &[u8]) -> Result<(u64, u64), Failure> {
        let path = "/v1/readings";
        let mut answer = self.again(|| self.client.post(path, bytes));
        for _ in 0..BUSY_ATTEMPTS {
            match &answer {
                Err(ClientError::Refused { problem, .. }) if problem.status == 429 => {
                    std::thread::sleep(BUSY_PAUSE);
                    answer = self.again(|| self.client.post(path, bytes));
                }
                _ => break,
            }
        }
        let answer: Value = serde_json::from_slice(&answer?)
            .map_err(|error| unexpected(path, &error.to_string()))?;
        let count = |name| at(&answer, name).as_u64();
        count("/fresh")
            .zip(count("/known"))
            .ok_or_else(|| unexpected(path, "it names no counts"))
    }

    /// Gives an order by the token; the server's answer, and where its records
    /// stand.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn order(&self, path: &str, order: &Value) -> Result<(Value, Vec<Stands>), Denied> {
        let name = Hash::of(&[&machine::random::<16>()]).to_string();
        let name = name.get(..32).unwrap_or(&name);
        let answer: Value = self
            .again(|| self.client.post_json(path, Some(name), order))
            .map_err(blame)?;
        let records = at(&answer, "/records").as_array();
        let stands: Vec<Stands> = records.into_iter().flatten().filter_map(stands).collect();
        match stands.is_empty() {
            true => Err(unexpected(path, "it names no record").into()),
            false => Ok((answer, stands)),
        }
    }

    /// Asks again where no answer came: whatever is asked here is the same
    /// request, however often it arrives.
    fn again<T>(&self, ask: impl Fn() -> Result<T, ClientError>) -> Result<T, ClientError> {
        let mut answer = ask();
        for _ in 1..ATTEMPTS {
            match answer {
                Err(ClientError::Unreached { .. }) => answer = ask(),
                other => return other,
            }
        }
        answer
    }
}

/// Text as a value of a query (RFC 3986, section 2.3): all but unreserved
/// characters escaped.
#[must_use]
pub fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

fn unexpected(path: &str, why: &str) -> Failure {
    Failure::Machine(format!(
        "{path}: the server's answer is not as wanted: {why}"
    ))
}

/// The refusal of a request, with the record to blame where it tells.
fn blame(error: ClientError) -> Denied {
    let place = match &error {
        ClientError::Refused { problem, .. } => {
            let results = at(&problem.document, "/results").as_array();
            results.and_then(|results| {
                let is_to_blame = |result: &Value| {
                    let code = at(result, "/refused/code").as_str();
                    code.is_some_and(|code| code != Rule::Group.code())
                };
                results.iter().position(is_to_blame)
            })
        }
        _ => None,
    };
    // A rule's own refusal is one here too, so that a table goes on after it.
    let failure = match refused_rule(&error) {
        Some(invalid) => invalid.into(),
        None => error.into(),
    };
    Denied { place, failure }
}

fn refused_rule(error: &ClientError) -> Option<Invalid> {
    let ClientError::Refused { problem, .. } = error else {
        return None;
    };
    // These say something of the server or the token, not of the record.
    const OF_THE_REQUEST: [Rule; 2] = [Rule::Busy, Rule::Token];
    let rule = Rule::ALL.iter().find(|rule| rule.code() == problem.code)?;
    if OF_THE_REQUEST.contains(rule) {
        return None;
    }
    let detail = at(&problem.document, "/detail")
        .as_str()
        .unwrap_or_default();
    Some(Invalid::new(*rule, super::manner::plain(detail)))
}

fn stands(record: &Value) -> Option<Stands> {
    Some(Stands {
        index: at(record, "/index").as_u64()?,
        hash: Hash::from_hex(at(record, "/hash").as_str()?)?,
    })
}

/// The order that makes the same unit and certificate; the code, and the salts
/// of sections, are the server's to draw.
fn certificate_order(said: &[Said]) -> Result<Value, Failure> {
    let [
        Said {
            body: Body::UnitCreated(unit),
            ..
        },
        certificate,
    ] = said
    else {
        return Err(Failure::Usage(
            "a unit and its certificate are wanted".to_owned(),
        ));
    };
    let (elements, form) = elements_of(&certificate.body)
        .ok_or_else(|| Failure::Usage("a certificate is wanted".to_owned()))?;
    let mut order = json!({
        "product": unit.product,
        "product_class": unit.product_class,
        "quantity": unit.quantity,
        "origin": unit.origin_place,
        "produced_on": unit.produced_on,
        "beginning": unit.beginning,
        "durability": unit.durability,
        "foreign_codes": unit.foreign_codes,
        "specification": unit.specification,
        "storage": unit.storage,
        "gtin": unit.gtin,
        "lot": unit.lot,
        "origin_area": unit.origin_area,
        "issued_on": elements.issued_on,
        "expires_on": elements.expires_on,
        "form": form,
        "bases": elements.bases,
        "number": elements.number,
    });
    let openings = &certificate.openings;
    if let (Some(person), Some(opening)) = (elements.persons.first(), openings.persons.first()) {
        let Person {
            name,
            phone,
            identity_number,
        } = encode::decode("personal section", &opening.bytes)?;
        put(
            &mut order,
            "contact",
            json!({
                "person": person.person.to_string(),
                "name": name,
                "phone": phone,
                "identity_number": identity_number,
            }),
        );
    }
    if let Some(opening) = &openings.trade {
        let BuyerTrade { collected } = encode::decode("trade section", &opening.bytes)?;
        put(&mut order, "collected", json!(collected));
    }
    Ok(order)
}

fn put(order: &mut Value, name: &str, value: Value) {
    if let Some(fields) = order.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}

fn move_order(entry: &WarehouseEntry, openings: &Openings) -> Result<Value, Failure> {
    let opening = openings
        .trade
        .as_ref()
        .ok_or_else(|| Failure::Usage("an entry's trade section is wanted".to_owned()))?;
    let trade: WarehouseTrade = encode::decode("trade section", &opening.bytes)?;
    Ok(json!({
        "unit": entry.unit.to_string(),
        "quantity": trade.quantity,
        "at": format_ms(entry.at_ms, LEDGER_OFFSET_MINUTES),
        "temperature_milli_c": entry.temperature_milli_c,
        "counterparty": trade.counterparty.map(|entity| entity.to_string()),
        "counterparty_name": trade.counterparty_name,
        "position": trade.position,
        "vehicle": trade.vehicle,
    }))
}
