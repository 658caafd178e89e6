//! Rows of typed cells (workbooks, Parquet, Arrow) as the text of a table, so that they are grouped, checked and rejected by the
//! very code that reads CSV. Every row gets all columns of the project in their order; where a row came from is kept
//! aside, for rejects to name the sheet's cell or the file's row.

use std::sync::Arc;

use super::columns::{COLUMNS, Column};
use super::grouping::{Gathering, Sorted, sort_out};
use super::layout::Layout;
use super::reject::{Fault, LOST_DIGITS};
use super::rows::Dialect;
use crate::error::Error;

/// Unlikely in a message, and quoted where it is in one.
pub(crate) const DELIMITER: u8 = 0x1f;
/// Text of rows that is handed on together.
const WAITING: usize = 1 << 20;

/// One cell.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    Empty,
    Text(String),
    Int(i64),
    Float(f64),
    Bool(bool),
}

/// Where rows came from. A row's code has the sheet's number in its high half, the row from 1 in the low half.
#[derive(Default)]
pub(crate) struct Origin {
    pub sheets: Vec<Sheet>,
}

/// A sheet of a workbook, or a file of columns.
pub(crate) struct Sheet {
    /// None for files that have no sheets.
    pub name: Option<String>,
    /// Where each field stands, by the number of [`Column`].
    pub columns: [Option<u32>; COLUMNS.len()],
    /// What its columns are called, where that is worth telling.
    pub headers: Vec<String>,
}

impl Origin {
    /// What each column is called and taken for, sheet by sheet; nothing for files that have no sheets.
    pub(crate) fn columns(&self) -> Vec<(String, Option<Column>)> {
        let mut out = Vec::new();
        for sheet in &self.sheets {
            for (at, header) in sheet.headers.iter().enumerate() {
                if !header.is_empty() && !sheet.columns.contains(&Some(at as u32)) {
                    let name = sheet.name.as_deref().unwrap_or_default();
                    out.push((format!("{name}!{} {header}", letters(at as u32)), None));
                }
            }
            for (column, at) in COLUMNS.iter().zip(sheet.columns) {
                if let (Some(at), Some(name)) = (at, &sheet.name) {
                    let header = sheet.headers.get(at as usize).filter(|h| !h.is_empty());
                    let header = header.map_or_else(String::new, |h| format!(" {h}"));
                    out.push((format!("{name}!{}{header}", letters(at)), Some(column.0)));
                }
            }
        }
        out
    }

    /// The row and the place of a record's code, and of a field in it.
    pub(crate) fn place(&self, code: u64, field: Option<u64>) -> (u64, Option<u64>, String) {
        let row = code & 0xffff_ffff;
        let sheet = &self.sheets[(code >> 32) as usize];
        let column = field.and_then(|f| sheet.columns.get(f as usize - 1).copied().flatten());
        let place = match (&sheet.name, column) {
            (Some(name), Some(column)) => format!("{name}!{}{row}", letters(column)),
            (Some(name), None) => format!("{name}!{row}:{row}"),
            (None, _) => format!("row {row}"),
        };
        (row, column.map(|c| u64::from(c) + 1), place)
    }
}

/// A column's letters: 0 is A, 26 is AA.
pub(crate) fn letters(column: u32) -> String {
    let mut out = Vec::new();
    let mut rest = column + 1;
    while rest > 0 {
        out.push(b'A' + ((rest - 1) % 26) as u8);
        rest = (rest - 1) / 26;
    }
    out.reverse();
    String::from_utf8(out).unwrap_or_default()
}

/// Rows on their way from a file to a [`Gathering`].
pub(crate) struct Rows {
    pub file: Arc<str>,
    pub origin: Origin,
    /// What looked odd, the first few of each kind.
    pub notes: Vec<String>,
    long_numbers: u64,
    /// The rows not handed on yet, and their text.
    rows: Vec<Waiting>,
    data: Vec<u8>,
    /// Text of the rows handed on.
    before: u64,
}

/// A row that waits to be handed on.
struct Waiting {
    code: u64,
    /// Where it ends in the text.
    end: usize,
    /// The field of its id, when that has lost digits.
    lost: Option<u64>,
}

impl Rows {
    pub(crate) fn new(file: Arc<str>) -> Rows {
        Rows {
            file,
            origin: Origin::default(),
            notes: Vec::new(),
            long_numbers: 0,
            rows: Vec::new(),
            data: Vec::new(),
            before: 0,
        }
    }

