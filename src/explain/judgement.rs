//! One rule for one agent, step by step; for duties not fulfilled, the nearest miss.

use std::ops::Range;

use serde::Serialize;

use super::{Material, words};
use crate::conversation::Role;
use crate::judge::{Anchor, Outcome};
use crate::pack::expression::{Expr, MarkerId};
use crate::pack::rule::{Demand, Rule, SegmentChoice, TriggerChoice};
use crate::trace::Step;

/// A rule's judgement.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RuleTrace {
    /// The rule.
    pub rule: String,
    /// Its title.
    pub title: String,
    /// The agent judged.
    pub agent_id: String,
    /// `hit`, `pass` or `n/a`.
    pub outcome: &'static str,
    /// What the rule asks, in words.
    pub asks: Vec<String>,
    /// What was looked at, in order.
    pub steps: Vec<String>,
    /// What was nearly right (or nearly wrong).
    pub nearest: Vec<String>,
    /// What it came to.
    pub findings: Vec<FindingTrace>,
}

/// A finding with its price.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FindingTrace {
    /// Number of the turn, from 1.
    pub turn: usize,
    /// The words.
    pub quote: String,
    /// The phrase that matched; empty for absences and limits.
    pub phrase: String,
    /// Why.
    pub why: String,
    /// Points before the rule's cap.
    pub before_cap: f64,
    /// Points that count.
    pub points: f64,
}

/// Traces one rule for one agent.
pub(super) fn rule(m: &Material<'_>, agent: usize, number: usize, agent_id: &str) -> RuleTrace {
    let pack = m.engine.pack();
    let rule = &pack.rules[number];
    let judgement = &m.inspection.agents[agent].judgement;
    let own: Vec<&Step> =
        m.trace.steps.iter().filter(|(a, r, _)| (*a, *r) == (agent, number)).map(|(_, _, step)| step).collect();
    let (mut steps, mut nearest) = (Vec::new(), Vec::new());
    let mut window: Vec<Range<usize>> = Vec::new();
    for step in own {
        steps.push(say(m, rule, step));
        match (step, &rule.demand) {
            (Step::Window(ranges), _) => window = ranges.clone(),
            (Step::Required(Some(false), _), Demand::Require(expr)) => {
                nearest.extend(close_calls(m, expr, &window));
                nearest.extend(elsewhere(m, expr, &window));
                if nearest.is_empty() {
                    nearest.push("窗口内外都没有接近的说法".into());
                }
            }
            (Step::Forbidden(None), Demand::Forbid(expr)) => nearest.extend(close_calls(m, expr, &window)),
            (Step::NotTriggered { .. }, _) => {
                let segments = m.inspection.layout.segments.iter().filter(|s| s.agent == agent);
                let all: Vec<_> = segments.map(|s| s.turns.clone()).collect();
                nearest.extend(rule.when.iter().flat_map(|when| close_calls(m, when, &all)));
            }
            _ => {}
        }
    }
    nearest.dedup();
    let points = |milli: i64| milli as f64 / 1000.0;
    let price = if rule.review_only { 0 } else { rule.points };
    let findings = judgement.findings.iter().filter(|f| f.rule == number).map(|f| FindingTrace {
        turn: f.turn as usize + 1,
        quote: m.part(&m.conversation.turns[f.turn as usize].text, f.span).into_owned(),
        phrase: f.phrase.clone(),
        why: m.quote(&f.why).into_owned(),
        before_cap: points(price),
        points: points(f.points),
    });
    RuleTrace {
        rule: rule.id.clone(),
        title: rule.title.clone(),
        agent_id: agent_id.to_string(),
        outcome: match judgement.outcomes[number] {
            Outcome::NotApplicable => "n/a",
            Outcome::Passed => "pass",
            Outcome::Found => "hit",
        },
        asks: asks(m, rule),
        steps,
        nearest,
        findings: findings.collect(),
    }
}

/// What the rule asks, as lines.
fn asks(m: &Material<'_>, rule: &Rule) -> Vec<String> {
    let pack = m.engine.pack();
    let mut out = Vec::new();
    if let Some(applies) = &rule.applies {
        out.push(format!("适用范围: {}", words::expression(pack, applies)));
    }
    if let Some(when) = &rule.when {
        let which = match rule.trigger {
            TriggerChoice::First => "第一次",
            TriggerChoice::Each => "每一次",
            TriggerChoice::Last => "最后一次",
        };
        out.push(format!("触发: {},看{which}", words::expression(pack, when)));
    }
    match &rule.demand {
        Demand::Require(expr) => out.push(format!("要求: {}", words::expression(pack, expr))),
        Demand::Forbid(expr) => out.push(format!("禁止: {}", words::expression(pack, expr))),
        Demand::Limit { metric, min, max } => {
            let bound = |word: &str, n: &Option<i64>| n.map(|n| format!("{word} {}", words::measure(*metric, n)));
            let bounds: Vec<_> = [bound("至少", min), bound("至多", max)].into_iter().flatten().collect();
            out.push(format!("限值: {} {}", metric.title(), bounds.join(",")));
        }
    }
    if !matches!(rule.demand, Demand::Limit { .. }) && (rule.when.is_some() || rule.within.is_some()) {
        out.push(format!("窗口: {}", words::window(rule)));
    }
    out
}

