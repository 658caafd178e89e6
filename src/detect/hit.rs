//! What detection finds: hits with original byte spans, and which turn carries which marker.

use std::ops::Range;

use crate::pack::expression::MarkerId;
use crate::span::Span;

/// One place where a marker shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    /// Index of the turn.
    pub turn: u32,
    /// The marker.
    pub marker: MarkerId,
    /// Bytes of the turn's original text.
    pub span: Span,
    /// What matched; see [`crate::detect::Detector::phrase`].
    pub pattern: u32,
    /// The block it came from.
    pub block: u32,
}

/// The hits of a conversation, by turn. Buffers are reused.
#[derive(Debug, Default, Clone)]
pub struct Hits {
    /// All hits, sorted by turn, marker, place.
    pub list: Vec<Hit>,
    bits: Vec<u64>,
    /// Markers any turn carries.
    anywhere: Vec<u64>,
    width: usize,
}

impl Hits {
    /// Forgets everything and makes room for `turns` turns of `markers` markers.
    pub fn reset(&mut self, turns: usize, markers: usize) {
        self.list.clear();
        self.width = markers.div_ceil(64);
        self.bits.clear();
        self.bits.resize(turns * self.width, 0);
        self.anywhere.clear();
        self.anywhere.resize(self.width, 0);
    }

    /// True when any turn carries the marker: most markers show in few conversations, so ask this before looking
    /// through the turns.
    pub fn has_anywhere(&self, marker: MarkerId) -> bool {
        let bit = marker as usize;
        self.anywhere[bit / 64] >> (bit % 64) & 1 == 1
    }

    /// True when the turn carries the marker.
    pub fn has(&self, turn: usize, marker: MarkerId) -> bool {
        let bit = marker as usize;
        self.bits[turn * self.width + bit / 64] >> (bit % 64) & 1 == 1
    }

    /// Marks the turn as carrying the marker.
    pub fn set(&mut self, turn: usize, marker: MarkerId) {
        let bit = marker as usize;
        self.bits[turn * self.width + bit / 64] |= 1 << (bit % 64);
        self.anywhere[bit / 64] |= 1 << (bit % 64);
    }

    /// Markers of a turn, ascending.
    pub fn markers(&self, turn: usize) -> impl Iterator<Item = MarkerId> + '_ {
        let words = &self.bits[turn * self.width..(turn + 1) * self.width];
        words
            .iter()
            .enumerate()
            .flat_map(|(w, bits)| (0..64).filter(move |b| bits >> b & 1 == 1).map(move |b| (w * 64 + b) as MarkerId))
    }

    /// First turn in the range that carries the marker.
    pub fn first(&self, turns: Range<usize>, marker: MarkerId) -> Option<usize> {
        if !self.has_anywhere(marker) {
            return None;
        }
        turns.into_iter().find(|t| self.has(*t, marker))
    }

    /// Last turn in the range that carries the marker.
    pub fn last(&self, turns: Range<usize>, marker: MarkerId) -> Option<usize> {
        if !self.has_anywhere(marker) {
            return None;
        }
        turns.into_iter().rev().find(|t| self.has(*t, marker))
    }

    /// The best hit of a marker in a turn: the longest, then the first.
    pub fn best(&self, turn: usize, marker: MarkerId) -> Option<&Hit> {
        self.best_place(turn, marker).map(|place| &self.list[place])
    }

    /// Where the best hit of a marker in a turn stands in the list.
    pub fn best_place(&self, turn: usize, marker: MarkerId) -> Option<usize> {
        let places = self.places(turn);
        let own = self.list[places.clone()].iter().zip(places).filter(|(h, _)| h.marker == marker);
        own.min_by_key(|(h, _)| (std::cmp::Reverse(h.span.len()), h.span.start)).map(|(_, place)| place)
    }

    /// All hits of a turn.
    pub fn of(&self, turn: usize) -> &[Hit] {
        &self.list[self.places(turn)]
    }

    fn places(&self, turn: usize) -> Range<usize> {
        let turn = turn as u32;
        let start = self.list.partition_point(|h| h.turn < turn);
        start..start + self.list[start..].partition_point(|h| h.turn == turn)
    }
}
