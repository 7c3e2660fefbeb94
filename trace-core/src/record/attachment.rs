//! Documents that a record names: what each is, and its hash. The document
//! itself lies beside the log.

use super::hash::Hash;
use super::text;
use crate::error::{Invalid, Rule};
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// Most attachments of one record: five papers and a photo of each of ten
/// pallets leave an entry half empty.
pub const ATTACHMENTS_MAX: usize = 16;

/// What a document attached to goods under supervision is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Schema,
)]
#[serde(rename_all = "snake_case")]
pub enum AttachmentKind {
    /// 报关单.
    CustomsDeclaration,
    /// 检验检疫证明.
    InspectionCertificate,
    /// 核酸检测: demanded until January 2023 (unconfirmed), optional since.
    NucleicAcidTest,
    /// 消毒证明: as the test.
    Disinfection,
    /// Anything else.
    Other,
}

/// A document by its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct Attachment {
    /// What it is.
    pub kind: AttachmentKind,
    /// Its number, where it has one, up to 40 characters.
    pub number: Option<String>,
    /// SHA-256 of the document.
    pub document: Hash,
}

impl AttachmentKind {
    /// Its name in Chinese.
    #[must_use]
    pub fn name_zh(self) -> &'static str {
        match self {
            Self::CustomsDeclaration => "报关单",
            Self::InspectionCertificate => "检验检疫证明",
            Self::NucleicAcidTest => "核酸检测报告",
            Self::Disinfection => "消毒证明",
            Self::Other => "其他",
        }
    }
}

/// Checks number and texts of attachments.
///
/// # Errors
/// [`Rule::Text`].
pub fn check(attachments: &[Attachment]) -> Result<(), Invalid> {
    let found = attachments.len();
    if found > ATTACHMENTS_MAX {
        return Err(Invalid::new(
            Rule::Text,
            format!("attachments: {found}, at most {ATTACHMENTS_MAX}"),
        ));
    }
    attachments
        .iter()
        .try_for_each(|one| text::check_option("number", one.number.as_deref(), 40))
}

/// The kinds among attachments, sorted and distinct.
#[must_use]
pub fn kinds(attachments: &[Attachment]) -> Vec<AttachmentKind> {
    let mut kinds: Vec<_> = attachments.iter().map(|one| one.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}
