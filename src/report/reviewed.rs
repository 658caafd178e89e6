//! Figures after review, beside the machine's: what people confirmed, overturned and added, and what that does to scores.

use std::collections::BTreeMap;

use serde::Serialize;

use super::figures::{Figures, Mean, Rate, Scorecards};
use crate::pack::Pack;
use crate::review::Verdict;
use crate::review::agreement::Estimate;
use crate::review::effect::{Change, apply, replace};
use crate::review::plan::Kind;
use crate::review::rulings::Ruling;
use crate::review::stats::{ReviewedCases, RuleQuality, quality};
use crate::score::Aggregate;

/// What review did to one agent's (a team's, everyone's) figures.
#[derive(Debug, Clone, PartialEq, Serialize, Default)]
pub struct ReviewedFigure {
    /// Her conversations that someone has reviewed.
    pub cases: u64,
    /// Findings confirmed.
    pub confirmed: u64,
    /// Findings overturned.
    pub overturned: u64,
    /// Faults the machine missed.
    pub missed: u64,
    /// Conversations whose score changed.
    pub changed: u64,
    /// Mean score after review.
    pub score: Option<Mean>,
    /// Share passed after review.
    pub pass_rate: Option<Rate>,
    /// Conversations with a critical finding after review.
    pub critical: u64,
}

impl ReviewedFigure {
    /// A figure after review by its name in comparisons: `score`, `pass_rate` or `critical_rate` (shares 0–1); `None` for
    /// any other.
    pub fn figure(&self, name: &str) -> Option<f64> {
        match name {
            "score" => self.score.as_ref().map(|s| s.value),
            "pass_rate" => self.pass_rate.as_ref().map(|r| r.value),
            "critical_rate" => self.pass_rate.as_ref().map(|r| self.critical as f64 / r.of as f64),
            _ => None,
        }
    }
}

/// One ruling, as reports show it.
#[derive(Debug, Clone, PartialEq)]
pub struct Decided {
    /// The agent.
    pub agent: String,
    /// The conversation.
    pub conversation: String,
    /// The night.
    pub night: String,
    /// The ruling.
    pub ruling: Ruling,
    /// The words, masked; empty for what the machine missed.
    pub quote: String,
    /// Milli-points of the conversation before and after.
    pub score: (i64, Option<i64>),
}

/// A night (or longer period) after review.
#[derive(Debug)]
pub struct Reviewed {
    /// All figures after review.
    pub cards: Scorecards,
    /// Every ruling, by agent, conversation, turn.
    pub decided: Vec<Decided>,
    /// Precision of rules: from random samples, where there are any, else from all that was judged.
    pub rules: BTreeMap<String, (RuleQuality, Kind)>,
    /// Reviewed cases left out, since their night has been judged by another pack.
    pub stale: u64,
}

