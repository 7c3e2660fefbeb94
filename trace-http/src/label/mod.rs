//! Labels that join goods to their page: what stands on one, how it is set, and
//! the forms in which printers take it.
//!
//! | file | what it does |
//! |---|---|
//! | `content` | what stands on a label of a trace unit; no places, no sizes |
//! | `font` | the Chinese font that was found, its letters' widths and outlines |
//! | `code` | QR codes, at whole dots a module |
//! | `setting` | where everything stands, in dots |
//! | `signed` | the second label 监管用, with the signed record itself |
//! | `svg`, `pdf`, `raster`, `tspl` | the same marks for browsers, office printers, label printers |
//!
//! A dot is an eighth of a millimetre: label printers of 203 dpi have 8 to a
//! millimetre, and every form is drawn from the same whole dots, so that what
//! was looked at on a screen is what leaves the printer.
//!
//! Nothing personal is ever read for a label: it lies on goods that nobody can
//! call back, and an erasure could not reach it (PIPL, art. 47). Where the form
//! demands a natural person's name or a contact, there is a line to write on,
//! or what the producer typed for this print alone, which is stored nowhere.

pub mod code;
pub mod content;
pub mod font;
pub mod pdf;
pub mod raster;
pub mod setting;
pub mod signed;
pub mod svg;
pub mod tspl;

use trace_core::{
    error::{Invalid, Store},
    ident::TraceCode,
    ledger::Failed,
    record::Status,
};

use crate::language::Language;

/// Dots in a millimetre.
pub const DOTS_PER_MM: u32 = 8;

/// Most labels of one PDF: a harvest's ten thousand crates.
pub const PDF_LABELS_MAX: usize = 10_000;

/// Most labels of one TSPL file: one roll of 40×60 mm holds 500.
pub const TSPL_LABELS_MAX: usize = 500;

/// What a label is drawn for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelForm {
    /// One label for a screen, a page or a graphics program.
    Svg,
    /// Labels for an office printer.
    Pdf,
    /// One label for a label printer: one bit a dot, 203 dpi.
    Png,
    /// Labels in the language of cheap label printers.
    Tspl,
}

impl LabelForm {
    /// Every form.
    pub const ALL: [Self; 4] = [Self::Svg, Self::Pdf, Self::Png, Self::Tspl];

    /// Its name, which is also the ending of a file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Pdf => "pdf",
            Self::Png => "png",
            Self::Tspl => "tspl",
        }
    }

    /// As `Content-Type` names it.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Svg => "image/svg+xml",
            Self::Pdf => "application/pdf",
            Self::Png => "image/png",
            // Registered by nobody; a printer is sent the bytes as they are.
            Self::Tspl => "application/octet-stream",
        }
    }

    /// Most labels of one file.
    #[must_use]
    pub fn labels_max(self) -> usize {
        match self {
            Self::Svg | Self::Png => 1,
            Self::Pdf => PDF_LABELS_MAX,
            Self::Tspl => TSPL_LABELS_MAX,
        }
    }
}

/// What a label is printed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paper {
    /// A4, three by eight, 70 × 37.125 mm each: an office printer's sheet.
    A4,
    /// Labels of 40 × 60 mm on a roll.
    Roll40x60,
    /// An endless roll of 58 mm, of which 48 mm are printed.
    Roll58,
    /// An endless roll of 80 mm, of which 72 mm are printed.
    Roll80,
}

impl Paper {
    /// Every paper.
    pub const ALL: [Self; 4] = [Self::A4, Self::Roll40x60, Self::Roll58, Self::Roll80];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::A4 => "a4",
            Self::Roll40x60 => "40x60",
            Self::Roll58 => "58",
            Self::Roll80 => "80",
        }
    }

    /// Dots across one label.
    #[must_use]
    pub fn width(self) -> u32 {
        match self {
            Self::A4 => 70 * DOTS_PER_MM,
            Self::Roll40x60 => 40 * DOTS_PER_MM,
            Self::Roll58 => 48 * DOTS_PER_MM,
            Self::Roll80 => 72 * DOTS_PER_MM,
        }
    }

    /// Dots down one label; none where the roll is endless.
    #[must_use]
    pub fn height(self) -> Option<u32> {
        match self {
            // An eighth of 297 mm.
            Self::A4 => Some(297),
            Self::Roll40x60 => Some(60 * DOTS_PER_MM),
            Self::Roll58 | Self::Roll80 => None,
        }
    }
}

