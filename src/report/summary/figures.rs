//! The figures a summary and the workbook's first sheet begin with: each with interval, cases, target and change.

use serde::Serialize;

use crate::judge::Lang;
use crate::metrics::{METRICS, Metric};
use crate::report::figures::Rate;
use crate::report::history::Change;
use crate::report::night::Night;
use crate::report::targets::{Status, TargetFigure};
use crate::report::words::pick;
use crate::score::statistics::mean_interval;

/// What a figure is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measured {
    /// A share, 0–1.
    Share,
    /// Points of 100.
    Points,
    /// Seconds.
    Seconds,
    /// A number of things.
    Count,
}

/// A figure that never stands alone.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KeyFigure {
    /// Its id: `pass_rate`, `score`, …
    pub id: &'static str,
    /// Its name in the report's language.
    pub title: String,
    /// Its unit.
    pub unit: Measured,
    /// The figure.
    pub value: f64,
    /// Its 95 % interval; none for counts and single cases.
    pub interval: Option<(f64, f64)>,
    /// Cases behind it; none for counts.
    pub n: Option<u64>,
    /// The target: at least, at most.
    pub target: Option<(Option<f64>, Option<f64>)>,
    /// How the figure of the target's last period stands to it.
    pub status: Option<Status>,
    /// The target's own period, its figure and cases, where that is longer than what is reported.
    pub over: Option<(String, f64, u64)>,
    /// How far it moved since the period before, and whether chance alone could explain that.
    pub change: Option<(f64, bool)>,
}

impl KeyFigure {
    /// A value in the figure's unit as people read it.
    pub fn shown(&self, value: f64) -> String {
        match self.unit {
            Measured::Share => format!("{:.1}%", value * 100.0),
            Measured::Points => format!("{value:.1}"),
            Measured::Seconds => format!("{value:.1}s"),
            Measured::Count => format!("{value:.0}"),
        }
    }

    /// The target in words: `≥90.0%`.
    pub fn wanted(&self) -> String {
        let (min, max) = self.target.unwrap_or_default();
        let side = |sign: &str, bound: Option<f64>| bound.map(|b| format!("{sign}{}", self.shown(b)));
        [side("≥", min), side("≤", max)].into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    /// The figure in one line: `合格率 88.4%(84.3–91.6,n=294),目标 ≥90.0%,样本不足以断定`.
    pub fn line(&self, lang: Lang) -> String {
        let mut out = format!("{} {}", self.title, self.shown(self.value));
        let bounds = self.interval.map(|(low, high)| {
            let (low, high) = (self.shown(low), self.shown(high));
            format!("{}–{high}", low.trim_end_matches(['%', 's']))
        });
        let cases = self.n.map(|n| format!("n={n}"));
        let inside: Vec<_> = bounds.into_iter().chain(cases).collect();
        if !inside.is_empty() {
            let inside = inside.join(pick(lang, ",", ", "));
            out += &if lang == Lang::Zh { format!("({inside})") } else { format!(" ({inside})") };
        }
        if self.target.is_some() {
            out += &format!("{}{}", pick(lang, ",目标 ", ", target "), self.wanted());
            if let Some((period, value, n)) = &self.over {
                let shown = self.shown(*value);
                out += &match lang {
                    Lang::Zh => format!("({period} 累计 {shown},n={n})"),
                    Lang::En => format!(" ({period} so far {shown}, n={n})"),
                };
            }
            if let Some(status) = self.status {
                out += &format!("{}{}", pick(lang, ",", ", "), pick(lang, status.title(), status.id()));
            }
        }
        if let Some((difference, clear)) = self.change {
            let sign = if difference < 0.0 { "−" } else { "+" };
            let shown = self.shown(difference.abs());
            let doubt = if clear { "" } else { pick(lang, "(还在误差内)", " (within chance)") };
            out += &format!("{}{sign}{shown}{doubt}", pick(lang, ",较上期 ", ", against the period before "));
        }
        out
    }
}

/// Builds the key figures of a night.
pub(super) fn key_figures(night: &Night<'_>) -> Vec<KeyFigure> {
    let all = &night.cards.all;
    let service = all.service.clone().unwrap_or_default();
    let aggregate = night.aggregate;
    let mut out = Builder { night, figures: Vec::new() };
    out.count("conversations", "会话", "Conversations", aggregate.conversations);
    out.count("judged", "评判", "Judged", aggregate.judged);
    out.rate("pass_rate", "合格率", "Pass rate", all.pass_rate.as_ref());
    if let Some(score) = &all.score {
        out.add("score", "平均质检分", "Mean score", Measured::Points, score.value, score.interval, Some(score.n));
    }
    let critical = Rate::new(all.critical, all.conversations);
    out.rate("critical_rate", "一票否决率", "Critical rate", critical.as_ref());
    out.rate("resolution_rate", "问题解决率", "Resolution rate", service.resolution_rate.as_ref());
    out.rate("fcr_72h", "一次性解决率(72小时,推算)", "Solved at first contact (72 h, proxy)", service.fcr_72h.as_ref());
    out.rate("connect_rate", "接通率", "Answered by a person", service.connect_rate.as_ref());
    if let Some((value, n)) = all.satisfaction_estimate {
        let title = ("满意度估计", "Satisfaction estimate");
        out.add("satisfaction_estimate", title.0, title.1, Measured::Share, value, None, Some(n));
    }
    out.rate("satisfied", "满意率(4–5分)", "Rated 4–5", service.satisfied.as_ref());
    out.seconds(Metric::FirstResponse, "first_response", "平均首次响应", "First response");
    out.seconds(Metric::AvgResponse, "avg_response", "平均响应时长", "Average response");
    out.seconds(Metric::HandleTime, "handle_time", "平均处理时长", "Handling time");
    out.figures
}

struct Builder<'b> {
    night: &'b Night<'b>,
    figures: Vec<KeyFigure>,
}

