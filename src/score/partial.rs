//! An aggregate that another run, another program version or another machine can read: numbers of rules, dimensions,
//! metrics and topics travel with the ids they stand for, so that it can be read under another pack.
//!
//! A partial has three pieces that are kept apart because they age differently: the **sums** ([`Partial`]), the
//! **quotes** ([`Quotes`]: evidence and customers' words) and the **contacts** ([`pack_contacts`]). Each is compressed
//! JSON (contacts: fixed-size records) that begins with its format's number.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::aggregate::{AgentTotals, Aggregate, DimensionCount, EVIDENCE, Evidence, GoodExample, MeasureSum};
use super::contacts::{Contact, SIZE};
use super::histogram::Histogram;
use super::service::Cell;
use super::top::Top;
use super::words::WordSample;
use crate::metrics::METRICS;
use crate::pack::Pack;

/// Number of the format written. Raise it when the meaning or shape of a piece changes.
pub const FORMAT: u32 = 1;

/// Compression level: the bytes must not depend on the machine, and this one is quick.
const LEVEL: i32 = 6;

/// What a stored piece cannot be read for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Written by a newer program.
    #[error("由更新的版本写成(格式 {0},本程序只认到 {FORMAT}),请升级 zhijian (written by a newer version)")]
    Newer(u32),
    /// Not what it should be.
    #[error("数据已损坏: {0} (damaged)")]
    Damaged(String),
}

/// By what an aggregate was judged.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Stamp {
    /// The pack's id.
    pub pack: String,
    /// Its version.
    pub version: String,
    /// SHA-256 over its files.
    pub sha256: String,
    /// SHA-256 over pass mark, weights, least sample, caps, gates and targets of the scorecard.
    pub thresholds: String,
}

impl Stamp {
    /// The stamp of a pack.
    pub fn of(pack: &Pack) -> Stamp {
        let card = &pack.scorecard;
        let mut text = format!(
            "{} {} {} {} {}",
            card.pass_mark, card.min_sample, card.bonus_cap, card.min_agent_turns, card.min_customer_turns
        );
        for dimension in &card.dimensions {
            text += &format!("\n{} {}", dimension.id, dimension.weight);
        }
        for target in &card.targets {
            text += &format!("\n{} {} {:?} {:?}", target.metric, target.period, target.min, target.max);
        }
        let hash = Sha256::digest(text.as_bytes());
        Stamp {
            pack: pack.id.clone(),
            version: pack.version.clone(),
            sha256: pack.hash.clone(),
            thresholds: hash.iter().map(|b| format!("{b:02x}")).collect(),
        }
    }

    /// True when figures under both compare: the same pack and thresholds.
    pub fn compares(&self, other: &Stamp) -> bool {
        (&self.sha256, &self.thresholds) == (&other.sha256, &other.thresholds)
    }
}

/// The ids that an aggregate's numbers stand for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Names {
    /// Rules.
    pub rules: Vec<String>,
    /// Dimensions with their weights.
    pub dimensions: Vec<(String, u32)>,
    /// Measures.
    pub metrics: Vec<String>,
    /// Topics, for contacts.
    pub topics: Vec<String>,
}

impl Names {
    /// Those of a pack and of this program's measures.
    pub fn of(pack: &Pack) -> Names {
        Names {
            rules: pack.rules.iter().map(|r| r.id.clone()).collect(),
            dimensions: pack.scorecard.dimensions.iter().map(|d| (d.id.clone(), d.weight)).collect(),
            metrics: METRICS.iter().map(|m| m.1.to_string()).collect(),
            topics: pack.topics.list.iter().map(|t| t.id.clone()).collect(),
        }
    }
}

/// The sums of a run, with what is needed to read them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Partial {
    /// By what it was judged.
    pub stamp: Stamp,
    /// What its numbers stand for.
    pub names: Names,
    /// The sums.
    pub aggregate: Aggregate,
}

/// Evidence and good examples by rule number.
type QuotesOf = BTreeMap<u32, (Top<Evidence, EVIDENCE>, Top<GoodExample, EVIDENCE>)>;

/// What of an aggregate is words people said, by the numbers of the same [`Names`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Quotes {
    all: QuotesOf,
    agents: BTreeMap<String, QuotesOf>,
    words: BTreeMap<String, WordSample>,
}

