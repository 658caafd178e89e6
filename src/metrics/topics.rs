//! Which reasons a customer comes with: the topics of a pack found in the customer's messages.
//!
//! All phrases and exceptions of all topics are one automaton that runs once over each customer message, in the plain
//! view the detector has made anyway. What a message adds to a topic is its weight for each different phrase (at most
//! two; a phrase inside a longer one of the same topic does not count again). The first message that shows any topic
//! counts double and the second one and a half times: people say first what they come for.

use regex::Regex;

use crate::conversation::Turn;
use crate::detect::Plain;
use crate::detect::automaton::Automaton;
use crate::detect::gate::{Gate, Letters};
use crate::detect::memory::Memory;
use crate::error::Result;
use crate::pack::topics::Topics;
use crate::span::Span;
use crate::text::{View, is_number_phrase, is_part_of_code, sentence_range};

/// Most different phrases of one message that count for a topic.
const MOST_PHRASES: u32 = 2;
/// What the first and second message with a topic count, in tenths; later ones count ten.
const ORDER: [u32; 2] = [20, 15];

/// A topic found in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The topic's number in the pack.
    pub topic: u16,
    /// Its share in the conversation: weights in ten-thousandths.
    pub score: u32,
    /// First turn that shows it.
    pub turn: u32,
    /// The words, as bytes of that turn.
    pub span: Span,
}

/// What a pattern of the automaton means to a topic.
#[derive(Debug, Clone, Copy)]
struct Use {
    topic: u16,
    except: bool,
}

/// A match in one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Raw {
    topic: u16,
    except: bool,
    start: u32,
    end: u32,
}

/// The topics of a pack, compiled.
#[derive(Debug)]
pub struct TopicMatcher {
    automaton: Option<Automaton>,
    uses: Vec<Use>,
    ranges: Vec<(u32, u32)>,
    /// Which topic's which regex a message is worth searching with.
    gates: Vec<(u16, Gate, Regex)>,
    topics: Topics,
}

/// Buffers of one thread.
#[derive(Debug, Default)]
pub struct TopicScratch {
    raw: Vec<Raw>,
    shown: Vec<Shown>,
    letters: Letters,
    memory: Memory<Box<[Shown]>>,
    messages: usize,
}

/// What a message shows of a topic: how many phrases that count, and the first.
#[derive(Debug, Clone, Copy)]
struct Shown {
    topic: u16,
    phrases: u32,
    span: Span,
}

impl TopicMatcher {
    /// Compiles the topics.
    ///
    /// # Errors
    /// When the phrases do not fit an automaton.
    pub fn new(topics: &Topics) -> Result<TopicMatcher> {
        let mut patterns = std::collections::BTreeMap::<&str, Vec<Use>>::new();
        for (number, topic) in topics.list.iter().enumerate() {
            for (list, except) in [(&topic.phrases, false), (&topic.except, true)] {
                for phrase in list {
                    patterns.entry(phrase).or_default().push(Use { topic: number as u16, except });
                }
            }
        }
        let (mut uses, mut ranges) = (Vec::new(), Vec::new());
        for list in patterns.values() {
            let from = uses.len() as u32;
            uses.extend_from_slice(list);
            ranges.push((from, uses.len() as u32));
        }
        let automaton = match patterns.is_empty() {
            true => None,
            false => Some(Automaton::new(&patterns.keys().collect::<Vec<_>>())?),
        };
        let regexes = topics.list.iter().zip(0..).flat_map(|(t, n)| t.regexes.iter().map(move |r| (n, r)));
        let gates = regexes.map(|(topic, regex)| (topic, Gate::new(regex.as_str()), regex.clone())).collect();
        Ok(TopicMatcher { automaton, uses, ranges, gates, topics: topics.clone() })
    }

    /// Begins a conversation.
    pub fn start(&self, scratch: &mut TopicScratch, found: &mut Vec<Found>) {
        scratch.messages = 0;
        found.clear();
    }

