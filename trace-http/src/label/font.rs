//! The font of labels: found on this machine, never shipped, since a font with
//! Chinese characters weighs 16 MB and Debian keeps free ones.
//!
//! Widths and outlines in the font's own units; no shaping, which Chinese and
//! Latin text of a label does not need. The only file that knows the crate
//! `skrifa`.

use std::{
    cell::RefCell,
    collections::HashMap,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};

use skrifa::{
    FontRef, GlyphId, MetadataProvider,
    instance::{LocationRef, Size},
    outline::DrawSettings,
    raw::{FileRef, TableProvider},
    string::StringId,
};

pub use skrifa::outline::OutlinePen;

use super::LabelError;

/// Where fonts with Chinese characters lie: Debian's packages fonts-noto-cjk and
/// fonts-wqy-zenhei, then where other systems put the same.
const PLACES: [&str; 6] = [
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-sans-cjk-fonts/NotoSansCJK-Regular.ttc",
    "/System/Library/Fonts/STHeiti Medium.ttc",
];

/// Largest file that is read: the largest free ones have 30 MB.
const FONT_BYTES_MAX: u64 = 64 << 20;

/// Characters without which no label is set.
const NEEDED: &str =
    "承诺达标合格证电子追溯标签数量产地开具时间主体联系方式事项依据待入账√0AZ\u{ff1a}\u{ff1b}()";

/// A font file, and which of its faces is used.
#[derive(Clone)]
pub struct Font {
    bytes: Arc<Vec<u8>>,
    index: u32,
    path: PathBuf,
}

impl Font {
    /// The font in a file, or the first that is found.
    ///
    /// # Errors
    /// [`LabelError::Font`], with where it was looked for.
    pub fn find(named: Option<&Path>) -> Result<Self, LabelError> {
        let places = match named {
            Some(path) => vec![path.to_owned()],
            None => PLACES.iter().map(PathBuf::from).collect(),
        };
        let mut tried = Vec::new();
        for path in places {
            match Self::read(&path) {
                Ok(font) => return Ok(font),
                Err(why) => tried.push(format!("{} ({why})", path.display())),
            }
        }
        Err(LabelError::Font {
            tried: tried.join(", "),
        })
    }

    fn read(path: &Path) -> Result<Self, String> {
        let file = File::open(path).map_err(|error| error.to_string())?;
        let mut bytes = Vec::new();
        let mut file = file.take(FONT_BYTES_MAX + 1);
        file.read_to_end(&mut bytes)
            .map_err(|error| error.to_string())?;
        if u64::try_from(bytes.len()).is_ok_and(|length| length > FONT_BYTES_MAX) {
            return Err(format!("more than {FONT_BYTES_MAX} bytes"));
        }
        let index = face_for_china(&bytes)?;
        let font = Self {
            bytes: Arc::new(bytes),
            index,
            path: path.to_owned(),
        };
        let face = font.face().map_err(|error| error.to_string())?;
        match NEEDED.chars().find(|needed| face.letter(*needed).is_err()) {
            Some(missing) => Err(format!("no {missing:?} in it")),
            None => Ok(font.clone()),
        }
    }

    /// What is read of it while labels are set.
    ///
    /// # Errors
    /// [`LabelError::Font`] for a file that was no font.
    pub fn face(&self) -> Result<Face<'_>, LabelError> {
        let broken = |error: &dyn std::fmt::Display| LabelError::Font {
            tried: format!("{} ({error})", self.path.display()),
        };
        let font = FontRef::from_index(&self.bytes, self.index).map_err(|it| broken(&it))?;
        let head = font.head().map_err(|it| broken(&it))?;
        let units = u32::from(head.units_per_em());
        if units == 0 {
            return Err(broken(&"no units"));
        }
        Ok(Face {
            font,
            units,
            known: RefCell::default(),
        })
    }

    /// The file's bytes and which face of them, for who embeds it.
    #[must_use]
    pub fn parts(&self) -> (Arc<Vec<u8>>, u32) {
        (Arc::clone(&self.bytes), self.index)
    }
}

impl std::fmt::Debug for Font {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Font({}, face {})", self.path.display(), self.index)
    }
}

