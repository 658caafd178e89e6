//! Figures derived from the sums of an aggregate: means with intervals, rates with Wilson intervals, shares by
//! dimension and rule. Computed once, read by every exporter.

use serde::Serialize;

use super::fairness;
use super::outcomes::{self, ServiceFigures};
use super::reviewed::ReviewedFigure;
use super::targets::{self, Earlier, TargetFigure};
use crate::metrics::{METRICS, Unit};
use crate::pack::Pack;
use crate::pack::rule::Severity;
use crate::score::Aggregate;
use crate::score::aggregate::{AgentTotals, RuleCount};
use crate::score::statistics::{mean_interval, wilson};

/// A rate with its interval and what it is made of.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rate {
    /// Share, 0–1.
    pub value: f64,
    /// Lower end of the 95 % Wilson interval.
    pub low: f64,
    /// Upper end of the 95 % Wilson interval.
    pub high: f64,
    /// Cases counted.
    pub count: u64,
    /// Cases in all.
    pub of: u64,
}

impl Rate {
    /// `count` of `of`; `None` without cases.
    pub fn new(count: u64, of: u64) -> Option<Rate> {
        let (low, high) = wilson(count, of)?;
        Some(Rate { value: rounded(count as f64 / of as f64), low: rounded(low), high: rounded(high), count, of })
    }
}

/// Six digits are more than any figure here is worth, and keep outputs readable.
pub(super) fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// A mean with its interval.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mean {
    /// The mean, in points.
    pub value: f64,
    /// Ends of the 95 % interval; none for a single case.
    pub interval: Option<(f64, f64)>,
    /// Cases.
    pub n: u64,
}

/// One dimension's figure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DimensionFigure {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Share of its points kept, in percent; none where nothing was applicable.
    pub kept: Option<f64>,
    /// Conversations in which it was judged.
    pub applicable: u64,
}

/// One rule's figure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RuleFigure {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its dimension's id.
    pub dimension: String,
    /// Its severity.
    pub severity: &'static str,
    /// Share of applicable conversations with a finding.
    pub rate: Option<Rate>,
    /// Findings.
    pub findings: u64,
    /// Points in all.
    pub points: f64,
}

/// One skill's figure: the duties that train it and how often they were missed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SkillFigure {
    /// The skill.
    pub skill: String,
    /// Training modules for it.
    pub modules: Vec<String>,
    /// Share of opportunities missed.
    pub missed: Option<Rate>,
    /// Points lost.
    pub lost: f64,
}

/// A measure's mean.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MeasureFigure {
    /// Its id.
    pub id: &'static str,
    /// Its title.
    pub title: &'static str,
    /// Mean: seconds, ratio, or count.
    pub mean: f64,
    /// Largest value.
    pub max: f64,
    /// Conversations in which it is known.
    pub n: u64,
}

/// COPC accuracies: shares of conversations without an error of the class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Accuracies {
    /// Without a customer-critical error.
    pub customer: Option<Rate>,
    /// Without a business-critical error.
    pub business: Option<Rate>,
    /// Without a compliance-critical error.
    pub compliance: Option<Rate>,
    /// Non-critical opportunities passed.
    pub noncritical: Option<Rate>,
}

/// All figures of an agent, a team, or everyone.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// Agent id, team name, or empty for everyone.
    pub id: String,
    /// Name, where known.
    pub name: Option<String>,
    /// Team, where known.
    pub team: Option<String>,
    /// Conversations judged.
    pub conversations: u64,
    /// Enough of them to compare.
    pub enough: bool,
    /// Mean score.
    pub score: Option<Mean>,
    /// Mean score drawn towards everyone's by what chance alone explains; none for teams.
    pub shrunk_score: Option<f64>,
    /// What someone average would have scored with the same mix of channels, stages and contact reasons.
    pub expected_score: Option<f64>,
    /// Rank among agents with enough conversations; shared where intervals overlap.
    pub rank: Option<usize>,
    /// By skill, those with a case.
    pub skills: Vec<SkillFigure>,
    /// Mean raw score, before critical overrides.
    pub raw_score: Option<f64>,
    /// Share passed.
    pub pass_rate: Option<Rate>,
    /// Conversations with a critical finding.
    pub critical: u64,
    /// COPC accuracies.
    pub accuracies: Accuracies,
    /// By dimension.
    pub dimensions: Vec<DimensionFigure>,
    /// By rule, those with a case.
    pub rules: Vec<RuleFigure>,
    /// By measure, those known.
    pub metrics: Vec<MeasureFigure>,
    /// Mean rating and number of ratings.
    pub rating: Option<(f64, u64)>,
    /// Mean satisfaction estimate, 0–1, and the conversations that have one.
    pub satisfaction_estimate: Option<(f64, u64)>,
    /// Resolution, hand-overs, complaints, recontacts.
    pub service: Option<ServiceFigures>,
    /// After review, where someone has reviewed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviewed: Option<ReviewedFigure>,
}

