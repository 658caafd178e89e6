//! A file of native JSONL: cut at line ends into blocks, without looking inside.

use std::sync::Arc;

use super::block::{Block, Content};
use super::encoding::Text;
use super::jsonl::{Lines, count, too_long};
use super::reader::{rejects_block, stopped, summary};
use super::reject::Reject;
use super::source::Source;
use super::{FileSummary, InputOptions};
use crate::error::Error;

/// As much of an overlong line as a reject can show.
const RAW_BYTES: usize = 8_192;

/// A JSONL file being read.
pub(super) struct LineFile {
    pub(super) text: Text,
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
    pub(super) fn new(source: Source, options: Arc<InputOptions>) -> Self {
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
    pub(super) fn next(&mut self, mut buffer: Vec<u8>) -> Result<Result<Block, Vec<u8>>, Error> {
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
    pub(super) fn skip_line(&mut self, mut buffer: Vec<u8>) -> Block {
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
    pub(super) fn bytes(&mut self) -> u64 {
        let read = self.text.stream().tally().bytes();
        let since = read - self.given;
        self.given = read;
        since
    }

    pub(super) fn summary(&mut self) -> Result<FileSummary, Error> {
        summary(&mut self.text, &self.file, "jsonl", self.records, self.blank)
    }
}
