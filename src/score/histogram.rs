//! Exact, mergeable histograms of measures, and quantiles read from them.
//!
//! | values | bins | largest error of a quantile |
//! | --- | --- | --- |
//! | durations up to 10 minutes | 1 second | under 1 second |
//! | up to 1 hour | 10 seconds | under 10 seconds |
//! | up to 1 day | 1 minute | under 1 minute |
//! | longer | 1 hour | under 1 hour |
//! | ratios up to 10 | 0.01 | under 0.01 (above: 0.1) |
//! | counts up to 1,000 | exact | 0 (above: 10) |
//!
//! A quantile is the lower edge of the bin that holds it, so it never overstates; sums and counts, and with them
//! means, are exact. Durations are milliseconds, ratios thousandths.

use serde::{Deserialize, Serialize};

use crate::metrics::Unit;

/// Counts by bin, with the exact sum. Only bins that occur are stored, ascending.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Histogram {
    /// Values counted.
    pub n: u64,
    /// Their sum.
    pub sum: i64,
    bins: Vec<(u32, u64)>,
}

impl Histogram {
    /// Counts a value.
    pub fn add(&mut self, value: i64, unit: Unit) {
        self.n += 1;
        self.sum += value;
        let bin = bin_of(value, unit);
        match self.bins.binary_search_by_key(&bin, |b| b.0) {
            Ok(at) => self.bins[at].1 += 1,
            Err(at) => self.bins.insert(at, (bin, 1)),
        }
    }

    /// Counts values known by their bins, ascending, and by their sum.
    pub fn add_bins(&mut self, sum: i64, bins: impl Iterator<Item = (u32, u64)>) {
        self.sum += sum;
        let mut at = 0;
        for (bin, n) in bins {
            self.n += n;
            at += self.bins[at..].partition_point(|b| b.0 < bin);
            match self.bins.get_mut(at) {
                Some(own) if own.0 == bin => own.1 += n,
                _ => self.bins.insert(at, (bin, n)),
            }
        }
    }

    /// Adds another's counts.
    pub fn merge(&mut self, other: &Histogram) {
        self.add_bins(other.sum, other.bins.iter().copied());
    }

    /// The mean, in the measure's unit.
    pub fn mean(&self) -> Option<f64> {
        (self.n > 0).then(|| self.sum as f64 / self.n as f64)
    }

    /// The sum of squares of the bins' lower edges: with the mean it gives the spread, within the error of the bins.
    pub fn squares(&self, unit: Unit) -> f64 {
        self.bins.iter().map(|(bin, n)| (lower_edge(*bin, unit) as f64).powi(2) * *n as f64).sum()
    }

    /// The share of values in bins that begin at or below `value`, 0–1: the empirical distribution, exact to the bin.
    ///
    /// ```
    /// use zhijian::metrics::Unit;
    /// use zhijian::score::histogram::Histogram;
    /// let mut waits = Histogram::default();
    /// [5_000, 20_400, 20_900, 61_000].into_iter().for_each(|ms| waits.add(ms, Unit::Millis));
    /// assert_eq!(waits.share_within(30_000, Unit::Millis), 0.75);
    /// assert_eq!(Histogram::default().share_within(30_000, Unit::Millis), 0.0);
    /// ```
    pub fn share_within(&self, value: i64, unit: Unit) -> f64 {
        let within = self.bins.iter().take_while(|(bin, _)| lower_edge(*bin, unit) <= value).map(|(_, n)| n);
        within.sum::<u64>() as f64 / self.n.max(1) as f64
    }

    /// The quantile by nearest rank (`q` in thousandths): the smallest value with at least `q` of all at or below it,
    /// as the lower edge of its bin.
    ///
    /// ```
    /// use zhijian::metrics::Unit;
    /// use zhijian::score::histogram::Histogram;
    /// let mut waits = Histogram::default();
    /// [5_000, 20_400, 20_900, 61_000].into_iter().for_each(|ms| waits.add(ms, Unit::Millis));
    /// assert_eq!(waits.quantile(500, Unit::Millis), Some(20_000));
    /// assert_eq!(waits.quantile(900, Unit::Millis), Some(61_000));
    /// assert_eq!(Histogram::default().quantile(500, Unit::Millis), None);
    /// ```
    pub fn quantile(&self, q: u64, unit: Unit) -> Option<i64> {
        let rank = (self.n * q).div_ceil(1000).max(1);
        let mut below = 0;
        self.bins.iter().find_map(|(bin, n)| {
            below += n;
            (below >= rank).then(|| lower_edge(*bin, unit))
        })
    }
}

