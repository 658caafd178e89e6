//! Records sorted by their key: in memory while they fit, beyond that on disk, in sorted runs that are then merged.
//!
//! One file whatever the number of runs, and no name: there is no limit of open files to meet, and nothing is left behind
//! by a run that is killed. (The sorting crates keep a named file for each run.) Memory: that of one run while
//! records come in, a buffer for each run while they are merged.
//!
//! The log of contacts ([`crate::score::contacts`]) sorts by itself: its records are small values of one size, logs of several
//! workers are joined with the runs they have written, and a log is read more than once. Rows are of any size and read once.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};

/// What records are ordered by; no two have the same.
pub(super) type Key = (u128, u64);

/// Key and length of a record, as stored.
const HEAD: usize = 32;
/// The least buffer a run is read through.
const LEAST: usize = 16 << 10;

pub(super) struct Entry {
    key: Key,
    start: usize,
    len: usize,
}

/// Records coming in.
pub(super) struct Sorter {
    /// There from the first run on.
    file: Option<BufWriter<File>>,
    arena: Vec<u8>,
    entries: Vec<Entry>,
    /// Where each run ends in the file.
    runs: Vec<u64>,
    written: u64,
    memory: usize,
}

impl Sorter {
    /// A sorter that holds about `memory` bytes.
    pub(super) fn new(memory: usize) -> Sorter {
        Sorter { file: None, arena: Vec::new(), entries: Vec::new(), runs: Vec::new(), written: 0, memory }
    }

    /// Takes a record, in two parts.
    pub(super) fn push(&mut self, key: Key, head: &[u8], rest: &[u8]) -> io::Result<()> {
        let start = self.arena.len();
        self.arena.extend_from_slice(head);
        self.arena.extend_from_slice(rest);
        self.entries.push(Entry { key, start, len: head.len() + rest.len() });
        if self.arena.len() + self.entries.len() * size_of::<Entry>() >= self.memory {
            self.end_run()?;
        }
        Ok(())
    }

    /// Gives every record another key, in the order they came. False, and nothing done, when some are on disk.
    pub(super) fn rekey(&mut self, mut key: impl FnMut(Key) -> Key) -> bool {
        if self.runs.is_empty() {
            self.entries.iter_mut().for_each(|entry| entry.key = key(entry.key));
        }
        self.runs.is_empty()
    }

    fn end_run(&mut self) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(BufWriter::with_capacity(1 << 18, tempfile::tempfile()?)),
        };
        self.entries.sort_unstable_by_key(|e| e.key);
        for Entry { key, start, len } in self.entries.drain(..) {
            file.write_all(&key.0.to_le_bytes())?;
            file.write_all(&key.1.to_le_bytes())?;
            file.write_all(&(len as u64).to_le_bytes())?;
            file.write_all(&self.arena[start..start + len])?;
            self.written += (HEAD + len) as u64;
        }
        self.arena.clear();
        self.runs.push(self.written);
        Ok(())
    }

    /// All records, in order; those on disk are read through about `memory` bytes.
    pub(super) fn finish(mut self, memory: usize) -> io::Result<Merge> {
        if self.runs.is_empty() {
            // rows of a conversation mostly stand together: a sort that finds what is in order
            self.entries.sort_by_key(|e| e.key);
            return Ok(Merge::Held { arena: self.arena, entries: self.entries.into_iter() });
        }
        if !self.entries.is_empty() {
            self.end_run()?;
        }
        // the room of the last run is given back before buffers are asked for
        let Sorter { file, runs, .. } = self;
        let Some(file) = file else { return Ok(Merge::Held { arena: Vec::new(), entries: Vec::new().into_iter() }) };
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        let size = (memory / runs.len()).clamp(LEAST, 1 << 20);
        let starts = std::iter::once(0).chain(runs.iter().copied());
        let runs = starts.zip(&runs).map(|(at, end)| Run { at, end: *end, buffer: Vec::new(), next: 0 });
        let mut runs = Runs { file, runs: runs.collect(), heap: BinaryHeap::new(), size };
        for run in 0..runs.runs.len() {
            runs.advance(run)?;
        }
        Ok(Merge::Stored(runs))
    }
}

