//! `/openapi.json`: the table of routes and the types of requests and answers,
//! as OpenAPI 3.1 has them. Nothing is described twice: what a route is stands
//! in the table, what a type is at the type.

use std::sync::LazyLock;

use axum::response::Response;
use serde_json::{Value, json};
use utoipa::OpenApi;

use super::{
    alerts,
    answer::fixed,
    balance, balances, certificates, cold, complaints, corrections, documents, entities, evidence,
    halting, labels, lineage, orders, prepare, proofs, questions, reading, readings, receipts,
    routes::{Caller, Content, ROUTES, Route},
    scans, schemas, statements, submitting, warehouse,
};
use crate::{
    charset,
    label::LabelForm,
    loggers::{mapping, table},
    problem::MEDIA_TYPE,
    sheet::grid::SheetFormat,
};

#[derive(OpenApi)]
#[openapi(components(schemas(
    alerts::AcknowledgeOrder,
    alerts::AlertLine,
    alerts::AlertsAnswer,
    balance::BalanceAnswer,
    balance::BalanceLine,
    balance::HolderLine,
    balances::PeriodBalance,
    balances::ProductLine,
    certificates::CertificateOrder,
    certificates::CertificateAnswer,
    certificates::DurabilityOrder,
    certificates::Links,
    cold::ColdAnswer,
    cold::EquipmentAnswer,
    cold::EquipmentLine,
    cold::EquipmentOrder,
    cold::PlaceOrder,
    cold::SealOrder,
    cold::TakeOutOrder,
    complaints::ComplaintLine,
    complaints::ComplaintOrder,
    complaints::ComplaintTaken,
    complaints::ComplaintsAnswer,
    corrections::SupersedeOrder,
    corrections::VoidAnswer,
    corrections::VoidOrder,
    statements::StatementAnswer,
    statements::StatementOrder,
    documents::DocumentStored,
    entities::EntityMade,
    entities::EntityOrder,
    entities::RoleOrder,
    evidence::EvidenceAnswer,
    evidence::InspectionOrder,
    evidence::RectifiedOrder,
    evidence::SampleOrder,
    halting::HaltAnswer,
    halting::HoldOrder,
    halting::RecallClosedOrder,
    halting::RecallOrder,
    halting::ReleaseOrder,
    labels::LabelsOrder,
    lineage::Amount,
    lineage::TestsLine,
    lineage::TraceAnswer,
    lineage::TraceOpen,
    lineage::TracedEdge,
    lineage::TracedUnit,
    lineage::Way,
    orders::OrderRecord,
    prepare::PersonOrder,
    prepare::PrepareOrder,
    prepare::PreparedAnswer,
    proofs::ConsistencyAnswer,
    proofs::InclusionAnswer,
    questions::OpenQuestion,
    questions::QuestionsAnswer,
    reading::AnchorAnswer,
    reading::UnitLine,
    reading::UnitsAnswer,
    readings::FileRead,
    readings::ProbeReadings,
    readings::ReadingsOrder,
    readings::ReadingsTaken,
    receipts::AdmittedRecord,
    receipts::RecordResult,
    receipts::RefusedRecord,
    scans::ScanLine,
    scans::ScansAnswer,
    submitting::OpeningText,
    submitting::RecordsOrder,
    submitting::ResultsAnswer,
    submitting::SignedRecord,
    warehouse::MoveAnswer,
    warehouse::MoveOrder,
    charset::Charset,
    mapping::Column,
    mapping::Decimal,
    mapping::Degrees,
    mapping::Delimiter,
    mapping::Mapping,
    mapping::ProbeColumn,
    mapping::TemperatureColumn,
    table::Complaint,
)))]
struct Types;

