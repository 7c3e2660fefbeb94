//! Where everything stands on a label, in dots.
//!
//! Two arrangements: on a sheet the text stands beside the code, on a roll above
//! it. The largest text and modules that fit are taken; what the form does not
//! demand is left out, last line first, before anything demanded is refused.

use super::{
    LabelError, Paper,
    code::{Modules, QUIET},
    content::{Content, Line},
    font::Face,
};

/// A thing on a label; all places are dots from its upper left corner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// Text on one line.
    Text {
        /// Where it begins.
        x: u32,
        /// The line of writing.
        y: u32,
        /// Height of a Chinese character.
        size: u32,
        /// What it says.
        text: String,
    },
    /// A filled rectangle.
    Block {
        /// Left.
        x: u32,
        /// Top.
        y: u32,
        /// Across.
        width: u32,
        /// Down.
        height: u32,
    },
    /// A QR code; the corner is its quiet zone's.
    Code {
        /// Left.
        x: u32,
        /// Top.
        y: u32,
        /// Dots of a module.
        module: u32,
        /// Which are dark.
        modules: Modules,
    },
}

/// One label, set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawing {
    /// Dots across.
    pub width: u32,
    /// Dots down.
    pub height: u32,
    /// What stands on it.
    pub marks: Vec<Mark>,
    /// The same as text, for who cannot see it.
    pub spoken: String,
}

/// As Chinese writes them.
pub(super) const COLON: &str = "\u{ff1a}";
const SEMICOLON: &str = "\u{ff1b}";

/// White at the edges: label printers and office printers place to a millimetre.
pub(super) const MARGIN: u32 = 10;

/// Sizes of text and module that are tried, the best first. Chinese below 16
/// dots, 2 mm, is not read from 203 dpi; an office printer draws 14 well. Three
/// dots, 0.375 mm, is the smallest module that a phone reads off a label.
fn sizes(paper: Paper) -> &'static [(u32, u32)] {
    match paper {
        Paper::A4 => &[
            (20, 4),
            (18, 4),
            (17, 4),
            (16, 4),
            (16, 3),
            (15, 3),
            (14, 3),
        ],
        Paper::Roll40x60 => &[(22, 4), (20, 4), (18, 4), (18, 3), (17, 3), (16, 3)],
        Paper::Roll58 => &[(22, 5), (20, 4), (18, 3)],
        Paper::Roll80 => &[(28, 6), (24, 5), (20, 4)],
    }
}

/// Sets a label.
///
/// # Errors
/// [`LabelError::Room`], [`LabelError::Address`] or [`LabelError::Letter`].
pub fn set(face: &Face<'_>, content: &Content, paper: Paper) -> Result<Drawing, LabelError> {
    let modules = Modules::of(&content.address)?;
    let mut lines = content.lines.clone();
    loop {
        let mut least = u32::MAX;
        for (size, module) in sizes(paper) {
            let setter = Setter {
                face,
                content,
                lines: &lines,
                modules: &modules,
                size: *size,
                module: *module,
                width: paper.width(),
                marks: Vec::new(),
            };
            let drawing = match paper {
                Paper::A4 => setter.beside()?,
                _ => setter.above()?,
            };
            let Some(drawing) = drawing else { continue };
            match paper.height() {
                None => return Ok(drawing),
                Some(height) if drawing.height <= height => {
                    return Ok(Drawing { height, ..drawing });
                }
                Some(_) => least = least.min(drawing.height),
            }
        }
        let Some(spare) = lines.iter().rposition(|line| !line.is_demanded) else {
            return Err(LabelError::Room {
                code: content.code,
                paper,
                needed: least,
                has: paper.height().unwrap_or_default(),
            });
        };
        lines.remove(spare);
    }
}

struct Setter<'a> {
    face: &'a Face<'a>,
    content: &'a Content,
    lines: &'a [Line],
    modules: &'a Modules,
    size: u32,
    module: u32,
    width: u32,
    marks: Vec<Mark>,
}

/// Between 待入账 and its frame.
const FRAME: u32 = 4;