    /// Begins a sheet whose fields stand in these columns.
    pub(crate) fn sheet(&mut self, name: Option<String>, columns: &[Option<Column>], headers: Vec<String>) {
        let mut at = [None; COLUMNS.len()];
        for (index, column) in columns.iter().enumerate() {
            if let Some(column) = column {
                at[*column as usize] = Some(index as u32);
            }
        }
        self.origin.sheets.push(Sheet { name, columns: at, headers });
    }

    /// Adds a row (counted from 1) of the current sheet; `cell` gives the cell of a column.
    pub(crate) fn push(&mut self, row: u64, cell: impl Fn(u32) -> Cell) {
        let number = self.origin.sheets.len() - 1;
        let code = (number as u64) << 32 | row.min(0xffff_ffff);
        let mut lost = None;
        for (index, (column, _)) in COLUMNS.iter().enumerate() {
            if index > 0 {
                self.data.push(DELIMITER);
            }
            let Some(at) = self.origin.sheets[number].columns[index] else { continue };
            let cell = cell(at);
            if is_id(*column) && digits_doubtful(&cell) {
                if *column == Column::ConversationId && !exact(&cell) {
                    lost = Some(index as u64 + 1);
                }
                self.long_number(code, index as u64 + 1);
            }
            write(&mut self.data, &text(*column, cell));
        }
        self.rows.push(Waiting { code, end: self.data.len(), lost });
    }

    /// The rows that wait.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.rows.iter().map(|row| row.end));
        starts.zip(&self.rows).map(|(start, row)| &self.data[start..row.end])
    }

    /// Hands on what is waiting, once that is worth it.
    ///
    /// # Errors
    /// When temporary files cannot be written.
    pub(super) fn hand_on(&mut self, to: &mut Gathering) -> Result<(), Error> {
        if self.data.len() >= WAITING {
            self.hand_all_on(to)?;
        }
        Ok(())
    }

    /// Hands on all that is waiting.
    ///
    /// # Errors
    /// When temporary files cannot be written.
    pub(super) fn hand_all_on(&mut self, to: &mut Gathering) -> Result<(), Error> {
        for (row, raw) in self.rows.iter().zip(self.waiting()) {
            let sorted = match row.lost {
                Some(field) => Sorted::Fault(Fault::new(LOST_DIGITS, "会话编号超过 15 位而且存成了数字,末几位已经丢失,不同的会话可能变成同一个编号;请把这一列存成文本再导出").at(field)),
                None => sort_out(&to.layout, raw, false, row.code, &to.options),
            };
            to.row(row.code, 1, sorted, raw, Some(&self.origin))?;
        }
        self.before += self.data.len() as u64;
        self.rows.clear();
        self.data.clear();
        Ok(())
    }

    fn long_number(&mut self, code: u64, field: u64) {
        self.long_numbers += 1;
        if self.long_numbers <= 3 {
            let (_, _, place) = self.origin.place(code, Some(field));
            let name = COLUMNS[field as usize - 1].0.name();
            self.notes.push(format!(
                "{place} 的 {name} 超过 15 位而且存成了数字,末几位可能已被 Excel 改成 0;请把这一列存成文本"
            ));
        }
    }

    /// Closes the gathering: notes what was only counted.
    pub(crate) fn close(&mut self) {
        if self.long_numbers > 3 {
            self.notes.push(format!("共 {} 处编号超过 15 位而且存成了数字", self.long_numbers));
        }
    }

    /// The layout of the text.
    pub(crate) fn layout() -> Layout {
        Layout {
            dialect: Dialect { delimiter: DELIMITER, quoting: true },
            messages: None,
            columns: COLUMNS.iter().map(|c| Some(c.0)).collect(),
            width: COLUMNS.len(),
            start: 0,
            line: 1,
            blank: 0,
        }
    }

    /// How much text the rows were so far.
    pub(crate) fn text(&self) -> u64 {
        self.before + self.data.len() as u64
    }
}

/// A row as a reject shows it: tabs between cells, none at the end.
pub(crate) fn shown_raw(row: &[u8]) -> String {
    let text = String::from_utf8_lossy(row).replace(DELIMITER as char, "\t");
    text.trim_end_matches('\t').to_owned()
}

fn is_id(column: Column) -> bool {
    matches!(column, Column::ConversationId | Column::CustomerId | Column::OrderId | Column::AgentId)
}

