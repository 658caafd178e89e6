//! Everyone: all agents in a table and a heat map; and a page for each team.

use super::chart::trend::trend;
use super::markup::Html;
use super::page::{Place, empty, head, section};
use super::parts::Key;
use super::site::{Site, team_href};
use super::table::Table;
use super::tonight::details::{changes_table, steps};
use super::words::count;
use crate::report::figures::Figures;

/// Agents drawn as dots on a page; the table has all.
const DRAWN: usize = 40;

/// The page of all agents.
pub fn page(site: &Site<'_>) -> Html {
    let w = site.words;
    let mut body = Html::new();
    let cards = site.night.cards;
    let title = w.t("团队与客服", "Teams and agents");
    let enough = cards.agents.iter().filter(|a| a.enough).count() as u64;
    let mut lead = Html::new();
    lead.text(&match w.zh {
        true => format!(
            "{} 位客服,{} 个团队;{enough} 位会话数足够比较。",
            count(cards.agents.len() as u64),
            cards.teams.len()
        ),
        false => format!(
            "{} agents in {} teams; {enough} have conversations enough to compare.",
            count(cards.agents.len() as u64),
            cards.teams.len()
        ),
    });
    head(&mut body, &Html::new(), title, &lead);
    section(&mut body, "teams", w.t("团队", "Teams"), "");
    match cards.teams.is_empty() {
        true => empty(&mut body, w.t("导出里没有团队。", "The export names no teams.")),
        false => teams_table(site).write(&mut body),
    }
    body.raw("</section>\n");
    let list = site.by_score(cards.agents.iter());
    agents(site, &mut body, "", &list);
    super::review::people(site, &mut body);
    site.page(title, Place::People, false).render(&body)
}

fn teams_table(site: &Site<'_>) -> Table {
    let w = site.words;
    let mut table = Table::new("teams-t", "")
        .words(w.t("团队", "Team"))
        .numbers(w.t("客服", "Agents"))
        .numbers(w.t("会话", "Conv."))
        .numbers(w.t("平均分", "Score"))
        .numbers(w.t("合格率", "Pass rate"))
        .numbers(w.t("一票否决", "Critical"))
        .numbers(w.t("解决率", "Resolved"));
    for dimension in &site.night.pack.scorecard.dimensions {
        table = table.numbers(w.dimension(dimension));
    }
    for team in &site.night.cards.teams {
        let mut name = Html::new();
        name.open("a", &[("href", &team_href("", &team.id))]).el("bdi", &[], &team.id).close("a");
        let members = site.night.cards.agents.iter().filter(|a| a.team.as_deref() == Some(&team.id)).count();
        table.row("").cell(name).count(members as u64).count(team.conversations);
        table.number(team.score.as_ref().map(|s| s.value), w.mean(team.score.as_ref()));
        table.number(team.pass_rate.as_ref().map(|r| r.value), w.rate(team.pass_rate.as_ref()));
        table.count(team.critical);
        let resolved = team.service.as_ref().and_then(|s| s.resolution_rate.as_ref());
        table.number(resolved.map(|r| r.value), w.rate(resolved));
        for dimension in &team.dimensions {
            let text = dimension.kept.map_or_else(|| "–".to_string(), |k| format!("{k:.0}%"));
            table.number(dimension.kept, Html::of(&text));
        }
    }
    table
}

