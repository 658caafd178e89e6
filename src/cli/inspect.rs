//! `zhijian inspect`: the nightly job.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::ValueEnum;

use zhijian::error::{Error, Result};
use zhijian::pack::Pack;
use zhijian::pipeline::{Run, Summary};
use zhijian::report::chat::Spill;
use zhijian::report::figures::Scorecards;
use zhijian::report::folder::{StagedFolder, finish};
use zhijian::report::night::Night;
use zhijian::report::record::ConversationRecords;
use zhijian::report::run::{RunRecord, Timings};

use super::Outcome;
use super::outputs::{self, ReportKind};
use super::progress::Progress;
use super::setting::{EngineArgs, InputArgs, Language};
use super::signals::Stop;
use super::storing::{Kept, StoreArgs};
use super::table::{plain, table};

/// What happens to personal data in outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Pii {
    /// 遮盖
    Mask,
    /// 原样保留
    Keep,
}

/// Findings that fail the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// 有一票否决项
    Critical,
    /// 有严重及以上
    Major,
    /// 有指标确定没有达到评分卡里的目标
    Targets,
}

/// How much is written of platform figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Profiles {
    /// 汇总
    Summary,
    /// 逐轮
    Detail,
}
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    input: InputArgs,
    /// 结果目录;整体写好后才替换旧结果
    #[arg(long, short, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    engine: EngineArgs,
    /// 被拒记录占比超过它则退出码为 1(0–1)
    #[arg(long, value_name = "RATE")]
    max_reject_rate: Option<f64>,
    /// 出现这一级别的问题则退出码为 1
    #[arg(long, value_enum)]
    fail_on: Option<FailOn>,
    /// 平台响应指标:summary 只写 profiles.csv,detail 另在 conversations.jsonl 里逐轮写出
    #[arg(long, value_enum, default_value_t = Profiles::Summary)]
    profiles: Profiles,
    /// 输出里的个人信息:mask 遮盖,keep 原样
    #[arg(long, value_enum, default_value_t = Pii::Mask, env = "ZHIJIAN_PII")]
    pii: Pii,
    /// 报告语言
    #[arg(long, value_enum, default_value_t = Language::Zh, env = "ZHIJIAN_LANG")]
    lang: Language,
    #[command(flatten)]
    store: StoreArgs,
    /// 表格之外还写什么:网页(report/)和工作簿(scorecards.xlsx)
    #[arg(long, value_enum, default_value_t = ReportKind::All)]
    report: ReportKind,
    /// 不显示进度和摘要
    #[arg(long, short)]
    quiet: bool,
}

pub fn run(args: Args) -> Result<Outcome> {
    if args.max_reject_rate.is_some_and(|r| !(0.0..=1.0).contains(&r)) {
        return Err(Error::Setting {
            option: "--max-reject-rate".into(), reason: "要在 0 到 1 之间,如 0.01".into()
        });
    }
    let stop = Stop::listen()?;
    let started = (Instant::now(), jiff::Timestamp::now());
    let lang = args.lang.lang();
    let storing = args.store.open()?;
    let reader = args.input.open()?;
    let engine = args.engine.engine(args.input.zone()?, lang)?;
    let folder = StagedFolder::new(&args.out)?;
    stop.staged(&folder);
    let progress = Progress::new(reader.total_bytes(), args.quiet);
    let mask = args.pii == Pii::Mask;
    let format = ConversationRecords { mask, profiles: args.profiles == Profiles::Detail };
    let spill = args.report.pages().then(|| Spill::new(folder.staging())).transpose()?;
    let run = Run {
        engine: &engine,
        format: &format,
        threads: args.engine.threads(),
        observer: &progress,
        stop: &stop.flag,
        mask,
        spill: spill.as_ref(),
    };
    let (mut results, mut rejects) = (folder.create("conversations.jsonl")?, folder.create("rejects.jsonl")?);
    let summary = run.run(reader, &mut results, &mut rejects);
    progress.finish();
    stop.check()?;
    let mut summary = summary?;
    let failed = |e| Error::write(args.out.join("conversations.jsonl"), e);
    finish(results).and_then(|()| finish(rejects)).map_err(failed)?;
    let followed = storing.as_ref().map(|s| s.follow(engine.pack(), &mut summary)).transpose()?;
    let kept = match (storing, followed) {
        (Some(storing), Some((night, contacts))) => {
            Some(storing.keep(&night, contacts, engine.pack(), &summary, lang)?)
        }
        _ => None,
    };
    let cards = match &kept {
        Some(kept) => Scorecards::after(engine.pack(), &summary.aggregate, &kept.earlier),
        None => Scorecards::new(engine.pack(), &summary.aggregate),
    };
    let mut night = Night::new(engine.pack(), &summary.aggregate, &cards, lang);
    night.rejected = summary.records_rejected;
    if let Some(kept) = &kept {
        (night.label, night.history) = (kept.earlier.night.clone(), Some(&kept.history));
    }
    night.chats = spill.as_ref();
    outputs::write(&folder, &night, args.report)?;
    let seconds = started.0.elapsed().as_secs_f64();
    let bytes: u64 = summary.files.iter().map(|f| f.bytes).sum();
    let timings = Timings {
        started_at: started.1.to_string(),
        seconds,
        megabytes_per_second: bytes as f64 / 1e6 / seconds.max(1e-9),
        threads: args.engine.threads(),
    };
    let settings = BTreeMap::from([
        ("segment", format!("{:?}", args.engine.segment).to_lowercase()),
        ("pii", if mask { "mask" } else { "keep" }.to_string()),
        ("lang", format!("{:?}", args.lang).to_lowercase()),
        ("timezone", args.input.timezone.clone()),
    ]);
    folder.write("run.json", |out| {
        serde_json::to_writer_pretty(&mut *out, &RunRecord::new(engine.pack(), &summary, settings, timings))?;
        writeln!(out)
    })?;
    stop.committing()?;
    folder.commit()?;
    // After the folder: killed in between, the store lacks a night that running again stores.
    let stored = kept.as_ref().map(Kept::sentence);
    kept.map(Kept::write).transpose()?;
    if !args.quiet {
        print_summary(&args.out, &summary, &cards, seconds);
        stored.inspect(|told| eprintln!("{}", plain(told)));
    }
    Ok(gates(&args, engine.pack(), &summary, &cards))
}

