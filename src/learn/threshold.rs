//! From which probability a learnt marker says yes, chosen by what cross-validation predicted.

#[cfg(doc)]
use crate::pack::turn_model::TurnModel;

/// How many thresholds are tried for messages where the marker's own phrases hit.
const KEEPS: usize = 40;

/// Where [`TurnModel::keep`] comes from.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Keep {
    /// It is the threshold of the others.
    #[default]
    Same,
    /// It is given.
    At(f64),
    /// Chosen in cross-validation together with the threshold.
    Chosen,
}

/// From which probabilities a model says yes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cut {
    /// Where the marker's own phrases do not hit.
    pub threshold: f64,
    /// Where they do; see [`TurnModel::keep`].
    pub keep: Option<f64>,
}

/// What a model that has not seen a message makes of it.
#[derive(Debug, Clone, Copy)]
pub struct Predicted {
    /// The probability it gives.
    pub p: f64,
    /// What people said.
    pub yes: bool,
    /// The marker's own phrases hit.
    pub rule: bool,
}

/// The mean, over those people said yes to, of the precision down to them. `predicted` is sorted, the likeliest first.
pub fn average_precision(predicted: &[Predicted]) -> f64 {
    let (mut hits, mut sum) = (0.0, 0.0);
    for (n, _) in predicted.iter().enumerate().filter(|(_, p)| p.yes) {
        hits += 1.0;
        sum += hits / (n as f64 + 1.0);
    }
    if hits > 0.0 { sum / hits } else { 0.0 }
}

/// The thresholds with the best F1 among those of at least this precision, or with the best F1 of all where there are
/// none.
pub fn best_cut(mut predicted: Vec<Predicted>, precision: f64, keep: Keep) -> (f64, Cut) {
    predicted.sort_by(|a, b| b.p.total_cmp(&a.p));
    let keeps: Vec<Option<f64>> = match keep {
        Keep::Same => vec![None],
        Keep::At(keep) => vec![Some(keep)],
        Keep::Chosen => {
            let rule: Vec<f64> = predicted.iter().filter(|p| p.rule).map(|p| p.p).collect();
            let between = |n: usize| rule.get(n).map(|p| (p + rule[n - 1]) / 2.0);
            let some = (1..KEEPS).filter_map(|n| between((n * rule.len() / KEEPS).max(1)));
            [Some(0.0)].into_iter().chain(some.map(Some)).collect()
        }
    };
    let best = |precision: f64| {
        let found = keeps.iter().filter_map(|keep| best_threshold(&predicted, precision, *keep));
        found.reduce(|best, next| if next.0 > best.0 + 1e-9 { next } else { best })
    };
    let none = (0.0, Cut { threshold: 0.5, keep: keeps.first().copied().flatten() });
    best(precision).or_else(|| best(0.0)).unwrap_or(none)
}

