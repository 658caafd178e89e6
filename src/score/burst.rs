//! What is new: counts that rise beyond what earlier nights lead one to expect.
//!
//! Of a reason or word, `c_t` of `n_t` conversations of each earlier night had it and `c` of `n` have it now. With
//! `C = Σ c_t + ½` (the half leaves room for what was never seen) and `N = Σ n_t`:
//!
//! - expected now: `E = n · C / N`;
//! - nights differ by more than chance: `k = max(0, Σ((c_t − μ_t)² − μ_t) / Σ μ_t²)` with `μ_t = n_t · C / N`, the
//!   method of moments of the negative binomial distribution;
//! - variance of what is expected: `V = E + k·E²·(1 + 1/m) + E²/C` for `m` earlier nights: chance, the difference between
//!   nights, and not knowing the true share;
//! - strength: `(c − E) / √max(V, 1)`;
//! - chance of `c` or more: the upper tail of the negative binomial with mean `E` and variance `V` (Poisson if `V = E`).
//!
//! Reported is what has at least [`LEAST`] conversations, half as many again as expected, and a chance of at most 0.05
//! divided by the number of candidates (Bonferroni): thousands of words are looked at, and one in twenty of them would
//! otherwise be "new" every night. Counts estimated from samples are judged on the scale of the sample.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::service::TopicTotals;

/// Earlier nights needed.
pub const LEAST_NIGHTS: usize = 3;
/// Conversations needed now.
pub const LEAST: f64 = 5.0;
/// At least so many times what is expected.
const RISE: f64 = 1.5;
/// Chance of one false alarm a night, at most.
const ALARM: f64 = 0.05;

/// Conversations with a word, as counted in the samples and as estimated for all.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct WordCount {
    /// Conversations of the samples.
    pub sampled: u64,
    /// Conversations in all, in thousandths, estimated by the inverse of the chance to be sampled.
    pub estimated: u64,
}

/// In how many conversations each word of customers occurs, over all topics; each conversation once.
pub fn words(topics: &BTreeMap<String, TopicTotals>) -> BTreeMap<String, WordCount> {
    // A conversation is seen where the most generous sample of its topics kept it.
    let mut seen = BTreeMap::<u64, (f64, &[String])>::new();
    for topic in topics.values() {
        let chance = topic.words.chance();
        for (hash, words) in topic.words.conversations() {
            let own = seen.entry(hash).or_insert((chance, words));
            own.0 = own.0.max(chance);
        }
    }
    let mut out = BTreeMap::<String, WordCount>::new();
    for (chance, words) in seen.values() {
        let weight = (1000.0 / chance).round() as u64;
        for word in *words {
            let count = match out.get_mut(word) {
                Some(count) => count,
                None => out.entry(word.clone()).or_default(),
            };
            count.sampled += 1;
            count.estimated += weight;
        }
    }
    out
}

/// One reason or word, now and before.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Conversations now.
    pub now: f64,
    /// How many conversations one that was counted stands for; 1 where all are counted.
    pub scale: f64,
    /// Conversations before, a number for each earlier night.
    pub before: Vec<f64>,
}

/// How a count stands to its history.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Assessed {
    /// Conversations expected.
    pub expected: f64,
    /// Standard deviations above.
    pub strength: f64,
    /// Chance of as many or more.
    pub chance: f64,
}

/// Compares a count with its history: `n` conversations now, `nights` conversations on each earlier night.
///
/// ```
/// use zhijian::score::burst::{Series, assess};
/// let nights = [300, 310, 290, 305];
/// // A steady reason that triples, and one that wavers as it always did.
/// let burst = assess(&Series { now: 36.0, scale: 1.0, before: vec![12.0, 11.0, 13.0, 12.0] }, 300, &nights);
/// assert!((burst.expected - 12.07).abs() < 0.01 && burst.strength > 5.0 && burst.chance < 1e-5);
/// let wavers = assess(&Series { now: 36.0, scale: 1.0, before: vec![3.0, 40.0, 5.0, 30.0] }, 300, &nights);
/// assert!(wavers.strength < 1.5 && wavers.chance > 0.05);
/// ```
pub fn assess(series: &Series, n: u64, nights: &[u64]) -> Assessed {
    let scale = series.scale.max(1.0);
    let all: f64 = nights.iter().map(|n| *n as f64).sum();
    let before = || series.before.iter().map(|c| c / scale);
    let count = before().sum::<f64>() + 0.5;
    let share = count / all.max(1.0);
    let expected = n as f64 * share;
    let means = || nights.iter().map(|n| *n as f64 * share);
    let excess: f64 = before().zip(means()).map(|(c, mean)| (c - mean).powi(2) - mean).sum();
    let squares: f64 = means().map(|m| m * m).sum();
    let spread = if squares > 0.0 { (excess / squares).max(0.0) } else { 0.0 };
    let m = nights.len().max(1) as f64;
    let variance = expected + spread * expected * expected * (1.0 + 1.0 / m) + expected * expected / count;
    let now = series.now / scale;
    Assessed {
        expected: expected * scale,
        strength: (now - expected) / variance.max(1.0).sqrt(),
        chance: upper_tail(now.floor() as u64, expected, variance),
    }
}

