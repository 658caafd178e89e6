//! Bars from zero: a distribution with its pass mark, and what comes how often.

use std::collections::BTreeMap;

use super::super::table::Table;
use super::super::words::{Words, count};
use super::{Html, Svg, fit};

/// Scores in steps of five points, with the pass mark.
pub fn scores(id: &str, words: Words, histogram: &BTreeMap<u8, u64>, pass_mark: f64) -> Html {
    let (w, h, left, right, top, base) = (560.0, 230.0, 40.0, 10.0, 26.0, 196.0);
    let mut bins = [0u64; 21];
    for (score, n) in histogram {
        bins[usize::from((*score).min(100)) / 5] += n;
    }
    let all: u64 = bins.iter().sum();
    let most = bins.iter().copied().max().unwrap_or(0).max(1) as f64;
    let step = (w - left - right) / 21.0;
    let below: u64 = histogram.iter().filter(|(s, _)| f64::from(**s) < pass_mark).map(|(_, n)| n).sum();
    let title = words.t("得分分布", "Distribution of scores");
    let told = match words.zh {
        true => format!("{} 次评分中 {} 次低于合格线 {pass_mark} 分。", count(all), count(below)),
        false => format!("{} of {} scores are below the pass mark of {pass_mark}.", count(below), count(all)),
    };
    let mut svg = Svg::new(id, w, h, title, &told);
    let mut numbers = Table::new(&format!("{id}-n"), title)
        .words(words.t("分数", "Score"))
        .numbers(words.t("次数", "Count"))
        .numbers(words.t("占比", "Share"))
        .in_order();
    for share in [0.5, 1.0] {
        let y = base - (base - top) * share;
        svg.line("grid", (left, y), (w - right, y));
        svg.text("soft end", (left - 6.0, y + 4.0), &count((most * share).round() as u64));
    }
    for (bin, n) in bins.iter().enumerate() {
        let from = bin * 5;
        let name = if bin == 20 { "100".to_string() } else { format!("{from}–{}", from + 4) };
        let share = if all > 0 { *n as f64 / all as f64 } else { 0.0 };
        numbers.row("").say(&name).count(*n).number(Some(share), Html::of(&words.percent(share)));
        let height = (base - top) * *n as f64 / most;
        let height = if *n > 0 { height.max(1.5) } else { 0.0 };
        let class = if (from as f64) < pass_mark { "bar low" } else { "bar" };
        let tip = format!("{name}: {} ({})", count(*n), words.percent(share));
        let x = left + bin as f64 * step;
        svg.bar(class, (x + 1.0, base - height), (step - 2.0, height), &tip);
        if bin % 4 == 0 {
            svg.text("soft mid", (x + step / 2.0, base + 16.0), &from.to_string());
        }
    }
    svg.line("axis", (left, base), (w - right, base));
    let x = left + pass_mark / 5.0 * step;
    svg.line("goal", (x, top - 8.0), (x, base));
    svg.text("end", (x - 6.0, top - 2.0), &format!("{} {pass_mark}", words.t("合格线", "pass mark")));
    svg.text(
        "soft end",
        (w - right, h - 4.0),
        words.t("每 5 分一格,100 分单独一格", "steps of five points; 100 apart"),
    );
    svg.figure(words, &told, &numbers)
}

/// One bar of a ranking.
pub struct Bar {
    /// Its name.
    pub name: String,
    /// Where it leads; empty for nowhere.
    pub href: String,
    /// How often.
    pub n: u64,
    /// What stands behind the bar.
    pub beside: String,
}

/// What comes how often, the most frequent first, with the share reached so far.
pub fn pareto(id: &str, words: Words, title: &str, bars: &[Bar], of: u64) -> Html {
    let (w, left, right, row_height, top) = (560.0, 128.0, 150.0, 24.0, 20.0);
    let height = top + row_height * bars.len() as f64 + 6.0;
    let told = match bars.first() {
        Some(first) if words.zh => {
            format!(
                "最多的是{},{} 通,占 {}。",
                first.name,
                count(first.n),
                words.percent(first.n as f64 / of.max(1) as f64)
            )
        }
        Some(first) => {
            let share = words.percent(first.n as f64 / of.max(1) as f64);
            format!("The most frequent is {}: {} ({share}).", first.name, count(first.n))
        }
        None => String::new(),
    };
    let mut svg = Svg::new(id, w, height, title, &told);
    let mut numbers = Table::new(&format!("{id}-n"), title)
        .words(words.t("名称", "Name"))
        .numbers(words.t("会话", "Conversations"))
        .numbers(words.t("占比", "Share"))
        .numbers(words.t("累计", "So far"))
        .in_order();
    let most = bars.iter().map(|b| b.n).max().unwrap_or(0).max(1) as f64;
    svg.text("soft end", (w, 12.0), words.t("累计", "so far"));
    let mut sum = 0;
    for (row, bar) in bars.iter().enumerate() {
        sum += bar.n;
        let share = bar.n as f64 / of.max(1) as f64;
        let so_far = sum as f64 / of.max(1) as f64;
        let y = top + row_height * row as f64;
        match bar.href.is_empty() {
            true => svg.text("end", (left - 8.0, y + 15.0), &fit(&bar.name, 18)),
            false => svg.link("end", (left - 8.0, y + 15.0), &fit(&bar.name, 18), &bar.href),
        }
        let width = (w - left - right) * bar.n as f64 / most;
        let tip = format!("{}: {} ({})", bar.name, count(bar.n), words.percent(share));
        svg.bar(if row == 0 { "bar strong" } else { "bar" }, (left, y + 3.0), (width.max(1.5), row_height - 7.0), &tip);
        let label = format!("{} · {} {}", count(bar.n), words.percent(share), bar.beside);
        svg.text("", (left + width + 6.0, y + 15.0), label.trim_end());
        svg.text("soft end", (w, y + 15.0), &words.percent(so_far.min(1.0)));
        numbers
            .row("")
            .say(&bar.name)
            .count(bar.n)
            .number(Some(share), Html::of(&words.percent(share)))
            .number(Some(so_far), Html::of(&words.percent(so_far.min(1.0))));
    }
    svg.line("axis", (left, top), (left, height - 4.0));
    svg.figure(words, &told, &numbers)
}
