//! Every QR code that is made is read again, by two readers that know nothing of
//! how it was made, from every form in which it leaves: zbar's `zbarimg` and
//! rqrr, from SVG turned into pixels, from the pages of the PDF, from the PNG,
//! and from the bitmaps of the TSPL as a printer would take them.
//!
//! Needs Debian's zbar-tools, poppler-utils and fonts-noto-cjk or
//! fonts-wqy-zenhei.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use image::GrayImage;
use trace_core::{
    ident::TraceCode, proof::signed_label::SignedLabel, record::claim::DurabilityKind,
};
use trace_fixtures::{Who, World};
use trace_http::label::{
    LabelError, LabelForm, Paper, Wanted,
    content::{Content, Goods, Typed},
    draw,
    font::Font,
};

/// Goods with nothing but what is demanded, and with everything and a batch
/// whose characters an address has to escape.
fn goods(is_full: bool) -> Goods {
    let plain = Goods {
        product: "韭菜".into(),
        produced_on: "2026-03-01".into(),
        quantity: Some("12.5 斤".into()),
        origin_place: Some("河北省廊坊市永清县".into()),
        ..Goods::default()
    };
    match is_full {
        false => plain,
        true => Goods {
            specification: Some("大棚 一级 <b>&\"".into()),
            durability: Some((DurabilityKind::BestBefore, "2026-03-08".into())),
            gtin: Some("06901234567892".parse().unwrap()),
            lot: Some("2026/03-01%A?&\"".parse().unwrap()),
            storage: Some("0–4 °C 冷藏".into()),
            ..plain
        },
    }
}

fn content(public_url: &str, is_full: bool, seed: u8) -> Content {
    let code = TraceCode::from_bytes([seed; 10]);
    let typed = Typed::new(None, None).unwrap();
    let maker = Some("永清县某某蔬菜种植专业合作社");
    Content::new(public_url, code, &goods(is_full), None, maker, &typed).unwrap()
}

/// What is printed: short and long addresses, plain and Digital Links.
fn contents() -> Vec<Content> {
    let long = "https://zhuisu.nongyenongcunju.langfang.gov.example:8443/trace";
    vec![
        content("https://a.example", false, 1),
        content("https://trace.langfang.example", true, 2),
        content(long, false, 3),
        content(long, true, 4),
    ]
}

fn drawn(form: LabelForm, paper: Paper, contents: &[Content]) -> Vec<u8> {
    let font = Font::find(None).unwrap();
    let wanted = Wanted::new(form, paper).unwrap();
    draw(&font, wanted, contents.iter().cloned().map(Ok)).unwrap()
}

/// A real certificate's record, as the label for inspectors carries it.
fn signed_record() -> Vec<u8> {
    let mut world = World::new(7);
    let unit = world.unit();
    let (certificate, openings) = world.certificate_2026_producer(&unit);
    let submission = world.sign(Who::Producer, certificate, openings);
    SignedLabel::of(&submission.signed).unwrap().encode()
}

