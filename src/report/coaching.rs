//! `coaching/<agent>.md`: what a team lead hands over after the night, unedited.
//!
//! Three things to work on in order of what they cost, each with the agent's own words, why it costs points, a better
//! wording and the skill to train; what went well; the figures beside the team's.

use std::fmt::Write;

use super::Points;
use super::figures::{Figures, Rate, Scorecards, effective_cost};
use super::names::markdown;
use crate::judge::Lang;
use crate::metrics::Metric;
use crate::pack::Pack;
use crate::pack::rule::{Demand, Rule, Severity};
use crate::score::Aggregate;
use crate::score::aggregate::{AgentTotals, Evidence, GoodExample, RuleCount};

/// Things to work on at a time.
const PRIORITIES: usize = 3;
/// Conversations a rule must have been due in before doing it right is worth praise.
const PRAISE_FROM: u64 = 3;

/// The coaching report of one agent.
pub fn report(pack: &Pack, aggregate: &Aggregate, cards: &Scorecards, agent: &Figures, lang: Lang) -> String {
    let totals = &aggregate.agents[&agent.id];
    let writer = Writer { pack, aggregate, cards, agent, totals, zh: lang == Lang::Zh };
    let mut out = String::with_capacity(4096);
    writer.head(&mut out);
    writer.priorities(&mut out);
    writer.went_well(&mut out);
    writer.figures(&mut out);
    out
}

struct Writer<'w> {
    pack: &'w Pack,
    aggregate: &'w Aggregate,
    cards: &'w Scorecards,
    agent: &'w Figures,
    totals: &'w AgentTotals,
    zh: bool,
}

