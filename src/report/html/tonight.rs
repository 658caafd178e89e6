//! The first page: the night in a sentence, what needs action, then the figures behind it.

pub mod details;

use super::markup::Html;
use super::page::{Place, empty, head, section};
use super::parts::Key;
use super::site::Site;
use super::words::count;
use crate::metrics::{Metric, Unit};
use crate::pack::rule::Severity;
use crate::report::figures::Rate;
use crate::report::history::Change;
use crate::report::targets::{Status, TargetFigure};

/// The page.
pub fn page(site: &Site<'_>) -> Html {
    let w = site.words;
    let mut body = Html::new();
    let title = match (site.night.label.is_empty(), w.zh) {
        (true, _) => w.t("这一批会话", "These conversations").to_string(),
        (false, true) => format!("{} 质检", site.night.label),
        (false, false) => format!("Quality on {}", site.night.label),
    };
    head(&mut body, &Html::new(), &title, &lead(site));
    key_figures(site, &mut body);
    todo(site, &mut body);
    body.raw("<div class=\"two\">");
    details::distribution(site, &mut body);
    details::accuracies(site, &mut body);
    body.raw("</div>");
    details::history(site, &mut body);
    details::agents(site, &mut body);
    details::reasons(site, &mut body);
    details::hot_spots(site, &mut body);
    details::response(site, &mut body);
    details::channels(site, &mut body);
    details::targets(site, &mut body);
    site.page(&title, Place::Tonight, false).render(&body)
}

fn changes<'s>(site: &Site<'s>) -> Option<&'s [Change]> {
    let changes = &site.night.history?.changes;
    (!changes.against.is_empty()).then_some(changes.all.as_slice())
}

/// The night in words.
fn lead(site: &Site<'_>) -> Html {
    let w = site.words;
    let (aggregate, cards) = (site.night.aggregate, site.night.cards);
    let mut out = Html::new();
    if aggregate.judged == 0 {
        out.text(w.t("没有可以评判的会话。", "There was no conversation to judge."));
        return out;
    }
    match w.zh {
        true => out
            .text("检查了 ")
            .el("strong", &[], &count(aggregate.conversations))
            .text(" 通会话,评判 ")
            .text(&count(aggregate.judged))
            .text(" 通"),
        false => out
            .el("strong", &[], &count(aggregate.conversations))
            .text(" conversations were inspected and ")
            .text(&count(aggregate.judged))
            .text(" judged"),
    };
    if let Some(pass) = &cards.all.pass_rate {
        out.text(w.t(",合格率 ", "; ")).el("strong", &[], &w.percent(pass.value));
        let half = (pass.high - pass.low) * 50.0;
        out.text(&match w.zh {
            true => format!("(±{half:.1})"),
            false => format!(" (±{half:.1}) passed"),
        });
    }
    if let Some(change) = changes(site).and_then(|c| c.iter().find(|c| c.figure == "pass_rate")) {
        out.text(w.t(",较上期 ", ", vs. before ")).text(&site.change(change));
    }
    out.text(w.t("。", ". "));
    let below = site.below_target().len();
    let fresh = site.night.history.map_or(0, |h| h.bursts.len());
    match (aggregate.all.critical, w.zh) {
        (0, true) => out.text("没有触到红线的会话"),
        (0, false) => out.text("No conversation crossed a red line"),
        (n, true) => out.el("strong", &[], &count(n)).text(" 通触到红线"),
        (n, false) => out.el("strong", &[], &count(n)).text(" crossed a red line"),
    };
    match (below, w.zh) {
        (0, true) => out.text(",没有客服的成绩能断定低于目标"),
        (0, false) => out.text("; no agent is surely below target"),
        (n, true) => out.text(",").el("strong", &[], &count(n as u64)).text(" 位客服需要关注"),
        (n, false) => out.text("; ").el("strong", &[], &count(n as u64)).text(" agents need attention"),
    };
    if fresh > 0 {
        out.text(&match w.zh {
            true => format!(",{fresh} 个来访原因或说法明显增多"),
            false => format!("; {fresh} reasons or words came up more than usual"),
        });
    }
    out.text(w.t("。", "."));
    out
}

