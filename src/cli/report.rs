//! `zhijian report`: the reports of a stored night or period again, without the transcripts.

use std::path::PathBuf;

use serde_json::json;

use zhijian::error::{Error, Result};
use zhijian::pack::Pack;
use zhijian::report::figures::Scorecards;
use zhijian::report::folder::StagedFolder;
use zhijian::report::night::Night;
use zhijian::report::reviewed::reviewed;
use zhijian::store::{Period, Reported, Selection, Store};

use super::Outcome;
use super::outputs::{self, ReportKind};
use super::setting::Language;
use super::signals::Stop;
use super::storing::is_day;

#[derive(Debug, clap::Args)]
#[command(after_help = "逐通结果 conversations.jsonl 和 rejects.jsonl 不在其中:历史库里不存会话原文。")]
pub struct Args {
    /// 历史库文件(zhijian inspect --store 写出的)
    #[arg(long, value_name = "FILE", env = "ZHIJIAN_STORE")]
    store: PathBuf,
    /// 哪一晚,如 2026-11-20
    #[arg(long, value_name = "DATE", required_unless_present = "period", conflicts_with = "period")]
    night: Option<String>,
    /// 哪个周期:2026-W47(周)、2026-11(月)、2026-Q4(季)、2026(年)
    #[arg(long, value_name = "PERIOD")]
    period: Option<String>,
    /// 只要分部分存的其中一部分
    #[arg(long, value_name = "NAME")]
    part: Option<String>,
    /// 结果目录;整体写好后才替换旧结果
    #[arg(long, short, value_name = "DIR")]
    out: PathBuf,
    /// 换用这个规则包的标题和话术;不写则用当时的规则包
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// 报告语言
    #[arg(long, value_enum, default_value_t = Language::Zh, env = "ZHIJIAN_LANG")]
    lang: Language,
    /// 表格之外还写什么:网页(report/)和工作簿(scorecards.xlsx)
    #[arg(long, value_enum, default_value_t = ReportKind::All)]
    report: ReportKind,
    /// 不显示摘要
    #[arg(long, short)]
    quiet: bool,
}

pub fn run(args: &Args) -> Result<Outcome> {
    let (label, option) = match (&args.night, &args.period) {
        (Some(night), _) => (night.as_str(), "--night"),
        (None, Some(period)) => (period.as_str(), "--period"),
        (None, None) => ("", "--night"),
    };
    let selection = Selection { part: args.part.clone(), ..Selection::parse(label, option)? };
    if args.night.is_some() && !is_day(&selection) {
        let reason = format!("`{label}` 不是一天;周、月、季、年请用 --period");
        return Err(Error::Setting { option: option.into(), reason });
    }
    let stop = Stop::listen()?;
    let lang = args.lang.lang();
    let store = Store::existing(&args.store)?;
    let pack = args.rules.as_deref().map(|path| Pack::open(Some(path))).transpose()?;
    let mut period = store.load(&selection, pack)?;
    let reviewed = reviewed(&period.pack, &period.partial.aggregate, &store.reviewed(Some(&selection))?);
    if let Some(reviewed) = &reviewed {
        reviewed.without_overturned(&mut period.partial.aggregate, &period.pack);
    }
    let last = period.rows.last().map(|row| row.night.clone()).unwrap_or_default();
    let earlier = store.earlier(&last, &selection.span.start.to_string(), args.part.as_deref())?;
    let mut history = store.history(&Reported {
        selection: &selection,
        partial: &period.partial,
        mixed: period.mixed,
        words: &store.words(&period.rows)?,
        pack: &period.pack,
        lang,
    })?;
    store.review_history(&mut history, args.part.as_deref(), reviewed.as_ref())?;
    let aggregate = &period.partial.aggregate;
    let mut cards = Scorecards::after(&period.pack, aggregate, &earlier);
    reviewed.iter().for_each(|r| r.beside(&mut cards));
    let rejected = period.rows.iter().map(|row| row.records.1).sum();
    let mut night = Night::new(&period.pack, aggregate, &cards, lang);
    (night.label, night.history, night.rejected) = (period.label.clone(), Some(&history), rejected);
    night.reviewed = reviewed.as_ref();
    let folder = StagedFolder::new(&args.out)?;
    stop.staged(&folder);
    outputs::write(&folder, &night, args.report)?;
    folder.write("run.json", |out| {
        serde_json::to_writer_pretty(&mut *out, &record(args, &period))?;
        writeln!(out)
    })?;
    stop.committing()?;
    folder.commit()?;
    let zh = args.lang == Language::Zh;
    warn(&period, zh);
    if let Some(n) = reviewed.as_ref().map(|r| r.stale).filter(|n| *n > 0) {
        match zh {
            true => eprintln!("注意: {n} 通复核过的会话已换规则包重判,复核后分没有算上它们;先运行 zhijian rescore"),
            false => {
                eprintln!("Note: {n} reviewed conversations were judged by another pack since; run zhijian rescore")
            }
        }
    }
    if !args.quiet {
        let (label, nights, judged) = (&period.label, period.rows.len(), aggregate.all.conversations);
        let out = args.out.display();
        match zh {
            true => eprintln!("{label}: 存有 {nights} 次质检,评判 {judged} 通次;结果在 {out}"),
            false => eprintln!("{label}: {nights} stored runs, {judged} conversations judged; results in {out}"),
        }
    }
    Ok(Outcome::Done)
}

