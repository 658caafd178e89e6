//! Rule packs: loading with every fault collected, and what a loaded pack holds.
//!
//! A pack is a folder of TOML files (see `rules/README.md`). [`Pack::load`] reads all of them, reports all faults at
//! once as [`Diagnostic`]s with file, line and column, and returns a pack only when none of them is an error.

pub mod chat;
pub mod codes;
pub mod expression;
pub mod fields;
mod lint;
mod lint_markers;
mod lint_rules;
pub mod marker;
pub mod overrides;
mod pattern;
pub mod profiles;
pub mod reference;
pub mod rule;
pub mod satisfaction;
pub mod schema;
pub mod scorecard;
pub mod source;
mod standing;
pub mod template;
pub mod topics;
pub mod turn_model;

use std::collections::BTreeMap;
use std::path::Path;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use std::sync::Arc;

use crate::diagnostic::{self, Diagnostic, Severity, SourceFile};
use crate::error::{Error, Result};
use crate::metrics::satisfaction::SatisfactionModel;
use fields::{Faults, Table};
pub use lint::evaluation_order as marker_order;
pub use lint_markers::pedantic;
use marker::Marker;
use reference::Names;
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

fn load(own: &PackFiles, stored_base: Option<&PackFiles>, all: &mut Vec<Diagnostic>) -> Option<Pack> {
    let Some(frame_file) = own.get("pack.toml").cloned() else {
        all.push(Diagnostic {
            code: codes::MISSING_FILE.name,
            severity: Severity::Error,
            message: format!("{} 里没有 pack.toml", own.origin),
            place: None,
            hint: Some("规则包是一个文件夹,里面要有 pack.toml、markers/ 和 rules/".into()),
        });
        return None;
    };
    let mut faults = Faults::new(frame_file.clone(), all);
    let parsed = fields::parse(&frame_file.text, &mut faults);
    let mut frame = read_frame(Table::new(parsed.get_ref(), 0..frame_file.text.len()), &mut faults);
    let mut sources = PackSources { own: own.clone(), base: None, satisfaction: None };
    let files = match frame.extends.take() {
        None => own.clone(),
        Some(base) => match stored_base.cloned().or_else(|| PackFiles::embedded(&base.value)) {
            Some(base_files) => {
                sources.base = Some(base_files.clone());
                let base_frame = base_files.get("pack.toml").cloned();
                if let Some(base_frame) = base_frame {
                    let mut ignored = Vec::new();
                    let mut base_faults = Faults::new(base_frame.clone(), &mut ignored);
                    let parsed = fields::parse(&base_frame.text, &mut base_faults);
                    let inherited =
                        read_frame(Table::new(parsed.get_ref(), 0..base_frame.text.len()), &mut base_faults);
                    frame.inherit(inherited);
                }
                overrides::overlay(base_files, own)
            }
            None => {
                let hint = Some(format!("可继承的内置规则包: {}", source::EMBEDDED.join("、")));
                faults.at(codes::BAD_VALUE, base.range, format!("没有内置规则包 `{}`", base.value), hint);
                own.clone()
            }
        },
    };

    let stems = files.under("markers", ".toml").filter(|(stem, _)| !stem.ends_with(".model"));
    let mut ids: Vec<String> = stems.map(|(stem, _)| stem.to_string()).collect();
    ids.sort();
    let names = Names { markers: &ids, lists: &frame.lists, files: &files };
    let read: Vec<(Marker, Vec<Diagnostic>)> = ids
        .par_iter()
        .filter_map(|id| {
            let file = files.get(&format!("markers/{id}.toml"))?;
            let mut own = Vec::new();
            let mut faults = Faults::new(file.clone(), &mut own);
            let parsed = fields::parse(&file.text, &mut faults);
            let table = Table::new(parsed.get_ref(), 0..file.text.len());
            Some((marker::read(id, table, &names, &mut faults), own))
        })
        .collect();
    let mut markers = Vec::with_capacity(ids.len());
    for (marker, faults) in read {
        markers.push(marker);
        all.extend(faults);
    }
    let scorecard = match files.get("scorecard.toml") {
        Some(file) => {
            let mut faults = Faults::new(file.clone(), all);
            let parsed = fields::parse(&file.text, &mut faults);
            scorecard::read(Table::new(parsed.get_ref(), 0..file.text.len()), &mut faults)
        }
        None => {
            let mut faults = Faults::new(frame_file.clone(), all);
            let hint = Some("评分卡定义维度和权重,见 rules/README.md".into());
            faults.at(codes::MISSING_FILE, 0..1, "规则包缺少 scorecard.toml", hint);
            Scorecard::default()
        }
    };
    let dimensions: Vec<String> = scorecard.dimensions.iter().map(|d| d.id.clone()).collect();
    let topics = read_optional(&files, "topics.toml", all, topics::read);
    let profiles = read_optional(&files, "profiles.toml", all, profiles::read);
    let mut rules: Vec<Rule> = Vec::new();
    let mut stems: Vec<_> = files.under("rules", ".toml").collect();
    stems.sort_by_key(|(stem, _)| *stem);
    for (stem, file) in stems {
        let mut faults = Faults::new(file.clone(), all);
        let parsed = fields::parse(&file.text, &mut faults);
        let table = Table::new(parsed.get_ref(), 0..file.text.len());
        if let Some(rule) = rule::read(stem, table, &names, &dimensions, &mut faults) {
            if let Some(other) = rules.iter().find(|r| r.id == rule.id) {
                let hint = Some(format!("另一个在 {}", other.file.path.display()));
                faults.at(codes::DUPLICATE_ID, 0..1, format!("规则 id `{}` 用了两次", rule.id), hint);
            }
            rules.push(rule);
        }
    }
    rules.sort_by(|a, b| a.id.cmp(&b.id));
    let satisfaction = files.get("satisfaction.toml").map(|file| read_satisfaction(file, &ids, all));
    let mut faults = Faults::new(frame_file.clone(), all);
    overrides::apply(&frame.rules, &frame.markers, &mut rules, &mut markers, &mut faults);
    let rule_order = resolve_after_rule(&mut rules, all);
    let mut review =
        ReviewSettings { min_confidence: frame.min_confidence, agent_voice: None, swapped_from: frame.swapped_from };
    if let Some(at) = &frame.agent_voice {
        let names = Names { markers: &ids, lists: &frame.lists, files: &files };
        review.agent_voice = names.marker(at, &mut Faults::new(frame_file.clone(), all));
    }
    let userdict = files.get(&frame.userdict).map(|f| f.text.clone()).unwrap_or_default();
    let mut hasher = Sha256::new();
    for (path, file) in &files.files {
        hasher.update(path.as_bytes());
        hasher.update([0]);
        hasher.update(file.text.as_bytes());
        hasher.update([0]);
    }
    let hash = hasher.finalize().iter().map(|b| format!("{b:02x}")).collect();
    let pack = Pack {
        id: frame.id,
        title: frame.title,
        version: frame.version,
        origin: files.origin.clone(),
        hash,
        markers,
        rules,
        rule_order,
        scorecard,
        satisfaction,
        negation: frame.negation,
        review,
        repeat: frame.repeat,
        userdict,
        topics,
        profiles,
        sources,
        warnings: Vec::new(),
    };
    lint::lint(&pack, all);
    Some(pack)
}

