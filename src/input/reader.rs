//! Hands out blocks in input order. Called under a lock by every worker, so it only reads, decompresses, hashes and finds
//! where records end; a delimited file is read and grouped as a whole on its first block.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use super::block::{Block, Content};
use super::cells::{Rows, letters};
use super::columnar::{self, Batches};
use super::columns::{COLUMNS, Column};
use super::compression::Stop;
use super::delimited::{Found as Gathered, Groups, Table};
use super::discover::{Named, discover};
use super::document::{Documents, Found, Walk};
use super::encoding::{self, Raw, Text};
use super::format::{Format, Json, Shape};
use super::jsonl::{Lines, count, too_long};
use super::layout::layout;
use super::reject::{Fault, LIMIT, Reject};
use super::source::{self, Shared, Source};
use super::whole::{self, Texts};
use super::{FileSummary, InputOptions, workbook};
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
        let (file, summary, rejects) = match source.format.shape {
            Shape::Lines => {
                self.current = Some(Current::Lines(Box::new(LineFile::new(source, options.clone()))));
                return Ok(());
            }
            Shape::Json(json) => {
                self.current = Some(Current::Documents(Box::new(DocumentFile::new(source, json, options.clone()))));
                return Ok(());
            }
            Shape::Vtt | Shape::Srt | Shape::ChatLog => {
                let (blocks, summary) = texts(source, options)?;
                self.pending.extend(blocks);
                self.finished(summary);
                return Ok(());
            }
            Shape::Delimited => GroupFile::read(source, options)?,
            Shape::Xlsx | Shape::Xls => workbook(source, options)?,
            Shape::Parquet | Shape::ArrowFile | Shape::ArrowStream => match columns(source, options)? {
                Columns::Messages(read) => *read,
                Columns::Conversations(file) => {
                    self.current = Some(Current::Columns(file));
                    return Ok(());
                }
            },
        };
        self.finished(summary);
        self.pending.extend(rejects);
        self.current = Some(Current::Groups(file));
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
            Some(Current::Documents(file)) => file.walk.text.stream().tally().bytes(),
            Some(Current::Columns(file)) => file.raw.lock().unwrap_or_else(|e| e.into_inner()).stream.tally().bytes(),
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
        let lines = Lines { file: self.file.clone(), first, damaged, rows: false, options: self.options.clone() };
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
        columns: Vec::new(),
        notes: Vec::new(),
    })
}

