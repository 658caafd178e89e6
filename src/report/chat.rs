//! A conversation as a page shows it: turns, findings and measures, masked, independent of where the transcript came
//! from. While a night runs, the conversations that may be shown are kept in a [`Spill`] beside the results; memory
//! holds only where each of them lies.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard};

use serde::{Deserialize, Serialize};

use crate::conversation::{Conversation, Kind, Role};
use crate::engine::{Engine, Inspection};
use crate::error::{Error, Result};
use crate::metrics::METRICS;
use crate::score::contacts::hash;
use crate::text::mask_spans;

/// One conversation, ready to be shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chat {
    /// The export's id.
    pub id: String,
    /// Channel, empty where unknown.
    pub channel: String,
    /// Stage, empty where unknown.
    pub stage: String,
    /// Local time it began.
    pub began: Option<String>,
    /// Rating, 1–5.
    pub rating: Option<u8>,
    /// Score and raw score, milli-points.
    pub score: Option<(i64, i64)>,
    /// Satisfaction estimate, thousandths.
    pub satisfaction: Option<i64>,
    /// `resolved`, `unresolved`, `unknown`.
    pub resolution: String,
    /// Titles of the reasons the customer came for, as topic ids.
    pub topics: Vec<String>,
    /// The agents, in order of appearance.
    pub agents: Vec<ChatAgent>,
    /// The turns.
    pub turns: Vec<ChatTurn>,
    /// The findings, by turn and place.
    pub findings: Vec<ChatFinding>,
    /// Measures of the whole conversation that are known: id and value.
    pub measures: Vec<(String, i64)>,
}

/// An agent of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChatAgent {
    /// Id.
    pub id: String,
    /// Name, where known.
    pub name: Option<String>,
    /// Score and raw score, milli-points.
    pub score: Option<(i64, i64)>,
    /// Passed.
    pub passed: bool,
    /// With a critical finding.
    pub critical: bool,
}

/// A turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChatTurn {
    /// Who speaks.
    pub role: Role,
    /// Number of the agent who speaks.
    pub agent: Option<usize>,
    /// Milliseconds since the first time known in the conversation.
    pub at: Option<i64>,
    /// Local time of the day, `09:05:12`.
    pub clock: Option<String>,
    /// What the turn carries, as exports name it.
    pub kind: String,
    /// Its words, masked.
    pub text: String,
}

/// A finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChatFinding {
    /// The rule's id.
    pub rule: String,
    /// Number of the agent.
    pub agent: usize,
    /// Milli-points after caps.
    pub points: i64,
    /// The rule's cap took some of it.
    pub capped: bool,
    /// Left to a person's review.
    pub review: bool,
    /// Index of the turn.
    pub turn: usize,
    /// Bytes of the turn's masked text.
    pub span: (usize, usize),
    /// Why.
    pub why: String,
}

