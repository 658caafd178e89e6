//! All rules in a table, and a page for each: how often, by whom and where, in whose words.

use super::chart::dots::{Dot, Scale, dots};
use super::markup::Html;
use super::page::{Place, empty, head, section};
use super::site::{Site, agent_href, team_href};
use super::table::Table;
use super::words::count;
use crate::pack::rule::ErrorClass;
use crate::report::figures::Rate;

const UP: &str = "../";

/// The page of all rules.
pub fn page(site: &Site<'_>) -> Html {
    let w = site.words;
    let mut body = Html::new();
    let title = w.t("规则", "Rules");
    let pack = site.night.pack;
    let all = &site.night.aggregate.all;
    let due = all.rules.values().filter(|c| c.applicable > 0).count();
    let found = all.rules.values().filter(|c| c.found > 0).count();
    let lead = match w.zh {
        true => format!(
            "规则包 {} {},{} 条规则,{due} 条有会话该判,{found} 条有发现。",
            pack.title,
            pack.version,
            pack.rules.len()
        ),
        false => format!(
            "Pack {} {}: {} rules, {due} were due, {found} found something.",
            pack.title,
            pack.version,
            pack.rules.len()
        ),
    };
    head(&mut body, &Html::new(), title, &Html::of(&lead));
    section(&mut body, "due", w.t("有会话该判的规则", "Rules that were due"), "");
    let table = site.rules_table("rules-t", "", all, None, usize::MAX);
    match table.is_empty() {
        true => empty(&mut body, w.t("没有触发的规则。", "No rule was due.")),
        false => table.filtered(&mut body, w, w.t("维度", "Dimension")),
    }
    body.raw("</section>\n");
    section(
        &mut body,
        "quiet",
        w.t("这次没有遇到的规则", "Rules that were not due"),
        w.t("没有会话触发它们,不进任何分母。", "No conversation made them due; they are in no denominator."),
    );
    body.raw("<ul class=\"plain columns small\">");
    for (number, rule) in pack.rules.iter().enumerate() {
        if all.rules.get(&(number as u32)).is_none_or(|c| c.applicable == 0 && c.review == 0) {
            body.raw("<li>").push(&site.rule_link("", rule));
            if rule.off {
                body.raw(" ").el("span", &[("class", "tag")], w.t("已关闭", "off"));
            }
            body.raw("</li>");
        }
    }
    body.raw("</ul></section>\n");
    site.page(title, Place::Rules, false).render(&body)
}

/// The page of a rule.
pub fn rule(site: &Site<'_>, number: usize) -> Html {
    let w = site.words;
    let rule = &site.night.pack.rules[number];
    let counted = site.night.aggregate.all.rules.get(&(number as u32)).cloned().unwrap_or_default();
    let mut body = Html::new();
    let mut crumb = Html::new();
    crumb.link("../rules.html", w.t("规则", "Rules"));
    let mut lead = Html::new();
    let rate = Rate::new(counted.found, counted.applicable);
    match counted.applicable {
        0 => lead.text(w.t("这次没有会话触发它。", "No conversation made it due.")),
        due => {
            lead.text(&match w.zh {
                true => format!("{} 通该判,{} 通出现,", count(due), count(counted.found)),
                false => format!("Due in {}, found in {}: ", count(due), count(counted.found)),
            });
            lead.push(&w.rate(rate.as_ref())).text(w.t("。", "."))
        }
    };
    head(&mut body, &crumb, &rule.title, &lead);
    text(site, &mut body, number);
    people(site, &mut body, number, rate.as_ref());
    section(&mut body, "review", w.t("准不准", "How often it is right"), "");
    match counted.review {
        _ if super::review::rule(site, &mut body, &rule.id) => {}
        0 => empty(
            &mut body,
            w.t(
                "还没有复核记录:人工复核后,这里显示判对的比例。",
                "No review yet: once people have reviewed findings, the share that was right shows here.",
            ),
        ),
        n => empty(
            &mut body,
            &match w.zh {
                true => format!("有 {} 处留给人工复核,没有扣分;复核后这里显示判对的比例。", count(n)),
                false => format!(
                    "{} findings are left to a person's review and cost nothing; the share that was right will show here.",
                    count(n)
                ),
            },
        ),
    }
    body.raw("</section>\n");
    section(&mut body, "findings", w.t("原话", "In their words"), "");
    let found = site.rule_evidence(number);
    if found.is_empty() {
        empty(&mut body, w.t("没有发现。", "Nothing was found."));
    }
    for (agent, evidence) in found {
        site.exchange(&mut body, UP, number, Some(agent), evidence);
    }
    body.raw("</section>\n");
    let good = site.rule_good(number);
    if !good.is_empty() {
        section(&mut body, "good", w.t("好例子", "Good examples"), "");
        for (agent, example) in good {
            site.good(&mut body, UP, Some(agent), example);
        }
        body.raw("</section>\n");
    }
    site.page(&rule.title, Place::Rules, true).render(&body)
}

