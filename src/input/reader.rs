//! Hands out blocks in input order. Called under a lock by every worker, so it only reads, decompresses, hashes and finds
//! where records end; a delimited file is read and grouped as a whole on its first block.

use std::collections::VecDeque;
use std::sync::Arc;

use super::block::{Block, Content};
use super::compression::Stop;
use super::delimited::{Groups, Table};
use super::discover::{Named, discover};
use super::encoding::{self, Text};
use super::jsonl::{Lines, count, too_long};
use super::layout::layout;
use super::reject::{Fault, Reject};
use super::source::{self, Source};
use super::{FileSummary, InputOptions};
use crate::error::Error;

/// As much of an overlong line as a reject can show.
const RAW_BYTES: usize = 8_192;

/// Reads the inputs, block by block.
pub struct Reader {
    inputs: VecDeque<Named>,
    options: Arc<InputOptions>,
    encoding: Option<&'static encoding_rs::Encoding>,
    current: Option<Current>,
    pending: VecDeque<Block>,
    files: Vec<FileSummary>,
    total: Option<u64>,
    /// Stored bytes of the files done with.
    done: u64,
}

enum Current {
    Lines(Box<LineFile>),
    Groups(GroupFile),
}

impl Reader {
    /// Finds the inputs: files, directories (read recursively, known extensions only), globs, `-` for standard input.
    /// Every file is opened once and the columns of delimited files are checked, so that what cannot work is said
    /// before an hour has gone by.
    pub fn open(inputs: &[String], options: InputOptions) -> Result<Reader, Error> {
        let encoding = options.encoding.as_deref().map(encoding::by_label).transpose()?.flatten();
        let inputs = discover(inputs)?;
        let mut total = Some(0);
        for input in &inputs {
            let size = input.size();
            total = total.and_then(|sum: u64| Some(sum + size?));
            if size.is_some() {
                source::preflight(input, encoding, &options)?;
            }
        }
        Ok(Reader {
            inputs: inputs.into(),
            options: Arc::new(options),
            encoding,
            current: None,
            pending: VecDeque::new(),
            files: Vec::new(),
            total,
            done: 0,
        })
    }

    /// The next block, or `None` when everything is read. `recycled` is a buffer of a block done with.
    pub fn next_block(&mut self, recycled: Vec<u8>) -> Result<Option<Block>, Error> {
        let mut buffer = recycled;
        loop {
            if let Some(mut block) = self.pending.pop_front() {
                buffer.clear();
                block.buffer = buffer;
                return Ok(Some(block));
            }
            match &mut self.current {
                None => {
                    let Some(input) = self.inputs.pop_front() else { return Ok(None) };
                    let source = Source::open(&input, self.encoding, &self.options)?;
                    if source.jsonl {
                        self.current = Some(Current::Lines(Box::new(LineFile::new(source, self.options.clone()))));
                    } else {
                        let (file, summary, rejects) = GroupFile::read(source, &self.options)?;
                        self.done += summary.bytes;
                        self.files.push(summary);
                        self.pending.extend(rejects);
                        self.current = Some(Current::Groups(file));
                    }
                }
                Some(Current::Groups(file)) => match file.next(self.options.block_bytes) {
                    Some(block) => self.pending.push_back(block),
                    None => self.current = None,
                },
                Some(Current::Lines(file)) => {
                    match file.next(buffer)? {
                        Ok(block) => return Ok(Some(block)),
                        Err(unused) => buffer = unused,
                    }
                    let summary = file.summary()?;
                    self.done += summary.bytes;
                    self.files.push(summary);
                    self.current = None;
                }
            }
        }
    }

    /// The stored size of all inputs; `None` with standard input or a pipe among them.
    pub fn total_bytes(&self) -> Option<u64> {
        self.total
    }

