//! The figures behind the night: distribution, accuracies, trend, agents, reasons, rules, response, channels, targets.

use super::super::chart::bars::{Bar, pareto, scores};
use super::super::chart::dots::{Dot, Scale, dots};
use super::super::chart::ecdf::{Waits, ecdf};
use super::super::chart::trend::{Step, trend};
use super::super::markup::Html;
use super::super::page::{empty, section};
use super::super::site::Site;
use super::super::table::Table;
use super::super::words::count;
use crate::metrics::profile::Exclusion;
use crate::metrics::{Metric, Unit};
use crate::pack::profiles::Figure;
use crate::report::figures::Rate;
use crate::report::history::{Change, Period};
use crate::report::outcomes::{ServiceFigures, profile_value};
use crate::score::contacts::CrossCount;
use crate::score::service::Dimension;

/// Agents drawn on this page; the others are one link away.
const DRAWN: usize = 20;

/// How scores spread, with the pass mark.
pub fn distribution(site: &Site<'_>, out: &mut Html) {
    let w = site.words;
    section(out, "scores", w.t("得分分布", "Distribution of scores"), "");
    let all = &site.night.aggregate.all;
    match all.histogram.is_empty() {
        true => empty(out, w.t("没有得分。", "No scores.")),
        false => {
            out.push(&scores("c-scores", w, &all.histogram, site.night.pack.scorecard.pass_mark as f64 / 1000.0));
        }
    }
    out.raw("</section>\n");
}

/// The four accuracies.
pub fn accuracies(site: &Site<'_>, out: &mut Html) {
    let w = site.words;
    let about = w.t(
        "没有该类错误的会话占比;四类分开看,不合成一个数。",
        "Share of conversations without an error of the class; the four are never averaged.",
    );
    section(out, "accuracy", w.t("四类准确率", "Four accuracies"), about);
    let a = &site.night.cards.all.accuracies;
    let rows: Vec<Dot> = [
        (w.t("客户关键", "Customer-critical"), &a.customer),
        (w.t("业务关键", "Business-critical"), &a.business),
        (w.t("合规关键", "Compliance-critical"), &a.compliance),
        (w.t("非关键", "Non-critical"), &a.noncritical),
    ]
    .into_iter()
    .filter_map(|(name, rate)| {
        let r = rate.as_ref()?;
        Some(Dot {
            name: name.to_string(),
            href: String::new(),
            value: r.value,
            interval: Some((r.low, r.high)),
            n: r.of,
            enough: true,
            goal: None,
        })
    })
    .collect();
    let told = w.t("点是准确率,横线是 95% 区间。", "Dots are accuracies, lines 95 % intervals.");
    let scale =
        Scale {
            title: w.t("四类准确率", "Four accuracies"), told, goal: None, top: 1.0, write: &|v| w.percent(v)
        };
    match rows.is_empty() {
        true => empty(out, w.t("没有可评判的会话。", "No conversation was judged.")),
        false => {
            out.push(&dots("c-acc", w, &scale, &rows));
        }
    }
    out.raw("</section>\n");
}

/// The steps of a trend.
pub fn steps(periods: &[Period], value: impl Fn(&Period) -> (Option<f64>, Option<(f64, f64)>, u64)) -> Vec<Step> {
    let step = |p: &Period| {
        let (value, interval, n) = value(p);
        Step { label: p.label.clone(), value, interval, n, changed: p.changed_rules }
    };
    periods.iter().map(step).collect()
}

/// Trend and changes.
pub fn history(site: &Site<'_>, out: &mut Html) {
    let w = site.words;
    section(out, "trend", w.t("趋势与变化", "Trend and changes"), "");
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
    out.raw("<div class=\"cards\">");
    let score = steps(&history.trend, |p| {
        let s = p.all.score.as_ref();
        (s.map(|s| s.value), s.and_then(|s| s.interval), p.all.conversations)
    });
    let pass = steps(&history.trend, |p| {
        let r = p.all.pass_rate.as_ref();
        (r.map(|r| r.value), r.map(|r| (r.low, r.high)), p.all.conversations)
    });
    let drawn = [
        trend("c-trend", w, &w.figure("score"), &score, site.goal("score"), &|v| format!("{v:.1}")),
        trend("c-pass", w, &w.figure("pass_rate"), &pass, site.goal("pass_rate"), &|v| w.percent(v)),
    ];
    if drawn.iter().all(Option::is_none) {
        empty(out, w.t("历史还只有一期,下一期起画趋势。", "Only one period so far: the trend begins with the next."));
    }
    for chart in drawn.into_iter().flatten() {
        out.push(&chart);
    }
    let changes = &history.changes;
    if !changes.against.is_empty() {
        changes_table(site, out, "changes", &changes.all, &changes.against, changes.changed_rules);
    }
    out.raw("</div></section>\n");
}

