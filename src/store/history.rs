//! What reports show of earlier periods: trend, changes, bursts.

use std::collections::BTreeMap;

use jiff::ToSpan;

use super::period::{NightRow, nights_of};
use super::{Selection, Store};
use crate::error::Result;
use crate::judge::Lang;
use crate::pack::Pack;
use crate::report::calendar::{self, Calendar, Unit};
use crate::report::changes;
use crate::report::figures::Rate;
use crate::report::history::{Burst, Changes, History, Period, Point};
use crate::report::reviewed::Reviewed;
use crate::score::burst::{self, Series, WordCount};
use crate::score::contacts::{CrossCount, CrossTotals, Recontact, hash};
use crate::score::partial::Partial;

/// Nights of a trend.
const NIGHTS: usize = 30;
/// Weeks, months, quarters or years of a trend.
const PERIODS: usize = 12;
/// Earlier nights a burst is measured against.
const BURST_NIGHTS: usize = 28;
/// Bursts told.
const BURSTS: usize = 10;

/// What is reported, and what it is compared with.
#[derive(Debug)]
pub struct Reported<'r> {
    /// Which nights.
    pub selection: &'r Selection,
    /// Their sums.
    pub partial: &'r Partial,
    /// True when pack or thresholds changed among them.
    pub mixed: bool,
    /// In how many conversations each word of customers occurs.
    pub words: &'r BTreeMap<String, WordCount>,
    /// The pack they are reported by.
    pub pack: &'r Pack,
    /// Language of titles.
    pub lang: Lang,
}

