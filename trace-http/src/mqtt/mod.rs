//! Readings over MQTT 5: a subscription at a broker, of which every message is
//! what `POST /v1/readings` takes, under the same rights, limits and answers.
//!
//! A message is acknowledged when its readings are durable or when it is refused
//! for good, never before: after a crash or a lost connection the broker sends
//! again what was not acknowledged, and repeats count once. When the disk is
//! behind, messages wait here unacknowledged, at most [`IN_FLIGHT_MAX`] of them,
//! and the rest wait at the broker. A sender who wants to know what became of his
//! readings names a response topic: the acknowledgement that he gets is the
//! broker's own, of having the message.
//!
//! The connection is not encrypted, as the server's own is not: a broker on
//! another machine stands behind a tunnel.

mod message;
mod session;

use std::{
    fmt,
    pin::{Pin, pin},
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::Router;
use rumqttc::{
    AckMode, AsyncClient, ConnectionError, Event, EventLoop, ManualAck, MqttOptions,
    PublishOptions, ValidatedTopicFilter,
    mqttbytes::{
        QoS,
        v5::{Packet, Publish, SubscribeReasonCode},
    },
};
use tokio::{
    task::{JoinError, JoinSet},
    time::{sleep, timeout},
};
use tower::ServiceExt;
use zeroize::Zeroizing;

use crate::metrics::Figure;
use message::{Settled, Verdict, request};
use session::NothingUnderWay;

/// Messages that are not acknowledged, at a time: of the largest, 32 MiB. More of
/// them would not make the disk faster.
pub const IN_FLIGHT_MAX: u16 = 8;

/// Messages being stored, at a time, with those of quality of service 0, which
/// nobody acknowledges; while there are so many, nothing is read.
const STORING_MAX: usize = 2 * IN_FLIGHT_MAX as usize;

/// Bytes of a message: a month of readings every minute as a logger exports them.
/// A broker passes over what is larger, so its own limit must not be.
pub const PAYLOAD_BYTES_MAX: u32 = 4 * 1024 * 1024;

/// For topic and properties (a field of MQTT is at most 64 KiB).
const HEAD_BYTES_MAX: u32 = 64 * 1024;

/// A broker that nothing is heard from for half as long again has gone.
const KEEP_ALIVE_S: u16 = 30;

/// How long a broker keeps what waits for a server that does not run: a long
/// weekend and the days around it.
const SESSION_EXPIRY_S: u32 = 10 * 24 * 60 * 60;

/// The longest wait before the next attempt to reach a broker.
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(30);
const RETRY_PAUSE_MIN: Duration = Duration::from_millis(500);

/// How long a broker may take to see a connection off.
const FAREWELL_TIME: Duration = Duration::from_secs(2);

/// Where a broker listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerAddress {
    host: String,
    port: u16,
}

impl fmt::Display for BrokerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl FromStr for BrokerAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = || format!("{text}: wanted a host and a port, as in 127.0.0.1:1883");
        let (host, port) = text.rsplit_once(':').ok_or_else(wanted)?;
        let is_bare = host.contains(':') && !(host.starts_with('[') && host.ends_with(']'));
        if host.is_empty() || is_bare || host.contains(['/', '@', ' ']) {
            return Err(wanted());
        }
        match port.parse() {
            Ok(port @ 1..) => Ok(Self {
                host: host.trim_matches(['[', ']']).to_owned(),
                port,
            }),
            _ => Err(wanted()),
        }
    }
}

/// What is subscribed to, one topic or a pattern of topics.
///
/// # Errors
/// In words, where it is no topic filter (MQTT 5.0, section 4.7).
pub fn parse_topic_filter(text: &str) -> Result<String, String> {
    match ValidatedTopicFilter::new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(format!("{text:?} is no topic filter of MQTT")),
    }
}

/// How a broker is subscribed to.
pub struct Subscription {
    /// Where it listens.
    pub broker: BrokerAddress,
    /// What is subscribed to.
    pub topic: String,
    /// By what the broker knows this server again.
    pub client: String,
    /// Name and password, where it wants them.
    pub login: Option<(String, Zeroizing<Vec<u8>>)>,
    /// The longest that storing a message may take before it is tried again.
    pub answer_time: Duration,
}

/// How it stands, for the operator.
#[derive(Debug, Default)]
pub struct Standing {
    is_subscribed: AtomicBool,
    storing: AtomicUsize,
}

