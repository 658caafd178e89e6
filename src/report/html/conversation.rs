//! A conversation as a chat: findings marked in the words, numbered notes beside them.

use super::markup::{Html, shown};
use super::page::{Place, head, section};
use super::site::Site;
use super::words::count;
use crate::conversation::Role;
use crate::metrics::{METRICS, Unit};
use crate::pack::rule::{Rule, Severity};
use crate::report::Points;
use crate::report::chat::{Chat, ChatFinding, ChatTurn};

const UP: &str = "../";
/// Longer messages are folded.
const FOLD: usize = 600;
/// Characters shown of a folded message.
const PREVIEW: usize = 160;

/// The page of a conversation.
pub fn page(site: &Site<'_>, chat: &Chat) -> Html {
    let w = site.words;
    let mut body = Html::new();
    let mut crumb = Html::new();
    crumb.link("../chats.html", w.t("会话", "Conversations"));
    let title = match w.zh {
        true => format!("会话 {}", chat.id),
        false => format!("Conversation {}", chat.id),
    };
    head(&mut body, &crumb, &title, &lead(site, chat));
    body.raw("<div class=\"two\">");
    facts(site, &mut body, chat);
    measures(site, &mut body, chat);
    body.raw("</div>");
    section(&mut body, "chat", w.t("对话", "The chat"), "");
    body.raw("<div class=\"step\" hidden>");
    body.text(w.t("发现", "Finding")).raw(" <output aria-live=\"polite\"></output> ");
    body.raw("<button type=\"button\">")
        .text(w.t("上一处", "previous"))
        .raw(" <kbd>k</kbd></button><button type=\"button\">");
    body.text(w.t("下一处", "next")).raw(" <kbd>j</kbd></button></div>\n<div class=\"talk\">");
    let anchors = anchors(chat);
    let mut last: Option<(i64, Role)> = None;
    for (number, turn) in chat.turns.iter().enumerate() {
        if let (Some((before, role)), Some(now)) = (last, turn.at) {
            gap(site, &mut body, now - before, role, turn);
        }
        last = turn.at.map(|at| (at, turn.role)).or(last);
        let mine: Vec<(usize, &ChatFinding)> =
            chat.findings.iter().enumerate().filter(|(_, f)| f.turn == number).collect();
        one(site, &mut body, chat, number, &mine, &anchors);
    }
    body.raw("</div></section>\n");
    site.page(&title, Place::Chats, true).render(&body)
}

/// A name for each finding's note that other pages can link to.
fn anchors(chat: &Chat) -> Vec<String> {
    let mut out: Vec<String> = Vec::with_capacity(chat.findings.len());
    for finding in &chat.findings {
        let name = format!("{}-{}", finding.rule, finding.turn + 1);
        let mut unique = name.clone();
        let mut again = 1;
        while out.contains(&unique) {
            again += 1;
            unique = format!("{name}-{again}");
        }
        out.push(unique);
    }
    out
}

fn rule<'s>(site: &Site<'s>, finding: &ChatFinding) -> Option<&'s Rule> {
    site.night.pack.rule(&finding.rule).map(|n| &site.night.pack.rules[n])
}

fn lead(site: &Site<'_>, chat: &Chat) -> Html {
    let w = site.words;
    let mut out = Html::new();
    match chat.score {
        None => {
            out.text(w.t("没有评分。", "Not judged."));
        }
        Some((score, raw)) => {
            let pass = if score >= site.night.pack.scorecard.pass_mark {
                w.t("合格", "passed")
            } else {
                w.t("不合格", "failed")
            };
            out.el("strong", &[], &Points(score).to_string()).text(w.t(" 分,", " points, ")).text(pass);
            if raw != score {
                out.text(&match w.zh {
                    true => format!("(一票否决前 {})", Points(raw)),
                    false => format!(" ({} before the critical finding)", Points(raw)),
                });
            }
            out.text(&match w.zh {
                true => format!(";{} 处发现。", chat.findings.len()),
                false => format!("; {} findings.", chat.findings.len()),
            });
        }
    }
    out
}

