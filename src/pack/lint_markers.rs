//! Markers whose conditions can never be met, or are written and do nothing.

use std::collections::BTreeMap;

use super::Pack;
use super::codes;
use super::expression::MarkerId;
use super::fields::Faults;
use super::lint::place_of;
use super::marker::{Block, Context, Marker, Position};
use super::reference::normal_phrase;
use crate::conversation::Role;
use crate::diagnostic::Diagnostic;

/// Adds the faults found to `all`.
pub fn lint(pack: &Pack, all: &mut Vec<Diagnostic>) {
    for marker in &pack.markers {
        context(pack, marker, marker.role, &marker.context, all);
        for block in &marker.blocks {
            let role = block.role.or(marker.role);
            if let (Some(own), Some(marker_role)) = (block.role, marker.role)
                && own != marker_role
            {
                let message = format!("标记的 role 与这一段的 role 不同,这一段会把标记打在{}的话上", side(own));
                let hint = Some("删掉这一段的 role;两边的话都要认就把标记的 role 写成 any".into());
                // The block's own `role` is the last in the file.
                let at = marker.file.text.rfind("role").map_or(0..1, |i| i..i + 4);
                Faults::new(marker.file.clone(), all).at(codes::ROLE_CONFLICT, at, message, hint);
            }
            context(pack, marker, role, &block.context, all);
            bounds(marker, block, all);
        }
        if marker.file.text.contains("channels = []") {
            let hint = Some("删掉这一行;要限定就写 channels = [\"phone\"]".into());
            fault(marker, codes::NO_EFFECT, "channels", "channels 是空的,等于所有渠道都算", hint, all);
        }
    }
}

fn fault(
    marker: &Marker,
    code: codes::Code,
    key: &str,
    message: impl Into<String>,
    hint: Option<String>,
    all: &mut Vec<Diagnostic>,
) {
    let place = place_of(&marker.file.text, key);
    Faults::new(marker.file.clone(), all).at(code, place, message, hint);
}

fn side(role: Role) -> &'static str {
    if role == Role::Customer { "客户" } else { "客服" }
}

/// Bounds of a block that leave nothing.
fn bounds(marker: &Marker, block: &Block, all: &mut Vec<Diagnostic>) {
    if let (Some(least), Some(most)) = (block.min_chars, block.max_chars)
        && least > most
    {
        let message = format!("min_chars = {least} 大于 max_chars = {most},没有这样的消息");
        fault(marker, codes::UNREACHABLE, "min_chars", message, None, all);
    }
    let patterns = block.phrases.len() + block.nears.len();
    if block.at_least > 1 && block.regexes.is_empty() && block.entities.is_empty() && block.at_least as usize > patterns
    {
        let message = format!("at_least = {} 多于这一段的短语数 {patterns},永远凑不齐", block.at_least);
        fault(marker, codes::UNREACHABLE, "at_least", message, None, all);
    }
    for near in &block.nears {
        if near.parts.iter().any(Vec::is_empty) {
            fault(marker, codes::UNREACHABLE, "parts", "near 的 parts 里有一部分是空的", None, all);
        }
        if near.within == 0 && near.parts.iter().all(|p| p.len() == 1) && near.ordered {
            let joined: String = near.parts.iter().map(|p| p[0].as_str()).collect();
            let message = format!("within = 0 表示紧挨着,等于短语“{joined}”");
            let hint = Some("直接写进 phrases,或把 within 写大".into());
            fault(marker, codes::NO_EFFECT, "within", message, hint, all);
        }
    }
}

/// Conditions on other markers and on the place that can never hold.
fn context(pack: &Pack, marker: &Marker, role: Option<Role>, context: &Context, all: &mut Vec<Diagnostic>) {
    let other_side = |id: &MarkerId| match (role, pack.markers[*id as usize].role) {
        (Some(own), Some(other)) => own != other,
        _ => false,
    };
    let same_side = |id: &MarkerId| match (role, pack.markers[*id as usize].role) {
        (Some(own), Some(other)) => own == other,
        _ => false,
    };
    let name = |id: &MarkerId| pack.markers[*id as usize].id.clone();
    for id in context.with.iter().filter(|m| other_side(m)) {
        let message = format!("with 里的 `{}` 只会在对方的话上,同一条消息不可能同时带有", name(id));
        let hint = Some("要看对方前面的话,用 reply_to 或 after".into());
        fault(marker, codes::ROLE_CONFLICT, &name(id), message, hint, all);
    }
    for id in context.unless.iter().filter(|m| other_side(m)) {
        let message = format!("unless 里的 `{}` 只会在对方的话上,这一项不起作用", name(id));
        fault(marker, codes::NO_EFFECT, &name(id), message, None, all);
    }
    for id in context.reply_to.iter().filter(|m| same_side(m)) {
        let message = format!("reply_to 看的是对方的话,`{}` 却是本方的标记", name(id));
        let hint = Some("要看自己前面的话,用 after".into());
        fault(marker, codes::ROLE_CONFLICT, &name(id), message, hint, all);
    }
    if let Some(Position { first_turns: Some(0), .. } | Position { last_turns: Some(0), .. }) = context.position {
        fault(marker, codes::UNREACHABLE, "position", "前 0 条、最后 0 条里什么也没有", None, all);
    }
    for near in context.neighbours.iter().filter(|n| n.turns == Some(0)) {
        let message = format!("离 `{}` 0 条消息就是同一条消息,永远不成立", name(&near.marker));
        fault(marker, codes::UNREACHABLE, &name(&near.marker), message, Some("同一条消息用 with".into()), all);
    }
}

/// A phrase as it is looked for: view, side, normalised.
type Looked = (u8, Option<Role>, String);

/// Matters of taste: phrases that several markers of one side share. Never part of loading.
pub fn pedantic(pack: &Pack) -> Vec<Diagnostic> {
    let mut owners: BTreeMap<Looked, Vec<(usize, &str)>> = BTreeMap::new();
    for (number, marker) in pack.markers.iter().enumerate() {
        for block in marker.blocks.iter().filter(|b| b.context.is_empty() && marker.context.is_empty()) {
            for phrase in &block.phrases {
                let key = (block.view as u8, block.role.or(marker.role), normal_phrase(block.view, phrase));
                let list = owners.entry(key).or_default();
                if list.last().is_none_or(|(n, _)| *n != number) {
                    list.push((number, phrase));
                }
            }
        }
    }
    let mut all = Vec::new();
    for list in owners.values().filter(|l| l.len() > 1) {
        let (last, phrase) = list[list.len() - 1];
        let others: Vec<_> = list[..list.len() - 1].iter().map(|(n, _)| pack.markers[*n].id.as_str()).collect();
        let marker = &pack.markers[last];
        let message = format!("短语 `{phrase}` 也在 {} 里,一句话会带上几个标记", others.join("、"));
        let hint = Some("若只该算一个,从另一个里删掉,或用 unless 让其中一个让步".into());
        let place = place_of(&marker.file.text, phrase);
        Faults::new(marker.file.clone(), &mut all).note(codes::SHARED_PHRASE, place, message, hint);
    }
    super::lint_rules::pedantic(pack, &mut all);
    crate::diagnostic::sort(&mut all);
    all
}
