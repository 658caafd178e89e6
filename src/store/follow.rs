//! Customers followed across nights: a customer who comes back the next night is a recontact of the night before, and a
//! complaint may be solved nights later.
//!
//! A run sees its own contacts, and those of up to [`REACH`] days before as context (so that a complaint made again
//! belongs to the earlier case). Each time a night is written, what became of the contacts of the nights around it is
//! counted anew over all of them and kept in `followed`: for a night, what happened until the stored nights that follow
//! it *without a gap* end, at most [`REACH`] days on. A missing night ends what is known, since nobody can tell who
//! came back in it.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::ToSpan;
use jiff::civil::Date;
use rusqlite::{Connection, params};

use super::{Store, damaged, refused, told};
use crate::error::{Error, Result};
use crate::report::calendar;
use crate::score::contacts::{ContactLog, CrossTotals};
use crate::score::partial::{Names, from_bytes, to_bytes, unpack_contacts};

/// Days to either side: the longest window is 72 hours, and contacts end after midnight.
const REACH: i64 = 4;

/// The days from `REACH · times` before to as many after.
fn around(day: Date, before: i64, after: i64) -> (String, String) {
    let (from, to) = (day.saturating_sub((REACH * before).days()), day.saturating_add((REACH * after).days()));
    (from.to_string(), to.to_string())
}

impl Store {
    /// Follows a run's customers with the contacts of the days before as context, and counts its own.
    ///
    /// # Errors
    /// When the store or temporary files cannot be read.
    pub fn follow(&self, night: &str, topics: &[String], contacts: &mut ContactLog) -> Result<CrossTotals> {
        let spooled = |e| Error::read(std::env::temp_dir(), e);
        let Some(last) = contacts.last() else { return contacts.finish().map_err(spooled) };
        if let Some(day) = calendar::day(night) {
            let (from, to) = around(day, 1, 0);
            for (earlier, _) in kept(&self.connection, &self.path, &from, &to)?.range(..night.to_string()) {
                read(&self.connection, &self.path, earlier, topics, |mut contact| {
                    contact.night = 1;
                    contacts.add(contact);
                })?;
            }
        }
        let totals = contacts.follow(vec![last]).map_err(spooled)?.pop().unwrap_or_default();
        Ok(CrossTotals { anonymous: contacts.anonymous, ..totals })
    }

    /// What was known of a night of several parts when it was new: all parts together, the days before as context.
    /// `None` when its contacts are pruned.
    pub(super) fn follow_parts(&self, night: &str, names: &Names) -> Result<Option<CrossTotals>> {
        if kept(&self.connection, &self.path, night, night)?.get(night) != Some(&true) {
            return Ok(None);
        }
        let mut log = ContactLog::default();
        read(&self.connection, &self.path, night, &names.topics, |contact| log.add(contact))?;
        self.follow(night, &names.topics, &mut log).map(Some)
    }

    /// What became of the contacts of these nights, added up, as far as it is known.
    pub(super) fn followed(&self, nights: &[String]) -> Result<CrossTotals> {
        let mut sum = CrossTotals::default();
        for (_, totals) in self.followed_each(nights)? {
            sum.merge(&totals);
        }
        Ok(sum)
    }

    /// The same night by night.
    pub(super) fn followed_each(&self, nights: &[String]) -> Result<BTreeMap<String, CrossTotals>> {
        let mut out = BTreeMap::new();
        let failed = |e| self.failed(&e);
        let mut select =
            self.connection.prepare_cached("SELECT bytes FROM followed WHERE night = ?1").map_err(failed)?;
        for night in nights {
            let bytes: Vec<u8> = match select.query_row([night], |row| row.get(0)) {
                Ok(bytes) => bytes,
                Err(rusqlite::Error::QueryReturnedNoRows) => continue,
                Err(error) => return Err(failed(error)),
            };
            let totals = from_bytes(&bytes).map_err(|e| damaged(&self.path, night, &e))?;
            out.insert(night.clone(), totals);
        }
        Ok(out)
    }
}