fn text(site: &Site<'_>, out: &mut Html, number: usize) {
    let w = site.words;
    let pack = site.night.pack;
    let rule = &pack.rules[number];
    section(out, "text", w.t("规则是什么", "What it says"), "");
    out.raw("<dl class=\"facts\">");
    let mut fact = |name: &str, value: &Html| {
        if !value.is_empty() {
            out.el("dt", &[], name).with("dd", &[], value);
        }
    };
    fact(w.t("编号", "Id"), &Html::of(&rule.id));
    let mut level = w.severity_mark(rule.severity);
    level.text(&format!(" · {}", site.cost(rule, rule.points)));
    if rule.review_only {
        level.raw(" ").el("span", &[("class", "tag")], w.t("只提示复核,不扣分", "for review, costs nothing"));
    }
    fact(w.t("级别", "Severity"), &level);
    fact(w.t("维度", "Dimension"), &Html::of(w.dimension(&pack.scorecard.dimensions[rule.dimension])));
    let class = ErrorClass::ALL[rule.error_class as usize];
    let class = if w.zh { class.2 } else { class.1 };
    fact(w.t("错误类别", "Error class"), &Html::of(class));
    fact(w.t("判什么", "What it flags"), &Html::of(&rule.what));
    fact(w.t("为什么", "Why"), &Html::of(&rule.why));
    fact(w.t("怎么改", "What to change"), &Html::of(&rule.coach));
    let mut say = Html::new();
    if !rule.say.is_empty() {
        say.raw("<ul class=\"plain\">");
        for line in &rule.say {
            say.el("li", &[("class", "say")], line);
        }
        say.raw("</ul>");
    }
    fact(w.t("可以这样说", "Better wording"), &say);
    let skill = if rule.module.is_empty() { rule.skill.clone() } else { format!("{} · {}", rule.skill, rule.module) };
    fact(w.t("技能", "Skill"), &Html::of(&skill));
    fact(w.t("依据", "Source"), &Html::of(&rule.source));
    out.raw("</dl></section>\n");
}

fn people(site: &Site<'_>, out: &mut Html, number: usize, all: Option<&Rate>) {
    let w = site.words;
    let rule = &site.night.pack.rules[number];
    let least = site.night.pack.scorecard.min_sample;
    section(out, "who", w.t("谁、哪个团队、什么渠道", "By whom and where"), "");
    let mut table = Table::new("who-t", "")
        .look("scroll tall")
        .words(w.t("客服", "Agent"))
        .words(w.t("团队", "Team"))
        .numbers(w.t("应判会话", "Due"))
        .numbers(w.t("出现率", "Rate"))
        .numbers(w.t("次数", "Findings"));
    let agents = site.night.cards.agents.iter();
    let mut with: Vec<_> =
        agents.filter_map(|a| Some((a, a.rule(&rule.id)?, a.rule(&rule.id)?.rate.as_ref()?))).collect();
    if with.is_empty() {
        empty(out, w.t("没有客服遇到这条规则。", "No agent met this rule."));
        out.raw("</section>\n");
        return;
    }
    with.sort_by(|a, b| b.2.value.total_cmp(&a.2.value).then(b.2.of.cmp(&a.2.of)).then(a.0.id.cmp(&b.0.id)));
    let teams: Vec<Dot> = site
        .night
        .cards
        .teams
        .iter()
        .filter_map(|t| {
            let rate = t.rule(&rule.id)?.rate.as_ref()?;
            let (good, low, high) = (1.0 - rate.value, 1.0 - rate.high, 1.0 - rate.low);
            Some(Dot {
                name: t.id.clone(),
                href: team_href(UP, &t.id),
                value: good,
                interval: Some((low, high)),
                n: rate.of,
                enough: rate.of >= least,
                goal: None,
            })
        })
        .collect();
    if !teams.is_empty() {
        let told = w.t(
            "点是该做时做到(没有出现问题)的占比,横线是 95% 区间。",
            "Dots are shares of due conversations without a finding, lines 95 % intervals.",
        );
        let goal = all.map(|r| (1.0 - r.value, w.t("全员", "everyone").to_string()));
        let scale = Scale {
            title: w.t("各团队做到的占比", "Done right, by team"),
            told,
            goal,
            top: 1.0,
            write: &|v| w.percent(v),
        };
        out.push(&dots("c-teams", w, &scale, &teams));
    }
    channels(site, out, number);
    for (agent, figure, rate) in with {
        let team = agent.team.as_deref().unwrap_or("");
        let mut name = Html::new();
        name.open("a", &[("href", &agent_href(UP, &agent.id))]).el("bdi", &[], &agent.label()).close("a");
        table.row(team).cell(name).say(team).count(rate.of);
        let mut value = w.rate(Some(rate));
        if rate.of < least {
            value.raw(" ").el("span", &[("class", "tag")], w.t("样本不足", "few cases"));
        }
        table.number(Some(rate.value), value).count(figure.findings);
    }
    table.filtered(out, w, w.t("团队", "Team"));
    out.raw("</section>\n");
}

fn channels(site: &Site<'_>, out: &mut Html, number: usize) {
    let w = site.words;
    let mut table = Table::new("where-t", "")
        .words(w.t("渠道", "Channel"))
        .numbers(w.t("应判会话", "Due"))
        .numbers(w.t("出现率", "Rate"));
    for (channel, rules) in &site.night.aggregate.rule_channels {
        let Some(rate) = rules.get(&(number as u32)).and_then(|(due, found)| Rate::new(*found, *due)) else { continue };
        let mut name = Html::new();
        name.el("bdi", &[], w.place(channel));
        table.row("").cell(name).count(rate.of).number(Some(rate.value), w.rate(Some(&rate)));
    }
    if !table.is_empty() {
        table.write(out);
        out.raw("\n");
    }
}
