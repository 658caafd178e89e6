//! What an old workbook (.xls) would take, found before it is read: the library that reads it holds every sheet as a full
//! rectangle, copies a shared text into each cell, and follows the chains of the file without looking for loops. A few
//! kilobytes can ask for all memory in each of these ways.
//!
//! Records are those of BIFF as [MS-XLS] gives them: a type, a length, data. Sheets are walked from where the workbook says
//! they begin, as the library does it.

use std::io::{Cursor, Read};

/// Sheets of a workbook that is read.
const MOST_SHEETS: usize = 1024;

const BOUND_SHEET: u16 = 0x0085;
const SHARED_STRINGS: u16 = 0x00fc;
const CONTINUE: u16 = 0x003c;
const END: u16 = 0x000a;
const DIMENSIONS: u16 = 0x0200;
const LABEL_SST: u16 = 0x00fd;
const MUL_RK: u16 = 0x00bd;
/// Formula, Number, Label, RString, BoolErr, Rk: row and column come first.
const CELLS: [u16; 6] = [0x0006, 0x0203, 0x0204, 0x00d6, 0x0205, 0x027e];

/// What reading a workbook would hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Extent {
    /// Cells of all sheets, as rectangles.
    pub cells: u64,
    /// Bytes of the shared texts, once for each cell that shows one.
    pub text: u64,
}

/// Looks through a workbook.
///
/// # Errors
/// Why it cannot be read: chains that loop or lead nowhere, no workbook inside, too many sheets.
pub(super) fn extent(bytes: &[u8]) -> Result<Extent, String> {
    let mut file = cfb::CompoundFile::open(Cursor::new(bytes)).map_err(|e| e.to_string())?;
    // Opening a stream follows its chain, and the library is strict with it.
    let paths: Vec<_> = file.walk().filter(cfb::Entry::is_stream).map(|e| e.path().to_path_buf()).collect();
    let mut workbook = None;
    for path in paths {
        let mut stream = file.open_stream(&path).map_err(|e| e.to_string())?;
        let name = path.file_name().map(|n| n.to_ascii_lowercase());
        if name.is_some_and(|n| n == "workbook" || n == "book") && path.parent().is_some_and(|p| p.parent().is_none()) {
            let mut data = Vec::new();
            stream.read_to_end(&mut data).map_err(|e| e.to_string())?;
            workbook = Some(data);
        }
    }
    of_stream(&workbook.ok_or("没有 Workbook 流")?)
}

fn of_stream(stream: &[u8]) -> Result<Extent, String> {
    let mut sheets = Vec::new();
    let mut lengths = Vec::new();
    for (at, kind, data) in records(stream, 0) {
        match kind {
            BOUND_SHEET => sheets.push(long(data, 0).unwrap_or(u32::MAX) as usize),
            SHARED_STRINGS => lengths = string_lengths(stream, at),
            _ => {}
        }
    }
    if sheets.len() > MOST_SHEETS {
        return Err(format!("有 {} 个工作表", sheets.len()));
    }
    let mut extent = Extent::default();
    for start in sheets {
        sheet(stream, start, &lengths, &mut extent);
    }
    Ok(extent)
}

fn sheet(stream: &[u8], start: usize, lengths: &[u32], extent: &mut Extent) {
    let mut stated = 0u64;
    let (mut rows, mut columns) = ((u16::MAX, 0u16), (u16::MAX, 0u16));
    for (_, kind, data) in records(stream, start) {
        match kind {
            END => break,
            DIMENSIONS => stated = stated.max(rectangle(data)),
            _ => {}
        }
        if kind != LABEL_SST && kind != MUL_RK && !CELLS.contains(&kind) {
            continue;
        }
        let (Some(row), Some(column)) = (short(data, 0), short(data, 2)) else { continue };
        let last = match kind {
            MUL_RK => short(data, data.len().saturating_sub(2)).unwrap_or(column),
            _ => column,
        };
        rows = (rows.0.min(row), rows.1.max(row));
        columns = (columns.0.min(column), columns.1.max(column).max(last));
        if kind == LABEL_SST {
            let length = long(data, 6).and_then(|n| lengths.get(n as usize));
            extent.text += u64::from(length.copied().unwrap_or_default());
        }
    }
    let used = match rows.0 <= rows.1 {
        true => (u64::from(rows.1 - rows.0) + 1) * (u64::from(columns.1 - columns.0) + 1),
        false => 0,
    };
    extent.cells = extent.cells.saturating_add(stated.max(used));
}

/// The cells a Dimensions record speaks of: rows in four bytes, in two in older files.
fn rectangle(data: &[u8]) -> u64 {
    let wide = data.len() >= 14;
    let row = |n: usize| if wide { long(data, n * 4) } else { short(data, n * 2).map(u32::from) };
    let column = |n: usize| short(data, if wide { 8 } else { 4 } + n * 2).map(u64::from);
    let (Some(first), Some(end), Some(left), Some(right)) = (row(0), row(1), column(0), column(1)) else { return 0 };
    let left = if left > 0xff || right < left { 0 } else { left };
    // The library reckons without looking: rows that end before they begin wrap around.
    u64::from(end.wrapping_sub(first)).saturating_mul(right.saturating_sub(left))
}

/// Upper bounds of the shared texts in bytes of UTF-8, by number.
fn string_lengths(stream: &[u8], at: usize) -> Vec<u32> {
    let mut pieces = Vec::new();
    for (_, kind, data) in records(stream, at) {
        match kind {
            SHARED_STRINGS if pieces.is_empty() => pieces.push(data.get(8..).unwrap_or_default()),
            CONTINUE => pieces.push(data),
            _ => break,
        }
    }
    let mut left = Pieces { pieces, piece: 0, at: 0 };
    let mut lengths = Vec::new();
    while let Some(length) = left.string() {
        lengths.push(length);
    }
    lengths
}

