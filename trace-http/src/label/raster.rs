//! Labels as one bit a dot, and as PNG of it at 203 dpi.
//!
//! A dot is black where a letter covers half of it; what is cheap to print on
//! has no grey. QR codes and lines are whole dots, never rounded.

use std::collections::HashMap;

use ab_glyph_rasterizer::{Point, Rasterizer, point};

use super::{
    DOTS_PER_MM, LabelError,
    font::{Face, OutlinePen},
    setting::{Drawing, Mark},
};

/// Black and white dots, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bitmap {
    /// Dots across.
    pub width: u32,
    /// Dots down.
    pub height: u32,
    black: Vec<bool>,
}

impl Bitmap {
    fn new(width: u32, height: u32) -> Self {
        let dots = usize::try_from(u64::from(width) * u64::from(height)).unwrap_or(usize::MAX);
        Self {
            width,
            height,
            black: vec![false; dots],
        }
    }

    fn ink(&mut self, x: u32, y: u32) {
        if x >= self.width {
            return;
        }
        let at = u64::from(y) * u64::from(self.width) + u64::from(x);
        let dot = usize::try_from(at)
            .ok()
            .and_then(|at| self.black.get_mut(at));
        if let Some(dot) = dot {
            *dot = true;
        }
    }

    fn block(&mut self, x: u32, y: u32, width: u32, height: u32) {
        for row in y..y.saturating_add(height).min(self.height) {
            for column in x..x.saturating_add(width).min(self.width) {
                self.ink(column, row);
            }
        }
    }

    /// Rows of eight dots a byte, the leftmost the highest bit; `black` is the
    /// bit of a black dot, and what fills the last byte is white.
    #[must_use]
    pub fn packed(&self, black: bool) -> Vec<u8> {
        let width = usize::try_from(self.width).unwrap_or(usize::MAX);
        let rows = self.black.chunks(width.max(1));
        rows.flat_map(|row| row.chunks(8))
            .map(|eight| {
                let mut byte = 0u8;
                for place in 0..8 {
                    let is_black = eight.get(place).copied().unwrap_or(false);
                    byte = byte << 1 | u8::from(is_black == black);
                }
                byte
            })
            .collect()
    }

    /// PNG, one bit a dot, which says how large a dot is.
    ///
    /// # Errors
    /// [`LabelError::Written`].
    pub fn to_png(&self) -> Result<Vec<u8>, LabelError> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width, self.height);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::One);
        encoder.set_pixel_dims(Some(png::PixelDimensions {
            xppu: DOTS_PER_MM * 1_000,
            yppu: DOTS_PER_MM * 1_000,
            unit: png::Unit::Meter,
        }));
        let written = encoder
            .write_header()
            .and_then(|mut writer| writer.write_image_data(&self.packed(false)));
        match written {
            Ok(()) => Ok(bytes),
            Err(error) => Err(LabelError::Written {
                form: "png",
                why: error.to_string(),
            }),
        }
    }
}

/// A letter's black dots, relative to where it begins on the line of writing.
type Stamp = Vec<(i32, i32)>;

/// Draws labels, and remembers the letters it drew: a label has about 200, of
/// about 100 kinds.
pub struct Raster<'a> {
    face: &'a Face<'a>,
    stamps: HashMap<(u32, u32), Stamp>,
}

impl<'a> Raster<'a> {
    /// Nothing drawn yet.
    #[must_use]
    pub fn new(face: &'a Face<'a>) -> Self {
        Self {
            face,
            stamps: HashMap::new(),
        }
    }