/// Query parameters, headers and parts of addresses, each with what it means.
const PARAMETERS: &[(&str, &str, &str)] = &[
    (
        "about",
        "string",
        "`quantities`, unexplained ones, as where left out; `transfers` not received in time; \
         `certificates` about to be overspent; `volumes` that jumped; `expired` certificates used; \
         `findings` overdue",
    ),
    (
        "after",
        "string",
        "The last index or code that came, or what the answer says to give (a sheet says it in its header \
         `trace-next-after`, where there is more); what follows it is wanted",
    ),
    (
        "*link",
        "string",
        "The rest of a GS1 Digital Link: GTIN, then 10/LOT, then 21/SERIAL",
    ),
    (
        "linkType",
        "string",
        "`linkset` for all links, or one of GS1's link types; the page of the unit where left out",
    ),
    ("t", "string", "The trace code on the label"),
    ("area", "string", "Six digits of GB/T 2260"),
    (
        "ask",
        "string",
        "A trace code, a certificate's number, a pasted address, an entity's or a piece of equipment's id",
    ),
    (
        "lang",
        "string",
        "`zh` or `en`; the reader's Accept-Language where left out",
    ),
    (
        "ask",
        "string",
        "A trace code, certificate number, pasted address, entity or equipment",
    ),
    ("code", "string", "The code of an invitation"),
    (
        "made",
        "string",
        "The trace code of what was issued just now",
    ),
    (
        "copy",
        "string",
        "The number of a certificate to make another like",
    ),
    (
        "corrects",
        "string",
        "The number of a certificate to be replaced",
    ),
    (
        "next",
        "string",
        "The page to come back to after signing in",
    ),
    ("atomic", "boolean", "Whether one refusal refuses all"),
    (
        "before",
        "integer",
        "Older records of the story, before this index; complaints before this number",
    ),
    ("format", "string", "`csv` or `xlsx`"),
    (
        "act",
        "string",
        "`hold`, `release`, `recall`, `recall-closed`, `inspection`, `sample` or `rectified`",
    ),
    (
        "of",
        "string",
        "About what: a trace code, an entity's id, or the hash of a record",
    ),
    (
        "position",
        "integer",
        "Which finding of the inspection, from 0",
    ),
    ("complaint", "integer", "A complaint's number"),
    (
        "code",
        "string",
        "A trace code, with or without hyphens; or another system's code",
    ),
    ("depth", "integer", "Steps at most; all where left out"),
    (
        "direction",
        "string",
        "`forward`, to what was made of it, as where left out; or `back`",
    ),
    (
        "equipment",
        "string",
        "Of a logger's file: the probe, or the equipment for which its mapping is saved",
    ),
    (
        "mapping",
        "string",
        "Of a logger's file: what stands where, JSON of the schema `Mapping`; the saved one where left out",
    ),
    (
        "rows",
        "string",
        "`all`, refused whole where one is wrong, as where left out; or `valid`, those that are right",
    ),
    (
        "first_day",
        "string",
        "The first civil date of the period; the ledger's first where left out",
    ),
    ("entity", "string", "Only what concerns this entity"),
    ("file", "string", "The script's name, which names its bytes"),
    (
        "policy",
        "string",
        "Code of the temperature policy by which it is judged",
    ),
    (
        "sort",
        "string",
        "Only alerts of this sort: `excursion`, `silent` or `calibration_overdue`",
    ),
    ("from", "integer", "The index, or the size, to begin with"),
    ("gtin", "string", "A GTIN of 8 to 14 digits"),
    (
        "hash",
        "string",
        "A record's or document's hash, 64 hexadecimal digits",
    ),
    ("id", "string", "An entity's id"),
    ("index", "integer", "An index in the log"),
    (
        "last_day",
        "string",
        "The last civil date of the period; today where left out",
    ),
    (
        "limit",
        "integer",
        "At most so many, 1 to 100; units of a lineage and products of a balance, 1 to 1,000",
    ),
    ("lot", "string", "A batch as its maker writes it"),
    ("number", "string", "A certificate's number"),
    ("on", "string", "A civil date; today where left out"),
    (
        "purpose",
        "string",
        "What a full look-up is for, up to 80 characters; logged with it",
    ),
    (
        "size",
        "string",
        "A size that the log had, the present one where left out; of a label `a4`, `40x60`, `58` or `80`, `40x60` where left out",
    ),
    (
        "signed",
        "boolean",
        "Whether the label for inspectors is wanted, which carries the signed record itself",
    ),
    (
        "standing",
        "string",
        "`open`, `due`, `overdue` or `closed`; all where left out",
    ),
    (
        "to",
        "integer",
        "The larger size; the present one where left out",
    ),
    (
        "until",
        "string",
        "A time of RFC 3339: only what was made until then; all where left out",
    ),
    (
        "version",
        "integer",
        "Which published formula; the newest where left out",
    ),
];

