//! Settings of `trace serve`: flag, else environment, else file, else default.
//!
//! One declaration serves all four: the file's values are put in the place of
//! the defaults before clap reads flags and environment (`file.rs`), so that
//! `--help` shows what holds. Secrets are never flags: those can be read from
//! the list of processes.

mod file;
mod key;
mod mqtt;

pub use file::{FileError, with_file};
pub use key::{Key, KeyError};
pub use mqtt::MqttSettings;

use std::{ffi::OsStr, net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, builder::RangedU64ValueParser};
use trace_core::{ident::EntityId, ledger::opening::CACHE_BYTES};

use crate::{
    alerting::Receivers,
    logging::{LogFormat, parse_filter},
    server::Limits,
};

/// Where the hex of the key-encryption key may stand in the environment.
pub const KEY_VARIABLE: &str = "TRACE_KEK";

/// Everything `trace serve` can be told.
#[derive(Debug, Clone, Args)]
pub struct ServeSettings {
    /// TOML file of settings; its keys are the flags' names without dashes in front
    #[arg(long, env = "TRACE_SETTINGS", value_name = "FILE")]
    pub settings: Option<PathBuf>,

    /// Folder of the ledger
    #[arg(
        long,
        env = "TRACE_DATA",
        value_name = "FOLDER",
        default_value = "./ledger"
    )]
    pub data: PathBuf,

    /// Folder of the last signed checkpoint; best on another disk [default: in the ledger's folder]
    #[arg(long, env = "TRACE_CHECKPOINTS", value_name = "FOLDER")]
    pub checkpoints: Option<PathBuf>,

    /// Address to listen on; put a proxy with TLS before a public one
    #[arg(
        long,
        env = "TRACE_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8080"
    )]
    pub listen: SocketAddr,

    /// How readers reach this server: what QR codes hold [default: http:// and the address]
    #[arg(long, env = "TRACE_PUBLIC_URL", value_name = "URL", value_parser = parse_public_url)]
    pub public_url: Option<String>,

    /// Font file with Chinese characters, for labels [default: the first that is found]
    #[arg(long, env = "TRACE_LABEL_FONT", value_name = "FILE")]
    pub label_font: Option<PathBuf>,

    /// File with the key-encryption key, 64 hexadecimal digits; TRACE_KEK may hold them instead
    #[arg(long, env = "TRACE_KEK_FILE", value_name = "FILE")]
    pub kek_file: Option<PathBuf>,

    /// The operator's entity, whose hosted key records how far the log of look-ups reaches,
    /// and complaints, which are taken only with it
    #[arg(long, env = "TRACE_OPERATOR", value_name = "ENTITY")]
    pub operator: Option<EntityId>,

    /// Field of a request's head in which the proxy in front names the reader's address,
    /// e.g. x-forwarded-for, of which the last is taken. Only behind a proxy that sets it:
    /// without one readers would name themselves
    #[arg(long, env = "TRACE_PEER_HEADER", value_name = "NAME")]
    pub peer_header: Option<axum::http::HeaderName>,

    /// Field of a request's head in which the proxy in front says from where a page is
    /// opened: six digits of GB/T 2260. It must remove what readers send under that name
    #[arg(long, env = "TRACE_SCAN_PLACE_HEADER", value_name = "NAME")]
    pub scan_place_header: Option<axum::http::HeaderName>,

    /// Who is sent alerts of the cold chain, with commas between: https:// addresses,
    /// or http:// ones of this machine; each message is signed with the ledger's key
    #[arg(
        long,
        env = "TRACE_ALERT_RECEIVERS",
        value_name = "URLS",
        default_value = ""
    )]
    pub alert_receivers: Receivers,

    /// How often alerts are derived for them
    #[arg(
        long,
        env = "TRACE_ALERT_INTERVAL_MS",
        value_name = "MS",
        default_value = "60000"
    )]
    pub alert_interval_ms: Milliseconds,

    /// The longest that a receiver may take to answer
    #[arg(
        long,
        env = "TRACE_ALERT_ANSWER_TIME_MS",
        value_name = "MS",
        default_value = "10000"
    )]
    pub alert_answer_time_ms: Milliseconds,

    /// Memory for the store's pages (128 MiB)
    #[arg(long, env = "TRACE_CACHE_BYTES", value_name = "BYTES", default_value_t = CACHE_BYTES,
          value_parser = RangedU64ValueParser::<usize>::new().range(1 << 20..))]
    pub cache_bytes: usize,

    /// Derived tables are merged into the store beyond this (32 MiB)
    #[arg(long, env = "TRACE_OVERLAY_BYTES", value_name = "BYTES", default_value = "33554432",
          value_parser = RangedU64ValueParser::<usize>::new().range(1 << 16..))]
    pub overlay_bytes: usize,

    /// The writer stops when the clock stands further than this from the last
    /// admission (10 days: the longest public holiday with its weekends)
    #[arg(
        long,
        env = "TRACE_CLOCK_JUMP_LIMIT_MS",
        value_name = "MS",
        default_value = "864000000"
    )]
    pub clock_jump_limit_ms: u64,

    /// Say that the machine's clock is right although it jumped; for this start
    /// alone, so neither the environment nor the file can say it
    #[arg(long)]
    pub confirm_clock: bool,

    /// How the log is written
    #[arg(
        long,
        env = "TRACE_LOG_FORMAT",
        value_name = "FORMAT",
        value_enum,
        default_value = "plain"
    )]
    pub log_format: LogFormat,

    /// What is logged: levels, or levels of targets as in info,trace_http=debug
    #[arg(long, env = "TRACE_LOG", value_name = "FILTER", default_value = "info",
          value_parser = parse_log_filter)]
    pub log: String,

    /// Readings over MQTT.
    #[command(flatten, next_help_heading = "Readings over MQTT 5")]
    pub mqtt: MqttSettings,

    /// Limits of what clients may take.
    #[command(flatten, next_help_heading = "Limits")]
    pub limits: LimitSettings,
}

