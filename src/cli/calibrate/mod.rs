//! `zhijian calibrate`: learns the satisfaction estimate from a user's own rated conversations.

mod labels;
mod markers;

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use zhijian::conversation::Conversation;
use zhijian::engine::Scratch;
use zhijian::error::{Error, Result};
use zhijian::input::{Item, Reader};
use zhijian::judge::Lang;
use zhijian::learn::satisfaction::{Examples, Learnt, Report, Settings, Strength};
use zhijian::pack::satisfaction;
use zhijian::pipeline::Observer;

use super::Outcome;
use super::progress::Progress;
use super::setting::{EngineArgs, InputArgs};
use super::signals::Stop;
use super::table::{plain, table};
use labels::Target;

/// Which features may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Features {
    /// 规则包里的全部标记和会话形态
    All,
    /// 只用规则包 satisfaction.toml 里已有的特征
    Pack,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// 用逐条判断过的消息学一个标记
    Markers(Box<markers::Args>),
}

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    engine: EngineArgs,
    /// 客户满意度从哪里读:rating(1–5 分),或 label:字段名(labels 里的数字;列表取平均)
    #[arg(long, value_name = "TARGET", default_value = "rating")]
    target: String,
    /// 另给的打分文件:CSV(会话编号,分值[,权重])或 JSONL(conversation_id、value、weight);给了它就不看 --target
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// 分值的范围,如 1,5;不写则用出现过的最小值和最大值(rating 固定为 1,5)
    #[arg(long, value_name = "LOW,HIGH", value_parser = range, allow_hyphen_values = true)]
    range: Option<(f64, f64)>,
    /// 不高于这个分值算不满意;不写则 rating 取 2,其他取最低的八分之一
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    bad: Option<f64>,
    /// 写出的模型;放进规则包叫 satisfaction.toml,或用 inspect --satisfaction 指定
    #[arg(long, short, value_name = "FILE", required = true)]
    out: Option<PathBuf>,
    /// 交叉验证分几份
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(2..=50))]
    folds: u64,
    /// 分份用的随机种子
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// 可用的特征
    #[arg(long, value_enum, default_value_t = Features::All)]
    features: Features,
    /// 词至少出现在几通会话里才学;0 表示不学词
    #[arg(long, value_name = "N", default_value_t = 5)]
    words: usize,
    /// 报告写成 JSON(标准输出)
    #[arg(long)]
    json: bool,
    /// 每通会话的留出估计也写到这个文件(JSONL),便于自己核对
    #[arg(long, value_name = "FILE")]
    predictions: Option<PathBuf>,
    /// 不显示进度
    #[arg(long, short)]
    quiet: bool,
}

fn range(text: &str) -> Result<(f64, f64), String> {
    let parts =
        text.split_once([',', '\u{ff0c}']).and_then(|(l, h)| Some((l.trim().parse().ok()?, h.trim().parse().ok()?)));
    parts.filter(|(low, high): &(f64, f64)| low < high).ok_or_else(|| "写成 低,高,如 1,5 或 -2,2".into())
}

