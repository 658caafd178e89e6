//! `run.json`: what was run over what, and that every record is accounted for.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::input::FileSummary;
use crate::pack::Pack;
use crate::pipeline::Summary;

/// The contents of `run.json`.
#[derive(Debug, Serialize)]
pub struct RunRecord<'r> {
    /// The program.
    pub program: &'static str,
    /// Its version.
    pub version: &'static str,
    /// The rule pack.
    pub pack: PackRecord<'r>,
    /// Settings that change results.
    pub settings: BTreeMap<String, String>,
    /// The files read.
    pub inputs: &'r [FileSummary],
    /// The sums.
    pub counts: Counts<'r>,
    /// When and how fast; the only part that differs between two runs over the same input.
    pub timings: Timings,
}

/// Which pack was used.
#[derive(Debug, Serialize)]
pub struct PackRecord<'r> {
    id: &'r str,
    title: &'r str,
    version: &'r str,
    origin: &'r str,
    sha256: &'r str,
    markers: usize,
    rules: usize,
}

/// Sums over the run: `records = records_inspected + records_rejected + blank`.
#[derive(Debug, Serialize)]
pub struct Counts<'r> {
    records: u64,
    records_inspected: u64,
    records_rejected: u64,
    blank: u64,
    conversations: u64,
    judged: u64,
    not_judged: &'r BTreeMap<String, u64>,
    turns: u64,
    text_bytes: u64,
    agents: usize,
    rejects: &'r BTreeMap<String, u64>,
}

/// Times of the run.
#[derive(Debug, Serialize)]
pub struct Timings {
    /// When it began, RFC 3339.
    pub started_at: String,
    /// Seconds from start to results.
    pub seconds: f64,
    /// Stored megabytes a second.
    pub megabytes_per_second: f64,
    /// Worker threads.
    pub threads: usize,
}

impl<'r> RunRecord<'r> {
    /// The record of a run.
    pub fn new(pack: &'r Pack, summary: &'r Summary, settings: BTreeMap<String, String>, timings: Timings) -> Self {
        let aggregate = &summary.aggregate;
        RunRecord {
            program: "zhijian",
            version: env!("CARGO_PKG_VERSION"),
            pack: PackRecord {
                id: &pack.id,
                title: &pack.title,
                version: &pack.version,
                origin: &pack.origin,
                sha256: &pack.hash,
                markers: pack.markers.len(),
                rules: pack.rules.len(),
            },
            settings,
            inputs: &summary.files,
            counts: Counts {
                records: summary.files.iter().map(|f| f.records).sum(),
                records_inspected: summary.records_inspected,
                records_rejected: summary.records_rejected,
                blank: summary.files.iter().map(|f| f.blank).sum(),
                conversations: aggregate.conversations,
                judged: aggregate.judged,
                not_judged: &aggregate.not_judged,
                turns: aggregate.turns,
                text_bytes: aggregate.text_bytes,
                agents: aggregate.agents.len(),
                rejects: &summary.rejects,
            },
            timings,
        }
    }
}
