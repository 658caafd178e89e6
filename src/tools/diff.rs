//! What a change of pack changes: findings gained and lost, counts by rule, agents whose figures move.
//!
//! Both packs judge the same inputs, one after the other; each run leaves a line per conversation in input order, and
//! the two files of lines are then read side by side.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::conversation::Conversation;
use crate::engine::{Engine, Inspection};
use crate::pipeline::Format;
use crate::score::aggregate::{AgentTotals, Aggregate};
use crate::text;

/// A finding as compared: the same when rule, agent, turn and quote are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Told {
    /// The rule.
    pub rule: String,
    /// The agent.
    pub agent_id: String,
    /// Index of the turn.
    pub turn: u32,
    /// The words (masked).
    pub quote: String,
    /// Points that count, in thousandths.
    pub points: i64,
    /// Why.
    pub why: String,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Line {
    id: String,
    findings: Vec<Told>,
}

/// Writes a line per conversation.
pub struct DiffFormat {
    /// Hide personal data in quotes.
    pub mask: bool,
}

impl Format for DiffFormat {
    fn conversation(
        &self,
        engine: &Engine,
        conversation: &Conversation<'_>,
        inspection: &Inspection,
        out: &mut Vec<u8>,
    ) {
        let masked = |text: &str| if self.mask { text::mask(text).into_owned() } else { text.to_string() };
        let mut findings = Vec::new();
        for (number, part) in inspection.agents.iter().enumerate() {
            let speaker = &conversation.turns[inspection.layout.agents[number]];
            for finding in &part.judgement.findings {
                findings.push(Told {
                    rule: engine.pack().rules[finding.rule].id.clone(),
                    agent_id: conversation.agent_of(speaker).to_string(),
                    turn: finding.turn,
                    quote: {
                        let text = &conversation.turns[finding.turn as usize].text;
                        let part = finding.span;
                        if self.mask { text::mask_part(text, part).into_owned() } else { part.slice(text).to_string() }
                    },
                    points: finding.points,
                    why: masked(&finding.why),
                });
            }
        }
        let line = Line { id: conversation.id.to_string(), findings };
        if serde_json::to_writer(&mut *out, &line).is_ok() {
            out.push(b'\n');
        }
    }
}

/// A finding that one pack makes and the other does not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// The conversation.
    pub conversation_id: String,
    /// The finding.
    #[serde(flatten)]
    pub finding: Told,
}

/// A rule's counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RuleChange {
    /// Findings by the first pack.
    pub before: u64,
    /// Findings by the second.
    pub after: u64,
    /// Only the second makes them.
    pub gained: u64,
    /// Only the first makes them.
    pub lost: u64,
    /// Both make them, at another price.
    pub repriced: u64,
}

/// An agent's figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AgentChange {
    /// The agent.
    pub agent_id: String,
    /// Conversations judged by the second pack (by the first where that judged none).
    pub conversations: u64,
    /// Mean score.
    pub score: (Option<f64>, Option<f64>),
    /// Share of conversations passed.
    pub pass_rate: (Option<f64>, Option<f64>),
    /// Whether the mean score reaches the pass mark.
    pub reaches_mark: (Option<bool>, Option<bool>),
    /// Place by mean score among all agents.
    pub rank: (Option<usize>, Option<usize>),
}

/// All that changes.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Diff {
    /// Conversations compared.
    pub conversations: u64,
    /// Conversations whose findings differ.
    pub changed_conversations: u64,
    /// By rule, changed ones only.
    pub rules: BTreeMap<String, RuleChange>,
    /// Findings gained, in input order.
    pub gained: Vec<Changed>,
    /// Findings lost, in input order.
    pub lost: Vec<Changed>,
    /// Agents whose figures move.
    pub agents: Vec<AgentChange>,
}