fn facts(site: &Site<'_>, out: &mut Html, chat: &Chat) {
    let w = site.words;
    section(out, "facts", w.t("概况", "At a glance"), "");
    out.raw("<dl class=\"facts\">");
    for agent in &chat.agents {
        let mut own = site.agent_link(UP, &agent.id);
        if let Some((score, raw)) = agent.score {
            own.text(&format!(" · {} {}", Points(score), w.t("分", "points")));
            if raw != score {
                own.text(&format!(" ({})", Points(raw)));
            }
        }
        if agent.critical {
            own.raw(" ").push(&w.severity_mark(Severity::Critical));
        }
        out.el("dt", &[], w.t("客服", "Agent")).with("dd", &[], &own);
    }
    let topics = &site.night.pack.topics;
    let reasons: Vec<&str> =
        chat.topics
            .iter()
            .filter_map(|id| topics.find(id))
            .map(|n| {
                if w.zh || topics.list[n].title_en.is_empty() {
                    &topics.list[n].title
                } else {
                    &topics.list[n].title_en
                }
            })
            .map(String::as_str)
            .collect();
    let resolution = match chat.resolution.as_str() {
        "resolved" => w.t("已解决", "resolved"),
        "unresolved" => w.t("未解决", "unresolved"),
        _ => w.t("看不出", "cannot be told"),
    };
    let rows = [
        (w.t("渠道", "Channel"), w.place(&chat.channel).to_string()),
        (w.t("阶段", "Stage"), w.place(&chat.stage).to_string()),
        (w.t("开始", "Began"), chat.began.clone().unwrap_or_else(|| w.t("没有时间", "no time").to_string())),
        (w.t("来访原因", "Reasons"), reasons.join(w.t("、", ", "))),
        (w.t("解决", "Resolution"), resolution.to_string()),
        (w.t("评分", "Rating"), chat.rating.map_or_else(|| w.t("没有", "none").to_string(), |r| format!("{r} / 5"))),
        (
            w.t("满意度估计", "Satisfaction, estimated"),
            chat.satisfaction.map(|s| format!("{:.2}", s as f64 / 1000.0)).unwrap_or_default(),
        ),
    ];
    for (name, value) in rows.iter().filter(|r| !r.1.is_empty()) {
        out.el("dt", &[], name).raw("<dd>").el("bdi", &[], value).raw("</dd>");
    }
    out.raw("</dl></section>\n");
}

fn measures(site: &Site<'_>, out: &mut Html, chat: &Chat) {
    let w = site.words;
    section(out, "measures", w.t("指标", "Measures"), "");
    out.raw("<dl class=\"facts\">");
    for (id, value) in &chat.measures {
        let Some(unit) = METRICS.iter().find(|m| m.1 == id).map(|m| m.3) else { continue };
        let text = match unit {
            Unit::Millis => w.seconds(*value as f64 / 1000.0),
            Unit::Ratio => format!("{:.2}", *value as f64 / 1000.0),
            Unit::Count => value.to_string(),
        };
        out.el("dt", &[], &w.figure(id)).el("dd", &[], &text);
    }
    out.raw("</dl></section>\n");
}

/// Silence shown as space: who waited how long.
fn gap(site: &Site<'_>, out: &mut Html, ms: i64, before: Role, turn: &ChatTurn) {
    let w = site.words;
    let class = match ms {
        ..60_000 => return,
        60_000..300_000 => "gap g1",
        300_000..3_600_000 => "gap g2",
        _ => "gap g3",
    };
    let waited = before == Role::Customer && turn.role == Role::Agent && !turn.is_automatic();
    let text = w.seconds(ms as f64 / 1000.0);
    let text = match (waited, w.zh) {
        (true, true) => format!("客户等了 {text}"),
        (true, false) => format!("the customer waited {text}"),
        (false, true) => format!("间隔 {text}"),
        (false, false) => format!("{text} later"),
    };
    out.el("p", &[("class", class)], &text);
}

fn one(
    site: &Site<'_>,
    out: &mut Html,
    chat: &Chat,
    number: usize,
    findings: &[(usize, &ChatFinding)],
    anchors: &[String],
) {
    let w = site.words;
    let turn = &chat.turns[number];
    let class = match (turn.role, turn.is_automatic()) {
        (Role::Agent, true) => "turn agent auto",
        (Role::Agent, false) => "turn agent",
        (Role::Customer, _) => "turn customer",
        (Role::Bot, _) => "turn bot agent",
        (Role::System, _) => "turn system",
    };
    out.open("div", &[("class", class), ("id", &format!("t{}", number + 1))]);
    out.raw("<div class=\"bubble\"><div class=\"who\">");
    match turn.role {
        Role::Customer => out.text(w.t("客户", "Customer")),
        Role::Bot => out.text(w.t("机器人", "Bot")),
        Role::System => out.text(w.t("系统", "System")),
        Role::Agent => {
            let agent = turn.agent.and_then(|a| chat.agents.get(a));
            let name = agent.map_or("", |a| a.name.as_deref().unwrap_or(&a.id));
            out.el("bdi", &[], if name.is_empty() { w.t("客服", "Agent") } else { name })
        }
    };
    out.text(&format!(" · {}", number + 1));
    if let Some(clock) = &turn.clock {
        out.text(&format!(" · {clock}"));
    }
    out.raw("</div><div class=\"said\">");
    let kind = match turn.kind.as_str() {
        "image" => w.t("[图片]", "[picture]"),
        "card" => w.t("[卡片]", "[card]"),
        "auto_reply" => w.t("[自动回复]", "[automatic reply]"),
        "recalled" => w.t("[已撤回]", "[recalled]"),
        "voice" => w.t("[语音]", "[voice]"),
        "video" => w.t("[视频]", "[video]"),
        "file" => w.t("[文件]", "[file]"),
        "other" => w.t("[其他]", "[other]"),
        _ => "",
    };
    if !kind.is_empty() {
        out.el("span", &[("class", "kind")], kind).raw(" ");
    }
    let length = turn.text.chars().count();
    if length > FOLD {
        let preview: String = turn.text.chars().take(PREVIEW).collect();
        out.raw("<details><summary><span class=\"preview\"><bdi>").text(&preview).raw("…</bdi> </span>");
        out.text(&match w.zh {
            true => format!("展开全文({} 字)", count(length as u64)),
            false => format!("the whole message ({} characters)", count(length as u64)),
        });
        out.raw("</summary>");
        words(site, out, turn, findings, anchors);
        out.raw("</details>");
    } else {
        words(site, out, turn, findings, anchors);
    }
    out.raw("</div></div>");
    if !findings.is_empty() {
        out.raw("<div class=\"notes\">");
        for (place, finding) in findings {
            note(site, out, turn, *place, finding, &anchors[*place]);
        }
        out.raw("</div>");
    }
    out.raw("</div>\n");
}

