//! Conditions that look beyond the turn: other markers in it, before, after or around it, what it replies to, where in
//! the conversation it stands. Settled marker by marker in dependency order, when all turns are scanned.

use super::hit::{Hit, Hits, deal};
use super::model::{Ends, Said};
use super::{DetectScratch, Detector};
use crate::conversation::{Conversation, Role};
use crate::layout::Layout;
use crate::pack::expression::MarkerId;
use crate::pack::marker::{Context, Direction, Neighbour, Occurrence, Position, Scope};
use crate::span::Span;
use crate::trace::{Held, NearMiss, Trace};

impl Detector {
    /// Moves the pending hits that hold into `hits`, marker by marker, each after those it looks at.
    pub(super) fn settle<T: Trace>(
        &self,
        conversation: &Conversation<'_>,
        layout: &Layout,
        scratch: &mut DetectScratch,
        hits: &mut Hits,
        trace: &mut T,
    ) {
        let DetectScratch {
            pending,
            in_order,
            lengths,
            settled,
            settled_at,
            starts,
            turn_words,
            gram_odds,
            forms,
            ranks,
            ..
        } = scratch;
        ranks.fill(conversation);
        turn_words.clear();
        sort_by_marker(pending, in_order, starts, self.markers);
        settled_at.clear();
        settled_at.resize(self.markers, (0, 0));
        let place = Places { conversation, layout, ranks };
        let ends = Ends::of(conversation);
        for &marker in &self.compiled.order {
            let (start, end) = (starts[usize::from(marker)], starts[usize::from(marker) + 1]);
            if start == end && self.compiled.phrases_alone[usize::from(marker)] {
                continue;
            }
            let whole = &self.compiled.contexts[marker as usize];
            settled.clear();
            for hit in &in_order[start..end] {
                let own = &self.compiled.blocks[hit.block as usize].block.context;
                let turn = hit.turn as usize;
                if let Some(held) =
                    place.held(whole, turn, (hits, settled_at)).or_else(|| place.held(own, turn, (hits, settled_at)))
                {
                    let Hit { marker, block, pattern, span, .. } = *hit;
                    trace.missed(|| NearMiss { turn, marker, block, pattern, span, held: held.into() });
                    continue;
                }
                if settled.last().is_some_and(|l: &Hit| l.turn == hit.turn && l.span.contains(hit.span)) {
                    continue;
                }
                settled.push(*hit);
            }
            for &number in &self.compiled.any_turn[marker as usize] {
                if let Some(pattern) = self.compiled.blocks[number as usize].any {
                    self.any_turn(number, pattern, &place, lengths, (hits, settled_at), settled, trace);
                }
            }
            if let Some(model) = &self.compiled.models[marker as usize] {
                let words = model.model.wants_words();
                if let Some(segmenter) = self.segmenter.as_ref().filter(|_| words && !turn_words.is_filled()) {
                    turn_words.fill(conversation, segmenter);
                }
                if !words || turn_words.is_filled() {
                    let said = Said { words: turn_words, forms, ends, grams: gram_odds, index: &self.compiled.grams };
                    model.settle(marker, conversation, &said, hits, settled);
                }
            }
            // A marker's own turns become visible to others only when it is settled.
            for hit in settled.iter() {
                hits.set(hit.turn as usize, marker);
            }
            settled_at[marker as usize] = (hits.list.len(), hits.list.len() + settled.len());
            hits.list.extend_from_slice(settled);
        }
        hits.sort(settled_at.iter().map(|(from, to)| *from..*to), in_order, starts);
    }

