//! A shop's own pack on top of another: `extends = "ecommerce"`, then `[rule.<id>]` and `[marker.<id>]` tables that
//! change points, switch rules off, add phrases and exceptions. Whole files of the same path replace the base's.

use super::codes;
use super::fields::{At, Faults, Table, nearest};
use super::marker::{Block, Marker, Reach, ViewKind};
use super::rule::{Rule, Severity};
use super::source::PackFiles;

/// What a shop changes in a rule.
#[derive(Debug, Clone)]
pub struct RuleOverride {
    id: At<String>,
    points: Option<i64>,
    cap: Option<i64>,
    severity: Option<Severity>,
    off: Option<bool>,
    review_only: Option<bool>,
}

/// What a shop changes in a marker.
#[derive(Debug, Clone)]
pub struct MarkerOverride {
    id: At<String>,
    view: ViewKind,
    add: Vec<String>,
    except: Vec<String>,
    remove: Vec<String>,
}

/// Reads the `[rule.…]` and `[marker.…]` tables of `pack.toml`.
pub fn read(table: &mut Table<'_>, faults: &mut Faults<'_>) -> (Vec<RuleOverride>, Vec<MarkerOverride>) {
    let mut rules = Vec::new();
    if let Some(inner) = table.table("rule", faults) {
        for (id, value) in inner.entries() {
            let Some(t) = value.get_ref().as_table() else {
                not_a_table("rule", "points = -5", (&id, value.span()), faults);
                continue;
            };
            let mut t = Table::new(t, value.span());
            let milli = |n: Option<At<f64>>| n.map(|n| (n.value * 1000.0).round() as i64);
            let severity = t.string("severity", faults).and_then(|at| {
                let found = Severity::ALL.iter().find(|s| s.1 == at.value).map(|s| s.0);
                if found.is_none() {
                    let hint = Some("可写 note、minor、major、critical".into());
                    faults.at(codes::BAD_VALUE, at.range, format!("severity 不能是 `{}`", at.value), hint);
                }
                found
            });
            rules.push(RuleOverride {
                id,
                points: milli(t.number("points", faults)),
                cap: milli(t.number("cap", faults)),
                severity,
                off: t.boolean("off", faults),
                review_only: t.boolean("review_only", faults),
            });
            t.finish("[rule.…] ", faults);
        }
    }
    let mut markers = Vec::new();
    if let Some(inner) = table.table("marker", faults) {
        for (id, value) in inner.entries() {
            let Some(t) = value.get_ref().as_table() else {
                not_a_table("marker", "add = [\"…\"]", (&id, value.span()), faults);
                continue;
            };
            let mut t = Table::new(t, value.span());
            let strings = |list: Vec<At<String>>| list.into_iter().map(|a| a.value).collect();
            let view = match t.string("view", faults) {
                None => ViewKind::Squeezed,
                Some(at) => match ViewKind::ALL.iter().find(|(_, name)| *name == at.value) {
                    Some((kind, _)) => *kind,
                    None => {
                        let hint = Some("可写 plain、squeezed、pinyin".into());
                        faults.at(codes::BAD_VALUE, at.range, format!("没有叫 `{}` 的视图", at.value), hint);
                        ViewKind::Squeezed
                    }
                },
            };
            markers.push(MarkerOverride {
                id,
                view,
                add: strings(t.strings("add", faults)),
                except: strings(t.strings("except", faults)),
                remove: strings(t.strings("remove", faults)),
            });
            t.finish("[marker.…] ", faults);
        }
    }
    (rules, markers)
}

/// `rule.abuse = 5` instead of `[rule.abuse]`.
fn not_a_table(kind: &str, sample: &str, at: (&At<String>, std::ops::Range<usize>), faults: &mut Faults<'_>) {
    let (id, range) = (&at.0.value, at.1);
    let hint = Some(format!("写成两行:[{kind}.{id}] 和 {sample}"));
    faults.at(codes::WRONG_TYPE, range, format!("`{id}` 要写成一段 [{kind}.{id}]"), hint);
}

/// The base's files with the shop's own over them; `pack.toml` is the shop's.
pub fn overlay(mut base: PackFiles, own: &PackFiles) -> PackFiles {
    for (path, file) in &own.files {
        match base.files.iter_mut().find(|(p, _)| p == path) {
            Some(slot) => slot.1 = file.clone(),
            None => base.files.push((path.clone(), file.clone())),
        }
    }
    base.files.sort_by(|a, b| a.0.cmp(&b.0));
    base.origin = format!("{} + {}", base.origin, own.origin);
    base
}

/// Applies the overrides; unknown ids are reported.
pub fn apply(
    rule_overrides: &[RuleOverride],
    marker_overrides: &[MarkerOverride],
    rules: &mut [Rule],
    markers: &mut [Marker],
    faults: &mut Faults<'_>,
) {
    for change in rule_overrides {
        let Some(rule) = rules.iter_mut().find(|r| r.id == change.id.value) else {
            let hint =
                nearest(&change.id.value, rules.iter().map(|r| r.id.as_str())).map(|n| format!("是不是想写 `{n}`?"));
            faults.at(codes::UNKNOWN_RULE, change.id.range.clone(), format!("没有规则 `{}`", change.id.value), hint);
            continue;
        };
        if let Some(points) = change.points {
            rule.points = points;
            rule.cap = rule.cap.max(points.abs());
        }
        if let Some(cap) = change.cap {
            rule.cap = cap.abs().max(rule.points.abs());
        }
        rule.severity = change.severity.unwrap_or(rule.severity);
        if rule.severity == Severity::Note {
            rule.points = rule.points.max(0);
        }
        rule.off = change.off.unwrap_or(rule.off);
        rule.review_only = change.review_only.unwrap_or(rule.review_only);
    }
    for change in marker_overrides {
        let Some(marker) = markers.iter_mut().find(|m| m.id == change.id.value) else {
            let hint =
                nearest(&change.id.value, markers.iter().map(|m| m.id.as_str())).map(|n| format!("是不是想写 `{n}`?"));
            faults.at(codes::UNKNOWN_MARKER, change.id.range.clone(), format!("没有标记 `{}`", change.id.value), hint);
            continue;
        };
        for block in &mut marker.blocks {
            block.phrases.retain(|p| !change.remove.contains(p));
            block.except.extend(change.except.iter().map(|p| (Reach::Sentence, p.clone())));
        }
        if !change.add.is_empty() {
            marker.blocks.push(Block {
                view: change.view,
                phrases: change.add.clone(),
                except: change.except.iter().map(|p| (Reach::Sentence, p.clone())).collect(),
                at_least: 1,
                min_hits: 1,
                ..Block::default()
            });
        }
    }
}
