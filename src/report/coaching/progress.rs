//! What became of what was to be worked on the last time.

use super::priority::weight;
use crate::pack::rule::{Rule, Severity};
use crate::report::figures::{Figures, Rate};
use crate::report::history::{Period, Point};
use crate::report::night::Night;

/// How a rate moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Less often, beyond chance.
    Better,
    /// More often, beyond chance.
    Worse,
    /// Chance alone explains the difference.
    WithinChance,
    /// The rule was not due this time.
    NotDue,
    /// The rules changed in between: the rates do not compare.
    OtherRules,
}

/// One thing of the last report, then and now.
#[derive(Debug, Clone)]
pub struct Progress<'n> {
    /// The rule.
    pub rule: &'n Rule,
    /// Then.
    pub before: Rate,
    /// Now; `None` when it was not due.
    pub now: Option<Rate>,
    /// What to make of it.
    pub verdict: Verdict,
}

/// The period before the one reported, and its label.
fn before<'n>(night: &Night<'n>) -> Option<&'n Period> {
    let trend = &night.history?.trend;
    let last = trend.len().checked_sub(1)?;
    // The last one is the period reported, unless it has not been stored yet.
    if trend[last].label == night.label { trend.get(last.checked_sub(1)?) } else { trend.get(last) }
}

/// Label of the period compared with, and the first `most` things of the agent's report then.
///
/// What was first then follows from the figures kept: the same order by cost × frequency × distance, the cost of a
/// finding being the rule's points today.
pub fn progress<'n>(night: &Night<'n>, agent: &Figures, most: usize) -> (String, Vec<Progress<'n>>) {
    let Some(period) = before(night) else { return Default::default() };
    let Some(point) = period.agents.get(&agent.id) else { return Default::default() };
    let team = agent.team.as_deref().and_then(|team| period.teams.get(team)).unwrap_or(&period.all);
    let changed =
        night.history.is_some_and(|h| h.changes.changed_rules || h.trend.last().is_some_and(|p| p.changed_rules));
    let mut first = costly(night, point, team);
    first.truncate(most);
    let list = first.into_iter().map(|(_, rule, before)| {
        let now = agent.rule(&rule.id).and_then(|r| r.rate.clone());
        let verdict = match &now {
            _ if changed => Verdict::OtherRules,
            None => Verdict::NotDue,
            Some(now) => compared(night, agent, rule, &before, now),
        };
        Progress { rule, before, now, verdict }
    });
    (period.label.clone(), list.collect())
}

fn costly<'n>(night: &Night<'n>, point: &Point, team: &Point) -> Vec<(f64, &'n Rule, Rate)> {
    let rules = point.rules.iter().filter_map(|(id, rate)| {
        let rule = &night.pack.rules[night.pack.rule(id)?];
        let each = match rule.severity {
            Severity::Critical => 100.0,
            _ => -rule.points as f64 / 1000.0,
        };
        let costs = each > 0.0 && rate.count > 0 && !rule.review_only;
        let others = team.rules.get(id).map(|r| r.value);
        let product = weight(each * rate.count as f64, rate.count, rate.of, others).product();
        costs.then(|| (product, rule, rate.clone()))
    });
    let mut list: Vec<_> = rules.collect();
    list.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.id.cmp(&b.1.id)));
    list
}

/// Beyond chance where the difference's interval says so, or, without one, where the two intervals do not overlap.
fn compared(night: &Night<'_>, agent: &Figures, rule: &Rule, before: &Rate, now: &Rate) -> Verdict {
    let figure = format!("rule:{}", rule.id);
    let changes = night.history.and_then(|h| h.changes.agents.get(&agent.id));
    let change = changes.and_then(|list| list.iter().find(|c| c.figure == figure && c.interval.is_some()));
    let clear = match change {
        Some(change) => change.is_clear(),
        None => now.high < before.low || now.low > before.high,
    };
    match clear {
        false => Verdict::WithinChance,
        true if now.value < before.value => Verdict::Better,
        true => Verdict::Worse,
    }
}
