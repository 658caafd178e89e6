//! A file whose rows are messages: delimited text, message objects, workbooks, columnar files. Its rows are taken in and grouped,
//! then its conversations handed out, each block as a table of its own.
//!
//! Rejects go out as they are found, before any conversation. Memory beside that of [`super::grouping`]: what the file is
//! read through, and the conversations being handed out, which are never cut.

use std::sync::Arc;

use super::block::{Block, Content};
use super::cells::Origin;
use super::delimited::{Group, NONE, RowRef, Table};
use super::grouping::{Found, Gathering};
use super::layout::Layout;
use super::reader::rejects_block;
use super::sorter::{Key, Merge};
use super::{FileSummary, InputOptions};
use crate::error::Error;

/// Rejects handed out at a time.
const REJECTS: usize = 512;

/// What rows are taken from.
pub(super) trait Feed: Send {
    /// Takes in some rows; false at the end.
    ///
    /// # Errors
    /// When the file or the temporary files fail, or the file's columns cannot be understood.
    fn take_in(&mut self, gathering: &mut Gathering) -> Result<bool, Error>;

    /// Stored bytes read so far.
    fn bytes_read(&self) -> u64;

    /// After the last row: what the file was.
    ///
    /// # Errors
    /// When the rest of the file cannot be read.
    fn end(&mut self, found: &Found) -> Result<End, Error>;
}

/// What is known of a file once its rows are taken in.
pub(super) struct End {
    pub summary: FileSummary,
    /// Undecodable bytes were met while transcoding.
    pub damaged: bool,
    /// Where rows came from, when not from lines of a text.
    pub origin: Option<Origin>,
}

/// A file being grouped.
pub(super) struct GroupFile {
    file: Arc<str>,
    layout: Layout,
    options: Arc<InputOptions>,
    state: State,
}

enum State {
    TakingIn { feed: Box<dyn Feed>, gathering: Box<Gathering> },
    Giving(Box<Giving>),
    Ended,
}

/// Conversations being handed out.
struct Giving {
    merge: Merge,
    next: Option<(Key, Vec<u8>)>,
    damaged: bool,
    origin: Option<Arc<Origin>>,
    summary: FileSummary,
    /// Text of messages, all and so far handed out: blocks stand for a share of the stored bytes.
    text: u128,
    before: u128,
}

impl GroupFile {
    pub(super) fn new(file: Arc<str>, layout: Layout, options: Arc<InputOptions>, feed: Box<dyn Feed>) -> GroupFile {
        let gathering = Box::new(Gathering::new(file.clone(), layout.clone(), options.clone()));
        GroupFile { file, layout, options, state: State::TakingIn { feed, gathering } }
    }

    /// The next block, or at the end what the file was.
    pub(super) fn next(&mut self) -> Result<Result<Block, FileSummary>, Error> {
        if let State::TakingIn { feed, gathering } = &mut self.state {
            while feed.take_in(gathering)? {
                if gathering.found.rejects.len() >= REJECTS {
                    return Ok(Ok(rejects_block(std::mem::take(&mut gathering.found.rejects), 0)));
                }
            }
            let rejects = std::mem::take(&mut gathering.found.rejects);
            let End { summary, damaged, origin } = feed.end(&gathering.found)?;
            let (mut merge, text) = gathering.by_first_row()?;
            let share = if text == 0 { summary.bytes } else { 0 };
            let mut body = Vec::new();
            let next = merge.next(&mut body).map_err(Error::temporary)?.map(|key| (key, body));
            let origin = origin.map(Arc::new);
            self.state = State::Giving(Box::new(Giving { merge, next, damaged, origin, summary, text, before: 0 }));
            if !rejects.is_empty() {
                return Ok(Ok(rejects_block(rejects, share)));
            }
        }
        if let Some(block) = self.give()? {
            return Ok(Ok(block));
        }
        match std::mem::replace(&mut self.state, State::Ended) {
            State::Giving(giving) => Ok(Err(giving.summary)),
            _ => Err(Error::Other(format!("{}: read beyond its end", self.file))),
        }
    }

    /// The next conversations, as a table of their own.
    fn give(&mut self) -> Result<Option<Block>, Error> {
        let State::Giving(giving) = &mut self.state else { return Ok(None) };
        let most = self.options.limits.max_turns as u64;
        let (mut data, mut rows, mut groups) = (Vec::new(), Vec::<RowRef>::new(), Vec::<Group>::new());
        let (mut text, mut conversation) = (0u128, None);
        while let Some(((first, _), body)) = &mut giving.next {
            let new = conversation != Some(*first);
            if new && !groups.is_empty() && text >= self.options.block_bytes as u128 {
                break;
            }
            conversation = Some(*first);
            let (line, raw) = body.split_at(8);
            text += raw.len() as u128 + 1;
            let index = rows.len() as u32;
            let row = |data: &mut Vec<u8>| {
                let start = data.len();
                data.extend_from_slice(raw);
                let line = line.iter().rev().fold(0, |n, b| n << 8 | u64::from(*b));
                RowRef { start, end: data.len(), line, next: NONE }
            };
            match groups.last_mut() {
                Some(group) if !new => {
                    group.rows += 1;
                    // a conversation of too many turns is a reject that shows its first row
                    if group.rows <= most {
                        rows[group.last as usize].next = index;
                        group.last = index;
                        rows.push(row(&mut data));
                    }
                }
                _ => {
                    groups.push(Group { first: index, last: index, rows: 1 });
                    rows.push(row(&mut data));
                }
            }
            match giving.merge.next(body).map_err(Error::temporary)? {
                Some(key) => giving.next = Some((key, std::mem::take(body))),
                None => giving.next = None,
            }
        }
        if groups.is_empty() {
            return Ok(None);
        }
        let share = |text: u128| (u128::from(giving.summary.bytes) * text / giving.text.max(1)) as u64;
        let bytes = share(giving.before + text) - share(giving.before);
        giving.before += text;
        let (file, layout, options) = (self.file.clone(), self.layout.clone(), self.options.clone());
        let (damaged, origin) = (giving.damaged, giving.origin.clone());
        let content = Content::Table(Table { file, data, layout, damaged, origin, options, rows, groups });
        Ok(Some(Block { bytes, buffer: Vec::new(), content }))
    }

    /// Stored bytes read so far.
    pub(super) fn bytes_read(&self) -> u64 {
        match &self.state {
            State::TakingIn { feed, .. } => feed.bytes_read(),
            State::Giving(giving) => giving.summary.bytes,
            State::Ended => 0,
        }
    }
}

#[cfg(test)]
mod tests;
