//! The page of an agent: how it stands, what to work on first, what went well, the figures.

use super::chart::dots::{Dot, Scale, dots};
use super::chart::ecdf::{Waits, ecdf};
use super::chart::trend::trend;
use super::markup::Html;
use super::page::{Place, empty, head, section};
use super::people::{figures, skills};
use super::site::{PRIORITIES, Site, team_href};
use super::tonight::details::{changes_table, limits, steps};
use super::words::count;
use crate::metrics::Metric;
use crate::pack::rule::Severity;
use crate::report::figures::{Figures, Rate};
use crate::score::aggregate::AgentTotals;
use crate::score::service::Dimension;

const UP: &str = "../";

/// The page.
pub fn page(site: &Site<'_>, agent: &Figures, totals: &AgentTotals) -> Html {
    let w = site.words;
    let mut body = Html::new();
    let mut crumb = Html::new();
    crumb.link("../agents.html", w.t("团队与客服", "Teams and agents"));
    if let Some(team) = &agent.team {
        crumb.text(" / ").open("a", &[("href", &team_href(UP, team))]).el("bdi", &[], team).close("a");
    }
    let peers = site.night.cards.peers(agent);
    let others = if peers.id.is_empty() { w.t("全员", "everyone") } else { w.t("本组", "team") };
    let label = agent.label();
    head(&mut body, &crumb, &label, &lead(site, agent, peers, others));
    figures(site, &mut body, agent, peers, others);
    priorities(site, &mut body, agent, totals, peers, others);
    body.raw("<div class=\"two\">");
    dimensions(site, &mut body, agent, peers, others);
    waits(site, &mut body, agent, others);
    body.raw("</div>");
    history(site, &mut body, agent);
    super::review::agent(site, &mut body, UP, agent);
    costliest(site, &mut body, agent);
    good(site, &mut body, agent);
    section(&mut body, "skills", w.t("技能", "Skills"), "");
    skills(site, &mut body, agent);
    body.raw("</section>\n");
    section(
        &mut body,
        "rules",
        w.t("每条规则", "Every rule"),
        w.t("对照是同组(或全员)同类情况的出现率。", "Peers: the rate of the team, or of everyone."),
    );
    site.rules_table("rules-t", UP, totals, Some(peers), usize::MAX).filtered(&mut body, w, w.t("维度", "Dimension"));
    body.raw("</section>\n");
    site.page(&label, Place::People, true).render(&body)
}

fn lead(site: &Site<'_>, agent: &Figures, peers: &Figures, others: &str) -> Html {
    let w = site.words;
    let mut out = Html::new();
    let (Some(score), Some(pass)) = (&agent.score, &agent.pass_rate) else {
        out.text(w.t("没有可以评判的会话。", "There was no conversation to judge."));
        return out;
    };
    out.text(&match w.zh {
        true => format!(
            "评判了 {} 通,平均 {:.1} 分,合格 {} 通;",
            count(agent.conversations),
            score.value,
            count(pass.count)
        ),
        false => format!(
            "{} conversations judged, mean score {:.1}, {} passed; ",
            count(agent.conversations),
            score.value,
            count(pass.count)
        ),
    });
    if let Some(reviewed) = agent.reviewed.as_ref().and_then(|r| r.score.as_ref()) {
        out.text(&match w.zh {
            true => format!("人工复核后 {:.1} 分;", reviewed.value),
            false => format!("{:.1} after review; ", reviewed.value),
        });
    }
    if !agent.enough {
        let least = site.night.pack.scorecard.min_sample;
        out.text(&match w.zh {
            true => format!("不到 {least} 通,样本不足,数字只作参考,不排名。"),
            false => format!("fewer than {least}: read the figures as hints, there is no rank."),
        });
        return out;
    }
    let clear = score.interval.zip(peers.score.as_ref().and_then(|s| s.interval));
    let text = match clear {
        Some((own, team)) if own.1 < team.0 => w.t("明显低于", "clearly below "),
        Some((own, team)) if own.0 > team.1 => w.t("明显高于", "clearly above "),
        _ => w.t("和大家没有明显差别,对照", "no clear difference from "),
    };
    out.text(text).text(others);
    if let Some(team) = &peers.score {
        out.text(&format!(" {:.1}", team.value));
    }
    if let Some(expected) = agent.expected_score {
        out.text(&match w.zh {
            true => format!("(同样来访一般会得 {expected:.1})"),
            false => format!(" (the same contacts on average: {expected:.1})"),
        });
    }
    out.text(w.t("。", "."));
    out
}

