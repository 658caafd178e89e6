//! Ridge regression on sparse rows by conjugate gradients.
//!
//! Minimises `Σ wᵢ (yᵢ − b − xᵢ·β)² + λ Σwᵢ |β|²` over columns centred and scaled as [`Design::scales`] says; `b` is not
//! penalised. Hoerl & Kennard (1970), *Ridge regression*, Technometrics 12; the normal equations are solved by the
//! method of Hestenes & Stiefel (1952), J. Res. NBS 49, in the CGLS form of Björck (1996), *Numerical Methods for Least
//! Squares Problems*, §7.4. The matrix stays sparse: centring is carried along as one extra product. No crate at hand
//! solves a sparse centred ridge without a dense copy of the matrix.

use super::design::{Design, Linear};

const MOST_ROUNDS: usize = 400;
const TOLERANCE: f64 = 1e-7;

/// Fits several penalties to the same rows, each starting from the one before. `penalties` are per unit of weight.
pub fn path(design: &Design, rows: &[usize], y: &[f64], weights: &[f64], penalties: &[f64]) -> Vec<Linear> {
    let (_, factors) = design.scales(rows, weights);
    let total: f64 = rows.iter().map(|r| weights[*r]).sum();
    let mut beta = vec![0.0; factors.len()];
    let fit = |penalty: &f64| step(design, rows, y, weights, &factors, penalty * total, &mut beta);
    penalties.iter().map(fit).collect()
}

/// One weighted fit with the columns scaled by `factors`, whatever the weights; `penalty` in all. `beta` is where to
/// start, in scaled columns, and is left at the solution.
pub fn step(
    design: &Design,
    rows: &[usize],
    y: &[f64],
    weights: &[f64],
    factors: &[f64],
    penalty: f64,
    beta: &mut [f64],
) -> Linear {
    let (means, _) = design.scales(rows, weights);
    let total: f64 = rows.iter().map(|r| weights[*r]).sum();
    let mean_y = rows.iter().map(|r| weights[*r] * y[*r]).sum::<f64>() / total;
    let system = System { design, rows, weights, means: &means, factors };
    let residuals: Vec<f64> = rows.iter().map(|r| y[*r] - mean_y).collect();
    system.solve(penalty, &system.transposed(&residuals), beta);
    let weights: Vec<f64> = beta.iter().zip(factors).map(|(b, f)| b * f).collect();
    let intercept = mean_y - weights.iter().zip(&means).map(|(w, m)| w * m).sum::<f64>();
    Linear { intercept, weights }
}

/// The scaled, centred rows.
struct System<'s> {
    design: &'s Design,
    rows: &'s [usize],
    weights: &'s [f64],
    means: &'s [f64],
    factors: &'s [f64],
}

