//! `trace init`: a new ledger, its keys, its first record, and perhaps its
//! first authority.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use trace_core::{
    ident::{Area, EntityId, LEDGER_OFFSET_MINUTES},
    record::{
        Hash, Origin, Role,
        chain::Chain,
        claim::{Policy, RULE_SET_NEWEST},
        kinds::{entity_registered::EntityCategory, ledger_opened::LedgerOpened},
        sign::SigningKey,
        submission::Submission,
        wire::Bytes32,
    },
    store::{
        disk::{Access, RealDisk},
        files,
    },
};
use zeroize::Zeroizing;

use super::{
    Failure, Manner,
    entity::{Enrolment, Newcomer},
    keyfile,
    local::{DataFolder, Local, key_encryption_key},
    voice::{Session, Voice, agreed},
};
use crate::{home::Home, machine};

/// Three people of three bodies; two of them act for the root authority.
const ROOT_KEYS: usize = 3;
const ROOT_QUORUM: u8 = 2;
/// A signer's clock may be this far ahead: five minutes.
const SIGNED_AHEAD_MAX_MS: u64 = 5 * 60 * 1000;

/// Everything `trace init` can be told.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  trace init --data ./ledger --origin langfang.example/trace --name 廊坊市食品追溯账本 \\
    --area 131000 --keys ./root-keys --kek-file ./kek --authority 廊坊市农业农村局

The ledger's name stands in every record for ever. Give the anchor that is printed to
every reader over a way they trust: it is all they need to check everything else.")]
pub struct Init {
    #[command(flatten)]
    folder: DataFolder,

    /// The ledger's name: 1 to 64 of a-z, 0-9, dot, hyphen and slash
    #[arg(long, value_name = "NAME", value_parser = Origin::parse)]
    origin: Origin,

    /// The ledger's name for people
    #[arg(long, value_name = "TEXT")]
    name: String,

    /// The area covered, six digits of GB/T 2260
    #[arg(long, value_name = "AREA")]
    area: Area,

    /// Folder for the three root keys [default: the ledger's with -keys behind it]
    #[arg(long, value_name = "FOLDER")]
    keys: Option<PathBuf>,

    /// File of the key-encryption key of hosted keys; made if it is not there
    #[arg(long, value_name = "FILE")]
    kek_file: Option<PathBuf>,

    /// Register the first authority under this name; its key is hosted where
    /// there is a key-encryption key, else it goes to the folder of keys
    #[arg(long, value_name = "NAME")]
    authority: Option<String>,

    /// Days that an issue date may lie back without an authority's agreement
    #[arg(long, value_name = "DAYS", default_value_t = 3)]
    backdate_days: u16,
}

impl Init {
    pub(super) fn run(self, manner: &Manner) -> Result<(), Failure> {
        let data = &self.folder.data;
        let keys = self.keys.clone().unwrap_or_else(|| {
            let mut name = data.as_os_str().to_owned();
            name.push("-keys");
            name.into()
        });
        // Before anything is made: what can be refused is.
        trace_core::record::text::check("name", &self.name, 1, 60)?;
        let paths: Vec<PathBuf> = (1..=ROOT_KEYS)
            .map(|place| keys.join(format!("root-{place}.key")))
            .collect();
        if let Some(path) = paths.iter().find(|path| path.symlink_metadata().is_ok()) {
            return Err(Failure::Machine(format!(
                "{}: there is a root key already; choose another folder with --keys",
                path.display()
            )));
        }
        if let Some(path) = self.kek_file.as_ref().filter(|path| !path.exists()) {
            let kek = Zeroizing::new(Hash::from(machine::random::<32>()).to_string());
            files::replace(&RealDisk, path, kek.as_bytes(), Access::Secret)?;
        }
        let kek = key_encryption_key(self.kek_file.as_deref())?;
        let has_kek = kek.is_some();

        let ledger_key = SigningKey::from_seed(machine::random());
        let ledger_public = Bytes32(*ledger_key.public().as_bytes());
        let (home, sequencer) = Home::create(
            data,
            self.origin.clone(),
            ledger_key,
            kek,
            self.folder.settings(),
        )?;
        let roots = paths
            .iter()
            .map(|path| keyfile::make(path))
            .collect::<Result<Vec<_>, _>>()?;
        let local = Local::start(home, sequencer, machine::clock())?;
        self.open(&local, &roots, ledger_public)?;
        let anchor = local.anchor()?.to_string();
        let mut authority = None;
        if let Some(name) = &self.authority {
            let (local, entity, key) = self.first_authority(local, name, &roots, has_kek, &keys)?;
            authority = Some((entity, key));
            local.close()?;
        } else {
            local.close()?;
        }

        let shown: Vec<String> = paths
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        let value = json!({
            "origin": self.origin.to_string(),
            "anchor": anchor,
            "root_keys": shown,
            "authority": authority.as_ref().map(|(entity, key)| json!({
                "entity": entity.to_string(),
                "key": key,
                "is_hosted": has_kek,
            })),
        });
        manner.tell(&value, || {
            let mut lines = vec![manner.of("Anchor for readers:", "读者信任锚:").to_owned()];
            lines.push(format!("  {anchor}"));
            if let Some((entity, key)) = &authority {
                lines.push(manner.of(
                    format!("Authority {entity}, key: {key}"),
                    format!("主管部门 {entity},密钥:{key}"),
                ));
            }
            lines.join("\n")
        })?;
        manner.remark(
            &format!(
                "Root keys: {}. Two of the three act for the root authority: give them to three \
                 people, and keep none of them on this machine.",
                shown.join(", ")
            ),
            &format!(
                "根密钥:{}。三把中任两把即可代表根授权方:请分交三人保管,勿留在本机。",
                shown.join("、")
            ),
        );
        Ok(())
    }

