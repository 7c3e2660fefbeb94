//! Schemas of what the core answers. Its types know nothing of HTTP, so what
//! they look like in JSON stands here; a test asks the server and compares.

use serde_json::{Map, Value, json};

/// Every schema, by name.
pub(super) fn of_core() -> Map<String, Value> {
    let all = json!({
        "UnitAnswer": object("A trace unit: what is true now, and how it came to that", json!({
            "code": code(),
            "status": {"type": "string", "enum": statuses()},
            "status_words": {"type": "string"},
            "status_words_zh": {"type": "string"},
            "cold_chain": {"type": "string", "enum": ["kept", "exceeded", "gaps", "not_monitored"]},
            "reasons": list("Reason"),
            "replaced_by": {"anyOf": [
                object("Where the new certificate is", json!({"code": code(), "number": {"type": "string"}})),
                {"type": "null"},
            ]},
            "judged_on": {"type": "string", "format": "date", "description": "The civil date of the judgement"},
            "records": list("RecordAnswer"),
            "next_index": {"type": ["integer", "null"], "description": "Give this as `from` for the next page"},
            "checkpoint": note(),
        })),
        "Reason": object("One line of the checklist behind a status", json!({
            "check": {"type": "string"},
            "holds": {"type": ["boolean", "null"], "description": "null where nothing recorded could tell"},
            "words": {"type": "string"},
            "words_zh": {"type": "string"},
            "index": {"type": ["integer", "null"], "description": "The record that decided"},
        })),
        "RecordAnswer": open_object("One record with its proof", json!({
            "index": {"type": "integer"},
            "hash": hash(),
            "kind": {"type": "string", "description": "One of /v1/kinds"},
            "kind_zh": {"type": "string"},
            "admitted_at": {"type": "string", "format": "date-time"},
            "signed_at": {"type": "string", "format": "date-time"},
            "signer": object("Who signed", json!({
                "entity": {"type": "string"},
                "name": {"type": ["string", "null"]},
                "key": hash(),
                "is_hosted": {"type": "boolean"},
            })),
            "is_disputed": {"type": "boolean", "description": "Whether the signer's key is reported compromised here"},
            "statement": {"type": "object", "description": "The public fields, as the kind's schema has them"},
            "entry": {"type": "string", "contentEncoding": "base64", "description": "The entry's exact bytes"},
            "path": {"type": "array", "items": {"type": "string", "contentEncoding": "base64"},
                "description": "From its leaf to the checkpoint's root"},
        }), json!({
            "trade": {"type": "object", "description": "The trade section, for those with a right"},
            "persons": list("PersonAnswer"),
        })),
        "PersonAnswer": open_object("A person named by a record: masked, or whole for those with a right", json!({
            "person": {"type": "string"},
            "name": {"type": "string"},
            "phone": {"type": ["string", "null"]},
        }), json!({"identity_number": {"type": "string"}})),
        "RecordsAnswer": object("A page of records", json!({
            "records": list("RecordAnswer"),
            "next_index": {"type": ["integer", "null"]},
            "checkpoint": note(),
        })),
        "EntityAnswer": object("An entity", json!({
            "entity": {"type": "string"},
            "category": {"type": "string"},
            "name": {"type": ["string", "null"], "description": "null for natural persons"},
            "area": {"type": "string"},
            "roles": {"type": "array", "items": object("A role held", json!({
                "role": {"type": "string"}, "area": {"type": "string"},
            }))},
            "records": list("RecordAnswer"),
            "checkpoint": note(),
        })),
        "FindingsAnswer": object("Findings of inspections, and how they stand on a day", json!({
            "on": {"type": "string", "format": "date"},
            "count": object("How many stand how, whatever the standing asked for", json!({
                "open": {"type": "integer"}, "due": {"type": "integer"},
                "overdue": {"type": "integer"}, "closed": {"type": "integer"},
            })),
            "findings": list("FindingAnswer"),
            "has_more": {"type": "boolean", "description": "The next page begins after the last finding: give its `index-position` as `after`"},
        })),
        "FindingAnswer": object("One finding", json!({
            "entity": {"type": "string"},
            "inspection": hash(),
            "index": {"type": "integer", "description": "The inspection's, in the log"},
            "position": {"type": "integer", "description": "Which of its findings, from 0"},
            "item": {"type": ["string", "null"]},
            "problem": {"type": "string"},
            "found_on": {"type": "string", "format": "date"},
            "due_on": {"type": "string", "format": "date"},
            "standing": {"type": "string", "enum": ["open", "due", "overdue", "closed"]},
            "standing_zh": {"type": "string"},
            "rectified_on": {"type": ["string", "null"], "format": "date"},
            "rectified_index": {"type": ["integer", "null"]},
        })),
        "Kept": object("How a unit was kept cold", json!({
            "state": {"type": "string", "enum": ["kept", "exceeded", "gaps", "not_monitored"],
                "description": "The worst that is true of any stay"},
            "stays": list("KeptStay"),
            "outside_stays_ms": {"type": "integer", "description": "Time in no equipment between its first and its last stay: at a door or a dock, or without refrigeration"},
            "outside_stays": {"type": "array", "description": "When that was", "items": object("A run of time", json!({
                "from_ms": {"type": "integer"}, "until_ms": {"type": "integer"},
            }))},
        })),
        "KeptStay": object("How it was kept in one place", json!({
            "equipment": {"type": "string"},
            "entity": {"type": "string"},
            "from_ms": {"type": "integer"},
            "until_ms": {"type": "integer", "description": "Its end, or now"},
            "is_open": {"type": "boolean"},
            "placed_index": {"type": "integer"},
            "policy": {"type": "string"},
            "version": {"type": "integer"},
            "low_milli_c": {"type": ["integer", "null"]},
            "high_milli_c": {"type": ["integer", "null"]},
            "source": {"type": "string", "description": "Whose rule the policy is"},
            "is_confirmed": {"type": "boolean", "description": "Whether its numbers were read there"},
            "probes": {"type": "array", "items": {"type": "string"}},
            "sealed_until_ms": {"type": ["integer", "null"], "description": "Until when all its probes' readings are bound by records"},
            "verdict": {"$ref": "#/components/schemas/TemperatureVerdict"},
        })),
        "TemperatureVerdict": object("The verdict over one stay", json!({
            "state": {"type": "string", "enum": ["kept", "exceeded", "gaps", "not_monitored"]},
            "readings": {"type": "integer"},
            "conflicts": {"type": "integer", "description": "Readings that contradict another of the same probe and time"},
            "extremes_milli_c": {"type": ["array", "null"], "items": {"type": "integer"}},
            "outside_ms": {"type": "integer"},
            "longest_outside_ms": {"type": "integer"},
            "milli_degree_minutes": {"type": "integer", "description": "How far outside, summed over its time, of all excursions"},
            "outside_within_window_ms": {"type": "integer"},
            "gap_ms": {"type": "integer", "description": "Time that no reading speaks for: never compliance"},
            "longest_gap_ms": {"type": "integer"},
            "excursions": list("Excursion"),
            "excursion_count": {"type": "integer"},
            "gaps": {"type": "array", "items": object("A run of time", json!({
                "from_ms": {"type": "integer"}, "until_ms": {"type": "integer"},
            }))},
            "gap_count": {"type": "integer"},
            "mean_kinetic_milli_c": {"type": ["integer", "null"], "description": "Informs; clears no breach"},
        })),
        "Excursion": object("A run outside the band", json!({
            "from_ms": {"type": "integer"},
            "until_ms": {"type": "integer"},
            "peak_milli_c": {"type": "integer"},
            "peak_at_ms": {"type": "integer"},
            "milli_degree_minutes": {"type": "integer", "description": "Thousandths of a degree times minutes"},
        })),
        "RecallSheet": object("Where everything is that was made of a unit, the largest amounts first", json!({
            "code": code(),
            "until": {"type": ["string", "null"], "format": "date-time"},
            "checkpoint": note(),
            "rows": list("RecallRow"),
            "totals": object("What the rows add up to", json!({
                "rows": {"type": "integer"},
                "units": {"type": "integer"},
                "holders": {"type": "integer", "description": "Entities that hold some or have some on its way"},
                "amounts": {"type": "object", "description": "Of each measure, how much is where, in base units"},
            })),
        })),
        "RecallRow": object("Some of the goods in one place", json!({
            "depth": {"type": "integer", "description": "Steps from what is recalled"},
            "code": code(),
            "product": {"type": "string"},
            "whereabouts": {"type": "string", "enum": ["held", "in_transit", "sold", "outside", "consumed",
                "destroyed", "returned", "lost", "unexplained"]},
            "amount": {"type": "integer", "description": "In base units"},
            "base": {"type": "string", "enum": ["gram", "millilitre", "piece"]},
            "since": {"type": ["string", "null"], "format": "date-time"},
            "entity": {"anyOf": [{"$ref": "#/components/schemas/RecallContact"}, {"type": "null"}]},
            "to": {"anyOf": [{"$ref": "#/components/schemas/RecallContact"}, {"type": "null"}]},
        })),
        "RecallContact": object("Whom to tell", json!({
            "entity": {"type": "string"},
            "name": {"type": ["string", "null"]},
            "area": {"type": "string"},
            "phone": {"type": ["string", "null"]},
        })),
        "GradeAnswer": object("The risk grade and credit grade of an entity, with every input", json!({
            "entity": {"type": "string"},
            "on": {"type": "string", "format": "date"},
            "first_day": {"type": "string", "format": "date", "description": "Of what was counted"},
            "version": {"type": "integer", "description": "Of the formula, as /v1/grading has it"},
            "risk": grade(),
            "risk_points": {"type": "integer", "description": "From 0 up"},
            "credit": grade(),
            "credit_points": {"type": "integer", "description": "Out of 100"},
            "lines": list("GradeLine"),
            "checkpoint": note(),
        })),
        "GradeLine": object("One input of a grade", term(json!({
            "count": {"type": "integer"},
            "risk_points": {"type": "integer", "description": "That it adds"},
            "credit_points": {"type": "integer", "description": "That it takes away"},
        }))),
        "GradingFormula": object("A formula of grades, as it was published", json!({
            "version": {"type": "integer"},
            "days": {"type": "integer", "description": "That are counted, up to the day"},
            "terms": {"type": "array", "items": object("What is counted", term(json!({})))},
            "risk_from": {"type": "array", "items": {"type": "integer"},
                "description": "From so many risk points on B, C, D"},
            "credit_from": {"type": "array", "items": {"type": "integer"},
                "description": "From so many credit points on A, B, C"},
        })),
        "Bundle": {"type": "object", "description": "One file that `trace verify` checks offline"},
        "Kinds": {"type": "array", "items": {"type": "object"},
            "description": "Each kind: number, name, who may sign, and the schemas of its sections"},
        "Resolver": {"type": "object",
            "description": "Which keys and link types are resolved here (GS1-Conformant Resolver Standard)"},
        "OpenApi": {"type": "object"},
        "Problem": open_object("Why it was refused (RFC 9457)", json!({
            "type": {"type": "string", "format": "uri-reference"},
            "status": {"type": "integer"},
            "code": {"type": "string", "description": "Stable; /problems lists all"},
            "title": {"type": "string"},
            "remedy": {"type": "string", "description": "What to do about it"},
        }), json!({
            "detail": {"type": "string"},
            "record": hash(),
            "expected_sequence": {"type": "integer"},
            "expected_link": hash(),
            "trace_status": {"type": "string", "enum": ["unknown", "malformed"]},
            "results": list("RecordResult"),
            "line": {"type": "integer"},
            "column": {"type": "integer"},
        })),
    });
    match all {
        Value::Object(all) => all,
        _ => Map::new(),
    }
}