/// The document.
#[must_use]
pub fn description() -> Value {
    let mut paths = serde_json::Map::new();
    for route in ROUTES {
        let item = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Some(item) = item.as_object_mut() {
            item.insert(route.method.to_owned(), operation(route));
        }
    }
    let mut types = serde_json::to_value(Types::openapi()).unwrap_or_default();
    let mut schemas = types
        .pointer_mut("/components/schemas")
        .map(Value::take)
        .unwrap_or_default();
    if let Some(schemas) = schemas.as_object_mut() {
        schemas.extend(schemas::of_core());
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "trace",
            "summary": "A ledger of food records that nobody has to take on trust",
            "version": env!("CARGO_PKG_VERSION"),
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {
                "type": "http",
                "scheme": "bearer",
                "description": "trt_ and what follows, as the operator made it",
            }, "session": {
                "type": "apiKey",
                "in": "cookie",
                "name": "trace_session",
                "description": "What POST /sign-in keeps in the browser; pages alone take it",
            }},
        },
    })
}

fn operation(route: &Route) -> Value {
    let in_path = route.path.split('/').filter_map(|part| {
        let name = part.strip_prefix('{')?.strip_suffix('}')?;
        Some(parameter(name, "path", true))
    });
    let in_query = route
        .query
        .iter()
        .map(|name| parameter(name, "query", false));
    let mut parameters: Vec<Value> = in_path.chain(in_query).collect();
    if route.caller == Caller::Bearer {
        parameters.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": true,
            "description": "1 to 64 printable characters; the same ones when the same request is sent again",
            "schema": {"type": "string", "minLength": 1, "maxLength": 64},
        }));
    }
    let (status, what) = match route.method {
        "post" if !["/v1/prepare", "/v1/labels"].contains(&route.path) => {
            ("201", "Made; 200 where it had been made before")
        }
        _ => ("200", "The answer"),
    };
    let id = format!("{} {}", route.method, route.path);
    let mut operation = json!({
        "operationId": id,
        "summary": route.summary,
        "tags": [match route.caller {
            Caller::Anyone => "anyone",
            Caller::Signer => "signers",
            Caller::SignedIn => "who signed in",
            Caller::Token | Caller::Bearer => "bearers of tokens",
        }],
        "parameters": parameters,
        "responses": {
            status: {"description": what, "content": content(route.gives)},
            "default": {
                "description": "Refused: why, and what to do about it",
                "content": match route.gives {
                    Content::Page => content(Content::Page),
                    _ => json!({MEDIA_TYPE: {"schema": reference("Problem")}}),
                },
            },
        },
        "security": match route.caller {
            Caller::SignedIn => json!([{"session": []}]),
            Caller::Token | Caller::Bearer => json!([{"token": []}]),
            Caller::Anyone if route.query.contains(&"purpose") => json!([{}, {"token": []}]),
            Caller::Anyone | Caller::Signer => json!([]),
        },
    });
    if route.takes != Content::Nothing
        && let Some(operation) = operation.as_object_mut()
    {
        let body = json!({"required": true, "content": content(route.takes)});
        operation.insert("requestBody".into(), body);
    }
    operation
}

fn parameter(name: &str, place: &str, required: bool) -> Value {
    let known = PARAMETERS.iter().find(|(known, _, _)| *known == name);
    let (kind, what) = known.map_or(("string", ""), |(_, kind, what)| (*kind, *what));
    json!({
        "name": name, "in": place, "required": required,
        "description": what, "schema": {"type": kind},
    })
}

