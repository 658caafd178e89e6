//! A file of JSON documents, handed out record by record as the walk over it finds them.

use std::sync::Arc;

use super::block::{Block, Content};
use super::document::{Documents, Found};
use super::format::{Format, Json};
use super::reader::{stopped, summary};
use super::source::Source;
use super::walk::Walk;
use super::{FileSummary, InputOptions};
use crate::error::Error;

/// A file of JSON documents.
pub(super) struct DocumentFile {
    pub(super) walk: Walk,
    file: Arc<str>,
    format: &'static Format,
    json: Json,
    options: Arc<InputOptions>,
    given: u64,
    stopped: bool,
}

impl DocumentFile {
    pub(super) fn new(source: Source, json: Json, options: Arc<InputOptions>) -> Self {
        let (file, format) = (source.name, source.format);
        let walk = Walk::new(source.text, json, source.stem, &options);
        DocumentFile { walk, file, format, json, options, given: 0, stopped: false }
    }

    pub(super) fn next(&mut self, mut buffer: Vec<u8>) -> Result<Result<Block, Vec<u8>>, Error> {
        buffer.clear();
        let (mut head, mut records) = self.walk.next(&self.file, &mut buffer, self.options.block_bytes.max(1));
        if records.is_empty() && !self.stopped {
            self.stopped = true;
            if let Some(fault) = stopped(&mut self.walk.cursor.text, &self.file)? {
                self.walk.records += 1;
                records.push(Found::Reject(fault.reject(&self.file, self.walk.line(), b"")));
                head = Arc::default();
            }
        }
        if records.is_empty() {
            return Ok(Err(buffer));
        }
        let read = self.walk.cursor.text.stream().tally().bytes();
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

    pub(super) fn summary(&mut self) -> Result<FileSummary, Error> {
        let mut summary = summary(&mut self.walk.cursor.text, &self.file, self.format.id, self.walk.records, 0)?;
        let late: Vec<_> = self.walk.late.iter().filter(|k| *k == "business").map(String::as_str).collect();
        if !late.is_empty() {
            summary.notes.push(format!("{} 写在会话列表之后,已读过的会话没有用上它", late.join("、")));
        }
        Ok(summary)
    }
}
