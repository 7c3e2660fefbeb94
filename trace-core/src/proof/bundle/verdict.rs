//! What checking a bundle found, and how it is said: what is proved, what is
//! only stated by the operator, and as of when.
//!
//! Never "safe to eat", and never "complete" without saying who says so.

use super::sources::Source;
use super::temperatures::{ProvedKept, Told};
use crate::ident::{CivilDate, EntityId, TraceCode, format_ms};
use crate::proof::checkpoint::VerifiedCheckpoint;
use crate::record::sign::KeyId;
use crate::record::status::Judgement;
use crate::record::{Body, Hash, Role, SubjectId};
use std::collections::BTreeSet;

/// A record that was proved to stand in the log, rightly signed.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ProvedRecord {
    /// Where it stands.
    pub index: u64,
    /// Its hash.
    pub hash: Hash,
    /// When the ledger admitted it, by the ledger's clock.
    pub admitted_ms: u64,
    /// When it was signed, by the signer's clock.
    pub signed_at_ms: u64,
    /// The key that signed.
    pub key: KeyId,
    /// In whose name.
    pub signer: EntityId,
    /// In which role.
    pub role: Role,
    /// Whether the ledger's operator keeps that key for its holder.
    pub hosted: bool,
    /// Whether the key was reported compromised from here or earlier on.
    pub disputed: bool,
    /// What it is about.
    pub subjects: Vec<SubjectId>,
    /// What it says; the kind's name is `body.kind().name`.
    pub body: Body,
}

/// What a verified bundle says. Only [`Bundle::verify`](super::Bundle::verify)
/// makes one.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Verdict {
    /// About which trace code.
    pub code: TraceCode,
    /// What is true of it, if nothing was withheld.
    pub judgement: Judgement,
    /// Under which checkpoint: origin, size, root.
    pub checkpoint: VerifiedCheckpoint,
    /// The witnesses that signed the checkpoint too.
    pub witnesses: Vec<String>,
    /// The date for which it was judged; the caller's.
    pub as_of: CivilDate,
    /// The ledger's civil time: minutes east of UTC.
    pub civil_offset_minutes: i16,
    /// When the latest of the records was admitted.
    pub latest_admitted_ms: u64,
    /// The indexes of the records about the unit and its certificates; the
    /// others gave the signers their rights.
    pub about_unit: BTreeSet<u64>,
    /// All that the unit was made from, the nearest first. How each was made and
    /// what bars it is proved here; how it was kept cold its own bundle tells.
    pub sources: Vec<Source>,
    /// How the unit was kept cold, and how much of that is proved.
    pub told: Told,
    /// Every record, by index.
    pub proved: Vec<ProvedRecord>,
}

impl Verdict {
    /// The records about the unit and its certificates: its story.
    pub fn story(&self) -> impl Iterator<Item = &ProvedRecord> {
        let about = |record: &&ProvedRecord| self.about_unit.contains(&record.index);
        self.proved.iter().filter(about)
    }

    /// The verdict for people, a line each: the status and its checklist, then
    /// what is proved and what is stated.
    #[must_use]
    pub fn words(&self, chinese: bool) -> Vec<String> {
        let status = self.judgement.status;
        let head = match chinese {
            true => status.words_zh(),
            false => status.words(),
        };
        let mut lines = vec![format!("{}: {head}", self.code)];
        for reason in &self.judgement.reasons {
            let mark = match reason.holds {
                Some(true) => "✓",
                Some(false) => "✗",
                None => "–",
            };
            let words = match chinese {
                true => &reason.words_zh,
                false => &reason.words,
            };
            lines.push(format!("{mark} {words}"));
        }
        match chinese {
            true => self.grounds_zh(&mut lines),
            false => self.grounds(&mut lines),
        }
        lines
    }

