//! Rows and fields of delimited text, as slices of it.
//!
//! Why not the csv crate: a row must be found under the lock at memory speed and taken apart later by a worker, its raw
//! text kept for rejects, and, above all, a quote that is never closed must cost one line, not the rest of the night.
//! For well-formed input the fields are those of the csv crate (a property test holds it to that).
//!
//! What happens to a quote that is not closed properly: a quoted field may contain line breaks; when its end is missing
//! (end of file, or longer than `max_record_bytes`), or the closing quote found is followed by something else on a later
//! line, or one of the lines swallowed looks like a row of its own, then the *line where the quote opened* is the fault,
//! and reading goes on with the next line. On a single line an inner quote is read as it stands: `"他说"好"了"`.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

/// How rows of a file are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub delimiter: u8,
    /// Whether a field that starts with `"` ends with one.
    pub quoting: bool,
}

/// A row, or the line a broken quote opened on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    pub start: usize,
    /// One past the last byte, line end not included.
    pub end: usize,
    /// Where the next row begins.
    pub next: usize,
    /// Lines the row spans.
    pub lines: u64,
    /// A quote opened here is not closed properly.
    pub broken: bool,
    /// A quoted field was met, and a quote inside one that is neither doubled nor closing.
    pub quoted: bool,
    pub stray: bool,
}

impl Dialect {
    /// The row that begins at `start`; `swallowed` tells whether a line inside a quoted field is a row of its own.
    pub(crate) fn row(self, data: &[u8], start: usize, max: usize, swallowed: impl Fn(&[u8]) -> bool) -> Row {
        let mut row = Row { start, end: 0, next: 0, lines: 1, broken: false, quoted: false, stray: false };
        let finish = |mut row: Row, newline: Option<usize>| {
            row.end = newline.unwrap_or(data.len());
            row.next = newline.map_or(data.len(), |n| n + 1);
            if row.end > start && data[row.end - 1] == b'\r' {
                row.end -= 1;
            }
            row
        };
        let line_end = || memchr(b'\n', &data[start..]).map(|i| start + i);
        if !self.quoting {
            return finish(row, line_end());
        }
        let mut at = start;
        loop {
            let Some(found) = memchr2(b'"', b'\n', &data[at..]).map(|i| at + i) else { return finish(row, None) };
            if data[found] == b'\n' {
                return finish(row, Some(found));
            }
            at = found + 1;
            if found == start || data[found - 1] == self.delimiter {
                row.quoted = true;
                let limit = data.len().min(start.saturating_add(max));
                match self.close(data, found, limit) {
                    Some((close, stray)) => {
                        let inner = &data[found..close];
                        let lines = memchr::memchr_iter(b'\n', inner).count() as u64;
                        row.stray |= stray;
                        row.lines += lines;
                        at = close + 1;
                        if lines > 0 && inner.split(|b| *b == b'\n').skip(1).any(&swallowed) {
                            row.broken = true;
                        }
                    }
                    None => row.broken = true,
                }
                if row.broken {
                    row.lines = 1;
                    return finish(row, line_end());
                }
            }
        }
    }

    /// The quote that closes the one at `open`, and whether stray ones lie between.
    fn close(self, data: &[u8], open: usize, limit: usize) -> Option<(usize, bool)> {
        let mut at = open + 1;
        let mut stray = false;
        loop {
            let quote = at + memchr(b'"', data.get(at..limit)?)?;
            match data.get(quote + 1) {
                Some(b'"') => {
                    at = quote + 2;
                    continue;
                }
                None | Some(b'\n') => return Some((quote, stray)),
                Some(b'\r') if matches!(data.get(quote + 2), None | Some(b'\n')) => return Some((quote, stray)),
                Some(next) if *next == self.delimiter => return Some((quote, stray)),
                Some(_) => {}
            }
            if memchr(b'\n', &data[open..quote]).is_some() {
                return None;
            }
            stray = true;
            at = quote + 1;
        }
    }

    /// The fields of a row.
    pub(crate) fn fields(self, row: &[u8]) -> Fields<'_> {
        Fields { dialect: self, row, at: Some(0) }
    }
}

/// Iterates over a row's fields.
pub(crate) struct Fields<'a> {
    dialect: Dialect,
    row: &'a [u8],
    at: Option<usize>,
}

impl<'a> Fields<'a> {
    /// The rest of the row as it stands, delimiters included.
    pub(crate) fn rest(&self) -> Option<&'a [u8]> {
        self.at.map(|at| &self.row[at..])
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Cow<'a, [u8]>;

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.at?;
        let rest = &self.row[start..];
        if self.dialect.quoting
            && rest.first() == Some(&b'"')
            && let Some((close, _)) = self.dialect.close(self.row, start, self.row.len())
        {
            let inner = &self.row[start + 1..close];
            self.at =
                (close + 1 < self.row.len() && self.row[close + 1] == self.dialect.delimiter).then_some(close + 2);
            return Some(unescape(inner));
        }
        let end = memchr(self.dialect.delimiter, rest);
        self.at = end.map(|end| start + end + 1);
        Some(Cow::Borrowed(end.map_or(rest, |end| &rest[..end])))
    }
}

