//! Samples, sheets given out and cases as they were judged.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::de::DeserializeOwned;

use super::{NightRow, Selection, Store, damaged, told};
use crate::error::Result;
use crate::pack::Pack;
use crate::report::reviewed::{Reviewed, reviewed};
use crate::review::CaseKey;
use crate::review::case::Case;
use crate::review::plan::Kind;
use crate::review::rulings::standing;
use crate::review::sheet::Sheet;
use crate::review::stats::{ReviewedCase, ReviewedCases};
use crate::score::partial::{from_bytes, to_bytes};

/// A sample as it was drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Its name, unique in the store.
    pub id: String,
    /// The night.
    pub night: String,
    /// Part of it; empty for a night in one piece.
    pub part: String,
    /// How it was drawn.
    pub kind: Kind,
    /// The seed.
    pub seed: u64,
    /// How it was asked for.
    pub plan: String,
    /// When.
    pub at: String,
    /// By whom.
    pub who: String,
}

/// A case of a sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrawnCase {
    /// Its number in the sample, from 1.
    pub number: u32,
    /// The conversation.
    pub conversation: String,
    /// The agent.
    pub agent: String,
    /// The stratum it was drawn from.
    pub stratum: String,
    /// Cases in the stratum, and those drawn of them.
    pub of: (u64, u64),
    /// Why, in a targeted sample.
    pub reasons: String,
}

impl Store {
    /// Keeps a sample with its cases and sheets, in one transaction. Drawing the same again adds nothing.
    ///
    /// # Errors
    /// When the store cannot be written; it is then as it was.
    pub fn keep_sample(
        &mut self,
        sample: &Sample,
        drawn: &[DrawnCase],
        cases: &[Case],
        pack: &Pack,
        sheets: &[Sheet],
    ) -> Result<()> {
        let path = self.path.clone();
        let tx = self.begin()?;
        let done = || -> rusqlite::Result<()> {
            tx.execute(
                "INSERT INTO review_samples VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
                params![
                    sample.id,
                    sample.night,
                    sample.part,
                    sample.kind.id(),
                    sample.seed.cast_signed(),
                    sample.plan,
                    sample.at,
                    sample.who
                ],
            )?;
            for d in drawn {
                tx.execute(
                    "INSERT INTO review_drawn VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
                    params![
                        sample.id,
                        d.number,
                        d.conversation,
                        d.agent,
                        d.stratum,
                        d.of.0.cast_signed(),
                        d.of.1.cast_signed(),
                        d.reasons
                    ],
                )?;
            }
            insert_cases(&tx, &sample.night, &sample.part, &pack.hash, cases)?;
            insert_sheets(&tx, sheets, &sample.at)
        };
        done().and_then(|()| tx.commit()).map_err(|e| told(&path, &e))
    }

