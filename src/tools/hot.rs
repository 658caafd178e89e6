//! Which phrases fire how often, and which of them look like false positives.
//!
//! Workers write a small record per conversation ([`HotFormat`]); the records arrive in input order and are added up
//! ([`Hot::add`]), so quotes do not depend on the number of threads.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::conversation::{Conversation, Role};
use crate::engine::{Engine, Inspection};
use crate::judge::Outcome;
use crate::pack::expression::MarkerId;
use crate::pack::marker::ViewKind;
use crate::pipeline::Format;
use crate::text::{self, View};

/// Quotes kept for each phrase.
const QUOTES: usize = 3;

/// Conversations a phrase must fire in before its shares say anything.
const ENOUGH: u64 = 5;

/// What one conversation adds.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    id: String,
    agents: Vec<String>,
    hits: Vec<HitRecord>,
    rules: Vec<usize>,
}

#[derive(Debug, Serialize, Deserialize)]
struct HitRecord {
    pattern: u32,
    turn: usize,
    agent: Option<String>,
    quote: String,
    inside: Option<String>,
    happy: bool,
}

/// Writes a record per conversation.
pub struct HotFormat {
    happy: Vec<MarkerId>,
    mask: bool,
}

impl HotFormat {
    /// For a pack; `mask` hides personal data in quotes.
    pub fn new(engine: &Engine, mask: bool) -> Self {
        let happy = ["thanks", "resolved"].iter().filter_map(|id| engine.pack().marker(id)).collect();
        HotFormat { happy, mask }
    }

    /// A stretch of a message around a hit. Numbers are hidden in the whole message before it is cut.
    fn quote(&self, text: &str, hit: std::ops::Range<usize>) -> String {
        const CHARS: usize = 12;
        if self.mask
            && let std::borrow::Cow::Owned(masked) = text::mask(text)
        {
            return masked.chars().take(CHARS * 3).collect();
        }
        let start = text[..hit.start].char_indices().rev().nth(CHARS - 1).map_or(0, |(i, _)| i);
        let end = text[hit.end..].char_indices().nth(CHARS).map_or(text.len(), |(i, _)| hit.end + i);
        text[start..end].to_string()
    }

    /// The customer's next message says thanks, or that all is well.
    fn happy_after(&self, conversation: &Conversation<'_>, inspection: &Inspection, turn: usize) -> bool {
        let turns = &conversation.turns;
        let next = (turn + 1..turns.len()).find(|t| turns[*t].role == Role::Customer);
        next.is_some_and(|t| self.happy.iter().any(|m| inspection.hits.has(t, *m)))
    }
}

/// The longer word a span of the plain view lies in, if it is only a part of one.
fn longer_word(engine: &Engine, plain: &View, span: crate::span::Span) -> Option<String> {
    let range = plain.position_of(span.start as usize)..plain.position_of(span.end as usize);
    let mut at = 0;
    for word in engine.detector().segmenter()?.words(plain.text()) {
        let end = at + word.len();
        if at <= range.start && range.end <= end && (end - at) > range.len() {
            return Some(word.to_string());
        }
        at = end;
    }
    None
}

impl Format for HotFormat {
    fn conversation(
        &self,
        engine: &Engine,
        conversation: &Conversation<'_>,
        inspection: &Inspection,
        out: &mut Vec<u8>,
    ) {
        let mut plain = View::default();
        let mut shown = None;
        let hits = inspection.hits.list.iter().map(|hit| {
            let turn = &conversation.turns[hit.turn as usize];
            if shown != Some(hit.turn) {
                text::plain(&turn.text, &mut plain);
                shown = Some(hit.turn);
            }
            let agent = turn.role == Role::Agent;
            HitRecord {
                pattern: hit.pattern,
                turn: hit.turn as usize,
                agent: agent.then(|| conversation.agent_of(turn).to_string()),
                quote: self.quote(&turn.text, hit.span.range()),
                inside: longer_word(engine, &plain, hit.span),
                happy: agent && self.happy_after(conversation, inspection, hit.turn as usize),
            }
        });
        let hits = hits.collect();
        let layout = &inspection.layout;
        let agents = layout.agents.iter().map(|t| conversation.agent_of(&conversation.turns[*t]).to_string()).collect();
        let found = |r: &usize| inspection.agents.iter().any(|a| a.judgement.outcomes[*r] == Outcome::Found);
        let rules = (0..engine.pack().rules.len()).filter(found).collect();
        let record = Record { id: conversation.id.to_string(), agents, hits, rules };
        if serde_json::to_writer(&mut *out, &record).is_ok() {
            out.push(b'\n');
        }
    }
}

