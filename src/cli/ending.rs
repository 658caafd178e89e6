//! What follows once everything is counted, for a run over conversations and for one over partials: the history, the
//! reports, the record of the run, and putting all of it in its place.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use zhijian::error::Result;
use zhijian::judge::Lang;
use zhijian::pack::Pack;
use zhijian::pipeline::Summary;
use zhijian::report::chat::Spill;
use zhijian::report::figures::Scorecards;
use zhijian::report::folder::StagedFolder;
use zhijian::report::night::Night;
use zhijian::report::run::{RunRecord, Timings};

use super::Outcome;
use super::inspect::{Gates, print_summary};
use super::outputs::{self, ReportKind};
use super::partial::PartialOut;
use super::results::Results;
use super::signals::Stop;
use super::storing::{Kept, Storing};
use super::table::plain;

/// A run that has counted everything.
pub struct Ending<'e> {
    pub pack: &'e Pack,
    pub lang: Lang,
    pub folder: StagedFolder,
    pub out: &'e Path,
    pub report: ReportKind,
    pub results: Results,
    pub settings: BTreeMap<String, String>,
    pub gates: &'e Gates,
    pub threads: usize,
    pub quiet: bool,
    pub started: (Instant, jiff::Timestamp),
    pub storing: Option<Storing>,
    pub partial: Option<PartialOut>,
}

impl Ending<'_> {
    /// Writes everything derived and puts the folder in its place.
    pub fn end(self, stop: &Stop, summary: &mut Summary, spill: Option<&Spill>) -> Result<Outcome> {
        let Ending { pack, lang, folder, out, .. } = self;
        let followed = self.storing.as_ref().map(|s| s.follow(pack, summary)).transpose()?;
        let mut kept = match (self.storing, followed) {
            (Some(storing), Some((night, contacts))) => Some(storing.keep(&night, contacts, pack, summary, lang)?),
            _ => None,
        };
        let reviewed = kept.as_mut().map(Kept::reviewed).transpose()?.flatten();
        let mut cards = match &kept {
            Some(kept) => Scorecards::after(pack, &summary.aggregate, &kept.earlier),
            None => Scorecards::new(pack, &summary.aggregate),
        };
        let mut shown = None;
        if let Some(reviewed) = &reviewed {
            reviewed.beside(&mut cards);
            reviewed.without_overturned(shown.insert(summary.aggregate.clone()), pack);
        }
        let aggregate = shown.as_ref().unwrap_or(&summary.aggregate);
        let mut night = Night::new(pack, aggregate, &cards, lang);
        night.reviewed = reviewed.as_ref();
        night.rejected = summary.records_rejected;
        if let Some(kept) = &kept {
            (night.label, night.history) = (kept.earlier.night.clone(), Some(&kept.history));
        }
        night.chats = spill;
        outputs::write(&folder, &night, self.report)?;
        self.results.tidy(&folder)?;
        let seconds = self.started.0.elapsed().as_secs_f64();
        let bytes: u64 = summary.files.iter().map(|f| f.bytes).sum();
        let timings = Timings {
            started_at: self.started.1.to_string(),
            seconds,
            megabytes_per_second: bytes as f64 / 1e6 / seconds.max(1e-9),
            threads: self.threads,
        };
        folder.write("run.json", |out| {
            serde_json::to_writer_pretty(&mut *out, &RunRecord::new(pack, summary, self.settings, timings))?;
            writeln!(out)
        })?;
        stop.committing()?;
        folder.commit()?;
        self.partial.map(PartialOut::put).transpose()?;
        // After the folder: killed in between, the store lacks a night that running again stores.
        let stored = kept.as_ref().map(Kept::sentence);
        kept.map(Kept::write).transpose()?;
        if !self.quiet {
            print_summary(out, summary, &cards, seconds);
            stored.inspect(|told| eprintln!("{}", plain(told)));
        }
        Ok(self.gates.judge(pack, summary, Some(&cards)))
    }
}
