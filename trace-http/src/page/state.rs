//! Every state of a trace code as people see it: picture, tone, what to do, and
//! the HTTP status. The words themselves, and which state wins, are the record's
//! (`trace_core::record::status`); there is one line here for each.

use axum::http::StatusCode;
use maud::{Markup, html};
use trace_core::record::Status;

/// How loud a state is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Nothing speaks against it.
    Good,
    /// Something is to be looked at.
    Warn,
    /// Do not sell it, do not eat it.
    Bad,
    /// Nothing is said of the goods.
    Open,
}

/// What is shown of a state.
pub(crate) struct State {
    pub tone: Tone,
    /// What to do, English and Chinese.
    pub advice: (&'static str, &'static str),
    pub http: StatusCode,
}

impl Tone {
    /// The class by which the style tells it.
    pub fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Open => "open",
        }
    }

    /// Its picture: a shape of its own, so that colour never says it alone.
    pub fn icon(self) -> Markup {
        let (outline, sign) = match self {
            Self::Good => ("M24 3a21 21 0 1 0 .01 0z", "M13 25l8 8 15-17"),
            Self::Warn => ("M24 3L46 44H2z", "M24 17v13m0 6v.01"),
            Self::Bad => (
                "M15 3h18l12 12v18L33 45H15L3 33V15z",
                "M15 15l18 18m0-18L15 33",
            ),
            Self::Open => (
                "M5 5h38v38H5z",
                "M17 18a7 7 0 1 1 11 6c-3 2-4 3-4 6m0 6v.01",
            ),
        };
        html! {
            svg viewBox="0 0 48 48" width="56" height="56" aria-hidden="true" focusable="false" {
                path.shape d=(outline) {}
                path.sign d=(sign) {}
            }
        }
    }
}

/// What is shown of a status.
pub(crate) fn of(status: Status) -> State {
    let (tone, english, chinese) = match status {
        Status::Valid => (
            Tone::Good,
            "What the ledger records of these goods is shown below.",
            "账本对该商品的记录见下文。",
        ),
        Status::Recalled => (
            Tone::Bad,
            "Do not eat or sell it. Take it back to where you bought it; keep the receipt. It was \
             recalled by whoever signed the recall in the journey below.",
            "请勿食用或销售。请携购物凭证退回购买处。召回由下方流转记录中签署召回的单位决定。",
        ),
        Status::Voided => (
            Tone::Bad,
            "The certificate or the batch was withdrawn by whoever issued it. Do not rely on it; \
             ask the seller for a certificate that stands.",
            "该合格证或该批次已由开具方作废,不能再作为凭证。请向销售者索取有效合格证。",
        ),
        Status::Disputed => (
            Tone::Bad,
            "The key with which it was signed may have been used by somebody else. Ask the seller, \
             or report it.",
            "签名密钥可能被他人冒用。请向销售者核实,或投诉举报。",
        ),
        Status::IntegrityFailure => (
            Tone::Bad,
            "Something was changed where nothing may change. Do not rely on this page; report the \
             code.",
            "记录与其证明不一致。请勿依据本页判断,请将该追溯码投诉举报。",
        ),
        Status::OnHold => (
            Tone::Warn,
            "It may not be sold until the hold is released. Do not eat it for now; ask the seller.",
            "在解除暂停之前不得销售。请暂勿食用,并向销售者核实。",
        ),
        Status::TestFailed => (
            Tone::Warn,
            "A test of this batch failed and no retest has cleared it. Do not eat it; ask the \
             seller.",
            "该批次检验不合格且复检未消除。请勿食用,并向销售者核实。",
        ),
        Status::SourceVoided => (
            Tone::Warn,
            "What it was made from was withdrawn. Ask the seller.",
            "其来源单元已作废。请向销售者核实。",
        ),
        Status::Superseded => (
            Tone::Warn,
            "The certificate was corrected. The new one counts: follow the link.",
            "该合格证已更正,以新证为准:请点击下方链接。",
        ),
        Status::TemperatureAlert => (
            Tone::Warn,
            "It was outside its temperature for longer than its policy allows. Ask the seller \
             before eating it.",
            "温度超出规则允许范围的时间过长。食用前请向销售者核实。",
        ),
        Status::PastDate => (
            Tone::Warn,
            "Past a use-by date: do not eat it. Past a best-before date: quality is promised no \
             longer. Which of the two it is stands below.",
            "超过食用截止日期请勿食用;超过保质期则品质不再有保证。属于哪一种见下文日期。",
        ),
        Status::CertificateExpired => (
            Tone::Warn,
            "The certificate's validity has ended. Ask the seller for one that is in force.",
            "合格证有效期已过。请向销售者索取有效的合格证。",
        ),
        Status::SuspiciousScans => (
            Tone::Warn,
            "This code was scanned in more places than one thing can be: it may have been copied. \
             Compare the goods with what stands below.",
            "该追溯码在过多地点被扫描,可能被复制。请将商品与下文核对。",
        ),
        Status::Unknown => (
            Tone::Open,
            "Check it against the label. It may be on another ledger; that it is not on this one \
             says nothing about the goods.",
            "请对照标签核对。该追溯码可能登记在其他账本,此处查不到不代表商品有问题。",
        ),
        Status::Malformed => (
            Tone::Open,
            "Check it against the label: 17 digits and letters.",
            "请对照标签核对:共17位数字和字母。",
        ),
        Status::CannotCheck => (
            Tone::Open,
            "This says nothing about the goods. Try again in a few minutes.",
            "这不代表商品有问题,请稍后再试。",
        ),
    };
    State {
        tone,
        advice: (english, chinese),
        http: http(status),
    }
}

fn http(status: Status) -> StatusCode {
    match status {
        Status::Malformed => StatusCode::BAD_REQUEST,
        Status::Unknown => StatusCode::NOT_FOUND,
        Status::IntegrityFailure => StatusCode::INTERNAL_SERVER_ERROR,
        Status::CannotCheck => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::OK,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_state_says_what_to_do_in_words_of_its_own_and_never_that_food_is_safe() {
        let mut said = BTreeSet::new();
        for status in Status::ALL {
            let state = of(*status);
            let (english, chinese) = state.advice;
            assert!(said.insert(english) && said.insert(chinese), "{status:?}");
            for never in ["safe", "fake", "安全", "假"] {
                assert!(!english.contains(never) && !chinese.contains(never));
            }
        }
    }
}
