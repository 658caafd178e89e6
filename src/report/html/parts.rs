//! Pieces several pages share: key figures, exchanges quoted, tables of agents, rules and targets.

use super::markup::Html;
use super::site::{Site, agent_href, team_href};
use super::table::Table;
use super::words::count;
use crate::pack::rule::Severity;
use crate::report::figures::{Figures, effective_cost};
use crate::report::history::Change;
use crate::report::targets::TargetFigure;
use crate::score::aggregate::{AgentTotals, Evidence, GoodExample};

/// A list of key figures.
pub struct Key {
    out: Html,
}

impl Key {
    /// Begins the list.
    pub fn new() -> Key {
        let mut out = Html::new();
        out.raw("<dl class=\"figures\">");
        Key { out }
    }

    /// One figure with what stands beside it.
    pub fn figure(&mut self, title: &str, value: &str, unit: &str, beside: &[Html]) {
        self.out.raw("<div>").el("dt", &[], title).open("dd", &[("class", "value")]).text(value);
        if !unit.is_empty() {
            self.out.el("small", &[], unit);
        }
        self.out.close("dd");
        for line in beside.iter().filter(|b| !b.is_empty()) {
            self.out.with("dd", &[("class", "beside")], line);
        }
        self.out.raw("</div>");
    }

    /// The list.
    pub fn finish(mut self, out: &mut Html) {
        self.out.raw("</dl>\n");
        out.push(&self.out);
    }
}

