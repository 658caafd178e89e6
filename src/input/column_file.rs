//! A columnar file: messages are gathered and grouped as a table, conversations handed out batch by batch.

use std::sync::{Arc, Mutex};

use super::block::{Block, Content};
use super::cells::Rows;
use super::columnar::{self, Batches};
use super::columns::Column;
use super::encoding::Raw;
use super::format::Shape;
use super::group_file::{GroupFile, Grouped};
use super::jsonl::Lines;
use super::reader::{raw_summary, rejects_block};
use super::reject::{Fault, LIMIT};
use super::source::{Shared, Source};
use super::{FileSummary, InputOptions};
use crate::error::Error;

pub(super) enum Columns {
    Messages(Box<Grouped>),
    Conversations(Box<ColumnFile>),
}

/// A columnar file: messages gathered and grouped, or conversations to be handed out batch by batch.
pub(super) fn columns(source: Source, options: &Arc<InputOptions>) -> Result<Columns, Error> {
    let (name, format) = (source.name.clone(), source.format);
    let (opened, raw) = match format.shape {
        Shape::Parquet => {
            let (file, raw) = source.seekable()?;
            (file.and_then(Batches::parquet), Arc::new(Mutex::new(raw)))
        }
        shape => {
            let raw = Arc::new(Mutex::new(source.text.into_raw()));
            (Batches::ipc(Box::new(Shared(raw.clone())), shape == Shape::ArrowFile, options.limits), raw)
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
        let read = self.raw.lock().unwrap_or_else(|e| e.into_inner()).stream.tally().bytes();
        let since = read - self.given;
        self.given = read;
        since
    }

    pub(super) fn summary(&mut self) -> Result<FileSummary, Error> {
        let mut raw = self.raw.lock().unwrap_or_else(|e| e.into_inner());
        let mut summary = raw_summary(&mut raw, &self.file, self.format, self.records)?;
        summary.columns = std::mem::take(&mut self.columns);
        Ok(summary)
    }
}
