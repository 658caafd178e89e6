//! Rule packs: loading with every fault collected, and what a loaded pack holds.
//!
//! A pack is a folder of TOML files (see `rules/README.md`). [`Pack::load`] reads all of them, reports all faults at
//! once as [`Diagnostic`]s with file, line and column, and returns a pack only when none of them is an error.

pub mod chat;
pub mod codes;
pub mod expression;
pub mod fields;
mod frame;
mod lint;
mod lint_markers;
mod lint_rules;
mod load;
pub mod marker;
pub mod overrides;
mod pattern;
pub mod profiles;
pub mod reference;
pub mod rule;
mod rule_order;
pub mod satisfaction;
pub mod schema;
pub mod scorecard;
pub mod source;
mod standing;
pub mod template;
pub mod topics;
pub mod turn_model;

use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::diagnostic::{self, Diagnostic, Severity, SourceFile};
use crate::error::{Error, Result};
use crate::metrics::satisfaction::SatisfactionModel;
pub use lint::evaluation_order as marker_order;
pub use lint_markers::pedantic;
use load::{load, quiet_echoes, read_satisfaction};
use marker::Marker;
use rule::Rule;
use scorecard::Scorecard;
use source::{PackFiles, PackSources};

/// Words that negate what follows, and how far they reach.
#[derive(Debug, Clone, PartialEq)]
pub struct Negation {
    /// The words, normalised.
    pub words: Vec<String>,
    /// Words that contain one of them but negate nothing.
    pub ignore: Vec<String>,
    /// Characters between the negation and the hit at most.
    pub window: usize,
}

impl Default for Negation {
    fn default() -> Self {
        let own = |list: &[&str]| list.iter().map(|s| s.to_string()).collect();
        Negation {
            words: own(&["不", "没", "没有", "别", "不要", "无需", "不用", "未", "勿", "不会", "不能"]),
            ignore: own(&["不得不", "不仅", "不但", "没问题", "不好意思", "不错", "别的", "特别", "分别"]),
            window: 3,
        }
    }
}

/// What leads to a person's review instead of a deduction.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReviewSettings {
    /// Findings in turns the speech recogniser was less sure of than this (thousandths) go to review.
    pub min_confidence: Option<u32>,
    /// A marker of both sides that tells an agent's way of speaking.
    pub agent_voice: Option<expression::MarkerId>,
    /// Customer turns that must carry it (and more than twice as many as agent turns do) for swapped roles.
    pub swapped_from: u32,
}

/// What counts as the same message again.
#[derive(Debug, Clone, PartialEq)]
pub struct RepeatSettings {
    /// Messages of the same speaker to look back at.
    pub look_back: usize,
    /// Share of words two messages must have in common (Jaccard), thousandths.
    pub similarity: u32,
    /// Shortest message that can be a repeat, in letters and characters.
    pub min_chars: usize,
    /// Messages that contain one of these are never repeats, normalised.
    pub except: Vec<String>,
}

impl Default for RepeatSettings {
    fn default() -> Self {
        RepeatSettings { look_back: 10, similarity: 800, min_chars: 4, except: Vec::new() }
    }
}

/// A loaded pack, ready to be compiled into a detector and a judge.
#[derive(Debug, Clone)]
pub struct Pack {
    /// Its id.
    pub id: String,
    /// Its Chinese title.
    pub title: String,
    /// Its version.
    pub version: String,
    /// Where it was read from.
    pub origin: String,
    /// SHA-256 over all its files, hexadecimal.
    pub hash: String,
    /// Markers, sorted by id; a marker's number is its place here.
    pub markers: Vec<Marker>,
    /// Rules, sorted by id.
    pub rules: Vec<Rule>,
    /// Numbers of the rules in an order in which each comes after the one it waits for.
    pub rule_order: Vec<usize>,
    /// How findings become a score.
    pub scorecard: Scorecard,
    /// Weights of the satisfaction estimate.
    pub satisfaction: Option<SatisfactionModel>,
    /// Negation words.
    pub negation: Negation,
    /// What goes to review instead of costing points.
    pub review: ReviewSettings,
    /// What counts as the same message again.
    pub repeat: RepeatSettings,
    /// jieba user words, as a dictionary text.
    pub userdict: String,
    /// Contact reasons and product faults.
    pub topics: topics::Topics,
    /// Platform response figures.
    pub profiles: Vec<profiles::Profile>,
    /// The texts it was read from.
    pub sources: PackSources,
    /// Faults that do not keep the pack from working.
    pub warnings: Vec<Diagnostic>,
}

