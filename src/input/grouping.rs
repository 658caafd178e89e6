//! Rows grouped by conversation, in order of first appearance: in memory while they fit, beyond that on disk.
//!
//! Rows come in one by one, each sorted out ([`sort_out`]) and handed to a [`Sorter`]. On disk they are sorted twice: by conversation
//! and row, which tells each conversation's first row; then by that first row and the row, which is the order conversations are
//! handed out in. A single pass over partitions by conversation would need the same second ordering, and a partition
//! may be any size; two sorts are bounded whatever the file holds. In memory the first row is looked up instead.
//!
//! Memory: [`Limits::grouped_in_memory_bytes`](super::Limits), for the text of rows and 56 bytes each; half of it for each of the two sorts
//! once one is read into the other.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::cells::Origin;
use super::columns::Column;
use super::delimited::{parse_role, placed, too_few};
use super::layout::Layout;
use super::reject::{BAD_JSON, BAD_QUOTE, Fault, MISSING_ID, Reject, TOO_LONG};
use super::sorter::{Merge, Sorter};
use super::{InputOptions, values};
use crate::error::Error;

/// What grouping found besides conversations.
pub(super) struct Found {
    pub rejects: Vec<Reject>,
    pub records: u64,
    pub blank: u64,
    /// The line after the last.
    pub line: u64,
}

/// What a row is to grouping.
pub(super) enum Sorted<'a> {
    Blank,
    /// A message of the conversation with this id.
    Message(Cow<'a, [u8]>),
    Fault(Fault),
}

/// Tells what a row is: `raw` is its text, `line` is where it begins, `broken` that a quote or object in it is not closed.
pub(super) fn sort_out<'a>(
    layout: &Layout,
    raw: &'a [u8],
    broken: bool,
    line: u64,
    options: &InputOptions,
) -> Sorted<'a> {
    let max = options.limits.max_record_bytes;
    if layout.is_blank(raw) {
        return Sorted::Blank;
    }
    if broken && layout.messages.is_some() {
        return Sorted::Fault(Fault::new(BAD_JSON, "JSON 对象没有完结,或这里不是对象;从下一个对象继续读取"));
    }
    if broken {
        let reason = format!("第 {line} 行的引号没有正确闭合,该行已跳过,从下一行继续读取");
        return Sorted::Fault(Fault::new(BAD_QUOTE, reason));
    }
    if raw.len() > max {
        return Sorted::Fault(Fault::new(TOO_LONG, format!("记录超过上限 {max} 字节,已跳过")));
    }
    if let Some(messages) = &layout.messages {
        return match messages.values(raw, &options.mapping) {
            Err(fault) => Sorted::Fault(fault),
            Ok(mut values) => match values[Column::ConversationId as usize].take() {
                Some(id) if !values::is_missing(&id) => Sorted::Message(trimmed(bytes(id))),
                _ => Sorted::Fault(Fault::new(MISSING_ID, "没有会话编号 (conversation_id),或其值为空")),
            },
        };
    }
    let index = layout.index(Column::ConversationId).unwrap_or(0);
    match layout.dialect.fields(raw).nth(index).map(trimmed) {
        None => Sorted::Fault(too_few(layout, raw)),
        Some(id) if std::str::from_utf8(&id).is_ok_and(values::is_missing) => {
            let fault = Fault::new(MISSING_ID, "没有会话编号 (conversation_id),或其值为空");
            Sorted::Fault(fault.at(index as u64 + 1))
        }
        Some(id) => Sorted::Message(id),
    }
}

/// Rows being taken in.
pub(super) struct Gathering {
    pub file: Arc<str>,
    pub layout: Layout,
    pub options: Arc<InputOptions>,
    pub found: Found,
    sorter: Sorter,
    /// The id of the last message and its hash: the next is mostly of the same conversation.
    last: (Vec<u8>, u128),
    /// Text of messages.
    text: u128,
}