fn say(m: &Material<'_>, rule: &Rule, step: &Step) -> String {
    let pack = m.engine.pack();
    match step {
        Step::Off => "不适用: 规则已关闭(off)".into(),
        Step::Waits { other, wanted } => {
            let other = &pack.rules[*other].id;
            let what = if *wanted {
                "没有发现问题,这条要等它有发现才判"
            } else {
                "已有发现,这条就不再判"
            };
            format!("不适用: 规则 {other} {what}(after_rule)")
        }
        Step::NotInForce => "不适用: 会话日期不在生效期内(effective)".into(),
        Step::OtherAgent => match rule.segment {
            SegmentChoice::Last => "不适用: 只判最后一位客服(segment)".into(),
            _ => "不适用: 只判第一位客服(segment)".into(),
        },
        Step::NotApplied { unknown: true, facts } => format!("不适用: 缺少数据({})", words::facts(facts)),
        Step::NotApplied { facts, .. } => format!("不适用: 不在适用范围({})", words::facts(facts)),
        Step::NotTriggered { facts } if facts.is_empty() => "不适用: 触发条件没有出现".into(),
        Step::NotTriggered { facts } => format!("不适用: 触发条件没有出现({})", words::facts(facts)),
        Step::Trigger(None) => "适用: 不需要触发".into(),
        Step::Trigger(Some(anchor)) => format!("适用: 由{}触发", place(m, *anchor)),
        Step::Window(ranges) => {
            let shown = |r: &Range<usize>| match r.len() {
                0 => "空".to_string(),
                1 => format!("第 {} 条", r.end),
                _ => format!("第 {}–{} 条", r.start + 1, r.end),
            };
            let list: Vec<_> = ranges.iter().map(shown).collect();
            format!("看: {}", if list.is_empty() { "没有消息可看".into() } else { list.join("、") })
        }
        Step::Required(None, _) => "无法判断: 缺少数据".into(),
        Step::Required(Some(true), anchors) => match anchors.first() {
            Some(first) => format!("做到了: {}", place(m, *first)),
            None => "做到了".into(),
        },
        Step::Required(Some(false), _) => "没有做到".into(),
        Step::Forbidden(None) => "没有出现".into(),
        Step::Forbidden(Some(list)) if list.is_empty() => "出现了".into(),
        Step::Forbidden(Some(list)) => {
            format!("出现了: {}", list.iter().map(|a| place(m, *a)).collect::<Vec<_>>().join(";"))
        }
        Step::Measured(None) => "无法判断: 没有这个指标的数据".into(),
        Step::Measured(Some(value)) => match &rule.demand {
            Demand::Limit { metric, .. } => format!("{} {}", metric.title(), words::measure(*metric, *value)),
            _ => value.to_string(),
        },
    }
}

fn speaker(role: Role) -> &'static str {
    match role {
        Role::Agent => "客服",
        Role::Customer => "客户",
        Role::Bot => "机器人",
        Role::System => "系统",
    }
}

fn place(m: &Material<'_>, anchor: Anchor) -> String {
    let turn = &m.conversation.turns[anchor.turn as usize];
    let at = format!("第 {} 条{}", anchor.turn + 1, speaker(turn.role));
    match anchor.hit.map(|h| &m.inspection.hits.list[h as usize]) {
        Some(hit) => {
            let marker = words::marker(m.engine.pack(), hit.marker);
            format!("{at}“{}”{marker}", m.part(&turn.text, hit.span))
        }
        None => at,
    }
}

fn markers_of(expr: &Expr) -> Vec<MarkerId> {
    let mut out = Vec::new();
    expr.markers(&mut |marker| out.push(marker));
    out
}

/// Turns looked at in which a wanted marker nearly matched.
fn close_calls(m: &Material<'_>, expr: &Expr, window: &[Range<usize>]) -> Vec<String> {
    let wanted = markers_of(expr);
    let mut out = Vec::new();
    for miss in &m.trace.missed {
        let inside = window.iter().any(|r| r.contains(&miss.turn));
        if !inside || !wanted.contains(&miss.marker) || m.inspection.hits.has(miss.turn, miss.marker) {
            continue;
        }
        let near = m.near(miss);
        let role = speaker(m.conversation.turns[miss.turn].role);
        let line = format!(
            "第 {} 条{role}“{}”差点算作「{}」({}): {}",
            miss.turn + 1,
            near.quote,
            near.title,
            near.marker,
            near.why
        );
        if !out.contains(&line) {
            out.push(line);
        }
    }
    out
}

/// Turns outside the window that carry a wanted marker: one turn too late is worth knowing.
fn elsewhere(m: &Material<'_>, expr: &Expr, window: &[Range<usize>]) -> Vec<String> {
    let wanted = markers_of(expr);
    let (Some(start), Some(end)) = (window.iter().map(|r| r.start).min(), window.iter().map(|r| r.end).max()) else {
        return Vec::new();
    };
    let carried = |turn: &usize| wanted.iter().copied().find(|w| m.inspection.hits.has(*turn, *w));
    let line = |turn: usize, marker: MarkerId, late: bool| {
        let of = &m.conversation.turns[turn];
        let quote = m.inspection.hits.best(turn, marker).map_or("".into(), |h| m.part(&of.text, h.span));
        let between = if late { end..turn + 1 } else { turn..start };
        let count = between.filter(|t| m.conversation.turns[*t].role == of.role).count();
        let role = speaker(of.role);
        let marker = words::marker(m.engine.pack(), marker);
        let at = format!("第 {} 条{role}“{}”", turn + 1, quote);
        match late {
            true => format!("{at}才是{marker}: 晚了 {count} 条{role}消息"),
            false => format!("{at}是{marker},但在窗口之前,不算"),
        }
    };
    let after = (end..m.conversation.turns.len()).find_map(|t| carried(&t).map(|w| line(t, w, true)));
    let before = (0..start).rev().find_map(|t| carried(&t).map(|w| line(t, w, false)));
    after.into_iter().chain(before).collect()
}