fn read_satisfaction(file: &Arc<SourceFile>, ids: &[String], all: &mut Vec<Diagnostic>) -> SatisfactionModel {
    let mut faults = Faults::new(file.clone(), all);
    let parsed = fields::parse(&file.text, &mut faults);
    satisfaction::read(Table::new(parsed.get_ref(), 0..file.text.len()), ids, &mut faults)
}

/// A file the pack may lack.
fn read_optional<T: Default>(
    files: &PackFiles,
    path: &str,
    all: &mut Vec<Diagnostic>,
    read: impl FnOnce(Table<'_>, &mut Faults<'_>) -> T,
) -> T {
    let Some(file) = files.get(path) else { return T::default() };
    let mut faults = Faults::new(file.clone(), all);
    let parsed = fields::parse(&file.text, &mut faults);
    read(Table::new(parsed.get_ref(), 0..file.text.len()), &mut faults)
}

/// Most syntax faults told of one file: past the first few they are echoes of one bracket or quote left open.
const MOST_SYNTAX: usize = 3;

/// Drops what only follows from a file's syntax faults, so that a missing bracket does not hide behind twenty others:
/// of such a file its first syntax faults are told, one a line.
fn quiet_echoes(all: &mut Vec<Diagnostic>) {
    let path = |d: &Diagnostic| d.place.as_ref().map(|(file, _)| file.path.clone());
    let broken: std::collections::BTreeSet<_> =
        all.iter().filter(|d| d.code == codes::SYNTAX.name).filter_map(path).collect();
    let mut told: BTreeMap<std::path::PathBuf, Vec<usize>> = BTreeMap::new();
    all.retain(|d| {
        let Some(path) = path(d).filter(|p| broken.contains(p)) else { return true };
        let lines = told.entry(path).or_default();
        let line = d.position().map_or(0, |(_, line, _)| line);
        let keep = d.code == codes::SYNTAX.name && lines.len() < MOST_SYNTAX && !lines.contains(&line);
        if keep {
            lines.push(line);
        }
        keep
    });
}

/// What `pack.toml` says.
struct Frame {
    id: String,
    title: String,
    version: String,
    extends: Option<fields::At<String>>,
    userdict: String,
    lists: BTreeMap<String, Vec<String>>,
    negation: Negation,
    min_confidence: Option<u32>,
    agent_voice: Option<fields::At<String>>,
    swapped_from: u32,
    repeat: RepeatSettings,
    rules: Vec<overrides::RuleOverride>,
    markers: Vec<overrides::MarkerOverride>,
}