fn priorities(site: &Site<'_>, out: &mut Html, agent: &Figures, totals: &AgentTotals, peers: &Figures, others: &str) {
    let w = site.words;
    section(out, "first", w.t("先改这几件事", "To work on first"), "");
    let costly = site.costly(&agent.id);
    if costly.is_empty() {
        empty(out, w.t("这批会话里没有扣分项,保持住。", "Nothing cost points. Keep it up."));
    }
    out.raw("<div class=\"cards\">");
    for (number, cost) in costly.into_iter().take(PRIORITIES) {
        let rule = &site.night.pack.rules[number];
        let counted = &totals.rules[&(number as u32)];
        out.raw("<article class=\"card\"><h3>")
            .push(&site.rule_link(UP, rule))
            .push(&w.severity_mark(rule.severity))
            .raw("</h3><p>");
        let rate = Rate::new(counted.found, counted.applicable);
        out.text(&match w.zh {
            true => format!("遇到 {} 通,出现 {} 通,", count(counted.applicable), count(counted.found)),
            false => format!("Due in {}, found in {}, ", count(counted.applicable), count(counted.found)),
        });
        out.push(&w.rate(rate.as_ref()));
        if let Some(team) = peers.rule(&rule.id).and_then(|r| r.rate.as_ref()) {
            out.text(&format!("{}{others} {}", w.t(";", "; "), w.percent(team.value)));
        }
        let critical = rule.severity == Severity::Critical && !rule.review_only;
        let points = if counted.points != 0 { counted.points } else { -cost };
        out.text(&match (critical, w.zh) {
            (true, true) => format!(";一票否决 {} 通", count(counted.found)),
            (true, false) => format!("; {} failed outright", count(counted.found)),
            (false, true) => format!(";共 {}", site.cost(rule, points)),
            (false, false) => format!("; {} in all", site.cost(rule, points)),
        });
        out.raw("</p>");
        let why = if rule.why.is_empty() { &rule.what } else { &rule.why };
        if !why.is_empty() {
            out.el("p", &[("class", "quiet")], why);
        }
        for evidence in counted.evidence.items().iter().take(2) {
            site.exchange(out, UP, number, None, evidence);
        }
        if !rule.coach.is_empty() {
            out.el("h4", &[], w.t("怎么改", "What to change")).el("p", &[], &rule.coach);
        }
        if !rule.say.is_empty() {
            out.el("h4", &[], w.t("可以这样说", "Better wording"));
            out.raw("<ul class=\"plain\">");
            for say in &rule.say {
                out.el("li", &[("class", "say")], say);
            }
            out.raw("</ul>");
        }
        if !rule.skill.is_empty() {
            let module = if rule.module.is_empty() { String::new() } else { format!(" · {}", rule.module) };
            out.el(
                "p",
                &[("class", "small")],
                &format!("{}{}{module}", w.t("练什么:", "Skill to train: "), rule.skill),
            );
        }
        out.raw("</article>\n");
    }
    out.raw("</div></section>\n");
}

fn dimensions(site: &Site<'_>, out: &mut Html, agent: &Figures, peers: &Figures, others: &str) {
    let w = site.words;
    section(out, "dimensions", w.t("各维度", "Dimensions"), "");
    let rows: Vec<Dot> = agent
        .dimensions
        .iter()
        .zip(&site.night.pack.scorecard.dimensions)
        .enumerate()
        .filter_map(|(number, (own, definition))| {
            let kept = own.kept?;
            let goal = peers.dimensions.iter().find(|d| d.id == own.id).and_then(|d| d.kept);
            let interval = site.dimension_interval(&agent.id, number);
            Some(Dot {
                name: w.dimension(definition).to_string(),
                href: String::new(),
                value: kept,
                interval,
                n: own.applicable,
                enough: agent.enough,
                goal,
            })
        })
        .collect();
    let told = match w.zh {
        true => format!("点是保住的分数占比,短竖线是{others}。"),
        false => format!("Dots are shares of points kept; the tick is {others}."),
    };
    let scale = Scale {
        title: w.t("各维度保住的分数占比", "Share of points kept by dimension"),
        told: &told,
        goal: None,
        top: 100.0,
        write: &|v| format!("{v:.0}%"),
    };
    match rows.is_empty() {
        true => empty(out, w.t("没有评判过的维度。", "No dimension was judged.")),
        false => {
            out.push(&dots("c-dim", w, &scale, &rows));
        }
    }
    out.raw("</section>\n");
}

