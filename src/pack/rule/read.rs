//! Reading a rule's file.

use super::{
    Demand, ErrorClass, Expect, Rule, RuleExample, SegmentChoice, Severity, TriggerChoice, Window, WindowSide,
};
use crate::metrics::{METRICS, Metric};
use crate::pack::codes;
use crate::pack::expression::{self, Expr, Field, scaled};
use crate::pack::fields::{At, Faults, Table, nearest};
use crate::pack::reference::Names;

/// Reads a rule file. Faults are collected; `None` when the rule cannot be used at all.
pub fn read(
    stem: &str,
    mut table: Table<'_>,
    names: &Names<'_>,
    dimensions: &[String],
    faults: &mut Faults<'_>,
) -> Option<Rule> {
    let id = table.required("id", faults);
    if let Some(id) = &id
        && id.value != stem
    {
        let hint = Some(format!("把 id 改成 \"{stem}\",或把文件改名为 {}.toml", id.value));
        faults.at(codes::FILE_NAME, id.range.clone(), format!("id `{}` 与文件名 {stem}.toml 不一致", id.value), hint);
    }
    let title = table.required("title", faults).map(|t| t.value).unwrap_or_default();
    let dimension = table.required("dimension", faults).and_then(|at| {
        let found = dimensions.iter().position(|d| *d == at.value);
        if found.is_none() {
            let hint = nearest(&at.value, dimensions.iter().map(String::as_str))
                .map(|d| format!("是不是想写 `{d}`?"))
                .or_else(|| Some(format!("scorecard.toml 里有: {}", dimensions.join("、"))));
            faults.at(codes::UNKNOWN_DIMENSION, at.range, format!("评分卡里没有维度 `{}`", at.value), hint);
        }
        found
    });
    let severity = table
        .required("severity", faults)
        .and_then(|at| choice(&at, Severity::ALL.iter().map(|s| (s.1, s.0)), "severity", faults));
    let error_class = table
        .string("error_class", faults)
        .and_then(|at| choice(&at, ErrorClass::ALL.iter().map(|c| (c.1, c.0)), "error_class", faults))
        .unwrap_or_default();
    let points = table.number("points", faults).map_or(0, |n| (n.value * 1000.0).round() as i64);
    let cap = table.number("cap", faults).map(|n| (n.value * 1000.0).round() as i64);
    let when = expression(&mut table, "when", names, faults);
    let demand = demand(&mut table, names, faults);
    let within = table.table("within", faults).map(|inner| window(inner, faults));
    let include_trigger = table.boolean("include_trigger", faults).unwrap_or(false);
    let trigger = table
        .string("trigger", faults)
        .and_then(|at| {
            let known = [("first", TriggerChoice::First), ("each", TriggerChoice::Each), ("last", TriggerChoice::Last)];
            choice(&at, known.into_iter(), "trigger", faults)
        })
        .unwrap_or_default();
    let applies = expression(&mut table, "applies", names, faults);
    let segment = table
        .string("segment", faults)
        .and_then(|at| {
            let known = [("any", SegmentChoice::Any), ("first", SegmentChoice::First), ("last", SegmentChoice::Last)];
            choice(&at, known.into_iter(), "segment", faults)
        })
        .unwrap_or_default();
    let review_only = table.boolean("review_only", faults).unwrap_or(false);
    let off = table.boolean("off", faults).unwrap_or(false);
    let (mut from, mut to) = (None, None);
    if let Some(mut inner) = table.table("effective", faults) {
        from = date(&mut inner, "from", faults);
        to = date(&mut inner, "to", faults);
        inner.finish("effective ", faults);
    }
    let after_rule = table.string("after_rule", faults).map(|at| match at.value.strip_prefix("not ") {
        Some(rest) => (false, At { value: rest.trim().to_string(), range: at.range }),
        None => (true, at),
    });
    let mut text = |key| table.string(key, faults).map(|t| t.value).unwrap_or_default();
    let (skill, module, what, why, coach, source) =
        (text("skill"), text("module"), text("what"), text("why"), text("coach"), text("source"));
    let say = table.strings("say", faults).into_iter().map(|s| s.value).collect();
    let examples = examples(&mut table, faults);
    let hits = examples.iter().filter(|e| e.expect == Expect::Hit).count();
    let passes = examples.iter().filter(|e| matches!(e.expect, Expect::Pass | Expect::NotApplicable)).count();
    if hits == 0 || passes == 0 {
        let hint = "[[example]]\nexpect = \"hit\"\nchat = [\"客: …\", \"服: …\"]".to_string();
        let message = "规则至少要有一个命中(hit)和一个不命中(pass 或 n/a)的例子";
        faults.at(codes::NO_EXAMPLE, table.head(), message, Some(hint));
    }
    table.finish("规则", faults);
    let (id, severity, demand) = (id?.value, severity?, demand?);
    // A note costs nothing; a bonus is no fault, whatever its severity.
    let points = if severity == Severity::Note { points.max(0) } else { points };
    let repeated = matches!(demand, Demand::Forbid(_)) || trigger == TriggerChoice::Each;
    Some(Rule {
        id,
        title,
        dimension: dimension?,
        severity,
        error_class,
        points,
        cap: cap.unwrap_or(if repeated { points * 2 } else { points }).abs().max(points.abs()),
        when,
        demand,
        within,
        include_trigger,
        trigger,
        applies,
        segment,
        review_only,
        off,
        from,
        to,
        after_rule,
        after_rule_index: None,
        skill,
        module,
        what,
        why,
        coach,
        say,
        source,
        examples,
        file: faults.file().clone(),
    })
}