/// A phrase in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Quote {
    /// The conversation.
    pub conversation_id: String,
    /// Number of the turn, from 0 as in other outputs.
    pub turn: usize,
    /// The words around the hit.
    pub quote: String,
}

#[derive(Debug, Default)]
struct Count {
    hits: u64,
    conversations: u64,
    agents: BTreeSet<String>,
    quotes: Vec<Quote>,
    inside: u64,
    words: BTreeMap<String, u64>,
    happy: u64,
}

/// Everything counted.
#[derive(Debug, Default)]
pub struct Hot {
    conversations: u64,
    agents: BTreeSet<String>,
    patterns: BTreeMap<u32, Count>,
    rules: BTreeSet<usize>,
}

/// One phrase's line.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HotPhrase {
    /// The marker.
    pub marker: String,
    /// Its title.
    pub title: String,
    /// As written in the pack.
    pub phrase: String,
    /// Hits.
    pub hits: u64,
    /// Conversations with a hit.
    pub conversations: u64,
    /// Share of all conversations.
    pub conversation_share: f64,
    /// Share of all agents who say it; none for customers' phrases.
    pub agent_share: Option<f64>,
    /// Uses.
    pub quotes: Vec<Quote>,
    /// A rule forbids the marker: a false hit costs an agent points.
    pub forbidden: bool,
    /// Why it may be a false positive; empty: nothing speaks for it.
    pub suspect: Vec<String>,
}

/// What never fired.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Silent {
    /// Markers.
    pub markers: Vec<String>,
    /// Marker and phrase, for markers that fired by others.
    pub phrases: Vec<(String, String)>,
    /// Rules without a finding.
    pub rules: Vec<String>,
}

impl Hot {
    /// Adds a record written by [`HotFormat`].
    pub fn add(&mut self, line: &[u8]) {
        let Ok(record) = serde_json::from_slice::<Record>(line) else { return };
        self.conversations += 1;
        self.agents.extend(record.agents);
        self.rules.extend(record.rules);
        let mut seen = BTreeSet::new();
        for hit in record.hits {
            let count = self.patterns.entry(hit.pattern).or_default();
            count.hits += 1;
            count.happy += u64::from(hit.happy);
            count.agents.extend(hit.agent);
            if let Some(word) = hit.inside {
                count.inside += 1;
                *count.words.entry(word).or_default() += 1;
            }
            if seen.insert(hit.pattern) {
                count.conversations += 1;
                let quote = hit.quote.replace('\n', " ");
                if count.quotes.len() < QUOTES && !count.quotes.iter().any(|q| q.quote == quote) {
                    count.quotes.push(Quote { conversation_id: record.id.clone(), turn: hit.turn, quote });
                }
            }
        }
    }

    /// Conversations counted.
    pub fn conversations(&self) -> u64 {
        self.conversations
    }

