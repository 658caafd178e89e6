//! How far people (and the machine) agree: raw agreement, Cohen's and Fleiss' kappa, Krippendorff's alpha, each checked
//! against its published example. Labels are small numbers; a missing label is `None`.

use std::collections::BTreeMap;

use crate::score::statistics::Z95;

/// A category.
pub type Label = u8;

/// An estimate with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Estimate {
    /// The value.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Items it rests on.
    pub n: u64,
}

/// Share of pairs with the same label; `None` without pairs.
///
/// ```
/// assert_eq!(zhijian::review::agreement::raw(&[(1, 1), (0, 1), (0, 0), (1, 1)]), Some(0.75));
/// ```
pub fn raw(pairs: &[(Label, Label)]) -> Option<f64> {
    (!pairs.is_empty()).then(|| pairs.iter().filter(|(a, b)| a == b).count() as f64 / pairs.len() as f64)
}

/// Cohen's kappa of two raters with its asymptotic 95 % interval.
///
/// Cohen, J. (1960), *A coefficient of agreement for nominal scales*, Educational and Psychological Measurement 20, 37–46;
/// the standard error of Fleiss, Cohen & Everitt (1969), Psychological Bulletin 72, 323–327. `None` without pairs or when
/// chance alone would agree always (both raters use one and the same label throughout).
///
/// ```
/// // The usual worked table: 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no: 0.7 observed, 0.5 by chance, kappa 0.4.
/// let mut pairs = vec![(1, 1); 20];
/// pairs.extend(vec![(1, 0); 5]);
/// pairs.extend(vec![(0, 1); 10]);
/// pairs.extend(vec![(0, 0); 15]);
/// let kappa = zhijian::review::agreement::cohen(&pairs).unwrap();
/// assert!((kappa.value - 0.4).abs() < 1e-12 && kappa.low < 0.2 && kappa.high > 0.6);
/// ```
pub fn cohen(pairs: &[(Label, Label)]) -> Option<Estimate> {
    let n = pairs.len() as f64;
    let mut cells = BTreeMap::<(Label, Label), f64>::new();
    let (mut rows, mut columns) = (BTreeMap::<Label, f64>::new(), BTreeMap::<Label, f64>::new());
    for (a, b) in pairs {
        *cells.entry((*a, *b)).or_default() += 1.0 / n;
        *rows.entry(*a).or_default() += 1.0 / n;
        *columns.entry(*b).or_default() += 1.0 / n;
    }
    let share = |of: &BTreeMap<Label, f64>, label: Label| of.get(&label).copied().unwrap_or(0.0);
    let observed: f64 = cells.iter().filter(|((a, b), _)| a == b).map(|(_, p)| p).sum();
    let chance: f64 = rows.iter().map(|(label, p)| p * share(&columns, *label)).sum();
    if pairs.is_empty() || 1.0 - chance < 1e-12 {
        return None;
    }
    let kappa = (observed - chance) / (1.0 - chance);
    // Fleiss, Cohen & Everitt (1969), eq. 13.
    let (mut diagonal, mut others) = (0.0, 0.0);
    for ((a, b), p) in &cells {
        if a == b {
            diagonal += p * (1.0 - (share(&rows, *a) + share(&columns, *a)) * (1.0 - kappa)).powi(2);
        } else {
            others += p * (share(&columns, *a) + share(&rows, *b)).powi(2);
        }
    }
    let middle = (kappa - chance * (1.0 - kappa)).powi(2);
    let variance = (diagonal + (1.0 - kappa).powi(2) * others - middle).max(0.0) / (n * (1.0 - chance).powi(2));
    let half = Z95 * variance.sqrt();
    Some(Estimate { value: kappa, low: (kappa - half).max(-1.0), high: (kappa + half).min(1.0), n: pairs.len() as u64 })
}

/// Fleiss' kappa of items that were each labelled by the same number of raters: a row an item, counts by category.
///
/// Fleiss, J. L. (1971), *Measuring nominal scale agreement among many raters*, Psychological Bulletin 76, 378–382.
/// `None` with fewer than two raters, with rows of different sums, or when only one category occurs.
pub fn fleiss(items: &[Vec<u32>]) -> Option<f64> {
    let raters: u32 = items.first()?.iter().sum();
    if raters < 2 || items.iter().any(|row| row.iter().sum::<u32>() != raters) {
        return None;
    }
    let (n, m) = (items.len() as f64, f64::from(raters));
    let within = |row: &Vec<u32>| row.iter().map(|c| f64::from(*c) * f64::from(*c)).sum::<f64>();
    let observed = items.iter().map(|row| (within(row) - m) / (m * (m - 1.0))).sum::<f64>() / n;
    let categories = items.iter().map(Vec::len).max().unwrap_or(0);
    let share = |c: usize| items.iter().map(|row| f64::from(row.get(c).copied().unwrap_or(0))).sum::<f64>() / (n * m);
    let chance: f64 = (0..categories).map(|c| share(c).powi(2)).sum();
    (1.0 - chance > 1e-12).then(|| (observed - chance) / (1.0 - chance))
}

