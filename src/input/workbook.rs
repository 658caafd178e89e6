//! Excel workbooks: every sheet with a header, cell by cell, under caps. A few kilobytes can name a gigabyte three ways (a
//! ZIP bomb, a far-away cell, one long text shared by a million cells), so sizes are looked at before anything is unpacked
//! and only cells that exist are held.

use std::fs::File;
use std::io::{BufReader, Read, Seek};

use calamine::{Data, DataRef, ExcelDateTime, Reader as _, Xls, Xlsx};

use super::InputOptions;
use super::cells::{Cell, Rows};
use super::columns::{Column, Header, header};
use super::grouping::Gathering;
use super::old_workbook;
use super::reject::{CORRUPT, Fault, LIMIT};
use super::zipped_workbook;
use crate::caught::caught;
use crate::error::{Error, Result};

/// Rows in which a header is looked for.
const HEAD_ROWS: usize = 20;
/// Old workbooks are held whole by the library that reads them.
const MOST_XLS: u64 = 64 << 20;
/// Cells of the sheets of an old one, as rectangles (24 bytes each): two sheets full to the last of 65,536 rows and 60 columns.
const MOST_OLD_CELLS: u64 = 8_000_000;
/// Bytes a workbook may unpack to: Excel's million rows take some hundred megabytes, and the parts are read in memory.
const MOST_XLSX: u64 = 1 << 30;
/// Merged regions that are filled at once.
const MOST_MERGED: usize = 256;

/// Why a workbook is not read to its end.
enum Ended {
    /// It is broken or too large.
    Fault(Fault),
    /// Its rows could not be kept.
    Failed(Error),
}

impl From<Fault> for Ended {
    fn from(fault: Fault) -> Ended {
        Ended::Fault(fault)
    }
}

/// Reads a workbook into rows, which are handed on as they come; without a `to` it only looks for headers. `Ok(Some)` is a fault
/// that ended it early.
///
/// # Errors
/// When no sheet has a header that can be understood, or temporary files cannot be written.
pub(super) fn read(
    file: File,
    old: bool,
    rows: &mut Rows,
    mut to: Option<&mut Gathering>,
    options: &InputOptions,
) -> Result<Option<Fault>> {
    let to = &mut to;
    // the library is careful, but a workbook may be made to break it
    let result = caught(|| match old {
        true => xls(file, rows, to, options),
        false => xlsx(file, to.is_none(), rows, to, options),
    });
    let fault = match result.unwrap_or_else(|_| Err(broken("内部结构有误").into())) {
        Ok(()) => None,
        Err(Ended::Fault(fault)) => Some(fault),
        Err(Ended::Failed(error)) => return Err(error),
    };
    if let Some(to) = to {
        rows.hand_all_on(to)?;
    }
    rows.close();
    if rows.origin.sheets.is_empty() && fault.is_none() {
        let why = if rows.notes.is_empty() { "工作簿是空的".into() } else { rows.notes.join("\n  ") };
        return Err(Error::Other(format!(
            "{}: 没有一个工作表的表头能认出会话编号、角色和内容\n  {why}\n  若列名不同,可用 zhijian formats guess 写一份映射文件,改好后用 --mapping 指定;没有表头的用 --columns 逐列说明。(missing columns)",
            rows.file
        )));
    }
    Ok(fault)
}

pub(super) fn broken(why: impl std::fmt::Display) -> Fault {
    Fault::new(CORRUPT, format!("工作簿损坏或不完整,其后的内容无法读取 ({why})"))
}

pub(super) fn too_large(max: u64) -> Fault {
    Fault::new(LIMIT, format!("工作簿展开后超过上限 {} MB,其后的内容未读取;请拆分后重试", max >> 20))
}

/// Hands rows on, unless they are too many by now.
fn hand_on(rows: &mut Rows, to: &mut Option<&mut Gathering>, options: &InputOptions) -> Result<(), Ended> {
    if rows.text() > options.limits.max_document_bytes {
        return Err(too_large(options.limits.max_document_bytes).into());
    }
    to.as_deref_mut().map_or(Ok(()), |to| rows.hand_on(to)).map_err(Ended::Failed)
}