#[test]
fn the_label_for_inspectors_is_read_byte_by_byte_and_refused_where_it_would_be_too_small() {
    let font = Font::find(None).unwrap();
    let record = signed_record();
    let mut content = content("https://a.example", false, 1);
    content.signed = Some(record.clone());
    println!("a certificate's record: {} bytes", record.len());
    let drawn = |form, paper, content: &Content| {
        let wanted = Wanted::new(form, paper).unwrap().signed(true);
        draw(&font, wanted, std::iter::once(Ok(content.clone())))
    };
    let read = |picture: &GrayImage| {
        assert_eq!(binary_by_zbar(picture), record, "zbarimg");
        let (width, height) = picture.dimensions();
        let mut prepared =
            rqrr::PreparedImage::prepare_from_greyscale(width as usize, height as usize, |x, y| {
                picture.get_pixel(x as u32, y as u32).0[0]
            });
        let grids = prepared.detect_grids();
        let mut found = Vec::new();
        grids[0].decode_to(&mut found).unwrap();
        assert_eq!(found, record, "rqrr");
    };
    for paper in [Paper::Roll40x60, Paper::Roll58, Paper::Roll80] {
        let svg = drawn(LabelForm::Svg, paper, &content).unwrap();
        read(&of_svg(&svg, 1.0));
        // Each label is followed by the one for inspectors.
        let pages = of_pdf(&drawn(LabelForm::Pdf, paper, &content).unwrap(), 300);
        assert_eq!(pages.len(), 2);
        read(&pages[1]);
        let pictures = of_tspl(&drawn(LabelForm::Tspl, paper, &content).unwrap());
        read(&pictures[1]);
    }
    // The versions and bytes that the module's table names, and one byte more.
    for (paper, bytes) in [
        (Paper::A4, 367),
        (Paper::Roll40x60, 425),
        (Paper::Roll58, 644),
        (Paper::Roll80, 1_952),
    ] {
        content.signed = Some(vec![0xa5; bytes]);
        drawn(LabelForm::Svg, paper, &content).unwrap();
        content.signed = Some(vec![0xa5; bytes + 1]);
        let refused = drawn(LabelForm::Svg, paper, &content).unwrap_err();
        assert!(
            matches!(refused, LabelError::SignedRoom { .. }),
            "{paper:?}: {refused}"
        );
    }
    content.signed = None;
    let refused = drawn(LabelForm::Svg, Paper::Roll80, &content).unwrap_err();
    assert!(
        matches!(refused, LabelError::NothingSigned { .. }),
        "{refused}"
    );
}

fn binary_by_zbar(picture: &GrayImage) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("label.png");
    picture.save(&path).unwrap();
    let output = Command::new("zbarimg")
        .args([
            "--quiet",
            "--raw",
            "--oneshot",
            "-Sbinary",
            "-Sdisable",
            "-Sqrcode.enable",
        ])
        .arg(&path)
        .output()
        .expect("zbarimg of Debian's zbar-tools");
    output.stdout
}

fn by_rqrr(picture: &GrayImage) -> BTreeSet<String> {
    let (width, height) = picture.dimensions();
    let mut prepared =
        rqrr::PreparedImage::prepare_from_greyscale(width as usize, height as usize, |x, y| {
            picture.get_pixel(x as u32, y as u32).0[0]
        });
    let grids = prepared.detect_grids();
    // What looked like a code and is none is no code.
    let read = grids.iter().filter_map(|grid| grid.decode().ok());
    read.map(|(_, text)| text).collect()
}

fn by_zbar(picture: &GrayImage) -> BTreeSet<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("label.png");
    picture.save(&path).unwrap();
    let output = Command::new("zbarimg")
        .args(["--quiet", "--raw", "-Sdisable", "-Sqrcode.enable"])
        .arg(&path)
        .output()
        .expect("zbarimg of Debian's zbar-tools");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[track_caller]
fn both_read(picture: &GrayImage, wanted: &[Content]) {
    let wanted: BTreeSet<String> = wanted.iter().map(|it| it.address.clone()).collect();
    assert_eq!(by_rqrr(picture), wanted, "rqrr");
    assert_eq!(by_zbar(picture), wanted, "zbarimg");
}

/// As a browser shows it, at so many pixels a dot.
fn of_svg(svg: &[u8], pixels_per_dot: f32) -> GrayImage {
    let tree = resvg::usvg::Tree::from_data(svg, &resvg::usvg::Options::default()).unwrap();
    // 96 pixels to an inch, 203.2 dots.
    let scale = pixels_per_dot * 203.2 / 96.0;
    let size = tree.size();
    let side = |length: f32| (length * scale).round() as u32;
    let mut pixels =
        resvg::tiny_skia::Pixmap::new(side(size.width()), side(size.height())).unwrap();
    let transform = resvg::tiny_skia::Transform::from_scale(scale, scale);
    resvg::render(&tree, transform, &mut pixels.as_mut());
    let grey = pixels.pixels().iter().map(|it| {
        assert_eq!(it.alpha(), 255, "the label is white where nothing stands");
        it.green()
    });
    GrayImage::from_raw(pixels.width(), pixels.height(), grey.collect()).unwrap()
}

