//! Hands out blocks in input order. Called under a lock by every worker, so it only reads, decompresses, hashes and finds
//! where records end; a file whose rows are messages is read and grouped as a whole before its first conversation.

use std::collections::VecDeque;
use std::sync::Arc;

use super::block::{Block, Content};
use super::column_file::{ColumnFile, Columns, columns};
use super::compression::Stop;
use super::delimited_file::delimited;
use super::discover::{Named, discover};
use super::document_file::DocumentFile;
use super::encoding::{self, Raw, Text};
use super::envelope::shown;
use super::format::Shape;
use super::group_file::GroupFile;
use super::line_file::LineFile;
use super::reject::{Fault, Reject};
use super::source::{self, Source};
use super::whole::texts;
use super::workbook_file::workbook;
use super::{FileSummary, InputOptions};
use crate::error::Error;

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
    Groups(Box<GroupFile>),
    Documents(Box<DocumentFile>),
    Columns(Box<ColumnFile>),
}

impl Reader {
    /// Finds the inputs: files, directories (read recursively, known extensions only), globs, `-` for standard input.
    /// Every file is opened once and the columns of delimited files are checked, so that what cannot work is said
    /// before an hour has gone by.
    pub fn open(inputs: &[String], options: InputOptions) -> Result<Reader, Error> {
        let encoding = options
            .encoding
            .as_deref()
            .or(options.mapping.encoding.as_deref())
            .map(encoding::by_label)
            .transpose()?
            .flatten();
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
                if !matches!(block.content, Content::Texts(_)) {
                    buffer.clear();
                    block.buffer = buffer;
                }
                return Ok(Some(block));
            }
            match &mut self.current {
                None => {
                    let Some(input) = self.inputs.pop_front() else { return Ok(None) };
                    let source = Source::open(&input, self.encoding, &self.options)?;
                    self.start(source)?;
                }
                Some(Current::Documents(file)) => {
                    match file.next(buffer)? {
                        Ok(block) => return Ok(Some(block)),
                        Err(unused) => buffer = unused,
                    }
                    let summary = file.summary()?;
                    self.finished(summary);
                }
                Some(Current::Columns(file)) => {
                    match file.next(buffer) {
                        Ok(block) => return Ok(Some(block)),
                        Err(unused) => buffer = unused,
                    }
                    let summary = file.summary()?;
                    self.finished(summary);
                }
                Some(Current::Groups(file)) => match file.next()? {
                    Ok(block) => self.pending.push_back(block),
                    Err(summary) => self.finished(summary),
                },
                Some(Current::Lines(file)) => {
                    match file.next(buffer)? {
                        Ok(block) => return Ok(Some(block)),
                        Err(unused) => buffer = unused,
                    }
                    let summary = file.summary()?;
                    self.finished(summary);
                }
            }
        }
    }

    fn finished(&mut self, summary: FileSummary) {
        self.done += summary.bytes;
        self.files.push(summary);
        self.current = None;
    }

    /// Begins a file, the way its format asks for.
    fn start(&mut self, source: Source) -> Result<(), Error> {
        let options = &self.options;
        let current = match source.format.shape {
            Shape::Lines => Current::Lines(Box::new(LineFile::new(source, options.clone()))),
            Shape::Json(json) => Current::Documents(Box::new(DocumentFile::new(source, json, options.clone()))),
            Shape::Vtt | Shape::Srt | Shape::ChatLog => {
                let (blocks, summary) = texts(source, options)?;
                self.pending.extend(blocks);
                self.finished(summary);
                return Ok(());
            }
            Shape::Delimited | Shape::Messages => Current::Groups(Box::new(delimited(source, options)?)),
            Shape::Xlsx | Shape::Xls => Current::Groups(Box::new(workbook(source, options)?)),
            Shape::Parquet | Shape::ArrowFile | Shape::ArrowStream => match columns(source, options)? {
                Columns::Messages(file) => Current::Groups(Box::new(file)),
                Columns::Conversations(file) => Current::Columns(file),
            },
        };
        self.current = Some(current);
        Ok(())
    }

    /// The stored size of all inputs; `None` with standard input or a pipe among them.
    pub fn total_bytes(&self) -> Option<u64> {
        self.total
    }

    /// Stored bytes read so far.
    pub fn bytes_read(&self) -> u64 {
        let current = match &self.current {
            Some(Current::Lines(file)) => file.text.stream().tally().bytes(),
            Some(Current::Groups(file)) => file.bytes_read(),
            Some(Current::Documents(file)) => file.walk.cursor.text.stream().tally().bytes(),
            Some(Current::Columns(file)) => file.raw.lock().unwrap_or_else(|e| e.into_inner()).stream.tally().bytes(),
            None => 0,
        };
        self.done + current
    }

    /// The files read, in input order; complete once [`Reader::next_block`] has returned `None`.
    pub fn files(&self) -> &[FileSummary] {
        &self.files
    }
}

pub(super) fn rejects_block(rejects: Vec<Reject>, bytes: u64) -> Block {
    Block { bytes, buffer: Vec::new(), content: Content::Rejects(rejects) }
}

/// Why a text ended early: a failing disk ends the run, broken data is a fault.
pub(super) fn stopped(text: &mut Text, name: &str) -> Result<Option<Fault>, Error> {
    match text.take_stop() {
        Some(Stop::Io(error)) => Err(Error::read(name, error)),
        Some(Stop::Data(fault)) => Ok(Some(fault)),
        None => Ok(None),
    }
}

pub(super) fn summary(
    text: &mut Text,
    name: &str,
    format: &'static str,
    records: u64,
    blank: u64,
) -> Result<FileSummary, Error> {
    text.drain().map_err(|error| Error::read(name, error))?;
    let tally = text.stream().tally();
    let notes = text.envelope().map(|envelope| {
        let passed = envelope.passed().iter().map(String::as_str).collect::<Vec<_>>().join("、");
        let passed = if passed.is_empty() { passed } else { format!(",没有读其他列表 {passed}") };
        format!("读的是对象里的列表 {}{passed}", shown(envelope.way()))
    });
    Ok(FileSummary {
        path: name.to_owned(),
        format,
        encoding: text.encoding().name().to_owned(),
        compression: text.stream().compression(),
        bytes: tally.bytes(),
        sha256: tally.sha256(),
        records,
        blank,
        columns: Vec::new(),
        notes: notes.into_iter().collect(),
    })
}

/// The summary of a file that is no text.
pub(super) fn raw_summary(raw: &mut Raw, name: &str, format: &'static str, records: u64) -> Result<FileSummary, Error> {
    raw.stream.drain().map_err(|error| Error::read(name, error))?;
    let tally = raw.stream.tally();
    Ok(FileSummary {
        path: name.to_owned(),
        format,
        encoding: "binary".to_owned(),
        compression: raw.stream.compression(),
        bytes: tally.bytes(),
        sha256: tally.sha256(),
        records,
        blank: 0,
        columns: Vec::new(),
        notes: Vec::new(),
    })
}
