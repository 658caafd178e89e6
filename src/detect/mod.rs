//! Detection: which turn carries which marker, and where in its original text.
//!
//! A turn is rewritten into its views once, each view is scanned once whatever the number of markers, and the few raw
//! matches are checked against their blocks' conditions. Conditions that look at other turns are settled when the
//! whole conversation has been scanned. Detection is a pure function of the conversation and the pack.

pub mod automaton;
pub mod compile;
mod conditions;
mod context;
pub mod gate;
pub mod gated;
pub mod grams;
pub mod hit;
pub mod memory;
pub mod model;
mod near;
mod prepare;
pub mod required;
mod scan;

use crate::conversation::{Conversation, Turn};
use crate::error::Result;
use crate::layout::Layout;
use crate::pack::Pack;
use crate::pack::expression::MarkerId;
use crate::pack::marker::ViewKind;
use crate::text::{Dictionary, Fingerprint, Segmenter, View};
use crate::trace::{NoTrace, Trace};
use compile::Compiled;
use hit::{Hit, Hits};

/// When words are segmented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SegmentMode {
    /// Every turn of customer and agent.
    Full,
    /// Turns where a hit asks for word boundaries.
    #[default]
    Needed,
    /// Never: word-bounded patterns do not hit.
    Off,
}

/// A compiled pack's markers with the segmenter.
#[derive(Debug)]
pub struct Detector {
    compiled: Compiled,
    segmenter: Option<Segmenter>,
    mode: SegmentMode,
    markers: usize,
}

/// Buffers of one thread.
#[derive(Debug, Default)]
pub struct DetectScratch {
    views: [View; 3],
    raw: Vec<scan::Raw>,
    candidates: Vec<scan::Candidate>,
    entities: Vec<crate::text::Entity>,
    excused: Vec<crate::span::Span>,
    excepts: Vec<(crate::pack::marker::Reach, crate::span::Span)>,
    places: Vec<near::Place>,
    words: Vec<u32>,
    words_ready: bool,
    regexes: gated::RegexCache,
    memory: memory::Memory<scan::Known>,
    /// The letters of each view.
    letters: [gate::Letters; 3],
    pending: Vec<Hit>,
    /// The pending hits in the order of their markers.
    in_order: Vec<Hit>,
    settled: Vec<Hit>,
    /// Words of the messages, when a model asks for them.
    turn_words: model::TurnWords,
    /// What the messages' grams speak for each model.
    gram_odds: grams::GramOdds,
    /// What each turn looks like; `None` for turns that say nothing.
    forms: Vec<Option<model::Form>>,
    /// Messages of each side before each turn.
    ranks: context::Ranks,
    /// Where each marker's pending hits begin.
    starts: Vec<usize>,
    /// Where each settled marker's hits stand in the list.
    settled_at: Vec<(usize, usize)>,
    /// Letters and characters of each turn's squeezed view; `None` for turns that say nothing.
    lengths: Vec<Option<u32>>,
    /// What each turn's plain view is made of; `None` for turns that say nothing and those that never repeat another.
    fingerprints: Vec<Option<Fingerprint>>,
    letter_list: Vec<char>,
}

impl DetectScratch {
    /// What the plain views of the last conversation's turns are made of; `None` for turns that say nothing, or what the
    /// pack excepts from repeats.
    pub fn fingerprints(&self) -> &[Option<Fingerprint>] {
        &self.fingerprints
    }
}

/// The plain view of a turn, made when it is asked for.
#[derive(Debug)]
pub struct Plain<'p> {
    text: &'p str,
    view: &'p mut View,
    ready: bool,
}

impl<'p> Plain<'p> {
    /// Of a text; the view is a buffer.
    pub fn new(text: &'p str, view: &'p mut View) -> Plain<'p> {
        Plain { text, view, ready: false }
    }

    /// The view.
    pub fn get(&mut self) -> &View {
        if !self.ready {
            crate::text::plain(self.text, self.view);
            self.ready = true;
        }
        self.view
    }
}