fn of_pdf(pdf: &[u8], dpi: u32) -> Vec<GrayImage> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("labels.pdf");
    fs::write(&path, pdf).unwrap();
    let status = Command::new("pdftoppm")
        .args(["-png", "-gray", "-r", &dpi.to_string()])
        .arg(&path)
        .arg(folder.path().join("page"))
        .status()
        .expect("pdftoppm of Debian's poppler-utils");
    assert!(status.success());
    let mut pages: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "png"))
        .collect();
    pages.sort();
    pages
        .iter()
        .map(|path| image::open(path).unwrap().into_luma8())
        .collect()
}

/// The bitmaps of a TSPL file, as a printer reads it.
fn of_tspl(mut bytes: &[u8]) -> Vec<GrayImage> {
    let mut pictures = Vec::new();
    let mut printed = 0;
    while !bytes.is_empty() {
        if let Some(rest) = bytes.strip_prefix(b"BITMAP 0,0,") {
            let commas: Vec<usize> = (0..rest.len())
                .filter(|at| rest[*at] == b',')
                .take(3)
                .collect();
            let number = |from: usize, to: usize| -> u32 {
                std::str::from_utf8(&rest[from..to])
                    .unwrap()
                    .parse()
                    .unwrap()
            };
            let (width, height) = (number(0, commas[0]) * 8, number(commas[0] + 1, commas[1]));
            assert_eq!(&rest[commas[1] + 1..commas[2]], b"0", "overwrite");
            let dots = (width / 8 * height) as usize;
            let (data, behind) = rest[commas[2] + 1..].split_at(dots);
            let grey = data.iter().flat_map(|byte| {
                (0..8).map(move |bit| match byte >> (7 - bit) & 1 {
                    0 => 0u8,
                    _ => 255,
                })
            });
            pictures.push(GrayImage::from_raw(width, height, grey.collect()).unwrap());
            bytes = behind.strip_prefix(b"\r\n").unwrap();
            continue;
        }
        let end = bytes.windows(2).position(|it| it == b"\r\n").unwrap();
        let line = std::str::from_utf8(&bytes[..end]).unwrap();
        let command = line.split(' ').next().unwrap();
        assert!(
            ["SIZE", "GAP", "DIRECTION", "CLS", "PRINT"].contains(&command),
            "{line}"
        );
        printed += usize::from(line == "PRINT 1,1");
        bytes = &bytes[end + 2..];
    }
    assert_eq!(printed, pictures.len());
    pictures
}

#[test]
fn from_svg_both_readers_read_what_was_written_at_the_printers_dots_and_finer() {
    for paper in Paper::ALL {
        for content in contents() {
            let svg = drawn(LabelForm::Svg, paper, std::slice::from_ref(&content));
            for pixels_per_dot in [1.0, 2.0] {
                both_read(
                    &of_svg(&svg, pixels_per_dot),
                    std::slice::from_ref(&content),
                );
            }
        }
    }
}

#[test]
fn from_png_and_tspl_both_readers_read_what_was_written() {
    for paper in [Paper::Roll40x60, Paper::Roll58, Paper::Roll80] {
        let contents = contents();
        let tspl = of_tspl(&drawn(LabelForm::Tspl, paper, &contents));
        assert_eq!(tspl.len(), contents.len());
        for (content, picture) in contents.iter().zip(&tspl) {
            let content = std::slice::from_ref(content);
            both_read(picture, content);
            let png = image::load_from_memory(&drawn(LabelForm::Png, paper, content)).unwrap();
            // The same dots.
            assert_eq!(&png.into_luma8(), picture);
        }
    }
}

#[test]
fn from_the_pages_of_a_pdf_both_readers_read_what_was_written() {
    for paper in [Paper::Roll40x60, Paper::Roll58, Paper::Roll80] {
        let contents = contents();
        let pages = of_pdf(&drawn(LabelForm::Pdf, paper, &contents), 300);
        assert_eq!(pages.len(), contents.len());
        for (content, page) in contents.iter().zip(&pages) {
            both_read(page, std::slice::from_ref(content));
        }
    }
}

