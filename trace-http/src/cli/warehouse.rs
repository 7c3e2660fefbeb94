//! `trace warehouse`: goods enter and leave the signer's cold store.

use clap::{Args, Subcommand};
use serde_json::json;
use trace_core::{
    ident::{EntityId, LEDGER_OFFSET_MINUTES, TraceCode, parse_ms},
    record::{
        Quantity,
        kinds::{warehouse_in::WarehouseIn, warehouse_out::WarehouseOut},
        section::{Opening, Openings},
        text::normalise,
        warehouse::{WarehouseEntry, WarehouseTrade},
    },
};

use super::{
    Failure, Manner,
    local::Denied,
    manner::quoted,
    voice::{Place, Said, Speaking, Voice},
};
use crate::machine;

/// A cold store's entries.
#[derive(Debug, Subcommand)]
pub enum WarehouseCommand {
    /// Goods enter
    #[command(after_help = "\
Example:
  trace warehouse in 7K3M-0Q2R-ZX9T-4B1C-8 --key store.key --quantity '20 箱×5 公斤' \\
    --temperature=-18.5 --at 2026-03-01T05:20:00+08:00")]
    In(Movement),
    /// Goods leave; never more than came in
    #[command(after_help = "\
Example:
  trace warehouse out 7K3M-0Q2R-ZX9T-4B1C-8 --key store.key --quantity '5 箱×5 公斤' \\
    --counterparty-name 廊坊某某超市 --vehicle 冀R12345")]
    Out(Movement),
}

/// Everything an entry can be told.
#[derive(Debug, Args)]
pub struct Movement {
    /// The unit's trace code
    #[arg(value_name = "CODE")]
    code: TraceCode,

    #[command(flatten)]
    speaking: Speaking,

    /// How much
    #[arg(long, value_name = "QUANTITY")]
    quantity: Quantity,

    /// When it happened [default: now]
    #[arg(long, value_name = "TIME", value_parser = parse_ms)]
    at: Option<u64>,

    /// Temperature of the goods in degrees C, e.g. -18.5
    #[arg(long, value_name = "DEGREES", value_parser = milli_degrees, allow_hyphen_values = true)]
    temperature: Option<i32>,

    /// The other side, where it is an entity of this ledger; shown to parties only
    #[arg(long, value_name = "ENTITY")]
    counterparty: Option<EntityId>,

    /// The other side, where it is none; shown to parties only
    #[arg(long, value_name = "TEXT")]
    counterparty_name: Option<String>,

    /// Position in the store; shown to parties only
    #[arg(long, value_name = "TEXT")]
    position: Option<String>,

    /// Plate of the vehicle; shown to parties only
    #[arg(long, value_name = "TEXT")]
    vehicle: Option<String>,
}

/// Degrees with up to three decimals, exactly.
fn milli_degrees(text: &str) -> Result<i32, String> {
    let wrong = || format!("{} is not a number of degrees such as -18.5", quoted(text));
    let (is_below, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) || fraction.len() > 3 || whole.len() > 4 {
        return Err(wrong());
    }
    let milli: i32 = format!("{whole}{fraction:0<3}")
        .parse()
        .map_err(|_| wrong())?;
    Ok(if is_below { -milli } else { milli })
}

impl WarehouseCommand {
    pub(super) fn run(self, manner: &Manner) -> Result<(), Failure> {
        match self {
            Self::In(movement) => movement.run(manner, true),
            Self::Out(movement) => movement.run(manner, false),
        }
    }
}

impl Movement {
    fn run(self, manner: &Manner, enters: bool) -> Result<(), Failure> {
        let normal = |text: &Option<String>| text.as_deref().map(normalise);
        let trade = WarehouseTrade {
            quantity: self.quantity,
            counterparty: self.counterparty,
            counterparty_name: normal(&self.counterparty_name),
            position: normal(&self.position),
            vehicle: normal(&self.vehicle),
        };
        trade.check()?;
        let opening = Opening::new(machine::random(), &trade);
        let entry = WarehouseEntry {
            unit: self.code,
            at_ms: self.at.unwrap_or_else(machine::now_ms),
            offset_minutes: i16::try_from(LEDGER_OFFSET_MINUTES).unwrap_or(480),
            temperature_milli_c: self.temperature,
            trade: opening.commitment(),
            acted_by: None,
        };
        entry.check()?;
        let body = match enters {
            true => WarehouseIn(entry).into(),
            false => WarehouseOut(entry).into(),
        };
        let said = Said {
            body,
            openings: Openings {
                trade: Some(opening),
                persons: Vec::new(),
            },
        };
        let mut session = self.speaking.open(manner)?;
        let outcome = match (&mut session.place, &session.voice) {
            (Place::Server(remote), Voice::Token) => remote.say(&said),
            _ => session.admit(vec![said]),
        };
        session.close()?;
        let stands = outcome.map_err(|Denied { failure, .. }| failure)?;
        let index = stands.first().map(|stands| stands.index);
        let value = json!({ "code": self.code.to_string(), "index": index });
        manner.tell(&value, || {
            let index = index.unwrap_or_default();
            manner.of(
                format!("{}: recorded at index {index}", self.code),
                format!("{}:已记入账本,序号 {index}", self.code),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::milli_degrees;

    #[test]
    fn degrees_are_read_exactly_or_refused() {
        for (text, milli) in [
            ("-18.5", -18_500),
            ("0", 0),
            ("-0.001", -1),
            ("2.5", 2_500),
            ("100.000", 100_000),
        ] {
            assert_eq!(milli_degrees(text), Ok(milli));
        }
        for text in [
            "", "-", ".", "1.", ".5", "1.0001", "+1", "1e3", "--1", "99999", "一",
        ] {
            assert!(milli_degrees(text).is_err(), "{text}");
        }
    }
}
