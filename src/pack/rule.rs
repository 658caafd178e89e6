//! Rules as the pack defines them: what makes a duty due, what fulfils it, what it costs, what to say to whom.

use std::ops::Range;
use std::sync::Arc;

use super::expression::Expr;
use super::fields::At;
use crate::diagnostic::SourceFile;
use crate::metrics::Metric;

mod read;

pub use read::read;

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing, costs nothing.
    Note,
    /// A small lapse.
    Minor,
    /// A clear fault.
    Major,
    /// One is enough: the score is 0 (一票否决).
    Critical,
}

impl Severity {
    /// Every severity: id, Chinese title.
    pub const ALL: [(Severity, &'static str, &'static str); 4] = [
        (Severity::Note, "note", "提示"),
        (Severity::Minor, "minor", "轻微"),
        (Severity::Major, "major", "严重"),
        (Severity::Critical, "critical", "一票否决"),
    ];

    /// Its id.
    pub fn id(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// Its Chinese title.
    pub fn title(self) -> &'static str {
        Self::ALL[self as usize].2
    }
}

/// Whose interest a grave error hurts (COPC's critical-error classes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum ErrorClass {
    /// The customer's.
    Customer,
    /// The business's.
    Business,
    /// The law's or the platform's.
    Compliance,
    /// Non-critical.
    #[default]
    None,
}

impl ErrorClass {
    /// Every class: id, Chinese title.
    pub const ALL: [(ErrorClass, &'static str, &'static str); 4] = [
        (ErrorClass::Customer, "customer", "客户关键"),
        (ErrorClass::Business, "business", "业务关键"),
        (ErrorClass::Compliance, "compliance", "合规关键"),
        (ErrorClass::None, "none", "非关键"),
    ];
}

/// What a rule asks.
#[derive(Debug, Clone, PartialEq)]
pub enum Demand {
    /// The expression must hold in the window.
    Require(Expr),
    /// The expression must not hold in the window.
    Forbid(Expr),
    /// The measure must stay within bounds (in the metric's unit).
    Limit {
        /// The measure.
        metric: Metric,
        /// Smallest allowed value.
        min: Option<i64>,
        /// Largest allowed value.
        max: Option<i64>,
    },
}

/// Direction of a window from its trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WindowSide {
    /// What follows.
    #[default]
    After,
    /// What came before.
    Before,
    /// Both.
    Around,
}

/// How far from the trigger a rule looks; nothing given: to the end of the agent's part.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Window {
    /// Turns of agents.
    pub agent_turns: Option<u32>,
    /// Turns of the customer.
    pub customer_turns: Option<u32>,
    /// Turns of either.
    pub turns: Option<u32>,
    /// Milliseconds.
    pub ms: Option<i64>,
    /// Direction.
    pub side: WindowSide,
}

/// Which triggers are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TriggerChoice {
    /// The first one.
    #[default]
    First,
    /// Each one.
    Each,
    /// The last one.
    Last,
}

/// Which agents of a conversation a rule judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SegmentChoice {
    /// Every one.
    #[default]
    Any,
    /// The first one.
    First,
    /// The last one.
    Last,
}

/// What an example expects of the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// At least one finding.
    Hit,
    /// Applicable and no finding.
    Pass,
    /// Not applicable.
    NotApplicable,
    /// Known not to work yet; shown, never failing.
    Todo,
}

/// A rule's example chat.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleExample {
    /// What must come out.
    pub expect: Expect,
    /// Chat lines.
    pub chat: Vec<String>,
    /// Metadata of the chat.
    pub channel: Option<String>,
    /// Metadata of the chat.
    pub stage: Option<String>,
    /// Metadata of the chat.
    pub queue: Option<String>,
    /// Metadata of the chat.
    pub tags: Vec<String>,
    /// Metadata of the chat.
    pub rating: Option<u8>,
    /// Where it stands in the file.
    pub range: Range<usize>,
}

/// A rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its id, kebab case.
    pub id: String,
    /// The fault or the duty in few words.
    pub title: String,
    /// Index of the dimension in the scorecard.
    pub dimension: usize,
    /// How grave a finding is.
    pub severity: Severity,
    /// COPC class.
    pub error_class: ErrorClass,
    /// Milli-points of one finding; negative costs, positive is a bonus.
    pub points: i64,
    /// Most milli-points (in size) the rule may move in one conversation and agent.
    pub cap: i64,
    /// What makes the rule due.
    pub when: Option<Expr>,
    /// What it asks.
    pub demand: Demand,
    /// Where it looks.
    pub within: Option<Window>,
    /// The trigger's own turn counts.
    pub include_trigger: bool,
    /// Which triggers are judged.
    pub trigger: TriggerChoice,
    /// Scope by metadata.
    pub applies: Option<Expr>,
    /// Which agents.
    pub segment: SegmentChoice,
    /// Reported for review, costs nothing.
    pub review_only: bool,
    /// Switched off.
    pub off: bool,
    /// In force from (local date, included).
    pub from: Option<jiff::civil::Date>,
    /// In force until (local date, excluded).
    pub to: Option<jiff::civil::Date>,
    /// Judged only if that rule has (true) or has not (false) a finding. Resolved after all rules are read.
    pub after_rule: Option<(bool, At<String>)>,
    /// Number of the rule `after_rule` names.
    pub after_rule_index: Option<usize>,
    /// The skill to train.
    pub skill: String,
    /// The training module.
    pub module: String,
    /// What it flags.
    pub what: String,
    /// Why it matters.
    pub why: String,
    /// Advice to the agent.
    pub coach: String,
    /// Better wordings.
    pub say: Vec<String>,
    /// Law, platform rule or practice behind it.
    pub source: String,
    /// Examples.
    pub examples: Vec<RuleExample>,
    /// The file it stands in.
    pub file: Arc<SourceFile>,
}