impl Chat {
    /// The record of an inspected conversation.
    pub fn new(engine: &Engine, conversation: &Conversation<'_>, inspection: &Inspection, mask: bool) -> Chat {
        let pack = engine.pack();
        let layout = &inspection.layout;
        let zone = &engine.options().timezone;
        let clock = |ms: i64| {
            let time = jiff::Timestamp::from_millisecond(ms).ok()?.to_zoned(zone.clone());
            Some(time.strftime("%H:%M:%S").to_string())
        };
        let mut findings: Vec<_> = inspection.agents.iter().flat_map(|part| &part.judgement.findings).collect();
        findings.sort_by_key(|f| (f.turn, f.span, f.rule, f.agent));
        let mut spans: Vec<_> = findings.iter().map(|f| f.span).collect();
        let first = layout.time.iter().flatten().min().copied();
        let mut turns = Vec::with_capacity(conversation.turns.len());
        for (number, turn) in conversation.turns.iter().enumerate() {
            let from = findings.partition_point(|f| (f.turn as usize) < number);
            let to = findings.partition_point(|f| f.turn as usize <= number);
            let text = match mask {
                true => mask_spans(&turn.text, &mut spans[from..to]).into_owned(),
                false => turn.text.to_string(),
            };
            let agent = (turn.role == Role::Agent).then(|| layout.agent_at(number)).flatten();
            turns.push(ChatTurn {
                role: turn.role,
                agent,
                at: layout.time.get(number).copied().flatten().zip(first).map(|(at, first)| at - first),
                clock: turn.at.and_then(clock),
                kind: turn.kind.as_str().to_string(),
                text,
            });
        }
        let findings = findings.iter().zip(spans).map(|(f, span)| ChatFinding {
            rule: pack.rules[f.rule].id.clone(),
            agent: f.agent,
            points: f.points,
            capped: f.capped,
            review: f.review,
            turn: f.turn as usize,
            span: (span.start as usize, span.end as usize),
            why: if mask { crate::text::mask(&f.why).into_owned() } else { f.why.clone() },
        });
        let measures = METRICS.iter().filter_map(|m| Some((m.1.to_string(), inspection.measures.get(m.0)?)));
        let agents = layout.agents.iter().enumerate().map(|(number, turn)| {
            let id = conversation.agent_of(&conversation.turns[*turn]);
            let score = inspection.agents.get(number).and_then(|part| part.score.as_ref());
            ChatAgent {
                id: id.to_string(),
                name: conversation.agent_info(id).and_then(|i| i.name.as_deref()).map(str::to_string),
                score: score.map(|s| (s.score, s.raw)),
                passed: score.is_some_and(|s| s.passed),
                critical: score.is_some_and(|s| s.critical),
            }
        });
        Chat {
            id: conversation.id.to_string(),
            channel: conversation.channel.as_deref().unwrap_or("").to_string(),
            stage: conversation.stage.as_deref().unwrap_or("").to_string(),
            began: inspection.began.map(|b| b.strftime("%Y-%m-%d %H:%M").to_string()),
            rating: conversation.rating,
            score: inspection.score,
            satisfaction: inspection.satisfaction.estimate,
            resolution: inspection.verdict.resolution.id().to_string(),
            topics: inspection.topics.iter().map(|f| pack.topics.list[usize::from(f.topic)].id.clone()).collect(),
            agents: agents.collect(),
            turns,
            findings: findings.collect(),
            measures: measures.collect(),
        }
    }

    /// True when a critical finding stands in it.
    pub fn is_critical(&self) -> bool {
        self.agents.iter().any(|a| a.critical)
    }
}

impl ChatTurn {
    /// True when the words are not a person's own: a bot, the system, an automatic reply.
    pub fn is_automatic(&self) -> bool {
        matches!(self.role, Role::Bot | Role::System) || self.kind == Kind::AutoReply.as_str()
    }
}

/// Where a record lies in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    /// A hash of the record: of two conversations with one id the same is shown at any number of threads.
    content: u64,
    offset: u64,
    length: u32,
}

struct Inner {
    file: File,
    end: u64,
    places: HashMap<u64, Place>,
    critical: BTreeSet<String>,
    failure: Option<std::io::Error>,
}

/// Records kept in a file of their own, found by conversation id.
pub struct Spill {
    inner: Mutex<Inner>,
}

