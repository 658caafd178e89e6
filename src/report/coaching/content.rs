//! What stands in an agent's report, without words.

use super::priority::{Weight, weight};
use super::progress::{Progress, progress};
use crate::metrics::Metric;
use crate::pack::rule::{Demand, Rule};
use crate::report::figures::{Figures, Rate, effective_cost};
use crate::report::night::Night;
use crate::score::aggregate::{AgentTotals, Evidence, GoodExample, RuleCount};

/// Things to work on at a time.
const PRIORITIES: usize = 3;
/// Conversations a rule must have been due in before doing it right is worth praise.
const PRAISE_FROM: u64 = 3;
/// Things praised.
const PRAISED: usize = 3;

/// An agent's report.
pub struct CoachingReport<'n> {
    /// The night.
    pub night: &'n Night<'n>,
    /// Her figures.
    pub agent: &'n Figures,
    /// Those of her team, or of everyone.
    pub peers: &'n Figures,
    /// What to work on first.
    pub priorities: Vec<Priority<'n>>,
    /// What can wait.
    pub rest: Vec<(&'n Rule, &'n RuleCount)>,
    /// Label of the report before; empty when there is none.
    pub against: String,
    /// What became of what it asked for.
    pub progress: Vec<Progress<'n>>,
    /// Duties done every time that others miss, with others' rate.
    pub well: Vec<(&'n Rule, &'n RuleCount, f64)>,
    /// Bonuses.
    pub bonuses: Vec<(&'n Rule, &'n RuleCount)>,
    /// Conversations passed.
    pub passed: u64,
}

/// One thing to work on.
pub struct Priority<'n> {
    /// The rule.
    pub rule: &'n Rule,
    /// Its record.
    pub count: &'n RuleCount,
    /// How often it was found where it was due.
    pub rate: Rate,
    /// How often among her peers.
    pub peers: Option<&'n Rate>,
    /// Why it stands where it stands.
    pub weight: Weight,
    /// Her own words, at most two different ones.
    pub evidence: Vec<&'n Evidence>,
    /// Once when she did it right herself.
    pub own_good: Option<&'n GoodExample>,
    /// A colleague in the same situation, and her name.
    pub colleague: Option<(String, &'n GoodExample)>,
}

impl<'n> CoachingReport<'n> {
    /// Gathers a report; `None` for an agent the night does not know.
    pub fn new(night: &'n Night<'n>, agent: &'n Figures) -> Option<CoachingReport<'n>> {
        let totals = night.aggregate.agents.get(&agent.id)?;
        let peers = night.cards.peers(agent);
        let mut costly = costly(night, agent, peers, totals);
        let rest = costly.split_off(costly.len().min(PRIORITIES));
        let (against, progress) = progress(night, agent, PRIORITIES);
        let rules = || totals.rules.iter().map(|(n, c)| (&night.pack.rules[*n as usize], c));
        let mut well: Vec<_> = rules()
            .filter(|(rule, count)| {
                let duty = matches!(rule.demand, Demand::Require(_)) && rule.when.is_some() && rule.points < 0;
                duty && count.found == 0 && count.applicable >= PRAISE_FROM
            })
            .filter_map(|(rule, count)| {
                let others = peers.rule(&rule.id)?.rate.as_ref()?.value;
                (others > 0.0).then_some((rule, count, others))
            })
            .collect();
        well.sort_by(|a, b| b.2.total_cmp(&a.2).then(a.0.id.cmp(&b.0.id)));
        well.truncate(PRAISED);
        Some(CoachingReport {
            night,
            agent,
            peers,
            priorities: costly,
            rest: rest.into_iter().map(|p| (p.rule, p.count)).collect(),
            against,
            progress,
            well,
            bonuses: rules().filter(|(rule, count)| rule.points > 0 && count.findings > 0).collect(),
            passed: totals.passed,
        })
    }

    /// The measures set beside the team's.
    pub(super) fn measures() -> [Metric; 3] {
        [Metric::FirstResponse, Metric::AvgResponse, Metric::HandleTime]
    }
}

/// Rules that cost points, the weightiest first.
fn costly<'n>(
    night: &'n Night<'n>,
    agent: &'n Figures,
    peers: &'n Figures,
    totals: &'n AgentTotals,
) -> Vec<Priority<'n>> {
    let rules = totals.rules.iter().filter_map(|(number, count)| {
        let rule = &night.pack.rules[*number as usize];
        let lost = effective_cost(night.pack, *number as usize, count);
        let rate = Rate::new(count.found, count.applicable).filter(|_| count.found > 0 && lost > 0)?;
        let of_peers = peers.rule(&rule.id).and_then(|r| r.rate.as_ref());
        let items = count.evidence.items();
        let second = items.iter().skip(1).find(|e| items[0].agent != e.agent && items[0].customer != e.customer);
        Some(Priority {
            rule,
            count,
            weight: weight(lost as f64 / 1000.0, rate.count, rate.of, of_peers.map(|r| r.value)),
            rate,
            peers: of_peers,
            evidence: items.first().into_iter().chain(second).collect(),
            own_good: count.good.items().first(),
            colleague: colleague(night, agent, *number),
        })
    });
    let mut list: Vec<_> = rules.collect();
    list.sort_by(|a, b| b.weight.product().total_cmp(&a.weight.product()).then_with(|| a.rule.id.cmp(&b.rule.id)));
    list
}

/// The best example of someone else who met the same trigger and did it right; of her own team where there is one.
fn colleague<'n>(night: &'n Night<'n>, agent: &Figures, rule: u32) -> Option<(String, &'n GoodExample)> {
    let others = night.aggregate.agents.iter().filter(|(id, _)| **id != agent.id);
    let examples = others.filter_map(|(id, totals)| Some((totals.rules.get(&rule)?.good.items().first()?, id, totals)));
    let best = examples.min_by_key(|(good, id, totals)| (totals.team != agent.team, *good, *id))?;
    Some((best.2.name.clone().unwrap_or_else(|| best.1.clone()), best.0))
}
