//! `summary.md`, `summary.json` and the first lines of the workbook: the night in one sentence, what needs action, what
//! went well, where the rest lies. Short enough to be read in a chat.

mod figures;
mod notify;

pub(crate) use figures::target;
pub use figures::{KeyFigure, Measured};
pub use notify::{DINGTALK_BYTES, FEISHU_BYTES, WECOM_BYTES, dingtalk, feishu, wecom};

use std::fmt::Write;

use serde::Serialize;

use super::figures::{Figures, Rate};
use super::names::markdown;
use super::night::Night;
use super::targets::Status;
use super::words::{listed, one_line, people, pick, rate, share};
use crate::judge::Lang;
use crate::pack::rule::Severity;

/// Names and titles listed in one line.
const LISTED: usize = 5;
/// Characters of a name or title in a line.
const NAME: usize = 40;

/// What happened in a night, in the order in which it is read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Its heading.
    pub title: String,
    /// The period; empty when the conversations carry no times.
    pub label: String,
    /// The night in one sentence.
    pub sentence: String,
    /// What needs action, the gravest first.
    pub attention: Vec<Item>,
    /// What went well.
    pub good: Vec<Item>,
    /// Key figures.
    pub figures: Vec<KeyFigure>,
    /// Where more is found, inside the folder of results.
    pub files: Vec<File>,
}

/// One line of a summary.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Item {
    /// `critical`, `target`, `agents`, `burst`, `review`, `rejected`; `target_met`, `improved`, `agents_above`, `dimension`.
    pub kind: &'static str,
    /// The line, plain text.
    pub text: String,
}

/// A file of the results.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct File {
    /// Its path inside the folder.
    pub path: &'static str,
    /// What is in it.
    pub what: String,
}

impl Summary {
    /// Sums up a night.
    pub fn new(night: &Night<'_>) -> Summary {
        let lang = night.lang;
        let figures = figures::key_figures(night);
        let attention = attention(night);
        let label = one_line(lang, &night.label, NAME);
        let heading = pick(lang, "质检日报", "Quality inspection");
        let files = [
            ("report/index.html", "网页报告", "the report as pages"),
            ("scorecards.xlsx", "工作簿(坐席、规则、违规明细)", "the workbook: agents, rules, findings"),
            ("coaching/", "每位坐席的辅导报告和班组报告", "coaching reports, agents and teams"),
        ];
        Summary {
            title: if label.is_empty() { heading.to_string() } else { format!("{heading} {label}") },
            sentence: sentence(night, &figures, &attention),
            attention,
            good: good(night, &figures),
            figures,
            files: files.map(|(path, zh, en)| File { path, what: pick(lang, zh, en).to_string() }).to_vec(),
            label,
        }
    }

    /// The summary as Markdown.
    pub fn markdown(&self, lang: Lang) -> String {
        let mut out = format!("# {}\n\n{}\n", markdown(&self.title), markdown(&self.sentence));
        let mut part = |title: &str, items: &[Item], none: &str| {
            let _ = writeln!(out, "\n## {title}\n");
            for item in items {
                let _ = writeln!(out, "- {}", markdown(&item.text));
            }
            if items.is_empty() {
                let _ = writeln!(out, "{none}");
            }
        };
        let nothing = pick(lang, "没有需要马上处理的事。", "Nothing asks for action at once.");
        part(pick(lang, "需要处理", "Needs action"), &self.attention, nothing);
        let nothing = pick(lang, "没有能确定的好转。", "Nothing that stands out beyond chance.");
        part(pick(lang, "好消息", "Good news"), &self.good, nothing);
        let lines: Vec<Item> = self.figures.iter().skip(2).map(|f| Item { kind: f.id, text: f.line(lang) }).collect();
        part(pick(lang, "关键指标", "Key figures"), &lines, "");
        let _ = writeln!(
            out,
            "\n{}\n",
            pick(lang, "括号里是 95% 区间和样本数。", "Brackets hold 95 % intervals and cases.")
        );
        for file in &self.files {
            let _ = writeln!(out, "- `{}`:{}", file.path, file.what);
        }
        out
    }
}

fn sentence(night: &Night<'_>, figures: &[KeyFigure], attention: &[Item]) -> String {
    let lang = night.lang;
    let aggregate = night.aggregate;
    let mut out = match lang {
        Lang::Zh => format!("共 {} 通会话,评判 {} 通", aggregate.conversations, aggregate.judged),
        Lang::En => format!("{} conversations, {} judged", aggregate.conversations, aggregate.judged),
    };
    if let Some(pass) = figures.iter().find(|f| f.id == "pass_rate") {
        out += pick(lang, ";", "; ");
        out += &pass.line(lang);
    }
    let critical = night.cards.all.critical;
    if critical > 0 {
        out += &match lang {
            Lang::Zh => format!(";一票否决 {critical} 通"),
            Lang::En => format!("; {critical} failed outright"),
        };
    }
    match (attention.is_empty(), lang) {
        (true, Lang::Zh) => out + "。没有需要马上处理的事。",
        (true, Lang::En) => out + ". Nothing asks for action at once.",
        (false, Lang::Zh) => out + &format!("。有 {} 件事需要处理。", attention.len()),
        (false, Lang::En) => out + &format!(". {} things ask for action.", attention.len()),
    }
}

