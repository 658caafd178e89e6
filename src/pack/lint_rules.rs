//! Rules that ask the wrong side, ask and forbid the same, judge the same thing twice, or wait in vain.

use super::Pack;
use super::codes::{self, Code};
use super::expression::{Expr, MarkerId};
use super::fields::Faults;
use super::lint::place_of;
use super::rule::{Demand, Rule, TriggerChoice};
use crate::conversation::Role;
use crate::diagnostic::Diagnostic;

/// Adds the faults found to `all`.
pub fn lint(pack: &Pack, all: &mut Vec<Diagnostic>) {
    for (number, rule) in pack.rules.iter().enumerate() {
        if let (Some(from), Some(to)) = (rule.from, rule.to)
            && from >= to
        {
            fault(rule, codes::CONTRADICTION, "effective", format!("生效日期 {from} 不早于截止日期 {to}"), None, all);
        }
        if rule.off {
            continue;
        }
        sides(pack, rule, all);
        waits(pack, rule, all);
        for other in pack.rules[number + 1..].iter().filter(|o| !o.off) {
            pair(rule, other, all);
        }
    }
}

fn fault(
    rule: &Rule,
    code: Code,
    key: &str,
    message: impl Into<String>,
    hint: Option<String>,
    all: &mut Vec<Diagnostic>,
) {
    let place = place_of(&rule.file.text, key);
    Faults::new(rule.file.clone(), all).at(code, place, message, hint);
}

/// A duty that only the customer could fulfil costs the agent points.
fn sides(pack: &Pack, rule: &Rule, all: &mut Vec<Diagnostic>) {
    let Demand::Require(expr) = &rule.demand else { return };
    if rule.points >= 0 || rule.review_only || !only_markers(expr) {
        return;
    }
    let mut markers = Vec::new();
    expr.markers(&mut |m| markers.push(m));
    if markers.iter().all(|m| pack.markers[*m as usize].role == Some(Role::Customer)) {
        let names: Vec<_> = markers.iter().map(|m| pack.markers[*m as usize].id.as_str()).collect();
        let message = format!("require 的 {} 只有客户会说,客服做不到却要扣分", names.join("、"));
        let hint = Some("换成客服的标记;若是看结果,写成加分(points 为正)或 review_only = true".into());
        fault(rule, codes::ROLE_CONFLICT, "require", message, hint, all);
    }
}

fn only_markers(expr: &Expr) -> bool {
    match expr {
        Expr::Marker(_) | Expr::Count(..) => true,
        Expr::And(list) | Expr::Or(list) => list.iter().all(only_markers),
        Expr::Then(a, b) => only_markers(a) && only_markers(b),
        Expr::Not(_) | Expr::Repeat(..) | Expr::Field(..) | Expr::Missing(_) => false,
    }
}

fn waits(pack: &Pack, rule: &Rule, all: &mut Vec<Diagnostic>) {
    if let (Some((wanted, at)), Some(other)) = (&rule.after_rule, rule.after_rule_index)
        && pack.rules[other].off
    {
        let result = if *wanted { "永远不会判" } else { "这一项不起作用" };
        let message = format!("after_rule 等待的 `{}` 已关闭,{result}", at.value);
        Faults::new(rule.file.clone(), all).at(codes::WAITS_IN_VAIN, at.range.clone(), message, None);
    }
}

/// The markers of `a or b or c`; `None` for anything else.
fn alternatives(expr: &Expr) -> Option<Vec<MarkerId>> {
    match expr {
        Expr::Marker(m) => Some(vec![*m]),
        Expr::Or(list) => list.iter().map(|e| if let Expr::Marker(m) = e { Some(*m) } else { None }).collect(),
        _ => None,
    }
}

fn pair(rule: &Rule, other: &Rule, all: &mut Vec<Diagnostic>) {
    let same_scope = rule.when == other.when
        && rule.applies == other.applies
        && rule.segment == other.segment
        && rule.after_rule.as_ref().map(|a| (a.0, &a.1.value)) == other.after_rule.as_ref().map(|a| (a.0, &a.1.value))
        && overlap(rule, other);
    if !same_scope {
        return;
    }
    if rule.demand == other.demand && rule.within == other.within && rule.trigger == other.trigger {
        let message = format!("与规则 `{}` 的条件完全相同,同一件事会扣两次分", rule.id);
        fault(other, codes::DUPLICATE_RULE, "id", message, Some("留一条,或用 after_rule 让一条让步".into()), all);
    }
    let clash = match (&rule.demand, &other.demand) {
        (Demand::Require(wanted), Demand::Forbid(banned)) | (Demand::Forbid(banned), Demand::Require(wanted)) => {
            match (alternatives(wanted), alternatives(banned)) {
                (Some(wanted), Some(banned)) => wanted.iter().all(|m| banned.contains(m)),
                _ => false,
            }
        }
        _ => false,
    };
    if clash {
        let message = format!("一条要求、一条禁止同样的话:规则 `{}` 与这条在同样的情况下互相矛盾", rule.id);
        fault(other, codes::CONTRADICTING_RULES, "id", message, None, all);
    }
}

/// Both can be in force on one day.
fn overlap(a: &Rule, b: &Rule) -> bool {
    let before = |end: Option<jiff::civil::Date>, start: Option<jiff::civil::Date>| matches!((end, start), (Some(end), Some(start)) if end <= start);
    !before(a.to, b.from) && !before(b.to, a.from)
}

/// Keys without effect: how to judge triggers where there are none.
pub fn pedantic(pack: &Pack, all: &mut Vec<Diagnostic>) {
    for rule in pack.rules.iter().filter(|r| r.when.is_none()) {
        for (key, written) in
            [("trigger", rule.trigger != TriggerChoice::First), ("include_trigger", rule.include_trigger)]
        {
            if written {
                let message = format!("没有 when 就没有触发,`{key}` 不起作用");
                let place = place_of(&rule.file.text, key);
                Faults::new(rule.file.clone(), all).note(codes::NO_EFFECT, place, message, None);
            }
        }
    }
}
