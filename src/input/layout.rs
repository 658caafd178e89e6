//! How a delimited file is laid out: its delimiter, whether quotes quote, its columns, where its data begins. Found from
//! the extension and the first row; a file whose columns cannot be told ends the run with what was found and what to do.

use super::InputOptions;
use super::columns::{COLUMNS, Column, Header, REQUIRED};
use super::format::Shape;
use super::mapping::Mapping;
use super::messages::{self, Messages};
use super::rows::{Dialect, Row};
use super::source::Source;
use crate::error::Error;

/// As much of a file as tells whether its quotes quote.
const EVIDENCE: usize = 1 << 20;

/// A delimited file's layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    pub dialect: Dialect,
    /// Rows are JSON objects.
    pub messages: Option<Messages>,
    /// The column of each field, in the file's order.
    pub columns: Vec<Option<Column>>,
    /// How many fields a row should have.
    pub width: usize,
    /// Where the first row of data begins, and on which line.
    pub start: usize,
    pub line: u64,
    /// Blank lines before it.
    pub blank: u64,
}

impl Layout {
    /// The position of a column.
    pub(crate) fn index(&self, column: Column) -> Option<usize> {
        self.columns.iter().position(|c| *c == Some(column))
    }

    /// The row that begins at `start`; see [`Dialect::row`].
    pub(crate) fn row(&self, data: &[u8], start: usize, max: usize, swallowed: impl Fn(&[u8]) -> bool) -> Row {
        match &self.messages {
            Some(messages) => messages.row(data, start, max),
            None => self.dialect.row(data, start, max, swallowed),
        }
    }

    /// The id of the format.
    pub(crate) fn format(&self) -> &'static str {
        match self.dialect.delimiter {
            _ if self.messages.is_some() => "json-messages",
            b'\t' => "tsv",
            _ => "csv",
        }
    }

    /// What each column is called and taken for.
    pub(crate) fn named(&self, data: &[u8]) -> Vec<(String, Option<Column>)> {
        if let Some(messages) = &self.messages {
            return messages.keys().to_vec();
        }
        let head = data.get(..self.start).unwrap_or_default().trim_ascii_end();
        let header = head.rsplit(|b| *b == b'\n').next().unwrap_or_default();
        let names: Vec<_> =
            self.dialect.fields(header).map(|n| String::from_utf8_lossy(&n).trim().to_owned()).collect();
        let number = |n: usize| format!("第 {} 列", n + 1);
        let name = |n: usize| names.get(n).filter(|s| !s.is_empty()).cloned().unwrap_or_else(|| number(n));
        self.columns.iter().enumerate().map(|(n, column)| (name(n), *column)).collect()
    }

    /// True for a row of nothing but white space and delimiters, as spreadsheets leave at the end.
    pub(crate) fn is_blank(&self, row: &[u8]) -> bool {
        row.iter().all(|b| b.is_ascii_whitespace() || *b == self.dialect.delimiter)
    }
}

/// The layout of a source that begins with `data`.
pub(crate) fn of(source: &Source, data: &[u8], options: &InputOptions) -> Result<Layout, Error> {
    match source.format.shape {
        Shape::Messages => messages::layout(&source.name, data, &source.extension, options),
        _ => layout(&source.name, data, &source.extension, options),
    }
}

/// The layout of a delimited file that begins with `data`.
pub(crate) fn layout(path: &str, data: &[u8], extension: &str, options: &InputOptions) -> Result<Layout, Error> {
    let mut at = Start { start: 0, line: 1, blank: 0 };
    let mut first = at.first_row(data);
    let mut stated = None;
    // Excel's own hint
    if let Some(hint) = first.and_then(|row| row.strip_prefix(b"sep=")) {
        stated = hint.first().copied();
        at.skip_line(data);
        first = at.first_row(data);
    }
    let first = first.unwrap_or_default();
    let mut candidates = delimiters(extension, first);
    if let Some(stated) = stated {
        candidates.insert(0, stated);
    }
    match options.positions() {
        Some(columns) => Ok(headerless(at, first, columns, &candidates)),
        None => with_header(at, path, data, &candidates, extension, &options.mapping),
    }
}

