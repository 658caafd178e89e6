//! What judging says about one rule in one conversation.

use crate::span::Span;

/// The outcome of a rule for one agent of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Nothing made the rule due; it leaves the denominator.
    NotApplicable,
    /// Due, and nothing to say.
    Passed,
    /// At least one finding.
    Found,
}

/// One point a supervisor can defend: which rule, what it costs, where, in whose words, why.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The rule's number in the pack.
    pub rule: usize,
    /// The agent's number in the conversation.
    pub agent: usize,
    /// Milli-points after the rule's cap; negative costs.
    pub points: i64,
    /// True when the cap of the rule took some or all of it.
    pub capped: bool,
    /// For a person to look at: the rule is on trial, only a model says so, the speech recogniser was unsure, or roles
    /// seem swapped. Costs
    /// nothing.
    pub review: bool,
    /// Index of the turn the finding points at.
    pub turn: u32,
    /// Bytes of that turn's original text.
    pub span: Span,
    /// The phrase or regex that matched; empty for absence and limit rules.
    pub phrase: String,
    /// One line a supervisor can read.
    pub why: String,
}

/// A duty that became due and was fulfilled: material for good examples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fulfilled {
    /// The rule's number in the pack.
    pub rule: usize,
    /// The turn that made it due.
    pub trigger: u32,
    /// The agent's turn that fulfilled it.
    pub turn: u32,
}
