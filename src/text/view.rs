//! [`View`]: a rewritten text and its map to the original, kept as a few runs instead of a number per byte.
//!
//! A run says how a stretch of the view relates to a stretch of the original. An ordinary turn is one run; a new one
//! begins only where lengths change (`，` is three bytes and becomes one) or something was dropped. Looking a place
//! up is a binary search over the runs.

use std::ops::Range;

use crate::span::Span;

/// A stretch of the view and where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    /// First byte in the view; the run reaches to the next one's.
    view: u32,
    /// First byte in the original.
    source: u32,
    /// Bytes of the view per unit; 0 where view and original agree byte by byte.
    unit: u32,
    /// Bytes of the original per unit.
    source_unit: u32,
}

/// A rewritten text with an exact map back to original bytes; buffers are reused turn after turn.
///
/// ```
/// use zhijian::text::{self, View};
/// let original = "㈠加Ⓥ，信";
/// let mut view = View::default();
/// text::plain(original, &mut view);
/// assert_eq!(view.text(), "(一)加v,信");
/// let v = view.text().find('v').unwrap();
/// assert_eq!(view.original(v..v + 1).slice(original), "Ⓥ");
/// assert_eq!(view.original(0..1).slice(original), "㈠");
/// assert_eq!(view.position_of(original.find('，').unwrap()), v + 1);
/// ```
#[derive(Default, Clone, Debug)]
pub struct View {
    text: String,
    runs: Vec<Run>,
    source_len: u32,
    spare_text: String,
    spare_runs: Vec<Run>,
}

/// Remembers the run last looked at by someone who goes through a view from start to end.
#[derive(Default)]
pub(super) struct Cursor {
    index: usize,
}

impl Cursor {
    /// Index of the run that holds a byte of the view, not before the last one asked for.
    #[inline]
    fn seek(&mut self, view: &View, at: usize) -> usize {
        while view.run_end(self.index) <= at {
            self.index += 1;
        }
        self.index
    }
}

impl View {
    /// The rewritten text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Length of the rewritten text in bytes.
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// True when nothing is left of the text.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Length of the original in bytes.
    pub fn original_len(&self) -> usize {
        self.source_len as usize
    }

    /// The original span of a byte range of [`text`](Self::text): from the start of the original character behind the
    /// first byte to the end of the one behind the last byte. An empty range gives the empty span at its place.
    ///
    /// # Panics
    /// When the range lies outside the text.
    pub fn original(&self, range: Range<usize>) -> Span {
        assert!(range.start <= range.end && range.end <= self.text.len(), "range outside the view");
        let start = self.start_of(range.start);
        if range.is_empty() {
            return Span::new(start, start);
        }
        Span::new(start, self.end_of(range.end))
    }

    /// The first byte of [`text`](Self::text) whose original lies at or after the given original byte.
    pub fn position_of(&self, original: usize) -> usize {
        let next = self.runs.partition_point(|r| (r.source as usize) < original);
        let end = self.runs.get(next).map_or(self.text.len(), |r| r.view as usize);
        let Some(run) = next.checked_sub(1).map(|i| self.runs[i]) else { return end };
        let into = original - run.source as usize;
        let position = if run.unit == 0 {
            run.view as usize + into
        } else {
            run.view as usize + into.div_ceil(run.source_unit as usize) * run.unit as usize
        };
        if position >= end { end } else { self.text.ceil_char_boundary(position).min(end) }
    }

    /// Where the run with an index ends in the view.
    #[inline]
    fn run_end(&self, index: usize) -> usize {
        self.runs.get(index + 1).map_or(self.text.len(), |r| r.view as usize)
    }

    /// Index of the run that holds a byte of the view (there is at least one run).
    fn run_at(&self, position: usize) -> usize {
        self.runs.partition_point(|r| r.view as usize <= position).saturating_sub(1)
    }

    /// Start of the original character behind a byte of the view.
    fn start_of(&self, position: usize) -> usize {
        if position >= self.text.len() {
            return self.text.len().checked_sub(1).map_or(self.source_len as usize, |_| self.end_of(self.text.len()));
        }
        let run = self.runs[self.run_at(position)];
        let into = position - run.view as usize;
        match run.unit {
            0 => run.source as usize + into,
            unit => run.source as usize + into / unit as usize * run.source_unit as usize,
        }
    }

    /// End of the original character behind the byte before `position`.
    fn end_of(&self, position: usize) -> usize {
        let run = self.runs[self.run_at(position - 1)];
        let into = position - run.view as usize;
        match run.unit {
            0 => run.source as usize + into,
            unit => run.source as usize + into.div_ceil(unit as usize) * run.source_unit as usize,
        }
    }