/// The data of a record and of those that continue it.
struct Pieces<'p> {
    pieces: Vec<&'p [u8]>,
    piece: usize,
    at: usize,
}

impl Pieces<'_> {
    fn byte(&mut self) -> Option<u8> {
        while self.at == self.pieces.get(self.piece)?.len() {
            (self.piece, self.at) = (self.piece + 1, 0);
        }
        self.at += 1;
        Some(self.pieces[self.piece][self.at - 1])
    }

    fn number(&mut self, bytes: u32) -> Option<u32> {
        (0..bytes).try_fold(0, |n, shift| Some(n | u32::from(self.byte()?) << (8 * shift)))
    }

    fn skip(&mut self, mut bytes: u64) -> Option<()> {
        while bytes > 0 {
            let rest = (self.pieces.get(self.piece)?.len() - self.at) as u64;
            if rest >= bytes {
                self.at += bytes as usize;
                return Some(());
            }
            bytes -= rest;
            (self.piece, self.at) = (self.piece + 1, 0);
        }
        Some(())
    }

    /// Passes over one text ([MS-XLS] 2.5.293) and gives its length.
    fn string(&mut self) -> Option<u32> {
        let chars = self.number(2)?;
        let mut flags = self.byte()?;
        let runs = if flags & 8 != 0 { self.number(2)? } else { 0 };
        let extra = if flags & 4 != 0 { self.number(4)? } else { 0 };
        let mut left = u64::from(chars);
        while left > 0 {
            let width = 1 + u64::from(flags & 1);
            let here = (self.pieces.get(self.piece)?.len() - self.at) as u64 / width;
            let taken = here.min(left);
            self.skip(taken * width)?;
            left -= taken;
            if left > 0 {
                // What goes on in the next record says anew how wide its characters are.
                (self.piece, self.at) = (self.piece + 1, 0);
                flags = self.byte()?;
            }
        }
        self.skip(u64::from(runs) * 4 + u64::from(extra))?;
        Some(chars * 3)
    }
}

/// Records from a place on: where each begins, its type, its data. Ends where no whole record is left.
fn records(stream: &[u8], start: usize) -> impl Iterator<Item = (usize, u16, &[u8])> {
    let mut at = start;
    std::iter::from_fn(move || {
        let rest = stream.get(at..)?;
        let (kind, length) = (short(rest, 0)?, usize::from(short(rest, 2)?));
        let data = rest.get(4..4 + length)?;
        at += 4 + length;
        Some((at - 4 - length, kind, data))
    })
}

fn short(data: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(data.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

fn long(data: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(data.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u16, data: &[u8]) -> Vec<u8> {
        [&kind.to_le_bytes()[..], &(data.len() as u16).to_le_bytes(), data].concat()
    }

    /// A workbook of one sheet.
    fn workbook(shared: &[Vec<u8>], sheet: &[Vec<u8>]) -> Vec<u8> {
        let before = 4 + 8 + shared.concat().len() + 4;
        let mut bound = (before as u32).to_le_bytes().to_vec();
        bound.extend([0; 4]);
        [record(BOUND_SHEET, &bound), shared.concat(), record(END, &[]), sheet.concat(), record(END, &[])].concat()
    }

    #[test]
    fn far_cells_and_stated_sizes_count_as_rectangles() {
        let cell = |row: u16, column: u16| [row.to_le_bytes(), column.to_le_bytes(), [0; 2]].concat();
        let far = workbook(&[], &[record(0x0203, &cell(0, 0)), record(0x0203, &cell(65535, 255))]);
        assert_eq!(of_stream(&far).unwrap(), Extent { cells: 65536 * 256, text: 0 });
        // 1,000,000 rows of 200 columns are stated, none is there; and a row of several numbers.
        let stated = [&0u32.to_le_bytes()[..], &1_000_000u32.to_le_bytes(), &[0, 0, 200, 0, 0, 0]].concat();
        assert_eq!(of_stream(&workbook(&[], &[record(DIMENSIONS, &stated)])).unwrap().cells, 200_000_000);
        let several = [&[3, 0, 2, 0][..], &[0; 12], &[3, 0]].concat();
        assert_eq!(of_stream(&workbook(&[], &[record(MUL_RK, &several)])).unwrap().cells, 2);
    }

    #[test]
    fn shared_texts_count_for_each_cell() {
        // "ab" in narrow and "长…" (3 characters, wide) that goes on, narrow, in the next record.
        let first = [&[0; 8][..], &[2, 0, 0], b"ab", &[3, 0, 1], &[0x7f, 0x95]].concat();
        let shared = [record(SHARED_STRINGS, &first), record(CONTINUE, &[0, b'x', b'y'])];
        let cell = |text: u8| record(LABEL_SST, &[0, 0, 0, 0, 0, 0, text, 0, 0, 0]);
        let extent = of_stream(&workbook(&shared, &[cell(0), cell(1), cell(1)])).unwrap();
        assert_eq!(extent, Extent { cells: 1, text: 6 + 9 + 9 });
    }

    #[test]
    fn a_real_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/formats/messages.xls");
        let extent = extent(&std::fs::read(path).unwrap()).unwrap();
        assert!(extent.cells >= 20 && extent.cells < 1000 && extent.text > 50 && extent.text < 5000, "{extent:?}");
        assert!(super::extent(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1").is_err());
    }
}