impl Store {
    /// What came before the nights reported. Later nights play no part: the history of a night stays what it was.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn history(&self, reported: &Reported<'_>) -> Result<History> {
        let span = reported.selection.span;
        let most = if span.unit == Unit::Day { NIGHTS } else { PERIODS } - 1;
        let earlier = self.periods_before(span, reported.selection.part.as_deref(), most)?;
        let mut trend = Vec::with_capacity(earlier.len() + 1);
        let mut before: Option<(String, Partial)> = None;
        for (period, rows) in &earlier {
            let (partial, _, mixed) = self.merged(rows, None, false)?;
            let mut point = changes::period(&period.label(), &partial);
            point.changed_rules = mixed || before.as_ref().is_some_and(|(_, b)| !b.stamp.compares(&partial.stamp));
            if reported.selection.part.is_none() {
                self.add_followed(&mut point, &nights_of(rows), span)?;
            }
            trend.push(point);
            before = Some((period.label(), partial));
        }
        let mut own = changes::period(&span.label(), reported.partial);
        let changed = |p: &Partial| !p.stamp.compares(&reported.partial.stamp);
        own.changed_rules = reported.mixed || before.as_ref().is_some_and(|(_, b)| changed(b));
        trend.push(own);
        let changes = match &before {
            Some((label, partial)) => {
                let moved = changes::changes(label, partial, reported.partial);
                Changes { changed_rules: moved.changed_rules || reported.mixed, ..moved }
            }
            None => Changes::default(),
        };
        let skip = earlier.len().saturating_sub(BURST_NIGHTS);
        Ok(History { trend, changes, bursts: self.bursts(reported, &earlier[skip..])? })
    }

    /// Puts the figures after review beside those of the comparison with the period before; `now` is what people found
    /// in the nights reported.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn review_history(&self, history: &mut History, part: Option<&str>, now: Option<&Reviewed>) -> Result<()> {
        if history.changes.against.is_empty() {
            return Ok(());
        }
        let against = Selection::parse(&history.changes.against, "--store")?;
        let before = self.after_review(&Selection { part: part.map(str::to_string), ..against })?;
        changes::review(&mut history.changes, before.as_ref(), now);
        Ok(())
    }

    /// In how many conversations of these nights each word occurs.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn words(&self, rows: &[NightRow]) -> Result<BTreeMap<String, WordCount>> {
        let mut out = BTreeMap::<String, WordCount>::new();
        for row in rows {
            for (word, count) in self.piece::<BTreeMap<String, WordCount>>(row, "words")?.unwrap_or_default() {
                let own = out.entry(word).or_default();
                own.sampled += count.sampled;
                own.estimated += count.estimated;
            }
        }
        Ok(out)
    }

    /// The periods of the same length before, that have a night, oldest first.
    fn periods_before(
        &self,
        span: Calendar,
        part: Option<&str>,
        most: usize,
    ) -> Result<Vec<(Calendar, Vec<NightRow>)>> {
        let Ok(until) = span.start.yesterday() else { return Ok(Vec::new()) };
        let mut out: Vec<(Calendar, Vec<NightRow>)> = Vec::new();
        for row in self.rows("0000", &until.to_string(), part)?.into_iter().rev() {
            let Some(day) = calendar::day(&row.night) else { continue };
            let period = Calendar::of(span.unit, day);
            let full = out.len() == most;
            match out.last_mut() {
                Some((last, rows)) if *last == period => rows.insert(0, row),
                _ if full => break,
                _ => out.push((period, vec![row])),
            }
        }
        out.reverse();
        Ok(out)
    }

    /// Recontacts of an earlier period, once their windows have passed by the first night of the period reported.
    fn add_followed(&self, point: &mut Period, nights: &[String], reported: Calendar) -> Result<()> {
        let Some(last) = nights.last().and_then(|night| calendar::day(night)) else { return Ok(()) };
        let passed = |days: i64| last.saturating_add(days.days()) <= reported.start;
        if !passed(2) {
            return Ok(());
        }
        let totals: CrossTotals = self.followed(nights)?;
        let rate = |window: &Recontact| Rate::new(window.once, window.observed);
        let whole = passed(4);
        let set = |point: &mut Point, count: &CrossCount| {
            point.fcr_24h = rate(&count.day);
            point.fcr_72h = rate(&count.three_days).filter(|_| whole);
        };
        set(&mut point.all, &totals.all);
        for (id, own) in &mut point.agents {
            if let Some(count) = totals.agents.get(&hash(id)) {
                set(own, count);
            }
        }
        Ok(())
    }

    fn bursts(&self, reported: &Reported<'_>, earlier: &[(Calendar, Vec<NightRow>)]) -> Result<Vec<Burst>> {
        if earlier.len() < burst::LEAST_NIGHTS {
            return Ok(Vec::new());
        }
        let aggregate = &reported.partial.aggregate;
        let sizes: Vec<u64> = earlier.iter().map(|(_, rows)| rows.iter().map(|r| r.conversations.0).sum()).collect();
        let mut found: Vec<(&'static str, String)> = Vec::new();
        let mut series: Vec<Series> = Vec::new();
        let mut places = BTreeMap::<(&str, &str), usize>::new();
        let blank = || vec![0.0; earlier.len()];
        for (id, topic) in &aggregate.service.topics {
            places.insert(("topic", id), series.len());
            found.push(("topic", id.clone()));
            series.push(Series { now: topic.conversations as f64, scale: 1.0, before: blank() });
        }
        for (word, count) in reported.words.iter().filter(|(_, c)| c.sampled > 0) {
            let now = count.estimated as f64 / 1000.0;
            places.insert(("word", word), series.len());
            found.push(("word", word.clone()));
            series.push(Series { now, scale: now / count.sampled as f64, before: blank() });
        }
        for (at, (_, rows)) in earlier.iter().enumerate() {
            for (id, conversations) in self.topic_counts(rows)? {
                if let Some(place) = places.get(&("topic", id.as_str())) {
                    series[*place].before[at] = conversations as f64;
                }
            }
            for (word, count) in self.words(rows)? {
                if let Some(place) = places.get(&("word", word.as_str())) {
                    series[*place].before[at] = count.estimated as f64 / 1000.0;
                }
            }
        }
        let title =
            |kind: &str, id: &str| match reported.pack.topics.list.iter().find(|t| kind == "topic" && t.id == id) {
                Some(topic) if reported.lang == Lang::Zh => topic.title.clone(),
                Some(topic) => topic.title_en.clone(),
                None => id.to_string(),
            };
        let strongest = burst::strongest(&series, aggregate.conversations, &sizes, BURSTS);
        Ok(strongest
            .into_iter()
            .map(|(at, assessed)| {
                let (kind, id) = (found[at].0, found[at].1.clone());
                let round = |v: f64| (v * 100.0).round() / 100.0;
                Burst {
                    kind,
                    title: title(kind, &id),
                    id,
                    now: series[at].now.round() as u64,
                    expected: round(assessed.expected),
                    strength: round(assessed.strength),
                }
            })
            .collect())
    }

    fn topic_counts(&self, rows: &[NightRow]) -> Result<BTreeMap<String, u64>> {
        let mut out = BTreeMap::<String, u64>::new();
        let failed = |e| self.failed(&e);
        let sql = "SELECT topic, conversations FROM topics WHERE night = ?1 AND part = ?2";
        let mut select = self.connection.prepare_cached(sql).map_err(failed)?;
        for row in rows {
            let pairs = select
                .query_map([&row.night, &row.part], |r| Ok((r.get::<_, String>(0)?, r.get::<_, i64>(1)?)))
                .and_then(|pairs| pairs.collect::<rusqlite::Result<Vec<_>>>())
                .map_err(failed)?;
            for (topic, n) in pairs {
                *out.entry(topic).or_default() += n.unsigned_abs();
            }
        }
        Ok(out)
    }
}
