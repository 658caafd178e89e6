//! The examples as a sparse matrix: a row an example, a column a feature or a word.

/// What a column holds, which decides how it is scaled before weights are fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// A number of its own scale: divided by its standard deviation.
    Number,
    /// A rare event, 0 or 1: multiplied by a constant. Dividing by the deviation would blow up what was seen only a few
    /// times.
    Event,
    /// An event that tells the more the rarer it is, such as a pair of characters: multiplied by the logarithm of how
    /// many rows there are to one that has it (Sparck Jones 1972, *A statistical interpretation of term specificity*).
    Rare,
    /// An event that stands for much on its own, such as a marker people wrote: cheaper to give weight to.
    Marker,
}

/// How much an event counts against a number of one standard deviation.
pub const EVENT_SCALE: f64 = 2.0;

/// How much a marker counts.
const MARKER_SCALE: f64 = 6.0;

/// A sparse matrix, row by row.
#[derive(Debug, Clone, Default)]
pub struct Design {
    columns: Vec<Column>,
    starts: Vec<usize>,
    entries: Vec<(u32, f32)>,
}

impl Design {
    /// An empty matrix with these columns.
    pub fn new(columns: Vec<Column>) -> Design {
        Design { columns, starts: vec![0], entries: Vec::new() }
    }

    /// Appends a row: column and value, each column once; zeros are left out.
    pub fn push(&mut self, row: impl IntoIterator<Item = (u32, f64)>) {
        self.entries.extend(row.into_iter().filter(|e| e.1 != 0.0).map(|(c, v)| (c, v as f32)));
        self.starts.push(self.entries.len());
    }

    /// The entries of a row that are not zero.
    pub fn row(&self, row: usize) -> &[(u32, f32)] {
        &self.entries[self.starts[row]..self.starts[row + 1]]
    }

    /// The same rows with only these columns; the others hold nothing.
    pub fn only(&self, kept: &[bool]) -> Design {
        let mut design = Design::new(self.columns.clone());
        for row in 0..self.rows() {
            design.entries.extend(self.row(row).iter().filter(|e| kept[e.0 as usize]));
            design.starts.push(design.entries.len());
        }
        design
    }

    /// In how many of these rows each column holds something.
    pub fn counts(&self, rows: &[usize]) -> Vec<usize> {
        let mut counts = vec![0; self.columns.len()];
        rows.iter().flat_map(|r| self.row(*r)).for_each(|e| counts[e.0 as usize] += 1);
        counts
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.starts.len() - 1
    }

    /// The columns.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// A row times weights.
    pub fn dot(&self, row: usize, weights: &[f64]) -> f64 {
        self.row(row).iter().map(|(c, v)| f64::from(*v) * weights[*c as usize]).sum()
    }

    /// Weighted means of the columns over some rows, and the factor each column is multiplied with.
    pub fn scales(&self, rows: &[usize], weights: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let total: f64 = rows.iter().map(|r| weights[*r]).sum();
        let (mut means, mut squares) = (vec![0.0; self.columns.len()], vec![0.0; self.columns.len()]);
        for &row in rows {
            for (column, value) in self.row(row) {
                let value = f64::from(*value);
                means[*column as usize] += weights[row] * value;
                squares[*column as usize] += weights[row] * value * value;
            }
        }
        let mut factors = vec![0.0; self.columns.len()];
        for (n, kind) in self.columns.iter().enumerate() {
            means[n] /= total;
            let variance = squares[n] / total - means[n] * means[n];
            factors[n] = match kind {
                _ if variance <= 1e-12 => 0.0,
                Column::Number => 1.0 / variance.sqrt(),
                Column::Event => EVENT_SCALE,
                Column::Rare => -means[n].ln(),
                Column::Marker => MARKER_SCALE,
            };
        }
        (means, factors)
    }
}

/// A linear prediction on the columns' own scales.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Linear {
    /// The prediction where every column is zero.
    pub intercept: f64,
    /// A weight a column.
    pub weights: Vec<f64>,
}

impl Linear {
    /// The prediction for a row.
    pub fn predict(&self, design: &Design, row: usize) -> f64 {
        self.intercept + design.dot(row, &self.weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_events_weigh_more_and_columns_can_be_left_out() {
        let mut design = Design::new(vec![Column::Rare, Column::Rare, Column::Event]);
        (0..8).for_each(|n| design.push([(0, 1.0), (1, f64::from(u8::from(n == 0))), (2, f64::from(u8::from(n < 4)))]));
        let rows: Vec<usize> = (0..8).collect();
        // In every row: tells nothing. In one of eight: ln 8.
        let (_, factors) = design.scales(&rows, &[1.0; 8]);
        assert_eq!((factors[0], factors[2]), (0.0, EVENT_SCALE));
        assert!((factors[1] - 8f64.ln()).abs() < 1e-12);
        assert_eq!(design.counts(&rows[..2]), [2, 1, 2]);
        let left = design.only(&[false, true, true]);
        assert_eq!((left.row(0), left.row(7), left.rows()), (&[(1, 1.0), (2, 1.0)][..], &[][..], 8));
    }
}
