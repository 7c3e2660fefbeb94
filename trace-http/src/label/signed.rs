//! The label for inspectors, 监管用: the signed record itself as a QR code, which
//! is checked without a network (`trace verify --qr`).
//!
//! A module is never less than four dots, half a millimetre: a camera at a
//! market gate does not read a code of that many modules smaller. So a paper
//! takes versions up to the one that fits its shorter side with the quiet zone:
//!
//! | size | dots | modules | version | bytes at level L |
//! |---|---|---|---|---|
//! | a4 (70 × 37.125 mm) | 297 | 74 | 12 | 367 |
//! | 40x60 | 320 | 80 | 13 | 425 |
//! | 58 (48 mm printed) | 384 | 96 | 17 | 644 |
//! | 80 (72 mm printed) | 576 | 144 | 32 | 1,952 |
//!
//! A record takes 122 bytes and its body; what a real certificate takes is
//! measured by a test of the drawing. What does not fit is refused, never drawn
//! smaller.

use super::{
    LabelError, Paper,
    code::Modules,
    content::Content,
    font::Face,
    setting::{COLON, Drawing, MARGIN, Mark, pitch, wrap},
};

/// The smallest module, in dots.
pub const MODULE_DOTS_MIN: u32 = 4;

/// Text on it, in dots; its code is what it is for.
const SIZE: u32 = 18;

/// Sets the label for inspectors of a unit.
///
/// # Errors
/// [`LabelError::NothingSigned`] for a unit without a certificate,
/// [`LabelError::SignedRoom`], [`LabelError::Letter`].
pub fn set(face: &Face<'_>, content: &Content, paper: Paper) -> Result<Drawing, LabelError> {
    let code = content.code;
    let nothing = || LabelError::NothingSigned { code };
    let record = content.signed.as_deref().ok_or_else(nothing)?;
    let modules = Modules::of_record(record).ok_or_else(nothing)?;
    let across = modules.side_with_quiet();
    let module = paper.signed_side() / across;
    if module < MODULE_DOTS_MIN {
        return Err(LabelError::SignedRoom {
            code,
            paper,
            modules: across,
        });
    }
    // Larger than this helps no camera and costs paper.
    let module = module.min(MODULE_DOTS_MIN + 2);
    let side = across * module;
    let is_beside = paper == Paper::A4;
    let (x, top, width) = match is_beside {
        true => (side, MARGIN, paper.width() - MARGIN - side),
        false => (MARGIN, side, paper.width() - 2 * MARGIN),
    };
    let mut marks = vec![Mark::Code {
        x: match is_beside {
            true => 0,
            false => (paper.width() - side) / 2,
        },
        y: 0,
        module,
        modules,
    }];
    let product = content.lines.first().and_then(|line| line.value.clone());
    let mut y = top;
    let mut spoken = Vec::new();
    for (text, size) in [
        ("监管用".to_owned(), SIZE * 2),
        (content.heading.to_owned(), SIZE),
        (product.unwrap_or_default(), SIZE),
        (format!("追溯码{COLON}{code}"), SIZE),
        ("签名记录,可离线核验".to_owned(), SIZE),
    ] {
        for line in wrap(face, &text, size, width)? {
            marks.push(Mark::Text {
                x,
                y: y + size - size / 8,
                size,
                text: line,
            });
            y += pitch(size);
        }
        spoken.push(text);
    }
    let needed = y.max(side);
    let has = paper.height().unwrap_or(needed);
    if needed > has {
        return Err(LabelError::Room {
            code,
            paper,
            needed,
            has,
        });
    }
    Ok(Drawing {
        width: paper.width(),
        height: has,
        marks,
        spoken: spoken.join("\n"),
    })
}
