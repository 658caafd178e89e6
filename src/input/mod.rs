//! Bytes to [`Conversation`](crate::conversation::Conversation)s: files, directories, globs and standard input; native
//! JSONL and message-per-row exports; any usual Chinese encoding; gzip and zstd.
//!
//! The work is split so that threads share it: [`Reader::next_block`] runs under a lock and only reads, decompresses,
//! hashes and finds record boundaries; [`Block::visit`] is pure and does the parsing, so workers run it in parallel.
//! Nothing disappears: every record of a file is a conversation, part of one, a [`Reject`], or a counted blank line,
//! and for every file `Σ records + Σ rows of rejects + blank == FileSummary::records`.
//!
//! ```
//! use zhijian::input::{InputOptions, Item, Reader};
//! # let dir = tempfile::tempdir().unwrap();
//! # let path = dir.path().join("night.jsonl");
//! # let line = r#"{"conversation_id":"c1","turns":[{"role":"客服","text":"您好"}]}"#;
//! # std::fs::write(&path, format!("{line}\n\nnot json\n")).unwrap();
//! let mut reader = Reader::open(&[path.display().to_string()], InputOptions::default()).unwrap();
//! let (mut conversations, mut rejects) = (0, 0);
//! while let Some(block) = reader.next_block(Vec::new()).unwrap() {
//!     block.visit(&mut |item| match item {
//!         Item::Conversation { records, .. } => conversations += records,
//!         Item::Reject(reject) => rejects += reject.rows,
//!     });
//! }
//! let file = &reader.files()[0];
//! assert_eq!((conversations, rejects, file.blank), (1, 1, 1));
//! assert_eq!(file.records, conversations + rejects + file.blank);
//! ```

mod block;
mod cells;
mod chat_log;
mod column_file;
mod columnar;
mod columns;
mod compression;
mod cursor;
mod delimited;
mod delimited_file;
mod discover;
mod document;
mod document_file;
mod draft;
mod encoding;
mod envelope;
mod format;
mod group_file;
mod grouping;
mod guess;
mod ipc_gate;
mod json;
mod jsonl;
mod layout;
mod line_file;
pub mod mapping;
mod messages;
mod native;
mod old_workbook;
pub mod phrases;
mod reader;
mod recognise;
pub(crate) mod reject;
mod rows;
mod scalar;
mod scanner;
mod signature;
mod sorter;
mod source;
mod subtitle;
#[cfg(test)]
mod tests;
mod time;
mod understanding;
mod values;
mod vendor;
mod walk;
mod whole;
mod workbook;
mod workbook_file;
mod zipped_workbook;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};

pub use block::{Block, Item};
pub use columns::{COLUMNS, Column, parse_columns};
pub use encoding::text_of;
pub use format::{FORMATS, Format};
pub use guess::guess;
pub use mapping::Mapping;
pub use native::write_native;
pub use reader::Reader;
pub use reject::{REJECT_CODES, Reject};
pub use understanding::{PreviewTurn, Understanding};

/// How input is read; the defaults suit an ordinary night.
#[derive(Debug, Clone)]
pub struct InputOptions {
    /// The encoding of files without a byte-order mark, e.g. `gbk`; `None` or `auto` finds it.
    pub encoding: Option<String>,
    /// The format of every input; `None` finds it.
    pub format: Option<&'static Format>,
    /// What a user says about the export.
    pub mapping: Arc<Mapping>,
    /// The columns of delimited files that have no header (see [`parse_columns`]).
    pub columns: Option<Vec<Option<Column>>>,
    /// The zone of times that name none.
    pub timezone: jiff::tz::TimeZone,
    /// Bounds on what one input may ask for.
    pub limits: Limits,
    /// The size of a [`Block`], about.
    pub block_bytes: usize,
}

impl Default for InputOptions {
    fn default() -> Self {
        InputOptions {
            encoding: None,
            format: None,
            mapping: Arc::default(),
            columns: None,
            timezone: default_timezone(),
            limits: Limits::default(),
            block_bytes: 1 << 20,
        }
    }
}

impl InputOptions {
    /// The columns of files without header, by whichever way they were named.
    pub(crate) fn positions(&self) -> Option<&[Option<Column>]> {
        self.columns.as_deref().or(self.mapping.positions.as_deref())
    }
}

/// Asia/Shanghai; a fixed +08:00 on a machine without time zone data.
fn default_timezone() -> jiff::tz::TimeZone {
    jiff::tz::TimeZone::get("Asia/Shanghai").unwrap_or_else(|_| jiff::tz::TimeZone::fixed(jiff::tz::offset(8)))
}

/// Bounds that keep a broken or hostile input from exhausting the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest record: a JSONL line, or a row of a delimited file.
    pub max_record_bytes: usize,
    /// The most turns in one conversation.
    pub max_turns: usize,
    /// The most bytes one file may decompress to.
    pub max_decompressed_bytes: u64,
    /// The highest ratio of decompressed to stored bytes; looked at from 1 GiB on.
    pub max_compression_ratio: u64,
    /// The most bytes a workbook, a chat log or a batch of an Arrow stream may unpack to: these are held whole.
    pub max_document_bytes: u64,
    /// The most bytes of a file's messages, the text of their rows and 56 bytes each, that are grouped in memory; what is
    /// more is grouped on disk, in as much memory.
    pub grouped_in_memory_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            max_record_bytes: 64 << 20,
            max_turns: 1_000_000,
            max_decompressed_bytes: 1 << 40,
            max_compression_ratio: 1000,
            max_document_bytes: 4 << 30,
            grouped_in_memory_bytes: 64 << 20,
        }
    }
}

/// What one input file was, for the record of the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSummary {
    /// The path as found; `-` is standard input.
    pub path: String,
    /// The id of one of [`FORMATS`].
    #[serde(deserialize_with = "name")]
    pub format: Name,
    /// The encoding read, by its WHATWG name (`UTF-8`, `gb18030`, `Big5`, `UTF-16LE`).
    pub encoding: String,
    /// `none`, `gzip` or `zstd`.
    #[serde(deserialize_with = "name")]
    pub compression: Name,
    /// Bytes as stored.
    pub bytes: u64,
    /// SHA-256 of the stored bytes, in hexadecimal.
    pub sha256: String,
    /// Lines or rows, header not counted, blank ones counted.
    pub records: u64,
    /// Blank lines or rows among them.
    pub blank: u64,
    /// What each column or key was taken for: its name in the file, the field, or none when it is not used.
    #[serde(skip)]
    pub columns: Vec<(String, Option<Column>)>,
    /// What looked odd: sheets passed over, numbers that lost digits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// The name of a format or compression.
pub type Name = &'static str;

/// A format's or compression's name read back. There are a handful, so each is kept once for as long as the program runs.
fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Name, D::Error> {
    static NAMES: std::sync::Mutex<BTreeSet<Name>> = std::sync::Mutex::new(BTreeSet::new());
    let read = String::deserialize(deserializer)?;
    let mut names = NAMES.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some(known) = names.get(read.as_str()) {
        return Ok(known);
    }
    let kept: Name = Box::leak(read.into_boxed_str());
    names.insert(kept);
    Ok(kept)
}
