//! `metrics.csv`: every measure with mean, median and 90th percentile by agent, team, channel, stage, hour and day;
//! `topics.csv`: why customers came, with how it went.

use std::io::Write;

use super::csv::{number, percent, writer};
use super::figures::Rate;
use super::names::cell;
use crate::judge::Lang;
use crate::metrics::{METRICS, Unit};
use crate::pack::Pack;
use crate::score::Aggregate;
use crate::score::service::{Cell, Dimension, TopicTotals};
use crate::score::words::top_words;

/// Words shown of a reason.
const WORDS: usize = 8;

/// The value of a measure as people read it: seconds, ratio or count.
fn shown(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Millis => format!("{:.1}", value / 1000.0),
        Unit::Ratio => format!("{:.2}", value / 1000.0),
        Unit::Count => format!("{value:.1}"),
    }
}

/// Writes `metrics.csv`: a row for everyone and for every value of every dimension. A measure that is nowhere known
/// has empty cells and n = 0. Medians and percentiles are read from exact bins; see [`crate::score::histogram`] for
/// their error.
///
/// # Errors
/// When `out` cannot be written.
pub fn metrics(out: &mut dyn Write, aggregate: &Aggregate, lang: Lang) -> std::io::Result<()> {
    let mut csv = writer(out)?;
    let zh = lang == Lang::Zh;
    let mut header: Vec<String> = match zh {
        true => ["维度", "取值", "会话数", "接通率%", "解决率%", "平均分", "评分均值", "评分数"],
        false => ["dimension", "value", "conversations", "connected%", "resolved%", "score", "rating", "ratings"],
    }
    .map(str::to_string)
    .to_vec();
    for (_, id, title, unit) in METRICS {
        let seconds = if *unit == Unit::Millis { "秒" } else { "" };
        match zh {
            true => header.extend(["均值", "中位数", "P90", "n"].map(|f| match f {
                "n" => format!("{title}n"),
                _ => format!("{title}{f}{seconds}"),
            })),
            false => header.extend(["mean", "median", "p90", "n"].map(|f| format!("{id}_{f}"))),
        }
    }
    csv.write_record(&header)?;
    let service = &aggregate.service;
    csv.write_record(metrics_row(if zh { "全部" } else { "all" }, "", &service.all))?;
    for dimension in Dimension::ALL {
        let title = if zh { dimension.title() } else { dimension.id() };
        for (value, figures) in service.cells.get(&dimension).into_iter().flatten() {
            csv.write_record(metrics_row(title, value, figures))?;
        }
    }
    csv.flush()
}

fn metrics_row(dimension: &str, value: &str, figures: &Cell) -> Vec<String> {
    let (resolved, told) = figures.resolved();
    let mut row = vec![
        dimension.to_string(),
        cell(value).into_owned(),
        figures.conversations.to_string(),
        percent(Rate::new(figures.connected, figures.contacts).as_ref())[0].clone(),
        percent(Rate::new(resolved, told).as_ref())[0].clone(),
        number(figures.mean_score()),
        figures.mean_rating().map(|r| format!("{r:.2}")).unwrap_or_default(),
        figures.rated().0.to_string(),
    ];
    for (number, (_, _, _, unit)) in METRICS.iter().enumerate() {
        let histogram = figures.measures.get(number).filter(|h| h.n > 0);
        match histogram {
            Some(h) => {
                row.push(h.mean().map(|m| shown(m, *unit)).unwrap_or_default());
                row.extend(
                    [500, 900].map(|q| h.quantile(q, *unit).map(|v| shown(v as f64, *unit)).unwrap_or_default()),
                );
                row.push(h.n.to_string());
            }
            None => row.extend(["", "", "", "0"].map(str::to_string)),
        }
    }
    row
}