    /// Stored bytes read so far.
    pub fn bytes_read(&self) -> u64 {
        let current = match &self.current {
            Some(Current::Lines(file)) => file.text.stream().tally().bytes(),
            _ => 0,
        };
        self.done + current
    }

    /// The files read, in input order; complete once [`Reader::next_block`] has returned `None`.
    pub fn files(&self) -> &[FileSummary] {
        &self.files
    }
}

fn rejects_block(rejects: Vec<Reject>, bytes: u64) -> Block {
    Block { bytes, buffer: Vec::new(), content: Content::Rejects(rejects) }
}

/// Why a text ended early: a failing disk ends the run, broken data is a fault.
fn stopped(text: &mut Text, name: &str) -> Result<Option<Fault>, Error> {
    match text.take_stop() {
        Some(Stop::Io(error)) => Err(Error::read(name, error)),
        Some(Stop::Data(fault)) => Ok(Some(fault)),
        None => Ok(None),
    }
}

/// A JSONL file being read.
struct LineFile {
    text: Text,
    file: Arc<str>,
    options: Arc<InputOptions>,
    /// What was read beyond the last whole line handed out.
    carry: Vec<u8>,
    damaged: bool,
    ended: bool,
    /// The number of the next line.
    line: u64,
    records: u64,
    blank: u64,
    /// Stored bytes that blocks already stand for.
    given: u64,
    /// The broken end, to be handed out last.
    broken: Option<Reject>,
}

impl LineFile {
    fn new(source: Source, options: Arc<InputOptions>) -> Self {
        LineFile {
            text: source.text,
            file: source.name,
            options,
            carry: Vec::new(),
            damaged: false,
            ended: false,
            line: 1,
            records: 0,
            blank: 0,
            given: 0,
            broken: None,
        }
    }

    /// The next block, or the buffer back at the end.
    fn next(&mut self, mut buffer: Vec<u8>) -> Result<Result<Block, Vec<u8>>, Error> {
        let size = self.options.block_bytes.max(1);
        buffer.clear();
        buffer.append(&mut self.carry);
        let mut newline = memchr::memrchr(b'\n', &buffer);
        while !self.ended && (newline.is_none() || buffer.len() < size) {
            if newline.is_none() && buffer.len() > self.options.limits.max_record_bytes {
                return Ok(Ok(self.skip_line(buffer)));
            }
            let before = buffer.len();
            let want = if before < size { size - before } else { size };
            self.ended = !self.text.fill(&mut buffer, want);
            newline = memchr::memrchr(b'\n', &buffer[before..]).map(|i| before + i).or(newline);
        }
        // the carry shares its portion's damage: better one line looked at too many
        let damaged = self.damaged | self.text.take_damaged();
        self.damaged = damaged && !self.ended;
        let whole = newline.map_or(0, |n| n + 1);
        let mut broken = None;
        if !self.ended {
            self.carry.extend_from_slice(&buffer[whole..]);
            buffer.truncate(whole);
        } else if let Some(fault) = stopped(&mut self.text, &self.file)? {
            broken = Some((fault, buffer.split_off(whole)));
        }
        let (lines, blank) = count(&buffer);
        let first = self.line;
        self.line += lines;
        self.records += lines;
        self.blank += blank;
        if let Some((fault, raw)) = broken {
            self.broken = Some(fault.reject(&self.file, self.line, &raw));
            // the unreadable rest counts as one record
            self.records += 1;
        }
        if buffer.is_empty() {
            return Ok(match self.broken.take() {
                Some(reject) => Ok(rejects_block(vec![reject], self.bytes())),
                None => Err(buffer),
            });
        }
        let lines = Lines { file: self.file.clone(), first, damaged, options: self.options.clone() };
        Ok(Ok(Block { bytes: self.bytes(), buffer, content: Content::Lines(lines) }))
    }

