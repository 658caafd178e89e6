//! Findings and good examples that reports may quote: a few of each agent and rule, the same whichever worker met them.
//! They are long texts, so all workers keep them in one place: memory does not grow with the number of threads.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::hash::{BuildHasher, BuildHasherDefault};
use std::sync::{Mutex, MutexGuard};

use rustc_hash::{FxHashMap, FxHasher};

use crate::conversation::{Conversation, Role};
use crate::engine::{AgentPart, Engine, Inspection};
use crate::judge::{Finding, Fulfilled};
use crate::report::chat::{Chat, Spill};
use crate::score::aggregate::{Aggregate, EVIDENCE, Evidence, GoodExample};
use crate::score::top::Top;
use crate::span::Span;

/// Longest message kept as evidence, in characters.
const MOST_CHARS: usize = 160;
/// Locks that agents share, so that workers seldom wait for each other.
const SHARDS: usize = 64;

/// What is kept of one agent and rule.
#[derive(Default)]
struct Kept {
    evidence: Top<Evidence, EVIDENCE>,
    good: Top<GoodExample, EVIDENCE>,
}

/// What is kept of some agents, by id and rule.
type Agents = FxHashMap<Box<str>, FxHashMap<u32, Kept>>;

/// What all workers have kept.
pub struct EvidenceStore(Vec<Mutex<Agents>>);

impl Default for EvidenceStore {
    fn default() -> Self {
        EvidenceStore((0..SHARDS).map(|_| Mutex::default()).collect())
    }
}

impl EvidenceStore {
    fn of(&self, agent: &str) -> MutexGuard<'_, Agents> {
        let hash = BuildHasherDefault::<FxHasher>::default().hash_one(agent);
        self.0[hash as usize % SHARDS].lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Puts everything beside the counts of its agent and rule.
    pub fn finish(self, sums: &mut Aggregate) {
        for shard in self.0 {
            for (agent, rules) in shard.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner()) {
                let Some(totals) = sums.agents.get_mut(&*agent) else { continue };
                for (rule, kept) in rules {
                    let count = totals.rules.entry(rule).or_default();
                    count.evidence.merge(kept.evidence);
                    count.good.merge(kept.good);
                }
            }
        }
    }
}

/// How a worker keeps what reports may show.
pub struct Keeper<'k> {
    pub store: &'k EvidenceStore,
    /// Mask personal data.
    pub mask: bool,
    /// Where whole conversations are kept, if reports show any.
    pub spill: Option<&'k Spill>,
}

impl Keeper<'_> {
    /// Keeps a conversation that a report may show.
    pub fn show(&self, engine: &Engine, conversation: &Conversation<'_>, inspection: &Inspection) {
        if let Some(spill) = self.spill {
            spill.keep(&Chat::new(engine, conversation, inspection, self.mask));
        }
    }

    /// Keeps an agent's findings and good examples while they are among the first; true when there was one.
    pub fn keep(&self, agent: &str, conversation: &Conversation<'_>, part: &AgentPart) -> bool {
        let mask = self.mask;
        let mut kept = false;
        let mut agents = self.store.of(agent);
        if !agents.contains_key(agent) {
            agents.insert(agent.into(), FxHashMap::default());
        }
        let Some(kept_of) = agents.get_mut(agent) else { return false };
        let short = |text: &str| -> String {
            let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
            match line.char_indices().nth(MOST_CHARS) {
                Some((cut, _)) => format!("{}…", &line[..cut]),
                None => line,
            }
        };
        let shown = |text: &str| short(&if mask { crate::text::mask(text) } else { Cow::Borrowed(text) });
        // The words as they stand in the masked message, so that a page can point at them there.
        let quoted = |text: &str, span: Span| {
            let mut spans = [span];
            let text = if mask { crate::text::mask_spans(text, &mut spans) } else { Cow::Borrowed(text) };
            short(spans[0].slice(&text))
        };
        let turns = &conversation.turns;
        let said = |turn: usize, role: Role| turns[turn].role == role && turns[turn].is_human_words();
        for finding in &part.judgement.findings {
            let Finding { rule, points, turn, span, why, review, .. } = finding;
            if *review {
                continue;
            }
            let count = kept_of.entry(*rule as u32).or_default();
            let key = (*points, &*conversation.id, *turn);
            if !count.evidence.wants(|last| key.cmp(&(last.points, &*last.conversation_id, last.turn))) {
                continue;
            }
            let at = *turn as usize;
            let customer = (0..=at).rev().find(|t| said(*t, Role::Customer));
            let agent = (at..turns.len()).find(|t| said(*t, Role::Agent));
            kept = true;
            count.evidence.add(Evidence {
                points: *points,
                conversation_id: conversation.id.to_string(),
                turn: *turn,
                quote: quoted(&turns[at].text, *span),
                customer: customer.map(|t| shown(&turns[t].text)).unwrap_or_default(),
                agent: agent.map(|t| shown(&turns[t].text)).unwrap_or_default(),
                why: if mask { crate::text::mask(why).into_owned() } else { why.clone() },
            });
        }
        let score = Reverse(part.score.as_ref().map_or(0, |s| s.score));
        for Fulfilled { rule, trigger, turn } in &part.judgement.fulfilled {
            let count = kept_of.entry(*rule as u32).or_default();
            let key = (score, &*conversation.id, *turn);
            if !count.good.wants(|last| key.cmp(&(last.score, &*last.conversation_id, last.turn))) {
                continue;
            }
            kept = true;
            count.good.add(GoodExample {
                score,
                conversation_id: conversation.id.to_string(),
                turn: *turn,
                customer: shown(&turns[*trigger as usize].text),
                agent: shown(&turns[*turn as usize].text),
            });
        }
        kept
    }
}
