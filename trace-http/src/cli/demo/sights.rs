//! What a demo's guest is told: addresses worth opening, commands worth typing.

use std::path::Path;

use super::marks::Marks;
use crate::cli::{Manner, manner::table};

/// What can be done with a demo in a folder.
#[must_use]
pub fn in_folder(marks: &Marks, data: &Path, manner: &Manner) -> String {
    let data = data.display();
    let mut lines = head(marks, manner);
    lines.push(table(&codes(marks, manner)));
    lines.push(String::new());
    lines.extend(refused(marks, manner));
    lines.push(
        manner
            .of("Look, take the evidence, check it:", "查询、取证、核验:")
            .to_owned(),
    );
    lines.push(format!(
        "  {} show {} --data {data}",
        program(),
        marks.valid
    ));
    lines.push(format!(
        "  {} bundle {} --data {data} --out bundle.json",
        program(),
        marks.valid
    ));
    lines.push(format!(
        "  {} verify bundle.json --anchor {}",
        program(),
        marks.anchor
    ));
    lines.push(format!("  {} audit --data {data}", program()));
    lines.join("\n")
}

/// What can be done with a demo that is served.
#[must_use]
pub fn at_address(marks: &Marks, address: &str, manner: &Manner) -> String {
    let mut lines = head(marks, manner);
    let mut rows: Vec<Vec<String>> = codes(marks, manner)
        .into_iter()
        .map(|row| match row.as_slice() {
            [what, code] => vec![what.clone(), format!("{address}/t/{}", compact(code))],
            _ => row,
        })
        .collect();
    rows.push(vec![
        manner.of("the issuer", "签发主体").to_owned(),
        format!("{address}/v1/entities/{}", marks.entity),
    ]);
    rows.push(vec![
        manner.of("the API's description", "接口说明").to_owned(),
        format!("{address}/openapi.json"),
    ]);
    lines.push(table(&rows));
    lines.push(String::new());
    lines.extend(refused(marks, manner));
    lines.push(
        manner
            .of(
                "Take the evidence and check it without the server:",
                "取证并脱离服务器核验:",
            )
            .to_owned(),
    );
    lines.push(format!(
        "  curl -o bundle.json {address}/v1/codes/{}/bundle",
        compact(&marks.valid)
    ));
    lines.push(format!(
        "  {} verify bundle.json --anchor {}",
        program(),
        marks.anchor
    ));
    lines.push(String::new());
    lines.push(
        manner
            .of(
                "Pages for those who sign in, each with its token (they are the API's too):",
                "登录后使用的页面及其令牌(亦可用于接口):",
            )
            .to_owned(),
    );
    let row = |name: &str, page: &str, token: &str| {
        let page = format!("{address}{page}");
        vec![format!("  {name}"), page, token.to_owned()]
    };
    lines.push(table(&[
        row(
            manner.of("inspector", "监管人员"),
            "/inspect",
            &marks.inspector_token,
        ),
        row(manner.of("producer", "生产者"), "/issue", &marks.producer.1),
        row(
            manner.of("authority", "主管部门"),
            "/authority",
            &marks.authority.1,
        ),
        row(
            manner.of("cold store", "冷库"),
            "/issue",
            &marks.cold_store.1,
        ),
    ]));
    lines.push(format!(
        "  TRACE_TOKEN=... {} issue --server {address} --product 韭菜 --product-class 蔬菜 \\\n    \
         --quantity '12.5 斤' --produced-on {} --origin-place 固安县 --basis 自行检测合格",
        program(),
        manner.of("DATE", "日期")
    ));
    lines.join("\n")
}

/// The program as it was called, so that what is printed can be typed.
fn program() -> String {
    std::env::args()
        .next()
        .unwrap_or_else(|| "trace".to_owned())
}

fn head(marks: &Marks, manner: &Manner) -> Vec<String> {
    let records = marks.records;
    vec![
        manner.of(
            format!(
                "A made-up city: {records} records. Nothing in it is real; its keys are public."
            ),
            format!("虚构城市:{records} 条记录。内容均非真实,密钥公开。"),
        ),
        manner.of(
            format!("Anchor: {}", marks.anchor),
            format!("信任锚:{}", marks.anchor),
        ),
        String::new(),
    ]
}

fn codes(marks: &Marks, manner: &Manner) -> Vec<Vec<String>> {
    let named = [
        (manner.of("valid", "有效"), Some(&marks.valid)),
        (manner.of("voided", "已作废"), marks.voided.as_ref()),
        (manner.of("superseded", "已更正"), marks.superseded.as_ref()),
        (manner.of("recalled", "召回中"), marks.recalled.as_ref()),
        (manner.of("kept cold", "温度达标"), marks.kept.as_ref()),
        (
            manner.of("temperature exceeded", "曾超温"),
            marks.exceeded.as_ref(),
        ),
        (
            manner.of("temperature unknown for a time", "温度记录有缺口"),
            marks.gaps.as_ref(),
        ),
    ];
    let there = named
        .into_iter()
        .filter_map(|(what, code)| Some(vec![what.to_owned(), code?.clone()]));
    there.collect()
}

/// What was tried in vain, with the rules' own words.
fn refused(marks: &Marks, manner: &Manner) -> Vec<String> {
    if marks.refused.is_empty() {
        return Vec::new();
    }
    let head = manner.of(
        "Cheating was tried, and refused; none of it stands in the log:",
        "曾尝试以下作弊,均被拒绝,日志中并无这些记录:",
    );
    let mut lines = vec![head.to_owned()];
    for refused in &marks.refused {
        let (tried, said) = (&refused.tried, &refused.said);
        lines.push(format!("  {}", manner.of(&tried.0, &tried.1)));
        lines.push(format!("    {}", manner.of(&said.0, &said.1)));
    }
    lines.push(String::new());
    lines
}

fn compact(code: &str) -> String {
    code.replace('-', "")
}
