//! Tables for the terminal.

use comfy_table::{LineStyle, Table, TableStyle, presets};

/// Without lines between rows, for long tables.
const DENSE: TableStyle = TableStyle::new()
    .top_border(LineStyle::none().fill('─').junction('─'))
    .header_separator(LineStyle::none().fill('═').junction('═'))
    .bottom_border(LineStyle::none().fill('─').junction('─'));

/// A plain table with these headers.
pub fn table(headers: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_header(headers.iter().copied());
    table
}

/// A table with these headers and many rows.
pub fn dense(headers: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(DENSE).set_header(headers.iter().copied());
    table
}

/// Text safe to print: no control characters that could steer the terminal.
pub fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || *c == '\n').collect()
}
