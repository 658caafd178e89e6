//! What was found in messages seen before. Service chats repeat themselves: greetings, canned answers, 好的, 谢谢. What a
//! message's own words show depends on the words, the speaker and the channel alone, so it is found once and looked up
//! afterwards. Each thread keeps a bounded number of messages in two generations; results never depend on what is kept.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use crate::conversation::{Role, Turn};
use crate::span::Span;

/// Longest message worth keeping, in bytes: longer ones hardly come again.
const MOST_BYTES: usize = 240;
/// Messages of one generation.
const MOST: usize = 16_384;

/// A hit without its turn.
#[derive(Debug, Clone, Copy)]
pub struct Remembered {
    pub block: u32,
    pub pattern: u32,
    pub span: Span,
}

#[derive(Debug)]
struct Seen {
    text: Box<str>,
    channel: Box<str>,
    role: Role,
    length: u32,
    hits: Box<[Remembered]>,
}

/// Messages seen by one thread.
#[derive(Debug, Default)]
pub struct Memory {
    hasher: RandomState,
    now: HashMap<u64, Seen>,
    before: HashMap<u64, Seen>,
}

impl Memory {
    /// The key of a message, or `None` when it is not worth keeping.
    pub fn key(&self, turn: &Turn<'_>, channel: Option<&str>) -> Option<u64> {
        (turn.text.len() <= MOST_BYTES).then(|| self.hasher.hash_one((turn.role, channel, &*turn.text)))
    }

    /// What was found in the same message before, and its length in characters.
    pub fn recall(&mut self, key: u64, turn: &Turn<'_>, channel: Option<&str>) -> Option<(&[Remembered], u32)> {
        if let Some(seen) = self.before.remove(&key) {
            self.now.insert(key, seen);
        }
        let seen = self.now.get(&key)?;
        let same = *seen.text == *turn.text && seen.role == turn.role && *seen.channel == *channel.unwrap_or("");
        same.then_some((&seen.hits, seen.length))
    }

    /// Keeps what was found.
    pub fn keep(
        &mut self,
        key: u64,
        turn: &Turn<'_>,
        channel: Option<&str>,
        length: u32,
        hits: impl Iterator<Item = Remembered>,
    ) {
        if self.now.len() >= MOST {
            self.before = std::mem::take(&mut self.now);
        }
        let seen = Seen {
            text: (*turn.text).into(),
            channel: channel.unwrap_or("").into(),
            role: turn.role,
            length,
            hits: hits.collect(),
        };
        self.now.insert(key, seen);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(block: u32) -> Remembered {
        Remembered { block, pattern: 0, span: Span::new(0, 3) }
    }

    #[test]
    fn recalls_the_same_message_of_the_same_speaker_and_channel_only() {
        let mut memory = Memory::default();
        let turn = Turn::new(Role::Agent, "好的");
        let key = memory.key(&turn, Some("chat")).unwrap();
        memory.keep(key, &turn, Some("chat"), 2, [hit(7)].into_iter());
        let (hits, length) = memory.recall(key, &turn, Some("chat")).unwrap();
        assert_eq!((hits[0].block, length), (7, 2));
        // Even under the same key (a collision), another speaker, channel or text is another message.
        assert!(memory.recall(key, &Turn::new(Role::Customer, "好的"), Some("chat")).is_none());
        assert!(memory.recall(key, &turn, Some("phone")).is_none());
        assert!(memory.recall(key, &Turn::new(Role::Agent, "好"), Some("chat")).is_none());
    }

    #[test]
    fn keeps_a_bounded_number_and_what_still_comes() {
        let mut memory = Memory::default();
        let lasting = Turn::new(Role::Agent, "您好");
        let lasting_key = memory.key(&lasting, None).unwrap();
        memory.keep(lasting_key, &lasting, None, 2, std::iter::empty());
        for n in 0..3 * MOST {
            let text = n.to_string();
            let turn = Turn::new(Role::Agent, text.as_str());
            let key = memory.key(&turn, None).unwrap();
            memory.keep(key, &turn, None, 1, std::iter::empty());
            if n % 1000 == 0 {
                assert!(memory.recall(lasting_key, &lasting, None).is_some(), "{n}");
            }
        }
        assert!(memory.now.len() + memory.before.len() <= 2 * MOST + 1);
    }

    #[test]
    fn long_messages_are_not_kept() {
        let memory = Memory::default();
        assert_eq!(memory.key(&Turn::new(Role::Agent, "好".repeat(100)), None), None);
    }
}