/// Krippendorff's alpha for nominal labels with missing values: a row an item, a place a rater.
///
/// Krippendorff, K. (2011), *Computing Krippendorff's Alpha-Reliability*, section on nominal data with missing values:
/// `1 − (n − 1) Σ_u Σ_{c≠k} n_uc n_uk / (m_u − 1) / Σ_{c≠k} n_c n_k`. `None` when no item has two labels, or all labels
/// are the same.
pub fn krippendorff(items: &[Vec<Option<Label>>]) -> Option<f64> {
    let mut totals = BTreeMap::<Label, f64>::new();
    let (mut pairable, mut apart) = (0.0, 0.0);
    for item in items {
        let mut own = BTreeMap::<Label, f64>::new();
        item.iter().flatten().for_each(|label| *own.entry(*label).or_default() += 1.0);
        let m: f64 = own.values().sum();
        if m < 2.0 {
            continue;
        }
        pairable += m;
        let same: f64 = own.values().map(|c| c * c).sum();
        apart += (m * m - same) / (m - 1.0);
        own.into_iter().for_each(|(label, c)| *totals.entry(label).or_default() += c);
    }
    let expected = pairable * pairable - totals.values().map(|c| c * c).sum::<f64>();
    (expected > 1e-12).then(|| 1.0 - (pairable - 1.0) * apart / expected)
}

/// Resamples for intervals.
const RESAMPLES: usize = 1000;

/// A statistic over items with the 95 % percentile interval of a bootstrap over items (Efron & Tibshirani 1993, ch. 13).
/// The draws are the same in every run. Resamples for which the statistic is undefined are left out.
pub fn with_interval<T: Clone>(items: &[T], statistic: impl Fn(&[T]) -> Option<f64>) -> Option<Estimate> {
    let value = statistic(items)?;
    let mut state = 0x5eed_u64 ^ items.len() as u64;
    let mut values: Vec<f64> = (0..RESAMPLES)
        .filter_map(|_| {
            let drawn: Vec<T> =
                items.iter().map(|_| items[(next(&mut state) % items.len() as u64) as usize].clone()).collect();
            statistic(&drawn)
        })
        .collect();
    values.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let place = ((values.len() as f64 - 1.0) * share).round() as usize;
        values.get(place).copied().unwrap_or(value)
    };
    Some(Estimate { value, low: at(0.025), high: at(0.975), n: items.len() as u64 })
}