/// True for numbers that spreadsheets show, and often keep, with their last digits gone.
fn digits_doubtful(cell: &Cell) -> bool {
    matches!(cell, Cell::Float(number) if number.abs() >= 1e15)
}

/// True when a number holds every digit it was written with.
fn exact(cell: &Cell) -> bool {
    matches!(cell, Cell::Float(number) if number.abs() < 9_007_199_254_740_992.0 && number.fract() == 0.0)
}

/// A cell as a CSV export would hold it.
fn text(column: Column, cell: Cell) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Text(text) => text,
        Cell::Int(number) => number.to_string(),
        Cell::Bool(value) => value.to_string(),
        Cell::Float(number) => {
            let time = matches!(column, Column::At | Column::StartedAt | Column::EndedAt);
            // a date whose cell lost its format: days since 1900, here those of 1990 to 2119
            if time && (32_874.0..80_000.0).contains(&number) {
                return serial(number);
            }
            if number.fract() == 0.0 && number.abs() < 1e22 { format!("{number:.0}") } else { number.to_string() }
        }
    }
}

/// A spreadsheet's date number as a local time.
pub(crate) fn serial(days: f64) -> String {
    let millis = (days * 86_400_000.0).round() as i64 - 25_569 * 86_400_000;
    match jiff::Timestamp::from_millisecond(millis) {
        Ok(moment) => moment.to_zoned(jiff::tz::TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S%.3f").to_string(),
        Err(_) => days.to_string(),
    }
}

fn write(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    if bytes.iter().any(|b| matches!(b, b'"' | b'\n' | b'\r' | &DELIMITER)) {
        out.push(b'"');
        for byte in bytes {
            out.push(*byte);
            if *byte == b'"' {
                out.push(b'"');
            }
        }
        out.push(b'"');
    } else {
        out.extend_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn letters_and_dates() {
        assert_eq!([0, 25, 26, 701, 702, 16_383].map(letters), ["A", "Z", "AA", "ZZ", "AAA", "XFD"]);
        assert_eq!(serial(46_346.375), "2026-11-20 09:00:00.000");
        assert_eq!(text(Column::At, Cell::Float(46_346.375)), "2026-11-20 09:00:00.000");
        assert_eq!(text(Column::Rating, Cell::Float(5.0)), "5");
        assert_eq!(text(Column::OrderId, Cell::Float(1e15)), "1000000000000000");
        assert_eq!(text(Column::Confidence, Cell::Float(0.5)), "0.5");
    }

    #[test]
    fn lost_digits_are_told() {
        let mut rows = Rows::new("a.xlsx".into());
        rows.sheet(Some("一".into()), &[Some(Column::ConversationId), None, Some(Column::OrderId)], Vec::new());
        rows.push(2, |_| Cell::Float(12_345_678_901_234_567_890.0));
        rows.push(3, |c| if c == 0 { Cell::Text("c".into()) } else { Cell::Float(1_234_567_890_123_450.0) });
        let mut gathering = Gathering::new("a.xlsx".into(), Rows::layout(), Arc::default());
        rows.hand_all_on(&mut gathering).unwrap();
        let found = &gathering.found;
        assert_eq!((found.rejects.len(), found.records), (1, 2));
        let reject = &found.rejects[0];
        assert_eq!((reject.code, reject.column, reject.place.as_deref()), (LOST_DIGITS, Some(1), Some("一!A2")));
        assert!(reject.raw.starts_with("12345678901234567168\t"), "{}", reject.raw);
        assert!(rows.notes.iter().any(|n| n.starts_with("一!C3 的 order_id")));
    }

    proptest! {
        #[test]
        fn cells_come_back(texts in prop::collection::vec("[a好\",\r\n\t\u{1f} ]{0,6}", COLUMNS.len())) {
            let mut rows = Rows::new("a".into());
            let columns: Vec<_> = COLUMNS.iter().map(|c| Some(c.0)).collect();
            rows.sheet(None, &columns, Vec::new());
            rows.push(1, |c| Cell::Text(texts[c as usize].clone()));
            let raw = rows.waiting().next().unwrap();
            let back: Vec<_> = Rows::layout().dialect.fields(raw).map(|f| String::from_utf8(f.into_owned()).unwrap()).collect();
            prop_assert_eq!(back, texts);
        }
    }
}