/// The table, the dots and the heat map of some agents.
fn agents(site: &Site<'_>, out: &mut Html, up: &str, list: &[&Figures]) {
    let w = site.words;
    let teams = w.t("团队", "Team");
    let about = w.t(
        "名次只给会话数足够的客服,区间重叠的名次相同;“期望”是一般水平的客服遇到同样渠道和阶段会得的分。",
        "Ranks are for agents with conversations enough; overlapping intervals share a rank. Expected: what someone average would score with the same channels and stages.",
    );
    section(out, "all", w.t("每位客服", "Every agent"), about);
    site.agents_table("agents-t", up, list).filtered(out, w, teams);
    out.raw("</section>\n");
    section(out, "dots", w.t("平均分与区间", "Mean scores with intervals"), "");
    let drawn: Vec<&Figures> = list.iter().copied().take(DRAWN).collect();
    out.push(&site.agents_dots("c-agents", up, w.t("客服平均分", "Mean score by agent"), &drawn));
    if list.len() > DRAWN {
        let text = match w.zh {
            true => format!("只画了平均分最低的 {DRAWN} 位,其余见上表。"),
            false => format!("The lowest {DRAWN} are drawn; the table has all."),
        };
        out.el("p", &[("class", "small")], &text);
    }
    out.raw("</section>\n");
    let about = w.t(
        "每格是该维度保住的分数占比(%),颜色越深丢得越多;点表头排序。",
        "Each cell is the share of the dimension's points kept (%); darker means more lost. Click a heading to sort.",
    );
    section(out, "heat", w.t("客服 × 维度", "Agent × dimension"), about);
    site.heat_map("heat-t", up, list).filtered(out, w, teams);
    out.raw("</section>\n");
}

/// The page of a team.
pub fn team(site: &Site<'_>, team: &Figures) -> Html {
    let w = site.words;
    let up = "../";
    let mut body = Html::new();
    let mut crumb = Html::new();
    crumb.link("../agents.html", w.t("团队与客服", "Teams and agents"));
    let members = site.by_score(site.night.cards.agents.iter().filter(|a| a.team.as_deref() == Some(&team.id)));
    let mut lead = Html::new();
    let all = &site.night.cards.all;
    lead.text(&match w.zh {
        true => format!("{} 位客服,{} 通会话,平均 ", members.len(), count(team.conversations)),
        false => format!("{} agents, {} conversations, mean score ", members.len(), count(team.conversations)),
    });
    lead.push(&w.mean(team.score.as_ref()));
    lead.text(w.t(",全员 ", "; everyone ")).push(&w.mean(all.score.as_ref())).text(w.t("。", "."));
    head(&mut body, &crumb, &team.id, &lead);
    figures(site, &mut body, team, all, w.t("全员", "everyone"));
    if let Some(history) = site.night.history {
        let steps = steps(&history.trend, |p| {
            let point = p.teams.get(&team.id);
            let score = point.and_then(|p| p.score.as_ref());
            (score.map(|s| s.value), score.and_then(|s| s.interval), point.map_or(0, |p| p.conversations))
        });
        section(&mut body, "trend", w.t("趋势", "Trend"), "");
        match trend("c-trend", w, &w.figure("score"), &steps, site.goal("score"), &|v| format!("{v:.1}")) {
            Some(chart) => {
                body.push(&chart);
            }
            None => empty(&mut body, w.t("历史还不够画趋势。", "Not enough history for a trend.")),
        }
        if let Some(changes) = history.changes.teams.get(&team.id) {
            changes_table(site, &mut body, "changes", changes, &history.changes.against, history.changes.changed_rules);
        }
        body.raw("</section>\n");
    }
    agents(site, &mut body, up, &members);
    section(&mut body, "skills", w.t("练什么", "What to train"), "");
    skills(site, &mut body, team);
    body.raw("</section>\n");
    site.page(&team.id, Place::People, true).render(&body)
}

