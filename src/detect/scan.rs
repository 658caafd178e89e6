//! One turn: rewrite, scan each view once, check each block's own conditions.

use std::ops::Range;

use super::compile::{Meaning, Use, ViewRegex};
use super::conditions::TurnText;
use super::hit::Hit;
use super::{DetectScratch, Detector, SegmentMode};
use crate::conversation::Turn;
use crate::pack::marker::ViewKind;
use crate::span::Span;
use crate::text;
use crate::trace::{Held, NearMiss, Trace};

/// A match of an automaton pattern in one block, in bytes of the view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raw {
    pub used: Use,
    pub start: u32,
    pub end: u32,
}

/// A possible hit of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    pub span: Span,
    pub pattern: u32,
    /// Found by a phrase, so that its extent is what the phrase's author wrote.
    pub literal: bool,
}

impl Detector {
    /// Scans one turn and appends what its blocks find to `scratch.pending`. Gives the turn's length in characters.
    pub(super) fn scan_turn<T: Trace>(
        &self,
        index: usize,
        turn: &Turn<'_>,
        channel: Option<&str>,
        pinyin_wanted: bool,
        scratch: &mut DetectScratch,
        trace: &mut T,
    ) -> u32 {
        let [plain, squeezed, pinyin] = &mut scratch.views;
        text::plain(&turn.text, plain);
        text::squeezed(plain, squeezed);
        match pinyin_wanted {
            true => text::pinyin(plain, pinyin),
            false => text::plain("", pinyin),
        }
        scratch.words_ready = false;
        if self.mode == SegmentMode::Full
            && let Some(segmenter) = &self.segmenter
        {
            segmenter.cut_into(scratch.views[0].text(), &mut scratch.words);
            scratch.words_ready = true;
        }
        scratch.raw.clear();
        for (kind, _) in ViewKind::ALL {
            self.scan_view(kind, (index, turn), channel, scratch, trace);
        }
        scratch.raw.sort_unstable_by_key(|r| (r.used.key(), r.start, r.end));
        scratch.raw.dedup();
        let mut start = 0;
        while start < scratch.raw.len() {
            let block = scratch.raw[start].used.block;
            let len = scratch.raw[start..].partition_point(|r| r.used.block == block);
            self.evaluate((index, turn), block, start..start + len, scratch, trace);
            start += len;
        }
        scratch.views[1].text().chars().count() as u32
    }

    pub(super) fn wants_pinyin(&self, channel: Option<&str>) -> bool {
        self.compiled.blocks.iter().any(|b| b.block.view == ViewKind::Pinyin && on_channel(&b.block.channels, channel))
    }

