//! An [`Explanation`] as text for a terminal.

use std::fmt::Write;

use super::{Explanation, RuleTrace, TurnTrace};

/// The explanation as text. Rules that passed or did not apply take one line each unless `full`.
pub fn render(explanation: &Explanation, full: bool) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write(explanation, full, &mut out);
    out
}

fn write(e: &Explanation, full: bool, out: &mut String) -> std::fmt::Result {
    write!(out, "会话 {}", e.conversation_id)?;
    if !e.about.is_empty() {
        write!(out, " ({})", e.about)?;
    }
    writeln!(out)?;
    if let Some(reason) = &e.not_judged {
        writeln!(out, "{reason}")?;
    }
    for agent in &e.agents {
        match (agent.score, agent.raw_score) {
            (Some(score), Some(raw)) if score == raw => writeln!(out, "客服 {}: {score} 分", agent.agent_id)?,
            (Some(score), Some(raw)) => {
                writeln!(out, "客服 {}: {score} 分(一票否决前 {raw} 分)", agent.agent_id)?;
            }
            _ => writeln!(out, "客服 {}: 没有适用的规则,不评分", agent.agent_id)?,
        }
    }
    writeln!(out, "\n—— 消息 ——")?;
    for turn in &e.turns {
        write_turn(turn, out)?;
    }
    writeln!(out, "\n—— 规则 ——")?;
    let shown = |r: &&RuleTrace| full || r.outcome == "hit";
    for rule in e.rules.iter().filter(shown) {
        write_rule(rule, out)?;
    }
    for (outcome, title) in [("pass", "通过"), ("n/a", "不适用")] {
        let rest: Vec<_> = e.rules.iter().filter(|r| !shown(r) && r.outcome == outcome).collect();
        if rest.is_empty() {
            continue;
        }
        writeln!(out, "\n{title} {} 条:", rest.len())?;
        for rule in rest {
            let last = rule.steps.last().map_or("", String::as_str);
            let last = last.strip_prefix("不适用: ").unwrap_or(last);
            let agent = if e.agents.len() > 1 { format!(" [{}]", rule.agent_id) } else { String::new() };
            writeln!(out, "  {} {}{agent}: {last}", rule.rule, rule.title)?;
        }
    }
    Ok(())
}

/// `← phrase` when the words alone do not show what matched; long regexes are cut.
fn by(phrase: &str, quote: &str) -> String {
    const MOST: usize = 48;
    if phrase == quote {
        return String::new();
    }
    let mut chars = phrase.chars();
    let start: String = chars.by_ref().take(MOST).collect();
    let more = if chars.next().is_some() { "…" } else { "" };
    format!(" ← {start}{more}")
}

fn write_turn(turn: &TurnTrace, out: &mut String) -> std::fmt::Result {
    writeln!(out, "{:>3} {}: {}", turn.number, turn.who, turn.original.replace('\n', "⏎"))?;
    if let Some(reason) = turn.ignored {
        return writeln!(out, "      ({reason})");
    }
    if turn.plain != turn.original {
        writeln!(out, "      归一 {}", turn.plain.replace('\n', "⏎"))?;
    }
    if turn.squeezed != turn.plain {
        writeln!(out, "      挤压 {}", turn.squeezed)?;
    }
    if !turn.words.is_empty() {
        let words: Vec<_> = turn.words.iter().map(String::as_str).filter(|w| !w.trim().is_empty()).collect();
        writeln!(out, "      分词 {}", words.join(" / "))?;
    }
    for hit in &turn.hits {
        let by = by(&hit.phrase, &hit.quote);
        let (title, marker) = (&hit.title, &hit.marker);
        writeln!(out, "      ✓ 「{title}」{marker}: “{}”{by} (字节 {}–{})", hit.quote, hit.start, hit.end)?;
    }
    for near in &turn.near {
        let by = by(&near.phrase, &near.quote);
        writeln!(out, "      ✗ 「{}」{}: “{}”{by} 没算,{}", near.title, near.marker, near.quote, near.why)?;
    }
    Ok(())
}

fn write_rule(rule: &RuleTrace, out: &mut String) -> std::fmt::Result {
    let outcome = match rule.outcome {
        "hit" => "有发现",
        "pass" => "通过",
        _ => "不适用",
    };
    writeln!(out, "\n■ {} {} · 客服 {} · {outcome}", rule.rule, rule.title, rule.agent_id)?;
    for line in rule.asks.iter().chain(&rule.steps) {
        writeln!(out, "    {line}")?;
    }
    for line in &rule.nearest {
        writeln!(out, "    最接近的: {line}")?;
    }
    for finding in &rule.findings {
        let phrase = match finding.phrase.as_str() {
            "" => String::new(),
            phrase => format!(" 匹配 {phrase}"),
        };
        writeln!(out, "  → 第 {} 条“{}”{phrase}", finding.turn, finding.quote.replace('\n', "⏎"))?;
        writeln!(out, "    {}", finding.why)?;
        match finding.points == finding.before_cap {
            true => writeln!(out, "    分值 {}", finding.points)?,
            false => writeln!(out, "    分值 {},本规则封顶后计 {}", finding.before_cap, finding.points)?,
        }
    }
    Ok(())
}
