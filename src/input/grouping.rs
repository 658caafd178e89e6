//! Rows grouped by conversation, in order of first appearance, in memory.
//!
//! The text of the whole file is held, and of each row only where it lies: grouping costs 32 bytes a row. Larger files
//! are grouped on disk ([`super::spilled`]), by the same [`sort_out`].

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use super::cells::Origin;
use super::columns::Column;
use super::delimited::{Group, NONE, RowRef, Table, parse_role, placed, too_few};
use super::layout::Layout;
use super::reject::{BAD_JSON, BAD_QUOTE, Fault, MISSING_ID, Reject, TOO_LONG};
use super::rows::Row;
use super::{InputOptions, values};

/// What grouping found besides conversations.
#[derive(Default)]
pub(crate) struct Found {
    pub rejects: Vec<Reject>,
    pub records: u64,
    pub blank: u64,
    /// The line after the last.
    pub line: u64,
}

impl Found {
    /// What was found before the first row.
    pub(super) fn before(layout: &Layout) -> Found {
        Found { records: layout.blank, blank: layout.blank, line: layout.line, ..Found::default() }
    }
}

/// What a row is to grouping.
pub(super) enum Sorted<'a> {
    Blank,
    /// A message of the conversation with this id.
    Message(Cow<'a, [u8]>),
    Fault(Fault),
}

/// Tells what a row is; `raw` is its text, `line` is where it begins.
pub(super) fn sort_out<'a>(layout: &Layout, row: &Row, raw: &'a [u8], line: u64, options: &InputOptions) -> Sorted<'a> {
    let max = options.limits.max_record_bytes;
    if layout.is_blank(raw) {
        return Sorted::Blank;
    }
    if row.broken && layout.messages.is_some() {
        return Sorted::Fault(Fault::new(BAD_JSON, "JSON 对象没有完结,或这里不是对象;从下一个对象继续读取"));
    }
    if row.broken {
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

impl Table {
    /// Groups the rows of a file's text.
    pub(crate) fn build(
        file: Arc<str>,
        data: Vec<u8>,
        layout: Layout,
        damaged: bool,
        origin: Option<Origin>,
        options: Arc<InputOptions>,
    ) -> (Table, Found) {
        let max = options.limits.max_record_bytes;
        let mut found = Found::before(&layout);
        let (mut rows, mut groups) = (Vec::<RowRef>::new(), Vec::<Group>::new());
        let mut by_id: HashMap<Cow<'_, [u8]>, u32> = HashMap::new();
        let swallowed = |line: &[u8]| is_row(&layout, line, &options);
        let mut at = layout.start;
        while at < data.len() {
            let row = layout.row(&data, at, max, swallowed);
            let line = match &origin {
                Some(origin) => origin.rows.get(found.records as usize).copied().unwrap_or(0),
                None => found.line,
            };
            at = row.next;
            found.line += row.lines;
            found.records += 1;
            let raw = &data[row.start..row.end];
            match sort_out(&layout, &row, raw, line, &options) {
                Sorted::Blank => found.blank += 1,
                Sorted::Fault(fault) => {
                    found.rejects.push(placed(fault.reject(&file, line, raw), origin.as_ref()));
                }
                Sorted::Message(id) => {
                    let index = rows.len() as u32;
                    let bytes = (row.next - row.start) as u64;
                    rows.push(RowRef { start: row.start, end: row.end, line, next: NONE });
                    let group = *by_id.entry(id).or_insert(groups.len() as u32);
                    match groups.get_mut(group as usize) {
                        Some(group) => {
                            rows[group.last as usize].next = index;
                            group.last = index;
                            group.rows += 1;
                            group.bytes += bytes;
                        }
                        None => groups.push(Group { first: index, last: index, rows: 1, bytes }),
                    }
                }
            }
        }
        drop(by_id);
        (Table { file, data, layout, damaged, origin, options, rows, groups }, found)
    }
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
