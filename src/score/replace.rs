//! Taking one conversation of an agent out of sums and putting another in its place: what review changes.

use super::AgentScore;
use super::aggregate::{AgentTotals, Aggregate, Counted};
use crate::judge::{AgentJudgement, Outcome};
use crate::metrics::Measures;
use crate::pack::Pack;

/// `total − out + into`, never below zero.
macro_rules! swap {
    ($total:expr, $out:expr, $into:expr) => {
        $total = ($total + $into).saturating_sub($out)
    };
}

impl AgentTotals {
    /// Replaces what a conversation counted as `before` by what it counts after review; `None` takes it out. Measures,
    /// ratings and estimates stay: nobody reviewed them.
    pub fn replace(
        &mut self,
        pack: &Pack,
        before: (&AgentScore, &AgentJudgement),
        after: Option<(&AgentScore, &AgentJudgement)>,
        kind: &str,
    ) {
        let alone = |case: Option<(&AgentScore, &AgentJudgement)>| {
            let mut totals = AgentTotals::default();
            if let Some((score, judgement)) = case {
                let measures = &Measures::default();
                totals.count(pack, &Counted { score, judgement, measures, rating: None, satisfaction: None, kind });
            }
            totals
        };
        let (out, into) = (alone(Some(before)), alone(after));
        swap!(self.conversations, out.conversations, into.conversations);
        self.score_sum += into.score_sum - out.score_sum;
        swap!(self.score_squares, out.score_squares, into.score_squares);
        self.raw_sum += into.raw_sum - out.raw_sum;
        swap!(self.passed, out.passed, into.passed);
        swap!(self.critical, out.critical, into.critical);
        for (bin, n) in &into.histogram {
            *self.histogram.entry(*bin).or_default() += n;
        }
        for (bin, n) in &out.histogram {
            let own = self.histogram.entry(*bin).or_default();
            *own = own.saturating_sub(*n);
        }
        self.histogram.retain(|_, n| *n > 0);
        for (totals, sign) in [(&into, 1i64), (&out, -1)] {
            for (own, more) in self.dimensions.iter_mut().zip(&totals.dimensions) {
                own.applicable = own.applicable.saturating_add_signed(sign * more.applicable as i64);
                own.lost += sign * more.lost;
                own.squares = own.squares.saturating_add_signed(i128::from(sign) * more.squares as i128);
            }
            for (rule, more) in &totals.rules {
                let own = self.rules.entry(*rule).or_default();
                let moved = |own: &mut u64, n: u64| *own = own.saturating_add_signed(sign * n as i64);
                moved(&mut own.applicable, more.applicable);
                moved(&mut own.found, more.found);
                moved(&mut own.findings, more.findings);
                moved(&mut own.review, more.review);
                own.points += sign * more.points;
            }
            for (own, more) in self.class_errors.iter_mut().zip(totals.class_errors) {
                *own = own.saturating_add_signed(sign * more as i64);
            }
            if let Some((n, points)) = totals.mix.get(kind) {
                let own = self.mix.entry(kind.to_string()).or_default();
                own.0 = own.0.saturating_add_signed(sign * *n as i64);
                own.1 += sign * points;
            }
        }
        self.mix.retain(|_, own| own.0 > 0);
        self.rules.retain(|_, c| c.applicable > 0 || c.findings > 0 || c.review > 0);
        swap!(self.noncritical.0, out.noncritical.0, into.noncritical.0);
        swap!(self.noncritical.1, out.noncritical.1, into.noncritical.1);
    }
}

impl Aggregate {
    /// Counts a channel's outcomes anew for a conversation that review changed.
    pub fn recount_channel(&mut self, channel: &str, before: &[Outcome], after: Option<&[Outcome]>) {
        if let Some(after) = after {
            self.count_channel(channel, after);
        }
        let Some(rules) = self.rule_channels.get_mut(channel) else { return };
        for (number, outcome) in before.iter().enumerate().filter(|(_, o)| **o != Outcome::NotApplicable) {
            if let Some(own) = rules.get_mut(&(number as u32)) {
                own.0 = own.0.saturating_sub(1);
                own.1 = own.1.saturating_sub(u64::from(*outcome == Outcome::Found));
            }
        }
        rules.retain(|_, own| own.0 > 0);
    }
}
