//! What the workbook reads of a line of `conversations.jsonl`, borrowed from the line where it can be.

use std::borrow::Cow;

use serde::Deserialize;

/// A conversation's line.
#[derive(Debug, Default, Deserialize)]
pub struct Line<'l> {
    #[serde(borrow)]
    pub conversation_id: Cow<'l, str>,
    pub score: Option<f64>,
    pub raw_score: Option<f64>,
    #[serde(borrow, default)]
    pub not_judged: Option<Cow<'l, str>>,
    pub satisfaction_estimate: Option<f64>,
    #[serde(borrow, default)]
    pub resolution: Cow<'l, str>,
    #[serde(borrow, default)]
    pub topics: Vec<TopicLine<'l>>,
    #[serde(default)]
    pub metrics: Metrics,
    #[serde(borrow, default)]
    pub agents: Vec<AgentLine<'l>>,
    #[serde(borrow, default)]
    pub findings: Vec<FindingLine<'l>>,
}

/// Its measures, seconds and counts.
#[derive(Debug, Default, Deserialize)]
pub struct Metrics {
    pub first_response: Option<f64>,
    pub avg_response: Option<f64>,
    pub max_response: Option<f64>,
    pub handle_time: Option<f64>,
    pub turns: Option<f64>,
}

/// A contact reason.
#[derive(Debug, Deserialize)]
pub struct TopicLine<'l> {
    #[serde(borrow)]
    pub id: Cow<'l, str>,
}

/// An agent's part.
#[derive(Debug, Deserialize)]
pub struct AgentLine<'l> {
    #[serde(borrow)]
    pub agent_id: Cow<'l, str>,
    #[serde(default)]
    pub passed: bool,
    #[serde(default)]
    pub critical: bool,
}

/// A finding.
#[derive(Debug, Deserialize)]
pub struct FindingLine<'l> {
    #[serde(borrow)]
    pub rule: Cow<'l, str>,
    #[serde(borrow)]
    pub title: Cow<'l, str>,
    #[serde(borrow)]
    pub severity: Cow<'l, str>,
    #[serde(borrow)]
    pub dimension: Cow<'l, str>,
    pub points: f64,
    #[serde(default)]
    pub capped: bool,
    #[serde(default)]
    pub review: bool,
    #[serde(borrow)]
    pub agent_id: Cow<'l, str>,
    pub turn: u64,
    #[serde(borrow)]
    pub quote: Cow<'l, str>,
    #[serde(borrow)]
    pub why: Cow<'l, str>,
}
