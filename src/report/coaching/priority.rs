//! What to work on first: cost × frequency × distance to the team.

/// Imaginary conversations at the team's rate that a small sample is drawn towards it by.
const PRIOR: f64 = 10.0;

/// Why something stands where it stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weight {
    /// Cost: points a conversation with a finding loses on average; 100 where one finding fails it.
    pub cost: f64,
    /// Frequency: conversations with a finding.
    pub found: u64,
    /// Distance: how many times the team's rate the agent's is.
    pub distance: f64,
}

impl Weight {
    /// The product, by which things are ordered.
    pub fn product(&self) -> f64 {
        self.cost * self.found as f64 * self.distance
    }
}

/// The weight of a rule: `lost` points over `found` of `due` conversations, beside the team's rate.
///
/// Cost is `lost / found`, frequency is `found`. Distance is the agent's rate over the team's, the agent's drawn towards
/// the team's by ten imaginary conversations so that one bad case of one does not look like a habit, and kept within
/// 0.5 and 3: `(found + 10 t) / (due + 10) / t`. Without a team's rate it is 1.
///
/// ```
/// use zhijian::report::coaching::weight;
/// // 6 of 10 against 20 %: (6 + 2) / 20 / 0.2 = 2, so 30 points count like 60.
/// let often = weight(30.0, 6, 10, Some(0.2));
/// assert_eq!((often.cost, often.distance, often.product()), (5.0, 2.0, 60.0));
/// // One of one is no habit; as often as everyone is distance 1.
/// assert!(weight(5.0, 1, 1, Some(0.5)).distance < 1.1);
/// assert_eq!(weight(8.0, 2, 10, Some(0.2)).distance, 1.0);
/// ```
pub fn weight(lost: f64, found: u64, due: u64, team: Option<f64>) -> Weight {
    let distance = match team.filter(|t| *t > 0.0) {
        Some(t) => ((found as f64 + PRIOR * t) / (due as f64 + PRIOR) / t).clamp(0.5, 3.0),
        None => 1.0,
    };
    Weight { cost: if found > 0 { lost / found as f64 } else { 0.0 }, found, distance: (distance * 1e6).round() / 1e6 }
}