/// Of a collection, the face whose shapes are mainland China's.
fn face_for_china(bytes: &[u8]) -> Result<u32, String> {
    let file = FileRef::new(bytes).map_err(|error| error.to_string())?;
    let is_for_china = |font: &FontRef<'_>| {
        let mut names = font.localized_strings(StringId::FAMILY_NAME);
        names.any(|name| name.chars().collect::<String>().ends_with(" SC"))
    };
    let found = (0u32..)
        .zip(file.fonts())
        .find(|(_, font)| font.as_ref().is_ok_and(is_for_china));
    Ok(found.map_or(0, |(index, _)| index))
}

/// A letter of the font.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Letter {
    /// Which glyph.
    pub glyph: u32,
    /// How far the next one stands, in the font's units.
    pub advance: u32,
}

/// A font while labels are set.
pub struct Face<'a> {
    font: FontRef<'a>,
    units: u32,
    known: RefCell<HashMap<char, Letter>>,
}

impl Face<'_> {
    /// Units in the height of a line of text.
    #[must_use]
    pub fn units(&self) -> u32 {
        self.units
    }

    /// The letter of a character.
    ///
    /// # Errors
    /// [`LabelError::Letter`] where the font has none.
    pub fn letter(&self, found: char) -> Result<Letter, LabelError> {
        if let Some(letter) = self.known.borrow().get(&found) {
            return Ok(*letter);
        }
        let glyph = self.font.charmap().map(found);
        let glyph = glyph.filter(|glyph| glyph.to_u32() != 0);
        let glyph = glyph.ok_or(LabelError::Letter { found })?;
        let metrics = self
            .font
            .glyph_metrics(Size::unscaled(), LocationRef::default());
        let advance = metrics.advance_width(glyph).unwrap_or_default().max(0.0);
        let letter = Letter {
            glyph: glyph.to_u32(),
            advance: whole(advance),
        };
        self.known.borrow_mut().insert(found, letter);
        Ok(letter)
    }

    /// Dots that a text of a size takes, rounded up.
    ///
    /// # Errors
    /// [`LabelError::Letter`].
    pub fn width(&self, text: &str, size: u32) -> Result<u32, LabelError> {
        let mut units = 0u64;
        for found in text.chars() {
            units += u64::from(self.letter(found)?.advance);
        }
        let dots = (units * u64::from(size)).div_ceil(u64::from(self.units));
        Ok(u32::try_from(dots).unwrap_or(u32::MAX))
    }

    /// Draws a glyph in the font's units, upwards from the line of writing.
    pub fn outline(&self, glyph: u32, pen: &mut impl OutlinePen) {
        let outlines = self.font.outline_glyphs();
        if let Some(outline) = outlines.get(GlyphId::new(glyph)) {
            let settings = DrawSettings::unhinted(Size::unscaled(), LocationRef::default());
            // A glyph that breaks off is a font that is damaged: what is drawn
            // of it is seen on the label.
            let _ = outline.draw(settings, pen);
        }
    }
}

/// A width in units, which are whole numbers below 2^16.
fn whole(units: f32) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "casts from floats saturate, and a width is no less than zero"
    )]
    let units = units.round() as u32;
    units
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_font_is_found_and_measures_chinese_as_squares() {
        let font = Font::find(None).unwrap();
        let face = font.face().unwrap();
        assert_eq!(face.width("承诺", 24).unwrap(), 48);
        assert!(face.width("0A", 24).unwrap() < 36);
        assert!(matches!(
            face.letter('\u{10FFFD}'),
            Err(LabelError::Letter {
                found: '\u{10FFFD}'
            })
        ));
    }

    #[test]
    fn where_there_is_no_font_it_says_where_it_looked_and_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let nothing = folder.path().join("none.ttf");
        let other = folder.path().join("other.ttf");
        std::fs::write(&other, b"no font").unwrap();
        for path in [&nothing, &other] {
            let told = Font::find(Some(path)).unwrap_err().to_string();
            assert!(told.contains(path.to_str().unwrap()), "{told}");
            assert!(told.contains("fonts-noto-cjk"), "{told}");
        }
    }
}