fn xlsx(
    file: File,
    peek: bool,
    rows: &mut Rows,
    to: &mut Option<&mut Gathering>,
    options: &InputOptions,
) -> Result<(), Ended> {
    let max = options.limits.max_document_bytes.min(MOST_XLSX);
    zipped_workbook::check(&file, max)?;
    let mut reader = BufReader::new(file);
    reader.rewind().map_err(broken)?;
    let mut book: Xlsx<_> = Xlsx::new(reader).map_err(broken)?;
    for name in book.sheet_names() {
        let mut merged: Vec<_> = match book.merge_cells_by_sheet_name(&name) {
            Ok(all) => all.iter().filter(|d| d.end.0 > d.start.0).map(|d| (d.start, d.end)).collect(),
            Err(_) => Vec::new(),
        };
        merged.sort_unstable();
        merged.truncate(1_000_000);
        let mut sheet = SheetReader::new(name.clone(), merged, options);
        let mut cells = match book.worksheet_cells_reader(&name) {
            Ok(cells) => cells,
            // a chart sheet has no cells
            Err(_) => continue,
        };
        let mut current: Vec<(u32, Cell)> = Vec::new();
        let mut row = None;
        loop {
            let cell = match cells.next_cell() {
                Ok(Some(cell)) => cell,
                Ok(None) => break,
                Err(error) => {
                    if let Some(row) = row {
                        sheet.row(row, &mut current, rows);
                    }
                    sheet.end(rows);
                    return Err(broken(error).into());
                }
            };
            let (at, column) = cell.get_position();
            if row != Some(at) {
                if let Some(row) = row {
                    sheet.row(row, &mut current, rows);
                }
                current.clear();
                row = Some(at);
                if peek && (sheet.columns.is_some() || sheet.failed) {
                    break;
                }
                hand_on(rows, to, options)?;
            }
            let value = match cell.get_value() {
                DataRef::Empty => Cell::Empty,
                DataRef::SharedString(text) => Cell::Text((*text).to_owned()),
                DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
                    Cell::Text(text.clone())
                }
                DataRef::Int(number) => Cell::Int(*number),
                DataRef::Float(number) => Cell::Float(*number),
                DataRef::Bool(value) => Cell::Bool(*value),
                DataRef::DateTime(moment) => date(moment),
                DataRef::Error(error) => Cell::Text(error.to_string()),
            };
            if value != Cell::Empty {
                current.push((column, value));
            }
        }
        if let Some(row) = row {
            sheet.row(row, &mut current, rows);
        }
        sheet.end(rows);
    }
    Ok(())
}

fn xls(mut file: File, rows: &mut Rows, to: &mut Option<&mut Gathering>, options: &InputOptions) -> Result<(), Ended> {
    let size = file.metadata().map_err(broken)?.len();
    if size > MOST_XLS {
        return Err(Fault::new(LIMIT, "旧版 .xls 超过 64 MB,不予读取;请另存为 .xlsx").into());
    }
    let mut bytes = Vec::new();
    file.rewind().map_err(broken)?;
    file.read_to_end(&mut bytes).map_err(broken)?;
    let extent = old_workbook::extent(&bytes).map_err(broken)?;
    if extent.cells > MOST_OLD_CELLS || extent.text > options.limits.max_document_bytes.min(MOST_XLSX) {
        return Err(
            Fault::new(LIMIT, format!("旧版 .xls 展开后太大({} 格),不予读取;请另存为 .xlsx", extent.cells)).into()
        );
    }
    let mut book: Xls<_> = Xls::new(std::io::Cursor::new(bytes)).map_err(broken)?;
    for name in book.sheet_names() {
        let Ok(range) = book.worksheet_range(&name) else { continue };
        let (top, left) = range.start().unwrap_or_default();
        let mut sheet = SheetReader::new(name, Vec::new(), options);
        for (number, row) in range.rows().enumerate() {
            let cells = row.iter().enumerate().filter_map(|(column, cell)| {
                let value = match cell {
                    Data::Empty => return None,
                    Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => Cell::Text(text.clone()),
                    Data::Int(number) => Cell::Int(*number),
                    Data::Float(number) => Cell::Float(*number),
                    Data::Bool(value) => Cell::Bool(*value),
                    Data::DateTime(moment) => date(moment),
                    Data::Error(error) => Cell::Text(error.to_string()),
                };
                Some((left + column as u32, value))
            });
            let mut cells: Vec<_> = cells.collect();
            if !cells.is_empty() {
                sheet.row(top + number as u32, &mut cells, rows);
            }
            hand_on(rows, to, options)?;
        }
        sheet.end(rows);
    }
    Ok(())
}

