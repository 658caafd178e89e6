//! What stands in a team's report, without words: training needs, pairs, who improved, what is common.

use std::collections::BTreeMap;

use crate::pack::rule::{Rule, Severity};
use crate::report::figures::{Figures, Rate, RuleFigure, SkillFigure, effective_cost};
use crate::report::history::Change;
use crate::report::night::Night;
use crate::score::aggregate::GoodExample;

/// Skills, rules, pairs and changes shown.
const NEEDS: usize = 5;
const COMMON: usize = 8;
const PAIRS: usize = 6;
const IMPROVED: usize = 8;
/// Agents named for a skill.
const IN_NEED: usize = 4;
/// Colleagues one person is asked to help.
const HELPS: usize = 2;

/// A team's report.
pub struct TeamReport<'n> {
    /// The night.
    pub night: &'n Night<'n>,
    /// The team's name; `None` for everyone.
    pub team: Option<&'n str>,
    /// Its figures.
    pub figures: &'n Figures,
    /// Its agents, by id.
    pub members: Vec<&'n Figures>,
    /// Skills to train, the costliest first.
    pub needs: Vec<Need<'n>>,
    /// Whom to pair with whom.
    pub pairs: Vec<Pair<'n>>,
    /// Figures of agents that moved for the better, beyond chance.
    pub improved: Vec<(&'n Figures, &'n Change)>,
    /// Rules found with several agents, the costliest first.
    pub common: Vec<Common<'n>>,
    /// Rules one finding of which fails a conversation.
    pub critical: Vec<Common<'n>>,
}

/// A skill to train.
pub struct Need<'n> {
    /// The skill with the team's figures.
    pub skill: &'n SkillFigure,
    /// Its share of all points the team lost, 0–1.
    pub share: f64,
    /// How often everyone else misses it; `None` without others.
    pub others: Option<Rate>,
    /// Who misses it most, and whether chance alone could explain it being more than the team.
    pub agents: Vec<(&'n Figures, &'n Rate, bool)>,
    /// The best example of the team.
    pub example: Option<(&'n str, &'n GoodExample)>,
}

/// Someone to learn from.
pub struct Pair<'n> {
    /// The skill.
    pub skill: &'n str,
    /// Who misses it.
    pub learner: &'n Figures,
    /// How often.
    pub learner_rate: &'n Rate,
    /// Who does it clearly better: her interval lies wholly below.
    pub helper: &'n Figures,
    /// How often she misses it.
    pub helper_rate: &'n Rate,
}

/// A rule that concerns several.
pub struct Common<'n> {
    /// The rule.
    pub rule: &'n Rule,
    /// The team's figure of it.
    pub figure: &'n RuleFigure,
    /// Points lost; a critical finding counts 100.
    pub lost: f64,
    /// Agents with a finding.
    pub agents: Vec<&'n Figures>,
}

impl<'n> TeamReport<'n> {
    /// Gathers the report of a team, or of everyone.
    pub fn new(night: &'n Night<'n>, team: Option<&'n Figures>) -> TeamReport<'n> {
        let figures = team.unwrap_or(&night.cards.all);
        let name = team.map(|t| t.id.as_str());
        let members: Vec<&Figures> =
            night.cards.agents.iter().filter(|a| team.is_none() || a.team.as_deref() == name).collect();
        let needs = needs(night, figures, &members, team.is_some());
        let common = common(night, figures, &members);
        let (critical, common): (Vec<_>, Vec<_>) =
            common.into_iter().partition(|c| c.rule.severity == Severity::Critical && !c.rule.review_only);
        TeamReport {
            night,
            team: name,
            figures,
            pairs: pairs(figures, &members),
            improved: improved(night, &members),
            members,
            needs,
            common: common.into_iter().filter(|c| c.agents.len() > 1).take(COMMON).collect(),
            critical,
        }
    }
}

fn skill<'f>(figures: &'f Figures, name: &str) -> Option<&'f Rate> {
    figures.skills.iter().find(|s| s.skill == name)?.missed.as_ref()
}

fn needs<'n>(night: &'n Night<'n>, team: &'n Figures, members: &[&'n Figures], others: bool) -> Vec<Need<'n>> {
    let all: f64 = team.skills.iter().map(|s| s.lost).sum();
    let costly = team.skills.iter().filter(|s| s.lost > 0.0).take(NEEDS);
    let need = |figure: &'n SkillFigure| {
        let own = figure.missed.as_ref();
        let mut agents: Vec<_> = members
            .iter()
            .filter_map(|a| Some((*a, skill(a, &figure.skill)?)))
            .filter(|(_, rate)| rate.count > 0 && own.is_some_and(|o| rate.value > o.value))
            .map(|(agent, rate)| (agent, rate, own.is_some_and(|o| rate.low > o.value)))
            .collect();
        agents.sort_by(|a, b| (b.2, b.1.count).cmp(&(a.2, a.1.count)).then_with(|| a.0.id.cmp(&b.0.id)));
        agents.truncate(IN_NEED);
        let rest = skill(&night.cards.all, &figure.skill)
            .zip(own)
            .and_then(|(all, own)| Rate::new(all.count.saturating_sub(own.count), all.of.saturating_sub(own.of)));
        Need {
            skill: figure,
            share: if all > 0.0 { figure.lost / all } else { 0.0 },
            others: rest.filter(|_| others),
            agents,
            example: example(night, members, &figure.skill),
        }
    };
    costly.map(need).collect()
}

