//! Reading a marker's file.

use std::sync::Arc;

use super::{
    Block, Context, Direction, Marker, MarkerExample, Near, Neighbour, Occurrence, Position, Reach, Scope, ViewKind,
};
use crate::conversation::Role;
use crate::pack::codes;
use crate::pack::expression::MarkerId;
use crate::pack::fields::{At, Faults, Table};
use crate::pack::reference::Names;
use crate::pack::turn_model::TurnModel;
use crate::text::EntityKind;

/// Reads a marker file. Faults are collected; what can be read is returned.
pub fn read(id: &str, mut table: Table<'_>, names: &Names<'_>, faults: &mut Faults<'_>) -> Marker {
    let title = table.required("title", faults).map(|t| t.value).unwrap_or_default();
    let about = table.string("about", faults).map(|t| t.value).unwrap_or_default();
    let role = match table.required("role", faults) {
        Some(role) => side(&role, faults).flatten(),
        None => None,
    };
    let context = context(&mut table, names, faults);
    let own = table.range();
    let model = model(id, &mut table, names, faults);
    let alone_review = alone(&mut table, model.is_some(), faults);
    let mut blocks = Vec::new();
    if let Some(block) = block(&mut table, names, faults, true) {
        blocks.push(block);
    }
    for mut pattern in table.tables("pattern", faults) {
        let range = pattern.head();
        let mut role = None;
        if let Some(at) = pattern.string("role", faults) {
            role = side(&at, faults).flatten();
        }
        let block_context = self::context(&mut pattern, names, faults);
        match block(&mut pattern, names, faults, false) {
            Some(mut found) => {
                found.role = role;
                found.context = block_context;
                blocks.push(found);
            }
            None => faults.at(
                codes::NO_PATTERN,
                range,
                "这一段 [[pattern]] 没有短语、正则或 near",
                Some("加上 phrases = [\"…\"]".into()),
            ),
        }
        pattern.finish("[[pattern]] ", faults);
    }
    if blocks.is_empty() && model.is_some() {
        blocks.push(Block { at_least: 1, min_hits: 1, ..Block::default() });
    }
    if blocks.is_empty() {
        faults.at(
            codes::NO_PATTERN,
            own.start..own.start + 1,
            format!("标记 {id} 没有任何短语、正则或 near"),
            Some("加上 phrases = [\"…\"]".into()),
        );
    }
    let examples = examples(&mut table, faults);
    let hits = examples.iter().filter(|e| e.hit).count();
    if hits == 0 || hits == examples.len() {
        faults.at(
            codes::NO_EXAMPLE,
            own.start..own.start + 1,
            format!("标记 {id} 至少要有一个命中(hit)和一个不命中(miss)的例子"),
            Some("[[example]]\nhit = \"应该命中的一句话\"\n[[example]]\nmiss = \"很像但不该命中的一句话\"".into()),
        );
    }
    table.finish("标记", faults);
    let file = faults.file().clone();
    Marker { id: id.to_string(), title, about, role, model, alone_review, blocks, context, examples, file }
}

/// `alone = "review"`: what only the model says goes to review.
fn alone(table: &mut Table<'_>, learnt: bool, faults: &mut Faults<'_>) -> bool {
    let Some(alone) = table.string("alone", faults) else { return false };
    match alone.value.as_str() {
        "review" | "count" if learnt => {}
        "review" | "count" => {
            faults.at(codes::MISSING_KEY, alone.range.clone(), "写了 alone 还要写 kind = \"model\"", None);
        }
        other => {
            let hint = Some("可写 count(照常判,默认)或 review(只进复核,不扣分)".into());
            faults.at(codes::BAD_VALUE, alone.range.clone(), format!("alone 不能是 `{other}`"), hint);
        }
    }
    alone.value == "review"
}

/// The learnt model of a marker of `kind = "model"`.
fn model(id: &str, table: &mut Table<'_>, names: &Names<'_>, faults: &mut Faults<'_>) -> Option<Arc<TurnModel>> {
    let kind = table.string("kind", faults);
    let name = table.string("model", faults);
    match &kind {
        Some(kind) if kind.value == "model" => {}
        Some(kind) if kind.value == "rules" && name.is_none() => return None,
        None if name.is_none() => return None,
        Some(kind) if kind.value != "rules" => {
            let hint = Some("可写 rules(短语等,默认)或 model(学来的权重)".into());
            faults.at(codes::BAD_VALUE, kind.range.clone(), format!("kind 不能是 `{}`", kind.value), hint);
            return None;
        }
        _ => {
            let range = name.map_or(0..1, |n| n.range);
            faults.at(codes::MISSING_KEY, range, "写了 model 还要写 kind = \"model\"", None);
            return None;
        }
    }
    let Some(name) = name else {
        let hint = Some(format!("加一行 model = \"{id}.model.toml\",文件由 zhijian calibrate markers 写出"));
        faults.at(codes::MISSING_KEY, table.head(), "缺少 `model`", hint);
        return None;
    };
    let Some(file) =
        names.files.get(&format!("markers/{}", name.value)).filter(|_| name.value.ends_with(".model.toml"))
    else {
        let hint = Some("模型文件放在 markers/ 里,文件名以 .model.toml 结尾".into());
        faults.at(codes::MISSING_FILE, name.range, format!("找不到模型文件 `{}`", name.value), hint);
        return None;
    };
    let mut inner = faults.of(file.clone());
    let parsed = crate::pack::fields::parse(&file.text, &mut inner);
    let table = Table::new(parsed.get_ref(), 0..file.text.len());
    Some(Arc::new(crate::pack::turn_model::read(table, names.markers, &mut inner)))
}