    /// Looks through one message of the customer; what was found in the same words before is remembered.
    pub fn message(
        &self,
        turn: usize,
        said: &Turn<'_>,
        plain: &mut Plain<'_>,
        scratch: &mut TopicScratch,
        found: &mut Vec<Found>,
    ) {
        if self.automaton.is_none() {
            return;
        }
        let order = ORDER.get(scratch.messages).copied().unwrap_or(10);
        let key = scratch.memory.key(said, None);
        if let Some(known) = key.and_then(|key| scratch.memory.recall(key, said, None)) {
            known.iter().for_each(|shown| self.count(turn, shown, order, found));
            scratch.messages += usize::from(!known.is_empty());
            return;
        }
        self.look(plain.get(), scratch);
        scratch.shown.iter().for_each(|shown| self.count(turn, shown, order, found));
        scratch.messages += usize::from(!scratch.shown.is_empty());
        if let Some(key) = key {
            scratch.memory.keep(key, said, None, scratch.shown.as_slice().into());
        }
    }

    /// The topics a message shows.
    fn look(&self, plain: &View, TopicScratch { raw, shown, letters, .. }: &mut TopicScratch) {
        let text = plain.text();
        raw.clear();
        shown.clear();
        if let Some(automaton) = &self.automaton {
            automaton.find(text, |pattern, range| {
                if is_number_phrase(&text[range.clone()]) && is_part_of_code(text, range.clone()) {
                    return;
                }
                let (from, to) = self.ranges[pattern];
                raw.extend(self.uses[from as usize..to as usize].iter().map(|used| {
                    let (start, end) = (range.start as u32, range.end as u32);
                    Raw { topic: used.topic, except: used.except, start, end }
                }));
            });
        }
        letters.fill(text);
        for (topic, _, regex) in self.gates.iter().filter(|(_, gate, _)| gate.open(letters)) {
            if let Some(hit) = regex.find(text) {
                raw.push(Raw { topic: *topic, except: false, start: hit.start() as u32, end: hit.end() as u32 });
            }
        }
        raw.sort_unstable();
        let mut at = 0;
        while at < raw.len() {
            let topic = raw[at].topic;
            let of_topic = &raw[at..at + raw[at..].partition_point(|r| r.topic == topic)];
            at += of_topic.len();
            if let Some((first, phrases)) = counted(text, of_topic) {
                let span = plain.original(first.start as usize..first.end as usize);
                shown.push(Shown { topic, phrases, span });
            }
        }
    }

    /// Adds what a message shows of a topic.
    fn count(&self, turn: usize, shown: &Shown, order: u32, found: &mut Vec<Found>) {
        let Shown { topic, phrases, span } = *shown;
        let score = self.topics.list[usize::from(topic)].weight * phrases.min(MOST_PHRASES) * order;
        match found.iter_mut().find(|f| f.topic == topic) {
            Some(known) => known.score += score,
            None => found.push(Found { topic, score, turn: turn as u32, span }),
        }
    }

    /// Ends a conversation: the topics that count, reasons before faults, the main reason's first, by score. Phrases of
    /// the first level are vague: such a reason stays only when it is the main one and none of its sub-reasons shows.
    /// Returns the main first-level reason.
    pub fn finish(&self, found: &mut Vec<Found>) -> Option<u16> {
        let topics = &self.topics;
        let top = |f: &Found| topics.top(usize::from(f.topic));
        let is_fault = |f: &Found| topics.list[usize::from(f.topic)].is_fault();
        let total = |reason: usize, found: &[Found]| -> u32 {
            found.iter().filter(|f| !is_fault(f) && top(f) == reason).map(|f| f.score).sum()
        };
        // Ties go to the reason that was named first, then to the one defined first.
        let reasons = found.iter().filter(|f| !is_fault(f));
        let best = reasons.map(|f| (std::cmp::Reverse(total(top(f), found)), f.turn, top(f))).min().map(|best| best.2);
        let main_has_sub = found.iter().any(|f| best.is_some() && topics.list[usize::from(f.topic)].parent == best);
        found.retain(|f| {
            let topic = usize::from(f.topic);
            let first_level = topics.list[topic].parent.is_none() && !topics.list[topic].is_fault();
            !first_level || best == Some(topic) && !main_has_sub
        });
        found.sort_by_key(|f| (is_fault(f), Some(top(f)) != best, std::cmp::Reverse(f.score), f.turn, f.topic));
        best.or(topics.other).map(|n| n as u16)
    }
}