/// The first rows of the first sheet that has any, from what looks like its header on.
pub(crate) fn first_rows(
    file: File,
    old: bool,
    most: usize,
    options: &InputOptions,
) -> Result<Vec<Vec<String>>, Fault> {
    let all: Vec<Option<Column>> = super::columns::COLUMNS.iter().map(|c| Some(c.0)).collect();
    // every column is taken for some field, which is only a way to see them all
    let options = InputOptions { columns: Some(all), ..options.clone() };
    let mut rows = Rows::new("".into());
    let read = caught(|| match old {
        true => xls(file, &mut rows, &mut None, &options),
        false => xlsx(file, false, &mut rows, &mut None, &options),
    });
    match read.unwrap_or_else(|_| Err(broken("内部结构有误").into())) {
        Err(Ended::Fault(fault)) => return Err(fault),
        Ok(()) | Err(Ended::Failed(_)) => {}
    }
    let dialect = Rows::layout().dialect;
    let mut out = Vec::<Vec<String>>::new();
    for row in rows.waiting().take(most) {
        let fields = dialect.fields(row);
        let mut fields: Vec<_> = fields.map(|f| String::from_utf8_lossy(&f).into_owned()).collect();
        while fields.last().is_some_and(|f| f.trim().is_empty()) {
            fields.pop();
        }
        out.push(fields);
    }
    // a title above the header is one cell wide
    let header = out.iter().position(|r| r.iter().filter(|c| !c.trim().is_empty()).count() >= 3).unwrap_or(0);
    Ok(out.split_off(header))
}

/// A date as a local time; a length of time as its number of days.
fn date(moment: &ExcelDateTime) -> Cell {
    if moment.is_duration() || moment.as_f64() < 1.0 {
        return Cell::Float(moment.as_f64());
    }
    let (year, month, day, hour, minute, second, milli) = moment.to_ymd_hms_milli();
    Cell::Text(format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{milli:03}"))
}

/// A merged region's corners, rows and columns from 0.
type Region = ((u32, u32), (u32, u32));

/// Finds a sheet's header, then hands its rows on.
struct SheetReader<'o> {
    name: String,
    options: &'o InputOptions,
    /// Regions over several rows, by their top.
    merged: Vec<Region>,
    next_merged: usize,
    /// Regions that reach into coming rows: last row, column, value.
    open: Vec<(u32, u32, Cell)>,
    /// Rows before the header is found.
    head: Vec<(u32, Vec<(u32, Cell)>)>,
    columns: Option<Vec<Option<Column>>>,
    /// The last row of the header.
    header_end: Option<u32>,
    failed: bool,
}

impl<'o> SheetReader<'o> {
    fn new(name: String, merged: Vec<Region>, options: &'o InputOptions) -> Self {
        SheetReader {
            name,
            options,
            merged,
            next_merged: 0,
            open: Vec::new(),
            head: Vec::new(),
            columns: None,
            header_end: None,
            failed: false,
        }
    }

    fn row(&mut self, row: u32, cells: &mut Vec<(u32, Cell)>, rows: &mut Rows) {
        if cells.is_empty() || self.failed {
            return;
        }
        if self.columns.is_some() {
            return self.data(row, cells, rows);
        }
        if let Some(columns) = self.options.positions() {
            rows.sheet(Some(self.name.clone()), columns, Vec::new());
            self.columns = Some(columns.to_vec());
            return self.data(row, cells, rows);
        }
        self.head.push((row, std::mem::take(cells)));
        if self.head.len() > HEAD_ROWS + 6 {
            self.find(rows);
        }
    }

    /// The end of the sheet: a short one has its header among what was kept.
    fn end(&mut self, rows: &mut Rows) {
        if self.columns.is_none() && !self.failed && !self.head.is_empty() {
            self.find(rows);
        }
    }