/// The threshold with the best F1 among those of at least this precision, half way between two predictions; those the
/// phrases hit count from `keep` if it is given. `predicted` is sorted, the likeliest first.
fn best_threshold(predicted: &[Predicted], precision: f64, keep: Option<f64>) -> Option<(f64, Cut)> {
    let yes = predicted.iter().filter(|p| p.yes).count() as f64;
    let fixed = |p: &Predicted| keep.is_some() && p.rule;
    let kept = predicted.iter().filter(|p| fixed(p) && Some(p.p) >= keep);
    let (mut said, mut hits) = kept.fold((0.0, 0.0), |(n, hits), p| (n + 1.0, hits + f64::from(u8::from(p.yes))));
    let mut best: Option<(f64, f64)> = None;
    let mut consider = |said: f64, hits: f64, threshold: f64| {
        let f1 = 2.0 * hits / (said + yes);
        if f1 > best.map_or(0.0, |b| b.0) && hits >= precision * said {
            best = Some((f1, threshold));
        }
    };
    let mut free = predicted.iter().filter(|p| !fixed(p)).peekable();
    if keep.is_some() {
        consider(said, hits, 0.99);
    }
    while let Some(p) = free.next() {
        (said, hits) = (said + 1.0, hits + f64::from(u8::from(p.yes)));
        let next = free.peek().map_or(0.0, |q| q.p);
        if next < p.p {
            consider(said, hits, ((p.p + next) / 2.0).clamp(0.01, 0.99));
        }
    }
    best.map(|(f1, threshold)| (f1, Cut { threshold, keep }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn predicted(all: &[(f64, bool, bool)]) -> Vec<Predicted> {
        all.iter().map(|(p, yes, rule)| Predicted { p: *p, yes: *yes, rule: *rule }).collect()
    }

    #[test]
    fn the_best_threshold_by_hand() {
        // Yes at 0.9, 0.8, 0.3; no at 0.6, 0.1. Down to 0.8: P 1, R 2/3, F1 0.8; down to 0.3: P 3/4, R 1, F1 6/7.
        let all = [(0.1, false), (0.3, true), (0.9, true), (0.6, false), (0.8, true)].map(|(p, yes)| (p, yes, false));
        let cut = |all: &[(f64, bool, bool)], precision| best_cut(predicted(all), precision, Keep::Same);
        let (f1, Cut { threshold, keep }) = cut(&all, 0.0);
        assert!((f1 - 6.0 / 7.0).abs() < 1e-12 && (threshold - 0.2).abs() < 1e-12 && keep.is_none());
        // With a precision of 0.9 only the first two will do; where none will, the best F1 it is.
        let (f1, Cut { threshold, .. }) = cut(&all, 0.9);
        assert!((f1 - 0.8).abs() < 1e-12 && (threshold - 0.7).abs() < 1e-12);
        assert_eq!(cut(&[(0.9, false, false), (0.4, true, false)], 0.9).1.threshold, 0.2);
        assert_eq!(cut(&[(0.4, false, false)], 0.0), (0.0, Cut { threshold: 0.5, keep: None }));
    }

    #[test]
    fn average_precision_by_hand() {
        // Yes at places 1 and 4: (1/1 + 2/4) / 2.
        let all = [(0.9, true), (0.8, false), (0.7, false), (0.6, true)].map(|(p, yes)| (p, yes, false));
        assert!((average_precision(&predicted(&all)) - 0.75).abs() < 1e-12);
        assert_eq!(average_precision(&predicted(&[(0.5, false, false)])), 0.0);
    }

    #[test]
    fn phrases_have_a_threshold_of_their_own() {
        // Among those the phrases hit, yes at 0.5 and 0.2, no at 0.1; among the others, yes at 0.9, no at 0.6 and 0.3.
        let all = [
            (0.5, true, true),
            (0.2, true, true),
            (0.1, false, true),
            (0.9, true, false),
            (0.6, false, false),
            (0.3, false, false),
        ];
        let cut = |keep| best_cut(predicted(&all), 0.0, keep);
        let (f1, Cut { threshold, keep }) = cut(Keep::Chosen);
        assert_eq!((f1, threshold), (1.0, 0.75));
        assert!(keep.is_some_and(|k| (k - 0.15).abs() < 1e-12), "{keep:?}");
        // One threshold for both has to take 0.6 and 0.3 along; phrases that always count bring one false alarm.
        assert_eq!(cut(Keep::Same).0, 2.0 * 3.0 / (5.0 + 3.0));
        assert_eq!(cut(Keep::At(0.0)), (2.0 * 3.0 / (4.0 + 3.0), Cut { threshold: 0.75, keep: Some(0.0) }));
        // Where the model adds nothing, it is silenced.
        let phrases = [(0.5, true, true), (0.4, false, false)];
        assert_eq!(best_cut(predicted(&phrases), 0.0, Keep::At(0.0)).1.threshold, 0.99);
    }
}
