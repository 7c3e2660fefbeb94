//! `trace token`: who may ask a server for what. It works while the server
//! runs: what is revoked here is refused there from the next request on.

use std::path::Path;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use trace_core::{
    ident::{Area, EntityId, LEDGER_OFFSET_MINUTES, format_ms},
    ledger::{
        opening,
        tokens::{Grant, TokenGrant, Tokens},
    },
    record::{Role, wire::TokenId},
};
use zeroize::Zeroizing;

use super::{Failure, Manner, local::DataFolder, manner::table};
use crate::{home::TOKENS, machine, serve::open_tokens};

/// Where a token's text may stand in the environment.
const TOKEN_VARIABLE: &str = "TRACE_TOKEN";
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// Bearer tokens.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token; its text is shown once
    #[command(after_help = "\
Examples:
  trace token make --entity ENTITY --role producer
  trace token make --role inspector --area 131023 --days 30

An inspector's token reads in full within its area, and every such look-up is logged.")]
    Make(MakeToken),
    /// List all tokens ever made
    #[command(after_help = "Example:\n  trace token list --data ./ledger")]
    List(ListTokens),
    /// End a token at once
    #[command(after_help = "Example:\n  trace token revoke 0123456789abcdef --data ./ledger")]
    Revoke(RevokeToken),
}

/// Everything `trace token make` can be told.
#[derive(Debug, Args)]
pub struct MakeToken {
    #[command(flatten)]
    folder: DataFolder,

    /// The entity that its bearer acts for
    #[arg(long, value_name = "ENTITY")]
    entity: Option<EntityId>,

    /// In what capacity, e.g. producer, cold_store, inspector
    #[arg(long, value_name = "ROLE")]
    role: Role,

    /// In which area; an inspector's token needs one
    #[arg(long, value_name = "AREA")]
    area: Option<Area>,

    /// For how many days it is in force
    #[arg(long, value_name = "DAYS", default_value_t = 365, value_parser = clap::value_parser!(u64).range(1..=3650))]
    days: u64,
}

/// Everything `trace token list` can be told.
#[derive(Debug, Args)]
pub struct ListTokens {
    #[command(flatten)]
    folder: DataFolder,
}

/// Everything `trace token revoke` can be told.
#[derive(Debug, Args)]
pub struct RevokeToken {
    /// The token's public id, as `trace token list` shows it
    #[arg(value_name = "ID")]
    id: TokenId,

    #[command(flatten)]
    folder: DataFolder,
}

impl TokenCommand {
    pub(super) fn run(self, manner: &Manner) -> Result<(), Failure> {
        let now_ms = machine::now_ms();
        match self {
            Self::Make(make) => {
                let grant = Grant {
                    entity: make.entity,
                    role: make.role,
                    area: make.area,
                    expires_ms: now_ms.saturating_add(make.days.saturating_mul(DAY_MS)),
                };
                let (id, text) = issue(&make.folder.data, grant, now_ms)?;
                let value = json!({ "id": id.to_string(), "token": text.as_str() });
                manner.tell(&value, || text.to_string())?;
                manner.remark(
                    "It is shown this once and stored nowhere.",
                    "令牌仅显示这一次,系统不保存。",
                );
                Ok(())
            }
            Self::List(list) => {
                let tokens = open(&list.folder.data)?.list();
                let value: Vec<Value> = tokens.iter().map(json_of).collect();
                manner.tell(&value.into(), || listed(&tokens, now_ms, manner))
            }
            Self::Revoke(revoke) => {
                let is_there = open(&revoke.folder.data)?.revoke(revoke.id, now_ms)?;
                if !is_there {
                    return Err(Failure::Refused(manner.of(
                        format!("there is no token {}", revoke.id),
                        format!("没有令牌 {}", revoke.id),
                    )));
                }
                let value = json!({ "id": revoke.id.to_string(), "revoked": true });
                manner.tell(&value, || {
                    manner.of(
                        format!("{}: revoked", revoke.id),
                        format!("{}:已吊销", revoke.id),
                    )
                })
            }
        }
    }
}

/// Makes a token in the ledger's folder; its id and its text.
///
/// # Errors
/// When an inspector's has no area, or the machine fails.
pub fn issue(
    data: &Path,
    grant: Grant,
    now_ms: u64,
) -> Result<(TokenId, Zeroizing<String>), Failure> {
    grant.check()?;
    let id = TokenId(machine::random());
    let secret = Zeroizing::new(machine::random());
    let text = open(data)?.issue(id, &secret, grant, now_ms)?;
    Ok((id, Zeroizing::new(text.reveal().to_owned())))
}

/// The file of tokens; made where a ledger has none yet.
fn open(data: &Path) -> Result<Tokens, Failure> {
    if !opening::is_ledger(data) {
        return Err(Failure::Machine(format!(
            "{}: there is no ledger here; make one with `trace init`, or see `trace demo`",
            data.display()
        )));
    }
    Ok(open_tokens(&data.join(TOKENS))?)
}

/// A token's text, from a file or from the environment.
///
/// # Errors
/// When the file cannot be read.
pub fn text(file: Option<&Path>) -> Result<Option<Zeroizing<String>>, Failure> {
    let text = match file {
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|error| Failure::Machine(format!("{}: {error}", path.display())))?;
            Some(Zeroizing::new(text))
        }
        None => std::env::var(TOKEN_VARIABLE).ok().map(Zeroizing::new),
    };
    Ok(text.map(|text| Zeroizing::new(text.trim().to_owned())))
}

fn json_of(token: &TokenGrant) -> Value {
    let at = |ms| format_ms(ms, LEDGER_OFFSET_MINUTES);
    json!({
        "id": token.id.to_string(),
        "entity": token.grant.entity.map(|entity| entity.to_string()),
        "role": token.grant.role.name(),
        "area": token.grant.area.map(|area| area.to_string()),
        "made_at": at(token.made_ms),
        "expires_at": at(token.grant.expires_ms),
        "revoked_at": token.revoked_ms.map(at),
    })
}

fn listed(tokens: &[TokenGrant], now_ms: u64, manner: &Manner) -> String {
    let head = manner.of(
        ["id", "role", "area", "entity", "state", "until"],
        ["编号", "角色", "区域", "主体", "状态", "有效期至"],
    );
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for token in tokens {
        let grant = &token.grant;
        let state = match token.revoked_ms {
            Some(_) => manner.of("revoked", "已吊销"),
            None if now_ms >= grant.expires_ms => manner.of("expired", "已过期"),
            None => manner.of("in force", "有效"),
        };
        rows.push(vec![
            token.id.to_string(),
            manner
                .of(grant.role.name(), grant.role.name_zh())
                .to_owned(),
            grant
                .area
                .map_or_else(|| "-".to_owned(), |area| area.to_string()),
            grant
                .entity
                .map_or_else(|| "-".to_owned(), |entity| entity.to_string()),
            state.to_owned(),
            format_ms(grant.expires_ms, LEDGER_OFFSET_MINUTES)
                .get(..10)
                .unwrap_or_default()
                .to_owned(),
        ]);
    }
    table(&rows)
}