    fn find(&mut self, rows: &mut Rows) {
        let head = std::mem::take(&mut self.head);
        let mut nearest: Option<Vec<String>> = None;
        for (number, (row, _)) in head.iter().enumerate().take(HEAD_ROWS) {
            // a header over several rows: its merged cells tell how many
            let bottom = self.merged.iter().filter(|m| m.0.0 == *row && m.1.0 < row + 5).map(|m| m.1.0).max();
            let bottom = bottom.and_then(|b| head.iter().position(|(r, _)| *r == b)).filter(|b| *b > number);
            for (at, filled) in [(bottom.unwrap_or(number), bottom.is_some()), (number, false)] {
                let names = names(&head, if filled { number } else { at }, at);
                match self.options.mapping.header(&names) {
                    Header::Known(columns) => {
                        rows.sheet(Some(self.name.clone()), &columns, names);
                        self.columns = Some(columns);
                        self.header_end = Some(head[at].0);
                        for (row, mut cells) in head.into_iter().skip(at + 1) {
                            self.data(row, &mut cells, rows);
                        }
                        return;
                    }
                    Header::Twice(column, a, b) => {
                        self.failed = true;
                        let column = column.name();
                        rows.notes.push(format!(
                            "工作表 {}: 表头中“{a}”和“{b}”都表示 {column},已跳过;请只保留一列",
                            self.name
                        ));
                        return;
                    }
                    Header::Missing(_) => {
                        let known = names.iter().filter(|n| Column::parse(n).is_some()).count();
                        let best =
                            nearest.as_ref().map_or(0, |n| n.iter().filter(|n| Column::parse(n).is_some()).count());
                        if nearest.is_none() || known > best {
                            nearest = Some(names);
                        }
                    }
                }
            }
        }
        self.failed = true;
        let names: Vec<_> = nearest.unwrap_or_default().into_iter().filter(|n| !n.is_empty()).take(12).collect();
        rows.notes.push(format!("工作表 {}: 没有认出表头,已跳过;最像表头的一行是: {}", self.name, names.join(" | ")));
    }

    fn data(&mut self, row: u32, cells: &mut [(u32, Cell)], rows: &mut Rows) {
        while let Some(((top, column), (bottom, _))) = self.merged.get(self.next_merged).copied() {
            if top > row {
                break;
            }
            self.next_merged += 1;
            // a header's own merged cells are no data
            let below = self.header_end.is_none_or(|h| top > h);
            if below
                && top == row
                && self.open.len() < MOST_MERGED
                && let Some((_, value)) = cells.iter().find(|(c, _)| *c == column)
            {
                self.open.push((bottom, column, value.clone()));
            }
        }
        self.open.retain(|(bottom, ..)| *bottom >= row);
        let text = self.columns.as_ref().and_then(|c| c.iter().position(|c| *c == Some(Column::Text)));
        rows.push(u64::from(row) + 1, |column| {
            if let Some((_, value)) = cells.iter().find(|(c, _)| *c == column) {
                return value.clone();
            }
            // a merged id counts for every row it spans; a merged message is one message
            let merged = self.open.iter().find(|(_, c, _)| *c == column && text != Some(column as usize));
            merged.map_or(Cell::Empty, |(_, _, value)| value.clone())
        });
    }
}

/// The names of a row, with names from rows above where it has none.
fn names(head: &[(u32, Vec<(u32, Cell)>)], top: usize, at: usize) -> Vec<String> {
    const MOST: usize = 2000;
    let mut out: Vec<String> = Vec::new();
    for (_, cells) in &head[top..=at] {
        for (column, cell) in cells {
            let (column, Cell::Text(name)) = (*column as usize, cell) else { continue };
            if column < MOST && !name.trim().is_empty() {
                if out.len() <= column {
                    out.resize(column + 1, String::new());
                }
                // a lower name is the closer one
                out[column] = name.trim().replace(['\n', '\r'], "");
            }
        }
    }
    out
}

impl super::mapping::Mapping {
    /// What a first row is as a header, under this mapping.
    pub(crate) fn header(&self, names: &[String]) -> Header {
        header(names, |name| self.column(name))
    }
}