impl ServeSettings {
    /// How readers reach this server that listens at `address`, without a slash
    /// at the end.
    pub fn public_url(&self, address: SocketAddr) -> String {
        let listened = || format!("http://{address}");
        self.public_url.clone().unwrap_or_else(listened)
    }

    /// The key-encryption key, as of [`Key::given`].
    ///
    /// # Errors
    /// As of [`Key::given`].
    pub fn key_encryption_key(&self, variable: Option<&OsStr>) -> Result<Option<Key>, KeyError> {
        Key::given(self.kek_file.as_deref(), variable)
    }
}

/// The settings of [`Limits`], where each has its reason.
#[derive(Debug, Clone, Args)]
pub struct LimitSettings {
    /// Connections at a time
    #[arg(long, env = "TRACE_CONNECTIONS_MAX", value_name = "COUNT",
          default_value_t = Limits::default().connections,
          value_parser = RangedU64ValueParser::<usize>::new().range(1..=1_000_000))]
    pub connections_max: usize,

    /// Bytes of a request head
    #[arg(long, env = "TRACE_HEAD_BYTES_MAX", value_name = "BYTES",
          default_value_t = Limits::default().head_bytes,
          value_parser = RangedU64ValueParser::<usize>::new().range(1024..=1 << 20))]
    pub head_bytes_max: usize,

    /// Fields in a request head
    #[arg(long, env = "TRACE_HEAD_FIELDS_MAX", value_name = "COUNT",
          default_value_t = Limits::default().head_fields,
          value_parser = RangedU64ValueParser::<usize>::new().range(8..=1024))]
    pub head_fields_max: usize,

    /// Bytes of a request body
    #[arg(long, env = "TRACE_BODY_BYTES_MAX", value_name = "BYTES",
          default_value_t = Limits::default().body_bytes,
          value_parser = RangedU64ValueParser::<usize>::new().range(1024..))]
    pub body_bytes_max: usize,

    /// Time for a request head to arrive
    #[arg(long, env = "TRACE_HEAD_TIME_MS", value_name = "MS",
          default_value_t = Milliseconds(Limits::default().head_time))]
    pub head_time_ms: Milliseconds,

    /// Time without progress of a body or an answer
    #[arg(long, env = "TRACE_STALL_TIME_MS", value_name = "MS",
          default_value_t = Milliseconds(Limits::default().stall_time))]
    pub stall_time_ms: Milliseconds,

    /// Time a connection may be idle between requests
    #[arg(long, env = "TRACE_IDLE_TIME_MS", value_name = "MS",
          default_value_t = Milliseconds(Limits::default().idle_time))]
    pub idle_time_ms: Milliseconds,

    /// Time for a request to be answered, its body included
    #[arg(long, env = "TRACE_ANSWER_TIME_MS", value_name = "MS",
          default_value_t = Milliseconds(Limits::default().answer_time))]
    pub answer_time_ms: Milliseconds,

    /// Time for requests in flight to end after SIGTERM
    #[arg(long, env = "TRACE_SHUTDOWN_TIME_MS", value_name = "MS",
          default_value_t = Milliseconds(Limits::default().shutdown_time))]
    pub shutdown_time_ms: Milliseconds,
}

impl From<&LimitSettings> for Limits {
    fn from(settings: &LimitSettings) -> Self {
        Self {
            peer_header: None,
            connections: settings.connections_max,
            head_bytes: settings.head_bytes_max,
            head_fields: settings.head_fields_max,
            body_bytes: settings.body_bytes_max,
            head_time: settings.head_time_ms.0,
            stall_time: settings.stall_time_ms.0,
            idle_time: settings.idle_time_ms.0,
            answer_time: settings.answer_time_ms.0,
            shutdown_time: settings.shutdown_time_ms.0,
        }
    }
}

/// A time, written as a number of milliseconds from 1 to a day's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Milliseconds(pub Duration);

impl std::fmt::Display for Milliseconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.as_millis().fmt(f)
    }
}

impl std::str::FromStr for Milliseconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const DAY_MS: u64 = 24 * 60 * 60 * 1000;
        match text.parse() {
            Ok(count @ 1..=DAY_MS) => Ok(Self(Duration::from_millis(count))),
            _ => Err(format!(
                "wanted a number of milliseconds from 1 to {DAY_MS}"
            )),
        }
    }
}

pub(crate) fn parse_public_url(text: &str) -> Result<String, String> {
    let url: axum::http::Uri = text.parse().map_err(|error| format!("no URL: {error}"))?;
    let is_web = matches!(url.scheme_str(), Some("http" | "https"));
    if !is_web || url.query().is_some() || text.contains('#') || text.contains('@') {
        return Err("wanted http:// or https://, a host and perhaps a path".into());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

fn parse_log_filter(text: &str) -> Result<String, String> {
    parse_filter(text).map_err(|error| error.to_string())?;
    Ok(text.to_owned())
}
