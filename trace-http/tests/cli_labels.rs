//! `trace label` and `trace verify --qr` by the program itself, in temporary
//! folders.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![allow(dead_code, reason = "the city serves more tests than these")]

mod cli {
    pub mod city;
    pub mod program;
    pub mod served;
}

use std::fs;

use cli::{
    city::{City, text},
    served::Served,
};
use image::{GrayImage, Luma};

const URL: [&str; 2] = ["--public-url", "https://trace.langfang.example"];

fn of(arguments: &[String]) -> Vec<&str> {
    arguments.iter().map(String::as_str).collect()
}

/// It ends with this code and says so.
#[track_caller]
fn refuses(city: &City, arguments: &[&str], code: i32, named: &str) {
    let output = city.place.run(arguments);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{told}");
    assert!(told.contains(named), "{told}");
}

#[test]
fn labels_are_drawn_from_a_folder_and_by_a_server() {
    let city = City::new();
    let issued = city.issue(&["--gtin", "6901234567892", "--lot", "A-1"]);
    let code = text(&issued, "code").to_owned();
    let other = text(&city.issue(&[]), "code").to_owned();
    let label = |more: &[&str]| {
        let arguments = [&["label", &code][..], &URL, more].concat();
        city.place.json(&arguments)
    };
    let made = label(&["--out", "a.svg"]);
    assert_eq!((text(&made, "form"), text(&made, "size")), ("svg", "40x60"));
    let svg = fs::read_to_string(city.place.path("a.svg")).unwrap();
    assert!(svg.contains("合格证") && svg.contains(&code));
    assert_eq!(label(&["--size", "a4"])["form"], "pdf");
    let own = label(&[
        "--out",
        "b.svg",
        "--promised-by",
        "张三",
        "--contact",
        "0316-1",
    ]);
    assert_eq!(own["labels"], 1);
    let svg = fs::read_to_string(city.place.path("b.svg")).unwrap();
    // The cooperative's registered name stands; the contact is the one typed.
    assert!(svg.contains("合作社") && !svg.contains("张三") && svg.contains("0316-1"));
    let rows = format!("产品,追溯码\n韭菜,{code}\n韭菜,{other}\n");
    fs::write(city.place.path("codes.csv"), rows).unwrap();
    let table = ["label", "--codes", "codes.csv", "--out", "roll.tspl"];
    assert_eq!(city.place.json(&[&table[..], &URL].concat())["labels"], 2);
    let tspl = fs::read(city.place.path("roll.tspl")).unwrap();
    assert!(tspl.starts_with(b"SIZE 40 mm,60 mm\r\n"));

    refuses(&city, &["label", &code], 2, "--public-url");
    refuses(&city, &[&["label", "UUUU"][..], &URL].concat(), 2, "UUUU");
    let nowhere = ["label", "000G-40R4-0M30-E209-P"];
    refuses(&city, &[&nowhere[..], &URL].concat(), 1, "unit_unknown");
    let two = [&["label", &code, &other, "--form", "png"][..], &URL].concat();
    refuses(&city, &two, 2, "2 labels");
    let sheet = [&["label", &code, "--form", "png", "--size", "a4"][..], &URL].concat();
    refuses(&city, &sheet, 2, "rolls");
    let no_font = ["label", &code, "--label-font", "none.ttf"];
    refuses(&city, &[&no_font[..], &URL].concat(), 6, "fonts-noto-cjk");

    let made = city
        .place
        .json(&["token", "make", "--role", "inspector", "--area", "131023"]);
    fs::write(city.place.path("token"), text(&made, "token")).unwrap();
    let server = Served::start(&city.place, &URL);
    let one = ["label", &code, "--out", "served.svg"];
    city.place.json(&server.at(&one));
    let local = fs::read(city.place.path("a.svg")).unwrap();
    assert_eq!(fs::read(city.place.path("served.svg")).unwrap(), local);
    let many = ["label", "--codes", "codes.csv", "--out", "many.pdf"];
    refuses(&city, &server.at(&many), 1, "token_wrong");
    let with_token = [&many[..], &["--token-file", "token"]].concat();
    assert_eq!(city.place.json(&server.at(&with_token))["labels"], 2);
    assert!(
        fs::read(city.place.path("many.pdf"))
            .unwrap()
            .starts_with(b"%PDF")
    );
    let nowhere = ["label", "000G-40R4-0M30-E209-P"];
    refuses(&city, &server.at(&nowhere), 1, "unit_unknown");
}

#[test]
fn a_signed_label_is_checked_from_its_picture_by_whose_key_a_bundle_proves() {
    let city = City::new();
    let issued = city.issue(&[]);
    let code = text(&issued, "code").to_owned();
    let other = text(&city.issue(&[]), "code").to_owned();
    let draw = |out: &str, more: &[&str]| {
        let arguments = [&["label", &code, "--out", out][..], &URL, more].concat();
        city.place.json(&arguments)
    };
    draw("signed.png", &["--signed"]);
    draw("plain.png", &[]);
    // Another batch's bundle proves the same signer's key.
    city.bundle(&other);
    let verify = |picture: &'static str| {
        [
            "verify",
            "bundle.json",
            "--qr",
            picture,
            "--anchor",
            &city.anchor,
        ]
        .map(str::to_owned)
    };
    let found = city.place.json(&of(&verify("signed.png")));
    assert_eq!(found["signer"]["name"], "合作社");
    assert_eq!(
        found["statement"]["unit"]
            .as_str()
            .unwrap()
            .replace('-', ""),
        code.replace('-', "")
    );
    assert_eq!(found["proved"], "signature");
    let told = city
        .place
        .text(&[of(&verify("signed.png")), vec!["--language", "en"]].concat());
    assert!(
        told.contains("The signature is genuine") && told.contains("合作社"),
        "{told}"
    );
    assert!(told.contains("Not shown: that it was not voided"), "{told}");

    refuses(&city, &of(&verify("plain.png")), 1, "监管用");
    GrayImage::from_pixel(200, 200, Luma([255]))
        .save(city.place.path("white.png"))
        .unwrap();
    refuses(&city, &of(&verify("white.png")), 1, "no QR code");
    fs::write(city.place.path("text.png"), "no picture").unwrap();
    refuses(&city, &of(&verify("text.png")), 6, "text.png");
    // A few kilobytes that would unpack to gigabytes.
    let huge = GrayImage::from_pixel(9_000, 9_000, Luma([255]));
    huge.save(city.place.path("huge.png")).unwrap();
    assert!(fs::metadata(city.place.path("huge.png")).unwrap().len() < 2_000_000);
    refuses(&city, &of(&verify("huge.png")), 6, "huge.png");

    // The wrong key, and the right one without proof of whose it is.
    let key = |file: &str| {
        city.place.json(&["key", "show", file])["public_key"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (own, stores) = (key("producer.key"), key("store.key"));
    let given = |key: &str| {
        [
            "verify",
            "--qr",
            "signed.png",
            "--signer-key",
            key,
            "--anchor",
            &city.anchor,
        ]
        .map(str::to_owned)
    };
    assert!(city.place.json(&of(&given(&own)))["signer"].is_null());
    refuses(&city, &of(&given(&stores)), 5, "");
    refuses(&city, &of(&given("00")), 2, "64 hexadecimal digits");
    let zero = "00".repeat(32);
    refuses(&city, &of(&given(&zero)), 2, "small order");
}