fn waits(site: &Site<'_>, out: &mut Html, agent: &Figures, others: &str) {
    let w = site.words;
    section(out, "response", w.t("响应时间", "Response times"), "");
    let of =
        |dimension, id: &str| site.cell(dimension, id).and_then(|c| c.measures.get(Metric::FirstResponse as usize));
    let own = of(Some(Dimension::Agent), &agent.id);
    let peers = match site.night.cards.peers(agent).id.as_str() {
        "" => of(None, ""),
        team => of(Some(Dimension::Team), team),
    };
    let mut curves = Vec::new();
    curves.extend(own.map(|histogram| Waits { name: w.t("本人", "agent"), histogram }));
    curves.extend(peers.map(|histogram| Waits { name: others, histogram }));
    let title = w.t("首次响应", "First response");
    match ecdf("c-wait", w, title, &curves, &limits(site)).filter(|_| own.is_some()) {
        Some(chart) => {
            out.push(&chart);
        }
        None => {
            empty(out, w.t("会话里没有时间,响应不判。", "The conversations carry no times: response is not judged."))
        }
    }
    out.raw("</section>\n");
}

fn history(site: &Site<'_>, out: &mut Html, agent: &Figures) {
    let w = site.words;
    section(out, "trend", w.t("趋势", "Trend"), "");
    let Some(history) = site.night.history else {
        empty(
            out,
            w.t(
                "还没有历史:加 --store 后从第二晚起可以看到趋势。",
                "No history yet: with --store, trends show from the second night on.",
            ),
        );
        out.raw("</section>\n");
        return;
    };
    let steps = steps(&history.trend, |p| {
        let point = p.agents.get(&agent.id);
        let score = point.and_then(|p| p.score.as_ref());
        (score.map(|s| s.value), score.and_then(|s| s.interval), point.map_or(0, |p| p.conversations))
    });
    match trend("c-trend", w, &w.figure("score"), &steps, site.goal("score"), &|v| format!("{v:.1}")) {
        Some(chart) => {
            out.push(&chart);
        }
        None => empty(out, w.t("历史还不够画趋势。", "Not enough history for a trend.")),
    }
    if let Some(changes) = history.changes.agents.get(&agent.id) {
        changes_table(site, out, "changes", changes, &history.changes.against, history.changes.changed_rules);
    }
    out.raw("</section>\n");
}

fn costliest(site: &Site<'_>, out: &mut Html, agent: &Figures) {
    let w = site.words;
    let about = w.t(
        "每条规则先列一处,再列第二处;点会话可到原话。",
        "One of each rule first; the conversation's link leads to the words.",
    );
    section(out, "findings", w.t("代价最大的几处", "Costliest findings"), about);
    let all = site.agent_evidence(&agent.id);
    if all.is_empty() {
        empty(out, w.t("没有扣分。", "Nothing cost points."));
    }
    for (number, evidence) in all {
        let rule = &site.night.pack.rules[number];
        out.raw("<p>").push(&w.severity_mark(rule.severity)).raw(" ").push(&site.rule_link(UP, rule)).raw("</p>");
        site.exchange(out, UP, number, None, evidence);
    }
    out.raw("</section>\n");
}

fn good(site: &Site<'_>, out: &mut Html, agent: &Figures) {
    let w = site.words;
    section(out, "good", w.t("做得好的", "Good examples"), "");
    let all = site.agent_good(&agent.id);
    if all.is_empty() {
        empty(out, w.t("这批会话里还没有合适的例子。", "No fitting example in these conversations."));
    }
    for (number, good) in all {
        out.raw("<p>").push(&site.rule_link(UP, &site.night.pack.rules[number])).raw("</p>");
        site.good(out, UP, None, good);
    }
    out.raw("</section>\n");
}
