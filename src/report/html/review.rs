//! What people found when they checked the machine: on the page of everyone, of an agent, and of a rule.

use super::markup::Html;
use super::page::section;
use super::site::Site;
use super::table::Table;
use super::words::count;
use crate::judge::Lang;
use crate::report::Points;
use crate::report::figures::Figures;
use crate::report::reviewed::Decided;
use crate::report::words::sample;
use crate::review::Verdict;

/// 机器分 and 复核后分 of everyone who has been reviewed; nothing where nobody has.
pub fn people(site: &Site<'_>, out: &mut Html) {
    let Some(reviewed) = site.night.reviewed else { return };
    let w = site.words;
    let about = w.t(
        "只复核了一部分会话:复核后分是把复核过的会话按人的结论改判、其余按机器算出来的。",
        "A part of the conversations was checked by people; scores after review take their word there and the machine's elsewhere.",
    );
    section(out, "review", w.t("人工复核", "Checked by people"), about);
    if reviewed.stale > 0 {
        let n = count(reviewed.stale);
        let text = match w.zh {
            true => format!("另有 {n} 通复核过的会话已换规则包重判,没有算进来。"),
            false => format!("{n} more were judged by another pack since and are not counted."),
        };
        out.el("p", &[("class", "quiet")], &text);
    }
    let mut table = Table::new("review-t", "")
        .words(w.t("客服", "Agent"))
        .numbers(w.t("复核会话", "Checked"))
        .numbers(w.t("确认", "Confirmed"))
        .numbers(w.t("误判", "Overturned"))
        .numbers(w.t("漏判", "Missed"))
        .numbers(w.t("机器分", "Machine score"))
        .numbers(w.t("复核后分", "After review"))
        .numbers(w.t("机器合格率", "Machine pass rate"))
        .numbers(w.t("复核后合格率", "After review"));
    let cards = site.night.cards;
    for figures in std::iter::once(&cards.all).chain(&cards.agents) {
        let Some(own) = &figures.reviewed else { continue };
        table.row("");
        match figures.id.as_str() {
            "" => table.say(w.t("全员", "Everyone")),
            id => table.cell(site.agent_link("", id)),
        };
        [own.cases, own.confirmed, own.overturned, own.missed].iter().for_each(|n| {
            table.count(*n);
        });
        for mean in [&figures.score, &own.score] {
            table.number(mean.as_ref().map(|m| m.value), w.mean(mean.as_ref()));
        }
        for rate in [&figures.pass_rate, &own.pass_rate] {
            table.number(rate.as_ref().map(|r| r.value), w.rate(rate.as_ref()));
        }
    }
    table.write(out);
    out.raw("</section>\n");
}

/// What people decided about an agent's findings.
pub fn agent(site: &Site<'_>, out: &mut Html, up: &str, agent: &Figures) {
    let (Some(reviewed), Some(own)) = (site.night.reviewed, &agent.reviewed) else { return };
    let w = site.words;
    section(out, "review", w.t("人工复核", "Checked by people"), "");
    let mut told = Html::new();
    let (cases, confirmed, overturned, missed) =
        (count(own.cases), count(own.confirmed), count(own.overturned), count(own.missed));
    told.text(&match w.zh {
        true => format!(
            "复核了 {cases} 通:确认 {confirmed} 处,误判 {overturned} 处,漏判 {missed} 处。机器分 "
        ),
        false => format!(
            "{cases} conversations checked: {confirmed} confirmed, {overturned} overturned, {missed} missed. Machine score "
        ),
    });
    told.push(&w.mean(agent.score.as_ref())).text(w.t(",复核后分 ", ", after review "));
    told.push(&w.mean(own.score.as_ref())).text(w.t(";合格率 ", "; pass rate "));
    told.push(&w.rate(agent.pass_rate.as_ref())).text(w.t(" → ", " → "));
    told.push(&w.rate(own.pass_rate.as_ref())).text(w.t("。", "."));
    out.with("p", &[], &told);
    let mut table = Table::new("decided-t", "")
        .words(w.t("会话", "Conversation"))
        .words(w.t("规则", "Rule"))
        .words(w.t("结论", "Verdict"))
        .words(w.t("原话", "Words"))
        .words(w.t("理由", "Reason"))
        .numbers(w.t("机器分", "Machine score"))
        .numbers(w.t("复核后分", "After review"));
    for decided in reviewed.of(&agent.id) {
        row(site, &mut table, up, decided);
    }
    table.write(out);
    out.raw("</section>\n");
}

fn row(site: &Site<'_>, table: &mut Table, up: &str, decided: &Decided) {
    let w = site.words;
    let finding = &decided.ruling.finding;
    let anchor = format!("{}-{}", finding.rule, finding.turn + 1);
    table.row("");
    table.cell(site.chat_link(up, &decided.conversation, &anchor, &decided.conversation));
    match site.night.pack.rule(&finding.rule) {
        Some(number) => table.cell(site.rule_link(up, &site.night.pack.rules[number])),
        None => table.say(&finding.rule),
    };
    table.say(match decided.ruling.verdict {
        Verdict::Confirmed => w.t("确认", "confirmed"),
        Verdict::Overturned => w.t("误判", "overturned"),
        Verdict::Missed => w.t("漏判", "missed"),
        Verdict::Appealed => w.t("申诉", "appealed"),
    });
    table.say(&decided.quote).say(&decided.ruling.comment);
    let points = |milli: i64| (Some(milli as f64), Html::of(&Points(milli).to_string()));
    let (value, shown) = points(decided.score.0);
    table.number(value, shown);
    let (value, shown) = decided.score.1.map_or((None, Html::of("–")), points);
    table.number(value, shown);
}

/// How often a rule is right, where it has been reviewed; false where it has not.
pub fn rule(site: &Site<'_>, out: &mut Html, rule: &str) -> bool {
    let Some((quality, kind)) = site.night.reviewed.and_then(|r| r.rules.get(rule)) else { return false };
    let w = site.words;
    let Some(precision) = quality.precision else { return false };
    let (value, low, high) = (precision.value * 100.0, precision.low * 100.0, precision.high * 100.0);
    let (right, wrong, missed) = (count(quality.confirmed), count(quality.overturned), count(quality.missed));
    let lang = if w.zh { Lang::Zh } else { Lang::En };
    let from = sample(lang, *kind);
    let mut text = match w.zh {
        true => format!(
            "判对 {value:.1}%(95% 区间 {low:.1}–{high:.1},{from}):确认 {right} 处,误判 {wrong} 处,漏判 {missed} 处。"
        ),
        false => format!(
            "Right in {value:.1} % (95 % interval {low:.1}–{high:.1}, {from}): {right} confirmed, {wrong} overturned, {missed} missed."
        ),
    };
    if let Some(recall) = quality.recall {
        text += &match w.zh {
            true => format!("估计找到了真实问题的 {:.0}%。", recall.value * 100.0),
            false => format!(" It finds an estimated {:.0} % of the real faults.", recall.value * 100.0),
        };
    }
    out.el("p", &[], &text);
    true
}
