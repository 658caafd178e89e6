//! From a pack's files to the pack: every file read, every fault collected.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::fields::{self, Faults, Table};
use super::frame::read_frame;
use super::marker::{self, Marker};
use super::reference::Names;
use super::rule::{self, Rule};
use super::rule_order::resolve_after_rule;
use super::scorecard::{self, Scorecard};
use super::source::{self, PackFiles, PackSources};
use super::{Pack, ReviewSettings, codes, lint, overrides, profiles, satisfaction, topics};
use crate::diagnostic::{Diagnostic, Severity, SourceFile};
use crate::metrics::satisfaction::SatisfactionModel;

/// Reads a pack's files, and those of the pack it extends (`stored_base` when that one was kept with it). All faults go
/// to `all`; none comes back only when the frame is missing.
pub(super) fn load(own: &PackFiles, stored_base: Option<&PackFiles>, all: &mut Vec<Diagnostic>) -> Option<Pack> {
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

/// Reads a satisfaction model.
pub(super) fn read_satisfaction(
    file: &Arc<SourceFile>,
    ids: &[String],
    all: &mut Vec<Diagnostic>,
) -> SatisfactionModel {
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
pub(super) fn quiet_echoes(all: &mut Vec<Diagnostic>) {
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
