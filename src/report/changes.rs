//! The figures of one period for a trend, and how they moved from one period to the next, derived from sums. The sums
//! of each period carry the ids of their own pack, so that periods under different packs stand side by side.

use std::collections::BTreeMap;

use super::figures::{Mean, Rate, rounded, teams};
use super::history::{AfterReview, Change, Changes, Period, Point};
use super::reviewed::{Reviewed, ReviewedFigure};
use crate::metrics::{Metric, Unit};
use crate::score::Aggregate;
use crate::score::aggregate::AgentTotals;
use crate::score::histogram::Histogram;
use crate::score::partial::{Names, Partial};
use crate::score::service::{Cell, Dimension};
use crate::score::statistics::{mean_difference, mean_interval, proportion_difference};

/// The sums of an agent, a team or everyone.
struct Sums<'s> {
    names: &'s Names,
    totals: &'s AgentTotals,
    cell: Option<&'s Cell>,
}

impl<'s> Sums<'s> {
    /// First responses: cases, sum of seconds, sum of their squares.
    fn first_response(&self) -> Option<(u64, f64, f64)> {
        let number = self.names.metrics.iter().position(|m| m == Metric::FirstResponse.id())?;
        let waits: &Histogram = self.cell?.measures.get(number)?;
        (waits.n > 0).then(|| (waits.n, waits.sum as f64 / 1e3, waits.squares(Unit::Millis) / 1e6))
    }

    fn score(&self) -> (u64, f64, f64) {
        let t = self.totals;
        (t.conversations, t.score_sum as f64 / 1e3, t.score_squares as f64 / 1e6)
    }

    fn resolved(&self) -> (u64, u64) {
        self.cell.map(Cell::resolved).unwrap_or_default()
    }

    /// Share of points kept, in percent, and the conversations judged, by dimension.
    fn dimensions(&self) -> BTreeMap<&'s str, (f64, u64)> {
        let each = self.names.dimensions.iter().zip(&self.totals.dimensions);
        each.filter(|((_, weight), count)| count.applicable > 0 && *weight > 0)
            .map(|((id, weight), count)| {
                let whole = count.applicable as f64 * f64::from(*weight) * 1000.0;
                (id.as_str(), (rounded(100.0 * (1.0 - count.lost as f64 / whole)), count.applicable))
            })
            .collect()
    }

    /// Conversations with a finding of those in which the rule was due.
    fn rules(&self) -> BTreeMap<&'s str, (u64, u64)> {
        let id = |number: &u32| self.names.rules.get(*number as usize).map(String::as_str);
        self.totals
            .rules
            .iter()
            .filter(|(_, count)| count.applicable > 0)
            .filter_map(|(number, count)| Some((id(number)?, (count.found, count.applicable))))
            .collect()
    }

    fn point(&self) -> Point {
        let (n, sum, squares) = self.score();
        let (resolved, told) = self.resolved();
        let (estimates, estimate) = self.totals.satisfaction;
        Point {
            conversations: n,
            score: mean_interval(n, sum, squares).map(|(mean, interval)| Mean {
                value: rounded(mean),
                interval: interval.map(|(low, high)| (rounded(low.max(0.0)), rounded(high.min(100.0)))),
                n,
            }),
            pass_rate: Rate::new(self.totals.passed, n),
            critical: self.totals.critical,
            resolved: Rate::new(resolved, told),
            first_response: self.first_response().map(|(n, sum, _)| (rounded(sum / n as f64), n)),
            satisfaction: mean(estimates, estimate as f64 / 1e3),
            fcr_24h: None,
            fcr_72h: None,
            dimensions: self.dimensions().into_iter().map(|(id, (kept, _))| (id.to_string(), kept)).collect(),
            rules: self
                .rules()
                .into_iter()
                .filter_map(|(id, (found, due))| Some((id.to_string(), Rate::new(found, due)?)))
                .collect(),
        }
    }

    /// How every figure moved from `before` to these.
    fn against(&self, before: &Sums<'_>) -> Vec<Change> {
        let mut out = Vec::new();
        let mut add = |figure: String, old: f64, new: f64, interval: Option<(f64, f64)>, n: (u64, u64)| {
            let interval = interval.map(|(low, high)| (rounded(low), rounded(high)));
            out.push(Change { figure, before: rounded(old), now: rounded(new), interval, n, reviewed: None });
        };
        let n = (before.totals.conversations, self.totals.conversations);
        add("conversations".into(), n.0 as f64, n.1 as f64, None, n);
        if n.0 > 0 && n.1 > 0 {
            let (old, new) = (before.score(), self.score());
            let mean = |s: (u64, f64, f64)| s.1 / s.0 as f64;
            add("score".into(), mean(old), mean(new), mean_difference(old, new), n);
        }
        let mut rate = |figure: String, old: (u64, u64), new: (u64, u64)| {
            if let Some(interval) = proportion_difference(old, new) {
                let share = |(count, of): (u64, u64)| count as f64 / of as f64;
                add(figure, share(old), share(new), Some(interval), (old.1, new.1));
            }
        };
        rate("pass_rate".into(), (before.totals.passed, n.0), (self.totals.passed, n.1));
        rate("critical_rate".into(), (before.totals.critical, n.0), (self.totals.critical, n.1));
        rate("resolution_rate".into(), before.resolved(), self.resolved());
        let (old, new) = (before.rules(), self.rules());
        for (id, now) in &new {
            if let Some(then) = old.get(id) {
                rate(format!("rule:{id}"), *then, *now);
            }
        }
        if let (Some(old), Some(new)) = (before.first_response(), self.first_response()) {
            let mean = |s: (u64, f64, f64)| s.1 / s.0 as f64;
            add("first_response".into(), mean(old), mean(new), mean_difference(old, new), (old.0, new.0));
        }
        let estimate = |s: &Sums<'_>| mean(s.totals.satisfaction.0, s.totals.satisfaction.1 as f64 / 1e3);
        if let (Some(old), Some(new)) = (estimate(before), estimate(self)) {
            add("satisfaction_estimate".into(), old.0, new.0, None, (old.1, new.1));
        }
        let old = before.dimensions();
        for (id, now) in self.dimensions() {
            if let Some(then) = old.get(id) {
                add(format!("dimension:{id}"), then.0, now.0, None, (then.1, now.1));
            }
        }
        out
    }
}

