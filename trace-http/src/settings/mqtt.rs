//! Settings of the subscription at a broker, from which readings are taken.

use std::{fs::File, io::Read, path::PathBuf, time::Duration};

use clap::Args;
use zeroize::Zeroizing;

use crate::mqtt::{BrokerAddress, Subscription, parse_topic_filter};

/// A field of MQTT is at most 64 KiB; nobody's password is.
const PASSWORD_BYTES_MAX: u64 = 4096;

/// Where readings are taken from beside HTTP.
#[derive(Debug, Clone, Args)]
pub struct MqttSettings {
    /// Broker to take readings from, without encryption: on this machine or behind a tunnel
    #[arg(long, env = "TRACE_MQTT_BROKER", value_name = "HOST:PORT")]
    pub mqtt_broker: Option<BrokerAddress>,

    /// Topic or pattern of topics to subscribe to
    #[arg(long, env = "TRACE_MQTT_TOPIC", value_name = "FILTER",
          default_value = "trace/readings/#", value_parser = parse_topic_filter)]
    pub mqtt_topic: String,

    /// By what the broker knows this server again; with another topic take another
    /// [default: the ledger's origin]
    #[arg(long, env = "TRACE_MQTT_CLIENT", value_name = "ID")]
    pub mqtt_client: Option<String>,

    /// Name to log in at the broker with
    #[arg(
        long,
        env = "TRACE_MQTT_USER",
        value_name = "NAME",
        requires = "mqtt_password_file"
    )]
    pub mqtt_user: Option<String>,

    /// File with the password that goes with the name
    #[arg(
        long,
        env = "TRACE_MQTT_PASSWORD_FILE",
        value_name = "FILE",
        requires = "mqtt_user"
    )]
    pub mqtt_password_file: Option<PathBuf>,
}

impl MqttSettings {
    /// The subscription of the ledger of this origin; `None` where there is no
    /// broker. `answer_time` bounds one attempt to store a message.
    ///
    /// # Errors
    /// From the system, or in words, where the file of the password is none.
    pub fn subscription(
        &self,
        origin: &str,
        answer_time: Duration,
    ) -> std::io::Result<Option<Subscription>> {
        let Some(broker) = self.mqtt_broker.clone() else {
            return Ok(None);
        };
        let login = match (&self.mqtt_user, &self.mqtt_password_file) {
            (Some(name), Some(path)) => Some((name.clone(), password(File::open(path)?)?)),
            _ => None,
        };
        Ok(Some(Subscription {
            broker,
            topic: self.mqtt_topic.clone(),
            client: self
                .mqtt_client
                .clone()
                .unwrap_or_else(|| origin.to_owned()),
            login,
            answer_time,
        }))
    }
}

/// The first line of a file.
fn password(file: File) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(PASSWORD_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > PASSWORD_BYTES_MAX {
        return Err(std::io::Error::other("too long for a password"));
    }
    let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
    let end = bytes.iter().position(is_end).unwrap_or(bytes.len());
    bytes.truncate(end);
    Ok(bytes)
}
