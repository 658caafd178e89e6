//! What is kept of all conversations: counts, milli-points and histograms by agent, rule and channel, and a few
//! pieces of evidence. Merging partial aggregates in any order gives the same result.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::AgentScore;
use super::service::ServiceTotals;
use super::top::Top;
use crate::judge::{AgentJudgement, Outcome};
use crate::metrics::{METRICS, Measures};
use crate::pack::Pack;
use crate::pack::rule::{ErrorClass, Severity};

/// Pieces of evidence kept for each agent and rule.
pub const EVIDENCE: usize = 3;

/// A quoted finding or good example, ordered by cost, then by conversation and turn.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Evidence {
    /// Milli-points; the costliest first.
    pub points: i64,
    /// The conversation.
    pub conversation_id: String,
    /// Index of the turn.
    pub turn: u32,
    /// The words the finding points at (masked).
    pub quote: String,
    /// What the customer had said before (masked).
    pub customer: String,
    /// What the agent said, or what she said next (masked).
    pub agent: String,
    /// Why.
    pub why: String,
}

/// A good handling of what made a rule due, shorter ones first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GoodExample {
    /// The conversation's milli-points, best first.
    pub score: Reverse<i64>,
    /// The conversation.
    pub conversation_id: String,
    /// Index of the agent's turn.
    pub turn: u32,
    /// What the customer had said (masked).
    pub customer: String,
    /// How the agent answered (masked).
    pub agent: String,
}

/// A rule's record for one agent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RuleCount {
    /// Conversations in which the rule was due.
    pub applicable: u64,
    /// Conversations with a finding.
    pub found: u64,
    /// Findings.
    pub findings: u64,
    /// Findings left to a person's review; they are not among the others.
    pub review: u64,
    /// Milli-points.
    pub points: i64,
    /// The costliest findings.
    pub evidence: Top<Evidence, EVIDENCE>,
    /// Conversations in which the agent did it right.
    pub good: Top<GoodExample, EVIDENCE>,
}

/// Sums of one measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MeasureSum {
    /// Conversations in which it is known.
    pub n: u64,
    /// Sum of values.
    pub sum: i64,
    /// Largest value.
    pub max: i64,
}

/// A dimension's record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DimensionCount {
    /// Conversations in which something of it was judged.
    pub applicable: u64,
    /// Milli-points lost.
    pub lost: i64,
    /// Sum of squared milli-points lost, for its interval.
    #[serde(default)]
    pub squares: u128,
}

/// Everything kept of one agent (or of all together).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AgentTotals {
    /// Name, where known (the smallest of different ones, so that order does not matter).
    pub name: Option<String>,
    /// Team, where known.
    pub team: Option<String>,
    /// Conversations judged.
    pub conversations: u64,
    /// Sum of milli-points.
    pub score_sum: i64,
    /// Sum of squared milli-points.
    pub score_squares: u128,
    /// Sum of raw milli-points (before critical overrides).
    pub raw_sum: i64,
    /// Conversations passed.
    pub passed: u64,
    /// Conversations with a critical finding.
    pub critical: u64,
    /// Conversations by whole points of score, 0–100.
    pub histogram: BTreeMap<u8, u64>,
    /// By dimension.
    pub dimensions: Vec<DimensionCount>,
    /// By rule.
    pub rules: BTreeMap<u32, RuleCount>,
    /// Conversations with a customer-, business-, compliance-critical error.
    pub class_errors: [u64; 3],
    /// Non-critical opportunities, and those passed.
    pub noncritical: (u64, u64),
    /// By measure.
    pub measures: Vec<MeasureSum>,
    /// Ratings 1–5.
    pub ratings: [u64; 5],
    /// Satisfaction estimates: how many, and their sum in thousandths.
    pub satisfaction: (u64, i64),
    /// Conversations and milli-points by kind of conversation (`channel/stage/reason`).
    pub mix: BTreeMap<String, (u64, i64)>,
}

/// One agent's conversation, ready to be counted.
pub struct Counted<'c> {
    /// Her score.
    pub score: &'c AgentScore,
    /// Her judgement.
    pub judgement: &'c AgentJudgement,
    /// Her measures.
    pub measures: &'c Measures,
    /// The customer's rating, when it is hers to have.
    pub rating: Option<u8>,
    /// The satisfaction estimate in thousandths.
    pub satisfaction: Option<i64>,
    /// The kind of conversation, for the case mix.
    pub kind: &'c str,
}

