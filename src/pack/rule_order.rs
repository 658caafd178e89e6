//! Rules that wait for others (`after_rule`): in which order they are judged.

use super::codes;
use super::fields::{self, Faults};
use super::rule::Rule;
use crate::diagnostic::Diagnostic;

/// Finds the rules that others wait for, and an order that serves them; rules that wait for each other are reported.
pub(super) fn resolve_after_rule(rules: &mut [Rule], all: &mut Vec<Diagnostic>) -> Vec<usize> {
    let ids: Vec<String> = rules.iter().map(|r| r.id.clone()).collect();
    for rule in rules.iter_mut() {
        let Some((_, at)) = &rule.after_rule else { continue };
        rule.after_rule_index = ids.binary_search(&at.value).ok();
        if rule.after_rule_index.is_none() {
            let hint = fields::nearest(&at.value, ids.iter().map(String::as_str)).map(|n| format!("是不是想写 `{n}`?"));
            let mut faults = Faults::new(rule.file.clone(), all);
            faults.at(codes::UNKNOWN_RULE, at.range.clone(), format!("没有规则 `{}`", at.value), hint);
        }
    }
    let mut order: Vec<usize> = Vec::with_capacity(rules.len());
    loop {
        let before = order.len();
        for (number, rule) in rules.iter().enumerate() {
            if !order.contains(&number) && rule.after_rule_index.is_none_or(|other| order.contains(&other)) {
                order.push(number);
            }
        }
        if order.len() == before {
            break;
        }
    }
    for (number, rule) in rules.iter().enumerate() {
        if let (false, Some((_, at))) = (order.contains(&number), &rule.after_rule) {
            let mut faults = Faults::new(rule.file.clone(), all);
            let message = format!("`{}` 与 `{}` 互相等待,谁也判不了", rule.id, at.value);
            faults.at(codes::RULE_CYCLE, at.range.clone(), message, Some("去掉其中一个 after_rule".into()));
        }
    }
    order
}
