//! Short statistical functions, each with its source and checked against published values.

/// z for a two-sided 95 % interval.
pub const Z95: f64 = 1.959_963_984_540_054;

/// Wilson's score interval for a proportion: `(low, high)` at 95 %.
///
/// Wilson, E. B. (1927), *Probable inference, the law of succession, and statistical inference*, JASA 22, 209–212.
///
/// ```
/// // 81 of 263 (Newcombe 1998, Table I, method 3): 0.2553 to 0.3662.
/// let (low, high) = zhijian::score::statistics::wilson(81, 263).unwrap();
/// assert!((low - 0.2553).abs() < 5e-5 && (high - 0.3662).abs() < 5e-5);
/// ```
pub fn wilson(successes: u64, trials: u64) -> Option<(f64, f64)> {
    if trials == 0 {
        return None;
    }
    let n = trials as f64;
    let p = successes as f64 / n;
    let z2 = Z95 * Z95;
    let centre = p + z2 / (2.0 * n);
    let half = Z95 * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z2 / n;
    Some((((centre - half) / scale).max(0.0), ((centre + half) / scale).min(1.0)))
}

/// Mean with a 95 % interval from a count, a sum and a sum of squares (Student's t).
///
/// `None` without observations; the interval is `None` with a single one.
///
/// ```
/// // Ten values 1..=10: mean 5.5, s = 3.0277, t(9) = 2.2622 -> 5.5 ± 2.166.
/// let (mean, interval) = zhijian::score::statistics::mean_interval(10, 55.0, 385.0).unwrap();
/// let (low, high) = interval.unwrap();
/// assert_eq!(mean, 5.5);
/// assert!((low - 3.334).abs() < 1e-3 && (high - 7.666).abs() < 1e-3);
/// ```
pub fn mean_interval(n: u64, sum: f64, squares: f64) -> Option<(f64, Option<(f64, f64)>)> {
    if n == 0 {
        return None;
    }
    let count = n as f64;
    let mean = sum / count;
    if n == 1 {
        return Some((mean, None));
    }
    let variance = ((squares - sum * sum / count) / (count - 1.0)).max(0.0);
    let half = t95((n - 1) as f64) * (variance / count).sqrt();
    Some((mean, Some((mean - half, mean + half))))
}

/// The 95 % interval of the difference of two means, `now − before`, each given by count, sum and sum of squares.
///
/// Welch, B. L. (1947), *Biometrika* 34, 28–35, with Satterthwaite's degrees of freedom (1946, *Biometrics Bulletin* 2,
/// 110–114): the spreads need not be equal. `None` with a single case on a side.
///
/// ```
/// // 1, 2, 3, 4, 5 before and 3, 4, 5, 6, 12 now: 3 ± 2.57058 · √3 (5.54 degrees of freedom, rounded down).
/// let (low, high) = zhijian::score::statistics::mean_difference((5, 15.0, 55.0), (5, 30.0, 230.0)).unwrap();
/// assert!((low + 1.4524).abs() < 1e-3 && (high - 7.4524).abs() < 1e-3, "{low} {high}");
/// ```
pub fn mean_difference(before: (u64, f64, f64), now: (u64, f64, f64)) -> Option<(f64, f64)> {
    if before.0 < 2 || now.0 < 2 {
        return None;
    }
    // Mean, squared standard error, degrees of freedom.
    let side = |(n, sum, squares): (u64, f64, f64)| {
        let n = n as f64;
        let variance = ((squares - sum * sum / n) / (n - 1.0)).max(0.0);
        (sum / n, variance / n, n - 1.0)
    };
    let ((mean0, error0, df0), (mean1, error1, df1)) = (side(before), side(now));
    let error = error0 + error1;
    let difference = mean1 - mean0;
    if error <= 0.0 {
        return Some((difference, difference));
    }
    let df = error * error / (error0 * error0 / df0 + error1 * error1 / df1);
    let half = t95(df) * error.sqrt();
    Some((difference - half, difference + half))
}

