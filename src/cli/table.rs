//! Tables for the terminal.

use comfy_table::{Table, presets};

/// A plain table with these headers.
pub fn table(headers: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_header(headers.iter().copied());
    table
}

/// Text safe to print: no control characters that could steer the terminal.
pub fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || *c == '\n').collect()
}
