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
    let half = t95(n - 1) * (variance / count).sqrt();
    Some((mean, Some((mean - half, mean + half))))
}

/// Student's t, two-sided 95 %, by the Cornish–Fisher expansion around the normal quantile
/// (Abramowitz & Stegun 26.7.5), exact values for one to five degrees of freedom.
fn t95(df: u64) -> f64 {
    match df {
        1 => 12.706_204_7,
        2 => 4.302_652_7,
        3 => 3.182_446_3,
        4 => 2.776_445_1,
        5 => 2.570_581_8,
        _ => {
            let (z, v) = (Z95, df as f64);
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
        for (df, t) in [(1, 12.706), (5, 2.571), (9, 2.262), (30, 2.042), (120, 1.980)] {
            assert!((t95(df) - t).abs() < 2e-3, "{df}: {}", t95(df));
        }
    }

    #[test]
    fn one_observation_has_no_interval() {
        assert_eq!(mean_interval(1, 80.0, 6400.0), Some((80.0, None)));
        assert_eq!(mean_interval(0, 0.0, 0.0), None);
    }
}