    /// Keeps sheets given out.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn keep_sheets(&mut self, sheets: &[Sheet], at: &str) -> Result<()> {
        let path = self.path.clone();
        let tx = self.begin()?;
        insert_sheets(&tx, sheets, at).and_then(|()| tx.commit()).map_err(|e| told(&path, &e))
    }

    /// Keeps cases as a pack judges them now.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn keep_cases(&mut self, night: &str, part: &str, pack: &Pack, cases: &[Case]) -> Result<()> {
        let path = self.path.clone();
        let tx = self.begin()?;
        insert_cases(&tx, night, part, &pack.hash, cases).and_then(|()| tx.commit()).map_err(|e| told(&path, &e))
    }

    /// Every sample, by name.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn samples(&self) -> Result<Vec<Sample>> {
        let read = |row: &Row<'_>| -> rusqlite::Result<Sample> {
            let kind: String = row.get(3)?;
            Ok(Sample {
                id: row.get(0)?,
                night: row.get(1)?,
                part: row.get(2)?,
                kind: Kind::parse(&kind).unwrap_or(Kind::Targeted),
                seed: row.get::<_, i64>(4)?.cast_unsigned(),
                plan: row.get(5)?,
                at: row.get(6)?,
                who: row.get(7)?,
            })
        };
        let sql = "SELECT id, night, part, kind, seed, plan, at, who FROM review_samples ORDER BY id";
        self.list(sql, [], read)
    }

    /// The cases of a sample, by number.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn drawn(&self, sample: &str) -> Result<Vec<DrawnCase>> {
        let read = |row: &Row<'_>| -> rusqlite::Result<DrawnCase> {
            Ok(DrawnCase {
                number: row.get(0)?,
                conversation: row.get(1)?,
                agent: row.get(2)?,
                stratum: row.get(3)?,
                of: (row.get::<_, i64>(4)?.unsigned_abs(), row.get::<_, i64>(5)?.unsigned_abs()),
                reasons: row.get(6)?,
            })
        };
        let sql = "SELECT number, conversation, agent, stratum, population, drawn, reasons FROM review_drawn
                   WHERE sample = ?1 ORDER BY number";
        self.list(sql, [sample], read)
    }

    /// Conversations and agents of all samples of a night.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn drawn_conversations(&self, night: &str, part: &str) -> Result<Vec<(String, String)>> {
        let sql = "SELECT DISTINCT d.conversation, d.agent FROM review_drawn d JOIN review_samples s ON s.id = d.sample
                   WHERE s.night = ?1 AND s.part = ?2 ORDER BY d.conversation, d.agent";
        self.list(sql, [night, part], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// A case as a pack judged it; with `pack` `None` as any pack did (the night's own first).
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn case(&self, key: &CaseKey, pack: Option<&str>) -> Result<Option<Case>> {
        let sql =
            "SELECT record FROM review_cases c WHERE night = ?1 AND part = ?2 AND conversation = ?3 AND agent = ?4
                       AND (?5 IS NULL OR pack_sha256 = ?5)
                   ORDER BY pack_sha256 NOT IN (SELECT n.pack_sha256 FROM nights n WHERE n.night = c.night
                       AND n.part = c.part), pack_sha256 LIMIT 1";
        let bytes: Option<Vec<u8>> = self
            .connection
            .prepare_cached(sql)
            .and_then(|mut s| {
                let bound = params![key.night, key.part, key.conversation, key.agent, pack];
                s.query_row(bound, |row| row.get(0)).optional()
            })
            .map_err(|e| self.failed(&e))?;
        bytes.map(|b| self.read(&b, &key.conversation)).transpose()
    }

    /// A sheet as it was given out.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn sheet(&self, id: &str) -> Result<Option<Sheet>> {
        let sql = "SELECT model FROM review_sheets WHERE id = ?1";
        let bytes: Option<Vec<u8>> =
            self.connection.query_row(sql, [id], |row| row.get(0)).optional().map_err(|e| self.failed(&e))?;
        bytes.map(|b| self.read(&b, id)).transpose()
    }

    /// Sheets given out: id, sample, round, reviewer.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn sheets(&self) -> Result<Vec<[String; 4]>> {
        let sql = "SELECT id, sample, round, reviewer FROM review_sheets ORDER BY sample, round, reviewer, id";
        self.list(sql, [], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]))
    }

    /// The reviewed cases of a selection of nights (of all without one).
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn reviewed(&self, selection: Option<&Selection>) -> Result<ReviewedCases> {
        let rows = match selection {
            Some(selection) => self.selected(selection)?,
            None => self.nights()?,
        };
        let own = |row: NightRow| (row.night, row.part, row.stamp.sha256);
        self.reviewed_of(&rows.into_iter().map(own).collect::<Vec<_>>())
    }

    /// What review did to the figures of some nights, by the pack of the last of them; `None` when nobody has reviewed
    /// any.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn after_review(&self, selection: &Selection) -> Result<Option<Reviewed>> {
        let cases = self.reviewed(Some(selection))?;
        if cases.cases.is_empty() {
            return Ok(None);
        }
        let period = self.load(selection, None)?;
        Ok(reviewed(&period.pack, &period.partial.aggregate, &cases))
    }

    /// The reviewed cases of nights (night, part) as the packs with these hashes judge them.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn reviewed_of(&self, nights: &[(String, String, String)]) -> Result<ReviewedCases> {
        let mut out = ReviewedCases::default();
        let mut weights = BTreeMap::<CaseKey, Vec<(Kind, f64)>>::new();
        for sample in self.samples()? {
            for d in self.drawn(&sample.id)? {
                let key = CaseKey {
                    night: sample.night.clone(),
                    part: sample.part.clone(),
                    conversation: d.conversation,
                    agent: d.agent,
                };
                let kinds = weights.entry(key).or_default();
                if !kinds.iter().any(|k| k.0 == sample.kind) {
                    let weight = if d.of.1 > 0 { d.of.0 as f64 / d.of.1 as f64 } else { 1.0 };
                    kinds.push((sample.kind, weight));
                }
            }
        }
        for (night, part, pack) in nights {
            for (key, standing) in standing(&self.reviews(night, part)?) {
                match self.case(&key, Some(pack))? {
                    Some(case) => {
                        let samples = weights.get(&key).cloned().unwrap_or_default();
                        out.cases.push(ReviewedCase { key, case, standing, samples });
                    }
                    None => out.stale.push(key),
                }
            }
        }
        Ok(out)
    }

    pub(super) fn list<T, P: rusqlite::Params>(
        &self,
        sql: &str,
        bound: P,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        let rows = || -> rusqlite::Result<Vec<T>> {
            let mut select = self.connection.prepare_cached(sql)?;
            select.query_map(bound, read)?.collect()
        };
        rows().map_err(|e| self.failed(&e))
    }

    fn read<T: DeserializeOwned>(&self, bytes: &[u8], what: &str) -> Result<T> {
        from_bytes(bytes).map_err(|e| damaged(&self.path, what, &e))
    }
}

