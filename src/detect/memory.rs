//! What was found in messages seen before. Service chats repeat themselves: greetings, canned answers, 好的, 谢谢. What a
//! message's own words show depends on the words, the speaker and the channel alone, so it is found once and looked up
//! afterwards. Each thread keeps a bounded number of messages in two generations; results never depend on what is kept.

use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, BuildHasherDefault};

use rustc_hash::{FxHashMap, FxHasher};

use crate::conversation::{Role, Turn};

/// Longest message worth keeping, in bytes: canned answers are long, what is longer still hardly comes again.
const MOST_BYTES: usize = 1200;
/// Messages of one generation.
const MOST: usize = 16_384;
/// Bytes of the messages of one generation.
const MOST_TEXT: usize = 1 << 20;

#[derive(Debug)]
struct Seen<V> {
    text: Box<str>,
    channel: Box<str>,
    role: Role,
    value: V,
}

/// Messages seen by one thread, with what is known of each.
#[derive(Debug)]
pub struct Memory<V> {
    now: FxHashMap<u64, Seen<V>>,
    before: FxHashMap<u64, Seen<V>>,
    /// Bytes of the messages in `now`.
    text: usize,
}

impl<V> Default for Memory<V> {
    fn default() -> Self {
        Memory { now: FxHashMap::default(), before: FxHashMap::default(), text: 0 }
    }
}

impl<V> Memory<V> {
    /// The key of a message, or `None` when it is not worth keeping.
    pub fn key(&self, turn: &Turn<'_>, channel: Option<&str>) -> Option<u64> {
        let hasher = BuildHasherDefault::<FxHasher>::default();
        (turn.text.len() <= MOST_BYTES).then(|| hasher.hash_one((turn.role, channel, &*turn.text)))
    }

    /// What is known of the same message from before.
    pub fn recall(&mut self, key: u64, turn: &Turn<'_>, channel: Option<&str>) -> Option<&V> {
        let seen = match self.now.entry(key) {
            Entry::Occupied(seen) => seen.into_mut(),
            Entry::Vacant(place) => {
                let seen = self.before.remove(&key)?;
                self.text += seen.text.len();
                place.insert(seen)
            }
        };
        let same = *seen.text == *turn.text && seen.role == turn.role && *seen.channel == *channel.unwrap_or("");
        same.then_some(&seen.value)
    }

    /// Keeps what is known.
    pub fn keep(&mut self, key: u64, turn: &Turn<'_>, channel: Option<&str>, value: V) {
        if self.now.len() >= MOST || self.text >= MOST_TEXT {
            self.before = std::mem::take(&mut self.now);
            self.text = 0;
        }
        self.text += turn.text.len();
        let channel = channel.unwrap_or("").into();
        self.now.insert(key, Seen { text: (*turn.text).into(), channel, role: turn.role, value });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recalls_the_same_message_of_the_same_speaker_and_channel_only() {
        let mut memory = Memory::default();
        let turn = Turn::new(Role::Agent, "好的");
        let key = memory.key(&turn, Some("chat")).unwrap();
        memory.keep(key, &turn, Some("chat"), 7);
        assert_eq!(memory.recall(key, &turn, Some("chat")), Some(&7));
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
        memory.keep(lasting_key, &lasting, None, 2);
        for n in 0..3 * MOST {
            let text = n.to_string();
            let turn = Turn::new(Role::Agent, text.as_str());
            let key = memory.key(&turn, None).unwrap();
            memory.keep(key, &turn, None, 1);
            if n % 1000 == 0 {
                assert!(memory.recall(lasting_key, &lasting, None).is_some(), "{n}");
            }
        }
        assert!(memory.now.len() + memory.before.len() <= 2 * MOST + 1);
    }

    #[test]
    fn long_messages_are_not_kept() {
        let memory = Memory::<()>::default();
        assert_eq!(memory.key(&Turn::new(Role::Agent, "好".repeat(401)), None), None);
    }
}