#[test]
fn a_sheet_holds_twenty_four_and_the_next_begins_behind_it() {
    let contents: Vec<Content> = (0..25)
        .map(|seed| content("https://trace.langfang.example", seed % 2 == 0, seed))
        .collect();
    let pages = of_pdf(&drawn(LabelForm::Pdf, Paper::A4, &contents), 300);
    assert_eq!(pages.len(), 2);
    assert_eq!(pages[0].dimensions(), (2480, 3508), "A4");
    both_read(&pages[0], &contents[..24]);
    both_read(&pages[1], &contents[24..]);
}

#[test]
fn a_pdf_holds_its_text_as_text_and_only_the_part_of_the_font_that_it_uses() {
    let pdf = drawn(LabelForm::Pdf, Paper::Roll58, &contents()[..1]);
    assert!(pdf.len() < 100_000, "{} bytes", pdf.len());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("label.pdf");
    fs::write(&path, &pdf).unwrap();
    let text = told("pdftotext", &["-layout"], &path, "-");
    let text: String = text.split_whitespace().collect();
    for part in [
        "韭菜",
        "12.5 斤",
        "河北省廊坊市永清县",
        "永清县某某蔬菜种植专业合作社",
    ] {
        assert!(text.contains(&part.replace(' ', "")), "{part}: {text}");
    }
    let fonts = told("pdffonts", &[], &path, "");
    let line = fonts.lines().nth(2).unwrap();
    let columns: Vec<&str> = line.split_whitespace().collect();
    // emb sub uni, before the object's two numbers.
    let flags = &columns[columns.len() - 5..columns.len() - 2];
    assert_eq!(flags, ["yes", "yes", "yes"], "{fonts}");
}

fn told(program: &str, arguments: &[&str], path: &Path, to: &str) -> String {
    let mut command = Command::new(program);
    command.args(arguments).arg(path);
    if !to.is_empty() {
        command.arg(to);
    }
    let output = command.output().expect("of Debian's poppler-utils");
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn what_a_user_typed_is_text_in_the_markup() {
    let mut goods = goods(false);
    goods.product = "<script>alert(1)</script>&\"'".into();
    let code = TraceCode::from_bytes([9; 10]);
    let typed = Typed::new(Some("<i>张三".into()), None).unwrap();
    let content = Content::new("https://a.example", code, &goods, None, None, &typed).unwrap();
    let svg = drawn(LabelForm::Svg, Paper::Roll40x60, &[content]);
    let svg = String::from_utf8(svg).unwrap();
    assert!(!svg.contains("<script") && !svg.contains("<i>"));
    assert!(svg.contains("&lt;script&gt;"));
    assert!(Typed::new(Some("a\u{202e}b".into()), None).is_err());
    assert!(Typed::new(None, Some("长".repeat(41))).is_err());
}

/// How much a file of ten thousand takes: `cargo test --release -p trace-http
/// --test labels -- --ignored --nocapture`.
#[test]
#[ignore = "ten thousand labels; a release build"]
fn ten_thousand_labels_are_one_file_of_bounded_size() {
    let font = Font::find(None).unwrap();
    for paper in [Paper::A4, Paper::Roll40x60] {
        let started = std::time::Instant::now();
        let contents = (0..10_000u32).map(|number| {
            let mut content = content("https://trace.langfang.example", true, 0);
            let mut bytes = [0; 10];
            bytes[..4].copy_from_slice(&number.to_be_bytes());
            content.code = TraceCode::from_bytes(bytes);
            content.address = format!(
                "https://trace.langfang.example/t/{}",
                content.code.compact()
            );
            Ok(content)
        });
        let wanted = Wanted::new(LabelForm::Pdf, paper).unwrap();
        let pdf = draw(&font, wanted, contents).unwrap();
        println!("{paper:?}: {} bytes, {:?}", pdf.len(), started.elapsed());
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        println!(
            "{}",
            status
                .lines()
                .find(|it| it.starts_with("VmHWM"))
                .unwrap_or_default()
        );
        assert!(pdf.len() < 40_000_000, "{}", pdf.len());
    }
}