fn attention(night: &Night<'_>) -> Vec<Item> {
    let lang = night.lang;
    let mut out = Vec::new();
    let rules = &night.aggregate.all.rules;
    let mut critical: Vec<(u64, &str)> = rules
        .iter()
        .map(|(number, count)| (&night.pack.rules[*number as usize], count))
        .filter(|(rule, count)| rule.severity == Severity::Critical && !rule.review_only && count.found > 0)
        .map(|(rule, count)| (count.found, rule.title.as_str()))
        .collect();
    critical.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    if !critical.is_empty() {
        let found: Vec<_> = critical.iter().map(|(n, title)| format!("{} {n}", one_line(lang, title, NAME))).collect();
        let n = night.cards.all.critical;
        let list = listed(lang, &found, LISTED);
        let text = match lang {
            Lang::Zh => format!("一票否决 {n} 通:{list}"),
            Lang::En => format!("{n} conversations failed outright: {list}"),
        };
        out.push(Item { kind: "critical", text });
    }
    if let Some(wanted) = target(&night.cards.targets, "pass_rate").and_then(|t| t.min) {
        let mut below: Vec<(&Figures, &Rate)> =
            with_pass_rate(&night.cards.agents).filter(|(agent, rate)| agent.enough && rate.high < wanted).collect();
        below.sort_by(|a, b| a.1.value.total_cmp(&b.1.value).then(a.0.id.cmp(&b.0.id)));
        if !below.is_empty() {
            let names: Vec<_> = below.iter().map(|(agent, pass)| named(lang, agent, pass)).collect();
            let list = people(lang, &names, LISTED);
            let text = match lang {
                Lang::Zh => format!("{} 位坐席的合格率确定低于目标 {}:{list}", names.len(), share(wanted)),
                Lang::En => {
                    format!("{} agents clearly below the pass-rate target {}: {list}", names.len(), share(wanted))
                }
            };
            out.push(Item { kind: "agents", text });
        }
    }
    for figure in figures::key_figures(night).iter().filter(|f| f.status == Some(Status::Missed)) {
        out.push(Item { kind: "target", text: figure.line(lang) });
    }
    if let Some(history) = night.history {
        for burst in history.bursts.iter().take(3) {
            let title = one_line(lang, &burst.title, NAME);
            let text = match lang {
                Lang::Zh => format!("“{title}”突然增多:{} 通,按以往约 {:.0} 通", burst.now, burst.expected),
                Lang::En => format!("“{title}” came up {} times, about {:.0} expected", burst.now, burst.expected),
            };
            out.push(Item { kind: "burst", text });
        }
    }
    let review: u64 = rules.values().map(|c| c.review).sum();
    if review > 0 {
        let text = match lang {
            Lang::Zh => format!("{review} 处拿不准、没有扣分,等人复核"),
            Lang::En => format!("{review} findings cost nothing yet and wait for review"),
        };
        out.push(Item { kind: "review", text });
    }
    if night.rejected > 0 {
        let text = match lang {
            Lang::Zh => format!("{} 条记录读不懂,没有进入统计(见 rejects.jsonl)", night.rejected),
            Lang::En => format!("{} records could not be read and are not counted (rejects.jsonl)", night.rejected),
        };
        out.push(Item { kind: "rejected", text });
    }
    out
}

fn good(night: &Night<'_>, figures: &[KeyFigure]) -> Vec<Item> {
    let lang = night.lang;
    let mut out = Vec::new();
    let lower_is_better = |id: &str| matches!(id, "critical_rate" | "first_response" | "avg_response" | "handle_time");
    for figure in figures.iter().filter(|f| f.unit != Measured::Count) {
        if figure.change.is_some_and(|(by, clear)| clear && (by < 0.0) == lower_is_better(figure.id)) {
            out.push(Item { kind: "improved", text: figure.line(lang) });
        } else if figure.status == Some(Status::Met) {
            out.push(Item { kind: "target_met", text: figure.line(lang) });
        }
    }
    if let Some(all) = &night.cards.all.pass_rate {
        let mut above: Vec<_> =
            with_pass_rate(&night.cards.agents).filter(|(a, r)| a.enough && r.low > all.value).collect();
        above.sort_by(|a, b| b.1.low.total_cmp(&a.1.low).then(a.0.id.cmp(&b.0.id)));
        if !above.is_empty() {
            let names: Vec<_> = above.iter().map(|(agent, pass)| named(lang, agent, pass)).collect();
            let list = people(lang, &names, LISTED);
            let text = match lang {
                Lang::Zh => format!("合格率确定高于全员({}):{list}", share(all.value)),
                Lang::En => format!("Clearly above everyone's pass rate ({}): {list}", share(all.value)),
            };
            out.push(Item { kind: "agents_above", text });
        }
    }
    if out.is_empty() {
        let kept = |d: &&super::figures::DimensionFigure| d.kept.is_some() && d.applicable > 0;
        let best = night.cards.all.dimensions.iter().filter(kept);
        let best = best.max_by(|a, b| a.kept.unwrap_or(0.0).total_cmp(&b.kept.unwrap_or(0.0)).then(b.id.cmp(&a.id)));
        if let Some(best) = best {
            let definition = night.pack.scorecard.dimensions.iter().find(|d| d.id == best.id);
            let title = definition.map_or(best.title.as_str(), |d| pick(lang, &d.title, &d.title_en));
            let kept = best.kept.unwrap_or(0.0);
            let text = match lang {
                Lang::Zh => format!("做得最好的维度是{title}:得分率 {kept:.1}%(n={})", best.applicable),
                Lang::En => {
                    format!("Strongest dimension: {title}, {kept:.1}% of its points kept (n={})", best.applicable)
                }
            };
            out.push(Item { kind: "dimension", text });
        }
    }
    out
}

fn with_pass_rate(agents: &[Figures]) -> impl Iterator<Item = (&Figures, &Rate)> {
    agents.iter().filter_map(|a| a.pass_rate.as_ref().map(|r| (a, r)))
}

fn named(lang: Lang, agent: &Figures, pass: &Rate) -> String {
    format!("{} {}", one_line(lang, &agent.label(), NAME), rate(lang, pass))
}
