//! Tables of certificates as they are typed and saved: issued by the program
//! itself, in temporary folders.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![allow(dead_code, reason = "the city serves more tests than these")]

mod cli {
    pub mod city;
    pub mod program;
}

use std::fs;

use cli::city::{City, basis, text};
use serde_json::Value;

/// A table with so many right rows, in Chinese.
fn table(rows: usize, produced_on: &str) -> String {
    let mut table =
        String::from("产品名称,产品类别,数量,生产日期,产地,承诺依据,证号,联系人,联系电话\n");
    for row in 0..rows {
        let line = format!(
            "韭菜,蔬菜,12.5 斤,{produced_on},永清县,{},LF-{row:06},王某,13800000000\n",
            basis()
        );
        table.push_str(&line);
    }
    table
}

#[test]
fn a_table_is_issued_whole_in_utf_8_with_its_mark_and_in_gb18030() {
    let city = City::new();
    let sheet = table(3, &city.today);
    let path = city.place.path("t.csv");
    let marked = [b"\xEF\xBB\xBF", sheet.as_bytes()].concat();
    fs::write(&path, marked).unwrap();
    let issue = ["issue", "--key", "producer.key", "--csv", "t.csv"];
    let issued = city.place.json(&issue);
    let rows = issued["issued"].as_array().unwrap();
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[2]["row"], 4);
    let shown = city.place.json(&["show", text(&rows[0], "code")]);
    assert_eq!(shown["status"], "valid");
    // The same numbers again: every row is named, nothing is issued.
    let again = city.place.run(&issue);
    assert_eq!(again.status.code(), Some(1));
    let told = String::from_utf8(again.stderr).unwrap();
    assert!(told.contains("row 2, column number (证号)"), "{told}");
    // In GB18030, under new numbers.
    let renamed = sheet.replace("LF-", "GB-");
    let (gb, _, _) = encoding_rs::GB18030.encode(&renamed);
    fs::write(&path, &gb).unwrap();
    let issued = city.place.text(&issue);
    assert_eq!(issued.lines().count(), 4, "{issued}");
    assert!(issued.lines().nth(1).unwrap().contains("GB-000000"));
    // Told to be UTF-8 it is refused, and the row is named.
    let wrong = [&issue[..], &["--charset", "utf-8"]].concat();
    let output = city.place.run(&wrong);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("row 1 is not UTF-8"), "{told}");
}

#[test]
fn a_wrong_row_is_named_with_its_column_and_holds_up_the_others_unless_told_otherwise() {
    let city = City::new();
    let mut sheet = table(3, &city.today);
    sheet.push_str(&format!(
        "韭菜,蔬菜,5 箱,{},永清县,{},LF-BAD,,\n",
        city.today,
        basis()
    ));
    sheet.push_str(&format!(
        "{},蔬菜,1 斤,{},永清县,{},LF-HUGE,,\n",
        "长".repeat(100_000),
        city.today,
        basis()
    ));
    fs::write(city.place.path("t.csv"), &sheet).unwrap();
    let issue = ["issue", "--key", "producer.key", "--csv", "t.csv"];
    let output = city.place.run(&issue);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        told.contains("row 5, column quantity (数量): quantity_malformed"),
        "{told}"
    );
    assert!(
        told.contains("row 6, column product (产品名称): text_malformed"),
        "{told}"
    );
    assert!(
        told.contains("2 of 5 rows are wrong; nothing was issued"),
        "{told}"
    );
    assert!(told.len() < 2_000, "{}", told.len());
    let output = city.place.run(&["show", "LF-000000"]);
    assert_eq!(output.status.code(), Some(1), "nothing was issued");

    let only = [&issue[..], &["--valid-rows-only", "--json"]].concat();
    let output = city.place.run(&only);
    assert_eq!(output.status.code(), Some(1));
    let issued: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(issued["issued"].as_array().unwrap().len(), 3);
    assert_eq!(issued["wrong"][0]["row"], 5);
    assert_eq!(issued["wrong"][0]["column"], "quantity");
    assert_eq!(city.place.json(&["show", "LF-000002"])["status"], "valid");
}

#[test]
fn rows_that_only_the_ledger_can_refuse_are_left_out_one_by_one() {
    let city = City::new();
    // Five days back: more than the policy allows without an authority.
    let late = trace_core::ident::CivilDate::parse(&city.today)
        .unwrap()
        .add_days(-5)
        .unwrap();
    let sheet = table(5, &late.to_string());
    let dated = |row: usize| {
        if row.is_multiple_of(2) {
            late.to_string()
        } else {
            city.today.clone()
        }
    };
    let lines: Vec<String> = sheet
        .lines()
        .enumerate()
        .map(|(row, line)| match row {
            0 => format!("{line},开具日期"),
            _ => format!("{line},{}", dated(row)),
        })
        .collect();
    fs::write(city.place.path("t.csv"), lines.join("\n")).unwrap();
    let issue = ["issue", "--key", "producer.key", "--csv", "t.csv", "--json"];
    let output = city.place.run(&issue);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        told.contains("row 3") && told.contains("issued_too_far_back"),
        "{told}"
    );
    let output = city
        .place
        .run(&[&issue[..], &["--valid-rows-only"]].concat());
    assert_eq!(output.status.code(), Some(1));
    let issued: Value = serde_json::from_slice(&output.stdout).unwrap();
    let rows = |list: &str| -> Vec<u64> {
        let rows = issued[list].as_array().unwrap().iter();
        rows.map(|row| row["row"].as_u64().unwrap()).collect()
    };
    assert_eq!(rows("issued"), [2, 4, 6]);
    assert_eq!(rows("wrong"), [3, 5]);
}

#[test]
fn an_empty_table_and_one_without_rows_are_refused() {
    let city = City::new();
    for (sheet, named) in [
        ("", "empty"),
        ("产品名称,数量\n", "no row"),
        ("产品名称,价格\n韭菜,1\n", "no known header"),
    ] {
        fs::write(city.place.path("t.csv"), sheet).unwrap();
        let output = city
            .place
            .run(&["issue", "--key", "producer.key", "--csv", "t.csv"]);
        assert_eq!(output.status.code(), Some(1), "{sheet}");
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains(named), "{told}");
    }
}
