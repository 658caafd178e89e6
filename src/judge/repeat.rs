//! Similar messages: how many times someone has by now said the same thing.
//!
//! Two messages of the same speaker are alike when the sets of their words overlap by at least 4/5 (Jaccard). Words are
//! jieba's where a segmenter is at hand, else characters; messages shorter than four characters are never repeats.

use std::collections::HashSet;

use crate::conversation::{Conversation, Role};
use crate::text::{Segmenter, View};

/// Messages of the same speaker to look back at.
const LOOK_BACK: usize = 10;
/// Shortest message that can be a repeat, in letters and characters.
const LEAST_CHARS: usize = 4;

/// For each turn, the how-manieth similar message of its speaker it is (1: the first). Buffers are reused.
#[derive(Debug, Default, Clone)]
pub struct Repeats {
    counts: Vec<u32>,
}

impl Repeats {
    /// How many similar messages there are up to and with this turn.
    pub fn count(&self, turn: usize) -> u32 {
        self.counts.get(turn).copied().unwrap_or(1)
    }

    /// Counts the repeats of a conversation.
    pub fn fill(&mut self, conversation: &Conversation<'_>, segmenter: Option<&Segmenter>, view: &mut View) {
        self.counts.clear();
        self.counts.resize(conversation.turns.len(), 1);
        for role in [Role::Agent, Role::Customer] {
            let mut recent: Vec<(usize, String, Vec<char>)> = Vec::new();
            for (i, turn) in conversation.turns.iter().enumerate() {
                if turn.role != role || !turn.kind.is_words() {
                    continue;
                }
                crate::text::plain(&turn.text, view);
                let mut letters: Vec<char> = view.text().chars().filter(|c| c.is_alphanumeric()).collect();
                if letters.len() < LEAST_CHARS {
                    continue;
                }
                letters.sort_unstable();
                letters.dedup();
                let text = view.text().to_string();
                let alike = recent.iter().rev().find(|(_, other, own)| {
                    other == &text || overlap(own, &letters) && similar(other, &text, segmenter)
                });
                if let Some((before, ..)) = alike {
                    self.counts[i] = self.counts[*before] + 1;
                }
                if recent.len() == LOOK_BACK {
                    recent.remove(0);
                }
                recent.push((i, text, letters));
            }
        }
    }
}

/// A quick necessary test: sorted character sets share at least 7/10 of the larger one.
fn overlap(a: &[char], b: &[char]) -> bool {
    let (mut i, mut j, mut same) = (0, 0, 0);
    while i < a.len() && j < b.len() {
        match a[i].cmp(&b[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => (i, j, same) = (i + 1, j + 1, same + 1),
        }
    }
    same * 10 >= a.len().max(b.len()) * 7
}

fn similar(a: &str, b: &str, segmenter: Option<&Segmenter>) -> bool {
    let words = |text: &str| -> HashSet<String> {
        let keep = |w: &str| w.chars().any(char::is_alphanumeric);
        match segmenter {
            Some(s) => s.words(text).into_iter().filter(|w| keep(w)).map(str::to_string).collect(),
            None => text.chars().filter(|c| c.is_alphanumeric()).map(String::from).collect(),
        }
    };
    let (a, b) = (words(a), words(b));
    let same = a.intersection(&b).count();
    let all = a.len() + b.len() - same;
    all > 0 && same * 5 >= all * 4
}
