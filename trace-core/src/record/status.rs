//! What is true now: one word for a trace unit, and the checklist behind it.
//!
//! The same words in the API, the pages, the command line and the bundle; one
//! table fixes which wins when several hold. Never "safe to eat": a status says
//! what is recorded and proved.

use super::claim::{DurabilityKind, FormFamily};
use super::marks::Barred;
use super::unit::{CertificateState, Standing, UnitState};
use super::wire::Day;
use crate::ident::{CivilDate, TraceCode};
use serde::{Deserialize, Serialize};

macro_rules! statuses {
    ($($variant:ident $name:literal $en:literal $zh:literal;)*) => {
        /// What is true now. Of several that hold, the one that stands first
        /// here wins.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[expect(missing_docs, reason = "each variant's meaning is its words, in the table")]
        pub enum Status { $($variant,)* }

        impl Status {
            /// Every status, the one that wins first.
            pub const ALL: &'static [Status] = &[$(Status::$variant,)*];

            /// The status's name in code, URLs and JSON.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Status::$variant => $name,)* }
            }

            /// In words, English.
            #[must_use]
            pub fn words(self) -> &'static str {
                match self { $(Status::$variant => $en,)* }
            }

            /// In words, Chinese.
            #[must_use]
            pub fn words_zh(self) -> &'static str {
                match self { $(Status::$variant => $zh,)* }
            }
        }
    };
}

statuses! {
    Malformed "malformed" "This is not a trace code" "追溯码格式有误";
    Unknown "unknown" "This code is not on the ledger" "账本中没有此追溯码";
    IntegrityFailure "integrity_failure" "The records do not agree with their proof" "记录与证明不符";
    CannotCheck "cannot_check" "This cannot be checked now" "目前无法核验";
    Recalled "recalled" "Recalled" "已召回";
    Voided "voided" "Voided" "已作废";
    Disputed "disputed" "Disputed: the issuer's key was compromised" "存疑:签发密钥已泄露";
    OnHold "on_hold" "On hold" "暂停流通";
    TestFailed "test_failed" "A test failed" "检验不合格";
    SourceVoided "source_voided" "What it was made from was voided" "来源已作废";
    Superseded "superseded" "Replaced by a new certificate" "已更正";
    TemperatureAlert "temperature_alert" "Temperature alert" "温度异常";
    PastDate "past_date" "Past its date" "已过日期";
    CertificateExpired "certificate_expired" "The certificate has expired" "合格证已过期";
    SuspiciousScans "suspicious_scans" "Scanned in suspiciously many places" "扫码异常";
    Valid "valid" "Nothing on the ledger speaks against it" "有效";
}

/// What is known of the cold chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColdChain {
    /// Shown to be within the policy's band.
    Kept,
    /// Outside it for longer than it tolerates.
    Exceeded,
    /// Not shown to be kept: readings are missing.
    Gaps,
    /// No readings at all.
    NotMonitored,
}

/// One line of the checklist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// Which check, a stable name.
    pub check: &'static str,
    /// Whether it holds; none where nothing is recorded that could tell.
    pub holds: Option<bool>,
    /// In words, English.
    pub words: String,
    /// In words, Chinese.
    pub words_zh: String,
    /// Index of the record that decided, where one did.
    pub index: Option<u64>,
}

/// A status with its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The one word.
    pub status: Status,
    /// The checklist.
    pub reasons: Vec<Reason>,
    /// Where the new certificate is, when this one was replaced.
    pub replaced_by: Option<(TraceCode, String)>,
    /// The last correction of what is judged; also one on the same unit, whose
    /// new certificate stands.
    pub corrected: Option<Corrected>,
}

/// A certificate in the place of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corrected {
    /// Index of the certificate that was replaced.
    pub before_index: u64,
    /// The unit of the one in its place.
    pub unit: TraceCode,
    /// That one's number.
    pub number: String,
}

/// The status that wins among those that hold.
#[must_use]
pub fn winner(holding: impl IntoIterator<Item = Status>) -> Status {
    holding.into_iter().min().unwrap_or(Status::Valid)
}