pub fn run(args: Args) -> Result<Outcome> {
    if let Some(What::Markers(args)) = &args.what {
        return markers::run(args);
    }
    let out = args.out.clone().unwrap_or_default();
    let stop = Stop::listen()?;
    let target = match &args.labels {
        Some(path) => labels::read(path)?,
        None => Target::parse(&args.target).map_err(|reason| Error::Setting { option: "--target".into(), reason })?,
    };
    let engine = args.engine.engine(args.input.zone()?, Lang::Zh, true)?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(args.engine.threads()).build();
    let pool = pool.map_err(|e| Error::Other(format!("无法启动线程: {e}")))?;
    let scale = scale(&args, &target)?;
    let reader = args.input.open()?;
    let progress = Progress::new(reader.total_bytes(), args.quiet);
    let mut examples = Examples::new(engine.pack(), args.features == Features::All);
    let mut scratch = Scratch::default();
    let segmenter = engine.detector().segmenter().filter(|_| args.words > 0);
    let (mut unrated, mut rejected) = (0u64, 0u64);
    visit(reader, &progress, &stop, &mut rejected, &mut |conversation| {
        let Some(value) = target.of(conversation) else {
            unrated += 1;
            return;
        };
        let inspection = engine.inspect(conversation, &mut scratch);
        let before = inspection.satisfaction.estimate.map(|e| e as f64 / 1000.0);
        let share = ((value.value - scale.0) / (scale.1 - scale.0)).clamp(0.0, 1.0);
        examples.add(conversation, &inspection.hits, segmenter, (share, value.weight, before));
    })?;
    progress.finish();
    let bad = args.bad.or(matches!(target, Target::Rating).then_some(2.0));
    let settings = Settings {
        folds: args.folds as usize,
        seed: args.seed,
        min_documents: args.words,
        bad: bad.map(|b| (b - scale.0) / (scale.1 - scale.0)),
    };
    let learnt = pool.install(|| examples.learn(&settings)).ok_or_else(|| {
        Error::Other(format!(
            "有分值的会话只有 {} 通(没有分值的 {unrated} 通),或者分值全都一样,学不了;至少要 20 通、有高有低。\n  \
             分值写在 rating 里,或用 --target label:字段名,或用 --labels 文件给出。",
            examples.len()
        ))
    })?;
    stop.check()?;
    let file = model_file(&target, &learnt);
    std::fs::write(&out, file).map_err(|e| Error::write(&out, e))?;
    if let Some(path) = &args.predictions {
        write_predictions(path, &learnt)?;
    }
    if args.json {
        let text = serde_json::to_string_pretty(&learnt.report).map_err(|e| Error::Other(e.to_string()))?;
        writeln_out!("{text}");
    } else {
        print_report(&out, &learnt.report, unrated, rejected)?;
    }
    Ok(Outcome::Done)
}

