//! A columnar file: rows that are messages are taken in batch by batch and grouped, those that are conversations handed out.

use std::sync::{Arc, Mutex};

use super::block::{Block, Content};
use super::cells::Rows;
use super::columnar::{self, Batches};
use super::columns::Column;
use super::compression::over_limit;
use super::encoding::Raw;
use super::format::Shape;
use super::group_file::{End, Feed, GroupFile};
use super::grouping::{Found, Gathering};
use super::jsonl::Lines;
use super::reader::{raw_summary, rejects_block};
use super::reject::Fault;
use super::source::{Shared, Source};
use super::{FileSummary, InputOptions};
use crate::error::Error;

pub(super) enum Columns {
    Messages(GroupFile),
    Conversations(Box<ColumnFile>),
}

/// A columnar file: messages to be grouped, or conversations to be handed out batch by batch.
pub(super) fn columns(source: Source, options: &Arc<InputOptions>) -> Result<Columns, Error> {
    let (name, format) = (source.name.clone(), source.format);
    let mut stored = None;
    let (opened, raw) = match format.shape {
        Shape::Parquet => {
            let (file, raw) = source.seekable()?;
            stored = file.as_ref().ok().and_then(|file| Some(file.metadata().ok()?.len()));
            (file.and_then(Batches::parquet), Arc::new(Mutex::new(raw)))
        }
        shape => {
            let raw = Arc::new(Mutex::new(source.text.into_raw()));
            (Batches::ipc(Box::new(Shared(raw.clone())), shape == Shape::ArrowFile, options.limits), raw)
        }
    };
    let mut rows = Rows::new(name.clone());
    let messages = |batches, rows, columns| {
        let feed = MessageColumns { batches, raw: raw.clone(), stored, format: format.id, columns, rows, number: 0 };
        Columns::Messages(GroupFile::new(name.clone(), Rows::layout(), options.clone(), Box::new(feed)))
    };
    let (batches, schema) = match opened {
        Ok(opened) => opened,
        Err(fault) => return Ok(messages(Err(Some(fault)), rows, Vec::new())),
    };
    let shape = columnar::shape(&name, &schema, &options.mapping, options.positions())?;
    let names = schema.fields().iter().map(|f| f.name().clone());
    let fields = match shape {
        columnar::Shape::Messages(columns) => {
            rows.sheet(None, &columns, Vec::new());
            let columns = names.zip(columns.into_iter().chain(std::iter::repeat(None))).collect();
            return Ok(messages(Ok(batches), rows, columns));
        }
        columnar::Shape::Conversations(fields) => fields,
    };
    let known = names.zip(&fields).map(|(f, n)| (f, n.as_deref().and_then(Column::parse)));
    Ok(Columns::Conversations(Box::new(ColumnFile {
        columns: known.collect(),
        batches,
        raw,
        file: name,
        format: format.id,
        fields,
        options: options.clone(),
        records: 0,
        given: 0,
        ended: false,
    })))
}

fn locked(raw: &Mutex<Raw>) -> std::sync::MutexGuard<'_, Raw> {
    raw.lock().unwrap_or_else(|e| e.into_inner())
}

/// A columnar file whose rows are messages.
struct MessageColumns {
    /// Or why there are none.
    batches: Result<Batches, Option<Fault>>,
    raw: Arc<Mutex<Raw>>,
    /// The size of what batches are read from; for a stream that is what was read of it.
    stored: Option<u64>,
    format: &'static str,
    columns: Vec<(String, Option<Column>)>,
    rows: Rows,
    number: u64,
}

impl MessageColumns {
    /// Hands on the next batch; the fault that there is none, or that it is too much.
    fn batch(&mut self, options: &InputOptions) -> Result<bool, Option<Fault>> {
        let batches = self.batches.as_mut().map_err(Option::take)?;
        let Some(batch) = batches.next().map_err(Some)? else { return Ok(false) };
        for row in 0..batch.num_rows() {
            self.number += 1;
            self.rows.push(self.number, |column| columnar::cell(&batch, column as usize, row));
        }
        // few bytes may stand for one long text in every row
        let stored = self.stored.unwrap_or_else(|| locked(&self.raw).stream.tally().bytes());
        over_limit(self.rows.text(), stored, &options.limits).map_or(Ok(true), |fault| Err(Some(fault)))
    }
}

impl Feed for MessageColumns {
    fn take_in(&mut self, gathering: &mut Gathering) -> Result<bool, Error> {
        let options = gathering.options.clone();
        let ended = match self.batch(&options) {
            Ok(more) => (!more).then_some(None),
            Err(fault) => Some(fault),
        };
        self.rows.hand_all_on(gathering)?;
        let Some(fault) = ended else { return Ok(true) };
        if let Some(fault) = fault {
            gathering.ended_by(fault, b"");
        }
        self.rows.close();
        Ok(false)
    }

    fn bytes_read(&self) -> u64 {
        locked(&self.raw).stream.tally().bytes()
    }

    fn end(&mut self, found: &Found) -> Result<End, Error> {
        let mut summary = raw_summary(&mut locked(&self.raw), &self.rows.file, self.format, found.records)?;
        summary.blank = found.blank;
        summary.columns = std::mem::take(&mut self.columns);
        summary.notes = std::mem::take(&mut self.rows.notes);
        Ok(End { summary, damaged: false, origin: Some(std::mem::take(&mut self.rows.origin)) })
    }
}

/// A columnar file whose rows are conversations.
pub(super) struct ColumnFile {
    batches: Batches,
    pub(super) raw: Arc<Mutex<Raw>>,
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
    pub(super) fn next(&mut self, mut buffer: Vec<u8>) -> Result<Block, Vec<u8>> {
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

    pub(super) fn bytes(&mut self) -> u64 {
        let read = locked(&self.raw).stream.tally().bytes();
        let since = read - self.given;
        self.given = read;
        since
    }

    pub(super) fn summary(&mut self) -> Result<FileSummary, Error> {
        let mut raw = locked(&self.raw);
        let mut summary = raw_summary(&mut raw, &self.file, self.format, self.records)?;
        summary.columns = std::mem::take(&mut self.columns);
        Ok(summary)
    }
}