impl Setter<'_> {
    /// Text, and below it the code with its digits beside; none where the digits
    /// have no room.
    fn above(mut self) -> Result<Option<Drawing>, LabelError> {
        let inner = self.width - 2 * MARGIN;
        let mut y = self.text(MARGIN, MARGIN, inner)?;
        y += self.size / 3;
        let side = self.modules.side_with_quiet() * self.module;
        // The quiet zone is white, so that it may reach into the margin.
        let quiet = QUIET * self.module;
        let x = MARGIN.saturating_sub(quiet.min(MARGIN));
        let beside = x + side;
        if beside + 4 * self.size > self.width - MARGIN {
            return Ok(None);
        }
        let column = self.width - MARGIN - beside;
        // Five rows beside the code, no higher than it.
        let row = side.saturating_sub(pitch(self.size)) / 6;
        let most = row.clamp(self.size, self.size * 2);
        let digits = self.fitting("WWWW-", column, most)?;
        let mut down = y + quiet.min(self.size);
        down = self.put(beside, down, self.size, "扫码查追溯");
        let code = self.content.code.to_string();
        for four in code.split('-') {
            down = self.put(beside, down, digits, four);
        }
        if self.content.is_pending {
            down = self.pending(beside, down + FRAME, self.size);
        }
        self.code(x, y);
        let height = (y + side).max(down + MARGIN);
        Ok(Some(self.finish(height)))
    }

    /// Text at the left, at the right the code with its digits below.
    fn beside(mut self) -> Result<Option<Drawing>, LabelError> {
        let side = self.modules.side_with_quiet() * self.module;
        if side + 12 * self.size > self.width {
            return Ok(None);
        }
        let left = self.width - MARGIN.min(QUIET * self.module) - side;
        let bottom = self.text(MARGIN, MARGIN, left - MARGIN)?;
        let mut down = self.put(left + QUIET * self.module, MARGIN, self.size, "扫码查追溯");
        self.code(left, down);
        down += side;
        let code = self.content.code.to_string();
        let column = self.width - MARGIN - left;
        let digits = self.fitting(&code, column, self.size)?;
        down = self.put(left, down, digits, &code);
        if self.content.is_pending {
            down = self.pending(left, down + FRAME, self.size);
        }
        Ok(Some(self.finish(bottom.max(down) + MARGIN)))
    }

    fn finish(self, height: u32) -> Drawing {
        let mut spoken = vec![self.content.heading.to_owned()];
        for line in self.lines {
            let value = line.value.as_deref().unwrap_or("________");
            spoken.push(format!("{}{COLON}{value}", line.name));
        }
        spoken.extend(self.content.pledges.iter().map(|it| (*it).to_owned()));
        let ticked = self.content.bases.iter().filter(|(_, ticked)| *ticked);
        spoken.extend(ticked.map(|(words, _)| format!("承诺依据{COLON}{words}")));
        spoken.push(format!("追溯码{COLON}{}", self.content.code));
        if self.content.is_pending {
            spoken.push("待入账".into());
        }
        Drawing {
            width: self.width,
            height,
            marks: self.marks,
            spoken: spoken.join("\n"),
        }
    }

    /// Heading, elements, pledges, bases; where it ends.
    fn text(&mut self, x: u32, top: u32, width: u32) -> Result<u32, LabelError> {
        let size = self.size;
        let heading = self.content.heading;
        let large = self.fitting(heading, width, size * 2)?;
        let across = self.face.width(heading, large)?;
        let mut y = self.put(x + (width - across) / 2, top, large, heading);
        self.marks.push(Mark::Block {
            x,
            y,
            width,
            height: 2,
        });
        y += size / 4 + 2;
        for line in self.lines {
            y = self.line(x, y, width, line)?;
        }
        if !self.content.pledges.is_empty() {
            let said = format!("承诺事项{COLON}{}", self.content.pledges.join(SEMICOLON));
            y = self.wrapped(x, y, width, &said)?;
        }
        if !self.content.bases.is_empty() {
            y = self.bases(x, y, width)?;
        }
        Ok(y)
    }

    fn line(&mut self, x: u32, y: u32, width: u32, line: &Line) -> Result<u32, LabelError> {
        if let Some(value) = &line.value {
            return self.wrapped(x, y, width, &format!("{}{COLON}{value}", line.name));
        }
        // To be written by hand: higher, and a line to write on.
        let name = format!("{}{COLON}", line.name);
        let begins = x + self.face.width(&name, self.size)?;
        let below = self.put(x, y + self.size / 3, self.size, &name);
        self.marks.push(Mark::Block {
            x: begins,
            y: below - 2,
            width: (x + width).saturating_sub(begins),
            height: 1,
        });
        Ok(below)
    }

    /// The bases, each with its box, as many on a line as fit.
    fn bases(&mut self, x: u32, y: u32, width: u32) -> Result<u32, LabelError> {
        let size = self.size;
        let box_side = size - size / 5;
        let title = &format!("承诺依据{COLON}");
        let mut at = x + self.face.width(title, size)?;
        let mut top = y;
        self.put(x, top, size, title);
        for (words, is_ticked) in self.content.bases.clone() {
            let across = box_side + size / 4 + self.face.width(words, size)?;
            if at + across > x + width && at > x {
                at = x;
                top += pitch(size);
            }
            self.tick_box(at, top + size / 8, box_side, is_ticked);
            self.put(at + box_side + size / 4, top, size, words);
            at += across + size / 2;
        }
        Ok(top + pitch(size))
    }

    fn tick_box(&mut self, x: u32, y: u32, side: u32, is_ticked: bool) {
        let block = |x, y, width, height| Mark::Block {
            x,
            y,
            width,
            height,
        };
        let line = (side / 10).max(1);
        self.marks.extend([
            block(x, y, side, line),
            block(x, y + side - line, side, line),
            block(x, y, line, side),
            block(x + side - line, y, line, side),
        ]);
        if is_ticked {
            self.marks.push(Mark::Text {
                x: x + side / 8,
                y: y + side - side / 8,
                size: side,
                text: "√".into(),
            });
        }
    }

    fn pending(&mut self, x: u32, y: u32, size: u32) -> u32 {
        let below = self.put(x + FRAME, y, size, "待入账");
        let (width, height) = (3 * size + 2 * FRAME, below - y + FRAME);
        let block = |x, y, width, height| Mark::Block {
            x,
            y,
            width,
            height,
        };
        self.marks.extend([
            block(x, y - 2, width, 2),
            block(x, y + height - 4, width, 2),
            block(x, y - 2, 2, height),
            block(x + width - 2, y - 2, 2, height),
        ]);
        y + height
    }

    fn code(&mut self, x: u32, y: u32) {
        self.marks.push(Mark::Code {
            x,
            y,
            module: self.module,
            modules: self.modules.clone(),
        });
    }

    /// Puts a line of text; where the next may begin.
    fn put(&mut self, x: u32, top: u32, size: u32, text: &str) -> u32 {
        self.marks.push(Mark::Text {
            x,
            y: top + size - size / 8,
            size,
            text: text.to_owned(),
        });
        top + pitch(size)
    }

    fn wrapped(&mut self, x: u32, y: u32, width: u32, text: &str) -> Result<u32, LabelError> {
        let mut y = y;
        for line in wrap(self.face, text, self.size, width)? {
            y = self.put(x, y, self.size, &line);
        }
        Ok(y)
    }

    /// The largest size, up to one, at which a text fits a width.
    fn fitting(&self, text: &str, width: u32, most: u32) -> Result<u32, LabelError> {
        let at_most = self.face.width(text, most)?.max(1);
        Ok(match at_most <= width {
            true => most,
            false => most * width / at_most,
        })
    }
}