impl Figures {
    /// Derives the figures of one record.
    pub fn new(id: &str, pack: &Pack, totals: &AgentTotals) -> Figures {
        let n = totals.conversations;
        let score = mean_interval(n, totals.score_sum as f64 / 1e3, totals.score_squares as f64 / 1e6).map(
            |(mean, interval)| Mean {
                value: rounded(mean),
                interval: interval.map(|(low, high)| (rounded(low.max(0.0)), rounded(high.min(100.0)))),
                n,
            },
        );
        let without = |errors: u64| Rate::new(n - errors.min(n), n);
        let dimensions = pack.scorecard.dimensions.iter().enumerate().map(|(i, d)| {
            let count = totals.dimensions.get(i).copied().unwrap_or_default();
            let whole = count.applicable as f64 * f64::from(d.weight) * 1000.0;
            let kept = (count.applicable > 0).then(|| rounded(100.0 * (1.0 - count.lost as f64 / whole)));
            DimensionFigure { id: d.id.clone(), title: d.title.clone(), kept, applicable: count.applicable }
        });
        let rules = totals.rules.iter().map(|(number, count)| rule_figure(pack, *number as usize, count));
        let metrics = METRICS.iter().zip(&totals.measures).filter(|(_, sum)| sum.n > 0).map(|(m, sum)| {
            let scale = if m.3 == Unit::Count { 1.0 } else { 1000.0 };
            MeasureFigure {
                id: m.1,
                title: m.2,
                mean: rounded(sum.sum as f64 / sum.n as f64 / scale),
                max: sum.max as f64 / scale,
                n: sum.n,
            }
        });
        let ratings: u64 = totals.ratings.iter().sum();
        let stars: u64 = totals.ratings.iter().zip(1..).map(|(n, stars)| n * stars).sum();
        Figures {
            id: id.to_string(),
            name: totals.name.clone(),
            team: totals.team.clone(),
            conversations: n,
            enough: n >= pack.scorecard.min_sample,
            score,
            shrunk_score: None,
            expected_score: None,
            rank: None,
            skills: skills(pack, totals),
            raw_score: (n > 0).then(|| rounded(totals.raw_sum as f64 / 1e3 / n as f64)),
            pass_rate: Rate::new(totals.passed, n),
            critical: totals.critical,
            accuracies: Accuracies {
                customer: without(totals.class_errors[0]),
                business: without(totals.class_errors[1]),
                compliance: without(totals.class_errors[2]),
                noncritical: Rate::new(totals.noncritical.1, totals.noncritical.0),
            },
            dimensions: dimensions.collect(),
            rules: rules.collect(),
            metrics: metrics.collect(),
            service: None,
            reviewed: None,
            rating: (ratings > 0).then(|| (rounded(stars as f64 / ratings as f64), ratings)),
            satisfaction_estimate: (totals.satisfaction.0 > 0).then(|| {
                let (n, sum) = totals.satisfaction;
                (rounded(sum as f64 / 1000.0 / n as f64), n)
            }),
        }
    }

    /// The dimension with the smallest share kept.
    pub fn worst_dimension(&self) -> Option<&DimensionFigure> {
        let judged = self.dimensions.iter().filter(|d| d.kept.is_some_and(|k| k < 100.0));
        judged.min_by(|a, b| a.kept.partial_cmp(&b.kept).unwrap_or(std::cmp::Ordering::Equal))
    }

    /// A rule's figure.
    pub fn rule(&self, id: &str) -> Option<&RuleFigure> {
        self.rules.iter().find(|r| r.id == id)
    }

    /// The name people know the agent by, with the id.
    pub fn label(&self) -> String {
        match &self.name {
            Some(name) if *name != self.id => format!("{name}({})", self.id),
            _ => self.id.clone(),
        }
    }
}