/// A sorted stretch of the file.
pub(super) struct Run {
    at: u64,
    end: u64,
    buffer: Vec<u8>,
    next: usize,
}

impl Run {
    /// Fills `out`; false at the end of the run.
    fn read(&mut self, file: &mut File, size: usize, mut out: &mut [u8]) -> io::Result<bool> {
        while !out.is_empty() {
            if self.next == self.buffer.len() {
                let n = (self.end - self.at).min(size as u64) as usize;
                if n == 0 {
                    return Ok(false);
                }
                self.buffer.resize(n, 0);
                file.seek(SeekFrom::Start(self.at))?;
                file.read_exact(&mut self.buffer)?;
                self.at += n as u64;
                self.next = 0;
            }
            let n = out.len().min(self.buffer.len() - self.next);
            let (now, later) = out.split_at_mut(n);
            now.copy_from_slice(&self.buffer[self.next..self.next + n]);
            self.next += n;
            out = later;
        }
        Ok(true)
    }
}

/// Records going out in order.
pub(super) enum Merge {
    /// All of them, in memory.
    Held { arena: Vec<u8>, entries: std::vec::IntoIter<Entry> },
    /// In runs on disk.
    Stored(Runs),
}

impl Merge {
    /// The next record's key, its bytes in `body`; `None` at the end.
    pub(super) fn next(&mut self, body: &mut Vec<u8>) -> io::Result<Option<Key>> {
        match self {
            Merge::Stored(runs) => runs.next(body),
            Merge::Held { arena, entries } => Ok(entries.next().map(|Entry { key, start, len }| {
                body.clear();
                body.extend_from_slice(&arena[start..start + len]);
                key
            })),
        }
    }
}

/// Sorted runs being merged.
pub(super) struct Runs {
    file: File,
    runs: Vec<Run>,
    /// The next record of each run: key, run, length.
    heap: BinaryHeap<Reverse<(Key, usize, usize)>>,
    size: usize,
}

impl Runs {
    fn advance(&mut self, run: usize) -> io::Result<()> {
        let mut head = [0; HEAD];
        if self.runs[run].read(&mut self.file, self.size, &mut head)? {
            let number = |at: usize| head[at..at + 8].iter().rev().fold(0u64, |n, b| n << 8 | u64::from(*b));
            let key = (u128::from(number(8)) << 64 | u128::from(number(0)), number(16));
            self.heap.push(Reverse((key, run, number(24) as usize)));
        }
        Ok(())
    }

    fn next(&mut self, body: &mut Vec<u8>) -> io::Result<Option<Key>> {
        let Some(Reverse((key, run, len))) = self.heap.pop() else { return Ok(None) };
        body.resize(len, 0);
        self.runs[run].read(&mut self.file, self.size, body)?;
        self.advance(run)?;
        Ok(Some(key))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn everything_in_order(keys in prop::collection::hash_set((any::<u128>(), any::<u64>()), 0..60), memory in prop_oneof![1usize..2000, Just(usize::MAX)], rekeyed: bool) {
            let mut sorter = Sorter::new(memory);
            for key in &keys {
                let text = format!("{key:?}").repeat((key.1 % 700) as usize);
                sorter.push(*key, b"head", text.as_bytes()).unwrap();
            }
            // the other way round, where they may still be changed
            let rekeyed = rekeyed && sorter.rekey(|(a, b)| (!a, !b));
            let mut merge = sorter.finish(memory).unwrap();
            let mut expected: Vec<_> = keys.into_iter().collect();
            expected.sort_unstable();
            if rekeyed {
                expected.reverse();
            }
            let mut body = Vec::new();
            for key in expected {
                let shown = if rekeyed { (!key.0, !key.1) } else { key };
                prop_assert_eq!(merge.next(&mut body).unwrap(), Some(shown));
                prop_assert_eq!(&body, &format!("head{}", format!("{key:?}").repeat((key.1 % 700) as usize)).into_bytes());
            }
            prop_assert_eq!(merge.next(&mut body).unwrap(), None);
        }
    }
}
