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
    pub(super) fn scan_turn(
        &self,
        index: usize,
        turn: &Turn<'_>,
        channel: Option<&str>,
        pinyin_wanted: bool,
        scratch: &mut DetectScratch,
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
            self.scan_view(kind, turn, channel, scratch);
        }
        if !self.compiled.entities.is_empty() {
            self.scan_entities(turn, channel, scratch);
        }
        scratch.raw.sort_unstable_by_key(|r| (r.used.key(), r.start, r.end));
        scratch.raw.dedup();
        let mut start = 0;
        while start < scratch.raw.len() {
            let block = scratch.raw[start].used.block;
            let len = scratch.raw[start..].partition_point(|r| r.used.block == block);
            self.evaluate(index, block, start..start + len, turn, scratch);
            start += len;
        }
        scratch.views[1].text().chars().count() as u32
    }

    pub(super) fn wants_pinyin(&self, channel: Option<&str>) -> bool {
        self.compiled.blocks.iter().any(|b| b.block.view == ViewKind::Pinyin && on_channel(&b.block.channels, channel))
    }

    /// The phrase a candidate was found by.
    fn texts_of(&self, candidate: &Candidate) -> &str {
        &self.compiled.texts[candidate.pattern as usize]
    }

    /// Whether the block of a use looks at this turn at all.
    fn listens(&self, used: &Use, turn: &Turn<'_>, channel: Option<&str>) -> bool {
        let block = &self.compiled.blocks[used.block as usize];
        let unsure = match (turn.confidence, block.block.min_confidence) {
            (Some(confidence), Some(least)) => ((confidence * 1000.0) as u32) < least,
            _ => false,
        };
        block.role.is_none_or(|r| r == turn.role) && on_channel(&block.block.channels, channel) && !unsure
    }

    fn scan_entities(&self, turn: &Turn<'_>, channel: Option<&str>, scratch: &mut DetectScratch) {
        text::entities(scratch.views[0].text(), &mut scratch.entities);
        for entity in &scratch.entities {
            for (_, used) in self.compiled.entities.iter().filter(|(kind, _)| *kind == entity.kind) {
                if self.listens(used, turn, channel) {
                    scratch.raw.push(Raw { used: *used, start: entity.start as u32, end: entity.end as u32 });
                }
            }
        }
    }

    fn scan_view(&self, kind: ViewKind, turn: &Turn<'_>, channel: Option<&str>, scratch: &mut DetectScratch) {
        let Some(scanner) = &self.compiled.views[kind as usize] else { return };
        let view = scratch.views[kind as usize].text();
        if view.is_empty() {
            return;
        }
        let raw = &mut scratch.raw;
        let mut add = |used: &Use, start: usize, end: usize| {
            if self.listens(used, turn, channel) {
                raw.push(Raw { used: *used, start: start as u32, end: end as u32 });
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
    fn evaluate(&self, index: usize, number: u32, raw: Range<usize>, turn: &Turn<'_>, scratch: &mut DetectScratch) {
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
                Meaning::Entity(pattern) => {
                    let span = scratch.views[0].original(r.start as usize..r.end as usize);
                    scratch.candidates.push(Candidate { span, pattern, literal: true });
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
        for (n, near) in rules.nears.iter().enumerate() {
            let nots = &block.near_nots[n];
            super::near::find(rules.view, near, n as u16, nots, raw, view, &mut text, |span| {
                scratch.candidates.push(Candidate { span, pattern: block.near_texts[n], literal: false });
            });
        }
        if scratch.candidates.is_empty() || !text.fits_length(rules) {
            return;
        }
        scratch.excused.clear();
        for regex in &block.except_regexes {
            scratch.excused.extend(regex.find_iter(view.text()).map(|m| view.original(m.range())));
        }
        let excused_spans = &scratch.excused;
        scratch.candidates.retain(|c| {
            let excused = raw.iter().any(|r| match r.used.meaning {
                Meaning::Except(reach) => {
                    let except = view.original(r.start as usize..r.end as usize);
                    // The longer phrase wins: an exception that is only part of the phrase itself excuses nothing.
                    let part = c.literal && c.span.contains(except) && c.span != except;
                    !part && text.excused(c.span, except, reach)
                }
                _ => false,
            });
            !excused
                && !excused_spans.iter().any(|e| e.overlaps(c.span))
                && text.holds(rules, c.span, self.texts_of(c), &self.compiled.negation)
        });
        let found = &mut scratch.candidates;
        found.sort_unstable_by_key(|c| (c.span.start, std::cmp::Reverse(c.span.end), c.pattern));
        found.dedup_by_key(|c| (c.span, c.pattern));
        if found.len() < rules.min_hits as usize || !enough_different(found, rules.at_least) {
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
