//! Detection: which turn carries which marker, and where in its original text.
//!
//! A turn is rewritten into its views once, each view is scanned once whatever the number of markers, and the few raw
//! matches are checked against their blocks' conditions. Conditions that look at other turns are settled when the
//! whole conversation has been scanned. Detection is a pure function of the conversation and the pack.

pub mod compile;
mod conditions;
mod context;
pub mod hit;
mod near;
pub mod required;
mod scan;

use crate::conversation::{Conversation, Turn};
use crate::error::Result;
use crate::layout::Layout;
use crate::pack::Pack;
use crate::text::{Segmenter, View};
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
    words: Vec<u32>,
    words_ready: bool,
    pending: Vec<Hit>,
}

impl Detector {
    /// Compiles the markers of a pack; jieba's dictionary loads beside the automata.
    ///
    /// # Errors
    /// When the phrases do not fit an automaton or the user words cannot be read.
    pub fn new(pack: &Pack, mode: SegmentMode) -> Result<Detector> {
        let load = || match mode {
            SegmentMode::Off => Ok(None),
            _ => Segmenter::new(&pack.userdict).map(Some),
        };
        let (segmenter, compiled) = rayon::join(load, || compile::compile(pack));
        let segmenter =
            segmenter.map_err(|e| crate::error::Error::Other(format!("规则包的 userdict.txt 无法读取: {e}")))?;
        Ok(Detector { compiled: compiled?, segmenter, mode, markers: pack.markers.len() })
    }

    /// The segmenter, when the mode has one.
    pub fn segmenter(&self) -> Option<&Segmenter> {
        self.segmenter.as_ref()
    }

    /// The text that explains a hit: the phrase or regex as written in the pack.
    pub fn phrase(&self, hit: &Hit) -> &str {
        &self.compiled.texts[hit.pattern as usize]
    }

    /// Finds all markers of a conversation.
    pub fn detect(
        &self,
        conversation: &Conversation<'_>,
        layout: &Layout,
        scratch: &mut DetectScratch,
        hits: &mut Hits,
    ) {
        self.detect_and(conversation, layout, scratch, hits, &mut |_, _, _| {});
    }

    /// As [`Detector::detect`]; `each` sees every turn in words with its plain view while it is at hand.
    pub fn detect_and(
        &self,
        conversation: &Conversation<'_>,
        layout: &Layout,
        scratch: &mut DetectScratch,
        hits: &mut Hits,
        each: &mut dyn FnMut(usize, &Turn<'_>, &View),
    ) {
        hits.reset(conversation.turns.len(), self.markers);
        scratch.pending.clear();
        for (i, turn) in conversation.turns.iter().enumerate() {
            if turn.is_human_words() && !turn.text.is_empty() {
                self.scan_turn(i, turn, conversation.channel.as_deref(), scratch);
                each(i, turn, &scratch.views[0]);
            }
        }
        self.settle(conversation, layout, &mut scratch.pending, hits);
    }
}