/// Judges a unit as of `today`, with the holds and recalls that reach it, and
/// the first of its deciding records whose signer's key is disputed there.
#[must_use]
pub fn judge(
    state: &UnitState,
    barred: &Barred,
    disputed_index: Option<u64>,
    today: CivilDate,
) -> Judgement {
    let mut list = Checklist::default();
    let Some(made) = &state.made else {
        return Judgement {
            status: Status::Unknown,
            reasons: Vec::new(),
            replaced_by: None,
            corrected: None,
        };
    };
    match state.voided_index {
        Some(index) => list.fails(
            "unit",
            Status::Voided,
            Some(index),
            "The unit was voided",
            "该追溯单元已作废",
        ),
        None => list.holds(
            "unit",
            Some(made.index),
            "The unit is recorded",
            "追溯单元已登记",
        ),
    }
    judge_marks(barred, &mut list);
    if made.is_declared {
        list.unknown(
            "origin",
            "The origin is not proved on this ledger: only a paper speaks for it",
            "来源未在本账本证明:仅有纸质证明",
        );
    }
    match disputed_index {
        Some(index) => list.fails(
            "issuer_key",
            Status::Disputed,
            Some(index),
            "Signed with a key that was reported compromised",
            "签名所用密钥已被报告泄露",
        ),
        None if barred.disputed_source.is_some() => list.fails(
            "issuer_key",
            Status::Disputed,
            barred.disputed_source,
            "What it was made from was recorded with a key that was reported compromised",
            "其来源的登记密钥已被报告泄露",
        ),
        None => list.holds(
            "issuer_key",
            None,
            "No key that signed is reported compromised",
            "签名密钥均未被报告泄露",
        ),
    }
    let (corrected, is_replaced) = judge_certificates(state, today, &mut list);
    match made.durability.map(|(kind, on)| (kind, on.date())) {
        None => list.unknown(
            "date",
            "No best-before or use-by date is recorded",
            "未登记保质期",
        ),
        Some((kind, Ok(last))) => {
            let (name, name_zh) = match kind {
                DurabilityKind::BestBefore => ("best before", "保质期至"),
                DurabilityKind::UseBy => ("use by", "食用截止"),
            };
            let (words, words_zh) = (
                format!("{name} {last}, today is {today}"),
                format!("{name_zh} {last},今天是 {today}"),
            );
            match today <= last {
                true => list.holds("date", Some(made.index), words, words_zh),
                false => list.fails("date", Status::PastDate, Some(made.index), words, words_zh),
            }
        }
        Some((_, Err(_))) => list.fails(
            "date",
            Status::CannotCheck,
            Some(made.index),
            "The date cannot be read",
            "日期无法读取",
        ),
    }
    Judgement {
        status: winner(list.holding),
        reasons: list.reasons,
        replaced_by: corrected
            .as_ref()
            .filter(|_| is_replaced)
            .map(|new| (new.unit, new.number.clone())),
        corrected,
    }
}

fn judge_marks(barred: &Barred, list: &mut Checklist) {
    match barred.recall {
        Some(index) => list.fails(
            "recall",
            Status::Recalled,
            Some(index),
            "It was recalled, or what it was made from was",
            "本单元或其来源已被召回",
        ),
        None => list.holds("recall", None, "No recall reaches it", "没有召回涉及本单元"),
    }
    if let Some(index) = barred.voided {
        list.fails(
            "source",
            Status::SourceVoided,
            Some(index),
            format!("What it was made from was voided by record {index}"),
            format!("其来源单元已被记录 {index} 作废"),
        );
    }
    if let Some(index) = barred.certificate_voided {
        list.fails(
            "source_certificate",
            Status::SourceVoided,
            Some(index),
            format!("A certificate of what it was made from was voided by record {index}"),
            format!("其来源单元的证明已被记录 {index} 作废"),
        );
    }
    match barred.hold {
        Some(index) if barred.sample == Some(index) => list.fails(
            "hold",
            Status::OnHold,
            Some(index),
            format!("On hold by rule: the official sample of record {index} failed"),
            format!("监督抽检不合格(记录 {index}),依规则暂停流通"),
        ),
        Some(index) => list.fails(
            "hold",
            Status::OnHold,
            Some(index),
            "It is on hold, or what it was made from is",
            "本单元或其来源暂停流通",
        ),
        None => list.holds("hold", None, "No hold reaches it", "没有暂停涉及本单元"),
    }
}

/// Judges the certificates of each family by themselves: a unit is certified in
/// several ways at once, and one does not stand in for another. The correction to
/// tell of, and whether no certificate of its family stands on this unit.
fn judge_certificates(
    state: &UnitState,
    today: CivilDate,
    list: &mut Checklist,
) -> (Option<Corrected>, bool) {
    let mut families: Vec<FormFamily> = Vec::new();
    for held in &state.certificates {
        if !families.contains(&held.form.family()) {
            families.push(held.form.family());
        }
    }
    if families.is_empty() {
        list.unknown(
            "certificate",
            "No certificate is recorded",
            "没有合格证记录",
        );
    }
    families.sort_unstable();
    let (mut replaced, mut corrected) = (None, None);
    for family in families {
        match judge_family(state, family, today, list) {
            Some((found, true)) => corrected = corrected.or(Some(found)),
            Some((found, false)) => replaced = replaced.or(Some(found)),
            None => {}
        }
    }
    let is_replaced = replaced.is_some();
    // What leads on to another certificate comes first.
    (replaced.or(corrected), is_replaced)
}