/// Key figures of a team or an agent beside those of others.
pub fn figures(site: &Site<'_>, out: &mut Html, own: &Figures, other: &Figures, others: &str) {
    let w = site.words;
    let changes = site.night.history.map(|h| &h.changes).filter(|c| !c.against.is_empty());
    let changes = changes.and_then(|c| c.agents.get(&own.id).or_else(|| c.teams.get(&own.id)));
    let moved = |figure: &str| site.moved(changes.map(Vec::as_slice), figure);
    let beside = |text: String| Html::of(&format!("{others} {text}"));
    let mut key = Key::new();
    let few = if own.enough {
        Html::new()
    } else {
        let mut t = Html::new();
        t.el("span", &[("class", "tag")], w.t("样本不足", "few cases"));
        t
    };
    key.figure(w.t("会话", "Conversations"), &count(own.conversations), "", &[few, moved("conversations")]);
    if let Some(score) = &own.score {
        let range = score.interval.map_or_else(Html::new, |(l, h)| Html::of(&format!("{l:.1}–{h:.1}")));
        let peers = other.score.as_ref().map_or_else(Html::new, |s| beside(format!("{:.1}", s.value)));
        key.figure(&w.figure("score"), &format!("{:.1}", score.value), w.t("分", ""), &[range, peers, moved("score")]);
    }
    let service =
        |f: &Figures, pick: fn(&crate::report::outcomes::ServiceFigures) -> Option<&crate::report::figures::Rate>| {
            f.service.as_ref().and_then(pick).cloned()
        };
    for (id, mine, theirs) in [
        ("pass_rate", own.pass_rate.clone(), other.pass_rate.clone()),
        (
            "resolution_rate",
            service(own, |s| s.resolution_rate.as_ref()),
            service(other, |s| s.resolution_rate.as_ref()),
        ),
    ] {
        let Some(mine) = mine else { continue };
        let range = Html::of(&format!(
            "{:.0}–{:.0}% · {}/{}",
            mine.low * 100.0,
            mine.high * 100.0,
            count(mine.count),
            count(mine.of)
        ));
        let peers = theirs.map_or_else(Html::new, |r| beside(w.percent(r.value)));
        key.figure(&w.figure(id), &format!("{:.1}", mine.value * 100.0), "%", &[range, peers, moved(id)]);
    }
    let rate = crate::report::figures::Rate::new(own.critical, own.conversations);
    let share = rate.map_or_else(Html::new, |r| Html::of(&w.percent(r.value)));
    key.figure(w.t("一票否决", "Critical"), &count(own.critical), w.t("通", ""), &[share]);
    let first = |f: &Figures| f.metrics.iter().find(|m| m.id == "first_response").map(|m| (m.mean, m.n));
    match first(own) {
        Some((mean, n)) => {
            let peers = first(other).map_or_else(Html::new, |(m, _)| beside(w.seconds(m)));
            key.figure(
                w.t("首次响应", "First response"),
                &w.seconds(mean),
                "",
                &[Html::of(&format!("n={}", count(n))), peers],
            );
        }
        None => key.figure(w.t("首次响应", "First response"), "–", "", &[Html::of(w.t("没有时间", "no times"))]),
    }
    if let Some((mean, n)) = own.satisfaction_estimate {
        let peers = other.satisfaction_estimate.map_or_else(Html::new, |(m, _)| beside(format!("{m:.2}")));
        key.figure(
            w.t("满意度估计", "Satisfaction, estimated"),
            &format!("{mean:.2}"),
            "/ 1",
            &[Html::of(&format!("n={}", count(n))), peers],
        );
    }
    match own.rating {
        Some((mean, n)) => {
            let peers = other.rating.map_or_else(Html::new, |(m, _)| beside(format!("{m:.2}")));
            key.figure(
                w.t("客户评分", "Rating"),
                &format!("{mean:.2}"),
                "/ 5",
                &[Html::of(&format!("n={}", count(n))), peers],
            );
        }
        None => key.figure(w.t("客户评分", "Rating"), "–", "", &[Html::of(w.t("没有评分", "no ratings"))]),
    }
    key.finish(out);
}

/// Skills by what they cost.
pub fn skills(site: &Site<'_>, out: &mut Html, own: &Figures) {
    let w = site.words;
    let mut table = Table::new("skills-t", "")
        .words(w.t("技能", "Skill"))
        .words(w.t("训练模块", "Modules"))
        .numbers(w.t("没做到", "Missed"))
        .numbers(w.t("丢分", "Points lost"));
    for skill in own.skills.iter().filter(|s| s.lost > 0.0).take(12) {
        table.row("").say(&skill.skill).say(&skill.modules.join(w.t("、", ", ")));
        table.number(skill.missed.as_ref().map(|r| r.value), w.rate(skill.missed.as_ref()));
        table.number(Some(skill.lost), Html::of(&format!("{:.0}", skill.lost)));
    }
    match table.is_empty() {
        true => empty(out, w.t("这批会话里没有丢分的技能,保持住。", "No skill cost points. Keep it up.")),
        false => table.write(out),
    }
}
