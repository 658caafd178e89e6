//! A delimited file, or one of message objects, read as a stream of rows.
//!
//! Memory: the window of the [`Scanner`].

use std::sync::Arc;

use super::InputOptions;
use super::columns::Column;
use super::group_file::{End, Feed, GroupFile};
use super::grouping::{Found, Gathering, is_row, sort_out};
use super::layout;
use super::reader::{stopped, summary};
use super::reject::Fault;
use super::scanner::Scanner;
use super::source::Source;
use crate::error::Error;

/// How much text is read at a time; also enough of a file to tell its layout by.
const PORTION: usize = 4 << 20;
/// Rows taken in at a time.
const ROWS: usize = 4096;

struct DelimitedFile {
    source: Source,
    format: &'static str,
    columns: Vec<(String, Option<Column>)>,
    scanner: Scanner,
    /// Why the text ended early, and the line that was cut.
    cut: Option<(Fault, Vec<u8>)>,
}

/// A file of rows, to be grouped.
pub(super) fn delimited(mut source: Source, options: &Arc<InputOptions>) -> Result<GroupFile, Error> {
    let (mut data, mut more) = (Vec::with_capacity(source.size_hint().min(PORTION)), true);
    while more && data.len() < PORTION {
        more = source.text.fill(&mut data, PORTION.min(1 << 20));
    }
    let cut = if more { None } else { cut(&mut source, &mut data)? };
    let layout = layout::of(&source, &data, options)?;
    let (name, format, columns) = (source.name.clone(), layout.format(), layout.named(&data));
    let scanner = Scanner::new(data, layout.start, !more, PORTION);
    let rows = Box::new(DelimitedFile { source, format, columns, scanner, cut });
    Ok(GroupFile::new(name, layout, options.clone(), rows))
}

/// At the end of the text: why it ended early and the line that was cut, which is taken off.
fn cut(source: &mut Source, window: &mut Vec<u8>) -> Result<Option<(Fault, Vec<u8>)>, Error> {
    let stop = stopped(&mut source.text, &source.name)?;
    Ok(stop.map(|fault| (fault, window.split_off(memchr::memrchr(b'\n', window).map_or(0, |n| n + 1)))))
}

impl Feed for DelimitedFile {
    fn take_in(&mut self, gathering: &mut Gathering) -> Result<bool, Error> {
        let DelimitedFile { source, scanner, cut: lost, .. } = self;
        let (layout, options) = (gathering.layout.clone(), gathering.options.clone());
        let max = options.limits.max_record_bytes;
        for _ in 0..ROWS {
            let fill = |window: &mut Vec<u8>, want: usize| -> Result<bool, Error> {
                let more = source.text.fill(window, want);
                if !more {
                    *lost = cut(source, window)?;
                }
                Ok(more)
            };
            let find = |data: &[u8], at| layout.row(data, at, max, |line| is_row(&layout, line, &options));
            let Some(row) = scanner.row(find, max, fill)? else {
                if let Some((fault, rest)) = lost.take() {
                    gathering.ended_by(fault, &rest);
                }
                return Ok(false);
            };
            let (line, raw) = (gathering.found.line, &scanner.window[row.start..row.end]);
            let sorted = sort_out(&layout, raw, row.broken, line, &options);
            gathering.row(line, row.lines, sorted, raw, None)?;
        }
        Ok(true)
    }

    fn bytes_read(&self) -> u64 {
        self.source.text.stream().tally().bytes()
    }

    fn end(&mut self, found: &Found) -> Result<End, Error> {
        let damaged = self.source.text.take_damaged();
        let (name, text) = (&self.source.name, &mut self.source.text);
        let mut summary = summary(text, name, self.format, found.records, found.blank)?;
        summary.columns = std::mem::take(&mut self.columns);
        Ok(End { summary, damaged, origin: None })
    }
}