    /// All phrases that fired, most conversations first; blocks that take any words say nothing of phrases.
    pub fn phrases(&self, engine: &Engine) -> Vec<HotPhrase> {
        let patterns: Vec<_> = engine.detector().patterns().collect();
        let share = |n: u64, of: u64| if of == 0 { 0.0 } else { (n as f64 / of as f64 * 10_000.0).round() / 10_000.0 };
        let mut out: Vec<HotPhrase> = self
            .patterns
            .iter()
            .filter(|(number, _)| !engine.detector().takes_anything(**number))
            .filter_map(|(number, count)| {
                let (id, view, text) = *patterns.get(*number as usize)?;
                let marker = &engine.pack().markers[id as usize];
                let agents = count.agents.len() as u64;
                Some(HotPhrase {
                    marker: marker.id.clone(),
                    title: marker.title.clone(),
                    phrase: text.to_string(),
                    hits: count.hits,
                    conversations: count.conversations,
                    conversation_share: share(count.conversations, self.conversations),
                    agent_share: (agents > 0).then(|| share(agents, self.agents.len() as u64)),
                    quotes: count.quotes.clone(),
                    forbidden: forbids(engine, id),
                    suspect: self.suspect(count, view, text, forbids(engine, id)),
                })
            })
            .collect();
        out.sort_by(|a, b| {
            let key = |p: &HotPhrase| (std::cmp::Reverse(p.conversations), std::cmp::Reverse(p.hits));
            (key(a), &a.marker, &a.phrase).cmp(&(key(b), &b.marker, &b.phrase))
        });
        out
    }

    /// What speaks for a false positive; the last three only where a rule forbids the marker.
    fn suspect(&self, count: &Count, view: ViewKind, text: &str, forbidden: bool) -> Vec<String> {
        let mut why = Vec::new();
        let percent = |n: u64, of: u64| n * 100 / of.max(1);
        let regex = text.starts_with('/');
        if count.inside * 2 >= count.hits && count.hits >= 2 && !regex {
            let mut words: Vec<_> = count.words.iter().collect();
            words.sort_by_key(|(word, n)| (std::cmp::Reverse(**n), *word));
            let words: Vec<_> = words.iter().take(3).map(|(word, _)| word.as_str()).collect();
            why.push(format!(
                "{}% 落在更长的词里(如 {}):考虑 word = true 或加进 except_inside",
                percent(count.inside, count.hits),
                words.join("、")
            ));
        }
        if !forbidden {
            return why;
        }
        let short = crate::pack::reference::normal_phrase(view, text).chars().count();
        if !regex && short <= 2 && count.conversations >= ENOUGH {
            why.push(format!("只有 {short} 个字,容易撞上别的话"));
        }
        let agents = count.agents.len() as u64;
        let all = self.agents.len() as u64;
        if all >= 5 && agents * 10 >= all * 8 {
            why.push(format!("{}% 的客服都说:违规话不会人人都说,多半是日常用语", percent(agents, all)));
        }
        if count.conversations >= ENOUGH && count.happy * 2 >= count.hits {
            why.push(format!("{}% 之后客户就道谢或说解决了:不像得罪了人", percent(count.happy, count.hits)));
        }
        why
    }

    /// What never fired.
    pub fn silent(&self, engine: &Engine) -> Silent {
        let pack = engine.pack();
        let mut fired = vec![false; pack.markers.len()];
        for (number, (marker, ..)) in engine.detector().patterns().enumerate() {
            fired[marker as usize] |= self.patterns.contains_key(&(number as u32));
        }
        let ids = fired.iter().zip(&pack.markers).filter(|(f, _)| !**f).map(|(_, m)| m.id.clone());
        let phrases =
            engine.detector().patterns().enumerate().filter(|(number, (marker, ..))| {
                fired[*marker as usize] && !self.patterns.contains_key(&(*number as u32))
            });
        let phrases = phrases
            .map(|(_, (marker, _, text))| (pack.markers[marker as usize].id.clone(), text.to_string()))
            .collect();
        let rules = (0..pack.rules.len()).filter(|r| !pack.rules[*r].off && !self.rules.contains(r));
        Silent { markers: ids.collect(), phrases, rules: rules.map(|r| pack.rules[r].id.clone()).collect() }
    }
}

/// True when a rule that costs points forbids the marker.
fn forbids(engine: &Engine, marker: MarkerId) -> bool {
    engine.pack().rules.iter().any(|rule| match &rule.demand {
        crate::pack::rule::Demand::Forbid(expr) if !rule.off => {
            let mut named = false;
            expr.markers(&mut |m| named |= m == marker);
            named
        }
        _ => false,
    })
}
