//! What a cell may hold: text that is no formula, within what Excel takes.

use std::borrow::Cow;

use rust_xlsxwriter::{ExcelDateTime, Formula};

use super::super::words::one_line;
use crate::judge::Lang;

/// Characters of a quote or reason shown in a cell. Excel's own limit is 32,767 UTF-16 units; a cell that long cannot be
/// read.
const MOST: usize = 2_000;

/// A cell's content.
#[derive(Clone)]
pub enum Cell<'c> {
    /// Nothing.
    Empty,
    /// Text, whatever is in it.
    Text(Cow<'c, str>),
    /// A number in the column's unit.
    Number(f64),
    /// A formula of the program's own making, never of outside text.
    Formula(Formula),
    /// A day.
    Date(ExcelDateTime),
}

impl<'c> Cell<'c> {
    /// A text of the program or the pack.
    pub fn text(text: impl Into<Cow<'c, str>>) -> Cell<'c> {
        let text = text.into();
        if text.is_empty() { Cell::Empty } else { Cell::Text(text) }
    }

    /// A text from outside: one line, no hidden characters, cut with a word where it is very long.
    pub fn foreign(lang: Lang, text: &str) -> Cell<'static> {
        Cell::text(one_line(lang, text, MOST))
    }

    /// A count.
    pub fn count(n: u64) -> Cell<'static> {
        Cell::Number(n as f64)
    }

    /// A number, or nothing where it is not known.
    pub fn number(value: Option<f64>) -> Cell<'static> {
        value.filter(|v| v.is_finite()).map_or(Cell::Empty, Cell::Number)
    }

    /// A link to a cell of another sheet. A formula: hyperlinks proper end at 65,530 a sheet and are held in memory.
    pub fn jump(sheet: &str, row: u32, shown: &str) -> Cell<'static> {
        Cell::Formula(Formula::new(format!("HYPERLINK(\"#'{sheet}'!A{row}\",\"{shown}\")")).set_result(shown))
    }

    /// A link to a file beside the workbook.
    pub fn file(path: &str, shown: &str) -> Cell<'static> {
        Cell::Formula(Formula::new(format!("HYPERLINK(\"{path}\",\"{shown}\")")).set_result(shown))
    }
}

/// True for text that a spreadsheet would take for a formula if someone edited the cell or saved the sheet as CSV. Such
/// cells are marked as quoted text, as an apostrophe typed before them would.
pub fn could_be_formula(text: &str) -> bool {
    matches!(super::super::names::cell(text), Cow::Owned(_))
}

/// Width of a text in Excel's column units: a Chinese character takes two.
pub fn width(text: &str) -> usize {
    text.chars().map(|c| if (c as u32) < 0x2000 { 1 } else { 2 }).sum()
}