    /// Finds the turns of a block that asks nothing of the words. The hit quotes what a marker it goes `with` quotes.
    #[allow(clippy::too_many_arguments)]
    fn any_turn<T: Trace>(
        &self,
        number: u32,
        pattern: u32,
        place: &Places<'_>,
        lengths: &[Option<u32>],
        (hits, settled_at): (&Hits, &[(usize, usize)]),
        settled: &mut Vec<Hit>,
        trace: &mut T,
    ) {
        let compiled = &self.compiled.blocks[number as usize];
        let (block, marker) = (&compiled.block, compiled.marker);
        if !super::scan::on_channel(&block.channels, place.conversation.channel.as_deref()) {
            return;
        }
        let whole = &self.compiled.contexts[marker as usize];
        if !T::ON && (hopeless(&block.context, hits) || hopeless(whole, hits)) {
            return;
        }
        let known = settled.len();
        for (turn, length) in lengths.iter().enumerate() {
            let Some(length) = *length else { continue };
            let spoken = &place.conversation.turns[turn];
            let fits = compiled.role.is_none_or(|r| r == spoken.role)
                && block.min_chars.is_none_or(|least| length >= least)
                && block.max_chars.is_none_or(|most| length <= most);
            if !fits || settled[..known].binary_search_by_key(&(turn as u32), |h| h.turn).is_ok() {
                continue;
            }
            if let Some(held) = place
                .held(&block.context, turn, (hits, settled_at))
                .or_else(|| place.held(whole, turn, (hits, settled_at)))
            {
                let carried = block.context.with.iter().chain(&whole.with).find(|m| hits.has(turn, **m));
                if T::ON
                    && let Some(seen) =
                        carried.and_then(|m| hits.list.iter().find(|h| h.marker == *m && h.turn as usize == turn))
                {
                    let (block, pattern, span) = (number, seen.pattern, seen.span);
                    trace.missed(|| NearMiss { turn, marker, block, pattern, span, held: held.into() });
                }
                continue;
            }
            let witness = block.context.with.iter().chain(&whole.with).find_map(|m| {
                let (from, to) = settled_at[*m as usize];
                let own = &hits.list[from..to];
                let first = own.partition_point(|h| (h.turn as usize) < turn);
                let of_turn = own[first..].iter().take_while(|h| h.turn as usize == turn);
                of_turn.max_by_key(|h| (h.span.len(), std::cmp::Reverse(h.span.start)))
            });
            let start = spoken.text.len() - spoken.text.trim_start().len();
            let (span, pattern) = match witness {
                Some(hit) => (hit.span, hit.pattern),
                None => (Span::new(start, start + spoken.text.trim().len()), pattern),
            };
            settled.push(Hit { turn: turn as u32, marker, span, pattern, block: number });
        }
        settled.sort_by_key(|h| (h.turn, h.span.start));
    }
}

/// Puts what turn after turn has been found in the order of its markers: `starts` tells where each begins. Most of it is
/// in order already, so hits are dealt out by marker and only looked over, which is cheaper than sorting.
fn sort_by_marker(found: &[Hit], in_order: &mut Vec<Hit>, starts: &mut Vec<usize>, markers: usize) {
    deal(found.iter().copied(), |hit| usize::from(hit.marker), markers, in_order, starts);
    in_order.sort_unstable_by_key(|h| (h.marker, h.turn, h.span.start, std::cmp::Reverse(h.span.end), h.block));
}

/// A condition that does not hold, borrowed from the pack: made a [`Held`] only for a trace.
enum Failed<'c> {
    Unless(MarkerId),
    With(&'c [MarkerId]),
    ReplyTo(&'c [MarkerId]),
    Neighbour(&'c Neighbour),
    Position,
}

impl From<Failed<'_>> for Held {
    fn from(failed: Failed<'_>) -> Held {
        match failed {
            Failed::Unless(marker) => Held::Unless(marker),
            Failed::With(markers) => Held::With(markers.to_vec()),
            Failed::ReplyTo(markers) => Held::ReplyTo(markers.to_vec()),
            Failed::Neighbour(neighbour) => Held::Neighbour(neighbour.clone()),
            Failed::Position => Held::Position,
        }
    }
}

/// True when a condition asks for a marker that no turn carries, so that no turn can fulfil it.
fn hopeless(context: &Context, hits: &Hits) -> bool {
    let nowhere = |markers: &[MarkerId]| !markers.is_empty() && !markers.iter().any(|m| hits.has_anywhere(*m));
    nowhere(&context.with)
        || nowhere(&context.reply_to)
        || context.neighbours.iter().any(|near| !hits.has_anywhere(near.marker))
}

struct Places<'p> {
    conversation: &'p Conversation<'p>,
    layout: &'p Layout,
    ranks: &'p Ranks,
}

/// How many messages in words each side has sent before a turn, so that a place in a long conversation is looked up, not
/// counted. Buffers are reused.
#[derive(Debug, Default)]
pub(super) struct Ranks {
    customer: Vec<u32>,
    agent: Vec<u32>,
}

impl Ranks {
    fn fill(&mut self, conversation: &Conversation<'_>) {
        for (role, before) in [(Role::Customer, &mut self.customer), (Role::Agent, &mut self.agent)] {
            before.clear();
            let mut count = 0;
            before.push(0);
            before.extend(conversation.turns.iter().map(|t| {
                count += u32::from(t.role == role && t.kind.is_words());
                count
            }));
        }
    }

    /// Messages in words of a side among some turns.
    fn within(&self, role: Role, turns: std::ops::Range<usize>) -> u32 {
        let before = if role == Role::Customer { &self.customer } else { &self.agent };
        before[turns.end.max(turns.start)] - before[turns.start]
    }
}

