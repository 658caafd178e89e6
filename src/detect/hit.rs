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

/// A set of markers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MarkerSet(Vec<u64>);

impl MarkerSet {
    /// Adds a marker.
    pub fn insert(&mut self, marker: MarkerId) {
        let word = marker as usize / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (marker % 64);
    }

    /// Adds the markers of another.
    pub fn extend(&mut self, other: &MarkerSet) {
        self.0.resize(self.0.len().max(other.0.len()), 0);
        self.0.iter_mut().zip(&other.0).for_each(|(own, more)| *own |= more);
    }

    /// How many it holds.
    pub fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// True when it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Deals hits out to numbered slots, in the order they come in: slot `n` holds `dealt[starts[n]..starts[n + 1]]`.
pub(super) fn deal(
    hits: impl Iterator<Item = Hit> + Clone,
    slot: impl Fn(&Hit) -> usize,
    slots: usize,
    dealt: &mut Vec<Hit>,
    starts: &mut Vec<usize>,
) {
    starts.clear();
    starts.resize(slots + 1, 0);
    hits.clone().for_each(|hit| starts[slot(&hit)] += 1);
    let mut total = 0;
    for start in starts.iter_mut() {
        total += std::mem::replace(start, total);
    }
    dealt.clear();
    dealt.resize(total, Hit { turn: 0, marker: 0, span: Span::new(0, 0), pattern: 0, block: 0 });
    hits.for_each(|hit| {
        let next = &mut starts[slot(&hit)];
        dealt[*next] = hit;
        *next += 1;
    });
    // Each slot's start has moved to its end, where the next begins.
    starts.rotate_right(1);
    starts[0] = 0;
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

    /// Puts the list in order, given where each marker's hits stand in it. They are dealt out by turn and only looked over
    /// then, which is cheaper than sorting.
    pub(super) fn sort(
        &mut self,
        of_markers: impl Iterator<Item = Range<usize>> + Clone,
        dealt: &mut Vec<Hit>,
        starts: &mut Vec<usize>,
    ) {
        let turns = self.bits.len().checked_div(self.width).unwrap_or(0);
        let list = &self.list;
        deal(of_markers.flat_map(|range| list[range].iter().copied()), |hit| hit.turn as usize, turns, dealt, starts);
        std::mem::swap(&mut self.list, dealt);
        self.list.sort_unstable();
    }

    /// True when a turn carries one of the markers of a set.
    pub fn has_any(&self, set: &MarkerSet) -> bool {
        self.anywhere.iter().zip(&set.0).any(|(here, wanted)| here & wanted != 0)
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hits(all: &[(u32, u16, u32)]) -> Vec<Hit> {
        let hit = |(turn, marker, place): &(u32, u16, u32)| {
            let span = Span::new(*place as usize, *place as usize + 3);
            Hit { turn: *turn, marker: *marker, span, pattern: *place, block: u32::from(*marker) }
        };
        all.iter().map(hit).collect()
    }

    proptest! {
        #[test]
        fn dealing_keeps_the_order_within_a_slot(all in proptest::collection::vec((0u32..6, 0u16..70, 0u32..9), 0..60)) {
            let all = hits(&all);
            let (mut dealt, mut starts) = (Vec::new(), Vec::new());
            deal(all.iter().copied(), |hit| hit.turn as usize, 6, &mut dealt, &mut starts);
            for turn in 0..6 {
                let own: Vec<Hit> = all.iter().filter(|hit| hit.turn as usize == turn).copied().collect();
                prop_assert_eq!(&dealt[starts[turn]..starts[turn + 1]], &own[..]);
            }
            prop_assert_eq!((starts.len(), starts[6]), (7, all.len()));
        }

        #[test]
        fn the_list_comes_in_order(all in proptest::collection::vec((0u32..6, 0u16..70, 0u32..9), 0..60)) {
            let mut list = hits(&all);
            // Marker by marker, as they are settled: here the highest first.
            list.sort_by_key(|hit| std::cmp::Reverse(hit.marker));
            let mut found = Hits::default();
            found.reset(6, 70);
            found.list = list.clone();
            let of = |marker: u16| {
                let from = list.partition_point(|hit| hit.marker > marker);
                from..from + list[from..].partition_point(|hit| hit.marker == marker)
            };
            found.sort((0..70).map(of), &mut Vec::new(), &mut Vec::new());
            list.sort_unstable();
            prop_assert_eq!(found.list, list);
        }
    }

    #[test]
    fn a_set_is_asked_for_at_once() {
        let mut found = Hits::default();
        found.reset(2, 130);
        found.set(1, 128);
        let (mut other, mut own) = (MarkerSet::default(), MarkerSet::default());
        other.insert(0);
        other.insert(64);
        own.insert(128);
        assert!(!found.has_any(&other) && found.has_any(&own));
        other.extend(&own);
        assert!(found.has_any(&other) && other.len() == 3 && MarkerSet::default().is_empty());
    }
}
