//! Writing a night: everything in one transaction, replacing what was there.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use super::{Store, told};
use crate::error::{Error, Result};
use crate::input::FileSummary;
use crate::metrics::profile::ProfileCount;
use crate::pack::Pack;
use crate::pipeline::Summary;
use crate::report::calendar;
use crate::score::burst::{self, WordCount};
use crate::score::contacts::{Contact, ContactLog};
use crate::score::partial::{Partial, Quotes, pack_contacts, to_bytes};
use crate::score::service::{Cell, Dimension};

/// Contacts in one piece.
const PIECE: usize = 1 << 14;

/// A night ready to be stored.
#[derive(Debug)]
pub struct Record<'r> {
    /// `2026-11-20`.
    pub night: String,
    /// Part of it; empty for a night in one piece.
    pub part: String,
    /// By what it was judged.
    pub pack: &'r Pack,
    /// The sums.
    pub partial: Partial,
    /// The words.
    pub quotes: Quotes,
    /// In how many conversations each word of customers occurs.
    pub words: BTreeMap<String, WordCount>,
    files: &'r [FileSummary],
    records: (u64, u64),
}

/// What targets of longer periods need of a night.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Days {
    /// Measures, in the order of the cells.
    pub metrics: Vec<String>,
    /// Its days.
    pub days: BTreeMap<String, Cell>,
    /// Everyone's platform figures, by profile.
    pub profiles: BTreeMap<String, ProfileCount>,
}

impl<'r> Record<'r> {
    /// The record of a run.
    ///
    /// # Errors
    /// When `night` is no day.
    pub fn new(night: &str, part: &str, pack: &'r Pack, summary: &'r Summary) -> Result<Record<'r>> {
        if calendar::day(night).is_none() {
            let reason = format!("`{night}` 不是日期,要写成 2026-11-20 这样");
            return Err(Error::Setting { option: "--night".into(), reason });
        }
        let words = burst::words(&summary.aggregate.service.topics);
        let (partial, quotes) = Partial::split(pack, summary.aggregate.clone());
        Ok(Record {
            night: night.to_string(),
            part: part.to_string(),
            pack,
            partial,
            quotes,
            words,
            files: &summary.files,
            records: (summary.records_inspected, summary.records_rejected),
        })
    }

    fn days(&self) -> Days {
        let service = &self.partial.aggregate.service;
        let profiles = service.profiles.iter().filter_map(|(id, agents)| Some((id.clone(), agents.get("")?.clone())));
        Days {
            metrics: self.partial.names.metrics.clone(),
            days: service.cells.get(&Dimension::Day).cloned().unwrap_or_default(),
            profiles: profiles.collect(),
        }
    }
}

impl Store {
    /// Stores a night in one transaction, in place of what was stored under its name. `contacts` are those of the run
    /// (night 0 of the log).
    ///
    /// # Errors
    /// When the store cannot be written; it is then as it was.
    pub fn write(&mut self, record: &Record<'_>, contacts: &mut ContactLog) -> Result<()> {
        let path = self.path.clone();
        let spooled = |e: std::io::Error| Error::read(std::env::temp_dir(), e);
        let tx = self.begin()?;
        let done = || -> rusqlite::Result<()> {
            tx.execute("DELETE FROM nights WHERE night = ?1 AND part = ?2", params![record.night, record.part])?;
            insert(&tx, record)
        };
        done().map_err(|e| told(&path, &e))?;
        let (mut number, mut total, mut piece) = (0u32, 0u64, Vec::<Contact>::with_capacity(PIECE));
        let mut keep = |piece: &mut Vec<Contact>| -> Result<()> {
            let sql = "INSERT INTO contacts (night, part, number, bytes) VALUES (?1, ?2, ?3, ?4)";
            let bytes = pack_contacts(piece);
            tx.execute(sql, params![record.night, record.part, number, bytes]).map_err(|e| told(&path, &e))?;
            number += 1;
            total += piece.len() as u64;
            piece.clear();
            Ok(())
        };
        for contact in contacts.sorted().map_err(spooled)? {
            let contact = contact.map_err(spooled)?;
            if contact.night == 0 {
                piece.push(contact);
            }
            if piece.len() == PIECE {
                keep(&mut piece)?;
            }
        }
        if !piece.is_empty() {
            keep(&mut piece)?;
        }
        let sql = "UPDATE nights SET contacts = ?3 WHERE night = ?1 AND part = ?2";
        tx.execute(sql, params![record.night, record.part, integer(total)]).map_err(|e| told(&path, &e))?;
        super::follow::refresh(&tx, &path, &record.night, &record.partial.names.topics)?;
        super::prune::tidy(&tx).and_then(|()| tx.commit()).map_err(|e| told(&path, &e))
    }
}

