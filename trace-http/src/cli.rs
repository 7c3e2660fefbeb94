//! Every subcommand but `serve`: read the arguments, one call into the core,
//! say what came of it.
//!
//! | files | what they do |
//! |---|---|
//! | `manner`, `failure`, `progress` | how anything is said; how a command ends; bars and Ctrl-C |
//! | `keyfile`, `local`, `remote`, `voice` | keys in files; a ledger in a folder; a ledger behind a server; who signs |
//! | the others | one subcommand each |
//!
//! Exit codes: 0 done, 1 refused by a rule, 2 wrongly used, 6 the machine
//! could not; 130 stopped by Ctrl-C. Of `verify`, `audit` and `restore`: 0
//! sound, 1 damaged, 2 wrongly used, 3 rollback, 4 fork, 5 another ledger or
//! key, 6 cannot read.

mod audit;
mod backup;
mod balance;
mod bundle;
mod cold;
mod demo;
mod document;
mod entity;
mod erase;
mod failure;
mod grade;
mod init;
mod issue;
mod key;
mod keyfile;
mod label;
mod local;
mod manner;
mod progress;
mod questions;
mod recall;
mod remote;
mod scan;
mod show;
mod source;
mod story;
mod token;
mod trace;
mod verify;
mod voice;
mod void;
mod warehouse;

pub use failure::Failure;
pub use issue::sheet;
pub use manner::Manner;

use clap::Subcommand;

/// What `trace` can be asked to do, beside serving.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a new ledger, its keys and its first record
    Init(init::Init),
    /// Make or show a signing key
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Register entities
    #[command(subcommand)]
    Entity(entity::EntityCommand),
    /// Issue one certificate from flags, or thousands from a table
    Issue(Box<issue::Issue>),
    /// Record goods entering or leaving a cold store
    #[command(subcommand)]
    Warehouse(warehouse::WarehouseCommand),
    /// Equipment, goods placed in it, readings, and how goods were kept
    #[command(subcommand)]
    Cold(Box<cold::ColdCommand>),
    /// Void a certificate by its number, or a whole trace unit by its code
    Void(void::Void),
    /// Show what is true of a trace code now, and why
    Show(show::Show),
    /// Show what a unit was made of, or what was made of it
    Trace(trace::Trace),
    /// Recall a unit with all that was made of it, or rehearse that
    Recall(recall::Recall),
    /// Show what came to an entity or an area, went, ended and is held
    Balance(balance::Balance),
    /// Show what is open and wants an inspector's answer
    Questions(questions::Questions),
    /// Show the risk grade and credit grade of an entity
    Grade(grade::Grade),
    /// Store and fetch documents that records name
    #[command(subcommand)]
    Document(document::DocumentCommand),
    /// Draw labels with QR codes, for office and label printers
    Label(Box<label::Label>),
    /// Write the evidence about a trace code into one file
    Bundle(bundle::MakeBundle),
    /// Check a bundle with nothing but the file and the trust anchor
    Verify(verify::VerifyBundle),
    /// Replay a ledger and check everything again
    Audit(audit::AuditLedger),
    /// Write a sealed backup of a ledger
    Backup(backup::Backup),
    /// Build a ledger anew from a sealed backup
    Restore(backup::Restore),
    /// Make, list and revoke bearer tokens
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Lock away and destroy a person's data
    #[command(subcommand)]
    Erase(erase::EraseCommand),
    /// Make a ledger of a made-up city, and serve it
    Demo(demo::Demo),
}

impl Command {
    /// Does it; the exit code.
    #[must_use]
    pub fn run(self, manner: &Manner) -> u8 {
        let ended = match self {
            Self::Init(it) => it.run(manner),
            Self::Key(it) => it.run(manner),
            Self::Entity(it) => it.run(manner),
            Self::Issue(it) => it.run(manner),
            Self::Warehouse(it) => it.run(manner),
            Self::Cold(it) => it.run(manner),
            Self::Void(it) => it.run(manner),
            Self::Show(it) => it.run(manner),
            Self::Trace(it) => it.run(manner),
            Self::Recall(it) => it.run(manner),
            Self::Balance(it) => it.run(manner),
            Self::Questions(it) => it.run(manner),
            Self::Grade(it) => it.run(manner),
            Self::Document(it) => it.run(manner),
            Self::Label(it) => it.run(manner),
            Self::Bundle(it) => it.run(manner),
            Self::Verify(it) => it.run(manner),
            Self::Audit(it) => it.run(manner),
            Self::Backup(it) => it.run(manner),
            Self::Restore(it) => it.run(manner),
            Self::Token(it) => it.run(manner),
            Self::Erase(it) => it.run(manner),
            Self::Demo(it) => it.run(manner),
        };
        match ended {
            Ok(()) => 0,
            Err(failure) => {
                failure.tell(manner);
                failure.exit_code()
            }
        }
    }
}