    /// Empties the view for an original of the given length.
    pub(super) fn reset(&mut self, source_len: usize) {
        self.text.clear();
        self.runs.clear();
        self.source_len = source_len as u32;
    }

    /// Appends text that stands in the original as it is, or character by character with equal lengths.
    #[inline]
    pub(super) fn push_same(&mut self, text: &str, source: usize) {
        if text.is_empty() {
            return;
        }
        let view = self.text.len() as u32;
        let continues = self.runs.last().is_some_and(|r| r.unit == 0 && r.source + (view - r.view) == source as u32);
        if !continues {
            self.runs.push(Run { view, source: source as u32, unit: 0, source_unit: 0 });
        }
        self.text.push_str(text);
    }

    /// Appends text that stands, as one unit, for a range of the original.
    #[inline]
    pub(super) fn push_unit(&mut self, text: &str, source: Range<usize>) {
        if text.is_empty() {
            return;
        }
        let (view, unit) = (self.text.len() as u32, text.len() as u32);
        let (start, source_unit) = (source.start as u32, source.len() as u32);
        let continues = self.runs.last().is_some_and(|r| {
            r.unit == unit && r.source_unit == source_unit && r.source + (view - r.view) / unit * source_unit == start
        });
        if !continues {
            self.runs.push(Run { view, source: start, unit, source_unit });
        }
        self.text.push_str(text);
    }

    /// The original range of one character of the view; `cursor` makes going through a text from its start cheap.
    #[inline]
    pub(super) fn original_char(&self, char: Range<usize>, cursor: &mut Cursor) -> Range<usize> {
        let run = self.runs[cursor.seek(self, char.start)];
        let into = char.start - run.view as usize;
        match run.unit {
            0 => run.source as usize + into..run.source as usize + into + char.len(),
            unit => {
                let start = run.source as usize + into / unit as usize * run.source_unit as usize;
                start..start + run.source_unit as usize
            }
        }
    }

    /// Appends a part of another view together with its map.
    #[inline]
    pub(super) fn push_part(&mut self, from: &View, part: Range<usize>, cursor: &mut Cursor) {
        if part.is_empty() {
            return;
        }
        let mut at = part.start;
        let mut index = cursor.seek(from, at);
        while at < part.end {
            let run = from.runs[index];
            let run_end = from.run_end(index);
            let end = run_end.min(part.end);
            let into = at - run.view as usize;
            if run.unit == 0 {
                self.push_same(&from.text[at..end], run.source as usize + into);
                at = end;
            } else {
                let unit = run.unit as usize;
                let first = into / unit;
                let unit_end = (run.view as usize + (first + 1) * unit).min(end);
                let source = run.source as usize + first * run.source_unit as usize;
                self.push_unit(&from.text[at..unit_end], source..source + run.source_unit as usize);
                at = unit_end;
            }
            if at == run_end {
                index += 1;
            }
        }
    }

    /// Rewrites parts of the text: `find` is given the text and hands over ranges in order, each with the text to put
    /// there, which then stands as one unit for the original of its range.
    pub(super) fn rewrite(&mut self, find: impl FnOnce(&str, &mut dyn FnMut(Range<usize>, &str))) {
        let mut old = View {
            text: std::mem::take(&mut self.text),
            runs: std::mem::take(&mut self.runs),
            source_len: self.source_len,
            ..View::default()
        };
        self.text = std::mem::take(&mut self.spare_text);
        self.runs = std::mem::take(&mut self.spare_runs);
        self.text.clear();
        self.runs.clear();
        let (mut done, mut cursor) = (0, Cursor::default());
        find(&old.text, &mut |range, to| {
            self.push_part(&old, done..range.start, &mut cursor);
            self.push_unit(to, old.original(range.clone()).range());
            done = range.end;
        });
        self.push_part(&old, done..old.text.len(), &mut cursor);
        self.spare_text = std::mem::take(&mut old.text);
        self.spare_runs = std::mem::take(&mut old.runs);
    }

    /// Replaces one character by another of the same length in bytes.
    pub(super) fn replace_char(&mut self, at: usize, to: &str) {
        self.text.replace_range(at..at + to.len(), to);
    }

    /// The text alone.
    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// How many runs the map has.
    #[cfg(test)]
    pub(super) fn run_count(&self) -> usize {
        self.runs.len()
    }
}