fn content(content: Content) -> Value {
    match content {
        Content::Nothing => json!({}),
        Content::Json(name) => json!({"application/json": {"schema": reference(name)}}),
        Content::RecordsOr(name) => json!({
            "application/octet-stream": {"schema": {
                "type": "string", "format": "binary",
                "description": "For each record, integers big-endian: length (4), signed bytes, algorithm (1), \
                    signature (64); whether a trade opening follows (1); how many personal openings follow (1); \
                    each opening as salt (16), length (4), section",
            }},
            "application/json": {"schema": reference(name)},
        }),
        Content::Form => {
            json!({"application/x-www-form-urlencoded": {"schema": {"type": "object"}}})
        }
        Content::ReadingsOr(name) => json!({
            "application/octet-stream": {"schema": {
                "type": "string", "format": "binary",
                "description": "`trace/readings/v1\\n`, then integers big-endian: how many probes (4); for each its \
                    id (10), how many readings (4), each reading as time in ms (8) and thousandths of a degree C (4)",
            }},
            "text/csv": {"schema": {
                "type": "string",
                "description": "A file as a logger exports it, read by the mapping given or saved for `equipment`",
            }},
            "application/json": {"schema": reference(name)},
        }),
        Content::Linkset => json!({"application/linkset+json": {"schema": {
            "type": "object",
            "description": "All links (RFC 9264); where one unit is meant and none of this is asked for, a redirect",
        }}}),
        Content::Note => json!({"text/plain": {"schema": {"type": "string"}}}),
        Content::Page => json!({"text/html": {"schema": {"type": "string"}}}),
        Content::Picture => json!({"image/svg+xml": {"schema": {"type": "string"}}}),
        Content::Script => json!({"text/javascript": {"schema": {"type": "string"}}}),
        Content::SheetOr(name) => json!({
            "application/json": {"schema": reference(name)},
            "text/csv": {"schema": {
                "type": "string",
                "description": "UTF-8 behind a byte order mark, a line for each row; wanted by Accept",
            }},
            SheetFormat::Xlsx.media_range(): {"schema": {
                "type": "string", "format": "binary",
                "description": "The same rows for a spreadsheet; wanted by Accept",
            }},
        }),
        Content::Sheet => json!({
            "text/csv": {"schema": {"type": "string"}},
            SheetFormat::Xlsx.media_range(): {"schema": {"type": "string", "format": "binary"}},
        }),
        Content::Label(form) => json!({form.media_type(): binary()}),
        Content::Labels => {
            let forms = LabelForm::ALL.iter();
            forms
                .map(|form| (form.media_type().to_owned(), binary()))
                .collect()
        }
        Content::Document => json!({
            "application/pdf": {"schema": {"type": "string", "format": "binary"}},
            "image/jpeg": {"schema": {"type": "string", "format": "binary"}},
            "image/png": {"schema": {"type": "string", "format": "binary"}},
        }),
    }
}

fn binary() -> Value {
    json!({"schema": {"type": "string", "format": "binary"}})
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// `GET /openapi.json`.
pub async fn document() -> Response {
    static TEXT: LazyLock<String> = LazyLock::new(|| description().to_string());
    fixed("application/json", TEXT.as_str())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_route_is_described_and_nothing_else_is() {
        let description = description();
        let mut described = BTreeSet::new();
        for (path, item) in description["paths"].as_object().unwrap() {
            for method in item.as_object().unwrap().keys() {
                described.insert((method.clone(), path.clone()));
            }
        }
        let table: BTreeSet<_> = ROUTES
            .iter()
            .map(|route| (route.method.to_owned(), route.path.to_owned()))
            .collect();
        assert_eq!(described, table);
        assert_eq!(table.len(), ROUTES.len(), "a route stands twice");
    }

    #[test]
    fn every_reference_leads_to_a_schema_and_every_schema_is_used() {
        let description = description();
        let text = description.to_string();
        let used: BTreeSet<&str> = text
            .split("\"#/components/schemas/")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        let schemas = description["components"]["schemas"].as_object().unwrap();
        let known: BTreeSet<&str> = schemas.keys().map(String::as_str).collect();
        assert_eq!(used, known);
    }

    #[test]
    fn every_parameter_says_what_it_means() {
        for route in ROUTES {
            for parameter in operation(route)["parameters"].as_array().unwrap() {
                let what = parameter["description"].as_str().unwrap();
                assert!(!what.is_empty(), "{} {parameter}", route.path);
            }
        }
    }
}
