//! An answer about a trace code as people read it: the status, the checklist,
//! the story as a table. From the answer's JSON, so that a folder and a server
//! are shown the same way.

use serde_json::Value;

use super::{
    Manner,
    manner::{at, plain, table},
};

/// The whole answer for people.
#[must_use]
pub fn told(answer: &Value, manner: &Manner) -> String {
    let text = |value: &Value| plain(value.as_str().unwrap_or_default());
    let status = text(at(answer, manner.of("/status_words", "/status_words_zh")));
    let mut lines = vec![format!(
        "{}  {status}  ({})",
        text(at(answer, "/code")),
        text(at(answer, "/judged_on"))
    )];
    for reason in array(at(answer, "/reasons")) {
        let mark = match at(reason, "/holds").as_bool() {
            Some(true) => "✓",
            Some(false) => "✗",
            None => "–",
        };
        let words = text(at(reason, manner.of("/words", "/words_zh")));
        lines.push(format!("  {mark} {words}"));
    }
    if let Some(new) = at(answer, "/replaced_by").as_object() {
        let part = |name: &str| new.get(name).map(&text).unwrap_or_default();
        let (code, number) = (part("code"), part("number"));
        lines.push(manner.of(
            format!("  → replaced by certificate {number}, trace code {code}"),
            format!("  → 已由合格证 {number} 替代,追溯码 {code}"),
        ));
    }
    let mut rows = vec![
        manner
            .of(
                ["index", "admitted", "record", "signed by", "says"],
                ["序号", "收录时间", "记录", "签名者", "内容"],
            )
            .map(str::to_owned)
            .to_vec(),
    ];
    for record in array(at(answer, "/records")) {
        let name = text(at(record, "/signer/name"));
        let signer = match name.is_empty() {
            true => text(at(record, "/signer/entity")),
            false => name,
        };
        let disputed = match at(record, "/is_disputed").as_bool() {
            Some(true) => manner.of(" (disputed)", "(存疑)"),
            _ => "",
        };
        rows.push(vec![
            at(record, "/index").to_string(),
            minutes(&text(at(record, "/admitted_at"))),
            text(at(record, manner.of("/kind", "/kind_zh"))),
            format!("{signer}{disputed}"),
            gist(record, manner),
        ]);
    }
    lines.push(String::new());
    lines.push(table(&rows));
    if let Some(next) = at(answer, "/next_index").as_u64() {
        lines.push(manner.of(
            format!("... and more, from index {next} on"),
            format!("……后续自序号 {next} 起"),
        ));
    }
    lines.join("\n")
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A time of RFC 3339 without its seconds and offset.
fn minutes(instant: &str) -> String {
    let minutes = instant.get(..16).unwrap_or(instant);
    minutes.replace('T', " ")
}

/// What a record says, in a line.
fn gist(record: &Value, manner: &Manner) -> String {
    let statement = at(record, "/statement");
    let within = ["certificate", "elements"].iter();
    let elements = within.filter_map(|name| statement.get(name)).next();
    let elements = elements.unwrap_or(statement);
    let of = |name: &str| at(elements, &format!("/{name}")).as_str().map(plain);
    let mut parts: Vec<String> = Vec::new();
    match at(record, "/kind").as_str().unwrap_or_default() {
        "unit_created" => {
            parts.extend(of("product"));
            parts.extend(of("quantity"));
            parts.extend(of("origin_place"));
            parts
                .extend(of("lot").map(|lot| manner.of(format!("lot {lot}"), format!("批号{lot}"))));
            parts.extend(
                of("produced_on")
                    .map(|on| manner.of(format!("produced {on}"), format!("生产日期{on}"))),
            );
        }
        "warehouse_in" | "warehouse_out" => {
            if let Some(milli) = at(statement, "/temperature_milli_c").as_i64() {
                parts.push(degrees(milli));
            }
            parts.extend(at(record, "/trade/quantity").as_str().map(plain));
        }
        "voided" | "superseded" => {
            parts.extend(of("number"));
            parts.extend(of("replacement_number").map(|number| format!("→ {number}")));
            parts.extend(of("reason"));
        }
        _ => {
            parts.extend(of("number"));
            parts.extend(of("quantity"));
            parts.extend(
                of("issued_on")
                    .map(|on| manner.of(format!("issued {on}"), format!("开具日期{on}"))),
            );
        }
    }
    for person in array(at(record, "/persons")) {
        let part = |name: &str| at(person, &format!("/{name}")).as_str().map(plain);
        parts.extend(part("name"));
        parts.extend(part("phone"));
    }
    parts.join(", ")
}

/// Milli-degrees as degrees, exactly.
fn degrees(milli: i64) -> String {
    let sign = if milli < 0 { "-" } else { "" };
    let (whole, thousandths) = (milli.unsigned_abs() / 1000, milli.unsigned_abs() % 1000);
    let fraction = format!("{thousandths:03}");
    let fraction = match fraction.trim_end_matches('0') {
        "" => "0",
        digits => digits,
    };
    format!("{sign}{whole}.{fraction} °C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degrees_are_shown_exactly() {
        for (milli, shown) in [
            (-18_500, "-18.5 °C"),
            (0, "0.0 °C"),
            (-1, "-0.001 °C"),
            (2_050, "2.05 °C"),
        ] {
            assert_eq!(degrees(milli), shown);
        }
    }
}
