//! The table of routes, the router and the description say the same.

use serde_json::{Value, json};
use trace_core::record::Role;
use trace_fixtures::Who;
use trace_http::api::routes::{Caller, ROUTES};

use crate::town::Town;

#[test]
fn every_route_of_the_table_is_served_and_takes_no_other_method() {
    let town = Town::new();
    for route in ROUTES {
        let path = route
            .path
            .replace("{gtin}", "6901234567892")
            .replace(['{', '}'], "");
        let answer = town.ask(&route.method.to_uppercase(), &path, "", b"");
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(
            !text.contains("route_unknown") && answer.status != 405,
            "{path}: {text}"
        );
        assert!(answer.status < 500, "{path}: {text}");
        town.ask("DELETE", &path, "", b"")
            .refused(405, "method_unsupported");
        if route.caller == Caller::Token {
            answer.refused(401, "token_wrong");
        }
        if route.caller == Caller::Bearer {
            let answer = town.post_json(&path, &json!({}));
            answer.refused(401, "token_wrong");
        }
    }
    town.get("/v1").refused(404, "route_unknown");
}

#[test]
fn what_the_server_describes_is_what_the_table_holds() {
    let town = Town::new();
    let description = town.get("/openapi.json").with(200).json();
    let mut described = 0;
    for (path, item) in description["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let is_known = |route: &&trace_http::api::routes::Route| {
                route.path == path && route.method == method
            };
            assert!(ROUTES.iter().find(is_known).is_some(), "{method} {path}");
            described += 1;
        }
    }
    assert_eq!(described, ROUTES.len());
}

/// Whether a value has the shape that a schema describes, as far as objects,
/// their fields, lists and simple types go.
fn fits(schemas: &Value, schema: &Value, value: &Value, place: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap();
        return fits(schemas, &schemas[name], value, &format!("{place}:{name}"));
    }
    for key in ["anyOf", "oneOf"] {
        if let Some(choices) = schema[key].as_array() {
            let chosen = choices
                .iter()
                .find(|it| (it["type"] == "null") == value.is_null());
            return fits(schemas, chosen.unwrap_or(&choices[0]), value, place);
        }
    }
    if let Some(items) = schema.get("items")
        && let Some(values) = value.as_array()
    {
        values
            .iter()
            .for_each(|value| fits(schemas, items, value, &format!("{place}[]")));
    }
    let Some(fields) = schema["properties"].as_object() else {
        return;
    };
    let object = value
        .as_object()
        .unwrap_or_else(|| panic!("{place}: {value}"));
    for name in schema["required"].as_array().into_iter().flatten() {
        assert!(
            object.contains_key(name.as_str().unwrap()),
            "{place}: no {name}"
        );
    }
    for (name, value) in object {
        let field = fields
            .get(name)
            .unwrap_or_else(|| panic!("{place}: {name} is not described"));
        fits(schemas, field, value, &format!("{place}.{name}"));
    }
}

#[test]
fn answers_have_the_shape_that_is_described() {
    let mut town = Town::new();
    let (unit, certified) = town.batch();
    town.store(&unit, "10 斤");
    let description = town.get("/openapi.json").with(200).json();
    let schemas = &description["components"]["schemas"];
    let check = |name: &str, value: &Value| {
        assert!(schemas[name].is_object(), "{name}");
        fits(schemas, &schemas[name], value, name);
    };
    let get = |path: String| town.get(&path).with(200).json();
    let code = unit.unit;
    let inspector = town.token(Who::Inspector, Role::Inspector);
    check("UnitAnswer", &get(format!("/v1/codes/{code}")));
    check(
        "UnitAnswer",
        &town
            .get_with(&format!("/v1/codes/{code}"), &inspector)
            .json(),
    );
    let full = |path: String| town.get_with(&path, &inspector).with(200).json();
    check("TraceAnswer", &full(format!("/v1/codes/{code}/trace")));
    check("TraceAnswer", &get(format!("/v1/codes/{code}/trace")));
    check("BalanceAnswer", &full(format!("/v1/codes/{code}/balance")));
    check("RecallSheet", &full(format!("/v1/codes/{code}/recall")));
    check("QuestionsAnswer", &full("/v1/questions".into()));
    let producer = town.world.id(Who::Producer);
    let of = |more: &str| format!("/v1/entities/{producer}/{more}");
    let area = town.world.entity(Who::Producer).area;
    check("PeriodBalance", &full(of("balance")));
    check("PeriodBalance", &full(format!("/v1/areas/{area}/balance")));
    check("GradeAnswer", &full(of("grade")));
    check("GradingFormula", &get("/v1/grading".into()));
    check(
        "FindingsAnswer",
        &get(format!(
            "/v1/entities/{}/findings",
            town.world.id(Who::Producer)
        )),
    );
    check("RecordsAnswer", &get("/v1/changes".into()));
    check(
        "EntityAnswer",
        &get(format!("/v1/entities/{}", town.world.id(Who::Producer))),
    );
    check("UnitsAnswer", &get("/v1/units/6901234567892/A".into()));
    check("AnchorAnswer", &get("/v1/anchor".into()));
    check(
        "InclusionAnswer",
        &get("/v1/proof/inclusion?index=0".into()),
    );
    check(
        "ConsistencyAnswer",
        &get("/v1/proof/consistency?from=1".into()),
    );
    check("Problem", &town.get("/v1/codes/x").json());
    check(
        "ResultsAnswer",
        &town
            .post_records("/v1/records", std::slice::from_ref(&certified))
            .json(),
    );
    let producer = town.token(Who::Producer, Role::Producer);
    let order = json!({"unit": code.to_string(), "quantity": "1 斤"});
    check(
        "Problem",
        &town
            .order("/v1/certificates", &producer, "x", &order)
            .json(),
    );
    let order = json!({
        "product": "黄瓜", "product_class": "vegetable", "quantity": "1 斤", "origin": "廊坊",
        "produced_on": town.world.today().to_string(),
    });
    let made = town
        .order("/v1/certificates", &producer, "y", &order)
        .with(201)
        .json();
    check("CertificateAnswer", &made);
}
