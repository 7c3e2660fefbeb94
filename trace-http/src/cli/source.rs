//! Where something is read: a ledger in a folder, or one behind a server, with a
//! token where more is to be seen than the public sees.

use std::path::PathBuf;

use clap::Args;

use super::{
    Failure, Manner,
    local::{DataFolder, Reading},
    remote::Remote,
};

/// Which ledger is asked, and as whom.
#[derive(Debug, Args)]
pub struct Asking {
    #[command(flatten)]
    folder: DataFolder,

    /// Ask the server at this address instead of a folder
    #[arg(long, env = "TRACE_SERVER", value_name = "URL")]
    server: Option<String>,

    /// File with the bearer token for the server; TRACE_TOKEN may hold it instead
    #[arg(long, value_name = "FILE", requires = "server")]
    token_file: Option<PathBuf>,
}

/// A ledger to read from.
pub enum Source {
    /// In a folder, held by this process.
    Folder(Box<Reading>),
    /// Behind a server.
    Server(Box<Remote>),
}

impl Asking {
    /// The folder of the ledger, where no server is asked.
    #[must_use]
    pub fn folder(&self) -> &DataFolder {
        &self.folder
    }

    /// Opens the folder, or finds the server and the token.
    ///
    /// # Errors
    /// As of [`Reading::open`] and [`Remote::new`].
    pub fn open(&self, manner: &Manner) -> Result<Source, Failure> {
        Ok(match &self.server {
            Some(address) => {
                let token = super::token::text(self.token_file.as_deref())?;
                Source::Server(Box::new(Remote::new(address, token, manner.language())?))
            }
            None => Source::Folder(Box::new(Reading::open(&self.folder, manner)?)),
        })
    }
}
