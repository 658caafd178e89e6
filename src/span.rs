//! Byte ranges of original text. One type for every place that points into a transcript or a pack file;
//! lines and columns are derived only when something is shown to a person.

use serde::Serialize;

/// A half-open byte range `start..end` of the original text.
///
/// ```
/// use zhijian::span::Span;
/// let text = "亲，加微信";
/// let span = Span::new(6, 15);
/// assert_eq!(span.slice(text), "加微信");
/// assert!(span.contains(Span::new(9, 15)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The span `start..end`; `end` is raised to `start` where it lies before it.
    pub fn new(start: usize, end: usize) -> Self {
        let start = start as u32;
        Span { start, end: (end as u32).max(start) }
    }

    /// Length in bytes.
    pub fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    /// True when the span covers no byte.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// The text under the span.
    ///
    /// # Panics
    /// When the span does not lie on character boundaries of `text`.
    pub fn slice(self, text: &str) -> &str {
        &text[self.start as usize..self.end as usize]
    }

    /// True when `other` lies wholly inside `self`.
    pub fn contains(self, other: Span) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// True when the two share at least one byte.
    pub fn overlaps(self, other: Span) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// The span as a `usize` range.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}