/// Ids another pack does not know; what was counted under them is left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lost {
    /// Rules.
    pub rules: BTreeSet<String>,
    /// Dimensions.
    pub dimensions: BTreeSet<String>,
    /// Measures.
    pub metrics: BTreeSet<String>,
}

impl Lost {
    /// True when nothing was left out.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.dimensions.is_empty() && self.metrics.is_empty()
    }

    /// Adds what another reading left out.
    pub fn merge(&mut self, other: Lost) {
        self.rules.extend(other.rules);
        self.dimensions.extend(other.dimensions);
        self.metrics.extend(other.metrics);
    }
}

impl Partial {
    /// The sums of a run under a pack, and the words apart from them.
    pub fn split(pack: &Pack, mut aggregate: Aggregate) -> (Partial, Quotes) {
        let quotes = Quotes {
            all: take(&mut aggregate.all),
            agents: aggregate.agents.iter_mut().map(|(id, totals)| (id.clone(), take(totals))).collect(),
            words: aggregate
                .service
                .topics
                .iter_mut()
                .map(|(id, topic)| (id.clone(), std::mem::take(&mut topic.words)))
                .collect(),
        };
        (Partial { stamp: Stamp::of(pack), names: Names::of(pack), aggregate }, quotes)
    }

    /// Puts the words back where they were.
    pub fn join(&mut self, quotes: Quotes) {
        put(&mut self.aggregate.all, quotes.all);
        for (id, own) in quotes.agents {
            if let Some(totals) = self.aggregate.agents.get_mut(&id) {
                put(totals, own);
            }
        }
        for (id, words) in quotes.words {
            if let Some(topic) = self.aggregate.service.topics.get_mut(&id) {
                topic.words = words;
            }
        }
    }

    /// The sums by the numbers of other names. What those do not know is left out and told.
    pub fn onto(self, names: &Names) -> (Aggregate, Lost) {
        let mut aggregate = self.aggregate;
        if self.names == *names {
            return (aggregate, Lost::default());
        }
        let mut lost = Lost::default();
        let ids = |list: &[(String, u32)]| list.iter().map(|d| d.0.clone()).collect::<Vec<_>>();
        let rules = places(&self.names.rules, &names.rules);
        let dimensions = places(&ids(&self.names.dimensions), &ids(&names.dimensions));
        let metrics = places(&self.names.metrics, &names.metrics);
        for totals in aggregate.agents.values_mut().chain(std::iter::once(&mut aggregate.all)) {
            totals.rules = std::mem::take(&mut totals.rules)
                .into_iter()
                .filter_map(|(number, count)| match rules.get(number as usize).copied().flatten() {
                    Some(new) => Some((new as u32, count)),
                    None => {
                        lost.rules.extend(self.names.rules.get(number as usize).cloned());
                        None
                    }
                })
                .collect();
            let used = |d: &DimensionCount| d.applicable > 0;
            totals.dimensions = moved(&totals.dimensions, &dimensions, names.dimensions.len(), used, |old| {
                lost.dimensions.extend(self.names.dimensions.get(old).map(|d| d.0.clone()));
            });
            let used = |m: &MeasureSum| m.n > 0;
            totals.measures = moved(&totals.measures, &metrics, names.metrics.len(), used, |old| {
                lost.metrics.extend(self.names.metrics.get(old).cloned());
            });
        }
        let service = &mut aggregate.service;
        let cells = service.cells.values_mut().flat_map(BTreeMap::values_mut);
        for cell in cells.chain(std::iter::once(&mut service.all)) {
            cell.measures = moved(&cell.measures, &metrics, names.metrics.len(), |h: &Histogram| h.n > 0, |_| {});
        }
        (aggregate, lost)
    }
}

/// The cells of days by the measures of other names.
pub fn cells_onto(cells: &mut BTreeMap<String, Cell>, from: &[String], to: &[String]) {
    if from != to {
        let metrics = places(from, to);
        for cell in cells.values_mut() {
            cell.measures = moved(&cell.measures, &metrics, to.len(), |h: &Histogram| h.n > 0, |_| {});
        }
    }
}