impl Frame {
    /// Takes over what the base pack defines and this one does not.
    fn inherit(&mut self, base: Frame) {
        for (name, list) in base.lists {
            self.lists.entry(name).or_insert(list);
        }
        if self.negation == Negation::default() {
            self.negation = base.negation;
        }
        if self.repeat == RepeatSettings::default() {
            self.repeat = base.repeat;
        }
        self.min_confidence = self.min_confidence.or(base.min_confidence);
        if self.agent_voice.is_none() {
            self.agent_voice = base.agent_voice;
            self.swapped_from = base.swapped_from;
        }
    }
}

fn read_frame(mut table: Table<'_>, faults: &mut Faults<'_>) -> Frame {
    let id = table.required("id", faults).map(|t| t.value).unwrap_or_default();
    let title = table.required("title", faults).map(|t| t.value).unwrap_or_default();
    let version = table.string("version", faults).map_or_else(|| "0".into(), |t| t.value);
    let _lang = table.string("lang", faults);
    let extends = table.string("extends", faults);
    let userdict = table.string("userdict", faults).map_or_else(|| "userdict.txt".into(), |t| t.value);
    let mut lists = BTreeMap::new();
    if let Some(inner) = table.table("lists", faults) {
        for (name, value) in inner.entries() {
            let list = fields::string_list(&name.value, value, faults);
            lists.insert(name.value, list.into_iter().map(|a| a.value).collect());
        }
    }
    let mut negation = Negation::default();
    if let Some(mut inner) = table.table("negation", faults) {
        let list = |inner: &mut Table<'_>, key, faults: &mut Faults<'_>| -> Vec<String> {
            inner.strings(key, faults).into_iter().map(|a| crate::text::plain_phrase(&a.value)).collect()
        };
        negation.words = list(&mut inner, "words", faults);
        negation.ignore = list(&mut inner, "ignore", faults);
        if let Some(window) = inner.count("window", faults) {
            negation.window = window as usize;
        }
        inner.finish("[negation] ", faults);
    }
    let (mut min_confidence, mut agent_voice, mut swapped_from) = (None, None, 2);
    if let Some(mut inner) = table.table("review", faults) {
        min_confidence = inner.number("min_confidence", faults).map(|n| (n.value.clamp(0.0, 1.0) * 1000.0) as u32);
        agent_voice = inner.string("agent_voice", faults);
        swapped_from = inner.count("swapped_from", faults).unwrap_or(2).max(1);
        inner.finish("[review] ", faults);
    }
    let mut repeat = RepeatSettings::default();
    if let Some(mut inner) = table.table("repeat", faults) {
        if let Some(n) = inner.count("look_back", faults) {
            repeat.look_back = n as usize;
        }
        if let Some(n) = inner.number("similarity", faults) {
            repeat.similarity = (n.value.clamp(0.0, 1.0) * 1000.0).round() as u32;
        }
        if let Some(n) = inner.count("min_chars", faults) {
            repeat.min_chars = n as usize;
        }
        let except = inner.strings("except", faults);
        repeat.except = except.into_iter().map(|a| crate::text::plain_phrase(&a.value)).collect();
        inner.finish("[repeat] ", faults);
    }
    let (rules, markers) = overrides::read(&mut table, faults);
    table.finish("pack.toml ", faults);
    Frame {
        id,
        title,
        version,
        extends,
        userdict,
        lists,
        negation,
        min_confidence,
        agent_voice,
        swapped_from,
        repeat,
        rules,
        markers,
    }
}

/// Finds the rules that others wait for, and an order that serves them; rules that wait for each other are reported.
fn resolve_after_rule(rules: &mut [Rule], all: &mut Vec<Diagnostic>) -> Vec<usize> {
    let ids: Vec<String> = rules.iter().map(|r| r.id.clone()).collect();
    for rule in rules.iter_mut() {
        let Some((_, at)) = &rule.after_rule else { continue };
        rule.after_rule_index = ids.binary_search(&at.value).ok();
        if rule.after_rule_index.is_none() {
            let hint = fields::nearest(&at.value, ids.iter().map(String::as_str)).map(|n| format!("是不是想写 `{n}`?"));
            let mut faults = Faults::new(rule.file.clone(), all);
            faults.at(codes::UNKNOWN_RULE, at.range.clone(), format!("没有规则 `{}`", at.value), hint);
        }
    }
    let mut order: Vec<usize> = Vec::with_capacity(rules.len());
    loop {
        let before = order.len();
        for (number, rule) in rules.iter().enumerate() {
            if !order.contains(&number) && rule.after_rule_index.is_none_or(|other| order.contains(&other)) {
                order.push(number);
            }
        }
        if order.len() == before {
            break;
        }
    }
    for (number, rule) in rules.iter().enumerate() {
        if let (false, Some((_, at))) = (order.contains(&number), &rule.after_rule) {
            let mut faults = Faults::new(rule.file.clone(), all);
            let message = format!("`{}` 与 `{}` 互相等待,谁也判不了", rule.id, at.value);
            faults.at(codes::RULE_CYCLE, at.range.clone(), message, Some("去掉其中一个 after_rule".into()));
        }
    }
    order
}
