//! Reading nights back: one, a part of one, or all of a week, month, quarter or year added up.

use rusqlite::{Row, params};

use super::{Store, damaged, refused};
use crate::error::{Error, Result};
use crate::metrics::METRICS;
use crate::pack::Pack;
use crate::pack::source::PackSources;
use crate::report::calendar::{self, Calendar, Unit};
use crate::report::targets::Earlier;
use crate::score::partial::{self, Lost, Names, Partial, Quotes, Stamp};

use super::write::Days;

/// A stored night, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NightRow {
    /// `2026-11-20`.
    pub night: String,
    /// Part of it; empty for a night in one piece.
    pub part: String,
    /// By what it was judged.
    pub stamp: Stamp,
    /// Records inspected and rejected.
    pub records: (u64, u64),
    /// Conversations, and those judged.
    pub conversations: (u64, u64),
    /// Conversations by agent: how many, passed, with a critical finding.
    pub agent_conversations: (u64, u64, u64),
    /// Sum of milli-points over them.
    pub score_sum: i64,
    /// Evidence is still there.
    pub quotes: bool,
}

/// Which nights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// From when to when.
    pub span: Calendar,
    /// Only this part of each night.
    pub part: Option<String>,
}

impl Selection {
    /// The nights of a period by its label, such as `2026-W47`.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(label: &str, option: &str) -> Result<Selection> {
        let span = Calendar::parse(label).ok_or_else(|| Error::Setting {
            option: option.into(),
            reason: format!("`{label}` 不是日期或周期,可写 2026-11-20、2026-W47、2026-11、2026-Q4、2026"),
        })?;
        Ok(Selection { span, part: None })
    }
}

/// The nights of a period added up, ready to be reported.
#[derive(Debug)]
pub struct Period {
    /// Its label.
    pub label: String,
    /// The nights and parts in it.
    pub rows: Vec<NightRow>,
    /// The pack it is reported by: that of its last night.
    pub pack: Pack,
    /// The sums with what was said, by the numbers of that pack.
    pub partial: Partial,
    /// What the pack does not know of earlier nights.
    pub lost: Lost,
    /// True when pack or thresholds changed within.
    pub mixed: bool,
}