/// SQLite's integers are signed; sums that do not fit are beyond any real night.
fn integer<T: TryInto<i64>>(n: T) -> i64 {
    n.try_into().unwrap_or(i64::MAX)
}

fn insert(tx: &Connection, record: &Record<'_>) -> rusqlite::Result<()> {
    let Record { night, part, pack, partial, .. } = record;
    let aggregate = &partial.aggregate;
    let topics = serde_json::to_string(&partial.names.topics).unwrap_or_default();
    let sources = zstd::encode_all(pack.sources.to_json().as_bytes(), 9).unwrap_or_default();
    tx.execute(
        "INSERT INTO packs (sha256, id, version, title, topics, sources) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (sha256) DO NOTHING",
        params![pack.hash, pack.id, pack.version, pack.title, topics, sources],
    )?;
    let (all, service) = (&aggregate.all, &aggregate.service);
    tx.execute(
        "INSERT INTO nights (night, part, program, pack_sha256, thresholds, records_inspected, records_rejected,
             conversations, judged, agent_conversations, score_sum, score_squares, passed, critical, resolved,
             unresolved, anonymous, contacts, quotes)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, 0, 1)",
        params![
            night,
            part,
            env!("CARGO_PKG_VERSION"),
            pack.hash,
            partial.stamp.thresholds,
            integer(record.records.0),
            integer(record.records.1),
            integer(aggregate.conversations),
            integer(aggregate.judged),
            integer(all.conversations),
            all.score_sum,
            integer(all.score_squares),
            integer(all.passed),
            integer(all.critical),
            integer(service.all.resolution[0]),
            integer(service.all.resolution[1]),
            integer(service.cross.anonymous),
        ],
    )?;
    let mut input = tx.prepare_cached("INSERT INTO inputs VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
    for (number, file) in record.files.iter().enumerate() {
        let (bytes, records) = (integer(file.bytes), integer(file.records));
        input.execute(params![night, part, integer(number), file.path, bytes, file.sha256, records])?;
    }
    let mut own = tx.prepare_cached("INSERT INTO agents VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)")?;
    let mut rule = tx.prepare_cached("INSERT INTO agent_rules VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?;
    let mut dimension = tx.prepare_cached("INSERT INTO agent_dimensions VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    for (agent, t) in &aggregate.agents {
        own.execute(params![
            night,
            part,
            agent,
            t.name,
            t.team,
            integer(t.conversations),
            t.score_sum,
            integer(t.score_squares),
            t.raw_sum,
            integer(t.passed),
            integer(t.critical),
        ])?;
        for (number, c) in &t.rules {
            let Some(id) = partial.names.rules.get(*number as usize) else { continue };
            let counts = [c.applicable, c.found, c.findings, c.review].map(integer);
            rule.execute(params![night, part, agent, id, counts[0], counts[1], counts[2], counts[3], c.points])?;
        }
        for ((id, _), c) in partial.names.dimensions.iter().zip(&t.dimensions) {
            dimension.execute(params![night, part, agent, id, integer(c.applicable), c.lost])?;
        }
    }
    let mut topic = tx.prepare_cached("INSERT INTO topics VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for (id, t) in &service.topics {
        topic.execute(params![night, part, id, integer(t.conversations), integer(t.main)])?;
    }
    let mut piece = tx.prepare_cached("INSERT INTO pieces VALUES (?1, ?2, ?3, ?4)")?;
    for (kind, bytes) in [
        ("sums", to_bytes(partial)),
        ("quotes", to_bytes(&record.quotes)),
        ("words", to_bytes(&record.words)),
        ("days", to_bytes(&record.days())),
    ] {
        piece.execute(params![night, part, kind, bytes])?;
    }
    Ok(())
}
