//! A few bytes that tell of two messages that they cannot be alike, without looking at them.

use super::is_letter;

/// The letters of a message in brief.
///
/// ```
/// use zhijian::text::Fingerprint;
/// let mut letters = Vec::new();
/// let mut of = |text| Fingerprint::of(text, &mut letters);
/// let (first, second) = (of("请问什么时候发货"), of("什么时候能发货呢"));
/// // Six letters are shared; the bound may say more, never less.
/// assert!((6..=8).contains(&first.most_shared(&second)));
/// assert_eq!(first.most_shared(&first), first.distinct);
/// assert_eq!(of("好好!").count, 2);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fingerprint {
    /// Letters and digits.
    pub count: u32,
    /// Different ones.
    pub distinct: u32,
    /// A bit for each of 64 classes of letters.
    bits: u64,
}

impl Fingerprint {
    /// Of a message's plain view; `letters` is left with its different letters, sorted.
    pub fn of(plain: &str, letters: &mut Vec<char>) -> Fingerprint {
        letters.clear();
        letters.extend(plain.chars().filter(|c| is_letter(*c)));
        let count = letters.len() as u32;
        letters.sort_unstable();
        letters.dedup();
        // Fibonacci hashing: the high bits of the product are well mixed.
        let bits = letters.iter().fold(0, |bits, c| bits | 1 << ((*c as u32).wrapping_mul(0x9e37_79b1) >> 26));
        Fingerprint { count, distinct: letters.len() as u32, bits }
    }

    /// No more different letters than this are in both.
    pub fn most_shared(&self, other: &Fingerprint) -> u32 {
        // Each class only one of them has holds at least one letter the other lacks.
        let own = self.distinct - (self.bits & !other.bits).count_ones();
        let theirs = other.distinct - (other.bits & !self.bits).count_ones();
        own.min(theirs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn the_bound_is_never_too_low(a in "[一-三a-f0-9 ,我你好]{0,40}", b in "[一-三a-f0-9 ,我你好]{0,40}") {
            let (mut left, mut right) = (Vec::new(), Vec::new());
            let (first, second) = (Fingerprint::of(&a, &mut left), Fingerprint::of(&b, &mut right));
            let shared = left.iter().filter(|c| right.contains(c)).count() as u32;
            proptest::prop_assert!(first.most_shared(&second) >= shared);
            proptest::prop_assert_eq!(first.most_shared(&second), second.most_shared(&first));
        }
    }
}
