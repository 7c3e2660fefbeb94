//! How a caller names its tables, and how it asks for their rows. Nothing of
//! the engine that holds them.

/// A table from `u64` to bytes; cheapest where keys only grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SequenceTable(pub &'static str);

/// A table from bytes to bytes, in the order of the keys' bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderedTable(pub &'static str);

/// All tables of one database; no two may share a name.
#[derive(Debug, Clone, Copy)]
pub struct Tables {
    /// Those with `u64` keys.
    pub sequences: &'static [SequenceTable],
    /// Those with byte keys.
    pub ordered: &'static [OrderedTable],
}

/// How far an existing file is trusted when it is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// A file that was closed cleanly is believed; any other is walked whole.
    Quick,
    /// Every page's checksum is verified; costs reading the whole file, and
    /// writes to it: a tool that only looks works on a copy.
    Full,
}

/// Which way to walk a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the smallest key up.
    Forward,
    /// From the largest key down.
    Reverse,
}
