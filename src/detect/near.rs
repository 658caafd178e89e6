//! Proximity: parts that stand within N characters or words of each other.

use super::compile::Meaning;
use super::conditions::TurnText;
use super::scan::Raw;
use crate::pack::marker::{Near, ViewKind};
use crate::span::Span;
use crate::text::View;

/// Calls `found` with the span of each place where all parts stand close enough, nearest combination first.
#[allow(clippy::too_many_arguments)]
pub fn find(
    kind: ViewKind,
    near: &Near,
    number: u16,
    nots: &[String],
    raw: &[Raw],
    view: &View,
    text: &mut TurnText<'_>,
    mut found: impl FnMut(Span),
) {
    let part = |r: &Raw| match r.used.meaning {
        Meaning::Part { near, part } if near == number => Some(part),
        _ => None,
    };
    let present = raw.iter().filter_map(part).fold(0u64, |seen, p| seen | 1 << p);
    if (present.count_ones() as usize) < near.parts.len() {
        return;
    }
    let places: Vec<(u16, u32, u32)> = {
        let mut all: Vec<_> = raw.iter().filter_map(|r| part(r).map(|p| (p, r.start, r.end))).collect();
        all.sort_unstable_by_key(|p| (p.1, p.2, p.0));
        all
    };
    for first in places.iter().filter(|p| !near.ordered || p.0 == 0) {
        let mut used = 1u64 << first.0;
        let (mut start, mut end) = (first.1, first.2);
        let mut complete = near.parts.len() == 1;
        while !complete {
            let next = places
                .iter()
                .filter(|p| p.1 >= end && used >> p.0 & 1 == 0)
                .filter(|p| !near.ordered || p.0 == used.trailing_ones() as u16)
                .find(|p| {
                    close(kind, near, view, text, end, p.1)
                        && !nots.iter().any(|n| view.text()[end as usize..p.1 as usize].contains(n.as_str()))
                });
            let Some(next) = next else { break };
            used |= 1 << next.0;
            end = next.2;
            start = start.min(next.1);
            complete = used.count_ones() as usize == near.parts.len();
        }
        if complete {
            found(view.original(start as usize..end as usize));
        }
    }
}

/// The range of the view from the first to the last part, when every part occurs somewhere.
pub fn all_parts(near: &Near, number: u16, raw: &[Raw]) -> Option<std::ops::Range<usize>> {
    let (mut seen, mut start, mut end) = (0u64, usize::MAX, 0);
    for r in raw {
        if let Meaning::Part { near, part } = r.used.meaning
            && near == number
        {
            seen |= 1 << part;
            start = start.min(r.start as usize);
            end = end.max(r.end as usize);
        }
    }
    (seen.count_ones() as usize == near.parts.len()).then_some(start..end)
}

fn close(kind: ViewKind, near: &Near, view: &View, text: &mut TurnText<'_>, end: u32, start: u32) -> bool {
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