/// A target's state for everyone, the latest period.
fn state(site: &Site<'_>, metric: &str) -> Html {
    let w = site.words;
    let mut out = Html::new();
    let mine = |t: &&TargetFigure| t.metric == metric && t.scope == "all" && t.status != Status::NotAvailable;
    if let Some(target) = site.night.cards.targets.iter().rfind(mine) {
        let (class, name) = w.status(target.status);
        let wanted = match (target.min, target.max) {
            (Some(min), _) => format!("≥ {}", site.write_figure(metric, min)),
            (_, Some(max)) => format!("≤ {}", site.write_figure(metric, max)),
            _ => return out,
        };
        out.text(w.t("目标 ", "target ")).text(&wanted).raw(" ");
        // The target's period may be longer than the night, and its figure another.
        if let Some(actual) = target.actual.filter(|_| site.night.history.is_some() && !target.value_of.is_empty()) {
            let shown = site.write_figure(metric, actual);
            out.text(&match w.zh {
                true => format!("{} 累计 {shown} ", target.value_of),
                false => format!("{} so far {shown} ", target.value_of),
            });
        }
        out.el("span", &[("class", class)], name);
    }
    out
}

fn interval(text: String) -> Html {
    Html::of(&text)
}

fn key_figures(site: &Site<'_>, out: &mut Html) {
    let w = site.words;
    let (aggregate, all) = (site.night.aggregate, &site.night.cards.all);
    let moved = |figure: &str| site.moved(changes(site), figure);
    let of_rate = |r: &Rate| interval(format!("{:.1}–{:.1}% · n={}", r.low * 100.0, r.high * 100.0, count(r.of)));
    let mut key = Key::new();
    let mut unread = Html::new();
    if site.night.rejected > 0 {
        unread.text(&match w.zh {
            true => format!("另有 {} 条记录读不懂", count(site.night.rejected)),
            false => format!("{} records unread", count(site.night.rejected)),
        });
    }
    let judged = match w.zh {
        true => format!("评判 {} 通", count(aggregate.judged)),
        false => format!("{} judged", count(aggregate.judged)),
    };
    key.figure(
        w.t("会话", "Conversations"),
        &count(aggregate.conversations),
        "",
        &[Html::of(&judged), unread, moved("conversations")],
    );
    if let Some(pass) = &all.pass_rate {
        key.figure(
            &w.figure("pass_rate"),
            &format!("{:.1}", pass.value * 100.0),
            "%",
            &[of_rate(pass), state(site, "pass_rate"), moved("pass_rate")],
        );
    }
    if let Some(score) = &all.score {
        let range =
            score.interval.map_or_else(Html::new, |(l, h)| interval(format!("{l:.1}–{h:.1} · n={}", count(score.n))));
        key.figure(
            &w.figure("score"),
            &format!("{:.1}", score.value),
            w.t("分", ""),
            &[range, state(site, "score"), moved("score")],
        );
    }
    let rate = Rate::new(all.critical, all.conversations);
    let share = rate.as_ref().map_or_else(Html::new, |r| {
        interval(format!("{} · {:.1}–{:.1}%", w.percent(r.value), r.low * 100.0, r.high * 100.0))
    });
    key.figure(
        w.t("一票否决", "Critical"),
        &count(all.critical),
        w.t("次", ""),
        &[share, state(site, "critical_rate"), moved("critical_rate")],
    );
    let service = all.service.as_ref();
    if let Some(rate) = service.and_then(|s| s.resolution_rate.as_ref()) {
        key.figure(
            &w.figure("resolution_rate"),
            &format!("{:.1}", rate.value * 100.0),
            "%",
            &[of_rate(rate), state(site, "resolution_rate"), moved("resolution_rate")],
        );
    }
    let first = aggregate.service.all.measures.get(Metric::FirstResponse as usize).filter(|h| h.n > 0);
    match first.and_then(|h| Some((h, h.mean()?, h.quantile(500, Unit::Millis)?))) {
        Some((h, mean, median)) => {
            let median = format!("{} {} · n={}", w.t("中位", "median"), w.seconds(median as f64 / 1000.0), count(h.n));
            key.figure(
                w.t("首次响应", "First response"),
                &w.seconds(mean / 1000.0),
                "",
                &[Html::of(&median), state(site, "first_response"), moved("first_response")],
            );
        }
        None => key.figure(
            w.t("首次响应", "First response"),
            "–",
            "",
            &[Html::of(w.t("会话没有时间,不判响应", "no times given: not judged"))],
        ),
    }
    if let Some((mean, n)) = all.satisfaction_estimate {
        key.figure(
            w.t("满意度估计", "Satisfaction, estimated"),
            &format!("{mean:.2}"),
            "/ 1",
            &[
                interval(format!("n={}", count(n))),
                state(site, "satisfaction_estimate"),
                moved("satisfaction_estimate"),
            ],
        );
    }
    match all.rating {
        Some((mean, n)) => {
            let part = service.and_then(|s| s.rating_response.as_ref()).map(|r| w.percent(r.value)).unwrap_or_default();
            let beside = format!("n={} · {} {part}", count(n), w.t("参评率", "rated"));
            key.figure(w.t("客户评分", "Rating"), &format!("{mean:.2}"), "/ 5", &[Html::of(&beside)]);
        }
        None => {
            key.figure(w.t("客户评分", "Rating"), "–", "", &[Html::of(w.t("这批会话没有评分", "no ratings given"))])
        }
    }
    key.finish(out);
}