/// `agent`, `customer` or `any`; the outer `None` is a fault.
fn side(at: &At<String>, faults: &mut Faults<'_>) -> Option<Option<Role>> {
    match at.value.as_str() {
        "agent" => Some(Some(Role::Agent)),
        "customer" => Some(Some(Role::Customer)),
        "any" => Some(None),
        other => {
            let hint = Some("可写 agent(客服)、customer(客户)、any(双方)".into());
            faults.at(codes::BAD_VALUE, at.range.clone(), format!("role 不能是 `{other}`"), hint);
            None
        }
    }
}

fn block(table: &mut Table<'_>, names: &Names<'_>, faults: &mut Faults<'_>, top: bool) -> Option<Block> {
    let mut block = Block { at_least: 1, min_hits: 1, ..Block::default() };
    if let Some(view) = table.string("view", faults) {
        match ViewKind::ALL.iter().find(|(_, name)| *name == view.value) {
            Some((kind, _)) => block.view = *kind,
            None => faults.at(
                codes::BAD_VALUE,
                view.range,
                format!("没有叫 `{}` 的视图", view.value),
                Some("可写 plain、squeezed、pinyin".into()),
            ),
        }
    }
    block.phrases = names.phrases(table, "phrases", "phrases_file", block.view, faults);
    block.regexes = crate::pack::pattern::regexes(table, "regex", faults);
    for at in table.strings("entity", faults) {
        match EntityKind::ALL.into_iter().find(|k| k.as_str() == at.value) {
            Some(kind) => block.entities.push(kind),
            None => {
                let known: Vec<_> = EntityKind::ALL.iter().map(|k| k.as_str()).collect();
                let hint = Some(format!("可写 {}", known.join("、")));
                faults.at(codes::BAD_VALUE, at.range, format!("没有叫 `{}` 的实体", at.value), hint);
            }
        }
    }
    // A faulty regex or near was reported as such: the block is not reported as empty besides.
    let attempted = table.has("near") || table.has("regex") || table.has("entity");
    for near_table in table.tables("near", faults) {
        if let Some(near) = near(near_table, names, faults) {
            block.nears.push(near);
        }
    }
    for (key, reach) in [
        ("except_inside", Reach::Inside),
        ("except_clause", Reach::Clause),
        ("except", Reach::Sentence),
        ("except_turn", Reach::Turn),
    ] {
        let list = names.phrases(table, key, "", block.view, faults);
        block.except.extend(list.into_iter().map(|p| (reach, p)));
    }
    block.except_regex = crate::pack::pattern::regexes(table, "except_regex", faults);
    block.word = table.boolean("word", faults).unwrap_or(false);
    block.whole = table.boolean("whole", faults).unwrap_or(false);
    block.start = table.boolean("start", faults).unwrap_or(false);
    block.end = table.boolean("end", faults).unwrap_or(false);
    block.negation = table.boolean("negation", faults).unwrap_or(false);
    block.question = table.boolean("question", faults);
    block.at_least = table.count("at_least", faults).unwrap_or(1).max(1);
    block.min_hits = table.count("min_hits", faults).unwrap_or(1).max(1);
    block.min_chars = table.count("min_chars", faults);
    block.max_chars = table.count("max_chars", faults);
    block.min_confidence = table.number("min_confidence", faults).map(|n| (n.value * 1000.0) as u32);
    block.channels = table.strings("channels", faults).into_iter().map(|c| c.value).collect();
    if block.view == ViewKind::Pinyin && block.channels.is_empty() {
        block.channels.push("phone".into());
    }
    block.channels.retain(|c| c != "*");
    if !top && (block.min_chars, block.max_chars) == (Some(0), Some(0)) {
        block.min_chars = None;
    }
    let has_pattern =
        !(block.phrases.is_empty() && block.regexes.is_empty() && block.nears.is_empty() && block.entities.is_empty());
    (has_pattern || attempted).then_some(block)
}