/// From one line to the next.
pub(super) fn pitch(size: u32) -> u32 {
    size + size / 5
}

/// What no line begins with: 、,。;:!?)》 as Chinese writes them, and % .
const CLOSING: &str = "\u{3001}\u{ff0c}\u{3002}\u{ff1b}\u{ff1a}\u{ff01}\u{ff1f}\u{ff09}\u{300b}%";

/// A text in lines of a width: between Chinese characters anywhere, within words
/// and numbers only where one is longer than a line.
pub(super) fn wrap(
    face: &Face<'_>,
    text: &str,
    size: u32,
    width: u32,
) -> Result<Vec<String>, LabelError> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for piece in pieces(text) {
        let joined = format!("{line}{piece}");
        if line.is_empty() || face.width(joined.trim_end(), size)? <= width {
            line = joined;
        } else {
            lines.push(std::mem::take(&mut line));
            line = piece.trim_start().to_owned();
        }
        while face.width(line.trim_end(), size)? > width && line.chars().count() > 1 {
            let mut head = String::new();
            for found in line.chars() {
                head.push(found);
                if face.width(&head, size)? > width && head.chars().count() > 1 {
                    head.pop();
                    break;
                }
            }
            line = line.split_off(head.len());
            lines.push(head);
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    Ok(lines)
}

/// The parts of a text that stay together: a word or number with what closes
/// it, a Chinese character with what closes it.
fn pieces(text: &str) -> Vec<String> {
    let is_of_word = |found: char| found.is_ascii_graphic();
    let mut pieces: Vec<String> = Vec::new();
    for found in text.chars() {
        let last = pieces.last().and_then(|piece| piece.chars().last());
        let joins = CLOSING.contains(found) || last.is_some_and(is_of_word) && is_of_word(found);
        match pieces.last_mut() {
            Some(piece) if joins => piece.push(found),
            _ => pieces.push(found.into()),
        }
    }
    pieces
}

#[cfg(test)]
mod tests;
