//! `history list`: the stored nights.

use serde_json::json;

use zhijian::error::Result;
use zhijian::store::NightRow;

use super::{Form, Outcome, Shown, StoreArg, percent};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    store: StoreArg,
    /// 只列最近几晚
    #[arg(long, value_name = "N")]
    last: Option<usize>,
    #[command(flatten)]
    shown: Shown,
}

pub fn run(args: &Args) -> Result<Outcome> {
    let all = args.store.open()?.nights()?;
    // Marked where pack or thresholds differ from the night before (of the same part).
    let changed = |at: usize| {
        let row = &all[at];
        let before = all[..at].iter().rev().find(|b| b.part == row.part && b.night < row.night);
        before.is_some_and(|b| !b.stamp.compares(&row.stamp))
    };
    let skip = all.len() - args.last.unwrap_or(all.len()).min(all.len());
    let shown = &args.shown;
    if shown.format == Form::Json {
        let nights: Vec<_> = (skip..all.len()).map(|at| as_json(&all[at], changed(at))).collect();
        shown.json(&nights)?;
        return Ok(Outcome::Done);
    }
    let headers = match shown.zh() {
        true => ["日期", "部分", "会话", "评判", "平均分", "合格率", "一票否决", "被拒记录", "规则包", "标记"],
        false => {
            ["night", "part", "conversations", "judged", "score", "pass rate", "critical", "rejected", "pack", "marks"]
        }
    };
    let rows = (skip..all.len()).map(|at| {
        let row = &all[at];
        let (n, passed, critical) = row.agent_conversations;
        let mean = (n > 0).then(|| format!("{:.1}", row.score_sum as f64 / 1e3 / n as f64));
        let mut marks = Vec::new();
        if changed(at) {
            marks.push(shown.say("规则包或门槛有变", "pack or thresholds changed"));
        }
        if !row.quotes {
            marks.push(shown.say("引文已清理", "quotes pruned"));
        }
        vec![
            row.night.clone(),
            row.part.clone(),
            row.conversations.0.to_string(),
            row.conversations.1.to_string(),
            mean.unwrap_or_default(),
            if n > 0 { percent(passed as f64 / n as f64) } else { String::new() },
            critical.to_string(),
            row.records.1.to_string(),
            format!("{} {}", row.stamp.pack, row.stamp.version),
            marks.join("; "),
        ]
    });
    shown.rows(&headers, rows.collect())?;
    Ok(Outcome::Done)
}

/// A night as JSON.
pub fn as_json(row: &NightRow, changed: bool) -> serde_json::Value {
    let (n, passed, critical) = row.agent_conversations;
    json!({
        "night": row.night,
        "part": row.part,
        "conversations": row.conversations.0,
        "judged": row.conversations.1,
        "agent_conversations": n,
        "mean_score": (n > 0).then(|| (row.score_sum as f64 / n as f64).round() / 1e3),
        "passed": passed,
        "critical": critical,
        "records_inspected": row.records.0,
        "records_rejected": row.records.1,
        "pack": row.stamp.pack,
        "pack_version": row.stamp.version,
        "pack_sha256": row.stamp.sha256,
        "thresholds": row.stamp.thresholds,
        "changed_rules": changed,
        "quotes": row.quotes,
    })
}