fn near(mut table: Table<'_>, names: &Names<'_>, faults: &mut Faults<'_>) -> Option<Near> {
    let head = table.head();
    let parts = names.parts(&mut table, faults);
    let within = table.count("within", faults).unwrap_or(6);
    let ordered = table.boolean("ordered", faults).unwrap_or(true);
    let words = match table.string("unit", faults) {
        None => false,
        Some(at) => match at.value.as_str() {
            "chars" => false,
            "words" => true,
            other => {
                faults.at(codes::BAD_VALUE, at.range, format!("unit 不能是 `{other}`"), Some("chars 或 words".into()));
                false
            }
        },
    };
    let not = names.phrases(&mut table, "not", "", ViewKind::Plain, faults);
    table.finish("near ", faults);
    if parts.len() < 2 {
        faults.at(codes::BAD_VALUE, head, "near 的 parts 至少要两部分", Some("parts = [[\"加\"], [\"微信\"]]".into()));
        return None;
    }
    Some(Near { parts, within, ordered, words, not })
}

fn context(table: &mut Table<'_>, names: &Names<'_>, faults: &mut Faults<'_>) -> Context {
    let mut list = |key| -> Vec<MarkerId> {
        let written = table.strings(key, faults);
        written.iter().filter_map(|at| names.marker(at, faults)).collect()
    };
    let (unless, with, reply_to) = (list("unless"), list("with"), list("reply_to"));
    let mut neighbours = Vec::new();
    for (key, direction) in [("after", Direction::After), ("before", Direction::Before), ("around", Direction::Around)]
    {
        let Some(mut inner) = table.table(key, faults) else { continue };
        let marker = inner.required("marker", faults).and_then(|at| names.marker(&at, faults));
        let turns = inner.count("turns", faults);
        let ms = inner.number("seconds", faults).map(|n| (n.value * 1000.0) as i64);
        let occurrence = match inner.string("occurrence", faults) {
            None => Occurrence::Each,
            Some(at) => match at.value.as_str() {
                "each" => Occurrence::Each,
                "first" => Occurrence::First,
                "last" => Occurrence::Last,
                other => {
                    let hint = Some("可写 each、first、last".into());
                    faults.at(codes::BAD_VALUE, at.range, format!("occurrence 不能是 `{other}`"), hint);
                    Occurrence::Each
                }
            },
        };
        inner.finish(key, faults);
        if let Some(marker) = marker {
            neighbours.push(Neighbour { marker, direction, turns, ms, occurrence });
        }
    }
    let position = table.table("position", faults).map(|mut inner| {
        let share = |at: Option<At<f64>>| at.map(|n| (n.value.clamp(0.0, 1.0) * 1000.0).round() as u32);
        let seconds = |at: Option<At<f64>>| at.map(|n| (n.value * 1000.0) as i64);
        let mut position = Position {
            first_turns: inner.count("first_turns", faults),
            last_turns: inner.count("last_turns", faults),
            first_ms: seconds(inner.number("first_seconds", faults)),
            last_ms: seconds(inner.number("last_seconds", faults)),
            first_share: share(inner.number("first_share", faults)),
            last_share: share(inner.number("last_share", faults)),
            of: Scope::Segment,
        };
        if let Some(of) = inner.string("of", faults) {
            match of.value.as_str() {
                "segment" => {}
                "conversation" => position.of = Scope::Conversation,
                other => faults.at(
                    codes::BAD_VALUE,
                    of.range,
                    format!("of 不能是 `{other}`"),
                    Some("可写 segment(本客服的服务段)或 conversation(整通会话)".into()),
                ),
            }
        }
        inner.finish("position ", faults);
        position
    });
    Context { unless, with, reply_to, neighbours, position }
}

fn examples(table: &mut Table<'_>, faults: &mut Faults<'_>) -> Vec<MarkerExample> {
    let mut out = Vec::new();
    for mut example in table.tables("example", faults) {
        let range = example.range();
        let hit: Vec<_> = example.strings("hit", faults).into_iter().map(|a| a.value).collect();
        let miss: Vec<_> = example.strings("miss", faults).into_iter().map(|a| a.value).collect();
        let todo = example.boolean("todo", faults).unwrap_or(false);
        let channel = example.string("channel", faults).map(|c| c.value);
        let _note = example.string("note", faults);
        if hit.is_empty() == miss.is_empty() {
            let hint = Some("一个例子写一行 hit = \"…\" 或 miss = \"…\"".into());
            faults.at(codes::BAD_VALUE, range.clone(), "例子里要有 hit 或 miss(只能一个)", hint);
        } else {
            out.push(MarkerExample { hit: !hit.is_empty(), lines: [hit, miss].concat(), todo, channel, range });
        }
        example.finish("[[example]] ", faults);
    }
    out
}
