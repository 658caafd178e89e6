//! A file whose rows are messages, read whole and grouped, whose conversations are handed out: delimited text, and rows
//! gathered from workbooks and columnar files.

use std::sync::Arc;

use super::block::{Block, Content};
use super::cells::{Rows, letters};
use super::columns::COLUMNS;
use super::delimited::{Groups, Table};
use super::format::Shape;
use super::grouping::Found as Gathered;
use super::layout;
use super::reader::{raw_summary, rejects_block, stopped, summary};
use super::reject::Fault;
use super::source::Source;
use super::spilled::SpilledFile;
use super::{FileSummary, InputOptions, workbook as book};
use crate::error::Error;

/// A delimited file: grouped in memory, or to be grouped on disk.
pub(super) enum Delimited {
    Held(Box<Grouped>),
    Spilled(Box<SpilledFile>),
}

pub(super) type Grouped = (GroupFile, FileSummary, Option<Block>);

/// A workbook, gathered and grouped.
pub(super) fn workbook(source: Source, options: &Arc<InputOptions>) -> Result<Grouped, Error> {
    let (name, format) = (source.name.clone(), source.format);
    let (file, mut raw) = source.seekable()?;
    let mut rows = Rows::new(name.clone());
    let fault = match file {
        Ok(file) => book::read(file, format.shape == Shape::Xls, false, &mut rows, options)?,
        Err(fault) => Some(fault),
    };
    let summary = raw_summary(&mut raw, &name, format.id, 0)?;
    Ok(GroupFile::gathered(rows, fault, summary, options))
}

/// A delimited file, read and grouped, whose conversations are handed out.
pub(super) struct GroupFile {
    table: Arc<Table>,
    next: usize,
    /// Stored bytes of the file, of which blocks stand for a share.
    stored: u128,
    text: u128,
    before: u128,
}

impl GroupFile {
    pub(super) fn read(mut source: Source, options: &Arc<InputOptions>) -> Result<Delimited, Error> {
        let most = options.limits.grouped_in_memory_bytes;
        let mut data = Vec::with_capacity(source.size_hint().min(most.saturating_add(1 << 20)));
        let mut more = true;
        while more && data.len() <= most {
            more = source.text.fill(&mut data, 1 << 20);
        }
        if data.len() > most {
            return Ok(Delimited::Spilled(Box::new(SpilledFile::new(source, data, more, options)?)));
        }
        let stop = stopped(&mut source.text, &source.name)?;
        let mut rest = Vec::new();
        if stop.is_some() {
            rest = data.split_off(memchr::memrchr(b'\n', &data).map_or(0, |n| n + 1));
        }
        let layout = layout::of(&source, &data, options)?;
        let columns = layout.named(&data);
        let format = layout.format();
        let damaged = source.text.take_damaged();
        let (table, mut found) = Table::build(source.name.clone(), data, layout, damaged, None, options.clone());
        if let Some(fault) = stop {
            found.rejects.push(fault.reject(&source.name, found.line, &rest));
            found.records += 1;
        }
        let mut summary = summary(&mut source.text, &source.name, format, found.records, found.blank)?;
        summary.columns = columns;
        Ok(Delimited::Held(Box::new(GroupFile::of(table, found, summary))))
    }

    /// Rows gathered from a file that is no text, grouped.
    pub(super) fn gathered(
        rows: Rows,
        fault: Option<Fault>,
        mut summary: FileSummary,
        options: &Arc<InputOptions>,
    ) -> Grouped {
        let Rows { file, data, origin, rejects, notes, .. } = rows;
        for sheet in &origin.sheets {
            for (at, header) in sheet.headers.iter().enumerate() {
                if !header.is_empty() && !sheet.columns.contains(&Some(at as u32)) {
                    let name = sheet.name.as_deref().unwrap_or_default();
                    summary.columns.push((format!("{name}!{} {header}", letters(at as u32)), None));
                }
            }
            for (column, at) in COLUMNS.iter().zip(sheet.columns) {
                if let (Some(at), Some(name)) = (at, &sheet.name) {
                    let header = sheet.headers.get(at as usize).filter(|h| !h.is_empty());
                    let header = header.map_or_else(String::new, |h| format!(" {h}"));
                    summary.columns.push((format!("{name}!{}{header}", letters(at)), Some(column.0)));
                }
            }
        }
        summary.notes.extend(notes);
        let (table, mut found) = Table::build(file.clone(), data, Rows::layout(), false, Some(origin), options.clone());
        found.records += rejects.len() as u64;
        found.rejects.extend(rejects);
        if let Some(fault) = fault {
            found.records += 1;
            found.rejects.push(fault.reject(&file, found.line, b""));
        }
        (summary.records, summary.blank) = (found.records, found.blank);
        GroupFile::of(table, found, summary)
    }

    pub(super) fn of(table: Table, found: Gathered, summary: FileSummary) -> Grouped {
        let share = if table.groups.is_empty() { summary.bytes } else { 0 };
        let rejects = (!found.rejects.is_empty()).then(|| rejects_block(found.rejects, share));
        let text = table.groups.iter().map(|g| u128::from(g.bytes)).sum();
        let stored = u128::from(summary.bytes);
        (GroupFile { table: Arc::new(table), next: 0, stored, text, before: 0 }, summary, rejects)
    }

    pub(super) fn next(&mut self, size: usize) -> Option<Block> {
        let first = self.next;
        let mut text = 0;
        while self.next < self.table.groups.len() && (text == 0 || text < size as u128) {
            text += u128::from(self.table.groups[self.next].bytes);
            self.next += 1;
        }
        if first == self.next {
            return None;
        }
        let share = |text: u128| (self.stored * text / self.text.max(1)) as u64;
        let bytes = share(self.before + text) - share(self.before);
        self.before += text;
        let groups = Groups { table: self.table.clone(), range: first..self.next };
        Some(Block { bytes, buffer: Vec::new(), content: Content::Groups(groups) })
    }
}
