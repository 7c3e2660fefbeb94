//! `trace verify --qr`: the signed label 监管用 in a photograph, checked without a
//! ledger, a server or a network.
//!
//! A photograph is a stranger's: how large it may be is decided before it is
//! unpacked. The only file that knows the crates `image` and `rqrr`.

use std::{
    fs::File,
    io::{Cursor, Read},
    path::Path,
};

use image::{ImageReader, Limits};
use serde_json::{Value, json};
use trace_core::{
    error::Verify,
    ident::{CivilDate, LEDGER_OFFSET_MINUTES, format_ms},
    proof::{
        anchor::Anchor,
        bundle::{Bundle, Verdict},
        signed_label::{SIGNED_LABEL_BYTES_MAX, SignedLabel},
    },
    record::{
        Body, Origin, Verified,
        sign::{Key, PublicKey},
    },
};

use super::{Failure, Manner, manner::plain};

/// Bytes of a picture: a telephone's photograph has 3 to 12 MB.
const PICTURE_BYTES_MAX: u64 = 20 << 20;

/// Pixels along a side, 50 megapixels within it: the largest that telephones
/// make.
const SIDE_PIXELS_MAX: u32 = 8_192;

/// Memory to unpack it: 8,192 × 8,192 pixels of three bytes.
const UNPACKED_BYTES_MAX: u64 = 192 << 20;

/// Codes looked at in one picture; a label has two.
const CODES_MAX: usize = 16;

/// Whose key a label is checked with, and who says so.
pub enum Signer {
    /// The enrolment in a bundle that was verified.
    Proved(Box<Verdict>),
    /// Whoever gave the command.
    Given(PublicKey),
}

/// The signer that a bundle proves.
///
/// # Errors
/// As of [`Bundle::verify`].
pub fn proved(bytes: &[u8], anchor: &Anchor, as_of: CivilDate) -> Result<Signer, Failure> {
    let verdict = Bundle::decode(bytes)?.verify(anchor, &[], as_of)?;
    Ok(Signer::Proved(Box::new(verdict)))
}

/// Checks the signed label in a picture.
///
/// # Errors
/// [`Failure::Machine`] for a picture that cannot be read, [`Failure::Refused`]
/// for one without a signed label, [`Failure::Evidence`] for one that is not
/// genuine, or of a key that is not known here.
pub fn verify(
    path: &Path,
    anchor: &Anchor,
    signer: &Signer,
    manner: &Manner,
) -> Result<(), Failure> {
    let label = label_in(path, manner)?;
    let origin = Origin::parse(anchor.ledger_key.name())?;
    let known = match signer {
        Signer::Given(key) => Some((*key, None)),
        Signer::Proved(verdict) => enrolled(verdict, &label),
    };
    let Some((key, whose)) = known else {
        return Err(Verify::CannotCheck {
            why: "no key enrolled in that bundle is the one that signed this label: give a bundle of the same signer".into(),
        }
        .into());
    };
    let verified = label.verify(&origin, &Key::parse(&key)?)?;
    let told = Told {
        verified: &verified,
        whose,
        key,
    };
    manner.tell(&told.value(), || told.words(manner).join("\n"))
}

/// Whose key it is, as a bundle proves it.
struct Whose {
    entity: String,
    name: Option<String>,
    is_revoked: bool,
}

fn enrolled(verdict: &Verdict, label: &SignedLabel) -> Option<(PublicKey, Option<Whose>)> {
    let records = || verdict.proved.iter().map(|record| &record.body);
    let (key, entity) = records().find_map(|body| match body {
        Body::KeyEnrolled(body) => {
            let key = PublicKey::from_bytes(body.public_key.0);
            label.names(&key.id()).then_some((key, body.entity))
        }
        _ => None,
    })?;
    let name = records().find_map(|body| match body {
        Body::EntityRegistered(body) if body.entity == entity => body.name.clone(),
        _ => None,
    });
    let is_revoked = records().any(|body| match body {
        Body::KeyRevoked(body) => body.key == key.id(),
        _ => false,
    });
    let entity = entity.to_string();
    Some((
        key,
        Some(Whose {
            entity,
            name,
            is_revoked,
        }),
    ))
}

/// The signed label among the codes of a picture.
fn label_in(path: &Path, manner: &Manner) -> Result<SignedLabel, Failure> {
    let codes = codes(path)?;
    let mut why = None;
    for code in &codes {
        match SignedLabel::decode(code) {
            Ok(label) => return Ok(label),
            Err(error) => why = Some(error),
        }
    }
    let file = path.display();
    Err(Failure::Refused(match why {
        None => manner.of(
            format!("{file}: no QR code was found: hold the camera closer, in even light"),
            format!("{file}:未找到二维码,请靠近并在均匀光线下重拍"),
        ),
        Some(why) => manner.of(
            format!("{file}: {why}. The label for inspectors is marked 监管用; of an ordinary one, look up the trace code"),
            format!("{file}:{why}。监管标签印有“监管用”;普通标签请查询其追溯码"),
        ),
    }))
}