    fn scan_view<T: Trace>(
        &self,
        kind: ViewKind,
        (index, turn): (usize, &Turn<'_>),
        channel: Option<&str>,
        scratch: &mut DetectScratch,
        trace: &mut T,
    ) {
        let Some(scanner) = &self.compiled.views[kind as usize] else { return };
        let views = &scratch.views;
        let view = views[kind as usize].text();
        if view.is_empty() {
            return;
        }
        let raw = &mut scratch.raw;
        let mut add = |used: &Use, start: usize, end: usize| {
            let block = &self.compiled.blocks[used.block as usize];
            let low = match (turn.confidence, block.block.min_confidence) {
                (Some(confidence), Some(least)) => ((confidence * 1000.0) as u32) < least,
                _ => false,
            };
            if !block.role.is_none_or(|r| r == turn.role) {
                return;
            }
            let here = on_channel(&block.block.channels, channel);
            if here && !low {
                raw.push(Raw { used: *used, start: start as u32, end: end as u32 });
            } else if T::ON
                && let Meaning::Phrase(pattern) = used.meaning
            {
                let (marker, span) = (block.marker, views[kind as usize].original(start..end));
                let held = if here { Held::Confidence } else { Held::Channel };
                trace.missed(|| NearMiss { turn: index, marker, block: used.block, pattern, span, held });
            }
        };
        for found in scanner.automaton.find_overlapping_iter(view) {
            if kind == ViewKind::Pinyin && !on_syllables(view, found.range()) {
                continue;
            }
            let (from, to) = scanner.ranges[found.pattern().as_usize()];
            for used in &scanner.uses[from as usize..to as usize] {
                match used.meaning {
                    // Where the literal stands does not matter: the regex is run over the whole view.
                    Meaning::Regex { .. } => add(used, 0, 0),
                    _ => add(used, found.start(), found.end()),
                }
            }
        }
        for used in &scanner.always {
            add(used, 0, 0);
        }
    }

    /// Checks one block's raw matches and appends its hits.
    fn evaluate<T: Trace>(
        &self,
        (index, turn): (usize, &Turn<'_>),
        number: u32,
        raw: Range<usize>,
        scratch: &mut DetectScratch,
        trace: &mut T,
    ) {
        let block = &self.compiled.blocks[number as usize];
        let rules = &block.block;
        let view = &scratch.views[rules.view as usize];
        let raw = &scratch.raw[raw];
        scratch.candidates.clear();
        let (mut met, mut last) = (0u8, u32::MAX);
        for r in raw {
            match r.used.meaning {
                Meaning::Phrase(pattern) => {
                    let span = view.original(r.start as usize..r.end as usize);
                    scratch.candidates.push(Candidate { span, pattern, literal: true });
                }
                Meaning::Regex { number, set } => {
                    // Raw matches are sorted and each set stands once, so a regex's sets stand side by side.
                    met = if last == number { met + 1 } else { 1 };
                    last = number;
                    let ViewRegex { regex, text, sets } = &self.compiled.regexes[number as usize];
                    if met < (*sets).max(1) || set + 1 < *sets {
                        continue;
                    }
                    for found in regex.find_iter(view.text()).filter(|m| !m.is_empty()) {
                        let span = view.original(found.range());
                        scratch.candidates.push(Candidate { span, pattern: *text, literal: false });
                    }
                }
                Meaning::Except(_) | Meaning::Part { .. } => {}
            }
        }
        let mut text = TurnText {
            plain: &scratch.views[0],
            squeezed: &scratch.views[1],
            original: &turn.text,
            words: &mut scratch.words,
            words_ready: &mut scratch.words_ready,
            segmenter: self.segmenter.as_ref(),
        };
        let mut missed = |c: &Candidate, held: Held| {
            let (marker, block) = (block.marker, number);
            trace.missed(|| NearMiss { turn: index, marker, block, pattern: c.pattern, span: c.span, held });
        };
        for (n, near) in rules.nears.iter().enumerate() {
            let nots = &block.near_nots[n];
            let before = scratch.candidates.len();
            super::near::find(rules.view, near, n as u16, nots, raw, view, &mut text, |span| {
                scratch.candidates.push(Candidate { span, pattern: block.near_texts[n], literal: false });
            });
            if T::ON
                && scratch.candidates.len() == before
                && let Some(around) = super::near::all_parts(near, n as u16, raw)
            {
                let span = view.original(around);
                missed(&Candidate { span, pattern: block.near_texts[n], literal: false }, Held::Apart);
            }
        }
        if scratch.candidates.is_empty() {
            return;
        }
        if !text.fits_length(rules) {
            scratch.candidates.iter().for_each(|c| missed(c, Held::Length));
            return;
        }
        scratch.excused.clear();
        for regex in &block.except_regexes {
            scratch.excused.extend(regex.find_iter(view.text()).map(|m| view.original(m.range())));
        }
        let excused_spans = &scratch.excused;
        scratch.candidates.retain(|c| {
            let excused = raw.iter().find_map(|r| match r.used.meaning {
                Meaning::Except(reach) => {
                    let except = view.original(r.start as usize..r.end as usize);
                    // The longer phrase wins: an exception that is only part of the phrase itself excuses nothing.
                    let part = c.literal && c.span.contains(except) && c.span != except;
                    (!part && text.excused(c.span, except, reach)).then_some(Held::Excepted(except, reach))
                }
                _ => None,
            });
            let held = excused
                .or_else(|| excused_spans.iter().find(|e| e.overlaps(c.span)).map(|e| Held::ExceptRegex(*e)))
                .or_else(|| text.held(rules, c.span, &self.compiled.negation));
            match held {
                None => true,
                Some(held) => {
                    missed(c, held);
                    false
                }
            }
        });
        let found = &mut scratch.candidates;
        found.sort_unstable_by_key(|c| (c.span.start, std::cmp::Reverse(c.span.end), c.pattern));
        found.dedup_by_key(|c| (c.span, c.pattern));
        if found.len() < rules.min_hits as usize {
            found.iter().for_each(|c| missed(c, Held::FewHits));
            return;
        }
        if !enough_different(found, rules.at_least) {
            found.iter().for_each(|c| missed(c, Held::FewDifferent));
            return;
        }
        // A hit inside a longer one of the same block says nothing more.
        let mut reach = 0;
        for c in found.iter() {
            if c.span.end > reach {
                reach = c.span.end;
                scratch.pending.push(Hit {
                    turn: index as u32,
                    marker: block.marker,
                    span: c.span,
                    pattern: c.pattern,
                    block: number,
                });
            }
        }
    }
}

/// True when a block limited to channels is active on this one.
pub(super) fn on_channel(channels: &[String], channel: Option<&str>) -> bool {
    channels.is_empty() || channel.is_some_and(|c| channels.iter().any(|own| own == c))
}

/// True when a match in the pinyin view begins and ends at syllables.
fn on_syllables(view: &str, range: Range<usize>) -> bool {
    let bytes = view.as_bytes();
    (range.start == 0 || bytes[range.start - 1] == b' ') && (range.end == bytes.len() || bytes[range.end] == b' ')
}

fn enough_different(found: &[Candidate], least: u32) -> bool {
    if least <= 1 {
        return true;
    }
    let mut patterns: Vec<u32> = found.iter().map(|c| c.pattern).collect();
    patterns.sort_unstable();
    patterns.dedup();
    patterns.len() >= least as usize
}
