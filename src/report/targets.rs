//! Targets of the scorecard: actual against wanted, by the period the target is set for.
//!
//! A target is **met** or **missed** only where its figure's 95 % interval lies wholly on one side of it; in between it
//! is **undecided**, and without data **not available**. A figure without an interval (a platform profile's mean) is
//! judged by its value. Periods are made by adding up days, those of earlier nights too where there is a store, so that
//! a month's figure is exact however many runs of the program its days were in.

use std::collections::BTreeMap;
use std::io::Write;

use serde::Serialize;

use super::calendar::{self, Calendar, Unit as Length};
use super::csv::writer;
use super::figures::{Rate, rounded};
use super::names::cell;
use super::outcomes::{ServiceFigures, profile_value};
use crate::judge::Lang;
use crate::metrics::profile::ProfileCount;
use crate::metrics::{METRICS, Metric, Unit};
use crate::pack::Pack;
use crate::pack::profiles::Figure;
use crate::pack::scorecard::{PROFILE_TARGET, Target};
use crate::score::Aggregate;
use crate::score::contacts::CrossCount;
use crate::score::service::{Cell, Dimension};
use crate::score::statistics::mean_interval;

/// How a figure stands to its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Reached, beyond the uncertainty of the figure.
    Met,
    /// Not reached, beyond the uncertainty.
    Missed,
    /// The interval holds the target.
    Undecided,
    /// No data.
    NotAvailable,
}

impl Status {
    /// Chinese name.
    pub fn title(self) -> &'static str {
        ["达成", "未达成", "样本不足以断定", "无数据"][self as usize]
    }

    /// Stable id.
    pub fn id(self) -> &'static str {
        ["met", "missed", "undecided", "not_available"][self as usize]
    }
}

/// A target with the figure it is about.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TargetFigure {
    /// The figure's id.
    pub metric: String,
    /// Its title.
    pub title: String,
    /// year, quarter, month, week, day.
    pub period: String,
    /// Which one (`2026-11`); empty for all of the run.
    pub value_of: String,
    /// `all`, `team` or `agent`.
    pub scope: &'static str,
    /// Team or agent.
    pub id: String,
    /// At least.
    pub min: Option<f64>,
    /// At most.
    pub max: Option<f64>,
    /// The figure: share 0–1, points, seconds.
    pub actual: Option<f64>,
    /// Its 95 % interval.
    pub interval: Option<(f64, f64)>,
    /// Cases behind it.
    pub n: u64,
    /// How it stands.
    pub status: Status,
}

impl TargetFigure {
    /// True when the gate `--fail-on targets` fails: everyone's figure missed.
    pub fn fails(&self) -> bool {
        self.scope == "all" && self.status == Status::Missed
    }

    /// The figure in one Chinese sentence.
    pub fn sentence(&self) -> String {
        let wanted = match (self.min, self.max) {
            (Some(min), _) => format!("不低于 {min}"),
            (_, Some(max)) => format!("不高于 {max}"),
            _ => "(没有写目标)".to_string(),
        };
        let actual = self.actual.map_or_else(|| "无数据".to_string(), |a| format!("{a:.3}"));
        format!("{} {} 目标{wanted},实际 {actual}(n={}),{}", self.title, self.value_of, self.n, self.status.title())
    }
}

/// A figure with its uncertainty.
#[derive(Default)]
struct Actual {
    value: Option<f64>,
    interval: Option<(f64, f64)>,
    n: u64,
}

impl Actual {
    fn rate(rate: Option<&Rate>) -> Actual {
        match rate {
            Some(r) => Actual { value: Some(r.value), interval: Some((r.low, r.high)), n: r.of },
            None => Actual::default(),
        }
    }

    fn mean(n: u64, sum: f64, squares: f64) -> Actual {
        match mean_interval(n, sum, squares) {
            Some((mean, interval)) => Actual {
                value: Some(rounded(mean)),
                interval: interval.map(|(low, high)| (rounded(low), rounded(high))),
                n,
            },
            None => Actual::default(),
        }
    }

    fn status(&self, min: Option<f64>, max: Option<f64>) -> Status {
        let Some(value) = self.value else { return Status::NotAvailable };
        // One case has no spread to judge by.
        let (low, high) = match self.interval {
            Some(interval) => interval,
            None if self.n == 1 => return Status::Undecided,
            None => (value, value),
        };
        let above = |bound: f64| (low >= bound, high < bound);
        let below = |bound: f64| (high <= bound, low > bound);
        let checks = [min.map(above), max.map(below)];
        let checks = || checks.iter().flatten();
        if checks().any(|c| c.1) {
            Status::Missed
        } else if checks().all(|c| c.0) {
            Status::Met
        } else {
            Status::Undecided
        }
    }
}

