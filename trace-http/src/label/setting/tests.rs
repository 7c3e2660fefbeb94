use super::*;
use crate::label::font::Font;

fn with_face<T>(act: impl FnOnce(&Face<'_>) -> T) -> T {
    let font = Font::find(None).unwrap();
    act(&font.face().unwrap())
}

fn content(lines: &[(&'static str, &str, bool)]) -> Content {
    Content {
        code: "000G-40R4-0M30-E209-P".parse().unwrap(),
        address: "https://trace.langfang.example/t/000G40R40M30E209P".into(),
        heading: "承诺达标合格证",
        lines: lines
            .iter()
            .map(|(name, value, is_demanded)| Line {
                name,
                value: Some((*value).to_owned()),
                is_demanded: *is_demanded,
            })
            .collect(),
        pledges: vec!["未使用禁用农药、兽药及其他化合物"],
        bases: vec![("自行检测合格", true), ("委托检测合格", false)],
        is_pending: true,
        signed: None,
    }
}

/// Everything that is said in text.
fn said(drawing: &Drawing) -> String {
    let texts = drawing.marks.iter().filter_map(|mark| match mark {
        Mark::Text { text, .. } => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}

#[test]
fn nothing_stands_beyond_the_edges_or_on_the_code_with_its_quiet_zone() {
    let long = "长".repeat(60);
    let content = content(&[("产品名称", &long, true), ("数量(重量)", "12.5 斤", true)]);
    with_face(|face| {
        for paper in Paper::ALL {
            let drawing = set(face, &content, paper).unwrap();
            let extent = |mark: &Mark| match mark {
                Mark::Text { x, y, size, text } => (
                    *x,
                    y + size / 8 - size,
                    face.width(text, *size).unwrap(),
                    *size,
                ),
                Mark::Block {
                    x,
                    y,
                    width,
                    height,
                } => (*x, *y, *width, *height),
                Mark::Code {
                    x,
                    y,
                    module,
                    modules,
                } => {
                    let side = modules.side_with_quiet() * module;
                    (*x, *y, side, side)
                }
            };
            let codes = drawing
                .marks
                .iter()
                .filter(|it| matches!(it, Mark::Code { .. }));
            let code = extent(codes.last().unwrap());
            for mark in &drawing.marks {
                let (x, y, width, height) = extent(mark);
                assert!(x + width <= drawing.width, "{paper:?}: {mark:?}");
                assert!(y + height <= drawing.height, "{paper:?}: {mark:?}");
                let is_apart = x + width <= code.0
                    || code.0 + code.2 <= x
                    || y + height <= code.1
                    || code.1 + code.3 <= y;
                assert!(
                    is_apart || matches!(mark, Mark::Code { .. }),
                    "{paper:?}: {mark:?}"
                );
            }
            for part in ["承诺达标合格证", "待入账", "000G", "12.5 斤", "√"] {
                assert!(said(&drawing).contains(part), "{paper:?}: {part}");
            }
        }
    });
}

#[test]
fn what_the_form_does_not_demand_gives_way_and_what_it_demands_is_refused() {
    let long = "长".repeat(80);
    let spare = content(&[
        ("产品名称", "韭菜", true),
        ("贮存", &long, false),
        ("规格", &long, false),
        ("批次", &long, false),
    ]);
    let demanded = content(&[
        ("产品名称", &long, true),
        ("产地", &long, true),
        ("承诺主体", &long, true),
        ("联系方式", &long, true),
    ]);
    with_face(|face| {
        let drawing = set(face, &spare, Paper::Roll40x60).unwrap();
        let said = said(&drawing);
        assert!(said.contains("韭菜") && !said.contains("批次"), "{said}");
        let refused = set(face, &demanded, Paper::Roll40x60).unwrap_err();
        assert!(
            matches!(refused, LabelError::Room { has: 480, .. }),
            "{refused}"
        );
        assert!(refused.to_string().contains("40x60 has 480"), "{refused}");
        // A roll without end takes it.
        set(face, &demanded, Paper::Roll58).unwrap();
    });
}

#[test]
fn lines_break_between_characters_and_not_within_words_or_before_what_closes() {
    with_face(|face| {
        let lines = wrap(face, "数量 12.5 斤", 20, 70).unwrap();
        assert_eq!(lines, ["数量 ", "12.5 斤"]);
        let lines = wrap(face, "未使用农药\u{3001}兽药", 20, 100).unwrap();
        assert_eq!(lines, ["未使用农", "药\u{3001}兽药"]);
        let lines = wrap(face, "131023-20260301-7K3M0Q2R", 20, 100).unwrap();
        assert!(lines.len() > 2);
        assert_eq!(lines.concat(), "131023-20260301-7K3M0Q2R");
    });
}
