//! Labels in TSPL, the language of cheap label printers (TSC's TSPL/TSPL2
//! programming manual): a bitmap each, so that a printer needs no Chinese font
//! and draws no QR code of its own.
//!
//! Not here: how a file comes to the printer, which is sent the bytes as they
//! are (`cat labels.tspl > /dev/usb/lp0`).

use super::{DOTS_PER_MM, LabelError, Paper, font::Face, raster::Raster, setting::Drawing};

/// Between labels of 40 × 60 mm as they are sold.
const GAP_MM: u32 = 2;

/// Writes labels, one after the other.
///
/// # Errors
/// The first of the drawings'.
pub fn write(
    face: &Face<'_>,
    paper: Paper,
    drawings: impl Iterator<Item = Result<Drawing, LabelError>>,
) -> Result<Vec<u8>, LabelError> {
    let mut raster = Raster::new(face);
    let mut bytes = Vec::new();
    for drawing in drawings {
        let bitmap = raster.draw(&drawing?);
        let (across_mm, down_mm) = (
            bitmap.width.div_ceil(DOTS_PER_MM),
            bitmap.height.div_ceil(DOTS_PER_MM),
        );
        let gap_mm = match paper.height() {
            Some(_) => GAP_MM,
            None => 0,
        };
        let (width_bytes, height) = (bitmap.width.div_ceil(8), bitmap.height);
        bytes.extend_from_slice(
            format!(
                "SIZE {across_mm} mm,{down_mm} mm\r\nGAP {gap_mm} mm,0 mm\r\nDIRECTION 1\r\n\
                 CLS\r\nBITMAP 0,0,{width_bytes},{height},0,"
            )
            .as_bytes(),
        );
        // A bit that is set leaves its dot white.
        bytes.extend(bitmap.packed(false));
        bytes.extend_from_slice(b"\r\nPRINT 1,1\r\n");
    }
    Ok(bytes)
}