fn mean(n: u64, sum: f64) -> Option<(f64, u64)> {
    (n > 0).then(|| (rounded(sum / n as f64), n))
}

/// The figures of a period. `changed_rules` is left false: it takes the period before to tell.
pub fn period(label: &str, partial: &Partial) -> Period {
    let aggregate = &partial.aggregate;
    let point = |totals, cell| Sums { names: &partial.names, totals, cell }.point();
    Period {
        label: label.to_string(),
        pack_version: partial.stamp.version.clone(),
        changed_rules: false,
        all: point(&aggregate.all, Some(&aggregate.service.all)),
        teams: teams(aggregate).iter().map(|(team, t)| (team.clone(), point(t, team_cell(aggregate, team)))).collect(),
        agents: aggregate.agents.iter().map(|(id, t)| (id.clone(), point(t, agent_cell(aggregate, id)))).collect(),
    }
}

/// How every figure moved from one period to another, for everyone and for the teams and agents that are in both.
pub fn changes(against: &str, before: &Partial, now: &Partial) -> Changes {
    let (old, new) = (&before.aggregate, &now.aggregate);
    let moved = |old_totals, old_cell, new_totals, new_cell| {
        let before = Sums { names: &before.names, totals: old_totals, cell: old_cell };
        Sums { names: &now.names, totals: new_totals, cell: new_cell }.against(&before)
    };
    let old_teams = teams(old);
    Changes {
        against: against.to_string(),
        changed_rules: !before.stamp.compares(&now.stamp),
        all: moved(&old.all, Some(&old.service.all), &new.all, Some(&new.service.all)),
        teams: teams(new)
            .iter()
            .filter_map(|(team, totals)| {
                let then = old_teams.get(team)?;
                Some((team.clone(), moved(then, team_cell(old, team), totals, team_cell(new, team))))
            })
            .collect(),
        agents: new
            .agents
            .iter()
            .filter_map(|(id, totals)| {
                let then = old.agents.get(id)?;
                Some((id.clone(), moved(then, agent_cell(old, id), totals, agent_cell(new, id))))
            })
            .collect(),
    }
}

/// Puts the figures after review beside the machine's: mean scores, shares passed and shares with a critical finding of
/// everyone, teams and agents of whom something was reviewed before or now.
pub fn review(changes: &mut Changes, before: Option<&Reviewed>, now: Option<&Reviewed>) {
    let all = |r: &Reviewed| r.cards.all.reviewed.clone();
    beside(&mut changes.all, &before.and_then(all), &now.and_then(all));
    let team = |r: &Reviewed, id: &str| r.cards.teams.iter().find(|f| f.id == id)?.reviewed.clone();
    for (id, list) in &mut changes.teams {
        beside(list, &before.and_then(|r| team(r, id)), &now.and_then(|r| team(r, id)));
    }
    let agent = |r: &Reviewed, id: &str| r.cards.agents.iter().find(|f| f.id == id)?.reviewed.clone();
    for (id, list) in &mut changes.agents {
        beside(list, &before.and_then(|r| agent(r, id)), &now.and_then(|r| agent(r, id)));
    }
}

fn beside(list: &mut [Change], before: &Option<ReviewedFigure>, now: &Option<ReviewedFigure>) {
    for change in list {
        let value = |side: &Option<ReviewedFigure>| side.as_ref()?.figure(&change.figure).map(rounded);
        let after = AfterReview { before: value(before), now: value(now) };
        change.reviewed = (after != AfterReview::default()).then_some(after);
    }
}

fn team_cell<'a>(aggregate: &'a Aggregate, team: &str) -> Option<&'a Cell> {
    aggregate.service.get(Dimension::Team, team)
}

fn agent_cell<'a>(aggregate: &'a Aggregate, id: &str) -> Option<&'a Cell> {
    aggregate.service.get(Dimension::Agent, id)
}
