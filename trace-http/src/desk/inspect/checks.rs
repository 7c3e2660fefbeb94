//! Why a unit is said to be what it is, as a checklist: what was checked of its
//! evidence here and now, what follows from its records, and what could not be
//! told, each with its numbers.
//!
//! The bundle is made and verified anew for each answer, by the verifier that
//! works without this server. That none of its records is withheld is no check of
//! that kind, and says so.

use std::collections::BTreeSet;

use trace_core::{
    error::Verify,
    ledger::{lineage::UnitBalance, scans::Sum},
    proof::bundle::Verdict,
    record::status::Reason,
};

use crate::{desk::frame::measured, language::Language, page::template::scanned};

/// What came of verifying a unit's bundle.
pub enum Evidence {
    /// It is sound.
    Sound(Box<Verdict>),
    /// It is not.
    Unsound(Verify),
    /// No bundle can be made, and why.
    NotMade(String),
}

/// Names of the checks of evidence, in the order in which they are made.
const CHECKS: [(&str, &str, &str); 4] = [
    ("signature", "signatures", "签名"),
    ("link", "links of each key's records", "签名链"),
    ("inclusion", "inclusion in the log", "收录证明"),
    ("right", "the issuers' rights", "签发权限"),
];

/// What verifying the bundle showed.
pub fn evidence(evidence: &Evidence) -> Vec<Reason> {
    match evidence {
        Evidence::Sound(verdict) => sound(verdict),
        Evidence::Unsound(error) => unsound(error),
        Evidence::NotMade(why) => CHECKS
            .iter()
            .map(|(check, name, name_zh)| {
                line(
                    check,
                    None,
                    format!("{name}: not checked here, since no bundle can be made: {why}"),
                    format!("{name_zh}:未能生成证据包,此处未核验:{why}"),
                )
            })
            .collect(),
    }
}

fn sound(verdict: &Verdict) -> Vec<Reason> {
    let records = verdict.proved.len();
    let keys: BTreeSet<_> = verdict.proved.iter().map(|record| record.key).collect();
    let keys = keys.len();
    let about = verdict.about_unit.len();
    let hosted = verdict.story().filter(|record| record.hosted).count();
    let checkpoint = &verdict.checkpoint;
    let (origin, size, root) = (checkpoint.origin(), checkpoint.size(), checkpoint.root());
    let roles: BTreeSet<_> = verdict.story().map(|record| record.role).collect();
    let names: Vec<_> = roles.iter().map(|role| role.name()).collect();
    let names_zh: Vec<_> = roles.iter().map(|role| role.name_zh()).collect();
    vec![
        line(
            "signature",
            Some(true),
            format!(
                "signatures: all {records} records verify under {keys} keys (Ed25519); of the \
                 {about} about this code {hosted} were signed with keys that the operator keeps"
            ),
            format!(
                "签名:{records} 条记录全部通过 {keys} 个密钥的核验(Ed25519);关于本追溯码的 {about} 条中,\
                 {hosted} 条由运营方代管的密钥签名"
            ),
        ),
        line(
            "link",
            Some(true),
            format!(
                "links: the records of each of the {keys} keys stand in their order, and each that \
                 follows another here names its hash"
            ),
            format!("签名链:{keys} 个密钥的记录次序无误,此处前后相接者均含前一条的哈希"),
        ),
        line(
            "inclusion",
            Some(true),
            format!("inclusion: all {records} stand in {origin} at size {size}, root {root}"),
            format!("收录证明:{records} 条均载于账本 {origin}(规模 {size},根 {root})"),
        ),
        line(
            "right",
            Some(true),
            format!(
                "rights: each signer had at its record's index the right to sign it, as {}",
                names.join(", ")
            ),
            format!(
                "签发权限:各签名者在其记录收录时有权签署,身份为{}",
                names_zh.join("、")
            ),
        ),
        line(
            "complete",
            None,
            format!(
                "completeness: that at size {size} there is no other record about this code is the \
                 operator's signed statement, not proved"
            ),
            format!("完整性:规模 {size} 时无其他相关记录,系运营方签名声明,未经证明"),
        ),
    ]
}