impl Standing {
    /// For [`Metrics::add_figures`](crate::metrics::Metrics::add_figures).
    pub fn figures(&self) -> Vec<Figure> {
        let storing = self.storing.load(Ordering::Relaxed);
        vec![
            Figure {
                name: "mqtt_subscribed",
                meaning: "1 while a broker has granted the subscription to readings",
                value: i64::from(self.is_subscribed.load(Ordering::Relaxed)),
            },
            Figure {
                name: "mqtt_storing",
                meaning: "Messages of readings that are not acknowledged yet",
                value: i64::try_from(storing).unwrap_or(i64::MAX),
            },
        ]
    }
}

impl Subscription {
    fn options(&self) -> MqttOptions {
        let (host, port) = (self.broker.host.clone(), self.broker.port);
        let mut options = MqttOptions::new(self.client.clone(), (host, port));
        options
            .set_keep_alive(KEEP_ALIVE_S)
            .set_clean_start(false)
            .set_session_expiry_interval(Some(SESSION_EXPIRY_S))
            .set_session_store(NothingUnderWay)
            .set_ack_mode(AckMode::Manual)
            .set_receive_maximum(Some(IN_FLIGHT_MAX))
            .set_max_packet_size(Some(PAYLOAD_BYTES_MAX + HEAD_BYTES_MAX));
        if let Some((name, password)) = &self.login {
            options.set_credentials(name.clone(), password.to_vec());
        }
        options
    }

    /// Takes messages until `stopping` completes. What is under way then is not
    /// acknowledged, and comes again.
    pub async fn run(
        self,
        router: Router,
        standing: Arc<Standing>,
        stopping: impl Future<Output = ()>,
    ) {
        // Unbounded, and yet never long: only what answers a message that is not
        // yet acknowledged is put there, and one subscription for a connection.
        let (client, connection) = AsyncClient::builder(self.options()).unbounded().build();
        let mut talk = Talk {
            subscription: self,
            router,
            standing,
            client,
            connection,
            storing: JoinSet::new(),
            pause: RETRY_PAUSE_MIN,
        };
        let mut stopping = pin!(stopping);
        while talk.step(stopping.as_mut()).await {
            let storing = talk.storing.len();
            talk.standing.storing.store(storing, Ordering::Relaxed);
        }
        talk.farewell().await;
    }
}

/// A connection to the broker, and the next one after it.
struct Talk {
    subscription: Subscription,
    router: Router,
    standing: Arc<Standing>,
    client: AsyncClient,
    connection: EventLoop,
    storing: JoinSet<(Publish, Settled)>,
    pause: Duration,
}

