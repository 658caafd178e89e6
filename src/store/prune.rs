//! Taking old nights, and sooner than them what is large or sensitive, out of the store.

use rusqlite::{Connection, params};

use super::{Store, told};
use crate::error::Result;

/// Days for which contacts are kept.
const CONTACT_DAYS: i64 = 14;

/// What to take out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prune {
    /// Nights before this day.
    pub before: Option<String>,
    /// All but so many of the latest nights.
    pub keep: Option<u64>,
    /// Quotes of nights before this day; their figures stay.
    pub quotes_before: Option<String>,
}

/// What was taken out, or would be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Nights.
    pub nights: Vec<String>,
    /// Nights that lose their quotes only.
    pub quotes: Vec<String>,
}

impl Store {
    /// Takes old nights and quotes out in one transaction; without `really` only tells which.
    ///
    /// # Errors
    /// When the store cannot be written; it is then as it was.
    pub fn prune(&mut self, what: &Prune, really: bool) -> Result<Pruned> {
        let path = self.path.clone();
        let tx = self.begin()?;
        let work = || -> rusqlite::Result<Pruned> {
            let pruned = chosen(&tx, what)?;
            for night in &pruned.nights {
                tx.execute("DELETE FROM nights WHERE night = ?1", [night])?;
            }
            for night in pruned.nights.iter().chain(&pruned.quotes) {
                Store::strip_cases(&tx, night)?;
            }
            for night in &pruned.quotes {
                tx.execute("DELETE FROM pieces WHERE night = ?1 AND kind = 'quotes'", [night])?;
                tx.execute("UPDATE nights SET quotes = 0 WHERE night = ?1", [night])?;
            }
            tidy(&tx)?;
            Ok(pruned)
        };
        let pruned = work().map_err(|e| told(&path, &e))?;
        if !really {
            return Ok(pruned);
        }
        tx.commit().map_err(|e| told(&path, &e))?;
        // Give the space back, and leave nothing of what was taken out in free pages.
        self.connection.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);").map_err(|e| told(&path, &e))?;
        Ok(pruned)
    }
}

fn chosen(tx: &Connection, what: &Prune) -> rusqlite::Result<Pruned> {
    let list = |sql: &str, bound: &str| -> rusqlite::Result<Vec<String>> {
        tx.prepare(sql)?.query_map([bound], |row| row.get(0))?.collect()
    };
    let mut nights = Vec::new();
    if let Some(before) = &what.before {
        nights = list("SELECT DISTINCT night FROM nights WHERE night < ?1 ORDER BY night", before)?;
    }
    if let Some(keep) = what.keep {
        let mut all = list("SELECT DISTINCT night FROM nights WHERE night > ?1 ORDER BY night", "")?;
        all.truncate(all.len().saturating_sub(usize::try_from(keep).unwrap_or(usize::MAX)));
        if all.len() > nights.len() {
            nights = all;
        }
    }
    let mut quotes = Vec::new();
    if let Some(before) = &what.quotes_before {
        quotes = list("SELECT DISTINCT night FROM nights WHERE night < ?1 AND quotes ORDER BY night", before)?;
        quotes.retain(|night| !nights.contains(night));
    }
    Ok(Pruned { nights, quotes })
}

/// Takes out what nothing needs any more: packs of no night, contacts beyond their time, what followed on nights gone.
pub(super) fn tidy(tx: &Connection) -> rusqlite::Result<()> {
    tx.execute("DELETE FROM packs WHERE sha256 NOT IN (SELECT pack_sha256 FROM nights)", [])?;
    tx.execute("DELETE FROM followed WHERE night NOT IN (SELECT night FROM nights)", [])?;
    let bound = format!("-{CONTACT_DAYS} days");
    let old = "night < (SELECT date(MAX(night), ?1) FROM nights)";
    tx.execute(&format!("DELETE FROM contacts WHERE {old}"), params![bound])?;
    tx.execute(&format!("UPDATE nights SET contacts = NULL WHERE {old}"), params![bound])?;
    Ok(())
}
