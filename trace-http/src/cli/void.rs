//! `trace void`: a certificate or a whole unit no longer stands. It stays
//! findable and says so.

use clap::Args;
use serde_json::{Value, json};
use trace_core::{
    error::{Invalid, Rule},
    ident::TraceCode,
    record::{
        Entry, Hash, base64,
        claim::Claim,
        kinds::{certificate_voided::CertificateVoided, unit_voided::UnitVoided, voided::Voided},
        rights::Registry,
        section::Openings,
        text::normalise,
    },
    rules::{Facts, voiding},
};

use super::{
    Failure, Manner,
    local::Denied,
    manner::at,
    voice::{Place, Said, Session, Speaking, Voice},
};

/// Everything `trace void` can be told.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trace void 131023-20260301-7K3M0Q2R --key producer.key --reason 重复开具
  trace void 7K3M-0Q2R-ZX9T-4B1C-8 --key producer.key --reason 货物未出场

A number voids that certificate; a trace code voids the whole unit. Nothing comes back that
was spent, and the record stays on the ledger for ever.")]
pub struct Void {
    /// The certificate's number, or the unit's trace code
    #[arg(value_name = "CODE|NUMBER")]
    what: String,

    #[command(flatten)]
    speaking: Speaking,

    /// Why; public, 1 to 100 characters
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// What is to be voided.
struct Target {
    unit: TraceCode,
    number: Option<String>,
    hash: Hash,
    /// Whether something was made from the unit, which voiding marks.
    is_marking: bool,
}

impl Void {
    pub(super) fn run(self, manner: &Manner) -> Result<(), Failure> {
        let mut session = self.speaking.open(manner)?;
        let outcome = target(&mut session, &self.what).and_then(|target| {
            let (unit, hash, reason) = (target.unit, target.hash, normalise(&self.reason));
            let said = match (target.is_marking, target.number.clone()) {
                (true, None) => Said::bare(UnitVoided {
                    target: hash,
                    unit,
                    reason,
                    acted_by: None,
                }),
                (true, Some(number)) => Said::bare(CertificateVoided {
                    target: hash,
                    unit,
                    number,
                    reason,
                    acted_by: None,
                }),
                (false, number) => Said::bare(Voided {
                    target: hash,
                    unit,
                    number,
                    reason,
                    acted_by: None,
                }),
            };
            let stands = match (&mut session.place, &session.voice) {
                (Place::Server(remote), Voice::Token) => remote.say(&said),
                _ => session.admit(vec![said]),
            };
            let stands = stands.map_err(|Denied { failure, .. }| failure)?;
            Ok((target, stands))
        });
        session.close()?;
        let (target, stands) = outcome?;
        let index = stands.first().map(|stands| stands.index);
        let value = json!({
            "code": target.unit.to_string(),
            "number": target.number,
            "index": index,
        });
        manner.tell(&value, || {
            let what = target.number.unwrap_or_else(|| target.unit.to_string());
            let index = index.unwrap_or_default();
            manner.of(
                format!("{what}: voided at index {index}"),
                format!("{what}:已作废,账本序号 {index}"),
            )
        })
    }
}

fn target(session: &mut Session, what: &str) -> Result<Target, Failure> {
    let code = TraceCode::parse(what).ok();
    let unknown = || {
        Invalid::new(
            Rule::TargetUnknown,
            format!("{what:.60} is not on this ledger"),
        )
    };
    match &mut session.place {
        Place::Local(local) => {
            let view = local.ledger().view();
            let folded = view.folded();
            let unit = match code {
                Some(code) => code,
                None => folded.certificate_unit(what)?.ok_or_else(unknown)?,
            };
            let state = folded.unit(&unit)?.ok_or_else(unknown)?;
            let hash = match code {
                Some(_) => state.made.as_ref().map(|made| made.hash),
                None => state.certificate(what).map(|held| held.hash),
            };
            let number = code.is_none().then_some(what);
            let is_marking = voiding::is_marking(folded, &unit, number)?;
            Ok(Target {
                unit,
                number: code.is_none().then(|| what.to_owned()),
                hash: hash.ok_or_else(unknown)?,
                is_marking,
            })
        }
        Place::Server(remote) => {
            let answer = match code {
                Some(code) => remote.code(&code)?,
                None => remote.certificate(what)?,
            };
            let mut answer = answer.ok_or_else(unknown)?;
            let unit = at(&answer, "/code").as_str().map(TraceCode::parse);
            let unit = unit.transpose()?.ok_or_else(unknown)?;
            let is_wanted = |claim: &Claim| match (claim, code) {
                (Claim::CreatesUnit { unit: made, .. }, Some(_)) => *made == unit,
                (Claim::Certifies { number, .. }, None) => number == what,
                _ => false,
            };
            // A long story comes in pages.
            let hash = loop {
                let records = at(&answer, "/records").as_array().into_iter().flatten();
                if let Some(hash) = records.filter_map(|it| says(it, is_wanted)).next() {
                    break hash;
                }
                let next = at(&answer, "/next_index").as_u64().ok_or_else(unknown)?;
                answer = remote.code_from(&unit, next)?.ok_or_else(unknown)?;
            };
            Ok(Target {
                unit,
                number: code.is_none().then(|| what.to_owned()),
                hash,
                // A server asked with a token decides; to who signs alone it
                // refuses, and says with what record to void instead.
                is_marking: false,
            })
        }
    }
}

/// The hash of a record of a story, where it says what is wanted.
fn says(record: &Value, is_wanted: impl Fn(&Claim) -> bool) -> Option<Hash> {
    let entry = base64::decode(at(record, "/entry").as_str()?)?;
    let signed = Entry::decode(&entry).ok()?.signed;
    let claims = signed.body().ok()?.claims(&Openings::default()).ok()?;
    claims.iter().any(is_wanted).then(|| signed.hash())
}
