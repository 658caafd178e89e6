//! Dots with their intervals, one a row, beside a wanted value.

use super::super::table::Table;
use super::super::words::{Words, count};
use super::{Html, Svg, fit};

/// One row.
pub struct Dot {
    /// Its name.
    pub name: String,
    /// Where the name leads; empty for nowhere.
    pub href: String,
    /// The value.
    pub value: f64,
    /// Its interval.
    pub interval: Option<(f64, f64)>,
    /// Cases.
    pub n: u64,
    /// Enough of them to compare.
    pub enough: bool,
    /// The value this row is to reach, where rows differ; else the chart's own.
    pub goal: Option<f64>,
}

/// What all rows share.
pub struct Scale<'s> {
    /// Title of the chart.
    pub title: &'s str,
    /// What it says in a sentence.
    pub told: &'s str,
    /// A line to compare with, and its name.
    pub goal: Option<(f64, String)>,
    /// Largest possible value (100, or 1 for shares).
    pub top: f64,
    /// How a value is written.
    pub write: &'s dyn Fn(f64) -> String,
}

/// Draws the rows in the order given.
pub fn dots(id: &str, words: Words, scale: &Scale<'_>, rows: &[Dot]) -> Html {
    let (w, left, right, row_height, top) = (560.0, 128.0, 96.0, 24.0, 26.0);
    let height = top + row_height * rows.len() as f64 + 22.0;
    let lows = rows.iter().map(|r| r.interval.map_or(r.value, |i| i.0).min(r.value));
    let least =
        lows.chain(scale.goal.iter().map(|g| g.0)).chain(rows.iter().filter_map(|r| r.goal)).fold(scale.top, f64::min);
    // A scale from a round value below the least: positions, not lengths, are compared here.
    let steps = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25].map(|s| s * scale.top);
    let step = steps.into_iter().find(|s| (scale.top - least) / s <= 5.0).unwrap_or(scale.top / 4.0);
    let marks = (((scale.top - least) / step).ceil() as u32).clamp(2, 5);
    let from = (scale.top - f64::from(marks) * step).max(0.0);
    let x = |value: f64| left + (w - left - right) * ((value - from) / (scale.top - from)).clamp(0.0, 1.0);
    let mut svg = Svg::new(id, w, height, scale.title, scale.told);
    let mut numbers = Table::new(&format!("{id}-n"), scale.title)
        .words(words.t("名称", "Name"))
        .numbers(words.t("数值", "Value"))
        .numbers(words.t("95% 区间", "95 % interval"))
        .numbers("n");
    let bottom = height - 18.0;
    for mark in 0..=marks {
        let value = from + (scale.top - from) * f64::from(mark) / f64::from(marks);
        svg.line("grid", (x(value), top - 4.0), (x(value), bottom));
        svg.text("soft mid", (x(value), height - 3.0), &(scale.write)(value));
    }
    if let Some((goal, name)) = &scale.goal {
        svg.line("goal", (x(*goal), top - 8.0), (x(*goal), bottom));
        let class = if x(*goal) > w - right - 90.0 { "end" } else { "mid" };
        svg.text(class, (x(*goal), top - 12.0), &format!("{name} {}", (scale.write)(*goal)));
    }
    for (number, row) in rows.iter().enumerate() {
        let y = top + row_height * number as f64 + row_height / 2.0;
        let name = fit(&row.name, 18);
        match row.href.is_empty() {
            true => svg.text("end", (left - 10.0, y + 4.0), &name),
            false => svg.link("end", (left - 10.0, y + 4.0), &name, &row.href),
        }
        let goal = row.goal.or(scale.goal.as_ref().map(|g| g.0));
        let low = row.enough && goal.is_some_and(|g| row.interval.is_some_and(|(_, high)| high < g));
        let (line, dot) = match (row.enough, low) {
            (false, _) => ("range grey", "dot grey"),
            (true, true) => ("range low", "dot low"),
            (true, false) => ("range", "dot"),
        };
        if let Some((low, high)) = row.interval {
            svg.line(line, (x(low), y), (x(high), y));
        }
        if let Some(goal) = row.goal {
            svg.line("axis", (x(goal), y - 8.0), (x(goal), y + 8.0));
        }
        let range =
            row.interval.map_or_else(String::new, |(l, h)| format!("{}–{}", (scale.write)(l), (scale.write)(h)));
        let tip = format!("{} {} {range} n={}", row.name, (scale.write)(row.value), count(row.n));
        svg.dot(dot, (x(row.value), y), 4.5, &tip);
        svg.text("", (w - right + 8.0, y + 4.0), &(scale.write)(row.value));
        let cases = if row.enough { format!("n={}", count(row.n)) } else { words.t("样本不足", "few").to_string() };
        svg.text("soft end", (w, y + 4.0), &cases);
        numbers
            .row("")
            .say(&row.name)
            .number(Some(row.value), Html::of(&(scale.write)(row.value)))
            .number(row.interval.map(|i| i.0), Html::of(if range.is_empty() { "–" } else { &range }))
            .count(row.n);
    }
    svg.figure(words, scale.told, &numbers)
}