fn choice<'c, T>(
    at: &At<String>,
    known: impl Iterator<Item = (&'c str, T)>,
    key: &str,
    faults: &mut Faults<'_>,
) -> Option<T> {
    let mut ids = Vec::new();
    for (id, value) in known {
        if id == at.value {
            return Some(value);
        }
        ids.push(id);
    }
    let hint = Some(format!("可写 {}", ids.join("、")));
    faults.at(codes::BAD_VALUE, at.range.clone(), format!("{key} 不能是 `{}`", at.value), hint);
    None
}

fn expression(table: &mut Table<'_>, key: &'static str, names: &Names<'_>, faults: &mut Faults<'_>) -> Option<Expr> {
    let at = table.string(key, faults)?;
    match expression::parse(&at.value, &|id| names.find(id)) {
        Ok(expr) => Some(expr),
        Err(list) => {
            for fault in list {
                // The string's text begins one byte after its range (the opening quote).
                let shift = at.range.start + 1;
                let range = shift + fault.range.start..shift + fault.range.end;
                match &fault.unknown_name {
                    Some(name) => {
                        let known = names
                            .markers
                            .iter()
                            .map(String::as_str)
                            .chain(METRICS.iter().map(|m| m.1))
                            .chain(expression::META.iter().map(|m| m.0));
                        let hint = nearest(name, known)
                            .map(|n| format!("是不是想写 `{n}`?"))
                            .or_else(|| Some("`zhijian rules list` 列出全部标记".into()));
                        faults.at(codes::UNKNOWN_MARKER, range, fault.message, hint);
                    }
                    None => faults.at(codes::BAD_EXPRESSION, range, fault.message, None),
                }
            }
            None
        }
    }
}

fn demand(table: &mut Table<'_>, names: &Names<'_>, faults: &mut Faults<'_>) -> Option<Demand> {
    let given: Vec<_> = ["require", "forbid", "limit"].into_iter().filter(|k| table.has(k)).collect();
    if given.len() != 1 {
        let message = match given.len() {
            0 => "缺少 require、forbid 或 limit(三选一)".to_string(),
            _ => format!("{} 只能写一个", given.join("、")),
        };
        let hint = "require = 该做的;forbid = 不该说的;limit = { metric = \"first_response\", max = \"30s\" }";
        faults.at(codes::MISSING_KEY, table.head(), message, Some(hint.into()));
    }
    let require = expression(table, "require", names, faults).map(Demand::Require);
    let forbid = expression(table, "forbid", names, faults).map(Demand::Forbid);
    let limit = table.table("limit", faults).and_then(|inner| limit(inner, faults));
    require.or(forbid).or(limit)
}

