//! Labels as PDF: text as text in the part of the font that is used, codes as
//! whole rectangles. On a roll a label is a page; on A4 twenty-four are.
//!
//! Labels are drawn one after the other and forgotten; what grows is the file,
//! about two kilobytes a label, and it is bounded by
//! [`PDF_LABELS_MAX`](super::PDF_LABELS_MAX).

use krilla::{
    Document,
    geom::{PathBuilder, Point, Rect},
    metadata::Metadata,
    page::PageSettings,
    surface::Surface,
    text::{GlyphId, KrillaGlyph},
};

use super::{
    DOTS_PER_MM, LabelError, Paper,
    code::QUIET,
    font::{Face, Font},
    setting::{Drawing, Mark},
};

/// Labels across and down a sheet of A4.
const ACROSS: u32 = 3;
const DOWN: u32 = 8;

/// Points of a dot: 72 to an inch of 25.4 mm.
const DOT_PT: f32 = 72.0 / 25.4 / DOTS_PER_MM as f32;

fn points(dots: u32) -> f32 {
    dots as f32 * DOT_PT
}

/// Writes labels.
///
/// # Errors
/// The first of the drawings'; [`LabelError::Written`].
pub fn write(
    font: &Font,
    face: &Face<'_>,
    paper: Paper,
    drawings: impl Iterator<Item = Result<Drawing, LabelError>>,
) -> Result<Vec<u8>, LabelError> {
    let (bytes, index) = font.parts();
    let embedded = krilla::text::Font::new(bytes.into(), index);
    let embedded = embedded.ok_or_else(|| written("the font cannot be embedded"))?;
    let per_page = match paper {
        Paper::A4 => ACROSS * DOWN,
        _ => 1,
    };
    let mut document = Document::new();
    document.set_metadata(
        Metadata::new()
            .title("追溯标签".into())
            .language("zh-CN".into())
            .creator("trace".into()),
    );
    let mut drawings = drawings.peekable();
    while let Some(first) = drawings.next() {
        let first = first?;
        let (width, height) = match paper {
            Paper::A4 => (ACROSS * first.width, DOWN * first.height),
            _ => (first.width, first.height),
        };
        let settings = PageSettings::from_wh(points(width), points(height));
        let settings = settings.ok_or_else(|| written("a label without a size"))?;
        let mut page = document.start_page_with(settings);
        let mut sheet = Sheet {
            surface: page.surface(),
            font: &embedded,
            face,
        };
        sheet.label(&first, (0, 0))?;
        for place in 1..per_page {
            let Some(drawing) = drawings.next() else {
                break;
            };
            let drawing = drawing?;
            let (column, row) = (place % ACROSS, place / ACROSS);
            sheet.label(&drawing, (column * drawing.width, row * drawing.height))?;
        }
        sheet.finish();
        page.finish();
    }
    document
        .finish()
        .map_err(|error| written(&format!("{error:?}")))
}

fn written(why: &str) -> LabelError {
    LabelError::Written {
        form: "pdf",
        why: why.chars().take(200).collect(),
    }
}

struct Sheet<'a, 's> {
    surface: Surface<'s>,
    font: &'a krilla::text::Font,
    face: &'a Face<'a>,
}

impl Sheet<'_, '_> {
    /// Lets go of the page.
    fn finish(self) {
        self.surface.finish();
    }

    fn label(&mut self, drawing: &Drawing, corner: (u32, u32)) -> Result<(), LabelError> {
        let (right, down) = corner;
        for mark in &drawing.marks {
            match mark {
                Mark::Text { x, y, size, text } => {
                    self.text((x + right, y + down), *size, text)?;
                }
                Mark::Block {
                    x,
                    y,
                    width,
                    height,
                } => self.filled([(x + right, y + down, *width, *height)]),
                Mark::Code {
                    x,
                    y,
                    module,
                    modules,
                } => {
                    let place = |at: u32| (at + QUIET) * module;
                    self.filled(modules.runs().map(|(column, row, length)| {
                        let (left, top) = (x + right + place(column), y + down + place(row));
                        (left, top, length * module, *module)
                    }));
                }
            }
        }
        Ok(())
    }

    /// Rectangles filled as one, so that no line shows between them.
    fn filled(&mut self, blocks: impl IntoIterator<Item = (u32, u32, u32, u32)>) {
        let mut path = PathBuilder::new();
        for (x, y, width, height) in blocks {
            let rectangle = Rect::from_xywh(points(x), points(y), points(width), points(height));
            if let Some(rectangle) = rectangle {
                path.push_rect(rectangle);
            }
        }
        if let Some(path) = path.finish() {
            self.surface.draw_path(&path);
        }
    }

    fn text(&mut self, (x, y): (u32, u32), size: u32, text: &str) -> Result<(), LabelError> {
        let mut glyphs = Vec::new();
        for (at, found) in text.char_indices() {
            let letter = self.face.letter(found)?;
            let advance = letter.advance as f32 / self.face.units() as f32;
            glyphs.push(KrillaGlyph::new(
                GlyphId::new(letter.glyph),
                advance,
                0.0,
                0.0,
                0.0,
                at..at + found.len_utf8(),
                None,
            ));
        }
        let start = Point::from_xy(points(x), points(y));
        self.surface
            .draw_glyphs(start, &glyphs, self.font.clone(), text, points(size), false);
        Ok(())
    }
}