/// The words of a turn, cut where findings begin and end.
fn words(site: &Site<'_>, out: &mut Html, turn: &ChatTurn, findings: &[(usize, &ChatFinding)], anchors: &[String]) {
    let text = turn.text.as_str();
    let safe = |at: usize| (0..=at.min(text.len())).rev().find(|b| text.is_char_boundary(*b)).unwrap_or(0);
    let mut cuts: Vec<usize> = findings.iter().flat_map(|(_, f)| [safe(f.span.0), safe(f.span.1)]).collect();
    cuts.extend([0, text.len()]);
    cuts.sort_unstable();
    cuts.dedup();
    out.raw("<span class=\"text\">");
    for pair in cuts.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let over: Vec<_> = findings.iter().filter(|(_, f)| f.span.0 <= from && to <= f.span.1).collect();
        let piece = &text[from..to];
        if over.is_empty() {
            out.text(piece);
        } else {
            let worst =
                over.iter().filter_map(|(_, f)| rule(site, f)).map(|r| r.severity).max().unwrap_or(Severity::Note);
            let whole = over.iter().all(|(_, f)| f.span.0 == 0 && f.span.1 == text.len());
            let class = format!("hl {}{}", worst.id(), if whole { " whole" } else { "" });
            let names: Vec<String> = over.iter().map(|(place, _)| (place + 1).to_string()).collect();
            out.el("mark", &[("class", &class), ("data-f", &names.join(" "))], piece);
        }
        for (place, _) in findings.iter().filter(|(_, f)| f.span.1 == to && f.span.0 < to) {
            reference(out, *place, &anchors[*place]);
        }
    }
    for (place, _) in findings.iter().filter(|(_, f)| f.span.0 >= f.span.1) {
        reference(out, *place, &anchors[*place]);
    }
    out.raw("</span>");
}

fn reference(out: &mut Html, place: usize, anchor: &str) {
    out.el("a", &[("class", "ref"), ("href", &format!("#{anchor}"))], &(place + 1).to_string());
}

fn note(site: &Site<'_>, out: &mut Html, turn: &ChatTurn, place: usize, finding: &ChatFinding, anchor: &str) {
    let w = site.words;
    let number = (place + 1).to_string();
    let quote: String = turn.text.get(finding.span.0..finding.span.1).unwrap_or("").chars().map(shown).collect();
    let severity = rule(site, finding).map_or(Severity::Note, |r| r.severity);
    let class = format!("remark {}", severity.id());
    let label = format!("{} {number}", w.t("发现", "Finding"));
    out.open(
        "div",
        &[
            ("class", &class),
            ("id", anchor),
            ("tabindex", "-1"),
            ("role", "note"),
            ("aria-label", &label),
            ("data-f", &number),
            ("data-quote", &quote),
        ],
    );
    out.raw("<p>")
        .el("span", &[("class", "n")], &format!("{number}."))
        .raw(" ")
        .push(&w.severity_mark(severity))
        .raw(" ");
    match rule(site, finding) {
        Some(rule) => {
            out.push(&site.rule_link(UP, rule)).raw(" · ");
            out.text(&match finding.review {
                true => w.t("待人工复核,不扣分", "for review, no points").to_string(),
                false => site.cost(rule, finding.points),
            });
        }
        None => {
            out.text(&finding.rule);
        }
    }
    if finding.capped {
        out.raw(" ").el("span", &[("class", "tag")], w.t("已封顶", "capped"));
    }
    out.raw("</p>").el("p", &[("class", "why")], &finding.why).raw("</div>");
}
