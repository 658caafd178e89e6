//! How well predictions agree with people: rank correlation, area under the curve, calibration.

/// Ranks from 1; equal values share the mean of theirs.
pub fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut out = vec![0.0; values.len()];
    let mut start = 0;
    while start < order.len() {
        let value = values[order[start]];
        let end = start + order[start..].iter().take_while(|i| values[**i] == value).count();
        let rank = (start + end + 1) as f64 / 2.0;
        order[start..end].iter().for_each(|i| out[*i] = rank);
        start = end;
    }
    out
}

/// Pearson's correlation; `None` for fewer than three pairs or a constant side.
pub fn pearson(x: &[f64], y: &[f64]) -> Option<f64> {
    let n = x.len() as f64;
    if x.len() < 3 {
        return None;
    }
    let (mx, my) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let sum = |f: &dyn Fn(f64, f64) -> f64| x.iter().zip(y).map(|(a, b)| f(a - mx, b - my)).sum::<f64>();
    let (xy, xx, yy) = (sum(&|a, b| a * b), sum(&|a, _| a * a), sum(&|_, b| b * b));
    (xx > 0.0 && yy > 0.0).then(|| xy / (xx * yy).sqrt())
}

/// Spearman's rank correlation, ties by mean ranks. Spearman (1904), *The proof and measurement of association between
/// two things*, Am. J. Psychol. 15.
///
/// ```
/// // IQ against hours of television (the ten pairs of the usual textbook example): −0.17576.
/// let iq = [106., 100., 86., 101., 99., 103., 97., 113., 112., 110.];
/// let tv = [7., 27., 2., 50., 28., 29., 20., 12., 6., 17.];
/// let rho = zhijian::learn::statistics::spearman(&iq, &tv).unwrap();
/// assert!((rho + 29.0 / 165.0).abs() < 1e-12);
/// ```
pub fn spearman(x: &[f64], y: &[f64]) -> Option<f64> {
    pearson(&ranks(x), &ranks(y))
}

/// The probability that a bad case is predicted below a good one (ties count half): the area under the ROC curve as the
/// Mann–Whitney statistic. Hanley & McNeil (1982), *The meaning and use of the area under a ROC curve*, Radiology 143.
///
/// ```
/// // Bad cases at 0.1 and 0.4, good ones at 0.35 and 0.8: three of the four pairs are in order.
/// let auc = zhijian::learn::statistics::auc_below(&[0.1, 0.4, 0.35, 0.8], &[true, true, false, false]).unwrap();
/// assert_eq!(auc, 0.75);
/// ```
pub fn auc_below(predicted: &[f64], bad: &[bool]) -> Option<f64> {
    let ranks = ranks(predicted);
    let bads = bad.iter().filter(|b| **b).count() as f64;
    let goods = bad.len() as f64 - bads;
    if bads == 0.0 || goods == 0.0 {
        return None;
    }
    let sum: f64 = ranks.iter().zip(bad).filter(|(_, b)| **b).map(|(r, _)| r).sum();
    Some(1.0 - (sum - bads * (bads + 1.0) / 2.0) / (bads * goods))
}

/// One band of a calibration table.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Band {
    /// Cases in it.
    pub n: usize,
    /// Mean prediction.
    pub predicted: f64,
    /// Mean of what people said.
    pub actual: f64,
}

/// Cases in `bands` bands of equal size by prediction, lowest first.
pub fn calibration(predicted: &[f64], actual: &[f64], bands: usize) -> Vec<Band> {
    let mut order: Vec<usize> = (0..predicted.len()).collect();
    order.sort_by(|a, b| predicted[*a].total_cmp(&predicted[*b]).then(a.cmp(b)));
    let bands = bands.min(order.len());
    let band = |n: usize| {
        let part = &order[n * order.len() / bands..(n + 1) * order.len() / bands];
        let mean = |of: &[f64]| part.iter().map(|i| of[*i]).sum::<f64>() / part.len() as f64;
        Band { n: part.len(), predicted: mean(predicted), actual: mean(actual) }
    };
    (0..bands).map(band).collect()
}

/// Precision, recall and F1 of yes/no answers; 0 where undefined.
pub fn precision_recall_f1(said: &[bool], truth: &[bool]) -> (f64, f64, f64) {
    let both = said.iter().zip(truth).filter(|(s, t)| **s && **t).count() as f64;
    let part = |whole: usize| if whole == 0 { 0.0 } else { both / whole as f64 };
    let precision = part(said.iter().filter(|s| **s).count());
    let recall = part(truth.iter().filter(|t| **t).count());
    let f1 = if both == 0.0 { 0.0 } else { 2.0 * precision * recall / (precision + recall) };
    (precision, recall, f1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_share_ties() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [3.5, 1.0, 3.5, 2.0]);
        assert!(ranks(&[]).is_empty());
    }

    #[test]
    fn spearman_of_ties_is_pearson_of_ranks() {
        // Mean ranks 1, 2.5, 2.5, 4 against 1, 3, 2, 4: Σxy = 4.5, Σxx = 4.5, Σyy = 5.
        let rho = spearman(&[1.0, 2.0, 2.0, 3.0], &[1.0, 3.0, 2.0, 4.0]).unwrap();
        assert!((rho - 4.5 / (4.5f64 * 5.0).sqrt()).abs() < 1e-12, "{rho}");
        assert_eq!(spearman(&[1.0, 1.0, 1.0], &[1.0, 2.0, 3.0]), None);
    }

    #[test]
    fn auc_of_hanley_and_mcneil() {
        // Hanley & McNeil (1982), Table I: 109 CT images rated 1–5; area 0.893.
        let normal = [33, 6, 6, 11, 2];
        let abnormal = [3, 2, 2, 11, 33];
        let (mut predicted, mut bad) = (Vec::new(), Vec::new());
        for (n, (good, ill)) in normal.iter().zip(abnormal).enumerate() {
            for (count, is_bad) in [(*good, false), (ill, true)] {
                predicted.extend(std::iter::repeat_n(-(n as f64), count));
                bad.extend(std::iter::repeat_n(is_bad, count));
            }
        }
        let auc = auc_below(&predicted, &bad).unwrap();
        assert!((auc - 0.893).abs() < 5e-4, "{auc}");
        assert_eq!(auc_below(&[1.0], &[true]), None);
    }

    #[test]
    fn bands_hold_everything() {
        let bands = calibration(&[0.9, 0.1, 0.5, 0.4, 0.2], &[1.0, 0.0, 0.5, 0.5, 0.0], 2);
        assert_eq!(bands.iter().map(|b| b.n).collect::<Vec<_>>(), [2, 3]);
        assert!((bands[0].predicted - 0.15).abs() < 1e-12 && bands[0].actual == 0.0);
        assert!(calibration(&[], &[], 5).is_empty());
    }

    #[test]
    fn f1_by_hand() {
        let (p, r, f) = precision_recall_f1(&[true, true, false, false], &[true, false, true, true]);
        assert_eq!((p, r), (0.5, 1.0 / 3.0));
        assert!((f - 0.4).abs() < 1e-12);
    }
}