impl Talk {
    /// Waits for the next thing to happen and does what it asks for; `false` when
    /// it is to stop.
    async fn step(&mut self, mut stopping: Pin<&mut impl Future<Output = ()>>) -> bool {
        let has_room = self.storing.len() < STORING_MAX;
        let failed = tokio::select! {
            () = &mut stopping => return false,
            Some(stored) = self.storing.join_next() => {
                self.settle(stored);
                return true;
            }
            event = self.connection.poll(), if has_room => match event {
                Ok(event) => {
                    self.take(event);
                    return true;
                }
                Err(error) => error,
            },
        };
        self.lost(&failed);
        tokio::select! {
            () = stopping => false,
            () = sleep(self.pause) => {
                self.pause = (self.pause * 2).min(RETRY_PAUSE_MAX);
                true
            }
        }
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Incoming(Packet::ConnAck(accepted)) => {
                let (broker, topic) = (&self.subscription.broker, &self.subscription.topic);
                let resumed = accepted.session_present;
                tracing::info!(%broker, topic, resumed, "subscribing to readings");
                self.pause = RETRY_PAUSE_MIN;
                // A session that is resumed has it already, unless the operator of
                // the broker took it away.
                if let Err(error) = self.client.try_subscribe(topic.clone(), QoS::AtLeastOnce) {
                    tracing::error!(%error, "the subscription was not asked for");
                }
            }
            Event::Incoming(Packet::SubAck(answer)) => {
                let is_granted = |code: &SubscribeReasonCode| {
                    matches!(code, SubscribeReasonCode::Success(QoS::AtLeastOnce))
                };
                let is_subscribed = answer.return_codes.iter().all(is_granted);
                self.standing
                    .is_subscribed
                    .store(is_subscribed, Ordering::Relaxed);
                if !is_subscribed {
                    let codes = answer.return_codes;
                    tracing::error!(?codes, "the broker does not grant the subscription");
                }
            }
            Event::Incoming(Packet::Publish(message)) => {
                let (router, limit) = (self.router.clone(), self.subscription.answer_time);
                self.storing.spawn(store(router, limit, message));
            }
            _ => {}
        }
    }

    /// Tells the broker, and the sender where he wants to know.
    fn settle(&mut self, stored: Result<(Publish, Settled), JoinError>) {
        // A handler that panicked has said so in the log; the message comes again
        // with the next connection.
        let Ok((message, settled)) = stored else {
            return;
        };
        let (status, code) = settled.outcome();
        if let Some(code) = code {
            let topic = String::from_utf8_lossy(&message.topic);
            let status = status.as_u16();
            tracing::warn!(topic = %topic, status, code, "a message of readings is refused");
        }
        if message.qos == QoS::AtMostOnce {
            return;
        }
        let acknowledgement = settled.acknowledgement(message.pkid);
        if let Some((topic, content, properties)) = settled.answer(&message) {
            let options = PublishOptions::new(QoS::AtLeastOnce).properties(properties);
            if let Err(error) = self.client.try_publish(topic, content, options) {
                tracing::warn!(%error, "an answer to a message of readings was not sent");
            }
        }
        let acknowledgement = ManualAck::PubAck(acknowledgement);
        if let Err(error) = self.client.try_manual_ack(acknowledgement) {
            tracing::error!(%error, "a message of readings was not acknowledged");
        }
    }

    /// The broker will send again what is not acknowledged, under whatever number:
    /// what is under way has nobody to answer to any more.
    fn lost(&mut self, error: &ConnectionError) {
        let (broker, pause_ms) = (&self.subscription.broker, self.pause.as_millis());
        tracing::warn!(%broker, %error, pause_ms, "no connection to the broker of readings");
        self.standing.is_subscribed.store(false, Ordering::Relaxed);
        self.storing = JoinSet::new();
    }

    /// Says that it leaves; the session stays.
    async fn farewell(mut self) {
        if !self.standing.is_subscribed.swap(false, Ordering::Relaxed) {
            return;
        }
        let left = async {
            self.client.disconnect().await.ok()?;
            while self.connection.poll().await.is_ok() {}
            Some(())
        };
        if timeout(FAREWELL_TIME, left).await.is_err() {
            tracing::debug!("the broker did not see the connection off");
        }
    }
}

/// Stores the readings of a message, however often it takes.
async fn store(router: Router, limit: Duration, message: Publish) -> (Publish, Settled) {
    loop {
        let verdict = match request(&message) {
            Err(problem) => Verdict::refused(problem).await,
            Ok(request) => match timeout(limit, router.clone().oneshot(request)).await {
                Ok(Ok(response)) => Verdict::of(response).await,
                Err(_) => Verdict::Again(RETRY_PAUSE_MIN),
            },
        };
        match verdict {
            Verdict::Settled(settled) => return (message, settled),
            Verdict::Again(wait) => sleep(wait).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_is_a_host_and_a_port() {
        for (text, host, port) in [
            ("127.0.0.1:1883", "127.0.0.1", 1883),
            ("broker.example:8883", "broker.example", 8883),
            ("[::1]:1883", "::1", 1883),
        ] {
            let found: BrokerAddress = text.parse().unwrap();
            assert_eq!((found.host.as_str(), found.port), (host, port));
        }
        for text in [
            "",
            "broker",
            ":1883",
            "broker:",
            "broker:0",
            "broker:65536",
            "::1:1883",
            "mqtt://broker:1883",
            "a@broker:1883",
        ] {
            assert!(text.parse::<BrokerAddress>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_topic_may_be_a_pattern_that_mqtt_knows() {
        for text in [
            "readings",
            "trace/readings/#",
            "trace/+/readings",
            "$share/a/b",
        ] {
            assert!(parse_topic_filter(text).is_ok(), "{text}");
        }
        for text in ["", "a/#/b", "a#", "a+/b"] {
            assert!(parse_topic_filter(text).is_err(), "{text}");
        }
    }
}
