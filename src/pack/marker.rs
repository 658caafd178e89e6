//! Markers as the pack defines them: what a turn must say to carry the marker, and what excuses it.

use std::ops::Range;
use std::sync::Arc;

use super::expression::MarkerId;
use super::turn_model::TurnModel;
use crate::conversation::Role;
use crate::diagnostic::SourceFile;
use crate::text::EntityKind;

mod read;

pub use read::read;

/// Which rewriting of the turn a pattern is matched against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum ViewKind {
    /// Normalised text with its punctuation.
    #[default]
    Plain,
    /// Without spaces, punctuation and emoji; look-alikes folded.
    Squeezed,
    /// Toneless pinyin syllables.
    Pinyin,
}

impl ViewKind {
    /// Every view with its name in packs.
    pub const ALL: [(ViewKind, &'static str); 3] =
        [(ViewKind::Plain, "plain"), (ViewKind::Squeezed, "squeezed"), (ViewKind::Pinyin, "pinyin")];
}

/// Part of the conversation a position counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// The agent's own segment.
    #[default]
    Segment,
    /// The whole conversation.
    Conversation,
}

/// A bound on where in the conversation a turn stands.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Position {
    /// Among the first N turns of the marker's role.
    pub first_turns: Option<u32>,
    /// Among the last N turns of the marker's role.
    pub last_turns: Option<u32>,
    /// Within the first N milliseconds.
    pub first_ms: Option<i64>,
    /// Within the last N milliseconds.
    pub last_ms: Option<i64>,
    /// Within the first share of the turns, thousandths.
    pub first_share: Option<u32>,
    /// Within the last share of the turns, thousandths.
    pub last_share: Option<u32>,
    /// What the figures count in.
    pub of: Scope,
}

/// Which of another marker's turns anchor a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Occurrence {
    /// Any of them.
    #[default]
    Each,
    /// The first.
    First,
    /// The last.
    Last,
}

/// Direction in which another marker must stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The other marker stands before this turn.
    After,
    /// The other marker stands after this turn.
    Before,
    /// Either.
    Around,
}

/// Another marker that must stand near.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbour {
    /// The other marker.
    pub marker: MarkerId,
    /// Where it must stand.
    pub direction: Direction,
    /// At most this many turns away (turns of customer and agent).
    pub turns: Option<u32>,
    /// At most this many milliseconds away.
    pub ms: Option<i64>,
    /// Which of its turns count.
    pub occurrence: Occurrence,
}

/// Conditions that look at other markers or at the place in the conversation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Context {
    /// None of these in the turn.
    pub unless: Vec<MarkerId>,
    /// One of these in the turn.
    pub with: Vec<MarkerId>,
    /// The other side's preceding messages carry one of these.
    pub reply_to: Vec<MarkerId>,
    /// Markers that must stand near.
    pub neighbours: Vec<Neighbour>,
    /// Where the turn must stand.
    pub position: Option<Position>,
}

impl Context {
    /// True when there is nothing to check.
    pub fn is_empty(&self) -> bool {
        *self == Context::default()
    }

    /// Calls `f` with every marker the conditions look at.
    pub fn markers(&self, mut f: impl FnMut(MarkerId)) {
        self.unless.iter().chain(&self.with).chain(&self.reply_to).for_each(|m| f(*m));
        self.neighbours.iter().for_each(|n| f(n.marker));
    }
}

/// Parts that must stand close together.
#[derive(Debug, Clone, PartialEq)]
pub struct Near {
    /// Each part a list of alternatives.
    pub parts: Vec<Vec<String>>,
    /// Most characters (or words) between the end of one part and the start of the next.
    pub within: u32,
    /// Parts must come in the order given.
    pub ordered: bool,
    /// Distance in jieba words instead of characters.
    pub words: bool,
    /// None of these between the parts.
    pub not: Vec<String>,
}

/// How far an exception reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// It must overlap the hit.
    Inside,
    /// The same clause.
    Clause,
    /// The same sentence.
    Sentence,
    /// Anywhere in the turn.
    Turn,
}