/// The summary of a file that is no text.
fn raw_summary(raw: &mut Raw, name: &str, format: &'static str, records: u64) -> Result<FileSummary, Error> {
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

/// A file that is its conversations' text: read whole, under the document limit.
fn texts(mut source: Source, options: &Arc<InputOptions>) -> Result<(Vec<Block>, FileSummary), Error> {
    let mut data = Vec::with_capacity(source.size_hint());
    let mut over = false;
    while source.text.fill(&mut data, 1 << 20) {
        if data.len() as u64 > options.limits.max_document_bytes {
            over = true;
            break;
        }
    }
    let mut fault = stopped(&mut source.text, &source.name)?;
    if over {
        fault = Some(Fault::new(LIMIT, "文件超过大小上限,未读取"));
        data = Vec::new();
    }
    let damaged = source.text.take_damaged();
    let shape = source.format.shape;
    // half a call must not be judged as if it were whole
    let parts = if fault.is_some() { Vec::new() } else { whole::parts(shape, &data, &source.stem) };
    let records = parts.len() as u64 + u64::from(fault.is_some());
    let summary = summary(&mut source.text, &source.name, source.format.id, records, 0)?;
    let mut blocks = Vec::new();
    match fault {
        Some(fault) => blocks.push(rejects_block(vec![fault.reject(&source.name, 1, &data)], summary.bytes)),
        None => {
            let texts = Texts { file: source.name.clone(), shape, parts, damaged, options: options.clone() };
            blocks.push(Block { bytes: summary.bytes, buffer: data, content: Content::Texts(texts) });
        }
    }
    Ok((blocks, summary))
}

type Grouped = (GroupFile, FileSummary, Option<Block>);

/// A workbook, gathered and grouped.
fn workbook(source: Source, options: &Arc<InputOptions>) -> Result<Grouped, Error> {
    let (name, format) = (source.name.clone(), source.format);
    let (file, mut raw) = source.seekable()?;
    let mut rows = Rows::new(name.clone());
    let fault = match file {
        Ok(file) => workbook::read(file, format.shape == Shape::Xls, false, &mut rows, options)?,
        Err(fault) => Some(fault),
    };
    let summary = raw_summary(&mut raw, &name, format.id, 0)?;
    Ok(GroupFile::gathered(rows, fault, summary, options))
}

enum Columns {
    Messages(Box<Grouped>),
    Conversations(Box<ColumnFile>),
}

/// A columnar file: messages gathered and grouped, or conversations to be handed out batch by batch.
fn columns(source: Source, options: &Arc<InputOptions>) -> Result<Columns, Error> {
    let (name, format) = (source.name.clone(), source.format);
    let (opened, raw) = match format.shape {
        Shape::Parquet => {
            let (file, raw) = source.seekable()?;
            (file.and_then(Batches::parquet), Arc::new(Mutex::new(raw)))
        }
        shape => {
            let raw = Arc::new(Mutex::new(source.text.into_raw()));
            (Batches::ipc(Box::new(Shared(raw.clone())), shape == Shape::ArrowFile), raw)
        }
    };
    let locked = || raw.lock().unwrap_or_else(|e| e.into_inner());
    let mut rows = Rows::new(name.clone());
    let (mut batches, schema) = match opened {
        Ok(opened) => opened,
        Err(fault) => {
            let summary = raw_summary(&mut locked(), &name, format.id, 0)?;
            return Ok(Columns::Messages(Box::new(GroupFile::gathered(rows, Some(fault), summary, options))));
        }
    };
    let shape = columnar::shape(&name, &schema, &options.mapping, options.positions())?;
    let columns = match shape {
        columnar::Shape::Messages(columns) => columns,
        columnar::Shape::Conversations(fields) => {
            let names = schema.fields().iter().zip(&fields);
            let known = names.map(|(f, n)| (f.name().clone(), n.as_deref().and_then(Column::parse))).collect();
            let file = ColumnFile {
                batches,
                raw: raw.clone(),
                file: name,
                format: format.id,
                fields,
                columns: known,
                options: options.clone(),
                records: 0,
                given: 0,
                ended: false,
            };
            return Ok(Columns::Conversations(Box::new(file)));
        }
    };
    rows.sheet(None, &columns, Vec::new());
    let (mut number, mut fault) = (0, None);
    loop {
        match batches.next() {
            Ok(Some(batch)) => {
                for row in 0..batch.num_rows() {
                    number += 1;
                    rows.push(number, |column| columnar::cell(&batch, column as usize, row));
                }
            }
            Ok(None) => break,
            Err(found) => {
                fault = Some(found);
                break;
            }
        }
        if rows.is_full(options) {
            let max = options.limits.max_document_bytes >> 20;
            fault = Some(Fault::new(LIMIT, format!("消息超过上限 {max} MB,其后的内容未读取;请拆分后重试")));
            break;
        }
    }
    rows.close();
    let mut summary = raw_summary(&mut locked(), &name, format.id, 0)?;
    let names = schema.fields().iter().map(|f| f.name().clone());
    summary.columns = names.zip(columns.into_iter().chain(std::iter::repeat(None))).collect();
    Ok(Columns::Messages(Box::new(GroupFile::gathered(rows, fault, summary, options))))
}

/// A columnar file whose rows are conversations.
struct ColumnFile {
    batches: Batches,
    raw: Arc<Mutex<Raw>>,
    file: Arc<str>,
    format: &'static str,
    fields: Vec<Option<String>>,
    columns: Vec<(String, Option<Column>)>,
    options: Arc<InputOptions>,
    records: u64,
    given: u64,
    ended: bool,
}

impl ColumnFile {
    fn next(&mut self, mut buffer: Vec<u8>) -> Result<Block, Vec<u8>> {
        buffer.clear();
        if self.ended {
            return Err(buffer);
        }
        let first = self.records + 1;
        let batch = match self.batches.next() {
            Ok(Some(batch)) => batch,
            Ok(None) => {
                self.ended = true;
                return Err(buffer);
            }
            Err(fault) => {
                self.ended = true;
                self.records += 1;
                let reject = fault.reject(&self.file, first, b"");
                return Ok(rejects_block(vec![reject], self.bytes()));
            }
        };
        for row in 0..batch.num_rows() {
            let line = columnar::record(&batch, row, &self.fields, &self.options.mapping);
            buffer.extend_from_slice(line.as_bytes());
            buffer.push(b'\n');
        }
        self.records += batch.num_rows() as u64;
        let lines = Lines { file: self.file.clone(), first, damaged: false, rows: true, options: self.options.clone() };
        Ok(Block { bytes: self.bytes(), buffer, content: Content::Lines(lines) })
    }

    fn bytes(&mut self) -> u64 {
        let read = self.raw.lock().unwrap_or_else(|e| e.into_inner()).stream.tally().bytes();
        let since = read - self.given;
        self.given = read;
        since
    }

    fn summary(&mut self) -> Result<FileSummary, Error> {
        let mut raw = self.raw.lock().unwrap_or_else(|e| e.into_inner());
        let mut summary = raw_summary(&mut raw, &self.file, self.format, self.records)?;
        summary.columns = std::mem::take(&mut self.columns);
        Ok(summary)
    }
}

/// A file of JSON documents.
struct DocumentFile {
    walk: Walk,
    file: Arc<str>,
    format: &'static Format,
    json: Json,
    options: Arc<InputOptions>,
    given: u64,
    stopped: bool,
}

impl DocumentFile {
    fn new(source: Source, json: Json, options: Arc<InputOptions>) -> Self {
        let (file, format) = (source.name, source.format);
        let walk = Walk::new(source.text, json, source.stem, &options);
        DocumentFile { walk, file, format, json, options, given: 0, stopped: false }
    }

    fn next(&mut self, mut buffer: Vec<u8>) -> Result<Result<Block, Vec<u8>>, Error> {
        buffer.clear();
        let (mut head, mut records) = self.walk.next(&self.file, &mut buffer, self.options.block_bytes.max(1));
        if records.is_empty() && !self.stopped {
            self.stopped = true;
            if let Some(fault) = stopped(&mut self.walk.text, &self.file)? {
                self.walk.records += 1;
                records.push(Found::Reject(fault.reject(&self.file, self.walk.line(), b"")));
                head = Arc::default();
            }
        }
        if records.is_empty() {
            return Ok(Err(buffer));
        }
        let read = self.walk.text.stream().tally().bytes();
        let bytes = read - self.given;
        self.given = read;
        let content = Content::Documents(Documents {
            file: self.file.clone(),
            json: self.json,
            head,
            records,
            damaged: self.walk.damaged,
            options: self.options.clone(),
        });
        Ok(Ok(Block { bytes, buffer, content }))
    }

    fn summary(&mut self) -> Result<FileSummary, Error> {
        let mut summary = summary(&mut self.walk.text, &self.file, self.format.id, self.walk.records, 0)?;
        let late: Vec<_> = self.walk.late.iter().filter(|k| *k == "business").map(String::as_str).collect();
        if !late.is_empty() {
            summary.notes.push(format!("{} 写在会话列表之后,已读过的会话没有用上它", late.join("、")));
        }
        Ok(summary)
    }
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
    fn read(mut source: Source, options: &Arc<InputOptions>) -> Result<Grouped, Error> {
        let mut data = Vec::with_capacity(source.size_hint());
        while source.text.fill(&mut data, 1 << 20) {}
        let stop = stopped(&mut source.text, &source.name)?;
        let mut rest = Vec::new();
        if stop.is_some() {
            rest = data.split_off(memchr::memrchr(b'\n', &data).map_or(0, |n| n + 1));
        }
        let layout = layout(&source.name, &data, &source.extension, options)?;
        let columns = layout.named(&data);
        let format = if layout.dialect.delimiter == b'\t' { "tsv" } else { "csv" };
        let damaged = source.text.take_damaged();
        let (table, mut found) = Table::build(source.name.clone(), data, layout, damaged, None, options.clone());
        if let Some(fault) = stop {
            found.rejects.push(fault.reject(&source.name, found.line, &rest));
            found.records += 1;
        }
        let mut summary = summary(&mut source.text, &source.name, format, found.records, found.blank)?;
        summary.columns = columns;
        Ok(GroupFile::of(table, found, summary))
    }

    /// Rows gathered from a file that is no text, grouped.
    fn gathered(rows: Rows, fault: Option<Fault>, mut summary: FileSummary, options: &Arc<InputOptions>) -> Grouped {
        let Rows { file, data, origin, rejects, notes, .. } = rows;
        for sheet in &origin.sheets {
            for (at, header) in sheet.headers.iter().enumerate() {
                if !header.is_empty() && !sheet.columns.contains(&Some(at as u32)) {
                    let name = sheet.name.as_deref().unwrap_or_default();
                    summary.columns.push((format!("{name}!{} {header}", letters(at as u32)), None));
                }
            }
            for (column, at) in COLUMNS.iter().zip(sheet.columns) {
                if let (Some(at), Some(name)) = (at, &sheet.name) {
                    let header = sheet.headers.get(at as usize).filter(|h| !h.is_empty());
                    let header = header.map_or_else(String::new, |h| format!(" {h}"));
                    summary.columns.push((format!("{name}!{}{header}", letters(at)), Some(column.0)));
                }
            }
        }
        summary.notes.extend(notes);
        let (table, mut found) = Table::build(file.clone(), data, Rows::layout(), false, Some(origin), options.clone());
        found.records += rejects.len() as u64;
        found.rejects.extend(rejects);
        if let Some(fault) = fault {
            found.records += 1;
            found.rejects.push(fault.reject(&file, found.line, b""));
        }
        (summary.records, summary.blank) = (found.records, found.blank);
        GroupFile::of(table, found, summary)
    }

    fn of(table: Table, found: Gathered, summary: FileSummary) -> Grouped {
        let share = if table.groups.is_empty() { summary.bytes } else { 0 };
        let rejects = (!found.rejects.is_empty()).then(|| rejects_block(found.rejects, share));
        let text = table.groups.iter().map(|g| u128::from(g.bytes)).sum();
        let stored = u128::from(summary.bytes);
        (GroupFile { table: Arc::new(table), next: 0, stored, text, before: 0 }, summary, rejects)
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