impl Gathering {
    pub(super) fn new(file: Arc<str>, layout: Layout, options: Arc<InputOptions>) -> Gathering {
        let found = Found { records: layout.blank, blank: layout.blank, line: layout.line, rejects: Vec::new() };
        let sorter = Sorter::new(options.limits.grouped_in_memory_bytes);
        let last = (Vec::new(), hash(b""));
        Gathering { file, layout, options, found, sorter, last, text: 0 }
    }

    /// Takes in a row that spans `lines`; `line` is where it begins, or the code of its origin.
    pub(super) fn row(
        &mut self,
        line: u64,
        lines: u64,
        sorted: Sorted<'_>,
        raw: &[u8],
        origin: Option<&Origin>,
    ) -> Result<(), Error> {
        self.found.line += lines;
        self.found.records += 1;
        match sorted {
            Sorted::Blank => self.found.blank += 1,
            Sorted::Fault(fault) => self.found.rejects.push(placed(fault.reject(&self.file, line, raw), origin)),
            Sorted::Message(id) => {
                if self.last.0 != *id {
                    self.last = (id.into_owned(), 0);
                    self.last.1 = hash(&self.last.0);
                }
                self.text += raw.len() as u128 + 1;
                // all that are no messages are counted too: no two have the same number
                let key = (self.last.1, self.found.records);
                self.sorter.push(key, &line.to_le_bytes(), raw).map_err(Error::temporary)?;
            }
        }
        Ok(())
    }

    /// Notes why there are no more rows than those taken in; `rest` is what was cut.
    pub(super) fn ended_by(&mut self, fault: Fault, rest: &[u8]) {
        self.found.rejects.push(fault.reject(&self.file, self.found.line, rest));
        self.found.records += 1;
    }

    /// The rows by the first of their conversation, and how much text they are.
    pub(super) fn by_first_row(&mut self) -> Result<(Merge, u128), Error> {
        let memory = self.options.limits.grouped_in_memory_bytes / 2;
        let sorter = std::mem::replace(&mut self.sorter, Sorter::new(0));
        Ok((by_first_row(sorter, memory).map_err(Error::temporary)?, self.text))
    }
}

/// Conversations are told apart by 128 bits of the SHA-256 of their id.
fn hash(id: &[u8]) -> u128 {
    Sha256::digest(id).iter().take(16).fold(0, |n, b| n << 8 | u128::from(*b))
}

/// Rows by conversation to rows by their conversation's first.
fn by_first_row(mut sorter: Sorter, memory: usize) -> io::Result<Merge> {
    let mut known = HashMap::new();
    if sorter.rekey(|(hash, row)| (u128::from(*known.entry(hash).or_insert(row)), row)) {
        return sorter.finish(memory);
    }
    let mut merge = sorter.finish(memory)?;
    let mut second = Sorter::new(memory);
    let (mut body, mut last) = (Vec::new(), None);
    while let Some((hash, row)) = merge.next(&mut body)? {
        let first = match last {
            Some((known, first)) if known == hash => first,
            _ => row,
        };
        last = Some((hash, first));
        second.push((u128::from(first), row), &body, b"")?;
    }
    drop(merge);
    second.finish(memory)
}

fn bytes(text: Cow<'_, str>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

fn trimmed(field: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    match field {
        Cow::Borrowed(bytes) => Cow::Borrowed(bytes.trim_ascii()),
        Cow::Owned(bytes) => Cow::Owned(bytes.trim_ascii().to_vec()),
    }
}

/// True for a line that is a row of the file by itself: as many fields, and a role where the role belongs.
pub(super) fn is_row(layout: &Layout, line: &[u8], options: &InputOptions) -> bool {
    let line = line.trim_ascii_end();
    let fields = layout.dialect.fields(line);
    let role = layout.index(Column::Role).and_then(|i| layout.dialect.fields(line).nth(i));
    fields.count() == layout.width
        && role.is_some_and(|r| std::str::from_utf8(&r).is_ok_and(|r| parse_role(r, options).is_some()))
}