/// Steps of a unit: up to `limit` (exclusive) bins are `width` wide.
const MILLIS: [(i64, i64); 4] = [(600_000, 1_000), (3_600_000, 10_000), (86_400_000, 60_000), (i64::MAX, 3_600_000)];
const RATIO: [(i64, i64); 2] = [(10_000, 10), (i64::MAX, 100)];
const COUNT: [(i64, i64); 2] = [(1_000, 1), (i64::MAX, 10)];

fn steps(unit: Unit) -> &'static [(i64, i64)] {
    match unit {
        Unit::Millis => &MILLIS,
        Unit::Ratio => &RATIO,
        Unit::Count => &COUNT,
    }
}

/// The bin of a value: bins are numbered upwards.
pub fn bin_of(value: i64, unit: Unit) -> u32 {
    let value = value.max(0);
    let (mut from, mut first) = (0, 0);
    for (limit, width) in steps(unit) {
        if value < *limit {
            return (first + (value - from) / width).min(i64::from(u32::MAX)) as u32;
        }
        first += (limit - from) / width;
        from = *limit;
    }
    u32::MAX
}

fn lower_edge(bin: u32, unit: Unit) -> i64 {
    let bin = i64::from(bin);
    let (mut from, mut first) = (0, 0);
    for (limit, width) in steps(unit) {
        let bins = limit.saturating_sub(from) / width;
        if bin < first + bins {
            return from + (bin - first) * width;
        }
        first += bins;
        from = *limit;
    }
    from
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const UNITS: [Unit; 3] = [Unit::Millis, Unit::Ratio, Unit::Count];

    proptest! {
        #[test]
        fn an_edge_is_at_most_its_value_and_close(value in 0i64..200_000_000) {
            for unit in UNITS {
                let edge = lower_edge(bin_of(value, unit), unit);
                let width = steps(unit).iter().find(|s| value < s.0).unwrap().1;
                prop_assert!(edge <= value && value - edge < width, "{unit:?} {value} {edge}");
            }
        }

        #[test]
        fn merging_is_counting_all(all in proptest::collection::vec(0i64..5_000_000, 0..80), cut in 0usize..80) {
            let fill = |values: &[i64]| {
                let mut h = Histogram::default();
                values.iter().for_each(|v| h.add(*v, Unit::Millis));
                h
            };
            let (left, right) = all.split_at(cut.min(all.len()));
            let (mut a, mut b) = (fill(left), fill(right));
            let (first, second) = (a.clone(), b.clone());
            a.merge(&second);
            b.merge(&first);
            prop_assert_eq!(&a, &fill(&all));
            prop_assert_eq!(&a, &b);
        }

        #[test]
        fn quantiles_are_nearest_ranks(mut all in proptest::collection::vec(0i64..1000, 1..60), q in 1u64..=1000) {
            let mut h = Histogram::default();
            all.iter().for_each(|v| h.add(*v, Unit::Count));
            all.sort();
            let rank = (all.len() as u64 * q).div_ceil(1000).max(1) as usize;
            prop_assert_eq!(h.quantile(q, Unit::Count), Some(all[rank - 1]));
        }
    }

    #[test]
    fn published_quantiles() {
        // Hyndman & Fan (1996), definition 1: of 1..=10 the median is 5, the 90th percentile 9.
        let mut h = Histogram::default();
        (1..=10).for_each(|v| h.add(v, Unit::Count));
        assert_eq!((h.quantile(500, Unit::Count), h.quantile(900, Unit::Count)), (Some(5), Some(9)));
        assert_eq!(h.mean(), Some(5.5));
    }
}