fn todo(site: &Site<'_>, out: &mut Html) {
    let w = site.words;
    section(out, "todo", w.t("需要处理", "To act on"), "");
    let (aggregate, pack) = (site.night.aggregate, site.night.pack);
    let mut items = Html::new();
    if aggregate.all.critical > 0 {
        items.raw("<li class=\"critical\">").push(&w.severity_mark(Severity::Critical)).raw(" ");
        let text = match w.zh {
            true => format!("{} 次评分触到红线", count(aggregate.all.critical)),
            false => format!("{} scores crossed a red line", count(aggregate.all.critical)),
        };
        items.link("chats.html", &text).text(w.t(":", ": "));
        let mut rules: Vec<_> = aggregate
            .all
            .rules
            .iter()
            .filter(|(n, c)| {
                let rule = &pack.rules[**n as usize];
                rule.severity == Severity::Critical && !rule.review_only && c.found > 0
            })
            .collect();
        rules.sort_by_key(|(n, c)| (std::cmp::Reverse(c.found), **n));
        for (place, (number, c)) in rules.iter().take(8).enumerate() {
            if place > 0 {
                items.text(w.t("、", ", "));
            }
            items.push(&site.rule_link("", &pack.rules[**number as usize])).text(&format!(" {}", count(c.found)));
        }
        items.raw("</li>");
    }
    let below = site.below_target();
    for agent in below.iter().take(5) {
        items.raw("<li>").push(&site.agent_link("", &agent.id)).text(w.t(":平均 ", ": mean "));
        items
            .push(&w.mean(agent.score.as_ref()))
            .text(w.t(",合格率 ", ", pass rate "))
            .push(&w.rate(agent.pass_rate.as_ref()));
        items.text(w.t(",整个区间都低于目标", "; the whole interval is below target"));
        if let Some(weakest) = agent.worst_dimension() {
            let title = pack.scorecard.dimensions.iter().find(|d| d.id == weakest.id).map_or("", |d| w.dimension(d));
            items.text(&match w.zh {
                true => format!(";最弱的是{title} {:.0}%", weakest.kept.unwrap_or(0.0)),
                false => format!("; weakest in {title} ({:.0} %)", weakest.kept.unwrap_or(0.0)),
            });
        }
        items.raw("</li>");
    }
    if below.len() > 5 {
        let text = match w.zh {
            true => format!("还有 {} 位客服能断定低于目标", below.len() - 5),
            false => format!("{} more agents are surely below target", below.len() - 5),
        };
        items.raw("<li>").link("agents.html", &text).raw("</li>");
    }
    for target in site.night.cards.targets.iter().filter(|t| t.scope == "all" && t.status == Status::Missed) {
        let title = if w.zh { target.title.clone() } else { w.figure(&target.metric) };
        let shown = |v: Option<f64>, sign: &str| {
            v.map(|v| format!("{sign}{}", site.write_figure(&target.metric, v))).unwrap_or_default()
        };
        let (actual, n, period) = (shown(target.actual, ""), count(target.n), &target.value_of);
        let wanted = format!("{}{}", shown(target.min, "≥ "), shown(target.max, "≤ "));
        items.raw("<li>").link("#targets", &title).text(&match w.zh {
            true => format!(" 没有达到目标 {wanted}:{period} 累计 {actual}(n={n})"),
            false => format!(" misses its target {wanted}: {actual} in {period} so far (n={n})"),
        });
        items.raw("</li>");
    }
    for burst in site.night.history.iter().flat_map(|h| &h.bursts) {
        items.raw("<li>").link("#reasons", &burst.title);
        items.text(&match w.zh {
            true => format!(" 明显增多:{} 通,平时约 {:.0} 通", count(burst.now), burst.expected),
            false => format!(" came up more than usual: {} instead of about {:.0}", count(burst.now), burst.expected),
        });
        items.raw("</li>");
    }
    if site.night.rejected > 0 {
        items.raw("<li class=\"note\">").text(&match w.zh {
            true => format!("{} 条记录读不懂,没有算进来;逐条原因在 rejects.jsonl", count(site.night.rejected)),
            false => format!("{} records could not be read; rejects.jsonl says why", count(site.night.rejected)),
        });
        items.raw("</li>");
    }
    match items.is_empty() {
        true => empty(out, w.t("没有需要马上处理的事。", "Nothing needs action at once.")),
        false => {
            out.with("ul", &[("class", "todo")], &items);
        }
    }
    out.raw("</section>\n");
}