/// Every target against its figure: for everyone by period, for teams and agents over the whole run.
pub fn figures(pack: &Pack, aggregate: &Aggregate, earlier: &Earlier) -> Vec<TargetFigure> {
    let service = &aggregate.service;
    let mut out = Vec::new();
    for target in &pack.scorecard.targets {
        let mut add = |value_of: &str, scope: &'static str, id: &str, actual: Actual| {
            out.push(TargetFigure {
                metric: target.metric.clone(),
                title: if target.title.is_empty() { target.metric.clone() } else { target.title.clone() },
                period: target.period.clone(),
                value_of: value_of.to_string(),
                scope,
                id: id.to_string(),
                min: target.min,
                max: target.max,
                status: actual.status(target.min, target.max),
                actual: actual.value,
                interval: actual.interval,
                n: actual.n,
            });
        };
        if let Some((period, actual)) = whole_run(target, pack, aggregate, earlier) {
            add(&period, "all", "", actual);
            continue;
        }
        let periods = periods(&target.period, aggregate, earlier);
        if periods.is_empty() {
            add("", "all", "", actual(target, &service.all));
        }
        for (name, cell) in &periods {
            add(name, "all", "", actual(target, cell));
        }
        for (scope, dimension) in [("team", Dimension::Team), ("agent", Dimension::Agent)] {
            for (id, cell) in service.cells.get(&dimension).into_iter().flatten() {
                add("", scope, id, actual(target, cell));
            }
        }
    }
    out
}

/// Figures that are kept for a run as a whole only: across conversations, and by platform; with the period they are
/// of, which is empty where there is no store to add the period's other nights.
fn whole_run(target: &Target, pack: &Pack, aggregate: &Aggregate, earlier: &Earlier) -> Option<(String, Actual)> {
    let service = &aggregate.service;
    let (period, nights) = earlier.of(&target.period);
    if let Some(id) = target.metric.strip_prefix(PROFILE_TARGET) {
        let profile = pack.profiles.iter().find(|p| p.id == id)?;
        let mut count = service.profiles.get(id).and_then(|agents| agents.get("")).cloned().unwrap_or_default();
        nights.filter_map(|(profiles, _)| profiles.get(id)).for_each(|more| count.merge(more));
        let actual = match profile.figure {
            Figure::Within => Actual::rate(Rate::new(count.within, count.units).as_ref()),
            Figure::Mean => Actual { value: profile_value(profile, &count), interval: None, n: count.timed },
        };
        return Some((period, actual));
    }
    let mut cross = service.cross.all.clone();
    nights.for_each(|(_, more)| cross.merge(more));
    let figures = ServiceFigures::new(&service.all, &cross);
    let rate = match target.metric.as_str() {
        "fcr_24h" => figures.fcr_24h.as_ref(),
        "fcr_72h" => figures.fcr_72h.as_ref(),
        "complaint_24h" => figures.complaint_24h.as_ref(),
        "complaint_72h" => figures.complaint_72h.as_ref(),
        _ => return None,
    };
    Some((period, Actual::rate(rate)))
}

fn actual(target: &Target, cell: &Cell) -> Actual {
    let figures = ServiceFigures::new(cell, &CrossCount::default());
    match target.metric.as_str() {
        "score" => Actual::mean(cell.judged, cell.score_sum as f64 / 1e3, cell.score_squares as f64 / 1e6),
        "pass_rate" => Actual::rate(Rate::new(cell.passed, cell.judged).as_ref()),
        "critical_rate" => Actual::rate(Rate::new(cell.critical, cell.judged).as_ref()),
        "resolution_rate" => Actual::rate(figures.resolution_rate.as_ref()),
        "connect_rate" => Actual::rate(figures.connect_rate.as_ref()),
        "rating_response" => Actual::rate(figures.rating_response.as_ref()),
        "satisfied" => Actual::rate(figures.satisfied.as_ref()),
        "satisfaction_estimate" => {
            let (n, sum, squares) = cell.satisfaction;
            Actual::mean(n, sum as f64 / 1e3, squares as f64 / 1e6)
        }
        "transferred" => Actual::rate(figures.transferred.as_ref()),
        "rating" => {
            let squares = cell.ratings.iter().zip(1u64..).map(|(n, s)| n * s * s).sum::<u64>();
            let stars = cell.ratings.iter().zip(1u64..).map(|(n, s)| n * s).sum::<u64>();
            Actual::mean(cell.rated().0, stars as f64, squares as f64)
        }
        id => match METRICS.iter().position(|m| m.1 == id).and_then(|number| cell.measures.get(number)) {
            Some(histogram) => {
                let unit = Metric::parse(id).map_or(Unit::Count, Metric::unit);
                let scale = if unit == Unit::Count { 1.0 } else { 1000.0 };
                let squares = histogram.squares(unit) / (scale * scale);
                Actual::mean(histogram.n, histogram.sum as f64 / scale, squares)
            }
            None => Actual::default(),
        },
    }
}

/// What is stored of earlier nights in the periods that targets are set for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Earlier {
    /// The night reported, which names the periods of figures that are kept by night; empty without a store.
    pub night: String,
    /// Days of earlier nights.
    pub days: BTreeMap<String, Cell>,
    /// By earlier night: everyone's platform figures by profile, and what followed on its contacts.
    pub nights: BTreeMap<String, (BTreeMap<String, ProfileCount>, CrossCount)>,
}