/// Changes against the period before.
pub fn changes_table(site: &Site<'_>, out: &mut Html, id: &str, changes: &[Change], against: &str, rules: bool) {
    let w = site.words;
    if rules {
        let text = w.t(
            "规则或门槛与上期不同,两期的数字不能直接比。",
            "Rules or thresholds differ from the period before: figures do not compare directly.",
        );
        empty(out, text);
    }
    // A hundred rules hardly ever all move: those that did not for sure stand below.
    let clear = |c: &&Change| !c.figure.starts_with("rule:") || c.is_clear();
    let (moved, rest): (Vec<_>, Vec<_>) = changes.iter().partition(clear);
    let caption = format!("{} {against}", w.t("和上期比:", "Against the period before:"));
    let moved = rows_of_changes(site, id, &caption, &moved);
    if !moved.is_empty() {
        moved.write(out);
    }
    if !rest.is_empty() {
        let told = match w.zh {
            true => format!("另外 {} 条规则的变化都可能只是波动", rest.len()),
            false => format!("The changes of {} other rules may be chance", rest.len()),
        };
        out.raw("<details><summary>").text(&told).raw("</summary>");
        rows_of_changes(site, &format!("{id}-rest"), &told, &rest).write(out);
        out.raw("</details>");
    }
}

fn rows_of_changes(site: &Site<'_>, id: &str, caption: &str, changes: &[&Change]) -> Table {
    let w = site.words;
    let mut table = Table::new(id, caption)
        .words(w.t("指标", "Figure"))
        .numbers(w.t("上期", "Before"))
        .numbers(w.t("本期", "Now"))
        .numbers(w.t("变化", "Change"));
    let reviewed = changes.iter().any(|c| c.reviewed.is_some());
    if reviewed {
        table = table.numbers(w.t("上期复核后", "Before, reviewed")).numbers(w.t("本期复核后", "Now, reviewed"));
    }
    let pack = site.night.pack;
    for change in changes {
        let name = match change.figure.split_once(':') {
            Some(("dimension", id)) => {
                pack.scorecard.dimensions.iter().find(|d| d.id == id).map_or(id, |d| w.dimension(d)).to_string()
            }
            Some(("rule", id)) => pack.rule(id).map_or(id, |n| pack.rules[n].title.as_str()).to_string(),
            _ => w.figure(&change.figure),
        };
        let figure = if change.figure.starts_with("rule:") { "rule" } else { change.figure.as_str() };
        let number = |v: f64, n: u64| {
            let mut out = Html::of(&site.write_figure(figure, v));
            out.raw(" ").el("span", &[("class", "ci")], &format!("n={}", count(n)));
            out
        };
        table.row("").say(&name).number(Some(change.before), number(change.before, change.n.0));
        table.number(Some(change.now), number(change.now, change.n.1));
        table.number(Some(change.difference()), Html::of(&site.change(change)));
        if reviewed {
            let after = change.reviewed.unwrap_or_default();
            for value in [after.before, after.now] {
                let shown = value.map_or_else(|| Html::of("–"), |v| Html::of(&site.write_figure(figure, v)));
                table.number(value, shown);
            }
        }
    }
    table
}

/// The lowest means.
pub fn agents(site: &Site<'_>, out: &mut Html) {
    let w = site.words;
    section(out, "agents", w.t("客服", "Agents"), "");
    let cards = site.night.cards;
    let list = site.by_score(cards.agents.iter());
    if list.is_empty() {
        empty(out, w.t("没有客服说话的会话。", "No agent spoke."));
    } else {
        let drawn = &list[..list.len().min(DRAWN)];
        out.push(&site.agents_dots("c-agents", "", w.t("客服平均分", "Mean score by agent"), drawn));
        let text = match w.zh {
            true => format!("全部 {} 位客服:表格、热力图、各团队", count(list.len() as u64)),
            false => format!("All {} agents: table, heat map, teams", count(list.len() as u64)),
        };
        out.raw("<p>").link("agents.html", &text).raw("</p>");
    }
    out.raw("</section>\n");
}