/// What the QR codes of a picture hold.
fn codes(path: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    let cannot =
        |error: &dyn std::fmt::Display| Failure::Machine(format!("{}: {error}", path.display()));
    let file = File::open(path).map_err(|error| cannot(&error))?;
    let mut bytes = Vec::new();
    let mut file = file.take(PICTURE_BYTES_MAX + 1);
    file.read_to_end(&mut bytes)
        .map_err(|error| cannot(&error))?;
    if file.limit() == 0 {
        return Err(cannot(&format!("more than {PICTURE_BYTES_MAX} bytes")));
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_PIXELS_MAX);
    limits.max_image_height = Some(SIDE_PIXELS_MAX);
    limits.max_alloc = Some(UNPACKED_BYTES_MAX);
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|error| cannot(&error))?;
    reader.limits(limits);
    let picture = reader
        .decode()
        .map_err(|error| cannot(&error))?
        .into_luma8();
    let (width, height) = picture.dimensions();
    let side = |pixels: u32| usize::try_from(pixels).unwrap_or(0);
    let mut prepared =
        rqrr::PreparedImage::prepare_from_greyscale(side(width), side(height), |x, y| {
            let place = u32::try_from(x).ok().zip(u32::try_from(y).ok());
            let pixel = place.and_then(|(x, y)| picture.get_pixel_checked(x, y));
            pixel.map_or(255, |pixel| pixel.0.first().copied().unwrap_or(255))
        });
    let mut found = Vec::new();
    for grid in prepared.detect_grids().iter().take(CODES_MAX) {
        let mut code = Vec::new();
        // What is too dirty to be read is no code.
        if grid.decode_to(&mut code).is_ok() && code.len() <= SIGNED_LABEL_BYTES_MAX {
            found.push(code);
        }
    }
    Ok(found)
}

struct Told<'a> {
    verified: &'a Verified,
    whose: Option<Whose>,
    key: PublicKey,
}

/// What a signature alone cannot show.
const NOT_SHOWN: [(&str, &str); 2] = [
    ("that the ledger admitted this record", "账本已收录此记录"),
    (
        "that it was not voided, replaced or recalled since",
        "此后未被作废、更正或召回",
    ),
];

impl Told<'_> {
    fn value(&self) -> Value {
        let said = self.verified.statement();
        let body = self.verified.body();
        json!({
            "record": self.verified.hash().to_string(),
            "kind": body.kind().name,
            "statement": body.to_json(),
            "signed_at": format_ms(said.signed_at_ms, LEDGER_OFFSET_MINUTES),
            "origin": said.origin.as_str(),
            "key": self.key.id().to_string(),
            "signer": self.whose.as_ref().map(|whose| json!({
                "entity": whose.entity,
                "name": whose.name,
                "is_key_revoked": whose.is_revoked,
            })),
            "proved": "signature",
            "not_shown": NOT_SHOWN.map(|(words, _)| words),
        })
    }

    fn words(&self, manner: &Manner) -> Vec<String> {
        let said = self.verified.statement();
        let body = self.verified.body();
        let mut lines = Vec::new();
        let by = match &self.whose {
            Some(whose) => {
                let name = whose.name.as_deref().map(plain).unwrap_or_default();
                manner.of(
                    format!("{name} ({}), as the bundle proves", whose.entity),
                    format!("{name}({},由证据包证明)", whose.entity),
                )
            }
            None => manner.of(
                format!("whoever holds the key {} that you gave", self.key),
                format!("您所给密钥 {} 的持有者", self.key),
            ),
        };
        let (at, origin) = (
            format_ms(said.signed_at_ms, LEDGER_OFFSET_MINUTES),
            said.origin.as_str(),
        );
        lines.push(manner.of(
            format!("The signature is genuine: {}, signed by {by} for {origin}, at {at} by the signer's clock", body.kind().name),
            format!("签名真实:{},签名者 {by},账本 {origin},签名时间(签名者时钟){at}", body.kind().name_zh),
        ));
        if let Some((elements, _)) = crate::api::certificates::elements_of(body) {
            let what = [
                elements.unit.to_string(),
                elements.number.clone(),
                elements.product.clone(),
                elements.quantity.to_string(),
                elements.origin_place.clone(),
            ];
            lines.push(what.map(|it| plain(&it)).join(" · "));
        }
        if self.whose.as_ref().is_some_and(|whose| whose.is_revoked) {
            lines.push(
                manner
                    .of(
                        "That key was revoked: what it signed since is worth nothing",
                        "该密钥已吊销:其后所签无效",
                    )
                    .to_owned(),
            );
        }
        for (english, chinese) in NOT_SHOWN {
            lines.push(manner.of(
                format!("Not shown: {english}"),
                format!("不能说明:{chinese}"),
            ));
        }
        lines
    }
}
