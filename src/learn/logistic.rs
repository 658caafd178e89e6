//! Logistic regression with a ridge penalty on sparse rows.
//!
//! Minimises `−Σ log-likelihood + ½ λ n |β|²` over columns scaled as [`Design::scales`] says, by iteratively reweighted
//! least squares (McCullagh & Nelder 1989, *Generalized Linear Models*, §2.5; Le Cessie & van Houwelingen 1992, *Ridge
//! estimators in logistic regression*, Applied Statistics 41), each step a weighted ridge solved by [`ridge`].

use super::design::{Design, Linear};
use super::ridge;

const MOST_STEPS: usize = 25;
const TOLERANCE: f64 = 1e-10;
const MOST_HALVINGS: usize = 30;
const LEAST_WORKING_WEIGHT: f64 = 1e-6;

/// The probability of log-odds.
pub fn probability(odds: f64) -> f64 {
    1.0 / (1.0 + (-odds).exp())
}

/// Fits several penalties to the same rows, each starting from the one before. `penalties` are per row.
pub fn path(design: &Design, rows: &[usize], truth: &[bool], penalties: &[f64]) -> Vec<Linear> {
    let flat = vec![1.0; design.rows()];
    let (_, factors) = design.scales(rows, &flat);
    let yes = rows.iter().filter(|r| truth[**r]).count() as f64;
    // Half a case on either side keeps the odds finite when all answers are the same.
    let start = ((yes + 0.5) / (rows.len() as f64 - yes + 0.5)).ln();
    let mut fit = Linear { intercept: start, weights: vec![0.0; design.columns().len()] };
    let mut beta = vec![0.0; design.columns().len()];
    let (mut weights, mut response) = (vec![0.0; design.rows()], vec![0.0; design.rows()]);
    let mut one = |penalty: &f64| {
        let penalty = penalty * rows.len() as f64;
        let cost = |fit: &Linear| cost(design, rows, truth, &factors, penalty, fit);
        let mut now = cost(&fit);
        for _ in 0..MOST_STEPS {
            for &row in rows {
                let odds = fit.predict(design, row);
                let p = probability(odds);
                weights[row] = (p * (1.0 - p)).max(LEAST_WORKING_WEIGHT);
                response[row] = odds + (f64::from(u8::from(truth[row])) - p) / weights[row];
            }
            let mut next = ridge::step(design, rows, &response, &weights, &factors, penalty, &mut beta);
            let mut then = cost(&next);
            // A full step can overshoot where answers are nearly certain: go half way until it improves.
            for _ in 0..MOST_HALVINGS {
                if then <= now {
                    break;
                }
                next = half_way(&fit, &next);
                then = cost(&next);
            }
            if then > now {
                break;
            }
            let gain = now - then;
            (fit, now) = (next, then);
            // The next step starts from what was taken of this one.
            let scaled = fit.weights.iter().zip(&factors).map(|(w, f)| if *f > 0.0 { w / f } else { 0.0 });
            beta.iter_mut().zip(scaled).for_each(|(b, w)| *b = w);
            if gain <= TOLERANCE * now.abs().max(1.0) {
                break;
            }
        }
        fit.clone()
    };
    penalties.iter().map(&mut one).collect()
}

/// What is minimised.
fn cost(design: &Design, rows: &[usize], truth: &[bool], factors: &[f64], penalty: f64, fit: &Linear) -> f64 {
    let surprise = |row: &usize| {
        let odds = fit.predict(design, *row);
        let against = if truth[*row] { -odds } else { odds };
        // ln(1 + e^x) without overflow.
        against.max(0.0) + (-against.abs()).exp().ln_1p()
    };
    let scaled = fit.weights.iter().zip(factors).filter(|(_, f)| **f > 0.0).map(|(w, f)| (w / f).powi(2));
    rows.iter().map(surprise).sum::<f64>() + 0.5 * penalty * scaled.sum::<f64>()
}

fn half_way(from: &Linear, to: &Linear) -> Linear {
    let weights = from.weights.iter().zip(&to.weights).map(|(a, b)| (a + b) / 2.0).collect();
    Linear { intercept: (from.intercept + to.intercept) / 2.0, weights }
}

