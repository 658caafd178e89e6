//! The one line that says why a finding was made.

use super::evaluate::Anchor;
use super::{Case, Lang};
use crate::metrics::{Metric, Unit};
use crate::pack::Pack;
use crate::pack::expression::Expr;
use crate::pack::rule::{Rule, WindowSide};

/// A value with its unit, as people read it.
pub fn value(lang: Lang, metric: Metric, value: i64) -> String {
    let zh = lang == Lang::Zh;
    match metric.unit() {
        Unit::Millis => {
            let seconds = (value + 500) / 1000;
            let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
            match (hour, minute, zh) {
                (0, 0, true) => format!("{second} 秒"),
                (0, _, true) => format!("{minute} 分 {second} 秒"),
                (_, _, true) => format!("{hour} 小时 {minute} 分"),
                (0, 0, false) => format!("{second} s"),
                (0, _, false) => format!("{minute} min {second} s"),
                (_, _, false) => format!("{hour} h {minute} min"),
            }
        }
        Unit::Ratio => format!("{}.{:02}", value / 1000, value % 1000 / 10),
        Unit::Count => value.to_string(),
    }
}

/// For a measure out of bounds.
pub fn limit(lang: Lang, metric: Metric, got: i64, min: Option<i64>, max: Option<i64>) -> String {
    let got_text = value(lang, metric, got);
    match (lang, max.filter(|m| got > *m), min) {
        (Lang::Zh, Some(max), _) => format!("{} {got_text},超过上限 {}", metric.title(), value(lang, metric, max)),
        (Lang::Zh, None, min) => {
            format!("{} {got_text},低于下限 {}", metric.title(), value(lang, metric, min.unwrap_or(0)))
        }
        (Lang::En, Some(max), _) => {
            format!("{} {got_text}, above the limit of {}", metric.id(), value(lang, metric, max))
        }
        (Lang::En, None, min) => {
            format!("{} {got_text}, below the limit of {}", metric.id(), value(lang, metric, min.unwrap_or(0)))
        }
    }
}

/// For something done well.
pub fn bonus(lang: Lang, rule: &Rule) -> String {
    match lang {
        Lang::Zh => format!("做到了:{}", rule.title),
        Lang::En => format!("done well: {}", rule.title),
    }
}

/// The trigger in words: `第 3 轮客户「不满」(“太差劲了”)`.
fn trigger_words(case: &Case<'_>, pack: &Pack, anchor: Anchor) -> String {
    let turn = &case.conversation.turns[anchor.turn as usize];
    let zh = case.lang == Lang::Zh;
    let who = match (turn.role, zh) {
        (crate::conversation::Role::Customer, true) => "客户",
        (_, true) => "客服",
        (crate::conversation::Role::Customer, false) => "customer",
        (_, false) => "agent",
    };
    let number = anchor.turn + 1;
    match anchor.hit.map(|h| &case.hits.list[h as usize]) {
        Some(hit) => {
            let marker = &pack.markers[hit.marker as usize];
            let quote = match case.mask {
                true => shown(&crate::text::mask_part(&turn.text, hit.span)),
                false => shown(hit.span.slice(&turn.text)),
            };
            match zh {
                true => format!("第 {number} 条{who}「{}」(“{quote}”)", marker.title),
                false => format!("message {number}: {who} {} (“{quote}”)", marker.id),
            }
        }
        None if zh => format!("第 {number} 条{who}消息"),
        None => format!("message {number} ({who})"),
    }
}

/// A quote short enough for one line, on one line.
pub fn shown(text: &str) -> String {
    const MOST: usize = 24;
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut chars = line.chars();
    let start: String = chars.by_ref().take(MOST).collect();
    if chars.next().is_some() { format!("{start}…") } else { start }
}

