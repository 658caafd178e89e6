//! The K first items by a total order, mergeable in any order.

use serde::{Deserialize, Serialize};

/// Keeps the `K` smallest items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Top<T: Ord, const K: usize> {
    items: Vec<T>,
}

impl<T: Ord, const K: usize> Default for Top<T, K> {
    fn default() -> Self {
        Top { items: Vec::new() }
    }
}

impl<T: Ord, const K: usize> Top<T, K> {
    /// True when an item that compares to kept ones as `compare` says would be kept. Lets callers skip building it.
    pub fn wants(&self, compare: impl Fn(&T) -> std::cmp::Ordering) -> bool {
        self.items.len() < K || self.items.last().is_some_and(|last| compare(last) == std::cmp::Ordering::Less)
    }

    /// Offers an item.
    pub fn add(&mut self, item: T) {
        if let Err(at) = self.items.binary_search(&item)
            && at < K
        {
            self.items.insert(at, item);
            self.items.truncate(K);
        }
    }

    /// Takes over the items of another.
    pub fn merge(&mut self, other: Self) {
        other.items.into_iter().for_each(|item| self.add(item));
    }

    /// Leaves out what `keep` says no to. What had been pushed out by it does not come back.
    pub fn retain(&mut self, keep: impl FnMut(&T) -> bool) {
        self.items.retain(keep);
    }

    /// The items, first to last.
    pub fn items(&self) -> &[T] {
        &self.items
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn merge_is_what_one_would_keep(all in proptest::collection::vec(0u16..500, 0..60), cut in 0usize..60) {
            let cut = cut.min(all.len());
            let fill = |items: &[u16]| {
                let mut top = Top::<u16, 5>::default();
                items.iter().for_each(|i| top.add(*i));
                top
            };
            let (mut left, right, whole) = (fill(&all[..cut]), fill(&all[cut..]), fill(&all));
            left.merge(right);
            proptest::prop_assert_eq!(&left, &whole);
            let mut sorted = all.clone();
            sorted.sort();
            sorted.dedup();
            sorted.truncate(5);
            proptest::prop_assert_eq!(whole.items(), &sorted[..]);
        }
    }
}