/// SplitMix64 (Steele, Lea & Flood 2014).
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Wilson's interval of a weighted share: `weights` with whether each counts, by the effective number of cases
/// `(Σw)² / Σw²` (Kish 1965, *Survey Sampling*, 11.7). With equal weights it is [`crate::score::statistics::wilson`].
///
/// ```
/// use zhijian::review::agreement::weighted_share;
/// let cases: Vec<(f64, bool)> = (0..263).map(|n| (2.5, n < 81)).collect();
/// let share = weighted_share(&cases).unwrap();
/// assert!((share.low - 0.2553).abs() < 5e-5 && (share.high - 0.3662).abs() < 5e-5 && share.n == 263);
/// assert!(weighted_share(&[(1.0, false)]).unwrap().value.is_sign_positive());
/// ```
pub fn weighted_share(cases: &[(f64, bool)]) -> Option<Estimate> {
    let total: f64 = cases.iter().map(|c| c.0).sum();
    if total <= 0.0 {
        return None;
    }
    let n = total * total / cases.iter().map(|c| c.0 * c.0).sum::<f64>();
    // A sum of nothing is −0.
    let p = (0.0 + cases.iter().filter(|c| c.1).map(|c| c.0).sum::<f64>()) / total;
    let z2 = Z95 * Z95;
    let centre = p + z2 / (2.0 * n);
    let half = Z95 * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).max(0.0).sqrt();
    let scale = 1.0 + z2 / n;
    Some(Estimate {
        value: p,
        low: ((centre - half) / scale).max(0.0),
        high: ((centre + half) / scale).min(1.0),
        n: cases.len() as u64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fleiss_of_ten_subjects_and_fourteen_raters() {
        // The worked example usually shown with Fleiss (1971): 10 subjects, 14 raters, 5 categories: 0.210.
        let table = [
            [0, 0, 0, 0, 14],
            [0, 2, 6, 4, 2],
            [0, 0, 3, 5, 6],
            [0, 3, 9, 2, 0],
            [2, 2, 8, 1, 1],
            [7, 7, 0, 0, 0],
            [3, 2, 6, 3, 0],
            [2, 5, 3, 2, 2],
            [6, 5, 2, 1, 0],
            [0, 2, 2, 3, 7],
        ];
        let items: Vec<Vec<u32>> = table.iter().map(|row| row.to_vec()).collect();
        assert!((fleiss(&items).unwrap() - 0.210).abs() < 5e-4);
        assert_eq!(fleiss(&[vec![2, 0], vec![1, 0]]), None, "not the same number of raters");
        assert_eq!(fleiss(&[vec![2, 0], vec![2, 0]]), None, "one category only");
    }

    /// Rows of raters as items; 0 is a missing label.
    fn items(raters: &[&[u8]]) -> Vec<Vec<Option<Label>>> {
        let label = |l: u8| (l != 0).then_some(l);
        (0..raters[0].len()).map(|unit| raters.iter().map(|r| label(r[unit])).collect()).collect()
    }

    #[test]
    fn krippendorff_2011() {
        // Section C, four observers, twelve units, missing values: 0.743.
        let four = items(&[
            &[1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
            &[1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
            &[0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
            &[1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
        ]);
        assert!((krippendorff(&four).unwrap() - 0.743).abs() < 5e-4);
        // Section A, two observers, binary data: 0.095 (labels 0 and 1 written 1 and 2).
        let two = items(&[&[1, 2, 1, 1, 1, 1, 1, 1, 2, 1], &[2, 2, 2, 1, 1, 2, 1, 1, 1, 1]]);
        assert!((krippendorff(&two).unwrap() - 0.095).abs() < 5e-4);
        // Section B, two observers, nominal data with five values: 0.692.
        let five = items(&[&[1, 1, 2, 4, 2, 3, 3, 3, 5, 4, 4, 1], &[2, 1, 2, 2, 2, 3, 3, 3, 5, 4, 4, 4]]);
        assert!((krippendorff(&five).unwrap() - 0.692).abs() < 5e-4);
        let interval = with_interval(&four, krippendorff).unwrap();
        assert!(interval.low < interval.value && interval.value < interval.high && interval.high <= 1.0);
        assert_eq!(Some(interval), with_interval(&four, krippendorff), "the same in every run");
    }

    #[test]
    fn cohen_1960_table_1() {
        // Two judges, three categories, shares of 200 cases: observed 0.56... the table of Cohen (1960, p. 37) as counts:
        // (88, 14, 18 / 10, 40, 10 / 2, 6, 12): observed 0.70, by chance 0.41, kappa 0.492.
        let table = [[88, 14, 18], [10, 40, 10], [2, 6, 12]];
        let mut pairs = Vec::new();
        for (a, row) in table.iter().enumerate() {
            for (b, n) in row.iter().enumerate() {
                pairs.extend(vec![(a as u8, b as u8); *n]);
            }
        }
        let kappa = cohen(&pairs).unwrap();
        assert!((kappa.value - 0.4915).abs() < 5e-4 && (raw(&pairs).unwrap() - 0.70).abs() < 1e-12);
        assert!(kappa.low > 0.38 && kappa.high < 0.60, "{kappa:?}");
        assert_eq!(cohen(&[(1, 1), (1, 1)]), None, "chance alone agrees always");
    }

    proptest! {
        #[test]
        fn agreement_is_at_most_one_and_does_not_care_for_order(
            pairs in proptest::collection::vec((0u8..3, 0u8..3), 1..40)
        ) {
            let turned: Vec<_> = pairs.iter().rev().map(|(a, b)| (*b, *a)).collect();
            let (one, two) = (cohen(&pairs), cohen(&turned));
            prop_assert_eq!(one.is_some(), two.is_some());
            if let (Some(one), Some(two)) = (one, two) {
                prop_assert!(one.value <= 1.0 + 1e-12 && (one.value - two.value).abs() < 1e-9);
            }
            let rows: Vec<_> = pairs.iter().map(|(a, b)| vec![Some(*a), Some(*b)]).collect();
            if let Some(alpha) = krippendorff(&rows) {
                prop_assert!(alpha <= 1.0 + 1e-12);
            }
        }
    }
}
