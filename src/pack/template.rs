//! Templates of new markers, rules and packs: commented, valid as they stand, made to be changed by people who do not
//! program. A rule's examples are put together from those of the markers it names, so that they pass from the start.

use super::Pack;
use super::marker::Marker;
use crate::conversation::Role;

/// A marker file.
pub fn marker(id: &str, dir: &str) -> String {
    include_str!("templates/marker.toml").replace("{id}", id).replace("{dir}", dir)
}

/// The `pack.toml` of a shop's own pack.
pub fn pack(id: &str, dir: &str) -> String {
    include_str!("templates/pack.toml").replace("{id}", id).replace("{dir}", dir)
}

/// A rule file that fits the pack's markers and dimensions; `None` when the pack has no dimension, or lacks a marker of
/// the customer's or the agent's with a one-line example.
pub fn rule(id: &str, dir: &str, pack: &Pack) -> Option<String> {
    let dimensions = &pack.scorecard.dimensions;
    let dimension = dimensions.iter().find(|d| d.id == "empathy").or(dimensions.first())?;
    let listed: Vec<_> = dimensions.iter().map(|d| format!("{} {}", d.id, d.title)).collect();
    let (when, said) = pick(pack, "negative", Role::Customer)?;
    let (require, answer) = pick(pack, "empathy", Role::Agent)?;
    let chat = |lines: [&str; 2]| {
        let quoted = |who: &str, text: &str| toml::Value::String(format!("{who}: {text}")).to_string();
        format!("{}, {}", quoted("客", lines[0]), quoted("服", lines[1]))
    };
    let text = include_str!("templates/rule.toml")
        .replace("{id}", id)
        .replace("{dir}", dir)
        .replace("{dimension}", &dimension.id)
        .replace("{dimensions}", &listed.join("、"))
        .replace("{when}", &when.id)
        .replace("{require}", &require.id)
        .replace("{hit}", &chat([said, "订单号发我一下"]))
        .replace("{pass}", &chat([said, answer]))
        .replace("{na}", &chat(["订单号 12345", "收到"]))
        .replace("{{", "{")
        .replace("}}", "}");
    Some(text)
}

/// The marker of this id, or the first of the role that needs no context, with a one-line example that hits.
fn pick<'p>(pack: &'p Pack, wanted: &str, role: Role) -> Option<(&'p Marker, &'p str)> {
    let usable = |marker: &'p Marker| {
        let plain = marker.role == Some(role) && marker.context.is_empty();
        let mut examples = marker.examples.iter().filter(|e| e.hit && !e.todo && e.channel.is_none());
        let line = examples.find(|e| e.lines.len() == 1 && super::chat::line(&e.lines[0]).is_err())?;
        plain.then_some((marker, line.lines[0].as_str()))
    };
    let own = pack.marker(wanted).and_then(|m| usable(&pack.markers[m as usize]));
    own.or_else(|| pack.markers.iter().find_map(usable))
}

/// Whether an id can name a file: lower-case letters, digits and the separator.
pub fn valid_id(id: &str, separator: char) -> bool {
    let first = id.chars().next().is_some_and(|c| c.is_ascii_lowercase());
    first && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == separator)
}
