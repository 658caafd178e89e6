//! One turn: rewrite, scan each view once, check each block's own conditions.

use std::ops::Range;

use super::compile::{Meaning, Use, ViewRegex, on_syllables};
use super::conditions::TurnText;
use super::hit::Hit;
use super::model::Form;
use super::{DetectScratch, Detector, SegmentMode};
use crate::conversation::{Role, Turn};
use crate::pack::marker::ViewKind;
use crate::span::Span;
use crate::text::{self, Fingerprint};
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

/// A hit without its turn.
#[derive(Debug, Clone, Copy)]
struct Remembered {
    block: u32,
    pattern: u32,
    span: Span,
}

/// What is known of a message from its own words.
#[derive(Debug)]
pub struct Known {
    length: u32,
    form: Form,
    /// `None` when it never repeats another.
    fingerprint: Option<Fingerprint>,
    /// What its grams speak for each model; empty when no model looks at its side.
    odds: Box<[f64]>,
    hits: Box<[Remembered]>,
}

impl Detector {
    /// Scans one turn and appends what its blocks find to `scratch.pending`, its form and its grams to theirs. Gives the
    /// turn's length in characters; `plain_made` tells whether the plain view is that of the turn.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn scan_turn<T: Trace>(
        &self,
        index: usize,
        turn: &Turn<'_>,
        channel: Option<&str>,
        pinyin_wanted: bool,
        scratch: &mut DetectScratch,
        plain_made: &mut bool,
        trace: &mut T,
    ) -> u32 {
        scratch.words_ready = false;
        if self.mode == SegmentMode::Full
            && let Some(segmenter) = &self.segmenter
        {
            text::plain(&turn.text, &mut scratch.views[0]);
            *plain_made = true;
            segmenter.cut_into(scratch.views[0].text(), &mut scratch.words);
            scratch.words_ready = true;
        }
        // A traced scan looks again: what was dropped, and why, is not remembered.
        let forgetful = T::ON || self.compiled.asks_confidence && turn.confidence.is_some();
        let key = if forgetful { None } else { scratch.memory.key(turn, channel) };
        if let Some(key) = key
            && let Some(known) = scratch.memory.recall(key, turn, channel)
        {
            scratch.pending.extend(known.hits.iter().map(|h| Hit {
                turn: index as u32,
                marker: self.compiled.blocks[h.block as usize].marker,
                span: h.span,
                pattern: h.pattern,
                block: h.block,
            }));
            scratch.forms.push(Some(known.form));
            scratch.fingerprints.push(known.fingerprint);
            match known.odds.is_empty() {
                true => scratch.gram_odds.pass(),
                false => scratch.gram_odds.recall(&known.odds),
            }
            return known.length;
        }
        let [plain, squeezed, pinyin] = &mut scratch.views;
        if !std::mem::replace(plain_made, true) {
            text::plain(&turn.text, plain);
        }
        let before = scratch.pending.len();
        text::squeezed(plain, squeezed);
        match pinyin_wanted {
            true => text::pinyin(plain, pinyin),
            false => text::plain("", pinyin),
        }
        for (letters, view) in scratch.letters.iter_mut().zip(&scratch.views) {
            letters.fill(view.text());
        }
        scratch.raw.clear();
        for (kind, _) in ViewKind::ALL {
            self.scan_view(kind, (index, turn), channel, scratch, trace);
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
            self.evaluate((index, turn), block, start..start + len, scratch, trace);
            start += len;
        }
        let squeezed = scratch.views[1].text();
        let length = squeezed.chars().count() as u32;
        let form = Form::of(&turn.text);
        scratch.forms.push(Some(form));
        let plain = scratch.views[0].text();
        let excepted = self.compiled.never_repeats.iter().any(|words| plain.contains(words.as_str()));
        let fingerprint = (!excepted).then(|| Fingerprint::of(plain, &mut scratch.letter_list));
        scratch.fingerprints.push(fingerprint);
        let modelled = self.compiled.modelled[usize::from(turn.role == Role::Agent)];
        match modelled {
            true => scratch.gram_odds.look_up(squeezed, &self.compiled.grams),
            false => scratch.gram_odds.pass(),
        }
        if let Some(key) = key {
            let found = scratch.pending[before..].iter();
            let hits = found.map(|h| Remembered { block: h.block, pattern: h.pattern, span: h.span }).collect();
            let odds = if modelled { scratch.gram_odds.last().into() } else { Box::default() };
            scratch.memory.keep(key, turn, channel, Known { length, form, fingerprint, odds, hits });
        }
        length
    }

    pub(super) fn wants_pinyin(&self, channel: Option<&str>) -> bool {
        self.compiled.pinyin_channels.iter().any(|channels| on_channel(channels, channel))
    }

    /// The phrase a candidate was found by.
    fn text_of(&self, candidate: &Candidate) -> &str {
        &self.compiled.texts[candidate.pattern as usize]
    }

    /// What keeps a choosy block from looking at this turn.
    fn refuses(&self, used: &Use, turn: &Turn<'_>, channel: Option<&str>) -> Option<Held> {
        let block = &self.compiled.blocks[used.block as usize].block;
        if !on_channel(&block.channels, channel) {
            return Some(Held::Channel);
        }
        match (turn.confidence, block.min_confidence) {
            (Some(confidence), Some(least)) if ((confidence * 1000.0) as u32) < least => Some(Held::Confidence),
            _ => None,
        }
    }

    fn scan_entities(&self, turn: &Turn<'_>, channel: Option<&str>, scratch: &mut DetectScratch) {
        text::entities(scratch.views[0].text(), &mut scratch.entities);
        for entity in &scratch.entities {
            for (_, used) in self.compiled.entities.iter().filter(|(kind, _)| *kind == entity.kind) {
                let listens = used.role.is_none_or(|r| r == turn.role);
                if listens && !(used.choosy && self.refuses(used, turn, channel).is_some()) {
                    scratch.raw.push(Raw { used: *used, start: entity.start as u32, end: entity.end as u32 });
                }
            }
        }
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
            if used.role.is_some_and(|r| r != turn.role) {
                return;
            }
            if used.choosy
                && let Some(held) = self.refuses(used, turn, channel)
            {
                if T::ON
                    && let Meaning::Phrase(pattern) = used.meaning
                {
                    let marker = self.compiled.blocks[used.block as usize].marker;
                    let span = views[kind as usize].original(start..end);
                    trace.missed(|| NearMiss { turn: index, marker, block: used.block, pattern, span, held });
                }
                return;
            }
            raw.push(Raw { used: *used, start: start as u32, end: end as u32 });
        };
        scanner.automaton.find(view, |pattern, range| {
            if kind == ViewKind::Pinyin && !on_syllables(view, range.clone()) {
                return;
            }
            let (from, to) = scanner.ranges[pattern];
            for used in &scanner.uses[from as usize..to as usize] {
                match used.meaning {
                    Meaning::Phrase(_) | Meaning::Regex(_) => add(used, range.start, range.end),
                    // Where it stands does not matter: what it stands for is looked for in the whole view, once.
                    _ => add(used, 0, 0),
                }
            }
        });
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
        let letters = &scratch.letters[rules.view as usize];
        scratch.candidates.clear();
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
        let mut next = raw.start;
        while next < raw.end {
            let r = scratch.raw[next];
            // A phrase counts wherever it stands; the places of a regex's literals are one search.
            let count = match r.used.meaning {
                Meaning::Regex(_) => {
                    scratch.raw[next..raw.end].iter().take_while(|other| other.used.meaning == r.used.meaning).count()
                }
                _ => 1,
            };
            let places = next..next + count;
            next += count;
            match r.used.meaning {
                Meaning::Phrase(pattern) => {
                    let span = view.original(r.start as usize..r.end as usize);
                    scratch.candidates.push(Candidate { span, pattern, literal: true });
                }
                Meaning::Regex(number) => {
                    let ViewRegex { regex, text, around } = &self.compiled.regexes[number as usize];
                    let mut places = scratch.raw[places].iter().map(|r| r.start as usize);
                    let places: Option<&mut dyn Iterator<Item = usize>> =
                        if *around { Some(&mut places) } else { None };
                    regex.find_around(view.text(), letters, places, &mut scratch.regexes, |found| {
                        if !found.is_empty() {
                            let span = view.original(found);
                            scratch.candidates.push(Candidate { span, pattern: *text, literal: false });
                        }
                    });
                }
                Meaning::Entity(pattern) => {
                    let span = scratch.views[0].original(r.start as usize..r.end as usize);
                    scratch.candidates.push(Candidate { span, pattern, literal: true });
                }
                Meaning::Near(n) => {
                    let near = &block.nears[n as usize];
                    let places = &mut scratch.places;
                    if !super::near::places(rules.view, near, (view, letters), places) {
                        continue;
                    }
                    let before = scratch.candidates.len();
                    let pattern = near.text;
                    super::near::find(rules.view, near, places, view, &mut text, |span| {
                        scratch.candidates.push(Candidate { span, pattern, literal: false });
                    });
                    if T::ON && scratch.candidates.len() == before {
                        let end = places.iter().map(|p| p.2).max().unwrap_or(0);
                        let span = view.original(places[0].1 as usize..end as usize);
                        missed(&Candidate { span, pattern, literal: false }, Held::Apart);
                    }
                }
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
            let excused = &mut scratch.excused;
            regex.find(view.text(), letters, &mut scratch.regexes, |found| excused.push(view.original(found)));
        }
        let excused_spans = &scratch.excused;
        let excepts = &mut scratch.excepts;
        excepts.clear();
        if let Some(set) = &block.except {
            set.find(rules.view, view.text(), letters, |reach, range| excepts.push((reach, view.original(range))));
        }
        scratch.candidates.retain(|c| {
            let excused = excepts.iter().find_map(|(reach, except)| {
                // The longer phrase wins: an exception that is only part of the phrase itself excuses nothing.
                let part = c.literal && c.span.contains(*except) && c.span != *except;
                (!part && text.excused(c.span, *except, *reach)).then_some(Held::Excepted(*except, *reach))
            });
            let held = excused
                .or_else(|| excused_spans.iter().find(|e| e.overlaps(c.span)).map(|e| Held::ExceptRegex(*e)))
                .or_else(|| text.held(rules, c.span, self.text_of(c), &self.compiled.negation));
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

fn enough_different(found: &[Candidate], least: u32) -> bool {
    if least <= 1 {
        return true;
    }
    let mut patterns: Vec<u32> = found.iter().map(|c| c.pattern).collect();
    patterns.sort_unstable();
    patterns.dedup();
    patterns.len() >= least as usize
}
