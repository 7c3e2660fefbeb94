//! Temperature policies: those that come with the program and what is in force,
//! and adopting one with the root's keys.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use trace_core::{
    record::{
        Kind, kinds::temperature_policy_adopted::TemperaturePolicyAdopted,
        temperature_policies::shipped,
    },
    rules::ColdFacts,
};

use crate::cli::{
    Failure, Manner,
    local::{DataFolder, Denied, Reading},
    manner::table,
    voice::{Place, Said, Speaking},
};

/// Temperature policies.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// The policies that come with the program, and which version is in force
    #[command(after_help = "Example:\n  trace cold policy list --data ./ledger")]
    List(List),
    /// Adopt a policy, or its next version; the root's keys sign
    #[command(after_help = "\
Examples:
  trace cold policy adopt frozen --key keys/root-1.key --countersign keys/root-2.key
  trace cold policy adopt --file policy.json --key keys/root-1.key --countersign keys/root-2.key

The file holds the fields of the kind temperature_policy_adopted; in a folder the version
becomes the one after that in force.")]
    Adopt(Adopt),
}

/// Which ledger.
#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    folder: DataFolder,
}

/// Which policy.
#[derive(Debug, Args)]
pub struct Adopt {
    /// The code of one that comes with the program
    #[arg(
        value_name = "CODE",
        required_unless_present = "file",
        conflicts_with = "file"
    )]
    code: Option<String>,

    /// A policy of your own, JSON
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,

    #[command(flatten)]
    speaking: Speaking,
}

impl PolicyCommand {
    pub(super) fn run(self, manner: &Manner) -> Result<(), Failure> {
        match self {
            Self::List(it) => it.run(manner),
            Self::Adopt(it) => it.run(manner),
        }
    }
}

impl List {
    fn run(self, manner: &Manner) -> Result<(), Failure> {
        let reading = Reading::open(&self.folder, manner)?;
        let (mut lines, mut values) = (Vec::new(), Vec::new());
        for body in shipped() {
            let held = reading.view.folded().temperature_policy(&body.policy)?;
            let version = held.as_ref().map(|(version, _)| *version);
            let text = held.map_or(body.text, |(_, text)| text);
            let stands = version.map_or_else(
                || manner.of("not adopted".to_owned(), "未采用".to_owned()),
                |version| manner.of(format!("version {version}"), format!("第{version}版")),
            );
            let name = manner.of(body.name.clone(), body.name_zh.clone());
            lines.push(vec![body.policy.clone(), stands, name, text.source.clone()]);
            values.push(json!({ "policy": body.policy, "version": version, "text": text }));
        }
        manner.tell(&Value::Array(values), || table(&lines))
    }
}

impl Adopt {
    fn run(self, manner: &Manner) -> Result<(), Failure> {
        let mut body = self.body(manner)?;
        let mut session = self.speaking.open(manner)?;
        if let Place::Local(local) = &session.place {
            let held = local
                .ledger()
                .view()
                .folded()
                .temperature_policy(&body.policy)?;
            body.version = held.map_or(1, |(version, _)| version.saturating_add(1));
        }
        body.check()?;
        let (policy, version) = (body.policy.clone(), body.version);
        let outcome = session.admit(vec![Said::bare(body)]);
        session.close()?;
        let stands = outcome.map_err(|Denied { failure, .. }| failure)?;
        let index = stands.first().map(|stands| stands.index);
        let value = json!({ "policy": policy, "version": version, "index": index });
        manner.tell(&value, || {
            manner.of(
                format!("{policy}: version {version} adopted"),
                format!("{policy}:已采用第{version}版"),
            )
        })
    }

    fn body(&self, manner: &Manner) -> Result<TemperaturePolicyAdopted, Failure> {
        if let Some(path) = &self.file {
            let cannot = |why: String| format!("{}: {why}", path.display());
            let bytes =
                std::fs::read(path).map_err(|error| Failure::Machine(cannot(error.to_string())))?;
            return serde_json::from_slice(&bytes)
                .map_err(|error| Failure::Usage(cannot(error.to_string())));
        }
        let code = self.code.as_deref().unwrap_or_default();
        let known: Vec<String> = shipped().into_iter().map(|it| it.policy).collect();
        shipped()
            .into_iter()
            .find(|it| it.policy == code)
            .ok_or_else(|| {
                let known = known.join(", ");
                Failure::Usage(manner.of(
                    format!("no policy of this code comes with the program; there are {known}"),
                    format!("程序未附带该代码的规则;可用:{known}"),
                ))
            })
    }
}
