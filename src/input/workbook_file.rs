//! A workbook whose rows are messages, read as a whole when its rows are asked for.

use std::fs::File;
use std::sync::Arc;

use super::cells::Rows;
use super::encoding::Raw;
use super::format::{Format, Shape};
use super::group_file::{End, Feed, GroupFile};
use super::grouping::{Found, Gathering};
use super::reader::raw_summary;
use super::reject::Fault;
use super::source::Source;
use super::{InputOptions, workbook as book};
use crate::error::Error;

struct WorkbookFile {
    /// Until it is read.
    file: Option<Result<File, Fault>>,
    raw: Raw,
    format: &'static Format,
    rows: Rows,
}

/// A workbook, to be grouped.
pub(super) fn workbook(source: Source, options: &Arc<InputOptions>) -> Result<GroupFile, Error> {
    let (name, format) = (source.name.clone(), source.format);
    let (file, raw) = source.seekable()?;
    let rows = Rows::new(name.clone());
    let feed = Box::new(WorkbookFile { file: Some(file), raw, format, rows });
    Ok(GroupFile::new(name, Rows::layout(), options.clone(), feed))
}

impl Feed for WorkbookFile {
    fn take_in(&mut self, gathering: &mut Gathering) -> Result<bool, Error> {
        let options = gathering.options.clone();
        let fault = match self.file.take() {
            Some(Ok(file)) => {
                book::read(file, self.format.shape == Shape::Xls, &mut self.rows, Some(gathering), &options)?
            }
            Some(Err(fault)) => Some(fault),
            None => None,
        };
        if let Some(fault) = fault {
            gathering.ended_by(fault, b"");
        }
        Ok(false)
    }

    fn bytes_read(&self) -> u64 {
        self.raw.stream.tally().bytes()
    }

    fn end(&mut self, found: &Found) -> Result<End, Error> {
        let mut summary = raw_summary(&mut self.raw, &self.rows.file, self.format.id, found.records)?;
        summary.blank = found.blank;
        let origin = std::mem::take(&mut self.rows.origin);
        summary.columns = origin.columns();
        summary.notes = std::mem::take(&mut self.rows.notes);
        Ok(End { summary, damaged: false, origin: Some(origin) })
    }
}