/// The strongest series that burst, by their place in `series`.
pub fn strongest(series: &[Series], n: u64, nights: &[u64], most: usize) -> Vec<(usize, Assessed)> {
    if nights.len() < LEAST_NIGHTS {
        return Vec::new();
    }
    let candidates: Vec<usize> = (0..series.len()).filter(|i| series[*i].now / series[*i].scale >= LEAST).collect();
    let bound = ALARM / candidates.len().max(1) as f64;
    let mut out: Vec<(usize, Assessed)> = candidates
        .into_iter()
        .map(|i| (i, assess(&series[i], n, nights)))
        .filter(|(i, a)| a.chance <= bound && series[*i].now >= RISE * a.expected)
        .collect();
    out.sort_by(|a, b| b.1.strength.total_cmp(&a.1.strength).then(a.0.cmp(&b.0)));
    out.truncate(most);
    out
}

/// The chance of `least` or more under a negative binomial distribution by mean and variance.
fn upper_tail(least: u64, mean: f64, variance: f64) -> f64 {
    if mean <= 0.0 {
        return if least == 0 { 1.0 } else { 0.0 };
    }
    let over = variance - mean;
    // Logarithms of the chance of 0, and of the steps from k to k + 1.
    let poisson = over <= mean * 1e-9;
    let size = if poisson { 0.0 } else { mean * mean / over };
    let mut log = if poisson { -mean } else { -size * (over / mean).ln_1p() };
    let keep = if poisson { mean.ln() } else { (over / variance).ln() };
    let mut below = 0.0;
    for k in 0..least {
        below += log.exp();
        let k = k as f64;
        log += keep - (k + 1.0).ln() + if poisson { 0.0 } else { (k + size).ln() };
    }
    (1.0 - below).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_match_tables() {
        // Poisson: P(X >= 5 | 2) = 0.052653; negative binomial with r = 3, p = 0.5 (mean 3, variance 6): P(X >= 3) = 0.5.
        assert!((upper_tail(5, 2.0, 2.0) - 0.052_653).abs() < 1e-6);
        assert!((upper_tail(3, 3.0, 6.0) - 0.5).abs() < 1e-12);
        assert_eq!(upper_tail(0, 3.0, 3.0), 1.0);
        assert!(upper_tail(1500, 1000.0, 1000.0) < 1e-12);
    }

    #[test]
    fn a_steady_history_raises_no_alarm() {
        let series: Vec<Series> = (0..200)
            .map(|i| {
                let mean = 2.0 + f64::from(i % 20);
                let wave = |t: i32| (mean + mean.sqrt() * f64::from((i * 7 + t * 13) % 5 - 2) / 2.0).round();
                Series { now: wave(9), scale: 1.0, before: (0..8).map(wave).collect() }
            })
            .collect();
        assert_eq!(strongest(&series, 300, &[300; 8], 10), []);
    }

    #[test]
    fn new_words_burst_and_samples_say_less() {
        let new = |now, scale| Series { now, scale, before: vec![0.0; 5] };
        let found = strongest(&[new(12.0, 1.0), new(4.0, 1.0), new(12.0, 4.0)], 300, &[300; 5], 10);
        assert_eq!(found.iter().map(|f| f.0).collect::<Vec<_>>(), [0], "too few, and too few sampled, say nothing");
        assert_eq!(strongest(&[new(12.0, 1.0)], 300, &[300; 2], 10), [], "two nights are no history");
    }

    #[test]
    fn a_conversation_of_two_topics_counts_once() {
        let mut topics = BTreeMap::<String, TopicTotals>::new();
        for topic in ["refund", "refund.progress"] {
            topics.entry(topic.into()).or_default().words.add(7, &["到账".into()]);
        }
        assert_eq!(words(&topics)["到账"], WordCount { sampled: 1, estimated: 1000 });
    }
}
