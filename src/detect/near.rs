//! Proximity: parts that stand within N characters or words of each other.

use super::compile::CompiledNear;
use super::conditions::TurnText;
use super::gate::Letters;
use crate::pack::marker::ViewKind;
use crate::span::Span;
use crate::text::View;

/// A part's place: which part, from, to (bytes of the view).
pub type Place = (u16, u32, u32);

/// Finds the places of all parts, in the order of the text. False when a part is missing.
pub fn places(kind: ViewKind, near: &CompiledNear, (view, letters): (&View, &Letters), out: &mut Vec<Place>) -> bool {
    out.clear();
    let mut present = 0u64;
    near.parts.find(kind, view.text(), letters, |part, range| {
        present |= 1 << part;
        out.push((part, range.start as u32, range.end as u32));
    });
    out.sort_unstable_by_key(|p| (p.1, p.2, p.0));
    present.count_ones() == near.count
}

/// Calls `found` with the span of each place where all parts stand close enough, nearest combination first.
pub fn find(
    kind: ViewKind,
    near: &CompiledNear,
    places: &[Place],
    view: &View,
    text: &mut TurnText<'_>,
    mut found: impl FnMut(Span),
) {
    for first in places.iter().filter(|p| !near.ordered || p.0 == 0) {
        let mut used = 1u64 << first.0;
        let (mut start, mut end) = (first.1, first.2);
        let mut complete = near.count == 1;
        while !complete {
            let next = places
                .iter()
                .filter(|p| p.1 >= end && used >> p.0 & 1 == 0)
                .filter(|p| !near.ordered || p.0 == used.trailing_ones() as u16)
                .find(|p| {
                    close(kind, near, view, text, end, p.1)
                        && !near.nots.iter().any(|n| view.text()[end as usize..p.1 as usize].contains(n.as_str()))
                });
            let Some(next) = next else { break };
            used |= 1 << next.0;
            end = next.2;
            start = start.min(next.1);
            complete = used.count_ones() == near.count;
        }
        if complete {
            found(view.original(start as usize..end as usize));
        }
    }
}

fn close(kind: ViewKind, near: &CompiledNear, view: &View, text: &mut TurnText<'_>, end: u32, start: u32) -> bool {
    let between = &view.text()[end as usize..start as usize];
    if !near.words {
        let distance = match kind == ViewKind::Pinyin {
            true => between.split_whitespace().count(),
            false => between.chars().count(),
        };
        return distance <= near.within as usize;
    }
    let gap = view.original(end as usize..start as usize);
    let (from, to) = (text.plain.position_of(gap.start as usize), text.plain.position_of(gap.end as usize));
    let Some(words) = text.words() else { return false };
    let inside = words.iter().filter(|w| (from..to).contains(&(**w as usize))).count();
    inside <= near.within as usize
}
