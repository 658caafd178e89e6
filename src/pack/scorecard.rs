//! The scorecard: dimensions with weights, the pass mark, gates and targets.

use super::codes;
use super::fields::{Faults, Table, nearest};
use crate::metrics::{METRICS, Metric};

/// One dimension of the score.
#[derive(Debug, Clone, PartialEq)]
pub struct Dimension {
    /// Its id.
    pub id: String,
    /// Its Chinese title.
    pub title: String,
    /// Its English title.
    pub title_en: String,
    /// What it stands for.
    pub about: String,
    /// Points out of 100 it can lose.
    pub weight: u32,
}

/// A target for a figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The figure: `pass_rate`, `score`, a metric's id, …
    pub metric: String,
    /// Its Chinese title.
    pub title: String,
    /// year, quarter, month, week or day.
    pub period: String,
    /// At least (ratios 0–1, durations in seconds).
    pub min: Option<f64>,
    /// At most.
    pub max: Option<f64>,
}

/// Figures a target may name besides measures and, as `profile.<id>`, platform figures.
pub const TARGETS: &[&str] = &[
    "score",
    "pass_rate",
    "critical_rate",
    "resolution_rate",
    "satisfaction_estimate",
    "connect_rate",
    "rating",
    "rating_response",
    "satisfied",
    "transferred",
    "fcr_24h",
    "fcr_72h",
    "complaint_24h",
    "complaint_72h",
];

/// What a target on a platform figure begins with.
pub const PROFILE_TARGET: &str = "profile.";

/// Periods a target may be set for.
const PERIODS: &[&str] = &["year", "quarter", "month", "week", "day"];

/// How findings become a score.
#[derive(Debug, Clone, PartialEq)]
pub struct Scorecard {
    /// Score from which a conversation passes, milli-points.
    pub pass_mark: i64,
    /// Conversations an agent needs before figures are compared.
    pub min_sample: u64,
    /// Most milli-points bonuses may add.
    pub bonus_cap: i64,
    /// Agent turns a conversation needs to be judged.
    pub min_agent_turns: u32,
    /// Customer turns a conversation needs to be judged.
    pub min_customer_turns: u32,
    /// Dimensions.
    pub dimensions: Vec<Dimension>,
    /// Targets.
    pub targets: Vec<Target>,
}

impl Default for Scorecard {
    fn default() -> Self {
        Scorecard {
            pass_mark: 85_000,
            min_sample: 30,
            bonus_cap: 5_000,
            min_agent_turns: 1,
            min_customer_turns: 1,
            dimensions: Vec::new(),
            targets: Vec::new(),
        }
    }
}

/// Reads `scorecard.toml`.
pub fn read(mut table: Table<'_>, faults: &mut Faults<'_>) -> Scorecard {
    let mut card = Scorecard::default();
    if let Some(base) = table.number("base", faults)
        && base.value != 100.0
    {
        let hint = Some("满分固定为 100,删掉这一行即可".into());
        faults.at(codes::BAD_VALUE, base.range, "base 只能是 100", hint);
    }
    if let Some(mark) = table.number("pass_mark", faults) {
        if !(0.0..=100.0).contains(&mark.value) {
            faults.at(codes::BAD_VALUE, mark.range, "pass_mark 要在 0 到 100 之间", None);
        }
        card.pass_mark = (mark.value * 1000.0).round() as i64;
    }
    if let Some(n) = table.count("min_sample", faults) {
        card.min_sample = u64::from(n);
    }
    if let Some(n) = table.number("bonus_cap", faults) {
        card.bonus_cap = (n.value * 1000.0).round() as i64;
    }
    if let Some(mut gate) = table.table("gate", faults) {
        card.min_agent_turns = gate.count("min_agent_turns", faults).unwrap_or(1);
        card.min_customer_turns = gate.count("min_customer_turns", faults).unwrap_or(1);
        gate.finish("[gate] ", faults);
    }
    let head = table.head();
    for mut inner in table.tables("dimension", faults) {
        let id = inner.required("id", faults);
        let title = inner.required("title", faults).map(|t| t.value).unwrap_or_default();
        let title_en = inner.string("title_en", faults).map(|t| t.value).unwrap_or_default();
        let about = inner.string("about", faults).map(|t| t.value).unwrap_or_default();
        let weight = inner.count("weight", faults);
        if let Some(id) = id {
            if card.dimensions.iter().any(|d| d.id == id.value) {
                faults.at(codes::DUPLICATE_ID, id.range.clone(), format!("维度 `{}` 写了两次", id.value), None);
            }
            let weight = weight.unwrap_or(0);
            if weight == 0 {
                let hint = Some("写 weight = 10 这样的整数;全部相加为 100".into());
                faults.at(codes::WEIGHTS, id.range, format!("维度 `{}` 没有权重", id.value), hint);
            }
            let title_en = if title_en.is_empty() { id.value.clone() } else { title_en };
            card.dimensions.push(Dimension { id: id.value, title, title_en, about, weight });
        }
        inner.finish("[[dimension]] ", faults);
    }
    let sum: u32 = card.dimensions.iter().map(|d| d.weight).sum();
    if sum != 100 {
        let hint = Some("调整各维度的 weight,使总和正好是 100".into());
        faults.at(codes::WEIGHTS, head, format!("各维度权重之和是 {sum},应为 100"), hint);
    }
    for mut inner in table.tables("target", faults) {
        let metric = inner.required("metric", faults);
        if let Some(metric) = &metric {
            let id = metric.value.as_str();
            let known = TARGETS.contains(&id) || Metric::parse(id).is_some() || id.starts_with(PROFILE_TARGET);
            if !known {
                let ids = TARGETS.iter().copied().chain(METRICS.iter().map(|m| m.1));
                let hint = nearest(id, ids).map(|n| format!("是不是想写 `{n}`?"));
                faults.at(codes::UNKNOWN_METRIC, metric.range.clone(), format!("没有指标 `{id}`"), hint);
            }
        }
        let metric = metric.map(|t| t.value).unwrap_or_default();
        let title = inner.string("title", faults).map(|t| t.value).unwrap_or_default();
        let period = inner.string("period", faults);
        if let Some(period) = period.as_ref().filter(|p| !PERIODS.contains(&p.value.as_str())) {
            let hint = Some(format!("可用: {}", PERIODS.join("、")));
            faults.at(codes::BAD_VALUE, period.range.clone(), format!("没有周期 `{}`", period.value), hint);
        }
        let period = period.map(|t| t.value).unwrap_or_else(|| "month".into());
        let min = inner.number("min", faults).map(|n| n.value);
        let max = inner.number("max", faults).map(|n| n.value);
        let _note = inner.string("note", faults);
        inner.finish("[[target]] ", faults);
        card.targets.push(Target { metric, title, period, min, max });
    }
    table.finish("评分卡", faults);
    card
}