impl Detector {
    /// Compiles the markers of a pack. `dictionary` gives jieba's words, which may have been loaded meanwhile; it is not
    /// asked when the mode is [`SegmentMode::Off`].
    ///
    /// # Errors
    /// When the phrases do not fit an automaton or the user words cannot be read.
    pub fn new(pack: &Pack, mode: SegmentMode, dictionary: impl FnOnce() -> Dictionary) -> Result<Detector> {
        let compiled = compile::compile(pack)?;
        let segmenter = match mode {
            SegmentMode::Off => None,
            _ => Some(
                dictionary()
                    .with_words(&pack.userdict)
                    .map_err(|e| crate::error::Error::Other(format!("规则包的 userdict.txt 无法读取: {e}")))?,
            ),
        };
        Ok(Detector { compiled, segmenter, mode, markers: pack.markers.len() })
    }

    /// The segmenter, when the mode has one.
    pub fn segmenter(&self) -> Option<&Segmenter> {
        self.segmenter.as_ref()
    }

    /// The text that explains a hit: the phrase or regex as written in the pack.
    pub fn phrase(&self, hit: &Hit) -> &str {
        &self.compiled.texts[hit.pattern as usize]
    }

    /// True when a hit is a model's word alone, and its marker leaves those to a person's review.
    pub fn is_doubtful(&self, hit: &Hit) -> bool {
        self.compiled.doubtful.binary_search(&hit.pattern).is_ok()
    }

    /// The text of a pattern by its number.
    pub fn pattern(&self, number: u32) -> &str {
        &self.compiled.texts[number as usize]
    }

    /// All patterns in order of their numbers: the marker each belongs to, its view, the text as written.
    pub fn patterns(&self) -> impl Iterator<Item = (MarkerId, ViewKind, &str)> {
        self.compiled.texts.iter().zip(&self.compiled.owners).map(|(text, block)| {
            let block = &self.compiled.blocks[*block as usize];
            (block.marker, block.block.view, text.as_str())
        })
    }

    /// True for a pattern that asks for nothing but some words: its hits say nothing of the words.
    pub fn takes_anything(&self, pattern: u32) -> bool {
        self.compiled.blocks[self.compiled.owners[pattern as usize] as usize].any == Some(pattern)
    }

    /// A block by its number over all markers.
    pub fn block(&self, number: u32) -> &crate::pack::marker::Block {
        &self.compiled.blocks[number as usize].block
    }

    /// Finds all markers of a conversation.
    pub fn detect(
        &self,
        conversation: &Conversation<'_>,
        layout: &Layout,
        scratch: &mut DetectScratch,
        hits: &mut Hits,
    ) {
        self.detect_traced(conversation, layout, scratch, hits, &mut NoTrace);
    }

    /// Finds all markers of a conversation and tells `trace` what nearly was one.
    pub fn detect_traced<T: Trace>(
        &self,
        conversation: &Conversation<'_>,
        layout: &Layout,
        scratch: &mut DetectScratch,
        hits: &mut Hits,
        trace: &mut T,
    ) {
        self.detect_and(conversation, layout, scratch, hits, trace, &mut |_, _, _| {});
    }

    /// As [`Detector::detect_traced`]; `each` sees every turn in words, with its plain view at hand.
    pub fn detect_and<T: Trace>(
        &self,
        conversation: &Conversation<'_>,
        layout: &Layout,
        scratch: &mut DetectScratch,
        hits: &mut Hits,
        trace: &mut T,
        each: &mut dyn FnMut(usize, &Turn<'_>, &mut Plain<'_>),
    ) {
        hits.reset(conversation.turns.len(), self.markers);
        scratch.pending.clear();
        scratch.lengths.clear();
        scratch.forms.clear();
        scratch.fingerprints.clear();
        scratch.gram_odds.start(&self.compiled.grams);
        let channel = conversation.channel.as_deref();
        let pinyin = self.wants_pinyin(channel);
        for (i, turn) in conversation.turns.iter().enumerate() {
            let length = match turn.is_human_words() && !turn.text.trim().is_empty() {
                true => {
                    let mut plain = false;
                    let length = self.scan_turn(i, turn, channel, pinyin, scratch, &mut plain, trace);
                    each(i, turn, &mut Plain { text: &turn.text, view: &mut scratch.views[0], ready: plain });
                    Some(length)
                }
                false => {
                    scratch.forms.push(None);
                    scratch.fingerprints.push(None);
                    scratch.gram_odds.pass();
                    None
                }
            };
            scratch.lengths.push(length);
        }
        self.settle(conversation, layout, scratch, hits, trace);
    }
}
