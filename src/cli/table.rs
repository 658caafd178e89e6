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

/// Text safe to print: no control characters that could steer the terminal or turn the direction of writing.
pub fn plain(text: &str) -> String {
    let turns = |c| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().filter(|&c| c == '\n' || !c.is_control() && !turns(c)).collect()
}
