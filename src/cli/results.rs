//! In which formats every conversation's record is written.

use std::io::Write;

use clap::ValueEnum;

use zhijian::error::{Error, Result};
use zhijian::pack::Pack;
use zhijian::pipeline::{Format, Summary};
use zhijian::report::columnar::{Columnar, WithContext};
use zhijian::report::folder::{StagedFolder, finish};

use super::outputs::ReportKind;

/// A format of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ResultKind {
    /// conversations.jsonl
    Jsonl,
    /// conversations.parquet、findings.parquet、agents.parquet
    Parquet,
}

const LINES: &str = "conversations.jsonl";

/// What is written of every conversation.
#[derive(Debug, Clone, Copy)]
pub struct Results {
    /// `conversations.jsonl` is asked for.
    lines: bool,
    columns: bool,
    /// The workbook is made from it.
    book: bool,
}

impl Results {
    pub fn new(kinds: &[ResultKind], report: ReportKind) -> Results {
        let columns = kinds.contains(&ResultKind::Parquet);
        Results { lines: kinds.contains(&ResultKind::Jsonl) || !columns, columns, book: report.book() }
    }

    /// Runs what formats the records, with the place they go to.
    pub fn write(
        &self,
        folder: &StagedFolder,
        pack: &Pack,
        format: &dyn Format,
        go: impl FnOnce(&dyn Format, &mut (dyn Write + Send)) -> Result<Summary>,
    ) -> Result<Summary> {
        let failed = |e| Error::write(LINES, e);
        let mut lines = (self.lines || self.book).then(|| folder.create(LINES)).transpose()?;
        let summary = match &mut lines {
            Some(out) if !self.columns => go(format, out)?,
            out => {
                let mut columnar = Columnar::new(folder, pack, out.as_mut().map(|o| o as &mut (dyn Write + Send)))?;
                let summary = go(&WithContext(format), &mut columnar)?;
                columnar.finish().map_err(|e| Error::write("conversations.parquet", e))?;
                summary
            }
        };
        lines.map_or(Ok(()), finish).map_err(failed)?;
        Ok(summary)
    }

    /// Takes away what only the workbook needed.
    pub fn tidy(&self, folder: &StagedFolder) -> Result<()> {
        let path = folder.staging().join(LINES);
        if !self.lines && path.exists() {
            std::fs::remove_file(&path).map_err(|e| Error::write(&path, e))?;
        }
        Ok(())
    }
}