impl Paper {
    /// Dots that a signed record's code may take along a side.
    #[must_use]
    pub fn signed_side(self) -> u32 {
        let down = self.height().unwrap_or(u32::MAX);
        self.width().min(down)
    }
}

macro_rules! by_name {
    ($type:ident, $what:literal) => {
        impl std::str::FromStr for $type {
            type Err = LabelError;

            fn from_str(text: &str) -> Result<Self, LabelError> {
                let found = Self::ALL.into_iter().find(|it| it.name() == text);
                found.ok_or_else(|| LabelError::Wanted {
                    what: $what,
                    found: text.chars().take(20).collect(),
                    known: Self::ALL.map($type::name).join(", "),
                })
            }
        }
    };
}

by_name!(LabelForm, "form");
by_name!(Paper, "size");

/// Which file of labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// For what it is drawn.
    pub form: LabelForm,
    /// On what it is printed.
    pub paper: Paper,
    /// Whether each label is followed by the one for inspectors, 监管用; alone
    /// in a file of one label.
    pub is_signed: bool,
}

impl Wanted {
    /// What can be: a form on a paper that a printer of that form takes.
    ///
    /// # Errors
    /// [`LabelError::Unprintable`].
    pub fn new(form: LabelForm, paper: Paper) -> Result<Self, LabelError> {
        let is_of_rolls = matches!(form, LabelForm::Png | LabelForm::Tspl);
        match (is_of_rolls, paper) {
            (true, Paper::A4) => Err(LabelError::Unprintable { form }),
            _ => Ok(Self {
                form,
                paper,
                is_signed: false,
            }),
        }
    }

    /// The same with labels for inspectors, where it is so.
    #[must_use]
    pub fn signed(self, is_signed: bool) -> Self {
        Self { is_signed, ..self }
    }

    /// That so many fit one file.
    ///
    /// # Errors
    /// [`LabelError::Count`].
    pub fn check_count(self, found: usize) -> Result<(), LabelError> {
        let most = self.form.labels_max();
        let labels = match (self.is_signed, most) {
            (true, 2..) => found.saturating_mul(2),
            _ => found,
        };
        match (1..=most).contains(&labels) {
            true => Ok(()),
            false => Err(LabelError::Count {
                found,
                form: self.form,
            }),
        }
    }
}

/// Draws labels into one file.
///
/// # Errors
/// The first of the contents' errors; [`LabelError`].
pub fn draw(
    font: &font::Font,
    wanted: Wanted,
    contents: impl Iterator<Item = Result<content::Content, LabelError>>,
) -> Result<Vec<u8>, LabelError> {
    let face = font.face()?;
    let is_one = wanted.form.labels_max() == 1;
    let drawings = contents.flat_map(|content| {
        let (plain, signed) = match content {
            Ok(content) => {
                let plain = (!wanted.is_signed || !is_one)
                    .then(|| setting::set(&face, &content, wanted.paper));
                let signed = wanted
                    .is_signed
                    .then(|| signed::set(&face, &content, wanted.paper));
                (plain, signed)
            }
            Err(error) => (Some(Err(error)), None),
        };
        plain.into_iter().chain(signed)
    });
    match wanted.form {
        LabelForm::Pdf => pdf::write(font, &face, wanted.paper, drawings),
        LabelForm::Tspl => tspl::write(&face, wanted.paper, drawings),
        LabelForm::Svg => svg::write(&face, &only(drawings)?),
        LabelForm::Png => raster::Raster::new(&face).draw(&only(drawings)?).to_png(),
    }
}

fn only<T>(mut drawings: impl Iterator<Item = Result<T, LabelError>>) -> Result<T, LabelError> {
    drawings.next().unwrap_or(Err(LabelError::Count {
        found: 0,
        form: LabelForm::Svg,
    }))
}