/// `""` to `"`.
fn unescape(inner: &[u8]) -> Cow<'_, [u8]> {
    if memchr(b'"', inner).is_none() {
        return Cow::Borrowed(inner);
    }
    let mut out = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(quote) = memchr(b'"', rest) {
        out.extend_from_slice(&rest[..=quote]);
        rest = &rest[quote + 1..];
        rest = rest.strip_prefix(b"\"").unwrap_or(rest);
    }
    out.extend_from_slice(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CSV: Dialect = Dialect { delimiter: b',', quoting: true };
    const TSV: Dialect = Dialect { delimiter: b'\t', quoting: false };

    /// Rows as fields; a broken one as its line after `!`.
    fn rows(dialect: Dialect, text: &str) -> Vec<Vec<String>> {
        let data = text.as_bytes();
        let swallowed = |line: &[u8]| line.starts_with(b"row,");
        let string = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (mut out, mut at, mut lines) = (Vec::new(), 0, 0);
        while at < data.len() {
            let row = dialect.row(data, at, 1000, swallowed);
            let raw = &data[row.start..row.end];
            out.push(if row.broken {
                vec!["!".to_owned(), string(raw)]
            } else {
                dialect.fields(raw).map(|f| string(&f)).collect()
            });
            assert!(row.next > at);
            at = row.next;
            lines += row.lines;
        }
        assert_eq!(lines as usize, text.lines().count());
        out
    }

    #[test]
    fn fields_and_quotes() {
        assert_eq!(
            rows(CSV, "a,b,\r\n\"x\"\"y\",\"1,2\",\"l1\nl2\"\n"),
            [vec!["a", "b", ""], vec!["x\"y", "1,2", "l1\nl2"]]
        );
        assert_eq!(rows(CSV, "a\"b,c"), [["a\"b", "c"]]);
        assert_eq!(rows(CSV, "\"他说\"好的\"了\",x\n"), [["他说\"好的\"了", "x"]]);
        assert_eq!(rows(CSV, "\"\",\"\"\n,\n"), [["", ""], ["", ""]]);
        assert_eq!(rows(TSV, "\"a\t\"b\"\r\nc\td"), [["\"a", "\"b\""], ["c", "d"]]);
    }

    #[test]
    fn a_broken_quote_costs_one_line() {
        // never closed
        assert_eq!(rows(CSV, "1,\"a\n2,b\n3,c"), [["!", "1,\"a"], ["2", "b"], ["3", "c"]]);
        // the next quoted field would close it
        assert_eq!(rows(CSV, "1,\"a\n2,\"b\"\n3,c\n"), [["!", "1,\"a"], ["2", "b"], ["3", "c"]]);
        // closed by accident, but a row of the file lies inside
        assert_eq!(
            rows(CSV, "1,\"a\nrow,b\n3,15\",c\n"),
            [vec!["!", "1,\"a"], vec!["row", "b"], vec!["3", "15\"", "c"]]
        );
        // longer than a record may be
        let long = format!("1,\"{}\n\",b\n2,c\n", "x".repeat(2000));
        assert_eq!(rows(CSV, &long)[0][0], "!");
    }

    proptest! {
        #[test]
        fn same_fields_as_the_csv_crate(table in prop::collection::vec(prop::collection::vec("[a好\",\r\n\t ]{0,6}", 3), 1..8)) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            for row in &table {
                writer.write_record(row).unwrap();
            }
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let mut at = 0;
            for row in &table {
                let found = CSV.row(text.as_bytes(), at, 1000, |_| false);
                let fields: Vec<_> = CSV.fields(&text.as_bytes()[found.start..found.end]).map(|f| String::from_utf8(f.into_owned()).unwrap()).collect();
                prop_assert_eq!(row, &fields);
                at = found.next;
            }
            prop_assert_eq!(at, text.len());
        }

        #[test]
        fn every_byte_belongs_to_a_row(data in prop::collection::vec(prop::sample::select(b"a\",\n\r\t".to_vec()), 0..80), quoting: bool) {
            let dialect = Dialect { delimiter: b',', quoting };
            let mut at = 0;
            let mut lines = 0;
            while at < data.len() {
                let row = dialect.row(&data, at, 30, |_| false);
                prop_assert!(row.start == at && row.end >= at && row.next > at && row.next <= data.len());
                let _ = dialect.fields(&data[row.start..row.end]).count();
                lines += row.lines;
                at = row.next;
            }
            let newlines = data.iter().filter(|b| **b == b'\n').count() as u64;
            prop_assert_eq!(lines, newlines + u64::from(!data.is_empty() && data.last() != Some(&b'\n')));
        }
    }
}
