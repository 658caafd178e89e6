//! `scorecards.xlsx`: the workbook a supervisor would build herself — 总览, 坐席, 维度, 规则, 违规明细, 会话, 指标口径.
//!
//! The sheets with a row a finding and a row a conversation are read back from the finished `conversations.jsonl` line by
//! line and written row by row (each row leaves memory at once), so that memory does not grow with the night. Where no
//! such file is at hand (a period rendered again), they hold the evidence that was kept, and say so. What does not fit
//! is left out with a word about it, on the sheet and on the first one.
//!
//! The same night gives the same bytes: the file's own date is the night's, and nothing in it depends on the clock.

mod agents;
mod chart_tables;
mod charts;
mod detail_columns;
mod dimensions;
mod findings;
mod glossary;
mod overview;
mod records;
mod rules;
mod split;
mod style;
mod table;
mod text;

use std::io::{BufWriter, Seek, Write};
use std::path::Path;

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook, Worksheet, XlsxError};

use super::night::Night;
use super::words::pick;
use crate::error::{Error, Result};
use style::Styles;
use table::Column;

/// How many rows the sheets with a row a finding and a row a conversation take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Rows of one sheet; more go to a second one (违规明细2, …).
    pub sheet: u64,
    /// Rows in all; more are left out, with a word about it.
    pub all: u64,
}

impl Default for Limits {
    /// Half a million a sheet (Excel's own limit is 1,048,576), a million in all.
    fn default() -> Self {
        Limits { sheet: 500_000, all: 1_000_000 }
    }
}

/// Where the workbook finds what the night itself does not hold.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sources<'s> {
    /// The finished `conversations.jsonl`; without it findings are the evidence kept.
    pub conversations: Option<&'s Path>,
    /// The folder the workbook will stand in: a conversation's page there (`report/chats/<stem>.html`) is linked.
    pub folder: Option<&'s Path>,
    /// How much of it is written out.
    pub limits: Limits,
}

/// Names of the sheets in the report's language.
struct Names {
    overview: &'static str,
    agents: &'static str,
    dimensions: &'static str,
    rules: &'static str,
    findings: &'static str,
    conversations: &'static str,
    glossary: &'static str,
}

/// What every sheet needs.
struct Page<'p> {
    night: &'p Night<'p>,
    styles: &'p Styles,
    names: Names,
}

impl Page<'_> {
    fn say<'t>(&self, zh: &'t str, en: &'t str) -> &'t str {
        pick(self.night.lang, zh, en)
    }

    fn zh(&self) -> bool {
        self.night.lang == crate::judge::Lang::Zh
    }
}

/// A finished sheet with the columns to explain.
struct Sheet {
    sheet: Worksheet,
    columns: Vec<Column>,
}

/// Writes the workbook.
///
/// # Errors
/// When `conversations.jsonl` cannot be read, or the disk takes no more.
pub fn write<W: Write + Seek + Send>(out: &mut W, night: &Night<'_>, sources: &Sources<'_>) -> Result<()> {
    let failed = |error: XlsxError| match error {
        XlsxError::IoError(source) => Error::write("scorecards.xlsx", source),
        other => Error::write("scorecards.xlsx", std::io::Error::other(other)),
    };
    let mut book = Workbook::new();
    if let Some(folder) = sources.folder {
        book.set_tempdir(folder).map_err(failed)?;
    }
    let styles = Styles::new();
    let names = Names {
        overview: pick(night.lang, "总览", "Overview"),
        agents: pick(night.lang, "坐席", "Agents"),
        dimensions: pick(night.lang, "维度", "Dimensions"),
        rules: pick(night.lang, "规则", "Rules"),
        findings: pick(night.lang, "违规明细", "Findings"),
        conversations: pick(night.lang, "会话", "Conversations"),
        glossary: pick(night.lang, "指标口径", "Definitions"),
    };
    let page = Page { night, styles: &styles, names };
    let agents = agents::sheet(&mut book, &page).map_err(failed)?;
    let dimensions = dimensions::sheet(&mut book, &page).map_err(failed)?;
    let rules = rules::sheet(&mut book, &page).map_err(failed)?;
    let details = findings::sheets(&mut book, &page, sources, failed)?;
    let overview = overview::sheet(&page, &details.words).map_err(failed)?;
    let explained: Vec<(&str, &[Column])> = vec![
        (page.names.agents, &agents.columns),
        (page.names.dimensions, &dimensions.columns),
        (page.names.rules, &rules.columns),
        (page.names.findings, &details.finding_columns),
        (page.names.conversations, &details.conversation_columns),
    ];
    let glossary = glossary::sheet(&mut book, &page, &explained).map_err(failed)?;
    book.push_worksheet(overview);
    for sheet in [agents, dimensions, rules] {
        book.push_worksheet(sheet.sheet);
    }
    details.findings.into_iter().chain(details.conversations).for_each(|sheet| book.push_worksheet(sheet));
    book.push_worksheet(glossary);
    book.set_properties(&properties(&page));
    let mut out = BufWriter::with_capacity(1 << 18, out);
    book.save_to_writer(&mut out).map_err(failed)?;
    out.flush().map_err(|e| Error::write("scorecards.xlsx", e))
}

/// The file's own properties, the same in every run over the same night.
fn properties(page: &Page<'_>) -> DocProperties {
    let title = pick(page.night.lang, "质检评分", "Quality scorecards");
    let properties = DocProperties::new().set_title(format!("{title} {}", page.night.label)).set_author("zhijian");
    match day(&page.night.label).or_else(|| ExcelDateTime::from_ymd(1970, 1, 1).ok()) {
        Some(day) => properties.set_creation_datetime(&day),
        None => properties,
    }
}

/// The day a label names, if it names one.
fn day(label: &str) -> Option<ExcelDateTime> {
    let date: jiff::civil::Date = label.parse().ok()?;
    ExcelDateTime::from_ymd(u16::try_from(date.year()).ok()?, date.month() as u8, date.day() as u8).ok()
}
