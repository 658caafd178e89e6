//! Comparing agents fairly: shrinkage for small samples, case mix, ranks only where intervals separate.

/// One agent's mean for comparison.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observed {
    /// Conversations.
    pub n: u64,
    /// Mean score.
    pub mean: f64,
    /// Variance of single conversations around the agent's own mean.
    pub variance: f64,
}

/// Means drawn towards the common mean by what chance alone explains (empirical Bayes, normal model).
///
/// The variance between agents is estimated by the method of moments of DerSimonian & Laird (1986, *Controlled
/// Clinical Trials* 7, 177–188); an agent's weight on her own mean is `τ² / (τ² + s²/n)`. With no variance between agents
/// everyone gets the common mean. The variance within is pooled over agents, so that a few like conversations do not
/// look certain.
///
/// ```
/// use zhijian::score::compare::{Observed, shrunk};
/// let agents = [
///     Observed { n: 400, mean: 90.0, variance: 100.0 },
///     Observed { n: 400, mean: 80.0, variance: 100.0 },
///     Observed { n: 4, mean: 60.0, variance: 100.0 },
/// ];
/// let means = shrunk(&agents);
/// assert!((means[0] - 90.0).abs() < 0.2, "many conversations speak for themselves");
/// assert!(means[2] > 61.0, "four do not");
/// ```
pub fn shrunk(agents: &[Observed]) -> Vec<f64> {
    let degrees: f64 = agents.iter().map(|a| a.n.saturating_sub(1) as f64).sum();
    if agents.len() < 2 || degrees <= 0.0 {
        return agents.iter().map(|a| a.mean).collect();
    }
    let within = agents.iter().map(|a| a.n.saturating_sub(1) as f64 * a.variance).sum::<f64>() / degrees;
    // Weight of a mean: the inverse of its sampling variance.
    let weight = |a: &Observed| a.n as f64 / within.max(1e-9);
    let total: f64 = agents.iter().map(weight).sum();
    let common = agents.iter().map(|a| weight(a) * a.mean).sum::<f64>() / total;
    let spread: f64 = agents.iter().map(|a| weight(a) * (a.mean - common).powi(2)).sum();
    let squares: f64 = agents.iter().map(|a| weight(a).powi(2)).sum();
    let room = total - squares / total;
    let between = if room > 0.0 { ((spread - (agents.len() as f64 - 1.0)) / room).max(0.0) } else { 0.0 };
    // The centre of shrinkage weighs agents, not conversations, once they truly differ.
    let centre_weight = |a: &Observed| 1.0 / (between + 1.0 / weight(a));
    let centre_total: f64 = agents.iter().map(centre_weight).sum();
    let centre = agents.iter().map(|a| centre_weight(a) * a.mean).sum::<f64>() / centre_total;
    agents
        .iter()
        .map(|a| {
            let own = between / (between + 1.0 / weight(a));
            own * a.mean + (1.0 - own) * centre
        })
        .collect()
}

/// Ranks where intervals separate: 1 + the number of agents whose whole interval lies above. Agents that cannot be
/// told apart share a rank; those without an interval, or with too few conversations, have none.
///
/// ```
/// use zhijian::score::compare::ranks;
/// let ranks = ranks(&[Some((90.0, 95.0)), Some((88.0, 93.0)), Some((70.0, 80.0)), None]);
/// assert_eq!(ranks, [Some(1), Some(1), Some(3), None]);
/// ```
pub fn ranks(intervals: &[Option<(f64, f64)>]) -> Vec<Option<usize>> {
    let above = |low: f64, high: f64| low > high;
    intervals
        .iter()
        .map(|own| {
            let (_, high) = (*own)?;
            Some(1 + intervals.iter().flatten().filter(|other| above(other.0, high)).count())
        })
        .collect()
}

/// One kind of conversation (channel, stage, …): how many an agent had, and everyone's mean for it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// The agent's conversations of this kind.
    pub n: u64,
    /// Everyone's mean score for this kind.
    pub mean: f64,
}

/// The score that someone average would have had with the same mix of conversations.
///
/// ```
/// use zhijian::score::compare::{Cell, expected};
/// // Three hard conversations (mean 70) and one easy one (mean 90).
/// assert_eq!(expected(&[Cell { n: 3, mean: 70.0 }, Cell { n: 1, mean: 90.0 }]), Some(75.0));
/// ```
pub fn expected(mix: &[Cell]) -> Option<f64> {
    let n: u64 = mix.iter().map(|c| c.n).sum();
    (n > 0).then(|| mix.iter().map(|c| c.n as f64 * c.mean).sum::<f64>() / n as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_agents_get_the_common_mean() {
        let agents = [(30, 85.0), (30, 85.5), (30, 84.5)].map(|(n, mean)| Observed { n, mean, variance: 100.0 });
        for mean in shrunk(&agents) {
            assert!((mean - 85.0).abs() < 1e-9, "{mean}");
        }
    }

    #[test]
    fn order_of_equally_sized_agents_is_kept() {
        let agents = [95.0, 80.0, 85.0, 60.0].map(|mean| Observed { n: 20, mean, variance: 64.0 });
        let means = shrunk(&agents);
        assert!(means[0] > means[2] && means[2] > means[1] && means[1] > means[3]);
        assert!(means[0] < 95.0 && means[3] > 60.0);
    }

    #[test]
    fn a_single_agent_is_left_alone() {
        assert_eq!(shrunk(&[Observed { n: 3, mean: 50.0, variance: 9.0 }]), [50.0]);
    }
}