fn unsound(error: &Verify) -> Vec<Reason> {
    let broken = match error {
        Verify::Signature { .. } => "signature",
        Verify::Inadmissible { .. } => "right",
        _ => "inclusion",
    };
    let told = |(check, name, name_zh): &(&'static str, &str, &str)| match *check == broken {
        true => line(
            check,
            Some(false),
            format!("{name}: {error}"),
            format!("{name_zh}:{error}"),
        ),
        false => line(
            check,
            None,
            format!("{name}: not told, since the check broke off"),
            format!("{name_zh}:核验中断,无法判断"),
        ),
    };
    CHECKS.iter().map(told).collect()
}

/// Whether all of a unit is accounted for; only those who oversee it are told.
pub fn quantity(balance: Option<&UnitBalance>) -> Reason {
    let Some(found) = balance else {
        return line(
            "quantity",
            None,
            "quantities: not told, since your token does not oversee this unit".into(),
            "数量:您的令牌不监管该追溯单元,不予显示".into(),
        );
    };
    let held = &found.balance;
    let told = |language: Language| {
        let all = [
            (found.made, "made", "产出"),
            (held.gained, "gained", "盘盈"),
            (held.held, "held", "在手"),
            (held.in_transit, "on its way", "在途"),
            (held.transformed, "used for other units", "用于制成其他单元"),
            (held.sold, "sold", "已售出"),
            (held.consumed, "used", "已自用"),
            (held.destroyed, "destroyed", "已销毁"),
            (held.returned, "returned", "已退回"),
            (held.outside, "handed outside", "已交账本外"),
            (held.lost, "lost within the policy", "允许损耗"),
            (held.questioned_gain, "gained beyond the policy", "超限盘盈"),
            (held.unexplained, "unexplained", "去向不明"),
        ];
        let some = all.into_iter().filter(|(amount, ..)| *amount > 0);
        let told = some.map(|(number, english, chinese)| {
            let name = language.of(english, chinese);
            format!("{name} {}", measured(language, number, found.base))
        });
        told.collect::<Vec<_>>().join(language.of(", ", ","))
    };
    let adds_up = held.adds_up(found.made) && held.unexplained == 0 && held.questioned_gain == 0;
    let (words, words_zh) = match adds_up {
        true => ("quantities add up", "数量平衡"),
        false => ("quantities do not add up", "数量不平衡"),
    };
    line(
        "quantity",
        Some(adds_up),
        format!("{words}: {}", told(Language::English)),
        format!("{words_zh}:{}", told(Language::Chinese)),
    )
}

/// That no temperature can speak for or against a unit that was placed nowhere.
pub fn not_monitored() -> Reason {
    line(
        "temperature",
        None,
        "cold chain: the unit was placed in no equipment, so that nothing is recorded".into(),
        "冷链:该追溯单元未存入任何设备,没有温度记录".into(),
    )
}

/// How often a code was opened.
pub fn scans(sum: Option<Sum>) -> Reason {
    match sum {
        Some(sum) => line(
            "scans",
            Some(!sum.is_suspicious),
            format!("scans: {}", scanned(Language::English, sum)),
            format!("扫码:{}", scanned(Language::Chinese, sum)),
        ),
        None => line(
            "scans",
            None,
            "scans: this server does not count them".into(),
            "扫码:本服务器未统计".into(),
        ),
    }
}

fn line(check: &'static str, holds: Option<bool>, words: String, words_zh: String) -> Reason {
    Reason {
        check,
        holds,
        words,
        words_zh,
        index: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failing(error: Verify) -> Vec<(&'static str, Option<bool>)> {
        let lines = evidence(&Evidence::Unsound(error));
        lines.iter().map(|line| (line.check, line.holds)).collect()
    }

    #[test]
    fn evidence_that_fails_is_no_check_that_holds() {
        let what = "record 7".to_owned();
        let lines = failing(Verify::Signature { what });
        assert_eq!(
            lines,
            [
                ("signature", Some(false)),
                ("link", None),
                ("inclusion", None),
                ("right", None)
            ]
        );
        let why = String::new();
        assert_eq!(
            failing(Verify::Inadmissible { index: 7, why })[3].1,
            Some(false)
        );
        let why = String::new();
        assert_eq!(failing(Verify::Proof { why })[2].1, Some(false));
    }
}