/// What the reader must know before comparing.
fn warn(period: &Period, zh: bool) {
    let label = &period.label;
    if period.mixed {
        match zh {
            true => eprintln!("注意: {label} 之内规则包或门槛变过,各晚的分数不完全可比"),
            false => eprintln!("Note: pack or thresholds changed within {label}; its nights do not compare fully"),
        }
    }
    if !period.lost.is_empty() {
        let lost = &period.lost;
        let all: Vec<&str> =
            lost.rules.iter().chain(&lost.dimensions).chain(&lost.metrics).map(String::as_str).collect();
        let (rules, dimensions, metrics) = (lost.rules.len(), lost.dimensions.len(), lost.metrics.len());
        match zh {
            true => eprintln!(
                "注意: 规则 {rules} 条、维度 {dimensions} 个、指标 {metrics} 个在所用规则包里已经没有,未列入报告: {}",
                all.join("、")
            ),
            false => eprintln!(
                "Note: {rules} rules, {dimensions} dimensions and {metrics} measures are not in the pack any more and \
                 left out: {}",
                all.join(", ")
            ),
        }
    }
    if let Some(row) = period.rows.iter().find(|row| !row.quotes) {
        match zh {
            true => eprintln!("注意: {} 等晚的引文已清理,报告里没有它们的原话", row.night),
            false => eprintln!("Note: the quotes of {} (and maybe others) are pruned", row.night),
        }
    }
}

/// The contents of `run.json`.
fn record(args: &Args, period: &Period) -> serde_json::Value {
    let night = |row: &zhijian::store::NightRow| {
        json!({
            "night": row.night,
            "part": row.part,
            "pack_version": row.stamp.version,
            "pack_sha256": row.stamp.sha256,
            "conversations": row.conversations.0,
            "records_inspected": row.records.0,
            "records_rejected": row.records.1,
        })
    };
    let pack = &period.pack;
    json!({
        "program": "zhijian",
        "version": env!("CARGO_PKG_VERSION"),
        "report": period.label,
        "part": args.part,
        "store": args.store.display().to_string(),
        "pack": { "id": pack.id, "title": pack.title, "version": pack.version, "sha256": pack.hash },
        "mixed_packs": period.mixed,
        "left_out": {
            "rules": period.lost.rules,
            "dimensions": period.lost.dimensions,
            "metrics": period.lost.metrics,
        },
        "nights": period.rows.iter().map(night).collect::<Vec<_>>(),
    })
}