impl AgentTotals {
    /// Counts one conversation.
    pub fn count(&mut self, pack: &Pack, case: &Counted<'_>) {
        self.count_but_outcomes(pack, case);
        for (number, outcome) in (0u32..).zip(&case.judgement.outcomes) {
            if *outcome != Outcome::NotApplicable {
                self.count_outcomes(number, 1, u64::from(*outcome == Outcome::Found));
            }
        }
    }

    /// Counts conversations in which a rule was due, and of these those with a finding.
    pub fn count_outcomes(&mut self, rule: u32, due: u64, found: u64) {
        let count = self.rules.entry(rule).or_default();
        count.applicable += due;
        count.found += found;
    }

    /// Counts one conversation, but not the outcomes of the rules in it: those are quicker to count in a table.
    pub fn count_but_outcomes(&mut self, pack: &Pack, case: &Counted<'_>) {
        let score = case.score;
        self.conversations += 1;
        self.score_sum += score.score;
        self.score_squares += (score.score as u128) * (score.score as u128);
        self.raw_sum += score.raw;
        self.passed += u64::from(score.passed);
        self.critical += u64::from(score.critical);
        *self.histogram.entry((score.score / 1000) as u8).or_default() += 1;
        self.dimensions.resize(score.dimensions.len().max(self.dimensions.len()), DimensionCount::default());
        for (total, own) in self.dimensions.iter_mut().zip(&score.dimensions) {
            total.applicable += u64::from(own.applicable);
            let lost = if own.applicable { own.lost } else { 0 };
            total.lost += lost;
            total.squares += u128::from(lost.unsigned_abs()).pow(2);
        }
        let mut classes = [false; 3];
        for (rule, outcome) in pack.rules.iter().zip(&case.judgement.outcomes) {
            if *outcome == Outcome::NotApplicable {
                continue;
            }
            let found = *outcome == Outcome::Found && rule.points <= 0;
            let grave = rule.severity >= Severity::Major && rule.error_class != ErrorClass::None;
            if grave {
                classes[rule.error_class as usize] |= found && !rule.review_only;
            } else if rule.points < 0 && !rule.review_only {
                self.noncritical.0 += 1;
                self.noncritical.1 += u64::from(!found);
            }
        }
        for (total, own) in self.class_errors.iter_mut().zip(classes) {
            *total += u64::from(own);
        }
        for finding in &case.judgement.findings {
            let count = self.rules.entry(finding.rule as u32).or_default();
            count.review += u64::from(finding.review);
            count.findings += u64::from(!finding.review);
            count.points += finding.points;
        }
        self.measures.resize(METRICS.len(), MeasureSum::default());
        for (sum, (metric, ..)) in self.measures.iter_mut().zip(METRICS) {
            if let Some(value) = case.measures.get(*metric) {
                sum.n += 1;
                sum.sum += value;
                sum.max = sum.max.max(value);
            }
        }
        let kind = match self.mix.get_mut(case.kind) {
            Some(kind) => kind,
            None => self.mix.entry(case.kind.to_string()).or_default(),
        };
        kind.0 += 1;
        kind.1 += score.score;
        if let Some(rating @ 1..=5) = case.rating {
            self.ratings[usize::from(rating) - 1] += 1;
        }
        if let Some(estimate) = case.satisfaction {
            self.satisfaction.0 += 1;
            self.satisfaction.1 += estimate;
        }
    }

    /// Remembers name and team.
    pub fn named(&mut self, name: Option<&str>, team: Option<&str>) {
        keep_least(&mut self.name, name);
        keep_least(&mut self.team, team);
    }

    /// Adds another's record.
    pub fn merge(&mut self, mut other: AgentTotals) {
        self.named(other.name.as_deref(), other.team.as_deref());
        self.merge_counts(&other);
        for (rule, more) in &mut other.rules {
            if let Some(own) = self.rules.get_mut(rule) {
                own.evidence.merge(std::mem::take(&mut more.evidence));
                own.good.merge(std::mem::take(&mut more.good));
            }
        }
    }