/// Why customers came.
pub fn reasons(site: &Site<'_>, out: &mut Html) {
    let w = site.words;
    let about = w.t(
        "一通会话可以有几个原因,占比按会话数算。",
        "A conversation can have several reasons; shares are of conversations.",
    );
    section(out, "reasons", w.t("客户为什么来", "Why customers came"), about);
    let (aggregate, topics) = (site.night.aggregate, &site.night.pack.topics.list);
    let words = site.topic_words();
    let mut bars: Vec<(u64, usize, Bar)> = Vec::new();
    let mut table = Table::new("topics", "")
        .words(w.t("原因", "Reason"))
        .words(w.t("类别", "Kind"))
        .numbers(w.t("会话", "Conv."))
        .numbers(w.t("解决率", "Resolved"))
        .numbers(w.t("平均分", "Score"))
        .words(w.t("高频词", "Words"));
    for (number, topic) in topics.iter().enumerate().filter(|(_, t)| t.parent.is_none()) {
        let Some(totals) = aggregate.service.topics.get(&topic.id).filter(|t| t.conversations > 0) else { continue };
        let name = if w.zh || topic.title_en.is_empty() { &topic.title } else { &topic.title_en };
        if !topic.is_fault() {
            bars.push((
                totals.main,
                number,
                Bar { name: name.clone(), href: String::new(), n: totals.main, beside: String::new() },
            ));
        }
        let kind = if topic.is_fault() { w.t("商品问题", "fault") } else { w.t("来访原因", "reason") };
        let told = totals.resolution[0] + totals.resolution[1];
        let resolved = Rate::new(totals.resolution[0], told);
        let score = (totals.judged > 0).then(|| totals.score_sum as f64 / 1000.0 / totals.judged as f64);
        table.row(kind).say(name).say(kind).count(totals.conversations);
        table.number(resolved.as_ref().map(|r| r.value), w.rate(resolved.as_ref()));
        table.number(score, Html::of(&score.map_or_else(|| "–".into(), |s| format!("{s:.1}"))));
        table.say(&words.get(&number).map(|w| w.join(" ")).unwrap_or_default());
    }
    bars.sort_by_key(|(n, at, _)| (std::cmp::Reverse(*n), *at));
    let bars: Vec<Bar> = bars.into_iter().filter(|b| b.0 > 0).map(|(_, _, bar)| bar).take(12).collect();
    if bars.is_empty() && table.is_empty() {
        empty(out, w.t("没有认出来访原因。", "No reasons were recognised."));
    } else {
        if !bars.is_empty() {
            out.push(&pareto("c-reasons", w, w.t("主要原因", "Main reasons"), &bars, aggregate.conversations));
        }
        out.raw("<details>").el(
            "summary",
            &[],
            w.t("每个原因的解决率、得分和高频词", "Resolution, score and words by reason"),
        );
        table.write(out);
        out.raw("</details>");
    }
    let bursts: Vec<_> = site.night.history.iter().flat_map(|h| &h.bursts).collect();
    if site.night.history.is_some() && bursts.is_empty() {
        out.el(
            "p",
            &[("class", "small")],
            w.t("和历史比,没有明显增多的原因或说法。", "Against the history, nothing came up more than usual."),
        );
    }
    out.raw("</section>\n");
}

/// The rules that cost most.
pub fn hot_spots(site: &Site<'_>, out: &mut Html) {
    let w = site.words;
    let about =
        w.t("扣分最多的规则;点规则名看说明和原话。", "Rules that cost most; their pages have the text and the words.");
    section(out, "rules", w.t("规则热点", "Rule hot spots"), about);
    let table = site.rules_table("rules-t", "", &site.night.aggregate.all, None, 12);
    match table.is_empty() {
        true => empty(out, w.t("没有触发的规则。", "No rule was due.")),
        false => table.write(out),
    }
    out.raw("<p>").link("rules.html", w.t("全部规则", "All rules")).raw("</p></section>\n");
}