    /// A label, drawn.
    pub fn draw(&mut self, drawing: &Drawing) -> Bitmap {
        let mut bitmap = Bitmap::new(drawing.width, drawing.height);
        for mark in &drawing.marks {
            match mark {
                Mark::Text { x, y, size, text } => self.text(&mut bitmap, (*x, *y), *size, text),
                Mark::Block {
                    x,
                    y,
                    width,
                    height,
                } => bitmap.block(*x, *y, *width, *height),
                Mark::Code {
                    x,
                    y,
                    module,
                    modules,
                } => {
                    let quiet = super::code::QUIET;
                    for (column, row, length) in modules.runs() {
                        let (column, row) = (column + quiet, row + quiet);
                        bitmap.block(
                            x + column * module,
                            y + row * module,
                            length * module,
                            *module,
                        );
                    }
                }
            }
        }
        bitmap
    }

    fn text(&mut self, bitmap: &mut Bitmap, (x, y): (u32, u32), size: u32, text: &str) {
        let units = u64::from(self.face.units());
        let mut gone = 0u64;
        for found in text.chars() {
            // Measured when the label was set: every letter is there.
            let Ok(letter) = self.face.letter(found) else {
                continue;
            };
            let left = x + u32::try_from(gone * u64::from(size) / units).unwrap_or(0);
            let stamp = self
                .stamps
                .entry((letter.glyph, size))
                .or_insert_with(|| stamp(self.face, letter.glyph, size));
            for (right, down) in stamp {
                let place = left
                    .checked_add_signed(*right)
                    .zip(y.checked_add_signed(*down));
                if let Some((column, row)) = place {
                    bitmap.ink(column, row);
                }
            }
            gone += u64::from(letter.advance);
        }
    }
}

/// How far a letter may reach left and below where it begins, in its own sizes
/// times two: half its size, and a half above a full line.
fn stamp(face: &Face<'_>, glyph: u32, size: u32) -> Stamp {
    let side = usize::try_from(size * 2).unwrap_or(2);
    let mut pen = Pen {
        rasterizer: Rasterizer::new(side, side),
        scale: size as f32 / face.units() as f32,
        left: (size / 2) as f32,
        line: (size * 3 / 2) as f32,
        most: side as f32 - 1.0,
        begun: Point::default(),
        last: Point::default(),
    };
    face.outline(glyph, &mut pen);
    let (left, line) = (size / 2, size * 3 / 2);
    let mut stamp = Stamp::new();
    pen.rasterizer.for_each_pixel_2d(|x, y, covered| {
        if covered >= 0.5 {
            let relative = |at: u32, zero: u32| i32::try_from(i64::from(at) - i64::from(zero));
            if let (Ok(right), Ok(down)) = (relative(x, left), relative(y, line)) {
                stamp.push((right, down));
            }
        }
    });
    stamp
}

struct Pen {
    rasterizer: Rasterizer,
    scale: f32,
    left: f32,
    line: f32,
    most: f32,
    begun: Point,
    last: Point,
}

impl Pen {
    /// A place of the font in the rasteriser, which holds nothing beyond its
    /// edges.
    fn place(&self, x: f32, y: f32) -> Point {
        let x = self.left + x * self.scale;
        let y = self.line - y * self.scale;
        point(x.clamp(0.0, self.most), y.clamp(0.0, self.most))
    }
}

impl OutlinePen for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.begun = self.place(x, y);
        self.last = self.begun;
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let to = self.place(x, y);
        self.rasterizer.draw_line(self.last, to);
        self.last = to;
    }

    fn quad_to(&mut self, cx: f32, cy: f32, x: f32, y: f32) {
        let (by, to) = (self.place(cx, cy), self.place(x, y));
        self.rasterizer.draw_quad(self.last, by, to);
        self.last = to;
    }

    fn curve_to(&mut self, ax: f32, ay: f32, bx: f32, by: f32, x: f32, y: f32) {
        let (first, second) = (self.place(ax, ay), self.place(bx, by));
        let to = self.place(x, y);
        self.rasterizer.draw_cubic(self.last, first, second, to);
        self.last = to;
    }

    fn close(&mut self) {
        self.rasterizer.draw_line(self.last, self.begun);
        self.last = self.begun;
    }
}