impl System<'_> {
    /// Rows times a vector of the scaled columns.
    fn times(&self, vector: &[f64]) -> Vec<f64> {
        let scaled: Vec<f64> = vector.iter().zip(self.factors).map(|(v, f)| v * f).collect();
        let centre: f64 = scaled.iter().zip(self.means).map(|(v, m)| v * m).sum();
        self.rows.iter().map(|r| self.design.dot(*r, &scaled) - centre).collect()
    }

    /// The transposed rows times a vector, weighted.
    fn transposed(&self, vector: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; self.means.len()];
        let mut sum = 0.0;
        for (row, value) in self.rows.iter().zip(vector) {
            let value = value * self.weights[*row];
            sum += value;
            for (column, entry) in self.design.row(*row) {
                out[*column as usize] += value * f64::from(*entry);
            }
        }
        for (n, slot) in out.iter_mut().enumerate() {
            *slot = (*slot - sum * self.means[n]) * self.factors[n];
        }
        out
    }

    /// Solves `(XᵀWX + penalty) beta = right`, starting from `beta`.
    fn solve(&self, penalty: f64, right: &[f64], beta: &mut [f64]) {
        let apply = |v: &[f64]| {
            let mut out = self.transposed(&self.times(v));
            out.iter_mut().zip(v).for_each(|(o, v)| *o += penalty * v);
            out
        };
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let mut residual: Vec<f64> = right.iter().zip(apply(beta)).map(|(r, a)| r - a).collect();
        let mut direction = residual.clone();
        let mut size = dot(&residual, &residual);
        let enough = TOLERANCE * TOLERANCE * dot(right, right).max(f64::MIN_POSITIVE);
        for _ in 0..MOST_ROUNDS {
            if size <= enough {
                break;
            }
            let image = apply(&direction);
            let step = size / dot(&direction, &image);
            beta.iter_mut().zip(&direction).for_each(|(b, d)| *b += step * d);
            residual.iter_mut().zip(&image).for_each(|(r, i)| *r -= step * i);
            let next = dot(&residual, &residual);
            let turn = next / size;
            direction.iter_mut().zip(&residual).for_each(|(d, r)| *d = r + turn * *d);
            size = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::design::Column;
    use super::*;

    /// Solves a small dense system by Gaussian elimination: the closed form to compare with.
    fn solve_dense(mut a: Vec<Vec<f64>>, mut b: Vec<f64>) -> Vec<f64> {
        let n = b.len();
        for i in 0..n {
            let pivot = (i..n).max_by(|x, y| a[*x][i].abs().total_cmp(&a[*y][i].abs())).unwrap();
            a.swap(i, pivot);
            b.swap(i, pivot);
            for j in i + 1..n {
                let f = a[j][i] / a[i][i];
                let row = a[i].clone();
                a[j].iter_mut().zip(&row).for_each(|(x, y)| *x -= f * y);
                b[j] -= f * b[i];
            }
        }
        for i in (0..n).rev() {
            let known: f64 = (i + 1..n).map(|j| a[i][j] * b[j]).sum();
            b[i] = (b[i] - known) / a[i][i];
        }
        b
    }

    #[test]
    fn one_column_by_hand() {
        // x = −1, 0, 1 and y = 0, 1, 2: Σxy = 2; sd = √(2/3); with λΣw = 3·1: β·sd⁻¹ = (2/sd) / (3 + 3) / sd = 0.5.
        let mut design = Design::new(vec![Column::Number]);
        [-1.0, 0.0, 1.0].iter().for_each(|x| design.push([(0, *x)]));
        let fit = &path(&design, &[0, 1, 2], &[0.0, 1.0, 2.0], &[1.0; 3], &[1.0])[0];
        assert!((fit.weights[0] - 0.5).abs() < 1e-9 && (fit.intercept - 1.0).abs() < 1e-9, "{fit:?}");
    }

    #[test]
    fn equals_the_closed_form() {
        let mut state = 7u64;
        let mut random = move || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) as f64 / (1u64 << 31) as f64
        };
        let columns = [[Column::Number; 5], [Column::Event; 5]].concat();
        let mut design = Design::new(columns);
        let (mut y, mut weights) = (Vec::new(), Vec::new());
        for _ in 0..60 {
            let row: Vec<(u32, f64)> = (0..10)
                .map(|c| (c, if c < 5 { random() * 3.0 } else { f64::from(u8::from(random() < 0.3)) }))
                .collect();
            y.push(random() + row[0].1 - row[6].1);
            weights.push(0.5 + random());
            design.push(row);
        }
        let rows: Vec<usize> = (0..60).filter(|r| r % 7 != 0).collect();
        let fits = path(&design, &rows, &y, &weights, &[3.0, 0.2]);
        let (means, factors) = design.scales(&rows, &weights);
        let total: f64 = rows.iter().map(|r| weights[*r]).sum();
        let mean_y = rows.iter().map(|r| weights[*r] * y[*r]).sum::<f64>() / total;
        let scaled = |row: usize| {
            let mut x = [0.0; 10];
            design.row(row).iter().for_each(|(c, v)| x[*c as usize] = f64::from(*v));
            (0..10).map(|c| (x[c] - means[c]) * factors[c]).collect::<Vec<f64>>()
        };
        for (fit, penalty) in fits.iter().zip([3.0, 0.2]) {
            let mut a = vec![vec![0.0; 10]; 10];
            let mut b = vec![0.0; 10];
            for &row in &rows {
                let x = scaled(row);
                for i in 0..10 {
                    b[i] += weights[row] * x[i] * (y[row] - mean_y);
                    for j in 0..10 {
                        a[i][j] += weights[row] * x[i] * x[j];
                    }
                }
            }
            (0..10).for_each(|i| a[i][i] += penalty * total);
            let exact = solve_dense(a, b);
            for c in 0..10 {
                assert!((fit.weights[c] - exact[c] * factors[c]).abs() < 1e-5, "{c}: {} {}", fit.weights[c], exact[c]);
            }
        }
    }

    #[test]
    fn a_constant_column_has_no_weight() {
        let mut design = Design::new(vec![Column::Number, Column::Number]);
        [0.0, 1.0, 2.0].iter().for_each(|x| design.push([(0, *x), (1, 4.0)]));
        let fit = &path(&design, &[0, 1, 2], &[0.0, 1.0, 2.0], &[1.0; 3], &[0.001])[0];
        assert_eq!(fit.weights[1], 0.0);
        assert!((fit.predict(&design, 2) - 2.0).abs() < 0.01);
    }
}