fn window_words(lang: Lang, rule: &Rule) -> String {
    let Some(window) = &rule.within else {
        return if lang == Lang::Zh { "之后".into() } else { "afterwards".into() };
    };
    let zh = lang == Lang::Zh;
    let side = match (window.side, zh) {
        (WindowSide::After, true) => "之后",
        (WindowSide::Before, true) => "之前",
        (WindowSide::Around, true) => "前后",
        (WindowSide::After, false) => "after it",
        (WindowSide::Before, false) => "before it",
        (WindowSide::Around, false) => "around it",
    };
    let size = match (window.agent_turns, window.customer_turns, window.turns, window.ms, zh) {
        (Some(n), .., true) => format!(" {n} 条客服消息内"),
        (_, Some(n), .., true) => format!(" {n} 条客户消息内"),
        (_, _, Some(n), _, true) => format!(" {n} 条消息内"),
        (_, _, _, Some(ms), true) => format!(" {} 秒内", ms / 1000),
        (Some(n), .., false) => format!(" within {n} agent messages"),
        (_, Some(n), .., false) => format!(" within {n} customer messages"),
        (_, _, Some(n), _, false) => format!(" within {n} messages"),
        (_, _, _, Some(ms), false) => format!(" within {} s", ms / 1000),
        _ => String::new(),
    };
    format!("{side}{size}")
}

/// Marker titles of an expression: `同理心 或 致歉`.
fn wanted(lang: Lang, pack: &Pack, expr: &Expr) -> String {
    let (or, and, not, then) = match lang {
        Lang::Zh => (" 或 ", " 并且 ", "没有", " 之后 "),
        Lang::En => (" or ", " and ", "no ", " then "),
    };
    let name = |m: u16| {
        let marker = &pack.markers[m as usize];
        if lang == Lang::Zh { format!("「{}」", marker.title) } else { marker.id.clone() }
    };
    match expr {
        Expr::Marker(m) => name(*m),
        Expr::Or(list) => list.iter().map(|e| wanted(lang, pack, e)).collect::<Vec<_>>().join(or),
        Expr::And(list) => list.iter().map(|e| wanted(lang, pack, e)).collect::<Vec<_>>().join(and),
        Expr::Not(inner) => format!("{not}{}", wanted(lang, pack, inner)),
        Expr::Then(a, b) => format!("{}{then}{}", wanted(lang, pack, a), wanted(lang, pack, b)),
        Expr::Count(m, ..) => name(*m),
        _ if lang == Lang::Zh => "规定的条件".into(),
        _ => "the condition".into(),
    }
}

/// For a duty that was not fulfilled.
pub fn require(
    case: &Case<'_>,
    pack: &Pack,
    rule: &Rule,
    expr: &Expr,
    trigger: Option<Anchor>,
    answered: bool,
) -> String {
    let wanted = wanted(case.lang, pack, expr);
    let window = window_words(case.lang, rule);
    match (case.lang, trigger, answered) {
        (Lang::Zh, Some(t), true) => format!("{},{window}没有{wanted}", trigger_words(case, pack, t)),
        (Lang::Zh, Some(t), false) => format!("{},{window}没有客服回复", trigger_words(case, pack, t)),
        (Lang::Zh, None, _) => format!("服务中没有{wanted}"),
        (Lang::En, Some(t), true) => format!("{}; {window}: no {wanted}", trigger_words(case, pack, t)),
        (Lang::En, Some(t), false) => format!("{}; {window}: no answer of an agent", trigger_words(case, pack, t)),
        (Lang::En, None, _) => format!("no {wanted} in the conversation"),
    }
}

/// For something that should not have been said.
pub fn forbid(case: &Case<'_>, pack: &Pack, rule: &Rule, at: Option<Anchor>, trigger: Option<Anchor>) -> String {
    let zh = case.lang == Lang::Zh;
    let Some(at) = at else {
        return if zh { format!("出现了「{}」的情况", rule.title) } else { rule.title.clone() };
    };
    let mut text = trigger_words(case, pack, at);
    if let Some(hit) = at.hit.map(|h| &case.hits.list[h as usize]) {
        let phrase = case.detector.phrase(hit);
        let quote = hit.span.slice(&case.conversation.turns[at.turn as usize].text);
        // Regexes, proximity and entities explain nothing to people that the quote does not.
        if phrase != quote && !phrase.starts_with(['/', '<']) && !phrase.contains(['|', '…']) {
            text += &if zh {
                format!(",匹配“{}”", shown(phrase))
            } else {
                format!(", matches “{}”", shown(phrase))
            };
        }
    }
    match trigger {
        Some(trigger) if trigger.turn != at.turn => {
            let cause = trigger_words(case, pack, trigger);
            if zh { format!("{cause},之后{text}") } else { format!("{cause}; then {text}") }
        }
        _ => text,
    }
}
