//! Native JSONL: one conversation a line. The reader only looks for line ends ([`count`]); workers parse ([`visit`]).

use std::sync::Arc;

use memchr::memchr_iter;

use super::InputOptions;
use super::block::Item;
use super::json::Record;
use super::reject::{ENCODING, Fault, TOO_LONG};

/// Whole lines of one file.
pub(crate) struct Lines {
    pub file: Arc<str>,
    /// The number of the first line, 1-based.
    pub first: u64,
    /// Undecodable bytes were met while transcoding: lines with U+FFFD are suspect.
    pub damaged: bool,
    /// The lines stand for rows of a file without lines.
    pub rows: bool,
    pub options: Arc<InputOptions>,
}

/// Lines and blank lines of a buffer that ends with a line's end (or the file's).
pub(crate) fn count(buffer: &[u8]) -> (u64, u64) {
    let (mut lines, mut blank, mut start) = (0, 0, 0);
    for end in memchr_iter(b'\n', buffer) {
        lines += 1;
        blank += u64::from(is_blank(&buffer[start..end]));
        start = end + 1;
    }
    if start < buffer.len() {
        lines += 1;
        blank += u64::from(is_blank(&buffer[start..]));
    }
    (lines, blank)
}

/// True for a line of nothing but white space (and a stray byte-order mark).
pub(crate) fn is_blank(line: &[u8]) -> bool {
    // most lines are told by their first byte
    line.first().is_none_or(|b| b.is_ascii_whitespace() || *b == 0xef) && without_bom(line).trim_ascii().is_empty()
}

fn without_bom(line: &[u8]) -> &[u8] {
    line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line)
}

/// The reject of a line longer than allowed, of which `raw` is the beginning.
pub(crate) fn too_long(max: usize) -> Fault {
    Fault::new(TOO_LONG, format!("记录超过上限 {max} 字节,已跳过"))
}

/// Parses every line.
pub(crate) fn visit(lines: &Lines, buffer: &[u8], f: &mut dyn FnMut(Item<'_>)) {
    let options = &lines.options;
    let record = Record::new(options);
    // one check for all lines; only a block with a bad one is looked at line by line
    let valid = std::str::from_utf8(buffer).ok();
    let mut start = 0;
    let ends = memchr_iter(b'\n', buffer).chain((!buffer.ends_with(b"\n")).then_some(buffer.len()));
    for (number, end) in (lines.first..).zip(ends) {
        let raw = &buffer[start..end];
        let text = match valid {
            Some(text) => Ok(&text[start..end]),
            None => std::str::from_utf8(raw),
        };
        if !is_blank(raw) {
            let parsed = if raw.len() > options.limits.max_record_bytes {
                Err(too_long(options.limits.max_record_bytes))
            } else {
                line(&record, text, raw, lines.damaged)
            };
            match parsed {
                Ok(mut conversation) => {
                    if !options.mapping.is_plain() {
                        options.mapping.apply(&mut conversation);
                    }
                    f(Item::Conversation { conversation, file: &lines.file, line: number, records: 1 });
                }
                Err(fault) => {
                    let mut reject = fault.reject(&lines.file, number, raw);
                    if lines.rows {
                        (reject.place, reject.column) = (Some(format!("row {number}")), None);
                    }
                    f(Item::Reject(reject));
                }
            }
        }
        start = end + 1;
    }
}

fn line<'a>(
    record: &Record<'_>,
    text: Result<&'a str, std::str::Utf8Error>,
    raw: &[u8],
    damaged: bool,
) -> Result<crate::conversation::Conversation<'a>, Fault> {
    let text = text.map_err(|error| {
        let column = String::from_utf8_lossy(&raw[..error.valid_up_to()]).chars().count() as u64 + 1;
        Fault::new(ENCODING, format!("第 {column} 个字符处的字节不是合法的 UTF-8")).at(column)
    })?;
    if damaged && let Some(at) = text.find('\u{FFFD}') {
        let column = text[..at].chars().count() as u64 + 1;
        return Err(Fault::new(ENCODING, format!("第 {column} 个字符处的字节无法按该文件的编码解读")).at(column));
    }
    record.parse(text.strip_prefix('\u{feff}').unwrap_or(text))
}
