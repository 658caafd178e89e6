//! A table that goes on in a second sheet when the first is full, and stops at a limit.

use rust_xlsxwriter::{Workbook, Worksheet, XlsxError};

use super::Page;
use super::table::{Column, Table};
use super::text::Cell;

/// Sheets of one kind, begun anew when one is full.
pub(super) struct Split<'s> {
    pub name: &'static str,
    pub columns: Vec<Column>,
    pub banner: Option<String>,
    pub open: Option<Table<'s>>,
    pub full: Vec<Worksheet>,
    pub sheet_rows: u64,
    pub all_rows: u64,
    pub written: u64,
    pub finish: fn(&Page<'_>, Table<'s>) -> Result<Worksheet, XlsxError>,
}

impl<'s> Split<'s> {
    pub fn has_room(&self) -> bool {
        self.written < self.all_rows
    }

    /// Where the next row will stand: sheet and Excel's row number.
    pub fn next(&self) -> (String, u32) {
        let header = 1 + u32::from(self.banner.is_some());
        match &self.open {
            Some(table) if u64::from(table.rows()) < self.sheet_rows => (self.sheet_name(0), table.next_row()),
            Some(_) => (self.sheet_name(1), header + 1),
            None => (self.sheet_name(0), header + 1),
        }
    }

    /// The name of the open sheet, or of those after it.
    fn sheet_name(&self, later: usize) -> String {
        match self.full.len() + later {
            0 => self.name.to_string(),
            n => format!("{}{}", self.name, n + 1),
        }
    }

    pub fn row<'c>(
        &mut self,
        book: &mut Workbook,
        page: &Page<'s>,
        grey: bool,
        cells: Vec<Cell<'c>>,
    ) -> Result<(), XlsxError> {
        if self.open.as_ref().is_some_and(|t| u64::from(t.rows()) >= self.sheet_rows) {
            self.close(page)?;
        }
        if self.open.is_none() {
            self.begin(book, page)?;
        }
        if let Some(table) = &mut self.open {
            table.row(grey, cells)?;
            self.written += 1;
        }
        Ok(())
    }

    fn begin(&mut self, book: &mut Workbook, page: &Page<'s>) -> Result<(), XlsxError> {
        let name = self.sheet_name(0);
        self.open = Some(Table::new(book, page, &name, self.columns.clone(), self.banner.as_deref())?);
        Ok(())
    }

    fn close(&mut self, page: &Page<'s>) -> Result<(), XlsxError> {
        if let Some(table) = self.open.take() {
            self.full.push((self.finish)(page, table)?);
        }
        Ok(())
    }

    /// Ends the last sheet; an empty one when nothing was written.
    pub fn end(mut self, book: &mut Workbook, page: &Page<'s>) -> Result<Vec<Worksheet>, XlsxError> {
        if self.open.is_none() && self.full.is_empty() {
            self.begin(book, page)?;
        }
        self.close(page)?;
        Ok(self.full)
    }
}