#[derive(Debug, Clone, Copy)]
struct Start {
    start: usize,
    line: u64,
    blank: u64,
}

impl Start {
    /// The first line that is not blank, blank ones skipped.
    fn first_row<'d>(&mut self, data: &'d [u8]) -> Option<&'d [u8]> {
        while self.start < data.len() {
            let line = line_at(data, self.start);
            if !line.trim_ascii().is_empty() {
                return Some(line.trim_ascii_end());
            }
            self.blank += 1;
            self.skip_line(data);
        }
        None
    }

    fn skip_line(&mut self, data: &[u8]) {
        self.start = (self.start + line_at(data, self.start).len() + 1).min(data.len());
        self.line += 1;
    }
}

fn line_at(data: &[u8], start: usize) -> &[u8] {
    let rest = &data[start..];
    &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())]
}

/// Delimiters to try: the extension's first, then by how often the first row holds them.
fn delimiters(extension: &str, first: &[u8]) -> Vec<u8> {
    let mut all = vec![b',', b'\t', b';', b'|'];
    all.sort_by_key(|d| std::cmp::Reverse(first.iter().filter(|b| *b == d).count()));
    let own = match extension {
        "csv" => b',',
        "tsv" | "tab" => b'\t',
        _ => return all,
    };
    all.retain(|d| *d != own);
    all.insert(0, own);
    all
}

fn headerless(at: Start, first: &[u8], columns: &[Option<Column>], candidates: &[u8]) -> Layout {
    let dialect = |delimiter: u8| Dialect { delimiter, quoting: delimiter != b'\t' };
    let width = |delimiter: u8| dialect(delimiter).fields(first).count();
    let needed = columns.iter().rposition(|c| c.is_some_and(|c| REQUIRED.contains(&c))).unwrap_or(0) + 1;
    let delimiter = candidates
        .iter()
        .find(|d| width(**d) == columns.len())
        .or_else(|| candidates.iter().find(|d| width(**d) >= needed))
        .unwrap_or(&candidates[0]);
    let width = width(*delimiter).max(columns.len());
    let Start { start, line, blank } = at;
    Layout { dialect: dialect(*delimiter), messages: None, columns: columns.to_vec(), width, start, line, blank }
}

fn with_header(
    at: Start,
    path: &str,
    data: &[u8],
    candidates: &[u8],
    extension: &str,
    mapping: &Mapping,
) -> Result<Layout, Error> {
    let mut best: Option<(Vec<String>, Vec<Column>)> = None;
    for delimiter in candidates {
        let mut dialect = Dialect { delimiter: *delimiter, quoting: true };
        let row = dialect.row(data, at.start, usize::MAX, |_| false);
        let row = if row.broken {
            Dialect { quoting: false, ..dialect }.row(data, at.start, usize::MAX, |_| false)
        } else {
            row
        };
        let names = dialect.fields(&data[row.start..row.end]);
        let names: Vec<_> = names.map(|n| String::from_utf8_lossy(&n).trim().to_owned()).collect();
        match mapping.header(&names) {
            Header::Known(columns) => {
                dialect.quoting = *delimiter != b'\t' || quotes(dialect, &data[row.next..]);
                let (width, start, line) = (names.len(), row.next, at.line + row.lines);
                return Ok(Layout { dialect, messages: None, columns, width, start, line, blank: at.blank });
            }
            Header::Twice(column, a, b) => {
                return Err(Error::Other(format!(
                    "{path}: 表头中“{a}”和“{b}”都表示 {};\n  请只保留一列,或删去表头后用 --columns 逐列说明(不需要的列写 `-`)。(two columns for one field)",
                    column.name()
                )));
            }
            Header::Missing(missing) => {
                if best.as_ref().is_none_or(|(found, _)| names.len() > found.len()) {
                    best = Some((names, missing));
                }
            }
        }
    }
    let (names, missing) = best.unwrap_or_default();
    // an empty file has no header and no rows either
    if names.iter().all(String::is_empty) {
        let dialect = Dialect { delimiter: if extension == "tsv" { b'\t' } else { b',' }, quoting: true };
        let Start { start, line, blank } = at;
        return Ok(Layout { dialect, messages: None, columns: Vec::new(), width: 0, start, line, blank });
    }
    let list = |columns: &[Column]| {
        let names = columns.iter().map(|c| format!("{}({})", c.name(), COLUMNS[*c as usize].1[1]));
        names.collect::<Vec<_>>().join("、")
    };
    let shown: String = names.join(", ").chars().take(300).collect();
    Err(Error::Other(format!(
        "{path}: 表头缺少必需的列 {}\n  读到的第一行: {shown}\n  若列名不同,可用 `zhijian formats guess 文件` 写一份映射文件,改好后用 --mapping 指定;若文件没有表头,请用 --columns 按顺序写出各列,不需要的写 `-`,例如:\n    --columns conversation_id,customer_id,role,-,text (missing columns)",
        list(&missing)
    )))
}