    /// Adds another's figures, but not her name, her team and what is kept as evidence.
    pub fn merge_counts(&mut self, other: &AgentTotals) {
        self.conversations += other.conversations;
        self.score_sum += other.score_sum;
        self.score_squares += other.score_squares;
        self.raw_sum += other.raw_sum;
        self.passed += other.passed;
        self.critical += other.critical;
        for (bin, n) in &other.histogram {
            *self.histogram.entry(*bin).or_default() += n;
        }
        self.dimensions.resize(self.dimensions.len().max(other.dimensions.len()), DimensionCount::default());
        for (own, more) in self.dimensions.iter_mut().zip(&other.dimensions) {
            own.applicable += more.applicable;
            own.lost += more.lost;
            own.squares += more.squares;
        }
        for (rule, more) in &other.rules {
            let own = self.rules.entry(*rule).or_default();
            own.applicable += more.applicable;
            own.found += more.found;
            own.findings += more.findings;
            own.review += more.review;
            own.points += more.points;
        }
        for (own, more) in self.class_errors.iter_mut().zip(other.class_errors) {
            *own += more;
        }
        self.noncritical.0 += other.noncritical.0;
        self.noncritical.1 += other.noncritical.1;
        self.measures.resize(self.measures.len().max(other.measures.len()), MeasureSum::default());
        for (own, more) in self.measures.iter_mut().zip(&other.measures) {
            own.n += more.n;
            own.sum += more.sum;
            own.max = own.max.max(more.max);
        }
        for (own, more) in self.ratings.iter_mut().zip(other.ratings) {
            *own += more;
        }
        self.satisfaction.0 += other.satisfaction.0;
        self.satisfaction.1 += other.satisfaction.1;
        for (kind, more) in &other.mix {
            let own = match self.mix.get_mut(kind) {
                Some(own) => own,
                None => self.mix.entry(kind.clone()).or_default(),
            };
            own.0 += more.0;
            own.1 += more.1;
        }
    }
}

fn keep_least(own: &mut Option<String>, other: Option<&str>) {
    if let Some(other) = other.filter(|o| !o.is_empty())
        && own.as_deref().is_none_or(|o| other < o)
    {
        *own = Some(other.to_string());
    }
}

/// Everything kept of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Aggregate {
    /// Conversations read.
    pub conversations: u64,
    /// Turns in them.
    pub turns: u64,
    /// Bytes of their texts.
    pub text_bytes: u64,
    /// Conversations judged for at least one agent.
    pub judged: u64,
    /// Conversations not judged, by reason.
    pub not_judged: BTreeMap<String, u64>,
    /// By agent id.
    pub agents: BTreeMap<String, AgentTotals>,
    /// All agents together.
    pub all: AgentTotals,
    /// Conversations by channel.
    pub channels: BTreeMap<String, u64>,
    /// By channel and rule number: conversations in which it was due, and of these with a finding.
    #[serde(default)]
    pub rule_channels: BTreeMap<String, BTreeMap<u32, (u64, u64)>>,
    /// Service figures: measures, outcomes, reasons, platform figures.
    pub service: ServiceTotals,
}

impl Aggregate {
    /// Adds another's record.
    pub fn merge(&mut self, other: Aggregate) {
        self.conversations += other.conversations;
        self.turns += other.turns;
        self.text_bytes += other.text_bytes;
        self.judged += other.judged;
        for (reason, n) in other.not_judged {
            *self.not_judged.entry(reason).or_default() += n;
        }
        for (id, totals) in other.agents {
            match self.agents.get_mut(&id) {
                Some(own) => own.merge(totals),
                None => {
                    self.agents.insert(id, totals);
                }
            }
        }
        self.all.merge(other.all);
        for (channel, n) in other.channels {
            *self.channels.entry(channel).or_default() += n;
        }
        for (channel, rules) in other.rule_channels {
            let own = self.rule_channels.entry(channel).or_default();
            for (rule, (due, found)) in rules {
                let own = own.entry(rule).or_default();
                own.0 += due;
                own.1 += found;
            }
        }
        self.service.merge(other.service);
    }

    /// Counts the outcomes of one agent's part of a conversation for its channel.
    pub fn count_channel(&mut self, channel: &str, outcomes: &[Outcome]) {
        if !self.rule_channels.contains_key(channel) {
            self.rule_channels.insert(channel.to_string(), BTreeMap::new());
        }
        let Some(rules) = self.rule_channels.get_mut(channel) else { return };
        for (number, outcome) in outcomes.iter().enumerate().filter(|(_, o)| **o != Outcome::NotApplicable) {
            let own = rules.entry(number as u32).or_default();
            own.0 += 1;
            own.1 += u64::from(*outcome == Outcome::Found);
        }
    }

    /// The record of an agent, made when missing.
    pub fn agent(&mut self, id: &str) -> &mut AgentTotals {
        if !self.agents.contains_key(id) {
            self.agents.insert(id.to_string(), AgentTotals::default());
        }
        self.agents.get_mut(id).expect("just inserted")
    }
}