impl Places<'_> {
    /// The condition that does not hold, if any.
    fn held<'c>(
        &self,
        context: &'c Context,
        turn: usize,
        (hits, settled_at): (&Hits, &[(usize, usize)]),
    ) -> Option<Failed<'c>> {
        let here = |m: &MarkerId| hits.has(turn, *m);
        if let Some(found) = context.unless.iter().find(|m| here(m)) {
            return Some(Failed::Unless(*found));
        }
        if !context.with.is_empty() && !context.with.iter().any(here) {
            return Some(Failed::With(&context.with));
        }
        if !context.reply_to.is_empty() && !self.replies_to(&context.reply_to, turn, hits) {
            return Some(Failed::ReplyTo(&context.reply_to));
        }
        if let Some(missing) = context.neighbours.iter().find(|n| !self.neighbour(n, turn, (hits, settled_at))) {
            return Some(Failed::Neighbour(missing));
        }
        context.position.as_ref().is_some_and(|p| !self.position(p, turn)).then_some(Failed::Position)
    }

    /// The other side's messages right before this turn's run carry one of the markers.
    fn replies_to(&self, markers: &[MarkerId], turn: usize, hits: &Hits) -> bool {
        let turns = &self.conversation.turns;
        let own = turns[turn].role;
        let other = match own {
            Role::Agent => Role::Customer,
            _ => Role::Agent,
        };
        let mut seen_other = false;
        for before in (0..turn).rev() {
            let role = turns[before].role;
            if role == own && seen_other {
                return false;
            }
            if role == other {
                seen_other = true;
                if markers.iter().any(|m| hits.has(before, *m)) {
                    return true;
                }
            }
        }
        false
    }

    fn neighbour(&self, near: &Neighbour, turn: usize, (hits, settled_at): (&Hits, &[(usize, usize)])) -> bool {
        let away = |other: usize| self.layout.ordinal[turn].abs_diff(self.layout.ordinal[other]);
        let close = |other: usize| {
            near.turns.is_none_or(|most| away(other) <= most)
                && near.ms.is_none_or(|most| match (self.layout.time[turn], self.layout.time[other]) {
                    (Some(a), Some(b)) => a.abs_diff(b) <= most as u64,
                    _ => false,
                })
        };
        let side = |other: usize| match near.direction {
            Direction::After => other < turn,
            Direction::Before => other > turn,
            Direction::Around => other != turn,
        };
        // The marker's own hits, by turn: it is settled.
        let (from, to) = settled_at[near.marker as usize];
        let own = &hits.list[from..to];
        let reached = |other: &usize| near.turns.is_none_or(|most| away(*other) <= most);
        match near.occurrence {
            Occurrence::Each => {
                let (before, after) = own.split_at(own.partition_point(|h| (h.turn as usize) < turn));
                let turns = |h: &Hit| h.turn as usize;
                before.iter().rev().map(turns).take_while(reached).any(|t| side(t) && close(t))
                    || after.iter().map(turns).take_while(reached).any(|t| side(t) && close(t))
            }
            Occurrence::First => own.first().is_some_and(|h| side(h.turn as usize) && close(h.turn as usize)),
            Occurrence::Last => own.last().is_some_and(|h| side(h.turn as usize) && close(h.turn as usize)),
        }
    }

    fn position(&self, position: &Position, turn: usize) -> bool {
        let turns = &self.conversation.turns;
        let scope = match position.of {
            Scope::Segment => self.layout.segment_range(turn),
            Scope::Conversation => 0..turns.len(),
        };
        let role = turns[turn].role;
        let before = self.ranks.within(role, scope.start..turn);
        let after = self.ranks.within(role, turn + 1..scope.end);
        let total = before + after + 1;
        // Shares are of the scope's turns of this role: the first of four turns stands at 0, the last at 1.
        let from_start = u64::from(before) * 1000 / u64::from(total.saturating_sub(1).max(1));
        let time = |t: usize| self.layout.time[t];
        let first_time = position.first_ms.and_then(|_| (scope.start..scope.end).find_map(time));
        let last_time = position.last_ms.and_then(|_| (scope.start..scope.end).rev().find_map(time));
        let within = |limit: Option<i64>, from: Option<i64>, to: Option<i64>| match limit {
            None => true,
            Some(most) => matches!((from, to), (Some(a), Some(b)) if b - a <= most),
        };
        position.first_turns.is_none_or(|n| before < n)
            && position.last_turns.is_none_or(|n| after < n)
            && position.first_share.is_none_or(|s| before == 0 || from_start <= u64::from(s))
            && position.last_share.is_none_or(|s| after == 0 || from_start >= 1000 - u64::from(s))
            && within(position.first_ms, first_time, time(turn))
            && within(position.last_ms, time(turn), last_time)
    }
}