/// The best handling by a member of what makes a rule of the skill due.
fn example<'n>(night: &'n Night<'n>, members: &[&'n Figures], skill: &str) -> Option<(&'n str, &'n GoodExample)> {
    let totals = members.iter().filter_map(|a| Some((*a, night.aggregate.agents.get(&a.id)?)));
    let examples = totals.flat_map(|(agent, totals)| {
        let rules = totals.rules.iter().filter(|(n, _)| night.pack.rules[**n as usize].skill == skill);
        rules.filter_map(move |(_, count)| Some((count.good.items().first()?, agent)))
    });
    let best = examples.min_by_key(|(good, agent)| (*good, &agent.id))?;
    Some((best.1.name.as_deref().unwrap_or(&best.1.id), best.0))
}

/// An agent weak in a skill with a colleague whose interval lies wholly below hers. Nobody learns two things at once,
/// nobody helps more than two; where samples do not separate there is no pair.
fn pairs<'n>(team: &'n Figures, members: &[&'n Figures]) -> Vec<Pair<'n>> {
    let mut out: Vec<Pair<'n>> = Vec::new();
    let mut helps = BTreeMap::<&str, usize>::new();
    for figure in team.skills.iter().filter(|s| s.lost > 0.0) {
        let mut rates: Vec<_> = members.iter().filter_map(|a| Some((*a, skill(a, &figure.skill)?))).collect();
        rates.sort_by(|a, b| b.1.count.cmp(&a.1.count).then_with(|| a.0.id.cmp(&b.0.id)));
        for (learner, rate) in &rates {
            let busy = out.iter().any(|p| p.learner.id == learner.id || p.helper.id == learner.id);
            if busy || out.len() == PAIRS {
                continue;
            }
            let better = rates.iter().filter(|(helper, other)| {
                let learns = out.iter().any(|p| p.learner.id == helper.id);
                other.high < rate.low && !learns && helps.get(helper.id.as_str()).copied().unwrap_or(0) < HELPS
            });
            let best = better.min_by(|a, b| a.1.high.total_cmp(&b.1.high).then_with(|| a.0.id.cmp(&b.0.id)));
            if let Some((helper, helper_rate)) = best {
                *helps.entry(&helper.id).or_default() += 1;
                out.push(Pair { skill: &figure.skill, learner, learner_rate: rate, helper, helper_rate });
            }
        }
    }
    out
}

/// What moved for the better beyond chance, by agent.
fn improved<'n>(night: &Night<'n>, members: &[&'n Figures]) -> Vec<(&'n Figures, &'n Change)> {
    let Some(history) = night.history.filter(|h| !h.changes.changed_rules) else { return Vec::new() };
    let lower_is_better = |figure: &str| {
        figure.starts_with("rule:") || matches!(figure, "critical_rate" | "first_response" | "avg_response")
    };
    let moved = members.iter().flat_map(|agent| {
        let changes = history.changes.agents.get(&agent.id).into_iter().flatten();
        changes.filter(|c| c.is_clear()).map(move |change| (*agent, change))
    });
    let better =
        moved.filter(|(_, c)| (c.difference() < 0.0) == lower_is_better(&c.figure) && c.figure != "conversations");
    better.take(IMPROVED).collect()
}

/// Rules that cost the team points, the costliest first.
fn common<'n>(night: &'n Night<'n>, team: &'n Figures, members: &[&'n Figures]) -> Vec<Common<'n>> {
    let mut out = Vec::new();
    for figure in &team.rules {
        let Some(number) = night.pack.rule(&figure.id) else { continue };
        let rule = &night.pack.rules[number];
        let mut lost = 0;
        let mut agents = Vec::new();
        for agent in members {
            let totals = night.aggregate.agents.get(&agent.id);
            if let Some(count) = totals.and_then(|t| t.rules.get(&(number as u32))).filter(|c| c.found > 0) {
                lost += effective_cost(night.pack, number, count);
                agents.push(*agent);
            }
        }
        if lost > 0 {
            out.push(Common { rule, figure, lost: lost as f64 / 1000.0, agents });
        }
    }
    out.sort_by(|a, b| b.lost.total_cmp(&a.lost).then_with(|| a.rule.id.cmp(&b.rule.id)));
    out
}
