//! HTTP and command line for `trace-core`: parse, one call into core, answer.
//!
//! Nothing here decides what may be admitted or whether a proof holds; that is
//! core's. The program `trace` is [`command::run`].

pub mod alerting;
pub mod api;
pub mod body;
pub mod charset;
pub mod chart;
pub mod choices;
pub mod cli;
pub mod client;
pub mod command;
pub mod desk;
pub mod goods;
pub mod home;
pub mod label;
pub mod language;
pub mod loggers;
pub mod logging;
pub mod machine;
pub mod metrics;
pub mod mqtt;
pub mod operations;
pub mod page;
pub mod problem;
pub mod rows;
pub mod serve;
pub mod server;
pub mod settings;
pub mod sheet;
