//! A cell being counted into. Every conversation adds some fifteen measures to each of its cells, each to a histogram of
//! its own; written down first and sorted in by the hundred they cost a fraction.

use crate::metrics::{METRICS, Measures};
use crate::score::histogram::{Histogram, bin_of};
use crate::score::service::Cell;

/// Measures written down before they are sorted in.
const MOST: usize = 512;
/// Bits of a measure's number in what is written down; the rest is the bin.
const NUMBER_BITS: u32 = 5;
const _: () = assert!(METRICS.len() <= 1 << NUMBER_BITS);

/// A cell with measures waiting to be sorted into its histograms.
#[derive(Debug, Default)]
pub struct CellTally {
    cell: Cell,
    /// Sum of what waits, by measure.
    sums: [i64; METRICS.len()],
    /// Measure and bin of what waits.
    waiting: Vec<u32>,
}

impl CellTally {
    /// What is not a distribution, to count at once.
    pub fn counts(&mut self) -> &mut Cell {
        &mut self.cell
    }

    /// Counts the measures.
    pub fn measure(&mut self, measures: &Measures) {
        for ((number, (metric, _, _, unit)), sum) in (0..).zip(METRICS).zip(&mut self.sums) {
            let Some(value) = measures.get(*metric) else { continue };
            let bin = bin_of(value, *unit);
            if bin < 1 << (u32::BITS - NUMBER_BITS) {
                *sum += value;
                self.waiting.push(number << (u32::BITS - NUMBER_BITS) | bin);
            } else {
                // Fifteen thousand years, a thousand million messages.
                self.cell.measures.resize(METRICS.len(), Histogram::default());
                self.cell.measures[number as usize].add(value, *unit);
            }
        }
        if self.waiting.len() >= MOST {
            self.sort_in();
        }
    }

    fn sort_in(&mut self) {
        self.waiting.sort_unstable();
        self.cell.measures.resize(METRICS.len(), Histogram::default());
        let of_one = self.waiting.chunk_by(|a, b| a >> (u32::BITS - NUMBER_BITS) == b >> (u32::BITS - NUMBER_BITS));
        for of_one in of_one {
            let number = (of_one[0] >> (u32::BITS - NUMBER_BITS)) as usize;
            let same = of_one.chunk_by(|a, b| a == b);
            let bins = same.map(|same| (same[0] & (u32::MAX >> NUMBER_BITS), same.len() as u64));
            self.cell.measures[number].add_bins(std::mem::take(&mut self.sums[number]), bins);
        }
        self.waiting.clear();
    }

    /// The cell with everything in it.
    pub fn finish(mut self) -> Cell {
        self.sort_in();
        self.cell
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metric;
    use proptest::prelude::*;

    proptest! {
        /// What waits comes to what counting at once comes to.
        #[test]
        fn waiting_changes_nothing(
            all in proptest::collection::vec((0..METRICS.len(), prop_oneof![0i64..90_000_000, Just(1_000_000_000_000_000)]), 0..1200),
        ) {
            let (mut tally, mut cell) = (CellTally::default(), Cell::default());
            for (number, value) in all {
                let mut measures = Measures::default();
                let (metric, _, _, unit) = METRICS[number];
                let value = if metric == Metric::HandleTime { value } else { value % 90_000_000 };
                measures.set(metric, Some(value));
                tally.measure(&measures);
                cell.measures.resize(METRICS.len(), Histogram::default());
                cell.measures[number].add(value, unit);
            }
            cell.measures.resize(METRICS.len(), Histogram::default());
            prop_assert_eq!(tally.finish(), cell);
        }
    }
}