/// The nights from one day to another, with whether all their contacts are still stored.
fn kept(connection: &Connection, path: &Path, from: &str, to: &str) -> Result<BTreeMap<String, bool>> {
    let sql = "SELECT night, MIN(contacts IS NOT NULL) FROM nights WHERE night BETWEEN ?1 AND ?2 GROUP BY night";
    let rows = || -> rusqlite::Result<BTreeMap<String, bool>> {
        let mut select = connection.prepare_cached(sql)?;
        select.query_map([from, to], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
    };
    rows().map_err(|e| told(path, &e))
}

/// Every stored contact of a night, with topics by the numbers of `topics`.
fn read(
    connection: &Connection,
    path: &Path,
    night: &str,
    topics: &[String],
    mut each: impl FnMut(crate::score::contacts::Contact),
) -> Result<()> {
    let failed = |e: rusqlite::Error| told(path, &e);
    let sql = "SELECT c.bytes, p.topics FROM contacts c JOIN nights n USING (night, part)
               JOIN packs p ON p.sha256 = n.pack_sha256 WHERE c.night = ?1 ORDER BY c.part, c.number";
    let mut select = connection.prepare_cached(sql).map_err(failed)?;
    let mut rows = select.query([night]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let (bytes, own): (Vec<u8>, String) = row.get(0).and_then(|b| Ok((b, row.get(1)?))).map_err(failed)?;
        let own: Vec<String> = serde_json::from_str(&own).map_err(|e| refused(path, &e.to_string()))?;
        for contact in unpack_contacts(&bytes, &own, topics).map_err(|e| damaged(path, night, &e))? {
            each(contact);
        }
    }
    Ok(())
}

/// Counts anew what became of the contacts of a night just written and of those around it.
pub(super) fn refresh(tx: &Connection, path: &Path, night: &str, topics: &[String]) -> Result<()> {
    let Some(day) = calendar::day(night) else { return Ok(()) };
    let (from, to) = around(day, 2, 2);
    let nights = kept(tx, path, &from, &to)?;
    // Those whose contacts can be followed, numbered in order.
    let known: Vec<&String> = nights.iter().filter(|(_, kept)| **kept).map(|(night, _)| night).collect();
    let mut log = ContactLog::default();
    let mut ends = Vec::with_capacity(known.len());
    for (number, night) in known.iter().enumerate() {
        let mut end = i64::MIN;
        read(tx, path, night, topics, |mut contact| {
            contact.night = number as u8;
            end = end.max(contact.end);
            log.add(contact);
        })?;
        ends.push(end);
    }
    let days: Vec<Date> = known.iter().filter_map(|n| calendar::day(n)).collect();
    // Until when a night's contacts are observed: nights without a gap, at most `REACH` days on.
    let observed = |at: usize| {
        let mut last = ends[at];
        let mut day = days[at];
        for (next, end) in days.iter().zip(&ends).skip(at + 1) {
            if day.tomorrow().ok() != Some(*next) || *next > days[at].saturating_add(REACH.days()) {
                break;
            }
            (last, day) = (last.max(*end), *next);
        }
        last
    };
    let totals =
        log.follow((0..known.len()).map(observed).collect()).map_err(|e| Error::read(std::env::temp_dir(), e))?;
    let sql = "INSERT INTO followed (night, bytes) VALUES (?1, ?2)
               ON CONFLICT (night) DO UPDATE SET bytes = excluded.bytes";
    let sum = "SELECT SUM(anonymous) FROM nights WHERE night = ?1";
    for ((own, own_day), totals) in known.iter().zip(&days).zip(totals) {
        let (first, last) = around(*own_day, 1, 1);
        let whole = nights.range(first..=last).all(|(_, kept)| *kept);
        let near = (day - *own_day).get_days().abs() <= REACH as i32;
        if own.as_str() == night || near && whole {
            let anonymous: i64 = tx.query_row(sum, [own], |row| row.get(0)).map_err(|e| told(path, &e))?;
            let totals = CrossTotals { anonymous: anonymous.unsigned_abs(), ..totals };
            tx.execute(sql, params![own, to_bytes(&totals)]).map_err(|e| told(path, &e))?;
        }
    }
    Ok(())
}