/// The 95 % interval of the difference of two proportions, `now − before`, each given as count and cases.
///
/// Newcombe, R. G. (1998), *Interval estimation for the difference between independent proportions*, Statistics in
/// Medicine 17, 873–890, method 10 (hybrid score). `None` without cases on a side.
///
/// ```
/// // 48 of 80 before, 56 of 70 now (Newcombe 1998, Table II, row a): 0.0524 to 0.3339.
/// let (low, high) = zhijian::score::statistics::proportion_difference((48, 80), (56, 70)).unwrap();
/// assert!((low - 0.0524).abs() < 5e-5 && (high - 0.3339).abs() < 5e-5);
/// ```
pub fn proportion_difference(before: (u64, u64), now: (u64, u64)) -> Option<(f64, f64)> {
    let (low0, high0) = wilson(before.0, before.1)?;
    let (low1, high1) = wilson(now.0, now.1)?;
    let (p0, p1) = (before.0 as f64 / before.1 as f64, now.0 as f64 / now.1 as f64);
    let difference = p1 - p0;
    let below = ((p1 - low1).powi(2) + (high0 - p0).powi(2)).sqrt();
    let above = ((high1 - p1).powi(2) + (p0 - low0).powi(2)).sqrt();
    Some(((difference - below).max(-1.0), (difference + above).min(1.0)))
}

/// Student's t, two-sided 95 %, by the Cornish–Fisher expansion around the normal quantile
/// (Abramowitz & Stegun 26.7.5); exact values for one to five degrees of freedom, fractions below six rounded down
/// (the wider interval).
fn t95(df: f64) -> f64 {
    match df {
        v if v < 2.0 => 12.706_204_7,
        v if v < 3.0 => 4.302_652_7,
        v if v < 4.0 => 3.182_446_3,
        v if v < 5.0 => 2.776_445_1,
        v if v < 6.0 => 2.570_581_8,
        v => {
            let z = Z95;
            let (z3, z5, z7) = (z.powi(3), z.powi(5), z.powi(7));
            z + (z3 + z) / (4.0 * v)
                + (5.0 * z5 + 16.0 * z3 + 3.0 * z) / (96.0 * v * v)
                + (3.0 * z7 + 19.0 * z5 + 17.0 * z3 - 15.0 * z) / (384.0 * v * v * v)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilson_matches_newcombe_1998() {
        // Newcombe, R. G. (1998), Statistics in Medicine 17, 857–872, Table I, method 3.
        for (x, n, low, high) in
            [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
        {
            let (l, h) = wilson(x, n).unwrap();
            assert!((l - low).abs() < 6e-5 && (h - high).abs() < 6e-5, "{x}/{n}: {l} {h}");
        }
        assert_eq!(wilson(0, 0), None);
    }

    #[test]
    fn t_matches_tables() {
        for (df, t) in [(1.0, 12.706), (5.0, 2.571), (9.0, 2.262), (30.0, 2.042), (120.0, 1.980)] {
            assert!((t95(df) - t).abs() < 2e-3, "{df}: {}", t95(df));
        }
    }

    #[test]
    fn differences_of_proportions_match_newcombe_1998() {
        // Newcombe, R. G. (1998), Statistics in Medicine 17, 873–890, Table II, method 10.
        for (now, before, low, high) in [
            ((56, 70), (48, 80), 0.0524, 0.3339),
            ((9, 10), (3, 10), 0.1705, 0.8090),
            ((5, 56), (0, 29), -0.0381, 0.1926),
            ((0, 10), (0, 20), -0.1611, 0.2775),
            ((10, 10), (0, 10), 0.6075, 1.0),
        ] {
            let (l, h) = proportion_difference(before, now).unwrap();
            assert!((l - low).abs() < 6e-5 && (h - high).abs() < 6e-5, "{now:?} {before:?}: {l} {h}");
        }
        assert_eq!(proportion_difference((0, 0), (1, 2)), None);
    }

    #[test]
    fn differences_of_means_turn_with_the_sides() {
        let (a, b) = ((4, 10.0, 30.0), (9, 45.0, 300.0));
        let ((low, high), (back_low, back_high)) = (mean_difference(a, b).unwrap(), mean_difference(b, a).unwrap());
        assert!((low + back_high).abs() < 1e-12 && (high + back_low).abs() < 1e-12);
        assert_eq!(mean_difference((1, 3.0, 9.0), b), None);
        assert_eq!(mean_difference((2, 4.0, 8.0), (3, 9.0, 27.0)), Some((1.0, 1.0)), "no spread, no doubt");
    }

    #[test]
    fn one_observation_has_no_interval() {
        assert_eq!(mean_interval(1, 80.0, 6400.0), Some((80.0, None)));
        assert_eq!(mean_interval(0, 0.0, 0.0), None);
    }
}
