//! Similar messages: how many times someone has by now said the same thing.
//!
//! Two messages of the same speaker are alike when the sets of their words have enough in common (Jaccard, by default
//! 4/5). Words are jieba's where a segmenter is at hand, else characters. What is too short to mean anything, or named
//! as an exception in the pack, is never a repeat.

use std::collections::{HashSet, VecDeque};

use crate::conversation::{Conversation, Role};
use crate::pack::RepeatSettings;
use crate::text::{Fingerprint, Segmenter, View};

/// A message that can be a repeat.
#[derive(Debug, Default, Clone)]
struct Said {
    turn: usize,
    fingerprint: Fingerprint,
    /// Its plain view and the different letters in it, sorted: made when another message may be alike.
    text: String,
    letters: Vec<char>,
    ready: bool,
}

impl Said {
    fn read(&mut self, conversation: &Conversation<'_>, view: &mut View) {
        if !std::mem::replace(&mut self.ready, true) {
            crate::text::plain(&conversation.turns[self.turn].text, view);
            Fingerprint::of(view.text(), &mut self.letters);
            self.text.clear();
            self.text.push_str(view.text());
        }
    }
}

/// For each turn, the how-manieth similar message of its speaker it is (1: the first). Buffers are reused.
#[derive(Debug, Default, Clone)]
pub struct Repeats {
    counts: Vec<u32>,
    /// The last messages of one speaker, the latest first.
    recent: VecDeque<Said>,
    /// Messages no longer looked at, for their buffers.
    spare: Vec<Said>,
}

impl Repeats {
    /// How many similar messages there are up to and with this turn.
    pub fn count(&self, turn: usize) -> u32 {
        self.counts.get(turn).copied().unwrap_or(1)
    }

    /// Counts the repeats of a conversation. `fingerprints` are those of its turns' plain views; a turn without one says
    /// nothing, or what the pack excepts, and is never a repeat.
    pub fn fill(
        &mut self,
        conversation: &Conversation<'_>,
        fingerprints: &[Option<Fingerprint>],
        settings: &RepeatSettings,
        segmenter: Option<&Segmenter>,
        view: &mut View,
    ) {
        self.counts.clear();
        self.counts.resize(conversation.turns.len(), 1);
        for role in [Role::Agent, Role::Customer] {
            self.spare.extend(self.recent.drain(..));
            for (i, turn) in conversation.turns.iter().enumerate() {
                if turn.role != role || !turn.kind.is_words() {
                    continue;
                }
                let Some(fingerprint) = fingerprints.get(i).copied().flatten() else { continue };
                if (fingerprint.count as usize) < settings.min_chars {
                    continue;
                }
                let mut said = self.spare.pop().unwrap_or_default();
                (said.turn, said.fingerprint, said.ready) = (i, fingerprint, false);
                let alike = self.recent.iter_mut().position(|before| {
                    let shared = before.fingerprint.most_shared(&said.fingerprint) as usize;
                    let most = before.fingerprint.distinct.max(said.fingerprint.distinct) as usize;
                    if !enough(shared, most, settings) {
                        return false;
                    }
                    said.read(conversation, view);
                    before.read(conversation, view);
                    before.text == said.text
                        || overlap(&before.letters, &said.letters, settings)
                            && similar(&before.text, &said.text, settings, segmenter)
                });
                if let Some(before) = alike {
                    self.counts[i] = self.counts[self.recent[before].turn] + 1;
                }
                if !self.recent.is_empty() && self.recent.len() >= settings.look_back {
                    self.spare.extend(self.recent.pop_back());
                }
                self.recent.push_front(said);
            }
        }
    }
}

/// Nearly as many letters are shared as the larger of two messages has: words may be compared.
fn enough(shared: usize, most: usize, settings: &RepeatSettings) -> bool {
    shared * 1000 >= most * settings.similarity.saturating_sub(100) as usize
}

/// A quick test before words are compared: sorted character sets share nearly as much of the larger one.
fn overlap(a: &[char], b: &[char], settings: &RepeatSettings) -> bool {
    let (mut i, mut j, mut same) = (0, 0, 0);
    while i < a.len() && j < b.len() {
        match a[i].cmp(&b[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => (i, j, same) = (i + 1, j + 1, same + 1),
        }
    }
    enough(same, a.len().max(b.len()), settings)
}

fn similar(a: &str, b: &str, settings: &RepeatSettings, segmenter: Option<&Segmenter>) -> bool {
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
    all > 0 && same * 1000 >= all * settings.similarity as usize
}