/// Figures by skill, the costliest first.
fn skills(pack: &Pack, totals: &AgentTotals) -> Vec<SkillFigure> {
    let mut by_skill = std::collections::BTreeMap::<&str, (std::collections::BTreeSet<&str>, u64, u64, i64)>::new();
    for (number, count) in &totals.rules {
        let rule = &pack.rules[*number as usize];
        if rule.skill.is_empty() || rule.points > 0 || rule.review_only {
            continue;
        }
        let (modules, due, missed, lost) = by_skill.entry(&rule.skill).or_default();
        if !rule.module.is_empty() {
            modules.insert(&rule.module);
        }
        *due += count.applicable;
        *missed += count.found;
        *lost += effective_cost(pack, *number as usize, count);
    }
    let mut figures: Vec<(i64, SkillFigure)> = by_skill
        .into_iter()
        .map(|(skill, (modules, due, missed, lost))| {
            let figure = SkillFigure {
                skill: skill.to_string(),
                modules: modules.into_iter().map(str::to_string).collect(),
                missed: Rate::new(missed, due),
                lost: lost as f64 / 1000.0,
            };
            (lost, figure)
        })
        .collect();
    figures.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.skill.cmp(&b.1.skill)));
    figures.into_iter().map(|(_, figure)| figure).collect()
}

/// The figure of one rule.
pub fn rule_figure(pack: &Pack, number: usize, count: &RuleCount) -> RuleFigure {
    let rule = &pack.rules[number];
    RuleFigure {
        id: rule.id.clone(),
        title: rule.title.clone(),
        dimension: pack.scorecard.dimensions[rule.dimension].id.clone(),
        severity: rule.severity.id(),
        rate: Rate::new(count.found, count.applicable),
        findings: count.findings,
        points: count.points as f64 / 1000.0,
    }
}

/// What a rule's findings cost in effect, in milli-points: a critical finding costs the whole score.
pub fn effective_cost(pack: &Pack, number: usize, count: &RuleCount) -> i64 {
    let rule = &pack.rules[number];
    match rule.severity == Severity::Critical && !rule.review_only {
        true => count.found as i64 * 100_000,
        false => -count.points,
    }
}

/// Figures of agents, teams and everyone.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scorecards {
    /// Everyone.
    pub all: Figures,
    /// Teams, by name.
    pub teams: Vec<Figures>,
    /// Agents, by id.
    pub agents: Vec<Figures>,
    /// Targets, actual against wanted.
    pub targets: Vec<TargetFigure>,
}

impl Scorecards {
    /// Derives all figures of a run by itself.
    pub fn new(pack: &Pack, aggregate: &Aggregate) -> Scorecards {
        Scorecards::after(pack, aggregate, &Earlier::default())
    }

    /// Derives all figures; targets of a month, quarter or year also count the earlier nights in it.
    pub fn after(pack: &Pack, aggregate: &Aggregate, earlier: &Earlier) -> Scorecards {
        let teams = teams(aggregate);
        let mut agents: Vec<Figures> =
            aggregate.agents.iter().map(|(id, totals)| Figures::new(id, pack, totals)).collect();
        fairness::compare(aggregate, &mut agents);
        let mut cards = Scorecards {
            all: Figures::new("", pack, &aggregate.all),
            teams: teams.iter().map(|(team, totals)| Figures::new(team, pack, totals)).collect(),
            agents,
            targets: targets::figures(pack, aggregate, earlier),
        };
        outcomes::attach(&mut cards, aggregate);
        cards
    }

    /// What an agent is compared with: her team when it has others, else everyone.
    pub fn peers(&self, agent: &Figures) -> &Figures {
        let team = agent.team.as_deref().and_then(|t| self.teams.iter().find(|f| f.id == t));
        team.filter(|t| t.conversations > agent.conversations).unwrap_or(&self.all)
    }
}

/// The agents' records added up by team.
pub fn teams(aggregate: &Aggregate) -> std::collections::BTreeMap<String, AgentTotals> {
    let mut teams = std::collections::BTreeMap::<String, AgentTotals>::new();
    for totals in aggregate.agents.values() {
        if let Some(team) = &totals.team {
            teams.entry(team.clone()).or_default().merge(totals.clone());
        }
    }
    for (team, totals) in &mut teams {
        totals.name = None;
        totals.team = Some(team.clone());
    }
    teams
}