fn limit(mut table: Table<'_>, faults: &mut Faults<'_>) -> Option<Demand> {
    let head = table.head();
    let metric = table.required("metric", faults).and_then(|at| {
        let found = Metric::parse(&at.value);
        if found.is_none() {
            let hint =
                nearest(&at.value, METRICS.iter().map(|m| m.1)).map(|m| format!("是不是想写 `{m}`?")).or_else(|| {
                    Some(format!("可用的指标: {}", METRICS.iter().map(|m| m.1).collect::<Vec<_>>().join("、")))
                });
            faults.at(codes::UNKNOWN_METRIC, at.range, format!("没有指标 `{}`", at.value), hint);
        }
        found
    });
    let mut bound = |key: &'static str| -> Option<i64> {
        let value = table.raw(key)?;
        let metric = metric?;
        let parsed = match value.get_ref().as_str() {
            Some(text) => expression::duration(text),
            None => table.number(key, faults).map(|n| scaled(Field::Metric(metric), n.value)),
        };
        if parsed.is_none() {
            let hint = Some("写数字,或时长 \"30s\"、\"3m\"、\"24h\"".into());
            faults.at(codes::BAD_VALUE, value.span(), format!("看不懂 `{key}` 的值"), hint);
        }
        parsed
    };
    let (min, max) = (bound("min"), bound("max"));
    table.finish("limit ", faults);
    if let (Some(low), Some(high)) = (min, max)
        && low > high
    {
        faults.at(codes::CONTRADICTION, head.clone(), "min 大于 max,永远不可能满足", None);
    }
    if metric.is_some() && min.is_none() && max.is_none() {
        faults.at(codes::MISSING_KEY, head, "limit 里要有 max 或 min", None);
        return None;
    }
    Some(Demand::Limit { metric: metric?, min, max })
}

fn window(mut table: Table<'_>, faults: &mut Faults<'_>) -> Window {
    let side = table
        .string("direction", faults)
        .and_then(|at| {
            let known = [("after", WindowSide::After), ("before", WindowSide::Before), ("around", WindowSide::Around)];
            choice(&at, known.into_iter(), "direction", faults)
        })
        .unwrap_or_default();
    let window = Window {
        agent_turns: table.count("agent_turns", faults),
        customer_turns: table.count("customer_turns", faults),
        turns: table.count("turns", faults),
        ms: table.number("seconds", faults).map(|n| (n.value * 1000.0) as i64),
        side,
    };
    table.finish("within ", faults);
    window
}

fn date(table: &mut Table<'_>, key: &'static str, faults: &mut Faults<'_>) -> Option<jiff::civil::Date> {
    let at = table.string(key, faults)?;
    match at.value.parse() {
        Ok(date) => Some(date),
        Err(_) => {
            let hint = Some("写成 \"2026-01-31\"".into());
            faults.at(codes::BAD_VALUE, at.range, format!("`{}` 不是日期", at.value), hint);
            None
        }
    }
}

fn examples(table: &mut Table<'_>, faults: &mut Faults<'_>) -> Vec<RuleExample> {
    let mut out = Vec::new();
    for mut example in table.tables("example", faults) {
        let range = example.range();
        let expect = example.required("expect", faults).and_then(|at| {
            let known =
                [("hit", Expect::Hit), ("pass", Expect::Pass), ("n/a", Expect::NotApplicable), ("todo", Expect::Todo)];
            choice(&at, known.into_iter(), "expect", faults)
        });
        let written = example.strings("chat", faults);
        for line in &written {
            if let Err(message) = crate::pack::chat::line(&line.value) {
                let hint =
                    Some("一行写成 \"客: …\" 或 \"服: …\"(服1: 服2: 机: 自动: 系:),时间写成 客@00:01:30: …".into());
                faults.at(codes::BAD_VALUE, line.range.clone(), message, hint);
            }
        }
        let chat: Vec<_> = written.into_iter().map(|a| a.value).collect();
        let mut text = |key| example.string(key, faults).map(|t| t.value);
        let (channel, stage, queue) = (text("channel"), text("stage"), text("queue"));
        let _note = text("note");
        let tags = example.strings("tags", faults).into_iter().map(|t| t.value).collect();
        let rating = example.count("rating", faults).map(|n| n.min(5) as u8);
        example.finish("[[example]] ", faults);
        if chat.is_empty() {
            faults.at(codes::MISSING_KEY, range, "例子缺少 chat", Some("chat = [\"客: …\", \"服: …\"]".into()));
        } else if let Some(expect) = expect {
            out.push(RuleExample { expect, chat, channel, stage, queue, tags, rating, range });
        }
    }
    out
}
