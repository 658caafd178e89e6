//! Watching detection and judging from outside: what was considered and why it did not count.
//!
//! The engine's functions are generic over a [`Trace`]; with [`NoTrace`] every call is empty and compiled away, so that
//! `inspect` pays nothing for what `rules explain` can tell.

use std::ops::Range;

use crate::judge::Anchor;
use crate::pack::expression::{Field, MarkerId, Value};
use crate::pack::marker::{Neighbour, Reach};
use crate::span::Span;

/// Why a possible hit does not count.
#[derive(Debug, Clone, PartialEq)]
pub enum Held {
    /// An exception stands there.
    Excepted(Span, Reach),
    /// An exception regex matches there.
    ExceptRegex(Span),
    /// The hit is not the whole message.
    NotWhole,
    /// The hit does not begin the message.
    NotStart,
    /// The hit does not end the message.
    NotEnd,
    /// The block wants a question (true) or no question (false).
    Question(bool),
    /// A negation word stands before it.
    Negated,
    /// An end of the hit lies inside a word.
    NotWord,
    /// The phrase is a number, and stands within a longer one.
    LongerNumber,
    /// Sounds like the phrase, but is made of ordinary words.
    CommonWords,
    /// Words are not segmented, so word boundaries are unknown.
    NoWords,
    /// The message is too short or too long for the block.
    Length,
    /// The recogniser was not sure enough.
    Confidence,
    /// The block is not for this channel.
    Channel,
    /// The parts of a proximity condition are there, but not close enough, in another order, or parted by a word.
    Apart,
    /// Fewer hits than the block wants.
    FewHits,
    /// Fewer different phrases than the block wants.
    FewDifferent,
    /// The turn carries a marker of `unless`.
    Unless(MarkerId),
    /// The turn carries none of the markers of `with`.
    With(Vec<MarkerId>),
    /// What it replies to carries none of the markers.
    ReplyTo(Vec<MarkerId>),
    /// Another marker does not stand near.
    Neighbour(Neighbour),
    /// The turn stands elsewhere in the conversation.
    Position,
}

/// A possible hit that does not count.
#[derive(Debug, Clone, PartialEq)]
pub struct NearMiss {
    /// Index of the turn.
    pub turn: usize,
    /// The marker that nearly matched.
    pub marker: MarkerId,
    /// The block, numbered over all markers.
    pub block: u32,
    /// What matched; see [`crate::detect::Detector::pattern`].
    pub pattern: u32,
    /// Bytes of the turn's original text.
    pub span: Span,
    /// What held it back.
    pub held: Held,
}

/// A value an expression asked for, as found.
pub type Fact = (Field, Option<Value>);

/// A step in judging one rule for one agent.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// The rule is switched off.
    Off,
    /// The rule it waits for has (or has not) a finding.
    Waits {
        /// Number of the other rule.
        other: usize,
        /// Whether a finding was wanted.
        wanted: bool,
    },
    /// Not in force on the day of the contact.
    NotInForce,
    /// The rule is for another agent of the conversation.
    OtherAgent,
    /// `applies` does not hold, or cannot be decided (then `unknown`).
    NotApplied {
        /// Data are missing.
        unknown: bool,
        /// What it asked for.
        facts: Vec<Fact>,
    },
    /// `when` does not hold in the agent's part.
    NotTriggered {
        /// The values it asked for.
        facts: Vec<Fact>,
    },
    /// A trigger is judged; `None`: the rule needs none.
    Trigger(Option<Anchor>),
    /// The turns looked at.
    Window(Vec<Range<usize>>),
    /// `require` holds, does not hold, or cannot be decided.
    Required(Option<bool>, Vec<Anchor>),
    /// Places where `forbid` holds; none: it does not hold.
    Forbidden(Option<Vec<Anchor>>),
    /// The measure's value.
    Measured(Option<i64>),
}

/// Watches an inspection.
pub trait Trace {
    /// Whether anybody listens.
    const ON: bool;
    /// A possible hit was dropped.
    fn missed(&mut self, near_miss: impl FnOnce() -> NearMiss);
    /// A step in judging a rule for an agent.
    fn step(&mut self, agent: usize, rule: usize, step: impl FnOnce() -> Step);
}

/// Listens to nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoTrace;

impl Trace for NoTrace {
    const ON: bool = false;
    #[inline(always)]
    fn missed(&mut self, _near_miss: impl FnOnce() -> NearMiss) {}
    #[inline(always)]
    fn step(&mut self, _agent: usize, _rule: usize, _step: impl FnOnce() -> Step) {}
}

/// Keeps everything.
#[derive(Debug, Clone, Default)]
pub struct Recorder {
    /// Dropped hits in the order found.
    pub missed: Vec<NearMiss>,
    /// Steps by agent and rule, in order.
    pub steps: Vec<(usize, usize, Step)>,
}

impl Trace for Recorder {
    const ON: bool = true;
    fn missed(&mut self, near_miss: impl FnOnce() -> NearMiss) {
        self.missed.push(near_miss());
    }
    fn step(&mut self, agent: usize, rule: usize, step: impl FnOnce() -> Step) {
        self.steps.push((agent, rule, step()));
    }
}
