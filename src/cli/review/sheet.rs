//! `review sheet`: sheets for what comes after the first review.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::ValueEnum;

use zhijian::error::{Error, Result};
use zhijian::review::rulings::{HIGHER, Standing, standing};
use zhijian::review::sheet::{Sheet, SheetCase};
use zhijian::review::{CaseKey, FindingKey, Round, Verdict};
use zhijian::store::{Sample, Selection, Store};

use super::{Audit, StoreArg, page_link, write_sheet};
use crate::cli::Outcome;

/// What the sheet is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum For {
    /// 复评:别人评过的会话再盲评一遍,看不到别人的判断
    Second,
    /// 仲裁:只有意见不一的地方
    Adjudicate,
    /// 裁定申诉
    Appeal,
}

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    store: StoreArg,
    /// 哪个样本(review sample 打印的名称);不写则列出样本
    #[arg(long, value_name = "SAMPLE")]
    sample: Option<String>,
    /// 做什么用
    #[arg(long = "for", value_enum, value_name = "ROUND", required_unless_present = "list")]
    round: Option<For>,
    /// 给谁
    #[arg(long, value_name = "NAME", required_unless_present = "list")]
    reviewer: Option<String>,
    /// 写到这个文件(.xlsx)
    #[arg(long, short, value_name = "FILE", required_unless_present = "list")]
    out: Option<PathBuf>,
    /// 这一晚的结果目录;有网页报告则在表里给出链接
    #[arg(long, value_name = "DIR")]
    results: Option<PathBuf>,
    /// 只列出样本和已发出的表
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    audit: Audit,
}

pub fn run(args: &Args) -> Result<Outcome> {
    let mut store = args.store.open()?;
    let (Some(round), Some(reviewer), Some(out), false) = (args.round, &args.reviewer, &args.out, args.list) else {
        return list(&store);
    };
    let sample = find(&store, args.sample.as_deref())?;
    let row = store
        .selected(&Selection { part: Some(sample.part.clone()), ..Selection::parse(&sample.night, "--sample")? })?
        .pop()
        .ok_or_else(|| Error::Other(format!("{} 已不在历史库里", sample.night)))?;
    let pack = store.pack(&row.stamp.sha256)?;
    let all = standing(&store.reviews(&sample.night, &sample.part)?);
    let from = out.parent().filter(|p| !p.as_os_str().is_empty()).map_or(PathBuf::from("."), PathBuf::from);
    std::fs::create_dir_all(&from).map_err(|e| Error::write(&from, e))?;
    let mut cases = Vec::new();
    for drawn in store.drawn(&sample.id)? {
        let key = CaseKey {
            night: sample.night.clone(),
            part: sample.part.clone(),
            conversation: drawn.conversation,
            agent: drawn.agent,
        };
        let Some(standing) = all.get(&key) else { continue };
        let Some(judged) = judged(round, standing, reviewer, sample.id.ends_with(HIGHER)) else { continue };
        let Some(case) = store.case(&key, None)? else { continue };
        let link = page_link(args.results.as_deref(), &from, &key.conversation);
        cases.push(SheetCase::new(drawn.number, key, &case, &pack, judged.as_ref(), link));
    }
    if cases.is_empty() {
        let why = match round {
            For::Second => "没有别人评完的会话",
            For::Adjudicate => "没有意见不一的地方",
            For::Appeal if sample.id.ends_with(HIGHER) => "没有待裁定的再次申诉(一审裁定人不能再裁)",
            For::Appeal => "没有待裁定的申诉",
        };
        return Err(Error::Other(format!("{}: {why},没有写表 (nothing to review)", sample.id)));
    }
    let round = match round {
        For::Second => Round::Second,
        For::Adjudicate => Round::Adjudicate,
        For::Appeal => Round::Appeal,
    };
    let sheet = Sheet::new(&sample.id, &sample.night, round, reviewer, &pack, cases);
    store.keep_sheets(std::slice::from_ref(&sheet), &args.audit.at()?)?;
    write_sheet(out, &sheet)?;
    let findings: usize = sheet.cases.iter().map(|c| c.findings.len()).sum();
    writeln_out!("{} {reviewer}: {} 通、{findings} 处 → {}", round.title(), sheet.cases.len(), out.display());
    Ok(Outcome::Done)
}

fn list(store: &Store) -> Result<Outcome> {
    let sheets = store.sheets()?;
    for sample in store.samples()? {
        writeln_out!("{} ({}, 种子 {})", sample.id, sample.kind.title(), sample.seed);
        for [_, _, round, reviewer] in sheets.iter().filter(|s| s[1] == sample.id) {
            let title = Round::parse(round).map_or("", Round::title);
            writeln_out!("  {title} {reviewer}");
        }
    }
    Ok(Outcome::Done)
}

/// The sample of that name, or the only one.
pub fn find(store: &Store, name: Option<&str>) -> Result<Sample> {
    let samples = store.samples()?;
    let known: Vec<&str> = samples.iter().map(|s| s.id.as_str()).collect();
    let reason = match name {
        Some(name) => match samples.iter().find(|s| s.id == name) {
            Some(sample) => return Ok(sample.clone()),
            None => format!("没有样本 `{name}`;有: {}", known.join("、")),
        },
        None if samples.len() == 1 => return Ok(samples[0].clone()),
        None if samples.is_empty() => "还没有抽过样;先用 `zhijian review sample`".to_string(),
        None => format!("有多个样本,请指明一个: {}", known.join("、")),
    };
    Err(Error::Setting { option: "--sample".into(), reason })
}

/// What is to be judged of a case, with what others said; `Some(None)`: everything, blind. `None`: nothing.
#[allow(clippy::option_option)]
fn judged(
    round: For,
    standing: &Standing,
    reviewer: &str,
    higher: bool,
) -> Option<Option<BTreeMap<FindingKey, Vec<String>>>> {
    match round {
        For::Second => {
            let others = standing.reviewers.iter().any(|r| r != reviewer);
            (others && !standing.reviewers.contains(reviewer)).then_some(None)
        }
        For::Adjudicate => {
            let told = |finding: &FindingKey| {
                let voices = standing.voices.get(finding).into_iter().flatten();
                let one = |v: &zhijian::review::rulings::Voice| {
                    let verdict = v.verdict.map_or("没有认为有问题", Verdict::title);
                    let comment = if v.comment.is_empty() { String::new() } else { format!("({})", v.comment) };
                    format!("{}: {verdict}{comment}", v.reviewer)
                };
                (finding.clone(), voices.map(one).collect::<Vec<_>>())
            };
            let all: BTreeMap<_, _> = standing.disputed().into_iter().map(told).collect();
            (!all.is_empty()).then_some(Some(all))
        }
        For::Appeal => {
            // Each instance decides its own; whoever decided first does not decide again.
            let first = |f: &FindingKey| standing.decision(f).filter(|_| higher);
            let open =
                standing.open_appeals().into_iter().filter(|(f, _)| standing.appealed_again.contains(f) == higher);
            let open = open.filter(|(f, _)| first(f).is_none_or(|v| v.reviewer != reviewer));
            let told = |(f, why): (&FindingKey, &str)| {
                let before = first(f).map(|v| {
                    let verdict = v.verdict.map_or("", Verdict::title);
                    format!("一审 {}: {verdict}({})", v.reviewer, v.comment)
                });
                let said = before.into_iter().chain([format!("客服申诉: {why}")]).collect();
                (f.clone(), said)
            };
            let all: BTreeMap<_, _> = open.map(told).collect();
            (!all.is_empty()).then_some(Some(all))
        }
    }
}