impl Earlier {
    /// The period of the target that holds the night, and what earlier nights in it have.
    fn of(&self, period: &str) -> (String, impl Iterator<Item = &(BTreeMap<String, ProfileCount>, CrossCount)>) {
        let span = calendar::day(&self.night).map(|day| Calendar::of(Length::of_target(period), day));
        let inside = move |night: &str| calendar::day(night).zip(span).is_some_and(|(day, span)| span.holds(day));
        let nights = self.nights.iter().filter(move |(night, _)| inside(night)).map(|(_, kept)| kept);
        (span.map(|s| s.label()).unwrap_or_default(), nights)
    }
}

/// The days of the run and of earlier nights added up by the periods the run has a day in.
fn periods(period: &str, aggregate: &Aggregate, earlier: &Earlier) -> BTreeMap<String, Cell> {
    let name = |day: &str| match calendar::day(day) {
        Some(date) => Calendar::of(Length::of_target(period), date).label(),
        None => day.to_string(),
    };
    let mut out = BTreeMap::<String, Cell>::new();
    for (day, cell) in aggregate.service.cells.get(&Dimension::Day).into_iter().flatten() {
        out.entry(name(day)).or_default().merge(cell);
    }
    for (day, cell) in &earlier.days {
        if let Some(own) = out.get_mut(&name(day)) {
            own.merge(cell);
        }
    }
    out
}

/// Writes `targets.csv`.
///
/// # Errors
/// When `out` cannot be written.
pub fn csv(out: &mut dyn Write, figures: &[TargetFigure], lang: Lang) -> std::io::Result<()> {
    let mut csv = writer(out)?;
    let zh = lang == Lang::Zh;
    csv.write_record(match zh {
        true => ["指标", "名称", "周期", "时段", "范围", "对象", "目标", "实际", "95%下限", "95%上限", "样本", "状态"],
        false => ["metric", "title", "period", "of", "scope", "id", "target", "actual", "low", "high", "n", "status"],
    })?;
    for figure in figures {
        let number = |v: Option<f64>| v.map(|v| format!("{}", (v * 1e4).round() / 1e4)).unwrap_or_default();
        let target = match (figure.min, figure.max) {
            (Some(min), Some(max)) => format!("{min}–{max}"),
            (Some(min), None) => format!("≥{min}"),
            (None, Some(max)) => format!("≤{max}"),
            (None, None) => String::new(),
        };
        let (period, scope) = match zh {
            true => (
                match figure.period.as_str() {
                    "year" => "年",
                    "quarter" => "季",
                    "week" => "周",
                    "day" => "日",
                    _ => "月",
                },
                match figure.scope {
                    "team" => "团队",
                    "agent" => "客服",
                    _ => "全部",
                },
            ),
            false => (figure.period.as_str(), figure.scope),
        };
        csv.write_record([
            figure.metric.clone(),
            cell(&figure.title).into_owned(),
            period.to_string(),
            figure.value_of.clone(),
            scope.to_string(),
            cell(&figure.id).into_owned(),
            target,
            number(figure.actual),
            number(figure.interval.map(|i| i.0)),
            number(figure.interval.map(|i| i.1)),
            figure.n.to_string(),
            if zh { figure.status.title().to_string() } else { figure.status.id().to_string() },
        ])?;
    }
    csv.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uncertainty_decides_the_status() {
        let rate = |count, of| Actual::rate(Rate::new(count, of).as_ref());
        assert_eq!(rate(950, 1000).status(Some(0.9), None), Status::Met);
        assert_eq!(rate(800, 1000).status(Some(0.9), None), Status::Missed);
        assert_eq!(rate(8, 10).status(Some(0.9), None), Status::Undecided);
        assert_eq!(rate(0, 0).status(Some(0.9), None), Status::NotAvailable);
        assert_eq!(rate(1, 1000).status(None, Some(0.01)), Status::Met);
        assert_eq!(Actual::mean(1, 20.0, 400.0).status(None, Some(30.0)), Status::Undecided);
        assert_eq!(Actual::mean(3, 60.0, 1200.0).status(None, Some(30.0)), Status::Met);
    }

    #[test]
    fn days_add_up_to_periods() {
        let mut aggregate = Aggregate::default();
        for (day, resolved) in [("2026-09-30", 1), ("2026-10-01", 2), ("2026-12-31", 4)] {
            aggregate.service.cell(Dimension::Day, day).resolution[0] = resolved;
        }
        // Earlier nights count where the run has a day of the period.
        let mut earlier = Earlier::default();
        for day in ["2026-11-01", "2025-12-31"] {
            earlier.days.entry(day.into()).or_default().resolution[0] = 1;
        }
        let of = |period| -> Vec<(String, u64)> {
            periods(period, &aggregate, &earlier).into_iter().map(|(name, cell)| (name, cell.resolution[0])).collect()
        };
        assert_eq!(of("quarter"), [("2026-Q3".into(), 1), ("2026-Q4".into(), 7)]);
        assert_eq!(of("year"), [("2026".into(), 8)]);
        assert_eq!(of("month").len(), 3);
        assert_eq!(of("week"), [("2026-W40".into(), 3), ("2026-W53".into(), 4)]);
    }
}
