//! Why a command did not do what it was asked, in one clear sentence, and the
//! exit code that stands for it.

use std::io::Write;

use trace_core::{
    error::{Invalid, Rule, Store, Verify},
    ledger::{Failed, audit::AuditFailed, backup::RestoreFailed},
};

use super::Manner;
use crate::{client::ClientError, home::HomeError, language::Language, settings::KeyError};

/// Refused by a rule, or found damaged.
const REFUSED: u8 = 1;
const WRONGLY_USED: u8 = 2;
const ROLLBACK: u8 = 3;
const FORK: u8 = 4;
const WRONG_LEDGER: u8 = 5;
/// The machine could not, or something cannot be read.
const CANNOT: u8 = 6;
/// As a shell says of a program that SIGINT ended: 128 + 2.
const INTERRUPTED: u8 = 130;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub enum Failure {
    /// The command line is wrong.
    Usage(String),
    /// A rule refused.
    Rule(Box<Invalid>),
    /// What was asked for is not there, or was refused for the reason given.
    Refused(String),
    /// Evidence does not prove what it claims.
    Evidence(Box<Verify>),
    /// A ledger did not pass its audit.
    Audit(Box<AuditFailed>),
    /// The server refused, or was not reached.
    Server(Box<ClientError>),
    /// The machine could not.
    Machine(String),
    /// Ctrl-C; what was done until then.
    Interrupted(String),
}

impl Failure {
    /// A usage error in the language spoken.
    #[must_use]
    pub fn usage(manner: &Manner, english: &str, chinese: &str) -> Self {
        Self::Usage(manner.of(english, chinese).to_owned())
    }

    /// The exit code that stands for it.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => WRONGLY_USED,
            Self::Rule(_) | Self::Refused(_) => REFUSED,
            Self::Evidence(error) => match **error {
                Verify::Rollback { .. } => ROLLBACK,
                Verify::Fork { .. } => FORK,
                Verify::WrongLedger { .. } => WRONG_LEDGER,
                Verify::CannotCheck { .. } => CANNOT,
                Verify::Malformed { .. }
                | Verify::Signature { .. }
                | Verify::Proof { .. }
                | Verify::Incomplete { .. }
                | Verify::Inadmissible { .. } => REFUSED,
            },
            Self::Audit(error) => error.exit_code(),
            Self::Server(error) => match **error {
                ClientError::Refused { ref problem, .. } if problem.status < 500 => REFUSED,
                ClientError::Address { .. } => WRONGLY_USED,
                _ => CANNOT,
            },
            Self::Machine(_) => CANNOT,
            Self::Interrupted(_) => INTERRUPTED,
        }
    }

    /// Says it on standard error; as JSON where programs read.
    pub fn tell(&self, manner: &Manner) {
        let words = self.words(manner.language());
        let line = match manner.is_json() {
            true => serde_json::json!({
                "error": words,
                "exit_code": self.exit_code(),
                "code": self.rule().map(Rule::code),
            })
            .to_string(),
            false => format!("{}{words}", manner.of("error: ", "错误:")),
        };
        // Whoever closed standard error has the exit code.
        let _ = writeln!(std::io::stderr(), "{line}");
    }

    fn rule(&self) -> Option<Rule> {
        match self {
            Self::Rule(invalid) => Some(invalid.rule),
            _ => None,
        }
    }

    /// In one sentence.
    #[must_use]
    pub fn words(&self, language: Language) -> String {
        match self {
            Self::Usage(why) | Self::Refused(why) | Self::Machine(why) | Self::Interrupted(why) => {
                why.clone()
            }
            Self::Rule(invalid) => refusal(invalid, language),
            Self::Evidence(error) => evidence(error, language),
            Self::Audit(error) => error.to_string(),
            Self::Server(error) => error.to_string(),
        }
    }
}

/// A refusal with its remedy in one language.
#[must_use]
pub fn refusal(invalid: &Invalid, language: Language) -> String {
    match language {
        Language::English => invalid.to_string(),
        Language::Chinese => format!(
            "{}:{}。{}",
            invalid.rule.code(),
            invalid.what,
            invalid.rule.remedy_zh()
        ),
    }
}

fn evidence(error: &Verify, language: Language) -> String {
    let verdict = match error {
        Verify::Rollback { .. } => "回退",
        Verify::Fork { .. } => "分叉",
        Verify::WrongLedger { .. } => "账本或密钥不符",
        Verify::CannotCheck { .. } => "无法核验",
        _ => "证据已损坏",
    };
    match language {
        Language::English => error.to_string(),
        Language::Chinese => format!("{verdict}:{error}"),
    }
}

impl From<Invalid> for Failure {
    fn from(invalid: Invalid) -> Self {
        Self::Rule(Box::new(invalid))
    }
}

impl From<Verify> for Failure {
    fn from(error: Verify) -> Self {
        Self::Evidence(Box::new(error))
    }
}

impl From<Store> for Failure {
    fn from(error: Store) -> Self {
        Self::Machine(error.to_string())
    }
}

impl From<Failed> for Failure {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Invalid(invalid) => invalid.into(),
            Failed::Store(store) => store.into(),
        }
    }
}

impl From<HomeError> for Failure {
    fn from(error: HomeError) -> Self {
        match error {
            HomeError::Store(store) => store.into(),
            HomeError::Verify(verify) => verify.into(),
        }
    }
}

impl From<RestoreFailed> for Failure {
    fn from(error: RestoreFailed) -> Self {
        match error {
            RestoreFailed::Verify(verify) => verify.into(),
            RestoreFailed::Store(store) => store.into(),
        }
    }
}

impl From<AuditFailed> for Failure {
    fn from(error: AuditFailed) -> Self {
        Self::Audit(Box::new(error))
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        Self::Server(Box::new(error))
    }
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Unreadable { .. } => Self::Machine(error.to_string()),
            _ => Self::Usage(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sort_of_evidence_has_the_exit_code_that_the_help_names() {
        let why = String::new;
        for (error, code) in [
            (Verify::Proof { why: why() }, 1),
            (Verify::Signature { what: why() }, 1),
            (Verify::Incomplete { why: why() }, 1),
            (Verify::Rollback { why: why() }, 3),
            (Verify::Fork { why: why() }, 4),
            (
                Verify::WrongLedger {
                    found: why(),
                    wanted: why(),
                },
                5,
            ),
            (Verify::CannotCheck { why: why() }, 6),
        ] {
            assert_eq!(Failure::from(error.clone()).exit_code(), code, "{error}");
        }
        assert_eq!(Failure::Usage(why()).exit_code(), 2);
        assert_eq!(
            Failure::from(Invalid::new(Rule::Quantity, "")).exit_code(),
            1
        );
        assert_eq!(Failure::Machine(why()).exit_code(), 6);
    }
}
