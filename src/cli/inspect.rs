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
use zhijian::report::record::ConversationRecords;

use super::Outcome;
use super::ending::Ending;
use super::outputs::ReportKind;
use super::partial::PartialArgs;
use super::progress::Progress;
use super::results::{ResultKind, Results};
use super::setting::{EngineArgs, InputArgs, Language};
use super::signals::Stop;
use super::storing::StoreArgs;
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

/// What fails a run that is done.
#[derive(Debug, clap::Args)]
pub struct Gates {
    /// 被拒记录占比超过它则退出码为 1(0–1)
    #[arg(long, value_name = "RATE")]
    max_reject_rate: Option<f64>,
    /// 出现这一级别的问题则退出码为 1
    #[arg(long, value_enum)]
    fail_on: Option<FailOn>,
}

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub(super) input: InputArgs,
    /// 结果目录;整体写好后才替换旧结果
    #[arg(
        long,
        short,
        value_name = "DIR",
        required_unless_present_any = ["pipe", "dry_run"]
    )]
    out: Option<PathBuf>,
    /// 只读一遍输入,说明是怎样理解的(格式、列、角色、时间、前几通会话、可疑之处);不评判,不写结果
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    pub(super) engine: EngineArgs,
    #[command(flatten)]
    pub(super) gates: Gates,
    /// 逐通结果的格式,可以写几种(逗号分隔):parquet 另写 findings.parquet 和 agents.parquet
    #[arg(long, value_enum, value_delimiter = ',', default_value = "jsonl")]
    results: Vec<ResultKind>,
    /// 不写目录:逐通结果写到标准输出,一行一通,最后是 partial 和核对数各行(给 Spark 等调用)
    #[arg(long, conflicts_with_all = ["out", "results", "partial"])]
    pipe: bool,
    #[command(flatten)]
    pub(super) partial: PartialArgs,
    /// 平台响应指标:summary 只写 profiles.csv,detail 另在 conversations.jsonl 里逐轮写出
    #[arg(long, value_enum, default_value_t = Profiles::Summary)]
    pub(super) profiles: Profiles,
    /// 输出里的个人信息:mask 遮盖,keep 原样
    #[arg(long, value_enum, default_value_t = Pii::Mask, env = "ZHIJIAN_PII")]
    pub(super) pii: Pii,
    /// 报告语言
    #[arg(long, value_enum, default_value_t = Language::Zh, env = "ZHIJIAN_LANG")]
    pub(super) lang: Language,
    #[command(flatten)]
    pub(super) store: StoreArgs,
    /// 表格之外还写什么:网页(report/)和工作簿(scorecards.xlsx)
    #[arg(long, value_enum, default_value_t = ReportKind::All)]
    pub(super) report: ReportKind,
    /// 不显示进度和摘要
    #[arg(long, short)]
    pub(super) quiet: bool,
}

impl Args {
    /// The settings that change results, for `run.json` and partials.
    pub(super) fn settings(&self) -> BTreeMap<String, String> {
        [
            ("segment", format!("{:?}", self.engine.segment).to_lowercase()),
            ("pii", if self.pii == Pii::Mask { "mask" } else { "keep" }.to_string()),
            ("lang", format!("{:?}", self.lang).to_lowercase()),
            ("timezone", self.input.reading.timezone.clone()),
        ]
        .map(|(name, value)| (name.to_string(), value))
        .into()
    }

    /// How records are written.
    pub(super) fn format(&self) -> ConversationRecords {
        ConversationRecords { mask: self.pii == Pii::Mask, profiles: self.profiles == Profiles::Detail }
    }
}

pub fn run(args: Args) -> Result<Outcome> {
    args.gates.check()?;
    if args.pipe {
        return super::pipe::run(&args);
    }
    if args.dry_run {
        return super::dry_run::run(&args.input);
    }
    let out = args.out.clone().unwrap_or_default();
    let stop = Stop::listen()?;
    let started = (Instant::now(), jiff::Timestamp::now());
    let lang = args.lang.lang();
    let storing = args.store.open()?;
    let reader = args.input.open()?;
    let engine = args.engine.engine_with(args.input.zone()?, lang, args.pii == Pii::Mask, |pack| match &storing {
        Some(storing) => storing.decided(pack, args.quiet),
        None => Ok(pack),
    })?;
    let folder = StagedFolder::new(&out)?;
    stop.staged(&folder);
    let partial = args.partial.begin(&out)?;
    let progress = Progress::new(reader.total_bytes(), args.quiet);
    let spill = args.report.pages().then(|| Spill::new(folder.staging())).transpose()?;
    let mut rejects = folder.create("rejects.jsonl")?;
    let results = Results::new(&args.results, args.report);
    let summary = results.write(&folder, engine.pack(), &args.format(), |format, out| {
        let run = Run {
            engine: &engine,
            format,
            threads: args.engine.threads(),
            observer: &progress,
            stop: &stop.flag,
            mask: args.pii == Pii::Mask,
            spill: spill.as_ref(),
        };
        run.run(reader, out, &mut rejects)
    });
    progress.finish();
    stop.check()?;
    let mut summary = summary?;
    finish(rejects).map_err(|e| Error::write(out.join("rejects.jsonl"), e))?;
    let settings = args.settings();
    if let Some(partial) = &partial {
        partial.write(&folder, |out| {
            let slice = args.partial.slice.as_deref();
            zhijian::partial::write(out, engine.pack(), &settings, slice, &mut summary, spill.as_ref())
        })?;
    }
    let ending = Ending {
        pack: engine.pack(),
        lang,
        folder,
        out: &out,
        report: args.report,
        results,
        settings,
        gates: &args.gates,
        threads: args.engine.threads(),
        quiet: args.quiet,
        started,
        storing,
        partial,
    };
    ending.end(&stop, &mut summary, spill.as_ref())
}

impl Gates {
    /// Refuses a bound that is none.
    pub fn check(&self) -> Result<()> {
        if self.max_reject_rate.is_some_and(|r| !(0.0..=1.0).contains(&r)) {
            let reason = "要在 0 到 1 之间,如 0.01".into();
            return Err(Error::Setting { option: "--max-reject-rate".into(), reason });
        }
        Ok(())
    }

    /// Says which bounds the run broke. Without `cards` targets are not looked at.
    pub fn judge(&self, pack: &Pack, summary: &Summary, cards: Option<&Scorecards>) -> Outcome {
        let mut failed = false;
        if let Some(most) = self.max_reject_rate {
            let all = summary.records_inspected + summary.records_rejected;
            let rate = summary.records_rejected as f64 / all.max(1) as f64;
            if rate > most {
                eprintln!("未过门槛: 被拒记录占 {:.2}%,上限 {:.2}%(详见 rejects.jsonl)", rate * 100.0, most * 100.0);
                failed = true;
            }
        }
        if self.fail_on == Some(FailOn::Targets) {
            for target in cards.iter().flat_map(|c| &c.targets).filter(|t| t.fails()) {
                eprintln!("未过门槛: {}", target.sentence());
                failed = true;
            }
        }
        use zhijian::pack::rule::Severity;
        let least = match self.fail_on {
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
}

pub(super) fn print_summary(out: &Path, summary: &Summary, cards: &Scorecards, seconds: f64) {
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