/// Whether quotes quote in a tab-separated file: some field is quoted, and every field that starts with a quote ends
/// with one. Chat dumps with bare quotes in texts fail the second, plain ones the first.
fn quotes(dialect: Dialect, data: &[u8]) -> bool {
    let mut at = 0;
    let mut quoted = false;
    while at < data.len().min(EVIDENCE) {
        let row = dialect.row(data, at, EVIDENCE, |_| false);
        if row.broken || row.stray {
            return false;
        }
        quoted |= row.quoted;
        at = row.next;
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::super::parse_columns;
    use super::*;

    fn of(data: &str, extension: &str, columns: Option<&str>) -> Result<Layout, Error> {
        let columns = columns.map(|c| parse_columns(c).unwrap());
        layout("a.csv", data.as_bytes(), extension, &InputOptions { columns, ..InputOptions::default() })
    }

    #[test]
    fn delimiter_header_and_start() {
        let csv = of("会话ID,角色,内容\n1,客服,您好\n", "csv", None).unwrap();
        assert_eq!((csv.dialect.delimiter, csv.dialect.quoting, csv.width, csv.line), (b',', true, 3, 2));
        assert_eq!(csv.index(Column::Text), Some(2));
        for (delimiter, text) in [(b'\t', "\t"), (b';', ";"), (b'|', "|")] {
            for extension in ["csv", "txt", ""] {
                let data = format!("\n\"会话ID\"{text}角色{text}内容\n");
                let found = of(&data, extension, None).unwrap();
                assert_eq!((found.dialect.delimiter, found.line, found.blank), (delimiter, 3, 1));
            }
        }
        assert_eq!(of("sep=;\nsid;role;text\n", "csv", None).unwrap().line, 3);
        assert_eq!(of("", "csv", None).unwrap().width, 0);
        assert_eq!(of("\n \n", "csv", None).unwrap().blank, 2);
    }

    #[test]
    fn headerless_files() {
        let spec = Some("conversation_id,customer_id,role,-,-,-,text");
        let found = of("a\tb\t0\t0\t0\tnan\t\"你好\n", "tsv", spec).unwrap();
        assert_eq!((found.dialect, found.start, found.line), (Dialect { delimiter: b'\t', quoting: false }, 0, 1));
        assert_eq!(of("a,b,0,0,0,nan,你好,x,y\n", "txt", spec).unwrap().width, 9);
    }

    #[test]
    fn tabs_and_quotes() {
        let quoting = |rows: &str| of(&format!("会话ID\t角色\t内容\n{rows}"), "tsv", None).unwrap().dialect.quoting;
        assert!(quoting("1\t客服\t\"两\n行\"\n"));
        assert!(!quoting("1\t客服\t\"好评\"返现\n"));
        assert!(!quoting("1\t客服\t15\"屏\n2\t客服\t\"没有闭合\n"));
    }

    #[test]
    fn what_cannot_be_told_is_explained() {
        let error = of("会话ID,说的话\n1,您好\n", "csv", None).unwrap_err().to_string();
        for part in ["role(发送方)", "text(消息内容)", "会话ID, 说的话", "--columns", "a.csv"] {
            assert!(error.contains(part), "{part}: {error}");
        }
        let error = of("会话ID,角色,内容,消息\n", "csv", None).unwrap_err().to_string();
        assert!(error.contains("“内容”") && error.contains("“消息”"), "{error}");
    }
}