#[cfg(test)]
mod tests {
    use super::super::design::Column;
    use super::*;

    fn two_by_two() -> (Design, Vec<bool>) {
        // 30 with the event, 24 of them yes; 50 without, 10 of them yes.
        let mut design = Design::new(vec![Column::Event]);
        let mut truth = Vec::new();
        for (event, yes, n) in [(1.0, true, 24), (1.0, false, 6), (0.0, true, 10), (0.0, false, 40)] {
            (0..n).for_each(|_| {
                design.push([(0, event)]);
                truth.push(yes);
            });
        }
        (design, truth)
    }

    #[test]
    fn without_a_penalty_it_is_the_log_odds_ratio() {
        let (design, truth) = two_by_two();
        let rows: Vec<usize> = (0..80).collect();
        let fit = &path(&design, &rows, &truth, &[1e-9])[0];
        // ln(10/40) = −1.3863; ln(24/6) − ln(10/40) = 2.7726.
        assert!((fit.intercept + 1.386_294).abs() < 1e-4, "{fit:?}");
        assert!((fit.weights[0] - 2.772_589).abs() < 1e-4, "{fit:?}");
    }

    #[test]
    fn the_gradient_is_zero_where_it_stops() {
        let (design, truth) = two_by_two();
        let rows: Vec<usize> = (0..80).collect();
        let penalty = 0.01;
        let fit = &path(&design, &rows, &truth, &[0.5, penalty])[1];
        let (mut bias, mut slope) = (0.0, 0.0);
        for &row in &rows {
            let error = f64::from(u8::from(truth[row])) - probability(fit.predict(&design, row));
            bias += error;
            slope += error * design.row(row).first().map_or(0.0, |e| f64::from(e.1));
        }
        // In the scaled column: factor · slope = λ n · (weight / factor).
        let factor = super::super::design::EVENT_SCALE;
        let (_, factors) = design.scales(&rows, &[1.0; 80]);
        assert_eq!(factors, [factor]);
        assert!(bias.abs() < 1e-3, "{bias}");
        assert!((factor * slope - penalty * 80.0 * fit.weights[0] / factor).abs() < 1e-3, "{slope} {fit:?}");
    }

    #[test]
    fn steps_that_overshoot_are_shortened() {
        // A column that all but decides the answer, and a few cases it gets wrong: full steps diverge from here.
        let mut design = Design::new(vec![Column::Marker, Column::Event]);
        let mut truth = Vec::new();
        for n in 0..400u32 {
            let (marker, yes) = (n % 16 == 0, n % 16 == 0 && n % 160 != 0 || n % 133 == 1);
            design.push([(0, f64::from(u8::from(marker))), (1, f64::from(u8::from(n % 3 == 0)))]);
            truth.push(yes);
        }
        let rows: Vec<usize> = (0..400).collect();
        let (_, factors) = design.scales(&rows, &[1.0; 400]);
        let fits = path(&design, &rows, &truth, &[0.1, 0.001, 1e-5]);
        for (fit, penalty) in fits.iter().zip([0.1, 0.001, 1e-5]) {
            assert!(fit.intercept.is_finite() && fit.intercept < 0.0 && fit.weights[0] > 0.0, "{fit:?}");
            let best = cost(&design, &rows, &truth, &factors, penalty * 400.0, fit);
            for (column, by) in [(0, 0.02), (0, -0.02), (1, 0.02), (1, -0.02)] {
                let mut other = fit.clone();
                other.weights[column] += by;
                assert!(
                    cost(&design, &rows, &truth, &factors, penalty * 400.0, &other) >= best,
                    "{column} {by} {fit:?}"
                );
            }
        }
    }

    #[test]
    fn one_sided_answers_stay_finite() {
        let (design, _) = two_by_two();
        let rows: Vec<usize> = (0..80).collect();
        let fit = &path(&design, &rows, &[true; 80], &[0.1])[0];
        assert!(fit.intercept.is_finite() && fit.intercept > 2.0, "{fit:?}");
    }
}