/// Its line, and the correction that its certificate made, with true, or fell to.
fn judge_family(
    state: &UnitState,
    family: FormFamily,
    today: CivilDate,
    list: &mut Checklist,
) -> Option<(Corrected, bool)> {
    // One standing certificate carries the unit; only without any does the
    // fate of the latest decide.
    let mut latest_first = state
        .certificates
        .iter()
        .rev()
        .filter(|held| held.form.family() == family);
    let standing = latest_first
        .clone()
        .find(|held| held.standing == Standing::InForce);
    let judged = standing.or(latest_first.next())?;
    let (check, number) = (family.check(), &judged.number);
    let (name, name_zh) = match family {
        FormFamily::Conformity => ("Certificate", "合格证"),
        _ => (judged.form.name(), judged.form.name_zh()),
    };
    match &judged.standing {
        Standing::InForce => list.holds(
            check,
            Some(judged.index),
            format!("{name} {number} stands"),
            format!("{name_zh} {number} 有效"),
        ),
        Standing::Voided { index } => list.fails(
            check,
            Status::Voided,
            Some(*index),
            format!("{name} {number} was voided"),
            format!("{name_zh} {number} 已作废"),
        ),
        Standing::Superseded {
            index, number: new, ..
        } => list.fails(
            check,
            Status::Superseded,
            Some(*index),
            format!("{name} {number} was replaced by {new}"),
            format!("{name_zh} {number} 已更正为 {new}"),
        ),
    }
    if let (Standing::InForce, Some(last)) = (&judged.standing, judged.expires_on) {
        judge_validity(judged, last, today, list);
    }
    let is_standing = judged.standing == Standing::InForce;
    let before = match is_standing {
        true => state.certificates.iter().find(
            |held| matches!(&held.standing, Standing::Superseded { number: new, .. } if new == number),
        )?,
        false => judged,
    };
    match &before.standing {
        Standing::Superseded { unit, number, .. } => {
            let corrected = Corrected {
                before_index: before.index,
                unit: *unit,
                number: number.clone(),
            };
            Some((corrected, is_standing))
        }
        _ => None,
    }
}

fn judge_validity(held: &CertificateState, last: Day, today: CivilDate, list: &mut Checklist) {
    if held.form.is_for_moving() {
        // Valid until arrival: its end says nothing against what has arrived.
        let (words, words_zh) = (
            format!("{} was good for moving until {last}", held.number),
            format!("{} 运输有效期至 {last}", held.number),
        );
        list.add("moving", None, Some(held.index), words, words_zh);
        return;
    }
    let (words, words_zh) = (
        format!("valid until {last}, today is {today}"),
        format!("有效期至 {last},今天是 {today}"),
    );
    match last.date() {
        Ok(last) if today <= last => list.holds("validity", Some(held.index), words, words_zh),
        _ => list.fails(
            "validity",
            Status::CertificateExpired,
            Some(held.index),
            words,
            words_zh,
        ),
    }
}

#[derive(Default)]
struct Checklist {
    reasons: Vec<Reason>,
    holding: Vec<Status>,
}

impl Checklist {
    fn holds(
        &mut self,
        check: &'static str,
        index: Option<u64>,
        words: impl Into<String>,
        words_zh: impl Into<String>,
    ) {
        self.add(check, Some(true), index, words, words_zh);
    }

    fn unknown(
        &mut self,
        check: &'static str,
        words: impl Into<String>,
        words_zh: impl Into<String>,
    ) {
        self.add(check, None, None, words, words_zh);
    }

    fn fails(
        &mut self,
        check: &'static str,
        status: Status,
        index: Option<u64>,
        words: impl Into<String>,
        words_zh: impl Into<String>,
    ) {
        self.holding.push(status);
        self.add(check, Some(false), index, words, words_zh);
    }

    fn add(
        &mut self,
        check: &'static str,
        holds: Option<bool>,
        index: Option<u64>,
        words: impl Into<String>,
        words_zh: impl Into<String>,
    ) {
        self.reasons.push(Reason {
            check,
            holds,
            words: words.into(),
            words_zh: words_zh.into(),
            index,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_every_pair_the_one_that_stands_first_in_the_table_wins() {
        for (place, first) in Status::ALL.iter().enumerate() {
            for second in &Status::ALL[place..] {
                assert_eq!(winner([*first, *second]), *first);
                assert_eq!(winner([*second, *first]), *first);
            }
        }
        assert_eq!(winner([]), Status::Valid);
    }
}