fn grade() -> Value {
    json!({"type": "string", "enum": ["A", "B", "C", "D"]})
}

/// The fields of a formula's line, with more.
fn term(more: Value) -> Value {
    let mut fields = json!({
        "input": {"type": "string"},
        "words": {"type": "string"},
        "words_zh": {"type": "string"},
        "count_max": {"type": "integer", "description": "More count no further"},
        "risk_each": {"type": "integer"},
        "credit_each": {"type": "integer"},
    });
    if let (Some(fields), Value::Object(more)) = (fields.as_object_mut(), more) {
        fields.extend(more);
    }
    fields
}

fn statuses() -> Vec<&'static str> {
    let all = trace_core::record::Status::ALL.iter();
    all.map(|status| status.name()).collect()
}

fn code() -> Value {
    json!({"type": "string", "examples": ["000G-40R4-0M30-E209-P"]})
}

fn hash() -> Value {
    json!({"type": "string", "pattern": "^[0-9a-f]{64}$"})
}

fn note() -> Value {
    json!({"type": "string", "description": "The signed checkpoint that the proofs lead to"})
}

fn list(name: &str) -> Value {
    json!({"type": "array", "items": {"$ref": format!("#/components/schemas/{name}")}})
}

/// An object that has all of these fields.
fn object(what: &str, fields: Value) -> Value {
    open_object(what, fields, json!({}))
}

/// An object that has the first fields always and the others sometimes.
fn open_object(what: &str, always: Value, sometimes: Value) -> Value {
    let names = |fields: &Value| -> Vec<String> {
        fields
            .as_object()
            .map(|fields| fields.keys().cloned().collect())
            .unwrap_or_default()
    };
    let required = names(&always);
    let mut fields = always;
    if let (Some(fields), Value::Object(others)) = (fields.as_object_mut(), sometimes) {
        fields.extend(others);
    }
    json!({"type": "object", "description": what, "required": required, "properties": fields})
}
