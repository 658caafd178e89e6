//! What came before a night, as reports show it: trends, the change against the period before, what is new.

use std::collections::BTreeMap;

use serde::Serialize;

use super::figures::{Mean, Rate};

/// Earlier nights beside the one reported.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct History {
    /// Earlier periods, oldest first, the one reported last.
    pub trend: Vec<Period>,
    /// Changes against the period before, for everyone (`""`), by team and by agent; empty where nothing compares.
    pub changes: Changes,
    /// Contact reasons and words that came up more than the history explains, the strongest first.
    pub bursts: Vec<Burst>,
}

/// One period of a trend.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Period {
    /// `2026-11-20`, `2026-W47`, `2026-11`, `2026-Q4`.
    pub label: String,
    /// Version of the pack it was judged by.
    pub pack_version: String,
    /// True when pack or thresholds differ from those of the period before: figures on both sides do not compare.
    pub changed_rules: bool,
    /// Everyone.
    pub all: Point,
    /// By team.
    pub teams: BTreeMap<String, Point>,
    /// By agent id.
    pub agents: BTreeMap<String, Point>,
}

/// Figures of one agent, team or everyone in one period.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Point {
    /// Conversations judged.
    pub conversations: u64,
    /// Mean score with its interval.
    pub score: Option<Mean>,
    /// Share passed.
    pub pass_rate: Option<Rate>,
    /// Conversations with a critical finding.
    pub critical: u64,
    /// Resolved of those where it can be told.
    pub resolved: Option<Rate>,
    /// Mean first response, seconds, and conversations in which it is known.
    pub first_response: Option<(f64, u64)>,
    /// Mean satisfaction estimate, 0–1, and its cases.
    pub satisfaction: Option<(f64, u64)>,
    /// No recontact about the matter within 24 hours; known for everyone and agents once the window has passed.
    pub fcr_24h: Option<Rate>,
    /// No recontact about the matter within 72 hours; known for everyone and agents once the window has passed.
    pub fcr_72h: Option<Rate>,
    /// Share of each dimension's points kept, in percent.
    pub dimensions: BTreeMap<String, f64>,
    /// By rule id: share of due conversations with a finding.
    pub rules: BTreeMap<String, Rate>,
}

/// Changes by figure.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Changes {
    /// Label of the period compared with; empty when there is none.
    pub against: String,
    /// True when pack or thresholds changed in between.
    pub changed_rules: bool,
    /// Everyone.
    pub all: Vec<Change>,
    /// By team.
    pub teams: BTreeMap<String, Vec<Change>>,
    /// By agent id.
    pub agents: BTreeMap<String, Vec<Change>>,
}

/// How a figure moved.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// `score`, `pass_rate`, `conversations`, `critical_rate`, `resolution_rate`, `first_response`,
    /// `satisfaction_estimate`, `dimension:<id>`, `rule:<id>`.
    pub figure: String,
    /// Before.
    pub before: f64,
    /// Now.
    pub now: f64,
    /// 95 % interval of `now − before`; none where it cannot be told (counts, a single case).
    pub interval: Option<(f64, f64)>,
    /// Cases before and now.
    pub n: (u64, u64),
    /// The same figure after review; `None` where neither side has been reviewed, and for figures review does not
    /// touch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviewed: Option<AfterReview>,
}

/// A figure after review, on both sides of a comparison.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct AfterReview {
    /// Before; `None` where nobody reviewed any of it.
    pub before: Option<f64>,
    /// Now; `None` where nobody reviewed any of it.
    pub now: Option<f64>,
}

impl Change {
    /// The difference, in the figure's own unit.
    pub fn difference(&self) -> f64 {
        self.now - self.before
    }

    /// True when chance alone does not explain the difference: its interval does not hold zero.
    pub fn is_clear(&self) -> bool {
        self.interval.is_some_and(|(low, high)| low > 0.0 || high < 0.0)
    }
}

/// A reason or word that came up more than before.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Burst {
    /// `topic` or `word`.
    pub kind: &'static str,
    /// The topic's id, or the word.
    pub id: String,
    /// What to show.
    pub title: String,
    /// Conversations now, and how many the history leads one to expect.
    pub now: u64,
    /// Expected number.
    pub expected: f64,
    /// How far beyond chance (standard deviations of the expected count).
    pub strength: f64,
}
