//! Records that cannot be read. A reject costs one record, is written down with its place and raw text, and never stops
//! the run; the codes are listed here so that reports and documentation can explain each.

use std::sync::Arc;

use serde::{Serialize, Serializer};

/// How many characters of a rejected record are kept.
const RAW_CHARS: usize = 2_000;

/// A record that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reject {
    /// The file; `-` is standard input.
    #[serde(serialize_with = "as_str")]
    pub file: Arc<str>,
    /// The line the record begins on, 1-based.
    pub line: u64,
    /// Where in the line, 1-based: the character for JSONL, the field for delimited files.
    pub column: Option<u64>,
    /// Where in a document or workbook: a JSON pointer (`/tickets/3/dialogue/0`), a cell (`Sheet1!C5`), a row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Why, for machines: one of [`REJECT_CODES`].
    pub code: &'static str,
    /// Why, for people.
    pub reason: String,
    /// The record as read, cut at 2,000 characters.
    pub raw: String,
    /// How many records it stands for.
    pub rows: u64,
}

fn as_str<S: Serializer>(value: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(value)
}

/// Every code a [`Reject`] can carry, with what it means.
pub const REJECT_CODES: &[(&str, &str)] = &[
    (BAD_JSON, "该行不是合法的 JSON"),
    (ENCODING, "该记录含有无法按文件编码解读的字节"),
    (MISSING_ID, "没有会话编号 (conversation_id)"),
    (BAD_TURNS, "turns 缺失、不是列表或为空"),
    (BAD_ROLE, "发送方角色缺失或未知"),
    (BAD_TEXT, "消息内容缺失或不是字符串"),
    (BAD_VALUE, "某个字段的值无法识别(时间、评分、置信度等)"),
    (TOO_LONG, "记录超过长度上限"),
    (TOO_MANY_TURNS, "会话的消息条数超过上限"),
    (TRUNCATED, "压缩文件不完整,其后的内容无法读取"),
    (CORRUPT, "压缩数据损坏,其后的内容无法读取"),
    (LIMIT, "解压后的大小或压缩比超过上限,其后的内容未读取"),
    (BAD_COLUMNS, "列数与表头不符"),
    (BAD_QUOTE, "引号没有闭合"),
    (UNKNOWN_SPEAKER, "分不清说话人谁是客服、谁是客户,需要指明"),
    (LOST_DIGITS, "编号存成了数字,末几位已经丢失"),
    (INTERNAL, "检查这通会话时程序内部出错,已跳过"),
];

pub(crate) const BAD_JSON: &str = "bad-json";
pub(crate) const ENCODING: &str = "encoding";
pub(crate) const MISSING_ID: &str = "missing-id";
pub(crate) const BAD_TURNS: &str = "bad-turns";
pub(crate) const BAD_ROLE: &str = "bad-role";
pub(crate) const BAD_TEXT: &str = "bad-text";
pub(crate) const BAD_VALUE: &str = "bad-value";
pub(crate) const TOO_LONG: &str = "too-long";
pub(crate) const TOO_MANY_TURNS: &str = "too-many-turns";
pub(crate) const TRUNCATED: &str = "truncated";
pub(crate) const CORRUPT: &str = "corrupt";
pub(crate) const LIMIT: &str = "limit";
pub(crate) const BAD_COLUMNS: &str = "bad-columns";
pub(crate) const BAD_QUOTE: &str = "bad-quote";
pub(crate) const UNKNOWN_SPEAKER: &str = "unknown-speaker";
pub(crate) const LOST_DIGITS: &str = "lost-digits";
pub(crate) const INTERNAL: &str = "internal";

/// Why a record is rejected, before its place is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub code: &'static str,
    pub reason: String,
    pub column: Option<u64>,
    /// The way to the fault inside a JSON record.
    pub place: Option<String>,
}

impl Fault {
    pub(crate) fn new(code: &'static str, reason: impl Into<String>) -> Self {
        Fault { code, reason: reason.into(), column: None, place: None }
    }

    /// The fault with the column it lies in.
    pub(crate) fn at(mut self, column: u64) -> Self {
        self.column = Some(column);
        self
    }

    /// The fault under a field or list of its record.
    pub(crate) fn under(mut self, outer: &str) -> Self {
        self.place = Some(format!("{outer}{}", self.place.unwrap_or_default()));
        self
    }

    /// The reject of one record.
    pub(crate) fn reject(self, file: &Arc<str>, line: u64, raw: &[u8]) -> Reject {
        Reject {
            file: file.clone(),
            line,
            column: self.column,
            place: self.place,
            code: self.code,
            reason: self.reason,
            raw: cut(raw),
            rows: 1,
        }
    }
}

/// The beginning of a raw record as text; undecodable bytes become `\u{FFFD}`.
pub(crate) fn cut(raw: &[u8]) -> String {
    // four bytes a character at most, so this much always holds the characters wanted
    let head = &raw[..raw.len().min(RAW_CHARS * 4)];
    let text = String::from_utf8_lossy(head);
    let text = text.trim_end_matches(['\r', '\n']);
    match text.char_indices().nth(RAW_CHARS) {
        Some((end, _)) => text[..end].to_owned(),
        None if head.len() < raw.len() => text.trim_end_matches('\u{FFFD}').to_owned(),
        None => text.to_owned(),
    }
}

/// A value as shown in a reason: short, on one line.
pub(crate) fn shown(value: &str) -> String {
    let mut out = String::with_capacity(value.len().min(80) + 6);
    out.push('“');
    let mut chars = value.chars();
    out.extend(chars.by_ref().take(40).map(|c| if c.is_control() { ' ' } else { c }));
    if chars.next().is_some() {
        out.push('…');
    }
    out.push('”');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_is_cut_at_2000_characters() {
        assert_eq!(cut("好".repeat(5_000).as_bytes()).chars().count(), 2_000);
        assert_eq!(cut("a".repeat(9_000).as_bytes()).len(), 2_000);
        assert_eq!(cut(b"ab\r\n"), "ab");
        assert_eq!(cut(&[b'a', 0xff]), "a\u{FFFD}");
    }

    #[test]
    fn codes_are_unique_and_serialised() {
        let mut codes: Vec<_> = REJECT_CODES.iter().map(|c| c.0).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), REJECT_CODES.len());
        let reject = Fault::new(BAD_JSON, "坏").at(3).reject(&Arc::from("a.jsonl"), 7, b"{x");
        assert_eq!(
            serde_json::to_string(&reject).unwrap(),
            r#"{"file":"a.jsonl","line":7,"column":3,"code":"bad-json","reason":"坏","raw":"{x","rows":1}"#
        );
    }
}
