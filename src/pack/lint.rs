//! Faults that show only when the whole pack is known: cycles, phrases that can never hit, unused markers.

use rayon::prelude::*;

use super::Pack;
use super::codes;
use super::expression::{Expr, MarkerId};
use super::fields::Faults;
use super::marker::{Block, Marker, Reach, ViewKind};
use super::reference::normal_phrase;
use super::rule::Demand;
use crate::diagnostic::Diagnostic;

/// Adds the faults found to `all`.
pub fn lint(pack: &Pack, all: &mut Vec<Diagnostic>) {
    let of_phrases: Vec<Vec<Diagnostic>> = pack
        .markers
        .par_iter()
        .map(|marker| {
            let mut own = Vec::new();
            marker.blocks.iter().for_each(|block| phrases(marker, block, &mut own));
            own
        })
        .collect();
    all.extend(of_phrases.into_iter().flatten());
    cycles(pack, all);
    unused(pack, all);
    super::lint_rules::lint(pack, all);
    super::lint_markers::lint(pack, all);
    for rule in &pack.rules {
        if let (Some(when), Demand::Require(require)) = (&rule.when, &rule.demand)
            && when == require
            && rule.include_trigger
        {
            let mut faults = Faults::new(rule.file.clone(), all);
            let place = place_of(&rule.file.text, "require");
            faults.at(codes::CONTRADICTION, place, "require 与 when 相同,这条规则永远不会扣分", None);
        }
    }
}

fn phrases(marker: &Marker, block: &Block, all: &mut Vec<Diagnostic>) {
    let mut faults = Faults::new(marker.file.clone(), all);
    let text = &marker.file.text;
    let except: Vec<(Reach, String)> =
        block.except.iter().map(|(reach, p)| (*reach, normal_phrase(block.view, p))).collect();
    let mut normals: Vec<(String, &String)> = block.phrases.iter().map(|p| (normal_phrase(block.view, p), p)).collect();
    for (normal, phrase) in &normals {
        if let Some((_, by)) = except.iter().find(|(_, e)| e == normal) {
            let hint = Some("短语和例外留一个".into());
            let message = format!("短语 `{phrase}` 同时写成了例外 `{by}`,永远不会命中");
            faults.at(codes::SHADOWED_PHRASE, place_of(text, phrase), message, hint);
        }
        if let Some(max) = block.max_chars
            && block.view != ViewKind::Pinyin
            && normal.chars().filter(|c| c.is_alphanumeric()).count() > max as usize
        {
            let message = format!("短语 `{phrase}` 比 max_chars = {max} 还长,永远不会命中");
            faults.at(codes::NEVER_MATCHES, place_of(text, phrase), message, None);
        }
    }
    normals.sort();
    for pair in normals.windows(2) {
        if pair[0].0 == pair[1].0 && pair[0].1 != pair[1].1 && block.view == ViewKind::Plain {
            let message = format!("短语 `{}` 与 `{}` 归一化后相同,留一个即可", pair[0].1, pair[1].1);
            faults.at(codes::DUPLICATE_PHRASE, place_of(text, pair[1].1), message, None);
        }
    }
}

/// Markers in an order in which each comes after those it refers to; those on a cycle are missing.
pub fn evaluation_order(markers: &[Marker]) -> Vec<MarkerId> {
    let mut needs: Vec<Vec<MarkerId>> = markers
        .iter()
        .map(|m| {
            let mut list = Vec::new();
            m.needs(|id| list.push(id));
            list
        })
        .collect();
    let mut order = Vec::with_capacity(markers.len());
    let mut done = vec![false; markers.len()];
    loop {
        let before = order.len();
        for id in 0..markers.len() {
            if !done[id] && needs[id].iter().all(|n| done[*n as usize]) {
                done[id] = true;
                needs[id].clear();
                order.push(id as MarkerId);
            }
        }
        if order.len() == before {
            return order;
        }
    }
}

fn cycles(pack: &Pack, all: &mut Vec<Diagnostic>) {
    let order = evaluation_order(&pack.markers);
    for (id, marker) in pack.markers.iter().enumerate() {
        if !order.contains(&(id as MarkerId)) {
            let mut faults = Faults::new(marker.file.clone(), all);
            let hint = Some("检查 unless/with/after/before/reply_to,去掉其中一个引用".into());
            let message = format!("标记 `{}` 与它引用的标记互相依赖", marker.id);
            faults.at(codes::MARKER_CYCLE, 0..1, message, hint);
        }
    }
}

/// Ids the outputs rely on even when no rule names them.
const STANDARD: &[&str] = &[
    "greeting",
    "closing",
    "offer_help",
    "empathy",
    "apology",
    "thanks",
    "timeframe",
    "action",
    "probe",
    "restate",
    "please_wait",
    "positive_language",
    "cannot_help",
    "buck_passing",
    "perfunctory",
    "rhetorical",
    "impatience",
    "abuse",
    "threat",
    "overpromise",
    "extreme_claim",
    "off_platform",
    "review_bribery",
    "privacy",
    "negative",
    "urge",
    "complaint_threat",
    "profanity",
    "resolved",
    "unresolved",
    "repeat_contact",
    "ask_human",
];

fn unused(pack: &Pack, all: &mut Vec<Diagnostic>) {
    let mut used = vec![false; pack.markers.len()];
    let mut mark = |id: MarkerId| {
        if let Some(slot) = used.get_mut(id as usize) {
            *slot = true;
        }
    };
    for marker in &pack.markers {
        marker.needs(&mut mark);
    }
    let mut expression = |e: &Expr| e.markers(&mut mark);
    for rule in &pack.rules {
        rule.when.iter().for_each(&mut expression);
        rule.applies.iter().for_each(&mut expression);
        if let Demand::Require(e) | Demand::Forbid(e) = &rule.demand {
            expression(e);
        }
    }
    let estimate = pack.satisfaction.iter().flat_map(|model| &model.features);
    estimate.for_each(|weighted| weighted.feature.markers().iter().for_each(|m| mark(*m)));
    for (marker, used) in pack.markers.iter().zip(used) {
        if !used && !STANDARD.contains(&marker.id.as_str()) {
            let mut faults = Faults::new(marker.file.clone(), all);
            let message = format!("没有规则或标记用到 `{}`", marker.id);
            faults.at(codes::UNUSED_MARKER, 0..1, message, Some("删掉它,或写一条用它的规则".into()));
        }
    }
}

/// Where a phrase stands in a file's text; the start when it cannot be found (from a list or a phrase file).
pub(super) fn place_of(text: &str, phrase: &str) -> std::ops::Range<usize> {
    let quoted = format!("\"{phrase}\"");
    let found = text.find(&quoted).map(|i| i + 1).or_else(|| text.find(phrase));
    found.map_or(0..1, |i| i..i + phrase.len())
}
