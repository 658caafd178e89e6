//! The review round: people check the machine, and figures, rules and scores follow from what they found.
//!
//! A **case** ([`case::Case`]) is one agent's part of a conversation as the machine judged it, kept with the masked chat so
//! that everything later works without transcripts. A sample of cases is drawn ([`plan`]), looked at in sheets
//! ([`crate::report::review_sheet`]), and what people decided is stored ([`crate::store`]), never overwritten. From all
//! standing reviews follows one ruling a finding ([`rulings`]), from the rulings the score after review ([`effect`]), the
//! precision of rules and the agreement of people ([`stats`], [`agreement`]).
//!
//! Everything here is a pure function of its arguments.

pub mod agreement;
pub mod case;
pub mod effect;
pub mod examples;
pub mod filled;

pub mod plan;
pub mod rulings;
pub mod sheet;
pub mod stats;

use serde::{Deserialize, Serialize};

/// In which capacity someone looks at a case; later ones overrule earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Round {
    /// 初评: the review proper, also of cases several people look at for calibration.
    First,
    /// 复评: blind, by someone else.
    Second,
    /// 仲裁: of what reviewers disagree about.
    Adjudicate,
    /// 申诉: the agent states why; decides nothing.
    Agent,
    /// 申诉裁定: the supervisor decides.
    Appeal,
}

impl Round {
    /// Every round: id, Chinese title.
    pub const ALL: [(Round, &'static str, &'static str); 5] = [
        (Round::First, "first", "初评"),
        (Round::Second, "second", "复评"),
        (Round::Adjudicate, "adjudicate", "仲裁"),
        (Round::Agent, "agent", "申诉"),
        (Round::Appeal, "appeal", "申诉裁定"),
    ];

    /// Its id.
    pub fn id(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// Its title.
    pub fn title(self) -> &'static str {
        Self::ALL[self as usize].2
    }

    /// By its id.
    pub fn parse(id: &str) -> Option<Round> {
        Self::ALL.iter().find(|r| r.1 == id).map(|r| r.0)
    }

    /// How much its word weighs: first and second reviews are equals.
    pub fn authority(self) -> u8 {
        match self {
            Round::Agent => 0,
            Round::First | Round::Second => 1,
            Round::Adjudicate => 2,
            Round::Appeal => 3,
        }
    }
}

/// What someone says about a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// 确认: it is so.
    Confirmed,
    /// 误判: it is not.
    Overturned,
    /// 漏判: the machine missed it.
    Missed,
    /// 申诉: the agent disputes it.
    Appealed,
}

impl Verdict {
    /// Every verdict: id, Chinese title.
    pub const ALL: [(Verdict, &'static str, &'static str); 4] = [
        (Verdict::Confirmed, "confirmed", "确认"),
        (Verdict::Overturned, "overturned", "误判"),
        (Verdict::Missed, "missed", "漏判"),
        (Verdict::Appealed, "appealed", "申诉"),
    ];

    /// Its id.
    pub fn id(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// Its title.
    pub fn title(self) -> &'static str {
        Self::ALL[self as usize].2
    }

    /// By its id.
    pub fn parse(id: &str) -> Option<Verdict> {
        Self::ALL.iter().find(|v| v.1 == id).map(|v| v.0)
    }

    /// True when it says that the fault is there.
    pub fn is_real(self) -> bool {
        matches!(self, Verdict::Confirmed | Verdict::Missed)
    }
}

/// Names an agent's part of a conversation of a night.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CaseKey {
    /// The night.
    pub night: String,
    /// Part of it; empty for a night in one piece.
    pub part: String,
    /// The conversation.
    pub conversation: String,
    /// The agent.
    pub agent: String,
}

/// Names a finding of a case: a rule finds at most once a turn.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FindingKey {
    /// The rule.
    pub rule: String,
    /// Index of the turn, from 0.
    pub turn: u32,
}

/// One verdict of a review.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Decision {
    /// About what.
    pub finding: FindingKey,
    /// What was decided.
    pub verdict: Verdict,
    /// Why.
    pub comment: String,
}

/// One person's look at one case, as it stands in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// Its number in the store.
    pub id: i64,
    /// The sample it belongs to.
    pub sample: String,
    /// The case.
    pub case: CaseKey,
    /// In which capacity.
    pub round: Round,
    /// Who.
    pub reviewer: String,
    /// When (as written at the import).
    pub at: String,
    /// What was decided; a finding not among them was not judged.
    pub decisions: Vec<Decision>,
}