    /// Passes over a line longer than allowed without holding it.
    fn skip_line(&mut self, mut buffer: Vec<u8>) -> Block {
        let raw = buffer[..buffer.len().min(RAW_BYTES)].to_vec();
        let size = self.options.block_bytes.max(1);
        buffer = Vec::new();
        while !self.ended {
            buffer.clear();
            self.ended = !self.text.fill(&mut buffer, size);
            if let Some(newline) = memchr::memchr(b'\n', &buffer) {
                self.carry.extend_from_slice(&buffer[newline + 1..]);
                break;
            }
        }
        let reject = too_long(self.options.limits.max_record_bytes).reject(&self.file, self.line, &raw);
        self.line += 1;
        self.records += 1;
        rejects_block(vec![reject], self.bytes())
    }

    /// Stored bytes read since the last block.
    fn bytes(&mut self) -> u64 {
        let read = self.text.stream().tally().bytes();
        let since = read - self.given;
        self.given = read;
        since
    }

    fn summary(&mut self) -> Result<FileSummary, Error> {
        summary(&mut self.text, &self.file, "jsonl", self.records, self.blank)
    }
}

fn summary(text: &mut Text, name: &str, format: &'static str, records: u64, blank: u64) -> Result<FileSummary, Error> {
    text.drain().map_err(|error| Error::read(name, error))?;
    let tally = text.stream().tally();
    Ok(FileSummary {
        path: name.to_owned(),
        format,
        encoding: text.encoding().name().to_owned(),
        compression: text.stream().compression(),
        bytes: tally.bytes(),
        sha256: tally.sha256(),
        records,
        blank,
    })
}

/// A delimited file, read and grouped, whose conversations are handed out.
struct GroupFile {
    table: Arc<Table>,
    next: usize,
    /// Stored bytes of the file, of which blocks stand for a share.
    stored: u128,
    text: u128,
    before: u128,
}

impl GroupFile {
    fn read(mut source: Source, options: &Arc<InputOptions>) -> Result<(GroupFile, FileSummary, Option<Block>), Error> {
        let mut data = Vec::with_capacity(source.size_hint());
        while source.text.fill(&mut data, 1 << 20) {}
        let stop = stopped(&mut source.text, &source.name)?;
        let mut rest = Vec::new();
        if stop.is_some() {
            rest = data.split_off(memchr::memrchr(b'\n', &data).map_or(0, |n| n + 1));
        }
        let layout = layout(&source.name, &data, &source.extension, options)?;
        let format = if layout.dialect.delimiter == b'\t' { "tsv" } else { "csv" };
        let damaged = source.text.take_damaged();
        let (table, mut found) = Table::build(source.name.clone(), data, layout, damaged, options.clone());
        if let Some(fault) = stop {
            found.rejects.push(fault.reject(&source.name, found.line, &rest));
            found.records += 1;
        }
        let summary = summary(&mut source.text, &source.name, format, found.records, found.blank)?;
        let share = if table.groups.is_empty() { summary.bytes } else { 0 };
        let rejects = (!found.rejects.is_empty()).then(|| rejects_block(found.rejects, share));
        let text = table.groups.iter().map(|g| u128::from(g.bytes)).sum();
        let stored = u128::from(summary.bytes);
        Ok((GroupFile { table: Arc::new(table), next: 0, stored, text, before: 0 }, summary, rejects))
    }

    fn next(&mut self, size: usize) -> Option<Block> {
        let first = self.next;
        let mut text = 0;
        while self.next < self.table.groups.len() && (text == 0 || text < size as u128) {
            text += u128::from(self.table.groups[self.next].bytes);
            self.next += 1;
        }
        if first == self.next {
            return None;
        }
        let share = |text: u128| (self.stored * text / self.text.max(1)) as u64;
        let bytes = share(self.before + text) - share(self.before);
        self.before += text;
        let groups = Groups { table: self.table.clone(), range: first..self.next };
        Some(Block { bytes, buffer: Vec::new(), content: Content::Groups(groups) })
    }
}
