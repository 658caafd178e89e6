//! A column of texts out of a small table (CSV, TSV, TXT, XLSX), for bringing phrases into a pack. Encodings are found
//! as for transcripts; a workbook is read cell by cell with bounds, because a few kilobytes can name a gigabyte.

use std::fs::File;
use std::path::Path;

use calamine::{DataRef, Reader as _, Xlsx};

use super::Limits;
use super::compression::Stream;
use super::encoding::{self, Text};
use crate::error::{Error, Result};

/// Most bytes a table may hold when decompressed.
const MOST_BYTES: u64 = 64 << 20;
/// Most rows looked at.
const MOST_ROWS: u32 = 200_000;

/// A text with the row it stands in, from 1.
pub type Row = (u64, String);

/// The texts of a column (from 1) of a table; blank cells are left out. A `.txt` has a text a line; `#` begins a comment.
///
/// # Errors
/// When the file cannot be read or is no such table.
pub fn column(path: &Path, encoding: Option<&str>, column: usize) -> Result<Vec<Row>> {
    let extension = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    match extension.as_str() {
        "xlsx" | "xlsm" => workbook(path, column),
        "xls" | "et" | "ods" => Err(Error::Other(format!("{} 请先另存为 .xlsx 或 .csv 再导入", path.display()))),
        _ => table(path, encoding, column, extension == "txt"),
    }
}

fn table(path: &Path, label: Option<&str>, column: usize, lines: bool) -> Result<Vec<Row>> {
    let wanted = label.map(encoding::by_label).transpose()?.flatten();
    let file = File::open(path).map_err(|e| Error::read(path, e))?;
    let limits = Limits { max_decompressed_bytes: MOST_BYTES, ..Limits::default() };
    let stream = Stream::open(Box::new(file), limits).map_err(|e| Error::read(path, e))?;
    let mut text = Text::open(stream, wanted);
    let mut data = Vec::new();
    while text.fill(&mut data, 1 << 20) {
        if data.len() as u64 > MOST_BYTES {
            return Err(Error::Other(format!("{} 太大(超过 64 MB),不像短语表", path.display())));
        }
    }
    let data = String::from_utf8_lossy(&data).into_owned();
    let kept = |(row, text): (u64, &str)| {
        let text = text.trim();
        (!text.is_empty()).then(|| (row, text.to_string()))
    };
    if lines {
        let own = data.lines().enumerate().filter(|(_, l)| !l.trim_start().starts_with('#'));
        return Ok(own.filter_map(|(n, l)| kept((n as u64 + 1, l))).collect());
    }
    let first = data.lines().next().unwrap_or("");
    let delimiter = [b'\t', b';'].into_iter().find(|d| first.bytes().any(|b| b == *d) && !first.contains(','));
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter.unwrap_or(b','))
        .from_reader(data.as_bytes());
    let mut out = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|e| Error::Other(format!("{} 不是合格的 CSV: {e}", path.display())))?;
        let row = record.position().map_or(0, csv::Position::line);
        out.extend(record.get(column - 1).and_then(|cell| kept((row, cell))));
    }
    Ok(out)
}

fn workbook(path: &Path, column: usize) -> Result<Vec<Row>> {
    let broken = |e: &dyn std::fmt::Display| Error::Other(format!("{} 不是可读的 XLSX: {e}", path.display()));
    let open = || File::open(path).map_err(|e| Error::read(path, e));
    let mut archive = zip::ZipArchive::new(open()?).map_err(|e| broken(&e))?;
    let mut bytes = 0u64;
    for index in 0..archive.len() {
        bytes = bytes.saturating_add(archive.by_index_raw(index).map_err(|e| broken(&e))?.size());
    }
    if bytes > MOST_BYTES {
        return Err(Error::Other(format!("{} 展开后超过 64 MB,不像短语表", path.display())));
    }
    let mut book: Xlsx<_> = Xlsx::new(std::io::BufReader::new(open()?)).map_err(|e| broken(&e))?;
    let Some(sheet) = book.sheet_names().first().cloned() else { return Err(broken(&"没有工作表")) };
    let mut cells = book.worksheet_cells_reader(&sheet).map_err(|e| broken(&e))?;
    let mut out = Vec::new();
    while let Some(cell) = cells.next_cell().map_err(|e| broken(&e))? {
        let (row, at) = cell.get_position();
        if row >= MOST_ROWS {
            return Err(Error::Other(format!("{} 超过 {MOST_ROWS} 行,不像短语表", path.display())));
        }
        if at as usize + 1 != column {
            continue;
        }
        let text = match cell.get_value() {
            DataRef::String(text) => text.clone(),
            DataRef::SharedString(text) => (*text).to_string(),
            DataRef::Empty | DataRef::Error(_) => continue,
            DataRef::Int(n) => n.to_string(),
            DataRef::Float(n) => n.to_string(),
            _ => continue,
        };
        if !text.trim().is_empty() {
            out.push((u64::from(row) + 1, text.trim().to_string()));
        }
    }
    Ok(out)
}
