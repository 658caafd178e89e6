//! What share is answered within how long: the empirical distribution of waits, on a scale that shows seconds and
//! hours alike, with the limits platforms count by.

use super::super::table::Table;
use super::super::words::{Words, count};
use super::{Html, Svg};
use crate::metrics::Unit;
use crate::score::histogram::Histogram;

/// A curve: its name, its waits in milliseconds.
pub struct Waits<'w> {
    /// What it is of.
    pub name: &'w str,
    /// The waits.
    pub histogram: &'w Histogram,
}

/// Draws one or two curves (the first stands out) and the limits given in seconds. Nothing without waits.
pub fn ecdf(id: &str, words: Words, title: &str, curves: &[Waits<'_>], limits: &[f64]) -> Option<Html> {
    let first = curves.first().filter(|c| c.histogram.n > 0)?;
    let (w, h, left, right, top, base) = (560.0, 236.0, 40.0, 16.0, 30.0, 200.0);
    const TICKS: [f64; 9] = [1.0, 3.0, 10.0, 30.0, 60.0, 180.0, 600.0, 3600.0, 86_400.0];
    let longest = first.histogram.quantile(995, Unit::Millis).unwrap_or(0) as f64 / 1000.0;
    let last = limits.iter().copied().fold(longest, f64::max).max(30.0);
    let end = TICKS.iter().copied().find(|t| *t >= last).unwrap_or(86_400.0 * 10.0);
    let x = |s: f64| left + (w - left - right) * (s.max(1.0).ln() / end.ln()).clamp(0.0, 1.0);
    let y = |share: f64| base - (base - top) * share;
    let within = |h: &Histogram, seconds: f64| h.share_within((seconds * 1000.0) as i64, Unit::Millis);
    let median = first.histogram.quantile(500, Unit::Millis).unwrap_or(0) as f64 / 1000.0;
    let p90 = first.histogram.quantile(900, Unit::Millis).unwrap_or(0) as f64 / 1000.0;
    let told = match words.zh {
        true => format!(
            "一半在 {} 内,九成在 {} 内(n={})。",
            words.seconds(median),
            words.seconds(p90),
            count(first.histogram.n)
        ),
        false => {
            format!(
                "Half within {}, nine in ten within {} (n={}).",
                words.seconds(median),
                words.seconds(p90),
                count(first.histogram.n)
            )
        }
    };
    let mut svg = Svg::new(id, w, h, title, &told);
    for share in [0.0, 0.5, 0.9, 1.0] {
        svg.line("grid", (left, y(share)), (w - right, y(share)));
        svg.text("soft end", (left - 6.0, y(share) + 4.0), &format!("{:.0}%", share * 100.0));
    }
    for tick in TICKS.iter().filter(|t| **t <= end) {
        svg.text("soft mid", (x(*tick), base + 16.0), &words.seconds(*tick));
        svg.line("axis", (x(*tick), base), (x(*tick), base + 4.0));
    }
    svg.line("axis", (left, base), (w - right, base));
    for (number, curve) in curves.iter().enumerate().rev().filter(|(_, c)| c.histogram.n > 0) {
        let mut points = Vec::new();
        let mut before = 0.0;
        for step in 0..=120 {
            let seconds = (end.ln() * f64::from(step) / 120.0).exp();
            let share = within(curve.histogram, seconds);
            points.push((x(seconds), y(before)));
            points.push((x(seconds), y(share)));
            before = share;
        }
        points.dedup();
        svg.curve(if number == 0 { "curve" } else { "curve peer" }, &points);
    }
    for limit in limits {
        let share = within(first.histogram, *limit);
        svg.line("goal", (x(*limit), top - 6.0), (x(*limit), base));
        svg.dot("dot", (x(*limit), y(share)), 4.0, "");
        let class = if x(*limit) > w - 110.0 { "end" } else { "mid" };
        let label = match words.zh {
            true => format!("{} 内 {}", words.seconds(*limit), words.percent(share)),
            false => format!("{} within {}", words.percent(share), words.seconds(*limit)),
        };
        svg.text(class, (x(*limit), top - 12.0), &label);
    }
    if curves.len() > 1 {
        let line = format!("━ {}   ┄ {}", curves[0].name, curves[1].name);
        svg.text("soft end", (w - right, h - 2.0), &line);
    }
    let mut numbers = Table::new(&format!("{id}-n"), title).words(words.t("多久之内", "Within")).in_order();
    for curve in curves {
        numbers = numbers.numbers(curve.name);
    }
    for tick in TICKS.iter().filter(|t| **t <= end) {
        numbers.row("").say(&words.seconds(*tick));
        for curve in curves {
            let share = (curve.histogram.n > 0).then(|| within(curve.histogram, *tick));
            numbers.number(share, Html::of(&share.map_or_else(|| "–".into(), |s| words.percent(s))));
        }
    }
    Some(svg.figure(words, &told, &numbers))
}
