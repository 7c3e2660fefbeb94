//! One label as SVG 1.1: letters as outlines, so that it looks the same on a
//! machine without a Chinese font; what it says stands in its description.

use std::{
    collections::BTreeMap,
    fmt::{self, Write},
};

use super::{
    DOTS_PER_MM, LabelError,
    code::QUIET,
    font::{Face, OutlinePen},
    setting::{Drawing, Mark},
};

/// Writes a label; its size is in millimetres, its units are dots.
///
/// # Errors
/// [`LabelError::Letter`].
pub fn write(face: &Face<'_>, drawing: &Drawing) -> Result<Vec<u8>, LabelError> {
    let mut glyphs = BTreeMap::new();
    let mut body = String::new();
    for mark in &drawing.marks {
        put(face, mark, &mut glyphs, &mut body)?;
    }
    let (width, height) = (drawing.width, drawing.height);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" \
         width=\"{}mm\" height=\"{}mm\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
         xml:lang=\"zh-CN\">\n<title>{}</title>\n<rect width=\"{width}\" height=\"{height}\" \
         fill=\"#fff\"/>\n<defs>\n",
        millimetres(width),
        millimetres(height),
        escaped(&drawing.spoken),
    );
    for (glyph, path) in glyphs {
        let _ = writeln!(text, "<path id=\"g{glyph}\" d=\"{path}\"/>");
    }
    text.push_str("</defs>\n");
    text.push_str(&body);
    text.push_str("</svg>\n");
    Ok(text.into_bytes())
}

fn put(
    face: &Face<'_>,
    mark: &Mark,
    glyphs: &mut BTreeMap<u32, String>,
    body: &mut String,
) -> Result<(), LabelError> {
    match mark {
        Mark::Text { x, y, size, text } => {
            let units = face.units();
            // Flipped: a font counts upwards.
            let _ = write!(
                body,
                "<g transform=\"translate({x} {y}) scale({0} -{0})\">",
                f64::from(*size) / f64::from(units)
            );
            let mut gone = 0;
            for found in text.chars() {
                let letter = face.letter(found)?;
                let path = glyphs.entry(letter.glyph).or_insert_with(|| {
                    let mut path = Path(String::new());
                    face.outline(letter.glyph, &mut path);
                    path.0
                });
                if !path.is_empty() {
                    let glyph = letter.glyph;
                    let _ = write!(body, "<use xlink:href=\"#g{glyph}\" x=\"{gone}\"/>");
                }
                gone += letter.advance;
            }
            body.push_str("</g>\n");
        }
        Mark::Block {
            x,
            y,
            width,
            height,
        } => {
            let _ = writeln!(
                body,
                "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"/>"
            );
        }
        Mark::Code {
            x,
            y,
            module,
            modules,
        } => {
            body.push_str("<path shape-rendering=\"crispEdges\" d=\"");
            for (column, row, length) in modules.runs() {
                let (left, top) = (x + (column + QUIET) * module, y + (row + QUIET) * module);
                let _ = write!(body, "M{left} {top}h{0}v{module}h-{0}z", length * module);
            }
            body.push_str("\"/>\n");
        }
    }
    Ok(())
}

/// Dots in millimetres, to the thousandth: an eighth is 0.125.
fn millimetres(dots: u32) -> String {
    let (whole, rest) = (dots / DOTS_PER_MM, dots % DOTS_PER_MM);
    format!("{whole}.{:03}", rest * 1_000 / DOTS_PER_MM)
}

/// What a user typed, as text within markup.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for found in text.chars() {
        match found {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            other => safe.push(other),
        }
    }
    safe
}

/// An outline as the data of a path.
struct Path(String);

impl Path {
    fn put(&mut self, arguments: fmt::Arguments<'_>) {
        // A string takes whatever is written.
        let _ = self.0.write_fmt(arguments);
    }
}

impl OutlinePen for Path {
    fn move_to(&mut self, x: f32, y: f32) {
        self.put(format_args!("M{x} {y}"));
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.put(format_args!("L{x} {y}"));
    }

    fn quad_to(&mut self, cx: f32, cy: f32, x: f32, y: f32) {
        self.put(format_args!("Q{cx} {cy} {x} {y}"));
    }

    fn curve_to(&mut self, ax: f32, ay: f32, bx: f32, by: f32, x: f32, y: f32) {
        self.put(format_args!("C{ax} {ay} {bx} {by} {x} {y}"));
    }

    fn close(&mut self) {
        self.0.push('Z');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_millimetres_and_text_is_text() {
        assert_eq!(millimetres(560), "70.000");
        assert_eq!(millimetres(297), "37.125");
        assert_eq!(escaped("<b>\"&"), "&lt;b&gt;&quot;&amp;");
    }
}
