//! Judged cases as examples of their rules, so that a fixed false positive stays fixed and a fixed miss too.

use std::borrow::Cow;

use super::case::Case;
use super::rulings::Ruling;
use crate::conversation::Role;
use crate::engine::{Engine, Scratch};
use crate::judge::Outcome;
use crate::pack::chat;

/// What an example is to expect, and whether it does now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The rule.
    pub rule: String,
    /// The example, as it stands in a rule's file.
    pub text: String,
    /// The chat lines, by which a known example is recognised.
    pub chat: Vec<String>,
    /// The pack already does what people said.
    pub holds: bool,
}

/// The chat of a case in the notation of examples; `None` when it was pruned or has no line to write.
pub fn chat_lines(case: &Case) -> Option<Vec<String>> {
    let chat = case.chat.as_ref()?;
    let mut numbers: Vec<usize> = Vec::new();
    let mut out = Vec::new();
    for turn in &chat.turns {
        let agent = turn.agent.map(|a| {
            let known = numbers.iter().position(|n| *n == a);
            known.unwrap_or_else(|| {
                numbers.push(a);
                numbers.len() - 1
            }) + 1
        });
        let automatic = turn.is_automatic() && turn.role == Role::Agent;
        let who = match turn.role {
            Role::Customer => "客",
            Role::Agent if automatic => "自动",
            Role::Agent => "服",
            Role::Bot => "机",
            Role::System => "系",
        };
        let number = agent.filter(|n| *n > 1 && turn.role == Role::Agent).map_or(String::new(), |n| n.to_string());
        let clock = turn.at.map_or(String::new(), |ms| {
            let s = ms.max(0) / 1000;
            format!("@{:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
        });
        let words: String = turn.text.split_whitespace().collect::<Vec<_>>().join(" ");
        let text = if turn.kind == "image" { "[图片]".to_string() } else { words };
        let line = format!("{who}{number}{clock}: {text}");
        if text.is_empty() || chat::line(&line).is_err() {
            continue;
        }
        out.push(line);
    }
    (!out.is_empty()).then_some(out)
}

/// The example of a ruling. `None` without a chat, or where the pack lacks the rule.
pub fn example(engine: &Engine, scratch: &mut Scratch, case: &Case, ruling: &Ruling) -> Option<Exported> {
    let pack = engine.pack();
    let number = pack.rule(&ruling.finding.rule)?;
    let lines = chat_lines(case)?;
    let mut conversation = chat::conversation(&lines).ok()?;
    let some = |text: &String| (!text.is_empty()).then(|| Cow::Owned(text.clone()));
    (conversation.channel, conversation.stage) = (some(&case.channel), some(&case.stage));
    let inspection = engine.inspect(&conversation, scratch);
    let best = inspection.agents.iter().map(|a| a.judgement.outcomes[number]).max();
    let (expect, holds) = match (ruling.verdict.is_real(), best.unwrap_or(Outcome::NotApplicable)) {
        (true, Outcome::Found) => ("hit", true),
        // A knowingly failing example.
        (true, _) => ("todo", false),
        (false, Outcome::NotApplicable) => ("n/a", true),
        (false, Outcome::Passed) => ("pass", true),
        (false, Outcome::Found) => ("pass", false),
    };
    let quoted = |text: &str| toml_edit::Value::from(text).to_string();
    let mut text = format!(
        "\n[[example]]                        # {}: {} 第 {} 条\nexpect = \"{expect}\"\n",
        ruling.round.title().replace('\n', " "),
        ruling.verdict.title(),
        ruling.finding.turn + 1
    );
    if !case.channel.is_empty() {
        text += &format!("channel = {}\n", quoted(&case.channel));
    }
    if !case.stage.is_empty() {
        text += &format!("stage = {}\n", quoted(&case.stage));
    }
    text += "chat = [\n";
    for line in &lines {
        text += &format!("  {},\n", quoted(line));
    }
    text += "]\n";
    Some(Exported { rule: ruling.finding.rule.clone(), text, chat: lines, holds })
}
