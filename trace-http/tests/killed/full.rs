//! A disk that is full. Where this may mount (as root), the ledger's folder is a
//! small file system in memory that is filled up beside it; elsewhere no file of
//! the server may grow past a size (RLIMIT_FSIZE). Which of both is printed.

use std::{
    fs::{File, OpenOptions},
    io::Write,
    path::Path,
    process::Command,
};

use tempfile::TempDir;
use trace_fixtures::draw::Draw;
use trace_http::{client::Client, language::Language, serve::WRITER_ENDED};

use crate::{load::under_load, number, program::Program, town::Town};

/// Bytes of the file system: several times what the ledger here comes to.
const DISK_BYTES: &str = "size=96m";

/// A folder whose room can be taken away.
struct Disk {
    folder: TempDir,
    is_mounted: bool,
}

impl Disk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", DISK_BYTES, "trace"]);
        let mounted = mount.arg(folder.path()).status();
        Self {
            folder,
            is_mounted: mounted.is_ok_and(|status| status.success()),
        }
    }

    fn filling(&self) -> std::path::PathBuf {
        self.folder.path().join("filling")
    }

    /// Leaves so many bytes of room; through which words a server is to be started.
    fn leave(&self, town: &Town, bytes: u64) -> Vec<String> {
        if !self.is_mounted {
            // Ignored, the signal leaves the write to be refused.
            let limit = (longest(town.folder()) + bytes) / 512;
            let words = ["sh", "-c", "trap '' XFSZ; ulimit -f $0; exec \"$@\""];
            let words = words.map(str::to_owned).into_iter();
            return words.chain([limit.to_string()]).collect();
        }
        let mut filling = File::create(self.filling()).unwrap();
        let block = vec![0; 64 * 1024];
        while filling.write_all(&block).is_ok() {}
        let length = filling.metadata().unwrap().len();
        filling.set_len(length - bytes).unwrap();
        Vec::new()
    }

    fn make_room(&self) {
        if self.is_mounted {
            let filling = OpenOptions::new().write(true).open(self.filling());
            filling.unwrap().set_len(0).unwrap();
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.is_mounted {
            let _ = Command::new("umount")
                .arg("--lazy")
                .arg(self.folder.path())
                .status();
        }
    }
}

fn longest(folder: &Path) -> u64 {
    let files = std::fs::read_dir(folder).unwrap();
    let lengths = files.map(|file| file.unwrap().metadata().unwrap().len());
    lengths.max().unwrap_or_default()
}

/// Whether a server takes nothing.
fn reads_only(server: &Program) -> bool {
    let client = Client::new(&server.address, Language::English).unwrap();
    let figures = client.get("/metrics").unwrap().unwrap();
    let figures = String::from_utf8(figures).unwrap();
    figures.contains("trace_ledger_writes 0")
}

#[test]
fn a_full_disk_ends_the_writer_and_costs_nothing_that_was_answered() {
    let seed = number("TRACE_KILLS_SEED", 20_260_515);
    let times = number("TRACE_FULL_DISKS", 4);
    let mut draw = Draw::new(seed, "full disk");
    let disk = Disk::new();
    let town = Town::new_in(disk.folder.path(), seed);
    let (mut read_on, mut not_opened) = (0, 0);
    let load = under_load(&town, seed, |door| {
        for _ in 0..times {
            let words = disk.leave(&town, draw.below(3 << 20));
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            match Program::serving_by(&town, &words, |_| {}) {
                Ok(server) if reads_only(&server) => drop(server),
                Ok(server) => {
                    door.open(&server.address);
                    let (code, said) = server.ended();
                    assert_eq!(code, WRITER_ENDED, "{said:?}");
                }
                Err(code) => assert!([6, WRITER_ENDED].contains(&code), "{code}"),
            }
            // Started again with no more room, it shows what it holds, or ends.
            let again = Program::serving_by(&town, &words, |_| {});
            let code = again.map_or_else(Some, |server| {
                let client = Client::new(&server.address, Language::English).unwrap();
                let shown = client.get("/v1/changes?after=0&limit=5");
                shown.is_err().then(|| server.ended().0)
            });
            match code {
                None => read_on += 1,
                Some(code) => {
                    assert!([6, WRITER_ENDED].contains(&code), "{code}");
                    not_opened += 1;
                }
            }
            disk.make_room();
            let server = Program::serving(&town);
            let before = door.open(&server.address);
            door.wait_for_answers(before + 100);
            server.kill();
        }
        let server = Program::serving(&town);
        door.open(&server.address);
        server
    });
    let [records, orders, readings] = load.acknowledged();
    let size = load.check(&town);
    let how = match disk.is_mounted {
        true => "a file system of its own",
        false => "no file may grow",
    };
    println!(
        "{times} full disks ({how}): {read_on} times it read on, {not_opened} times it \
         ended; {records} records, {orders} orders, {readings} readings acknowledged, {size} entries"
    );
}
