//! The score of one agent in one conversation.

use crate::judge::{AgentJudgement, Outcome};
use crate::pack::Pack;
use crate::pack::rule::Severity;

/// One dimension of a score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DimensionScore {
    /// Something in it was judged; otherwise it leaves the denominator.
    pub applicable: bool,
    /// Milli-points lost, at most the dimension's weight.
    pub lost: i64,
}

/// A conversation's score for one agent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AgentScore {
    /// Milli-points out of 100,000; 0 with a critical finding.
    pub score: i64,
    /// Milli-points before the critical override.
    pub raw: i64,
    /// At or above the pass mark, and nothing critical.
    pub passed: bool,
    /// A critical finding was made.
    pub critical: bool,
    /// Milli-points of bonus that counted.
    pub bonus: i64,
    /// Each dimension.
    pub dimensions: Vec<DimensionScore>,
}

/// Scores a judgement.
///
/// Each dimension starts with its weight in points and loses what its findings cost, never more than it has. The
/// weights of dimensions in which nothing was applicable leave the denominator:
/// `raw = 100 × Σ(weight − lost) / Σ weight` over the applicable ones, plus bonuses up to the cap, at most 100.
/// `None` when nothing at all was applicable.
pub fn score(pack: &Pack, judgement: &AgentJudgement) -> Option<AgentScore> {
    let card = &pack.scorecard;
    let mut out =
        AgentScore { dimensions: vec![DimensionScore::default(); card.dimensions.len()], ..Default::default() };
    for (rule, outcome) in pack.rules.iter().zip(&judgement.outcomes) {
        let counts = rule.points < 0 && !rule.review_only || rule.severity == Severity::Critical;
        out.dimensions[rule.dimension].applicable |= *outcome != Outcome::NotApplicable && counts;
    }
    for finding in &judgement.findings {
        let rule = &pack.rules[finding.rule];
        if finding.points < 0 {
            out.dimensions[rule.dimension].lost -= finding.points;
        } else {
            out.bonus += finding.points;
        }
        out.critical |= rule.severity == Severity::Critical && !finding.review;
    }
    let (mut kept, mut weights) = (0i64, 0i64);
    for (dimension, definition) in out.dimensions.iter_mut().zip(&card.dimensions) {
        let weight = i64::from(definition.weight) * 1000;
        dimension.lost = dimension.lost.min(weight);
        if dimension.applicable {
            kept += weight - dimension.lost;
            weights += weight;
        }
    }
    if weights == 0 {
        return None;
    }
    out.bonus = out.bonus.min(card.bonus_cap);
    out.raw = ((kept * 100_000 + weights / 2) / weights + out.bonus).min(100_000);
    out.score = if out.critical { 0 } else { out.raw };
    out.passed = out.score >= card.pass_mark && !out.critical;
    Some(out)
}

/// The conversation's own score: the mean of its agents' (rounded to a milli-point), 0 if any has a critical finding.
/// Returns (score, raw score).
pub fn conversation_score<'s>(scores: impl Iterator<Item = &'s AgentScore>) -> Option<(i64, i64)> {
    let (mut n, mut raw, mut sum, mut critical) = (0i64, 0i64, 0i64, false);
    for score in scores {
        n += 1;
        raw += score.raw;
        sum += score.score;
        critical |= score.critical;
    }
    (n > 0).then(|| (if critical { 0 } else { (sum + n / 2) / n }, (raw + n / 2) / n))
}
