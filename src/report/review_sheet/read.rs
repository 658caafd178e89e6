//! Reading a sheet that came back: bounded, cell by cell, with every fault named by sheet and cell.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use calamine::{DataRef, Reader as _, Xlsx};
use sha2::{Digest, Sha256};

use super::{MAGIC, MAIN, META};
use crate::error::{Error, Result};
use crate::review::filled::{Cells, Fault};

/// Most bytes a sheet may hold when decompressed.
const MOST_BYTES: u64 = 256 << 20;
/// Most rows and columns looked at.
const MOST: (u32, u32) = (300_000, 200);

/// A sheet as it came back.
#[derive(Debug, Clone)]
pub struct Given {
    /// Which sheet it is.
    pub id: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// The cells of the main sheet.
    pub cells: Cells,
    /// Cells that hold no text or number.
    pub faults: Vec<Fault>,
}

/// A fault with the place people know it by: `复核!E12`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetFault(pub Fault);

impl std::fmt::Display for SheetFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Fault { row, column, message } = &self.0;
        write!(f, "{MAIN}!{}{}: {message}", letters(*column), row + 1)
    }
}

/// `A`, `B`, …, `Z`, `AA`.
fn letters(column: usize) -> String {
    let mut n = column + 1;
    let mut out = Vec::new();
    while n > 0 {
        n -= 1;
        out.push(b'A' + (n % 26) as u8);
        n /= 26;
    }
    out.iter().rev().map(|b| char::from(*b)).collect()
}

/// Reads a workbook that should be a review sheet.
///
/// # Errors
/// When it cannot be read or is something else.
pub fn given(path: &Path) -> Result<Given> {
    let shown = path.display();
    let broken = |e: &dyn std::fmt::Display| {
        Error::Other(format!("{shown} 不是可读的 .xlsx: {e};请从 Excel 或 WPS 另存为 .xlsx 再导入"))
    };
    let open = || File::open(path).map_err(|e| Error::read(path, e));
    let mut hasher = Sha256::new();
    std::io::copy(&mut open()?, &mut Hashing(&mut hasher)).map_err(|e| Error::read(path, e))?;
    let mut archive = zip::ZipArchive::new(open()?).map_err(|e| broken(&e))?;
    let mut bytes = 0u64;
    for index in 0..archive.len() {
        bytes = bytes.saturating_add(archive.by_index_raw(index).map_err(|e| broken(&e))?.size());
    }
    if bytes > MOST_BYTES {
        return Err(Error::Other(format!("{shown} 展开后超过 256 MB,不是复核表")));
    }
    let mut book: Xlsx<_> = Xlsx::new(BufReader::new(open()?)).map_err(|e| broken(&e))?;
    let names = book.sheet_names().to_vec();
    let unknown = || Error::Other(format!("{shown} 不是 zhijian 发出的复核表(缺少隐藏的“{META}”页);请用原来的表填写"));
    if !names.iter().any(|n| n == META) {
        return Err(unknown());
    }
    let (meta, _) = cells(&mut book, META).map_err(|e| broken(&e))?;
    let meta = |row: u32| meta.get(&(row, 0)).map_or("", String::as_str);
    if meta(0) != MAGIC {
        return Err(unknown());
    }
    let id = meta(1).to_string();
    if !names.iter().any(|n| n == MAIN) {
        return Err(Error::Other(format!("{shown} 里没有“{MAIN}”页,可能被删掉或改了名;请改回来或用原来的表填写")));
    }
    let (cells, faults) = cells(&mut book, MAIN).map_err(|e| broken(&e))?;
    let sha256 = hasher.finalize().iter().map(|b| format!("{b:02x}")).collect();
    Ok(Given { id, sha256, cells, faults })
}

struct Hashing<'h>(&'h mut Sha256);

impl std::io::Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn cells(
    book: &mut Xlsx<BufReader<File>>,
    sheet: &str,
) -> std::result::Result<(Cells, Vec<Fault>), calamine::XlsxError> {
    let (mut out, mut faults) = (Cells::new(), Vec::new());
    let mut reader = book.worksheet_cells_reader(sheet)?;
    while let Some(cell) = reader.next_cell()? {
        let (row, column) = cell.get_position();
        if row >= MOST.0 || column >= MOST.1 {
            let message = "写在了表格外面".to_string();
            faults.push(Fault { row, column: column as usize, message });
            break;
        }
        let text = match cell.get_value() {
            DataRef::String(text) => text.clone(),
            DataRef::SharedString(text) => (*text).to_string(),
            DataRef::Int(n) => n.to_string(),
            DataRef::Float(n) => n.to_string(),
            DataRef::Bool(b) => b.to_string().to_uppercase(),
            DataRef::Empty => continue,
            DataRef::Error(e) => {
                let message = format!("单元格是错误值 {e},请重新填写");
                faults.push(Fault { row, column: column as usize, message });
                continue;
            }
            _ => {
                let message = "单元格是日期或时间,请重新填写".to_string();
                faults.push(Fault { row, column: column as usize, message });
                continue;
            }
        };
        if !text.is_empty() {
            out.insert((row, column as usize), text);
        }
    }
    Ok((out, faults))
}