/// How fast answers came.
pub fn response(site: &Site<'_>, out: &mut Html) {
    let w = site.words;
    section(
        out,
        "response",
        w.t("响应", "Response"),
        w.t(
            "横轴按倍数拉开;虚线是平台常用的时限。",
            "The scale is logarithmic; dashed lines are limits platforms use.",
        ),
    );
    let (service, pack) = (&site.night.aggregate.service, site.night.pack);
    let chart = service.all.measures.get(Metric::FirstResponse as usize).and_then(|h| {
        let title = w.t("首次响应", "First response");
        ecdf("c-wait", w, title, &[Waits { name: w.t("全部", "all"), histogram: h }], &limits(site))
    });
    match chart {
        Some(chart) => {
            out.push(&chart);
        }
        None => empty(out, w.t("这批会话没有时间,响应不判、不估。加上消息时间后这里会有分布图。", "These conversations carry no times: response is not judged. With message times the distribution shows here.")),
    }
    let mut table = Table::new("profiles", w.t("平台口径", "As platforms count it"))
        .words(w.t("指标", "Figure"))
        .numbers(w.t("数值", "Value"))
        .numbers(w.t("计入", "Counted"))
        .numbers(w.t("剔除", "Left out"));
    for profile in &pack.profiles {
        let Some(counted) = service.profiles.get(&profile.id).and_then(|a| a.get("")).filter(|c| c.units > 0) else {
            continue;
        };
        let value = profile_value(profile, counted);
        let text = match (value, profile.figure) {
            (Some(v), Figure::Mean) => w.seconds(v),
            (Some(v), Figure::Within) => w.percent(v),
            (None, _) => "–".into(),
        };
        let name = if w.zh { &profile.title } else { &profile.title_en };
        let rounds = Exclusion::ALL.iter().zip(counted.excluded).filter(|(e, _)| e.is_round()).map(|(_, n)| n).sum();
        table.row("").say(name).number(value, Html::of(&text)).count(counted.units).count(rounds);
    }
    if !table.is_empty() {
        table.write(out);
    }
    out.raw("</section>\n");
}

/// The limits platform profiles count by, seconds.
pub fn limits(site: &Site<'_>) -> Vec<f64> {
    let mut limits: Vec<i64> = site.night.pack.profiles.iter().filter_map(|p| p.limit).collect();
    limits.sort_unstable();
    limits.dedup();
    limits.into_iter().map(|ms| ms as f64 / 1000.0).collect()
}

/// Channels and stages compared.
pub fn channels(site: &Site<'_>, out: &mut Html) {
    let w = site.words;
    section(out, "channels", w.t("渠道与阶段", "Channels and stages"), "");
    let mut table = Table::new("channels-t", "")
        .words(w.t("渠道或阶段", "Channel or stage"))
        .numbers(w.t("会话", "Conv."))
        .numbers(w.t("平均分", "Score"))
        .numbers(w.t("合格率", "Pass rate"))
        .numbers(w.t("接通率", "Answered"))
        .numbers(w.t("解决率", "Resolved"))
        .numbers(w.t("首次响应中位", "Median first response"))
        .numbers(w.t("评分", "Rating"));
    for dimension in [Dimension::Channel, Dimension::Stage] {
        for (value, cell) in site.night.aggregate.service.cells.get(&dimension).into_iter().flatten() {
            let figures = ServiceFigures::new(cell, &CrossCount::default());
            let mut name = Html::new();
            name.el("bdi", &[], w.place(value));
            let group = if dimension == Dimension::Channel { w.t("渠道", "channel") } else { w.t("阶段", "stage") };
            name.raw(" ").el("span", &[("class", "ci")], group);
            let pass = Rate::new(cell.passed, cell.judged);
            let first = cell.measures.get(Metric::FirstResponse as usize).and_then(|h| h.quantile(500, Unit::Millis));
            let score = cell.mean_score();
            let dash = || "–".to_string();
            table.row(group).cell(name).count(cell.conversations);
            table.number(score, Html::of(&score.map_or_else(dash, |s| format!("{s:.1}"))));
            table.number(pass.as_ref().map(|r| r.value), w.rate(pass.as_ref()));
            for rate in [figures.connect_rate.as_ref(), figures.resolution_rate.as_ref()] {
                table.number(rate.map(|r| r.value), w.rate(rate));
            }
            table.number(first.map(|f| f as f64), Html::of(&first.map_or_else(dash, |f| w.seconds(f as f64 / 1000.0))));
            let rating = figures.rating.map_or_else(dash, |r| format!("{r:.2} · n={}", count(cell.rated().0)));
            table.number(figures.rating, Html::of(&rating));
        }
    }
    match table.is_empty() {
        true => empty(out, w.t("导出里没有渠道和阶段。", "The export names no channels or stages.")),
        false => table.write(out),
    }
    out.raw("</section>\n");
}

/// Targets.
pub fn targets(site: &Site<'_>, out: &mut Html) {
    let w = site.words;
    let about =
        w.t("区间整个在目标一侧才算达成或未达成。", "Met or missed only where the whole interval is on one side.");
    section(out, "targets", w.t("目标", "Targets"), about);
    let targets: Vec<_> = site.night.cards.targets.iter().filter(|t| t.scope == "all").collect();
    match targets.is_empty() {
        true => empty(out, w.t("评分卡里没有写目标。", "The scorecard sets no targets.")),
        false => site.targets_table("targets-t", &targets).write(out),
    }
    out.raw("</section>\n");
}