fn gates(args: &Args, pack: &Pack, summary: &Summary, cards: &Scorecards) -> Outcome {
    let mut failed = false;
    if let Some(most) = args.max_reject_rate {
        let all = summary.records_inspected + summary.records_rejected;
        let rate = summary.records_rejected as f64 / all.max(1) as f64;
        if rate > most {
            eprintln!("未过门槛: 被拒记录占 {:.2}%,上限 {:.2}%(详见 rejects.jsonl)", rate * 100.0, most * 100.0);
            failed = true;
        }
    }
    if args.fail_on == Some(FailOn::Targets) {
        for target in cards.targets.iter().filter(|t| t.fails()) {
            eprintln!("未过门槛: {}", target.sentence());
            failed = true;
        }
    }
    use zhijian::pack::rule::Severity;
    let least = match args.fail_on {
        Some(FailOn::Critical) => Some(Severity::Critical),
        Some(FailOn::Major) => Some(Severity::Major),
        Some(FailOn::Targets) | None => None,
    };
    if let Some(least) = least {
        let found = |(number, count): (&u32, &zhijian::score::aggregate::RuleCount)| {
            let rule = &pack.rules[*number as usize];
            (rule.severity >= least && !rule.review_only && rule.points <= 0).then_some(count.findings)
        };
        let findings: u64 = summary.aggregate.all.rules.iter().filter_map(found).sum();
        if findings > 0 {
            eprintln!("未过门槛: 有 {findings} 处{}及以上的问题", least.title());
            failed = true;
        }
    }
    if failed { Outcome::GateFailed } else { Outcome::Done }
}

fn print_summary(out: &Path, summary: &Summary, cards: &Scorecards, seconds: f64) {
    const MOST: usize = 20;
    let mut agents: Vec<_> = cards.agents.iter().collect();
    agents.sort_by(|a, b| {
        let mean = |f: &zhijian::report::figures::Figures| f.score.as_ref().map_or(0.0, |s| s.value);
        mean(a).total_cmp(&mean(b)).then(a.id.cmp(&b.id))
    });
    let mut shown = table(&["客服", "团队", "会话", "平均分", "合格率", "一票否决", "最弱维度"]);
    for agent in agents.iter().take(MOST) {
        let score = agent.score.as_ref().map_or_else(String::new, |s| match s.interval {
            Some((low, high)) => format!("{:.1} ({low:.0}–{high:.0})", s.value),
            None => format!("{:.1}", s.value),
        });
        let pass = agent.pass_rate.as_ref().map_or_else(String::new, |r| format!("{:.0}%", r.value * 100.0));
        let worst = agent.worst_dimension();
        let worst = worst.map_or_else(String::new, |d| format!("{} {:.0}%", d.title, d.kept.unwrap_or(0.0)));
        let sample = if agent.enough { "" } else { " *" };
        shown.add_row([
            plain(&agent.label()),
            plain(agent.team.as_deref().unwrap_or("")),
            format!("{}{sample}", agent.conversations),
            score,
            pass,
            agent.critical.to_string(),
            worst,
        ]);
    }
    eprintln!("{shown}");
    if agents.len() > MOST {
        eprintln!("(按平均分从低到高,只列前 {MOST} 名,共 {} 名;全部见 scorecards.csv)", agents.len());
    }
    if agents.iter().any(|a| !a.enough) {
        eprintln!("* 样本不足,只作参考");
    }
    let all = &cards.all;
    let aggregate = &summary.aggregate;
    let pass = all
        .pass_rate
        .as_ref()
        .map_or_else(|| "–".into(), |r| format!("{:.1}%({:.1}–{:.1})", r.value * 100.0, r.low * 100.0, r.high * 100.0));
    let worst =
        all.worst_dimension().map_or_else(|| "无".into(), |d| format!("{} {:.1}%", d.title, d.kept.unwrap_or(0.0)));
    eprintln!(
        "会话 {} 通(评判 {} 通)· 客服 {} 名 · 合格率 {pass} · 最弱维度 {worst} · 被拒记录 {}",
        aggregate.conversations,
        aggregate.judged,
        cards.agents.len(),
        summary.records_rejected
    );
    if summary.records_rejected > 0 {
        let reasons: Vec<_> = summary.rejects.iter().map(|(code, n)| format!("{code} {n}")).collect();
        eprintln!("被拒原因: {}(逐条见 rejects.jsonl)", reasons.join("、"));
    }
    eprintln!("结果在 {},用时 {seconds:.1} 秒", out.display());
}