/// Reads all conversations, one after the other: the order of the input is the order of the examples.
fn visit(
    mut reader: Reader,
    progress: &Progress,
    stop: &Stop,
    rejected: &mut u64,
    each: &mut dyn FnMut(&Conversation<'_>),
) -> Result<()> {
    let mut buffer = Vec::new();
    while let Some(block) = reader.next_block(std::mem::take(&mut buffer))? {
        stop.check()?;
        let mut conversations = 0;
        block.visit(&mut |item| match item {
            Item::Conversation { conversation, .. } => {
                conversations += 1;
                each(&conversation);
            }
            Item::Reject(reject) => *rejected += reject.rows,
        });
        progress.advanced(block.bytes(), conversations);
        buffer = block.into_buffer();
    }
    Ok(())
}

/// The least and the greatest value a conversation can have.
fn scale(args: &Args, target: &Target) -> Result<(f64, f64)> {
    if let Some(range) = args.range {
        return Ok(range);
    }
    let mut ends = (f64::INFINITY, f64::NEG_INFINITY);
    match target {
        Target::Rating => return Ok((1.0, 5.0)),
        Target::File(values) => {
            values.values().for_each(|(v, _)| ends = (ends.0.min(*v), ends.1.max(*v)));
        }
        Target::Label(_) => {
            let mut reader = args.input.open()?;
            let mut buffer = Vec::new();
            while let Some(block) = reader.next_block(std::mem::take(&mut buffer))? {
                block.visit(&mut |item| {
                    if let Item::Conversation { conversation, .. } = item
                        && let Some(value) = target.of(&conversation)
                    {
                        ends = (ends.0.min(value.low), ends.1.max(value.high));
                    }
                });
                buffer = block.into_buffer();
            }
        }
    }
    match ends.0 < ends.1 {
        true => Ok(ends),
        false => Err(Error::Other(format!(
            "没有读到有高有低的分值({});请检查 --target 或 --labels,范围可用 --range 写明。",
            target.title()
        ))),
    }
}

fn model_file(target: &Target, learnt: &Learnt) -> String {
    let report = &learnt.report;
    let about = [
        "满意度估计的权重:intercept + Σ weight × (特征值 − mean) + Σ 说到的词的权重,截到 0–1。".to_string(),
        "特征的 id: customer.标记.位置 / agent.标记.位置,或会话形态;含义见 rules/README.md。可以手改。".to_string(),
        format!(
            "由 zhijian calibrate 学得:{} 通会话,{} 折交叉验证 rho {},不满意识别 AUC {}。",
            report.conversations,
            report.folds,
            shown(report.rho),
            shown(report.auc_bad)
        ),
    ];
    let number = |value: Option<f64>| value.map(|v| format!("{v:.4}"));
    let mut info = vec![("conversations", report.conversations.to_string())];
    info.push(("target", toml::Value::String(target.title()).to_string()));
    info.extend(number(report.rho).map(|v| ("rho", v)));
    info.extend(number(report.auc_bad).map(|v| ("auc_bad", v)));
    info.push(("penalty", format!("{:?}", report.penalty)));
    satisfaction::write(&learnt.model, &about, &info)
}

fn write_predictions(path: &Path, learnt: &Learnt) -> Result<()> {
    let failed = |e| Error::write(path, e);
    let mut out = std::io::BufWriter::new(std::fs::File::create(path).map_err(failed)?);
    for (id, target, predicted) in &learnt.predicted {
        let line = serde_json::json!({
            "conversation_id": id,
            "satisfaction_estimate": (predicted * 1000.0).round() / 1000.0,
            "target": (target * 1e6).round() / 1e6,
        });
        writeln!(out, "{line}").map_err(failed)?;
    }
    out.flush().map_err(failed)
}

fn shown(value: Option<f64>) -> String {
    value.map_or_else(|| "–".into(), |v| format!("{v:.3}"))
}

fn print_report(out: &Path, report: &Report, unrated: u64, rejected: u64) -> Result<()> {
    let before = |v: Option<f64>| v.map_or_else(String::new, |v| format!("(规则包现有权重 {v:.3})"));
    writeln_out!("有分值的会话 {} 通(没有分值 {unrated},读不了 {rejected})", report.conversations);
    writeln_out!("试了特征 {} 个、词 {} 个;惩罚 {}", report.features, report.words, report.penalty);
    writeln_out!("\n{} 折交叉验证(对没学过的会话):", report.folds);
    writeln_out!("  与人打分的等级相关 rho  {}{}", shown(report.rho), before(report.rho_before));
    writeln_out!(
        "  认出不满意的 AUC        {}{}  不满意 {} 通",
        shown(report.auc_bad),
        before(report.auc_bad_before),
        report.bad
    );
    if report.rho_agents.is_some() {
        writeln_out!("  客服均值的等级相关      {}(满 30 通的客服)", shown(report.rho_agents));
    }
    let mut bands = table(&["估计从低到高", "会话", "平均估计", "平均实际"]);
    for (n, band) in report.calibration.iter().enumerate() {
        bands.add_row([
            format!("第 {} 个五分之一", n + 1),
            band.n.to_string(),
            format!("{:.3}", band.predicted),
            format!("{:.3}", band.actual),
        ]);
    }
    writeln_out!("\n校准(估计与实际应当接近):\n{bands}");
    let list = |strengths: &[Strength]| {
        let mut shown = table(&["", "影响(一个标准差)", "权重"]);
        for s in strengths {
            shown.add_row([plain(&s.title), format!("{:+.4}", s.effect), format!("{:+.4}", s.weight)]);
        }
        shown
    };
    writeln_out!("\n影响最大的特征:\n{}", list(&report.strongest_features));
    if !report.strongest_words.is_empty() {
        writeln_out!("\n影响最大的词:\n{}", list(&report.strongest_words));
    }
    writeln_out!("\n模型写在 {}。用法: zhijian inspect … --satisfaction {0}", out.display());
    Ok(())
}
