//! `trace demo`: the ledger of a made-up city, made in a minute and served.
//!
//! Every person and firm in it is made up, and every key comes from a published
//! seed: nothing in it may be relied upon. What it shows is real: real
//! signatures by each issuer's own key, real rules, real proofs.

mod cheats;
mod cold;
mod making;
mod marks;
mod sights;

use std::path::PathBuf;

use clap::{Args, Parser};
use serde_json::json;

use super::{Failure, Manner};
use crate::{
    logging,
    serve::{self, Door, ServeError},
    settings::ServeSettings,
};
use marks::{Found, Marks};

/// The day on which the city published its figures.
const SEED: u64 = 20_230_519;

/// Ten years.
const CLOCK_JUMP_MS: &str = "315360000000";

/// Everything `trace demo` can be told.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trace demo
  trace demo --data ./hamlet --scale 0.01 --no-serve
  trace demo --fresh --port 9000

At scale 1 there are 703 producers, 5,076 cold stores and 61,770 electronic certificates, as
Langfang published, over the year up to now. A demo that is there already is served again.")]
pub struct Demo {
    /// Folder of the demo
    #[arg(long, value_name = "FOLDER", default_value = "./demo")]
    data: PathBuf,

    /// How large, where 1 is the city's pilot
    #[arg(long, value_name = "SCALE", default_value_t = 1.0, value_parser = scale)]
    scale: f64,

    /// Port to serve on, at 127.0.0.1; 0 takes any that is free
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    port: u16,

    /// Seed from which everything is made
    #[arg(long, value_name = "NUMBER", default_value_t = SEED)]
    seed: u64,

    /// Make it and do not serve it
    #[arg(long)]
    no_serve: bool,

    /// Remove a demo that lies in the folder, and make it anew
    #[arg(long)]
    fresh: bool,
}

fn scale(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(scale) if (0.0..=100.0).contains(&scale) => Ok(scale),
        _ => Err("wanted a number from 0 to 100".to_owned()),
    }
}

impl Demo {
    pub(super) fn run(self, manner: &Manner) -> Result<(), Failure> {
        if self.fresh {
            marks::remove(&self.data)?;
        }
        let marks = match marks::find(&self.data)? {
            Found::Complete(marks) => {
                manner.remark(
                    &format!("{}: this demo is there already", self.data.display()),
                    &format!("{}:演示账本已存在", self.data.display()),
                );
                *marks
            }
            Found::Incomplete => {
                return Err(Failure::Machine(manner.of(
                    format!(
                        "{}: a demo lies here that was not finished; --fresh makes it anew",
                        self.data.display()
                    ),
                    format!(
                        "{}:此处的演示账本未制作完成;请用 --fresh 重新制作",
                        self.data.display()
                    ),
                )));
            }
            Found::Nothing => making::make(&self.data, self.seed, self.scale, manner)?,
        };
        if self.no_serve {
            return self.tell(&marks, None, manner);
        }
        let machine = |error: ServeError| Failure::Machine(error.to_string());
        let settings = self.settings()?;
        // The address is known when it is taken: port 0 stands for any.
        let door = Door::open(&settings).map_err(machine)?;
        let address = format!("http://{}", door.address());
        self.tell(&marks, Some(&address), manner)?;
        logging::start(settings.log_format, &settings.log)
            .map_err(|error| Failure::Machine(error.to_string()))?;
        serve::run_behind(&settings, door).map_err(machine)
    }

    fn tell(&self, marks: &Marks, address: Option<&str>, manner: &Manner) -> Result<(), Failure> {
        let value = json!({
            "data": self.data.display().to_string(),
            "demo": marks,
            "address": address,
        });
        manner.tell(&value, || match address {
            None => sights::in_folder(marks, &self.data, manner),
            Some(address) => sights::at_address(marks, address, manner),
        })
    }

    /// To serve the demo as `trace serve` would, with the demo's own
    /// key-encryption key.
    fn settings(&self) -> Result<ServeSettings, Failure> {
        let kek = self.data.join(making::KEK);
        let listen = format!("127.0.0.1:{}", self.port);
        let arguments = [
            "trace".as_ref(),
            "--data".as_ref(),
            self.data.as_os_str(),
            "--listen".as_ref(),
            listen.as_ref(),
            "--kek-file".as_ref(),
            kek.as_os_str(),
            // A demo may rest for as long as its guest likes.
            "--clock-jump-limit-ms".as_ref(),
            CLOCK_JUMP_MS.as_ref(),
        ];
        let served = Served::try_parse_from(arguments);
        let Served { settings } = served.map_err(|error| Failure::Machine(error.to_string()))?;
        Ok(settings)
    }
}

/// The settings of `trace serve`, with their defaults.
#[derive(Parser)]
struct Served {
    #[command(flatten)]
    settings: ServeSettings,
}
