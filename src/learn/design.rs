//! The examples as a sparse matrix: a row an example, a column a feature or a word.

/// What a column holds, which decides how it is scaled before weights are fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// A number of its own scale: divided by its standard deviation.
    Number,
    /// A rare event, 0 or 1: multiplied by a constant. Dividing by the deviation would blow up what was seen only a few
    /// times.
    Event,
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