impl Writer<'_> {
    fn line(&self, out: &mut String, zh: impl AsRef<str>, en: impl AsRef<str>) {
        out.push_str(if self.zh { zh.as_ref() } else { en.as_ref() });
        out.push('\n');
    }

    fn head(&self, out: &mut String) {
        let agent = self.agent;
        let label = markdown(&agent.label());
        let team = agent.team.as_deref().map(|t| format!(" · {}", markdown(t))).unwrap_or_default();
        self.line(out, format!("# 辅导报告:{label}{team}\n"), format!("# Coaching report: {label}{team}\n"));
        let n = agent.conversations;
        let peers = self.cards.peers(agent);
        let peer_name = self.peer_name(peers);
        if let (Some(score), Some(pass), Some(team)) = (&agent.score, &agent.pass_rate, &peers.score) {
            let interval = |i: Option<(f64, f64)>| i.map(|(l, h)| format!("({l:.1}–{h:.1})")).unwrap_or_default();
            self.line(
                out,
                format!(
                    "昨晚检查了你的 **{n}** 通会话,平均 **{:.1}** 分{},{peer_name}平均 {:.1} 分;合格 **{}** 通,合格率 {:.0}%({:.0}%–{:.0}%)。",
                    score.value, interval(score.interval), team.value, pass.count, pass.value * 100.0, pass.low * 100.0, pass.high * 100.0
                ),
                format!(
                    "**{n}** of your conversations were inspected: mean score **{:.1}** {}, {peer_name} {:.1}; **{}** passed ({:.0} %, {:.0}–{:.0} %).",
                    score.value, interval(score.interval), team.value, pass.count, pass.value * 100.0, pass.low * 100.0, pass.high * 100.0
                ),
            );
        }
        if !agent.enough {
            let least = self.pack.scorecard.min_sample;
            self.line(
                out,
                format!("\n> 样本不足:不到 {least} 通,数字只作参考,不用于排名。括号里是 95% 区间,会话越少区间越宽。"),
                format!("\n> Too few conversations (under {least}) to rank: read the figures as hints. Brackets are 95 % intervals."),
            );
        }
        out.push('\n');
    }

    fn peer_name(&self, peers: &Figures) -> String {
        match (peers.id.is_empty(), self.zh) {
            (true, true) => "全员".into(),
            (true, false) => "everyone".into(),
            (false, true) => "本组".into(),
            (false, false) => "the team".into(),
        }
    }

    /// Rules that cost points, costliest first.
    fn costly(&self) -> Vec<(usize, &RuleCount)> {
        let mut list: Vec<_> = self
            .totals
            .rules
            .iter()
            .map(|(number, count)| (*number as usize, count))
            .filter(|(number, count)| count.found > 0 && effective_cost(self.pack, *number, count) > 0)
            .collect();
        list.sort_by_key(|(number, count)| {
            (std::cmp::Reverse(effective_cost(self.pack, *number, count)), self.pack.rules[*number].id.clone())
        });
        list
    }

    fn priorities(&self, out: &mut String) {
        let costly = self.costly();
        let first: Vec<_> = costly.iter().take(PRIORITIES).collect();
        if first.is_empty() {
            self.line(
                out,
                "## 要改进的地方\n\n这批会话里没有扣分项,保持住。\n",
                "## To work on\n\nNothing cost points. Keep it up.\n",
            );
            return;
        }
        let heading = ["", "一", "两", "三"][first.len()];
        self.line(out, format!("## 先改这{heading}件事\n"), "## To work on first\n");
        for (place, (number, count)) in first.iter().enumerate() {
            self.priority(out, place + 1, &self.pack.rules[*number], *number, count);
        }
        if costly.len() > PRIORITIES {
            let rest: Vec<_> = costly[PRIORITIES..]
                .iter()
                .map(|(n, c)| {
                    let title = &self.pack.rules[*n].title;
                    match self.zh {
                        true => format!("{title}({} 通,{} 分)", c.found, Points(c.points)),
                        false => format!("{title} ({} conversations, {} points)", c.found, Points(c.points)),
                    }
                })
                .collect();
            self.line(
                out,
                format!("其余扣分项(先不急):{}。\n", rest.join("、")),
                format!("The rest can wait: {}.\n", rest.join(", ")),
            );
        }
    }

    fn priority(&self, out: &mut String, place: usize, rule: &Rule, number: usize, count: &RuleCount) {
        let _ = writeln!(out, "### {place}. {}\n", markdown(&rule.title));
        let peers = self.cards.peers(self.agent);
        let rate = Rate::new(count.found, count.applicable);
        let team = peers.rule(&rule.id).and_then(|r| r.rate.as_ref());
        let cost = match (rule.severity == Severity::Critical, self.zh) {
            (true, true) => format!("一票否决 {} 通", count.found),
            (true, false) => format!("{} conversations failed outright", count.found),
            (false, true) => format!("共扣 {} 分", Points(-count.points)),
            (false, false) => format!("{} points lost", Points(-count.points)),
        };
        if let Some(rate) = &rate {
            let versus = match (team, self.zh) {
                (Some(t), true) => format!(",{}同类情况 {:.0}%", self.peer_name(peers), t.value * 100.0),
                (Some(t), false) => format!("; {} {:.0} %", self.peer_name(peers), t.value * 100.0),
                _ => String::new(),
            };
            self.line(
                out,
                format!(
                    "**{cost}** · 遇到 {} 通,出现 {} 通({:.0}%{versus})\n",
                    count.applicable,
                    count.found,
                    rate.value * 100.0
                ),
                format!(
                    "**{cost}** · due in {}, found in {} ({:.0} %{versus})\n",
                    count.applicable,
                    count.found,
                    rate.value * 100.0
                ),
            );
        }
        let why = if rule.why.is_empty() { &rule.what } else { &rule.why };
        if !why.is_empty() {
            self.line(out, format!("**为什么扣分** {why}\n"), format!("**Why it costs points** {why}\n"));
        }
        let items = count.evidence.items();
        let second = items.iter().skip(1).find(|e| items[0].agent != e.agent && items[0].customer != e.customer);
        for evidence in items.first().into_iter().chain(second) {
            self.evidence(out, rule, evidence);
        }
        if !rule.coach.is_empty() {
            self.line(out, format!("**怎么改** {}\n", rule.coach), format!("**What to change** {}\n", rule.coach));
        }
        if !rule.say.is_empty() {
            self.line(out, "**可以这样说**\n", "**Better wording**\n");
            for say in &rule.say {
                let _ = writeln!(out, "- “{say}”");
            }
            out.push('\n');
        }
        if let Some((who, good)) = self.colleague(number) {
            self.line(
                out,
                format!("**同事的好例子**({})\n", markdown(&who)),
                format!("**A colleague's good example** ({})\n", markdown(&who)),
            );
            self.chat(out, &good.customer, &good.agent, if self.zh { "同事" } else { "Colleague" });
        }
        if !rule.skill.is_empty() {
            let module = if rule.module.is_empty() { String::new() } else { format!(" · {}", rule.module) };
            self.line(
                out,
                format!("**练什么** {}{module}\n", rule.skill),
                format!("**Skill to train** {}{module}\n", rule.skill),
            );
        }
    }

    fn evidence(&self, out: &mut String, rule: &Rule, evidence: &Evidence) {
        let you = if self.zh { "你" } else { "You" };
        self.chat(out, &evidence.customer, &evidence.agent, you);
        let points = match rule.severity {
            Severity::Critical if self.zh => "一票否决".to_string(),
            Severity::Critical => "fails outright".to_string(),
            _ if self.zh => format!("{} 分", Points(evidence.points)),
            _ => format!("{} points", Points(evidence.points)),
        };
        let id = markdown(&evidence.conversation_id);
        let why = markdown(&evidence.why);
        self.line(
            out,
            format!("{why}({points},会话 {id} 第 {} 条)\n", evidence.turn + 1),
            format!("{why} ({points}, conversation {id}, message {})\n", evidence.turn + 1),
        );
    }

    fn chat(&self, out: &mut String, customer: &str, agent: &str, who: &str) {
        if !customer.is_empty() {
            let _ = writeln!(out, "> {}:{}  ", if self.zh { "客户" } else { "Customer" }, markdown(customer));
        }
        if !agent.is_empty() {
            let _ = writeln!(out, "> {who}:{}", markdown(agent));
        } else {
            self.line(out, "> (之后没有回复)", "> (no answer followed)");
        }
        out.push('\n');
    }

    /// The best example of someone else who met the same trigger and did it right.
    fn colleague(&self, rule: usize) -> Option<(String, &GoodExample)> {
        let others = self.aggregate.agents.iter().filter(|(id, _)| **id != self.agent.id);
        let best = others
            .filter_map(|(id, totals)| {
                let good = totals.rules.get(&(rule as u32))?.good.items().first()?;
                Some((good, id, totals))
            })
            .min_by(|a, b| a.0.cmp(b.0))?;
        let name = best.2.name.clone().unwrap_or_else(|| best.1.clone());
        Some((name, best.0))
    }

    fn went_well(&self, out: &mut String) {
        let peers = self.cards.peers(self.agent);
        let mut well: Vec<(f64, &Rule, &RuleCount)> = Vec::new();
        for (number, count) in &self.totals.rules {
            let rule = &self.pack.rules[*number as usize];
            let duty = matches!(rule.demand, Demand::Require(_)) && rule.when.is_some() && rule.points < 0;
            let team = peers.rule(&rule.id).and_then(|r| r.rate.as_ref()).map_or(0.0, |r| r.value);
            if duty && count.found == 0 && count.applicable >= PRAISE_FROM && team > 0.0 {
                well.push((team, rule, count));
            }
        }
        well.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.id.cmp(&b.1.id)));
        self.line(out, "## 做得好的\n", "## What went well\n");
        let bonuses: Vec<_> = self
            .totals
            .rules
            .iter()
            .filter(|(n, c)| self.pack.rules[**n as usize].points > 0 && c.findings > 0)
            .collect();
        if well.is_empty() && bonuses.is_empty() {
            let passed = self.totals.passed;
            self.line(
                out,
                format!("{passed} 通会话达到合格线。这批会话还没有哪一项连续做到位,下次从上面第一件事开始。\n"),
                format!("{passed} conversations reached the pass mark.\n"),
            );
            return;
        }
        for (team, rule, count) in well.iter().take(3) {
            self.line(
                out,
                format!(
                    "- **{}**:{} 通都做到了({}同类情况有 {:.0}% 没做到)",
                    rule.title,
                    count.applicable,
                    self.peer_name(peers),
                    team * 100.0
                ),
                format!(
                    "- **{}**: done in all {} conversations ({} missed it in {:.0} %)",
                    rule.title,
                    count.applicable,
                    self.peer_name(peers),
                    team * 100.0
                ),
            );
            if let Some(good) = count.good.items().first() {
                out.push('\n');
                let you = if self.zh { "你" } else { "You" };
                self.chat(out, &good.customer, &good.agent, you);
            }
        }
        for (number, count) in bonuses {
            let rule = &self.pack.rules[*number as usize];
            self.line(
                out,
                format!("- **{}**:{} 次,加 {} 分", rule.title, count.findings, Points(count.points)),
                format!("- **{}**: {} times, {} points", rule.title, count.findings, Points(count.points)),
            );
        }
        out.push('\n');
    }

    fn figures(&self, out: &mut String) {
        let agent = self.agent;
        let peers = self.cards.peers(agent);
        let team = self.peer_name(peers);
        self.line(out, "## 和团队比\n", "## Beside the team\n");
        self.line(out, format!("| 项目 | 你 | {team} |"), format!("| Figure | You | {team} |"));
        out.push_str("| --- | ---: | ---: |\n");
        let mut row = |title: &str, own: String, other: String| {
            let _ = writeln!(out, "| {title} | {own} | {other} |");
        };
        let dash = || "–".to_string();
        let mean = |f: &Figures| f.score.as_ref().map_or_else(dash, |s| format!("{:.1}", s.value));
        let pass = |f: &Figures| f.pass_rate.as_ref().map_or_else(dash, |r| format!("{:.0}%", r.value * 100.0));
        let zh = self.zh;
        row(if zh { "平均分" } else { "Score" }, mean(agent), mean(peers));
        row(if zh { "合格率" } else { "Pass rate" }, pass(agent), pass(peers));
        for (own, other) in agent.dimensions.iter().zip(&peers.dimensions) {
            let kept = |k: Option<f64>| k.map_or_else(dash, |k| format!("{k:.0}%"));
            let definition = self.pack.scorecard.dimensions.iter().find(|d| d.id == own.id);
            let title = match (zh, definition) {
                (true, _) => format!("{}得分率", own.title),
                (false, d) => d.map_or_else(|| own.id.clone(), |d| d.title_en.clone()),
            };
            row(&title, kept(own.kept), kept(other.kept));
        }
        for metric in [Metric::FirstResponse, Metric::AvgResponse, Metric::HandleTime] {
            let value = |f: &Figures| {
                let found = f.metrics.iter().find(|m| m.id == metric.id());
                found.map_or_else(dash, |m| format!("{:.0} {}", m.mean, if zh { "秒" } else { "s" }))
            };
            row(if zh { metric.title() } else { metric.id() }, value(agent), value(peers));
        }
        let rating = |f: &Figures| f.rating.map_or_else(dash, |(mean, n)| format!("{mean:.2}(n={n})"));
        row(if zh { "客户评分" } else { "Rating" }, rating(agent), rating(peers));
        out.push('\n');
        self.line(
            out,
            "每一处扣分都能在 conversations.jsonl 里按会话号和条数找到原话;如有不同意见,请带上会话号找主管复核。",
            "Every point can be traced in conversations.jsonl by conversation and message. If you disagree, take the id to your supervisor.",
        );
    }
}
