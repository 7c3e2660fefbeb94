//! The program serving a folder's ledger on a free port, as long as a test
//! wants it.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use super::program::{Place, trace};

const PATIENCE: Duration = Duration::from_secs(30);

/// A server, told to end when this is dropped.
pub struct Served {
    pub address: String,
    process: Child,
}

impl Served {
    /// Serves the ledger in the place's folder `ledger`.
    pub fn start(place: &Place, more: &[&str]) -> Self {
        let mut process = trace()
            .args(["serve", "--listen", "127.0.0.1:0", "--log-format", "json"])
            .args(more)
            .current_dir(place.path(""))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap());
        let address = loop {
            let mut line = String::new();
            assert!(log.read_line(&mut line).unwrap() > 0, "it does not listen");
            let line: Value = serde_json::from_str(&line).unwrap();
            if let Some(address) = line["address"].as_str() {
                break format!("http://{address}");
            }
        };
        // What else it says must not fill the pipe.
        std::thread::spawn(move || log.lines().for_each(drop));
        Self { address, process }
    }

    /// Ends as by a loss of power, of the process alone.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// The same command, at this server.
    pub fn at<'a>(&'a self, arguments: &[&'a str]) -> Vec<&'a str> {
        [arguments, &["--server", &self.address]].concat()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Ok(Some(_)) = self.process.try_wait() {
            return;
        }
        let told = Command::new("kill")
            .arg(self.process.id().to_string())
            .status();
        let started = Instant::now();
        while told.is_ok() && started.elapsed() < PATIENCE {
            if let Ok(Some(_)) = self.process.try_wait() {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.process.kill();
    }
}