/// Writes `topics.csv`: a row for each reason and product fault that occurred, most frequent first inside its level.
///
/// # Errors
/// When `out` cannot be written.
pub fn topics(out: &mut dyn Write, pack: &Pack, aggregate: &Aggregate, lang: Lang) -> std::io::Result<()> {
    let mut csv = writer(out)?;
    let zh = lang == Lang::Zh;
    csv.write_record(match zh {
        true => [
            "类别",
            "一级原因",
            "二级原因",
            "紧急程度",
            "会话数",
            "占比%",
            "主要原因会话数",
            "解决率%",
            "平均分",
            "满意度",
            "高频词",
        ],
        false => [
            "kind",
            "reason",
            "sub_reason",
            "urgency",
            "conversations",
            "share%",
            "as_main",
            "resolved%",
            "score",
            "rating",
            "top_words",
        ],
    })?;
    let service = &aggregate.service;
    let list = &pack.topics.list;
    let name = |number: usize| if zh { list[number].title.as_str() } else { list[number].title_en.as_str() };
    let totals = |number: usize| service.topics.get(&list[number].id).filter(|t| t.conversations > 0);
    let samples = |keep: &dyn Fn(usize) -> bool| {
        let shown = (0..list.len()).filter(|n| keep(*n));
        top_words(&shown.filter_map(|n| totals(n).map(|t| (n, t.words.clone()))).collect(), WORDS)
    };
    // Words set a reason apart from the others of its own level.
    let mut words = samples(&|n| list[n].parent.is_none() && !list[n].is_fault());
    words.extend(samples(&|n| list[n].parent.is_some()));
    words.extend(samples(&|n| list[n].is_fault()));
    let by_count = |mut numbers: Vec<usize>| {
        numbers.retain(|n| totals(*n).is_some());
        numbers.sort_by_key(|n| (std::cmp::Reverse(totals(*n).map_or(0, |t| t.conversations)), *n));
        numbers
    };
    let mut rows = Vec::new();
    for top in by_count((0..list.len()).filter(|n| list[*n].parent.is_none() && !list[*n].is_fault()).collect()) {
        rows.push((top, None));
        rows.extend(
            by_count((0..list.len()).filter(|n| list[*n].parent == Some(top)).collect())
                .into_iter()
                .map(|sub| (top, Some(sub))),
        );
    }
    rows.extend(by_count((0..list.len()).filter(|n| list[*n].is_fault()).collect()).into_iter().map(|n| (n, None)));
    for (top, sub) in rows {
        let number = sub.unwrap_or(top);
        let Some(counts) = totals(number) else { continue };
        let urgency = list[number].urgency;
        let kind = match (urgency.is_some(), zh) {
            (false, true) => "来访原因",
            (true, true) => "商品问题",
            (false, false) => "reason",
            (true, false) => "fault",
        };
        let urgency = urgency.map(|u| if zh { u.title() } else { u.id() }).unwrap_or_default();
        let mut row = vec![
            kind.to_string(),
            cell(name(top)).into_owned(),
            sub.map(|s| cell(name(s)).into_owned()).unwrap_or_default(),
            urgency.to_string(),
        ];
        row.extend(topic_figures(counts, aggregate.conversations));
        row.push(cell(&words.get(&number).map(|w| w.join(" ")).unwrap_or_default()).into_owned());
        csv.write_record(row)?;
    }
    csv.flush()
}

fn topic_figures(counts: &TopicTotals, all: u64) -> [String; 6] {
    let told = counts.resolution[0] + counts.resolution[1];
    let ratings: u64 = counts.ratings.iter().sum();
    let stars: u64 = counts.ratings.iter().zip(1..).map(|(n, stars)| n * stars).sum();
    [
        counts.conversations.to_string(),
        percent(Rate::new(counts.conversations, all).as_ref())[0].clone(),
        counts.main.to_string(),
        percent(Rate::new(counts.resolution[0], told).as_ref())[0].clone(),
        number((counts.judged > 0).then(|| counts.score_sum as f64 / 1000.0 / counts.judged.max(1) as f64)),
        if ratings > 0 { format!("{:.2}", stars as f64 / ratings as f64) } else { String::new() },
    ]
}