fn take(totals: &mut AgentTotals) -> QuotesOf {
    let each = totals.rules.iter_mut();
    each.map(|(number, count)| (*number, (std::mem::take(&mut count.evidence), std::mem::take(&mut count.good))))
        .filter(|(_, (evidence, good))| !evidence.items().is_empty() || !good.items().is_empty())
        .collect()
}

fn put(totals: &mut AgentTotals, quotes: QuotesOf) {
    for (number, (evidence, good)) in quotes {
        if let Some(count) = totals.rules.get_mut(&number) {
            (count.evidence, count.good) = (evidence, good);
        }
    }
}

/// For each old number the new one.
fn places(old: &[String], new: &[String]) -> Vec<Option<usize>> {
    let new: BTreeMap<&str, usize> = new.iter().enumerate().map(|(i, id)| (id.as_str(), i)).collect();
    old.iter().map(|id| new.get(id.as_str()).copied()).collect()
}

/// A list by new numbers; entries in use that have none are told. An empty list stays empty.
fn moved<T: Clone + Default>(
    list: &[T],
    places: &[Option<usize>],
    len: usize,
    used: impl Fn(&T) -> bool,
    mut lost: impl FnMut(usize),
) -> Vec<T> {
    if list.is_empty() {
        return Vec::new();
    }
    let mut out = vec![T::default(); len];
    for (old, item) in list.iter().enumerate() {
        match places.get(old).copied().flatten() {
            Some(new) => out[new] = item.clone(),
            None if used(item) => lost(old),
            None => {}
        }
    }
    out
}

/// A piece as bytes: the format's number, then compressed JSON.
pub fn to_bytes<T: Serialize>(piece: &T) -> Vec<u8> {
    let json = serde_json::to_vec(piece).unwrap_or_default();
    compressed(&json)
}

fn compressed(plain: &[u8]) -> Vec<u8> {
    let mut out = FORMAT.to_le_bytes().to_vec();
    // Writing to memory does not fail.
    out.extend(zstd::encode_all(plain, LEVEL).unwrap_or_default());
    out
}

fn plain(bytes: &[u8]) -> Result<Vec<u8>, Unreadable> {
    let damaged = |what: &str| Unreadable::Damaged(what.to_string());
    let (format, rest) = bytes.split_first_chunk::<4>().ok_or_else(|| damaged("太短"))?;
    match u32::from_le_bytes(*format) {
        FORMAT => zstd::decode_all(rest).map_err(|e| damaged(&e.to_string())),
        newer if newer > FORMAT => Err(Unreadable::Newer(newer)),
        other => Err(damaged(&format!("格式号 {other}"))),
    }
}

/// Reads what [`to_bytes`] wrote.
///
/// # Errors
/// When it is damaged or from a newer program.
pub fn from_bytes<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Unreadable> {
    serde_json::from_slice(&plain(bytes)?).map_err(|e| Unreadable::Damaged(e.to_string()))
}

/// Contacts as bytes. Keep pieces small (some ten thousand): one is held in memory.
pub fn pack_contacts(contacts: &[Contact]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(contacts.len() * SIZE);
    for contact in contacts {
        // Writing to memory does not fail.
        let _ = contact.write(&mut bytes);
    }
    compressed(&bytes)
}

/// Reads what [`pack_contacts`] wrote, with topics by the numbers of `new` (unknown ones are as good as none).
///
/// # Errors
/// When it is damaged or from a newer program.
pub fn unpack_contacts(bytes: &[u8], old: &[String], new: &[String]) -> Result<Vec<Contact>, Unreadable> {
    let plain = plain(bytes)?;
    if plain.len() % SIZE != 0 {
        return Err(Unreadable::Damaged(format!("{} 字节不是 {SIZE} 的倍数", plain.len())));
    }
    let topics = (old != new).then(|| places(old, new));
    plain
        .chunks_exact(SIZE)
        .map(|mut record| {
            let mut contact = Contact::read(&mut record).map_err(|e| Unreadable::Damaged(e.to_string()))?;
            if let (Some(topics), Some(number)) = (&topics, usize::from(contact.topic).checked_sub(1)) {
                contact.topic = topics.get(number).copied().flatten().map_or(0, |new| new as u16 + 1);
            }
            Ok(contact)
        })
        .collect()
}