impl Pack {
    /// The pack inside the binary.
    ///
    /// # Errors
    /// Never for a released binary: the tests check the pack.
    pub fn default_pack() -> Result<Pack> {
        let files = PackFiles::embedded("ecommerce")
            .ok_or_else(|| Error::Other("内置规则包缺失 (embedded pack missing)".into()))?;
        Pack::load(&files)
    }

    /// The pack in a folder, or the embedded one when `path` is `None`.
    ///
    /// # Errors
    /// When it cannot be read, or has faults ([`Error::Pack`] carries them rendered).
    pub fn open(path: Option<&Path>) -> Result<Pack> {
        match path {
            None => Pack::default_pack(),
            Some(path) => Pack::load(&PackFiles::folder(path)?),
        }
    }

    /// Reads a pack's files.
    ///
    /// # Errors
    /// [`Error::Pack`] when any fault is an error; all faults are in it.
    pub fn load(files: &PackFiles) -> Result<Pack> {
        Pack::whole(Pack::check(files))
    }

    /// Reads a pack again from the texts it was once read from, whatever the packs inside this program are now.
    ///
    /// # Errors
    /// [`Error::Pack`] when this program finds faults in it.
    pub fn load_again(sources: &PackSources) -> Result<Pack> {
        let mut all = Vec::new();
        let pack = load(&sources.own, sources.base.as_ref(), &mut all);
        let mut pack = Pack::whole((pack, all))?;
        if let Some(file) = &sources.satisfaction {
            pack.use_satisfaction_file(file.clone())?;
        }
        Ok(pack)
    }

    fn whole((pack, diagnostics): (Option<Pack>, Vec<Diagnostic>)) -> Result<Pack> {
        let errors = diagnostics.iter().filter(|d| d.severity == Severity::Error).count();
        match pack {
            Some(mut pack) if errors == 0 => {
                pack.warnings = diagnostics;
                Ok(pack)
            }
            _ => {
                let rendered: Vec<_> =
                    diagnostics.iter().filter(|d| d.severity == Severity::Error).map(Diagnostic::render).collect();
                Err(Error::Pack { errors, rendered: rendered.join("\n\n") })
            }
        }
    }

    /// Reads a pack's files and reports every fault; the pack is there unless its frame is missing.
    pub fn check(files: &PackFiles) -> (Option<Pack>, Vec<Diagnostic>) {
        let mut all = Vec::new();
        let pack = load(files, None, &mut all);
        diagnostic::sort(&mut all);
        all.dedup();
        quiet_echoes(&mut all);
        (pack, all)
    }

    /// The number of a marker.
    pub fn marker(&self, id: &str) -> Option<expression::MarkerId> {
        self.markers.binary_search_by(|m| m.id.as_str().cmp(id)).ok().map(|i| i as expression::MarkerId)
    }

    /// Takes the satisfaction model of another file, such as `zhijian calibrate` writes.
    ///
    /// # Errors
    /// When it cannot be read, or has faults.
    pub fn use_satisfaction(&mut self, path: &Path) -> Result<()> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::read(path, e))?;
        self.use_satisfaction_file(Arc::new(SourceFile { path: path.to_path_buf(), text }))
    }

    fn use_satisfaction_file(&mut self, file: Arc<SourceFile>) -> Result<()> {
        self.hash = {
            let mut hasher = Sha256::new();
            hasher.update(self.hash.as_bytes());
            hasher.update(file.text.as_bytes());
            hasher.finalize().iter().map(|b| format!("{b:02x}")).collect()
        };
        self.sources.satisfaction = Some(file.clone());
        let ids: Vec<String> = self.markers.iter().map(|m| m.id.clone()).collect();
        let mut all = Vec::new();
        self.satisfaction = Some(read_satisfaction(&file, &ids, &mut all));
        if all.is_empty() {
            return Ok(());
        }
        diagnostic::sort(&mut all);
        let rendered: Vec<_> = all.iter().map(Diagnostic::render).collect();
        Err(Error::Pack { errors: all.len(), rendered: rendered.join("\n\n") })
    }

    /// The number of a rule.
    pub fn rule(&self, id: &str) -> Option<usize> {
        self.rules.binary_search_by(|r| r.id.as_str().cmp(id)).ok()
    }
}
