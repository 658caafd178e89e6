//! The list of conversations that crossed a red line.

use super::markup::Html;
use super::page::{Place, empty, head, section};
use super::site::Site;
use super::table::Table;
use super::words::count;
use crate::pack::rule::Severity;
use crate::report::Points;
use crate::report::chat::Chat;

/// What the list says of a conversation.
pub struct Summary {
    id: String,
    agents: Vec<String>,
    channel: String,
    rules: Vec<usize>,
    raw: Option<i64>,
    began: String,
    findings: usize,
}

impl Summary {
    /// Of a conversation.
    pub fn new(site: &Site<'_>, chat: &Chat) -> Summary {
        let pack = site.night.pack;
        let mut rules: Vec<usize> =
            chat.findings.iter().filter(|f| !f.review).filter_map(|f| pack.rule(&f.rule)).collect();
        rules.retain(|n| pack.rules[*n].severity == Severity::Critical);
        rules.sort_unstable();
        rules.dedup();
        Summary {
            id: chat.id.clone(),
            agents: chat.agents.iter().filter(|a| a.critical).map(|a| a.id.clone()).collect(),
            channel: chat.channel.clone(),
            rules,
            raw: chat.score.map(|s| s.1),
            began: chat.began.clone().unwrap_or_default(),
            findings: chat.findings.len(),
        }
    }
}

/// The page that lists conversations with a critical finding; `left_out` of them have no page.
pub fn list(site: &Site<'_>, chats: &[Summary], left_out: usize) -> Html {
    let w = site.words;
    let mut body = Html::new();
    let title = w.t("会话", "Conversations");
    let lead = match (site.night.chats.is_some(), chats.is_empty(), w.zh) {
        (false, _, true) => "这份报告是从汇总重新生成的,没有保存会话原文;各页里的引文仍在。".to_string(),
        (false, _, false) => {
            "This report was rendered again from totals; transcripts are not kept, quotes are.".to_string()
        }
        (true, true, true) => "没有触到红线的会话。".to_string(),
        (true, true, false) => "No conversation crossed a red line.".to_string(),
        (true, false, true) => format!("{} 通会话触到红线,逐通看。", count((chats.len() + left_out) as u64)),
        (true, false, false) => format!("{} conversations crossed a red line.", count((chats.len() + left_out) as u64)),
    };
    head(&mut body, &Html::new(), title, &Html::of(&lead));
    section(&mut body, "critical", w.t("触到红线的会话", "Conversations across a red line"), "");
    if left_out > 0 {
        empty(
            &mut body,
            &match w.zh {
                true => format!(
                    "为了页面打得开,只为前 {} 通写了页面,另有 {} 通没有页面,可在 conversations.jsonl 里查到。",
                    chats.len(),
                    count(left_out as u64)
                ),
                false => format!(
                    "Pages were written for the first {}; {} more are in conversations.jsonl.",
                    chats.len(),
                    count(left_out as u64)
                ),
            },
        );
    }
    let mut table = Table::new("chats-t", "")
        .look("scroll tall")
        .words(w.t("会话", "Conversation"))
        .words(w.t("红线", "Red line"))
        .words(w.t("客服", "Agent"))
        .words(w.t("渠道", "Channel"))
        .words(w.t("开始", "Began"))
        .numbers(w.t("否决前得分", "Score before"))
        .numbers(w.t("发现", "Findings"));
    for chat in chats {
        let first = chat.rules.first().map_or("", |n| site.night.pack.rules[*n].title.as_str());
        table.row(first).cell(site.chat_link("", &chat.id, "main", &chat.id));
        let mut rules = Html::new();
        for (at, rule) in chat.rules.iter().enumerate() {
            if at > 0 {
                rules.text(w.t("、", ", "));
            }
            rules.push(&site.rule_link("", &site.night.pack.rules[*rule]));
        }
        let mut agents = Html::new();
        for agent in &chat.agents {
            agents.push(&site.agent_link("", agent)).raw(" ");
        }
        table.cell(rules).cell(agents).say(w.place(&chat.channel)).say(&chat.began);
        let raw = chat.raw.map_or_else(|| "–".into(), |r| Points(r).to_string());
        table.number(chat.raw.map(|r| r as f64), Html::of(&raw)).count(chat.findings as u64);
    }
    match table.is_empty() {
        true => empty(&mut body, w.t("没有可列的会话。", "Nothing to list.")),
        false => table.filtered(&mut body, w, w.t("红线", "Red line")),
    }
    body.raw("</section>\n");
    if site.night.chats.is_some() {
        let others = site.chats.len() - chats.len();
        body.el(
            "p",
            &[("class", "small")],
            &match w.zh {
                true => {
                    format!("另有 {} 通会话有页面:各客服、各规则页里引用的例子,从那里点进去。", count(others as u64))
                }
                false => format!(
                    "{} more conversations have pages: the examples quoted for agents and rules lead there.",
                    count(others as u64)
                ),
            },
        );
    }
    site.page(title, Place::Chats, false).render(&body)
}