/// A regex with its source as written.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern {
    /// As written in the pack.
    pub source: String,
}

/// One pattern block: any of its phrases, regexes or nears, under its conditions.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Block {
    /// Whose turns; the marker's role where not given.
    pub role: Option<Role>,
    /// The text matched against.
    pub view: ViewKind,
    /// Phrases as written.
    pub phrases: Vec<String>,
    /// Regexes as written.
    pub regexes: Vec<Pattern>,
    /// Built-in things with a form of their own: phone numbers, links, amounts.
    pub entities: Vec<EntityKind>,
    /// Proximity conditions.
    pub nears: Vec<Near>,
    /// Exceptions with their reach.
    pub except: Vec<(Reach, String)>,
    /// Regex exceptions.
    pub except_regex: Vec<Pattern>,
    /// Both ends on word boundaries.
    pub word: bool,
    /// The hit is the whole message.
    pub whole: bool,
    /// The hit begins the message.
    pub start: bool,
    /// The hit ends the message.
    pub end: bool,
    /// Hits under a negation do not count.
    pub negation: bool,
    /// Only in (or not in) questions.
    pub question: Option<bool>,
    /// Different phrases that must hit.
    pub at_least: u32,
    /// Hits there must be.
    pub min_hits: u32,
    /// Least squeezed characters of the turn.
    pub min_chars: Option<u32>,
    /// Most squeezed characters of the turn.
    pub max_chars: Option<u32>,
    /// Least ASR confidence, thousandths.
    pub min_confidence: Option<u32>,
    /// Only on these channels; empty: all.
    pub channels: Vec<String>,
    /// Conditions on other markers, for this block.
    pub context: Context,
}

impl Block {
    /// The block without its patterns: what is left to ask of a match.
    pub fn conditions(&self) -> Block {
        Block {
            role: self.role,
            view: self.view,
            phrases: Vec::new(),
            regexes: Vec::new(),
            entities: Vec::new(),
            nears: Vec::new(),
            except: Vec::new(),
            except_regex: Vec::new(),
            word: self.word,
            whole: self.whole,
            start: self.start,
            end: self.end,
            negation: self.negation,
            question: self.question,
            at_least: self.at_least,
            min_hits: self.min_hits,
            min_chars: self.min_chars,
            max_chars: self.max_chars,
            min_confidence: self.min_confidence,
            channels: self.channels.clone(),
            context: self.context.clone(),
        }
    }
}

/// A marker's example: the turn it is about is the last line.
#[derive(Debug, Clone, PartialEq)]
pub struct MarkerExample {
    /// Whether the marker must be there.
    pub hit: bool,
    /// A single turn, or chat lines.
    pub lines: Vec<String>,
    /// True for a knowingly failing example (`todo = true`).
    pub todo: bool,
    /// Channel of the example.
    pub channel: Option<String>,
    /// Where it stands in the file.
    pub range: Range<usize>,
}

/// A marker.
#[derive(Debug, Clone)]
pub struct Marker {
    /// Its id: the file's name.
    pub id: String,
    /// Its Chinese title.
    pub title: String,
    /// What it means, one line.
    pub about: String,
    /// Whose turns carry it; none: both sides'.
    pub role: Option<Role>,
    /// Decides instead of the blocks, which then only inform it.
    pub model: Option<Arc<TurnModel>>,
    /// Findings that rest on the model's word alone, without a phrase of the marker, go to review.
    pub alone_review: bool,
    /// Pattern blocks.
    pub blocks: Vec<Block>,
    /// Conditions for the whole marker.
    pub context: Context,
    /// Examples.
    pub examples: Vec<MarkerExample>,
    /// The file it stands in.
    pub file: Arc<SourceFile>,
}

impl Marker {
    /// Calls `f` with every marker this one looks at.
    pub fn needs(&self, mut f: impl FnMut(MarkerId)) {
        self.context.markers(&mut f);
        self.blocks.iter().for_each(|b| b.context.markers(&mut f));
        self.model.iter().flat_map(|m| &m.markers).for_each(|m| f(m.1));
    }
}