impl Diff {
    /// Adds a conversation's two lines.
    pub fn add(&mut self, before: &[u8], after: &[u8]) {
        let read = |line| serde_json::from_slice::<Line>(line).unwrap_or_default();
        let (before, after) = (read(before), read(after));
        self.conversations += 1;
        let place = |f: &Told| (f.rule.clone(), f.agent_id.clone(), f.turn, f.quote.clone());
        let index = |line: &Line| -> BTreeMap<_, i64> { line.findings.iter().map(|f| (place(f), f.points)).collect() };
        let (old, new) = (index(&before), index(&after));
        let mut changed = false;
        for finding in &before.findings {
            let rule = self.rules.entry(finding.rule.clone()).or_default();
            rule.before += 1;
            match new.get(&place(finding)) {
                None => {
                    rule.lost += 1;
                    changed = true;
                    self.lost.push(Changed { conversation_id: before.id.clone(), finding: finding.clone() });
                }
                Some(points) if *points != finding.points => {
                    rule.repriced += 1;
                    changed = true;
                }
                Some(_) => {}
            }
        }
        for finding in after.findings {
            let rule = self.rules.entry(finding.rule.clone()).or_default();
            rule.after += 1;
            if !old.contains_key(&place(&finding)) {
                rule.gained += 1;
                changed = true;
                self.gained.push(Changed { conversation_id: before.id.clone(), finding });
            }
        }
        self.changed_conversations += u64::from(changed);
    }

    /// Adds the agents and drops what did not change.
    pub fn finish(&mut self, before: (&Aggregate, i64), after: (&Aggregate, i64)) {
        self.rules.retain(|_, r| r.gained + r.lost + r.repriced > 0);
        let (old, new) = (Figures::of(before), Figures::of(after));
        let ids: std::collections::BTreeSet<&String> = before.0.agents.keys().chain(after.0.agents.keys()).collect();
        for id in ids {
            let ((score, pass, mark, rank), (score2, pass2, mark2, rank2)) = (old.get(id), new.get(id));
            let change = AgentChange {
                agent_id: id.clone(),
                conversations: new.count(id).or(old.count(id)).unwrap_or(0),
                score: (score, score2),
                pass_rate: (pass, pass2),
                reaches_mark: (mark, mark2),
                rank: (rank, rank2),
            };
            if change.score.0 != change.score.1
                || change.pass_rate.0 != change.pass_rate.1
                || change.reaches_mark.0 != change.reaches_mark.1
                || change.rank.0 != change.rank.1
            {
                self.agents.push(change);
            }
        }
        let moved = |a: &AgentChange| ((a.score.1.unwrap_or(0.0) - a.score.0.unwrap_or(0.0)).abs() * 1000.0) as i64;
        self.agents.sort_by(|a, b| (moved(b), &a.agent_id).cmp(&(moved(a), &b.agent_id)));
    }
}

/// One pack's figures by agent.
struct Figures<'f> {
    agents: &'f BTreeMap<String, AgentTotals>,
    mark: i64,
    ranks: BTreeMap<&'f str, usize>,
}

type Row = (Option<f64>, Option<f64>, Option<bool>, Option<usize>);

fn mean(totals: &AgentTotals) -> Option<i64> {
    (totals.conversations > 0).then(|| totals.score_sum / totals.conversations as i64)
}

impl<'f> Figures<'f> {
    fn of((aggregate, mark): (&'f Aggregate, i64)) -> Self {
        let mut order: Vec<(i64, &str)> =
            aggregate.agents.iter().filter_map(|(id, t)| mean(t).map(|m| (-m, id.as_str()))).collect();
        order.sort_unstable();
        // Equal means share a rank.
        let mut ranks = BTreeMap::new();
        let mut last = (i64::MIN, 0);
        for (place, (score, id)) in order.into_iter().enumerate() {
            if score != last.0 {
                last = (score, place + 1);
            }
            ranks.insert(id, last.1);
        }
        Figures { agents: &aggregate.agents, mark, ranks }
    }

    fn get(&self, id: &str) -> Row {
        let Some(totals) = self.agents.get(id) else { return (None, None, None, None) };
        let mean = mean(totals);
        let rounded = |m: i64| (m as f64 / 10.0).round() / 100.0;
        let rate = || (totals.passed as f64 / totals.conversations as f64 * 10_000.0).round() / 10_000.0;
        (mean.map(rounded), mean.map(|_| rate()), mean.map(|m| m >= self.mark), self.ranks.get(id).copied())
    }

    fn count(&self, id: &str) -> Option<u64> {
        self.agents.get(id).map(|t| t.conversations)
    }
}