    fn grounds(&self, lines: &mut Vec<String>) {
        let (records, latest) = (self.proved.len(), self.latest());
        let (origin, size, root) = self.log();
        let (about, hosted) = (self.about_unit.len(), self.hosted());
        lines.push(format!(
            "Proved: {records} records are genuine, {about} of them about this code and its \
             certificates; each stands in {origin} at size {size} (root {root}) and was signed \
             with the right to do so; the latest was admitted at {latest}"
        ));
        lines.push(format!(
            "Stated by the operator, not proved: that at size {size} there is no other record \
             about this code, its certificates and their signers; replaying the log would show a \
             false statement"
        ));
        if let Told::Kept(proved) = &self.told {
            lines.extend(self.kept_lines(proved));
        }
        lines.push(format!(
            "Judged as of {}; nothing after size {size} is known here",
            self.as_of
        ));
        if hosted > 0 {
            lines.push(format!(
                "{hosted} of the records about this code were signed with keys that the ledger's \
                 operator keeps for their holders"
            ));
        }
        lines.push(match self.witnesses.as_slice() {
            [] => "No witness was asked for: whether others are shown the same checkpoint is \
                   known only by comparing"
                .to_owned(),
            names => format!("The checkpoint is witnessed by {}", names.join(", ")),
        });
    }

    fn grounds_zh(&self, lines: &mut Vec<String>) {
        let (records, latest) = (self.proved.len(), self.latest());
        let (origin, size, root) = self.log();
        let (about, hosted) = (self.about_unit.len(), self.hosted());
        lines.push(format!(
            "已证明:{records} 条记录真实,其中 {about} 条关于本追溯码及其合格证;均载于账本 {origin} \
             (规模 {size},根 {root}),签名者当时有权签署;最近一条于 {latest} 收录"
        ));
        lines.push(format!(
            "运营方声明(未经证明):规模 {size} 时,关于本追溯码、其合格证及签名者再无其他记录;\
             如声明不实,重放账本即可查出"
        ));
        if let Told::Kept(proved) = &self.told {
            lines.extend(self.kept_lines_zh(proved));
        }
        lines.push(format!(
            "判断日期 {};规模 {size} 之后的记录此处不知",
            self.as_of
        ));
        if hosted > 0 {
            lines.push(format!(
                "关于本追溯码的记录中,{hosted} 条由账本运营方代管的密钥签名"
            ));
        }
        lines.push(match self.witnesses.as_slice() {
            [] => "未要求见证方:他人所见检查点是否相同,须比对方知".to_owned(),
            names => format!("检查点经以下见证方共同签名:{}", names.join("、")),
        });
    }

    fn kept_lines(&self, proved: &ProvedKept) -> [String; 2] {
        let until = format_ms(proved.until_ms, self.civil_offset_minutes.into());
        let (segments, sealed) = (proved.segments, proved.sealed_readings);
        let (unsealed, pruned) = (proved.unsealed_readings, proved.pruned_segments);
        [
            format!(
                "Proved of the temperature: {sealed} readings are those that {segments} sealed \
                 segments bind, none altered or left out; from them the verdict was made anew"
            ),
            format!(
                "Stated by the operator, not proved: {unsealed} readings that no record binds yet, \
                 that {pruned} segments' readings were taken away after their time, and that no \
                 other probe or segment tells of the stays until {until}; that a probe measured \
                 rightly nobody proves"
            ),
        ]
    }

    fn kept_lines_zh(&self, proved: &ProvedKept) -> [String; 2] {
        let until = format_ms(proved.until_ms, self.civil_offset_minutes.into());
        let (segments, sealed) = (proved.segments, proved.sealed_readings);
        let (unsealed, pruned) = (proved.unsealed_readings, proved.pruned_segments);
        [
            format!(
                "温度已证明:{sealed} 个读数即 {segments} 个已封存温度段所绑定者,无改动、无遗漏;\
                 判定据此重新作出"
            ),
            format!(
                "温度由运营方声明(未经证明):{unsealed} 个读数尚未封存,{pruned} 个温度段的读数期满已清除,\
                 且至 {until} 再无其他探头或温度段涉及存放期间;探头是否测得准确,无人能证明"
            ),
        ]
    }

    fn latest(&self) -> String {
        format_ms(self.latest_admitted_ms, self.civil_offset_minutes.into())
    }

    fn log(&self) -> (&str, u64, Hash) {
        let checkpoint = &self.checkpoint;
        (
            checkpoint.origin().as_str(),
            checkpoint.size(),
            *checkpoint.root(),
        )
    }

    fn hosted(&self) -> usize {
        self.story().filter(|record| record.hosted).count()
    }
}