    /// The first record: signed by the first root key, agreed by the second.
    fn open(
        &self,
        local: &Local,
        roots: &[SigningKey],
        ledger_key: Bytes32,
    ) -> Result<(), Failure> {
        let mut root_keys: Vec<Bytes32> = roots
            .iter()
            .map(|key| Bytes32(*key.public().as_bytes()))
            .collect();
        root_keys.sort_unstable();
        let body = LedgerOpened {
            name: self.name.clone(),
            area: self.area.into(),
            root_keys,
            ledger_key,
            policy: Policy {
                rule_set: RULE_SET_NEWEST,
                root_quorum: ROOT_QUORUM,
                civil_offset_minutes: i16::try_from(LEDGER_OFFSET_MINUTES).unwrap_or(480),
                signed_ahead_max_ms: SIGNED_AHEAD_MAX_MS,
                issue_backdate_max_days: self.backdate_days,
            },
            continues: None,
            countersignatures: Vec::new(),
        };
        let (first, agreeing) = root_voice(roots)?;
        let mut chain = Chain::new(self.origin.clone(), first);
        let now_ms = machine::now_ms();
        let body = agreed(&chain, &agreeing, body.into(), now_ms);
        let submission = Submission::bare(chain.sign(&body, now_ms));
        let verified = local.ledger().verify(vec![submission]);
        let items = verified
            .into_iter()
            .collect::<Result<Vec<_>, _>>()
            .map_err(|refusal| refusal.invalid)?;
        local.admit(items).map_err(|denied| denied.failure)?;
        Ok(())
    }

    fn first_authority(
        &self,
        local: Local,
        name: &str,
        roots: &[SigningKey],
        is_hosted: bool,
        keys: &std::path::Path,
    ) -> Result<(Session, EntityId, String), Failure> {
        let (key, agreeing) = root_voice(roots)?;
        let mut session = Session::local(
            local,
            Voice::Own {
                key: Box::new(key),
                agreeing,
            },
        );
        let newcomer = Newcomer {
            category: EntityCategory::PublicBody,
            name: Some(name.to_owned()),
            area: self.area,
            place: None,
            uscc: None,
            licences: Vec::new(),
            contact: None,
            roles: vec![(Role::Authority, self.area)],
            device: None,
        };
        let enrolment = match is_hosted {
            true => Enrolment::Hosted,
            false => Enrolment::Own(keys.join("authority.key")),
        };
        let made = newcomer.register(&mut session, &enrolment)?;
        let key = match &enrolment {
            Enrolment::Own(path) => path.display().to_string(),
            _ => made.key.map(|key| key.to_string()).unwrap_or_default(),
        };
        Ok((session, made.entity, key))
    }
}

/// The first root key signs and the second agrees.
fn root_voice(roots: &[SigningKey]) -> Result<(SigningKey, Vec<SigningKey>), Failure> {
    let again = |key: &SigningKey| SigningKey::from_seed(*key.seed());
    match roots {
        [first, second, ..] => Ok((again(first), vec![again(second)])),
        _ => Err(Failure::Machine("two root keys are wanted".to_owned())),
    }
}
