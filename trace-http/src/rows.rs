//! Rows of CSV that a stranger wrote: none longer than any that means something.
//!
//! A cell costs some tens of bytes of memory beside its own, so a file that is all
//! one row of empty cells would cost forty times its length.

use std::{
    cell::Cell,
    io::{self, Read},
    rc::Rc,
};

/// Longest row of a stranger's file, in bytes: a thousand columns of sixteen.
pub const ROW_BYTES_MAX: usize = 16 * 1024;

/// What is read ahead of a row, counted with it.
const AHEAD_BYTES: usize = 4 * 1024;

/// The rows of a text, headers as any other.
pub struct Rows<'t> {
    reader: csv::Reader<Rationed<'t>>,
    left: Rc<Cell<usize>>,
    most: usize,
}

/// A text of which only so much may be read for one row.
struct Rationed<'t> {
    rest: &'t [u8],
    left: Rc<Cell<usize>>,
    most: usize,
}

impl<'t> Rows<'t> {
    /// The rows of a text, each of so many bytes at most.
    #[must_use]
    pub fn new(text: &'t str, delimiter: u8, most: usize) -> Self {
        let left = Rc::new(Cell::new(0));
        let rationed = Rationed {
            rest: text.as_bytes(),
            left: Rc::clone(&left),
            most,
        };
        let mut builder = csv::ReaderBuilder::new();
        builder
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .buffer_capacity(AHEAD_BYTES);
        Self {
            reader: builder.from_reader(rationed),
            left,
            most,
        }
    }
}

/// After a row that is too long ([`csv::Error::is_io_error`]) nobody knows where the
/// next one begins: what follows is not to be used.
impl Iterator for Rows<'_> {
    type Item = Result<csv::StringRecord, csv::Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left.set(self.most + AHEAD_BYTES);
        let mut row = csv::StringRecord::new();
        match self.reader.read_record(&mut row) {
            Ok(true) => Some(Ok(row)),
            Ok(false) => None,
            Err(error) => Some(Err(error)),
        }
    }
}

impl Read for Rationed<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = out.len().min(self.left.get()).min(self.rest.len());
        if count == 0 && !self.rest.is_empty() && !out.is_empty() {
            let what = format!("a row is longer than {} bytes", self.most);
            return Err(io::Error::other(what));
        }
        let (read, rest) = self.rest.split_at(count);
        out.get_mut(..count)
            .ok_or(io::ErrorKind::InvalidInput)?
            .copy_from_slice(read);
        self.rest = rest;
        self.left.set(self.left.get() - count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_any_number_are_read_and_one_that_is_too_long_is_not() {
        let row = format!("a,\"b\n{}\",c\n", "c".repeat(ROW_BYTES_MAX - 20));
        let text = row.repeat(50);
        let rows: Vec<_> = Rows::new(&text, b',', ROW_BYTES_MAX)
            .collect::<Result<_, _>>()
            .unwrap();
        assert_eq!(rows.len(), 50);
        assert!(rows.iter().all(|row| row.len() == 3));
        for long in [",".repeat(1 << 20), "a,\"\n\",".repeat(1 << 18)] {
            let text = format!("a,b\n{long}\n");
            let mut rows = Rows::new(&text, b',', ROW_BYTES_MAX);
            assert_eq!(rows.next().unwrap().unwrap(), vec!["a", "b"]);
            let error = rows.next().unwrap().unwrap_err();
            assert!(error.is_io_error(), "{error}");
            assert!(error.to_string().contains("16384"), "{error}");
        }
    }
}