/// Works out what review does to a period. `None` when nobody has reviewed any of it.
pub fn reviewed(pack: &Pack, aggregate: &Aggregate, cases: &ReviewedCases) -> Option<Reviewed> {
    if cases.cases.is_empty() && cases.stale.is_empty() {
        return None;
    }
    let mut after = aggregate.clone();
    let (mut decided, mut stale) = (Vec::new(), cases.stale.len() as u64);
    let mut figures = BTreeMap::<String, ReviewedFigure>::new();
    for case in &cases.cases {
        let rulings = case.standing.rulings();
        let Some(change) = apply(pack, &case.case, &rulings) else {
            stale += 1;
            continue;
        };
        if case.standing.reviewers.is_empty() && rulings.is_empty() {
            continue;
        }
        replace(pack, &mut after, &case.case, &change);
        let Change { before, after } = &change;
        let score = (before.1.score, after.as_ref().map(|a| a.1.score));
        let own = figures.entry(case.key.agent.clone()).or_default();
        own.cases += 1;
        own.changed += u64::from(score.1 != Some(score.0));
        for ruling in rulings {
            match ruling.verdict {
                Verdict::Confirmed => own.confirmed += 1,
                Verdict::Overturned => own.overturned += 1,
                Verdict::Missed => own.missed += 1,
                Verdict::Appealed => {}
            }
            let quote = case.case.findings.iter().find(|f| f.key() == ruling.finding).map(|f| f.quote.clone());
            decided.push(Decided {
                agent: case.key.agent.clone(),
                conversation: case.key.conversation.clone(),
                night: case.key.night.clone(),
                ruling,
                quote: quote.unwrap_or_default(),
                score,
            });
        }
    }
    decided.sort_by(|a, b| {
        let key = |d: &Decided| (d.agent.clone(), d.night.clone(), d.conversation.clone(), d.ruling.finding.clone());
        key(a).cmp(&key(b))
    });
    let mut cards = Scorecards::new(pack, &after);
    attach(&mut cards.all, figures.values());
    for team in &mut cards.teams {
        let of = |agent: &String| aggregate.agents.get(agent).and_then(|t| t.team.as_ref()) == Some(&team.id);
        let members: Vec<_> = figures.iter().filter(|(agent, _)| of(agent)).map(|f| f.1).collect();
        attach(team, members.into_iter());
    }
    for agent in &mut cards.agents {
        let own = figures.get(&agent.id);
        attach(agent, own.into_iter());
    }
    let views: Vec<_> = cases.cases.iter().map(|c| c.view()).collect();
    let mut rules = BTreeMap::new();
    for kind in [Kind::Appeal, Kind::Targeted, Kind::Stratified, Kind::Random] {
        for quality in quality(&views, kind).into_iter().filter(|q| q.precision.is_some()) {
            rules.insert(quality.rule.clone(), (quality, kind));
        }
    }
    Some(Reviewed { cards, decided, rules, stale })
}

fn attach<'f>(figures: &mut Figures, own: impl Iterator<Item = &'f ReviewedFigure>) {
    let mut sum = ReviewedFigure::default();
    for one in own {
        sum.cases += one.cases;
        sum.confirmed += one.confirmed;
        sum.overturned += one.overturned;
        sum.missed += one.missed;
        sum.changed += one.changed;
    }
    if sum.cases == 0 {
        return;
    }
    (sum.score, sum.pass_rate, sum.critical) = (figures.score.clone(), figures.pass_rate.clone(), figures.critical);
    figures.reviewed = Some(sum);
}

impl Reviewed {
    /// Puts what review did beside the machine's figures.
    pub fn beside(&self, cards: &mut Scorecards) {
        cards.all.reviewed = self.cards.all.reviewed.clone();
        for (machine, after) in [(&mut cards.teams, &self.cards.teams), (&mut cards.agents, &self.cards.agents)] {
            for figures in machine {
                figures.reviewed = after.iter().find(|a| a.id == figures.id).and_then(|a| a.reviewed.clone());
            }
        }
    }

    /// Takes evidence that people overturned out of what reports quote.
    pub fn without_overturned(&self, aggregate: &mut Aggregate, pack: &Pack) {
        for decided in self.decided.iter().filter(|d| d.ruling.verdict == Verdict::Overturned) {
            let Some(number) = pack.rule(&decided.ruling.finding.rule) else { continue };
            let Some(totals) = aggregate.agents.get_mut(&decided.agent) else { continue };
            if let Some(count) = totals.rules.get_mut(&(number as u32)) {
                let turn = decided.ruling.finding.turn;
                count.evidence.retain(|e| (&e.conversation_id, e.turn) != (&decided.conversation, turn));
            }
        }
    }

    /// How often a rule's findings were right, and the kind of sample that tells it; `None` where nobody has judged any.
    pub fn precision(&self, rule: &str) -> Option<(Estimate, Kind)> {
        let (quality, kind) = self.rules.get(rule)?;
        Some((quality.precision?, *kind))
    }

    /// The rulings about an agent.
    pub fn of<'r>(&'r self, agent: &'r str) -> impl Iterator<Item = &'r Decided> {
        self.decided.iter().filter(move |d| d.agent == agent)
    }
}