fn insert_cases(tx: &Connection, night: &str, part: &str, pack: &str, cases: &[Case]) -> rusqlite::Result<()> {
    let sql = "INSERT INTO review_cases VALUES (?1, ?2, ?3, ?4, ?5, ?6)
               ON CONFLICT DO UPDATE SET record = excluded.record";
    let mut insert = tx.prepare_cached(sql)?;
    for case in cases {
        insert.execute(params![night, part, case.conversation, case.agent, pack, to_bytes(case)])?;
    }
    Ok(())
}

fn insert_sheets(tx: &Connection, sheets: &[Sheet], at: &str) -> rusqlite::Result<()> {
    let sql = "INSERT INTO review_sheets VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";
    let mut insert = tx.prepare_cached(sql)?;
    for s in sheets {
        insert.execute(params![s.id, s.sample, s.round.id(), s.reviewer, at, to_bytes(s)])?;
    }
    Ok(())
}

impl Store {
    /// Takes chats, quotes and reasons out of the cases of a night; scores and decisions stay.
    pub(super) fn strip_cases(tx: &Connection, night: &str) -> rusqlite::Result<()> {
        let mut select = tx.prepare("SELECT rowid, record FROM review_cases WHERE night = ?1")?;
        let rows: Vec<(i64, Vec<u8>)> =
            select.query_map([night], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
        for (id, bytes) in rows {
            let Ok(mut case) = from_bytes::<Case>(&bytes) else { continue };
            case.chat = None;
            for finding in &mut case.findings {
                (finding.quote, finding.why, finding.phrase) = Default::default();
            }
            tx.execute("UPDATE review_cases SET record = ?2 WHERE rowid = ?1", params![id, to_bytes(&case)])?;
        }
        tx.execute(
            "DELETE FROM review_sheets WHERE sample IN (SELECT id FROM review_samples WHERE night = ?1)
                 AND id NOT IN (SELECT sheet FROM review_imports)",
            [night],
        )?;
        Ok(())
    }
}
