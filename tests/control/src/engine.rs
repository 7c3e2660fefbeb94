//! What is asked of an engine: a history of commits, and every image that cuts leave
//! of it and of its recovery.

use std::collections::BTreeMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

use crate::IS_SOUND;
use crate::disk::{Disk, FILE};
use crate::draw::Draw;
use crate::medium::{Call, Kept, Medium};

/// Commits of one history.
const COMMITS: usize = 24;
/// Cuts of one history.
const CUTS: usize = 40;

const TABLE: TableDefinition<u64, &[u8]> = TableDefinition::new("rows");

type Rows = BTreeMap<u64, Vec<u8>>;
type Failed = Box<dyn std::error::Error>;

/// What was committed, one after the other, and every call that it took; creating
/// the file is not safe under cuts, nor said to be, and came before.
struct History {
    created: Medium,
    states: Vec<Rows>,
    trace: Vec<Call>,
}

impl History {
    fn of(draw: &mut Draw) -> Result<Self, Failed> {
        let disk = Disk::new(Medium::default());
        drop(open(&disk)?);
        let created = disk.medium().after_power_cut(Kept::Everything);
        let disk = Disk::new(created.clone());
        let database = open(&disk)?;
        let mut rows = Rows::new();
        let mut states = vec![rows.clone()];
        for number in 0..COMMITS {
            let transaction = begin_write(&database)?;
            {
                let mut table = transaction.open_table(TABLE)?;
                for _ in 0..1 + draw.below(12) {
                    let key = draw.below(64);
                    if draw.chance(1, 3) {
                        table.remove(key)?;
                        rows.remove(&key);
                    } else {
                        let value = vec![number as u8 + 1; draw.below(3_000) as usize];
                        table.insert(key, value.as_slice())?;
                        rows.insert(key, value);
                    }
                }
            }
            transaction.commit()?;
            disk.answered(number);
            states.push(rows.clone());
        }
        // What closing would do is not among the calls.
        let trace = disk.trace();
        Ok(Self {
            created,
            states,
            trace,
        })
    }

    /// Whether an image opens and holds all that was answered, whole commits and
    /// nothing else, and goes on.
    fn check(&self, image: &Medium, answered: usize) -> Result<(), String> {
        let words = |error: &dyn std::fmt::Display| error.to_string();
        let opened = AssertUnwindSafe(|| -> Result<(Database, Rows), Failed> {
            let database = open(&Disk::new(image.clone()))?;
            let found = rows(&database)?;
            Ok((database, found))
        });
        let (_database, found) = match catch_unwind(opened) {
            Ok(opened) => opened.map_err(|error| format!("does not open: {}", words(&error)))?,
            Err(_) => return Err("panicked".into()),
        };
        let mut possible = self.states.iter().skip(answered).take(2);
        match possible.any(|state| *state == found) {
            true => Ok(()),
            false => Err(match self.states.iter().position(|state| *state == found) {
                Some(held) => format!("{held} commits are there, {answered} were answered"),
                None => "holds what was never committed".into(),
            }),
        }
    }
}

fn begin_write(database: &Database) -> Result<redb::WriteTransaction, Failed> {
    let mut transaction = database.begin_write()?;
    if IS_SOUND {
        transaction.set_two_phase_commit(true);
    }
    Ok(transaction)
}

/// Opens the engine's file, which it recovers where it was not closed.
fn open(disk: &Disk) -> Result<Database, Failed> {
    let mut builder = Database::builder();
    builder.set_cache_size(1 << 20);
    Ok(builder.create_with_backend(disk.clone())?)
}

fn rows(database: &Database) -> Result<Rows, Failed> {
    let transaction = database.begin_read()?;
    let table = match transaction.open_table(TABLE) {
        Ok(table) => table,
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(Rows::new()),
        Err(error) => return Err(error.into()),
    };
    let mut rows = Rows::new();
    for row in table.iter()? {
        let (key, value) = row?;
        rows.insert(key.value(), value.value().to_vec());
    }
    Ok(rows)
}

/// What a cut after each call of an image's recovery leaves; none where it does not
/// recover, which is found when it is checked itself.
fn images_of_recovery(image: &Medium, draw: &mut Draw) -> Vec<Medium> {
    let disk = Disk::new(image.clone());
    let recovering = AssertUnwindSafe(|| {
        let database = open(&disk);
        let trace = disk.trace();
        drop(database);
        trace
    });
    let trace = catch_unwind(recovering).unwrap_or_default();
    let mut medium = image.clone();
    let mut images = Vec::new();
    for call in &trace {
        medium.apply(call);
        images.push(medium.after_power_cut(Kept::Nothing));
        images.push(medium.after_power_cut(Kept::Drawn(draw)));
    }
    images
}

/// Looks through one history; the first loss.
pub fn search(seed: u64, images: &AtomicU64, is_over: &AtomicBool) -> Result<(), String> {
    let mut draw = Draw::new(seed);
    let history = History::of(&mut draw).map_err(|error| error.to_string())?;
    for _ in 0..CUTS {
        let cut = draw.place(history.trace.len());
        let (mut medium, mut answered) = (history.created.clone(), 0);
        for call in &history.trace[..=cut] {
            medium.apply(call);
            if let Call::Answered(number) = call {
                answered = *number as usize + 1;
            }
        }
        let first = medium.after_power_cut(Kept::Drawn(&mut draw));
        let second = images_of_recovery(&first, &mut draw);
        for (at, image) in [first].iter().chain(&second).enumerate() {
            if is_over.load(Ordering::Relaxed) {
                return Ok(());
            }
            images.fetch_add(1, Ordering::Relaxed);
            if let Err(why) = history.check(image, answered) {
                return Err(format!(
                    "seed {seed}: cut after call {cut} of the history, image {at} of its \
                     recovery: {why}"
                ));
            }
        }
    }
    Ok(())
}

impl redb::StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self
            .state()
            .0
            .read(Path::new(FILE))
            .unwrap_or_default()
            .len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.state();
        let all = state.0.read(Path::new(FILE)).unwrap_or_default();
        let found = all
            .get(offset as usize..)
            .and_then(|rest| rest.get(..out.len()));
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.call(|file| Call::SetLength { file, length })
    }

    fn sync_data(&self) -> io::Result<()> {
        self.call(|file| Call::Sync { file })
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.call(|file| Call::Write {
            file,
            offset,
            bytes: data.into(),
        })
    }
}