impl Builder<'_> {
    fn count(&mut self, id: &'static str, zh: &str, en: &str, value: u64) {
        self.add(id, zh, en, Measured::Count, value as f64, None, None);
    }

    fn rate(&mut self, id: &'static str, zh: &str, en: &str, rate: Option<&Rate>) {
        if let Some(r) = rate {
            self.add(id, zh, en, Measured::Share, r.value, Some((r.low, r.high)), Some(r.of));
        }
    }

    fn seconds(&mut self, metric: Metric, id: &'static str, zh: &str, en: &str) {
        let number = METRICS.iter().position(|m| m.0 == metric);
        let Some(histogram) = number.and_then(|n| self.night.aggregate.service.all.measures.get(n)) else { return };
        let squares = histogram.squares(metric.unit()) / 1e6;
        if let Some((mean, interval)) = mean_interval(histogram.n, histogram.sum as f64 / 1e3, squares) {
            self.add(id, zh, en, Measured::Seconds, mean, interval, Some(histogram.n));
        }
    }

    #[allow(clippy::too_many_arguments)] // a row of a table
    fn add(
        &mut self,
        id: &'static str,
        zh: &str,
        en: &str,
        unit: Measured,
        value: f64,
        interval: Option<(f64, f64)>,
        n: Option<u64>,
    ) {
        let night = self.night;
        let wanted = target(&night.cards.targets, id);
        self.figures.push(KeyFigure {
            id,
            title: pick(night.lang, zh, en).to_string(),
            unit,
            value,
            // A mean's interval does not know that time and points end at zero.
            interval: interval.map(|(low, high)| (low.max(0.0), high)),
            n,
            target: wanted.map(|t| (t.min, t.max)),
            status: wanted.map(|t| t.status).filter(|s| *s != Status::NotAvailable),
            over: wanted
                .filter(|t| n.is_some_and(|n| n != t.n))
                .and_then(|t| Some((t.value_of.clone(), t.actual?, t.n))),
            change: change(night, id).map(|c| (c.difference(), c.is_clear())),
        });
    }
}

/// The target on everyone's figure, in its last period.
pub(crate) fn target<'t>(targets: &'t [TargetFigure], metric: &str) -> Option<&'t TargetFigure> {
    targets.iter().filter(|t| t.scope == "all" && t.metric == metric).max_by(|a, b| a.value_of.cmp(&b.value_of))
}

/// Everyone's change of a figure, unless the rules changed in between.
fn change<'n>(night: &Night<'n>, figure: &str) -> Option<&'n Change> {
    let changes = &night.history?.changes;
    changes.all.iter().find(|c| c.figure == figure && !changes.changed_rules)
}
