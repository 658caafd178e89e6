//! Dealing examples out for cross-validation: by id and seed, never by the order of the input.

use sha2::{Digest, Sha256};

/// The fold of each example, 0 to `folds` − 1; examples of one id stay together, and folds differ by at most the
/// examples of one id.
pub fn deal(ids: &[&str], folds: usize, seed: u64) -> Vec<usize> {
    let mut groups: Vec<([u8; 32], &str)> = ids.iter().map(|id| (hash(id, seed), *id)).collect();
    groups.sort_unstable();
    groups.dedup();
    let place = |id: &&str| groups.binary_search(&(hash(id, seed), id)).unwrap_or_default() % folds.max(1);
    ids.iter().map(place).collect()
}

fn hash(id: &str, seed: u64) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(seed.to_le_bytes());
    hasher.update(id.as_bytes());
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_are_even_and_follow_the_id() {
        let ids: Vec<String> = (0..103).map(|n| format!("c{n}")).collect();
        let mut ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let folds = deal(&ids, 5, 1);
        for fold in 0..5 {
            let n = folds.iter().filter(|f| **f == fold).count();
            assert!((20..=21).contains(&n), "{n}");
        }
        assert_ne!(folds, deal(&ids, 5, 2));
        ids.reverse();
        let mut again = deal(&ids, 5, 1);
        again.reverse();
        assert_eq!(folds, again);
        assert_eq!(deal(&["a", "b", "a"], 2, 1)[0], deal(&["a", "b", "a"], 2, 1)[2]);
    }
}