/// The first match of a topic that no exception excuses, and the number of different phrases that count.
fn counted(text: &str, of_topic: &[Raw]) -> Option<(Raw, u32)> {
    // Phrases sort before exceptions.
    let split = of_topic.partition_point(|r| !r.except);
    let (phrases, excepts) = of_topic.split_at(split);
    let excused = |hit: &Raw| {
        if excepts.is_empty() {
            return false;
        }
        let sentence = sentence_range(text, hit.start as usize);
        excepts.iter().any(|e| sentence.contains(&(e.start as usize)) || hit.start < e.end && e.start < hit.end)
    };
    let mut first: Option<Raw> = None;
    let mut different: [&str; MOST_PHRASES as usize] = [""; MOST_PHRASES as usize];
    let mut count = 0;
    for hit in phrases {
        let inside = |o: &Raw| o != hit && o.start <= hit.start && hit.end <= o.end;
        if phrases.iter().any(inside) || excused(hit) {
            continue;
        }
        first = first.or(Some(*hit));
        let words = &text[hit.start as usize..hit.end as usize];
        if count < different.len() && !different[..count].contains(&words) {
            different[count] = words;
            count += 1;
        }
    }
    first.map(|f| (f, count as u32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::SourceFile;
    use crate::pack::fields::{Faults, Table, parse};
    use std::sync::Arc;

    fn matcher() -> TopicMatcher {
        let text = "[[reason]]\nid='logistics'\ntitle='物流'\nphrases=['快递']\nweight=0.4\nexcept=['取件']\n\
            [[reason.sub]]\nid='logistics.where'\ntitle='到哪'\nphrases=['到哪','到哪了','什么时候到']\nexcept=['退款']\nweight=1.5\n\
            [[reason]]\nid='refund'\ntitle='退款'\n[[reason.sub]]\nid='refund.progress'\ntitle='进度'\nphrases=['退款','到账']\nweight=2\n\
            [[reason]]\nid='complaint'\ntitle='投诉'\nphrases=['12315']\n[[reason]]\nid='other'\ntitle='其他'\n[[fault]]\nid='safety'\ntitle='安全'\nurgency='high'\nphrases=['漏电']\n";
        let file = Arc::new(SourceFile { path: "t".into(), text: text.into() });
        let mut all = Vec::new();
        let mut faults = Faults::new(file.clone(), &mut all);
        let parsed = parse(&file.text, &mut faults);
        let topics = crate::pack::topics::read(Table::new(parsed.get_ref(), 0..text.len()), &mut faults);
        assert_eq!(all, []);
        TopicMatcher::new(&topics).unwrap()
    }

    fn found(messages: &[&str]) -> (String, Vec<(String, u32, String)>) {
        let matcher = matcher();
        let (mut scratch, mut found, mut view) = (TopicScratch::default(), Vec::new(), View::default());
        matcher.start(&mut scratch, &mut found);
        for (turn, message) in messages.iter().enumerate() {
            let said = Turn::new(crate::conversation::Role::Customer, *message);
            matcher.message(turn, &said, &mut Plain::new(message, &mut view), &mut scratch, &mut found);
        }
        let best = matcher.finish(&mut found).unwrap();
        let name = |n: u16| matcher.topics.list[usize::from(n)].id.clone();
        let list = found.iter().map(|f| {
            let quote = f.span.slice(messages[f.turn as usize]).to_string();
            (name(f.topic), f.turn, quote)
        });
        (name(best), list.collect())
    }

    #[test]
    fn reasons_with_their_evidence() {
        let (best, list) = found(&["在吗", "快递到哪了？什么时候到", "还有退款到账没"]);
        assert_eq!(best, "logistics");
        let expected = [("logistics.where", 1, "到哪了"), ("refund.progress", 2, "退款")];
        let list: Vec<_> = list.iter().map(|(id, turn, quote)| (id.as_str(), *turn, quote.as_str())).collect();
        assert_eq!(list, expected);
    }

    #[test]
    fn exceptions_reach_their_sentence_only() {
        let (best, list) = found(&["退款什么时候到"]);
        assert_eq!((best.as_str(), list.len()), ("refund", 1));
        let (best, list) = found(&["退款呢?包裹什么时候到"]);
        assert_eq!((best.as_str(), list.len()), ("refund", 2));
    }

    #[test]
    fn numbers_count_as_a_whole() {
        assert_eq!(found(&["我打12315"]).0, "complaint");
        assert_eq!(found(&["订单号2012315998"]).0, "other");
    }

    #[test]
    fn nothing_named_is_other_and_faults_are_no_reason() {
        assert_eq!(found(&["你好"]), ("other".into(), vec![]));
        let (best, list) = found(&["电饭煲漏电!"]);
        assert_eq!((best.as_str(), list[0].0.as_str()), ("other", "safety"));
    }
}
