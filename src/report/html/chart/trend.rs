//! A figure over earlier periods, with its intervals; a dotted line where rules changed.

use super::super::table::Table;
use super::super::words::{Words, count};
use super::{Html, Svg};

/// One period.
pub struct Step {
    /// Its name.
    pub label: String,
    /// The value, where there is one.
    pub value: Option<f64>,
    /// Its interval.
    pub interval: Option<(f64, f64)>,
    /// Cases.
    pub n: u64,
    /// True when rules or thresholds differ from the period before.
    pub changed: bool,
}

/// Draws a trend; nothing with fewer than two values.
pub fn trend(
    id: &str,
    words: Words,
    title: &str,
    steps: &[Step],
    goal: Option<f64>,
    write: &dyn Fn(f64) -> String,
) -> Option<Html> {
    let known: Vec<(usize, f64)> = steps.iter().enumerate().filter_map(|(i, s)| Some((i, s.value?))).collect();
    let (first, last) = (known.first()?, known.last()?);
    if known.len() < 2 {
        return None;
    }
    let (w, h, left, right, top, base) = (560.0, 190.0, 52.0, 56.0, 18.0, 158.0);
    let ends =
        steps.iter().flat_map(|s| [s.interval.map(|i| i.0), s.interval.map(|i| i.1), s.value]).flatten().chain(goal);
    let (least, most) = ends.fold((f64::MAX, f64::MIN), |(a, b), v| (a.min(v), b.max(v)));
    let margin = ((most - least) * 0.1).max(most.abs() * 0.005).max(1e-6);
    let (least, most) = (least - margin, most + margin);
    let x = |i: usize| left + (w - left - right) * i as f64 / (steps.len() - 1).max(1) as f64;
    let y = |v: f64| base - (base - top) * (v - least) / (most - least);
    let told =
        format!("{}: {} {} → {} {}", title, steps[first.0].label, write(first.1), steps[last.0].label, write(last.1));
    let mut svg = Svg::new(id, w, h, title, &told);
    for value in [least + margin, most - margin] {
        svg.line("grid", (left, y(value)), (w - right, y(value)));
        svg.text("soft end", (left - 6.0, y(value) + 4.0), &write(value));
    }
    if let Some(goal) = goal {
        svg.line("goal", (left, y(goal)), (w - right, y(goal)));
        // Beside the line's end, clear of the last value.
        let value = y(last.1) - 6.0;
        let at = if (y(goal) + 4.0 - value).abs() < 16.0 { value + 16.0 } else { y(goal) + 4.0 };
        svg.text("soft", (w - right + 6.0, at), words.t("目标", "target"));
    }
    let banded: Vec<_> = steps.iter().enumerate().filter_map(|(i, s)| s.interval.map(|v| (i, v))).collect();
    if banded.len() > 1 {
        let upper = banded.iter().map(|(i, (_, high))| (x(*i), y(*high)));
        let lower = banded.iter().rev().map(|(i, (low, _))| (x(*i), y(*low)));
        svg.area("band", &upper.chain(lower).collect::<Vec<_>>());
    }
    for (i, _) in steps.iter().enumerate().filter(|(_, s)| s.changed) {
        svg.line("change", (x(i), top - 8.0), (x(i), base));
        svg.text("soft mid", (x(i), top - 8.0), words.t("规则有变", "rules changed"));
    }
    svg.curve("curve", &known.iter().map(|(i, v)| (x(*i), y(*v))).collect::<Vec<_>>());
    for (i, value) in &known {
        let step = &steps[*i];
        svg.dot("dot", (x(*i), y(*value)), 3.0, &format!("{} {} n={}", step.label, write(*value), count(step.n)));
    }
    svg.text("", (x(last.0) + 8.0, y(last.1) - 6.0), &write(last.1));
    svg.line("axis", (left, base), (w - right, base));
    svg.text("soft", (left, base + 18.0), &steps[0].label);
    svg.text("soft end", (w - right, base + 18.0), &steps[steps.len() - 1].label);
    let mut numbers = Table::new(&format!("{id}-n"), title)
        .words(words.t("时段", "Period"))
        .numbers(words.t("数值", "Value"))
        .numbers(words.t("95% 区间", "95 % interval"))
        .numbers("n")
        .in_order();
    for step in steps {
        let range = step.interval.map_or_else(|| "–".into(), |(l, h)| format!("{}–{}", write(l), write(h)));
        let value = step.value.map_or_else(|| "–".into(), write);
        numbers.row("").say(&step.label).number(step.value, Html::of(&value));
        numbers.number(step.interval.map(|i| i.0), Html::of(&range)).count(step.n);
    }
    Some(svg.figure(words, &told, &numbers))
}
