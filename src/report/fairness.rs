//! What is fair between agents needs all of them: shrinkage, the same mix of conversations, ranks.

use std::collections::BTreeMap;

use super::figures::{Figures, rounded};
use crate::score::Aggregate;
use crate::score::compare::{Cell, Observed, expected, ranks, shrunk};

/// Conversations of a kind below which its channel and stage speak for it: a mean of a few is mostly the agent's own.
const FEWEST_OF_A_KIND: u64 = 20;

/// Everyone's mean by kind of conversation (`channel/stage/reason`).
struct Kinds<'m> {
    fine: &'m BTreeMap<String, (u64, i64)>,
    coarse: BTreeMap<&'m str, (u64, i64)>,
}

impl<'m> Kinds<'m> {
    fn new(fine: &'m BTreeMap<String, (u64, i64)>) -> Kinds<'m> {
        let mut coarse = BTreeMap::<&str, (u64, i64)>::new();
        for (kind, (n, points)) in fine {
            let own = coarse.entry(without_reason(kind)).or_default();
            own.0 += n;
            own.1 += points;
        }
        Kinds { fine, coarse }
    }

    /// The mean score of a kind, or of its channel and stage where the kind is rare.
    fn mean(&self, kind: &str) -> Option<f64> {
        let fine = self.fine.get(kind).filter(|(n, _)| *n >= FEWEST_OF_A_KIND);
        let (n, points) = fine.or_else(|| self.coarse.get(without_reason(kind)))?;
        (*n > 0).then(|| *points as f64 / 1e3 / *n as f64)
    }
}

fn without_reason(kind: &str) -> &str {
    kind.rsplit_once('/').map_or(kind, |(rest, _)| rest)
}

/// Fills in what needs all agents: shrinkage, case mix, ranks.
pub(super) fn compare(aggregate: &Aggregate, agents: &mut [Figures]) {
    let everyone = Kinds::new(&aggregate.all.mix);
    let observed: Vec<Observed> = aggregate
        .agents
        .values()
        .map(|t| {
            let n = t.conversations.max(1) as f64;
            let mean = t.score_sum as f64 / 1e3 / n;
            let variance = match t.conversations {
                0 | 1 => 0.0,
                _ => ((t.score_squares as f64 / 1e6 - n * mean * mean) / (n - 1.0)).max(0.0),
            };
            Observed { n: t.conversations, mean, variance }
        })
        .collect();
    let intervals: Vec<_> =
        agents.iter().map(|a| a.score.as_ref().filter(|_| a.enough).and_then(|s| s.interval)).collect();
    let figures = shrunk(&observed).into_iter().zip(ranks(&intervals));
    for ((agent, totals), (shrunk, rank)) in agents.iter_mut().zip(aggregate.agents.values()).zip(figures) {
        let mix: Vec<Cell> =
            totals.mix.iter().filter_map(|(kind, (n, _))| Some(Cell { n: *n, mean: everyone.mean(kind)? })).collect();
        agent.shrunk_score = agent.score.as_ref().map(|_| rounded(shrunk));
        agent.expected_score = expected(&mix).map(rounded);
        agent.rank = rank;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rare_kind_is_judged_by_its_channel_and_stage() {
        let mix =
            [("chat/sale/price", 40, 3_600_000), ("chat/sale/odd", 2, 20_000), ("phone/sale/price", 30, 1_500_000)];
        let mix = mix.into_iter().map(|(kind, n, points)| (kind.to_string(), (n, points))).collect();
        let kinds = Kinds::new(&mix);
        assert_eq!(kinds.mean("chat/sale/price"), Some(90.0));
        assert_eq!(kinds.mean("chat/sale/odd"), Some(3620.0 / 42.0));
        assert_eq!(kinds.mean("phone/sale/price"), Some(50.0));
        assert_eq!(kinds.mean("email/sale/price"), None);
    }
}
