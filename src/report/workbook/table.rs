//! A sheet that is one table: header, typed cells, frozen, filtered, printable. Rows are written in order and leave
//! memory at once.

use rust_xlsxwriter::{Note, Workbook, Worksheet, XlsxError};

use super::Page;
use super::style::{Kind, Styles};
use super::text::{Cell, could_be_formula, width};
use crate::judge::Lang;

/// Width that a page across takes in print and stays readable.
const PAGE: usize = 215;
/// Rows whose contents decide the widths of columns.
const MEASURED: u32 = 2_000;

/// A column: what it is called, what it holds, what it means.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its header.
    pub title: String,
    /// What it holds.
    pub kind: Kind,
    /// What it means: definition, source, formula.
    pub about: String,
    /// Widest it gets.
    pub widest: usize,
}

/// A column whose words are the program's.
pub fn column(lang: Lang, kind: Kind, title: (&str, &str), about: (&str, &str)) -> Column {
    let pick = |(zh, en): (&str, &str)| if lang == Lang::Zh { zh } else { en }.to_string();
    let widest = match kind {
        Kind::Wrap => 56,
        Kind::Text => 28,
        _ => 16,
    };
    Column { title: pick(title), kind, about: pick(about), widest }
}

/// A sheet being written.
pub struct Table<'t> {
    sheet: Worksheet,
    styles: &'t Styles,
    columns: Vec<Column>,
    widths: Vec<usize>,
    header: u32,
    row: u32,
}

impl<'t> Table<'t> {
    /// Begins a sheet; `banner` is a sentence above its header.
    ///
    /// # Errors
    /// When the temporary file behind it cannot be made.
    pub fn new(
        book: &mut Workbook,
        page: &Page<'t>,
        name: &str,
        columns: Vec<Column>,
        banner: Option<&str>,
    ) -> Result<Table<'t>, XlsxError> {
        let mut sheet = book.new_worksheet_with_constant_memory()?;
        sheet.set_name(name)?;
        let header = u32::from(banner.is_some());
        if let Some(banner) = banner {
            sheet.set_row_height(0, 32)?;
            let last = (columns.len() - 1).min(9) as u16;
            sheet.merge_range(0, 0, 0, last, banner, &page.styles.banner)?;
        }
        sheet.set_row_height(header, 34)?;
        for (number, column) in columns.iter().enumerate() {
            sheet.write_string_with_format(header, number as u16, &column.title, &page.styles.header)?;
            let note = Note::new(&column.about).add_author_prefix(false).set_width(260).set_height(110);
            sheet.insert_note(header, number as u16, &note)?;
        }
        // Room for the button of the filter; long headers take two lines.
        let widths = columns.iter().map(|c| width_of_header(&c.title)).collect();
        Ok(Table { sheet, styles: page.styles, columns, widths, header, row: header })
    }

    /// Excel's number of the row written next.
    pub fn next_row(&self) -> u32 {
        self.row + 2
    }

    /// Rows written.
    pub fn rows(&self) -> u32 {
        self.row - self.header
    }

    /// Writes a row; `grey` where it says little.
    ///
    /// # Errors
    /// When the temporary file takes no more.
    pub fn row<'c>(&mut self, grey: bool, cells: impl IntoIterator<Item = Cell<'c>>) -> Result<(), XlsxError> {
        self.row += 1;
        let row = self.row;
        let measured = self.rows() <= MEASURED;
        for (number, cell) in cells.into_iter().enumerate() {
            let column = number as u16;
            let kind = self.columns[number].kind;
            match cell {
                Cell::Empty => {}
                Cell::Text(text) => {
                    if measured {
                        self.widths[number] = self.widths[number].max(width(&text) + 2);
                    }
                    let format = self.styles.cell(kind, grey, could_be_formula(&text));
                    self.sheet.write_string_with_format(row, column, text.as_ref(), format)?;
                }
                Cell::Number(value) => {
                    self.sheet.write_number_with_format(row, column, value, self.styles.cell(kind, grey, false))?;
                }
                Cell::Formula(formula) => {
                    self.sheet.write_formula_with_format(row, column, formula, self.styles.cell(kind, grey, false))?;
                }
                Cell::Date(date) => {
                    self.sheet.write_datetime_with_format(row, column, &date, self.styles.cell(kind, grey, false))?;
                }
            }
        }
        Ok(())
    }

    /// The cells of a column below the header, for conditional formats; nothing without rows.
    ///
    /// # Errors
    /// When the format is not one for cells.
    pub fn format_column<F>(&mut self, column: usize, format: &F) -> Result<(), XlsxError>
    where
        F: rust_xlsxwriter::ConditionalFormat + Send + Sync + 'static,
    {
        if self.rows() > 0 {
            self.sheet.add_conditional_format(self.header + 1, column as u16, self.row, column as u16, format)?;
        }
        Ok(())
    }

    /// Ends the sheet: filter, frozen header (and the first `frozen` columns), widths, printing.
    ///
    /// # Errors
    /// Never for a table of this program's making.
    pub fn finish(mut self, frozen: u16) -> Result<Worksheet, XlsxError> {
        let last = (self.columns.len() - 1) as u16;
        self.sheet.autofilter(self.header, 0, self.row.max(self.header + 1), last)?;
        self.sheet.set_freeze_panes(self.header + 1, frozen)?;
        let mut all = 0;
        for (number, (column, width)) in self.columns.iter().zip(&self.widths).enumerate() {
            let width = (*width).min(column.widest.max(width_of_header(&column.title)));
            all += width;
            self.sheet.set_column_width(number as u16, width as f64)?;
        }
        self.sheet.set_repeat_rows(self.header, self.header)?;
        let pages = all.div_ceil(PAGE).max(1) as u16;
        printable(&mut self.sheet, pages);
        if pages > 1 && frozen > 0 {
            self.sheet.set_repeat_columns(0, frozen - 1)?;
        }
        Ok(self.sheet)
    }
}

/// Two lines, and room for the button of the filter.
fn width_of_header(title: &str) -> usize {
    (width(title).div_ceil(2) + 4).max(8)
}

/// Landscape A4, `pages` wide, numbered.
pub fn printable(sheet: &mut Worksheet, pages: u16) {
    sheet.set_landscape().set_paper_size(9).set_print_fit_to_pages(pages, 0);
    sheet.set_margins(0.4, 0.4, 0.5, 0.5, 0.2, 0.2);
    sheet.set_footer("&L&A&R&P / &N");
}
