//! Looking for many phrases at once, behind one interface for two engines. The Aho–Corasick automaton of bytes
//! (`aho-corasick`) serves up to a few hundred phrases. Of the thousands of Chinese phrases in a view, one whose steps
//! are characters instead of bytes (`daachorse`) takes a third of the steps and less memory; see `benches/README.md`.

use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use daachorse::CharwiseDoubleArrayAhoCorasick;

use crate::error::{Error, Result};

/// Phrases up to which the automaton of bytes is built in full: beyond it is too large to stay in the processor's cache.
const FULL: usize = 500;

/// Finds every place of every phrase, overlapping ones too.
pub enum Automaton {
    /// Steps are bytes.
    Bytes(AhoCorasick),
    /// Steps are characters.
    Characters(Box<CharwiseDoubleArrayAhoCorasick<u32>>),
}

impl std::fmt::Debug for Automaton {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Automaton::Bytes(automaton) => f.debug_tuple("Bytes").field(automaton).finish(),
            Automaton::Characters(automaton) => {
                f.debug_struct("Characters").field("states", &automaton.num_states()).finish_non_exhaustive()
            }
        }
    }
}

impl Automaton {
    /// Over different phrases, none of them empty; the engine is chosen by their number.
    ///
    /// # Errors
    /// When they do not fit.
    pub fn new(phrases: &[impl AsRef<str>]) -> Result<Automaton> {
        match phrases.len() <= FULL {
            true => Automaton::of_bytes(phrases, AhoCorasickKind::DFA),
            false => Automaton::of_characters(phrases),
        }
    }

    /// Over few phrases that are looked for now and then.
    ///
    /// # Errors
    /// When they do not fit.
    pub fn small(phrases: &[impl AsRef<str>]) -> Result<Automaton> {
        Automaton::of_bytes(phrases, AhoCorasickKind::ContiguousNFA)
    }

    fn of_bytes(phrases: &[impl AsRef<str>], kind: AhoCorasickKind) -> Result<Automaton> {
        AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .kind(Some(kind))
            .build(phrases.iter().map(AsRef::as_ref))
            .map(Automaton::Bytes)
            .map_err(too_many)
    }

    fn of_characters(phrases: &[impl AsRef<str>]) -> Result<Automaton> {
        let phrases = phrases.iter().map(AsRef::as_ref);
        CharwiseDoubleArrayAhoCorasick::new(phrases).map(|all| Automaton::Characters(Box::new(all))).map_err(too_many)
    }

    /// Calls `found` with the number of each phrase and its bytes in the text, by where they end.
    pub fn find(&self, text: &str, mut found: impl FnMut(usize, Range<usize>)) {
        match self {
            Automaton::Bytes(automaton) => {
                automaton.find_overlapping_iter(text).for_each(|m| found(m.pattern().as_usize(), m.range()));
            }
            Automaton::Characters(automaton) => {
                automaton.find_overlapping_iter(text).for_each(|m| found(m.value() as usize, m.start()..m.end()));
            }
        }
    }
}

fn too_many(error: impl std::fmt::Display) -> Error {
    Error::Other(format!("短语太多,无法建立自动机: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn places(automaton: &Automaton, text: &str) -> Vec<(usize, Range<usize>)> {
        let mut all = Vec::new();
        automaton.find(text, |phrase, range| all.push((phrase, range)));
        all.sort_unstable_by_key(|(phrase, range)| (*phrase, range.start));
        all
    }

    proptest! {
        /// Both engines find what looking for one phrase after the other finds.
        #[test]
        fn engines_agree_with_naive_search(
            phrases in proptest::collection::btree_set("[加微信vV1三还 ]{1,4}|😀[加v]?", 1..20),
            text in "[加微信vV1三还,😀 ]{0,40}",
        ) {
            let phrases: Vec<String> = phrases.into_iter().collect();
            let naive: Vec<_> = phrases
                .iter()
                .enumerate()
                .flat_map(|(number, phrase)| {
                    let starts = text.char_indices().map(|(at, _)| at).filter(|at| text[*at..].starts_with(phrase.as_str()));
                    starts.map(move |at| (number, at..at + phrase.len()))
                })
                .collect();
            for automaton in [
                Automaton::new(&phrases).unwrap(),
                Automaton::small(&phrases).unwrap(),
                Automaton::of_characters(&phrases).unwrap(),
            ] {
                prop_assert_eq!(places(&automaton, &text), naive.clone());
            }
        }
    }

    #[test]
    fn many_phrases_take_characters() {
        let phrases: Vec<String> = (0..FULL + 1).map(|n| format!("词{n}")).collect();
        assert!(matches!(Automaton::new(&phrases), Ok(Automaton::Characters(_))));
        assert!(matches!(Automaton::new(&phrases[1..]), Ok(Automaton::Bytes(_))));
        assert!(Automaton::new(&[""; 0]).is_ok_and(|none| places(&none, "词1").is_empty()));
    }
}
