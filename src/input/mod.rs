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
mod columns;
mod compression;
mod delimited;
mod discover;
mod encoding;
mod json;
mod jsonl;
mod layout;
pub mod phrases;
mod reader;
pub(crate) mod reject;
mod rows;
mod scalar;
mod source;
#[cfg(test)]
mod tests;
mod time;
mod values;

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize};

pub use block::{Block, Item};
pub use columns::{COLUMNS, Column, parse_columns};
pub use encoding::text_of;
pub use reader::Reader;
pub use reject::{REJECT_CODES, Reject};

/// How input is read; the defaults suit an ordinary night.
#[derive(Debug, Clone)]
pub struct InputOptions {
    /// The encoding of files without a byte-order mark, e.g. `gbk`; `None` or `auto` finds it.
    pub encoding: Option<String>,
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
            columns: None,
            timezone: default_timezone(),
            limits: Limits::default(),
            block_bytes: 1 << 20,
        }
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
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            max_record_bytes: 64 << 20,
            max_turns: 1_000_000,
            max_decompressed_bytes: 1 << 40,
            max_compression_ratio: 1000,
        }
    }
}

/// What one input file was, for the record of the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSummary {
    /// The path as found; `-` is standard input.
    pub path: String,
    /// `jsonl`, `csv` (any delimiter but the tab) or `tsv`.
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