impl Store {
    /// Every stored night, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn nights(&self) -> Result<Vec<NightRow>> {
        self.rows("0000", "9999", None)
    }

    /// The stored nights of a selection, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn selected(&self, selection: &Selection) -> Result<Vec<NightRow>> {
        let (from, to) = (selection.span.start.to_string(), selection.span.end.to_string());
        self.rows(&from, &to, selection.part.as_deref())
    }

    pub(super) fn rows(&self, from: &str, to: &str, part: Option<&str>) -> Result<Vec<NightRow>> {
        let sql = "SELECT n.night, n.part, p.id, p.version, p.sha256, n.thresholds, n.records_inspected,
                       n.records_rejected, n.conversations, n.judged, n.agent_conversations, n.passed, n.critical,
                       n.score_sum, n.quotes
                   FROM nights n JOIN packs p ON p.sha256 = n.pack_sha256
                   WHERE n.night BETWEEN ?1 AND ?2 AND (?3 IS NULL OR n.part = ?3) ORDER BY n.night, n.part";
        let count = |row: &Row<'_>, i: usize| row.get::<_, i64>(i).map(i64::unsigned_abs);
        let read = |row: &Row<'_>| -> rusqlite::Result<NightRow> {
            Ok(NightRow {
                night: row.get(0)?,
                part: row.get(1)?,
                stamp: Stamp { pack: row.get(2)?, version: row.get(3)?, sha256: row.get(4)?, thresholds: row.get(5)? },
                records: (count(row, 6)?, count(row, 7)?),
                conversations: (count(row, 8)?, count(row, 9)?),
                agent_conversations: (count(row, 10)?, count(row, 11)?, count(row, 12)?),
                score_sum: row.get(13)?,
                quotes: row.get(14)?,
            })
        };
        let rows = || -> rusqlite::Result<Vec<NightRow>> {
            let mut select = self.connection.prepare_cached(sql)?;
            select.query_map(params![from, to, part], read)?.collect()
        };
        rows().map_err(|e| self.failed(&e))
    }

    /// The nights of a selection added up, under the pack of the last of them or under `pack`.
    ///
    /// # Errors
    /// When there is none, the store cannot be read, or the pack of then cannot be loaded by this program.
    pub fn load(&self, selection: &Selection, pack: Option<Pack>) -> Result<Period> {
        let rows = self.selected(selection)?;
        let label = selection.span.label();
        let Some(last) = rows.last() else { return Err(self.none(selection)) };
        let pack = match pack {
            Some(pack) => pack,
            None => self.pack(&last.stamp.sha256)?,
        };
        let names = Names::of(&pack);
        let (mut partial, lost, mixed) = self.merged(&rows, Some(&names), true)?;
        let nights = nights_of(&rows);
        if selection.span.unit != Unit::Day && selection.part.is_none() {
            partial.aggregate.service.cross = self.followed(&nights)?;
        } else if rows.len() > 1
            && selection.span.unit == Unit::Day
            && let Some(cross) = self.follow_parts(&nights[0], &names)?
        {
            partial.aggregate.service.cross = cross;
        }
        Ok(Period { label, rows, pack, partial, lost, mixed })
    }

    /// The sums of these nights added up by the numbers of `names` (else of the last night's), whether with what was
    /// said, what got lost on the way, and whether pack or thresholds changed among them.
    pub(super) fn merged(
        &self,
        rows: &[NightRow],
        names: Option<&Names>,
        quotes: bool,
    ) -> Result<(Partial, Lost, bool)> {
        let (mut sum, mut lost) = (Partial::default(), Lost::default());
        let mut names = names.cloned();
        for row in rows.iter().rev() {
            let mut one: Partial = self
                .piece(row, "sums")?
                .ok_or_else(|| refused(&self.path, &format!("{} 缺少汇总数据 (sums missing)", row.night)))?;
            if quotes && let Some(said) = self.piece::<Quotes>(row, "quotes")? {
                one.join(said);
            }
            let names = names.get_or_insert_with(|| one.names.clone());
            let (aggregate, missing) = one.onto(names);
            sum.aggregate.merge(aggregate);
            lost.merge(missing);
        }
        let Some(last) = rows.last() else { return Ok((sum, lost, false)) };
        sum.stamp = last.stamp.clone();
        sum.names = names.unwrap_or_default();
        Ok((sum, lost, rows.iter().any(|row| !row.stamp.compares(&last.stamp))))
    }

    pub(super) fn piece<T: serde::de::DeserializeOwned>(&self, row: &NightRow, kind: &str) -> Result<Option<T>> {
        let sql = "SELECT bytes FROM pieces WHERE night = ?1 AND part = ?2 AND kind = ?3";
        let bytes = self.connection.prepare_cached(sql).and_then(|mut select| {
            select.query_row(params![row.night, row.part, kind], |row| row.get::<_, Vec<u8>>(0))
        });
        match bytes {
            Ok(bytes) => partial::from_bytes(&bytes).map(Some).map_err(|e| damaged(&self.path, &row.night, &e)),
            Err(rusqlite::Error::QueryReturnedNoRows) => Ok(None),
            Err(error) => Err(self.failed(&error)),
        }
    }

    /// The sums of a selection without what was said, and whether pack or thresholds changed among its nights.
    ///
    /// # Errors
    /// When there is none, or the store cannot be read.
    pub fn sums(&self, selection: &Selection) -> Result<(Partial, bool)> {
        let rows = self.selected(selection)?;
        if rows.is_empty() {
            return Err(self.none(selection));
        }
        let (partial, _, mixed) = self.merged(&rows, None, false)?;
        Ok((partial, mixed))
    }

    /// The files a stored night was read from: path as named then, and SHA-256.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn inputs(&self, night: &str, part: &str) -> Result<Vec<(String, String)>> {
        let sql = "SELECT path, sha256 FROM inputs WHERE night = ?1 AND part = ?2 ORDER BY number";
        self.list(sql, [night, part], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    fn none(&self, selection: &Selection) -> Error {
        let part = selection.part.as_deref().map(|p| format!("的“{p}”部分")).unwrap_or_default();
        let label = selection.span.label();
        let reason = format!("没有存过 {label}{part};用 `zhijian history list` 看存了哪些 (no such night)");
        refused(&self.path, &reason)
    }

    /// A pack as it was stored, by its hash.
    ///
    /// # Errors
    /// When it is not there, or this program finds faults in it.
    pub fn pack(&self, sha256: &str) -> Result<Pack> {
        let sql = "SELECT sources FROM packs WHERE sha256 = ?1";
        let stored: Vec<u8> =
            self.connection.query_row(sql, [sha256], |row| row.get(0)).map_err(|e| self.failed(&e))?;
        let text = zstd::decode_all(stored.as_slice()).map_err(|e| refused(&self.path, &e.to_string()))?;
        let text = String::from_utf8(text).map_err(|e| refused(&self.path, &e.to_string()))?;
        let sources = PackSources::from_json(&text).map_err(|e| refused(&self.path, &e.to_string()))?;
        let hint = "这一晚的规则包本程序读不了,请用 --rules 指定一个规则包 (its pack cannot be read)";
        Pack::load_again(&sources).map_err(|e| match e {
            Error::Pack { rendered, .. } => refused(&self.path, &format!("{hint}\n{rendered}")),
            other => other,
        })
    }

    /// What targets of a month, quarter or year need of the nights before a period: from the first day of the year (or
    /// week) of `night`, its last night, to the day before `start`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn earlier(&self, night: &str, start: &str, part: Option<&str>) -> Result<Earlier> {
        let mut out = Earlier { night: night.to_string(), ..Earlier::default() };
        let (Some(day), Some(start)) = (calendar::day(night), calendar::day(start)) else { return Ok(out) };
        let from = Calendar::of(Unit::Year, day).start.min(Calendar::of(Unit::Week, day).start);
        let Ok(to) = start.yesterday() else { return Ok(out) };
        let rows = self.rows(&from.to_string(), &to.to_string(), part)?;
        let followed = match part {
            None => self.followed_each(&nights_of(&rows))?,
            Some(_) => Default::default(),
        };
        let metrics: Vec<String> = METRICS.iter().map(|m| m.1.to_string()).collect();
        for row in &rows {
            let Some(mut days) = self.piece::<Days>(row, "days")? else { continue };
            partial::cells_onto(&mut days.days, &days.metrics, &metrics);
            for (day, cell) in days.days {
                out.days.entry(day).or_default().merge(&cell);
            }
            let kept = out.nights.entry(row.night.clone()).or_default();
            for (id, count) in days.profiles {
                kept.0.entry(id).or_default().merge(&count);
            }
        }
        for (night, totals) in followed {
            out.nights.entry(night).or_default().1 = totals.all;
        }
        Ok(out)
    }
}

/// The different nights of rows, oldest first.
pub(super) fn nights_of(rows: &[NightRow]) -> Vec<String> {
    let mut nights: Vec<String> = rows.iter().map(|row| row.night.clone()).collect();
    nights.dedup();
    nights
}