impl Spill {
    /// An empty file in `folder`, gone when this is dropped.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new(folder: &Path) -> Result<Spill> {
        let file = tempfile::tempfile_in(folder).map_err(|e| Error::write(folder, e))?;
        let inner = Inner { file, end: 0, places: HashMap::new(), critical: BTreeSet::new(), failure: None };
        Ok(Spill { inner: Mutex::new(inner) })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Keeps a conversation. A fault of the disk shows when the records are read.
    pub fn keep(&self, chat: &Chat) {
        let packed = serde_json::to_string(chat)
            .map_err(std::io::Error::from)
            .and_then(|json| Ok((hash(&json), zstd::bulk::compress(json.as_bytes(), 1)?)));
        let mut inner = self.lock();
        let inner = &mut *inner;
        let written = packed.and_then(|(content, bytes)| {
            let place = Place { content, offset: inner.end, length: bytes.len() as u32 };
            let key = hash(&chat.id);
            if inner.places.get(&key).is_some_and(|other| other.content <= content) {
                return Ok(());
            }
            inner.file.seek(SeekFrom::Start(inner.end))?;
            inner.file.write_all(&bytes)?;
            inner.end += bytes.len() as u64;
            inner.places.insert(key, place);
            Ok(())
        });
        match written {
            Ok(()) if chat.is_critical() => {
                inner.critical.insert(chat.id.clone());
            }
            Ok(()) => {}
            Err(error) => inner.failure = inner.failure.take().or(Some(error)),
        }
    }

    /// Ids of the conversations with a critical finding.
    pub fn critical(&self) -> BTreeSet<String> {
        self.lock().critical.clone()
    }

    /// Names conversations with a critical finding that are not all kept.
    pub fn mark_critical(&self, ids: impl IntoIterator<Item = String>) {
        self.lock().critical.extend(ids);
    }

    /// True when the conversation was kept.
    pub fn holds(&self, id: &str) -> bool {
        self.lock().places.contains_key(&hash(id))
    }

    /// Reads a conversation; `None` when it was not kept.
    ///
    /// # Errors
    /// When the file could not be written or read.
    pub fn read(&self, id: &str) -> std::io::Result<Option<Chat>> {
        let mut inner = self.lock();
        if let Some(failure) = inner.failure.take() {
            return Err(failure);
        }
        let Some(place) = inner.places.get(&hash(id)).copied() else { return Ok(None) };
        let mut bytes = vec![0; place.length as usize];
        inner.file.seek(SeekFrom::Start(place.offset))?;
        inner.file.read_exact(&mut bytes)?;
        drop(inner);
        let json = zstd::decode_all(bytes.as_slice())?;
        Ok(Some(serde_json::from_slice(&json)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chat(id: &str, text: &str, critical: bool) -> Chat {
        let agent = ChatAgent { id: "a".into(), name: None, score: None, passed: true, critical };
        let turn = ChatTurn {
            role: Role::Agent,
            agent: Some(0),
            at: None,
            clock: None,
            kind: "text".into(),
            text: text.into(),
        };
        Chat {
            id: id.into(),
            channel: String::new(),
            stage: String::new(),
            began: None,
            rating: None,
            score: Some((90_000, 90_000)),
            satisfaction: None,
            resolution: "unknown".into(),
            topics: Vec::new(),
            agents: vec![agent],
            turns: vec![turn],
            findings: Vec::new(),
            measures: Vec::new(),
        }
    }

    #[test]
    fn what_is_kept_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let spill = Spill::new(folder.path()).unwrap();
        for n in 0..50 {
            spill.keep(&chat(&format!("c{n}"), &"您好".repeat(n), n % 10 == 0));
        }
        for n in (0..50).rev() {
            let read = spill.read(&format!("c{n}")).unwrap().unwrap();
            assert_eq!(read, chat(&format!("c{n}"), &"您好".repeat(n), n % 10 == 0));
        }
        assert_eq!(spill.read("other").unwrap(), None);
        assert_eq!(spill.critical().len(), 5);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "the file has no name");
    }

    #[test]
    fn of_two_with_one_id_the_same_is_kept_in_any_order() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (chat("c", "甲", false), chat("c", "乙", false));
        let kept = [[&one, &two], [&two, &one]].map(|order| {
            let spill = Spill::new(folder.path()).unwrap();
            order.iter().for_each(|c| spill.keep(c));
            spill.read("c").unwrap().unwrap()
        });
        assert_eq!(kept[0], kept[1]);
    }
}