/// Why there is no label.
#[derive(Debug, thiserror::Error)]
pub enum LabelError {
    /// No font with the forms' characters was found.
    #[error(
        "no font with Chinese characters among {tried}: install Debian's fonts-noto-cjk or \
         fonts-wqy-zenhei, or name a TrueType or OpenType file (TRACE_LABEL_FONT)"
    )]
    Font {
        /// Where it was looked for, each with what was wrong.
        tried: String,
    },
    /// The font lacks a character.
    #[error("the label's font has no {found:?} (U+{:04X}): name another font (TRACE_LABEL_FONT)", u32::from(*found))]
    Letter {
        /// Which.
        found: char,
    },
    /// What the form demands does not fit.
    #[error(
        "the label of {code} needs {needed} dots and {} has {has}: take a larger size", paper.name()
    )]
    Room {
        /// Whose label.
        code: TraceCode,
        /// On what.
        paper: Paper,
        /// Dots it needs, down.
        needed: u32,
        /// Dots there are.
        has: u32,
    },
    /// An address that no QR code holds.
    #[error("an address of {bytes} bytes fits no QR code: shorten --public-url")]
    Address {
        /// How long it is.
        bytes: usize,
    },
    /// A signed record whose modules would be too small to be read.
    #[error(
        "the signed record of {code} needs {modules} modules of 4 dots and {} is {} dots: \
         take a larger size", paper.name(), paper.signed_side()
    )]
    SignedRoom {
        /// Whose label.
        code: TraceCode,
        /// On what.
        paper: Paper,
        /// Modules along a side, the quiet zone included.
        modules: u32,
    },
    /// Nothing to sign: a unit without a certificate of its maker.
    #[error("{code} has no promise of conformity that stands: there is nothing to carry")]
    NothingSigned {
        /// Which.
        code: TraceCode,
    },
    /// What it would be for is no longer to be sold under it.
    #[error("{code} is {}: no label is printed for it", status.name())]
    NotStanding {
        /// Which.
        code: TraceCode,
        /// What it is.
        status: Status,
    },
    /// No such unit.
    #[error("{code} is not on this ledger")]
    Unknown {
        /// Which.
        code: TraceCode,
    },
    /// A form for which the paper is none.
    #[error("{} is for rolls: take a size of 40x60, 58 or 80, or the form pdf", form.name())]
    Unprintable {
        /// Which form.
        form: LabelForm,
    },
    /// Too many for one file, or none.
    #[error("{found} labels, {} takes 1 to {}", form.name(), form.labels_max())]
    Count {
        /// How many.
        found: usize,
        /// Which form.
        form: LabelForm,
    },
    /// A name that is none of the known ones.
    #[error("{what} {found:?}, known are {known}")]
    Wanted {
        /// Of what.
        what: &'static str,
        /// What stands there.
        found: String,
        /// What may stand there.
        known: String,
    },
    /// What was typed is no text for a label.
    #[error(transparent)]
    Typed(#[from] Invalid),
    /// The ledger cannot be read.
    #[error(transparent)]
    Store(#[from] Store),
    /// A library could not write its format.
    #[error("the {form} could not be written: {why}")]
    Written {
        /// Which.
        form: &'static str,
        /// Its own word.
        why: String,
    },
}

impl From<Failed> for LabelError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Invalid(invalid) => Self::Typed(invalid),
            Failed::Store(store) => Self::Store(store),
        }
    }
}

impl LabelError {
    /// In one sentence; what a program said of a number stays as it is.
    #[must_use]
    pub fn words(&self, language: Language) -> String {
        if language == Language::English {
            return self.to_string();
        }
        match self {
            Self::Font { tried } => format!(
                "未找到含中文的字体({tried}):请安装 fonts-noto-cjk 或 fonts-wqy-zenhei,或用 TRACE_LABEL_FONT 指定字体文件"
            ),
            Self::Letter { found } => {
                format!("标签字体没有字符 {found:?},请用 TRACE_LABEL_FONT 另行指定字体")
            }
            Self::Room { code, paper, .. } => {
                format!(
                    "{code} 的内容在 {} 标签上放不下,请选用更大的规格",
                    paper.name()
                )
            }
            Self::SignedRoom { code, paper, .. } => format!(
                "{code} 的签名记录在 {} 标签上放不下(每模块至少4点),请选用更大的规格",
                paper.name()
            ),
            Self::NothingSigned { code } => format!("{code} 没有有效的合格证,无签名记录可印"),
            Self::Address { bytes } => {
                format!("网址 {bytes} 字节,二维码放不下,请缩短 --public-url")
            }
            Self::NotStanding { code, status } => {
                format!("{code}:{},不予打印标签", status.words_zh())
            }
            Self::Unknown { code } => format!("账本中没有 {code}"),
            Self::Unprintable { form } => format!(
                "{} 用于卷筒标签:请选 40x60、58 或 80,或改用 pdf",
                form.name()
            ),
            Self::Count { found, form } => {
                format!(
                    "共 {found} 张,{} 每次可打印 1 至 {} 张",
                    form.name(),
                    form.labels_max()
                )
            }
            Self::Wanted { found, known, .. } => format!("{found:?} 不在可选项中:{known}"),
            Self::Typed(invalid) => format!("{}:{}", invalid.what, invalid.rule.remedy_zh()),
            Self::Store(_) | Self::Written { .. } => self.to_string(),
        }
    }
}