impl Site<'_> {
    /// How a figure moved, with a sign that says whether chance explains it.
    pub fn change(&self, change: &Change) -> String {
        let w = self.words;
        let share = !matches!(change.figure.as_str(), "score" | "conversations" | "first_response")
            && !change.figure.starts_with("dimension:")
            && change.figure != "satisfaction_estimate";
        let moved = change.difference();
        let amount = match change.figure.as_str() {
            "conversations" => format!("{:+.0}", moved),
            "first_response" => format!("{:+.1} {}", moved, w.t("秒", "s")),
            "satisfaction_estimate" => format!("{moved:+.2}"),
            _ if share => format!("{:+.1} {}", moved * 100.0, w.t("个百分点", "pp")),
            _ => format!("{moved:+.1}"),
        };
        let sure = match change.interval {
            None => "",
            Some(_) if change.is_clear() => "",
            Some(_) => w.t("(可能只是波动)", " (may be chance)"),
        };
        format!("{}{sure}", amount.replace('-', "\u{2212}"))
    }

    /// The line beside a key figure: how it moved.
    pub fn moved(&self, changes: Option<&[Change]>, figure: &str) -> Html {
        let mut out = Html::new();
        if let Some(change) = changes.and_then(|c| c.iter().find(|c| c.figure == figure)) {
            out.text(self.words.t("较上期 ", "vs. before ")).text(&self.change(change));
        }
        out
    }

    /// A quoted exchange with its place and reason.
    pub fn exchange(&self, out: &mut Html, up: &str, rule: usize, agent: Option<&str>, evidence: &Evidence) {
        let w = self.words;
        let rule = &self.night.pack.rules[rule];
        self.lines(out, &evidence.customer, &evidence.agent);
        out.raw("<p class=\"cite\">").text(&evidence.why).raw(" · ");
        out.text(&self.cost(rule, evidence.points)).raw(" · ");
        if let Some(agent) = agent {
            out.push(&self.agent_link(up, agent)).raw(" · ");
        }
        self.place(out, up, &evidence.conversation_id, evidence.turn, &format!("{}-{}", rule.id, evidence.turn + 1));
        if !self.chats.contains_key(&evidence.conversation_id) {
            out.raw(" · ").text(w.t("原话:", "words: ")).raw("“").el("bdi", &[], &evidence.quote).raw("”");
        }
        out.raw("</p></div>\n");
    }

    /// A good example with its place.
    pub fn good(&self, out: &mut Html, up: &str, agent: Option<&str>, good: &GoodExample) {
        self.lines(out, &good.customer, &good.agent);
        out.raw("<p class=\"cite\">");
        if let Some(agent) = agent {
            out.push(&self.agent_link(up, agent)).raw(" · ");
        }
        self.place(out, up, &good.conversation_id, good.turn, &format!("t{}", good.turn + 1));
        out.raw("</p></div>\n");
    }

    fn place(&self, out: &mut Html, up: &str, id: &str, turn: u32, anchor: &str) {
        let text = match self.words.zh {
            true => format!("会话 {id} 第 {} 条", turn + 1),
            false => format!("conversation {id}, message {}", turn + 1),
        };
        out.push(&self.chat_link(up, id, anchor, &text));
    }

    fn lines(&self, out: &mut Html, customer: &str, agent: &str) {
        let w = self.words;
        out.raw("<div class=\"exchange\">");
        if !customer.is_empty() {
            out.raw("<p>").el("span", &[("class", "who")], w.t("客户", "Customer"));
            out.el("bdi", &[], customer).raw("</p>");
        }
        out.raw("<p>").el("span", &[("class", "who")], w.t("客服", "Agent"));
        match agent.is_empty() {
            true => out.el("span", &[("class", "quiet")], w.t("(之后没有回复)", "(no answer followed)")),
            false => out.el("bdi", &[], agent),
        };
        out.raw("</p>");
    }

    /// A table of agents. `tall` frames scroll within the page.
    pub fn agents_table(&self, id: &str, up: &str, agents: &[&Figures]) -> Table {
        let w = self.words;
        let mut table = Table::new(id, "")
            .look("scroll tall")
            .words(w.t("客服", "Agent"))
            .words(w.t("团队", "Team"))
            .numbers(w.t("会话", "Conv."))
            .numbers(w.t("名次", "Rank"))
            .numbers(w.t("平均分", "Score"))
            .numbers(w.t("同样来访的期望", "Expected"))
            .numbers(w.t("合格率", "Pass rate"))
            .numbers(w.t("一票否决", "Critical"))
            .numbers(w.t("解决率", "Resolved"))
            .numbers(w.t("首次响应", "First response"))
            .words(w.t("最弱维度", "Weakest"));
        for agent in agents {
            let team = agent.team.as_deref().unwrap_or("");
            table.row(team).cell(self.agent_link(up, &agent.id));
            let mut link = Html::new();
            if !team.is_empty() {
                link.open("a", &[("href", &team_href(up, team))]).el("bdi", &[], team).close("a");
            }
            table.cell(link).count(agent.conversations);
            let mut rank = Html::new();
            match agent.rank {
                Some(place) => rank.text(&place.to_string()),
                None => rank.el("span", &[("class", "tag")], w.t("样本不足", "few cases")),
            };
            table.number(agent.rank.map(|r| r as f64), rank);
            table.number(agent.score.as_ref().map(|s| s.value), w.mean(agent.score.as_ref()));
            let expected = agent.expected_score.map_or_else(|| "–".into(), |e| format!("{e:.1}"));
            table.number(agent.expected_score, Html::of(&expected));
            table.number(agent.pass_rate.as_ref().map(|r| r.value), w.rate(agent.pass_rate.as_ref()));
            table.count(agent.critical);
            let resolved = agent.service.as_ref().and_then(|s| s.resolution_rate.as_ref());
            table.number(resolved.map(|r| r.value), w.rate(resolved));
            let first = agent.metrics.iter().find(|m| m.id == "first_response");
            table.number(first.map(|m| m.mean), Html::of(&first.map_or_else(|| "–".into(), |m| w.seconds(m.mean))));
            let weakest = agent.worst_dimension().map(|d| {
                let title = self.night.pack.scorecard.dimensions.iter().find(|p| p.id == d.id);
                let title = title.map_or(d.title.as_str(), |p| w.dimension(p));
                format!("{title} {:.0}%", d.kept.unwrap_or(0.0))
            });
            table.say(&weakest.unwrap_or_default());
        }
        table
    }

    /// Agent × dimension: the share of points kept, darker where more is lost.
    pub fn heat_map(&self, id: &str, up: &str, agents: &[&Figures]) -> Table {
        let w = self.words;
        let mut table = Table::new(id, "").look("scroll heat tall").words(w.t("客服", "Agent"));
        for dimension in &self.night.pack.scorecard.dimensions {
            table = table.numbers(w.dimension(dimension));
        }
        table = table.numbers(w.t("会话", "Conv."));
        for agent in agents {
            table.row(agent.team.as_deref().unwrap_or("")).cell(self.agent_link(up, &agent.id));
            for dimension in &agent.dimensions {
                let text = dimension.kept.map_or_else(|| "–".to_string(), |k| format!("{k:.0}"));
                table.heat(dimension.kept, heat(dimension.kept), Html::of(&text));
            }
            table.count(agent.conversations);
        }
        table
    }

    /// A table of the rules in someone's record, the costliest first; at most `most` of them.
    pub fn rules_table(&self, id: &str, up: &str, totals: &AgentTotals, peers: Option<&Figures>, most: usize) -> Table {
        let w = self.words;
        let pack = self.night.pack;
        let mut table = Table::new(id, "")
            .words(w.t("规则", "Rule"))
            .words(w.t("维度", "Dimension"))
            .words(w.t("级别", "Severity"))
            .numbers(w.t("应判会话", "Due"))
            .numbers(w.t("出现率", "Rate"));
        if peers.is_some() {
            table = table.numbers(w.t("对照", "Peers"));
        }
        table = table.numbers(w.t("次数", "Findings")).numbers(w.t("合计分", "Points"));
        let mut rules: Vec<_> = totals.rules.iter().filter(|(_, c)| c.applicable > 0 || c.review > 0).collect();
        rules.sort_by_key(|(n, c)| {
            (std::cmp::Reverse(effective_cost(pack, **n as usize, c)), &pack.rules[**n as usize].id)
        });
        for (number, counted) in rules.into_iter().take(most) {
            let rule = &pack.rules[*number as usize];
            let dimension = w.dimension(&pack.scorecard.dimensions[rule.dimension]);
            table.row(dimension).cell(self.rule_link(up, rule)).say(dimension);
            table.cell(w.severity_mark(rule.severity)).count(counted.applicable);
            let rate = crate::report::figures::Rate::new(counted.found, counted.applicable);
            table.number(rate.as_ref().map(|r| r.value), w.rate(rate.as_ref()));
            if let Some(peers) = peers {
                let rate = peers.rule(&rule.id).and_then(|r| r.rate.as_ref());
                let text = rate.map_or_else(|| "–".into(), |r| w.percent(r.value));
                table.number(rate.map(|r| r.value), Html::of(&text));
            }
            table.count(counted.findings);
            let critical = rule.severity == Severity::Critical && !rule.review_only && counted.found > 0;
            let text = match (critical, counted.points) {
                (true, _) => w.t("一票否决", "fails outright").to_string(),
                (false, 0) => "0".to_string(),
                (false, points) => self.cost(rule, points),
            };
            let cost = effective_cost(pack, *number as usize, counted) as f64 / -1000.0;
            table.number(Some(cost), Html::of(&text));
        }
        table
    }

    /// Targets against figures.
    pub fn targets_table(&self, id: &str, targets: &[&TargetFigure]) -> Table {
        let w = self.words;
        let mut table = Table::new(id, "")
            .words(w.t("指标", "Figure"))
            .words(w.t("时段", "Period"))
            .numbers(w.t("目标", "Target"))
            .numbers(w.t("实际", "Actual"))
            .numbers("n")
            .words(w.t("状态", "State"));
        for target in targets {
            let title = if w.zh { target.title.clone() } else { w.figure(&target.metric) };
            table.row("").say(&title).say(if target.value_of.is_empty() {
                w.t("本次", "this run")
            } else {
                &target.value_of
            });
            let write = |v: f64| self.write_figure(&target.metric, v);
            let wanted = match (target.min, target.max) {
                (Some(min), _) => format!("≥ {}", write(min)),
                (_, Some(max)) => format!("≤ {}", write(max)),
                _ => String::new(),
            };
            table.number(target.min.or(target.max), Html::of(&wanted));
            let mut actual = Html::new();
            match target.actual {
                Some(value) => {
                    actual.text(&write(value));
                    if let Some((low, high)) = target.interval {
                        actual.raw(" ").el("span", &[("class", "ci")], &format!("{}–{}", write(low), write(high)));
                    }
                }
                None => {
                    actual.raw("–");
                }
            }
            let (class, name) = w.status(target.status);
            let mut state = Html::new();
            state.el("span", &[("class", class)], name);
            table.number(target.actual, actual).count(target.n).cell(state);
        }
        table
    }

    /// A figure's value in its unit.
    pub fn write_figure(&self, id: &str, value: f64) -> String {
        let w = self.words;
        let durations = crate::metrics::METRICS.iter().find(|m| m.1 == id).map(|m| m.3);
        match (id, durations) {
            ("score" | "rating", _) => format!("{value:.1}"),
            ("satisfaction_estimate", _) => format!("{value:.2}"),
            (_, Some(crate::metrics::Unit::Millis)) => w.seconds(value),
            (_, Some(_)) => format!("{value:.1}"),
            (id, None) if id.starts_with(crate::pack::scorecard::PROFILE_TARGET) && value > 1.0 => w.seconds(value),
            (id, None) if id.starts_with("dimension:") => format!("{value:.1}%"),
            ("conversations", None) => count(value.max(0.0) as u64),
            _ => w.percent(value),
        }
    }

    /// Agents in the order of a plot: the lowest mean first.
    pub fn by_score<'f>(&self, agents: impl Iterator<Item = &'f Figures>) -> Vec<&'f Figures> {
        let mut list: Vec<&Figures> = agents.collect();
        let mean = |f: &Figures| f.score.as_ref().map_or(f64::MAX, |s| s.value);
        list.sort_by(|a, b| (!a.enough).cmp(&!b.enough).then(mean(a).total_cmp(&mean(b))).then(a.id.cmp(&b.id)));
        list
    }

    /// Agents' mean scores as dots with intervals.
    pub fn agents_dots(&self, id: &str, up: &str, title: &str, agents: &[&Figures]) -> Html {
        use super::chart::dots::{Dot, Scale, dots};
        let w = self.words;
        let rows: Vec<Dot> = agents
            .iter()
            .filter_map(|a| {
                let score = a.score.as_ref()?;
                Some(Dot {
                    name: a.name.clone().unwrap_or_else(|| a.id.clone()),
                    href: agent_href(up, &a.id),
                    value: score.value,
                    interval: score.interval,
                    n: score.n,
                    enough: a.enough,
                    goal: None,
                })
            })
            .collect();
        let told = w.t(
            "点是平均分,横线是 95% 区间;整条线都在目标左边的才算低于目标,空心的样本不足。",
            "Dots are mean scores, lines 95 % intervals. Only a line wholly left of the target is below it; hollow dots have few cases.",
        );
        let goal = self.goal("score").map(|g| (g, w.t("目标", "target").to_string()));
        dots(id, w, &Scale { title, told, goal, top: 100.0, write: &|v| format!("{v:.1}") }, &rows)
    }
}

/// The ground of a heat map's cell: the darker, the more is lost.
pub fn heat(kept: Option<f64>) -> &'static str {
    match kept {
        None => "num h0 quiet",
        Some(k) if k >= 98.0 => "num h0",
        Some(k) if k >= 95.0 => "num h1",
        Some(k) if k >= 90.0 => "num h2",
        Some(k) if k >= 85.0 => "num h3",
        Some(k) if k >= 75.0 => "num h4",
        Some(k) if k >= 60.0 => "num h5",
        Some(_) => "num h6",
    }
}
